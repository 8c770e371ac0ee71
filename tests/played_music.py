"""Music as people play it in, by code: on the grid in mind, off it in the fingers.

A stand-in for a pianist: each hand leads or lags by its own habit at each eighth of the bar, the
right hand a little ahead of the left, with small errors on top; loudness rises and falls over four
bars. Nothing here is from any recording.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gen import smf
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from houses import TestHouse, start_house, tagged

QUARTER = 480
SCALE = (0, 2, 4, 5, 7, 9, 11)
HABIT = (0, 9, -4, 12, 2, 7, -6, 10)
"""Ticks that the right hand is late at each eighth of a bar."""
LEAD, ERROR = 8, 3.0
"""Ticks that it is ahead of the left, and the standard deviation of chance."""


def written(seed: int, bars: int = 8) -> Piece:
    """A melody over broken fifths, on the grid."""
    rng = np.random.default_rng(seed)
    root = 48 + int(rng.integers(0, 12))
    cell = rng.integers(0, len(SCALE), 8)
    right, left = [], []
    for bar in range(bars):
        start, moved = bar * 4 * QUARTER, int(rng.integers(-1, 2))
        for eighth, degree in enumerate(cell):
            if rng.random() < 0.8:
                octave, place = divmod(int(degree) + moved, len(SCALE))
                pitch = root + 24 + 12 * octave + SCALE[place]
                right.append(Note(start + eighth * QUARTER // 2, QUARTER // 2, pitch, 80))
        for beat in range(4):
            pitch = root + (0, 7, 12, 7)[beat]
            left.append(Note(start + beat * QUARTER, QUARTER, pitch, 60))
    tracks = [Track("right", 0, False, None, right), Track("left", 0, False, None, left)]
    return Piece(QUARTER, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


def played(piece: Piece, seed: int) -> Piece:
    """The same piece as somebody plays it."""
    rng = np.random.default_rng([seed, 1])
    tracks = [replace(track, notes=_played(track, hand, rng))
              for hand, track in enumerate(piece.tracks)]  # fmt: skip
    return replace(piece, tracks=tracks)


def _played(track: Track, hand: int, rng: np.random.Generator) -> list[Note]:
    notes = []
    for note in track.notes:
        eighth = note.onset_ticks * 2 // QUARTER % 8
        late = (HABIT[eighth] - LEAD if hand == 0 else 0) + rng.normal(0, ERROR)
        onset = max(note.onset_ticks + int(np.clip(round(late), -19, 19)), 0)
        swell = 8 * np.sin(note.onset_ticks / (16 * QUARTER) * 2 * np.pi)
        velocity = int(np.clip(note.velocity + swell + rng.normal(0, 3), 1, 127))
        length = int(note.duration_ticks * rng.uniform(0.8, 0.92))
        notes.append(Note(onset, length, note.pitch, velocity))
    return sorted(notes)


def played_house(folder: Path, works: int, straight: int = 0) -> TestHouse:
    """A house of so many played works, and of some on the grid."""
    house = start_house(folder)
    identity = house.load().roster.identity
    pieces = [played(written(n), n) if n < works else written(n) for n in range(works + straight)]
    contributions = [
        tagged(smf.write(piece), house=identity, title=f"Piece {number}")
        for number, piece in enumerate(pieces)
    ]
    results = house.submit(*contributions)
    refused = [result for result in results if result.rule]
    assert not refused, refused
    assert not house.accept([result.work for result in results]).refused
    return house
