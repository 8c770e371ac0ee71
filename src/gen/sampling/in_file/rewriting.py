"""A producer's file in which some cells are written anew, or tracks are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gen import harmony
from gen.analysis.harmonise import is_bare
from gen.data.habits import Habits
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, Marker, Piece, Track
from gen.rendering.labels import kinds_of
from gen.sampling.drafting.cell_table import CellTable, Place, pattern_of
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.fill import FileClose, Hole, HoleByHole
from gen.sampling.drafting.state import BASS_PROGRAMS, PatternNote
from gen.sampling.finishing.finish import Finished, SoFar, track_name
from gen.sampling.in_file.cells import read_cells
from gen.sampling.in_file.given import (
    bars_for,
    check_track_plays,
    chords_in,
    closing_of,
    compass_in,
    finished_in,
    is_free_in_level,
    markers_in,
    without_densities,
)
from gen.sampling.in_file.inferred import Inferred, remarks_on, said
from gen.sampling.in_file.source import Change, Source
from gen.sampling.planning.controls import Controls, instrument_number
from gen.sampling.planning.deciding import slash_basses, track_rows, velocity_classes
from gen.sampling.planning.plan import NO_HABITS, Plan, Row, Slashes
from gen.sampling.planning.rules import Rules
from gen.sampling.request import CONTOUR, FileTask
from gen.smf.rewrite import free_channels
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

_HARMONISED_BY: Final = ("acoustic grand piano", "acoustic bass")
_PADS: Final = range(88, 96)


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
        keep: see `FileTask`.
        inferred: what is kept as the file has it; None by earlier rules.
        close: see `HoleByHole`; None by earlier rules.
        chords: symbols of those that were chosen here, not found in the file, in its ticks.
    """

    source: Source
    controls: Controls
    plan: Plan
    mode: str
    table: CellTable
    holes: tuple[Hole, ...]
    chosen: int | None = None
    chords: tuple[Marker, ...] = ()
    keep: str | None = None
    inferred: Inferred | None = None
    close: FileClose | None = None

    @classmethod
    def of(
        cls,
        task: FileTask,
        source: Source,
        controls: Controls,
        style: int | None = None,
        rules: Rules = Rules(),  # noqa: B008 - never changes
    ) -> Rewriting:
        """Fill in, accompany, harmonise or vary.

        Args:
            task: which of them.
            source: the file.
            controls: what is asked.
            style: the number that the checkpoint has for `controls.style`.
            rules: those of writing.

        Raises:
            SettingError: cells or instruments that cannot be, or a setting that cannot be
                followed.
        """
        controls = replace(controls, bars=None)
        added = _added(task, controls)
        count = len(source.piece.tracks)
        _check_room(source, added)
        rows = source.rows(controls, chords_in(source, controls, harmonise=bool(added)), style)
        table, inferred = CellTable.of(rows), None
        if rules.infers_from_files:
            inferred = Inferred.of(
                source, controls, table, added, lowers_basses=rules.lowers_basses
            )
        elif controls.density is None and added:
            table = CellTable.of(without_densities(rows))
        table.header.extend(added)
        slashes = _slashes(source, controls)
        plan = Plan(
            [],
            tracks_open=False,
            bars=source.bars,
            slashes=slashes,
            pitches=(controls.pitch_range[0], controls.pitch_range[1]),
            velocities=velocity_classes(controls),
            compass=compass_in(source, controls),
            densities=_densities(controls, count, len(added)),
        )
        plan = inferred.into(plan) if inferred else plan
        holes = _holes(task, source, table, added, states_own=controls.density is None)
        for slot in {hole.slot for hole in holes if hole.slot < count}:
            check_track_plays(source, slot, controls)
        chosen = max(round(task.amount * len(holes)), 1) if task.mode == "vary" else None
        chords: list[Marker] = []
        if controls.chords or (added and is_bare(source.piece)):
            symbols = [row for row in rows if row[v.KIND] in (Kind.BAR, Kind.CHORD)]
            basses = slashes if rules.names_basses else {}
            chords = markers_in(source, controls, symbols, basses=basses)
        close = closing_of(source, controls, table) if rules.closes_in_files else None
        return cls(
            source, controls, plan, task.mode, table, tuple(holes), chosen, tuple(chords),
            task.keep, inferred, close,
        )  # fmt: skip

    def draft(self, seed: Sequence[int], habits: Habits = NO_HABITS) -> Draft:
        holes = list(self.holes)
        if self.chosen is not None:
            rng = np.random.default_rng([*seed, 1])
            holes = [holes[i] for i in rng.choice(len(holes), self.chosen, replace=False)]
        places = {hole.place for hole in holes}
        held = self.source.held(places)
        order = HoleByHole(
            self.table.without(places), holes, held, self._patterns(places), close=self.close
        )
        return Draft(replace(self.plan, habits=habits), order=order)

    def _patterns(self, places: set[Place]) -> dict[Place, tuple[PatternNote, ...]]:
        """What the melodic cells keep of their notes."""
        if not self.keep:
            return {}
        drums = {n for n, track in enumerate(self.source.piece.tracks) if track.is_drum}
        return {
            place: pattern_of(self.table.cells.get(place, ()), contour=self.keep == CONTOUR)
            for place in places
            if place[1] not in drums
        }

    def so_far(self, draft: Draft) -> SoFar | None:
        order = _order(draft)
        first, bars = order.holes[0].bar, order.whole_bars
        if bars <= first:
            return None
        change = Change(order.places, is_levelled=self._is_levelled)
        new = self._new(order.rows, order.places)
        return SoFar(self.source.with_music(new, change), bars, first)

    @property
    def _is_levelled(self) -> bool:
        return is_free_in_level(self.controls) and not self.keep

    def _new(self, rows: Sequence[Row], places: set[Place]) -> list[Track]:
        """What is new in rows of the whole piece, in named tracks."""
        found = self.source.written(rows, places, bars=self.source.bars)
        return [replace(track, name=track_name(track)) for track in found]

    def finish(self, draft: Draft) -> Finished:
        source, places = self.source, _order(draft).places
        new = self._new(draft.rows, places)
        piece = source.piece
        markers = _with_chords(piece, self.chords) if self.chords else piece.markers
        change = Change(
            places,
            end_step=int(source.starts[-1]),
            old_markers=[marker for marker in piece.markers if marker not in markers],
            new_markers=[marker for marker in markers if marker not in piece.markers],
            is_levelled=self._is_levelled,
        )
        cells = [[bar + 1, slot + 1] for bar, slot in sorted(places)]
        record = {"mode": self.mode, "cells_written": cells, **said(self.inferred)}
        return finished_in(source, new, change, record, remarks_on(self.inferred))


def _order(draft: Draft) -> HoleByHole:
    assert isinstance(draft.order, HoleByHole)  # noqa: S101 - as drafts are made here
    return draft.order


def _added(task: FileTask, controls: Controls) -> list[Row]:
    """A TRACK for each instrument that is to play along, with a role."""
    instruments, roles = task.add, controls.roles
    if task.mode == "harmonise" and not instruments:
        instruments = _HARMONISED_BY
    roles = roles or tuple(map(_usual_role, instruments))
    return track_rows(instruments, replace(controls, roles=roles))


def _usual_role(instrument: str) -> str:
    number = instrument_number(instrument)
    if number == DRUM_PROGRAM:
        return "drums"
    return "bass" if number in BASS_PROGRAMS else "pad" if number in _PADS else "accompaniment"


def _densities(controls: Controls, count: int, added: int) -> tuple[tuple[int, int], ...]:
    """Density classes, from and to before, of `count` tracks that are there and `added` more."""
    either = (0, len(v.DENSITIES))
    asked = controls.densities(added or count)
    if added and asked:
        return (either,) * count + asked
    return asked or ((either,) if controls.density is not None or not added else ())


def _check_room(source: Source, added: Sequence[Row]) -> None:
    """Refuse more tracks than a piece has, and more instruments than there are free channels.

    Raises:
        SettingError: there are.
    """
    count = len(source.piece.tracks)
    if count + len(added) > v.MAX_TRACKS:
        raise SettingError(
            f"{count} tracks and {len(added)} more, at most {v.MAX_TRACKS}", where="add"
        )
    melodic = sum(row[v.VALUE] != WORDS.program.id(DRUM_PROGRAM) for row in added)
    free = len(free_channels(source.original))
    if melodic > free:
        raise SettingError(
            f"{melodic} melodic instruments, and the file leaves {free} of MIDI's 15 melodic "
            "channels free",
            where="add", mend="add fewer, or export the file without some of its tracks",
        )  # fmt: skip


def _slashes(source: Source, controls: Controls) -> Slashes:
    """What a bass has to play under the chords that were given, in bars of the file."""
    if not controls.chords:
        return {}
    home = controls.home(source.analysis.key)
    upbeat, lengths = bars_for(harmony.parse_progression(controls.chords, home), source)
    found = slash_basses(controls.chords, lengths, home)
    return {bar + upbeat: basses for bar, basses in found.items()}


def _with_chords(piece: Piece, chords: Sequence[Marker]) -> list[Marker]:
    """The piece's markers with these chords in place of its own.

    Where another marker stands the chord is repeated: a section called B is no chord then.
    """
    kinds = [kind for kind, _ in kinds_of(piece)]
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
    places = {place for place in table.cells if table.sounds(place)}
    if task.mode == "infill" and task.cells:
        places = read_cells(task.cells, tracks, source.analysis.roles, source.bars)
    holes = []
    for place in sorted(places):
        sounds = table.sounds(place)
        density = table.cells[place][0][v.EXTENT] if sounds and states_own else 0
        holes.append(Hole(*place, sounds, density))
    return holes
