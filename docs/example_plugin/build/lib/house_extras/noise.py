"""A callback: noise on the gradients. Source: Neelakantan et al. 2015, arXiv:1511.06807."""

from __future__ import annotations

import torch
from lightning import Callback, LightningModule, Trainer
from torch.optim import Optimizer


class NoisyGradients(Callback):
    """Adds noise to the gradients, less of it with every step.

    It keeps nothing from step to step, and draws from PyTorch's own generator, which the run seeds
    before each step: so a rebuild from any kept state comes to the same bits.

    Args:
        scale: of the noise at the first step.
    """

    def __init__(self, scale: float = 0.001) -> None:
        self.scale = scale

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Once a step, when its gradients are whole."""
        scale = self.scale / (1 + trainer.global_step) ** 0.55
        for parameter in pl_module.parameters():
            if parameter.grad is not None:
                parameter.grad.add_(torch.randn_like(parameter.grad), alpha=scale)
