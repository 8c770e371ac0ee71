"""Variation of what a model learns from: transposed, revoiced, with attributes left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.errors import SettingError
from gen.harmony import QUALITIES
from gen.tokens import vocabulary as v
from gen.tokens.events import Events, Ints
from gen.tokens.vocabulary import WORDS, Kind

ATTRIBUTES = (Kind.GENRE, Kind.MOOD, Kind.KEY, Kind.STYLE, Kind.SECTION, Kind.CHORD)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """What is varied from window to window.

    Args:
        transpose: most semitones up or down; drums stay.
        tempo: most tempo classes (2.9 % each) up or down.
        velocity: most velocity classes (4 steps each) up or down.
        forget: chance that one kind of annotation is left out.
        forget_all: chance that all are.
        infill: share of windows in which cells are left out, to be filled in at the end.
        fresh: share of windows that echo themselves alone, as a piece does that has just begun:
            without them a model hardly learns to go on where nothing can be taken up.
        straight: of windows of played works, the share that is brought onto the grid, so that a
            model writes what it learned from players in straight time, too.
    """

    transpose: int = 6
    tempo: int = 3
    velocity: int = 2
    forget: float = 0.3
    forget_all: float = 0.3
    infill: float = 0.2
    fresh: float = 0.5
    straight: float = 0.1

    def __post_init__(self) -> None:
        for name in ("forget", "forget_all", "infill", "fresh", "straight"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{getattr(self, name)} is outside [0, 1]", where=name)
        for name in ("transpose", "tempo", "velocity"):
            if getattr(self, name) < 0:
                raise SettingError(f"{getattr(self, name)} is below 0", where=name)


def random_shift(events: Events, most: int, rng: Generator) -> int:
    """A transposition of at most `most` semitones that keeps every pitch within MIDI's range."""
    pitches = events.number[events.is_pitched]
    if not len(pitches) or most == 0:
        return 0
    low = max(-most, -int(pitches.min()))
    high = min(most, 127 - int(pitches.max()))
    return int(rng.integers(low, high + 1)) if low <= high else 0


def mean_pitches(events: Events) -> NDArray[np.float64]:
    """Mean pitch of each track, of its melodic notes alone; nan without any. (tracks,)."""
    notes = events.is_pitched
    track, tracks = events.track[notes], events.tracks
    sums = np.bincount(track, events.number[notes], tracks)
    counts = np.bincount(track, minlength=tracks)
    means: NDArray[np.float64] = np.full(tracks, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def transposed(events: Events, semitones: int, means: NDArray[np.float64] | None = None) -> Events:
    """Move melodic notes, chords and key; drums stay. The caller keeps pitches in range.

    Args:
        events: of a work, or a part of them.
        semitones: up or down.
        means: (tracks,) mean pitches of the work, so that registers can move too.
    """
    result = events.array.copy()
    value = events.value.astype(np.int64)
    result[WORDS.pitch.holds(value), v.VALUE] += semitones
    first_chord = WORDS.chord.id(1)  # the first of the chords is none
    for first, stop, per_root in (
        (first_chord, WORDS.chord.stop, len(QUALITIES)),
        (WORDS.key.start, WORDS.key.stop, 2),
    ):
        chosen = (value >= first) & (value < stop)
        root, rest = np.divmod(value[chosen] - first, per_root)
        result[chosen, v.VALUE] = first + (root + semitones) % 12 * per_root + rest
    if means is not None:
        known = events.is_a(Kind.TRACK) & (events.level > 0)
        octave = (means[events.track[known]] + semitones).astype(np.int64) // 12
        result[known, v.LEVEL] = WORDS.register.id(octave)
    return Events(result)


def revoiced(events: Events, *, tempo: int, velocity: int) -> Events:
    """Shift all tempos and all velocities by so many classes, clipped to what exists."""
    result = events.array.copy()
    for kind, field, words, shift in (
        (Kind.TEMPO, v.VALUE, WORDS.tempo, tempo),
        (Kind.NOTE, v.LEVEL, WORDS.velocity, velocity),
    ):
        chosen = events.is_a(kind)
        moved = result[chosen, field] + shift
        result[chosen, field] = np.clip(moved, words.start, words.stop - 1)
    return Events(result)


def forgetful(events: Events, chance: float, rng: Generator) -> tuple[Events, Ints]:
    """Leave out each kind of annotation with the given chance: 1 leaves the bare music.

    Returns:
        What is left, and (T,) which of the events those are.
    """
    forgotten = [kind for kind in ATTRIBUTES if rng.random() < chance]
    kept = np.flatnonzero(~events.is_a(*forgotten)) if forgotten else np.arange(len(events))
    left = events[kept]
    array = left.array.copy()
    for kind, field in ((Kind.TRACK, v.EXTENT), (Kind.TRACK, v.LEVEL), (Kind.CELL, v.EXTENT)):
        if rng.random() < chance:
            array[left.is_a(kind), field] = 0
    return Events(array), kept
