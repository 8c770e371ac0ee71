"""Replaying a run whose bits cannot come out again here: how near its weights are to a replay's.

Other arithmetic (a GPU's, another processor's) rounds otherwise, so that honest replays differ. How
far is worked out for the very stretch that is replayed, on this computer: in every arithmetic that
it has, and with one window of a batch replaced by another. A record that is no further from the
replay than honest ones are, and nearer than one foreign window brings, is as near as can be asked;
where the two overlap nothing can be told. Windows that were openly others show in the transcript.

Distances are ‖W - W'‖ / ‖W' - W₀‖: the difference of two results in parts of the way that the
weights went in the stretch, over all weights.

Source: Jia et al. 2021, arXiv:2103.05633; Choi et al. 2023, arXiv:2307.00682.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from lightning import LightningModule, Trainer
from torch import Tensor

from gen.arithmetic import FAST, PORTABLE
from gen.checkpoint import load_checkpoint
from gen.errors import HouseError, SettingError
from gen.training.callbacks import SeedEachStep
from gen.training.evidence.portable import check_portable
from gen.training.evidence.state import WEIGHTS, read_state, set_state, state_path
from gen.training.evidence.transcript import StepEnds
from gen.training.learner import Learner
from gen.training.machine import precision_for
from gen.training.optimising.lora import added_up
from gen.training.rebuild import Advance, Differs, Recorded, Replays, SegmentRun
from gen.training.run import fit
from gen.training.settings.trainer_settings import TrainerConfig
from gen.training.trainer import silent_trainer

Weights = dict[str, Tensor]
ALLOWANCE = 3.0
"""How many times as far as the furthest honest replay, and as near as the nearest foreign one, the
limit has to be for anything to be told."""
EXACT = 1e-7
"""Nearer than single precision rounds nothing is told apart."""
FOREIGN = 4
"""Replays with one foreign window that each stretch is held against."""
SINGLE, DOUBLE, BFLOAT = "32-true", "64-true", "bf16-mixed"


@dataclass(frozen=True, slots=True)
class Nearness:
    """Distances of one stretch, each from the replay that comes nearest to the record.

    Attributes:
        stretch: which steps.
        record: of the recorded weights.
        honest: of replays in other arithmetic, by its name.
        foreign: of replays in which one window was another.
    """

    stretch: SegmentRun
    record: float
    honest: Mapping[str, float]
    foreign: tuple[float, ...]

    @property
    def limit(self) -> float:
        """Up to here a record is as near as honest replays are."""
        return limit(max(self.honest.values()), min(self.foreign))

    @property
    def separates(self) -> bool:
        """Whether one foreign window shows: it brings the weights well beyond honest replays."""
        return separates(max(self.honest.values()), min(self.foreign))

    @property
    def is_near(self) -> bool:
        return self.record <= self.limit


def limit(honest: float, foreign: float) -> float:
    """In the middle, by factors, of the furthest honest and the nearest foreign replay."""
    return math.sqrt(max(honest, EXACT) * foreign)


def separates(honest: float, foreign: float) -> bool:
    """Whether the limit lies clear of both."""
    return foreign >= ALLOWANCE**2 * max(honest, EXACT)


class Nearby(Replays):
    """Replays stretches between kept states of a run, in any arithmetic.

    Args and errors as `Replays`; besides `HouseError` where nothing was kept to compare with.
    """

    def __init__(self, recorded: Recorded) -> None:
        if not recorded.marks:
            raise HouseError(
                "no transcript lies beside it, and the log names weights by their digest alone: "
                "how near a replay comes cannot be worked out",
                where=str(recorded.path),
                mend="ask for the run's folder, with transcript.jsonl and states",
            )
        super().__init__(recorded)
        if self.chosen.run.lora.rank or self.chosen.average.is_used:
            raise HouseError(
                "learned beside its weights (lora), or averaged them: how near is not worked out "
                "for such runs",
                where=str(recorded.path), mend="leave out --within",
            )  # fmt: skip

    def check_arithmetic(self) -> None:
        """Any will do: the bits are not compared."""

    def between_states(self, segments: list[int]) -> list[SegmentRun]:
        """The stretches from kept state to kept state, or to the model, that hold these segments.

        Args:
            segments: numbers from 1.
        """
        marks, end = self.recorded.marks, self.recorded.steps
        kept = [m for m in marks if 0 < m.step < end and self._lies_there(m.step)]
        firsts = [SegmentRun(0, 0), *(SegmentRun(mark.step, 0, mark.state) for mark in kept)]
        lasts = [*(mark.step for mark in kept), end]
        found = [replace(f, last=last) for f, last in zip(firsts, lasts, strict=True)]
        wanted = [self.recorded.steps_of(segment) for segment in segments]
        return [s for s in found if any(a < s.last and s.first < b for a, b in wanted)]

    def _lies_there(self, step: int) -> bool:
        return state_path(self.recorded.states, step).is_file()

    def nearness(self, stretch: SegmentRun, seed: int, advance: Advance) -> Nearness:
        """Replay a stretch in every arithmetic, and with foreign windows; then compare.

        Args:
            stretch: of `between_states`.
            seed: which windows are replaced in the replays that are to be further away.
            advance: is told of each step.

        Raises:
            Differs: other windows were shown, or a kept state is another than the transcript's.
        """
        begin, record = self.weights_at_start(stretch), self._recorded_at(stretch)
        found = {
            name: self.result(stretch, options, advance)
            for name, options in arithmetics(self.chosen.trainer)
        }
        apart = {name: distance(record, weights, begin) for name, weights in found.items()}
        nearest = min(apart, key=lambda name: apart[name])
        own, options = found.pop(nearest), dict(arithmetics(self.chosen.trainer))[nearest]
        rng = random.Random(seed)  # noqa: S311 - which window, no secret
        foreign = tuple(
            distance(self.result(stretch, options, advance, foreign=rng), own, begin)
            for _ in range(FOREIGN)
        )
        honest = {name: distance(weights, own, begin) for name, weights in found.items()}
        return Nearness(stretch, apart[nearest], honest, foreign)

    def replays_of(self, stretch: SegmentRun) -> int:
        """How many steps `nearness` replays."""
        count = len(arithmetics(self.chosen.trainer)) + FOREIGN
        return count * (stretch.last - stretch.first)

    def result(
        self,
        stretch: SegmentRun,
        options: Mapping[str, Any],
        advance: Advance,
        foreign: random.Random | None = None,
    ) -> Weights:
        """The weights at the end of a stretch, in one arithmetic of `arithmetics`.

        Args:
            stretch: which steps.
            options: of that arithmetic.
            advance: is told of each step.
            foreign: draws the window that is replaced; None for an honest replay.
        """
        config = replace(on_this_cpu(self.chosen.trainer), arithmetic=options["arithmetic"])
        learner = self.learner(stretch, replace(self.chosen, trainer=config))
        follow = Follow(self, stretch, advance, foreign)
        callbacks = [SeedEachStep(self.chosen.run.seed), follow, *self.plugged.callbacks()]
        trainer = silent_trainer(config, callbacks, **options["lightning"])
        self.start_at(trainer, stretch)
        fit(trainer, learner, self.data, is_portable=config.is_portable)
        if trainer.interrupted:
            raise KeyboardInterrupt
        return _doubles(added_up(learner.model).state_dict())

    def weights_at_start(self, stretch: SegmentRun) -> Weights:
        if stretch.first:
            return _weights_in(self.state_of(stretch))
        return _doubles(added_up(self.learner(stretch).model).state_dict())

    def _recorded_at(self, stretch: SegmentRun) -> Weights:
        if stretch.last == self.recorded.steps:
            return _doubles(load_checkpoint(self.recorded.path).model.state_dict())
        mark = next(mark for mark in self.recorded.marks if mark.step == stretch.last)
        path = state_path(self.recorded.states, mark.step)
        return _weights_in(read_state(path, mark.state))


class Follow(StepEnds):
    """Replays a stretch, and holds the windows that it reads against the transcript."""

    def __init__(
        self, replays: Nearby, stretch: SegmentRun, advance: Advance, foreign: random.Random | None
    ) -> None:
        super().__init__(replays.data)
        self.replays, self.stretch, self.advance = replays, stretch, advance
        self.marks = {mark.step: mark for mark in replays.recorded.marks}
        self.seen: dict[str, Tensor] = {}
        self.rng = foreign
        self.when = foreign.randrange(stretch.first, stretch.last) if foreign else -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        assert isinstance(pl_module, Learner)  # noqa: S101 - `make_learner` made it
        if self.stretch.first:
            set_state(trainer, pl_module, self.replays.state_of(self.stretch))
            _as_wide_as_weights(trainer)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Put another window in the place of one of this batch, where one is to be foreign."""
        before = {name: tensor.clone() for name, tensor in batch.items()}
        if (
            self.rng
            and trainer.global_step == self.when
            and batch_idx % self._together(trainer) == 0
        ):
            row = self.rng.randrange(len(batch["targets"]))
            other = self.seen or {name: tensor.flip(0) for name, tensor in before.items()}
            for name, tensor in batch.items():
                tensor[row] = other[name][self.rng.randrange(len(other[name]))]
        self.seen = before

    @staticmethod
    def _together(trainer: Trainer) -> int:
        return int(trainer.accumulate_grad_batches)

    def on_step_end(self, trainer: Trainer, learner: Learner) -> None:
        step = trainer.global_step
        self.advance(1)
        if (mark := self.marks.get(step)) and self.windows.digest() != mark.windows:
            segment = max(1, sum(each < step for each in self.marks))
            raise Differs(
                f"segment {segment} of {self.replays.recorded.segments} is not what the record "
                "says: it learned from other windows than these works, settings and seed give",
                where=str(self.replays.recorded.path),
            )
        if step == self.stretch.last:
            trainer.should_stop = True


def on_this_cpu(config: TrainerConfig) -> TrainerConfig:
    """The same steps on one processor here, whatever they were made on."""
    return replace(config, accelerator="cpu", devices=1, strategy="auto", compile=False)


def arithmetics(config: TrainerConfig) -> list[tuple[str, dict[str, Any]]]:
    """In which arithmetic this computer can replay a run, by name.

    A run in single precision is replayed so and in double; one in bfloat16 in bfloat16 and in
    single. Portable arithmetic is one more where this process was begun for it.
    """
    names = [SINGLE, DOUBLE]
    if precision_for(config) != SINGLE:
        names = [BFLOAT, SINGLE]
    found = [(name, {"arithmetic": FAST, "lightning": {"precision": name}}) for name in names]
    with suppress(SettingError):
        check_portable()
        options = {"arithmetic": PORTABLE, "lightning": {"precision": SINGLE}}
        found.append((PORTABLE, options))
    return found


def distance(one: Weights, other: Weights, begin: Weights) -> float:
    """‖one - other‖ / ‖other - begin‖ over all weights."""
    return _norm(one, other) / max(_norm(other, begin), 1e-300)


def _norm(one: Weights, other: Weights) -> float:
    parts = [torch.linalg.vector_norm(one[name] - other[name]) for name in other]
    return float(torch.linalg.vector_norm(torch.stack(parts)))


def _doubles(weights: Mapping[str, Tensor]) -> Weights:
    return {name: tensor.detach().double().clone() for name, tensor in weights.items()}


def _weights_in(state: Mapping[str, Tensor]) -> Weights:
    chosen = {name: tensor for name, tensor in state.items() if name.startswith(WEIGHTS)}
    return _doubles({name.removeprefix(WEIGHTS): tensor for name, tensor in chosen.items()})


def _as_wide_as_weights(trainer: Trainer) -> None:
    """What the optimiser remembers, in the precision of the weights that it remembers it of."""
    (optimizer,) = trainer.optimizers
    for parameter, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, Tensor) and value.ndim:
                kept[name] = value.to(parameter.dtype)


def words_of(found: Nearness) -> str:
    """What was worked out of one stretch."""
    honest = ", ".join(f"{name} {far:.2g}" for name, far in found.honest.items())
    return (
        f"steps {found.stretch.first} to {found.stretch.last}: {found.record:.2g} of the way from "
        f"the nearest replay here; honest replays from each other: {honest}; with one foreign "
        f"window: {min(found.foreign):.2g} to {max(found.foreign):.2g}"
    )
