"""The LightningModule: loss, optimisers, schedule, and the numbers a run is judged by."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from lightning import LightningModule
from lightning.pytorch.callbacks import Timer
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from gen.checkpoint import MakeModel
from gen.errors import SettingError
from gen.model import ModelConfig, Transformer, renamed
from gen.settings import with_new_names
from gen.tokens.tokenization import HOUSE_EVENTS, Tokenization
from gen.tokens.vocabulary import FIELDS
from gen.training.optimising.averaging import Averaged
from gen.training.optimising.graphs import GraphedLosses
from gen.training.optimising.lora import has_low_rank
from gen.training.optimising.muon import MuonAdamW
from gen.training.settings.average_settings import AverageConfig
from gen.training.settings.learning_rate import rate
from gen.training.settings.run_settings import OptimizerConfig as OptimizerConfig

Batch = dict[str, Tensor]
NO_AVERAGE = AverageConfig()
MakeOptimizer = Callable[[list[dict[str, Any]]], Optimizer]


def notes_in(of_id: Tensor, targets: Tensor, counted: Tensor) -> Tensor:
    """How many notes the rows that count begin.

    Args:
        of_id: (ids of the first field,) how many a row with it begins.
        targets: (B, T, F) rows.
        counted: (B, T) which of them count.
    """
    return (of_id[targets[..., 0]] * counted).sum()


class Learner(LightningModule):
    """Trains a `Transformer` on batches of `gen.data`.

    Logged: `train/nats_per_event`; `validation/bits_per_note`, the negative log-likelihood of
    all events of the held-out works in bits over their number of notes.

    Args:
        model: shape of the network.
        optimizer: how it learns.
        compiled: whether `torch.compile` makes training faster, where shapes stay the same: the
            trunk; on one GPU all there is between a batch and its losses.
        tokenization: that the batches are written in.
        make_model: the network, of its shape.
        make_optimizer: the optimiser, of groups of parameters.
        average: of the weights, which is measured and saved in their place.
    """

    def __init__(
        self,
        model: ModelConfig,
        optimizer: OptimizerConfig,
        *,
        compiled: bool = False,
        tokenization: Tokenization = HOUSE_EVENTS,
        make_model: MakeModel = Transformer,
        make_optimizer: MakeOptimizer = MuonAdamW,
        average: AverageConfig = NO_AVERAGE,
    ) -> None:
        super().__init__()
        self.model = make_model(model)
        self.make_optimizer = make_optimizer
        self.average = Averaged(self.model, average) if average.is_used else None
        self.config, self.compiled = optimizer, compiled
        self.losses: Callable[..., Tensor] | None = None
        self.total: Tensor = torch.zeros(())  # of the losses since they were last checked
        self.tokenization = tokenization
        count = len(tokenization.fields) + 1
        self.register_buffer("sums", torch.zeros(count, dtype=torch.float64), False)
        self.register_buffer("notes", torch.from_numpy(tokenization.notes), False)

    @property
    def judged(self) -> Transformer:
        """The model that is measured and saved: the average where there is one by now."""
        return self.average.model if self.average and self.average.steps else self.model

    # Training ----------------------------------------------------------------------------

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Mean negative log-likelihood of an event, in nats, weighted as the settings say."""
        kinds = batch["targets"][..., 0]  # (B, T)
        per_field = (self.losses or self.model.losses)(batch["columns"], batch["targets"])
        losses = per_field.sum(-1)  # (B, T)
        events = (kinds != 0).sum()
        if self._trainer is not None:
            # DDP takes the mean of gradients: with the mean of counts, every event weighs the same.
            events = self.trainer.strategy.reduce(events.float(), reduce_op="mean")
        self.log("train/nats_per_event", losses.detach().sum() / events, prog_bar=True)
        weights = torch.where(
            kinds < self.tokenization.first_bar_id, self.config.header_weight, 1.0
        )
        loss = (weights * losses).sum() / events
        self.total = self.total + loss.detach()  # finite as long as every loss was
        if self.device.type == "cpu":
            self._check_losses()
        return loss

    def _check_losses(self) -> None:
        """Stop a run that went astray; to look at a GPU's numbers is to wait for it.

        Raises:
            SettingError: a loss was no number.
        """
        if not torch.isfinite(self.total):
            when = "at" if self.device.type == "cpu" else "by"
            raise SettingError(
                f"the loss became {self.total.item()} {when} step {self.global_step}",
                where="optimizer",
                mend="lower optimizer.lr and optimizer.matrix_lr, then resume with ckpt=last",
            )
        self.total = torch.zeros_like(self.total)

    def _beyond_shapes(self) -> dict[str, Any]:
        """Settings of the model that the shapes of its weights do not show."""
        return {name: getattr(self.model.config, name) for name in ("n_head", "attention_window")}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep with the weights what their shapes do not show."""
        checkpoint["untold"] = self._beyond_shapes()
        if self.average:
            checkpoint["averaged"] = self.average.steps

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to resume what these settings cannot go on with.

        Raises:
            SettingError: the run to resume had a model of another shape or another optimiser.
        """
        checkpoint["state_dict"] = renamed(checkpoint["state_dict"])
        if ("averaged" in checkpoint) != (self.average is not None):
            raise SettingError(
                "the run to resume averaged its weights, these settings do not, or the other way",
                where="average.kind", mend="give the settings it had, or start anew",
            )  # fmt: skip
        if self.average:
            self.average.steps = int(checkpoint["averaged"])
        shapes = [
            {name: tensor.shape for name, tensor in weights.items()}
            for weights in (checkpoint["state_dict"], self.state_dict())
        ]
        # Older runs kept nothing of it.
        beyond = with_new_names(ModelConfig, checkpoint.get("untold", self._beyond_shapes()))
        groups = checkpoint["optimizer_states"][0]["param_groups"]
        muon = any(group["orthogonal"] for group in groups)
        for differs, setting in (
            (shapes[0] != shapes[1] or beyond != self._beyond_shapes(), "model"),
            (muon != (self.config.name == "muon"), "optimizer"),
        ):
            if differs:
                raise SettingError(
                    f"the run to resume has another {setting} than these settings",
                    where="ckpt",
                    mend="give the settings it had (they are in its folder), or start anew",
                )

    def on_fit_start(self) -> None:
        """Make of the losses what is fastest on the device that the run turned out to have."""
        one_gpu = self.device.type == "cuda" and self.trainer.world_size == 1
        if self.compiled and one_gpu:
            whole = partial(self.model.losses, padded=True)
            self.losses = torch.compile(whole, mode="reduce-overhead")  # as graphs, too
        elif self.compiled:
            self.losses = partial(self.model.losses, trunk=torch.compile(self.model.states))
        elif one_gpu and not has_low_rank(self.model):
            self.losses = GraphedLosses(self.model)

    def on_train_start(self) -> None:
        """Rates are what the settings say, also where a resumed run had others."""
        (optimizer,) = self.trainer.optimizers
        fresh = self.configure_optimizers()
        for group, wanted in zip(optimizer.param_groups, fresh.param_groups, strict=True):
            group.update({name: wanted[name] for name in ("full_lr", "weight_decay")})

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Set the learning rate by how much of the run is done."""
        factor = rate(self.progress(), self.config.schedule)
        for group in optimizer.param_groups:
            group["lr"] = group["full_lr"] * factor
        every = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if (self.global_step + 1) % every == 0:  # no curve shows the others
            self._log_step(optimizer, factor)
            self._check_losses()

    def _log_step(self, optimizer: Optimizer, factor: float) -> None:
        """Log of a step that is about to be taken each group's rate and the gradient's length."""
        self.log("train/rate", factor)
        matrices = {id(p) for p in self._matrices()}
        for group in optimizer.param_groups:
            name = "matrices" if id(group["params"][0]) in matrices else "others"
            self.log(f"train/rate_of_{name}", group["lr"])
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        self.log("train/gradient_norm", norm.full_tensor() if isinstance(norm, DTensor) else norm)

    def optimizer_step(self, *given: Any, **named: Any) -> None:
        """Take a step, and its weights into the average."""
        super().optimizer_step(*given, **named)
        if self.average and self.progress() >= self.average.config.start:
            self.average.take(self.model)

    def progress(self) -> float:
        """How much of the run is done, by steps or by time, whichever is further."""
        most = self.trainer.max_steps
        done = self.trainer.global_step / most if most > 0 else 0.0
        timer = next((c for c in self.trainer.callbacks if isinstance(c, Timer)), None)  # type: ignore[attr-defined]
        if timer is not None and timer.time_remaining() is not None:
            elapsed = timer.time_elapsed()
            done = max(done, elapsed / (elapsed + cast(float, timer.time_remaining())))
        return done

    def _matrices(self) -> list[nn.Parameter]:
        """Those inside the network."""
        inside = [p for p in self.model.blocks.parameters() if p.ndim == 2]
        return inside + list(self.model.head.hidden.parameters())

    def configure_optimizers(self) -> Optimizer:
        """AdamW, with Muon for the matrices inside the network unless told otherwise."""
        inside = self._matrices()
        known = {id(p) for p in inside}
        outside = [p for p in self.model.parameters() if id(p) not in known]
        inside, outside = ([p for p in side if p.requires_grad] for side in (inside, outside))
        c = self.config
        muon = c.name == "muon"
        matrix_lr = c.matrix_lr if muon else c.lr
        groups: list[dict[str, Any]] = [
            {"params": outside, "lr": c.lr, "weight_decay": 0.0, "orthogonal": False},
            {"params": inside, "lr": matrix_lr, "weight_decay": c.weight_decay, "orthogonal": muon},
        ]
        groups = [group for group in groups if group["params"]]
        for group in groups:
            group["full_lr"] = group["lr"]
        return self.make_optimizer(groups)

    # Validation --------------------------------------------------------------------------

    def on_validation_epoch_start(self) -> None:
        self._check_losses()  # before anything is kept
        cast(Tensor, self.sums).zero_()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add up nats of each field and notes, over the events that count."""
        losses = self.judged.losses(batch["columns"], batch["targets"])
        counted = batch["counted"]
        notes = notes_in(cast(Tensor, self.notes), batch["targets"], counted)
        sums = cast(Tensor, self.sums)
        sums[:-1] += losses[counted].sum(0).double()
        sums[-1] += notes

    def on_validation_epoch_end(self) -> None:
        """Log bits per note, in all and of each field; of played music also without its timing."""
        sums = cast(Tensor, self.trainer.strategy.reduce(self.sums, reduce_op="sum"))
        bits = sums[:-1] / math.log(2) / sums[-1]
        self.log("validation/bits_per_note", bits.sum().float(), prog_bar=True, rank_zero_only=True)
        if len(bits) > len(FIELDS) and self.tokenization.is_house:
            on_grid = bits[: len(FIELDS)].sum().float()
            self.log("validation/bits_per_note_on_grid", on_grid, rank_zero_only=True)
        for name, value in zip(self.tokenization.fields, bits, strict=True):
            self.log(f"validation/bits_{name}", value.float(), rank_zero_only=True)
