"""Answers kept until their work is contributed: nobody types them twice.

A draft lies in the user's own state folder, one small JSON file for each piece of music and
house. One that cannot be read or written is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from gen.contribution.facts import Facts
from gen.disk.reading import FileKind, NamedFileError, read_json
from gen.disk.writing import write_atomically

_MAX_BYTES = 256 * 1024


class Drafts:
    """The drafts of one house's composer.

    Args:
        house: the house's name.
        folder: another folder than the user's own.
    """

    def __init__(self, house: str, folder: Path | None = None) -> None:
        self.house = house
        self.folder = folder or _default_folder()

    def read(self, music: bytes) -> Facts | None:
        """What was answered about this music; None where nothing was."""
        path = self._path(music)
        try:
            found = read_json(path, FileKind("kept answers", _MAX_BYTES))
        except NamedFileError:
            return None
        names = {field.name for field in fields(Facts)}
        is_whole = isinstance(found, dict) and all(isinstance(v, str) for v in found.values())
        return Facts(**found) if is_whole and found.keys() <= names else None

    def keep(self, music: bytes, facts: Facts) -> None:
        """Keep the answers until `forget`."""
        path = self._path(music)
        text = json.dumps(facts.to_dict(), ensure_ascii=False)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, text.encode("utf-8"))

    def forget(self, music: bytes) -> None:
        """Drop them: the work is contributed."""
        with suppress(OSError):
            self._path(music).unlink(missing_ok=True)

    def _path(self, music: bytes) -> Path:
        return self.folder / f"{self.house}.{hashlib.sha256(music).hexdigest()[:32]}.json"


def _default_folder() -> Path:
    import platformdirs

    return platformdirs.user_state_path("music-house", appauthor=False) / "drafts"
