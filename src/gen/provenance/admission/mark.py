"""The mark on a generated piece, for machines and for people.

Two marks, so that losing one still tells: an `HGEN` chunk after the last track, and a text at
the beginning of the first track that most sequencers show. A piece whose marks were both taken
off is caught by the log (same sound) or by screening (same melody, transposed).
"""

from __future__ import annotations

from gen.provenance.records.tag import TagError
from gen.provenance.signing.canonical import canonical, is_sha256_hex
from gen.smf import GENERATED_CHUNK
from gen.smf.chunks import looks_like_a_type

MARK_TEXT = b"Machine-generated music. Receipt SHA-256: "
_MACHINE_SOURCES = (b"trainedalgorithmicmedia", b"digitalsourcetype/algorithmicmedia")
_TEXT_EVENT = b"\x00\xff\x01"


def mark_generated(midi: bytes, receipt_digest: str) -> bytes:
    """`midi` with both marks.

    Marks that it has already, of a generated piece that was worked on, stay behind the new text
    and before the new chunk.

    Args:
        midi: a file as `smf.lenient` reads it; nothing else of it changes.
        receipt_digest: SHA-256 of the piece's receipt, hex.

    Raises:
        TagError: the digest is none, or the file has no track.
    """
    if not is_sha256_hex(receipt_digest):
        raise TagError("bad-envelope", f"{receipt_digest!r:.80} is no SHA-256")
    at = _first_track(midi)
    text = MARK_TEXT + receipt_digest.encode("ascii")
    event = _TEXT_EVENT + len(text).to_bytes(1, "big") + text
    length = int.from_bytes(midi[at + 4 : at + 8], "big") + len(event)
    payload = canonical({"format": 1, "generated": True, "receipt_sha256": receipt_digest})
    chunk = GENERATED_CHUNK + len(payload).to_bytes(4, "big") + payload
    head = midi[: at + 4] + length.to_bytes(4, "big")
    return head + event + midi[at + 8 :] + chunk


def _first_track(midi: bytes) -> int:
    """The place of the first track chunk; other chunks and stray bytes may come before it."""
    at = 8 + int.from_bytes(midi[4:8], "big")
    while midi[at : at + 4] != b"MTrk":
        if looks_like_a_type(midi[at : at + 4]):
            at += 8 + int.from_bytes(midi[at + 4 : at + 8], "big")
        elif (at := midi.find(b"MTrk", at)) < 0:
            raise TagError("bad-envelope", "the file has no track to be marked")
    return at


def is_generated(midi: bytes) -> bool:
    """Whether either mark is there, or another's; broken files are searched too."""
    return MARK_TEXT in midi or GENERATED_CHUNK + b"\x00\x00" in midi or says_machine_made(midi)


def receipt_named(midi: bytes) -> str | None:
    """The receipt's digest that the newest text mark in a file names; None where there is none."""
    at = midi.find(MARK_TEXT)
    named = midi[at + len(MARK_TEXT) :][:64].decode("ascii", "replace") if at >= 0 else ""
    return named if is_sha256_hex(named) else None


def says_machine_made(data: bytes) -> bool:
    """Whether a file says of itself, in anybody's words for machines, that a machine made it.

    These are the IPTC's digital source types, which C2PA manifests (in MIDI a sequencer-specific
    event, FF 7F 00 43 32) and XMP use alike; they are looked for anywhere, in UTF-8 or UTF-16.

    Source: IPTC NewsCodes "Digital Source Type"; C2PA Technical Specification 2.1.
    """
    text = data.replace(b"\x00", b"").lower()
    return any(source in text for source in _MACHINE_SOURCES)
