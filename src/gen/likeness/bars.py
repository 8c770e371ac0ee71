"""Which known pieces have the bars of a new one, in whatever order."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from gen.likeness.columns import State
from gen.likeness.fingerprint import Bars, is_pitched
from gen.likeness.voices import Ints

_FEW_PIECES, _FEW_SHARE = 5, 0.05


class BarIndex:
    """Bars of known pieces by their hashes; a bar of many pieces is stock and counts for none.

    Args:
        with_drums: whether the bars of drum kits count too.
        least_notes: bars in common that hold fewer notes say nothing.
    """

    def __init__(self, *, with_drums: bool, least_notes: int) -> None:
        self._with_drums, self._least_notes = with_drums, least_notes
        self._pieces: defaultdict[int, list[int]] = defaultdict(list)
        self._sizes: dict[int, int] = {}
        self._count = 0

    def add(self, number: int, bars: Bars) -> None:
        """Keep the bars of one more piece."""
        self._count += 1
        names = self._chosen(bars)[0].tolist()
        self._sizes[number] = len(names)
        for name in names:
            self._pieces[name].append(number)

    def state(self) -> State:
        """All that was added, for `restore`."""
        return {"pieces": dict(self._pieces), "sizes": self._sizes, "count": self._count}

    def restore(self, state: State) -> None:
        """Take in what `state` gave, into an empty index of the same kind."""
        self._pieces.update(state["pieces"])
        self._sizes.update(state["sizes"])
        self._count = state["count"]

    def mutual_shares(self, bars: Bars, notes: Ints) -> dict[int, float]:
        """As `shares`, but no more than the share of each known piece that the new one has."""
        shares = self.shares(bars, notes)
        names = set(self._chosen(bars)[0].tolist())
        shared = Counter(n for name in names for n in self._pieces.get(name, ()) if n in shares)
        return {n: min(share, shared[n] / self._sizes[n]) for n, share in shares.items()}

    def shares(self, bars: Bars, notes: Ints) -> dict[int, float]:
        """Share of a new piece that each known piece has too, 0 to 1, in notes of its bars.

        Args:
            bars: (N,) of the new piece.
            notes: (N,) how many notes say each.
        """
        names, kept = self._chosen(bars)
        stock = _FEW_PIECES + _FEW_SHARE * self._count
        shared = Counter[int]()
        for name, weight in zip(names.tolist(), notes[kept].tolist(), strict=True):
            pieces = self._pieces.get(name, ())
            if len(pieces) <= stock:
                shared.update(dict.fromkeys(pieces, weight))
        total = max(int(notes[kept].sum()), 1)
        return {number: n / total for number, n in shared.items() if n >= self._least_notes}

    def _chosen(self, bars: Bars) -> tuple[Bars, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        kept = is_pitched(bars) | self._with_drums
        return bars[kept], kept
