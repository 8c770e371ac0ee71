"""What screening compares: the interval sequence of each track's upper line.

Rhythm is left out, so humanised timing still matches; so are transposition (intervals) and
repeated notes (a held and a re-struck note are the same step). When notes were struck again is kept
beside the line, for what compares in time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.piece import Piece, Track
from gen.smf import parse

SHINGLE_INTERVALS = 6
"""Length of the interval shingles that whole pieces are compared by."""
CHORD_SPREAD = 16
"""Onsets within 1/16 of a quarter note belong to one chord, of which the top note counts."""

TIME_UNIT = 24
"""Onsets are counted in this part of a quarter note."""
TOGETHER = "all"
"""The role of the part that all pitched tracks make together."""

LEADING_ROLES = ("main_melody", "sub_melody", "")
"""Roles whose lines are a work's own; riffs and accompaniments share patterns by nature."""

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
_MAX_STEP = 127
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Voice:
    """A track's upper line without repeated notes.

    Attributes:
        label: the track's name or role, for people.
        is_leading: whether the line is the work's own rather than accompaniment.
        pitches: (N,) int16; only differences matter where a fingerprint gave intervals.
        bars: (N,) int32, counted from 1; 0 where unknown.
        onsets: (N,) int32 in `TIME_UNIT`ths of a quarter, ascending; empty where unknown.
        is_together: whether it is the upper line of all tracks together.
        again: (M,) int32, ascending, onsets of notes that struck the pitch before them again.
    """

    label: str
    is_leading: bool
    pitches: NDArray[np.int16]
    bars: NDArray[np.int32]
    onsets: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    is_together: bool = False
    again: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    @property
    def has_times(self) -> bool:
        """Whether it is known when its notes begin."""
        return len(self.onsets) == len(self.pitches) >= 3

    def struck(self) -> Voice:
        """The line with its repeated notes, each a note of its own."""
        if not len(self.again):
            return self
        onsets = np.sort(np.concatenate([self.onsets, self.again]))
        notes = self.notes_at(onsets)
        pitches, bars = self.pitches[notes], self.bars[notes]
        return Voice(self.label, self.is_leading, pitches, bars, onsets, self.is_together)

    def notes_at(self, times: NDArray[Any]) -> Ints:
        """The note that sounded last at each time, repeats not counted."""
        return np.maximum(np.searchsorted(self.onsets, times, side="right") - 1, 0)

    @property
    def intervals(self) -> NDArray[np.int16]:
        """Steps in semitones, shape (N - 1,)."""
        return np.diff(self.pitches)


def voices_of(piece: Piece, roles: tuple[str, ...] = ()) -> tuple[Voice, ...]:
    """The upper lines of a piece's tracks; drums and lines too short to compare are left out.

    Args:
        piece: any piece.
        roles: what each track does, in file order, where known.
    """
    parts = parts_of(piece, roles)
    return tuple(p.voices[0] for p in parts if p.voices and not p.is_drum)


def voices_of_music(music: bytes, roles: tuple[str, ...] = ()) -> tuple[Voice, ...]:
    """`voices_of` for a strict MIDI file, without what follows its last track."""
    return voices_of(parse(music), roles)


@dataclass(frozen=True, slots=True)
class Part:
    """The notes of one track, or of all pitched tracks together.

    Attributes:
        voices: its lines from the top: the highest note of each chord, the next highest, …;
            those too short to compare are left out.
        onsets: (N,) int64 of all its notes, ascending, in `TIME_UNIT`ths of a quarter.
        ends: (N,) int64, likewise.
        pitches: (N,) int64.
        is_drum: whether it is played on a kit.
    """

    voices: tuple[Voice, ...]
    onsets: Ints
    ends: Ints
    pitches: Ints
    is_drum: bool = False


def parts_of(
    piece: Piece, roles: tuple[str, ...] = (), most_layers: int = 1, *, together: bool = False
) -> tuple[Part, ...]:
    """The tracks of a piece as parts.

    Args:
        piece: any piece.
        roles: what each track does, in file order, where known.
        most_layers: lines a part has at most.
        together: one more part, at the end, that holds the notes of all pitched tracks.
    """
    starts = np.array([start for start, _ in piece.bar_starts()], dtype=np.int64)
    names = [*roles[: len(piece.tracks)], *[""] * (len(piece.tracks) - len(roles))]
    tracks = list(zip(piece.tracks, names, strict=True))
    if together:
        notes = [note for track in piece.tracks if not track.is_drum for note in track.notes]
        tracks.append((Track("all tracks", notes=notes), TOGETHER))
    unit, parts = piece.ticks_per_quarter, []
    for number, (track, role) in enumerate(tracks, 1):
        onsets, lengths, pitches = (  # a list of tuples takes twice as long
            np.fromiter(values, np.int64, len(track.notes))
            for values in (
                [note.onset_ticks for note in track.notes],
                [note.duration_ticks for note in track.notes],
                [note.pitch for note in track.notes],
            )
        )
        ends = onsets + lengths
        label = track.name or role or f"track {number}"
        voices = tuple(
            Voice(
                label, role in LEADING_ROLES, line.astype(np.int16),
                np.searchsorted(starts, at, side="right").astype(np.int32),
                _counted(at, unit), role == TOGETHER,
                _counted(again[: len(again) * (role in LEADING_ROLES)], unit),
            )
            for at, line, again in lines_of(
                onsets, pitches, max(unit // CHORD_SPREAD, 1), most_layers
            )
        )  # fmt: skip
        times = (np.stack([onsets, ends]) * TIME_UNIT) // unit
        order = np.argsort(times[0], kind="stable")
        parts.append(Part(voices, times[0, order], times[1, order], pitches[order], track.is_drum))
    return tuple(parts)


def _counted(ticks: Ints, unit: int) -> NDArray[np.int32]:
    """Ticks in `TIME_UNIT`ths of a quarter note."""
    return (ticks * TIME_UNIT // unit).astype(np.int32)


def lines_of(
    onsets: Ints, pitches: Ints, spread: int, most_layers: int
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """The lines of some notes from the top: onsets and pitches of moves, onsets of repeats.

    Args:
        onsets: (N,) in any order.
        pitches: (N,) likewise.
        spread: notes that begin within such a time are a chord.
        most_layers: how many lines at most.
    """
    order = np.lexsort((-pitches, onsets))
    onsets, pitches = onsets[order], pitches[order]
    first = _chord_starts(onsets, spread)
    if not len(first):
        return
    group = np.cumsum(first) - 1
    onsets = onsets[first][group]
    order = np.lexsort((-pitches, group))
    pitches, rank = pitches[order], np.arange(len(group)) - np.flatnonzero(first)[group]
    for layer in range(most_layers):
        at, line = onsets[rank == layer], pitches[rank == layer]
        moves = np.ones(len(line), dtype=np.bool_)
        moves[1:] = line[1:] != line[:-1]
        if moves.sum() <= SHINGLE_INTERVALS:
            return
        yield at[moves], line[moves], at[~moves]


def _chord_starts(onsets: Ints, spread: int) -> NDArray[np.bool_]:
    """Which notes begin a chord: those `spread` ticks or more after the one that began the last."""
    first = np.ones(len(onsets), dtype=np.bool_)
    first[1:] = onsets[1:] != onsets[:-1]
    places = np.flatnonzero(first)
    if not (np.diff(onsets[places]) < spread).any():
        return first
    begun = int(onsets[0]) - spread
    for place, onset in zip(places.tolist(), onsets[places].tolist(), strict=True):
        if onset - begun < spread:
            first[place] = False
        else:
            begun = onset
    return first


def shingle_hashes(
    intervals: NDArray[np.int16] | NDArray[np.int64], length: int = SHINGLE_INTERVALS
) -> Hashes:
    """A hash for each run of `length` intervals, in order; shape (N - length + 1,)."""
    count = len(intervals) - length + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64)
    steps = (intervals.astype(np.int64) + 128).astype(np.uint64)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        hashes = (hashes << np.uint64(9)) ^ steps[offset : offset + count]
    mixed = hashes * _MULTIPLIER  # wraps: a bijection, it only scatters
    result: Hashes = mixed ^ (mixed >> np.uint64(29))
    return result


def shingles_of(voices: Iterable[Voice]) -> Hashes:
    """The set of shingles of these voices, ascending."""
    return shingles_of_lines(voice.pitches for voice in voices)


def shingles_of_lines(lines: Iterable[NDArray[np.int16] | NDArray[np.int64]]) -> Hashes:
    """The set of shingles of melodic lines, ascending.

    Args:
        lines: pitches in order of time; of notes that repeat a pitch the first counts.
    """
    steps = (np.diff(line) for line in lines)
    parts = [shingle_hashes(line[line != 0]) for line in steps]
    return np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *parts]))


def pack_voices(voices: tuple[Voice, ...]) -> list[dict[str, object]]:
    """Voices as plain JSON values: the fingerprint that logs and rights-holders keep."""
    return [
        {
            "bars": base64.b64encode(voice.bars.astype("<u2").tobytes()).decode("ascii"),
            "label": voice.label,
            "leading": voice.is_leading,
            "pitches": base64.b64encode(voice.pitches.astype("<i2").tobytes()).decode("ascii"),
        }
        for voice in voices
    ]


def unpack_voices(packed: object) -> tuple[Voice, ...]:
    """Read what `pack_voices` wrote, or plain lists of intervals.

    Raises:
        HouseError: neither.
    """
    try:
        if not isinstance(packed, list):
            raise TypeError("a fingerprint is a list of voices")
        return tuple(_unpack(voice, number) for number, voice in enumerate(packed, 1))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        mend = "write each voice as a list of intervals in semitones, for instance [2, 2, -4]"
        raise HouseError(f"the fingerprint cannot be read: {error}", mend=mend) from error


def _unpack(voice: object, number: int) -> Voice:
    if isinstance(voice, list):
        steps = np.array([0, *(int(step) for step in voice if step)], dtype=np.int64)
        if np.abs(steps).max() > _MAX_STEP:
            raise ValueError(f"a step of {np.abs(steps).max()} semitones")
        pitches = np.cumsum(steps).astype(np.int16)
        return Voice(f"voice {number}", True, pitches, np.zeros(len(pitches), dtype=np.int32))
    if not isinstance(voice, dict):
        raise TypeError("a voice is a list of intervals")
    pitches = np.frombuffer(base64.b64decode(voice["pitches"], validate=True), dtype="<i2")
    bars = np.frombuffer(base64.b64decode(voice["bars"], validate=True), dtype="<u2")
    if len(pitches) != len(bars):
        raise ValueError("pitches and bars differ in number")
    label, leading = str(voice["label"]), bool(voice["leading"])
    return Voice(label, leading, pitches.astype(np.int16), bars.astype(np.int32))
