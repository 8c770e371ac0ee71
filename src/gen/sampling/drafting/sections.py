"""What the sections of a piece ask of its tracks: who rests in a break, how a build grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.masks import Mask, span
from gen.sampling.drafting.state import BarTerms, State
from gen.sampling.planning.plan import Plan
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS
from gen.tokens.word_ids import section_id

RESTS_IN_A_BREAK: Final = {"main_melody": 0.7, "sub_melody": 0.55}
"""Share of the breaks of works in which a track of this role is silent, of others one in twenty."""
THINNED: Final = 0.62
"""Most notes of a track in a bar of a break, by what it had before."""
BUILD: Final = (0.7, 1.6)
"""Notes of a track in the first and last bar of a build, by what it had before."""
BARS_OF_A_BUILD: Final = 4
"""Where nobody knows when it ends."""

_BREAK, _BUILD, _INTRO, _ENDING = map(section_id, ("break", "build", "intro", "ending"))


class Sections:
    """In a break the lead rests, and in a build every track has more notes from bar to bar.

    Args:
        seed: of who rests.
    """

    def __init__(self, seed: int | Sequence[int] = 0) -> None:
        self.seed = (seed,) if isinstance(seed, int) else tuple(seed)
        self.rests: dict[int, set[int]] = {}  # by first bar of a break

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Let tracks rest, or say how dense each is to be."""
        starts = sorted(first for first in state.sections if first <= state.bar)
        if not starts or terms.closes:
            return
        first, section = starts[-1], state.sections[starts[-1]]
        is_open = not plan.densities and state.bar not in plan.bar_densities
        if section == _BREAK and len(state.sections) > 1:
            if first not in self.rests:
                self.rests[first] = self._resting(state, first)
            terms.open = [slot for slot in terms.open if slot not in self.rests[first]]
            if is_open:
                self._tell(state, terms, THINNED, least=0)
        if section == _BUILD and is_open:
            share = (state.bar - first) / max(self._length(plan, state, first) - 1, 1)
            grown = BUILD[0] + (BUILD[1] - BUILD[0]) * min(share, 1)
            self._tell(state, terms, grown, least=0.85)

    @staticmethod
    def _tell(state: State, terms: BarTerms, factor: float, least: float) -> None:
        """Give each track so many times the notes that it had, `least` of them at least."""
        for slot in terms.open:
            part = state.parts[slot]
            if part.cells:
                notes = factor * part.notes / part.cells
                terms.counts[slot] = int(least * notes), max(math.ceil(notes), 1)
                terms.densities[slot] = _density(state, notes)

    def _resting(self, state: State, first: int) -> set[int]:
        """The tracks that are silent in a break; the bass, and one more, always play on."""
        chance = np.random.default_rng([*self.seed, first])
        draws = [chance.random() for _ in state.parts]
        known = any(part.role for part in state.parts)
        lead = None if known else _highest(state)
        resting = [
            slot
            for slot, part in enumerate(state.parts)
            if slot == lead
            or (part.role and draws[slot] < RESTS_IN_A_BREAK.get(ROLES[part.role - 1], 0))
        ]
        playing = [s for s, part in enumerate(state.parts) if part.program != DRUM_PROGRAM]
        return set(resting) if len(playing) - len(resting) > 0 else set(resting[1:])

    @staticmethod
    def _length(plan: Plan, state: State, first: int) -> int:
        after = [bar for bar in state.sections if bar > first]
        return min(after, default=min(plan.limit, first + BARS_OF_A_BUILD)) - first


def has_begun(plan: Plan, state: State) -> bool:
    """Whether the first section that is no introduction is there."""
    starts = sorted(state.sections)
    body = [bar for bar in starts if state.sections[bar] != _INTRO]
    due = body[0] if body else min(plan.limit // 4, 4)
    return state.bar >= due


def may_rest(plan: Plan, state: State) -> bool:
    """Whether drums that have begun may be silent: in a break, and in how a piece ends.

    In all other sections of works they are in .004 of the bars.
    """
    starts = [first for first in state.sections if first <= state.bar]
    section = state.sections[max(starts)] if starts else 0
    return state.bar_terms.closes or section in (_BREAK, _ENDING)


def _highest(state: State) -> int | None:
    """The highest of three or more melodic tracks, by its notes so far."""
    pitched = [slot for slot, part in enumerate(state.parts) if part.pitch_sum]
    if len(pitched) < 3:
        return None
    return max(pitched, key=lambda slot: state.parts[slot].mean_pitch)


def _density(state: State, notes: float) -> Mask:
    """The density ids of a cell with so many notes."""
    number = int(np.searchsorted(v.DENSITIES, notes * v.STEPS_PER_QUARTER / state.bar_steps))
    return span(v.FIELD_SIZES[v.EXTENT], WORDS.density.id(number))
