"""Seals: what this user's own programs wrote, told from what anybody else may have laid there.

A seal is an HMAC-SHA-256 with a secret of the user's own, kept in their home folder. The event
cache and the file that a run is resumed from are sealed: both are read back into training, and
whoever can write them but not read the secret cannot bring anything into a run. No setting and
no variable says where the secret is; else whoever sets them could bring a secret of their own.

To carry sealed files to another machine or user, copy the secret itself (`secret_path`) as one
copies a private key: whoever holds it is believed. On a cluster whose machines share the home
folder there is nothing to do.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import platformdirs

from gen.disk.locking import locked
from gen.disk.reading import SECRET, read
from gen.errors import HouseError

SEAL_BYTES = 32
_SECRET_BYTES = 32


class Sealer:
    """Makes and checks seals of one kind of content.

    Args:
        secret: the key.
        kind: what is sealed; a seal for one kind is none for another.
    """

    def __init__(self, secret: bytes, kind: str) -> None:
        self._secret, self._kind = secret, kind

    def seal(self, *parts: bytes | memoryview) -> bytes:
        """The seal of the parts in a row, `SEAL_BYTES` long. Only the last may vary in length."""
        mac = hmac.new(self._secret, self._kind.encode() + b"\n", hashlib.sha256)
        for part in parts:
            mac.update(part)
        return mac.digest()

    def holds(self, seal: bytes | memoryview, *parts: bytes | memoryview) -> bool:
        return hmac.compare_digest(seal, self.seal(*parts))


def secret_path() -> Path:
    """Where the secret is: in the home folder that the system, not the environment, names."""
    try:
        import pwd
    except ImportError:  # Windows: platformdirs asks the system
        return platformdirs.user_data_path("music-house", appauthor=False) / "secret"
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container may run as nobody it knows
        home = os.devnull
    return Path(home) / ".config" / "music-house" / "secret"


def user_secret() -> bytes:
    """The user's secret, made at first use; empty where none can be kept.

    A damaged one is replaced, and what it sealed is believed no more.
    """
    path = secret_path()
    if secret := _kept(path):
        return secret
    try:
        return _made(path)
    except (OSError, HouseError):
        return b""


def _kept(path: Path) -> bytes:
    try:
        secret = read(path, SECRET)
    except HouseError:
        return b""
    return secret if len(secret) == _SECRET_BYTES else b""


def _made(path: Path) -> bytes:
    """One secret, whoever of several processes comes first."""
    with locked(path.with_name(f".{path.name}.lock")):
        if secret := _kept(path):
            return secret
        secret = secrets.token_bytes(_SECRET_BYTES)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
    return secret
