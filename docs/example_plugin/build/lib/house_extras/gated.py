"""A model: the project's own network, with gated layers in the place of its MLPs."""

from __future__ import annotations

import torch.nn.functional as nnf
from torch import Tensor, nn

from gen.model import ModelConfig, Transformer


class GatedMLP(nn.Module):
    """SwiGLU. Source: Shazeer 2020, arXiv:2002.05202.

    Args:
        width: channels D.
        inner: channels inside.
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, inner, bias=False)
        self.gate = nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)
        nn.init.zeros_(self.down.weight)  # at first each block hands on what comes in

    def forward(self, x: Tensor) -> Tensor:
        """(…, D) -> (…, D)."""
        return self.down(nnf.silu(self.gate(x)) * self.up(x))


class GatedTransformer(Transformer):
    """`Transformer` with gated MLPs. All that sampling asks of it, it inherits.

    Args:
        config: shape, as `model=` says.
        inner: channels inside an MLP, in widths; an option, and so part of the run's record.
    """

    def __init__(self, config: ModelConfig, inner: float = 2.0) -> None:
        super().__init__(config)
        for block in self.blocks:
            if block.mlp is not None:
                block.mlp = GatedMLP(config.width, round(inner * config.width))
