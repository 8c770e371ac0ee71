"""Files that hold a house's watermark keys: `HOUSE.ID.watermark` in the user's key folder.

Whoever writes for a house holds the same key, a copy of the file; whoever does not can neither
write its trace nor find it. Its id, the beginning of its SHA-256, is in receipts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Literal

from gen.disk.reading import KEY_FILE, NamedFileError, read
from gen.errors import HouseError
from gen.marks.watermark import ANEW, Trace, watermark_of
from gen.provenance.signing.canonical import (
    StrictJsonError,
    canonical,
    canonical_json,
    sha256_hex,
    utc_now,
)
from gen.provenance.signing.key_files import keys_folder, write_private
from gen.provenance.signing.shapes import Shape

SUFFIX: Final = ".watermark"
_BYTES: Final = 32
_ID_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class WatermarkKey:
    """A house's watermark key; its `repr` shows no secret."""

    house: str
    made: str
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return sha256_hex(self.secret)[:_ID_DIGITS]

    def trace(self, seed: Sequence[int], kind: int) -> Trace:
        """The watermark of one piece; see `watermark_of`."""
        return Trace(watermark_of(self.secret, kind, seed), is_in_cells=kind >= ANEW)


class _KeyFile(Shape, frozen=True):
    WHAT: ClassVar[str] = "watermark key"

    format: Literal[1]
    house: str
    made: str
    secret: bytes

    def __repr__(self) -> str:
        return f"_KeyFile(house={self.house!r})"


def make_key(house: str) -> tuple[WatermarkKey, Path]:
    """A new key of a house, and its file.

    Raises:
        HouseError: the key folder cannot be written.
    """
    key = WatermarkKey(house, utc_now(), os.urandom(_BYTES))
    path = keys_folder() / f"{house}.{key.id}{SUFFIX}"
    record = _KeyFile(1, house, key.made, key.secret).to_dict()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, canonical(record) + b"\n")
    except OSError as error:
        raise HouseError(f"cannot be written ({error.strerror})", where=str(path)) from error
    return key, path


def keys_of(house: str) -> list[WatermarkKey]:
    """Keys of a house that this user has, the newest first.

    Raises:
        HouseError: a file of one is damaged.
    """
    return sorted(_read_all(house), key=lambda key: (key.made, key.id), reverse=True)


def _read_all(house: str) -> Iterator[WatermarkKey]:
    for path in sorted(keys_folder().glob(f"*{SUFFIX}")):
        try:
            found = canonical_json(read(path, KEY_FILE).rstrip(b"\n"))
            record = _KeyFile.from_dict(found)
        except (NamedFileError, StrictJsonError, json.JSONDecodeError) as error:
            what = f"the watermark key cannot be read: {error}"
            mend = "copy it again from whoever has it"
            raise HouseError(what, where=str(path), mend=mend) from error
        if record.house == house and len(record.secret) == _BYTES:
            yield WatermarkKey(house, record.made, record.secret)
