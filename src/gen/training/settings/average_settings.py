"""Which average of the weights a run keeps, judged before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from gen.errors import SettingError
from gen.harmony import nearest

NONE, EMA, SWA = "none", "ema", "swa"
KINDS = (NONE, EMA, SWA)


@dataclass(frozen=True, slots=True)
class AverageConfig:
    """Which average of the weights is measured and saved in their place.

    Args:
        kind: `none`; `ema`, whose share of each step fades; `swa`, the mean of all from `start` on.
        decay: how much of the average stays with each step, of `ema`. Less does in the first
            steps, `(1 + n) / (10 + n)` after n of them.
        start: share of the run after which it begins; before, the weights themselves count.
    """

    kind: str = NONE
    decay: float = 0.999
    start: float = 0.0

    def __post_init__(self) -> None:
        nearest(self.kind, KINDS, setting="average.kind")
        if not 0 <= self.decay < 1:
            raise SettingError(f"{self.decay} is outside [0, 1)", where="average.decay")
        if not 0 <= self.start < 1:
            raise SettingError(f"{self.start} is outside [0, 1)", where="average.start")

    @property
    def is_used(self) -> bool:
        return self.kind != NONE

    def weight(self, steps: int) -> float:
        """The share of the newest weights in the average, `steps` being in it before."""
        if steps == 0:
            return 1.0
        if self.kind == SWA:
            return 1 / (steps + 1)
        return 1 - min(self.decay, (1 + steps) / (10 + steps))
