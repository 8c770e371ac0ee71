"""What is kept between runs, authenticated: an entry that fails its check is rebuilt, not trusted.

An entry's seal (`gen.disk.seals`) covers its name too. The name of a work's events covers the
music bytes' SHA-256, what the tag says of the work, and the tokenizer's fingerprint. No pickle. The
gate still reads and verifies every file: the cache saves tokenising, never judging.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from gen.disk import write_atomically
from gen.disk.reading import CACHE, NamedFileError, read
from gen.disk.sealed import CACHE_VARIABLE as CACHE_VARIABLE
from gen.disk.sealed import user_folder
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.tokens.encoding import Annotations
from gen.tokens.events import Events
from gen.tokens.vocabulary import FIELDS


class SealedCache:
    """Bytes by name that this user's own programs kept; what lost its seal is not there.

    Args:
        folder: where entries are; None keeps nothing.
        secret: the key of the seals.
    """

    kind: ClassVar[str]
    """What is kept and the number of its format; its first word names the folder."""

    def __init__(self, folder: Path | None, secret: bytes) -> None:
        self.folder, self.sealer = folder, Sealer(secret, self.kind)

    @classmethod
    def of_user(cls) -> Self:
        """The user's own cache; nothing is kept without a secret."""
        named = os.environ.get(CACHE_VARIABLE)
        secret = b"" if named == "off" else user_secret()
        if not secret:
            return cls(None, b"")
        return cls(user_folder(cls.kind.split()[0]), secret)

    def get(self, name: str) -> bytes | None:
        """What was put under this name; None where it is not, or its seal does not hold."""
        if self.folder is None:
            return None
        try:
            data = read(self._path(self.folder, name), CACHE)
        except NamedFileError:
            return None
        seal, payload = data[:SEAL_BYTES], data[SEAL_BYTES:]
        return payload if self.sealer.holds(seal, name.encode(), payload) else None

    def put(self, name: str, payload: bytes) -> None:
        """Keep it; a cache that cannot be written is no loss."""
        if self.folder is not None:
            with suppress(OSError):
                seal = self.sealer.seal(name.encode(), payload)
                write_atomically(self._path(self.folder, name), seal + payload)

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / name[:2] / name


class EventCache(SealedCache):
    """Events by work."""

    kind = "events 1"

    def __init__(self, folder: Path | None, secret: bytes) -> None:
        super().__init__(folder, secret)
        self.hits = self.rebuilt = 0

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
        kept = self.kept(sha256, notes, fingerprint)
        if kept is not None:
            return kept
        self.rebuilt += 1
        events = make()
        data = np.ascontiguousarray(events.array, dtype="<i2").tobytes()
        self.put(_name(sha256, notes, fingerprint), data)
        return events

    def kept(self, sha256: str, notes: Annotations, fingerprint: str) -> Events | None:
        """The kept events of one work; None where there are none whose seal holds."""
        found = self.get(_name(sha256, notes, fingerprint))
        if found is None:
            return None
        self.hits += 1
        ids = np.frombuffer(found, dtype="<i2").reshape(-1, len(FIELDS))
        return Events(ids.astype(np.int16))


def _name(sha256: str, notes: Annotations, fingerprint: str) -> str:
    return hashlib.sha256(f"{sha256}\n{notes!r}\n{fingerprint}".encode()).hexdigest()
