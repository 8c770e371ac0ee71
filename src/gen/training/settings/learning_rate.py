"""Learning rate over a run: warm up, stay, decay. Sources: Hu et al. 2024, arXiv:2404.06395."""

from __future__ import annotations

from dataclasses import dataclass

from gen.errors import SettingError


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """Shares of the run, each in [0, 1]; warmup and decay together at most 1.

    Args:
        warmup: rising from 0 to the full rate.
        decay: falling from the full rate to `floor`, at the end.
        floor: share of the full rate that is left at the end.
    """

    warmup: float = 0.02
    decay: float = 0.5
    floor: float = 0.02

    def __post_init__(self) -> None:
        if min(self.warmup, self.decay) < 0 or self.warmup + self.decay > 1:
            raise SettingError(
                f"warmup {self.warmup} and decay {self.decay} are no shares of one run",
                where="schedule",
            )
        if not 0 <= self.floor <= 1:
            raise SettingError(f"{self.floor} is outside [0, 1]", where="schedule.floor")


def rate(progress: float, config: ScheduleConfig) -> float:
    """Share of the full learning rate when `progress` (0 to 1) of the run is done."""
    if progress < config.warmup:
        return max(progress / config.warmup, 0.02)
    left = 1 - min(progress, 1.0)
    if config.decay and left < config.decay:
        return config.floor + (1 - config.floor) * left / config.decay
    return 1.0
