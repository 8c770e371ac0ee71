"""The tag: one `HPRV` chunk after the last track, holding the signed statement.

The signed subject is the SHA-256 of every byte before the chunk, so taking the tag off is a
truncation and the music stays exactly as it was signed. A file carries the composer's
signature from contribution on, and the curator's after it from acceptance on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gen.errors import HouseError
from gen.provenance.records.statement import Statement
from gen.provenance.signing.canonical import StrictJsonError, sha256_hex
from gen.provenance.signing.dsse import STATEMENT_TYPE, Envelope, WrongPayloadTypeError
from gen.provenance.signing.keys import SigningKey
from gen.smf import GENERATED_CHUNK, TAG_CHUNK, Chunks, RuleBroken, split_chunks


class TagError(HouseError):
    """A file whose tag is absent or wrong; `rule` is the gate's stable code."""

    def __init__(self, rule: str, what: str, *, mend: str = "") -> None:
        self.rule = rule
        super().__init__(what, mend=mend)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A file whose tag was read: layout, encoding and digest are right, signatures unjudged.

    Attributes:
        music: every byte before the tag.
        music_sha256: digest of `music`, equal to the signed subject.
        statement: what the composer states.
        envelope: payload and signatures.
        is_verified: whether the signatures were verified under the keys that they name.
    """

    music: bytes
    music_sha256: str
    statement: Statement
    envelope: Envelope
    is_verified: bool = False

    def encode(self) -> bytes:
        """The file's bytes."""
        return self.music + tag_chunk(self.envelope)

    def countersigned(self, curator: SigningKey) -> bytes:
        """The file with the composer's signature kept and `curator`'s put after it."""
        return self.music + tag_chunk(self._as_contributed().signed_by(curator))

    def uncountersigned(self) -> bytes:
        """The file with the composer's signature alone, as it was contributed."""
        return self.music + tag_chunk(self._as_contributed())

    def signed_anew(self, composer: SigningKey, house: str) -> bytes:
        """The same statement, for this house (its identity), under `composer`'s signature alone."""
        payload = replace(self.statement, house=house).payload(self.music_sha256)
        envelope = Envelope(STATEMENT_TYPE, payload, ()).signed_by(composer)
        return self.music + tag_chunk(envelope)

    def _as_contributed(self) -> Envelope:
        """The envelope under the composer's signature alone, which is the first."""
        kept = self.envelope.signatures[:1]
        return Envelope(self.envelope.payload_type, self.envelope.payload, kept)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A file's music, and the envelope of its statement that nobody has signed yet."""

    music: bytes
    envelope: Envelope

    def signed_by(self, composer: SigningKey) -> bytes:
        """The tagged file."""
        return self.music + tag_chunk(self.envelope.signed_by(composer))


def tag_chunk(envelope: Envelope) -> bytes:
    """The chunk that goes after the last track."""
    payload = envelope.encode()
    return TAG_CHUNK + len(payload).to_bytes(4, "big") + payload


def sign_contribution(midi: bytes, statement: Statement, composer: SigningKey) -> bytes:
    """Tag a strict, untagged file with its composer's signature.

    Args:
        midi: see `to_be_signed`.
        statement: likewise.
        composer: key of one of `statement.composers`.

    Returns:
        The music bytes, unchanged, followed by the tag. Pending until a curator accepts it.
    """
    return to_be_signed(midi, statement).signed_by(composer)


def to_be_signed(midi: bytes, statement: Statement) -> Unsigned:
    """What the composer of a strict, untagged file has to sign.

    Args:
        midi: the normalised file; chunk layout is checked here, events are not.
        statement: its `musical_hash` and `work` must be this file's.

    Raises:
        TagError: the file already carries chunks after its last track.
        RuleBroken: the chunk layout is broken.
    """
    chunks = split_chunks(midi)
    if chunks.trailing:
        kind = chunks.trailing[0].kind.decode("ascii", "replace")
        raise TagError(
            "already-tagged" if kind == "HPRV" else "foreign-chunk",
            f"a {kind!r} chunk already follows the last track",
            mend="contribute the file as the sequencer exported it",
        )
    payload = statement.stamped().payload(sha256_hex(chunks.music))
    return Unsigned(chunks.music, Envelope(STATEMENT_TYPE, payload, ()))


def read_tag(data: bytes) -> Tagged:
    """Read a tagged file strictly; signatures are the caller's to judge.

    Raises:
        TagError: untagged, two tags, foreign chunks, an envelope that is not canonical,
            another payload type, a statement about other bytes.
        RuleBroken: header or track chunks are not a strict Standard MIDI File's.
    """
    try:
        chunks = split_chunks(data)
    except RuleBroken as error:
        if error.rule == "trailing-bytes":
            raise TagError("trailing-bytes", error.found) from error
        raise
    payload = _only_tag(chunks)
    try:
        envelope = Envelope.decode(payload)
        statement, signed_sha256 = Statement.from_payload(envelope.content())
    except WrongPayloadTypeError as error:
        raise TagError("wrong-payload-type", error.what) from error
    except StrictJsonError as error:
        raise TagError("bad-envelope", error.what) from error
    music_sha256 = sha256_hex(chunks.music)
    if music_sha256 != signed_sha256:
        raise TagError(
            "digest-mismatch",
            f"the tag of {statement.work} speaks about {signed_sha256[:12]}…, "
            f"these music bytes are {music_sha256[:12]}…",
        )
    return Tagged(chunks.music, music_sha256, statement, envelope)


def _only_tag(chunks: Chunks) -> bytes:
    kinds = [chunk.kind for chunk in chunks.trailing]
    if GENERATED_CHUNK in kinds:
        raise TagError("generated", "the file carries the mark of a generated piece")
    if kinds.count(TAG_CHUNK) > 1:
        raise TagError("two-tags", f"{kinds.count(TAG_CHUNK)} house tags follow the last track")
    foreign = [kind.decode("ascii", "replace") for kind in kinds if kind != TAG_CHUNK]
    if foreign:
        raise TagError("foreign-chunk", f"chunks of type {foreign} follow the last track")
    if not kinds:
        raise TagError("untagged", "the file has no house tag")
    return chunks.trailing[0].payload
