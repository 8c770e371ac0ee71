"""What each track does in its piece: a first guess that the composer confirms or corrects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gen.piece import Piece, Track

_NAME_HINTS = {
    "main_melody": ("melody", "lead", "vocal", "vox", "voice", "solo", "theme", "tune"),
    "bass": ("bass",),
    "pad": ("pad", "drone"),
    "riff": ("riff", "ostinato", "arp", "sequence"),
    "sub_melody": ("counter", "descant", "harmony", "obbligato"),
    "accompaniment": ("comp", "chords", "rhythm", "strum", "left hand"),
}
_BASS_PROGRAMS = range(32, 40)
_PAD_PROGRAMS = range(88, 96)
_LONG_QUARTERS = 2.0


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a track moves: enough to guess what it does."""

    mean_pitch: float
    voices: float  # notes sounding together, on average while any sounds
    mean_quarters: float
    repetition: float  # share of bars that repeat an earlier bar exactly
    coverage: float  # share of the piece's bars with a note


def infer_roles(piece: Piece) -> tuple[str, ...]:
    """One of `gen.piece.ROLES` a track, in file order."""
    starts = np.array([start for start, _ in piece.bar_starts()])
    shapes = [_shape(track, starts, piece.ticks_per_quarter) for track in piece.tracks]
    roles = [_first_guess(t, s) for t, s in zip(piece.tracks, shapes, strict=True)]
    _choose_bass(piece, shapes, roles)
    _choose_melodies(shapes, roles)
    return tuple(role or "accompaniment" for role in roles)


def _first_guess(track: Track, shape: _Shape) -> str:
    """What the name, the instrument or the note lengths say; "" where they say nothing."""
    if track.is_drum:
        return "drums"
    name = track.name.lower()
    for role, words in _NAME_HINTS.items():
        if any(word in name for word in words) and not (role == "bass" and "bassoon" in name):
            return role
    if track.program in _BASS_PROGRAMS:
        return "bass"
    is_long = shape.mean_quarters >= _LONG_QUARTERS
    if is_long and (shape.voices >= 1.8 or track.program in _PAD_PROGRAMS):
        return "pad"
    return ""


def _choose_bass(piece: Piece, shapes: list[_Shape], roles: list[str]) -> None:
    """The lowest open track is the bass where no track says it is, several play, and it is low."""
    open_tracks = [i for i, role in enumerate(roles) if not role]
    pitched = [i for i, track in enumerate(piece.tracks) if not track.is_drum]
    if "bass" in roles or len(pitched) < 2 or not open_tracks:
        return
    lowest = min(open_tracks, key=lambda i: shapes[i].mean_pitch)
    is_lowest = shapes[lowest].mean_pitch <= min(shapes[i].mean_pitch for i in pitched)
    if is_lowest and shapes[lowest].mean_pitch < 50 and shapes[lowest].voices < 1.4:
        roles[lowest] = "bass"


def _choose_melodies(shapes: list[_Shape], roles: list[str]) -> None:
    """Single-voiced open tracks: the most tuneful is the melody, others riffs or second voices."""
    open_tracks = [i for i, role in enumerate(roles) if not role]
    by_tune = sorted(open_tracks, key=lambda i: -_tunefulness(shapes[i]))
    if "main_melody" not in roles and by_tune:
        roles[by_tune.pop(0)] = "main_melody"
    for track in by_tune:
        if shapes[track].voices < 1.3:
            roles[track] = "riff" if shapes[track].repetition > 0.5 else "sub_melody"


def _tunefulness(shape: _Shape) -> float:
    single = 1.0 - min(shape.voices - 1.0, 1.0)
    height = (shape.mean_pitch - 60) / 24
    return 2.0 * single + height + shape.coverage - 1.5 * shape.repetition


def _shape(track: Track, starts: NDArray[np.int64], ticks_per_quarter: int) -> _Shape:
    onsets = np.array([n.onset_ticks for n in track.notes])
    ends = np.array([n.end_ticks for n in track.notes])
    pitches = np.array([n.pitch for n in track.notes])
    if not len(onsets):
        return _Shape(0.0, 0.0, 0.0, 0.0, 0.0)
    bars = np.searchsorted(starts, onsets, side="right") - 1
    moves = np.stack([onsets - starts[bars], pitches], axis=1)
    patterns = [part.tobytes() for part in np.split(moves, np.flatnonzero(np.diff(bars)) + 1)]
    return _Shape(
        mean_pitch=float(pitches.mean()),
        voices=float((ends - onsets).sum()) / max(_union_length(onsets, ends), 1),
        mean_quarters=float((ends - onsets).mean()) / ticks_per_quarter,
        repetition=1.0 - len(set(patterns)) / len(patterns),
        coverage=len(patterns) / len(starts),
    )


def _union_length(onsets: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    """Ticks in which at least one note sounds; onsets ascending."""
    reached = np.maximum.accumulate(np.concatenate([[0], ends[:-1]]))
    return int(np.maximum(ends - np.maximum(onsets, reached), 0).sum())
