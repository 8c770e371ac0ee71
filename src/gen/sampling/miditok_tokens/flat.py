"""What may come next in a piece of REMI or TSD: MidiTok's own graph of types, and the plan."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.sampling.miditok_tokens.plan import TokenPlan
from gen.sampling.miditok_tokens.state import DRUMS, LONGEST, TokenState
from gen.sampling.miditok_tokens.words import Mask, bar_length, grid_step, words_of
from gen.tokens.miditok_tokens import MidiTokTokens


class FlatGrammar(TokenState):
    """A piece of one token after another: REMI, TSD.

    Args:
        tokens: the tokenization.
        plan: what is asked.
    """

    def __init__(self, tokens: MidiTokTokens, plan: TokenPlan) -> None:
        super().__init__(plan)
        self.tokens, self.words = tokens, words_of(tokens)[0]
        self.has_bars = "Bar" in self.words.types
        self.graph = tokens.tokenizer.tokens_types_graph
        self.type, self.program, self.has_tempo = "BOS", 0, False
        if not self.has_bars:
            self.begin_bar()

    # What may come next ----------------------------------------------------------------------

    def mask(self) -> Mask:
        """Tokens without byte-pair encoding that may come next, (V,)."""
        found = self.words.none.copy()
        for kind in self._types():
            found |= self._of_type(kind)
        if not found.any():
            raise HouseError(f"nothing may follow {self.type} in bar {self.bar + 1}")
        return found

    def _types(self) -> set[str]:
        """Types that may come next; the beginning is as the works have it."""
        if self.type == "BOS":
            return {"Bar"} if self.has_bars else {"TimeSig"}
        if not self.has_tempo:
            opening = {"Bar": "TimeSig", "TimeSig": "Position", "Position": "Tempo"}
            return {opening[self.type]} if self.has_bars else {"Tempo"}
        allowed = set(self.graph[self.type]) - {"PAD", "EOS", "BOS"}
        if self.type == "TimeSig":
            allowed &= {"Position", "Bar", "Program", "TimeShift", "Tempo", "EOS"}
            allowed -= {"Program"} if self.has_bars else set()
        if self.type == "Tempo":
            allowed.discard("TimeSig")
        if self.plan.tempo is not None:
            allowed.discard("Tempo")
        if self.type in ("Duration", "TimeSig", "Tempo") and self.may_end:
            allowed.add("EOS")
        if self.is_full and self.type == "Duration":
            leaving = allowed & {"Bar", "TimeShift", "EOS"}
            leaving = {kind for kind in leaving if kind == "EOS" or self._of_type(kind).any()}
            return leaving or {"Program"}
        return allowed

    def _of_type(self, kind: str) -> Mask:
        words, plan = self.words, self.plan
        if kind == "EOS":
            return words.end
        if kind == "Bar":
            return words.none if self.is_last_bar else words.of(kind)
        if kind == "TimeSig":
            return self._meters()
        if kind == "Tempo" and plan.tempo is not None:
            return words.nearest(kind, plan.tempo)
        if kind == "Position":
            first = self.step + 1 if self.has_tempo else 0
            last = bar_length(self.meter) - 1 if self.has_tempo else 0
            return words.span(kind, first, last, grid_step(self.meter))
        if kind == "TimeShift":
            return words.span(kind, 1, self._steps_left(), grid_step(self.meter))
        if kind == "Duration":
            return words.span(kind, 1, LONGEST, grid_step(self.meter))
        if kind in ("Program", "Pedal"):
            return self._programs(kind)
        if kind in ("Pitch", "PitchDrum"):
            return self._pitches(kind)
        if kind == "Velocity":
            return words.span(kind, *plan.velocities)
        return words.of(kind)

    def _meters(self) -> Mask:
        words, plan = self.words, self.plan
        is_bar_line = self.has_bars or not self.meter or (plan.may_change and self.step == 0)
        if not is_bar_line:
            return words.none
        meter = plan.meter or ("" if plan.may_change else self.meter)
        return words.named("TimeSig", meter) if meter else words.of("TimeSig")

    def _steps_left(self) -> int:
        """Places after this one in the piece, in its meter."""
        length = bar_length(self.meter)
        return (self.plan.most_bars - self.bar) * length - max(self.step, 0) - 1

    def _programs(self, kind: str) -> Mask:
        asked = self.plan.programs or range(DRUMS, 128)
        if self.is_full and self.owed:
            asked = tuple(self.owed)
        if kind == "Pedal":
            free = [program for program in asked if program != DRUMS]
        else:
            busy = {program for program, _ in self.struck}
            free = [p for p in asked if p not in busy or self._pitches_of(p).any()]
        return self.words.among(kind, free)

    def _pitches(self, kind: str) -> Mask:
        is_drum = kind == "PitchDrum"
        if is_drum != (self.program == DRUMS):
            return self.words.none
        return self._pitches_of(self.program)

    def _pitches_of(self, program: int) -> Mask:
        """Pitches that an instrument may strike now."""
        is_drum = program == DRUMS
        kind, span = ("PitchDrum", (0, 127)) if is_drum else ("Pitch", self.plan.pitches)
        taken = [pitch for other, pitch in self.struck if other == program]
        return self.words.span(kind, *span) & ~self.words.among(kind, taken)

    # What has come ---------------------------------------------------------------------------

    def take(self, token: int) -> None:
        """Go on by one token without byte-pair encoding."""
        kind, value = self.words.types[token], self.words.values[token]
        self.tokens_in_bar += 1
        if kind == "Bar":
            self.begin_bar()
        elif kind == "TimeSig":
            self.meter = value
        elif kind == "Position":
            self.move_to(int(value))
        elif kind == "TimeShift":
            self._pass(int(self.words.numbers[token]))
        elif kind == "Program":
            self.program = int(value)
        elif kind in ("Pitch", "PitchDrum"):
            self.strike(self.program, int(value))
        elif kind == "Tempo":
            self.has_tempo = True
        self.type = kind

    def _pass(self, steps: int) -> None:
        length = bar_length(self.meter)
        bars, step = divmod(max(self.step, 0) + steps, length)
        if bars:
            self.begin_bar(bars)
        self.move_to(step)

    def after(self, word: int) -> FlatGrammar | None:
        """Where the piece stands after a word, with byte-pair encoding if there is any.

        Returns:
            None where it may not come next.
        """
        parts = self.tokens.parts[word] if self.tokens.parts else (word,)
        place = self.copied()
        for part in parts:
            if not place.mask()[part]:
                return None
            place.take(part)
        return place

    @cached_property
    def first_parts(self) -> NDArray[np.int64]:
        """The first token of each word with byte-pair encoding, (V,)."""
        if not self.tokens.parts:
            return np.arange(len(self.words.types))
        return np.array([part[0] for part in self.tokens.parts])
