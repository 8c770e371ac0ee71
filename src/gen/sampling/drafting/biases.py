"""What is added to the model's scores in the cell that is being written, see `steering`.

V ids of the value field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gen.harmony import GENRES
from gen.piece import DRUM_PROGRAM
from gen.sampling.drafting.home import hold_of, off_harmony, towards
from gen.sampling.drafting.state import BASS_PROGRAMS, KICK_AND_SNARE, State
from gen.sampling.drafting.steering import (
    CHORD_ALONE,
    CHORDAL,
    CLASH,
    DOUBLED,
    FARTHEST,
    FIRM_CLASH,
    FIRM_HELD,
    FIRM_OFF_CHORD,
    LATER_CLASH,
    LONGEST,
    OFF_ROOT,
    PITCH_CLASSES,
    ROOT_FIRST,
    Bools,
    Floats,
    Sounding,
    clashing,
    doubled,
    fits_chord,
    in_chord,
    off_chord,
    off_root,
    soon,
)
from gen.sampling.drafting.voice_leading import coming, sings
from gen.sampling.planning.plan import Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

Chords = Sequence[tuple[int, int]]
"""Grid step and value id of each."""

MOST_ROLLING: Final = 2
"""Bars of kick and snare alone, after which other drums are called for, more with each bar."""

HALF_NOTE: Final = 2 * v.STEPS_PER_QUARTER
MOST_ROLLING_BIAS: Final = 4
FIRM_ROLLING_BIAS: Final = 12
"""The same in a piece from nothing by the third rules."""
CLOSED_HI_HAT: Final = 42
CRASH: Final = 49
MARCH: Final = WORDS.genre.id(GENRES.index("march"))
"""Whose side drum and bass drum are by themselves in .4 of the bars of works, and were in .8 of
those of pieces while marches were left alone."""
FEWEST_BARS_TO_HEAR: Final = 4
"""Before which a piece is too short to be heard in one key or another."""


def biases(
    plan: Plan,
    state: State,
    others: Sequence[Sounding] | None,
    chords: Chords | None,
) -> tuple[Floats | None, Bools | Floats | None]:
    """What is added to scores of values in the open cell, and its `near`, see `CellTerms`."""
    slot, start, steps = state.slot, state.bar_start, state.bar_steps
    if state.part.program == DRUM_PROGRAM:
        return other_drums(plan, state), None
    given = others is not None
    if others is None:
        others = [note[:3] for note in state.sounding if note[3] != slot]
        others += [note[:3] for note in coming(state)]
        others += [note[:3] for note in state.bar_terms.next_bar if note[3] != slot]
    held = _held(state, chords)
    hold = hold_of(plan.rules, state.part.role, plan.scale)
    agreement = off_harmony(held, state.key, steps, hold)
    is_firm = given and plan.rules.holds_firmly
    near: Bools | Floats = clashing(others, start, steps + (LONGEST if is_firm else FARTHEST))
    if given and plan.rules.covers_chords:
        near = near.astype(np.float32)
        near[:steps] *= np.where(fits_chord(others, held, start, steps), np.float32(CHORDAL), 1)
    agreement -= np.float32(CLASH) * soon(near, steps)
    if plan.rules.pulls_home and state.bar >= FEWEST_BARS_TO_HEAR and not given:
        agreement += towards(state.key, state.heard, hold)[PITCH_CLASSES]
    if given and plan.rules.shortens_clashes:
        agreement -= np.float32(LATER_CLASH) * soon(near, steps, HALF_NOTE)
    if is_firm:
        agreement += np.float32(DOUBLED) * doubled(others, start, steps)
        agreement -= np.float32(FIRM_CLASH - CLASH) * soon(near, steps)
        near = near * np.float32(FIRM_HELD)
    if given and plan.rules.keeps_to_chords:
        is_covered = plan.rules.covers_chords
        beside, upper = (CHORD_ALONE, ROOT_FIRST) if is_covered else (FIRM_OFF_CHORD, OFF_ROOT)
        if not sings(plan, state):
            agreement -= np.float32(beside) * off_chord(held, steps)
        if begins_on_roots(state):
            agreement -= np.float32(upper) * off_root(held, steps)
    bias = np.zeros((steps, WORDS.pitch.stop), dtype=np.float32)
    bias[:, WORDS.pitch.start :] = np.float32(plan.steering) * agreement
    return bias, near if plan.rules.shortens_clashes else None


def chord_to_cover(
    plan: Plan, state: State, others: Sequence[Sounding] | None, chords: Chords | None
) -> Bools | None:
    """Which pitches the chord of each step has, for a part that is to have all its tones. (S, 128).

    That is one written beside others by the fifth rules, unless it is a bass or a melody; None for
    all others.
    """
    is_excepted = state.part.program == DRUM_PROGRAM or begins_on_roots(state) or sings(plan, state)
    if others is None or not plan.rules.covers_chords or is_excepted:
        return None
    return in_chord(_held(state, chords), state.bar_steps)


def begins_on_roots(state: State) -> bool:
    """Whether the open cell is of a bass, or of a bass instrument whatever its role."""
    return state.part.is_bass or state.part.program in BASS_PROGRAMS


def _held(state: State, chords: Chords | None) -> list[tuple[int, int]]:
    """The chords in force in the bar: step of it, which may lie before it, and value id."""
    known = state.chords[-8:] if chords is None else chords
    in_force = [(step - state.bar_start, chord) for step, chord in known]
    earlier = [place for place, (step, _) in enumerate(in_force) if step <= 0]
    return in_force[max(earlier, default=0) :]


def other_drums(plan: Plan, state: State) -> Floats | None:
    """What is added to scores of drum sounds after bars of kick and snare alone; None before."""
    surplus = state.rolled + 1 - MOST_ROLLING
    if not plan.rules.varies_drums or surplus <= 0 or is_left_alone(plan, state):
        return None
    is_firm = plan.rules.holds_firmly and not state.given_bars
    most = FIRM_ROLLING_BIAS if is_firm else MOST_ROLLING_BIAS
    known = np.flatnonzero(state.part.ends[WORDS.drum.start : WORDS.drum.stop])
    others = set(known.tolist()) - KICK_AND_SNARE or {
        CRASH if state.genre == MARCH else CLOSED_HI_HAT
    }
    bias = np.zeros((state.bar_steps, WORDS.drum.stop), dtype=np.float32)
    bias[:, [WORDS.drum.id(sound) for sound in others]] = min(surplus, most)
    return bias


def is_left_alone(plan: Plan, state: State) -> bool:
    """Whether kick and snare may go on by themselves: those of a march, at first."""
    return state.genre == MARCH and not plan.rules.varies_marches


def rolls(plan: Plan, state: State, most: int = MOST_ROLLING) -> bool:
    """Whether so many bars of kick and snare alone went before, where they are not left alone."""
    return state.rolled >= most and not is_left_alone(plan, state)


def rolls_on(plan: Plan, state: State, slot: int, cell: list[Row]) -> bool:
    """Whether a cell of drums would go on with kick and snare alone."""
    is_roll = rolls(plan, state) and state.parts[slot].program == DRUM_PROGRAM
    return is_roll and not has_other_drums(cell)


def has_other_drums(cell: list[Row]) -> bool:
    """Whether drums other than kick and snare are struck in a cell."""
    struck = {WORDS.drum.number(row[v.VALUE]) for row in cell if row[v.KIND] == Kind.NOTE}
    return not struck <= KICK_AND_SNARE
