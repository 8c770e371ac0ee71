"""Seeds: five successive notes that a new line and a known one have in common.

A seed is scale steps within the octave and ratios of lengths, so that another key or tempo has the
same. Of a new line also five of six or seven notes, as if the others had been put between.

Source: Arzt, Böck & Widmer 2012, "Fast identification of piece and score position via symbolic
fingerprinting".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State
from gen.likeness.columns import Postings, PostingTable
from gen.likeness.surprise import STEPS_OF_SEMITONES
from gen.likeness.voices import Ints, Part, Voice

SEED_NOTES = 5
_RARE = 6.0
_COMMON = 2**_RARE
"""A seed of more known places is a stock figure and begins no search."""
_MOST_HITS = 100_000
_RECENT = 20_000
_PUT_BETWEEN_BITS = 1.0
"""So much less says a seed without a note that may have been put between: more of them agree by
chance."""

Floats = NDArray[np.float64]


def seed_codes(pitches: NDArray[Any], onsets: NDArray[Any]) -> Ints:
    """Five successive notes as a number, for each note that begins such; shape (N - 4,).

    Args:
        pitches: (N,), or (…, N) for several lines of equal length.
        onsets: likewise.
    """
    classes = pitches.astype(np.int64) % 12
    steps = STEPS_OF_SEMITONES[(classes[..., 1:] - classes[..., :-1]) % 12]
    lengths = np.maximum(np.diff(onsets.astype(np.int64)), 1)
    ratios = np.clip(np.round(np.log2(lengths[..., 1:] / lengths[..., :-1])), -2, 2) + 2
    count = max(pitches.shape[-1] - SEED_NOTES + 1, 0)
    codes = np.zeros((*pitches.shape[:-1], count), dtype=np.int64)
    for place in range(SEED_NOTES - 1):
        codes = codes * 7 + steps[..., place : place + count]
    for place in range(SEED_NOTES - 2):
        codes = codes * 5 + ratios[..., place : place + count].astype(np.int64)
    return codes


@dataclass(frozen=True, slots=True)
class SeedPairs:
    """Seeds of a new piece and known ones that agree.

    Attributes:
        ours: (N, 4) part, first note's time and pitch, time spanned.
        theirs: (N, 4) the same of the known line, by its number.
        rarity: (N,) how rare each seed is among known lines, in bits; less where a note was taken
            for one put between.
        codes: (N,) of each.
    """

    ours: Ints
    theirs: NDArray[np.int32]
    rarity: Floats
    codes: Ints

    def where(self, kept: NDArray[np.bool_]) -> SeedPairs:
        """Some of them."""
        return SeedPairs(
            self.ours[kept], self.theirs[kept], self.rarity[kept], self.codes[kept]
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewSeeds:
    """Seeds of a new piece: code, part, first note's time and pitch, time spanned; whether notes
    between were passed over.
    """

    codes: Ints
    rows: NDArray[np.int64]
    has_gap: NDArray[np.bool_]

    @staticmethod
    def of(parts: Sequence[Part], with_gaps: bool) -> NewSeeds:
        codes, rows = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 4), dtype=np.int64)]
        gaps = [np.zeros(0, dtype=np.bool_)]
        for number, part in enumerate(parts):
            struck = [voice.struck() for voice in part.voices if len(voice.again)]
            for line in (*part.voices, *struck):
                for has_gap, pitches, onsets in _fives(line, with_gaps):
                    found = seed_codes(pitches, onsets)[..., 0] if pitches.size else codes[0]
                    if not len(found):
                        continue
                    row = np.empty((len(found), 4), dtype=np.int64)
                    row[:, 0], row[:, 1], row[:, 2] = number, onsets[:, 0], pitches[:, 0]
                    row[:, 3] = onsets[:, -1] - onsets[:, 0]
                    codes.append(found)
                    rows.append(row)
                    gaps.append(np.full(len(found), has_gap))
        return NewSeeds(np.concatenate(codes), np.concatenate(rows), np.concatenate(gaps))


def _fives(voice: Voice, with_gaps: bool) -> Iterator[tuple[bool, NDArray[Any], NDArray[Any]]]:
    """Five successive notes, and five without one put between (True): pitches, onsets, (N, 5)."""
    view = np.lib.stride_tricks.sliding_window_view
    for more in range(min(3 if with_gaps else 1, len(voice.pitches) - SEED_NOTES + 1)):
        width = SEED_NOTES + more
        pitches, onsets = view(voice.pitches, width), view(voice.onsets, width)
        if not more:
            yield False, pitches, onsets
            continue
        for place in range(1, SEED_NOTES):
            kept = [p for p in range(width) if not place <= p < place + more]
            # Of two the second repeats what was before the first: a note struck again.
            rows = slice(None) if more == 1 else pitches[:, place - 1] == pitches[:, place + 1]
            yield True, pitches[rows][:, kept], onsets[rows][:, kept]


class SeedIndex:
    """The seeds of all known lines; grows by `add`."""

    def __init__(self) -> None:
        # Line, first note's time and pitch, time spanned.
        self._seeds = Postings(np.int64, 4, _RECENT)

    def add(self, lines: Iterable[tuple[int, Voice]]) -> None:
        """Keep the seeds of the lines of one more piece, each with its number."""
        self._seeds.add(_seeds_of(number, line) for number, line in lines)

    def pairs(self, new: NewSeeds) -> SeedPairs:
        """What agrees with the seeds of a new piece: of the bulk, and of what came last, the rarest
        `_MOST_HITS`.
        """
        bulk, recent = (_pairs(table, new) for table in self._seeds.tables())
        return SeedPairs(
            np.concatenate([bulk.ours, recent.ours]),
            np.concatenate([bulk.theirs, recent.theirs]),
            np.concatenate([bulk.rarity, recent.rarity]),
            np.concatenate([bulk.codes, recent.codes]),
        )

    def state(self) -> State:
        """All of it, for `of_state`."""
        return self._seeds.state()

    @staticmethod
    def of_state(state: State) -> SeedIndex:
        index = SeedIndex()
        index._seeds.restore(state)
        return index


def _seeds_of(number: int, line: Voice) -> tuple[Ints, NDArray[np.int32]]:
    """The seeds of a known line, and their rows."""
    codes = seed_codes(line.pitches, line.onsets)
    count = len(codes)
    onsets = line.onsets.astype(np.int32)
    rows = np.empty((count, 4), dtype=np.int32)
    rows[:, 0], rows[:, 1], rows[:, 2] = number, onsets[:count], line.pitches[:count]
    rows[:, 3] = onsets[SEED_NOTES - 1 :] - onsets[:count] if count else 0
    return codes, rows


def _pairs(table: PostingTable, new: NewSeeds) -> SeedPairs:
    ours, theirs = table.find(new.codes, common=_COMMON, most=_MOST_HITS)
    counts = np.bincount(ours, minlength=len(new.codes))[ours]
    rarity = _RARE - np.log2(counts) - _PUT_BETWEEN_BITS * new.has_gap[ours]
    return SeedPairs(new.rows[ours], theirs, np.maximum(rarity, 0.0), new.codes[ours])
