"""One training run, from settings to checkpoints. `train` is what scripts and tests call."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import EarlyStopping, Timer, TQDMProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import (
    AdvancedProfiler,
    Profiler,
    PyTorchProfiler,
    SimpleProfiler,
)
from lightning.pytorch.utilities import rank_zero_only

import gen
from gen.checkpoint import SUFFIX, save_checkpoint
from gen.data.baselines import uniform_bits_per_note, unigram_bits_per_note
from gen.data.habits import Habits
from gen.data.module import HouseData
from gen.data.splits import Split
from gen.data.windows import music_of
from gen.disk import write_atomically
from gen.disk.seals import secret_path, user_secret
from gen.errors import SettingError
from gen.model import parameter_count
from gen.provenance.canonical import sha256_hex
from gen.provenance.house import House
from gen.provenance.pin import load_pin
from gen.provenance.witnesses.standing import requiring_witnesses
from gen.tokens.tokenization import Ids, Tokenization
from gen.training.callbacks import (
    EndOnCtrlC,
    KeepBest,
    KeepStages,
    LogSettings,
    PlainProgress,
    SeedEachStep,
)
from gen.training.gauges import OverfitGauge, Speed
from gen.training.learner import Learner
from gen.training.loggers import make_logger
from gen.training.machine import (
    check_devices,
    compiles,
    keep_compiled_code_to_oneself,
    precision_for,
)
from gen.training.portable import check_portable, portable_arithmetic
from gen.training.recording import RunRecord, begin_record, numeric_mode
from gen.training.resume import KeepResumable, SealedCheckpoints, resume_path
from gen.training.settings import (
    TrainerConfig,
    TrainingSettings,
    read_settings,
    recipe_of,
    recipe_text,
)
from gen.training.sharded import Sharded, ShardedLearner, whole_model
from gen.training.transcript import KeepTranscript

log = logging.getLogger(__name__)
OURS = (
    "max_time", "patience", "keep_every", "compile", "arithmetic", "mark_every", "keep_states",
)  # fmt: skip
"""What Lightning's trainer does not know of."""
CORPUS = "corpus.json"
"""What a run was admitted to learn from, in its folder."""
_KNOWN_WARNINGS = (
    ".*does not have many workers.*",  # windows are cut faster than they are learned from
    ".*GPU available but not used.*",
    ".*AccumulateGrad node's stream does not match.*",  # gradients of a replayed graph
    r".*use of fork\(\) may lead to deadlocks.*",  # workers fork before they start a thread
    ".*callbacks used to create the checkpoint need.*",  # a resumed run may have another time limit
    ".*It is recommended to use .*sync_dist=True.*",  # the learner adds up over processes itself
    ".*You requested to overfit but enabled train dataloader shuffling.*",  # nothing is shuffled
    ".*number of training batches .* is smaller than the logging interval.*",  # of a few steps
    ".*PyTorch Profiler default schedule will be overridden.*",
    ".*`isinstance.treespec, LeafSpec.` is deprecated.*",
)


def train(
    settings: Mapping[str, Any], out: Path, callbacks: Sequence[Callback] = ()
) -> dict[str, Any]:
    """Train a model as the settings say and leave its checkpoints in `out`.

    Args:
        settings: the composed `conf/train.yaml`, as plain containers.
        out: folder of this run.
        callbacks: what else is to happen besides training.

    Returns:
        What was reached: best and last bits per note, steps, notes a second, files.

    Raises:
        HouseError: before the first step, when a setting is wrong or a file is refused.
    """
    quieten()
    chosen = read_settings(settings)
    check_devices(chosen.trainer)
    if chosen.trainer.is_portable:
        check_portable()
    run, data = chosen.run, _admitted(chosen)
    manifest, tokenization = data.manifest, data.tokenization
    untrained, unigram = _baselines(data)
    say(f"held-out bits per note: untrained {untrained:.1f}, unigram {unigram:.1f}")
    learner = make_learner(chosen, tokenization)
    say(
        f"model of {parameter_count(learner.model) / 1e6:.2f} M parameters, "
        f"{precision_for(chosen.trainer)}, {'compiled' if learner.compiled else 'not compiled'}"
    )
    if chosen.logger.pieces and not tokenization.is_house:
        say("logger.pieces: pieces are shown while the house's events are learned alone; none here")
    resume = resume_path(run.ckpt, out)
    about = _about(settings, data)
    earlier = resume.parent if resume else None
    keep = KeepBest(out / f"best{SUFFIX}", manifest, about, earlier)
    speed = Speed(tokenization)
    recipe = sha256_hex(recipe_text(settings).encode("utf-8"))
    transcript = KeepTranscript(out, recipe, chosen.trainer, data, earlier)
    own = [transcript, keep, speed, SeedEachStep(run.seed), LogSettings(settings)]
    every = chosen.trainer.keep_every
    stages = KeepStages(out, every, manifest, about) if every else None
    if stages:
        own.append(stages)
    if not isinstance(
        learner, ShardedLearner
    ):  # a model that is cut up learns by its strategy's hooks alone
        own.append(OverfitGauge(data.handful()))
    logger = make_logger(chosen.logger, run, out)
    trainer = make_trainer(chosen.trainer, logger, out, [*own, *callbacks])
    record = (
        _begin(trainer, chosen, settings, data, out, resume) if trainer.is_global_zero else None
    )
    fit(trainer, learner, data, resume, is_portable=chosen.trainer.is_portable)
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
    whole = whole_model(trainer, learner)
    best = keep.path if keep.best is not None else last
    if record is not None:
        figures = {name: value for name, value in result.items() if name != "notes_per_second"}
        files = {
            last: save_checkpoint(
                last, whole, manifest, {**keep.run, **figures}, tokenization=tokenization
            )
        }
        if keep.file is not None:
            files[keep.path] = keep.file
        files |= stages.files if stages else {}
        root = transcript.finish(trainer, learner, record.said.digest)
        record = record.end(files, trainer.global_step, root)
        say(record.words)
    run_index = record.begin if record else None
    return {**result, "run": run_index, "best": str(best), "last": str(last)}


def _admitted(chosen: TrainingSettings) -> HouseData:
    """The works that the gate admits for this run."""
    run, pin = chosen.run, load_pin(Path(chosen.run.pin))
    if run.witnessed:
        pin = requiring_witnesses(pin)
    data = HouseData(pin.dir, pin, run.purpose, chosen.data, on_refusal=run.on_refusal)
    data.setup()
    manifest = data.manifest
    say(f"admitted {len(manifest.works)} works of {manifest.house}; {_sides(data)}")
    return data


def _about(settings: Mapping[str, Any], data: HouseData) -> dict[str, Any]:
    """What each of the run's checkpoints says of how it came to be.

    Neither the run's name nor its speed: the same run leaves the same file, byte for byte.
    """
    styles = {str(style): person for person, style in data.styles.items()}
    habits = Habits()  # what sampling the house's events keeps to
    if data.tokenization.is_house:
        habits = Habits.of(work.events for work in data.side("train"))
    code = {"code_version": gen.__version__, "torch": torch.__version__}
    return {"settings": recipe_of(settings), "styles": styles, **asdict(habits), **code}


def make_learner(chosen: TrainingSettings, tokenization: Tokenization) -> Learner:
    """A model as it is before its first step: it follows from the seed."""
    model = replace(
        chosen.model,
        field_sizes=tokenization.field_sizes,
        context_sizes=tokenization.context_sizes,
    )
    torch.manual_seed(chosen.run.seed)
    compiled = compiles(chosen.trainer)
    if compiled:
        keep_compiled_code_to_oneself()
    kind = ShardedLearner if chosen.trainer.strategy == "fsdp" else Learner
    return kind(model, chosen.optimizer, compiled=compiled, tokenization=tokenization)


def _begin(
    trainer: Trainer,
    chosen: TrainingSettings,
    settings: Mapping[str, Any],
    data: HouseData,
    out: Path,
    resume: Path | None,
) -> RunRecord:
    """Say what is learned from, in the run's folder and, before the first step, in the log."""
    write_atomically(out / CORPUS, _corpus(data))
    record = begin_record(
        House(data.pin), chosen.run, settings, data.manifest, out,
        resumes=resume.parent if resume else None, numeric_mode=mode_of(trainer, chosen.trainer),
    )  # fmt: skip
    say(record.words)
    return record


def mode_of(trainer: Trainer, config: TrainerConfig) -> str:
    """What the last bits of a run depend on here."""
    return numeric_mode(
        precision_for(config),
        trainer.strategy.root_device,
        compiled=compiles(config),
        is_portable=config.is_portable,
    )


@contextlib.contextmanager
def _flushed_denormals() -> Iterator[None]:
    """What fades in the optimiser would slow every step of a CPU; here it becomes zero."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def fit(
    trainer: Trainer,
    learner: Learner,
    data: HouseData,
    resume: Path | None = None,
    *,
    is_portable: bool = False,
) -> None:
    """Train; Ctrl-C ends the run early and leaves it as whole as any other."""
    ctrl_c = EndOnCtrlC()
    trainer.callbacks.append(ctrl_c)  # type: ignore[attr-defined]
    arithmetic = portable_arithmetic() if is_portable else contextlib.nullcontext()
    try:
        with ctrl_c.listening(), _flushed_denormals(), arithmetic:
            trainer.fit(learner, datamodule=data, ckpt_path=resume, weights_only=True)
    except SystemExit:  # Lightning's last word after Ctrl-C
        if not trainer.interrupted:
            raise


@rank_zero_only
def say(text: str) -> None:
    """Talk goes to the log: to stderr and into the run's folder. Results go to stdout."""
    log.info(text)


@rank_zero_only
def report(text: str) -> None:
    """Print a result, once however many processes there are."""
    print(text, flush=True)


def _corpus(data: HouseData) -> bytes:
    """What was admitted, by side, what was left out by right, and what was refused, as JSON."""
    manifest, ids = data.manifest, data.admitted.ids
    sides = {side: sorted(ids[index] for index in works) for side, works in data.sides.items()}
    found = {
        "house": manifest.house, "purpose": manifest.purpose, "manifest": manifest.digest,
        "admitted": sides, "not_consented": list(manifest.not_consented),
        "refused": [{"path": path, "rule": rule} for path, rule in manifest.refused],
    }  # fmt: skip
    return (json.dumps(found, indent=1) + "\n").encode()


def _sides(data: HouseData) -> str:
    return ", ".join(f"{len(works)} for {side}" for side, works in data.sides.items())


def _baselines(data: HouseData) -> tuple[float, float]:
    """What no model and mere counts cost on the validation works."""

    def music(side: Split) -> Iterator[Ids]:
        if data.tokenization.is_house:
            return (music_of(work.events).array for work in data.side(side))
        return (work.bare().rows for work in data.rows.chosen(data.sides[side]))

    tokens = data.tokenization
    unigram = unigram_bits_per_note(music("train"), music("validation"), tokens)
    return uniform_bits_per_note(music("validation"), tokens), unigram


def lightning_options(config: TrainerConfig) -> dict[str, Any]:
    """What Lightning's trainer is made with, however it is used."""
    options = asdict(config)
    if config.strategy == "fsdp":
        options["strategy"] = Sharded()
    options["precision"] = precision_for(config)
    for ours in OURS:
        del options[ours]
    # Lightning counts batches between validations; several may make a step.
    options["val_check_interval"] *= config.accumulate_grad_batches
    del options["profiler"]
    if isinstance(config.devices, tuple):
        options["devices"] = list(config.devices)
    return {
        **options,
        "enable_checkpointing": False,  # Lightning's own would leave files without our settings
        "check_val_every_n_epoch": None,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,  # ours counts every event once
    }


def make_trainer(
    config: TrainerConfig, logger: Logger | bool, out: Path, callbacks: list[Callback]
) -> Trainer:
    """Lightning's trainer, with what every run has: resuming, time limit, progress."""
    terminal = sys.stderr.isatty()
    callbacks = [*callbacks, PlainProgress()]
    if terminal:
        callbacks.append(TQDMProgressBar(refresh_rate=5))
    if config.max_time:
        callbacks.append(Timer(config.duration))
    if config.patience:
        callbacks.append(EarlyStopping("validation/bits_per_note", patience=config.patience))
    sealed = SealedCheckpoints(user_secret())
    if sealed.can_resume:
        callbacks.append(KeepResumable(out))  # the last, to keep what the others have learned
    else:
        say(f"no secret can be kept in {secret_path()}: this run cannot be resumed")
    try:
        return Trainer(
            **lightning_options(config),
            default_root_dir=out,
            profiler=make_profiler(config.profiler, out),
            logger=logger,
            callbacks=callbacks,
            plugins=[sealed],
            enable_progress_bar=terminal,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise SettingError(str(error), where="trainer") from error


def make_profiler(name: str | None, out: Path) -> Profiler | None:
    """What writes into the run's folder where the time went."""
    kinds = {"simple": SimpleProfiler, "advanced": AdvancedProfiler, "pytorch": PyTorchProfiler}
    return kinds[name](out, "profile") if name else None


def quieten() -> None:
    """Silence what is known and harmless; everything else is said."""
    for pattern in _KNOWN_WARNINGS:
        warnings.filterwarnings("ignore", pattern)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
