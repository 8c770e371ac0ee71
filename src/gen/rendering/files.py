"""Files written whole or not at all, with a refusal in plain words where they cannot be."""

from __future__ import annotations

from pathlib import Path

from gen.disk import write_atomically
from gen.errors import HouseError


def write(path: Path, data: bytes) -> Path:
    """Write `data` at `path`, making its folder.

    Raises:
        HouseError: the folder cannot be made or written.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise HouseError(what, where=str(path), mend="choose a folder you may write to") from error
    return path
