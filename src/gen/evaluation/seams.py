"""Holes in works, and how what is written into one joins what stands around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from gen.data.windows import TokenisedWork as Music
from gen.evaluation.measures import tonal
from gen.evaluation.subjects.works import MeasuredWork
from gen.piece import Note, Piece
from gen.sampling.drafting.cell_table import CellTable
from gen.tokens.grid import TICKS_PER_STEP

MOST_BARS = 12
LONGEST_HOLE = 4
SEAMS = ("leap", "edge", "ensemble", "notes")
_ROOM = 0.9
"""Share of the window that a stretch may fill."""
_TRITONE = 6


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in a work.

    Attributes:
        work: whose.
        first, end: bars of the stretch around it, counted from 0, `end` not in it.
        bars: those of the hole, in the piece.
        slot: the track.
    """

    work: MeasuredWork
    first: int
    end: int
    bars: range
    slot: int


def gap_of(work: MeasuredWork, window: int, rng: Generator) -> Gap | None:
    """A hole in the middle of a stretch of the work; None where no three bars fit the window."""
    music = work.tokenised.bare()
    edges = np.append(music.bar_rows, len(music.events) - 1)
    room = int(_ROOM * window) - len(music.header) - LONGEST_HOLE
    for first in rng.permutation(max(len(edges) - 3, 0)).tolist():
        end = first + 1
        while (
            end < min(len(edges) - 1, first + MOST_BARS) and edges[end + 1] - edges[first] <= room
        ):
            end += 1
        length = min(LONGEST_HOLE, (end - first) // 3)
        if length < 1:
            continue
        begin = first + (end - first - length) // 2
        bars = range(begin, begin + length)
        slots = [slot for slot in range(music.events.tracks) if _plays(music, bars, slot)]
        if slots:
            return Gap(work, first, end, bars, int(rng.choice(slots)))
    return None


def _plays(music: Music, bars: range, slot: int) -> bool:
    """Whether a track has notes in every one of these bars, and in the bars beside them."""
    around = range(bars.start - 1, bars.stop + 1)
    table = CellTable.of(music.events.tolist())
    return all(table.sounds((bar, slot)) for bar in around)


def seams(gap: Gap, piece: Piece) -> dict[str, float]:
    """Each of `SEAMS` of one piece, all of whose tracks are there; NaN where there is none."""
    starts = _starts(gap.work)
    begin, end = starts[gap.bars.start], starts[gap.bars.stop]
    track = piece.tracks[gap.slot]
    inside = [n for n in track.notes if begin <= n.onset_ticks < end]
    found = {"leap": math.nan, "edge": math.nan, "ensemble": math.nan, "notes": float(len(inside))}
    if track.is_drum or not inside:
        return found
    before = [n for n in track.notes if n.onset_ticks < begin]
    after = [n for n in track.notes if n.onset_ticks >= end]
    leaps = []
    if before:
        leaps.append(_first(inside) - _last(before))
    if after:
        leaps.append(_first(after) - _last(inside))
    found["leap"] = float(np.mean(np.abs(leaps))) if leaps else math.nan
    edges = [
        tonal.alike(
            tonal.chroma([track], starts[bar - 1 : bar + 1]),
            tonal.chroma([track], starts[bar : bar + 2]),
        )
        for bar in (gap.bars.start, gap.bars.stop)
    ]
    known = [edge for edge in edges if math.isfinite(edge)]
    found["edge"] = float(np.mean(known)) if known else math.nan
    others = [t for t in piece.tracks if t is not track and not t.is_drum]
    hole = [begin, end]
    found["ensemble"] = tonal.alike(tonal.chroma([track], hole), tonal.chroma(others, hole))
    return found


def _starts(work: MeasuredWork) -> list[int]:
    """First tick of each bar, and the end of the last."""
    starts: list[int] = (work.tokenised.events.bar_starts * TICKS_PER_STEP).tolist()
    return starts


def _first(notes: Sequence[Note]) -> int:
    """Top pitch of the first onset."""
    onset = min(n.onset_ticks for n in notes)
    return max(n.pitch for n in notes if n.onset_ticks == onset)


def _last(notes: Sequence[Note]) -> int:
    """Top pitch of the last onset."""
    onset = max(n.onset_ticks for n in notes)
    return max(n.pitch for n in notes if n.onset_ticks == onset)


def moved(gap: Gap, piece: Piece) -> Piece:
    """The same piece with the notes of the hole a tritone away."""
    starts = _starts(gap.work)
    begin, end = starts[gap.bars.start], starts[gap.bars.stop]
    track = piece.tracks[gap.slot]
    notes = [
        replace(n, pitch=n.pitch + (_TRITONE if n.pitch < 64 else -_TRITONE))
        if begin <= n.onset_ticks < end
        else n
        for n in track.notes
    ]
    tracks = [replace(t, notes=notes) if t is track else t for t in piece.tracks]
    return replace(piece, tracks=tracks)
