"""Works on disk while a run lasts: memory holds what is being read, however many there are."""

from __future__ import annotations

import copy
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from gen.data.styles import place_of_style, with_style
from gen.data.windows import TokenisedWork
from gen.tokens.echo import ECHO_COLUMNS, echoes
from gen.tokens.events import Events
from gen.tokens.vocabulary import FIELDS

Rows = NDArray[np.int16]
Work_co = TypeVar("Work_co", covariant=True)


def row_width(fields: int) -> int:
    """Numbers in a row of so many fields, with what it echoes."""
    return fields + len(ECHO_COLUMNS)


def rows_with_echoes(events: Events) -> Rows:
    """A work's events with what they echo, (T, `row_width`)."""
    return np.concatenate([events.array, echoes(events)], axis=1)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Rows of one work in the file, and the style that its header tells."""

    first: int
    stop: int
    style: int | None = None


class RowStore(Sequence[Work_co]):
    """Works by index, read from a nameless temporary file that nobody else can open.

    What is in it was admitted and tokenised by this very process, so there is nothing to check when
    it is read.

    Used as a context manager it is filled; afterwards it is read.

    Args:
        width: numbers in a row.
        folder: where the file is, if one can be made there; else the system's temporary folder.
    """

    def __init__(self, width: int, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._rows: NDArray[np.int16] = np.zeros((0, width), dtype=np.int16)
        self._entries: list[_Entry] = []

    def __enter__(self) -> Self:
        try:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder)
        except OSError:
            self._file = tempfile.TemporaryFile()
        return self

    def __exit__(self, *_: object) -> None:
        with cast(IO[bytes], self._file) as file:  # what is mapped stays after the file is closed
            file.flush()
            if self._entries:
                shape = (self._entries[-1].stop, self._rows.shape[1])
                self._rows = np.memmap(file, np.int16, "r", shape=shape)

    def append(self, rows: Rows) -> None:
        """Add a work's rows while the store is being filled."""
        first = self._entries[-1].stop if self._entries else 0
        cast(IO[bytes], self._file).write(np.ascontiguousarray(rows, dtype=np.int16).tobytes())
        self._entries.append(_Entry(first, first + len(rows)))

    def chosen(self, indices: Iterable[int]) -> Self:
        """Some of the works, in this order."""
        result = copy.copy(self)
        result._entries = [self._entries[index] for index in indices]
        return result

    @property
    def lengths(self) -> list[int]:
        """Rows of each work."""
        return [e.stop - e.first + (e.style is not None) for e in self._entries]

    def __len__(self) -> int:
        return len(self._entries)

    @abstractmethod
    def __getitem__(self, index: int) -> Work_co:  # type: ignore[override]
        """A work, read from the file."""

    def __iter__(self) -> Iterator[Work_co]:
        return (self[index] for index in range(len(self)))


class EventStore(RowStore[TokenisedWork]):
    """Works as the house's events: rows are fields and echoes, see `rows_with_echoes`.

    Args:
        folder: see `RowStore`.
        fields: how many a row has.
    """

    def __init__(self, folder: Path | None = None, fields: int = len(FIELDS)) -> None:
        super().__init__(row_width(fields), folder)
        self.fields = fields

    def chosen(self, indices: Iterable[int], styles: Iterable[int | None] | None = None) -> Self:
        """Some of the works, in this order, with these styles in their headers."""
        result = super().chosen(indices)
        if styles is not None:
            pairs = zip(result._entries, styles, strict=True)
            result._entries = [replace(entry, style=style) for entry, style in pairs]
        return result

    def all_events(self) -> Iterator[Events]:
        """The events of each work on the grid, as they were stored: without a style."""
        for entry in self._entries:
            yield Events(np.asarray(self._rows[entry.first : entry.stop, : len(FIELDS)]))

    def __getitem__(self, index: int) -> TokenisedWork:  # type: ignore[override]
        entry = self._entries[index]
        rows = self._rows[entry.first : entry.stop]
        events = Events(np.asarray(rows[:, : self.fields]))
        echo = np.asarray(rows[:, self.fields :])
        if entry.style is not None:
            echo = np.insert(echo, place_of_style(events), echo[0], axis=0)  # nothing to echo yet
            events = with_style(events, entry.style)
        return TokenisedWork.of(events, echo)
