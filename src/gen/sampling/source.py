"""Pieces that begin with a producer's file: continued, filled in, accompanied, varied.

What stays of the file stays exactly: the result is the file's own piece, on its own ticks, in
which the notes of the rewritten cells are others. Only new notes come from the grid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.analysis import Analysis
from gen.disk.reading import MIDI, read
from gen.errors import HouseError
from gen.piece import Note, Pedal, Piece, Track
from gen.safe_parse import safe_examine
from gen.sampling.controls import Controls
from gen.sampling.draft import Held
from gen.sampling.fill import Place
from gen.sampling.view import Row
from gen.smf import GENERATED_CHUNK
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations, encode
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_STEP, Grid, to_grid
from gen.tokens.reading import decode
from gen.tokens.score import score_of
from gen.tokens.vocabulary import FIRST

MOST_FILE_BARS: Final = 512


@dataclass(frozen=True, slots=True)
class Source:
    """A producer's file.

    Attributes:
        name: of the file.
        sha256: of its bytes, hex.
        piece: what it holds, exactly.
        grid: the same as the tokenizer has it.
        starts: (bars + 1,) first step of each bar, and of the one that would follow.
        analysis: what its notes say.
    """

    name: str
    sha256: str
    piece: Piece
    grid: Grid
    starts: NDArray[np.int64]
    analysis: Analysis

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file, in a limited process of its own.

        Raises:
            HouseError: it cannot be read, holds no notes, or more than the tokenizer takes.
        """
        data = read(path, MIDI)
        try:
            examined = safe_examine(_unmarked(data))
            sha256 = hashlib.sha256(data).hexdigest()
            return cls.of(path.name, sha256, examined.normalised.piece, examined.analysis)
        except HouseError as error:
            place = f"{path}: {error.where}" if error.where else str(path)
            raise HouseError(error.what, where=place, mend=error.mend) from error

    @classmethod
    def of(cls, name: str, sha256: str, piece: Piece, analysis: Analysis) -> Source:
        """A file that was read.

        Raises:
            HouseError: it holds no notes, or more than the tokenizer takes.
        """
        grid = to_grid(score_of(piece))
        if len(grid.bars) > MOST_FILE_BARS:
            raise HouseError(
                f"{len(grid.bars)} bars, at most {MOST_FILE_BARS}",
                mend="cut out the part that is meant",
            )
        lengths = [v.bar_steps(*signature) for _, *signature in grid.bars]
        starts: NDArray[np.int64] = np.cumsum([0, *lengths])
        return cls(name, sha256, piece, grid, starts, analysis)

    @property
    def bars(self) -> int:
        return len(self.grid.bars)

    def bar_of(self, tick: int) -> int:
        """The bar to which the tokenizer counts what begins at a tick."""
        unit = self.piece.ticks_per_quarter
        step = (2 * tick * v.STEPS_PER_QUARTER + unit) // (2 * unit)
        return min(int(np.searchsorted(self.starts, step, side="right")), self.bars) - 1

    def ticks(self, step: int) -> int:
        """The tick of a grid step."""
        unit, steps = self.piece.ticks_per_quarter, v.STEPS_PER_QUARTER
        return (2 * step * unit + steps) // (2 * steps)

    def held(self, rewritten: Collection[Place] = ()) -> list[list[Held]]:
        """What each track holds down outside some cells: every step that it touches at all."""
        unit, steps = self.piece.ticks_per_quarter, v.STEPS_PER_QUARTER
        tracks = []
        for slot, track in enumerate(self.piece.tracks):
            first = FIRST["drum" if track.is_drum else "pitch"]
            sounds = [(n.onset_ticks, n.end_ticks, first + n.pitch) for n in track.notes]
            sounds += [(p.onset_ticks, p.onset_ticks + p.duration_ticks, 0) for p in track.pedals]
            tracks.append(
                [
                    (onset * steps // unit, -(-end * steps // unit), value)
                    for onset, end, value in sounds
                    if (self.bar_of(onset), slot) not in rewritten
                ]
            )
        return tracks

    def rows(self, controls: Controls, chords: str, style: int | None = None) -> list[Row]:
        """The events of the file, with what is asked and known of it, without EOS."""
        key = controls.key or (self.analysis.key if self.analysis.is_key_clear else None)
        told = Annotations(
            controls.genre, controls.mood, key, chords or None,
            controls.form or self.analysis.sections or None, self.analysis.roles, style,
        )  # fmt: skip
        rows: list[Row] = encode(self.grid, told)[:-1].tolist()
        return rows

    def written(
        self, rows: Sequence[Row], rewritten: Collection[Place], *, bars: int
    ) -> list[Track]:
        """What the rows hold that is new, track by track, at 480 ticks a quarter.

        Args:
            rows: events of the whole piece.
            rewritten: cells in which everything is new.
            bars: from this bar on everything is.
        """

        def is_new(slot: int, tick: int) -> bool:
            bar = int(np.searchsorted(self.starts, tick // TICKS_PER_STEP, side="right")) - 1
            return bar >= bars or (bar, slot) in rewritten

        return [
            replace(
                track,
                notes=[note for note in track.notes if is_new(slot, note.onset_ticks)],
                pedals=[pedal for pedal in track.pedals if is_new(slot, pedal.onset_ticks)],
            )
            for slot, track in enumerate(decode(Events.of(rows)).tracks)
        ]

    def merged(self, new: Sequence[Track], rewritten: Collection[Place]) -> Piece:
        """The file's piece with new music: in the rewritten cells it takes the place of the old.

        Args:
            new: as `written` has it, of each of the file's tracks and of further ones.
            rewritten: cells that keep nothing.
        """
        tracks = [replace(track, notes=[], pedals=[]) for track in new]
        for slot, old in enumerate(self.piece.tracks):
            notes = [n for n in old.notes if (self.bar_of(n.onset_ticks), slot) not in rewritten]
            pedals = [p for p in old.pedals if (self.bar_of(p.onset_ticks), slot) not in rewritten]
            tracks[slot] = replace(old, notes=notes, pedals=pedals)
        for track, written in zip(tracks, new, strict=True):
            for note in written.notes:
                onset, length = self._span(note.onset_ticks, note.duration_ticks)
                track.notes.append(Note(onset, length, note.pitch, note.velocity))
            for pedal in written.pedals:
                track.pedals.append(Pedal(*self._span(pedal.onset_ticks, pedal.duration_ticks)))
            track.notes.sort()
            track.pedals.sort()
        return replace(self.piece, tracks=tracks)

    def _span(self, onset: int, length: int) -> tuple[int, int]:
        """Onset and length in the file's ticks, of such in the tokenizer's."""
        begin = self.ticks(onset // TICKS_PER_STEP)
        return begin, self.ticks((onset + length) // TICKS_PER_STEP) - begin


def _unmarked(data: bytes) -> bytes:
    """The file without the mark of generated music that may stand at its end."""
    at = data.rfind(GENERATED_CHUNK)
    length = int.from_bytes(data[at + 4 : at + 8], "big")
    return data[:at] if at > 0 and at + 8 + length == len(data) else data
