"""Cells left out of a piece, filled in given all the others.

A *cell* is what one track plays in one bar. Those to be written are *holes*: in the bars that
the model reads a HOLE stands for each, and one FILL after another, in the order of the holes,
takes what it writes. A piece longer than the model's context is read stretch by stretch: the
bars around the next hole, with what has been filled in by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gen.sampling.drafting import grammar, open_cell
from gen.sampling.drafting.cell_table import CellTable, Place, held_by
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.masks import Mask, span
from gen.sampling.drafting.state import ACCOMPANIMENT, BASS, BarTerms, Held, PatternNote, State
from gen.sampling.drafting.steering import LONGEST, Floats, Sounding
from gen.sampling.planning.plan import Plan, Row, row_of
from gen.tokens.vocabulary import SPANS, WORDS, Kind

PITCH_IDS = SPANS["pitch"]

LATEST_ENTRANCE, MOST_SILENT = 2, 1
"""Bars without a note before an added part has one. Of works the median accompaniment and bass
enters at once and rests in no bar; second melodies and pads, once they begin, in one of ten."""
NEVER_RESTS = {ACCOMPANIMENT, BASS}
"""By the ninth rules these have a note in every bar in which others play."""

MOST_OF_A_LINE = 2
"""Notes at once of an instrument that plays lines: strings and winds have two in some works."""
REACH = 14
"""Semitones within which it goes on from its latest note by the ninth rules. Melodies of works leap
farther into .003 of their bars, basses into .014."""

FileClose = tuple[int, int]
"""The bar with which a file closes, and the value id of its chord."""

_AFTER_A_CELL = [kind for kind in Kind if kind not in (Kind.NOTE, Kind.PEDAL)]


def within_reach(palette: Mask, latest: int) -> Mask:
    """Of what a part may play what lies near its latest note; all where that is none. (V,)."""
    if latest not in PITCH_IDS:
        return palette
    near = palette & span(len(palette), max(latest - REACH, PITCH_IDS[0]), latest + REACH)
    return near if near.any() else palette


@dataclass(frozen=True, slots=True, order=True)
class Hole:
    """A cell to be written.

    Attributes:
        bar: counted from 0.
        slot: of the track, counted from 0.
        sounds: whether it has to hold a note, if there is room for one.
        density: value id in the extent field, 0 where it is not given.
    """

    bar: int
    slot: int
    sounds: bool = False
    density: int = 0

    @property
    def place(self) -> Place:
        return self.bar, self.slot


class HoleByHole:
    """The holes of a piece one after another, in the order of bars and then of tracks.

    Args:
        table: the piece; it holds nothing in the holes.
        holes: what is to be written.
        held: of each track, the notes and pedals that stay, on the grid; further tracks hold
            nothing.
        patterns: of holes that keep their rhythm, their notes but for the pitches.
        most_read: how many rows around a hole the model reads; by default what its context takes.
        close: of a file that closes: from there on its chord alone is written, by a bass the root.
    """

    def __init__(
        self,
        table: CellTable,
        holes: Iterable[Hole],
        held: Sequence[Iterable[Held]],
        patterns: Mapping[Place, tuple[PatternNote, ...]] | None = None,
        most_read: int | None = None,
        close: FileClose | None = None,
    ) -> None:
        self.table = CellTable(table.header, table.bars, dict(table.cells))
        self.holes = sorted(holes)
        self.places = {hole.place for hole in self.holes}
        self.patterns = patterns or {}
        self.most_read, self.close = most_read, close
        self.held = [list(track) for track in held]
        self.held += [[] for _ in table.tracks[len(self.held) :]]
        self.starts, self.chords = table.bar_starts(), table.chords()
        self.reach = self._reaches()
        self.left = Counter(hole.slot for hole in self.holes)  # of each track, not yet filled
        self.last_third = {slot: -(-count // 3) for slot, count in self.left.items()}
        self.sounding: set[int] = set()  # tracks that sound in one of their holes
        self.added = {slot for _, slot in self.places} - {slot for _, slot in table.cells}
        self.silent = Counter[int]()  # of each track, its latest holes without a note in a row
        self.filled = 0  # holes behind us
        self.in_view = 0  # the number of holes up to the end of what the model reads
        self.cell: list[Row] = []  # what is being written: FILL, and what followed
        self.writing = False

    def _reaches(self) -> dict[Place, int]:
        """For each hole the step where the run of holes in its track ends."""
        reach: dict[Place, int] = {}
        for bar, slot in sorted(self.places, reverse=True):
            reach[bar, slot] = reach.get((bar + 1, slot), int(self.starts[bar + 1]))
        return reach

    @property
    def to_come(self) -> list[Hole]:
        """The holes that are not filled yet."""
        return self.holes[self.filled :]

    @property
    def whole_bars(self) -> int:
        """How many bars from the first on hold no hole any more."""
        to_come = self.to_come
        return to_come[0].bar if to_come else len(self.table.bars)

    @property
    def rows(self) -> list[Row]:
        """The events of the whole piece without EOS; nothing stands in the holes to come."""
        return self.table.excerpt(0, len(self.table.bars))

    # What the model reads ---------------------------------------------------------------

    def prompt(self, draft: Draft, context: int) -> list[Row]:
        """The bars around the next hole, and the cell that was begun."""
        begun, most = self.cell, context // 4
        room = min(context * 5 // 8, self.most_read or context)
        first, end, rows = self._around(room - min(len(begun), most))
        draft.begin()
        self.writing = False
        state, header = draft.state, len(self.table.header)
        state.given_bars = len(self.table.bars)
        for row in rows[:header]:
            draft.take(row)
        state.bar = first - 1
        self._remember(draft, 0, first)
        for row in rows[header:]:
            draft.take(row)
        self._remember(draft, end, len(self.table.bars))
        self._offer(draft, self.filled)
        for row in begun:
            draft.take(row)
        if len(begun) > most:  # the latest of a cell that alone would fill the view
            draft.context = draft.context[: len(rows) + 1] + draft.context[-most + 1 :]
        return draft.context

    def _remember(self, draft: Draft, first: int, end: int) -> None:
        """Bars that are out of view can be echoed all the same."""
        holes = [hole.place for hole in self.to_come]
        for row in self.table.music(first, end, holes):
            draft.columns.echo.take(row)

    def _around(self, room: int) -> tuple[int, int, list[Row]]:
        """Bars and rows of an excerpt around the next hole, about half of it to come."""
        table, bar, to_come = self.table, self.holes[self.filled].bar, self.to_come
        sizes = self._bar_sizes()
        room -= len(table.header) + 2 + sizes[bar]
        first, end = bar, bar + 1
        for share in (room // 2, room):  # first what is to come, then what went before, …
            used = sum(sizes[first:end]) - sizes[bar]
            while end < len(sizes) and used + sizes[end] <= share:
                used, end = used + sizes[end], end + 1
            while first > 0 and used + sizes[first - 1] <= room:
                used, first = used + sizes[first - 1], first - 1
        self.in_view = self.filled + sum(hole.bar < end for hole in to_come)
        if room < 0:  # a bar that fills the context is read without its longest cells
            table = self._thinned(bar, -room)
        return first, end, table.excerpt(first, end, [hole.place for hole in to_come])

    def _bar_sizes(self) -> list[int]:
        """How many rows each bar has as it is read."""
        sizes = [len(rows) for rows in self.table.bars]
        for place, cell in self.table.cells.items():
            sizes[place[0]] += len(cell)
        for hole in self.to_come:
            sizes[hole.bar] += 1
        return sizes

    def _thinned(self, bar: int, rows: int) -> CellTable:
        """One bar without its longest cells, which together have at least so many rows."""
        here = {place: cell for place, cell in self.table.cells.items() if place[0] == bar}
        for place in sorted(here, key=lambda place: -len(here[place])):
            rows -= len(here.pop(place))
            if rows <= 0:
                break
        return CellTable(self.table.header, self.table.bars, here)

    # What may follow -----------------------------------------------------------------------

    def kinds(self, plan: Plan, state: State) -> Mask:
        mask = np.zeros(len(Kind), dtype=np.bool_)
        if not self.writing:
            mask[Kind.FILL] = True
            return mask
        mask |= open_cell.kinds(state)
        if not (open_cell.owes_notes(state) and mask[Kind.NOTE]):
            mask[Kind.FILL if self.filled + 1 < self.in_view else Kind.EOS] = True
        return mask

    def kind_scores(self, plan: Plan, state: State, scores: Floats) -> Floats:
        """All but a note or pedal ends the cell.

        In music without holes it ends with a CELL or BAR, which a model expects here too.
        """
        result = scores.copy()
        result[[Kind.FILL, Kind.EOS]] = np.logaddexp.reduce(scores[_AFTER_A_CELL])
        return result

    # What a row entails --------------------------------------------------------------------

    def before(self, draft: Draft, kind: Kind) -> None:
        if kind not in (Kind.FILL, Kind.EOS):
            return
        if self.writing:
            whole = self.whole_bars
            self._keep(draft.state)
            if self.whole_bars > whole:
                draft.on_bar()
        if kind == Kind.FILL:
            hole = self.holes[self.filled]
            state = draft.state
            state.bar, state.bar_start = hole.bar, int(self.starts[hole.bar])
            state.bar_steps = int(self.starts[hole.bar + 1]) - state.bar_start

    def after(self, draft: Draft, kind: Kind, row: Row) -> None:
        if kind == Kind.FILL:
            self._open(draft)
        if self.writing:
            self.cell.append(row)
        if kind == Kind.EOS:
            self._end(draft)

    def _open(self, draft: Draft) -> None:
        """Begin the next hole: find what sounds there of what stays, and make its terms."""
        hole, state = self.holes[self.filled], draft.state
        reach = self.reach[hole.place]
        sounding, struck = [], dict[int, int]()
        for begin, end, value in self.held[hole.slot]:
            if begin <= state.bar_start:
                sounding.append((begin, end, value))
            elif begin < reach:
                struck[value] = min(struck.get(value, begin), begin)
        state.hold(sounding, hole.slot)
        end = state.bar_start + state.bar_steps
        chords = [chord for chord in self.chords if chord[0] < end]
        others = self._others(hole.slot, state.bar_start, end)
        if self.close and hole.bar >= self.close[0]:
            state.bar_terms.closes, state.bar_terms.closing_chord = True, self.close[1]
        terms = draft.policies.begin_cell(draft.plan, state, reach, others, chords)
        is_line = hole.slot in self.added and terms.at_once <= MOST_OF_A_LINE
        if draft.plan.rules.plays_throughout and is_line:
            terms.palette = within_reach(terms.palette, state.part.latest)
            terms.width = int(np.count_nonzero(terms.palette))
        beside = any(state.bar_start <= first < end for first, _, _ in others)
        rests = self._rests(hole, draft.plan, state, is_alone=not beside)
        must = self._has_to_sound(hole) or rests
        terms.owed, terms.keeps_room, terms.struck = int(must), True, struck
        terms.pattern = self.patterns.get(hole.place, ())
        terms.owed = max(terms.owed, len(terms.pattern))
        self._offer(draft, self.filled + 1)
        self.writing, self.cell = True, []

    def _others(self, slot: int, begin: int, end: int) -> list[Sounding]:
        """The pitched notes of the other tracks that sound in a bar, or soon after it."""
        return [
            (first, stop, WORDS.pitch.number(value))
            for other, track in enumerate(self.held)
            if other != slot
            for first, stop, value in track
            if stop > begin and first < end + LONGEST and value in PITCH_IDS
        ]

    def _offer(self, draft: Draft, number: int) -> None:
        """Let the hole with this number be the one that the next FILL is for."""
        terms = draft.state.bar_terms = BarTerms(onset_stop=draft.state.bar_steps)
        if number < len(self.holes):
            hole = self.holes[number]
            terms.open = [hole.slot]
            terms.densities = {hole.slot: self._densities(draft.plan, hole)}

    @staticmethod
    def _densities(plan: Plan, hole: Hole) -> Mask:
        """The density that is given; else those asked for, or none where it may stay silent."""
        mask = grammar.densities(plan, hole.slot)
        if hole.density:
            mask[:] = False
            mask[hole.density] = True
        elif not hole.sounds:
            mask[0] = True
        return mask

    def _has_to_sound(self, hole: Hole) -> bool:
        """Whether it was asked to, or its track has not sounded by the last third of its holes."""
        late = self.left[hole.slot] <= self.last_third[hole.slot]
        return hole.sounds or (late and hole.slot not in self.sounding)

    def _rests(self, hole: Hole, plan: Plan, state: State, *, is_alone: bool) -> bool:
        """Whether an added track has been silent for as long as those of works are."""
        if not plan.rules.keeps_playing or hole.slot not in self.added:
            return False
        longest = MOST_SILENT if hole.slot in self.sounding else LATEST_ENTRANCE
        if plan.rules.plays_throughout and state.part.role in NEVER_RESTS and not is_alone:
            longest = 0
        return self.silent[hole.slot] >= longest

    def _keep(self, state: State) -> None:
        """Enter what was written into the table."""
        hole = self.holes[self.filled]
        fill, *notes = self.cell
        if notes:
            cell = [[int(Kind.CELL), *fill[1:]], *notes]
            self.table.cells[hole.place] = cell
            self.held[hole.slot] += held_by(cell, state.bar_start)
        self.silent[hole.slot] += 1
        if state.cell_notes:
            self.sounding.add(hole.slot)
            self.silent[hole.slot] = 0
        self.left[hole.slot] -= 1
        self.filled += 1
        self.writing, self.cell = False, []

    def _end(self, draft: Draft) -> None:
        """At the end of an excerpt: of all, or until the model reads the next."""
        draft.done = self.filled == len(self.holes)
        draft.paused = not draft.done
        if draft.done:
            end = row_of(Kind.EOS)
            draft.state.rows = [*self.rows, end]
