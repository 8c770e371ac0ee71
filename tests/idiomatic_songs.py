"""Honest songs by code, alike in what songs of a kind are alike in; harder than `pop_songs`.

Each kind has its own clichés: licks that many songs share, the commonest in every third of them,
stock endings, bass lines, broken chords and ostinati, and tunes that mostly repeat a note or move
by a step. Songs share a bar or two by custom, and never a phrase by intent.

The kinds: `sung` (voice, second voice, played piano), `riffs` (pentatonic licks and riffs over
power chords), `machines` (arpeggiators and looped leads on a grid), `keys` (one player: Alberti
basses, scales, sequences in thirds). The same kind and seed give the same song.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from pop_songs import BAR, BEATS, LOOPS, MAJOR, MINOR, UNIT

KINDS = ("sung", "riffs", "machines", "keys")
SIXTEENTH = UNIT // 4
PENTATONIC = {MAJOR: (0, 1, 2, 4, 5), MINOR: (0, 2, 3, 4, 6)}
"""Degrees of the scale that make the pentatonic one."""
RHYTHMS = {
    "sung": ((0, 2, 4, 6, 8, 12), (2, 4, 6, 8, 10, 12, 14), (0, 4, 6, 8, 12, 14), (0, 3, 6, 8, 12),
             (4, 6, 8, 10, 12, 14), (0, 2, 4, 6, 8, 10, 12, 14), (0, 8), (0, 6, 8, 14), (0, 4, 8)),
    "riffs": ((0, 2, 3, 6, 8, 10, 11, 14), (0, 3, 6, 8, 10, 12), (0, 2, 4, 6, 8, 10, 12, 14),
              (0, 6, 8, 14), (0, 3, 6, 10, 12)),
    "machines": (tuple(range(16)), tuple(range(0, 16, 2)), (0, 3, 6, 8, 11, 14), (0, 3, 6, 9, 12)),
    "keys": (tuple(range(0, 16, 2)), tuple(range(16)), (0, 4, 6, 8, 12, 14), (0, 4, 8, 12),
             (0, 6, 8, 12)),
}  # fmt: skip
_FIGURES = {
    "sung": (6, 3, 6, 1, 1, 1, 1), "riffs": (6, 3, 7, 1, 1, 1, 1),
    "machines": (10, 3, 1, 1, 1, 2, 1), "keys": (10, 3, 1, 1, 1, 2, 1),
}  # fmt: skip
MOVES, LIKELY = (-4, -3, -2, -1, 0, 1, 2, 3, 4), (1, 1, 4, 26, 30, 22, 5, 2, 1)
ARPEGGIOS = ((0, 4, 7, 4), (0, 2, 4, 2), (0, 4, 2, 4), (0, 4, 7, 9), (0, 2, 4, 7), (7, 4, 2, 4))
BASSES = (
    ((0, 0), (8, 0)), tuple((i, 0) for i in range(0, 16, 2)), ((0, 0), (6, 0), (8, 4), (14, 4)),
    ((0, 0), (4, 2), (8, 4), (12, 5)), ((0, 0), (4, 4), (8, 7), (12, 4)), ((0, 0), (6, 0), (12, 0)),
    ((0, 0), (2, 7), (4, 0), (6, 7), (8, 0), (10, 7), (12, 0), (14, 7)),
)  # fmt: skip

Bar = list[tuple[int, int]]
"""(sixteenth, degree) of each note."""


def idiomatic_song(kind: str, seed: int) -> Piece:
    """A song of some 40 to 70 bars.

    Args:
        kind: one of `KINDS`.
        seed: which.
    """
    rng = random.Random(f"{kind} {seed}")  # noqa: S311 - music
    scale = MAJOR if rng.random() < 0.65 else MINOR
    song = _Song(rng, kind, scale, rng.randrange(-5, 7), rng.choice(LOOPS[scale]))
    form = rng.choice(("IVVCVCBC", "IVCVCC", "VVCVBCC", "IVCIVCBCC"))
    sections = {name: _section(song, name) for name in sorted(set(form))}
    for name in form:
        for bar in sections[name]:
            _write_bar(song, name, bar)
            song.bars += 1
    return _piece(song)


@dataclass
class _Song:
    """What one song is made of while it is written."""

    rng: random.Random
    kind: str
    scale: tuple[int, ...]
    tonic: int
    loop: tuple[int, ...]
    bars: int = 0
    tracks: dict[str, list[Note]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rhythms = self.rng.sample(RHYTHMS[self.kind], 2)
        self.arpeggio, self.bass = self.rng.choice(ARPEGGIOS), self.rng.choice(BASSES)
        self.beat = self.rng.choice(BEATS)

    def pitch(self, degree: int, base: int) -> int:
        return base + self.tonic + 12 * (degree // 7) + self.scale[degree % 7]

    def write(self, track: str, bar: Bar, base: int, velocity: int, most: int = 16) -> None:
        """Notes that last until the next, or for `most` sixteenths."""
        start = self.bars * BAR
        ends = [*(onset for onset, _ in bar[1:]), 16][: len(bar)]
        for (onset, degree), end in zip(bar, ends, strict=True):
            length = min(max(end - onset, 1), most) * SIXTEENTH - 10
            note = Note(start + onset * SIXTEENTH, length, self.pitch(degree, base), velocity)
            self.tracks.setdefault(track, []).append(note)


def _licks(kind: str, bars: int, count: int) -> list[list[Bar]]:
    """What songs of a kind have in common: figures of one or two bars, the commonest first."""
    rng = random.Random(f"licks {kind} {bars}")  # noqa: S311 - music
    found = []
    for _ in range(count):
        degree, figure = 0, []
        for _ in range(bars):
            onsets = rng.choice(RHYTHMS[kind])
            bar = []
            for onset in onsets:
                bar.append((onset, degree))
                degree += rng.choices(MOVES, LIKELY)[0]
            figure.append(bar)
        found.append(figure)
    return found


LICKS = {kind: (_licks(kind, 1, 60), _licks(kind, 2, 24)) for kind in KINDS}


def _lick(song: _Song, bars: int) -> list[Bar]:
    """The n-th commonest is 1/n as common as the first."""
    licks = LICKS[song.kind][bars - 1]
    return song.rng.choices(licks, [1 / (n + 1) for n in range(len(licks))])[0]


def _section(song: _Song, name: str) -> list[Bar]:
    """Eight bars: a phrase of two or four, again with another end or a step lower."""
    if name == "I":
        return [[] for _ in range(4)]
    length, home = song.rng.choice((2, 4, 4)), song.rng.randrange(0, 5) + 3 * (name == "C")
    phrase: list[Bar] = []
    while len(phrase) < length:
        phrase += _figure(song, home, song.loop[len(phrase) % 4])
    phrase, bars = phrase[:length], []
    while len(bars) < 8:
        lower = -1 if bars and song.rng.random() < 0.3 else 0
        again = [[(onset, degree + lower) for onset, degree in bar] for bar in phrase]
        if song.rng.random() < 0.7:
            again[-1] = _figure(song, home, song.loop[(len(bars) + length - 1) % 4])[0]
        bars += again
    return bars


def _figure(song: _Song, home: int, chord: int) -> list[Bar]:
    """One or two bars of tune."""
    rng = song.rng
    start = home + rng.choice((-1, 0, 0, 0, 1, 2))
    kind = rng.choices(("walk", "lick", "long lick", "scale", "chord", "note", "thirds"),
                       _FIGURES[song.kind])[0]  # fmt: skip
    if kind.endswith("lick"):
        bars = _lick(song, 2 if kind == "long lick" else 1)
        return [_fitted(song, [(o, d + start) for o, d in bar]) for bar in bars]
    onsets = rng.choice(song.rhythms)
    count, sign = len(onsets), rng.choice((-1, 1))
    degrees = {
        "walk": _walk(song, start, count),
        "scale": [start + sign * i for i in range(count)],
        "chord": [chord % 7 + song.arpeggio[i % 4] for i in range(count)],
        "note": [start] * (count - 1) + [start + sign],
        "thirds": [start + sign * (i // 2 + 2 * (i % 2)) for i in range(count)],
    }[kind]
    return [_fitted(song, list(zip(onsets, degrees, strict=True)))]


def _walk(song: _Song, degree: int, count: int) -> list[int]:
    found, home = [], degree
    for _ in range(count):
        found.append(degree)
        step = song.rng.choices(MOVES, LIKELY)[0]
        degree = min(max(degree + step, home - 4), home + 5)
    return found


def _fitted(song: _Song, bar: Bar) -> Bar:
    """Riffs are pentatonic."""
    if song.kind != "riffs":
        return bar
    degrees = PENTATONIC[song.scale]
    return [(o, 7 * (d // 7) + min(degrees, key=lambda p: abs(p - d % 7))) for o, d in bar]


def _write_bar(song: _Song, name: str, bar: Bar) -> None:
    root, is_full = song.loop[song.bars % 4], name in "CB"
    _ACCOMPANIED[song.kind](song, root, is_full)
    song.write("Melody", bar, 60, 92)
    if name == "C" and song.kind == "sung":
        song.write("Second voice", [(o, d - 2) for o, d in bar], 60, 70)
    if song.kind != "keys" and name != "I":
        start = song.bars * BAR
        hits = [(o, drum) for drum, onsets in song.beat.items() for o in onsets]
        song.tracks.setdefault("Drums", []).extend(
            Note(start + o * SIXTEENTH, 60, drum, 90) for o, drum in hits
        )


def _sung(song: _Song, root: int, is_full: bool) -> None:
    song.write("Piano", [(2 * i, root + song.arpeggio[i % 4]) for i in range(8)], 48, 60, 4)
    for third in (0, 2, 4) if is_full else (0, 4):
        song.write("Piano", [(0, root + third), (8, root + third)], 60, 55)


def _riffs(song: _Song, root: int, is_full: bool) -> None:
    rhythm = song.rhythms[0]
    for fifth in (0, 4):
        song.write("Guitar", [(o, root + fifth) for o in rhythm], 48, 80, 2)
    song.write("Bass", [(o, root) for o in (rhythm if is_full else rhythm[::2])], 36, 85, 2)


def _machines(song: _Song, root: int, is_full: bool) -> None:
    song.write("Arp", [(i, root + song.arpeggio[i % 4]) for i in range(16)], 60, 70, 1)
    song.write("Bass", [(o, root + d) for o, d in song.bass], 36, 85, 2)
    if is_full:
        for third in (0, 2, 4):
            song.write("Pad", [(0, root + third)], 60, 50)


def _keys(song: _Song, root: int, is_full: bool) -> None:
    pattern = (0, 4, 2, 4) if is_full else song.arpeggio
    song.write("Left hand", [(2 * i, root + pattern[i % 4]) for i in range(8)], 48, 60, 2)


_ACCOMPANIED = {"sung": _sung, "riffs": _riffs, "machines": _machines, "keys": _keys}


def _piece(song: _Song) -> Piece:
    late = 0 if song.kind == "machines" else song.rng.choice((0, 12))
    tracks = [
        Track(name, 0, name == "Drums", None, sorted(_late(song.rng, notes, late)))
        for name, notes in sorted(song.tracks.items(), key=lambda track: track[0] != "Melody")
    ]
    tempo = Tempo(0, 60_000_000 // song.rng.randrange(64, 140))
    return Piece(UNIT, tracks, [tempo], [TimeSignature(0, 4, 4)])


def _late(rng: random.Random, notes: list[Note], most: int) -> Iterator[Note]:
    for n in notes:
        later = rng.randint(0, most)
        yield Note(n.onset_ticks + later, n.duration_ticks - most, n.pitch, n.velocity)
