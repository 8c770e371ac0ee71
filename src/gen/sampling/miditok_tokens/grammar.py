"""What may come next in a piece of MidiTok's tokens: its own graph of types, and the plan.

Positions and lengths are counted as MidiTok counts them, in twelfths of a beat, which the
denominator of the meter tells. V words of a field.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.sampling.miditok_tokens.plan import TokenPlan
from gen.tokens import vocabulary as v
from gen.tokens.miditok_tokens import EOS, MidiTokTokens

Mask = NDArray[np.bool_]
MOST_IN_A_BAR: Final = 1200
"""Tokens after which a bar is to come to its end."""
_DRUMS: Final = -1
_LONGEST: Final = 10_000
_COARSEST: Final = 4
"""A step of the grid, in places, where beats are sixteenths: on the grid in every meter."""


class Words:
    """The words of one field by type.

    Args:
        words: of the field, by id.
    """

    def __init__(self, words: Sequence[str]) -> None:
        parts = [word.partition("_") for word in words]
        self.types = [kind for kind, _, _ in parts]
        self.values = [value for _, _, value in parts]
        self.none: Mask = np.zeros(len(words), dtype=np.bool_)
        self.end: Mask = np.arange(len(words)) == EOS
        self._of = {kind: np.array([kind == one for one in self.types]) for kind in set(self.types)}

    def of(self, kind: str) -> Mask:
        """Words of a type, (V,), not to be written to."""
        return self._of[kind]

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """What each word says as a number, nan for those that say none, (V,)."""
        return np.array([_number(value) for value in self.values], dtype=np.float64)

    def span(self, kind: str, low: float, high: float, every: int = 1) -> Mask:
        """Words of a type whose numbers lie in a range, and are multiples of `every`."""
        found: Mask = self.of(kind) & (self.numbers >= low) & (self.numbers <= high)
        if every > 1:
            found &= self.numbers % every == 0
        return found

    def nearest(self, kind: str, number: float) -> Mask:
        """The word of a type that is nearest to a number."""
        distance = np.where(self.of(kind), np.abs(self.numbers - number), np.inf)
        found: Mask = np.arange(len(distance)) == int(distance.argmin())
        return found

    def named(self, kind: str, value: str) -> Mask:
        """The word of a type that says this."""
        found: Mask = self.of(kind) & np.isin(self.values, [value])
        return found


def _number(text: str) -> float:
    """Of `60` 60; of a length in beats, twelfths and their resolution, `1.6.12`, 18."""
    parts = text.split(".")
    try:
        if len(parts) == 3:
            return int(parts[0]) * v.STEPS_PER_QUARTER + int(parts[1])
        return float(text)
    except ValueError:
        return float("nan")


def bar_length(meter: str) -> int:
    """Places in a bar of a meter, such as `6/8`."""
    return int(meter.partition("/")[0]) * v.STEPS_PER_QUARTER


def grid_step(meter: str) -> int:
    """Places from one step of the house's grid to the next: two where a beat is an eighth."""
    return max(int(meter.partition("/")[2]) // 4, 1)


class Place:
    """Where a piece stands: what both grammars keep count of."""

    def __init__(self, plan: TokenPlan) -> None:
        self.plan = plan
        self.bar, self.step, self.meter = -1, -1, ""
        self.struck: set[tuple[int, int]] = set()  # program and pitch, at this place
        self.notes_in_bar = self.tokens_in_bar = 0
        self.owed = set(plan.programs)  # instruments that have not played

    def copied(self) -> Place:
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


class Flat(Place):
    """A piece of one token after another: REMI, TSD.

    Args:
        tokens: the tokenization.
        plan: what is asked.
    """

    def __init__(self, tokens: MidiTokTokens, plan: TokenPlan) -> None:
        super().__init__(plan)
        self.tokens, self.words = tokens, _words_of(tokens)[0]
        self.has_bars = "Bar" in self.words.types
        self.graph = tokens.tokenizer.tokens_types_graph
        self.type, self.program, self.has_tempo = "BOS", 0, False
        if not self.has_bars:
            self.begin_bar()

    def copied(self) -> Flat:
        result = super().copied()
        assert isinstance(result, Flat)  # noqa: S101 - a copy of this
        return result

    # What may come next ----------------------------------------------------------------------

    def mask(self, field: int = 0, row: Sequence[int] = ()) -> Mask:
        """Tokens without byte-pair encoding that may come next, (V,)."""
        del field, row
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
            return words.span(kind, 1, _LONGEST, grid_step(self.meter))
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
        asked = self.plan.programs or range(_DRUMS, 128)
        if self.is_full and self.owed:
            asked = tuple(self.owed)
        if kind == "Pedal":
            free = [program for program in asked if program != _DRUMS]
        else:
            busy = {program for program, _ in self.struck}
            free = [p for p in asked if p not in busy or self._pitches_of(p).any()]
        return self.words.of(kind) & np.isin(self.words.numbers, free)

    def _pitches(self, kind: str) -> Mask:
        is_drum = kind == "PitchDrum"
        if is_drum != (self.program == _DRUMS):
            return self.words.none
        return self._pitches_of(self.program)

    def _pitches_of(self, program: int) -> Mask:
        return _free_pitches(self.words, self.plan, program, self.struck)

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

    def after(self, word: int) -> Flat | None:
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


class Compound(Place):
    """A piece of rows of eight fields: Octuple, in the order that MidiTok gives them.

    Args:
        tokens: the tokenization.
        plan: what is asked.
    """

    def __init__(self, tokens: MidiTokTokens, plan: TokenPlan) -> None:
        super().__init__(plan)
        self.words = _words_of(tokens)
        self.field = {name: number for number, name in enumerate(tokens.fields)}
        self.bar = 0

    def mask(self, field: int, row: Sequence[int]) -> Mask:
        """Ids of a field that may come next, given the fields of the row before it, (V,)."""
        words = self.words[field]
        if field and row[0] == EOS:
            return words.end
        name = next(name for name, number in self.field.items() if number == field)
        found: Mask = getattr(self, f"_{name}")(words, row)
        if not found.any():
            raise HouseError(f"no {name} may follow in bar {self.bar + 1}")
        return found

    def _programs_free(self, pitch: int, *, is_drum: bool, here: bool) -> list[int]:
        """What may play a pitch, at this very place or at a later one."""
        if is_drum:
            asked: Sequence[int] = [p for p in self.plan.programs or (_DRUMS,) if p == _DRUMS]
        else:
            asked = [p for p in self.plan.programs or range(128) if p != _DRUMS]
        if self.is_full and self.owed:
            asked = [program for program in asked if program in self.owed]
        return [p for p in asked if not here or (p, pitch) not in self.struck]

    def _is_stuck(self) -> bool:
        """Whether only this very place is left."""
        if not self.is_last_bar or not self.meter:
            return False
        return self.step >= bar_length(self.meter) - grid_step(self.meter)

    def _pitch(self, words: Words, row: Sequence[int]) -> Mask:
        del row
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

    def _position(self, words: Words, row: Sequence[int]) -> Mask:
        meter = self.meter or self.plan.meter
        longest = max(bar_length(f"{n}/{d}") for n, d in v.TIME_SIGNATURES)
        first = 0
        if self.is_last_bar:
            first = max(self.step + (0 if self._can_stay(row) else 1), 0)
        if not meter:
            return words.span("Position", first, longest - 1, _COARSEST)
        return words.span("Position", first, bar_length(meter) - 1, grid_step(meter))

    def _bar(self, words: Words, row: Sequence[int]) -> Mask:
        step = self._value(row, "position")
        is_later = step > self.step or (step == self.step and self._can_stay(row))
        stays = is_later and (not self.is_full or self.is_last_bar)
        first = self.bar if stays else self.bar + 1
        return words.span("Bar", first, self.plan.most_bars - 1)

    def _velocity(self, words: Words, row: Sequence[int]) -> Mask:
        return words.span("Velocity", *self.plan.velocities)

    def _duration(self, words: Words, row: Sequence[int]) -> Mask:
        meter = self.meter or self.plan.meter
        return words.span("Duration", 1, _LONGEST, grid_step(meter) if meter else _COARSEST)

    def _program(self, words: Words, row: Sequence[int]) -> Mask:
        pitch, is_drum = self._sound(row)
        here = (self._value(row, "bar"), self._value(row, "position")) == (self.bar, self.step)
        free = self._programs_free(pitch, is_drum=is_drum, here=here)
        return words.of("Program") & np.isin(words.numbers, free)

    def _tempo(self, words: Words, row: Sequence[int]) -> Mask:
        tempo = self.plan.tempo
        return words.of("Tempo") if tempo is None else words.nearest("Tempo", tempo)

    def _timesig(self, words: Words, row: Sequence[int]) -> Mask:
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


def _free_pitches(
    words: Words, plan: TokenPlan, program: int, struck: set[tuple[int, int]]
) -> Mask:
    """Pitches that an instrument may strike now."""
    is_drum = program == _DRUMS
    found = words.span("PitchDrum", 0, 127) if is_drum else words.span("Pitch", *plan.pitches)
    taken = [pitch for other, pitch in struck if other == program]
    return found & ~np.isin(words.numbers, taken) if taken else found


_FIELDS: dict[str, list[Words]] = {}


def _words_of(tokens: MidiTokTokens) -> list[Words]:
    """Its words by field; made once for each tokenization."""
    if tokens.name not in _FIELDS:
        _FIELDS[tokens.name] = [Words(words) for words in tokens.words]
    return _FIELDS[tokens.name]
