"""Finds the longest interval runs that a new piece shares with any known one.

An index of winnowed shingles: of each window of shingles the smallest hash is kept, so every
shared run of at least `GUARANTEED_RUN` intervals has a kept shingle in common and is found,
while the index holds about a quarter of all shingles and a look-up is a binary search.

Source: Schleimer, Wilkerson & Aiken 2003, "Winnowing: local algorithms for document
fingerprinting".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gen.provenance.voices import SHINGLE_INTERVALS, Hashes, Voice, shingle_hashes

GUARANTEED_RUN = 12
_WINDOW = GUARANTEED_RUN - SHINGLE_INTERVALS + 1
_COMMON = 2_000
"""Shingles seen more often than this are stock figures: they begin no search."""
_PATTERN = 4
"""A run counts as long as it has different groups of this many intervals."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A run of equal intervals.

    Attributes:
        length: what it counts: its intervals, less those that repeat a pattern (an arpeggio
            of eight notes repeated for a page counts 11).
        voice: place of the known voice in the index.
        our_first: first note of the run in the new voice.
        their_first: first note in the known voice.
        intervals: how many intervals agree.
    """

    length: int
    voice: int
    our_first: int
    their_first: int
    intervals: int


def winnow(hashes: Hashes) -> Ints:
    """Places of the shingles to keep: the smallest of each window, the last of equals."""
    if len(hashes) <= _WINDOW:
        return np.array([int(np.argmin(hashes))] if len(hashes) else [], dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(hashes, _WINDOW)[:, ::-1]
    places = np.arange(len(windows)) + _WINDOW - 1 - np.argmin(windows, axis=1)
    return np.unique(places)


class PassageIndex:
    """All known voices, searchable by shared runs; grows by `add`."""

    def __init__(self) -> None:
        self.voices: list[Voice] = []
        self._sorted = _Table.empty()
        self._recent: list[_Table] = []

    def add(self, voice: Voice) -> int:
        """Keep a voice and return its place."""
        number = len(self.voices)
        self.voices.append(voice)
        hashes = shingle_hashes(voice.intervals)
        places = winnow(hashes)
        self._recent.append(_Table(hashes[places], np.full(len(places), number), places))
        return number

    def longest_runs(self, voice: Voice) -> dict[int, SharedRun]:
        """For each known voice that shares one, its longest run with `voice`.

        Every run of `GUARANTEED_RUN` intervals or more is found, unless it consists of stock
        figures alone.
        """
        self._sort()
        hashes = shingle_hashes(voice.intervals)
        ours = winnow(hashes)
        best: dict[int, SharedRun] = {}
        intervals = voice.intervals
        for number, diagonal, place in self._seeds(hashes[ours], ours):
            run = _extend(intervals, self.voices[number].intervals, place, place + diagonal)
            found = SharedRun(run[0], number, run[1], run[1] + diagonal, run[2])
            if number not in best or found.length > best[number].length:
                best[number] = found
        return best

    def _sort(self) -> None:
        """Merge what was added since the last search into the sorted table."""
        if self._recent:
            self._sorted = _Table.join([self._sorted, *self._recent])
            self._recent = []

    def _seeds(self, hashes: Hashes, places: Ints) -> list[tuple[int, int, int]]:
        """One (voice, their place - ours, our place) for each line of agreement."""
        table = self._sorted
        first = np.searchsorted(table.hashes, hashes, side="left")
        counts = np.searchsorted(table.hashes, hashes, side="right") - first
        counts[counts > _COMMON] = 0
        total = int(counts.sum())
        if not total:
            return []
        starts = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        rows = starts + np.arange(total)
        ours = np.repeat(places, counts)
        seeds = np.stack([table.voices[rows], table.places[rows] - ours, ours], axis=1)
        _, kept = np.unique(seeds[:, :2], axis=0, return_index=True)
        return [(int(v), int(d), int(p)) for v, d, p in seeds[kept]]


@dataclass(frozen=True, slots=True)
class _Table:
    """Kept shingles: hash, voice number, place in the voice; sorted by hash when joined."""

    hashes: Hashes
    voices: Ints
    places: Ints

    @staticmethod
    def empty() -> _Table:
        nothing = np.zeros(0, dtype=np.int64)
        return _Table(np.zeros(0, dtype=np.uint64), nothing, nothing)

    @staticmethod
    def join(tables: list[_Table]) -> _Table:
        hashes = np.concatenate([t.hashes for t in tables])
        order = np.argsort(hashes, kind="stable")
        voices = np.concatenate([t.voices for t in tables])[order]
        return _Table(hashes[order], voices, np.concatenate([t.places for t in tables])[order])


def _extend(
    ours: NDArray[np.int16], theirs: NDArray[np.int16], our_place: int, their_place: int
) -> tuple[int, int, int]:
    """Counted length, our first note and intervals of the best run on one diagonal.

    A diagonal can hold several runs (a theme, other bars, the theme again): all are weighed.
    """
    shift = min(our_place, their_place)
    our_start, their_start = our_place - shift, their_place - shift
    length = min(len(ours) - our_start, len(theirs) - their_start)
    equal = ours[our_start : our_start + length] == theirs[their_start : their_start + length]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]]).astype(np.int8)))
    best = (0, our_start, 0)
    for first, end in edges.reshape(-1, 2):
        if end - first > best[0]:
            counted = counted_length(ours[our_start + first : our_start + end])
            best = max(best, (counted, our_start + int(first), int(end - first)))
    return best


def counted_length(run: NDArray[np.int16]) -> int:
    """How much a run of intervals says: repeated patterns count once.

    The number of different groups of four intervals, plus three: equal to the run's length
    where no group repeats.
    """
    groups = shingle_hashes(run, _PATTERN)
    return len(np.unique(groups)) + _PATTERN - 1 if len(groups) else len(run)
