"""Averages of the weights over a run, beside the weights that learn.

Sources: of all steps alike (SWA), Izmailov et al. 2018, arXiv:1803.05407; of the last ones more
(EMA), as in Polyak & Juditsky 1992 and since.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gen.model import Transformer
from gen.training.settings.average_settings import AverageConfig


class Averaged(nn.Module):
    """A model whose weights are an average of another's.

    Args:
        model: whose weights are averaged.
        config: how.

    Attributes:
        model: of the average.
        steps: how many are in it.
    """

    def __init__(self, model: Transformer, config: AverageConfig) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).requires_grad_(requires_grad=False)
        self.config, self.steps = config, 0

    @torch.no_grad()
    def take(self, model: Transformer) -> None:
        """Take the weights after one more step into the average."""
        mine: list[Tensor] = list(self.model.parameters())
        weight = self.config.weight(self.steps)
        torch._foreach_lerp_(mine, list(model.parameters()), weight)
        for own, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            own.copy_(theirs)
        self.steps += 1
