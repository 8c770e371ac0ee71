"""Scores to the grid of 12 steps a quarter: the one place where timing is rounded.

Every onset and end goes to its nearest step, every duration to the nearest listed one; how far
they were off stands beside them, for those who want it (`timing`). The bars are those of
`Piece.bar_starts`: they reach the last note-off, and nothing sounds beyond them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.meter import write_bars
from gen.piece import DRUM_PROGRAM
from gen.tokens import timing
from gen.tokens import vocabulary as v

Ints = NDArray[np.int64]

SUSTAIN = 64
"""Number of the sustain pedal's controller; from the same value on it is down."""

TICKS_PER_STEP = 40
TICKS_PER_QUARTER = TICKS_PER_STEP * v.STEPS_PER_QUARTER
_ONSET, _PITCH, _DURATION, _VELOCITY, _PLAYED, _EARLY, _END, _TOUCH = range(8)


@dataclass(slots=True)
class GridTrack:
    """One track on the grid. Arrays are (N,), sorted by onset then pitch.

    `timing` and `pedal_timing` hold how far each was off, (N, 3): onset, release and touch as
    `timing` counts them.
    """

    program: int  # 0-127, or DRUM_PROGRAM
    onset: Ints
    duration: Ints
    pitch: Ints
    velocity: Ints
    pedal_onset: Ints
    pedal_duration: Ints
    timing: Ints
    pedal_timing: Ints


@dataclass(slots=True)
class Grid:
    """A score on the grid, before it becomes events."""

    bars: list[tuple[int, int, int]]  # first step, numerator, denominator
    tempos: list[tuple[int, int]]  # step, tempo class
    parts: list[GridTrack]

    @property
    def timing(self) -> str:
        """`timing.PLAYED` where a note begins off the grid, else `timing.STRAIGHT`."""
        is_played = any(part.timing[:, 0].any() for part in self.parts)
        return timing.PLAYED if is_played else timing.STRAIGHT


def to_grid(score: Any) -> Grid:
    """Put a `symusic.Score` (ticks) on the grid; tracks without notes are left out.

    Of more tracks than the vocabulary holds, those of one instrument are joined, and then those
    of one family.

    Raises:
        HouseError: no notes at all.
    """
    division = int(score.ticks_per_quarter)
    tracks = [track for track in score.tracks if len(track.notes)]
    if not tracks:
        raise HouseError("no track holds a note", mend="give music that has notes")
    groups = _groups(tracks)
    notes = [_separate(np.concatenate([_notes(t, division) for t in group])) for group in groups]
    sounding = (n[:, _ONSET] + np.minimum(n[:, _DURATION], n[:, _PLAYED]) for n in notes)
    end = max(int(ends.max()) for ends in sounding)
    bars = write_bars(_signature_changes(score, division, end), end)
    start, numerator, denominator = bars[-1]
    end = start + v.bar_steps(numerator, denominator)
    parts = [_part(group, n, division, end) for group, n in zip(groups, notes, strict=True)]
    return Grid(bars, _tempo_changes(score, division, end), parts)


def _groups(tracks: Sequence[Any]) -> list[list[Any]]:
    """The tracks that become one part each, the one with the most notes first in its group.

    Drums and General MIDI's sixteen families are fewer than the parts that there may be.
    """
    groups = [[track] for track in tracks]
    for kin in (_instrument, _family):
        while len(groups) > v.MAX_TRACKS and (pair := _alike(groups, kin)):
            into, place = pair
            together = [*groups[into], *groups.pop(place)]
            groups[into] = sorted(together, key=lambda track: -len(track.notes))
    return groups


def _alike(groups: list[list[Any]], kin: Callable[[Any], int]) -> tuple[int, int] | None:
    """The places of the last two groups of the commonest kin; None if each has its own."""
    places: dict[int, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(kin(group[0]), []).append(place)
    commonest = max(places.values(), key=len)
    return (commonest[-2], commonest[-1]) if len(commonest) > 1 else None


def _instrument(track: Any) -> int:
    return DRUM_PROGRAM if track.is_drum else int(track.program)


def _family(track: Any) -> int:
    return _instrument(track) // 8


def _to_steps(ticks: NDArray[Any], ticks_per_quarter: int) -> Ints:
    """Nearest grid step; halves go up. (N,) -> (N,)."""
    doubled = ticks.astype(np.int64) * 2 * v.STEPS_PER_QUARTER
    return np.asarray((doubled + ticks_per_quarter) // (2 * ticks_per_quarter))


def _spans(ticks: Any, duration_ticks: Any, ticks_per_quarter: int) -> tuple[Ints, Ints]:
    """Onsets and lengths in steps, 1 to the longest listed. (N,), (N,)."""
    onset = _to_steps(ticks, ticks_per_quarter)
    end = _to_steps(ticks + duration_ticks, ticks_per_quarter)
    return onset, np.clip(end - onset, 1, v.DURATIONS[-1])


def _off(onset: Ints, ticks: Any, duration_ticks: Any, ticks_per_quarter: int) -> tuple[Ints, Ints]:
    """How far an onset is from its step, and where its end is, in `timing`'s parts of a step."""
    per_tick = v.STEPS_PER_QUARTER / ticks_per_quarter
    early = np.rint((ticks * per_tick - onset) * timing.ONSET_PARTS)
    end = np.rint((ticks.astype(np.int64) + duration_ticks) * per_tick * timing.RELEASE_PARTS)
    return early.astype(np.int64), end.astype(np.int64)


def _notes(track: Any, ticks_per_quarter: int) -> Ints:
    """(N, 8): onset, pitch, nearest listed duration, velocity class; duration, onset, end, touch.

    The latter are as played: see `_off`, and the velocity beside that of its class.
    """
    soa = track.notes.numpy()
    onset, played = _spans(soa["time"], soa["duration"], ticks_per_quarter)
    loudness = soa["velocity"].astype(np.int64)
    velocity = v.nearest_index(loudness.astype(np.float64), v.VELOCITIES.astype(np.float64))
    pitch = soa["pitch"].astype(np.int64)
    off = _off(onset, soa["time"], soa["duration"], ticks_per_quarter)
    touch = loudness - v.VELOCITIES[velocity]
    return np.stack([onset, pitch, _listed(played), velocity, played, *off, touch], axis=1)


def _pedals(track: Any, ticks_per_quarter: int) -> Ints:
    """Pedals in the form of notes of one pitch, (N, 8)."""
    ticks = _pedal_ticks(track)
    onset, played = _spans(*ticks, ticks_per_quarter)
    nothing, off = np.zeros_like(onset), _off(onset, *ticks, ticks_per_quarter)
    return np.stack([onset, nothing, _listed(played), nothing, played, *off, nothing], axis=1)


def _timing(notes: Ints) -> Ints:
    """How far they are off the grid, of notes as they are on it: (N, 8) -> (N, 3)."""
    ends = (notes[:, _ONSET] + notes[:, _DURATION]) * timing.RELEASE_PARTS
    return np.stack([notes[:, _EARLY], notes[:, _END] - ends, notes[:, _TOUCH]], axis=1)


def _listed(played: Ints) -> Ints:
    """Nearest listed duration. (N,) -> (N,)."""
    return v.DURATIONS[v.nearest_index(played.astype(np.float64), v.DURATIONS.astype(np.float64))]


def _cut(notes: Ints, room: Ints) -> None:
    """Shorten what exceeds its room, (N,), to the longest listed duration that fits."""
    over = notes[:, _DURATION] > room
    longest = np.searchsorted(v.DURATIONS, room[over], side="right") - 1
    notes[over, _DURATION] = v.DURATIONS[longest]


def _pedal_ticks(track: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Onsets and durations of the sustain pedal, in ticks. (N,), (N,).

    Of a file the controllers are read: symusic 0.6.0 finds the first pedal of every track but
    the first at tick 0. A score made in memory may have pedals alone.
    """
    controls = track.controls.numpy()
    sustain = controls["number"] == SUSTAIN
    if not sustain.any():
        pedals = track.pedals.numpy()
        return pedals["time"], pedals["duration"]
    ticks = controls["time"][sustain].astype(np.int64)
    moves = np.diff((controls["value"][sustain] >= SUSTAIN).astype(np.int8), prepend=0)
    pressed, released = ticks[moves == 1], ticks[moves == -1]
    if len(released) < len(pressed):
        released = np.append(released, np.iinfo(np.int32).max)  # held to the end
    held = released > pressed
    return pressed[held], (released - pressed)[held]


def _part(tracks: Sequence[Any], notes: Ints, ticks_per_quarter: int, end: int) -> GridTrack:
    """One track, or several joined ones, on the grid; nothing lasts beyond step `end`."""
    pedals = _separate(np.concatenate([_pedals(track, ticks_per_quarter) for track in tracks]))
    pedals = pedals[pedals[:, _ONSET] < end]
    for held in (notes, pedals):
        _cut(held, end - held[:, _ONSET])
    return GridTrack(
        program=_instrument(tracks[0]),
        onset=notes[:, _ONSET],
        duration=notes[:, _DURATION],
        pitch=notes[:, _PITCH],
        velocity=notes[:, _VELOCITY],
        pedal_onset=pedals[:, _ONSET],
        pedal_duration=pedals[:, _DURATION],
        timing=_timing(notes),
        pedal_timing=_timing(pedals),
    )


def _separate(notes: Ints) -> Ints:
    """One note a pitch at a time. (N, 8) -> (M, 8).

    Of two that begin together the longer stays; one that is still held when its pitch is
    struck again is cut.
    """
    order = [-notes[:, column] for column in (_PLAYED, _VELOCITY, _DURATION)]
    notes = notes[np.lexsort((*order, notes[:, _ONSET], notes[:, _PITCH]))]
    first = np.ones(len(notes), dtype=np.bool_)
    first[1:] = (np.diff(notes[:, _ONSET]) != 0) | (np.diff(notes[:, _PITCH]) != 0)
    notes = notes[first]
    room = np.full(len(notes), np.iinfo(np.int64).max)
    same = notes[1:, _PITCH] == notes[:-1, _PITCH]
    room[:-1][same] = np.diff(notes[:, _ONSET])[same]
    _cut(notes, room)
    return notes[np.lexsort((notes[:, _PITCH], notes[:, _ONSET]))]


def _signature_changes(score: Any, division: int, end: int) -> list[tuple[int, int, int]]:
    """(step, numerator, denominator) of each change before step `end`."""
    signatures = {
        int(_to_steps(np.array([s.time]), division)[0]): (s.numerator, s.denominator)
        for s in score.time_signatures
    }
    return [(step, *s) for step, s in sorted(signatures.items()) if step < end]


def _tempo_changes(score: Any, division: int, end: int) -> list[tuple[int, int]]:
    """(step, tempo class) of each audible change; 120 at the start if nothing is said."""
    classes = {0: _tempo_class(120.0)}
    for tempo in score.tempos:
        step = int(_to_steps(np.array([tempo.time]), division)[0])
        if step < end:
            classes[step] = _tempo_class(float(tempo.qpm))
    changes, last = [], -1
    for step, tempo_class in sorted(classes.items()):
        if tempo_class != last:
            changes.append((step, tempo_class))
            last = tempo_class
    return changes


def _tempo_class(quarters_per_minute: float) -> int:
    return int(v.nearest_index(np.array([quarters_per_minute]), v.TEMPOS)[0])
