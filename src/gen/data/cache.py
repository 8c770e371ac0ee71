"""Events kept between runs, authenticated: an entry that fails its check is rebuilt, not trusted.

An entry's name and seal (`gen.data.seals`) cover the music bytes' SHA-256, what the tag says of
the work, and the tokenizer's fingerprint. No pickle. The gate still reads and verifies every file:
the cache saves tokenising, never judging.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gen.data.seals import SEAL_BYTES, Sealer, user_secret
from gen.provenance.files import write_atomically
from gen.tokens.events import Annotations
from gen.tokens.vocabulary import FIELDS

Events = NDArray[np.int16]

CACHE_VARIABLE = "HOUSE_CACHE"
"""Environment variable that names another cache folder; `off` keeps nothing."""

_ROW_BYTES = 2 * len(FIELDS)


class EventCache:
    """Events by work.

    Args:
        folder: where entries are; None keeps nothing.
        secret: the key of the seals.
    """

    def __init__(self, folder: Path | None, secret: bytes) -> None:
        self.folder, self.sealer = folder, Sealer(secret, "events 1")
        self.hits = self.rebuilt = 0

    @classmethod
    def of_user(cls) -> EventCache:
        """The user's own cache; nothing is kept without a secret."""
        named = os.environ.get(CACHE_VARIABLE)
        secret = b"" if named == "off" else user_secret()
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
        write_atomically(path, self.sealer.seal(name.encode(), payload) + payload)
        return events

    def _read(self, path: Path, name: str) -> Events | None:
        try:
            data = path.read_bytes()
        except OSError:
            return None
        seal, payload = data[:SEAL_BYTES], data[SEAL_BYTES:]
        sound = self.sealer.holds(seal, name.encode(), payload)
        if not sound or len(payload) % _ROW_BYTES:
            return None
        return np.frombuffer(payload, dtype="<i2").reshape(-1, len(FIELDS)).astype(np.int16)
