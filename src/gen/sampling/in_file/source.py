"""Pieces that begin with a producer's file: continued, filled in, accompanied, varied.

What stays of the file stays exactly, byte for byte in its order: new notes are put among its own
events (`smf.rewrite`). Only new notes come from the grid.
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
from gen.piece import Marker, Note, Pedal, Piece, Track
from gen.safe_parse import Examined, safe_examine
from gen.sampling.drafting.cell_table import Place
from gen.sampling.drafting.state import Held
from gen.sampling.in_file.loudness import Bars, beside, levelled
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Row
from gen.smf.mend import NEVER
from gen.smf.original import OriginalFile, read_original, unmarked
from gen.smf.parts import Origin
from gen.smf.rewrite import Request, Rewritten, rewrite
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.choice import GRID
from gen.tokens.encoding import Annotations, encode
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_QUARTER, TICKS_PER_STEP, Grid, to_grid
from gen.tokens.reading import decode
from gen.tokens.score import score_of
from gen.tokens.vocabulary import WORDS

MOST_FILE_BARS: Final = 512


@dataclass(frozen=True, slots=True)
class Change:
    """Where new music belongs in a file.

    Attributes:
        cells: in which it takes the place of the old.
        goes_on_at: the bar from which on everything is new; None where the file keeps its length.
        end_step: grid step where the last bar ends.
        old_markers, new_markers: of the piece, that go and that come.
        is_levelled: whether it is made as loud as the file around it.
    """

    cells: Collection[Place] = ()
    goes_on_at: int | None = None
    end_step: int = 0
    old_markers: Sequence[Marker] = ()
    new_markers: Sequence[Marker] = ()
    is_levelled: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A producer's file.

    Attributes:
        name: of the file.
        sha256: of its bytes, hex.
        original: the file event by event.
        origins: of each track, where in the file its notes stand.
        piece: what it holds, in the form that the tokenizer takes.
        grid: the same as the tokenizer has it.
        starts: (bars + 1,) first step of each bar, and of the one that would follow.
        analysis: what its notes say.
        timing: how its events are written, and what is put into it, see `Plan.timing`.
    """

    name: str
    sha256: str
    original: OriginalFile
    origins: tuple[tuple[Origin, ...], ...]
    piece: Piece
    grid: Grid
    starts: NDArray[np.int64]
    analysis: Analysis
    timing: str = GRID

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file, in a limited process of its own.

        Raises:
            HouseError: it cannot be read, holds no notes, or more than the tokenizer takes.
        """
        data = read(path, MIDI)
        try:
            return cls.of(path.name, data, safe_examine(unmarked(data)))
        except HouseError as error:
            place = f"{path}: {error.where}" if error.where else str(path)
            raise HouseError(error.what, where=place, mend=error.mend) from error

    @classmethod
    def of(cls, name: str, data: bytes, examined: Examined) -> Source:
        """A file that was read.

        Raises:
            HouseError: it holds no notes, or more than the tokenizer takes.
        """
        piece = examined.normalised.piece
        grid = to_grid(score_of(piece))
        if len(grid.bars) > MOST_FILE_BARS:
            raise HouseError(
                f"{len(grid.bars)} bars, at most {MOST_FILE_BARS}",
                mend="cut out the part that is meant",
            )
        lengths = [v.bar_steps(*signature) for _, *signature in grid.bars]
        starts: NDArray[np.int64] = np.cumsum([0, *lengths])
        return cls(
            name, hashlib.sha256(data).hexdigest(), read_original(data),
            examined.normalised.origins, piece, grid, starts, examined.analysis,
        )  # fmt: skip

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
        return _tick_of(step, self.piece.ticks_per_quarter)

    def held(self, rewritten: Collection[Place] = ()) -> list[list[Held]]:
        """What each track holds down outside some cells: every step that it touches at all."""
        unit, steps = self.piece.ticks_per_quarter, v.STEPS_PER_QUARTER
        tracks = []
        for slot, track in enumerate(self.piece.tracks):
            words = WORDS.drum if track.is_drum else WORDS.pitch
            sounds = [(n.onset_ticks, n.end_ticks, words.id(n.pitch)) for n in track.notes]
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
        annotations = Annotations(
            controls.genre, controls.mood, key, chords or None,
            controls.form or self.analysis.sections or None, self.analysis.roles, style,
        )  # fmt: skip
        rows: list[Row] = encode(self.grid, annotations, self.timing)[:-1].tolist()
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
            bar = int(np.searchsorted(self.starts, step_at(tick), side="right")) - 1
            return bar >= bars or (bar, slot) in rewritten

        return [
            replace(
                track,
                notes=self._in_turn(
                    slot, [note for note in track.notes if is_new(slot, note.onset_ticks)]
                ),
                pedals=[pedal for pedal in track.pedals if is_new(slot, pedal.onset_ticks)],
            )
            for slot, track in enumerate(decode(Events.of(rows)).tracks)
        ]

    def _in_turn(self, slot: int, notes: list[Note]) -> list[Note]:
        """New notes that begin early, none before what the file holds of its pitch is over."""
        if self.timing != timing.PLAYED or slot >= len(self.piece.tracks):
            return notes
        unit, found = self.piece.ticks_per_quarter, []
        ends: dict[int, list[int]] = {}
        for own in self.piece.tracks[slot].notes:
            ends.setdefault(own.pitch, []).append(-(-own.end_ticks * TICKS_PER_QUARTER // unit))
        for note in notes:
            near = range(note.onset_ticks, note.onset_ticks + TICKS_PER_STEP // 2)
            onset = max([note.onset_ticks, *(e for e in ends.get(note.pitch, ()) if e in near)])
            length = max(note.end_ticks - onset, 1)
            found.append(replace(note, onset_ticks=onset, duration_ticks=length))
        return found

    def rewritten(self, new: Sequence[Track], change: Change) -> Rewritten:
        """The file with new music.

        A cell in which nothing else was written than it held stays as it is, to the byte.

        Args:
            new: as `written` has it, of each of the file's tracks and of further ones.
            change: where it belongs, and what comes with it.

        Raises:
            NoChannelError: a track is added, and the file uses every channel.
        """
        count = len(self.piece.tracks)
        own = decode(encode(self.grid, Annotations(), self.timing)).tracks
        cells = [c for c in change.cells if _in_cell(own, c, self) != _in_cell(new, c, self)]
        stretches = {
            slot: [(self._edge(bar), self._edge(bar + 1)) for bar, at in cells if at == slot]
            for slot in range(count)
        }
        if change.goes_on_at is not None:
            begin = self._edge(change.goes_on_at)
            stretches = {slot: [(begin, NEVER)] for slot in range(count)}
        music = self._levelled(new, change) if change.is_levelled else new
        ends = self.file_ticks(change.end_step)
        request = Request(
            stretches,
            [_scaled(track, self.original.ticks_per_quarter) for track in music],
            [self._marker_in_file(marker) for marker in change.old_markers],
            [self._marker_in_file(marker) for marker in change.new_markers],
            end_ticks=ends if change.goes_on_at is not None else 0,
            added_end_ticks=ends,
        )
        return rewrite(self.original, self.origins, request)

    def with_music(self, new: Sequence[Track], change: Change) -> Piece:
        """The file's piece with new music, to be heard before it is written into the file.

        Args:
            new: as for `rewritten`; there may be more to come.
            change: where it belongs.
        """
        music = self._levelled(new, change) if change.is_levelled else list(new)
        fresh = [_scaled(track, self.piece.ticks_per_quarter) for track in music]
        tracks = []
        for slot, (own, more) in enumerate(zip(self.piece.tracks, fresh, strict=False)):
            notes = [note for note in own.notes if self._stays(note, slot, change)]
            pedals = [pedal for pedal in own.pedals if self._stays(pedal, slot, change)]
            notes, pedals = sorted(notes + more.notes), sorted(pedals + more.pedals)
            tracks.append(replace(own, notes=notes, pedals=pedals))
        tracks += fresh[len(tracks) :]
        return replace(self.piece, tracks=tracks)

    def _stays(self, sound: Note | Pedal, slot: int, change: Change) -> bool:
        bar = self.bar_of(sound.onset_ticks)
        goes_on = change.goes_on_at
        return (bar, slot) not in change.cells and (goes_on is None or bar < goes_on)

    def _levelled(self, new: Sequence[Track], change: Change) -> list[Track]:
        """The new music as loud as the file is around it."""
        tracks = []
        for slot, (track, own) in enumerate(zip(new, self.piece.tracks, strict=False)):
            kept: Bars = {}
            replaced: Bars = {}
            for note in own.notes:
                bar = self.bar_of(note.onset_ticks)
                (replaced if (bar, slot) in change.cells else kept).setdefault(bar, []).append(note)
            fresh: Bars = {}
            for note in track.notes:
                fresh.setdefault(self._bar_at(step_at(note.onset_ticks)), []).append(note)
            tracks.append(replace(track, notes=levelled(fresh, kept, replaced)))
        return tracks + beside(new[len(tracks) :], self.piece.tracks)

    def _bar_at(self, step: int) -> int:
        """The bar of a grid step; beyond the file they are as long as its last."""
        bar = int(np.searchsorted(self.starts, step, side="right")) - 1
        last = int(self.starts[-1] - self.starts[-2])
        return bar if bar < self.bars else self.bars + (step - int(self.starts[-1])) // last

    # The file's own ticks -------------------------------------------------------------------

    def file_ticks(self, step: int) -> int:
        """The tick of a grid step, in the file's own ticks."""
        return _tick_of(step, self.original.ticks_per_quarter)

    def _edge(self, bar: int) -> int:
        """The first of the file's ticks that the tokenizer counts to a bar."""
        halves = max(2 * int(self.starts[bar]) - 1, 0)
        return -(-halves * self.original.ticks_per_quarter // (2 * v.STEPS_PER_QUARTER))

    def _marker_in_file(self, marker: Marker) -> Marker:
        unit, own = self.piece.ticks_per_quarter, self.original.ticks_per_quarter
        return replace(marker, onset_ticks=(2 * marker.onset_ticks * own + unit) // (2 * unit))


def _scaled(track: Track, unit: int) -> Track:
    """The same in ticks of so many a quarter, of a track at 480."""

    def span(onset: int, length: int) -> tuple[int, int]:
        begin, end = (
            (2 * tick * unit + TICKS_PER_QUARTER) // (2 * TICKS_PER_QUARTER)
            for tick in (onset, onset + length)
        )
        return begin, end - begin

    notes = [Note(*span(n.onset_ticks, n.duration_ticks), n.pitch, n.velocity) for n in track.notes]
    pedals = [Pedal(*span(p.onset_ticks, p.duration_ticks)) for p in track.pedals]
    return replace(track, notes=notes, pedals=pedals)


def _tick_of(step: int, unit: int) -> int:
    """The nearest tick to a grid step, of so many a quarter."""
    return (2 * step * unit + v.STEPS_PER_QUARTER) // (2 * v.STEPS_PER_QUARTER)


def step_at(tick: int) -> int:
    """The grid step that a tick, of 480 a quarter, is counted to."""
    return (tick + TICKS_PER_STEP // 2) // TICKS_PER_STEP


def _in_cell(tracks: Sequence[Track], cell: Place, source: Source) -> tuple[set[Note], set[Pedal]]:
    """What the tracks, at 480 ticks a quarter, begin in a cell."""
    bar, slot = cell
    first, end = map(int, source.starts[bar : bar + 2])
    track = tracks[slot] if slot < len(tracks) else Track()
    notes = {note for note in track.notes if first <= step_at(note.onset_ticks) < end}
    return notes, {pedal for pedal in track.pedals if first <= step_at(pedal.onset_ticks) < end}
