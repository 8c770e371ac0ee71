"""Honest pop songs by code: different tunes that share what pop songs share.

Scales, arpeggios, sequences, riffs on one note, four-chord loops, stock drum patterns and doubled
octaves are common to all of them. `pop_song(seed)` is the same song for the same seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from gen.piece import Note, Piece, Tempo, TimeSignature, Track

UNIT = 480
BAR = 4 * UNIT
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
LOOPS = {
    MAJOR: ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (3, 4, 2, 5), (0, 3, 4, 4), (1, 4, 0, 5),
            (0, 2, 3, 4), (0, 4, 5, 2)),
    MINOR: ((0, 5, 2, 6), (0, 3, 6, 2), (0, 6, 5, 6), (0, 5, 3, 4), (0, 2, 6, 5)),
}  # fmt: skip
RHYTHMS = (  # onsets in a bar, in sixteenths
    (0, 2, 4, 6, 8, 10, 12, 14), (0, 4, 6, 8, 12, 14), (0, 2, 4, 8, 10, 12), (2, 4, 6, 8, 12),
    (0, 3, 6, 8, 11, 14), (0, 2, 3, 6, 8, 10, 12), (0, 6, 8, 14), (0, 4, 8, 12), (0, 8),
    (2, 4, 6, 10, 12, 14), (0, 1, 2, 4, 6, 8, 9, 10, 12, 14), (0, 4, 7, 10, 12), (0, 3, 4, 6, 12),
)  # fmt: skip
ARPEGGIOS = (
    (0, 2, 4, 2, 0, 2, 4, 2), (0, 4, 7, 4, 0, 4, 7, 4), (0, 2, 4, 7, 4, 2, 4, 2),
    (0, 4, 7, 9, 7, 4, 7, 4), (7, 4, 2, 0, 7, 4, 2, 0),
)  # fmt: skip
BEATS = (
    {36: (0, 8), 38: (4, 12), 42: range(0, 16, 2)}, {36: (0, 6, 8), 38: (4, 12), 42: range(16)},
    {36: (0, 4, 8, 12), 39: (4, 12), 46: (2, 6, 10, 14)},
    {36: (0, 7, 10), 38: (4, 12), 51: range(0, 16, 2)},
)  # fmt: skip


@dataclass
class _Song:
    """What one song is made of while it is written."""

    rng: random.Random
    scale: tuple[int, ...]
    tonic: int
    loop: tuple[int, ...]
    melody: list[Note] = field(default_factory=list)
    double: list[Note] = field(default_factory=list)
    piano: list[Note] = field(default_factory=list)
    bass: list[Note] = field(default_factory=list)
    pad: list[Note] = field(default_factory=list)
    drums: list[Note] = field(default_factory=list)

    def pitch(self, degree: int, base: int) -> int:
        return base + self.tonic + 12 * (degree // 7) + self.scale[degree % 7]


def pop_song(seed: int, humanised_ticks: int | None = None) -> Piece:
    """A song of some 40 to 70 bars.

    Args:
        seed: which.
        humanised_ticks: how far notes stand off the grid; a third of the songs are played if None.
    """
    rng = random.Random(f"pop song {seed}")  # noqa: S311 - music
    scale = MAJOR if rng.random() < 0.7 else MINOR
    song = _Song(rng, scale, rng.randrange(-5, 7), rng.choice(LOOPS[scale]))
    form = rng.choice(("IVVCVCBC", "IVCVCC", "VVCVCBCC", "IVPCVPCC"))
    sections = {name: _section(song, name) for name in sorted(set(form))}
    arpeggio, beat = rng.choice(ARPEGGIOS), rng.choice(BEATS)
    bar = 0
    for name in form:
        for phrase in sections[name]:
            _write_bar(song, bar, phrase, name, arpeggio, beat)
            bar += 1
    late = humanised_ticks if humanised_ticks is not None else rng.choice((0, 0, 14))
    return _piece(song, late)


def _section(song: _Song, name: str) -> list[list[tuple[int, int]]]:
    """Bars of (sixteenth, degree): a phrase of two or four bars, again with another end."""
    if name == "I":
        return [[] for _ in range(4)]
    length = song.rng.choice((2, 4))
    start = song.rng.randrange(0, 6) + (3 if name == "C" else 0)
    rhythm = [song.rng.choice(RHYTHMS) for _ in range(length)]
    phrase = [_melody_bar(song, rhythm[i], song.loop[i % 4], start) for i in range(length)]
    if song.rng.random() < 0.25:
        phrase[-2:] = _stock_figure(song, start)
    bars: list[list[tuple[int, int]]] = []
    while len(bars) < 8:
        again = [list(notes) for notes in phrase]
        again[-1] = _melody_bar(song, rhythm[-1], song.loop[(len(bars) + length - 1) % 4], start)
        if song.rng.random() < 0.3:  # a sequence: the phrase a step lower
            again = [[(onset, degree - 1) for onset, degree in notes] for notes in again]
        bars += again
    return bars


def _melody_bar(
    song: _Song, onsets: tuple[int, ...], chord: int, start: int
) -> list[tuple[int, int]]:
    """One bar of tune: a walk about the chord, or a stock figure."""
    rng = song.rng
    kind = rng.choices(("walk", "scale", "arpeggio", "riff", "neighbour"), (10, 2, 2, 3, 1))[0]
    degree = start + rng.choice((-1, 0, 0, 1, 2))
    direction, notes = rng.choice((-1, 1)), []
    for number, onset in enumerate(onsets):
        notes.append((onset, degree))
        if kind == "scale":
            degree += direction
        elif kind == "arpeggio":
            degree = chord % 7 + (0, 2, 4, 7, 4, 2)[number % 6]
        elif kind == "riff":
            degree += rng.choice((0, 0, 0, 0, direction))
        elif kind == "neighbour":
            degree = start + (0, direction)[number % 2 == 0]
        else:
            degree += rng.choices((-3, -2, -1, 0, 1, 2, 3, 4), (1, 3, 6, 5, 6, 3, 1, 1))[0]
        degree = min(max(degree, start - 5), start + 7)
    return notes


def _stock_figure(song: _Song, start: int) -> list[list[tuple[int, int]]]:
    """Two bars of what everybody plays: a scale up and down, a broken chord, thirds going up."""
    figure = song.rng.choice(("scale", "arpeggio", "thirds", "neighbour"))
    length = song.rng.choice((1, 2))  # of a note, in sixteenths
    degrees = {
        "scale": [7 - abs(i % 14 - 7) for i in range(32)],
        "arpeggio": [(0, 2, 4, 7, 9, 7, 4, 2)[i % 8] for i in range(32)],
        "thirds": [i // 2 + 2 * (i % 2) for i in range(32)],
        "neighbour": [(0, 1, 0, -1)[i % 4] for i in range(32)],
    }[figure]
    sign = song.rng.choice((-1, 1))
    notes = [(i * length, start + sign * degrees[i]) for i in range(32 // length)]
    return [[n for n in notes if n[0] < 16], [(o - 16, d) for o, d in notes if o >= 16]]


def _write_bar(
    song: _Song, bar: int, phrase: list[tuple[int, int]], name: str, arpeggio, beat
) -> None:
    start, root = bar * BAR, song.loop[bar % 4]
    ends = [*(onset for onset, _ in phrase[1:]), 16][: len(phrase)]
    for (onset, degree), end in zip(phrase, ends, strict=True):
        note = (start + onset * 120, (end - onset) * 110, song.pitch(degree, 60), 92)
        song.melody.append(Note(*note))
        if name == "C":
            song.double.append(Note(note[0], note[1], note[2] + 12, 70))
    for i, step in enumerate(arpeggio):
        song.piano.append(Note(start + i * 240, 220, song.pitch(root + step, 48), 66))
    for i in range(8 if name == "C" else 2):
        length = BAR // (8 if name == "C" else 2)
        song.bass.append(Note(start + i * length, length - 20, song.pitch(root, 36), 80))
    if name in "CB":
        song.pad += [Note(start, BAR - 10, song.pitch(root + s, 55), 50) for s in (0, 2, 4)]
    if name != "I":
        song.drums += [
            Note(start + onset * 120, 60, drum, 90) for drum, hits in beat.items() for onset in hits
        ]


def _piece(song: _Song, late_ticks: int) -> Piece:
    parts = (
        ("Melody", 0, song.melody), ("Double", 48, song.double), ("Piano", 0, song.piano),
        ("Bass", 33, song.bass), ("Pad", 89, song.pad), ("Drums", 0, song.drums),
    )  # fmt: skip
    tracks = [
        Track(name, program, name == "Drums", None, _played(song.rng, notes, late_ticks))
        for name, program, notes in parts
        if notes
    ]
    tempo = Tempo(0, 60_000_000 // song.rng.randrange(68, 138))
    return Piece(UNIT, tracks, [tempo], [TimeSignature(0, 4, 4)])


def _played(rng: random.Random, notes: list[Note], late_ticks: int) -> list[Note]:
    """Sorted, and off the grid by up to `late_ticks`."""

    def late(onset: int) -> int:
        return onset + rng.randint(0, late_ticks)

    return sorted(
        Note(late(n.onset_ticks), n.duration_ticks - late_ticks, n.pitch, n.velocity) for n in notes
    )
