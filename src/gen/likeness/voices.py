"""What screening compares: the interval sequence of each track's upper line.

Rhythm is left out, so humanised timing still matches; so are transposition (intervals) and
repeated notes (a held and a re-struck note are the same step).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.piece import Piece, Track
from gen.smf import parse

SHINGLE_INTERVALS = 6
"""Length of the interval shingles that whole pieces are compared by."""
CHORD_SPREAD = 16
"""Onsets within 1/16 of a quarter note belong to one chord, of which the top note counts."""

LEADING_ROLES = ("main_melody", "sub_melody", "")
"""Roles whose lines are a work's own; riffs and accompaniments share patterns by nature."""

Hashes = NDArray[np.uint64]
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
    """

    label: str
    is_leading: bool
    pitches: NDArray[np.int16]
    bars: NDArray[np.int32]

    @property
    def intervals(self) -> NDArray[np.int16]:
        """Steps in semitones, shape (N - 1,)."""
        return np.diff(self.pitches)


def voices_of(piece: Piece, roles: tuple[str, ...] = ()) -> tuple[Voice, ...]:
    """The lines of a piece, drums and lines too short to compare left out.

    Args:
        piece: any piece.
        roles: what each track does, in file order, where known.
    """
    starts = np.array([start for start, _ in piece.bar_starts()], dtype=np.int64)
    voices = []
    for number, track in enumerate(piece.tracks):
        role = roles[number] if number < len(roles) else ""
        if track.is_drum:
            continue
        onsets, pitches = _skyline(track, piece.ticks_per_quarter)
        if len(pitches) > SHINGLE_INTERVALS:
            bars = np.searchsorted(starts, onsets, side="right").astype(np.int32)
            label = track.name or role or f"track {number + 1}"
            voices.append(Voice(label, role in LEADING_ROLES, pitches, bars))
    return tuple(voices)


def voices_of_music(music: bytes, roles: tuple[str, ...] = ()) -> tuple[Voice, ...]:
    """`voices_of` for a strict MIDI file, without what follows its last track."""
    return voices_of(parse(music), roles)


def _skyline(track: Track, ticks_per_quarter: int) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    """Onsets and pitches of the top notes, steps of 0 semitones left out."""
    spread = max(ticks_per_quarter // CHORD_SPREAD, 1)
    onsets: list[int] = []
    pitches: list[int] = []
    for onset, pitch in sorted((n.onset_ticks, n.pitch) for n in track.notes):
        if onsets and onset - onsets[-1] < spread:
            pitches[-1] = max(pitches[-1], pitch)
        else:
            onsets.append(onset)
            pitches.append(pitch)
    line = np.array(pitches, dtype=np.int16)
    moves = np.ones(len(line), dtype=bool)
    moves[1:] = line[1:] != line[:-1]
    return np.array(onsets, dtype=np.int64)[moves], line[moves]


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
