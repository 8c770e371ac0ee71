"""The mark on a generated piece, for machines and for people.

Two marks, so that losing one still tells: an `HGEN` chunk after the last track, and a text at
the beginning of the first track that most sequencers show. A piece whose marks were both taken
off is caught by the log (same sound) or by screening (same melody, transposed).
"""

from __future__ import annotations

from gen.provenance.canonical import canonical, is_sha256_hex
from gen.provenance.tag import TagError
from gen.smf import GENERATED_CHUNK, split_chunks

MARK_TEXT = b"Machine-generated music. Receipt SHA-256: "
_MACHINE_SOURCES = (b"trainedalgorithmicmedia", b"digitalsourcetype/algorithmicmedia")
_TRACK_START = 14 + 8
_TEXT_EVENT = b"\x00\xff\x01"


def mark_generated(midi: bytes, receipt_digest: str) -> bytes:
    """`midi` with both marks.

    Args:
        midi: a strict file without chunks after its last track.
        receipt_digest: SHA-256 of the piece's receipt, hex.

    Raises:
        TagError: something already follows the last track, or the digest is none.
        RuleBroken: the chunk layout is broken.
    """
    if not is_sha256_hex(receipt_digest):
        raise TagError("bad-envelope", f"{receipt_digest!r:.80} is no SHA-256")
    if split_chunks(midi).trailing:
        raise TagError("foreign-chunk", "a chunk already follows the last track")
    text = MARK_TEXT + receipt_digest.encode("ascii")
    event = _TEXT_EVENT + len(text).to_bytes(1, "big") + text
    length = int.from_bytes(midi[18:22], "big") + len(event)
    payload = canonical({"format": 1, "generated": True, "receipt_sha256": receipt_digest})
    chunk = GENERATED_CHUNK + len(payload).to_bytes(4, "big") + payload
    marked = midi[:18] + length.to_bytes(4, "big") + event + midi[_TRACK_START:]
    return marked + chunk


def is_generated(midi: bytes) -> bool:
    """Whether either mark is there, or another's; broken files are searched too."""
    return MARK_TEXT in midi or GENERATED_CHUNK + b"\x00\x00" in midi or says_machine_made(midi)


def says_machine_made(data: bytes) -> bool:
    """Whether a file says of itself, in anybody's words for machines, that a machine made it.

    These are the IPTC's digital source types, which C2PA manifests (in MIDI a sequencer-specific
    event, FF 7F 00 43 32) and XMP use alike; they are looked for anywhere, in UTF-8 or UTF-16.

    Source: IPTC NewsCodes "Digital Source Type"; C2PA Technical Specification 2.1.
    """
    text = data.replace(b"\x00", b"").lower()
    return any(source in text for source in _MACHINE_SOURCES)
