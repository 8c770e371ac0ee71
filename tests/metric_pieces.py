"""Pieces by code for the tests of metrics: three whose values MusPy gave, and songs by seed.

`golden(number)` is made by arithmetic alone, on 12 ticks a quarter, so that any program can make
the same notes. `song(seed)` has verses and choruses that come back; `shuffled(piece)` has its
notes' onsets and pitches dealt out anew, track by track.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gen.piece import Note, Piece, Tempo, TimeSignature, Track

QUARTER = 12


def golden(number: int) -> Piece:
    """Of 0: 4/4 with drums and rests; 1: 3/4, chromatic, overlapping; 2: 6/8, a lone line."""
    return (_ballad, _waltz, _jig)[number]()


def _ballad() -> Piece:
    chords = [
        Note(bar * 48 + beat * 24, 18, pitch, 60 + bar)
        for bar in range(8)
        if bar != 5
        for beat in range(2)
        for pitch in ((48, 52, 55), (45, 48, 52), (41, 45, 48, 52), (43, 47, 50))[bar % 4]
    ]
    tune = [
        Note(
            bar * 48 + i * 12 + 3 * (i * bar % 2), 6 + 3 * (i % 3), 60 + (i * i * 5 + bar) % 14, 80
        )
        for bar in range(7)
        if bar != 5
        for i in range(4)
    ]
    drums = [
        Note(bar * 48 + step, 1, (36, 42, 38, 42)[step % 4], 90)
        for bar in range(4)
        for step in (0, 6, 12, 16, 24, 27, 36, 41)
    ]
    tracks = [
        Track("", 0, notes=sorted(chords)),
        Track("", 73, notes=sorted(tune)),
        Track("", 0, True, notes=sorted(drums)),
    ]
    return Piece(QUARTER, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


def _waltz() -> Piece:
    upper = [Note(i * 9, 15, 60 + (i * i * 7 + 3 * i) % 25, 70 + i % 40) for i in range(44)]
    lower = [Note(i * 12, 30, 36 + (i * 11) % 24, 64) for i in range(30)]
    tracks = [Track("", 40, notes=upper), Track("", 42, notes=lower)]
    return Piece(QUARTER, tracks, [], [TimeSignature(0, 3, 4)])


def _jig() -> Piece:
    tune = [Note(i * 6, 6, 62 + (0, 2, 4, 5, 7, 9, 11)[i * 3 % 7], 75) for i in range(48)]
    return Piece(QUARTER, [Track("", 110, notes=tune)], [], [TimeSignature(0, 6, 8)])


def song(seed: int, *, form: str = "AABA", key: int = 0) -> Piece:
    """Sections of eight bars of tune, bass and drums; equal letters are equal sections."""
    rng = np.random.default_rng(seed)
    sections = {name: _section(rng) for name in sorted(set(form))}
    tracks = [Track("", 73), Track("", 33), Track("", 0, True)]
    for place, name in enumerate(form):
        for track, notes in zip(tracks, sections[name], strict=True):
            up = 0 if track.is_drum else key
            track.notes += [
                replace(n, onset_ticks=n.onset_ticks + place * 8 * 48, pitch=n.pitch + up)
                for n in notes
            ]
    return Piece(QUARTER, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


def _section(rng: np.random.Generator) -> tuple[list[Note], list[Note], list[Note]]:
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14])
    roots = rng.permutation([0, 5, 7, 9])
    groove = np.sort(rng.choice(np.arange(0, 48, 6), 5, replace=False)).tolist()
    tune, bass, drums, degree = [], [], [], 4
    for bar in range(8):
        for step in groove:
            degree = int(np.clip(degree + rng.integers(-2, 3), 0, 8))
            tune.append(
                Note(bar * 48 + step, 6, 60 + int(scale[degree]), int(rng.integers(70, 90)))
            )
        bass.append(Note(bar * 48, 36, 36 + int(roots[bar % 4]), 72))
        drums += [Note(bar * 48 + step, 2, 36 + 2 * (step % 24 == 12), 95) for step in groove]
    return tune, bass, drums


def shuffled(piece: Piece, rng: np.random.Generator) -> Piece:
    """Each track with its own onsets and pitches in another order."""
    tracks = []
    for track in piece.tracks:
        onsets = rng.permutation([n.onset_ticks for n in track.notes]).tolist()
        pitches = rng.permutation([n.pitch for n in track.notes]).tolist()
        notes = [
            replace(n, onset_ticks=onset, pitch=pitch)
            for n, onset, pitch in zip(track.notes, onsets, pitches, strict=True)
        ]
        tracks.append(replace(track, notes=sorted(notes)))
    return replace(piece, tracks=tracks)
