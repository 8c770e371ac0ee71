"""A producer's file, and more bars after its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gen.data.habits import Habits
from gen.errors import SettingError
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.closing import with_close
from gen.sampling.drafting.draft import Draft
from gen.sampling.finishing.finish import Finished, SoFar
from gen.sampling.in_file.given import (
    check_track_plays,
    chords_in,
    compass_in,
    finished_in,
    is_free_in_level,
    markers_in,
    without_densities,
)
from gen.sampling.in_file.inferred import LATEST, Inferred, remarks_on, said
from gen.sampling.in_file.source import Change, Source
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import planned_rows, time_signature_id, velocity_classes
from gen.sampling.planning.plan import NO_HABITS, Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import section_id


@dataclass(frozen=True, slots=True)
class Continuation:
    """A file's piece, and more bars after its last."""

    source: Source
    controls: Controls
    plan: Plan
    given: int
    inferred: Inferred | None = None

    @classmethod
    def of(
        cls, source: Source, controls: Controls, style: int | None = None, *, infers: bool = False
    ) -> Continuation:
        """Go on for `controls.bars` bars.

        Args:
            source: the file.
            controls: what is asked.
            style: the number that the checkpoint has for `controls.style`.
            infers: whether what is not asked is kept as the file has it.

        Raises:
            SettingError: their number is missing, or a setting cannot be followed.
        """
        if controls.bars is None:
            raise SettingError("is missing: how many more?", where="bars", mend="add bars=8")
        for slot in range(len(source.piece.tracks)):
            check_track_plays(source, slot, controls)
        given = _bars_that_stay(source)
        found = chords_in(source, replace(controls, chords=None), harmonise=False)
        rows = source.rows(controls, found, style)
        dense, inferred = CellTable.of(rows), None
        if infers:
            inferred = Inferred.of(source, controls, dense, latest=LATEST)
        if inferred and controls.form:  # a break is sparse, a build grows
            inferred = replace(inferred, densities=())
        states = controls.density is not None or bool(inferred and inferred.densities)
        table = dense if states else CellTable.of(without_densities(rows))
        tempos = [row[v.VALUE] for row in rows if row[v.KIND] == Kind.TEMPO]
        plan = _plan(source, controls, table.excerpt(0, given), given, tempos[-1])
        plan = inferred.into(plan) if inferred else plan
        return cls(source, replace(controls, bars=plan.bars), plan, given, inferred)

    def draft(self, seed: Sequence[int], habits: Habits = NO_HABITS) -> Draft:
        plan = replace(self.plan, habits=habits)
        if plan.rules.plans_closes:
            home = self.controls.home(self.source.analysis.key)
            plan = with_close(plan, self.controls, home, [*seed, 4])
        return Draft.continuing(plan, self.source.held(), [*seed, 1])

    def so_far(self, draft: Draft) -> SoFar:
        new = self.source.written(draft.rows, (), bars=self.given)
        music = self.source.with_music(new, Change(goes_on_at=self.given))
        return SoFar(music, draft.state.bar, self.given)

    def finish(self, draft: Draft) -> Finished:
        source = self.source
        new = source.written(draft.rows, (), bars=self.given)
        begin = int(source.starts[self.given])
        basses = self.plan.named_basses
        change = Change(
            goes_on_at=self.given,
            end_step=int(CellTable.of(draft.rows).bar_starts()[-1]),
            new_markers=markers_in(source, self.controls, draft.rows, begin, basses),
            is_levelled=is_free_in_level(self.controls),
        )
        record = {"mode": "continue", "bars_kept": self.given, **said(self.inferred)}
        return finished_in(source, new, change, record, remarks_on(self.inferred))


def _plan(source: Source, controls: Controls, header: list[Row], given: int, tempo: int) -> Plan:
    """Further bars after the first `given`, which the header holds, in the meter of the last."""
    assert controls.bars is not None  # noqa: S101 - checked before
    meter = source.grid.bars[given - 1][1:]
    lengths = [v.bar_steps(*meter)] * controls.bars
    bars = given + controls.bars
    rows, slashes = planned_rows(controls, bars, lengths, controls.home(source.analysis.key))
    return Plan(
        header,
        tracks_open=False,
        bars=bars,
        time_signature=time_signature_id("{}/{}".format(*meter)),
        tempo=tempo,
        plan_rows=rows,
        chords_given=bool(controls.chords),
        slashes=slashes,
        sections_given=bool(controls.form),
        velocities=velocity_classes(controls),
        compass=compass_in(source, controls),
        densities=controls.densities(len(source.piece.tracks)),
        returns=controls.returns,
        next_sections=() if controls.form else _following(header),
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
