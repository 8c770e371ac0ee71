"""New music as loud as the file around it.

Levels are mean velocities. Music is made softer by one factor for all its notes, and louder by one
factor for what each lacks to the loudest: what was played louder than its neighbour still is, and
the mean is the level that is wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import fmean
from typing import Final

from gen.piece import Note, Track

NEIGHBOURS: Final = 4
"""Sounding bars on each side of a seam whose level counts, and of which each group has one."""
SOFTEST, LOUDER = 0.8, 1.25
"""Of the level at a seam, between which later bars swell and fade."""
SOFTEST_BESIDE, LOUDEST_BESIDE = 0.75, 1.1
"""Of the file's own level, between which an added track plays along."""
LOUDEST: Final = 127

Bars = dict[int, list[Note]]
"""Notes by the bar in which they begin."""


def levelled(new: Bars, kept: Bars, replaced: Bars) -> list[Note]:
    """The new notes of a track, each run of bars as loud as the file at its two ends.

    Args:
        new: notes of the bars that were written.
        kept: the track's own notes in the other bars.
        replaced: its own notes where the new ones are, which count where no others are kept.
    """
    result: list[Note] = []
    for run in _runs(new):
        before = [kept[bar] for bar in sorted(kept) if bar < run[0]][-NEIGHBOURS:]
        after = [kept[bar] for bar in sorted(kept) if bar > run[-1]][:NEIGHBOURS]
        own = [replaced[bar] for bar in run if replaced.get(bar)]
        sides = [level for side in (before, after) if (level := _level(side))]
        asked = fmean(sides) if sides else _level(own)
        starts = range(0, len(run), NEIGHBOURS)
        groups = [[new[bar] for bar in run[first : first + NEIGHBOURS]] for first in starts]
        at_seam = _level(groups[0])
        for group in groups:
            written = _level(group)
            wanted = min(max(written * asked / at_seam, SOFTEST * asked), LOUDER * asked)
            result += [_brought(note, written, wanted) for notes in group for note in notes]
    return result


def beside(added: Sequence[Track], own: Sequence[Track]) -> list[Track]:
    """Added tracks, each hardly louder than the file's own and not much softer."""
    level = _level([track.notes for track in own])
    tracks = []
    for track in added:
        written = _level([track.notes])
        wanted = min(max(written, SOFTEST_BESIDE * level), LOUDEST_BESIDE * level)
        notes = [_brought(note, written, wanted) for note in track.notes]
        tracks.append(replace(track, notes=notes))
    return tracks


def _runs(bars: Collection[int]) -> list[list[int]]:
    """Bars in a row."""
    numbered = enumerate(sorted(bars))
    return [[bar for _, bar in run] for _, run in groupby(numbered, lambda item: item[1] - item[0])]


def _level(groups: Sequence[Sequence[Note]]) -> float:
    """Mean velocity; 0 where nothing sounds."""
    velocities = [note.velocity for notes in groups for note in notes]
    return fmean(velocities) if velocities else 0.0


def _brought(note: Note, level: float, wanted: float) -> Note:
    """A note of music of one level as it is where that is brought to another; 0 is none."""
    velocity, wanted = float(note.velocity), min(wanted, LOUDEST)
    if wanted and wanted < level:
        velocity *= wanted / level
    elif wanted > level:
        velocity = LOUDEST - (LOUDEST - velocity) * (LOUDEST - wanted) / (LOUDEST - level)
    return replace(note, velocity=max(round(velocity), 1))
