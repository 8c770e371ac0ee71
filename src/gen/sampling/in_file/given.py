"""What a file says of the music that is to be put into it, and the file with that music in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gen import harmony
from gen.analysis.harmonise import harmonised, is_bare
from gen.piece import Marker, Piece, Track
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.fill import FileClose
from gen.sampling.finishing.finish import NO_BASSES, Finished, markers_of, signature_of
from gen.sampling.in_file.source import Change, Source, step_at
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import check_plays, chord_rows
from gen.sampling.planning.plan import Row, Slashes, compass_of
from gen.smf import normalise
from gen.smf.general_midi import ANY_PITCH
from gen.smf.original import unmarked
from gen.tokens import vocabulary as v
from gen.tokens.grid import TICKS_PER_QUARTER, TICKS_PER_STEP
from gen.tokens.vocabulary import Kind
from gen.tokens.word_ids import chord_of


def finished_in(
    source: Source,
    new: Sequence[Track],
    change: Change,
    record: dict[str, Any],
    remarks: tuple[str, ...] = (),
) -> Finished:
    """The file with what was written into it, read again as anybody would.

    Args:
        source: the file.
        new: what was written, track by track.
        change: where it belongs.
        record: what a receipt says of it besides.
        remarks: what there is to be said of it besides.
    """
    result = source.rewritten(new, change)
    piece = normalise(unmarked(result.data)).piece
    count = len(source.piece.tracks)
    roles = {track.instrument: track.role for track in new[count:]}
    for track in piece.tracks[count - len(piece.tracks) :] if len(piece.tracks) > count else ():
        track.role = roles.get(track.instrument)
    named = {"file": source.name, "file_sha256": source.sha256}
    record = {**named, **record, "changed_besides": list(result.changes)}
    written = Piece(TICKS_PER_QUARTER, list(map(_on_grid, new[count:] or new)))
    return Finished(piece, result.data, written, record, (*result.changes, *remarks))


def _on_grid(track: Track) -> Track:
    """The same with each onset on its grid step: what was written, however it is played."""
    notes = [
        replace(note, onset_ticks=step_at(note.onset_ticks) * TICKS_PER_STEP)
        for note in track.notes
    ]
    return replace(track, notes=notes)


def chords_in(source: Source, controls: Controls, *, harmonise: bool) -> str:
    """Bar by bar: those that were given, begun again when through, else those of the analysis.

    In a bare melody it finds none: it is harmonised, where that is asked.
    """
    if controls.chords:
        home = controls.home(source.analysis.key)
        given = harmony.parse_progression(controls.chords, home)
        upbeat, lengths = bars_for(given, source)
        chord_rows(controls.chords, lengths, home)  # raises where they do not fit
        bars: list[list[harmony.Chord | None]] = [[None]] * upbeat
        bars += [given[bar % len(given)] for bar in range(len(lengths))]
        return harmony.format_progression(bars)
    if not is_bare(source.piece):
        return source.analysis.chords
    key = harmony.parse_key(controls.key or source.analysis.key)
    return harmonised(source.piece, key) if harmonise else ""


def bars_for(given: Sequence[object], source: Source) -> tuple[int, list[int]]:
    """Bars of the file before the chords that were given bar by bar, and steps of the others."""
    lengths: list[int] = np.diff(source.starts).tolist()
    upbeat = _upbeat_bars(source) if len(given) < len(lengths) else 0
    return upbeat, lengths[upbeat:]


def _upbeat_bars(source: Source) -> int:
    """1 where the file begins with a pick-up, which no chord is meant for, else 0.

    That is a first bar shorter than the second, or one that begins in its second half.
    """
    if source.bars < 2:
        return 0
    first, second = np.diff(source.starts)[:2]
    begins = min(int(part.onset.min()) for part in source.grid.parts)
    return int(first < second or begins >= first // 2)


def markers_in(
    source: Source,
    controls: Controls,
    rows: Sequence[Row],
    begin: int = 0,
    basses: Slashes = NO_BASSES,
) -> list[Marker]:
    """The markers of rows from a grid step on, in the file's ticks; `basses` as `markers_of`."""
    signature = signature_of(controls.key or source.analysis.key)
    return [
        replace(marker, onset_ticks=source.ticks(marker.onset_ticks // TICKS_PER_STEP))
        for marker in markers_of(rows, [signature], basses)
        if marker.onset_ticks >= begin * TICKS_PER_STEP
    ]


def closing_of(source: Source, controls: Controls, table: CellTable) -> FileClose | None:
    """The last bar in which a file sounds and its chord, if that is on the tonic from there on.

    In music of more than one voice the lowest note with which it ends is to be the tonic, too.
    """
    notes = [n for track in source.piece.tracks if not track.is_drum for n in track.notes]
    if not notes:
        return None
    tonic = harmony.parse_key(controls.key or source.analysis.key).tonic
    end = max(note.end_ticks for note in notes)
    lowest = min(note.pitch for note in notes if note.end_ticks == end)
    bar = source.bar_of(max(note.onset_ticks for note in notes))
    begin = int(source.starts[bar])
    held = [place for place in table.chords() if place[0] < int(source.starts[bar + 1])]
    if not held or held[-1][0] > begin or not (is_bare(source.piece) or lowest % 12 == tonic):
        return None
    chord = chord_of(held[-1][1])
    return (bar, held[-1][1]) if chord and chord.root == tonic else None


def compass_in(source: Source, controls: Controls) -> tuple[tuple[int, int], ...]:
    """What each track plays: what is asked, and nothing that its instrument does not play."""
    low, high = controls.pitch_range
    own = [(track.is_drum, *_own_range(track)) for track in source.piece.tracks]
    return tuple(
        (lowest, highest) if is_drum else (max(low, lowest), min(high, highest))
        for is_drum, lowest, highest in own
    )


def _own_range(track: Track) -> tuple[int, int]:
    """Lowest and highest pitch of a track: its instrument's, and what it plays beyond them."""
    lowest, highest = compass_of(track.instrument, ANY_PITCH)
    pitches = [] if track.is_drum else [note.pitch for note in track.notes]
    return min([lowest, *pitches]), max([highest, *pitches])


def check_track_plays(source: Source, slot: int, controls: Controls) -> None:
    """Refuse a range in which a track of the file can play nothing.

    Raises:
        SettingError: it is one.
    """
    track = source.piece.tracks[slot]
    if not track.is_drum:
        name = repr(track.name or f"track {slot + 1}")
        check_plays(name, _own_range(track), controls.pitch_range)


def without_densities(rows: list[Row]) -> list[Row]:
    """The same events without densities."""
    return [[*row[: v.EXTENT], 0, *row[v.LEVEL :]] if row[v.KIND] == Kind.CELL else row
            for row in rows]  # fmt: skip


def is_free_in_level(controls: Controls) -> bool:
    """Whether nothing is asked of velocities, so that they follow the file's."""
    return tuple(controls.velocity_range) == Controls().velocity_range
