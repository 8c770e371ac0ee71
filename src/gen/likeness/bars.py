"""Which known pieces have the bars of a new one, in whatever order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State
from gen.likeness.columns import Column, Postings
from gen.likeness.fingerprint import Bars, is_pitched
from gen.likeness.voices import Ints

_FEW_PIECES, _FEW_SHARE = 5, 0.05
_RECENT = 10_000
"""Bars that are kept beside the bulk before they are sorted into it."""


class BarIndex:
    """Bars of known pieces by their hashes; a bar of many pieces is stock and counts for none.

    Args:
        with_drums: whether the bars of drum kits count too.
        least_notes: bars in common that hold fewer notes, at least one, say nothing.
    """

    def __init__(self, *, with_drums: bool, least_notes: int) -> None:
        self._with_drums, self._least_notes = with_drums, least_notes
        self._bars = Postings(np.uint32, 1, _RECENT)  # number of the piece
        self._pieces, self._sizes = Column(np.int32), Column(np.int32)

    def add(self, number: int, bars: Bars) -> None:
        """Keep the bars of one more piece."""
        names = self._chosen(bars)[0]
        self._bars.add([(names, np.full((len(names), 1), number, np.int32))])
        self._pieces.extend([number])
        self._sizes.extend([len(names)])

    def state(self) -> State:
        """All that was added, for `restore`."""
        return {"bars": self._bars.state(), "pieces": self._pieces.all, "sizes": self._sizes.all}

    def restore(self, state: State) -> None:
        """Take in what `state` gave, into an empty index of the same kind."""
        self._bars.restore(state["bars"])
        self._pieces = Column(np.int32, state["pieces"])
        self._sizes = Column(np.int32, state["sizes"])

    def mutual_shares(self, bars: Bars, notes: Ints) -> dict[int, float]:
        """As `shares`, but no more than the share of each known piece that the new one has."""
        shares = self.shares(bars, notes)
        if not shares:
            return {}
        sizes = dict(zip(self._pieces.all.tolist(), self._sizes.all.tolist(), strict=True))
        shared = np.bincount(self._found(self._chosen(bars)[0])[1])
        return {n: min(share, int(shared[n]) / sizes[n]) for n, share in shares.items()}

    def shares(self, bars: Bars, notes: Ints) -> dict[int, float]:
        """Share of a new piece that each known piece has too, 0 to 1, in notes of its bars.

        Args:
            bars: (N,) of the new piece, each once.
            notes: (N,) how many notes say each.
        """
        names, kept = self._chosen(bars)
        weights = notes[kept]
        ours, pieces = self._found(names)
        stock = _FEW_PIECES + _FEW_SHARE * len(self._pieces)
        telling = np.bincount(ours, minlength=len(names))[ours] <= stock
        shared = np.bincount(pieces[telling], weights[ours[telling]]).astype(np.int64)
        total = max(int(weights.sum()), 1)
        numbers = np.flatnonzero(shared >= self._least_notes).tolist()
        return {number: int(shared[number]) / total for number in numbers}

    def _found(self, names: Bars) -> tuple[Ints, Ints]:
        """Places in `names`, and the known pieces that have these bars."""
        found = [t.find(names, common=math.inf, most=math.inf) for t in self._bars.tables()]
        ours, rows = (np.concatenate(part) for part in zip(*found, strict=True))
        return ours, rows[:, 0].astype(np.int64)

    def _chosen(self, bars: Bars) -> tuple[Bars, NDArray[np.bool_]]:
        kept = is_pitched(bars) | self._with_drums
        return bars[kept], kept
