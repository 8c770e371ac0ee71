"""Lightning's trainer as every run here uses it."""

from __future__ import annotations

import logging
import sys
import warnings
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

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

from gen.disk.seals import secret_path, user_secret
from gen.errors import SettingError
from gen.plugins import GROUPS
from gen.training.callbacks import (
    PlainProgress,
)
from gen.training.machine import (
    precision_for,
)
from gen.training.messages import say
from gen.training.resume import KeepResumable, SealedCheckpoints
from gen.training.settings.trainer_settings import TrainerConfig, refuse_hidden_settings
from gen.training.sharded import Sharded

OURS = (
    "max_time", "patience", "keep_every", "compile", "arithmetic", "mark_every", "keep_states",
)  # fmt: skip
"""What Lightning's trainer does not know of."""
_UNASKED = "lightning.pytorch.callbacks_factory"
"""Entry points from which Lightning takes callbacks for each trainer that is made."""
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


def lightning_options(config: TrainerConfig) -> dict[str, Any]:
    """What Lightning's trainer is made with, however it is used.

    Raises:
        SettingError: a variable of the environment would have a say in it, or a package whose
            callbacks nobody named.
    """
    refuse_hidden_settings()
    _refuse_unnamed_callbacks()
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


def _refuse_unnamed_callbacks() -> None:
    """Lightning calls what any installed package offers to it, which no record would show."""
    for entry in entry_points(group=_UNASKED):
        package = f" of {entry.dist.name}" if entry.dist else ""
        raise SettingError(
            f"the callbacks {entry.name!r:.60}{package} would be called in every run, unnamed "
            f"(entry points of {_UNASKED})", where="plugins.callbacks",
            mend=f"train where that package is not installed; {GROUPS['callback']} are called by "
            "name, and recorded",
        )  # fmt: skip


def silent_trainer(config: TrainerConfig, callbacks: list[Callback], **options: Any) -> Trainer:
    """For training beside a run: nothing is validated, logged or shown; more for Lightning."""
    return Trainer(
        **{**lightning_options(config), "limit_val_batches": 0, **options},
        logger=False,
        callbacks=callbacks,
        enable_progress_bar=False,
    )


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
