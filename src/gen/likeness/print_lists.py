"""Lists of prints, as rights-holders make and send them: JSON, described in docs/letter.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gen.disk.reading import FINGERPRINTS, read
from gen.errors import HouseError
from gen.likeness.prints import KINDS, PrintLine

FORMAT: Final = 2
"""Of lists that are made now; of format 1, which has no line of beats, lists are read, too."""
MOST_WORKS: Final = 10_000
_HEX_DIGITS: Final = 16


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    bars: list[int]
    hashes: str
    kind: str
    part: int


class _Work(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    lines: list[_Line]
    notes: int


class _Unread(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    reason: str


class _List(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    holder: str
    unread: list[_Unread]
    works: list[_Work]


@dataclass(frozen=True, slots=True)
class ListedWork:
    """A piece of a list.

    Attributes:
        name: as the rights-holder calls it.
        notes: how many it has, drums left out.
        lines: its prints.
    """

    name: str
    notes: int
    lines: tuple[PrintLine, ...]

    @property
    def prints(self) -> int:
        """How many different ones it has."""
        return len(np.unique(np.concatenate([line.prints for line in self.lines])))


@dataclass(frozen=True, slots=True)
class PrintList:
    """What a rights-holder asks about.

    Attributes:
        holder: who asks.
        works: pieces with prints.
        unread: name and reason of files that have none.
        format: that it is written in.
    """

    holder: str
    works: tuple[ListedWork, ...]
    unread: tuple[tuple[str, str], ...] = ()
    format: int = FORMAT

    def encode(self) -> bytes:
        """The file's bytes, the same as `scripts/fingerprint_alone.py` writes."""
        said = {
            "format": self.format,
            "holder": self.holder,
            "unread": [{"name": name, "reason": reason} for name, reason in self.unread],
            "works": [
                {"lines": [x.to_dict() for x in w.lines], "name": w.name, "notes": w.notes}
                for w in self.works
            ],
        }
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode("utf-8") + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of `encode`, hex: what an answer names."""
        return sha256(self.encode()).hexdigest()

    @staticmethod
    def decode(data: bytes) -> PrintList:
        """Read what `encode` wrote.

        Raises:
            HouseError: anything else.
        """
        try:
            found = msgspec.json.decode(data, type=_List)
            if not 1 <= found.format <= FORMAT:
                raise ValueError(f"it is of format {found.format}, not {FORMAT}")
            if len(found.works) > MOST_WORKS:
                raise ValueError(f"it holds more than {MOST_WORKS} pieces")
            works = tuple(ListedWork(w.name, w.notes, _lines(w)) for w in found.works)
            unread = tuple((each.name, each.reason) for each in found.unread)
            return PrintList(found.holder, works, unread, found.format)
        except (ValueError, OverflowError) as error:
            raise HouseError(
                f"no list of prints: {error}",
                mend="ask for one that fingerprint_alone.py wrote (docs/letter.md)",
            ) from error


def _lines(work: _Work) -> tuple[PrintLine, ...]:
    if not work.lines:
        raise ValueError(f"{work.name!r:.60} has no line")
    return tuple(map(_line, work.lines))


def _line(said: _Line) -> PrintLine:
    raw = bytes.fromhex(said.hashes)
    is_whole = raw and len(said.hashes) == _HEX_DIGITS * len(said.bars)
    if not is_whole or said.kind not in KINDS or said.part < 0 or min(said.bars) < 1:
        raise ValueError("a line's hashes and bars do not belong together")
    prints = np.frombuffer(raw, ">u8").astype(np.uint64)
    return PrintLine(said.part, said.kind, prints, np.array(said.bars, dtype=np.int32))


def read_print_list(path: Path) -> tuple[PrintList, str]:
    """A rights-holder's list, and the SHA-256 of its file.

    Raises:
        HouseError: it cannot be read, or is none; names the file.
    """
    data = read(path, FINGERPRINTS)
    try:
        return PrintList.decode(data), sha256(data).hexdigest()
    except HouseError as error:
        raise HouseError(error.what, where=str(path), mend=error.mend) from error


def listed(works: Sequence[ListedWork]) -> list[dict[str, Any]]:
    """What an answer repeats of a list: names and sizes."""
    return [{"name": w.name, "notes": w.notes, "prints": w.prints} for w in works]
