"""What may be set of a run. No other setting exists, so none can go round the gate."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gen.arithmetic import ARITHMETICS, FAST, PORTABLE
from gen.data.choosing import CorpusConfig
from gen.data.settings import DataConfig
from gen.errors import SettingError
from gen.harmony import nearest
from gen.model_config import ModelConfig
from gen.provenance.consent import check_scope
from gen.settings import AUTO, build
from gen.tokens.choice import TokenizerChoice
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.schedule import ScheduleConfig

STRATEGIES = ("auto", "ddp", "fsdp")
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")
PRECISIONS = (
    AUTO, "32", "32-true", "16", "16-mixed", "bf16", "bf16-mixed", "bf16-true", "64", "64-true",
)  # fmt: skip
PROFILERS = ("simple", "advanced", "pytorch")
ON_REFUSAL = ("stop", "record")
MOST_SEED = 2**32 - 1
SEGMENTS = 50
"""Into which a run is cut by the marks of its transcript, unless it is set otherwise."""
NO_MATTER = ("name", "pin", "ckpt", "logger")
"""Settings that decide no weight: places and names of files, and where curves go."""
LOGGERS = ("tensorboard", "csv", "mlflow", "wandb", "none")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What a run is about.

    Args:
        pin: file of the trust pin of the house.
        name: of the run.
        purpose: consent scope that every work must grant.
        on_refusal: `stop` or `record`.
        seed: of weights, windows, variation and dropout.
        ckpt: a resume file, or `last`.
        witnessed: refuse a log whose head the pin's witnesses have not signed lately.
    """

    pin: str
    name: str
    purpose: str
    on_refusal: str
    seed: int
    ckpt: str | None = None
    witnessed: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SettingError(f"{self.seed} is below 0", where="seed")
        if self.seed > MOST_SEED:
            raise SettingError(f"{self.seed} is above {MOST_SEED}", where="seed")
        if self.on_refusal not in ON_REFUSAL:
            raise SettingError(
                f"{self.on_refusal!r} is neither 'stop' nor 'record'", where="on_refusal"
            )
        check_scope(self.purpose)


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """Which optimiser moves what.

    Args:
        name: `muon` (matrices inside the network by Muon, the rest by AdamW) or `adamw` (all).
        lr: full rate of AdamW.
        matrix_lr: full rate of Muon.
        weight_decay: of matrices; embeddings, outputs and biases have none.
        header_weight: how many times an event before the first bar counts. They are one event in
            sixty, but which instruments a genre has stands there and nowhere else.
        schedule: rate over the run.
    """

    name: str = "muon"
    lr: float = 0.004
    matrix_lr: float = 0.004
    weight_decay: float = 0.05
    header_weight: float = 1.0
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)

    def __post_init__(self) -> None:
        if self.name not in ("muon", "adamw"):
            raise SettingError(f"{self.name!r} is neither 'muon' nor 'adamw'", where="optimizer")
        for name in ("lr", "matrix_lr", "weight_decay", "header_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(
                    f"{getattr(self, name)} is below 0 or no number", where=f"optimizer.{name}"
                )


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
        if self.max_steps == -1 and self.duration is None and not self.fast_dev_run:
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


@dataclass(frozen=True, slots=True)
class LoggerConfig:
    """Where curves go: one of `LOGGERS`.

    Args:
        name: which.
        pieces: how many new pieces TensorBoard shows and plays while the model learns.
        pieces_every: validations from one hearing to the next.
    """

    name: str = "tensorboard"
    pieces: int = 0
    pieces_every: int = 1

    def __post_init__(self) -> None:
        nearest(self.name, LOGGERS, setting="logger.name")
        if self.pieces < 0 or self.pieces_every < 1:
            raise SettingError(
                f"{self.pieces} pieces every {self.pieces_every} validations", where="logger"
            )
        if self.pieces and self.name != "tensorboard":
            raise SettingError(f"{self.name} plays no music", where="logger.pieces", mend="set 0")


_GROUPS = ("model", "optimizer", "corpus", "data", "tokenizer", "trainer", "logger")
_LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "logger": {"name": "none"}, "tokenizer": {}, "corpus": {},
}  # fmt: skip
"""What stands for a group that is left out, as by `~logger`, or as in runs before there was one."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that is set of a run, checked."""

    run: RunConfig
    model: ModelConfig
    optimizer: OptimizerConfig
    data: DataConfig
    trainer: TrainerConfig
    logger: LoggerConfig


def recipe_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide what a run becomes; the same ones leave the same files."""
    return {name: value for name, value in settings.items() if name not in NO_MATTER}


def recipe_text(settings: Mapping[str, Any]) -> str:
    """The same as JSON, keys sorted, no spaces: what a run's begin act holds."""
    return json.dumps(recipe_of(settings), sort_keys=True, separators=(",", ":"))


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


def read_settings(settings: Mapping[str, Any]) -> TrainingSettings:
    """The composed `conf/train.yaml` as settings.

    Raises:
        SettingError: a key is unknown, missing or of another type, or two contradict.
    """
    settings = {**_LEFT_OUT, **settings}
    for group in _GROUPS:
        if group not in settings:
            raise SettingError("is missing", where=group)
    run = build(RunConfig, {k: v for k, v in settings.items() if k not in _GROUPS})
    model = build(
        ModelConfig, settings["model"], where="model",
        field_sizes=FIELD_SIZES, context_sizes=CONTEXT_SIZES,
    )  # fmt: skip
    chosen = TrainingSettings(
        run,
        model,
        build(OptimizerConfig, settings["optimizer"], where="optimizer"),
        build(
            DataConfig,
            settings["data"],
            where="data",
            seed=run.seed,
            tokenizer=build(TokenizerChoice, settings["tokenizer"], where="tokenizer"),
            corpus=build(CorpusConfig, settings["corpus"], where="corpus"),
        ),
        build(TrainerConfig, settings["trainer"], where="trainer"),
        build(LoggerConfig, settings["logger"], where="logger"),
    )
    if chosen.data.training_window > model.context:
        raise SettingError(
            f"{chosen.data.training_window} events, but the model's context is {model.context}",
            where="data.training_window",
        )
    shared = chosen.trainer.processes
    if shared and chosen.data.batch_size % shared:
        raise SettingError(
            f"batch_size {chosen.data.batch_size} does not divide among {shared} processes",
            where="data.batch_size",
        )
    if chosen.trainer.strategy == "fsdp" and chosen.optimizer.name == "muon":
        raise SettingError(
            "Muon takes whole matrices, which fsdp cuts up", where="optimizer",
            mend="use optimizer=adamw",
        )  # fmt: skip
    return chosen
