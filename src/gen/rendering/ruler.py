"""The bars of a piece as they are written, and the grid that its notes are read on."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gen.piece import Note, Piece, TimeSignature

DIVISIONS = 24
"""Divisions of a quarter note."""
BEAT = DIVISIONS
_GRIDS = ((6, 0.0), (8, 0.35), (3, 0.9), (4, 1.2))
"""(step in divisions, what it costs per onset against the misfit of simpler steps)."""
_TRIPLET_STEPS = (8, 4)


@dataclass(frozen=True, slots=True)
class WrittenBar:
    """One bar; positions in divisions from the piece's beginning."""

    number: int
    start: int
    length: int
    signature: TimeSignature

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def is_compound(self) -> bool:
        return self.signature.denominator >= 8 and self.signature.numerator % 3 == 0

    @property
    def levels(self) -> tuple[int, ...]:
        """Distances of the metre's boundaries, strongest first, in divisions."""
        if self.is_compound:
            return (36, 12, 6, 3)
        halves = self.signature.numerator % 2 == 0 and self.length % 48 == 0
        return (48, 24, 12, 6, 3) if halves else (24, 12, 6, 3)


class Ruler:
    """Where the piece's ticks lie in written time."""

    def __init__(self, piece: Piece) -> None:
        starts = piece.bar_starts()
        self._ticks = [start for start, _ in starts]
        self._per_quarter = piece.ticks_per_quarter
        self.bars: list[WrittenBar] = []
        position = 0
        for index, (start, signature) in enumerate(starts):
            length = DIVISIONS * 4 * signature.numerator / signature.denominator
            if index + 1 < len(starts):  # a new signature may cut the bar short
                played = (starts[index + 1][0] - start) * DIVISIONS / self._per_quarter
                length = min(length, played)
            length = max(3, round(length / 3) * 3)  # nothing finer than a thirty-second
            self.bars.append(WrittenBar(index + 1, position, length, signature))
            position += length
        self._starts = [bar.start for bar in self.bars]

    def at(self, tick: int) -> float:
        """A tick in divisions, not yet on any grid."""
        index = max(0, bisect_right(self._ticks, tick) - 1)
        bar = self.bars[index]
        offset = (tick - self._ticks[index]) * DIVISIONS / self._per_quarter
        return bar.start + min(max(offset, 0.0), float(bar.length))

    def bar_at(self, position: float) -> WrittenBar:
        """The bar that holds a position in divisions; the last for those behind the end."""
        return self.bars[max(0, bisect_right(self._starts, position) - 1)]


class WrittenGrid:
    """How fine each quarter of a staff is read: step in divisions, by the quarter's start."""

    def __init__(self, notes: Iterable[Note], ruler: Ruler) -> None:
        self._ruler = ruler
        onsets: dict[int, list[float]] = defaultdict(list)
        for note in notes:
            position = ruler.at(note.onset_ticks)
            onsets[self.cell(position)[0]].append(position)
        self._steps = {start: self._best(start, found) for start, found in onsets.items()}

    def cell(self, position: float) -> tuple[int, int]:
        """Start and end of the quarter that holds a position; a bar's last may be shorter."""
        bar = self._ruler.bar_at(position)
        start = bar.start + int((position - bar.start) // BEAT) * BEAT
        return start, min(start + BEAT, bar.end)

    def is_triplet(self, cell_start: int) -> bool:
        return self._steps.get(cell_start, 6) in _TRIPLET_STEPS

    def snap(self, position: float) -> int:
        """The nearest line of the grid; the end of the quarter is one too."""
        start, end = self.cell(position)
        step = self._step(start, end)
        return min(end, start + step * round((position - start) / step))

    def following(self, line: int) -> int:
        """The line after a line."""
        start, end = self.cell(line)
        return min(end, line + self._step(start, end))

    def last_line(self) -> int:
        """The last line on which a note can begin."""
        start, end = self.cell(self._ruler.bars[-1].end - 1)
        return end - self._step(start, end)

    def _step(self, start: int, end: int) -> int:
        step = self._steps.get(start, 6)
        return step if (end - start) % step == 0 else 3

    def _best(self, start: int, positions: list[float]) -> int:
        bar = self._ruler.bar_at(start)
        whole = start + BEAT <= bar.end and not bar.is_compound
        usable = [(s, c) for s, c in _GRIDS if whole or s not in _TRIPLET_STEPS]

        def misfit(step: int, cost: float) -> float:
            offsets = (position - start for position in positions)
            return sum(abs(o - step * round(o / step)) + cost for o in offsets)

        return min(usable, key=lambda choice: misfit(*choice))[0]
