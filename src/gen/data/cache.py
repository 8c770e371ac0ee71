"""Events kept between runs, authenticated: an entry that fails its check is rebuilt, not trusted.

An entry's name and seal cover the music bytes' SHA-256, what the tag says of the work, and the
tokenizer's fingerprint. The seal is an HMAC with a secret of the user's own: whoever can write
the cache folder but not read the secret cannot bring events into a run; neither can whoever sets
its environment, for no variable says where the secret is. No pickle. The gate still reads and
verifies every file: the cache saves tokenising, never judging.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gen.provenance.files import write_atomically
from gen.tokens.events import Annotations
from gen.tokens.vocabulary import FIELDS

Events = NDArray[np.int16]

CACHE_VARIABLE = "HOUSE_CACHE"
"""Environment variable that names another cache folder; `off` keeps nothing."""

_SEAL_BYTES = 32
_SECRET_BYTES = 32
_ROW_BYTES = 2 * len(FIELDS)


class EventCache:
    """Events by work.

    Args:
        folder: where entries are; None keeps nothing.
        secret: the key of the seals.
    """

    def __init__(self, folder: Path | None, secret: bytes) -> None:
        self.folder, self.secret = folder, secret
        self.hits = self.rebuilt = 0

    @classmethod
    def of_user(cls) -> EventCache:
        """The user's own cache; its secret is made at first use. None without a secret."""
        named = os.environ.get(CACHE_VARIABLE)
        secret = b"" if named == "off" else _secret(secret_path())
        if not secret:
            return cls(None, b"")
        folder = (
            Path(named) if named else platformdirs.user_cache_path("music-house", appauthor=False)
        )
        return cls(folder / "events", secret)

    def events(
        self, sha256: str, notes: Annotations, fingerprint: str, make: Callable[[], Events]
    ) -> Events:
        """The events of one work: kept ones if their seal holds, else made and kept.

        Args:
            sha256: of the verified music bytes, hex.
            notes: what the tag says of the work.
            fingerprint: of the tokenizer.
            make: tokenises the work.
        """
        if self.folder is None:
            return make()
        name = hashlib.sha256(f"{sha256}\n{notes!r}\n{fingerprint}".encode()).hexdigest()
        path = self.folder / name[:2] / name
        kept = self._read(path, name)
        if kept is not None:
            self.hits += 1
            return kept
        self.rebuilt += 1
        events = make()
        payload = np.ascontiguousarray(events, dtype="<i2").tobytes()
        write_atomically(path, self._seal(name, payload) + payload)
        return events

    def _read(self, path: Path, name: str) -> Events | None:
        try:
            data = path.read_bytes()
        except OSError:
            return None
        seal, payload = data[:_SEAL_BYTES], data[_SEAL_BYTES:]
        sound = hmac.compare_digest(seal, self._seal(name, payload))
        if not sound or len(payload) % _ROW_BYTES:
            return None
        return np.frombuffer(payload, dtype="<i2").reshape(-1, len(FIELDS)).astype(np.int16)

    def _seal(self, name: str, payload: bytes) -> bytes:
        return hmac.new(self.secret, name.encode() + payload, hashlib.sha256).digest()


def secret_path() -> Path:
    """Where the user's secret is: in the home folder that the system, not the environment, names.

    A folder named by a variable could hold a secret somebody else knows, and entries sealed
    with it.
    """
    try:
        import pwd
    except ImportError:  # Windows: platformdirs asks the system
        return platformdirs.user_data_path("music-house", appauthor=False) / "cache-secret"
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container may run as nobody it knows
        home = os.devnull
    return Path(home) / ".config" / "music-house" / "cache-secret"


def _secret(path: Path) -> bytes:
    """The user's secret, made at first use; a damaged one is replaced, which empties the cache.

    Empty where none can be kept: then nothing else is kept either.
    """
    try:
        secret = path.read_bytes()
    except OSError:
        secret = b""
    if len(secret) == _SECRET_BYTES:
        return secret
    secret = secrets.token_bytes(_SECRET_BYTES)
    try:
        write_atomically(path, secret)
        path.chmod(0o600)
    except OSError:
        return b""
    return secret
