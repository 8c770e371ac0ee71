"""The notes of a new part, to be looked up by when they begin and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.likeness.voices import Ints, Part

_TOLERANCE = 2
"""Notes this near (`TIME_UNIT`ths of a quarter) are at the same time."""
_FAR = 2**40


@dataclass(frozen=True, slots=True)
class SoundingPart:
    """A part's notes, to be looked up by time and pitch class.

    Attributes:
        onsets: (N,) ascending, of all notes.
        chords: times at which a note begins that the chord before has not, ascending.
        keys: (N,) pitch class and time in one number, ascending.
        pitches: (N,) in the order of `keys`.
    """

    onsets: Ints
    chords: Ints
    keys: Ints
    pitches: Ints

    @staticmethod
    def of(part: Part) -> SoundingPart:
        keys = (part.pitches % 12) * _FAR + part.onsets
        order = np.argsort(keys, kind="stable")
        return SoundingPart(part.onsets, _new_chords(part), keys[order], part.pitches[order])

    def find_in_any_mode(self, times: Ints, classes: NDArray[Any]) -> tuple[Ints, int]:
        """As `find`, each class lowered or raised throughout where that finds more."""
        found = np.stack([self.find(times, (classes + change) % 12)[0] for change in (0, -1, 1)])
        tally = [np.bincount(classes, row >= 0, minlength=12) for row in found]
        change = np.argmax(np.stack(tally) - [[0.0], [1.5], [1.5]], axis=0)
        return found[change[classes], np.arange(len(classes))], int((change > 0).sum())

    def find(self, times: Ints, classes: NDArray[Any]) -> tuple[Ints, int]:
        """The note of each class at each time, give or take; -1 where there is none. And 0."""
        wanted = classes.astype(np.int64) * _FAR + times
        places = np.searchsorted(self.keys, wanted - _TOLERANCE)
        near = self.keys[np.minimum(places, len(self.keys) - 1)]
        there = (places < len(self.keys)) & (near <= wanted + _TOLERANCE)
        return np.where(there, places, -1), 0

    def crowd(self, times: Ints) -> tuple[Ints, Ints]:
        """Notes that begin at each time, at least 1; chords between each time and the next."""
        begin = np.searchsorted(self.onsets, times - _TOLERANCE)
        end = np.searchsorted(self.onsets, times + _TOLERANCE, side="right")
        chords = np.searchsorted(self.chords, times + _TOLERANCE, side="right")
        before = np.searchsorted(self.chords, times - _TOLERANCE)
        return np.maximum(end - begin, 1), np.maximum(before[1:] - chords[:-1], 0)


def _new_chords(part: Part) -> Ints:
    """Times at which something new is struck; a chord struck again says nothing new."""
    times, chords = np.unique(part.onsets, return_inverse=True)
    names = chords * 128 + part.pitches
    is_new = ~np.isin(names - 128, names)
    return times[np.unique(chords[is_new])]
