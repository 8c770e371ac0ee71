"""Files unlike the house's music, written by code: what producers bring that no work is like.

Each is 16 bars of 4/4, a part of chords or runs and a second one beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator

from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.smf import write

BARS: Final = 16
QUARTER: Final = 480
BAR: Final = 4 * QUARTER
Parts = list[list[Note]]


def creeping(rng: Generator) -> Parts:
    """Chords that move by semitones as a whole, under a line of their own notes."""
    chords, line, root = [], [], 50
    for half in range(2 * BARS):
        root = min(max(root + int(rng.choice([-1, 1])), 46), 56)
        tones = [root, root + int(rng.choice([3, 4])), root + 7]
        begin = half * BAR // 2
        chords += [Note(begin, BAR // 2, pitch, 70) for pitch in tones]
        line += [
            Note(begin + eighth * QUARTER // 2, QUARTER // 2, int(rng.choice(tones)) + 24, 80)
            for eighth in range(4)
        ]
    return [chords, line]


def whole_tones(rng: Generator) -> Parts:
    """Augmented triads under a line of whole tones."""
    chords, line, pitch = [], [], 72
    for bar in range(BARS):
        root = 48 + bar % 2 + 2 * int(rng.integers(3))
        chords += [Note(bar * BAR, BAR, root + third, 60) for third in (0, 4, 8)]
        for eighth in range(8):
            pitch = min(max(pitch + int(rng.choice([-4, -2, 2, 4])), 66), 84)
            own = pitch + (root - pitch) % 2
            line.append(Note(bar * BAR + eighth * QUARTER // 2, QUARTER // 2, own, 80))
    return [chords, line]


def rubato(rng: Generator) -> Parts:
    """Seventh chords on far roots, played freely beside the beat."""
    chords, line = [], []
    for bar in range(BARS):
        root, third = int(rng.integers(12)), int(rng.choice([3, 4]))
        for beat in range(4):
            begin = bar * BAR + beat * QUARTER
            length = int(QUARTER * rng.uniform(0.7, 1.1))
            for tone in (0, third, 7, 10):
                onset = max(begin + int(rng.normal(0, 32)), 0)
                chords.append(Note(onset, length, 44 + root + tone, 60))
        for beat in range(3):
            onset = max(bar * BAR + beat * BAR // 3 + int(rng.normal(0, 40)), 0)
            tone = int(rng.choice([0, third, 7, 10]))
            line.append(Note(onset, int(QUARTER * 1.1), 68 + root + tone, 85))
    return [chords, line]


def runs(rng: Generator) -> Parts:
    """Chromatic runs in thirds over a bass that wanders."""
    thirds, bass, pitch = [], [], 64
    for eighth in range(8 * BARS):
        pitch = min(max(pitch + int(rng.choice([-1, 1])), 58), 80)
        onset = eighth * QUARTER // 2
        thirds += [Note(onset, QUARTER // 2, pitch + third, 70) for third in (0, 4)]
        if eighth % 4 == 0:
            bass.append(Note(onset, BAR // 2, 36 + int(rng.integers(12)), 75))
    return [thirds, bass]


KINDS: Final[tuple[Callable[[Generator], Parts], ...]] = (creeping, whole_tones, rubato, runs)


def files(folder: Path, seed: int) -> list[Path]:
    """Write one file of each kind."""
    paths = []
    for kind in KINDS:
        tracks = [
            Track(name, program, notes=_one_at_a_time(notes))
            for name, program, notes in zip(
                ("first", "second"), (0, 73), kind(np.random.default_rng(seed)), strict=True
            )
        ]
        signature, tempo = TimeSignature(0, 4, 4), Tempo(0, 600_000)
        path = folder / f"{kind.__name__}-{seed}.mid"
        path.write_bytes(write(Piece(QUARTER, tracks, [tempo], [signature])))
        paths.append(path)
    return paths


def _one_at_a_time(notes: Iterable[Note]) -> list[Note]:
    """Without notes whose pitch sounds already."""
    found: list[Note] = []
    until: dict[int, int] = {}
    for note in sorted(notes):
        if until.get(note.pitch, 0) <= note.onset_ticks:
            found.append(note)
            until[note.pitch] = note.end_ticks
    return found
