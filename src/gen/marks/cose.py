"""COSE signatures over claims, with a certificate and, where there is one, a time stamp.

Sources: RFC 9052, section 4.4; RFC 9360 (x5chain); C2PA Technical Specification 2.2, sections
13.2 and 15.8 (`sigTst2`: an RFC 3161 token over what would be countersigned, RFC 8152, section 4.5,
whose payload is the signature as a CBOR byte string).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gen.errors import HouseError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from gen.marks.signing import Signer

_TAG: Final = 18
_ALGORITHM, _CHAIN = 1, 33
_EDDSA: Final = -8
STAMP_ROOM: Final = 8192
"""Bytes that are kept free for a time stamp."""


class CoseError(Exception):
    """Bytes that are no signature of a claim."""


def sign1(payload: bytes, signer: Signer, stamp: Callable[[bytes], bytes] | None) -> bytes:
    """A signature over a payload that stands elsewhere, with the signer's own certificate."""
    import cbor2

    protected = cbor2.dumps({_ALGORITHM: _EDDSA, _CHAIN: signer.chain[0]})
    signature = signer.sign(_structure("Signature1", protected, payload))
    beside: dict[str, Any] = {}
    if stamp is not None:
        encoded = cbor2.dumps(signature)
        beside = _padded(stamp(_structure("CounterSignature", protected, encoded)))
    whole: bytes = cbor2.dumps(cbor2.CBORTag(_TAG, [protected, beside, None, signature]))
    return whole


def _padded(token: bytes) -> dict[str, Any]:
    """A header with a time stamp, of one length whatever that is."""
    import cbor2

    beside = {"sigTst2": {"tstTokens": [{"val": token}]}, "pad": bytes(256)}
    short = STAMP_ROOM - len(cbor2.dumps(beside))
    if short < 0:
        raise HouseError("the authority's time stamp is too long for a mark", where="stamp")
    return {**beside, "pad": bytes(256 + short)}


def _structure(context: str, protected: bytes, payload: bytes) -> bytes:
    """What a signature of a kind is over (`Sig_structure`)."""
    import cbor2

    encoded: bytes = cbor2.dumps([context, protected, b"", payload])
    return encoded


@dataclass(frozen=True, slots=True)
class CoseSign1:
    """A signature as it stands in a store.

    Attributes:
        protected: the encoded header that is signed, too.
        header, beside: what the two headers say.
        value: the signature.
    """

    protected: bytes
    header: Mapping[Any, Any]
    beside: Mapping[Any, Any]
    value: bytes

    @staticmethod
    def read(data: bytes) -> CoseSign1:
        """Read one.

        Raises:
            CoseError: it is none.
        """
        import cbor2

        try:
            tagged = cbor2.loads(data)
            protected, beside, _, value = tagged.value
            header = cbor2.loads(protected)
        except (cbor2.CBORError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise CoseError(f"no COSE signature: {error!r:.80}") from error
        are_maps = isinstance(header, Mapping) and isinstance(beside, Mapping)
        if not are_maps or not isinstance(value, bytes):
            raise CoseError("no COSE signature")
        return CoseSign1(protected, header, beside, value)

    @property
    def certificate(self) -> bytes:
        """The signer's, in DER.

        Raises:
            CoseError: it names none.
        """
        chain = next(
            (
                each[name]
                for each in (self.header, self.beside)
                for name in (_CHAIN, "x5chain")
                if name in each
            ),
            None,
        )
        first = chain[0] if isinstance(chain, (list, tuple)) and chain else chain
        if not isinstance(first, bytes):
            raise CoseError("the signature names no certificate")
        return first

    @property
    def stamp(self) -> bytes | None:
        """The token of the first time stamp, unchecked."""
        for name in ("sigTst2", "sigTst"):
            held = self.beside.get(name)
            tokens = held.get("tstTokens") if isinstance(held, Mapping) else None
            if isinstance(tokens, (list, tuple)) and tokens and isinstance(tokens[0], Mapping):
                value = tokens[0].get("val")
                return value if isinstance(value, bytes) else None
        return None

    def problems(self, payload: bytes) -> list[str]:
        """Why this is no signature over a payload by the key of its certificate; none if it is."""
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.x509 import load_der_x509_certificate

        try:
            certificate = load_der_x509_certificate(self.certificate)
            _verify(certificate, self.header.get(_ALGORITHM), self.value,
                    _structure("Signature1", self.protected, payload))  # fmt: skip
        except InvalidSignature:
            return ["the claim was changed since it was signed"]
        except (CoseError, UnsupportedAlgorithm, ValueError) as error:
            return [f"the signature cannot be checked: {error}"]
        return []


def _verify(certificate: Certificate, algorithm: object, value: bytes, message: bytes) -> None:
    """Check a signature.

    Raises:
        InvalidSignature: it is not of this key.
        CoseError: of a kind that C2PA does not have.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    key = certificate.public_key()
    sizes = {-7: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512(),
             -37: hashes.SHA256(), -38: hashes.SHA384(), -39: hashes.SHA512()}  # fmt: skip
    if algorithm == _EDDSA and isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(value, message)
    elif algorithm in (-7, -35, -36) and isinstance(key, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(sizes[algorithm]))
    elif algorithm in (-37, -38, -39) and isinstance(key, rsa.RSAPublicKey):
        size = sizes[algorithm]
        key.verify(value, message, padding.PSS(padding.MGF1(size), size.digest_size), size)
    else:
        raise CoseError(f"a kind of signature that C2PA does not have ({algorithm!r:.20})")


def signed_by(certificate: bytes, publics: dict[str, bytes]) -> str | None:
    """Which of these Ed25519 keys certified a certificate (DER); None for none.

    Args:
        certificate: of who signed a claim.
        publics: 32 bytes by name.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.x509 import load_der_x509_certificate

    found = load_der_x509_certificate(certificate)
    for name, public in publics.items():
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(
                found.signature, found.tbs_certificate_bytes
            )
        except (InvalidSignature, ValueError):
            continue
        return name
    return None


def name_on(certificate: bytes) -> str:
    """Whom a certificate (DER) names, as people read it."""
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(certificate).subject.rfc4514_string()
