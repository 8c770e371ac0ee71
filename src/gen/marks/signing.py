"""Who signs credentials: a key that does nothing else, and the certificates for it.

C2PA wants X.509. A producer's house key certifies, once, a key for marks, which is kept open in
the user's key folder (`HOUSE.KEYID.marks`, PEM: private key, its certificate, the certificate of
the house key). So whoever knows the house's roster knows whether a mark is the house's; and a
validator that is given the producer's certificate as a trust anchor says so, too. Where no
producer's key is at hand, a mark is signed for this computer alone: nobody's word, but a mark.

Sources: C2PA Technical Specification 2.2, sections 13.2 and 14.5 (EdDSA; extended key usage
claim signing, not self-signed).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gen.provenance.signing.key_files import keys_folder, write_private
from gen.provenance.signing.keys import PrivateKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509 import Certificate

SUFFIX: Final = ".marks"
CLAIM_SIGNING: Final = "1.3.6.1.4.1.62558.2.1"
"""Extended key usage of who signs C2PA claims; beside it stands that of e-mail, which older
validators ask for."""
_YEARS: Final = 10
_NOBODY: Final = "this computer"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs claims.

    Attributes:
        chain: certificates in DER: of the key, then of who certified it.
        house: for which house; "" for none.
    """

    key: Ed25519PrivateKey
    chain: tuple[bytes, ...]
    house: str

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def signer_for(house: str, key: PrivateKey | None) -> Signer:
    """The signer of a producer, made where there is none yet; without a key, this computer's.

    Args:
        house: the name of the house.
        key: a producer's.
    """
    name = f"{house}.{key.keyid[:16]}" if key else "this-computer"
    path = keys_folder() / f"{name}{SUFFIX}"
    found = _read(path)
    if found is not None and not _is_ending(found):
        return found
    made, pem = _made(house if key else "", key or PrivateKey.generate())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, pem)
    except OSError:
        return made  # a mark that is signed once is better than none
    return _read(path) or made


def signer_with(certificate: bytes) -> Signer | None:
    """The signer of this user whose key has this certificate (DER)."""
    return next((s for s in all_signers() if s.chain[0] == certificate), None)


def all_signers() -> Iterator[Signer]:
    """Every signer in the user's key folder."""
    for path in sorted(keys_folder().glob(f"*{SUFFIX}")):
        if (found := _read(path)) is not None:
            yield found


def as_pem(certificate: bytes) -> bytes:
    """A certificate in DER as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


def _is_ending(signer: Signer) -> bool:
    from cryptography.x509 import load_der_x509_certificate

    until = load_der_x509_certificate(signer.chain[0]).not_valid_after_utc
    return until < datetime.now(UTC) + timedelta(days=30)


def _read(path: Path) -> Signer | None:
    """None where there is none, or one that is damaged or that others can read."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates
    from cryptography.x509.oid import NameOID

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            return None
        pem = path.read_bytes()
        key, certificates = load_pem_private_key(pem, None), load_pem_x509_certificates(pem)
    except (OSError, ValueError):
        return None
    if not isinstance(key, Ed25519PrivateKey) or len(certificates) != 2:
        return None
    names = certificates[0].subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    house = str(names[0].value) if names else ""
    chain = tuple(each.public_bytes(Encoding.DER) for each in certificates)
    return Signer(key, chain, "" if house == _NOBODY else house)


def _made(house: str, key: PrivateKey) -> tuple[Signer, bytes]:
    """A new signer that `key` certifies, and its file."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    above, own = Ed25519PrivateKey.from_private_bytes(key.seed()), Ed25519PrivateKey.generate()
    root = _certificate(house or _NOBODY, above, above)
    leaf = _certificate(house or _NOBODY, above, own)
    chain = leaf.public_bytes(Encoding.DER), root.public_bytes(Encoding.DER)
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)
    return Signer(own, chain, house), pem


def _certificate(house: str, above: Ed25519PrivateKey, own: Ed25519PrivateKey) -> Certificate:
    """Of `own`, by `above`; with both the same, of a root."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

    is_root = own is above
    names = [
        x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, house[:64]),
                x509.NameAttribute(NameOID.COMMON_NAME, what),
            ]
        )
        for what in ("House root of marks", "Marks on machine-generated music")
    ]
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    usage = x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False)
    public = above.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[0 if is_root else 1])
        .issuer_name(names[0])
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage(
            [ObjectIdentifier(CLAIM_SIGNING), ExtendedKeyUsageOID.EMAIL_PROTECTION]
        )
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(above, None)
