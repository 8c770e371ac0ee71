"""An optimizer: Lion. Source: Chen et al. 2023, arXiv:2302.06675."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """Moves each weight by the sign of a momentum.

    Args:
        groups: each with `params`, `lr` (which the run's schedule sets before each step),
            `weight_decay`, and `orthogonal`: whether Muon would move them.
        fast, slow: how much of the momentum stays, in the step and in what is kept.
    """

    def __init__(self, groups: list[dict[str, Any]], fast: float = 0.9, slow: float = 0.99) -> None:
        super().__init__(groups, {"fast": fast, "slow": slow})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; the closure, which Lightning gives, computes the gradients first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return loss

    def _move(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum, gradient = state["momentum"], parameter.grad
        direction = (momentum * group["fast"] + gradient * (1 - group["fast"])).sign_()
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(direction, alpha=-group["lr"])
        momentum.lerp_(gradient, 1 - group["slow"])
