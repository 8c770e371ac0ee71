"""One training run, from settings to checkpoints. `train` is what scripts and tests call."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer

import gen
from gen.checkpoint import SUFFIX, config_of, save_checkpoint
from gen.data.baselines import uniform_bits_per_note, unigram_bits_per_note
from gen.data.habits import Habits
from gen.data.module import HouseData
from gen.data.splits import Split
from gen.data.windows import music_of
from gen.disk import write_atomically
from gen.model import Transformer, parameter_count
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import ModelFile
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.signing.keys import PrivateKey
from gen.tokens.tokenization import Ids, Tokenization
from gen.training.callbacks import (
    EndOnCtrlC,
    KeepBest,
    KeepStages,
    LogSettings,
    SeedEachStep,
)
from gen.training.evidence.portable import portable_arithmetic
from gen.training.evidence.recording import (
    RunRecord,
    begin_record,
    key_to_record,
    numeric_mode,
)
from gen.training.evidence.transcript import KeepTranscript
from gen.training.gauges import OverfitGauge, Speed, bits_per_note
from gen.training.learner import Learner
from gen.training.loggers import make_logger
from gen.training.machine import (
    compiles,
    precision_for,
)
from gen.training.messages import say
from gen.training.plugged import names_of
from gen.training.prepared import known_by_base, prepared
from gen.training.resume import resume_path
from gen.training.settings.run_settings import TrainingSettings, recipe_of, recipe_text
from gen.training.settings.trainer_settings import TrainerConfig
from gen.training.sharded import ShardedLearner, whole_model
from gen.training.trainer import make_trainer

CORPUS = "corpus.json"
"""What a run was admitted to learn from, in its folder."""


def train(
    settings: Mapping[str, Any],
    out: Path,
    callbacks: Sequence[Callback] = (),
    listeners: Sequence[Callback] = (),
) -> dict[str, Any]:
    """Train a model as the settings say and leave its checkpoints in `out`.

    Args:
        settings: the composed `conf/train.yaml`, as plain containers.
        out: folder of this run.
        callbacks: somebody's own, called beside those of the run; its manifest says so.
        listeners: this project's own, which only look on.

    Returns:
        What was reached: best and last bits per note, steps, notes a second, files.

    Raises:
        HouseError: before the first step, when a setting is wrong or a file is refused.
    """
    ready = prepared(settings, names_of(callbacks))
    settings, chosen, start, data = ready.settings, ready.chosen, ready.start, ready.data
    run, manifest, tokenization = chosen.run, data.manifest, data.tokenization
    key = key_to_record(House(data.pin)) if manifest.is_recorded else None
    untrained, unigram = _baselines(data)
    learner = ready.learner(chosen)
    base = _base_bits(learner, data) if start else None
    _say_what_learns(learner, chosen)
    resume = resume_path(run.ckpt, out)
    watchers = _Watchers.of(settings, chosen, data, learner, out, resume)
    logger = make_logger(chosen.logger, run, out, resume.parent if resume else None)
    others = [*ready.plugged.callbacks(), *callbacks, *listeners]
    trainer = make_trainer(chosen.trainer, logger, out, [*watchers.all, *others])
    record = (
        _begin(trainer, key, chosen, settings, data, out, resume)
        if trainer.is_global_zero
        else None
    )
    fit(trainer, learner, data, resume, is_portable=chosen.trainer.is_portable)
    result = {
        "best_bits_per_note": watchers.keep.best,
        "bits_per_note": watchers.keep.latest,
        "untrained_bits_per_note": untrained,
        "unigram_bits_per_note": unigram,
        **({"base_bits_per_note": base, "learned_by_base": known_by_base(data)} if start else {}),
        "steps": trainer.global_step,
        "notes_per_second": watchers.speed.mean,
        "manifest": manifest.digest,
        "interrupted": trainer.interrupted,
    }
    last = out / f"last{SUFFIX}"
    model = whole_model(trainer, learner)
    if record is not None:
        files = _save(last, model, watchers, manifest, tokenization, result)
        root = watchers.transcript.finish(trainer, learner, record.said.digest)
        record = record.end(files, trainer.global_step, root)
        say(record.words)
    best = watchers.keep.path if watchers.keep.best is not None else last
    run_index = record.begin if record else None
    return {**result, "run": run_index, "best": str(best), "last": str(last)}


@dataclass(frozen=True, slots=True)
class _Watchers:
    """The callbacks that every run has.

    Attributes:
        transcript: marks of what the run becomes and learns from.
        keep: the best model so far.
        speed: notes a second.
        stages: the models of some validations; None where they are not kept.
        all: of these and others, in the order in which they are called.
    """

    transcript: KeepTranscript
    keep: KeepBest
    speed: Speed
    stages: KeepStages | None
    all: list[Callback]

    @classmethod
    def of(
        cls,
        settings: Mapping[str, Any],
        chosen: TrainingSettings,
        data: HouseData,
        learner: Learner,
        out: Path,
        resume: Path | None,
    ) -> _Watchers:
        """Those of one run; arguments as in `train`, `resume` the file that it goes on from."""
        about, manifest = _about(settings, data), data.manifest
        earlier = resume.parent if resume else None
        keep = KeepBest(out / f"best{SUFFIX}", manifest, about, earlier)
        speed = Speed(data.tokenization)
        recipe = sha256_hex(recipe_text(settings).encode("utf-8"))
        transcript = KeepTranscript(out, recipe, chosen.trainer, data, earlier)
        every = chosen.trainer.keep_every
        stages = KeepStages(out, every, manifest, about) if every else None
        found: list[Callback] = [
            transcript, keep, speed, SeedEachStep(chosen.run.seed), LogSettings(settings),
        ]  # fmt: skip
        if stages:
            found.append(stages)
        if not isinstance(learner, ShardedLearner):  # which learns by its strategy's hooks alone
            found.append(OverfitGauge(data.handful()))
        return cls(transcript, keep, speed, stages, found)


def _save(
    last: Path,
    model: Transformer,
    watchers: _Watchers,
    manifest: Manifest,
    tokenization: Tokenization,
    result: Mapping[str, Any],
) -> dict[Path, ModelFile]:
    """Write the run's last model; every model file that the run has left."""
    figures = {name: value for name, value in result.items() if name != "notes_per_second"}
    run = {**watchers.keep.run, **figures}
    files = {last: save_checkpoint(last, model, manifest, run, tokenization=tokenization)}
    config = json.dumps(config_of(files[last].about), indent=1)
    write_atomically(last.with_name("config.json"), f"{config}\n".encode())
    if watchers.keep.file is not None:
        files[watchers.keep.path] = watchers.keep.file
    return files | (watchers.stages.files if watchers.stages else {})


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


def _base_bits(learner: Learner, data: HouseData) -> float:
    """What the validation works cost the model that is begun with, before it learns from any."""
    bits = bits_per_note(learner, data.covering_batches("validation"))
    say(f"held-out bits per note of the model that is begun with: {bits:.3f}")
    return bits


def _say_what_learns(learner: Learner, chosen: TrainingSettings) -> None:
    count, learn = (
        sum(p.numel() for p in learner.model.parameters()),
        parameter_count(learner.model),
    )
    beside = f" ({learn / 1e6:.2f} M of them learn)" if learn < count else ""
    say(
        f"model of {count / 1e6:.2f} M parameters{beside}, "
        f"{precision_for(chosen.trainer)}, {'compiled' if learner.compiled else 'not compiled'}"
    )
    if chosen.logger.pieces and not learner.tokenization.is_house:
        say("logger.pieces: pieces are shown while the house's events are learned alone; none here")


def _begin(
    trainer: Trainer,
    key: PrivateKey | None,
    chosen: TrainingSettings,
    settings: Mapping[str, Any],
    data: HouseData,
    out: Path,
    resume: Path | None,
) -> RunRecord:
    """Say what is learned from, in the run's folder and, before the first step, in the log."""
    write_atomically(out / CORPUS, _corpus(data))
    record = begin_record(
        House(data.pin), key, chosen.run, settings, data.manifest, out,
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


def _corpus(data: HouseData) -> bytes:
    """What was admitted, by side, what was left out by right, and what was refused, as JSON."""
    manifest, ids = data.manifest, data.admitted.ids
    sides = {side: sorted(ids[index] for index in works) for side, works in data.sides.items()}
    found = {
        "house": manifest.house, "purpose": manifest.purpose, "manifest": manifest.digest,
        "admitted": sides, "not_consented": list(manifest.not_consented),
        "refused": [each.to_dict() for each in manifest.refused],
    }  # fmt: skip
    return (json.dumps(found, indent=1) + "\n").encode()


def _baselines(data: HouseData) -> tuple[float, float]:
    """What no model and mere counts cost on the validation works."""

    def music(side: Split) -> Iterator[Ids]:
        if data.tokenization.is_house:
            return (music_of(work.events).array for work in data.side(side))
        return (work.bare().rows for work in data.rows.chosen(data.sides[side]))

    tokens = data.tokenization
    unigram = unigram_bits_per_note(music("train"), music("validation"), tokens)
    untrained = uniform_bits_per_note(music("validation"), tokens)
    say(f"held-out bits per note: untrained {untrained:.1f}, unigram {unigram:.1f}")
    return untrained, unigram
