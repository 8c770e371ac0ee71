"""This house's model in a comparison: the production path, with a clock that can stand still."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Timer

from bench.corpus import BenchWork
from bench.machine import Clock, precision_of
from gen.data.batches import Batch, DataConfig, TrainingBatches, collate, loader
from gen.data.windows import TokenisedWork
from gen.model import ModelConfig, parameter_count
from gen.settings import build
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.echo import ECHO_COLUMNS
from gen.tokens.vocabulary import FIELD_SIZES, KIND, Kind
from gen.training.callbacks import SeedEachStep
from gen.training.learner import Learner, OptimizerConfig
from gen.training.machine import compiles, on_gpu
from gen.training.settings.trainer_settings import TrainerConfig
from gen.training.trainer import quieten

AtMark = Callable[[float], None]


class _Timer(Timer):
    """Lightning's timer, reading the clock of the comparison."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__(timedelta(seconds=seconds), verbose=False)
        self.clock = clock

    def time_elapsed(self, stage: str = "train") -> float:
        return self.clock.seconds


class _Marks(Callback):
    """Counts notes, and calls `at_mark` with the clock standing when a mark has passed."""

    def __init__(self, clock: Clock, marks: Sequence[float], at_mark: AtMark) -> None:
        self.clock, self.marks, self.at_mark = clock, list(marks), at_mark
        self.notes = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.clock.start()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.clock.stop()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.notes += int((batch["targets"][..., KIND] == Kind.NOTE).sum())
        if self.marks and self.clock.seconds >= self.marks[0]:
            passed = [mark for mark in self.marks if mark <= self.clock.seconds]
            self.marks = self.marks[len(passed) :]
            with self.clock.standing():
                self.at_mark(passed[-1])


def silent(batch: Batch) -> Batch:
    """The same without its echo columns."""
    columns = batch["columns"].clone()
    columns[..., -len(ECHO_COLUMNS) :] = 0
    return {**batch, "columns": columns}


class _SilentBatches(TrainingBatches):
    """Batches that tell no echo."""

    def batch(self, index: int) -> Batch:
        return silent(super().batch(index))


class Ours:
    """The model that `scripts/train.py` would train with the same settings.

    Args:
        settings: as composed from `conf/train.yaml`.
        works: the training works.
        seed: of weights, windows, variation and dropout.
        minutes: how long it will train, which decides whether it is compiled.
        echo: whether the model reads its echoes.
    """

    name = "this house's"

    def __init__(
        self, settings: Mapping[str, Any], works: Sequence[BenchWork], seed: int, *,
        minutes: float = 0.0, echo: bool = True,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.shape = build(
            ModelConfig, settings["model"], where="model",
            field_sizes=FIELD_SIZES, context_sizes=CONTEXT_SIZES,
        )  # fmt: skip
        self.optimizer = build(OptimizerConfig, settings["optimizer"], where="optimizer")
        self.data = build(DataConfig, settings["data"], where="data", seed=seed)
        self.seed, self.echo = seed, echo
        kind = TrainingBatches if echo else _SilentBatches
        self.batches = kind(
            [TokenisedWork.of(work.events) for work in works], self.data, start=0, rank=0, ranks=1
        )
        torch.set_flush_denormal(True)  # as `gen.training.run` does; it holds for the peers too
        torch.manual_seed(seed)
        trainer = build(TrainerConfig, settings["trainer"], where="trainer")
        limited = replace(trainer, max_steps=-1, max_time=f"0:0:0:{max(1, round(60 * minutes))}")
        self.compiled = compiles(limited)
        self.device = torch.device("cuda" if on_gpu(trainer) else "cpu")
        self.learner = Learner(self.shape, self.optimizer, compiled=self.compiled).to(self.device)
        self.model = self.learner.model
        self.parameters = parameter_count(self.model)
        self.clock = Clock()
        self.steps = self.notes = 0
        self.precision, self.step_seconds = precision_of(
            trainer.precision, self._trial, self.device
        )

    def _trial(self) -> None:
        batch = self._here(self.batches.batch(0))
        self.model.losses(batch["columns"], batch["targets"]).sum().backward()
        self.model.zero_grad()

    def _here(self, batch: Batch) -> Batch:
        return {name: tensor.to(self.device) for name, tensor in batch.items()}

    def fit(
        self, seconds: float | None, marks: Sequence[float], at_mark: AtMark, *, steps: int = -1
    ) -> None:
        """Train for `seconds` or `steps`; at each mark stop the clock and call `at_mark`."""
        counter = _Marks(self.clock, marks, at_mark)
        callbacks = [SeedEachStep(self.seed), counter]
        if seconds is not None:
            callbacks.append(_Timer(self.clock, seconds))
        trainer = Trainer(
            max_steps=steps,
            accelerator=self.device.type,
            devices=1,
            precision="32-true" if self.precision == "float32" else "bf16-mixed",
            gradient_clip_val=self.settings["trainer"]["gradient_clip_val"],
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        batches = loader(self.batches, self.data.workers, self.device.type)
        with warnings.catch_warnings():
            quieten()
            warnings.filterwarnings("ignore", ".*no `val_dataloader`.*")  # the clock stands for it
            trainer.fit(self.learner, train_dataloaders=batches)
        self.steps, self.notes = trainer.global_step, counter.notes

    def bits(self, works: Sequence[BenchWork]) -> float:
        """Bits of all events of these works, given nothing but the music."""
        return math.fsum(self.field_nats(works)) / math.log(2)

    @torch.inference_mode()
    def field_nats(self, works: Sequence[BenchWork]) -> list[float]:
        """Nats of each field, summed over all events of these works, given nothing else."""
        was_training = self.model.training
        self.model.to(self.device).eval()  # Lightning leaves it on the CPU
        length = self.data.training_window
        music = [TokenisedWork.of(work.events).bare() for work in works]
        windows = [
            work.covering_window(length, *place)
            for work in music
            for place in work.covering_places(length)
        ]
        at_once = max(1, 8192 // length)
        nats = torch.zeros(len(FIELD_SIZES), dtype=torch.float64)
        for first in range(0, len(windows), at_once):
            batch = collate(windows[first : first + at_once], self.data.training_window)
            batch = self._here(batch if self.echo else silent(batch))
            losses = self.model.losses(batch["columns"], batch["targets"])
            nats += losses[batch["counted"]].double().sum(0).cpu()
        self.model.train(was_training)
        return nats.tolist()

    def report(self) -> dict[str, Any]:
        matrices = cast(float, self.optimizer.matrix_lr if self.optimizer.name == "muon" else 0)
        rate = f"{self.optimizer.lr:g}" + (f" / {matrices:g}" if matrices else "")
        return {
            "model": self.name,
            "parameters": self.parameters,
            "precision": self.precision + (", compiled" if self.compiled else ""),
            "learning_rate": rate,
            "batch": f"{self.data.batch_size} x {self.data.training_window} events",
            "steps": self.steps,
            "seconds": round(self.clock.seconds, 1),
            "notes_per_second": self.notes / max(self.clock.seconds, 1e-9),
        }
