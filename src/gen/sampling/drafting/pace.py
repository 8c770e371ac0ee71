"""How many notes a second, at tempos that no work has.

Works of 50 to 180 quarters a minute have about as many notes a quarter at one tempo as at another:
there the model is left alone. Beyond that it would go on with as many, which is half of what the
slowest works have in a second, and more than anybody plays.
"""

from __future__ import annotations

from typing import Final

from gen.piece import ROLES
from gen.sampling.drafting.state import State
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS

SLOWEST, FASTEST = 50.0, 180.0
"""Tempos of the works, in quarters a minute."""
FEWEST_A_SECOND: Final = 0.5
"""Notes of a track that plays; of works below 65 quarters a minute 0.33 to 2.4, half above 0.7."""
MOST_A_SECOND: Final = 12
"""Onsets of a track one after the other: sixteenths at the fastest tempo of the works."""
PAD: Final = ROLES.index("pad") + 1


def fewest(state: State) -> int:
    """Notes that a cell of this bar has at least: above none only below every work's tempo."""
    tempo = _tempo(state)
    if tempo >= SLOWEST or state.part.role == PAD or state.bar_terms.closes:
        return 0
    return int(FEWEST_A_SECOND * state.bar_steps / v.STEPS_PER_QUARTER * 60 / tempo)


def spacing(state: State) -> int:
    """Grid steps from one onset to the next: more than one only above every work's tempo."""
    tempo = _tempo(state)
    if tempo <= FASTEST:
        return 1
    return -int(-tempo * v.STEPS_PER_QUARTER / 60 // MOST_A_SECOND)


def _tempo(state: State) -> float:
    """Quarters a minute in force; before the first tempo one that works have."""
    return float(v.TEMPOS[WORDS.tempo.number(state.tempo)]) if state.tempo else SLOWEST
