"""All that the next step of a run depends on, as plain tensors: kept, hashed, gone on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from lightning import Trainer
from safetensors.torch import load, save
from torch import Tensor

from gen.disk.weights import read_weights
from gen.errors import HouseError
from gen.model import Transformer
from gen.provenance.manifests.model_file import tensors_digest
from gen.provenance.signing.canonical import StrictJsonError
from gen.training.learner import Learner
from gen.training.optimising.lora import added_up

WEIGHTS, OPTIMIZER = "weights/", "optimizer/"
"""How the names of a state's tensors begin: `weights/NAME`, `optimizer/NAME/WHAT`."""
AVERAGE, AVERAGED_STEPS = "average/", "averaged steps"
"""The same of the average of the weights, where there is one, and how many steps are in it."""
_SCALAR = ":tensor"
"""How the name of a tensor of no dimensions ends: without it, it is a plain number."""


def weights_digest(model: Transformer) -> str:
    """What the log says of a checkpoint with these weights (`ModelDigest.tensors_sha256`)."""
    weights = added_up(model).state_dict()
    return tensors_digest(save({name: _plain(tensor.float()) for name, tensor in weights.items()}))


def state_path(folder: Path, step: int) -> Path:
    """Where a run's folder holds the state after so many steps, if it does."""
    return folder / "states" / f"{step:06d}.safetensors"


def state_bytes(trainer: Trainer, learner: Learner) -> bytes:
    """The state as a safetensors file: weights, and what the optimiser remembers of each.

    Random numbers follow from the run's seed and the step, batches from the seed and their number.
    """
    tensors = {WEIGHTS + name: t for name, t in learner.model.state_dict().items()}
    if learner.average:
        tensors |= {AVERAGE + n: t for n, t in learner.average.model.state_dict().items()}
        tensors[AVERAGED_STEPS] = torch.tensor(learner.average.steps)
    names = {id(p): name for name, p in learner.model.named_parameters()}
    (optimizer,) = trainer.optimizers
    for parameter, kept in optimizer.state.items():
        for what, value in kept.items():
            is_scalar = isinstance(value, Tensor) and not value.ndim
            end = f"{what}{_SCALAR}" if is_scalar else what
            tensors[f"{OPTIMIZER}{names[id(parameter)]}/{end}"] = torch.as_tensor(value)
    return save({name: _plain(tensor) for name, tensor in tensors.items()})


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu").contiguous()


def read_state(path: Path, digest: str) -> dict[str, Tensor]:
    """A kept state's tensors. Arguments and errors as `state_file`."""
    return dict(load(state_file(path, digest)))


def state_file(path: Path, digest: str) -> bytes:
    """A kept state's file, once it is found to be the one that a transcript names.

    Args:
        path: of its file.
        digest: what the transcript says of it.

    Raises:
        HouseError: it cannot be read, or is another.
    """
    data = read_weights(path)
    try:
        found = tensors_digest(data)
    except StrictJsonError as error:
        raise HouseError(error.what, where=str(path)) from error
    if found != digest:
        raise HouseError(
            f"is not the state that the transcript names: its tensors are {found[:12]}…, "
            f"the transcript says {digest[:12]}…",
            where=str(path),
            mend="take the file that the run left, or remove this one: an earlier state serves",
        )
    return data


def set_state(trainer: Trainer, learner: Learner, state: Mapping[str, Tensor]) -> None:
    """Give weights and optimiser what a state holds.

    Raises:
        HouseError: it is of another model or optimiser.
    """
    parameters = dict(learner.model.named_parameters())
    (optimizer,) = trainer.optimizers
    weights = {
        name.removeprefix(WEIGHTS): tensor
        for name, tensor in state.items()
        if name.startswith(WEIGHTS)
    }
    try:
        learner.model.load_state_dict(weights)
        if learner.average:
            learner.average.model.load_state_dict(
                {n.removeprefix(AVERAGE): t for n, t in state.items() if n.startswith(AVERAGE)}
            )
            learner.average.steps = int(state[AVERAGED_STEPS])
        for name, tensor in state.items():
            if name.startswith(OPTIMIZER):
                parameter, _, what = name.removeprefix(OPTIMIZER).rpartition("/")
                kept = optimizer.state[parameters[parameter]]
                is_tensor = tensor.ndim or what.endswith(_SCALAR)
                value = tensor.clone() if is_tensor else cast(int, tensor.item())
                kept[what.removesuffix(_SCALAR)] = value
    except (RuntimeError, KeyError) as error:
        raise HouseError("a kept state is of another model than the settings say") from error
