"""How train, sample and evaluate begin: one way in from the command line to their settings.

    flags and settings are parsed → held against what may be said → composed by Hydra →
    checked once more as a whole → judged by the command → only then anything is run

Whatever is refused on the way is one message and exit code 2, and leaves nothing behind.
"""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from gen.cli.arguments import read_flags
from gen.cli.composed import CheckedLoader, Judge, settings_of
from gen.cli.known import names_of
from gen.cli.refusals import refusals_said, remove_if_nothing_was_done, remove_if_untouched
from gen.errors import SettingError
from gen.places import of_project
from gen.terminal import failures_said
from gen.training.settings.trainer_settings import refuse_hidden_settings

Task = Callable[[dict[str, Any], Sequence[str]], Any]
"""What a command does with its settings; those that were asked for come as name=value, too."""


def enter(name: str, judge: Judge, task: Task, arguments: Sequence[str]) -> None:
    """Run a command as its command line says.

    Args:
        name: of the command and of its primary configuration.
        judge: of the settings of one job, before anything takes long; raises what is wrong.
        task: what is done with them; what it returns is what a sweep looks at.
        arguments: the command line, without the name of the script.
    """
    with failures_said(), refusals_said(arguments):
        refuse_hidden_settings()
        _refuse_what_is_no_text(arguments)
        version.setbase("1.3")
        flags = read_flags(arguments)
        loader = CheckedLoader(name, functools.partial(_judged, judge), flags.config_dir)
        hydra = Hydra(name, loader)
        GlobalHydra.instance().clear()
        GlobalHydra.instance().initialize(hydra)
        try:
            _do(hydra, name, flags, functools.partial(_job, task))
        finally:
            GlobalHydra.instance().clear()


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """No record could name a file whose name is no text."""
    for argument in arguments:
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError as error:
            raise SettingError(
                f"{argument!r:.200} is no text in UTF-8", where="command line",
                mend="give the file, or the folder that it is in, another name",
            ) from error  # fmt: skip


def _do(hydra: Hydra, name: str, flags: Namespace, job: Callable[[DictConfig], Any]) -> None:
    if flags.hydra_help:
        hydra.hydra_help(name, get_args_parser(), flags)
    elif flags.cfg:
        hydra.show_cfg(name, flags.overrides, flags.cfg, flags.package, flags.resolve)
    elif flags.info:
        hydra.show_info(flags.info, name, flags.overrides)
    elif _is_sweep(hydra, name, flags):
        _sweep(hydra, name, [*flags.overrides, "hydra.mode=MULTIRUN"], job)
    else:
        hydra.run(name, job, [*flags.overrides, "hydra.mode=RUN"])


def _sweep(hydra: Hydra, name: str, overrides: list[str], job: Callable[[DictConfig], Any]) -> None:
    try:
        hydra.multirun(name, job, overrides)
    except Exception:
        sweep = cast(CheckedLoader, hydra.config_loader).sweep
        if sweep is not None:
            remove_if_untouched(Path(sweep.hydra.sweep.dir))
        raise


def _is_sweep(hydra: Hydra, name: str, flags: Namespace) -> bool:
    """Whether many runs are asked for: by the flag, or by a setting."""
    if flags.multirun or flags.run:
        return bool(flags.multirun)
    others = [one for one in flags.overrides if not one.startswith("hydra.run.dir=")]
    if not flags.config_dir and not any("hydra" in one for one in others):
        return False  # no shipped file asks for it
    composed = hydra.compose_config(
        name, flags.overrides, RunMode.MULTIRUN, False, validate_sweep_overrides=False
    )
    return bool(composed.hydra.mode == RunMode.MULTIRUN)


def _judged(judge: Judge, settings: dict[str, Any], overrides: Sequence[str]) -> None:
    judge(_placed(settings, overrides), overrides)


def _job(task: Task, config: DictConfig) -> Any:
    """One run: the settings it has, and an end that leaves nothing of a run that was refused."""
    hydra = HydraConfig.get()
    overrides = [str(one) for one in hydra.overrides.task]
    is_one_of_many = hydra.mode == RunMode.MULTIRUN
    with (
        remove_if_nothing_was_done(Path(hydra.runtime.output_dir), hydra.output_subdir),
        refusals_said(sys.argv[1:], is_one_of_many=is_one_of_many),
    ):
        return task(_placed(settings_of(config), overrides), overrides)


def _placed(settings: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Paths that the configuration files name are the project's, not the current folder's."""
    if "pin" not in names_of(overrides) and isinstance(settings.get("pin"), str):
        return {**settings, "pin": str(of_project(settings["pin"]))}
    return settings
