"""How a part goes on from what it had: by steps, through its chord, and not in parallel.

A melody goes by steps: of the intervals of the starter house's melodies .46 are steps and .06 are
none; of those that the model writes by itself .38 and .08. The outer voices of a chorale avoid
parallel fifths and octaves: in the chorales of the starter house melody and bass move so in 13 of
1,039 moves in one direction; in works of any other genre in 3 to 33 of a hundred, so that nothing
is held against it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np

from gen.sampling.drafting.closing import Closing
from gen.sampling.drafting.home import MELODIES
from gen.sampling.drafting.state import CHORALE, SIXTEENTH, BarTerms, PartNote, State, duration_of
from gen.sampling.drafting.steering import (
    FORBIDDEN,
    PARALLEL,
    PITCHES,
    UNHEARD,
    Bools,
    Floats,
    parallels,
)
from gen.sampling.planning.plan import Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

_ALL: Final = np.arange(128)

STEP, AGAIN = 0.4, 0.4
"""For a pitch one or two semitones from the one before; of the same pitch."""
VOICE_STEP, VOICE_AGAIN = 2.0, 1.5
"""The same for every voice of a chorale by the sixth rules: of the moves of those of works .46 are
steps and .12 none, without it .33 and .19."""


# Lines ----------------------------------------------------------------------------------


def sings(plan: Plan, state: State) -> bool:
    """Whether the open cell is a melody's, which by the fifth rules goes on by steps.

    So it is not kept to the chord of the moment, in a file either: rewritten melodies that were
    had .19 of steps, where those of works have .43.
    """
    return plan.rules.leads_melodies and state.part.role in MELODIES


def onwards(plan: Plan, state: State, row: Row) -> Floats | None:
    """The bias of ids of the value field up to the last pitch for the next note of a line. (ids,).

    That is a melody, and by the sixth rules every voice of a chorale; None of what is no line, for
    its first note, and for one that begins with another.

    Args:
        plan: of the piece.
        state: within a cell.
        row: the note, with its position.
    """
    is_voice = plan.rules.steps_in_voices and state.genre == CHORALE
    is_with_another = WORDS.position.number(row[v.POSITION]) == state.position and state.cell_notes
    if is_with_another or not state.part.latest or not (is_voice or sings(plan, state)):
        return None
    return _from(state.part.latest, *((VOICE_STEP, VOICE_AGAIN) if is_voice else (STEP, AGAIN)))


def unheard(state: State, row: Row) -> Floats:
    """The bias of ids up to the last pitch for tones of the chord that are not in the cell. (ids,).

    Args:
        state: within a cell whose terms name the tones.
        row: the note, with its position.
    """
    bias = np.zeros(WORDS.pitch.stop, dtype=np.float32)
    assert state.cell_terms.tones is not None  # noqa: S101 - a precondition
    tones = state.cell_terms.tones[WORDS.position.number(row[v.POSITION])].copy()
    for earlier in reversed(state.rows):
        if earlier[v.KIND] != Kind.NOTE:
            break
        tones[WORDS.pitch.number(earlier[v.VALUE]) % 12 :: 12] = False
    bias[WORDS.pitch.start :] = UNHEARD * tones
    return bias


@cache
def _from(pitch_id: int, step: float, again: float) -> Floats:
    bias = np.zeros(WORDS.pitch.stop, dtype=np.float32)
    away = np.abs(np.arange(PITCHES) - WORDS.pitch.number(pitch_id))
    bias[WORDS.pitch.start :] = step * np.isin(away, (1, 2)) - again * (away == 0)
    return bias


# Parallels --------------------------------------------------------------------------------


def against_parallels(plan: Plan, state: State, row: Row, bias: Floats) -> Floats:
    """The bias of pitches at a step, less where the outer voices would move in parallel. (ids,).

    By the fourth rules such a pitch is drawn only where no other may be. What is sure to come in
    this bar counts, chords that one track plays alone do, and so do moves across a rest; and no
    bass moves so with the highest part even where another part lies below it.
    """
    now = state.bar_start + WORDS.position.number(row[v.POSITION])
    if not plan.rules.counts_rests:
        heard = state.sounding
        before = [p for begin, end, p, _ in heard if begin < now and end > now - SIXTEENTH]
        others = [p for begin, end, p, s in heard if begin <= now < end and s != state.slot]
        return _less(bias, parallels(before, others, _ALL), PARALLEL)
    notes = [*state.sounding, *coming(state)]
    before_all = _sounded(notes, now)
    others = [pitch for begin, end, pitch, _ in notes if begin <= now < end]
    bias = _less(bias, parallels(before_all, others, _ALL), FORBIDDEN)
    own = [pitch for begin, end, pitch, slot in notes if slot == state.slot and begin < now]
    if own and others and before_all and state.slot in Closing.basses(plan, state):
        found = parallels([own[-1], max(before_all)], [max(others)], _ALL)
        bias = _less(bias, found & (max(others) > _ALL), PARALLEL)
    return bias


def coming(state: State) -> list[PartNote]:
    """Notes of this bar that come back in parts which are not written yet."""
    return [note for note in state.bar_terms.coming if note[3] > state.slot]


def notes_of(cell: Iterable[Row], bar_start: int, slot: int) -> list[PartNote]:
    """The pitched notes of a cell that begins at a grid step."""
    found = []
    for row in cell:
        if row[v.KIND] == Kind.NOTE and row[v.VALUE] < WORDS.pitch.stop:
            begin = bar_start + WORDS.position.number(row[v.POSITION])
            found.append((begin, begin + duration_of(row), WORDS.pitch.number(row[v.VALUE]), slot))
    return found


def joins(state: State, terms: BarTerms, cell: Sequence[Row], slot: int) -> bool:
    """Whether a cell may come back in a bar; then it is among what comes.

    One of a chorale may not where it would begin in parallel with others that come back.
    """
    notes = notes_of(cell, state.bar_start, slot)
    if state.genre == CHORALE and _enters_in_parallel(state, [*terms.coming, *notes]):
        return False
    terms.coming += notes
    return True


def _enters_in_parallel(state: State, notes: Sequence[PartNote]) -> bool:
    first = min((begin for begin, *_ in notes), default=0)
    now = [pitch for begin, _, pitch, _ in notes if begin == first]
    before = _sounded(state.sounding, first)
    return bool(now) and bool(parallels(before, now, np.array(now))[0])


def _sounded(notes: Sequence[PartNote], now: int) -> list[int]:
    """Pitches of the latest moment before a step at which two sounded."""
    earlier = [note for note in notes if note[0] < now]
    for moment in sorted({min(end, now) for _, end, _, _ in earlier}, reverse=True):
        found = [p for begin, end, p, _ in earlier if begin < moment and end > moment - SIXTEENTH]
        if len(set(found)) > 1:
            return found
    return []


def _less(bias: Floats, found: Bools, weight: float) -> Floats:
    if not found.any():
        return bias
    result = bias.copy()
    result[WORDS.pitch.start :] -= np.float32(weight) * found
    return result
