"""Signed envelopes: DSSE v1 with Ed25519 keys.

Source: https://github.com/secure-systems-lab/dsse (protocol.md, envelope.md). The payload type
is signed together with the payload, so a signature made for one kind of record cannot be
replayed as another.
"""

from __future__ import annotations

from typing import Any, ClassVar

from gen.errors import HouseError
from gen.provenance.signing.canonical import StrictJsonError, canonical, canonical_json
from gen.provenance.signing.keys import SigningKey, verify
from gen.provenance.signing.shapes import Shape

STATEMENT_TYPE = "application/vnd.in-toto+json"
"""Payload type of a work's tag: an in-toto Statement."""


class WrongPayloadTypeError(HouseError):
    """An envelope that was signed to mean something else."""


class Signature(Shape, frozen=True, rename={"value": "sig"}):
    """One signature; `keyid` is the SHA-256 of the public key that should verify it."""

    WHAT: ClassVar[str] = "signature"

    keyid: str
    value: bytes


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: the bytes that are signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, key: SigningKey) -> Signature:
    """Sign `payload` as a record of this type."""
    return Signature(key.keyid, key.sign(pre_authentication(payload_type, payload)))


def is_signed_by(signature: Signature, public: bytes, payload_type: str, payload: bytes) -> bool:
    """Whether `public` (32 bytes) made `signature` over this payload and type."""
    return verify(public, signature.value, pre_authentication(payload_type, payload))


class Envelope(Shape, frozen=True, rename={"payload_type": "payloadType"}):
    """A payload, what it means, and who signed it, in signing order."""

    WHAT: ClassVar[str] = "envelope"

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def signed_by(self, key: SigningKey) -> Envelope:
        """The same payload with one more signature at the end."""
        added = sign(self.payload_type, self.payload, key)
        return Envelope(self.payload_type, self.payload, (*self.signatures, added))

    def encode(self) -> bytes:
        return canonical(self.to_dict())

    @staticmethod
    def decode(data: bytes, payload_type: str = STATEMENT_TYPE) -> Envelope:
        """The envelope in `data`, strictly.

        Raises:
            StrictJsonError: any byte differs from what `encode` would write.
            WrongPayloadTypeError: signed as another kind of record than `payload_type`.
        """
        found = Envelope.from_dict(canonical_json(data))
        if found.payload_type != payload_type:
            raise WrongPayloadTypeError(
                f"the payload type is {found.payload_type!r:.80}, not {payload_type!r}"
            )
        if not found.signatures:
            raise StrictJsonError("the envelope carries no signature")
        return found

    def content(self) -> Any:
        """The payload decoded; it must be canonical too.

        Raises:
            StrictJsonError: the payload is not canonical JSON.
        """
        return canonical_json(self.payload)
