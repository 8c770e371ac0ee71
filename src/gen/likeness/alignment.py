"""Finds where a piece goes along with a known line for a while, note for note, in time.

Made for disguises: other keys, tempi and instruments, notes put in and left out, octaves, tracks
merged. *Seeds* are five successive notes, as scale steps within the octave and ratios of lengths;
of a new line also five of six. Where two seeds agree on one transposition, one tempo ratio and one
shift in time, the whole known line is laid over the new part, and each of its notes is looked up
there by time and pitch class. The best stretch counts: the surprise of the notes found, less a
penalty for those missing and for what was put between. All steps are bounded or near-linear.

Sources: Arzt, Böck & Widmer 2012, "Fast identification of piece and score position via symbolic
fingerprinting" (shift and tempo from local hashes); Smith & Waterman 1981 (the best stretch).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.likeness.columns import Column, State, Voices, places_in
from gen.likeness.surprise import STEPS_OF_SEMITONES, Said, Surprise
from gen.likeness.voices import TIME_UNIT, Ints, Part, Voice

SEED_NOTES = 5
_RATIOS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 4 / 5, 1, 5 / 4, 4 / 3, 3 / 2, 2, 3, 4])
"""How much slower the new piece may be than the known one."""
_RATIO_TOLERANCE = 0.07  # in octaves of tempo
_RARE = 6.0
_COMMON = 2**_RARE
"""A seed of more known places is a stock figure and begins no search."""
_MOST_HITS = 100_000
MOST_CANDIDATES = 64
_SHIFT = TIME_UNIT // 2
"""Shifts in time are told apart in halves of a quarter."""
_TOLERANCE = 2
"""Notes this near (`TIME_UNIT`ths of a quarter) are at the same time."""
_LEFT_OUT = 1 / 8
"""Share of the notes of somebody's tune that whoever disguises it leaves out."""
_LEAST_MISSING_BITS = 0.5
_BETWEEN_BITS = 0.4
_STRUCK_AGAIN_BITS = 0.5
_ALTERED_BITS = 3.0
"""What it costs that a degree of the scale is lowered or raised throughout."""
_RECENT = 20_000

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
class _Seeds:
    """Seeds of known lines, sorted by code: voice, first note's time and pitch, time spanned."""

    codes: Ints
    rows: NDArray[np.int32]  # (N, 4)

    @staticmethod
    def of(number: int, voice: Voice) -> _Seeds:
        codes = seed_codes(voice.pitches, voice.onsets)
        count = len(codes)
        onsets = voice.onsets.astype(np.int32)
        rows = np.empty((count, 4), dtype=np.int32)
        rows[:, 0], rows[:, 1], rows[:, 2] = number, onsets[:count], voice.pitches[:count]
        rows[:, 3] = onsets[SEED_NOTES - 1 :] - onsets[:count] if count else 0
        return _Seeds(codes, rows)

    @staticmethod
    def join(tables: Sequence[_Seeds]) -> _Seeds:
        codes = np.concatenate([np.zeros(0, dtype=np.int64), *(t.codes for t in tables)])
        rows = np.concatenate([np.zeros((0, 4), dtype=np.int32), *(t.rows for t in tables)])
        order = np.argsort(codes, kind="stable")
        return _Seeds(codes[order], rows[order])

    def hits(self, codes: Ints) -> tuple[Ints, Ints]:
        """Places in `codes` and in `rows` that agree; the rarest `_MOST_HITS`."""
        return places_in(self.codes, codes, common=_COMMON, most=_MOST_HITS)


@dataclass(frozen=True, slots=True)
class _NewSeeds:
    """Seeds of a new piece: code, part, first note's time and pitch, time spanned."""

    codes: Ints
    rows: NDArray[np.int64]

    @staticmethod
    def of(parts: Sequence[Part], with_gaps: bool) -> _NewSeeds:
        codes, rows = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 4), dtype=np.int64)]
        for number, part in enumerate(parts):
            struck = [voice.struck() for voice in part.voices if len(voice.again)]
            for line in (*part.voices, *struck):
                for pitches, onsets in _fives(line, with_gaps):
                    found = seed_codes(pitches, onsets)[..., 0] if pitches.size else codes[0]
                    if not len(found):
                        continue
                    row = np.empty((len(found), 4), dtype=np.int64)
                    row[:, 0], row[:, 1], row[:, 2] = number, onsets[:, 0], pitches[:, 0]
                    row[:, 3] = onsets[:, -1] - onsets[:, 0]
                    codes.append(found)
                    rows.append(row)
        return _NewSeeds(np.concatenate(codes), np.concatenate(rows))


def _fives(voice: Voice, with_gaps: bool) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Five successive notes, and five without one put between: pitches and onsets, each (N, 5)."""
    view = np.lib.stride_tricks.sliding_window_view
    for more in range(min(3 if with_gaps else 1, len(voice.pitches) - SEED_NOTES + 1)):
        width = SEED_NOTES + more
        pitches, onsets = view(voice.pitches, width), view(voice.onsets, width)
        if not more:
            yield pitches, onsets
            continue
        for place in range(1, SEED_NOTES):
            kept = [p for p in range(width) if not place <= p < place + more]
            # Of two the second repeats what was before the first: a note struck again.
            rows = slice(None) if more == 1 else pitches[:, place - 1] == pitches[:, place + 1]
            yield pitches[rows][:, kept], onsets[rows][:, kept]


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
        self.surprise = surprise
        self.voices = Voices()
        self._first, self._end = Column(np.int32), Column(np.int32)  # of each voice's piece
        self._tables = [_Seeds.join([]), _Seeds.join([])]  # the bulk, and what came last
        self._said: dict[int, Said] = {}

    def add(self, voices: Sequence[Voice]) -> None:
        """Keep the lines of one more piece, those of its tracks before that of all together."""
        first, count = len(self.voices), len(voices)
        self._first.extend([first] * count)
        self._end.extend([first + count] * count)
        bulk, recent = self._tables
        added = []
        for number, voice in enumerate(voices, start=first):
            self.voices.append(voice)
            added.append(_Seeds.of(number, voice))
            if len(voice.again):
                added.append(_Seeds.of(number, voice.struck()))
        recent = _Seeds.join([recent, *added])
        if len(recent.codes) > _RECENT:
            bulk, recent = _Seeds.join([bulk, recent]), _Seeds.join([])
        self._tables = [bulk, recent]

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
        sounding: dict[int, _Sounding] = {}
        best: dict[int, Stretch] = {}
        new = _NewSeeds.of(parts, with_gaps)
        for place in self._candidates(new, apart_from, most):
            if place.part not in sounding:
                sounding[place.part] = _Sounding.of(parts[place.part])
            found = self._laid_over(sounding[place.part], place, any_mode)
            if found and (place.voice not in best or found.bits > best[place.voice].bits):
                best[place.voice] = found
        return sorted(best.values(), key=lambda s: (-s.bits, s.voice))

    def _candidates(
        self, new: _NewSeeds, apart_from: NDArray[np.bool_] | None, most: int
    ) -> Iterator[_Candidate]:
        """Where two seeds or more agree, the rarest first."""
        found = [self._pairs(table, new) for table in self._tables]
        ours, theirs, weights, codes = (np.concatenate(c) for c in zip(*found, strict=True))
        if apart_from is not None and len(ours):
            kept = ~apart_from[theirs[:, 0]]
            ours, theirs, weights, codes = (a[kept] for a in (ours, theirs, weights, codes))
        octaves = np.log2(np.maximum(ours[:, 3], 1) / np.maximum(theirs[:, 3], 1))
        edges = np.log2(_RATIOS)
        nearest = np.clip(np.searchsorted((edges[1:] + edges[:-1]) / 2, octaves), 0, len(edges) - 1)
        fits = np.abs(octaves - edges[nearest]) < _RATIO_TOLERANCE
        columns = (ours, theirs, weights, codes, nearest)
        ours, theirs, weights, codes, nearest = (column[fits] for column in columns)
        if not len(ours):
            return
        shifts = ours[:, 1] - _RATIOS[nearest] * theirs[:, 1]
        turns = (ours[:, 2] - theirs[:, 2]) % 12
        bins = np.floor(shifts / _SHIFT).astype(np.int64)
        head = ((theirs[:, 0].astype(np.int64) * 128 + ours[:, 0]) * 12 + turns) * 16 + nearest
        keys = head * 2**24 + bins + 2**23
        # What comes again and again, as broken chords do, counts once.
        order = np.lexsort((codes, keys))
        keys, codes = keys[order], codes[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        is_new = np.ones(len(keys), dtype=np.bool_)
        is_new[1:] = (keys[1:] != keys[:-1]) | (codes[1:] != codes[:-1])
        votes = np.add.reduceat(is_new.astype(np.int64), begins)
        weight = np.add.reduceat(weights[order] * is_new, begins)
        weight[votes < 2] = 0
        chosen = np.argsort(-weight, kind="stable")[: 8 * most]
        rows = order[begins[chosen[weight[chosen] > 0]]]
        for row in rows[_first_of_each(theirs[rows, 0], 3)][:most]:
            ratio, shift = float(_RATIOS[nearest[row]]), float(shifts[row])
            yield _Candidate(int(ours[row, 0]), int(theirs[row, 0]), int(turns[row]), ratio, shift)

    def _pairs(self, table: _Seeds, new: _NewSeeds) -> tuple[Ints, NDArray[np.int32], Floats, Ints]:
        """Rows of new and known seeds that agree, how rare each seed is, and its code."""
        ours, theirs = table.hits(new.codes)
        counts = np.bincount(ours, minlength=len(new.codes))[ours]
        return new.rows[ours], table.rows[theirs], _RARE - np.log2(counts), new.codes[ours]

    def _laid_over(self, sounding: _Sounding, place: _Candidate, any_mode: bool) -> Stretch | None:
        """The best stretch of a known line at one transposition, tempo and shift."""
        known, said = self.voices[place.voice], self._said_by(place.voice)
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
        again = said.earlier[first:last] >= first + begin
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

    def _said_by(self, number: int) -> Said:
        if number not in self._said:
            voice, said = self.voices[number], self._by_its_own(number)
            self._said[number] = self._in_their_tracks(number, said) if voice.is_together else said
        return self._said[number]

    def _by_its_own(self, number: int) -> Said:
        piece = self._piece_of(number)
        return self.surprise.of(self.voices[number], self.voices[piece.start : piece.stop])

    def _piece_of(self, number: int) -> range:
        """The lines of the same piece."""
        return range(int(self._first.all[number]), int(self._end.all[number]))

    def _in_their_tracks(self, number: int, said: Said) -> Said:
        """What the notes of all tracks together say, no more than they do in their own tracks."""
        line, others = self.voices[number].struck(), self._piece_of(number)
        numbers = [n for n in others if not self.voices[n].is_together]
        tracks, own = (
            [self.voices[n].struck() for n in numbers],
            [self._said_by(n) for n in numbers],
        )
        keys = np.concatenate([_keys(track) for track in tracks])
        bits = np.concatenate([each.bits for each in own])
        earlier = np.concatenate(
            [np.where(each.earlier >= 0, track.onsets[each.earlier], -1)
             for track, each in zip(tracks, own, strict=True)]
        )  # fmt: skip
        order = np.lexsort((bits, keys))
        wanted = _keys(line)
        places = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
        is_there = keys[places] == wanted
        # The last time in its own track, as a place in this line.
        before = np.searchsorted(line.onsets, earlier[places], side="right") - 1
        return Said(
            np.where(is_there, np.minimum(bits[places], said.bits), _STRUCK_AGAIN_BITS),
            np.maximum(said.earlier, np.where(is_there & (earlier[places] >= 0), before, -1)),
        )

    def state(self) -> State:
        """All of it but the model, for `of_state`."""
        seeds = _Seeds.join(self._tables)
        pieces = {"first": self._first.all, "end": self._end.all}
        return {"voices": self.voices.state(), "codes": seeds.codes, "rows": seeds.rows, **pieces}

    @staticmethod
    def of_state(state: State, surprise: Surprise) -> AlignmentIndex:
        index = AlignmentIndex(surprise)
        index.voices = Voices.of_state(state["voices"])
        index._first = Column(np.int32, state["first"])
        index._end = Column(np.int32, state["end"])
        index._tables[0] = _Seeds(state["codes"], state["rows"])
        return index

    def ask_again(self) -> None:
        """The model has learned more."""
        self._said = {}


def _missing(bits: NDArray[Any]) -> NDArray[Any]:
    """What it costs that notes are not there: the less, the less they would have said."""
    by_chance = -np.log2(-np.expm1(-np.maximum(bits, 1e-3) * np.log(2)))
    cost: NDArray[Any] = np.maximum(-np.log2(_LEFT_OUT) - by_chance, _LEAST_MISSING_BITS)
    return cost


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


def _keys(voice: Voice) -> Ints:
    return voice.onsets.astype(np.int64) * 128 + voice.pitches


def _new_chords(part: Part) -> Ints:
    """Times at which something new is struck; a chord struck again says nothing new."""
    times, chords = np.unique(part.onsets, return_inverse=True)
    names = chords * 128 + part.pitches
    is_new = ~np.isin(names - 128, names)
    return times[np.unique(chords[is_new])]


_FAR = 2**40


@dataclass(frozen=True, slots=True)
class _Sounding:
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
    def of(part: Part) -> _Sounding:
        keys = (part.pitches % 12) * _FAR + part.onsets
        order = np.argsort(keys, kind="stable")
        return _Sounding(part.onsets, _new_chords(part), keys[order], part.pitches[order])

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
