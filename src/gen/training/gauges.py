"""Gauges beside the loss curve: how fast a run learns, and how much of that is by heart."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from gen.model import Transformer
from gen.tokens.tokenization import HOUSE_EVENTS, Tokenization
from gen.training.learner import Learner, notes_in

Batch = dict[str, Tensor]

_SIDE = 1024  # of the square matrices by which a machine is measured
_SECONDS = 0.2


def flops_per_event(model: Transformer) -> float:
    """Floating-point operations to learn one event, forward and backward.

    Six for each weight that multiplies, and attention over half the context on average, or over
    the window once that is full (Hoffmann et al. 2022, appendix F, without the embedding, which
    is looked up).
    """
    multiplying = sum(p.numel() for p in model.parameters() if p.ndim == 2)
    multiplying -= model.embedding.weight.numel()
    config = model.config
    attention = 0.0
    for layer in range(config.n_layer):
        window = min(config.window_of(layer) or config.context, config.context)
        seen = window * (1 - window / (2 * config.context))  # on average
        attention += 2 * config.width * seen
    return 6.0 * (multiplying + attention)


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations a second of this machine at a large matrix product, measured."""
    one = torch.ones(_SIDE, _SIDE, device=device, dtype=dtype)
    float((one @ one)[0, 0])  # the first call sets things up
    start, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < _SECONDS:
        float((one @ one)[0, 0])  # waits for the device
        count += 1
    return 2.0 * _SIDE**3 * count / elapsed


class Speed(Callback):
    """Logs notes and events a second, and model FLOP utilisation.

    Utilisation is the share of what the device does in a large matrix product of the same
    precision, measured as the run begins (Chowdhery et al. 2022, appendix B, where it is the
    maker's figure instead). Processes learn from equal shares of a batch: what this one saw stands
    for each of them.

    Args:
        tokenization: that the batches are written in.
    """

    def __init__(self, tokenization: Tokenization = HOUSE_EVENTS) -> None:
        self._notes = torch.from_numpy(tokenization.notes)  # that a row of each kind begins
        self.notes = 0
        self.seconds = 0.0
        self.events_per_second_at_most = math.inf
        self._since = 0.0
        self._kinds: list[Tensor] = []  # of the steps since speed was last logged
        self._seconds = 0.0  # that they took

    @property
    def mean(self) -> float:
        """Notes a second over the run, validation and waiting for batches left out."""
        return self.notes / self.seconds if self.seconds else 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        dtype = torch.bfloat16 if "bf16" in str(trainer.precision) else torch.float32
        rate = matmul_rate(pl_module.device, dtype) * trainer.world_size
        self.events_per_second_at_most = rate / flops_per_event(cast(Transformer, pl_module.model))

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._seconds += time.perf_counter() - self._since
        self._kinds.append(batch["targets"][..., 0].flatten())
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self._tell(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._count(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._count(trainer)  # of a run that was stopped

    def _tell(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log what the steps since the last time were worth: a GPU is asked once for all."""
        notes, events, seconds = self._count(trainer)
        pl_module.log("speed/notes_per_second", notes / seconds)
        pl_module.log("speed/events_per_second", events / seconds)
        used = events / seconds / self.events_per_second_at_most
        pl_module.log("speed/model_flop_utilisation", used)

    def _count(self, trainer: Trainer) -> tuple[int, int, float]:
        """Notes, events and seconds since the last time; they are added to the run's."""
        kinds = torch.cat(self._kinds) if self._kinds else torch.zeros(0, dtype=torch.int64)
        notes = int(self._notes.to(kinds.device)[kinds].sum()) * trainer.world_size
        events = int((kinds != 0).sum()) * trainer.world_size
        seconds = self._seconds
        self.notes += notes
        self.seconds += seconds
        self._kinds, self._seconds = [], 0.0
        return notes, events, seconds


@torch.no_grad()
def bits_per_note(learner: Learner, batches: Iterable[Batch]) -> float:
    """What the events that count in these batches cost, in bits over the number of their notes.

    Without dropout, as in validation, whether or not a trainer has said so.
    """
    nats = torch.zeros((), dtype=torch.float64)
    notes, learns = 0, learner.judged.training
    learner.judged.eval()
    for batch in batches:
        here = {name: tensor.to(learner.device) for name, tensor in batch.items()}
        losses = learner.judged.losses(here["columns"], here["targets"])
        counted = here["counted"]
        nats += losses[counted].sum().double().cpu()
        notes += int(notes_in(cast(Tensor, learner.notes), here["targets"], counted))
    learner.judged.train(learns)
    return float(nats) / math.log(2) / max(notes, 1)


class OverfitGauge(Callback):
    """Logs bits per note of a handful of training works beside those of held-out ones.

    Both are of the bare music at the same weights: what parts them is learned by heart.

    Args:
        batches: of the training works, as validation batches are.
    """

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.batches = batches

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        bits = bits_per_note(cast(Learner, pl_module), self.batches)
        pl_module.log("validation/bits_per_note_of_training_works", bits, rank_zero_only=True)
