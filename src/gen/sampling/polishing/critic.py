"""Which cells of a piece a listener would stumble over, by what the notes say.

Four faults, each of a kind that works hardly have: of 1,000 cells of the starter's works 20 have
one, see `docs/decisions.md`.

- *clash*: a part stands a semitone beside another for half of its time in a bar or more;
- *off the chord*: half or more of the time of an accompanying part is outside the chord;
- *stuck*: a part has had one and the same pitch for four bars while chords changed;
- *drums alone*: kick and snare by themselves in a piece whose other drums go on in most bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.biases import MARCH, has_other_drums
from gen.sampling.drafting.cell_table import CellTable, Place
from gen.sampling.drafting.state import SIXTEENTH, PartNote
from gen.sampling.drafting.steering import beside, off_chord
from gen.sampling.drafting.voice_leading import notes_of
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS

CLASH, OFF_CHORD, STUCK, DRUMS_ALONE = "clash", "off the chord", "stuck", "drums alone"
MOST: Final = 0.5
"""Share of a part's time in a bar that is a fault."""
STUCK_BARS: Final = 4
ACCOMPANYING: Final = frozenset({"bass", "pad", "accompaniment"})
HELD_BARS: Final = 4
"""Bars for which a note may ring on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell.

    Attributes:
        place: which.
        why: of the four.
        weight: from 0 to 1, how much of it.
    """

    place: Place
    why: str
    weight: float


class Critic:
    """What is wrong with a piece, or with some bars of it.

    Args:
        table: the piece; cells of it may be exchanged.
    """

    def __init__(self, table: CellTable) -> None:
        self.table = table
        self.starts = table.bar_starts()
        tracks = table.tracks
        self.drums = [WORDS.program.number(row[v.VALUE]) == DRUM_PROGRAM for row in tracks]
        self.roles = [
            ROLES[WORDS.role.number(row[v.EXTENT])] if row[v.EXTENT] else "" for row in tracks
        ]
        self.chords = table.chords()
        is_march = any(row[v.VALUE] == MARCH for row in table.header)
        beaten = [cell for (_, slot), cell in table.cells.items() if self.drums[slot]]
        others = sum(map(has_other_drums, beaten))
        self.has_other_drums = not is_march and others > len(beaten) / 2

    def faults(self, bars: Iterable[int] | None = None) -> list[Fault]:
        """All of some bars, by default of the whole piece."""
        bars = range(len(self.table.bars)) if bars is None else bars
        return [fault for bar in bars for fault in self._of_bar(bar)]

    def weight(self, bar: int) -> float:
        """Of all faults in which the cells of a bar have a part."""
        end = min(bar + STUCK_BARS, len(self.table.bars))
        return sum(fault.weight for fault in self.faults(range(bar, end)))

    def _of_bar(self, bar: int) -> Iterator[Fault]:
        grid = self._sounding(bar)
        counts = grid.sum(axis=1, dtype=np.int16)
        first, end = int(self.starts[bar]), int(self.starts[bar + 1])
        chords = [(step - first, value) for step, value in self.chords]
        out = off_chord(chords, end - first)[::SIXTEENTH] > 0
        for slot, is_drum in enumerate(self.drums):
            cell = self.table.cells.get((bar, slot))
            if cell is None or not self.table.sounds((bar, slot)):
                continue
            if is_drum:
                if self.has_other_drums and not has_other_drums(cell):
                    yield Fault((bar, slot), DRUMS_ALONE, 1.0)
                continue
            own = grid[:, slot]
            sounds = own.any(axis=1)
            if not sounds.any():
                continue
            clashes: NDArray[np.bool_] = own & beside((counts - own) > 0)
            share = float(clashes[sounds].any(axis=1).mean())
            if share >= MOST:
                yield Fault((bar, slot), CLASH, share)
            if self.roles[slot] in ACCOMPANYING:
                share = float((own & out).sum() / own.sum())
                if share >= MOST:
                    yield Fault((bar, slot), OFF_CHORD, share)
            if self._is_stuck(bar, slot):
                yield Fault((bar, slot), STUCK, 1.0)

    def _notes(self, bar: int, slot: int) -> list[PartNote]:
        return notes_of(self.table.cells.get((bar, slot), ()), int(self.starts[bar]), slot)

    def _sounding(self, bar: int) -> NDArray[np.bool_]:
        """Which pitches each track sounds in each sixteenth of a bar. (sixteenths, tracks, 128)."""
        first, end = int(self.starts[bar]), int(self.starts[bar + 1])
        grid = np.zeros((-(-(end - first) // SIXTEENTH), len(self.drums), 128), dtype=np.bool_)
        for earlier in range(max(bar - HELD_BARS, 0), bar + 1):
            for slot, is_drum in enumerate(self.drums):
                for begin, stop, pitch, _ in () if is_drum else self._notes(earlier, slot):
                    if stop > first:
                        place = max(begin - first, 0) // SIXTEENTH
                        until = max(round((stop - first) / SIXTEENTH), place + 1)
                        grid[place:until, slot, pitch] = True
        return grid

    def _is_stuck(self, bar: int, slot: int) -> bool:
        bars = range(bar + 1 - STUCK_BARS, bar + 1)
        if bars[0] < 0:
            return False
        pitches = [{pitch for _, _, pitch, _ in self._notes(each, slot)} for each in bars]
        if not all(pitches) or len(set.union(*pitches)) != 1:
            return False
        first, end = self.starts[bars[0]], self.starts[bar + 1]
        chords = {value for step, value in self.chords if first <= step < end}
        return len(chords) > 1 or not self.chords


def worst(faults: Sequence[Fault]) -> list[tuple[Place, tuple[str, ...]]]:
    """The cells that have any, the worst first, and all that is wrong with each."""
    weights: dict[Place, float] = {}
    why: dict[Place, list[str]] = {}
    for fault in faults:
        weights[fault.place] = weights.get(fault.place, 0.0) + fault.weight
        why.setdefault(fault.place, []).append(fault.why)
    order = sorted(weights, key=lambda place: (-weights[place], place))
    return [(place, tuple(why[place])) for place in order]
