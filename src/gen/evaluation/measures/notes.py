"""A piece as the metrics see it: one table of notes on the grid of 12 steps a quarter.

Definition: onsets and ends go to the nearest step, halves up, as the tokenizer has them: what a
model writes lies on that grid, and works must be seen on the same. A note lasts one step at least.
The *line* of a track is its highest note at each onset (its skyline).

Source: Uitdenbogerd & Zobel 1998, "Manipulation of music for melody matching" (skyline).
Deviation: the line is taken track by track, since tracks are known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.piece import Piece
from gen.tokens.vocabulary import STEPS_PER_QUARTER

SIDES = ("generated", "reference", "train")
"""The three sets of pieces, in this order everywhere."""
Families = tuple[Sequence[str], Sequence[str]] | None
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NoteTable:
    """Notes, one an index. Times in steps; N notes, T tracks, B bars.

    Attributes:
        onset, end, pitch, velocity, track: (N,).
        instruments: (T,) General MIDI numbers, `DRUM_PROGRAM` for drums.
        drums: (N,) whether a drum sounds.
        bars: (B + 1,) first step of each bar, and the end of the last.
        meters: (B,) numerator and denominator of each bar.
    """

    onset: Ints
    end: Ints
    pitch: Ints
    velocity: Ints
    track: Ints
    instruments: Ints
    drums: Bools
    bars: Ints
    meters: tuple[tuple[int, int], ...]

    @property
    def length(self) -> int:
        """Steps until the last note-off, drums too."""
        return int(self.end.max(initial=0))

    @property
    def pitched(self) -> NoteTable:
        """The same piece without its drum notes; its length may be shorter."""
        return self.only(~self.drums)

    def only(self, kept: Bools | Ints) -> NoteTable:
        """Some of the notes, by mask (N,) or by number."""
        columns = ("onset", "end", "pitch", "velocity", "track", "drums")
        return replace(self, **{name: getattr(self, name)[kept] for name in columns})

    @property
    def bar(self) -> Ints:
        """In which bar each note begins, (N,)."""
        found = np.searchsorted(self.bars, self.onset, side="right") - 1
        return np.minimum(found, len(self.bars) - 2)


def tabulate(piece: Piece) -> NoteTable:
    """One piece's notes on the grid, by onset, then pitch, then track."""
    rows = np.array(
        [
            (n.onset_ticks, n.end_ticks, n.pitch, n.velocity, number, track.is_drum)
            for number, track in enumerate(piece.tracks)
            for n in track.notes
        ],
        dtype=np.int64,
    ).reshape(-1, 6)
    rows[:, :2] = _steps(rows[:, :2], piece.ticks_per_quarter)
    rows = rows[np.lexsort((rows[:, 4], rows[:, 2], rows[:, 0]))]
    onset, end, pitch, velocity, track, drums = rows.T
    starts = piece.bar_starts()
    last, signature = starts[-1]
    edges = np.array([*(start for start, _ in starts), last + piece.bar_ticks(signature)])
    return NoteTable(
        onset,
        np.maximum(end, onset + 1),
        pitch,
        velocity,
        track,
        np.array([track.instrument for track in piece.tracks], dtype=np.int64),
        drums.astype(bool),
        _steps(edges, piece.ticks_per_quarter),
        tuple((s.numerator, s.denominator) for _, s in starts),
    )


def _steps(ticks: Ints, ticks_per_quarter: int) -> Ints:
    doubled = ticks * 2 * STEPS_PER_QUARTER
    result: Ints = (doubled + ticks_per_quarter) // (2 * ticks_per_quarter)
    return result


def sounding(pieces: Sequence[Piece], *, called: str) -> list[Piece]:
    """The pieces that have notes.

    Raises:
        HouseError: none has; `called` names the set.
    """
    kept = [piece for piece in pieces if piece.note_count]
    if not kept:
        what = f"none of the {len(pieces)} {called} pieces has a note: there is nothing to compare"
        raise HouseError(what, mend="evaluate more pieces, or a checkpoint that has learned more")
    return kept


@dataclass(frozen=True, slots=True)
class PieceSets:
    """Generated pieces, works held out and works learned from, those that have notes.

    Attributes:
        pieces: by `SIDES`.
        groups: the group of each, by `SIDES`: arrangements of one theme share a number, and a
            generated piece is alone.
        counts: how many pieces each set had, and how many are empty and left out.
    """

    pieces: dict[str, list[Piece]]
    groups: dict[str, Ints]
    counts: dict[str, dict[str, int]]

    def works(self) -> tuple[list[Piece], Ints]:
        """Those held out and those learned from, and their groups."""
        held, train = SIDES[1:]
        groups = np.concatenate([self.groups[held], self.groups[train]])
        return self.pieces[held] + self.pieces[train], groups


def sets_of(
    generated: Sequence[Piece], reference: Sequence[Piece], train: Sequence[Piece],
    families: Families = None,
) -> PieceSets:  # fmt: skip
    """Three sets that are to be compared.

    Args:
        generated: what a model wrote.
        reference: works it never saw.
        train: works it learned from.
        families: names of the groups of `reference` and of `train`; None where each is alone.

    Raises:
        HouseError: a set has no piece with notes.
    """
    given = dict(zip(SIDES, (generated, reference, train), strict=True))
    names: dict[str, Sequence[str]] = {
        side: [f"{side} {i}" for i in range(len(pieces))] for side, pieces in given.items()
    }
    if families is not None:
        names |= dict(zip(SIDES[1:], families, strict=True))
    numbers: dict[str, int] = {}
    groups = {
        side: np.array(
            [
                numbers.setdefault(name, len(numbers))
                for name, piece in zip(names[side], pieces, strict=True)
                if piece.note_count
            ],
            dtype=np.int64,
        )
        for side, pieces in given.items()
    }
    kept = {side: sounding(pieces, called=side) for side, pieces in given.items()}
    return PieceSets(kept, groups, counts(**given))


def counts(**sets: Sequence[Piece]) -> dict[str, dict[str, int]]:
    """How many pieces each set has, and how many of them are empty and left out."""
    return {
        name: {"pieces": len(pieces), "empty": sum(not p.note_count for p in pieces)}
        for name, pieces in sets.items()
    }


def lines(table: NoteTable) -> NoteTable:
    """The highest note at each onset of each pitched track; by track, then onset."""
    notes = table.pitched
    order = np.lexsort((notes.pitch, notes.onset, notes.track))
    track, onset = notes.track[order], notes.onset[order]
    is_top = np.ones(len(order), dtype=bool)
    is_top[:-1] = (track[1:] != track[:-1]) | (onset[1:] != onset[:-1])
    return notes.only(order[is_top])


def pitches_sounding(table: NoteTable) -> Bools:
    """Whether each pitch sounds at each step, drums left out; (steps, 128)."""
    notes = table.pitched
    edges = np.zeros((table.length + 1, 128), dtype=np.int16)
    np.add.at(edges, (notes.onset, notes.pitch), 1)
    np.subtract.at(edges, (notes.end, notes.pitch), 1)
    return np.asarray(edges.cumsum(axis=0, dtype=np.int16)[:-1] > 0)
