"""The words of a MidiTok vocabulary by type, and how it counts time.

Places and lengths are counted as MidiTok counts them, in twelfths of a beat, which the denominator
of the meter says. V words of a field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gen.tokens import vocabulary as v
from gen.tokens.miditok_tokens import EOS, MidiTokTokens

Mask = NDArray[np.bool_]


class FieldWords:
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
        self._spans: dict[tuple[str, float, float, int], Mask] = {}

    def of(self, kind: str) -> Mask:
        """Words of a type, (V,), not to be written to."""
        return self._of[kind]

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """What each word says as a number, nan for those that say none, (V,)."""
        return np.array([_number(value) for value in self.values], dtype=np.float64)

    def span(self, kind: str, low: float, high: float, every: int = 1) -> Mask:
        """Words of a type whose numbers lie in a range, and are multiples of `every`.

        Not to be written to: a grammar asks for the same few at each word.
        """
        asked = kind, low, high, every
        if asked not in self._spans:
            found: Mask = self.of(kind) & (self.numbers >= low) & (self.numbers <= high)
            if every > 1:
                found &= self.numbers % every == 0
            found.setflags(write=False)
            self._spans[asked] = found
        return self._spans[asked]

    @cached_property
    def _by_number(self) -> dict[tuple[str, float], int]:
        return {(kind, self.numbers[i]): i for i, kind in enumerate(self.types)}

    def among(self, kind: str, numbers: Iterable[int]) -> Mask:
        """Words of a type whose numbers are among these."""
        found = self.none.copy()
        found[[self._by_number[kind, n] for n in numbers if (kind, n) in self._by_number]] = True
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


_FIELDS: dict[tuple[str, type], list[FieldWords]] = {}


def words_of(tokens: MidiTokTokens) -> list[FieldWords]:
    """Its words by field; made once for each tokenization."""
    name = tokens.name, tokens.kind
    if name not in _FIELDS:
        _FIELDS[name] = [FieldWords(words) for words in tokens.words]
    return _FIELDS[name]
