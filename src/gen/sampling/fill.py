"""Cells left out of a piece, filled in given all the others.

A *cell* is what one track plays in one bar. Those to be written are *holes*: in the bars that
the model is shown a HOLE stands for each, and one FILL after another, in the order of the holes,
takes what it writes. A piece longer than the model's context is shown stretch by stretch: the
bars around the next hole, with what has been filled in by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.sampling import view
from gen.sampling.grammar import Walk
from gen.sampling.masks import Mask, span
from gen.sampling.plan import Plan, steps_of
from gen.sampling.view import Row
from gen.tokens import vocabulary as v
from gen.tokens.events import section_id
from gen.tokens.vocabulary import FIRST, Kind

Place = tuple[int, int]
"""Bar and slot of a cell, both counted from 0."""

Held = tuple[int, int, int]
"""First step, step after the last, and value id of a note that is there; 0 for a pedal."""


@dataclass(frozen=True, slots=True, order=True)
class Hole:
    """A cell to be written.

    Attributes:
        bar: counted from 0.
        slot: of the track, counted from 0.
        sounds: whether it has to hold a note, if there is room for one.
        density: value id in the extent field, 0 where it is not told.
    """

    bar: int
    slot: int
    sounds: bool = False
    density: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece of events, taken apart.

    Attributes:
        header: up to the first bar.
        bars: each bar's BAR and the plan that follows it.
        cells: CELL and what follows it, of each that there is.
    """

    header: list[Row]
    bars: list[list[Row]]
    cells: dict[Place, list[Row]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Sheet:
        begins = [i for i, row in enumerate(rows) if row[v.KIND] == Kind.BAR]
        sheet = cls(list(rows[: begins[0]]), [], {})
        for bar, (begin, end) in enumerate(zip(begins, [*begins[1:], len(rows)], strict=True)):
            cells = view.cells(rows[begin:end])
            sheet.bars.append([row for row in rows[begin:end] if row[v.KIND] in _PLAN])
            sheet.cells.update({(bar, slot): cell for slot, cell in cells.items()})
        return sheet

    def stretch(self, first: int, end: int, holes: Iterable[Place] = ()) -> list[Row]:
        """Header and bars `first` to before `end`, with HOLEs in place of some cells.

        The section and tempo in force are told again where the first bar does not tell them.
        """
        return [*self.header, *self.music(first, end, holes, told_again=True)]

    def music(
        self, first: int, end: int, holes: Iterable[Place] = (), *, told_again: bool = False
    ) -> Iterator[Row]:
        """The same without the header, and with what is in force told again if asked."""
        holes = set(holes)
        for bar in range(first, end):
            yield from self._plan(bar, told_again=told_again and bar == first)
            for slot in range(v.MAX_TRACKS):
                if (bar, slot) in holes:
                    yield [int(Kind.HOLE), 0, FIRST["slot"] + slot, 0, 0]
                else:
                    yield from self.cells.get((bar, slot), [])

    def _plan(self, bar: int, *, told_again: bool) -> list[Row]:
        rows = self.bars[bar]
        if not told_again:
            return rows
        told, rows = rows[:1], rows[1:]
        for kind, position in ((Kind.SECTION, 0), (Kind.TEMPO, FIRST["position"])):
            if rows and rows[0][: v.VALUE] == [kind, position]:
                told.append(rows[0])
                rows = rows[1:]
                continue
            earlier = [r for plan in self.bars[:bar] for r in plan if r[v.KIND] == kind]
            told += [[kind, position, *row[v.VALUE :]] for row in earlier[-1:]]
        return told + rows


_PLAN = (Kind.BAR, Kind.SECTION, Kind.TEMPO, Kind.CHORD)
_AFTER_A_CELL = [kind for kind in Kind if kind not in (Kind.NOTE, Kind.PEDAL)]


class FillWalk(Walk):
    """The state of a piece whose holes are being filled.

    Args:
        plan: with the number of bars; no header is needed.
        sheet: the piece; it holds nothing in the holes.
        holes: what is to be written.
        held: of each track, the notes and pedals that stay, on the grid; further tracks hold
            nothing.
    """

    def __init__(
        self, plan: Plan, sheet: Sheet, holes: Iterable[Hole], held: Sequence[Iterable[Held]]
    ) -> None:
        super().__init__(plan)
        self.sheet = Sheet(sheet.header, sheet.bars, dict(sheet.cells))
        self.holes = sorted(holes)
        self.held = [list(track) for track in held]
        tracks = sum(row[v.KIND] == Kind.TRACK for row in sheet.header)
        self.held += [[] for _ in range(tracks - len(self.held))]
        lengths = [steps_of(rows[0][v.VALUE]) for rows in sheet.bars]
        self.starts: NDArray[np.int64] = np.cumsum([0, *lengths])
        self.reach = self._reaches()
        self.reach_now = 0  # the same of the cell being written
        self.left = Counter(hole.slot for hole in self.holes)  # of each track, not yet filled
        self.last_third = {slot: -(-count // 3) for slot, count in self.left.items()}
        self.heard: set[int] = set()  # tracks that sound in one of their holes
        self.filled = 0  # holes behind us
        self.in_view = 0  # the number of holes up to the end of what the model is shown
        self.cell: list[Row] = []  # what is being written: FILL, and what followed
        self.coming: dict[int, int] = {}  # value id: step where what stays strikes it again
        self.writing = self.rests = False

    def _reaches(self) -> dict[Place, int]:
        """For each hole the step where the run of holes in its track ends."""
        places = {(hole.bar, hole.slot) for hole in self.holes}
        reach: dict[Place, int] = {}
        for bar, slot in sorted(places, reverse=True):
            reach[bar, slot] = reach.get((bar + 1, slot), int(self.starts[bar + 1]))
        return reach

    # What the model is shown ---------------------------------------------------------------

    @property
    def resting(self) -> bool:
        return self.done or self.rests

    def prompt(self, context: int) -> list[Row]:
        """The bars around the next hole, and the cell that was begun; see `Walk.prompt`."""
        begun, shown = self.cell, context // 4
        first, end, rows = self._around(context * 5 // 8 - min(len(begun), shown))
        self._begin()
        self.rests = self.writing = False
        self.given_bars = len(self.sheet.bars)
        header = len(self.sheet.header)
        for row in rows[:header]:
            self.take(row)
        self.bar = first - 1
        self._remember(0, first)
        for row in rows[header:]:
            self.take(row)
        self._remember(end, len(self.sheet.bars))
        for row in begun:
            self.take(row)
        if len(begun) > shown:  # the latest of a cell that alone would fill the view
            self.context = self.context[: len(rows) + 1] + self.context[-shown + 1 :]
        return self.context

    def _remember(self, first: int, end: int) -> None:
        """Bars that are not shown can be echoed all the same."""
        holes = [(hole.bar, hole.slot) for hole in self.holes[self.filled :]]
        for row in self.sheet.music(first, end, holes):
            self.echo.take(row)

    def _around(self, room: int) -> tuple[int, int, list[Row]]:
        """Bars and rows of a stretch around the next hole, about half of it to come."""
        sheet, bar = self.sheet, self.holes[self.filled].bar
        to_come = self.holes[self.filled :]
        sizes = [len(plan) for plan in sheet.bars]
        for place, cell in sheet.cells.items():
            sizes[place[0]] += len(cell)
        for hole in to_come:
            sizes[hole.bar] += 1
        room -= len(sheet.header) + 2 + sizes[bar]
        first, end = bar, bar + 1
        for share in (room // 2, room):  # first what is to come, then what went before, …
            used = sum(sizes[first:end]) - sizes[bar]
            while end < len(sizes) and used + sizes[end] <= share:
                used, end = used + sizes[end], end + 1
            while first > 0 and used + sizes[first - 1] <= room:
                used, first = used + sizes[first - 1], first - 1
        self.in_view = self.filled + sum(hole.bar < end for hole in to_come)
        holes = [(hole.bar, hole.slot) for hole in to_come]
        if room < 0:  # a bar that fills the context is shown without its longest cells
            here = {place: cell for place, cell in sheet.cells.items() if place[0] == bar}
            for place in sorted(here, key=lambda place: -len(here[place])):
                room += len(here.pop(place))
                if room >= 0:
                    break
            sheet = Sheet(sheet.header, sheet.bars, here)
        return first, end, sheet.stretch(first, end, holes)

    # Before a row ------------------------------------------------------------------------

    def kinds(self) -> Mask:
        allowed = np.zeros(len(Kind), dtype=np.bool_)
        if not self.writing:
            allowed[Kind.FILL] = True
            return allowed
        self._cell_kinds(allowed)
        if not (self._is_owed() and allowed[Kind.NOTE]):
            allowed[Kind.FILL if self.filled + 1 < self.in_view else Kind.EOS] = True
        return allowed

    def _is_owed(self) -> bool:
        """Whether this cell has to sound and does not yet.

        A track that has not sounded by the last third of its holes sounds there.
        """
        hole = self.holes[self.filled]
        late = self.left[hole.slot] <= self.last_third[hole.slot]
        silent = hole.slot not in self.heard
        return self.cell_notes == 0 and (hole.sounds or (late and silent))

    def wishes(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Every wish for something else than a note or pedal is one to end the cell.

        In music without holes it ends with a CELL or BAR, which a model wishes for here too.
        """
        result = scores.copy()
        result[[Kind.FILL, Kind.EOS]] = np.logaddexp.reduce(scores[_AFTER_A_CELL])
        return result

    def _cell_kinds(self, allowed: Mask) -> None:
        super()._cell_kinds(allowed)
        for kind in (Kind.NOTE, Kind.PEDAL):
            allowed[kind] = allowed[kind] and bool(self._positions(kind).any())

    def _positions(self, kind: Kind) -> Mask:
        mask = super()._positions(kind)
        if kind == Kind.NOTE and self.coming:
            for place in np.flatnonzero(mask):
                mask[place] = self._pitches(int(place) - FIRST["position"]).any()
        elif kind == Kind.PEDAL:
            struck = self.coming.get(0, self.reach_now) - self.bar_start
            mask[FIRST["position"] + max(struck, 0) :] = False
            if self._is_owed():  # a note must still be possible after it
                mask &= self._positions(Kind.NOTE)
        return mask

    def _values(self, kind: Kind, row: Row) -> Mask:
        if kind != Kind.FILL:
            return super()._values(kind, row)
        mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
        mask[FIRST["slot"] + self._next().slot] = True
        return mask

    def _pitches(self, position: int) -> Mask:
        mask = super()._pitches(position)
        for value, step in self.coming.items():
            if step <= self.bar_start + position:
                mask[value] = False
        return mask

    def _room(self, row: Row) -> int:
        now = self.bar_start + row[v.POSITION] - FIRST["position"]
        return min(self.coming.get(row[v.VALUE], self.reach_now), self.reach_now) - now

    def _densities(self, slot: int) -> Mask:
        mask = super()._densities(slot)
        hole = self._next()
        if hole.density:
            mask[:] = False
            mask[hole.density] = True
        elif not hole.sounds:
            mask[0] = True  # also what a silent cell is told as
        return mask

    def _next(self) -> Hole:
        """The hole that the next FILL is for."""
        return self.holes[self.filled + self.writing]

    # After a row -------------------------------------------------------------------------

    def take(self, row: Row) -> Row:
        kind = row[v.KIND]
        if self.writing and kind in (Kind.FILL, Kind.EOS):
            self._close()
        if kind == Kind.HOLE:
            self.slot = row[v.VALUE] - FIRST["slot"]
        elif kind == Kind.FILL:
            self._open()
        if self.writing:
            self.cell.append(row)
        full = super().take(row)
        if kind == Kind.EOS:
            self._rest()
        return full

    def _open(self) -> None:
        """Go to the next hole, and find what sounds there of what stays."""
        hole = self.holes[self.filled]
        self.bar, slot = hole.bar, hole.slot
        self.bar_start, self.reach_now = int(self.starts[hole.bar]), self.reach[hole.bar, slot]
        self.bar_steps = self.onset_stop = int(self.starts[hole.bar + 1]) - self.bar_start
        self.ends[slot][:] = 0
        self.coming = {}
        for begin, end, value in self.held[slot]:
            if begin <= self.bar_start:
                self.ends[slot][value] = max(self.ends[slot][value], end)
            elif end > self.bar_start and begin < self.reach_now:
                self.coming[value] = min(self.coming.get(value, begin), begin)
        self.pressed[slot] = int(self.ends[slot][0])
        self.writing, self.cell = True, []
        self._cell(slot)

    def _close(self) -> None:
        """Enter what was written into the sheet."""
        hole = self.holes[self.filled]
        fill, *notes = self.cell
        if notes:
            cell = [[int(Kind.CELL), *fill[1:]], *notes]
            self.sheet.cells[hole.bar, hole.slot] = cell
            self.held[hole.slot] += held_by(cell, self.bar_start)
        if self.cell_notes:
            self.heard.add(hole.slot)
        self.left[hole.slot] -= 1
        self.filled += 1
        self.writing, self.cell = False, []

    def _rest(self) -> None:
        """At the end of a stretch: of all, or until the model is shown the next."""
        self.done = self.filled == len(self.holes)
        self.rests = not self.done
        if self.done:
            end: Row = [int(Kind.EOS), 0, 0, 0, 0]
            self.rows = [*self.sheet.stretch(0, len(self.sheet.bars)), end]


def held_by(cell: Iterable[Row], bar_start: int) -> list[Held]:
    """What the rows of a cell hold down, for how long."""
    found = []
    for kind, position, value, extent, _ in cell:
        if kind in (Kind.NOTE, Kind.PEDAL):
            begin = bar_start + position - FIRST["position"]
            end = begin + int(v.DURATIONS[extent - FIRST["duration"]])
            found.append((begin, end, value))
    return found


_ENDING: Final = section_id("ending")
_VALUES: Final = np.arange(v.FIELD_SIZES[v.VALUE])
_GOING_ON: Final = ~np.isin(_VALUES, [section_id(name) for name in ("intro", "ending", "other")])
"""Value ids but those of sections with which no music goes on."""
_SECOND: Final = np.equal(_VALUES, section_id("b"))
"""The value id of what comes after a first section."""


def _after(named: Sequence[int]) -> Mask | None:
    """Value ids of sections with which music goes on after these; None where it just goes on."""
    if not named:
        return _SECOND
    return _GOING_ON if named[-1] == _ENDING else None


class ContinuedWalk(Walk):
    """The state of a piece whose first bars are there already.

    Where their last section is an ending another section begins with the first new bar, of the
    model's choice: as long as an ending is in force tracks stay as silent as they have become.
    Where they name none it is section B: they may have come to an ending all the same.

    Args:
        plan: its header holds those bars too; meter and tempo are given.
        held: of each track, the notes and pedals that are there, on the grid.
        seed: see `Walk`.
    """

    def __init__(
        self, plan: Plan, held: Sequence[Iterable[Held]], seed: int | Sequence[int] = 0
    ) -> None:
        super().__init__(plan, seed)
        while self.forced:
            self.take(self.forced.popleft())
        for slot, track in enumerate(held):
            self.ends[slot][:] = 0
            for _, end, value in track:
                self.ends[slot][value] = max(self.ends[slot][value], end)
            self.pressed[slot] = int(self.ends[slot][0])
        self.lasts_until = max(int(ends[1:].max()) for ends in self.ends)
        self.sounds_until = 0  # what still rings is no music of the bars to come
        assert plan.time_signature is not None  # noqa: S101 - a precondition
        self.forced.append([int(Kind.BAR), 0, plan.time_signature, 0, 0])
        named = [row[v.VALUE] for row in plan.header if row[v.KIND] == Kind.SECTION]
        self._next = None if self.plan.sections_given else _after(named)

    @property
    def _begins_with(self) -> Mask | None:
        """The sections of which one has to begin here; None where none has to."""
        return self._next if self.bar == self.given_bars and self.last == Kind.BAR else None

    def _values(self, kind: Kind, row: Row) -> Mask:
        mask = super()._values(kind, row)
        if kind != Kind.SECTION or self._begins_with is None:
            return mask
        return mask & self._begins_with

    def kinds(self) -> Mask:
        if self._begins_with is not None:
            return span(len(Kind), int(Kind.SECTION))
        allowed = super().kinds()
        if not allowed.any():  # all that may be played rings on from before, to the end
            allowed[Kind.EOS] = True
        return allowed
