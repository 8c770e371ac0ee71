"""What a user's own commands keep for the next one: sealed, and no loss when it is gone."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gen.disk.reading import KEPT, NamedFileError, read
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.disk.writing import write_atomically

CACHE_VARIABLE = "HOUSE_CACHE"
"""Environment variable that names another cache folder; `off` keeps nothing."""


def user_folder(name: str) -> Path:
    """A folder of this user's own for what is kept and may be removed at any time.

    Where nothing is to be kept it is one that cannot be.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return (Path(os.devnull) if named == "off" else Path(named)) / name
    import platformdirs

    return platformdirs.user_cache_path("music-house", appauthor=False) / name


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One such file: a seal, then what is kept.

    Attributes:
        path: where.
        kind: what is kept and which code wrote it; what was sealed as another kind is not read.
    """

    path: Path
    kind: str

    def read(self) -> memoryview | None:
        """What was written; None where nothing is, or it is not this user's own."""
        try:
            found = memoryview(read(self.path, KEPT))
        except NamedFileError:
            return None
        sealer, data = sealer_of_user(self.kind), found[SEAL_BYTES:]
        return data if sealer and sealer.holds(found[:SEAL_BYTES], data) else None

    def write(self, data: bytes) -> None:
        """Keep this in place of what is there; nothing where this user can keep no secret."""
        sealer = sealer_of_user(self.kind)
        if sealer is not None:
            with suppress(OSError):
                write_atomically(self.path, sealer.seal(data) + data)


def sealer_of_user(kind: str) -> Sealer | None:
    """Seals by this user's own secret; None where they can keep none."""
    secret = user_secret()
    return Sealer(secret, kind) if secret else None
