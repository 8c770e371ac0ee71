"""What is to be written: a piece from nothing, or something in a producer's file.

A job makes the draft of each piece, and the piece of each finished draft; `write_events` does what
lies between, of a whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from gen.data.habits import Habits
from gen.errors import SettingError
from gen.harmony import Key
from gen.marks.watermark_keys import WatermarkKey
from gen.sampling.decoding.decode import decode
from gen.sampling.decoding.step import TorchStep
from gen.sampling.drafting.closing import key_of_chords, with_close
from gen.sampling.drafting.draft import Draft
from gen.sampling.finishing.finish import Finished, SoFar, finished
from gen.sampling.in_file.continuation import Continuation
from gen.sampling.in_file.rewriting import Rewriting
from gen.sampling.in_file.source import Source
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import at_home, formed, plan_of, scale_of, with_roles
from gen.sampling.planning.plan import NO_HABITS, Plan
from gen.sampling.planning.rules import Rules
from gen.sampling.polishing.polish import PolishedCell, polished
from gen.sampling.request import FileTask, SampleRequest
from gen.sampling.takes import OnBar, OnDone
from gen.smf import write
from gen.smf.writer import sharing
from gen.tokens.choice import GRID, PLAYED
from gen.tokens.vocabulary import FIELDS

AS_GIVEN: Final = "as given"
"""A timing: of a file its own."""


class PieceJob(Protocol):
    """What is to be written."""

    @property
    def controls(self) -> Controls:
        """What is asked of the pieces."""

    @property
    def source(self) -> Source | None:
        """The file in which something is to be done; None where nothing is."""

    def draft(self, seed: Sequence[int], habits: Habits = NO_HABITS) -> Draft:
        """A fresh draft of one piece.

        Args:
            seed: equal ones, equal drafts; chance is not that of a generator of this seed.
            habits: of the works behind the model, which decide what nobody asks for.
        """

    def finish(self, draft: Draft) -> Finished:
        """What a finished draft is as a file."""

    def so_far(self, draft: Draft) -> SoFar | None:
        """What can be heard of an unfinished draft; None while no bar with new music is whole."""


def job_of(
    controls: Controls,
    task: FileTask | None,
    style: int | None = None,
    steering: float = 0.0,
    rules: Rules = Rules(),  # noqa: B008 - never changes
    timing: str = GRID,
    source: Source | None = None,
) -> PieceJob:
    """The job that is asked for.

    Args:
        controls: what is asked of the music.
        task: what is to be done with a file; None for pieces from nothing.
        style: the number that the checkpoint has for `controls.style`.
        steering: see `Plan`.
        rules: see `Plan`.
        timing: see `Plan`; `AS_GIVEN` to play into a file as it is played, and in pieces from
            nothing as players do.
        source: the task's file, where it was read already.

    Raises:
        HouseError: settings contradict each other, or the file cannot be used.
    """
    led: dict[str, Any] = {"steering": steering, "rules": rules, "scale": scale_of(controls)}
    if task is None:
        timing = PLAYED if timing == AS_GIVEN else timing
        plan = replace(plan_of(controls, style), timing=timing, **led)
        return FromNothing(controls, with_roles(plan) if rules.gives_roles else plan)
    for name in ("instruments", "tempo", "time_signature"):
        if getattr(controls, name):
            raise SettingError(
                f"comes from the file that {task.mode}= names", where=name, mend="leave it out"
            )
    if controls.roles and not task.add:
        raise SettingError("belongs to add", where="roles", mend="leave it out")
    if controls.bar_densities:
        raise SettingError(
            "by bars is of pieces from nothing", where="density",
            mend="one density for what is written; infill= with cells= names bars",
        )  # fmt: skip
    source = source or Source.read(task.path)
    timing = source.grid.timing if timing == AS_GIVEN else timing
    source = replace(source, timing=timing)
    job = (
        Continuation.of(source, controls, style, infers=rules.infers_from_files)
        if task.mode == "continue"
        else Rewriting.of(task, source, controls, style, rules)
    )
    return replace(job, plan=replace(job.plan, timing=timing, **led))


@dataclass(frozen=True, slots=True)
class FromNothing:
    """New pieces, each in a form of its own where none was asked for."""

    controls: Controls
    plan: Plan
    source: None = None

    def draft(self, seed: Sequence[int], habits: Habits = NO_HABITS) -> Draft:
        plan = replace(self.plan, habits=habits)
        if self.controls.sections is None:
            plan = formed(plan, self.controls.genre, [*seed, 2])
        if plan.steering and self.controls.key is None:
            of_chords = self._home() if plan.rules.pulls_home else None
            plan = at_home(plan, self.controls.mood, [*seed, 3], of_chords)
        if plan.rules.plans_closes:
            plan = with_close(plan, self.controls, self._home(), [*seed, 4])
        return Draft(plan, [*seed, 1])

    def _home(self) -> Key | None:
        """The key that was asked for, else that of the chords that were."""
        chords = self.controls.chords
        return self.controls.home() or (key_of_chords(chords) if chords else None)

    def finish(self, draft: Draft) -> Finished:
        basses = self.plan.named_basses
        piece = finished(draft.rows, self.controls, basses)
        music = write(piece, end_ticks=piece.bars_end_ticks)
        if self.plan.timing != PLAYED:
            return Finished(piece, music, piece, {}, sharing(piece.tracks))
        written = finished([row[: len(FIELDS)] for row in draft.rows], self.controls, basses)
        return Finished(piece, music, written, {}, sharing(piece.tracks), written)

    def so_far(self, draft: Draft) -> SoFar:
        return SoFar(finished(draft.rows, self.controls, self.plan.named_basses), draft.state.bar)


def write_events(
    job: PieceJob,
    step: TorchStep,
    habits: Habits,
    request: SampleRequest,
    watermark: WatermarkKey | None,
    seeds: Sequence[Sequence[int]],
    on_done: OnDone,
    on_bar: OnBar | None = None,
) -> None:
    """Write a piece for each seed side by side, in the house's events.

    Args:
        job: what is to be written.
        step: of the model that writes.
        habits: of the works behind it.
        request: how.
        watermark: the key that chooses with chance; None for none.
        seeds: equal ones, equal pieces.
        on_done: called with each piece as it ends; what it raises ends the batch.
        on_bar: called as each bar is whole; what it raises ends the batch, too.
    """
    run, draw = request.run, request.draw
    drafts = [job.draft(seed, habits) for seed in seeds]

    def watched(place: int) -> None:
        if on_bar:
            on_bar(place, job.so_far(drafts[place]))

    for place, (draft, seed) in enumerate(zip(drafts, seeds, strict=True)):
        if watermark:
            draft.trace = watermark.trace([*seed, 5], run.watermark_kind)
        draft.on_bar = partial(watched, place)

    def finish(place: int) -> None:
        done, better = drafts[place], tuple[PolishedCell, ...]()
        if run.polish:
            better = polished(step, done, [*seeds[place], 6], draw, run.polish)
        on_done(place, job.finish(done), done.rows, better)

    decode(step, drafts, [np.random.default_rng(seed) for seed in seeds], draw, on_done=finish)
