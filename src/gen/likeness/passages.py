"""Finds the longest interval runs that a new piece shares with any known one.

An index of winnowed shingles: of each window of shingles the smallest hash is kept, so every
shared run of at least `GUARANTEED_RUN` intervals has a kept shingle in common and is found,
while the index holds about a quarter of all shingles and a look-up is a binary search.

Source: Schleimer, Wilkerson & Aiken 2003, "Winnowing: local algorithms for document
fingerprinting".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State
from gen.likeness.columns import Column, Postings, PostingTable, Voices
from gen.likeness.voices import SHINGLE_INTERVALS, Hashes, Ints, Voice, shingle_hashes

GUARANTEED_RUN = 12
_WINDOW = GUARANTEED_RUN - SHINGLE_INTERVALS + 1
_COMMON = 300
"""Shingles seen more often than this are stock figures: they begin no search."""
_RARE = 64
_MOST_SEEDS = 1_000_000
"""Places at which a search begins: far more than music has, few enough for any memory."""
_RECENT = 10_000
"""Shingles that are kept beside the bulk before they are sorted into it."""
_NOTHING = 32_767
_LONGEST_BITS = 32
"""Diagonals lie between minus and plus half of two to this power: a voice has fewer notes."""
_PATTERN = 4
"""A run counts as long as it has different groups of this many intervals."""


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
    """All known voices, searchable by shared runs; grows by `extend`."""

    def __init__(self, voices: Iterable[Voice] = ()) -> None:
        self.voices = Voices()
        self._shingles = Postings(np.uint64, 2, _RECENT)  # voice, place in it
        self.extend(voices)

    def extend(self, voices: Iterable[Voice]) -> None:
        """Keep the voices of one more piece, in this order."""
        self._shingles.add(map(self._take, voices))

    def _take(self, voice: Voice) -> tuple[Hashes, NDArray[np.int32]]:
        """Keep a voice; its kept shingles, and their rows."""
        number = len(self.voices)
        self.voices.append(voice)
        hashes = shingle_hashes(voice.intervals)
        places = winnow(hashes)
        rows = np.column_stack([np.full(len(places), number), places]).astype(np.int32)
        return hashes[places], rows

    def state(self) -> State:
        """All of it, for `of_state`."""
        return {"voices": self.voices.state(), "shingles": self._shingles.state()}

    @staticmethod
    def of_state(state: State) -> PassageIndex:
        index = PassageIndex()
        index.voices = Voices.of_state(state["voices"])
        index._shingles.restore(state["shingles"])
        return index

    def shared_runs(
        self,
        voice: Voice,
        least: int = GUARANTEED_RUN,
        *,
        apart_from: NDArray[np.bool_] | None = None,
        rarest: int | None = None,
    ) -> list[SharedRun]:
        """The best run of each line of agreement with a known voice, from `least` on.

        Every run of `GUARANTEED_RUN` intervals or more is found, unless it consists of stock
        figures alone.

        Args:
            voice: the new one.
            least: runs that count less are not searched.
            apart_from: (known voices,) which of them not to compare with.
            rarest: so many places at most, those of the rarest shingles; None looks at all.
        """
        intervals = voice.intervals
        hashes = shingle_hashes(intervals)
        ours = winnow(hashes)
        common = _COMMON if rarest is None else _RARE
        tables = self._shingles.tables()
        seeds = np.concatenate([_seeds(table, hashes[ours], ours, common) for table in tables])
        if apart_from is not None:
            seeds = seeds[~apart_from[seeds[:, 0]]]
        places = self._promising(voice.pitches, seeds, least)
        if rarest is not None:
            places = _rarest(places, seeds, hashes, rarest)
        runs, last = [], -1
        for number, diagonal, place in places:
            if number != last:  # places of one voice come one after the other
                theirs, last = self.voices.intervals_of(number), number
            length, first, agreeing = _extend(intervals, theirs, place, place + diagonal, least)
            if length >= least:
                runs.append(SharedRun(length, number, first, first + diagonal, agreeing))
        return runs

    def _promising(
        self, pitches: NDArray[np.int16], seeds: Ints, least: int
    ) -> list[tuple[int, int, int]]:
        """One seed for each diagonal on which at least `least` intervals agree around it."""
        if not len(seeds):
            return []
        reach = least - SHINGLE_INTERVALS
        around = np.arange(-reach, SHINGLE_INTERVALS + reach)
        line, whole = Column(np.int16, pitches), (np.array([0]), np.array([len(pitches)]))
        ours = _gather(line, *whole, seeds[:, 2], around)
        starts, notes = self.voices.bounds(seeds[:, 0])
        theirs_at = seeds[:, 1] + seeds[:, 2]
        theirs = _gather(self.voices.pitches, starts, notes, theirs_at, around)
        agree = (ours == theirs) & (ours != _NOTHING)
        before = np.cumprod(agree[:, :reach][:, ::-1], axis=1).sum(axis=1)
        after = np.cumprod(agree[:, reach:], axis=1).sum(axis=1)
        found = seeds[before + after >= least]
        lines = (found[:, 0] << _LONGEST_BITS) + found[:, 1]  # one number sorts faster than two
        _, kept = np.unique(lines, return_index=True)
        return [(v, d, p) for v, d, p in found[kept].tolist()]


def _rarest(
    places: list[tuple[int, int, int]], seeds: Ints, hashes: Hashes, most: int
) -> list[tuple[int, int, int]]:
    """The places of `_promising` with the most different shingles, rare ones before common ones.

    Broken chords agree for pages, and have few.
    """
    if len(places) <= most:
        return places
    names = np.unique(hashes[seeds[:, 2]], return_inverse=True)[1]
    weight = 1 / np.bincount(names)[names]
    rows = np.unique(np.column_stack([seeds[:, :2], names]), axis=0, return_index=True)[1]
    found, lines = np.unique(seeds[rows, :2], axis=0, return_inverse=True)
    sums = np.bincount(lines.reshape(-1), weight[rows], minlength=len(found))
    of = {(int(v), int(d)): float(total) for (v, d), total in zip(found, sums, strict=True)}
    return sorted(places, key=lambda place: -of[place[:2]])[:most]


def _gather(
    pitches: Column, starts: Ints, notes: Ints, places: Ints, around: Ints
) -> NDArray[np.int16]:
    """Intervals around places of voices, `_NOTHING` outside the voice; shape (S, W)."""
    wanted = places[:, None] + around[None, :]
    inside = (wanted >= 0) & (wanted < notes[:, None] - 1)
    at = np.where(inside, starts[:, None] + wanted, 0)
    return np.where(inside, pitches.at(at + inside) - pitches.at(at), np.int16(_NOTHING))


def _seeds(table: PostingTable, hashes: Hashes, places: Ints, common: int) -> Ints:
    """Rows (voice, their place - ours, our place) where a kept shingle agrees.

    Shingles of more than `common` places are passed over, and the commonest of those that
    would make more rows than `_MOST_SEEDS`.
    """
    found, rows = table.find(hashes, common=common, most=_MOST_SEEDS)
    ours = places[found]
    return np.stack([rows[:, 0], rows[:, 1] - ours, ours], axis=1)


def _extend(
    ours: NDArray[np.int16],
    theirs: NDArray[np.int16],
    our_place: int,
    their_place: int,
    least: int,
) -> tuple[int, int, int]:
    """Counted length, our first note and intervals of the best run on one diagonal.

    A diagonal can hold several runs (a theme, other bars, the theme again): all are weighed.
    """
    shift = min(our_place, their_place)
    our_start, their_start = our_place - shift, their_place - shift
    length = min(len(ours) - our_start, len(theirs) - their_start)
    # One byte an interval: looking for so many 1s in a row takes a small part of what arrays take.
    equal = (
        ours[our_start : our_start + length] == theirs[their_start : their_start + length]
    ).tobytes()
    best, wanted = (0, our_start, 0), b"\1" * least
    first = equal.find(wanted)
    while first >= 0:
        end = equal.find(b"\0", first)
        end = end if end >= 0 else length
        if end - first > best[0]:
            counted = counted_length(ours[our_start + first : our_start + end])
            best = max(best, (counted, our_start + first, end - first))
        first = equal.find(wanted, end)
    return best


def counted_length(run: NDArray[np.int16]) -> int:
    """How much a run of intervals says: repeated patterns count once.

    The number of different groups of four intervals, plus three: equal to the run's length
    where no group repeats.
    """
    data, width = run.tobytes(), run.itemsize
    span = _PATTERN * width
    groups = {data[place : place + span] for place in range(0, len(data) - span + 1, width)}
    return len(groups) + _PATTERN - 1 if groups else len(run)
