"""Works by code, for the tests of the evaluation."""

from __future__ import annotations

import numpy as np

from gen.data.windows import TokenisedWork
from gen.evaluation.parts import diversity, nearest_neighbour, statistics, structure
from gen.evaluation.subjects.works import MeasuredWork
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.tokens.encoding import Annotations
from music import events_of

METRICS = {
    "statistics": statistics.compare,
    "nearest_neighbour": nearest_neighbour.compare,
    "structure": structure.compare,
    "diversity": diversity.compare,
}
"""What compares generated pieces with works."""
SCALE = (0, 2, 4, 5, 7, 9, 11)
ROOTS = ((0, 9, 5, 7), (0, 5, 7, 0), (9, 5, 0, 7), (2, 7, 0, 9))
ROLES = ("main_melody", "bass", "accompaniment", "drums")


def song(seed: int, bars: int = 12) -> Piece:
    """A tune that walks the scale and repeats its phrase, chords, their roots, and a beat."""
    rng = np.random.default_rng(seed)
    phrase = np.clip(np.cumsum(rng.integers(-2, 3, 16)), -7, 7) + 7
    roots = ROOTS[seed % len(ROOTS)]
    key = 12 * 5 - 5 + seed % 5
    melody, bass, chords, drums = [], [], [], []
    for bar in range(bars):
        start, root = bar * 1920, roots[bar % 4]
        for step in range(4):
            degree = int(phrase[(bar % 4) * 4 + step]) - (bar % 8 == 7) * (step == 3)
            pitch = key + 12 * (degree // 7) + SCALE[degree % 7]
            melody.append(Note(start + step * 480, 440, pitch, 83))
        bass.append(Note(start, 1880, key - 24 + root, 71))
        third = 4 if (root + 4) % 12 in SCALE else 3
        chords += [
            Note(start + beat * 960, 900, key - 12 + root + step, 63)
            for beat in range(2)
            for step in (0, third, 7)
        ]
        drums += [Note(start + beat * 480, 120, (36, 38)[beat % 2], 99) for beat in range(4)]
    return Piece(
        480,
        [
            Track("melody", 73, False, ROLES[0], melody),
            Track("bass", 32, False, ROLES[1], bass),
            Track("chords", 0, False, ROLES[2], chords),
            Track("drums", 0, True, ROLES[3], drums),
        ],
        tempos=[Tempo(0, 500_000)],
        time_signatures=[TimeSignature(0, 4, 4)],
    )


def shuffled(piece: Piece, seed: int) -> Piece:
    """The same notes, each of its onset, length, pitch and loudness dealt anew in its track."""
    rng = np.random.default_rng(seed)
    tracks = []
    for track in piece.tracks:
        columns = [
            rng.permutation([getattr(note, name) for note in track.notes])
            for name in ("onset_ticks", "duration_ticks", "pitch", "velocity")
        ]
        dealt = {(int(on), int(p)): (int(d), int(v)) for on, d, p, v in zip(*columns, strict=True)}
        notes = [Note(on, d, p, v) for (on, p), (d, v) in sorted(dealt.items())]
        tracks.append(Track(track.name, track.program, track.is_drum, track.role, notes))
    return Piece(480, tracks, piece.tempos, piece.time_signatures)


def work(
    piece: Piece, name: str = "work", genre: str = "waltz", chords: str | None = None
) -> MeasuredWork:
    roles = tuple(track.role or "" for track in piece.tracks)
    events = events_of(piece, Annotations(genre=genre, chords=chords, roles=roles))
    return MeasuredWork(name, name.title(), genre, TokenisedWork.of(events))


def works(count: int, first: int = 0, bars: int = 12) -> list[MeasuredWork]:
    genres = ("waltz", "rock")
    return [work(song(first + i, bars), f"work-{first + i}", genres[i % 2]) for i in range(count)]
