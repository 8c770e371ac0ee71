"""A key's trace in the notes: it outlives every mark that a file carries beside them.

While a piece is drawn, the pitch and the loudness of a note are chosen by numbers that a secret
key makes of what stands before them in their track, where otherwise chance would choose. Averaged
over keys each choice is as likely as the model has it (Gumbel's trick), and each context decides
once in a piece, later ones are left to chance: so the notes of a piece are distributed as without
a watermark. Whoever has the key works the numbers out again from the notes of any file: those of
what was chosen are larger than chance would have them.

A context is what of the notes before survives transposing, another tempo and other programs: the
intervals between them, how loud they are (in the vocabulary's 32 steps) and where in its quarter
the note begins. A pitch is known by its interval from the note before, on drums by its number.

Sources: Aaronson 2022 (Gumbel watermark); Kuditipudi et al. 2023, arXiv:2307.15593; Hu et al.
2023, arXiv:2310.10669 (a context decides once); Dathathri et al. 2024, "SynthID-Text".
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gen.piece import DRUM_PROGRAM, Piece
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

VARIANTS: Final = 16
"""Numbers that a key makes, of which each piece has one: so that a house's pieces do not all
choose alike in the same place."""
MARKED: Final = (v.VALUE, v.LEVEL)
"""Fields of a note that the key chooses."""
SURE: Final = 4.0
"""Powers of ten from which on evidence counts: at most one of ten thousand pieces that were not
written with the key has so much."""
_SIZES: Final = np.array([1, 1.5, 2, 3, 5, 8, 13, 30])
_EXPECTED: Final = {
    b"p": (0.64, 0.16, 0.08, 0.056, 0.036, 0.018, 0.008, 0.002),
    b"l": (0.02, 0.364, 0.35, 0.147, 0.064, 0.041, 0.013, 0.001),
}
"""How the numbers of choices lie that a key made, of pitches and of loudness: a mixture of
densities s·u^(s-1), each that of the largest of s numbers. Fitted to 48 pieces of 16 bars of the
shipped model; where they lie otherwise, evidence is weaker, and never unjust."""
_LEFT: Final = 0.75
"""Of the choices of a piece, those that stand as they were made; as `_EXPECTED`."""
_CELLS, _UNIT = 4096, 64
"""Numbers are told apart to one in 4096, and scored in whole 64ths of a natural logarithm."""
_MOST_EXACT: Final = 2_000
"""Choices up to which the chance of a score is summed up; a bound stands for it beyond."""
_NONE: Final = 128
"""In place of an interval where there is no note before."""
_QUARTER: Final = v.STEPS_PER_QUARTER
_DRUMS: Final = WORDS.program.id(DRUM_PROGRAM)
_LEVELS: Final = [
    WORDS.velocity.id(int(number))
    for number in v.nearest_index(np.arange(128.0), v.VELOCITIES.astype(np.float64))
]
"""Loudness in the vocabulary's steps, by MIDI velocity."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """A key and which of its variants; its `repr` shows no secret."""

    secret: bytes = field(repr=False)
    variant: int = 0

    def chance(self, context: bytes, label: int) -> float:
        """The number between 0 and 1 that the key makes of a choice in a context."""
        said = b"%d %s %d" % (self.variant, context, label)
        drawn = hashlib.blake2b(said, key=self.secret, digest_size=8).digest()
        return (int.from_bytes(drawn, "big") + 0.5) / 2**64


# A track as contexts see it ---------------------------------------------------------------


@dataclass(slots=True)
class Line:
    """A track so far: its last note, as far as contexts know it.

    Attributes:
        is_drum: whether pitches are drums.
        pitch: of the last note; None before the first.
        intervals: that which led to it, and the one before.
        levels: loudness of the last two notes, as ids of the vocabulary.
    """

    is_drum: bool
    pitch: int | None = None
    intervals: tuple[int, int] = (_NONE, _NONE)
    levels: tuple[int, int] = (0, 0)

    def name_of(self, pitch: int) -> int:
        """What a pitch is called here: its interval from the last, or the drum."""
        if self.is_drum:
            return pitch
        return _NONE if self.pitch is None else pitch - self.pitch

    def pitch_context(self, step: int) -> bytes | None:
        """Of the pitch of a note that begins at a grid step; None for the first."""
        if self.pitch is None:
            return None
        return b"p%d %d %d %d" % (self.is_drum, step % _QUARTER, *self.intervals)

    def level_context(self, step: int, pitch: int) -> bytes:
        """Of the loudness of a note that begins at a grid step."""
        name = self.name_of(pitch)
        return b"l%d %d %d %d %d" % (self.is_drum, step % _QUARTER, name, *self.levels)

    def choices(self, step: int, pitch: int, level: int) -> Iterator[tuple[bytes, int]]:
        """The contexts of a note, and what is chosen in them."""
        if (found := self.pitch_context(step)) is not None:
            yield found, self.name_of(pitch)
        yield self.level_context(step, pitch), level

    def take(self, pitch: int, level: int) -> None:
        """Go on by a note."""
        interval = _NONE if self.pitch is None else pitch - self.pitch
        self.pitch, self.intervals = pitch, (interval, self.intervals[0])
        self.levels = (level, self.levels[0])


# While a piece is drawn -------------------------------------------------------------------


class Trace:
    """A watermark in one piece while it is drawn.

    Args:
        mark: key and variant.
    """

    def __init__(self, mark: Watermark) -> None:
        self._mark = mark
        self._lines: list[Line] = []
        self._slot, self._read = 0, 0
        self._seen: set[bytes] = set()

    def context(
        self, field: int, row: Sequence[int], rows: Sequence[Sequence[int]]
    ) -> bytes | None:
        """The context in which a field of a row is drawn; None where chance is to choose.

        Args:
            field: which.
            row: with the fields before it.
            rows: of the piece so far.
        """
        if row[v.KIND] != Kind.NOTE or field not in MARKED:
            return None
        self._follow(rows)
        line, step = self._lines[self._slot], WORDS.position.number(row[v.POSITION])
        found = (
            line.pitch_context(step)
            if field == v.VALUE
            else line.level_context(step, _pitch_of(row[v.VALUE]))
        )
        return None if found in self._seen else found

    def choose(
        self, field: int, context: bytes, ids: Sequence[int], weights: Sequence[float]
    ) -> int:
        """Place of the id that the key chooses: over all keys, as often as its share of weights.

        Args:
            field: which.
            context: as `context` found it.
            ids: (N,) what may be chosen.
            weights: (N,) above 0.
        """
        line = self._lines[self._slot]
        labels = [line.name_of(_pitch_of(i)) if field == v.VALUE else i for i in ids]
        chances = [math.log(self._mark.chance(context, label)) for label in labels]
        times = [chance / weight for chance, weight in zip(chances, weights, strict=True)]
        return times.index(max(times))

    def _follow(self, rows: Sequence[Sequence[int]]) -> None:
        """Take in what was written since."""
        for kind, position, value, _, level, *_ in rows[self._read :]:
            if kind == Kind.TRACK:
                self._lines.append(Line(value == _DRUMS))
            elif kind == Kind.CELL:
                self._slot = WORDS.slot.number(value)
            elif kind == Kind.NOTE:
                line, pitch = self._lines[self._slot], _pitch_of(value)
                found = line.choices(WORDS.position.number(position), pitch, level)
                self._seen.update(context for context, _ in found)
                line.take(pitch, level)
        self._read = len(rows)


def _pitch_of(word_id: int) -> int:
    """The pitch or the drum that an id of the value field stands for."""
    return (WORDS.drum if word_id in WORDS.drum else WORDS.pitch).number(word_id)


# In the notes of a file -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the notes of a piece say of a key.

    Attributes:
        powers: of ten, of how many pieces without the key one speaks for it as strongly.
        choices: how many choices were looked at.
    """

    powers: float
    choices: int

    @property
    def is_sure(self) -> bool:
        return self.powers >= SURE


def evidence(piece: Piece, secret: bytes) -> Evidence:
    """How strongly the notes of a piece speak for a key.

    Without the key its numbers are as good as drawn by chance, whatever the piece, so that how
    often chance reaches the score of the likeliest variant can be worked out, not estimated.

    Args:
        piece: any music.
        secret: the key's.
    """
    found = list(choices(piece))
    counts = {kind: sum(context[:1] == kind for context, _ in found) for kind in _SCORES}
    best = max(_score(Watermark(secret, variant), found) for variant in range(VARIANTS))
    log_chance = min(0.0, _log_chance(best, counts) + math.log(VARIANTS))
    return Evidence(-log_chance / math.log(10), len(found))


def _score(mark: Watermark, found: Iterable[tuple[bytes, int]]) -> int:
    """The log-likelihood that the key chose, in units of `_UNIT`."""
    return sum(
        _SCORES[context[:1]][min(int(mark.chance(context, label) * _CELLS), _CELLS - 1)]
        for context, label in found
    )


def _scores_of(shares: Sequence[float]) -> list[int]:
    """What a choice scores, by the cell that its number lies in."""
    numbers = (np.arange(_CELLS) + 0.5) / _CELLS
    density = (np.array(shares) * _SIZES * numbers[:, None] ** (_SIZES - 1)).sum(axis=1)
    scores = np.rint(_UNIT * np.log1p(_LEFT * (density - 1)))
    return [int(score) for score in scores]


_SCORES: Final = {kind: _scores_of(shares) for kind, shares in _EXPECTED.items()}


def _log_chance(score: int, counts: Mapping[bytes, int]) -> float:
    """Logarithm of the chance that so many choices without the key reach a score, or above it."""
    if score <= 0:
        return 0.0
    bound = _log_bound(score, counts)
    if sum(counts.values()) > _MOST_EXACT or bound < math.log(_ROUNDING):
        return bound
    return min(bound, math.log(max(_tail(score, counts), _ROUNDING)))


_ROUNDING: Final = 1e-12
"""Chances below it are lost in the rounding of the transform."""


def _log_bound(score: int, counts: Mapping[bytes, int]) -> float:
    """Chernoff's bound of it; 0 for what is no more than expected."""
    tilts = np.linspace(0, 3, 61) / _UNIT
    logs = -tilts * score
    for kind, count in counts.items():
        logs += count * np.log(np.exp(np.outer(tilts, _SCORES[kind])).mean(axis=1))
    return float(logs.min())


def _tail(score: int, counts: Mapping[bytes, int]) -> float:
    """The chance itself: scores of independent choices, summed by Fourier's transform."""
    least = {kind: min(scores) for kind, scores in _SCORES.items()}
    most = sum(count * (max(_SCORES[kind]) - least[kind]) for kind, count in counts.items())
    length = 1 << (most + 1).bit_length()
    spectrum = np.ones(length // 2 + 1, np.complex128)
    for kind, count in counts.items():
        shares = np.bincount(np.array(_SCORES[kind]) - least[kind], minlength=length) / _CELLS
        spectrum *= np.fft.rfft(shares) ** count
    begin = score - sum(count * least[kind] for kind, count in counts.items())
    return float(np.fft.irfft(spectrum, length)[begin : most + 1].sum())


def choices(piece: Piece) -> Iterator[tuple[bytes, int]]:
    """Every context of a piece that comes for the first time, and what was chosen there."""
    seen: set[bytes] = set()
    lines = [Line(track.is_drum) for track in piece.tracks]
    for _, slot, step, pitch, level in sorted(_notes(piece)):
        for context, label in lines[slot].choices(step, pitch, level):
            if context not in seen:
                seen.add(context)
                yield context, label
        lines[slot].take(pitch, level)


def _notes(piece: Piece) -> Iterator[tuple[int, int, int, int, int]]:
    """Bar, track, grid step in the bar, pitch and loudness of every note."""
    starts = [_grid_step(tick, piece) for tick, _ in piece.bar_starts()]
    for slot, track in enumerate(piece.tracks):
        for note in track.notes:
            step = _grid_step(note.onset_ticks, piece)
            bar = bisect_right(starts, step) - 1
            yield bar, slot, step - starts[bar], note.pitch, _LEVELS[note.velocity]


def _grid_step(tick: int, piece: Piece) -> int:
    return round(tick * _QUARTER / piece.ticks_per_quarter)
