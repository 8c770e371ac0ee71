"""A key's trace in the notes: it outlives every mark that a file carries beside them.

While a piece is drawn, the pitch and the loudness of a note are chosen by numbers that a secret
key makes of where the note stands, where otherwise chance would choose. Averaged over keys each
choice is as likely as the model has it (Gumbel's trick), and each number decides once in a piece:
so the notes of a piece are distributed as without a watermark. Whoever has the key works the
numbers out again from the notes of any file (`gen.marks.evidence`): those of what was chosen are
larger than chance would have them.

There are three kinds. By the second the key makes a circle of `CIRCLE` quarters, a piece begins at
one of its `PLACES`, and a number is of where on the circle the note is: other notes hardly matter.
By the first, of earlier pieces, it is of what of the notes before survives transposing: the
intervals between them, how loud they are and where in its quarter the note begins; there a changed
note spoils the numbers of the next two. A pitch is known by its interval from the note before, on
drums by its number, and loudness in the vocabulary's 32 steps. The third is the second, and the key
chooses in cells that are written anew (`gen.sampling.polishing`), too: with numbers that decided
nothing in the piece, nor in what was tried in its place.

Sources: Aaronson 2022 (Gumbel watermark); Kuditipudi et al. 2023, arXiv:2307.15593 (a stream of
numbers in which each text begins somewhere); Hu et al. 2023, arXiv:2310.10669 (a context decides
once); Dathathri et al. 2024, "SynthID-Text".
"""

from __future__ import annotations

import hashlib
import math
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from gen.piece import DRUM_PROGRAM, Piece
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

NEWEST: Final = 3
"""The kind of new pieces."""
VARIANTS: Final = 16
"""By the first kind, numbers that a key makes, of which each piece has one: so that a house's
pieces do not all choose alike in the same place."""
ANEW: Final = 3
"""The kind from which on cells that are written anew have the watermark, too."""
CIRCLE: Final = 1024
"""From the second kind on, quarters after which the numbers of a key come again."""
PLACES: Final = 32
"""Of the circle, equally far apart, at one of which a piece begins."""
MARKED: Final = (v.VALUE, v.LEVEL)
"""Fields of a note that a key chooses."""
PITCH, LOUDNESS = b"p", b"l"
_NONE: Final = 128
"""In place of an interval where there is no note before."""
_QUARTER: Final = v.STEPS_PER_QUARTER
_DRUMS: Final = WORDS.program.id(DRUM_PROGRAM)
_LEVELS: Final = [
    WORDS.velocity.id(int(number))
    for number in v.nearest_index(np.arange(128.0), v.VELOCITIES.astype(np.float64))
]
"""Loudness in the vocabulary's steps, by MIDI velocity."""


# Where a key chooses ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a key may choose.

    Attributes:
        what: `PITCH` or `LOUDNESS`.
        is_drum: whether it is a drum's.
        name: what tells notes apart that begin together: what its pitch is called; of a pitch,
            how loud the note before is in its track.
        step: grid steps from the piece's beginning to the note's.
        before: where in its bar's quarter it is, and what stands before, as the first kind asks.
    """

    what: bytes
    is_drum: bool
    name: int
    step: int
    before: tuple[int, ...]

    @property
    def context(self) -> bytes:
        """All that the first kind knows of it."""
        return self.what + b" ".join(b"%d" % number for number in (self.is_drum, *self.before))


@dataclass(slots=True)
class Line:
    """A track so far: its last note, as far as choices know it.

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

    def of_pitch(self, bar: int, step: int) -> Choice | None:
        """Of the pitch of a note; None for the first.

        Args:
            bar: grid steps before its bar.
            step: and from there to it.
        """
        if self.pitch is None:
            return None
        before = (step % _QUARTER, *self.intervals)
        return Choice(PITCH, self.is_drum, self.levels[0], bar + step, before)

    def of_level(self, bar: int, step: int, pitch: int) -> Choice:
        """The same of the loudness of a note of that pitch."""
        name = self.name_of(pitch)
        before = (step % _QUARTER, name, *self.levels)
        return Choice(LOUDNESS, self.is_drum, name, bar + step, before)

    def choices(self, bar: int, step: int, pitch: int, level: int) -> Iterator[tuple[Choice, int]]:
        """Where a key may have chosen a note, and what was chosen there."""
        if (found := self.of_pitch(bar, step)) is not None:
            yield found, self.name_of(pitch)
        yield self.of_level(bar, step, pitch), level

    def take(self, pitch: int, level: int) -> None:
        """Go on by a note."""
        interval = _NONE if self.pitch is None else pitch - self.pitch
        self.pitch, self.intervals = pitch, (interval, self.intervals[0])
        self.levels = (level, self.levels[0])


def choices(piece: Piece) -> Iterator[tuple[Choice, int]]:
    """Where a key may have chosen in a piece, in the order of its notes, and what was chosen."""
    lines = [Line(track.is_drum) for track in piece.tracks]
    for bar, slot, step, pitch, level in sorted(_notes(piece)):
        yield from lines[slot].choices(bar, step, pitch, level)
        lines[slot].take(pitch, level)


def _notes(piece: Piece) -> Iterator[tuple[int, int, int, int, int]]:
    """Where its bar begins, track, grid step in the bar, pitch and loudness of every note."""
    starts = [_grid_step(tick, piece) for tick, _ in piece.bar_starts()]
    for slot, track in enumerate(piece.tracks):
        for note in track.notes:
            step = _grid_step(note.onset_ticks, piece)
            bar = starts[bisect_right(starts, step) - 1]
            yield bar, slot, step - bar, note.pitch, _LEVELS[note.velocity]


def _grid_step(tick: int, piece: Piece) -> int:
    return round(tick * _QUARTER / piece.ticks_per_quarter)


# What a key makes of it ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variant:
    """By the first kind: a key and which of its variants; its `repr` shows no secret."""

    secret: bytes = field(repr=False)
    number: int = 0

    def decides(self, choice: Choice) -> bytes:
        """What may decide once."""
        return choice.context

    def chances(self, choice: Choice, labels: Sequence[int]) -> list[float]:
        """The numbers between 0 and 1 that the key makes of what may be chosen."""
        said = ((choice.what, choice.context, label) for label in labels)
        return [chance for _, chance in self.chances_of(said)]

    def chances_of(self, said: Iterable[tuple[bytes, bytes, int]]) -> Iterator[tuple[bytes, float]]:
        """The same of much that was chosen: what, in which context, which label."""
        begun = hashlib.blake2b(b"%d " % self.number, key=self.secret, digest_size=8)
        for what, context, label in said:
            drawn = begun.copy()
            drawn.update(b"%s %d" % (context, label))
            yield what, (int.from_bytes(drawn.digest(), "big") + 0.5) / 2**64


_BLOCK: Final = struct.Struct(">c?hhI6x")
"""Of a number, by the second kind: what, whether a drum's, name, label, place on the circle."""


@dataclass(frozen=True, slots=True)
class Circle:
    """By the later kinds: a key and which of the places of its circle a piece begins at.

    A number is the first half of a block that the key's cipher (AES-256) makes of a place.
    """

    secret: bytes = field(repr=False)
    number: int = 0
    _cipher: CipherContext = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", cipher_of(self.secret))

    def decides(self, choice: Choice) -> tuple[bytes, bool, int, int]:
        """What may decide once."""
        return choice.what, choice.is_drum, choice.name, self._place(choice)

    def chances(self, choice: Choice, labels: Sequence[int]) -> list[float]:
        """The numbers between 0 and 1 that the key makes of what may be chosen."""
        what, is_drum, name, place = self.decides(choice)
        blocks = b"".join([_BLOCK.pack(what, is_drum, name, label, place) for label in labels])
        drawn = struct.unpack(f">{2 * len(labels)}Q", self._cipher.update(blocks))[::2]
        return [(number + 0.5) / 2**64 for number in drawn]

    def _place(self, choice: Choice) -> int:
        begins = self.number * CIRCLE // PLACES
        return (choice.step + begins * _QUARTER) % (CIRCLE * _QUARTER)


def cipher_of(secret: bytes) -> CipherContext:
    """Makes the numbers of a key of blocks of 16 bytes."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = hashlib.blake2b(b"circle", key=secret, digest_size=32).digest()
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - each block is new


Watermark = Variant | Circle


def watermark_of(secret: bytes, kind: int, seed: Sequence[int]) -> Watermark:
    """The watermark of one piece, whose variant or place on the circle a seed decides."""
    rng = np.random.default_rng(list(seed))
    if kind == 1:
        return Variant(secret, int(rng.integers(VARIANTS)))
    return Circle(secret, int(rng.integers(PLACES)))


# While a piece is drawn -------------------------------------------------------------------


class Trace:
    """A watermark in one piece while it is drawn.

    Args:
        mark: key, and variant or place.
        is_in_cells: whether the key chooses in cells that are written anew, too.
    """

    def __init__(self, mark: Watermark, *, is_in_cells: bool = False) -> None:
        self._mark, self.is_in_cells = mark, is_in_cells
        self._lines: list[Line] = []
        self._slot, self._read = 0, 0
        self._bar, self._bar_steps = 0, 0
        self._seen: set[object] = set()

    def choice(
        self, field: int, row: Sequence[int], rows: Sequence[Sequence[int]]
    ) -> Choice | None:
        """Where a field of a row is drawn; None where chance is to choose.

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
            line.of_pitch(self._bar, step)
            if field == v.VALUE
            else line.of_level(self._bar, step, _pitch_of(row[v.VALUE]))
        )
        return None if found is None or self._mark.decides(found) in self._seen else found

    def choose(self, choice: Choice, ids: Sequence[int], weights: Sequence[float]) -> int:
        """Place of the id that the key chooses: over all keys, as often as its share of weights.

        Args:
            choice: as `choice` found it.
            ids: (N,) what may be chosen.
            weights: (N,) above 0.
        """
        line = self._lines[self._slot]
        labels = [line.name_of(_pitch_of(i)) for i in ids] if choice.what == PITCH else ids
        chances = self._mark.chances(choice, labels)
        times = [math.log(chance) / weight for chance, weight in zip(chances, weights, strict=True)]
        return times.index(max(times))

    def of_cell(
        self, rows: Sequence[Sequence[int]], before: Iterable[Sequence[int]], slot: int, bar: int
    ) -> Trace:
        """The same in one cell that is written anew; what decided in the piece does so no more.

        Args:
            rows: of the whole piece, as it was first written.
            before: of the cell's track, all rows before the cell, as they are now.
            slot: of its track.
            bar: grid steps before its bar.
        """
        self._follow(rows)
        line = Line(self._lines[slot].is_drum)
        for kind, _, value, _, level, *_ in before:
            if kind == Kind.NOTE:
                line.take(_pitch_of(value), level)
        return CellTrace(self._mark, line, bar, self._seen)

    def _follow(self, rows: Sequence[Sequence[int]]) -> None:
        """Take in what was written since."""
        for kind, position, value, _, level, *_ in rows[self._read :]:
            if kind == Kind.TRACK:
                self._lines.append(Line(value == _DRUMS))
            elif kind == Kind.BAR:
                self._bar += self._bar_steps
                self._bar_steps = int(v.BAR_STEPS[WORDS.time_signature.number(value)])
            elif kind == Kind.CELL:
                self._slot = WORDS.slot.number(value)
            elif kind == Kind.NOTE:
                self._note(position, value, level)
        self._read = len(rows)

    def _note(self, position: int, value: int, level: int) -> None:
        line, pitch = self._lines[self._slot], _pitch_of(value)
        found = line.choices(self._bar, WORDS.position.number(position), pitch, level)
        self._seen.update(self._mark.decides(choice) for choice, _ in found)
        line.take(pitch, level)


class CellTrace(Trace):
    """A watermark in one cell while that is written anew: what follows the FILL.

    Args:
        mark: of the piece.
        line: its track, as it stands before the cell.
        bar: grid steps before its bar.
        seen: what has decided in the piece; what decides here is added.
    """

    def __init__(self, mark: Watermark, line: Line, bar: int, seen: set[object]) -> None:
        super().__init__(mark)
        self._lines, self._bar, self._seen = [line], bar, seen

    def _follow(self, rows: Sequence[Sequence[int]]) -> None:
        begin = next(n for n in range(len(rows), 0, -1) if rows[n - 1][v.KIND] == Kind.FILL)
        for kind, position, value, _, level, *_ in rows[begin + self._read :]:
            if kind == Kind.NOTE:
                self._note(position, value, level)
        self._read = len(rows) - begin


def _pitch_of(word_id: int) -> int:
    """The pitch or the drum that an id of the value field stands for."""
    return (WORDS.drum if word_id in WORDS.drum else WORDS.pitch).number(word_id)
