"""Finds where a piece goes along with a known line for a while, note for note, in time.

Made for disguises: other keys, tempi and instruments, notes put in and left out, octaves, tracks
merged. Where two seeds (`seeds`) agree on one transposition, one tempo ratio and one shift in time,
the whole known line is laid over the new part, and each of its notes is looked up there by time and
pitch class (`sounding`). The best stretch counts: the surprise of the notes found, less a
penalty for those missing and for what was put between. All steps are bounded or near-linear.

Sources: Arzt, Böck & Widmer 2012 (shift and tempo from local hashes, see `seeds`); Smith & Waterman
1981 (the best stretch).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State
from gen.likeness.columns import Voices
from gen.likeness.seeds import SEED_NOTES, NewSeeds, SeedIndex
from gen.likeness.sounding import SoundingPart
from gen.likeness.surprise import Surprise
from gen.likeness.voices import TIME_UNIT, Ints, Part, Voice
from gen.likeness.weighed import WeighedLines

_RATIOS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 4 / 5, 1, 5 / 4, 4 / 3, 3 / 2, 2, 3, 4])
"""How much slower the new piece may be than the known one."""
_RATIO_TOLERANCE = 0.07  # in octaves of tempo
MOST_CANDIDATES = 128
_PLACES_OF_A_LINE = 5
"""Places that are looked at in all, and of one known line."""
_SHIFT = TIME_UNIT // 2
"""Shifts in time are told apart in halves of a quarter."""
_LEFT_OUT = 1 / 8
"""Share of the notes of somebody's tune that whoever disguises it leaves out."""
_LEAST_MISSING_BITS = 0.5
_BETWEEN_BITS = 0.4
_ALTERED_BITS = 3.0
"""What it costs that a degree of the scale is lowered or raised throughout."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a part goes along with a known line.

    Attributes:
        bits: what the notes in common say.
        voice: place of the known voice in the index.
        part: place of the new part.
        first, last: known notes at both ends.
        notes: how many are in common.
        ours: (notes,) pitches in the new part, in order of time.
        our_onsets: first and last time in the new part, `TIME_UNIT`ths of a quarter.
    """

    bits: float
    voice: int
    part: int
    first: int
    last: int
    notes: int
    ours: Ints
    our_onsets: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A known voice laid over a new part: so many semitones up, slower by a ratio, later."""

    part: int
    voice: int
    turn: int
    ratio: float
    shift: float


class AlignmentIndex:
    """All known lines that have times, searchable by stretches; grows by `extend`."""

    def __init__(self, surprise: Surprise) -> None:
        self._lines, self._seeds = WeighedLines(surprise), SeedIndex()

    @property
    def voices(self) -> Voices:
        """The lines, by number."""
        return self._lines.voices

    def add(self, voices: Sequence[Voice]) -> None:
        """Keep the lines of one more piece, those of its tracks before that of all together."""
        self._seeds.add(self._lines.add(voices))

    def ask_again(self) -> None:
        """The model has learned more."""
        self._lines.ask_again()

    def stretches(
        self,
        parts: Sequence[Part],
        apart_from: NDArray[np.bool_] | None = None,
        *,
        most: int = MOST_CANDIDATES,
        any_mode: bool = False,
        with_gaps: bool = True,
    ) -> list[Stretch]:
        """The best stretch of each known line that goes along with a part, the most bits first.

        Args:
            parts: of the new piece.
            apart_from: (known voices,) which of them not to compare with.
            most: how many places are looked at.
            any_mode: also where major was made minor, or the other way round.
            with_gaps: begin searches also where a note was put between.
        """
        sounding: dict[int, SoundingPart] = {}
        best: dict[int, Stretch] = {}
        new = NewSeeds.of(parts, with_gaps)
        for place in self._candidates(new, apart_from, most):
            if place.part not in sounding:
                sounding[place.part] = SoundingPart.of(parts[place.part])
            found = self._laid_over(sounding[place.part], place, any_mode)
            if found and (place.voice not in best or found.bits > best[place.voice].bits):
                best[place.voice] = found
        return sorted(best.values(), key=lambda s: (-s.bits, s.voice))

    def _candidates(
        self, new: NewSeeds, apart_from: NDArray[np.bool_] | None, most: int
    ) -> Iterator[_Candidate]:
        """Where two seeds or more agree, the rarest first."""
        pairs = self._seeds.pairs(new)
        if apart_from is not None:
            pairs = pairs.where(~apart_from[pairs.theirs[:, 0]])
        spans = np.maximum(pairs.ours[:, 3], 1), np.maximum(pairs.theirs[:, 3], 1)
        octaves = np.log2(spans[0] / spans[1])
        edges = np.log2(_RATIOS)
        nearest = np.clip(np.searchsorted((edges[1:] + edges[:-1]) / 2, octaves), 0, len(edges) - 1)
        fits = np.abs(octaves - edges[nearest]) < _RATIO_TOLERANCE
        pairs, nearest = pairs.where(fits), nearest[fits]
        ours, theirs, codes = pairs.ours, pairs.theirs, pairs.codes
        if not len(ours):
            return
        shifts = ours[:, 1] - _RATIOS[nearest] * theirs[:, 1]
        turns = (ours[:, 2] - theirs[:, 2]) % 12
        bins = np.floor(shifts / _SHIFT).astype(np.int64)
        head = ((theirs[:, 0].astype(np.int64) * 128 + ours[:, 0]) * 12 + turns) * 16 + nearest
        keys = head * 2**24 + bins + 2**23
        # What comes again and again, as broken chords do, counts once, at its rarest.
        order = np.lexsort((-pairs.rarity, codes, keys))
        keys, codes = keys[order], codes[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        is_new = np.ones(len(keys), dtype=np.bool_)
        is_new[1:] = (keys[1:] != keys[:-1]) | (codes[1:] != codes[:-1])
        votes = np.add.reduceat(is_new.astype(np.int64), begins)
        weight = np.add.reduceat(pairs.rarity[order] * is_new, begins)
        weight[votes < 2] = 0
        chosen = np.argsort(-weight, kind="stable")[: 8 * most]
        rows = order[begins[chosen[weight[chosen] > 0]]]
        for row in rows[_first_of_each(theirs[rows, 0], _PLACES_OF_A_LINE)][:most]:
            ratio, shift = float(_RATIOS[nearest[row]]), float(shifts[row])
            yield _Candidate(int(ours[row, 0]), int(theirs[row, 0]), int(turns[row]), ratio, shift)

    def _laid_over(
        self, sounding: SoundingPart, place: _Candidate, any_mode: bool
    ) -> Stretch | None:
        """The best stretch of a known line at one transposition, tempo and shift."""
        known, said = self.voices[place.voice], self._lines.said_by(place.voice)
        voice = known.struck()
        times = np.round(voice.onsets * place.ratio + place.shift).astype(np.int64)
        first, last = np.searchsorted(times, [sounding.onsets[0] - 9, sounding.onsets[-1] + 9])
        if last - first < SEED_NOTES:
            return None
        times, classes = times[first:last], (voice.pitches[first:last] + place.turn) % 12
        find = sounding.find_in_any_mode if any_mode else sounding.find
        places, altered = find(times, classes)
        at_once, between = sounding.crowd(times)
        bits = said.bits[first:last]
        gains = np.where(places < 0, -_missing(bits), np.maximum(bits - np.log2(at_once), 0.0))
        gains[1:] -= _BETWEEN_BITS * between
        begin, end, _ = _best_stretch(gains)
        again = _is_again(said.earlier[first:last] - first, begin, places >= 0)
        gains[again] = np.where(
            places[again] < 0, -_LEAST_MISSING_BITS, np.minimum(gains[again], 0)
        )
        begin, end, score = _best_stretch(gains)
        inside = places[begin : end + 1]
        inside = inside[inside >= 0]
        if len(inside) < SEED_NOTES:
            return None
        score -= max(float(gains[begin]), 0.0) + _ALTERED_BITS * altered
        ours = sounding.pitches[inside]
        ends = [begin, end]
        notes, span = known.notes_at(voice.onsets[first:last][ends]), times[ends]
        return Stretch(
            score, place.voice, place.part, int(notes[0]), int(notes[1]), len(inside), ours,
            (int(span[0]), int(span[1])),
        )  # fmt: skip

    def state(self) -> State:
        """All of it but the model, for `of_state`."""
        return {"lines": self._lines.state(), "seeds": self._seeds.state()}

    @staticmethod
    def of_state(state: State, surprise: Surprise) -> AlignmentIndex:
        index = AlignmentIndex(surprise)
        index._lines = WeighedLines.of_state(state["lines"], surprise)
        index._seeds = SeedIndex.of_state(state["seeds"])
        return index


def _missing(bits: NDArray[Any]) -> NDArray[Any]:
    """What it costs that notes are not there: the less, the less they would have said."""
    by_chance = -np.log2(-np.expm1(-np.maximum(bits, 1e-3) * np.log(2)))
    cost: NDArray[Any] = np.maximum(-np.log2(_LEFT_OUT) - by_chance, _LEAST_MISSING_BITS)
    return cost


def _is_again(earlier: Ints, begin: int, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which notes say nothing, as their figure was there before in a stretch; (N,).

    A figure says what it says where it is found first: where a note of it is left out, its next
    time does.

    Args:
        earlier: (N,) the note that ended the same figure the last time, below `begin` for none.
        begin: first note of the stretch.
        found: (N,) which notes are there.
    """
    repeats = earlier >= begin
    first = np.where(repeats, earlier, np.arange(len(earlier)))
    while not np.array_equal(before := first[first], first):
        first = before
    there = np.flatnonzero(found)
    counted = there[np.unique(first[there], return_index=True)[1]]
    repeats[counted] = False
    return repeats


def _first_of_each(names: NDArray[Any], most: int) -> NDArray[np.bool_]:
    """Which entries are among the first `most` of their name, (N,)."""
    order = np.argsort(names, kind="stable")
    ranks = np.arange(len(names)) - np.searchsorted(names[order], names[order])
    first = np.zeros(len(names), dtype=np.bool_)
    first[order] = ranks < most
    return first


def _best_stretch(gains: Floats) -> tuple[int, int, float]:
    """First and last place of the run of gains with the largest sum, and that sum."""
    totals = np.concatenate([[0.0], np.cumsum(gains)])
    end = int(np.argmax(totals[1:] - np.minimum.accumulate(totals[:-1])))
    begin = int(np.argmin(totals[: end + 1]))
    return begin, end, float(totals[end + 1] - totals[begin])
