"""Ed25519 keys: who signs, and whether a signature verifies.

The files that keep people's private keys are `gen.provenance.signing.key_files`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from gen.errors import SettingError
from gen.provenance.signing.canonical import is_sha256_hex, sha256_hex, utc_now

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )


class SigningKey(Protocol):
    """What signs: a key in memory, or what its holder signed elsewhere (`SignedElsewhere`)."""

    @property
    def keyid(self) -> str: ...

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature over `message`."""
        ...

    def now(self) -> str:
        """The time by its holder's clock, as records spell it."""
        ...


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A signing key in memory. Its `repr` never shows the private half."""

    keyid: str
    public: bytes
    _key: Ed25519PrivateKey

    @staticmethod
    def generate() -> PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return PrivateKey._of(Ed25519PrivateKey.generate())

    @staticmethod
    def from_seed(seed: bytes) -> PrivateKey:
        """The key whose 32 private bytes are `seed`."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return PrivateKey._of(Ed25519PrivateKey.from_private_bytes(seed))

    @staticmethod
    def _of(key: Ed25519PrivateKey) -> PrivateKey:
        public = key.public_key().public_bytes_raw()
        return PrivateKey(key_id(public), public, key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def now(self) -> str:
        return utc_now()

    def seed(self) -> bytes:
        """The 32 private bytes, for sealing into a key file."""
        return self._key.private_bytes_raw()

    def __repr__(self) -> str:
        return f"PrivateKey(keyid={self.keyid[:12]}…)"


def key_id(public: bytes) -> str:
    """The name of a public key everywhere: SHA-256 of its 32 bytes, in hex."""
    return sha256_hex(public)


_FIELD = 2**255 - 19
_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        _OF_ORDER_8,
        _FIELD - _OF_ORDER_8,
    }
)
"""The y coordinates of the eight points whose order divides 8."""


def is_sound_public(public: bytes) -> bool:
    """Whether these 32 bytes may be somebody's public key.

    A key of small order is nobody's: one constant signature verifies under it for any message.
    A y coordinate that is not reduced would give one key several ids.

    Source: RFC 8032, section 5.1.3; Chalkias et al. 2020, "Taming the many EdDSAs", table 1.
    """
    y = int.from_bytes(public, "little") & (2**255 - 1)
    return len(public) == 32 and y < _FIELD and y not in _SMALL_ORDER


@lru_cache(maxsize=1024)
def _public_key(public: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not is_sound_public(public):
        raise ValueError("a public key of small order, or not in its one spelling")
    return Ed25519PublicKey.from_public_bytes(public)


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the 32-byte `public` key made the 64-byte `signature` over `message`."""
    from cryptography.exceptions import InvalidSignature

    try:
        _public_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def parse_public(text: str) -> bytes:
    """A public key as people pass it on: 64 hex digits.

    Raises:
        SettingError: anything else.
    """
    cleaned = text.strip().lower()
    if not is_sha256_hex(cleaned):
        raise SettingError(
            f"{text.strip()[:80]!r} is no public key",
            mend="a public key is the 64 hex digits that `house.py key` prints",
        )
    public = bytes.fromhex(cleaned)
    if not is_sound_public(public):
        raise SettingError(
            f"{cleaned} is no person's public key: anybody could sign for it",
            mend="ask for the key that `house.py key` prints on that person's own computer",
        )
    return public
