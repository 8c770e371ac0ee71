"""Fully sharded data parallelism for models that do not fit one device (`trainer=fsdp`).

Each process holds a share of every weight, gradient and optimiser state, and gathers a block's
weights while it computes with them (Zhao et al. 2023, arXiv:2304.11277; torch's `fully_shard`).
What is written is whole: one sealed resume file and plain checkpoints, as from any other run.
Lightning would read a resume file of a sharded run without our seal; so loading is done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from lightning import LightningModule, Trainer
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.optim import Optimizer

from gen.model import Transformer
from gen.training.learner import Learner
from gen.training.optimising.lora import added_up

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class ShardedLearner(Learner):
    """A learner whose blocks are cut up among the processes, one at a time put together."""

    def configure_model(self) -> None:
        """Cut up the weights; AdamW alone can move such (Muon takes whole matrices)."""
        mesh = self.device_mesh["data_parallel"]  # type: ignore[index]
        for block in self.model.blocks:
            fully_shard(block, mesh=mesh)
        fully_shard(self.model, mesh=mesh)
        register_fsdp_forward_method(self.model, "losses")

    def on_fit_start(self) -> None:
        """Neither compiled nor replayed: the weights are put together anew in each step."""


class Sharded(ModelParallelStrategy):
    """Lightning's strategy, with all processes in one group and whole, sealed files."""

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state by the names of the weights; empty but in the first process."""
        assert self.model is not None  # noqa: S101 - `setup` sets it
        plain = getattr(optimizer, "_optimizer", optimizer)
        return get_optimizer_state_dict(self.model, plain, options=_WHOLE)

    def load_checkpoint(
        self, checkpoint_path: str | Path, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Every process reads the sealed file and keeps its share."""
        path = self.broadcast(checkpoint_path)
        found: dict[str, Any] = self.checkpoint_io.load_checkpoint(path, weights_only=weights_only)
        return found

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        assert self.model is not None  # noqa: S101 - `setup` sets it
        set_model_state_dict(self.model, dict(checkpoint["state_dict"]), options=_WHOLE)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        assert self.model is not None  # noqa: S101 - `setup` sets it
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            set_optimizer_state_dict(self.model, optimizer, state, options=_WHOLE)

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True


def whole_model(trainer: Trainer, learner: LightningModule) -> Transformer:
    """The model with all its weights in the first process; every process must ask at once.

    What was learned beside weights is added to them.
    """
    model = learner.model
    assert isinstance(model, Transformer)  # noqa: S101 - a Learner's
    if not isinstance(trainer.strategy, Sharded):
        return added_up(cast(Learner, learner).judged)
    weights = trainer.strategy.lightning_module_state_dict()
    whole = Transformer(model.config)
    if weights:
        prefix = "model."
        whole.load_state_dict({name.removeprefix(prefix): t for name, t in weights.items()})
    return whole
