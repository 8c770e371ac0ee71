"""Finished parts of an evaluation on disk, so that what is done is never done again.

A part is kept under its name together with a key: a digest of everything it follows from
(checkpoint, works, settings, seed, code). A rerun with the same key reads it; any other key makes
it anew. A part is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gen.errors import HouseError
from gen.provenance.files import write_atomically


class Store:
    """Parts in a folder.

    Args:
        folder: made when the first part is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str, causes: Any, make: Callable[[], Any]) -> Any:
        """The part `name` that follows from `causes`: the kept one, else a new one.

        Args:
            name: path below the folder, such as `tiny/likelihood`.
            causes: plain values.
            make: returns plain values.

        Raises:
            HouseError: the folder cannot be written.
        """
        text = json.dumps(causes, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        path = self.folder / f"{name}.json"
        kept = _read(path)
        if kept.get("key") == key:
            return kept["value"]
        value = make()
        keep(path, {"key": key, "value": value})
        return value


def keep(path: Path, value: Any) -> None:
    """Write plain values as JSON, whole or not at all.

    Raises:
        HouseError: the folder cannot be written.
    """
    data = json.dumps(value, allow_nan=False).encode() + b"\n"
    try:
        write_atomically(path, data)
    except OSError as error:
        raise HouseError(
            f"cannot be written ({error.strerror})", where=str(path), mend="name another with out=…"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    """What is there; nothing where that is no part."""
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and "value" in kept else {}
