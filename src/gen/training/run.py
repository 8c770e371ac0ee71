"""One training run, from settings to checkpoints. `train` is what scripts and tests call."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Timer, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

import gen
from gen.checkpoint import SUFFIX, save_checkpoint
from gen.data.baselines import uniform_bits_per_note, unigram_bits_per_note
from gen.data.module import DataConfig, HouseData
from gen.data.seals import secret_path, user_secret
from gen.data.windows import bare
from gen.errors import SettingError
from gen.harmony import nearest
from gen.model import ModelConfig, parameter_count
from gen.provenance.house import House
from gen.provenance.ledger import append_run
from gen.provenance.manifest import Manifest
from gen.provenance.pin import load_pin
from gen.settings import build
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.callbacks import EndOnCtrlC, KeepBest, NotesPerSecond, PlainProgress, SeedEachStep
from gen.training.learner import Learner, OptimizerConfig
from gen.training.resume import KeepResumable, SealedCheckpoints, resume_path

LOGGERS = ("tensorboard", "csv", "none")
_KNOWN_WARNINGS = (
    ".*does not have many workers.*",  # windows are cut faster than they are learned from
    ".*GPU available but not used.*",
    ".*callbacks used to create the checkpoint need.*",  # a resumed run may have another time limit
    ".*It is recommended to use .*sync_dist=True.*",  # the learner adds up over processes itself
    ".*`isinstance.treespec, LeafSpec.` is deprecated.*",
)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What a run is about. No other setting exists, so none can go round the gate.

    Args:
        pin: file of the trust pin of the house.
        name: of the run.
        purpose: consent scope that every work must grant.
        on_refusal: `stop` or `record`.
        seed: of weights, windows, variation and dropout.
        ckpt: a Lightning file to resume from, or `last`.
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
class TrainerConfig:
    """What may be asked of Lightning's trainer: nothing that names code, data or a plugin."""

    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    max_steps: int = 5000
    max_time: str | None = None
    val_check_interval: int = 100
    limit_val_batches: int | float = 1.0
    gradient_clip_val: float | None = 1.0
    log_every_n_steps: int = 10

    def __post_init__(self) -> None:
        for name in ("val_check_interval", "limit_val_batches", "log_every_n_steps"):
            if getattr(self, name) <= 0:
                raise SettingError(f"{getattr(self, name)} is not above 0", where=f"trainer.{name}")


@dataclass(frozen=True, slots=True)
class LoggerConfig:
    """Where curves go: one of `LOGGERS`."""

    name: str = "tensorboard"


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
    data = build(DataConfig, settings["data"], where="data", seed=run.seed)
    if data.window > model.context:
        raise SettingError(
            f"{data.window} events, but the model's context is {model.context}",
            where="data.window",
        )
    return Settings(
        run,
        model,
        build(OptimizerConfig, settings["optimizer"], where="optimizer"),
        data,
        build(TrainerConfig, settings["trainer"], where="trainer"),
        build(LoggerConfig, settings["logger"], where="logger"),
    )


def train(settings: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Train a model as the settings say and leave its checkpoints in `out`.

    Args:
        settings: the composed `conf/train.yaml`, as plain containers.
        out: folder of this run.

    Returns:
        What was reached: best and last bits per note, steps, notes a second, files.

    Raises:
        HouseError: before the first step, when a setting is wrong or a file is refused.
    """
    _quieten()
    chosen = read_settings(settings)
    run, model = chosen.run, chosen.model
    pin = load_pin(Path(run.pin))
    data = HouseData(pin.dir, pin, run.purpose, chosen.data, on_refusal=run.on_refusal)
    data.setup()
    manifest = data.manifest
    say(f"admitted {len(manifest.works)} works of {manifest.house}; {_sides(data)}")
    untrained, unigram = _baselines(data)
    say(f"held-out bits per note: untrained {untrained:.1f}, unigram {unigram:.1f}")
    torch.manual_seed(run.seed)
    learner = Learner(model, chosen.optimizer)
    say(f"model of {parameter_count(learner.model) / 1e6:.2f} M parameters")
    resume = resume_path(run.ckpt, out)
    about = {"settings": dict(settings), **_code()}
    keep = KeepBest(out / f"best{SUFFIX}", manifest, about, resume.parent if resume else None)
    speed = NotesPerSecond()
    callbacks = [keep, speed, SeedEachStep(run.seed)]
    trainer = make_trainer(chosen.trainer, _logger(chosen.logger, out), out, callbacks)
    if trainer.is_global_zero:
        _record(House(pin), run, manifest, out)
    _fit(trainer, learner, data, resume)
    result = {
        "best_bits_per_note": keep.best,
        "bits_per_note": keep.latest,
        "untrained_bits_per_note": untrained,
        "unigram_bits_per_note": unigram,
        "steps": trainer.global_step,
        "notes_per_second": speed.mean,
        "manifest": manifest.digest,
        "interrupted": trainer.interrupted,
    }
    last = out / f"last{SUFFIX}"
    if trainer.is_global_zero:
        save_checkpoint(last, learner.model, manifest, {**keep.run, **result})
    best = keep.path if keep.best is not None else last
    return {**result, "best": str(best), "last": str(last)}


def _record(house: House, run: RunConfig, manifest: Manifest, out: Path) -> None:
    """Enter the run in the house's ledger before its first step: a killed run counts too."""
    name = f"{run.name}/{out.name}"
    append_run(
        house, run=name, purpose=run.purpose, manifest_digest=manifest.digest,
        works=[work.work for work in manifest.works],
        details={"checkpoint": f"{name}/best{SUFFIX}", **_code()},
    )  # fmt: skip


def _fit(trainer: Trainer, learner: Learner, data: HouseData, resume: Path | None) -> None:
    """Train; Ctrl-C ends the run early and leaves it as whole as any other."""
    ctrl_c = EndOnCtrlC()
    trainer.callbacks.append(ctrl_c)  # type: ignore[attr-defined]
    try:
        with ctrl_c.listening():
            trainer.fit(learner, datamodule=data, ckpt_path=resume, weights_only=True)
    except SystemExit:  # Lightning's last word after Ctrl-C
        if not trainer.interrupted:
            raise


@rank_zero_only
def say(text: str) -> None:
    """Talk goes to stderr, results to stdout."""
    print(text, file=sys.stderr, flush=True)


def _sides(data: HouseData) -> str:
    return ", ".join(f"{len(works)} for {side}" for side, works in data.sides.items())


def _baselines(data: HouseData) -> tuple[float, float]:
    """What no model and mere counts cost on the validation works."""
    train = [bare(work).events for work in data.side("train")]
    held_out = [bare(work).events for work in data.side("validation")]
    return uniform_bits_per_note(held_out), unigram_bits_per_note(train, held_out)


def _code() -> dict[str, str]:
    return {"code_version": gen.__version__, "torch": torch.__version__}


def make_trainer(
    config: TrainerConfig, logger: Logger | bool, out: Path, callbacks: list[Callback]
) -> Trainer:
    """Lightning's trainer, with what every run has: resuming, time limit, progress."""
    options = asdict(config)
    limit = options.pop("max_time")
    terminal = sys.stderr.isatty()
    callbacks = [
        *callbacks,
        TQDMProgressBar(refresh_rate=5) if terminal else PlainProgress(),
    ]
    sealed = SealedCheckpoints(user_secret())
    if sealed.can_resume:
        callbacks.append(KeepResumable(out))
    else:
        say(f"no secret can be kept in {secret_path()}: this run cannot be resumed")
    if limit:
        callbacks.append(Timer(_duration(limit)))
    try:
        return Trainer(
            **options,
            default_root_dir=out,
            logger=logger,
            callbacks=callbacks,
            plugins=[sealed],
            enable_checkpointing=False,  # Lightning's own would leave files without our settings
            check_val_every_n_epoch=None,
            enable_model_summary=False,
            enable_progress_bar=terminal,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # ours counts every event once
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise SettingError(str(error), where="trainer") from error


def _duration(text: str) -> timedelta:
    """Read DD:HH:MM:SS, or fewer parts from the right."""
    try:
        parts = [int(part) for part in str(text).split(":")]
        days, hours, minutes, seconds = [0] * (4 - len(parts)) + parts
    except ValueError as error:
        raise SettingError(
            f"{text!r} is no duration", where="trainer.max_time", mend="write it as DD:HH:MM:SS"
        ) from error
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _logger(config: LoggerConfig, out: Path) -> Logger | bool:
    name = nearest(config.name, LOGGERS, setting="logger.name")
    if name == "tensorboard":
        return TensorBoardLogger(out, name="", version="tensorboard")
    return CSVLogger(out, name="", version="csv") if name == "csv" else False


def _quieten() -> None:
    """Silence what is known and harmless; everything else is heard."""
    for pattern in _KNOWN_WARNINGS:
        warnings.filterwarnings("ignore", pattern)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
