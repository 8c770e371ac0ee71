"""A range test: how the loss goes while the rate of learning grows from step to step.

Source: Smith 2017, arXiv:1506.01186. Groups of parameters are tried one by one, each while the
others stay at the rates that the settings say, since Muon's rate and AdamW's are not of one kind.
Nothing is left that claims a model: no weights, no act in the log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np
from lightning import Callback, LightningModule, Trainer
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gen.disk import write_atomically
from gen.errors import HouseError, SettingError
from gen.png import png_of
from gen.training.callbacks import SeedEachStep
from gen.training.messages import say
from gen.training.prepared import Ready, prepared
from gen.training.run import fit
from gen.training.settings.learning_rate import ScheduleConfig
from gen.training.trainer import silent_trainer

LOWEST, HIGHEST = 1e-3, 1e2
"""Times the rate that the settings say: where the test begins and ends."""
ASTRAY: Final = 3.0
"""It ends, too, when the loss has grown so many nats beyond its lowest."""
SMOOTHING: Final = 0.9
ENOUGH: Final = 5
"""Steps before the lowest loss: fewer show no slope."""
PICTURE, FIGURES = "rates.png", "rates.json"


@dataclass(frozen=True, slots=True)
class RateCurve:
    """How the loss of a batch went while one setting grew.

    Attributes:
        setting: `optimizer.lr`, or `optimizer.matrix_lr`.
        rates: of each step.
        losses: nats an event, smoothed.
        own: what the settings say.
        proposed: a rate for a run.
    """

    setting: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    own: float
    proposed: float


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float:
    """The rate at which the loss falls fastest by the logarithm of the rate, before its lowest.

    Args:
        rates: ascending.
        losses: smoothed, as many.

    Raises:
        HouseError: the loss falls nowhere.
    """
    lowest = int(np.argmin(losses)) if len(losses) else 0
    if lowest < ENOUGH:
        raise HouseError(
            "the loss falls at no rate that was tried", where="find_lr",
            mend="set lower rates to begin with, or more steps",
        )  # fmt: skip
    slopes = np.gradient(np.asarray(losses[: lowest + 1]), np.log(rates[: lowest + 1]))
    return float(rates[int(np.argmin(slopes))])


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """Moving average of what was, without the pull of its beginning (as Adam's)."""
    found, mean = [], 0.0
    for count, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        found.append(mean / (1 - SMOOTHING**count))
    return np.array(found)


class RangeTest(Callback):
    """Raises the rate of some groups of parameters from step to step, and notes the losses.

    Args:
        steps: of the whole test.
        orthogonal: of those that Muon moves, or of the others; None for all.
    """

    def __init__(self, steps: int, *, orthogonal: bool | None) -> None:
        self.orthogonal, self.steps = orthogonal, steps
        self.factors: list[float] = []
        self.losses: list[float] = []

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        done = trainer.global_step / max(self.steps - 1, 1)
        factor = LOWEST * (HIGHEST / LOWEST) ** done
        for group in trainer.optimizers[0].param_groups:
            if self.orthogonal in (None, group["orthogonal"]):
                group["full_lr"] = group.setdefault("own_lr", group["full_lr"]) * factor
        self.factors.append(factor)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.losses.append(float(outputs["loss"]))
        line = smoothed(self.losses)
        if not line[-1] <= line.min() + ASTRAY:  # what is no number is astray, too
            trainer.should_stop = True


def find_rates(settings: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Try rates of learning on the works that a run with these settings would learn from.

    Args:
        settings: the composed `conf/train.yaml`; `find_lr` steps for each group of parameters.
        out: folder for the picture and the figures.

    Returns:
        A rate by setting, and the files.

    Raises:
        HouseError: a run would be refused, too, or the loss falls at no rate.
    """
    ready = prepared(settings)
    own = ready.chosen.optimizer
    tried: dict[str, tuple[float, bool | None]] = {"optimizer.lr": (own.lr, None)}
    if own.name == "muon":
        tried = {"optimizer.matrix_lr": (own.matrix_lr, True), "optimizer.lr": (own.lr, False)}
    curves = [_curve(ready, setting, *which) for setting, which in tried.items()]
    for curve in curves:
        if curve.proposed == curve.rates[-1]:
            say(
                f"{curve.setting}: the loss fell fastest at the end of what was tried, which is no "
                "proposal yet; more steps, or higher rates to begin with, show where it turns"
            )
    figures = {curve.setting: asdict(curve) for curve in curves}
    write_atomically(out / FIGURES, json.dumps(figures, indent=1).encode())
    write_atomically(out / PICTURE, drawn(curves))
    rates = {curve.setting: curve.proposed for curve in curves}
    return {**rates, "picture": str(out / PICTURE), "curves": str(out / FIGURES)}


def _curve(ready: Ready, setting: str, rate: float, orthogonal: bool | None) -> RateCurve:
    """Learn anew from the first works while the rate of one group grows."""
    chosen = ready.chosen
    assert chosen.run.find_lr  # noqa: S101 - it is what was asked for
    flat = replace(chosen.optimizer, schedule=ScheduleConfig(0.0, 0.0, 1.0))
    test = RangeTest(chosen.run.find_lr, orthogonal=orthogonal)
    callbacks = [SeedEachStep(chosen.run.seed), test, *ready.plugged.callbacks()]
    trainer = silent_trainer(chosen.trainer, callbacks, max_steps=chosen.run.find_lr)
    ready.data.batches_done = 0
    learner = ready.learner(replace(chosen, optimizer=flat))
    try:
        fit(trainer, learner, ready.data, is_portable=chosen.trainer.is_portable)
    except SettingError:
        if len(test.losses) < ENOUGH:  # else the loss became infinite, which ends a test
            raise
    if trainer.interrupted:
        raise KeyboardInterrupt
    losses: list[float] = smoothed(list(takewhile(math.isfinite, test.losses))).tolist()
    rates = [rate * factor for factor in test.factors[: len(losses)]]
    return RateCurve(setting, tuple(rates), tuple(losses), rate, steepest(rates, losses))


def drawn(curves: Sequence[RateCurve]) -> bytes:
    """The curves side by side, as a PNG."""
    return png_of(lambda: _figure(curves), dpi=110)


def _figure(curves: Sequence[RateCurve]) -> Figure:
    figure = Figure(figsize=(5 * len(curves), 4), layout="constrained")
    for axis, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        axis.plot(curve.rates, curve.losses, color="black")
        axis.axvline(curve.proposed, color="tab:green", label=f"proposed: {curve.proposed:.2g}")
        axis.axvline(curve.own, color="tab:grey", linestyle=":", label=f"settings: {curve.own:.2g}")
        axis.set(xscale="log", xlabel=curve.setting, ylabel="nats an event, smoothed")
        axis.legend()
    return figure
