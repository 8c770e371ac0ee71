"""A piece by bar and track: its cells, what they hold down, and excerpts of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gen.sampling.drafting.state import Held, PatternNote, duration_of
from gen.sampling.planning.plan import Row, row_of, steps_of
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

Place = tuple[int, int]
"""Bar and slot of a cell, both counted from 0."""

_BEFORE_CELLS = (Kind.BAR, Kind.SECTION, Kind.TEMPO, Kind.CHORD)


@dataclass(frozen=True, slots=True)
class CellTable:
    """The events of a piece by bar and track.

    Attributes:
        header: up to the first bar.
        bars: each bar's BAR and what follows it before the first cell.
        cells: CELL and what follows it, of each that there is.
    """

    header: list[Row]
    bars: list[list[Row]]
    cells: dict[Place, list[Row]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> CellTable:
        begins = [i for i, row in enumerate(rows) if row[v.KIND] == Kind.BAR]
        table = cls(list(rows[: begins[0]]), [], {})
        for bar, (begin, end) in enumerate(zip(begins, [*begins[1:], len(rows)], strict=True)):
            cells = cells_of(rows[begin:end])
            table.bars.append([row for row in rows[begin:end] if row[v.KIND] in _BEFORE_CELLS])
            table.cells.update({(bar, slot): cell for slot, cell in cells.items()})
        return table

    def without(self, places: Iterable[Place]) -> CellTable:
        """The same with nothing in some cells."""
        gone = set(places)
        kept = {place: cell for place, cell in self.cells.items() if place not in gone}
        return CellTable(self.header, self.bars, kept)

    def sounds(self, place: Place) -> bool:
        """Whether a cell has notes."""
        return any(row[v.KIND] == Kind.NOTE for row in self.cells.get(place, ()))

    def bar_starts(self) -> NDArray[np.int64]:
        """First grid step of each bar, and of the one that would follow. (bars + 1,)."""
        return np.cumsum([0, *(steps_of(rows[0][v.VALUE]) for rows in self.bars)])

    @property
    def tracks(self) -> list[Row]:
        """The TRACK row of each."""
        return [row for row in self.header if row[v.KIND] == Kind.TRACK]

    def chords(self) -> list[tuple[int, int]]:
        """Grid step and value id of each chord, ascending."""
        return [
            (int(start) + WORDS.position.number(row[v.POSITION]), row[v.VALUE])
            for start, rows in zip(self.bar_starts(), self.bars, strict=False)
            for row in rows
            if row[v.KIND] == Kind.CHORD
        ]

    def held(self) -> list[list[Held]]:
        """What each track holds down, for how long."""
        starts, found = self.bar_starts(), [list[Held]() for _ in self.tracks]
        for (bar, slot), rows in self.cells.items():
            found[slot] += held_by(rows, int(starts[bar]))
        return found

    def excerpt(self, first: int, end: int, holes: Iterable[Place] = ()) -> list[Row]:
        """Header and bars `first` to before `end`, with HOLEs in place of some cells.

        The section and tempo in force are repeated where the first bar does not begin with them.
        """
        return [*self.header, *self.music(first, end, holes, repeats=True)]

    def music(
        self, first: int, end: int, holes: Iterable[Place] = (), *, repeats: bool = False
    ) -> Iterator[Row]:
        """The same without the header, and with what is in force repeated only if asked."""
        holes = set(holes)
        for bar in range(first, end):
            yield from self._repeating(bar) if repeats and bar == first else self.bars[bar]
            for slot in range(v.MAX_TRACKS):
                if (bar, slot) in holes:
                    yield row_of(Kind.HOLE, WORDS.slot.id(slot))
                else:
                    yield from self.cells.get((bar, slot), [])

    def _repeating(self, bar: int) -> list[Row]:
        """What stands before the cells of a bar, with the section and tempo in force."""
        found, rows = self.bars[bar][:1], self.bars[bar][1:]
        for kind, position in ((Kind.SECTION, 0), (Kind.TEMPO, WORDS.position.id(0))):
            if rows and rows[0][: v.VALUE] == [kind, position]:
                found.append(rows[0])
                rows = rows[1:]
                continue
            earlier = [r for before in self.bars[:bar] for r in before if r[v.KIND] == kind]
            found += [[kind, position, *row[v.VALUE :]] for row in earlier[-1:]]
        return found + rows


def cells_of(bar: Sequence[Row]) -> dict[int, list[Row]]:
    """The cells of one bar: a slot, and its CELL with the PEDALs and NOTEs that follow."""
    found: dict[int, list[Row]] = {}
    cell: list[Row] = []
    for row in bar:
        if row[v.KIND] == Kind.CELL:
            cell = found.setdefault(WORDS.slot.number(row[v.VALUE]), [])
        if found:
            cell.append(row)
    return found


def pattern_of(cell: Iterable[Row], *, contour: bool) -> tuple[PatternNote, ...]:
    """The notes of a cell but for their pitches; with the contour, which way these go."""
    found: list[PatternNote] = []
    before: Row | None = None
    for row in cell:
        if row[v.KIND] != Kind.NOTE:
            continue
        is_step = contour and before is not None and before[v.POSITION] < row[v.POSITION]
        way = int(np.sign(row[v.VALUE] - before[v.VALUE])) if before and is_step else None
        timed = tuple(row[len(v.FIELDS) :])
        found.append(PatternNote(row[v.POSITION], row[v.EXTENT], row[v.LEVEL], way, timed))
        before = row
    return tuple(found)


def held_by(cell: Iterable[Row], bar_start: int) -> list[Held]:
    """What the rows of a cell hold down, for how long."""
    found = []
    for row in cell:
        if row[v.KIND] in (Kind.NOTE, Kind.PEDAL):
            begin = bar_start + WORDS.position.number(row[v.POSITION])
            found.append((begin, begin + duration_of(row), row[v.VALUE]))
    return found
