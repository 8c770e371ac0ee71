"""What is owed or forbidden in a bar or a cell, each by a policy of its own.

A policy looks at plan and state and writes its part of the terms; the grammar reads these alone.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np

from gen.analysis.key import key_scores
from gen.data.habits import names_of
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting import grammar, view
from gen.sampling.drafting.masks import CHORD_ROOT, CHORD_TONES, Mask, closing_chords, lengths, span
from gen.sampling.drafting.state import (
    MOST_NOTES_A_CELL,
    MOST_NOTES_AT_ONCE,
    BarTerms,
    CellTerms,
    State,
)
from gen.sampling.drafting.steering import CLASH, Floats, Sounding, clashes, off_harmony
from gen.sampling.plan import Plan, Row, steps_of
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

FEWEST_BARS_TO_CLOSE: Final = 4
"""A shorter piece is a fragment and need not come to an end."""

STAY: Final = 4
"""Bars in which a track has notes that had to come in; twice as many if no section begins."""

OPEN_PIECE_DUE: Final = 8
"""Bars after which every track is due where a piece has no set length."""

_BASS: Final = ROLES.index("bass") + 1
_BASS_PROGRAMS: Final = range(32, 40)


class Closing:
    """A piece of some length ends on its tonic, struck in the first half of its last bar."""

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Decide whether the piece ends in this bar, and on which chord."""
        bars = plan.limit - state.given_bars
        is_last = plan.bars is not None and grammar.is_last_bar(plan, state)
        if not is_last or bars < FEWEST_BARS_TO_CLOSE:
            return
        terms.closes = True
        terms.onset_stop = state.bar_steps // 2 + 1
        terms.closing_key = state.key or key_of_notes(state.rows)
        if terms.closing_key and not plan.chords_given:
            terms.closing_chord = closing_chords(terms.closing_key)[0]  # unless another is drawn

    @staticmethod
    def basses(plan: Plan, state: State) -> set[int]:
        """Tracks whose last note is the root: by role, and in a steered piece by instrument."""
        return {
            slot
            for slot, part in enumerate(state.parts)
            if part.role == _BASS
            or (plan.steering and not part.role and part.program in _BASS_PROGRAMS)
        }

    def palette(self, plan: Plan, state: State, slot: int) -> Mask:
        """What a track may play in this bar: at the end, tones of the last chord. (V,)."""
        part, terms = state.parts[slot], state.bar_terms
        if not terms.closes:
            return part.pitches
        tones = CHORD_ROOT if slot in self.basses(plan, state) else CHORD_TONES
        closing: Mask = part.pitches & tones[terms.closing_chord]
        return closing if closing.any() else part.pitches


class Returns:
    """A section whose name comes back brings its chords back, and some of its cells.

    Args:
        seed: of which cells they are.
    """

    def __init__(self, seed: int | Sequence[int] = 0) -> None:
        self.chance = np.random.default_rng(seed)

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Decide what this bar takes over."""
        origin = origin_of(state.sections, state.bar)
        if not plan.returns or origin is None or terms.closes:
            return
        before = state.rows[state.bar_rows[origin] : state.bar_rows[origin + 1]]
        if steps_of(before[0][v.VALUE]) != state.bar_steps:
            return
        if not terms.chords_decided:
            terms.chords = [row for row in before if row[v.KIND] == Kind.CHORD]
            terms.chords_decided = True
        for slot, cell in view.cells(before).items():
            if basses_of(plan, state, slot) != basses_of(plan, state, slot, origin):
                continue
            if self.chance.random() < plan.returns and (kept := _fitting(plan, state, slot, cell)):
                terms.copies[slot] = kept
                density = span(v.FIELD_SIZES[v.EXTENT], kept[0][v.EXTENT])
                terms.densities[slot] = density


def basses_of(
    plan: Plan, state: State, slot: int, bar: int | None = None
) -> tuple[tuple[int, int | None], ...]:
    """What slash chords ask of a track in a bar, by default the one that is written.

    That is nothing but of a bass: a track of this role, or without one a bass instrument.
    """
    part = state.parts[slot]
    is_bass = part.role == _BASS or (not part.role and part.program in _BASS_PROGRAMS)
    return plan.slashes.get(state.bar if bar is None else bar, ()) if is_bass else ()


@cache
def pitch_class_ids(pitch_class: int) -> Mask:
    """The value ids of all pitches of a class. (V,)."""
    mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
    mask[[WORDS.pitch.id(pitch) for pitch in range(pitch_class, 128, 12)]] = True
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
        kind, position, value, extent, level = row
        now = state.bar_start + WORDS.position.number(position)
        busy_until = part.ends[value] if kind == Kind.NOTE else part.pedal_end
        if busy_until <= now:
            longest = int(np.flatnonzero(lengths(end - now))[-1])
            kept.append([kind, position, value, min(extent, longest), level])
    return [cell[0], *kept] if any(row[v.KIND] == Kind.NOTE for row in kept) else []


class Entrances:
    """Every track plays in time, and one that had to come in plays on for a while."""

    def __init__(self) -> None:
        self.came_in: dict[int, int] = {}  # slots that had to, and in which bar

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Call the tracks that have to have notes in this bar."""
        if self._is_due(plan, state):
            silent = [slot for slot, part in enumerate(state.parts) if part.is_silent]
            self.came_in |= dict.fromkeys(silent, state.bar)
        terms.called = {slot for slot in terms.open if self._plays_on(slot, state)}

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
    asked = plan.densities_of(slot)
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
        self.closing = Closing()
        self.returns = Returns(seed)
        self.entrances = Entrances()

    def begin_bar(self, plan: Plan, state: State) -> None:
        """Make the terms of a new bar; again where a section begins with it."""
        terms = state.bar_terms = BarTerms(
            onset_stop=state.bar_steps,
            chords=plan.planned(state.bar, Kind.CHORD),
            chords_decided=plan.chords_given,
        )
        self.closing.begin_bar(plan, state, terms)
        self.returns.begin_bar(plan, state, terms)
        terms.open = self._open_slots(plan, state)
        self.entrances.begin_bar(plan, state, terms)
        if terms.closes and plan.steering:
            terms.called |= self.closing.basses(plan, state) & set(terms.open)
        terms.owed = sorted(terms.copies.keys() | terms.called)

    def take_chord(self, plan: Plan, state: State, chord: int) -> None:
        """In the closing bar what may be played is tones of this chord, and some may all ring."""
        terms = state.bar_terms
        terms.chords = []
        if terms.closes:
            terms.closing_chord = chord
            terms.open = self._open_slots(plan, state)
            terms.owed = [slot for slot in terms.owed if slot in terms.open]

    def _open_slots(self, plan: Plan, state: State) -> list[int]:
        """Tracks that have room for a note or a pedal in this bar."""
        stop = state.bar_terms.onset_stop
        return [
            slot
            for slot, part in enumerate(state.parts)
            if part.pedal_end - state.bar_start < stop
            or grammar.first_free(state, slot, self.closing.palette(plan, state, slot)) < stop
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
        fewest, most = note_counts(plan, state, slot)
        palette = self.closing.palette(plan, state, slot)
        bias = pitch_bias(plan, state, others, chords) if plan.steering else None
        state.cell_terms = CellTerms(
            palette,
            grammar.last_step(plan, state) if reach is None else reach,
            owed=max(fewest, slot in bar.called),
            spaced=fewest,
            most=most,
            at_once=chord_size(plan, state, slot),
            is_over=slot in bar.copies,
            width=int(palette.sum()),
            ringing=int((state.part.ends > state.bar_start).sum()),
            bias=bias,
            basses=tuple(
                (step, None if bass is None else pitch_class_ids(bass))
                for step, bass in basses_of(plan, state, slot)
            ),
        )
        return state.cell_terms


def pitch_bias(
    plan: Plan,
    state: State,
    others: Sequence[Sounding] | None,
    chords: Sequence[tuple[int, int]] | None,
) -> Floats | None:
    """What is added to scores of values in the open cell, see `CellTerms`; None for drums."""
    slot, start, steps = state.slot, state.bar_start, state.bar_steps
    if state.part.program == DRUM_PROGRAM:
        return None
    if others is None:
        others = [note[:3] for note in state.sounding if note[3] != slot]
    known = state.chords[-8:] if chords is None else chords
    in_force = [(step - start, chord) for step, chord in known]
    earlier = [place for place, (step, _) in enumerate(in_force) if step <= 0]
    harmony = off_harmony(in_force[max(earlier, default=0) :], state.key, steps)
    agreement = harmony - np.float32(CLASH) * clashes(others, start, steps)
    bias = np.zeros((steps, WORDS.pitch.stop), dtype=np.float32)
    bias[:, WORDS.pitch.start :] = np.float32(plan.steering) * agreement
    return bias


def key_of_notes(rows: Sequence[Row]) -> int:
    """Value id of the key that the notes of some rows are in; 0 where none has a pitch."""
    array = np.array(rows)
    pitched = (array[:, v.KIND] == Kind.NOTE) & (array[:, v.VALUE] < WORDS.pitch.stop)
    if not pitched.any():
        return 0
    steps = v.DURATIONS[WORDS.duration.number(array[pitched, v.EXTENT])].astype(np.float64)
    pitches = WORDS.pitch.number(array[pitched, v.VALUE])
    best = int(key_scores(np.bincount(pitches % 12, steps, 12).astype(np.float64)).argmax())
    is_minor, tonic = divmod(best, 12)
    return WORDS.key.id(2 * tonic + is_minor)
