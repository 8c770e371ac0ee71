"""Where a piece in MidiTok's tokens stands: what both grammars keep count of."""

from __future__ import annotations

import copy
from typing import Final, Self

from gen.sampling.miditok_tokens.plan import TokenPlan

MOST_IN_A_BAR: Final = 1200
"""Tokens after which a bar is to come to its end."""
DRUMS: Final = -1
"""MidiTok's program of a drum kit."""
LONGEST: Final = 10_000
"""More places than any note lasts."""
COARSEST: Final = 4
"""A step of the grid, in places, where beats are sixteenths: on the grid in every meter."""


class TokenState:
    """Bar, place in it and meter, what is struck there, and which instruments have yet to play."""

    def __init__(self, plan: TokenPlan) -> None:
        self.plan = plan
        self.bar, self.step, self.meter = -1, -1, ""
        self.struck: set[tuple[int, int]] = set()  # program and pitch, at this place
        self.notes_in_bar = self.tokens_in_bar = 0
        self.owed = set(plan.programs)  # instruments that have not played

    def copied(self) -> Self:
        result = copy.copy(self)
        result.struck, result.owed = set(self.struck), set(self.owed)
        return result

    @property
    def is_last_bar(self) -> bool:
        return self.bar >= self.plan.most_bars - 1

    @property
    def may_end(self) -> bool:
        """Whether all that is asked is there."""
        is_there = self.plan.bars is None or self.is_last_bar
        return is_there and self.notes_in_bar > 0 and not self.owed

    @property
    def is_full(self) -> bool:
        """Whether the bar is to come to its end."""
        return self.tokens_in_bar > MOST_IN_A_BAR

    def begin_bar(self, bars: int = 1) -> None:
        self.bar += bars
        self.step = -1
        self.notes_in_bar = self.tokens_in_bar = 0
        self.struck.clear()

    def move_to(self, step: int) -> None:
        self.step = step
        self.struck.clear()

    def strike(self, program: int, pitch: int) -> None:
        self.struck.add((program, pitch))
        self.owed.discard(program)
        self.notes_in_bar += 1
