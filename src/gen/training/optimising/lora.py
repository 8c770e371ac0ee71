"""Learning beside the weights that a run begins with: thin matrices, added to each inside one.

Only the thin ones learn. What is saved is the sum, so that a model learned so is a model like any
other: it is sampled from, compared and begun with by the same code.

Source: Hu et al. 2021, arXiv:2106.09685.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from gen.model import Transformer


class LowRank(nn.Module):
    """A matrix and `scale * up @ down` beside it, of which the latter learns.

    Args:
        rows, columns: of the matrix.
        rank: r, columns of `up` and rows of `down`.
        scale: how many times their product counts.
    """

    def __init__(self, rows: int, columns: int, rank: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.up = nn.Parameter(torch.zeros(rows, rank))  # so that nothing changes at first
        self.down = nn.Parameter(torch.empty(rank, columns))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """(rows, columns) -> (rows, columns)."""
        return weight + self.scale * (self.up @ self.down)


def matrices_inside(model: Transformer) -> Iterator[nn.Linear]:
    """What LoRA learns beside: attention, MLP and the hidden layers of the head."""
    for module in (*model.blocks.modules(), *model.head.hidden):
        if isinstance(module, nn.Linear):
            yield module


def add_low_rank(model: Transformer, rank: int, alpha: float) -> None:
    """Freeze all weights, and let low-rank matrices learn beside those inside.

    The random numbers that they begin with are PyTorch's own, as those of the model are.
    """
    model.requires_grad_(requires_grad=False)
    for layer in matrices_inside(model):
        rows, columns = layer.weight.shape
        beside = LowRank(rows, columns, rank, alpha / rank)
        parametrize.register_parametrization(layer, "weight", beside)


def has_low_rank(model: Transformer) -> bool:
    """Whether something learns beside its weights."""
    return any(parametrize.is_parametrized(layer) for layer in matrices_inside(model))


def added_up(model: Transformer) -> Transformer:
    """The model with sums in the place of matrices and what was learned beside them.

    The same model where nothing is.
    """
    if not has_low_rank(model):
        return model
    plain = Transformer(model.config)
    found = dict(model.named_modules())
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            owner, _, kind = name.rpartition(".")
            parameter.copy_(getattr(found[owner], kind))
    return plain
