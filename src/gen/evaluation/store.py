"""Finished parts of an evaluation on disk, so that what is done is never done again.

A part is kept under its name together with a key, a digest of everything it follows from
(checkpoint, works, settings, seed, code), and a seal over key and value with the user's own secret
(`disk.seals`). A rerun with the same key reads it where the seal holds; any other part is measured
anew: figures that somebody edited are nobody's measurement. A part is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gen.disk import write_atomically
from gen.disk.reading import CACHE, NamedFileError, read_json
from gen.disk.seals import Sealer, user_secret
from gen.errors import HouseError

logger = logging.getLogger(__name__)


class PartStore:
    """Parts in a folder.

    Args:
        folder: made when the first part is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        secret = user_secret()
        self._sealer = Sealer(secret, "evaluation part 1") if secret else None

    def get(self, name: str, causes: Any, make: Callable[[], Any]) -> Any:
        """The part `name` that follows from `causes`: the kept one, else a new one.

        A kept one whose seal does not hold is measured anew, which is said on stderr. Where the
        user can keep no secret, nothing kept is believed.

        Args:
            name: path below the folder, such as `tiny/likelihood`.
            causes: plain values.
            make: returns plain values.

        Raises:
            HouseError: the folder cannot be written.
        """
        key = hashlib.sha256(_text(causes)).hexdigest()
        path = self.folder / f"{name}.json"
        kept = _read(path)
        if kept.get("key") == key:
            if self._holds(kept):
                return kept["value"]
            logger.warning("%s: not as this user's evaluation wrote it; measured again", path)
        value = make()
        keep(path, {"key": key, "value": value, "seal": self._seal(key, value)})
        return value

    def _seal(self, key: str, value: Any) -> str:
        return self._sealer.seal(key.encode(), _text(value)).hex() if self._sealer else ""

    def _holds(self, kept: dict[str, Any]) -> bool:
        """Whether the seal is that of this key and value."""
        try:
            seal = bytes.fromhex(kept["seal"])
        except (KeyError, TypeError, ValueError):
            return False
        return self._sealer is not None and self._sealer.holds(
            seal, kept["key"].encode(), _text(kept["value"])
        )


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


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _read(path: Path) -> dict[str, Any]:
    """What is there; nothing where that is no part."""
    try:
        kept = read_json(path, CACHE)
    except NamedFileError:
        return {}
    return kept if isinstance(kept, dict) and "value" in kept else {}
