"""What is owed or forbidden in a bar or a cell, each by a policy of its own.

A policy looks at plan and state and writes its part of the terms; the grammar reads these alone.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np

from gen.data.habits import names_of
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting import grammar, last_chord, open_cell, pace
from gen.sampling.drafting.biases import (
    MARCH,
    MOST_ROLLING,
    biases,
    chord_to_cover,
    has_other_drums,
    rolls,
    rolls_on,
)
from gen.sampling.drafting.cell_table import cells_of
from gen.sampling.drafting.closing import Closing
from gen.sampling.drafting.grammar import bars_to_close
from gen.sampling.drafting.masks import Mask, lengths, span
from gen.sampling.drafting.sections import Sections, has_begun, may_rest
from gen.sampling.drafting.state import (
    CHORALE,
    MOST_NOTES_A_CELL,
    MOST_NOTES_AT_ONCE,
    BarTerms,
    CellTerms,
    PartNote,
    State,
)
from gen.sampling.drafting.steering import Sounding
from gen.sampling.drafting.voice_leading import joins, notes_of
from gen.sampling.planning.plan import Plan, Row, steps_of
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

STAY: Final = 4
"""Bars in which a track has notes that had to come in; twice as many if no section begins."""

GROOVE: Final = 8
"""Bars for which drums stay that were called back."""
MARCHING: Final = 3
"""The same in a march."""

MAIN_MELODY: Final = ROLES.index("main_melody") + 1
ENTER_AT_ONCE: Final = {ROLES.index(role) + 1 for role in ("main_melody", "accompaniment", "drums")}
"""Of works .89 to .96 enter by the first section that is no introduction, drums never later than
half-way."""

ABOVE_BASSES: Final = 55
"""From this pitch on other parts play what they like under a slash: what is lower is heard as the
bass. No bass of 77 works goes higher."""

OPEN_PIECE_DUE: Final = 8
"""Bars after which every track is due where a piece has no set length."""


class Returns:
    """A section whose name comes back brings its chords back, and some of its cells.

    By the eighth rules it is decided a bar ahead, so that no note is held into a bar in which it
    would clash with what comes back: a bar that is written anew keeps clear of what it finds, one
    that comes back cannot.

    Args:
        seed: of which cells they are.
    """

    def __init__(self, seed: int | Sequence[int] = 0) -> None:
        self.chance = np.random.default_rng(seed)
        self.drawn: dict[int, list[float]] = {}  # by bar: a number for each track

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Decide what this bar takes over."""
        if plan.rules.hears_returns:
            terms.next_bar = self._next_bar(plan, state)
        origin = origin_of(state.sections, state.bar)
        if not plan.returns or origin is None or terms.closes or terms.cadence_root is not None:
            return
        before = state.rows[state.bar_rows[origin] : state.bar_rows[origin + 1]]
        if steps_of(before[0][v.VALUE]) != state.bar_steps:
            return
        if not terms.chords_decided:
            terms.chords = [row for row in before if row[v.KIND] == Kind.CHORD]
            terms.chords_decided = True
        if plan.bar_densities.get(state.bar) != plan.bar_densities.get(origin):
            return
        for slot, cell in cells_of(before).items():
            if basses_of(plan, state, slot) != basses_of(plan, state, slot, origin):
                continue
            returns = self._draw(plan, state, state.bar, slot) < share_that_returns(
                plan, state, slot
            )
            if plan.rules.fits_returns and (
                slot not in terms.open or rolls_on(plan, state, slot, cell)
            ):
                continue
            if returns and (kept := _fitting(plan, state, slot, cell)):
                if plan.rules.joins_returns and not joins(state, terms, kept, slot):
                    continue
                terms.copies[slot] = kept
                density = span(v.FIELD_SIZES[v.EXTENT], kept[0][v.EXTENT])
                terms.densities[slot] = density

    def _draw(self, plan: Plan, state: State, bar: int, slot: int) -> float:
        """The number that decides whether a cell comes back."""
        if not plan.rules.hears_returns:
            return float(self.chance.random())
        if bar not in self.drawn:
            self.drawn[bar] = self.chance.random(len(state.parts)).tolist()
        return self.drawn[bar][slot]

    def _next_bar(self, plan: Plan, state: State) -> list[PartNote]:
        """The pitched notes that come back in the bar after this one, if its cells may."""
        bar, begin = state.bar + 1, state.bar_start + state.bar_steps
        origin = origin_of(state.sections, bar)
        may = origin is not None and bar < plan.limit and origin < state.bar
        if not plan.returns or not may or bars_to_close(plan, state) - 1 <= plan.cadence:
            return []
        assert origin is not None  # noqa: S101 - a precondition
        before = state.rows[state.bar_rows[origin] : state.bar_rows[origin + 1]]
        found: list[PartNote] = []
        for slot, cell in cells_of(before).items():
            if self._draw(plan, state, bar, slot) < share_that_returns(plan, state, slot):
                found += notes_of(cell, begin, slot)
        return found


def share_that_returns(plan: Plan, state: State, slot: int) -> float:
    """Share of a track's cells that come back: by the sixth rules a tune sooner than the rest.

    Of sections of works that come back .86 of the main melody's notes are as they were, of their
    other parts .46 (sub melodies) to .82; of chorales .82 to .99 of each.
    """
    if not plan.rules.repeats_tunes:
        return plan.returns
    if state.genre == CHORALE:
        return 1 - (1 - plan.returns) ** 3
    is_tune = state.parts[slot].role == MAIN_MELODY
    return 1 - (1 - plan.returns) ** 2 if is_tune else plan.returns / 2


class Grooves:
    """After bars of kick and snare alone the latest bar with other drums comes back, and stays.

    Where a section wants fewer notes of them, these are the other drums alone.
    """

    def __init__(self) -> None:
        self.stays_until = 0  # bar

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Decide which drums are those of an earlier bar."""
        is_march = state.genre == MARCH
        most = 1 if self.stays_until and not is_march else MOST_ROLLING
        if rolls(plan, state, most) and state.bar >= self.stays_until:
            self.stays_until = state.bar + (MARCHING if is_march else GROOVE)
        if state.bar >= self.stays_until or terms.closes:
            return
        drums = {s for s in terms.open if state.parts[s].program == DRUM_PROGRAM}
        for slot in drums - terms.copies.keys():
            kept = self._latest(plan, state, slot)
            if kept and slot in terms.counts:
                kept = _thinned(kept, terms.counts[slot][1])
            elif kept:
                terms.densities[slot] = span(v.FIELD_SIZES[v.EXTENT], kept[0][v.EXTENT])
            if kept:
                terms.copies[slot] = kept

    @staticmethod
    def _latest(plan: Plan, state: State, slot: int) -> list[Row]:
        """The latest cell of other drums as it can come back in this bar, empty for none."""
        here = plan.bar_densities.get(state.bar)
        for bar in range(state.bar - 1, -1, -1):
            before = state.rows[state.bar_rows[bar] : state.bar_rows[bar + 1]]
            cell = cells_of(before).get(slot, [])
            is_alike = steps_of(before[0][v.VALUE]) == state.bar_steps
            if is_alike and has_other_drums(cell) and plan.bar_densities.get(bar) == here:
                return _fitting(plan, state, slot, cell)
        return []


def _thinned(cell: list[Row], most: int) -> list[Row]:
    """A cell of drums, if it has more notes than that with some of those beside kick and snare."""
    if len(cell) - 1 <= most:
        return cell
    others = [row for row in cell[1:] if has_other_drums([row])]
    return [cell[0], *others[:: math.ceil(len(others) / max(most, 1))]]


def basses_of(
    plan: Plan, state: State, slot: int, bar: int | None = None
) -> tuple[tuple[int, int | None], ...]:
    """What slash chords ask of a track in a bar, by default the one that is written.

    By the eighth rules that is nothing but of a bass, by the ninth nothing but of drums.
    """
    is_bass = state.parts[slot].is_bass
    if is_bass and bar is None and state.bar_terms.cadence_root is not None:
        return (0, state.bar_terms.cadence_root), (state.bar_steps // 2, None)
    is_low = plan.rules.keeps_slashes_lowest and state.parts[slot].program != DRUM_PROGRAM
    return plan.slashes.get(state.bar if bar is None else bar, ()) if is_bass or is_low else ()


@cache
def pitch_class_ids(pitch_class: int, free_from: int = 128) -> Mask:
    """The value ids of all pitches of a class, and of all from one pitch on. (V,)."""
    mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
    mask[[WORDS.pitch.id(pitch) for pitch in range(pitch_class, 128, 12)]] = True
    mask[WORDS.pitch.start + free_from : WORDS.pitch.stop] = True
    return mask


def origin_of(sections: Mapping[int, int], bar: int) -> int | None:
    """The bar that `bar` takes up again, in the first section of its name; None if none.

    Args:
        sections: first bar: value id.
        bar: counted from 0.
    """
    starts = sorted(sections)
    here = bisect_right(starts, bar) - 1
    for first, following in itertools.pairwise(starts[: here + 1]):
        if sections[first] == sections[starts[here]]:
            same = first + bar - starts[here]
            return same if same < following else None
    return None


def _fitting(plan: Plan, state: State, slot: int, cell: list[Row]) -> list[Row]:
    """A cell as it can come back in this bar: nothing struck while held, nothing too long."""
    part, end, kept = state.parts[slot], grammar.last_step(plan, state), []
    for row in cell[1:]:
        kind, position, value, extent, level, *timed = row
        now = state.bar_start + WORDS.position.number(position)
        busy_until = part.ends[value] if kind == Kind.NOTE else part.pedal_end
        if busy_until <= now:
            longest = int(np.flatnonzero(lengths(end - now))[-1])
            kept.append([kind, position, value, min(extent, longest), level, *timed])
    return [cell[0], *kept] if any(row[v.KIND] == Kind.NOTE for row in kept) else []


def _beginning(rules: Rules) -> set[int]:
    """Roles that enter with the first section, beside the bass."""
    if rules.begins_together:
        return ENTER_AT_ONCE
    return {MAIN_MELODY} if rules.leads_melodies else set()


class Entrances:
    """Every track plays in time, and one that had to come in plays on for a while."""

    def __init__(self) -> None:
        self.came_in: dict[int, int] = {}  # slots that had to, and in which bar

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Call the tracks that have to have notes in this bar."""
        if self._is_due(plan, state):
            silent = [slot for slot, part in enumerate(state.parts) if part.is_silent]
            self.came_in |= dict.fromkeys(silent, state.bar)
        elif plan.rules.begins_with_the_bass and has_begun(plan, state):
            due = Closing.basses(plan, state)
            roles = _beginning(plan.rules)
            due |= {slot for slot, part in enumerate(state.parts) if part.role in roles}
            silent = [slot for slot in due if state.parts[slot].is_silent]
            self.came_in |= dict.fromkeys(silent, state.bar)
        terms.called = {slot for slot in terms.open if self._plays_on(slot, state)}
        if plan.rules.keeps_drums and not may_rest(plan, state):
            terms.called |= {
                slot
                for slot in terms.open
                if state.parts[slot].program == DRUM_PROGRAM and not state.parts[slot].is_silent
            }

    @staticmethod
    def _is_due(plan: Plan, state: State) -> bool:
        """Whether every track has to have sounded by the end of this bar.

        In a piece of so many bars from the first section on that begins in the second half, at
        the latest after two thirds; in one that may end at any time, after OPEN_PIECE_DUE bars.
        """
        bar, bars = state.bar - state.given_bars, plan.limit - state.given_bars
        if plan.bars is None:
            return bar >= min(bars * 2 // 3, OPEN_PIECE_DUE)
        middle = state.given_bars + bars // 2
        return bar >= bars * 2 // 3 or any(middle <= n <= state.bar for n in state.sections)

    def _plays_on(self, slot: int, state: State) -> bool:
        since = self.came_in.get(slot)
        if since is None or (state.bar_terms.closes and since < state.bar):
            return False
        changed = any(since < first <= state.bar for first in state.sections)
        return state.bar < since + (STAY if changed else 2 * STAY)


# Of cells ---------------------------------------------------------------------------------


def note_counts(plan: Plan, state: State, slot: int) -> tuple[int, int]:
    """Fewest and most notes of a cell, by the density that was asked of its track."""
    asked = plan.densities_of(slot, state.bar)
    if asked is None:
        return 0, MOST_NOTES_A_CELL
    low, high = asked
    quarters = state.bar_steps / v.STEPS_PER_QUARTER
    fewest, most = 0, MOST_NOTES_A_CELL
    if low > 0 and not state.bar_terms.closes:
        fewest = int(v.DENSITIES[low - 1] * quarters) + 1
    if high < len(v.DENSITIES):
        most = max(int(v.DENSITIES[high] * quarters), 1)
    return fewest, max(fewest, most)


def chord_size(plan: Plan, state: State, slot: int) -> int:
    """How many notes a track strikes at once: as many as in some work, never more."""
    part, sizes = state.parts[slot], plan.habits.chord_sizes
    names = names_of(part.program, part.role)
    known = (sizes[name] for name in names if name in sizes)
    return min(next(known, MOST_NOTES_AT_ONCE), MOST_NOTES_AT_ONCE)


class Policies:
    """All of them, in the order in which they build on each other.

    Args:
        seed: of what is decided by chance but not by the model.
    """

    def __init__(self, seed: int | Sequence[int] = 0) -> None:
        self.closing = Closing(seed)
        self.sections = Sections(seed)
        self.returns = Returns(seed)
        self.grooves = Grooves()
        self.entrances = Entrances()

    def begin_bar(self, plan: Plan, state: State) -> None:
        """Make the terms of a new bar; again where a section begins with it."""
        terms = state.bar_terms = BarTerms(
            onset_stop=state.bar_steps,
            chords=plan.planned(state.bar, Kind.CHORD),
            chords_decided=plan.chords_given,
        )
        self.closing.begin_bar(plan, state, terms)
        terms.open = self._open_slots(plan, state)
        self.closing.drop_out(plan, state, terms)
        if plan.rules.shapes_sections:
            self.sections.begin_bar(plan, state, terms)
        self.returns.begin_bar(plan, state, terms)
        if plan.rules.repeats_grooves:
            self.grooves.begin_bar(plan, state, terms)
        self.entrances.begin_bar(plan, state, terms)
        terms.called |= self.closing.called(plan, state, terms) & set(terms.open)
        terms.owed = sorted(terms.copies.keys() | terms.called)

    def take_chord(self, plan: Plan, state: State, chord: int) -> None:
        """In the closing bar what may be played is tones of this chord, and some may all ring."""
        terms = state.bar_terms
        terms.chords = []
        if terms.closes:
            terms.closing_chord = chord
            terms.chords_decided |= terms.is_struck
            terms.open = self._open_slots(plan, state)
            terms.owed = [slot for slot in terms.owed if slot in terms.open]

    def _open_slots(self, plan: Plan, state: State) -> list[int]:
        """Tracks that have room for a note or a pedal in this bar."""
        stop = state.bar_terms.onset_stop
        if not stop:  # the last chord rings on
            return []
        return [
            slot
            for slot, part in enumerate(state.parts)
            if part.pedal_end - state.bar_start < stop
            or open_cell.first_free(state, slot, self.closing.palette(plan, state, slot)) < stop
        ]

    def begin_cell(
        self,
        plan: Plan,
        state: State,
        reach: int | None = None,
        others: Sequence[Sounding] | None = None,
        chords: Sequence[tuple[int, int]] | None = None,
    ) -> CellTerms:
        """Make the terms of the cell that was opened.

        Args:
            plan: of the piece.
            state: where it stands.
            reach: grid step by which all of the cell has to be over; by default the piece's end.
            others: what the other parts play in and around the bar; by default what was written.
            chords: grid step and value id of those up to the bar's end; by default likewise.
        """
        slot, bar = state.slot, state.bar_terms
        bar.owed = [owed for owed in bar.owed if owed > slot]
        bar.open = [after for after in bar.open if after > slot]
        fewest, most = bar.counts.get(slot) or note_counts(plan, state, slot)
        is_paced = plan.rules.paces and others is None
        if is_paced and slot not in bar.counts and plan.densities_of(slot, state.bar) is None:
            fewest = max(fewest, pace.fewest(state))
        palette = self.closing.palette(plan, state, slot)
        added = biases(plan, state, others, chords) if plan.steering else (None, None)
        tones = chord_to_cover(plan, state, others, chords) if plan.steering else None
        at_once = chord_size(plan, state, slot)
        free_from = 128 if state.part.is_bass else ABOVE_BASSES
        pattern = self.closing.climb(plan, state) or last_chord.struck(state, at_once)
        state.cell_terms = CellTerms(
            palette,
            grammar.last_step(plan, state) if reach is None else reach,
            owed=max(fewest, slot in bar.called, len(pattern)),
            spaced=fewest,
            most=most,
            at_once=at_once,
            is_over=slot in bar.copies,
            width=int(np.count_nonzero(palette)),
            ringing=int(np.count_nonzero(state.part.ends > state.bar_start)),
            spacing=pace.spacing(state) if is_paced else 1,
            bias=added[0],
            near=added[1],
            tones=tones,
            pattern=pattern,
            basses=tuple(
                (step, None if bass is None else pitch_class_ids(bass, free_from))
                for step, bass in basses_of(plan, state, slot)
            ),
        )
        return state.cell_terms
