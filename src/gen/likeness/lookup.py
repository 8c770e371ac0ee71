"""Looking pieces up by prints: which known piece has their lines, and in which bars.

Two lines share a *chain*: prints of the one that come in the other in the same order, at most
`MOST_APART` notes from one to the next on either side, so that notes put in or left out between
them do no harm. A print counts by how few of the known pieces have it, and only where it comes
first in its line: what a piece repeats says nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gen.likeness.columns import Ascending, places_in
from gen.likeness.prints import PrintLine
from gen.likeness.voices import Ints

MOST_APART = 12
COMMON = 0.05
"""A print that this share of the known pieces has (but at least three of them) says nothing."""
MATCH = 9.5
"""What shares so much is a match: a reason to listen. docs/letter.md says what was measured."""
LEAST = 2.0
"""Chains that weigh less are not looked at."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chain:
    """What a line shares with a line of a known piece.

    Attributes:
        piece: number of the known piece.
        weight: of its prints; each counts 1 that no other known piece has.
        ours, theirs: first and last bar, from 1.
    """

    piece: int
    weight: float
    ours: tuple[int, int]
    theirs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SharedPrints:
    """What a piece shares with a known one.

    Attributes:
        piece: number of the known piece.
        weight: of the heaviest chain of each part, together.
        chain: the heaviest of these.
    """

    piece: int
    weight: float
    chain: Chain


class PrintIndex:
    """The prints of known pieces, numbered in the order in which they are given."""

    def __init__(self, pieces: Iterable[Sequence[PrintLine]]) -> None:
        self._lines: list[PrintLine] = []
        owners: list[int] = []
        self.size = 0
        for number, lines in enumerate(pieces):
            self._lines += lines
            owners += [number] * len(lines)
            self.size = number + 1
        self._owners = np.array(owners, dtype=np.int64)
        counts = [len(line.prints) for line in self._lines]
        nothing = np.zeros(0, dtype=np.int64)
        prints = np.concatenate([nothing.astype(np.uint64), *(x.prints for x in self._lines)])
        order = np.argsort(prints, kind="stable")
        self._prints = prints[order]
        self._of = np.repeat(np.arange(len(counts)), counts)[order]
        self._places = np.concatenate([nothing, *map(np.arange, counts)])[order]
        self._weights = self._weighed()

    def _weighed(self) -> Floats:
        """(N,) what each print counts: 1 for one of a single piece, less for commoner ones."""
        names = np.unique(self._prints, return_inverse=True)[1].reshape(-1)
        pairs = np.unique(np.stack([names, self._owners[self._of]]), axis=1)
        held = np.bincount(pairs[0], minlength=1)[names]
        most = max(COMMON * self.size, 3)
        weights: Floats = np.clip(1 - np.log(np.maximum(held, 1)) / np.log(most), 0, 1)
        return weights

    def lines_of(self, number: int) -> list[PrintLine]:
        """The lines of a known piece."""
        return [self._lines[at] for at in np.flatnonzero(self._owners == number)]

    def shared(
        self, lines: Sequence[PrintLine], apart_from: Iterable[int] = ()
    ) -> list[SharedPrints]:
        """What a piece shares with each known one, the most first.

        Args:
            lines: of the piece that is looked up.
            apart_from: numbers of known pieces that do not count.
        """
        passed = np.isin(self._owners, list(apart_from))
        best: dict[int, dict[int, Chain]] = {}
        for line in lines:
            for chain in self._of_line(line, passed):
                parts = best.setdefault(chain.piece, {})
                if line.part not in parts or chain.weight > parts[line.part].weight:
                    parts[line.part] = chain
        found = [_summed(piece, parts) for piece, parts in best.items()]
        return sorted(found, key=lambda shared: (-shared.weight, shared.piece))

    def _of_line(self, line: PrintLine, passed: NDArray[np.bool_]) -> Iterator[Chain]:
        ours, rows = places_in(Ascending(self._prints), line.prints)
        telling = (self._weights[rows] > 0) & ~passed[self._of[rows]]
        ours, rows = ours[telling], rows[telling]
        first = np.zeros(len(line.prints), dtype=np.bool_)
        first[np.unique(line.prints, return_index=True)[1]] = True
        weights = self._weights[rows] * first[ours]
        order = np.lexsort((self._places[rows], ours, self._of[rows]))
        ours, rows, weights = ours[order], rows[order], weights[order]
        of = self._of[rows]
        edges = np.flatnonzero(np.diff(of, prepend=-1, append=-1))
        sums = np.add.reduceat(weights, edges[:-1]) if len(of) else weights
        for begin, end, most in zip(edges[:-1].tolist(), edges[1:].tolist(), sums, strict=True):
            if most < LEAST:
                continue
            theirs = self._places[rows[begin:end]]
            weight, a, b = _heaviest(ours[begin:end], theirs, weights[begin:end])
            known, one, other = int(of[begin]), begin + a, begin + b
            bars = self._lines[known].bars
            yield Chain(
                int(self._owners[known]), weight,
                (int(line.bars[ours[one]]), int(line.bars[ours[other]])),
                (int(bars[theirs[a]]), int(bars[theirs[b]])),
            )  # fmt: skip


def _summed(piece: int, parts: dict[int, Chain]) -> SharedPrints:
    """All parts together are no part of their own where single ones share something."""
    single = [chain for part, chain in parts.items() if part] or list(parts.values())
    weight = max(sum(c.weight for c in single), parts[0].weight if 0 in parts else 0)
    return SharedPrints(piece, weight, max(parts.values(), key=lambda chain: chain.weight))


def _heaviest(ours: Ints, theirs: Ints, weights: Floats) -> tuple[float, int, int]:
    """Weight, first and last pair of the chain of pairs that weighs most.

    Args:
        ours: (P,) places in the one line, ascending.
        theirs: (P,) in the other.
        weights: (P,) what each pair counts.
    """
    a, b, w = ours.tolist(), theirs.tolist(), weights.tolist()
    best, begin, low = list(w), list(range(len(a))), 0
    for i in range(len(a)):
        while a[i] - a[low] > MOST_APART:
            low += 1
        for j in range(low, i):
            if a[j] < a[i] and 0 < b[i] - b[j] <= MOST_APART and best[j] + w[i] > best[i]:
                best[i], begin[i] = best[j] + w[i], begin[j]
    last = max(range(len(a)), key=best.__getitem__)
    return best[last], begin[last], last
