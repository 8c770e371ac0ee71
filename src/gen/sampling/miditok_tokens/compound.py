"""What may come next in a piece of Octuple, field by field: the plan, and what is free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gen.errors import HouseError
from gen.sampling.miditok_tokens.plan import TokenPlan
from gen.sampling.miditok_tokens.state import COARSEST, DRUMS, LONGEST, TokenState
from gen.sampling.miditok_tokens.words import FieldWords, Mask, bar_length, grid_step, words_of
from gen.tokens import vocabulary as v
from gen.tokens.miditok_tokens import EOS, MidiTokTokens


class CompoundGrammar(TokenState):
    """A piece of rows of eight fields: Octuple, in the order that MidiTok gives them.

    Args:
        tokens: the tokenization.
        plan: what is asked.
    """

    def __init__(self, tokens: MidiTokTokens, plan: TokenPlan) -> None:
        super().__init__(plan)
        self.words = words_of(tokens)
        self.names = tokens.fields
        self.field = {name: number for number, name in enumerate(tokens.fields)}
        self.bar = 0

    def mask(self, field: int, row: Sequence[int]) -> Mask:
        """Ids of a field that may come next, given the fields of the row before it, (V,)."""
        words = self.words[field]
        if field and row[0] == EOS:
            return words.end
        name = self.names[field]
        found = self._of_field(name, words, row)
        if not found.any():
            raise HouseError(f"no {name} may follow in bar {self.bar + 1}")
        return found

    def _of_field(self, name: str, words: FieldWords, row: Sequence[int]) -> Mask:
        """The same of a field with this name, but for the end."""
        match name:
            case "pitch":
                return self._pitches(words)
            case "position":
                return self._positions(words, row)
            case "bar":
                return self._bars(words, row)
            case "velocity":
                return words.span("Velocity", *self.plan.velocities)
            case "duration":
                meter = self.meter or self.plan.meter
                return words.span("Duration", 1, LONGEST, grid_step(meter) if meter else COARSEST)
            case "program":
                return self._programs(words, row)
            case "tempo":
                tempo = self.plan.tempo
                return words.of("Tempo") if tempo is None else words.nearest("Tempo", tempo)
            case _:
                return self._meters(words, row)

    def _programs_free(self, pitch: int, *, is_drum: bool, here: bool) -> list[int]:
        """What may play a pitch, at this very place or at a later one."""
        if is_drum:
            asked: Sequence[int] = [p for p in self.plan.programs or (DRUMS,) if p == DRUMS]
        else:
            asked = [p for p in self.plan.programs or range(128) if p != DRUMS]
        if self.is_full and self.owed:
            asked = [program for program in asked if program in self.owed]
        return [p for p in asked if not here or (p, pitch) not in self.struck]

    def _is_stuck(self) -> bool:
        """Whether only this very place is left."""
        if not self.is_last_bar or not self.meter:
            return False
        return self.step >= bar_length(self.meter) - grid_step(self.meter)

    def _pitches(self, words: FieldWords) -> Mask:
        found = words.none.copy()
        for kind, low, high in (("Pitch", *self.plan.pitches), ("PitchDrum", 0, 127)):
            is_drum = kind == "PitchDrum"
            if self._programs_free(0, is_drum=is_drum, here=False):
                found |= words.span(kind, low, high)
        if self._is_stuck():
            for token in np.flatnonzero(found).tolist():
                pitch, is_drum = self._sound([token])
                found[token] = bool(self._programs_free(pitch, is_drum=is_drum, here=True))
        if self.may_end:
            if self.is_full and self.is_last_bar:
                found[:] = False
            found[EOS] = True
        return found

    def _sound(self, row: Sequence[int]) -> tuple[int, bool]:
        words = self.words[0]
        return int(words.values[row[0]]), words.types[row[0]] == "PitchDrum"

    def _can_stay(self, row: Sequence[int]) -> bool:
        pitch, is_drum = self._sound(row)
        return bool(self._programs_free(pitch, is_drum=is_drum, here=True))

    def _positions(self, words: FieldWords, row: Sequence[int]) -> Mask:
        meter = self.meter or self.plan.meter
        longest = max(bar_length(f"{n}/{d}") for n, d in v.TIME_SIGNATURES)
        first = 0
        if self.is_last_bar:
            first = max(self.step + (0 if self._can_stay(row) else 1), 0)
        if not meter:
            return words.span("Position", first, longest - 1, COARSEST)
        return words.span("Position", first, bar_length(meter) - 1, grid_step(meter))

    def _bars(self, words: FieldWords, row: Sequence[int]) -> Mask:
        step = self._value(row, "position")
        is_later = step > self.step or (step == self.step and self._can_stay(row))
        stays = is_later and (not self.is_full or self.is_last_bar)
        first = self.bar if stays else self.bar + 1
        return words.span("Bar", first, self.plan.most_bars - 1)

    def _programs(self, words: FieldWords, row: Sequence[int]) -> Mask:
        pitch, is_drum = self._sound(row)
        here = (self._value(row, "bar"), self._value(row, "position")) == (self.bar, self.step)
        free = self._programs_free(pitch, is_drum=is_drum, here=here)
        return words.among("Program", free)

    def _meters(self, words: FieldWords, row: Sequence[int]) -> Mask:
        meter = self.meter or self.plan.meter
        if meter:
            return words.named("TimeSig", meter)
        step = self._value(row, "position")
        fits = [f"{n}/{d}" for n, d in v.TIME_SIGNATURES if bar_length(f"{n}/{d}") > step]
        return words.of("TimeSig") & np.isin(words.values, fits)

    def _value(self, row: Sequence[int], name: str) -> int:
        return int(self.words[self.field[name]].values[row[self.field[name]]])

    def take_row(self, row: Sequence[int]) -> None:
        """Go on by one row."""
        if row[0] == EOS:
            return
        bar, step = self._value(row, "bar"), self._value(row, "position")
        if bar > self.bar:
            self.begin_bar(bar - self.bar)
        if step != self.step:
            self.move_to(step)
        self.meter = self.words[self.field["timesig"]].values[row[self.field["timesig"]]]
        pitch, _ = self._sound(row)
        self.strike(self._value(row, "program"), pitch)
        self.tokens_in_bar += 1
