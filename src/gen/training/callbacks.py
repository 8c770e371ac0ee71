"""What runs beside the training loop."""

from __future__ import annotations

import hashlib
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from gen.checkpoint import SUFFIX, save_checkpoint
from gen.disk import write_atomically
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import ModelFile, parse_model_file
from gen.training.learner import Learner
from gen.training.loggers import RunTable
from gen.training.sharded import whole_model

log = logging.getLogger(__name__)


class SeedEachStep(Callback):
    """Dropout follows from the run's seed and the step, so that a resumed run repeats itself."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        together = trainer.accumulate_grad_batches
        batches = trainer.global_step * together + batch_idx % together
        torch.manual_seed(self.seed * 1_000_003 + batches)


class LogSettings(Callback):
    """Writes the settings beside the curves, and what came before those of a resumed run."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = dict(settings)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            logger.log_hyperparams(self.settings)
            if isinstance(logger, RunTable):
                logger.go_on_at(trainer.global_step)


class KeepBest(Callback):
    """Keeps the checkpoint with the fewest bits per note on held-out works.

    Args:
        path: where it goes.
        manifest: of the corpus.
        run: what else the checkpoint tells of its making.
        earlier: folder of the run that this one resumes, if any; its best is taken over, if it
            is still there and the very file that the resume file speaks of.
    """

    def __init__(
        self, path: Path, manifest: Manifest, run: dict[str, Any], earlier: Path | None = None
    ) -> None:
        self.path, self.manifest, self.run, self.earlier = path, manifest, run, earlier
        self.best: float | None = None
        self.latest: float | None = None
        self.file: ModelFile | None = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.latest = float(trainer.callback_metrics["validation/bits_per_note"])
        if self.best is not None and self.latest >= self.best:
            return
        self.best = self.latest
        model = whole_model(trainer, pl_module)
        if trainer.is_global_zero:
            reached = {"bits_per_note": self.best, "steps": trainer.global_step}
            self.file = save_checkpoint(
                self.path, model, self.manifest, {**self.run, **reached},
                tokenization=cast(Learner, pl_module).tokenization,
            )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        digest = self.file.file_sha256 if self.file else ""
        return {"best": self.best, "latest": self.latest, "digest": digest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        file = self.earlier / self.path.name if self.earlier else self.path
        data = file.read_bytes() if file.is_file() else b""
        if hashlib.sha256(data).hexdigest() != state_dict["digest"]:
            return  # the next validation begins anew
        self.best, self.latest = state_dict["best"], state_dict["latest"]
        self.file = parse_model_file(data)
        rank_zero_only(write_atomically)(self.path, data)


class KeepStages(Callback):
    """Keeps the model as it was at every so many validations, for curves over training.

    Args:
        folder: where `step-….safetensors` go.
        every: how many validations from one to the next.
        manifest: of the corpus.
        run: what else the checkpoints tell of their making.
    """

    def __init__(self, folder: Path, every: int, manifest: Manifest, run: dict[str, Any]) -> None:
        self.folder, self.every, self.manifest, self.run = folder, every, manifest, run
        self.files: dict[Path, ModelFile] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        step = trainer.global_step
        validations = step * trainer.accumulate_grad_batches // int(trainer.val_check_interval)
        if validations % self.every:
            return
        model = whole_model(trainer, pl_module)
        if trainer.is_global_zero:
            bits = float(trainer.callback_metrics["validation/bits_per_note"])
            reached = {"bits_per_note": bits, "steps": step}
            path = self.folder / f"step-{step:06d}{SUFFIX}"
            self.files[path] = save_checkpoint(
                path, model, self.manifest, {**self.run, **reached},
                tokenization=cast(Learner, pl_module).tokenization,
            )  # fmt: skip


class PlainProgress(Callback):
    """One line a validation, for the log."""

    def __init__(self) -> None:
        self.start = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        metrics = trainer.callback_metrics
        log.info(
            "%6.0f s  step %5d  train %6.3f nats per event  held out %7.3f bits per note",
            time.perf_counter() - self.start,
            trainer.global_step,
            float(metrics["train/nats_per_event"]),
            float(metrics["validation/bits_per_note"]),
        )


class EndOnCtrlC(Callback):
    """Ends the run after the batch at hand when Ctrl-C is pressed; at the second press at once.

    Python raises KeyboardInterrupt wherever it is, and where it is a finaliser nobody hears of it:
    about one press in twelve was lost.
    """

    def __init__(self) -> None:
        self.is_asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear Ctrl-C, in the main thread, where alone Python lets one."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _hear(self, number: int, frame: Any) -> None:
        if self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True

    def on_train_batch_end(self, *args: Any) -> None:
        self._end_if_asked()

    def on_validation_batch_end(self, *args: Any, **more: Any) -> None:
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self.is_asked:
            raise KeyboardInterrupt
