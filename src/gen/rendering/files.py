"""Files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from gen.errors import HouseError


def write(path: Path, data: bytes) -> Path:
    """Write `data` at `path` through a neighbour that is renamed; makes the folder.

    Raises:
        HouseError: the folder cannot be made or written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise HouseError(what, where=str(path), mend="choose a folder you may write to") from error
    return path
