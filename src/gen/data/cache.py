"""What is kept between runs, authenticated: an entry that fails its check is rebuilt, not trusted.

An entry's seal (`gen.disk.seals`) covers its name too. The name of a work's events covers the
music bytes' SHA-256, what the tag says of the work, the tokenizer's fingerprint and its code. No
pickle. The gate still reads and verifies every file: the cache saves tokenising, never judging.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from gen.data.store import Rows, row_width
from gen.disk import write_atomically
from gen.disk.reading import CACHE, NamedFileError, read
from gen.disk.sealed import CACHE_VARIABLE as CACHE_VARIABLE
from gen.disk.sealed import user_folder
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.provenance.signing.code import source_digest
from gen.tokens.encoding import Annotations
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
                write_atomically(self._path(self.folder, name), seal + payload, durably=False)

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / name[:2] / name


class EventCache(SealedCache):
    """Rows by work: its events with what they echo, see `gen.data.store.rows_with_echoes`."""

    kind = "events 2"

    def rows(
        self,
        sha256: str,
        annotations: Annotations,
        fingerprint: str,
        make: Callable[[], Rows],
        fields: int = len(FIELDS),
    ) -> Rows:
        """The rows of one work: kept ones if their seal holds, else made and kept.

        Args:
            sha256: of the verified music bytes, hex.
            annotations: what the tag says of the work.
            fingerprint: of the tokenizer.
            make: tokenises the work.
            fields: of the tokenizer.

        Returns:
            (T, `row_width(fields)`).
        """
        kept = self.kept(sha256, annotations, fingerprint, fields)
        if kept is not None:
            return kept
        rows = make()
        data = np.ascontiguousarray(rows, dtype="<i2").tobytes()
        self.put(_name(sha256, annotations, fingerprint), data)
        return rows

    def kept(
        self,
        sha256: str,
        annotations: Annotations,
        fingerprint: str,
        fields: int = len(FIELDS),
    ) -> Rows | None:
        """The kept rows of one work; None where there are none whose seal holds."""
        found = self.get(_name(sha256, annotations, fingerprint))
        if found is None:
            return None
        return np.frombuffer(found, dtype="<i2").reshape(-1, row_width(fields)).astype(np.int16)


def _name(sha256: str, annotations: Annotations, fingerprint: str) -> str:
    code = source_digest("tokens")  # what an event echoes is not in the vocabulary
    return hashlib.sha256(f"{sha256}\n{annotations!r}\n{fingerprint}\n{code}".encode()).hexdigest()
