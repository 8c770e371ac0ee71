"""What may be asked of Lightning's trainer, and whether it can be here."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import timedelta

from gen.arithmetic import ARITHMETICS, FAST, PORTABLE
from gen.errors import SettingError
from gen.harmony import nearest
from gen.settings import AUTO

STRATEGIES = ("auto", "ddp", "fsdp")
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")
PRECISIONS = (
    AUTO, "32", "32-true", "16", "16-mixed", "bf16", "bf16-mixed", "bf16-true", "64", "64-true",
)  # fmt: skip
PROFILERS = ("simple", "advanced", "pytorch")
SEGMENTS = 50
"""Into which a run is cut by the marks of its transcript, unless it is set otherwise."""


_HIDDEN = "PL_TRAINER_"
"""Lightning takes settings from variables of these names, which no record would show."""


def refuse_hidden_settings() -> None:
    """Refuse what Lightning would take from the environment, whoever asks for a trainer.

    Raises:
        SettingError: a variable is set that no record of a run would show.
    """
    if found := [name for name in os.environ if name.startswith(_HIDDEN)]:
        raise SettingError(
            "sets what the records of a run would not show", where=found[0],
            mend="unset it, and say trainer.NAME=VALUE",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainerConfig:
    """What may be asked of Lightning's trainer: nothing that names code, data or a plugin.

    Args:
        accelerator: one of `ACCELERATORS`.
        devices: how many, their numbers, -1 or `auto`: all there are.
        strategy: one of `STRATEGIES`: how several devices share the work.
        precision: of Lightning's names, or `auto`: bfloat16 where the machine has units for it.
        arithmetic: `portable`: the same weights on every x86-64 processor with AVX2, on one thread
            of a CPU; `fast`: whatever is fastest here.
        compile: whether the trunk is compiled, or `auto`: where the run is long enough.
        max_steps: -1 for as many as `max_time` lets.
        max_time: DD:HH:MM:SS, or fewer parts from the right.
        val_check_interval: steps between two looks at the held-out works; the best model and
            what a run is resumed from are kept then.
        accumulate_grad_batches: batches whose gradients make one step.
        limit_train_batches: learn from the first so many batches, over and over; None from all.
        overfit_batches: the same, and look at as many of the held-out works; 0 for not.
        fast_dev_run: one batch, or so many, through all there is, to see whether it runs.
        deterministic: refuse what is not the same each time; `warn` only says so.
        profiler: one of `PROFILERS`, which writes where the time went into the run's folder.
        patience: stop after so many validations without a new best; None never does.
        keep_every: keep the model of every so many validations, too; None keeps best and last.
        mark_every: steps between two marks of the transcript; None: a fiftieth of `max_steps`, or
            1,000 where the clock ends the run.
        keep_states: states kept, from which a part of the run can be replayed: each is about
            three times as large as the weights. One is that before the last mark.
    """

    accelerator: str = "auto"
    devices: int | str | tuple[int, ...] = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: int | str = AUTO
    arithmetic: str = FAST
    compile: bool | str = AUTO
    max_steps: int = 5000
    max_time: str | None = None
    val_check_interval: int = 100
    limit_val_batches: int | float = 1.0
    accumulate_grad_batches: int = 1
    limit_train_batches: int | None = None
    overfit_batches: int = 0
    fast_dev_run: bool | int = False
    deterministic: bool | str = False
    profiler: str | None = None
    gradient_clip_val: float | None = 1.0
    log_every_n_steps: int = 10
    patience: int | None = None
    keep_every: int | None = None
    mark_every: int | None = None
    keep_states: int = 2

    def __post_init__(self) -> None:
        nearest(self.strategy, STRATEGIES, setting="trainer.strategy")
        nearest(self.accelerator, ACCELERATORS, setting="trainer.accelerator")
        nearest(str(self.precision), PRECISIONS, setting="trainer.precision")
        if self.profiler is not None:
            nearest(self.profiler, PROFILERS, setting="trainer.profiler")
        for name, word in (("compile", AUTO), ("deterministic", "warn")):
            if (value := getattr(self, name)) not in (True, False, word):
                raise SettingError(
                    f"{value!r} is neither true, false nor {word}", where=f"trainer.{name}"
                )
        if self.compile is True and self.strategy == "fsdp":
            raise SettingError("a model that is cut up is not compiled", where="trainer.compile",
                mend="set it to false")  # fmt: skip
        nearest(self.arithmetic, ARITHMETICS, setting="trainer.arithmetic")
        if self.is_portable:
            self._check_portable()
        self._check_numbers()
        self._check_length()

    def _check_portable(self) -> None:
        for name, allowed in (
            ("accelerator", ("cpu",)), ("devices", (1,)), ("strategy", ("auto",)),
            ("precision", (32, "32", "32-true")), ("compile", (False,)),
        ):  # fmt: skip
            if (value := getattr(self, name)) not in allowed:
                raise SettingError(
                    f"portable arithmetic goes with {allowed[0]!s} alone, not with {value}",
                    where=f"trainer.{name}", mend="trainer=portable sets all that belongs together",
                )  # fmt: skip

    def _check_numbers(self) -> None:
        for name in (
            "val_check_interval", "limit_val_batches", "log_every_n_steps", "patience",
            "keep_every", "num_nodes", "accumulate_grad_batches", "limit_train_batches",
            "gradient_clip_val", "mark_every",
        ):  # fmt: skip
            if (value := getattr(self, name)) is not None:
                above_0(value, f"trainer.{name}")
        for name in ("overfit_batches", "fast_dev_run", "keep_states"):
            if getattr(self, name) < 0:
                raise SettingError(f"{getattr(self, name)} is below 0", where=f"trainer.{name}")
        if self.limit_val_batches > 1 and self.limit_val_batches % 1:
            raise SettingError(
                f"{self.limit_val_batches} is no share", where="trainer.limit_val_batches",
                mend="a share is at most 1.0; a whole number counts batches",
            )  # fmt: skip
        is_count = isinstance(self.devices, int) and (self.devices == -1 or self.devices > 0)
        numbers = self.devices if isinstance(self.devices, tuple) else ()
        is_list = bool(numbers) and min(numbers) >= 0 and len(set(numbers)) == len(numbers)
        if not (is_count or is_list or self.devices == AUTO):
            raise SettingError(
                f"{self.devices!r} are no devices", where="trainer.devices",
                mend="how many, as in 2; which, as in [0,1]; auto or -1: all",
            )  # fmt: skip

    def _check_length(self) -> None:
        if self.max_steps != -1 and self.max_steps < 1:
            raise SettingError(
                f"{self.max_steps} steps", where="trainer.max_steps",
                mend="from 1 on; -1: as many as trainer.max_time lets",
            )  # fmt: skip
        duration = self.duration  # which is read, whatever else ends the run
        if self.max_steps == -1 and duration is None and not self.fast_dev_run:
            raise SettingError(
                "the run would never end", where="trainer.max_steps",
                mend="set it, or trainer.max_time",
            )  # fmt: skip

    @property
    def is_portable(self) -> bool:
        """Whether it computes the same on every processor, see `arithmetic`."""
        return self.arithmetic == PORTABLE

    @property
    def steps_between_marks(self) -> int:
        """Of the run's transcript."""
        if self.mark_every is not None:
            return self.mark_every
        return max(1, -(-self.max_steps // SEGMENTS)) if self.max_steps > 0 else 1_000

    @property
    def processes(self) -> int | None:
        """How many share a batch; None where only the machine can tell."""
        if isinstance(self.devices, tuple):
            return len(self.devices) * self.num_nodes
        is_counted = isinstance(self.devices, int) and self.devices > 0
        return int(self.devices) * self.num_nodes if is_counted else None

    @property
    def duration(self) -> timedelta | None:
        """`max_time` as a span of time.

        Raises:
            SettingError: it is none.
        """
        if self.max_time is None:
            return None
        try:
            parts = [int(part) for part in self.max_time.split(":")]
            days, hours, minutes, seconds = [0] * (4 - len(parts)) + parts
            found = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except (ValueError, OverflowError) as error:
            raise self._no_duration() from error
        if found <= timedelta(0) or min(parts) < 0:
            raise self._no_duration()
        return found

    def _no_duration(self) -> SettingError:
        return SettingError(
            f"{self.max_time!r} is no duration", where="trainer.max_time",
            mend="write it as DD:HH:MM:SS",
        )  # fmt: skip


def check_gpu(config: TrainerConfig, *, is_here: bool) -> None:
    """Refuse a GPU that is asked for where there is none.

    Raises:
        SettingError: so it is.
    """
    if config.accelerator in ("gpu", "cuda", "mps") and not is_here:
        raise SettingError("there is no GPU here that PyTorch sees", where="trainer.accelerator",
            mend="trainer=cpu")  # fmt: skip


def check_count(config: TrainerConfig, here: int, kind: str) -> None:
    """Refuse more devices than there are on this machine.

    Args:
        config: of the trainer.
        here: how many there are.
        kind: what they are, for the message.

    Raises:
        SettingError: more are asked for, or one of another number.
    """
    asked = config.devices
    if isinstance(asked, tuple):
        if kind != "GPUs":
            raise SettingError(f"{kind} have no numbers", where="trainer.devices",
                mend=f"say how many: trainer.devices={len(asked)}")  # fmt: skip
        most = max(asked) + 1
    else:
        most = int(asked) if isinstance(asked, int) else 1
    if most > here or (asked == -1 and kind != "GPUs"):
        raise SettingError(f"{asked} are asked for, this machine has {here} {kind}",
            where="trainer.devices", mend=f"at most {here}")  # fmt: skip


def above_0(value: float, where: str) -> None:
    """Refuse a number that is not above 0, or is none.

    Raises:
        SettingError: it is 0 or less, infinite, or no number.
    """
    if not 0 < value < math.inf:
        raise SettingError(f"{value} is not above 0", where=where)
