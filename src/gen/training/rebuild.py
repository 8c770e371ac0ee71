"""Replaying a run, or parts of it: the same works, settings and code give the same bits.

A segment lies between two marks of the run's transcript. It is replayed from the state that was
kept at its first mark (before any step: from the seed), and held against the transcript: what was
shown, the weights, all that the next step depends on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lightning import LightningModule, Trainer
from torch import Tensor

from gen.checkpoint import load_checkpoint
from gen.data.module import HouseData
from gen.disk.reading import check_levels
from gen.errors import HouseError, SettingError
from gen.provenance.manifests.model_file import ModelFile
from gen.provenance.records.pin import Pin
from gen.provenance.records.run_acts import Begin, ModelDigest
from gen.provenance.records.transcript import Mark, Transcript
from gen.provenance.signing.code import code_digest, lock_digest
from gen.training.callbacks import SeedEachStep
from gen.training.evidence.portable import check_portable
from gen.training.evidence.state import read_state, set_state, state_path, weights_digest
from gen.training.evidence.transcript import StepEnds, mark_of
from gen.training.learner import Learner
from gen.training.plugged import plugged_again
from gen.training.prepared import make_learner
from gen.training.run import fit, mode_of
from gen.training.settings.run_settings import TrainingSettings, read_settings
from gen.training.start import weights_of
from gen.training.trainer import quieten, silent_trainer

Advance = Callable[[int], None]
_BY_THE_CLOCK = ("max_time",)
_PARTIAL = ("limit_train_batches", "overfit_batches", "fast_dev_run")


class Differs(HouseError):
    """A replay that came to something else than the run; names the segment."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as its house's log and its folder have it.

    Attributes:
        pin: of the house.
        begin: what its begin act says.
        file: the model that is rebuilt.
        path: of that model.
        models: what the end act names.
        transcript: of the run; None where none lies there.
        states: folder that may hold states.
        init: file of the model whose weights it began with; None where none is named.
    """

    pin: Pin
    begin: Begin
    file: ModelFile
    path: Path
    models: tuple[ModelDigest, ...]
    transcript: Transcript | None
    states: Path
    init: Path | None = None

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Of its transcript; none without one."""
        return self.transcript.marks if self.transcript else ()

    @property
    def steps(self) -> int:
        """After how many steps the model was written."""
        return next(m.steps for m in self.models if m.file_sha256 == self.file.file_sha256)

    def steps_of(self, segment: int) -> tuple[int, int]:
        """First and last step of a segment, counted from 1; the last ends with the model."""
        marks = self.marks
        if not marks:
            return 0, self.steps
        return marks[segment - 1].step, min(marks[segment].step, self.steps)

    @property
    def segments(self) -> int:
        """How many lead to the model."""
        return max(1, sum(mark.step < self.steps for mark in self.marks[:-1]))


@dataclass(frozen=True, slots=True)
class SegmentRun:
    """Segments in a row that are replayed in one go.

    Attributes:
        first: step to begin with, whose state is kept, or 0.
        last: step to end with.
        state: digest of the state at `first`; "" for 0.
    """

    first: int
    last: int
    state: str = ""


def settings_of(begin: Begin, pin: Pin) -> TrainingSettings:
    """The settings in a run's begin act, judged as those of a new run are.

    Raises:
        SettingError: no run may have them, or they name another seed or purpose than the act.
        HouseError: the act holds none, or what the run became depended on the clock.
    """
    if not begin.recipe:
        raise HouseError(
            f"the log does not hold the settings of the run {begin.name}",
            mend="train anew: a run's begin act holds them by now",
        )
    try:
        check_levels(begin.recipe.encode("utf-8"))
        recipe = dict(json.loads(begin.recipe))
    except (ValueError, TypeError) as error:
        raise SettingError("the settings in the begin act cannot be read") from error
    own = {"pin": str(pin.path), "name": "rebuild", "ckpt": None, "logger": {"name": "none"}}
    chosen = read_settings({**recipe, **own})
    if (chosen.run.seed, chosen.run.purpose) != (begin.seed, begin.purpose):
        raise SettingError("the begin act's settings name another seed or purpose than the act")
    for names, why in ((_BY_THE_CLOCK, "the clock ended"), (_PARTIAL, "a part of the works fed")):
        if any(getattr(chosen.trainer, name) for name in names):
            raise HouseError(f"{why} the run {begin.name}: it cannot be replayed step by step")
    return chosen


def differences(begin: Begin, mode: str) -> Iterator[str]:
    """What is otherwise here than where the run was; the bits decide whether it matters."""
    for name, here, there in (
        ("code", code_digest(), begin.code),
        ("installed packages", lock_digest(), begin.lock),
    ):
        if here != there:
            yield f"the {name} here ({here[:12]}…) are not those of the run ({there[:12]}…)"
    if mode != begin.numeric_mode:
        yield f"arithmetic here: {mode}; of the run: {begin.numeric_mode}"


class Replays:
    """Replays segments of one run.

    Args:
        recorded: the run.

    Raises:
        HouseError: its settings may not be, its works are not admitted any more, or this computer
            cannot compute as it did.
    """

    def __init__(self, recorded: Recorded) -> None:
        quieten()
        self.recorded = recorded
        begin, pin = recorded.begin, recorded.pin
        self.chosen = settings_of(begin, pin)
        self.check_arithmetic()
        self.plugged = plugged_again(recorded.file.manifest, self.chosen.plugins)
        model = load_checkpoint(recorded.path)
        shape = model.model.config
        said = replace(
            self.chosen.model, field_sizes=shape.field_sizes, context_sizes=shape.context_sizes
        )
        if shape != said:
            raise Differs(
                "is of another shape than the run's settings say", where=str(recorded.path)
            )
        self.weights = self._weights_before_any_step()
        self.data = HouseData(
            pin.dir, pin, begin.purpose, self.chosen.data, again=recorded.file.manifest,
            tokenization=model.tokenization if recorded.file.manifest.base else None,
            plugins=self.plugged.plugins, own_tokenizer=self.plugged.tokenizer,
        )  # fmt: skip
        try:
            self.data.setup()
        except HouseError as error:
            raise Differs(
                f"segment 1 of {recorded.segments} cannot be replayed, nor any after it: "
                f"{error.what}",
                where=str(recorded.path),
                mend=error.mend,
            ) from error

    def check_arithmetic(self) -> None:
        """Whether this computer can compute as the run did."""
        if self.chosen.trainer.is_portable:
            check_portable()

    def _weights_before_any_step(self) -> Mapping[str, Tensor] | None:
        """Those of the model that the run began with, where it is named; None for the seed's.

        Raises:
            HouseError: another model is named, or one where the run began with its seed's weights.
        """
        start, init = self.recorded.begin.start, self.recorded.init
        if init is None:
            return None
        if not start:
            raise HouseError(f"the run {self.recorded.begin.name} began with its seed's weights",
                where=str(init), mend="leave out --init")  # fmt: skip
        return weights_of(init, start)

    def learner(self, stretch: SegmentRun, chosen: TrainingSettings | None = None) -> Learner:
        """The model before a stretch's first step, or before a kept state is put into it.

        Raises:
            HouseError: it begins with another model's weights, and that is not named.
        """
        start = self.recorded.begin.start
        if start and self.weights is None and not stretch.first:
            raise HouseError(
                f"the run {self.recorded.begin.name} began with the weights of another model, "
                f"whose tensors have SHA-256 {start}",
                where=str(self.recorded.path), mend="name that model's file: --init FILE",
            )  # fmt: skip
        return make_learner(
            chosen or self.chosen, self.data.tokenization, self.weights, self.plugged
        )

    def mode(self) -> str:
        """What last bits depend on here."""
        return mode_of(silent_trainer(self.chosen.trainer, []), self.chosen.trainer)

    def stretches(self, segments: Sequence[int]) -> list[SegmentRun]:
        """How to replay these segments, ascending: from which kept states, without gaps twice."""
        found: list[SegmentRun] = []
        for segment in segments:
            first, last = self.recorded.steps_of(segment)
            if found and found[-1].last >= first:
                found[-1] = SegmentRun(found[-1].first, last, found[-1].state)
            else:
                found.append(self._from_kept(first, last))
        return found

    def _from_kept(self, first: int, last: int) -> SegmentRun:
        """From the newest kept state that is no later than `first`."""
        for mark in reversed(self.recorded.marks):
            if 0 < mark.step <= first and state_path(self.recorded.states, mark.step).is_file():
                return SegmentRun(mark.step, last, mark.state)
        return SegmentRun(0, last)

    def replay(self, stretch: SegmentRun, advance: Advance) -> None:
        """Replay a stretch and compare it.

        Args:
            stretch: of `stretches`.
            advance: called with each step that is done.

        Raises:
            Differs: at the first segment that came to something else.
            KeyboardInterrupt: Ctrl-C.
        """
        learner, state = self.learner(stretch), self.state_of(stretch)
        compare = Compare(self.recorded, self.data, stretch, state, advance)
        own = [SeedEachStep(self.chosen.run.seed), compare]
        trainer = silent_trainer(self.chosen.trainer, [*own, *self.plugged.callbacks()])
        self.start_at(trainer, stretch)
        fit(trainer, learner, self.data, is_portable=self.chosen.trainer.is_portable)
        if trainer.interrupted:
            raise KeyboardInterrupt
        if trainer.global_step < stretch.last:
            raise Differs(
                f"the settings end the run at step {trainer.global_step}, the log says that it "
                f"did {stretch.last}",
                where=str(self.recorded.path),
            )

    def start_at(self, trainer: Trainer, stretch: SegmentRun) -> None:
        """Let a trainer and the data begin with the stretch's first step."""
        done = trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step
        done.total.ready = done.total.completed = stretch.first
        self.data.batches_done = stretch.first * trainer.accumulate_grad_batches

    def state_of(self, stretch: SegmentRun) -> Mapping[str, Tensor]:
        """The kept state that a stretch begins with; empty for what follows from the seed.

        Raises:
            Differs: it is not the one that the transcript names.
        """
        if not stretch.first:
            return {}
        path = state_path(self.recorded.states, stretch.first)
        try:
            return read_state(path, stretch.state)
        except HouseError as error:
            segment = 1 + [m.step for m in self.recorded.marks].index(stretch.first)
            raise Differs(
                f"segment {segment} cannot begin: the kept state {error.what}", where=str(path),
                mend=error.mend,
            ) from error  # fmt: skip


class Compare(StepEnds):
    """Holds a run that is replayed against its transcript and its models.

    Args:
        recorded: the run.
        data: what it learns from.
        stretch: what is replayed of it.
        state: to begin with; empty for what follows from the seed.
        advance: called with each step.
    """

    def __init__(
        self,
        recorded: Recorded,
        data: HouseData,
        stretch: SegmentRun,
        state: Mapping[str, Tensor],
        advance: Advance,
    ) -> None:
        super().__init__(data)
        self.recorded, self.stretch, self.state, self.advance = recorded, stretch, state, advance
        self.marks = {mark.step: mark for mark in recorded.marks}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        assert isinstance(pl_module, Learner)  # noqa: S101 - `make_learner` made it
        if self.state:
            set_state(trainer, pl_module, self.state)
        mark = None if self.stretch.first else self.marks.get(0)
        if mark and weights_digest(pl_module.judged) != mark.weights:
            named = (
                "of the model that it names" if self.recorded.begin.start else "that its seed gives"
            )
            raise self._differs(
                1, f"the weights that it began with are not those {named}: a foreign start"
            )

    def on_step_end(self, trainer: Trainer, learner: Learner) -> None:
        step = trainer.global_step
        self.advance(1)
        if mark := self.marks.get(step):
            self._compare(mark_of(trainer, learner, self.windows.digest())[0], mark)
        for model in self.recorded.models:
            if model.steps == step and weights_digest(learner.judged) != model.tensors_sha256:
                raise self._differs(
                    self._segment(step), f"its weights after step {step} are not those of "
                    f"{model.name}, which the log names",
                )  # fmt: skip
        if step == self.stretch.last:
            trainer.should_stop = True

    def _compare(self, here: Mark, there: Mark) -> None:
        if here == there:
            return
        if here.windows != there.windows:
            why = "it learned from other windows than these works, settings and seed give"
        elif here.weights != there.weights:
            why = "it learned from the same windows, and the weights at its end are others"
        else:
            why = "its weights are the same, and what the optimiser remembers is other"
        raise self._differs(self._segment(there.step), why)

    def _segment(self, step: int) -> int:
        """The segment that a step belongs to: the one that ends with it, or goes on past it."""
        return max(1, sum(mark < step for mark in self.marks))

    def _differs(self, segment: int, why: str) -> Differs:
        first, last = self.recorded.steps_of(segment)
        begin = self.recorded.begin
        code = code_digest() != begin.code
        cause = f" (the code here is not that of the run, {begin.code[:12]}…)" if code else ""
        return Differs(
            f"segment {segment} of {self.recorded.segments} (steps {first} to {last}) is not what "
            f"the record says: {why}{cause}",
            where=str(self.recorded.path),
            mend="with the code, packages and kind of processor that the begin act names the bits "
            "are the run's, or the record is false; where bits cannot agree, --within says how "
            "near the weights are",
        )
