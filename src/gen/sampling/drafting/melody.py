"""What a part has had in a bar leads on: a melody by steps, an accompaniment through its chord.

Of the intervals of the starter house's melodies .46 are steps and .06 are none; of those that the
model writes by itself .38 and .08.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from gen.sampling.drafting.home import MELODIES
from gen.sampling.drafting.state import CHORALE, State
from gen.sampling.drafting.steering import PITCHES, UNHEARD, Floats
from gen.sampling.plan import Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

STEP, AGAIN = 0.4, 0.4
"""For a pitch one or two semitones from the one before; of the same pitch."""
VOICE_STEP, VOICE_AGAIN = 2.0, 1.5
"""The same for every voice of a chorale by the sixth rules: of the moves of those of works .46 are
steps and .12 none, without it .33 and .19."""


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
