"""What a run may be told. No other setting exists, so none can go round the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gen.data.settings import DataConfig
from gen.errors import SettingError
from gen.harmony import nearest
from gen.model_config import ModelConfig
from gen.settings import AUTO, build
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.schedule import ScheduleConfig

STRATEGIES = ("auto", "ddp", "fsdp")
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
    """

    pin: str
    name: str
    purpose: str
    on_refusal: str
    seed: int
    ckpt: str | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SettingError(f"{self.seed} is below 0", where="seed")


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """Which optimiser moves what.

    Args:
        name: `muon` (matrices inside the network by Muon, the rest by AdamW) or `adamw` (all).
        lr: full rate of AdamW.
        matrix_lr: full rate of Muon.
        weight_decay: of matrices; embeddings, outputs and biases have none.
        header_weight: how many times an event before the first bar counts. They are one event in
            sixty, but which instruments a genre has is told there and nowhere else.
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
        if self.header_weight < 0:
            raise SettingError(f"{self.header_weight} is below 0", where="optimizer.header_weight")


@dataclass(frozen=True, slots=True)
class TrainerConfig:
    """What may be asked of Lightning's trainer: nothing that names code, data or a plugin.

    Args:
        strategy: one of `STRATEGIES`: how several devices share the work.
        precision: of Lightning's names, or `auto`: bfloat16 where the machine has units for it.
        compile: whether the trunk is compiled, or `auto`: where the run is long enough.
        max_steps: -1 for as many as `max_time` lets.
        max_time: DD:HH:MM:SS, or fewer parts from the right.
        val_check_interval: steps between two looks at the held-out works; the best model and
            what a run is resumed from are kept then.
        patience: stop after so many validations without a new best; None never does.
        keep_every: keep the model of every so many validations, too; None keeps best and last.
    """

    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = AUTO
    compile: bool | str = AUTO
    max_steps: int = 5000
    max_time: str | None = None
    val_check_interval: int = 100
    limit_val_batches: int | float = 1.0
    gradient_clip_val: float | None = 1.0
    log_every_n_steps: int = 10
    patience: int | None = None
    keep_every: int | None = None

    def __post_init__(self) -> None:
        nearest(self.strategy, STRATEGIES, setting="trainer.strategy")
        if self.compile not in (True, False, AUTO):
            raise SettingError(f"{self.compile!r} is neither true, false nor auto",
                where="trainer.compile")  # fmt: skip
        if self.compile is True and self.strategy == "fsdp":
            raise SettingError("a model that is cut up is not compiled", where="trainer.compile",
                mend="set it to false")  # fmt: skip
        positive = (
            "val_check_interval", "limit_val_batches", "log_every_n_steps", "patience",
            "keep_every",
        )  # fmt: skip
        for name in positive:
            if (value := getattr(self, name)) is not None and value <= 0:
                raise SettingError(f"{value} is not above 0", where=f"trainer.{name}")
        self.duration  # noqa: B018 - raises

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
        except ValueError as error:
            raise SettingError(
                f"{self.max_time!r} is no duration", where="trainer.max_time",
                mend="write it as DD:HH:MM:SS",
            ) from error  # fmt: skip
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


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


_GROUPS = ("model", "optimizer", "data", "trainer", "logger")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run is told, checked."""

    run: RunConfig
    model: ModelConfig
    optimizer: OptimizerConfig
    data: DataConfig
    trainer: TrainerConfig
    logger: LoggerConfig


def read_settings(settings: Mapping[str, Any]) -> Settings:
    """The composed `conf/train.yaml` as settings.

    Raises:
        SettingError: a key is unknown, missing or of another type, or two contradict.
    """
    for group in _GROUPS:
        if group not in settings:
            raise SettingError("is missing", where=group)
    run = build(RunConfig, {k: v for k, v in settings.items() if k not in _GROUPS})
    model = build(
        ModelConfig, settings["model"], where="model",
        field_sizes=FIELD_SIZES, context_sizes=CONTEXT_SIZES,
    )  # fmt: skip
    chosen = Settings(
        run,
        model,
        build(OptimizerConfig, settings["optimizer"], where="optimizer"),
        build(DataConfig, settings["data"], where="data", seed=run.seed),
        build(TrainerConfig, settings["trainer"], where="trainer"),
        build(LoggerConfig, settings["logger"], where="logger"),
    )
    if chosen.data.training_window > model.context:
        raise SettingError(
            f"{chosen.data.training_window} events, but the model's context is {model.context}",
            where="data.training_window",
        )
    if chosen.trainer.strategy == "fsdp" and chosen.optimizer.name == "muon":
        raise SettingError(
            "Muon takes whole matrices, which fsdp cuts up", where="optimizer",
            mend="use optimizer=adamw",
        )  # fmt: skip
    return chosen
