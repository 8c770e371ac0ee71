"""How much a melodic line says, in bits: what everybody plays says little.

A model of lines gives each note the probability of its interval after the three intervals before,
and of its length after the two lengths before; the surprise is the negative logarithm. What
several pieces have in common for seven notes, a lick of the house, says less still. Intervals are
counted in scale steps (a major and a minor third are one), lengths as ratios of successive
ones. The model is learned from the house's own lines on top of a prior, so it works from the first
work on; a line's own piece does not count. What a line said a moment ago it says for nothing: a
sequence, a riff, a broken chord counts once.

Sources: Conklin & Witten 1995, "Multiple viewpoint systems for music prediction"; Pearce 2005, "The
construction and evaluation of statistical models of melodic structure" (interpolated back-off).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State
from gen.likeness.columns import Ascending, Values, every, rows_at
from gen.likeness.voices import Voice

STEPS_OF_SEMITONES = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6], dtype=np.int64)
"""Scale steps of 0 to 11 semitones; the tritone is a fourth."""
_OCTAVE_STEPS, _MOST_STEPS = 7, 9
_INTERVALS = 2 * _MOST_STEPS + 1
_LENGTHS = 5
"""Ratios of successive lengths: a quarter and less, half, the same, double, four times and more."""
_MOST_BITS = 4.0
"""No single note, be its leap ever so rare, says more."""
_GRAM = 4
_FIGURE = 6
"""Intervals of a figure that pieces are counted by."""
_ENOUGH_PIECES = 20
"""Among fewer two copies of a tune would make it common: whoever hands in a part of somebody's tune
and then all of it must not be served by that."""
_CONTEXT = _FIGURE - 1
"""Intervals before that the model looks at, at most."""
_PRIOR_NOTES = 400.0
_BACK_OFF = 12.0
"""Weights of the prior and of the shorter context, in notes."""
_REPEATS = np.array([0.7, 0.3])
"""Shares of notes that move, and that repeat the one before, in any music."""
_FIGURE_BACK_OFF = 6.0
"""Weight of the shorter context beside figures, in pieces."""

Floats = NDArray[np.float32]
Chances = NDArray[np.float64]
Ints = NDArray[np.int64]


def steps_of(pitches: NDArray[Any]) -> Ints:
    """Intervals in scale steps with their sign, capped at a tenth; shape (N - 1,)."""
    moves = np.diff(pitches.astype(np.int64))
    size = np.abs(moves)
    steps = size // 12 * _OCTAVE_STEPS + STEPS_OF_SEMITONES[size % 12]
    capped: Ints = np.sign(moves) * np.minimum(steps, _MOST_STEPS)
    return capped


def length_ratios(onsets: NDArray[Any]) -> Ints:
    """How each length relates to the one before, -2 to 2; shape (N - 2,)."""
    lengths = np.maximum(np.diff(onsets.astype(np.int64)), 1)
    ratios = np.round(np.log2(lengths[1:] / lengths[:-1])).astype(np.int64)
    clipped: Ints = np.clip(ratios, -2, 2)
    return clipped


@dataclass(frozen=True, slots=True)
class Said:
    """What each note of a line says.

    Attributes:
        bits: (N,) surprise; 0 for the first.
        earlier: (N,) the note that ended the same figure of four the last time; -1 for none.
    """

    bits: Floats
    earlier: Ints


class Surprise:
    """The model; `learn` lines, then ask what a line says."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nothing but the prior."""
        self._intervals = [_Counts(_INTERVALS, order) for order in (1, 2, 3, 4)]
        self._lengths = _Counts(_LENGTHS, 3)
        self._repeats = _Counts(2, 4)
        self._figures = _Figures(_INTERVALS)
        self._timed_figures = _Figures(_INTERVALS * _LENGTHS)
        self._pieces = 0

    @property
    def _all_counts(self) -> tuple[_Counts, ...]:
        return (*self._intervals, self._lengths, self._repeats)

    def learn(self, pieces: Iterable[Sequence[Voice]]) -> None:
        """Count the intervals and lengths of the lines of pieces."""
        plain, timed = self._count(pieces, 1)
        self._figures = self._figures.and_of(plain)
        self._timed_figures = self._timed_figures.and_of(timed)
        self._pieces += len(plain)

    @contextmanager
    def forgetting(self, pieces: Sequence[Sequence[Voice]]) -> Iterator[None]:
        """Meanwhile these, of those that were learned, are not known."""
        known = self._figures, self._timed_figures
        plain, timed = self._count(pieces, -1)
        self._figures = self._figures.without(plain)
        self._timed_figures = self._timed_figures.without(timed)
        try:
            yield
        finally:
            self._count(pieces, 1)
            self._figures, self._timed_figures = known

    def _count(
        self, pieces: Iterable[Sequence[Voice]], times: int
    ) -> tuple[list[Ints], list[Ints]]:
        """Count lines so many times; of each piece the figures, without and with lengths."""
        figures, timed = [], []
        for voices in pieces:
            symbols = [_symbols(voice) for voice in voices]
            for counts in self._intervals:
                for each in symbols:
                    counts.add(counts.cut(each), times)
            struck = [voice.struck() for voice in voices if voice.has_times]
            for voice in struck:
                self._lengths.add(_ratios(voice), times)
                self._repeats.add(_repeats(voice), times)
            figures.append(_figures_of(symbols, _INTERVALS))
            joint = [_timed(voice) for voice in struck]
            timed.append(_figures_of(joint, _INTERVALS * _LENGTHS))
        return figures, timed

    def state(self) -> State:
        """All of it, for `of_state`: what was seen, and how often."""
        seen = [counts.seen for counts in self._all_counts]
        figures = {"figures": self._figures.state(), "timed": self._timed_figures.state()}
        return {"seen": seen, "pieces": self._pieces, **figures}

    @staticmethod
    def of_state(state: State) -> Surprise:
        surprise = Surprise()
        for counts, seen in zip(surprise._all_counts, state["seen"], strict=True):
            counts.restore(seen)
        surprise._figures = _Figures.of_state(_INTERVALS, state["figures"])
        surprise._timed_figures = _Figures.of_state(_INTERVALS * _LENGTHS, state["timed"])
        surprise._pieces = state["pieces"]
        return surprise

    def own(self, piece: Sequence[Voice]) -> OwnLines:
        """What all lines of one piece have, until the model learns; for `of`."""
        return OwnLines(self, piece)

    def of_intervals(self, voice: Voice, own: OwnLines | None = None) -> Said:
        """What each note says by its interval alone.

        Args:
            voice: any.
            own: all lines of its piece where they were learned: that they have a figure makes it
                no commoner.
        """
        symbols = _symbols(voice)
        chance = self._of_intervals(symbols, own or self.own(()))
        return _said(_bits(chance), symbols[_CONTEXT:, None])

    def of(self, voice: Voice, own: OwnLines | None = None) -> Said:
        """What each note says by its interval and, where known, its place in time.

        Where times are known, repeated notes are notes of their own: it is of `voice.struck()`.
        """
        if not voice.has_times:
            return self.of_intervals(voice, own)
        struck, own = voice.struck(), own or self.own(())
        moves = self._of_intervals(_symbols(voice), own)
        repeats = _repeats(struck)
        chance = self._repeats.mixed(repeats, _REPEATS[repeats[3:]], _BACK_OFF, own.repeats)
        chance[repeats[3:] == 0] *= moves
        ratios = _ratios(struck)
        chance = chance * self._of_lengths(ratios, own)
        if self._pieces >= _ENOUGH_PIECES:
            chance = self._timed_figures.mixed(_timed(struck), chance, own.timed_figures)
        return _said(_bits(chance), np.stack([_symbols(struck)[_CONTEXT:], ratios[2:]], axis=1))

    def _of_intervals(self, symbols: Ints, own: OwnLines) -> Chances:
        """P of each interval after up to five before it."""
        chance = _prior()[symbols[_CONTEXT - 1 : -1], symbols[_CONTEXT:]]
        for counts, of_own in zip(self._intervals, own.intervals, strict=True):
            weight = _PRIOR_NOTES if counts.order == 1 else _BACK_OFF
            chance = counts.mixed(counts.cut(symbols), chance, weight, of_own)
        if self._pieces >= _ENOUGH_PIECES:
            chance = self._figures.mixed(symbols, chance, own.figures)
        return chance

    def _of_lengths(self, ratios: Ints, own: OwnLines) -> Chances:
        chance = _length_prior()[ratios[:-2], ratios[1:-1], ratios[2:]]
        return self._lengths.mixed(ratios, chance, _BACK_OFF, own.lengths)


class OwnLines:
    """What the lines of one piece have of what a model counts; each ascending.

    Worked out once for all lines of the piece.
    """

    def __init__(self, model: Surprise, piece: Sequence[Voice]) -> None:
        self._model, self._piece = model, piece

    @cached_property
    def intervals(self) -> list[Ints]:
        """Groups of intervals, by their order."""
        return [counts.groups(map(counts.cut, self._symbols)) for counts in self._model._intervals]

    @cached_property
    def lengths(self) -> Ints:
        """Groups of ratios of lengths."""
        return self._model._lengths.groups(map(_ratios, self._struck))

    @cached_property
    def repeats(self) -> Ints:
        """Groups of notes that repeat the one before or do not."""
        return self._model._repeats.groups(map(_repeats, self._struck))

    @cached_property
    def figures(self) -> Ints:
        """The figures that others have too."""
        return self._model._figures.known_of(self._symbols)

    @cached_property
    def timed_figures(self) -> Ints:
        """Likewise with lengths."""
        return self._model._timed_figures.known_of(map(_timed, self._struck))

    @cached_property
    def _symbols(self) -> list[Ints]:
        return [_symbols(voice) for voice in self._piece]

    @cached_property
    def _struck(self) -> list[Voice]:
        return [voice.struck() for voice in self._piece if voice.has_times]


class _Counts:
    """How often each group of successive symbols was seen, and each group without its last."""

    def __init__(self, base: int, order: int) -> None:
        self.base, self.order = base, order
        self._groups = np.zeros(base**order)
        self._contexts = np.zeros(base ** (order - 1))

    @property
    def seen(self) -> NDArray[np.float64]:
        """How often each group was."""
        return self._groups

    def restore(self, seen: Values) -> None:
        """Take in what `seen` gave."""
        self._groups = every(seen).copy()
        self._contexts = self._groups.reshape(-1, self.base).sum(axis=1)

    def cut(self, symbols: Ints) -> Ints:
        """Of `_symbols`, those that make one group for each interval."""
        return symbols[_CONTEXT - self.order + 1 :]

    def add(self, symbols: Ints, times: int) -> None:
        groups = _grams(symbols, self.order, self.base)
        more = float(times)  # NumPy takes nine times as long to add a whole number
        np.add.at(self._groups, groups, more)
        np.add.at(self._contexts, groups // self.base, more)

    def groups(self, lines: Iterable[Ints]) -> Ints:
        """The groups of all these symbols, ascending."""
        return np.sort(_together(_grams(line, self.order, self.base) for line in lines))

    def mixed(
        self, symbols: Ints, shorter: NDArray[np.float64], weight: float, own: Ints
    ) -> NDArray[np.float64]:
        """P(last symbol | those before), smoothed by what a shorter context says.

        Args:
            symbols: (N + order - 1,).
            shorter: (N,) P by the shorter context, which counts as much as `weight` notes.
            weight: in notes.
            own: `groups` that were counted and do not count here.
        """
        groups = _grams(symbols, self.order, self.base)
        seen = self._groups[groups] - _times(groups, own)
        contexts = groups // self.base
        total = self._contexts[contexts] - _times(contexts, own // self.base)
        return (np.maximum(seen, 0) + weight * shorter) / (np.maximum(total, 0) + weight)


class _Figures:
    """How many pieces have each figure of seven notes; those that only one has are not kept."""

    def __init__(
        self, base: int, codes: Ascending | None = None, totals: Values | None = None
    ) -> None:
        self._base = base
        self._codes = Ascending(np.zeros(0, dtype=np.int64)) if codes is None else codes
        # Of how many pieces all codes before each are, and all codes.
        self._totals = np.zeros(1, dtype=np.int64) if totals is None else totals

    def state(self) -> State:
        """All of it, for `of_state`."""
        return {"codes": self._codes.state(), "totals": every(self._totals)}

    @staticmethod
    def of_state(base: int, state: State) -> _Figures:
        return _Figures(base, Ascending.of_state(state["codes"]), state["totals"])

    def and_of(self, pieces: Sequence[Ints]) -> _Figures:
        """With the figures of more pieces, of each piece once."""
        codes = np.concatenate([every(self._codes.values), *pieces])
        known = np.diff(every(self._totals))
        counts = np.concatenate([known, *(np.ones(len(own), np.int64) for own in pieces)])
        names, places = np.unique(codes, return_inverse=True)
        found = np.bincount(places, counts, len(names)).astype(np.int64)
        totals = np.concatenate([[0], np.cumsum(found[found > 1])])
        return _Figures(self._base, Ascending(names[found > 1]), totals)

    def without(self, pieces: Sequence[Ints]) -> _Figures:
        """Without some of the pieces that it has."""
        begin, end = self._codes.bounds(np.concatenate(pieces))
        counts = np.diff(every(self._totals))
        np.subtract.at(counts, begin[begin < end], 1)
        totals = np.concatenate([[0], np.cumsum(np.where(counts > 1, counts, 0))])
        return _Figures(self._base, self._codes, totals)

    def known_of(self, lines: Iterable[Ints]) -> Ints:
        """The different figures of a piece's lines that are kept, ascending."""
        found = _figures_of(lines, self._base)
        kept: Ints = found[self._between(found, 1) > 0]
        return kept

    def mixed(self, symbols: Ints, shorter: NDArray[np.float64], own: Ints) -> NDArray[np.float64]:
        """As `_Counts.mixed`, by pieces; `own` are `known_of` one piece."""
        codes = _grams(symbols, _FIGURE, self._base)
        before, own_before = (c - c % self._base for c in (codes, own))
        seen = np.maximum(self._between(codes, 1) - _times(codes, own), 0)
        total = self._between(before, self._base) - _times(before, own_before)
        chance: Chances = (seen + _FIGURE_BACK_OFF * shorter) / (total + _FIGURE_BACK_OFF)
        return chance

    def _between(self, first: Ints, count: int) -> Ints:
        """How many pieces have each of so many codes, all in all."""
        edges, _ = self._codes.bounds(np.concatenate([first, first + count]))
        begin, end = rows_at(self._totals, edges).reshape(2, -1)
        found: Ints = end - begin
        return found


def _figures_of(lines: Iterable[Ints], base: int) -> Ints:
    """The different figures of a piece's lines, ascending."""
    return np.unique(_together(_grams(symbols, _FIGURE, base) for symbols in lines))


def _together(parts: Iterable[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _times(wanted: Ints, among: Ints) -> Ints:
    """How often each number is among others, which are ascending."""
    first = np.searchsorted(among, wanted, side="left")
    times: Ints = np.searchsorted(among, wanted, side="right") - first
    return times


def _symbols(voice: Voice) -> Ints:
    """Intervals as numbers from 0, after some that stand for nothing."""
    steps = steps_of(voice.pitches) + _MOST_STEPS
    return np.concatenate([np.full(_CONTEXT, _MOST_STEPS), steps])


def _ratios(voice: Voice) -> Ints:
    """Ratios of lengths as numbers from 0, after three that say nothing, one for each interval."""
    ratios = length_ratios(voice.onsets) if len(voice.onsets) > 2 else np.zeros(0, dtype=np.int64)
    return np.concatenate([np.zeros(3, dtype=np.int64), ratios]) + 2


def _repeats(voice: Voice) -> Ints:
    """Whether each note repeats the one before, 0 or 1, after three that say nothing."""
    again = np.diff(voice.pitches) == 0
    return np.concatenate([np.zeros(3, dtype=np.int64), again.astype(np.int64)])


def _timed(voice: Voice) -> Ints:
    """Intervals and ratios of lengths in one number, after some that stand for nothing."""
    ratios = np.concatenate([np.full(_CONTEXT, _LENGTHS // 2), _ratios(voice)[2:]])
    timed: Ints = _symbols(voice) * _LENGTHS + ratios
    return timed


def _bits(chance: NDArray[np.float64]) -> Floats:
    return -np.log2(chance).astype(np.float32)


def _grams(symbols: Ints, length: int, base: int) -> Ints:
    """Each run of `length` symbols as one number, shape (N - length + 1,)."""
    count = len(symbols) - length + 1
    codes = np.zeros(max(count, 0), dtype=np.int64)
    for place in range(length):
        codes = codes * base + symbols[place : place + len(codes)]
    return codes


@cache
def _prior() -> NDArray[np.float64]:
    """P(interval | interval before) of tonal lines, (19, 19): small steps, going on, turning back.

    No learned data.
    """
    sizes = np.abs(np.arange(-_MOST_STEPS, _MOST_STEPS + 1))
    weights = np.array([0.004, 0.3, 0.11, 0.06, 0.03, 0.012, 0.006, 0.012, 0.003, 0.003])[sizes]
    table = np.tile(weights / weights.sum(), (_INTERVALS, 1))
    for before in range(_INTERVALS):
        same = np.zeros(_INTERVALS)
        same[before] = 1.0
        back = same[::-1]
        table[before] = 0.6 * table[before] + 0.25 * same + 0.15 * back
    return table


@cache
def _length_prior() -> NDArray[np.float64]:
    """P(ratio | two before): lengths stay, or come back to what they were."""
    table: NDArray[np.float64] = np.full((_LENGTHS, _LENGTHS, _LENGTHS), 0.06)
    table[:, :, 2] += 0.45
    for one in range(_LENGTHS):
        for two in range(_LENGTHS):
            table[one, two, 4 - two] += 0.25
    table /= table.sum(axis=2, keepdims=True)
    return table


def _said(bits: Floats, symbols: Ints) -> Said:
    """With the first note, which says nothing."""
    first = np.zeros(1, dtype=np.float32)
    capped = np.minimum(bits, _MOST_BITS)
    return Said(np.concatenate([first, capped]), np.concatenate([[-1], _earlier(symbols)]))


def _earlier(symbols: Ints) -> Ints:
    """Place of the note that ended the same `_GRAM` symbols the last time, -1 for none, (N,).

    Args:
        symbols: (N, K), of each note but the first; values below 64.
    """
    earlier = np.full(len(symbols), -1, dtype=np.int64)
    rows = (symbols * 64 ** np.arange(symbols.shape[1])).sum(axis=1)
    if len(rows) <= _GRAM:
        return earlier
    _, names = np.unique(rows, return_inverse=True)
    grams = _grams(names.astype(np.int64), _GRAM, int(names.max()) + 1)
    order = np.argsort(grams, kind="stable")
    same = np.diff(grams[order]) == 0
    earlier[order[1:][same] + _GRAM - 1] = order[:-1][same] + _GRAM
    return earlier
