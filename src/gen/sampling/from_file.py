"""Something in a producer's file: more bars after its last, or cells of it written anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gen import harmony
from gen.analysis.harmonise import harmonised, is_bare
from gen.data.habits import Habits
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, Marker, Piece, Track
from gen.rendering.labels import told_kinds
from gen.sampling.cells import read_cells
from gen.sampling.controls import Controls, instrument_number
from gen.sampling.draft import Draft
from gen.sampling.fill import CellTable, Hole, HoleByHole, Place
from gen.sampling.finish import Finished, markers_of, signature_of, track_name
from gen.sampling.plan import (
    NO_HABITS,
    Plan,
    Row,
    Slashes,
    check_plays,
    chord_rows,
    compass_of,
    section_rows,
    slash_basses,
    time_signature_id,
    track_rows,
    velocity_classes,
)
from gen.sampling.request import FileTask
from gen.sampling.source import Change, Source
from gen.smf import normalise
from gen.smf.general_midi import ANY_PITCH
from gen.smf.original import unmarked
from gen.smf.rewrite import free_channels
from gen.tokens import vocabulary as v
from gen.tokens.events import section_id
from gen.tokens.grid import TICKS_PER_QUARTER, TICKS_PER_STEP
from gen.tokens.vocabulary import WORDS, Kind

_HARMONISED_BY: Final = ("acoustic grand piano", "acoustic bass")
_BASSES: Final = range(32, 40)
_PADS: Final = range(88, 96)


@dataclass(frozen=True, slots=True)
class Continuation:
    """A file's piece, and more bars after its last."""

    source: Source
    controls: Controls
    plan: Plan
    given: int

    @classmethod
    def of(cls, source: Source, controls: Controls, style: int | None = None) -> Continuation:
        """Go on for `controls.bars` bars.

        Raises:
            SettingError: their number is missing, or a setting cannot be followed.
        """
        if controls.bars is None:
            raise SettingError("is missing: how many more?", where="bars", mend="add bars=8")
        for slot in range(len(source.piece.tracks)):
            _check_plays(source, slot, controls)
        given = _bars_that_stay(source)
        bars = given + controls.bars
        signature = time_signature_id("{}/{}".format(*source.grid.bars[given - 1][1:]))
        without = replace(controls, chords=None)
        rows = source.rows(controls, _chords_of(source, without, harmonise=False), style)
        table = CellTable.of(_without_densities(rows) if controls.density is None else rows)
        plan_rows: dict[int, list[Row]] = {}
        slashes: Slashes = {}
        if controls.form:
            for bar, row in section_rows(controls.form, bars):
                plan_rows.setdefault(bar, []).append(row)
        if controls.chords:
            lengths = [v.bar_steps(*source.grid.bars[given - 1][1:])] * controls.bars
            home = controls.home(source.analysis.key)
            for bar, row in chord_rows(controls.chords, lengths, home):
                plan_rows.setdefault(given + bar, []).append(row)
            asked = slash_basses(controls.chords, lengths, home)
            slashes = {given + bar: basses for bar, basses in asked.items()}
        header = table.excerpt(0, given)
        tempos = [row for row in rows if row[v.KIND] == Kind.TEMPO]
        plan = Plan(
            header,
            tracks_open=False,
            bars=bars,
            time_signature=signature,
            tempo=tempos[-1][v.VALUE],
            plan_rows=plan_rows,
            chords_given=bool(controls.chords),
            slashes=slashes,
            sections_given=bool(controls.form),
            velocities=velocity_classes(controls),
            compass=_compass(source, controls),
            densities=controls.densities(len(source.piece.tracks)),
            returns=controls.returns,
            next_sections=() if controls.form else _following(header),
        )
        return cls(source, replace(controls, bars=bars), plan, given)

    def draft(self, seed: Sequence[int], habits: Habits = NO_HABITS) -> Draft:
        plan = replace(self.plan, habits=habits)
        return Draft.continuing(plan, self.source.held(), [*seed, 1])

    def so_far(self, draft: Draft) -> None:
        """It is put into the file as a whole."""

    def finish(self, draft: Draft) -> Finished:
        source = self.source
        new = source.written(draft.rows, (), bars=self.given)
        begin = int(source.starts[self.given])
        change = Change(
            goes_on_at=self.given,
            end_step=int(CellTable.of(draft.rows).bar_starts()[-1]),
            new_markers=_markers(source, self.controls, draft.rows, begin),
            is_levelled=_is_free_in_level(self.controls),
        )
        return _finished(source, new, change, {"mode": "continue", "bars_kept": self.given})


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A file's piece in which some cells are written anew, or tracks are added.

    Attributes:
        source: the file.
        controls: what is asked of the new cells.
        plan: of the drafts.
        mode: of `MODES`.
        table: the file's events, and further tracks that hold nothing yet.
        holes: what is to be written; what is chosen from, where `chosen` is not None.
        chosen: how many of them each draft draws.
        chords: symbols of those that were chosen here, not heard in the file, in its ticks.
    """

    source: Source
    controls: Controls
    plan: Plan
    mode: str
    table: CellTable
    holes: tuple[Hole, ...]
    chosen: int | None = None
    chords: tuple[Marker, ...] = ()

    @classmethod
    def of(
        cls, task: FileTask, source: Source, controls: Controls, style: int | None = None
    ) -> Rewriting:
        """Fill in, accompany, harmonise or vary.

        Raises:
            SettingError: cells or instruments that cannot be, or a setting that cannot be
                followed.
        """
        controls = replace(controls, bars=None)
        added = _added(task, controls)
        count = len(source.piece.tracks)
        if count + len(added) > v.MAX_TRACKS:
            raise SettingError(
                f"{count} tracks and {len(added)} more, at most {v.MAX_TRACKS}", where="add"
            )
        _check_channels(source, added)
        states_density = controls.density is not None or not added
        rows = source.rows(controls, _chords_of(source, controls, harmonise=bool(added)), style)
        table = CellTable.of(rows if states_density else _without_densities(rows))
        table.header.extend(added)
        densities = controls.densities(len(added) or count)
        if added and densities:
            densities = ((0, len(v.DENSITIES)),) * count + densities
        elif states_density and not densities:
            densities = ((0, len(v.DENSITIES)),)
        plan = Plan(
            [],
            tracks_open=False,
            bars=source.bars,
            slashes=_slashes(source, controls),
            pitches=(controls.pitch_range[0], controls.pitch_range[1]),
            velocities=velocity_classes(controls),
            compass=_compass(source, controls),
            densities=densities,
        )
        holes = _holes(task, source, table, added, states_own=controls.density is None)
        for slot in {hole.slot for hole in holes if hole.slot < count}:
            _check_plays(source, slot, controls)
        chosen = None
        if task.mode == "vary":
            chosen = max(round(task.amount * len(holes)), 1)
        chords: list[Marker] = []
        if controls.chords or (added and is_bare(source.piece)):
            symbols = [row for row in rows if row[v.KIND] in (Kind.BAR, Kind.CHORD)]
            chords = _markers(source, controls, symbols)
        return cls(source, controls, plan, task.mode, table, tuple(holes), chosen, tuple(chords))

    def draft(self, seed: Sequence[int], habits: Habits = NO_HABITS) -> Draft:
        holes = list(self.holes)
        if self.chosen is not None:
            rng = np.random.default_rng([*seed, 1])
            holes = [holes[i] for i in rng.choice(len(holes), self.chosen, replace=False)]
        places = {hole.place for hole in holes}
        order = HoleByHole(self.table.without(places), holes, self.source.held(places))
        return Draft(replace(self.plan, habits=habits), order=order)

    def so_far(self, draft: Draft) -> None:
        """It is put into the file as a whole."""

    def finish(self, draft: Draft) -> Finished:
        source, places = self.source, _places(draft)
        new = [
            replace(track, name=track_name(track))
            for track in source.written(draft.rows, places, bars=source.bars)
        ]
        piece = source.piece
        markers = _with_chords(piece, self.chords) if self.chords else piece.markers
        change = Change(
            places,
            end_step=int(source.starts[-1]),
            old_markers=[marker for marker in piece.markers if marker not in markers],
            new_markers=[marker for marker in markers if marker not in piece.markers],
            is_levelled=_is_free_in_level(self.controls),
        )
        cells = [[bar + 1, slot + 1] for bar, slot in sorted(places)]
        return _finished(source, new, change, {"mode": self.mode, "cells_written": cells})


def _finished(
    source: Source, new: Sequence[Track], change: Change, record: dict[str, Any]
) -> Finished:
    """The file with what was written into it, read again as anybody would."""
    result = source.rewritten(new, change)
    piece = normalise(unmarked(result.data)).piece
    count = len(source.piece.tracks)
    roles = {track.instrument: track.role for track in new[count:]}
    for track in piece.tracks[count - len(piece.tracks) :] if len(piece.tracks) > count else ():
        track.role = roles.get(track.instrument)
    named = {"file": source.name, "file_sha256": source.sha256}
    record = {**named, **record, "changed_besides": list(result.changes)}
    written = Piece(TICKS_PER_QUARTER, list(new[count:] or new))
    return Finished(piece, result.data, written, record, result.changes)


def _places(draft: Draft) -> set[Place]:
    """The cells that a draft writes anew."""
    return (
        {hole.place for hole in draft.order.holes} if isinstance(draft.order, HoleByHole) else set()
    )


def _bars_that_stay(source: Source) -> int:
    """The bars up to the one in which something last begins, or rings for half a bar or more."""
    notes = [note for track in source.piece.tracks for note in track.notes]
    last = max(source.bar_of(note.onset_ticks) for note in notes) + 1
    end = max(note.end_ticks for note in notes)
    while last < source.bars:
        middle = (int(source.starts[last]) + int(source.starts[last + 1])) // 2
        if end < source.ticks(middle):
            break
        last += 1
    return last


def _following(rows: Sequence[Row]) -> tuple[int, ...]:
    """Value ids of the sections with which a piece goes on; empty where it just goes on.

    After an ending another section begins: as long as an ending is in force tracks stay as silent
    as they have become. Music without sections may have come to an ending, too: it is followed by
    section B.
    """
    named = [row[v.VALUE] for row in rows if row[v.KIND] == Kind.SECTION]
    if not named:
        return (section_id("b"),)
    final = [section_id(name) for name in ("intro", "ending", "other")]
    others = [WORDS.section.id(number) for number in range(len(v.SECTIONS))]
    goes_on = tuple(section for section in others if section not in final)
    return goes_on if named[-1] == section_id("ending") else ()


def _without_densities(rows: list[Row]) -> list[Row]:
    """The same events without densities."""
    return [[*row[: v.EXTENT], 0, row[v.LEVEL]] if row[v.KIND] == Kind.CELL else row
            for row in rows]  # fmt: skip


def _own_range(track: Track) -> tuple[int, int]:
    """Lowest and highest pitch of a track: its instrument's, and what it plays beyond them."""
    lowest, highest = compass_of(track.instrument, ANY_PITCH)
    pitches = [] if track.is_drum else [note.pitch for note in track.notes]
    return min([lowest, *pitches]), max([highest, *pitches])


def _compass(source: Source, controls: Controls) -> tuple[tuple[int, int], ...]:
    """What each track plays: what is asked, and nothing that its instrument does not play."""
    low, high = controls.pitch_range
    own = [(track.is_drum, *_own_range(track)) for track in source.piece.tracks]
    return tuple(
        (lowest, highest) if is_drum else (max(low, lowest), min(high, highest))
        for is_drum, lowest, highest in own
    )


def _check_plays(source: Source, slot: int, controls: Controls) -> None:
    track = source.piece.tracks[slot]
    if not track.is_drum:
        name = repr(track.name or f"track {slot + 1}")
        check_plays(name, _own_range(track), controls.pitch_range)


def _added(task: FileTask, controls: Controls) -> list[Row]:
    """A TRACK for each instrument that is to play along, with a role."""
    instruments, roles = task.add, controls.roles
    if task.mode == "harmonise" and not instruments:
        instruments = _HARMONISED_BY
    roles = roles or tuple(map(_usual_role, instruments))
    return track_rows(instruments, replace(controls, roles=roles))


def _is_free_in_level(controls: Controls) -> bool:
    return tuple(controls.velocity_range) == Controls().velocity_range


def _check_channels(source: Source, added: Sequence[Row]) -> None:
    """Refuse more melodic instruments than there are channels that the file does not use.

    Raises:
        SettingError: there are.
    """
    melodic = sum(row[v.VALUE] != WORDS.program.id(DRUM_PROGRAM) for row in added)
    free = len(free_channels(source.original))
    if melodic > free:
        raise SettingError(
            f"{melodic} melodic instruments, and the file leaves {free} of MIDI's 15 melodic "
            "channels free",
            where="add", mend="add fewer, or export the file without some of its tracks",
        )  # fmt: skip


def _usual_role(instrument: str) -> str:
    number = instrument_number(instrument)
    if number == DRUM_PROGRAM:
        return "drums"
    return "bass" if number in _BASSES else "pad" if number in _PADS else "accompaniment"


def _chords_of(source: Source, controls: Controls, *, harmonise: bool) -> str:
    """Bar by bar: those that were given, begun again when through, else those that are heard.

    Of a bare melody nothing is heard: it is harmonised, where that is asked.
    """
    if controls.chords:
        home = controls.home(source.analysis.key)
        given = harmony.parse_progression(controls.chords, home)
        upbeat, lengths = _bars_for(given, source)
        chord_rows(controls.chords, lengths, home)  # raises where they do not fit
        bars: list[list[harmony.Chord | None]] = [[None]] * upbeat
        bars += [given[bar % len(given)] for bar in range(len(lengths))]
        return harmony.format_progression(bars)
    if not is_bare(source.piece):
        return source.analysis.chords
    key = harmony.parse_key(controls.key or source.analysis.key)
    return harmonised(source.piece, key) if harmonise else ""


def _slashes(source: Source, controls: Controls) -> Slashes:
    """What a bass has to play under the chords that were given, in bars of the file."""
    if not controls.chords:
        return {}
    home = controls.home(source.analysis.key)
    upbeat, lengths = _bars_for(harmony.parse_progression(controls.chords, home), source)
    found = slash_basses(controls.chords, lengths, home)
    return {bar + upbeat: basses for bar, basses in found.items()}


def _bars_for(given: Sequence[object], source: Source) -> tuple[int, list[int]]:
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


def _markers(
    source: Source, controls: Controls, rows: Sequence[Row], begin: int = 0
) -> list[Marker]:
    """The markers of rows from a grid step on, in the file's ticks."""
    signature = signature_of(controls.key or source.analysis.key)
    return [
        replace(marker, onset_ticks=source.ticks(marker.onset_ticks // TICKS_PER_STEP))
        for marker in markers_of(rows, [signature])
        if marker.onset_ticks >= begin * TICKS_PER_STEP
    ]


def _with_chords(piece: Piece, chords: Sequence[Marker]) -> list[Marker]:
    """The piece's markers with these chords in place of its own.

    Where another marker stands the chord is told again: a section called B is no chord then.
    """
    kinds = [kind for kind, _ in told_kinds(piece)]
    kept = [m for m, kind in zip(piece.markers, kinds, strict=True) if kind != "chord"]
    places = {chord.onset_ticks for chord in chords}
    again = [
        replace(max(before, key=lambda chord: chord.onset_ticks), onset_ticks=tick)
        for tick in {marker.onset_ticks for marker in kept} - places
        if (before := [chord for chord in chords if chord.onset_ticks < tick])
    ]
    return sorted([*kept, *chords, *again], key=lambda marker: marker.onset_ticks)


def _holes(
    task: FileTask, source: Source, table: CellTable, added: Sequence[Row], *, states_own: bool
) -> list[Hole]:
    """What is to be written; where it replaces something, as dense as that was."""
    tracks = source.piece.tracks
    if added:
        slots = range(len(tracks), len(tracks) + len(added))
        return [Hole(bar, slot) for bar in range(source.bars) for slot in slots]
    places = {p for p, cell in table.cells.items() if any(r[v.KIND] == Kind.NOTE for r in cell)}
    if task.mode == "infill" and task.cells:
        places = read_cells(task.cells, tracks, source.analysis.roles, source.bars)
    holes = []
    for bar, slot in sorted(places):
        cell = table.cells.get((bar, slot), [])
        sounds = any(row[v.KIND] == Kind.NOTE for row in cell)
        density = cell[0][v.EXTENT] if sounds and states_own else 0
        holes.append(Hole(bar, slot, sounds, density))
    return holes
