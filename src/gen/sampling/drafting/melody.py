"""What a part has had in a bar leads on: a melody by steps, an accompaniment through its chord.

Of the intervals of the starter house's melodies .46 are steps and .06 are none; of those that the
model writes by itself .38 and .08.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from gen.sampling.drafting.home import MELODIES
from gen.sampling.drafting.state import State
from gen.sampling.drafting.steering import PITCHES, UNHEARD, Floats
from gen.sampling.plan import Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

STEP: Final = 0.4
"""For a pitch one or two semitones from the one before."""
AGAIN: Final = 0.4
"""Of the same pitch."""


def sings(plan: Plan, state: State) -> bool:
    """Whether the open cell is a melody's, which by the fifth rules goes on by steps.

    So it is not kept to the chord of the moment, in a file either: rewritten melodies that were
    had .19 of steps, where those of works have .43.
    """
    return plan.rules > 4 and state.part.role in MELODIES


def onwards(state: State, row: Row) -> Floats:
    """The bias of ids of the value field up to the last pitch, for a melody's next note. (ids,).

    Nothing for its first note, and for one that begins with another.

    Args:
        state: within a cell.
        row: the note, with its position.
    """
    is_with_another = WORDS.position.number(row[v.POSITION]) == state.position and state.cell_notes
    return _from(0 if is_with_another else state.part.latest)


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
def _from(pitch_id: int) -> Floats:
    bias = np.zeros(WORDS.pitch.stop, dtype=np.float32)
    if pitch_id:
        pitches = np.arange(PITCHES)
        away = np.abs(pitches - WORDS.pitch.number(pitch_id))
        bias[WORDS.pitch.start :] = STEP * np.isin(away, (1, 2)) - AGAIN * (away == 0)
    return bias
