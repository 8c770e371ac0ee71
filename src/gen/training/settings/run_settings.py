"""What may be set of a run. No other setting exists, so none can go round the gate."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gen.data.choosing import CorpusConfig
from gen.data.settings import DataConfig
from gen.errors import SettingError
from gen.harmony import nearest
from gen.model_config import ModelConfig
from gen.provenance.records.consent import ARTIST_MODEL, artist_of, check_scope
from gen.settings import build
from gen.tokens.choice import TokenizerChoice
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.settings.average_settings import NONE, AverageConfig
from gen.training.settings.learning_rate import ScheduleConfig
from gen.training.settings.plugin_settings import PluginConfig, is_used, read_plugins
from gen.training.settings.trainer_settings import TrainerConfig

ON_REFUSAL = ("stop", "record")
MOST_SEED = 2**32 - 1
NO_MATTER = ("name", "pin", "ckpt", "logger", "base", "artist", "find_lr")
"""Settings that decide no weight: places and names of files, and where curves go."""
LEAST_STEPS = 20
"""Of a range test."""
LOGGERS = ("tensorboard", "csv", "mlflow", "wandb", "none")


@dataclass(frozen=True, slots=True)
class BaseConfig:
    """Why a model that a run begins with is believed.

    Args:
        pins: trust pins of the other houses whose works are behind it.
        unrecorded: take one, too, that no log vouches for; what follows is then unrecorded as well.
    """

    pins: tuple[str, ...] = ()
    unrecorded: bool = False


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """Learning beside the weights that a run begins with, which stay as they are.

    Args:
        rank: of what is added to each matrix inside the network; None to move the weights
            themselves.
        alpha: what is added counts `alpha / rank` times.

    Source: Hu et al. 2021, arXiv:2106.09685.
    """

    rank: int | None = None
    alpha: float = 16.0

    def __post_init__(self) -> None:
        if self.rank is not None and self.rank < 1:
            raise SettingError(f"{self.rank} is below 1", where="lora.rank",
                mend="null moves the weights themselves")  # fmt: skip
        if not 0 < self.alpha < math.inf:
            raise SettingError(f"{self.alpha} is no number above 0", where="lora.alpha")


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
        artist: whose model it is, where it is one composer's.
        witnessed: refuse a log whose head the pin's witnesses have not signed lately.
        init: a model's file, to begin with its weights; `sha256:` and the digest of its tensors
            in a recipe; None for those that follow from the seed.
        base: why that model is believed.
        lora: whether its weights move, or something is learned beside them.
        find_lr: steps of a range test of the rates of learning, in place of a run; None for a run.
    """

    pin: str
    name: str
    purpose: str
    on_refusal: str
    seed: int
    ckpt: str | None = None
    artist: str | None = None
    witnessed: bool = False
    init: str | None = None
    base: BaseConfig = field(default_factory=BaseConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)
    find_lr: int | None = None

    def __post_init__(self) -> None:
        if self.find_lr is not None and self.find_lr < LEAST_STEPS:
            raise SettingError(
                f"{self.find_lr} steps show nothing", where="find_lr",
                mend=f"at least {LEAST_STEPS}; null trains",
            )  # fmt: skip
        if self.init in ("none", ""):
            object.__setattr__(self, "init", None)
        if self.lora.rank and not self.init:
            raise SettingError(
                "there are no weights to learn beside", where="lora.rank", mend="init=FILE names "
                "the model that is begun with",
            )  # fmt: skip
        if self.seed < 0:
            raise SettingError(f"{self.seed} is below 0", where="seed")
        if self.seed > MOST_SEED:
            raise SettingError(f"{self.seed} is above {MOST_SEED}", where="seed")
        if self.on_refusal not in ON_REFUSAL:
            raise SettingError(
                f"{self.on_refusal!r} is neither 'stop' nor 'record'", where="on_refusal"
            )
        if self.purpose == f"{ARTIST_MODEL}:{None}":  # experiment=artist takes it from `artist`
            raise SettingError("whose model is it to be?", where="artist",
                mend="artist=ID of a composer: house.py show --people lists them")  # fmt: skip
        check_scope(self.purpose)
        if self.artist not in (None, artist_of(self.purpose)):
            raise SettingError(
                f"the purpose is {self.purpose}", where=f"artist={self.artist}",
                mend="experiment=artist makes a model of one composer",
            )  # fmt: skip


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


_GROUPS = (
    "model",
    "optimizer",
    "corpus",
    "data",
    "tokenizer",
    "trainer",
    "logger",
    "plugins",
    "average",
)
_LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "logger": {"name": "none"}, "tokenizer": {}, "corpus": {}, "plugins": {}, "average": {},
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
    plugins: PluginConfig = field(default_factory=PluginConfig)
    average: AverageConfig = field(default_factory=AverageConfig)


def recipe_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide what a run becomes; the same ones leave the same files.

    Those of a beginning with other weights than the seed's, of plug-ins and of averaging are left
    out where there is none, as in runs before there could be one.
    """
    unset = [] if settings.get("init") not in (None, "none", "") else ["init", "lora"]
    unset += [] if is_used(settings.get("plugins")) else ["plugins"]
    unset += [] if settings.get("average", {}).get("kind", NONE) != NONE else ["average"]
    found = {n: value for n, value in settings.items() if n not in (*NO_MATTER, *unset)}
    if "corpus" in found:  # how many works there have to be decides none
        found["corpus"] = {n: v for n, v in found["corpus"].items() if n != "least"}
    return found


def recipe_text(settings: Mapping[str, Any]) -> str:
    """The same as JSON, keys sorted, no spaces: what a run's begin act holds."""
    return json.dumps(recipe_of(settings), sort_keys=True, separators=(",", ":"))


def read_settings(settings: Mapping[str, Any]) -> TrainingSettings:
    """The composed `conf/train.yaml` as settings.

    Raises:
        SettingError: a key is unknown, missing or of another type, or two contradict.
    """
    settings = {**_LEFT_OUT, **settings}
    for group in _GROUPS:
        if group not in settings:
            raise SettingError("is missing", where=group)
    plugins = read_plugins(settings["plugins"])
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
            tokenizer=build(
                TokenizerChoice, settings["tokenizer"], where="tokenizer", plugin=plugins.tokenizer
            ),
            corpus=build(CorpusConfig, settings["corpus"], where="corpus"),
        ),
        build(TrainerConfig, settings["trainer"], where="trainer"),
        build(LoggerConfig, settings["logger"], where="logger"),
        plugins,
        build(AverageConfig, settings["average"], where="average"),
    )
    _check_together(chosen)
    return chosen


def check_memory(chosen: TrainingSettings, here: int, *, on_cpu: bool) -> None:
    """Refuse a model, or a batch of windows, that cannot be held on this machine.

    What is counted is the least: of a model its weights, and where they learn on the CPU the
    gradient and the momentum of each; of a batch one number a channel, event and block.

    Args:
        chosen: of the run.
        here: bytes of memory.
        on_cpu: whether it learns on the CPU; what a GPU holds is not known here.

    Raises:
        SettingError: it does not fit.
    """
    model, data = chosen.model, chosen.data
    shared = chosen.trainer.processes or 1
    events = data.batch_size // shared * data.training_window
    each = 12 if on_cpu and chosen.trainer.strategy != "fsdp" else 4
    weights = 0 if chosen.plugins.model else model.parameters
    for needed, what, where in (
        (each * weights, f"{weights:,} weights take", "model"),
        (4 * on_cpu * events * model.width * model.n_layer, f"a batch of {events:,} events takes",
            "data.batch_size"),
    ):  # fmt: skip
        if needed > here:
            raise SettingError(
                f"{what} at least {needed / 2**30:,.0f} GiB, this machine has "
                f"{here / 2**30:,.0f}", where=where, mend="ask for less",
            )  # fmt: skip


def _check_together(chosen: TrainingSettings) -> None:
    """Refuse settings that are right alone and contradict each other.

    Raises:
        SettingError: two of them do.
    """
    context = chosen.model.context
    if chosen.data.training_window > context:
        raise SettingError(
            f"{chosen.data.training_window} events, but the model's context is {context}",
            where="data.training_window",
        )
    shared = chosen.trainer.processes
    if shared and chosen.data.batch_size % shared:
        raise SettingError(
            f"batch_size {chosen.data.batch_size} does not divide among {shared} processes",
            where="data.batch_size",
            mend=f"make it a multiple of {shared}, or ask for fewer trainer.devices",
        )
    if chosen.average.is_used and (chosen.run.lora.rank or chosen.trainer.strategy == "fsdp"):
        raise SettingError(
            "averages are taken of whole weights alone", where="average.kind",
            mend="none, or train without lora and without fsdp",
        )  # fmt: skip
    if chosen.plugins.model and chosen.trainer.strategy == "fsdp":
        raise SettingError("a model of one's own is not cut up", where="trainer.strategy",
            mend="use one device, or ddp")  # fmt: skip
    if chosen.plugins.model and chosen.run.lora.rank:
        raise SettingError("lora learns beside our own model's matrices", where="lora.rank",
            mend="leave out one of both")  # fmt: skip
    if chosen.plugins.tokenizer and chosen.run.init:
        raise SettingError("init takes the tokenizer of the model that it begins with",
            where="plugins.tokenizer", mend="leave out one of both")  # fmt: skip
    if chosen.run.find_lr and (shared or 2) > 1:
        raise SettingError("rates are tried in one process", where="find_lr",
            mend="trainer.devices=1")  # fmt: skip
    if chosen.run.lora.rank and chosen.optimizer.name == "muon":
        raise SettingError(
            "Muon turns whole matrices, and lora learns thin ones", where="optimizer",
            mend="use optimizer=adamw",
        )  # fmt: skip
    if chosen.run.lora.rank and chosen.trainer.strategy == "fsdp":
        raise SettingError(
            "lora learns beside whole matrices, which fsdp cuts up", where="trainer.strategy",
            mend="use one device, or ddp",
        )  # fmt: skip
    if chosen.trainer.strategy == "fsdp" and chosen.optimizer.name == "muon":
        raise SettingError(
            "Muon takes whole matrices, which fsdp cuts up", where="optimizer",
            mend="use optimizer=adamw",
        )  # fmt: skip
