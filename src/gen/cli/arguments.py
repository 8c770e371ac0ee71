"""The command line, read by Hydra's own parsers and held against what may stand there.

Nothing goes on to Hydra as it was typed: flags are taken from the parsed command line, in full
and one by one, so that no abbreviation means more here than there.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    Override,
    OverrideType,
    Sweep,
    ValueType,
)

from gen.cli.allowed import GROUPS, check_hydra, check_texts, leaves
from gen.cli.known import KnownSettings
from gen.cli.quoting import with_text_quoted
from gen.errors import SettingError

FLAGS = ("help", "hydra_help", "cfg", "resolve", "package", "run", "multirun", "info",
         "config_dir", "overrides")  # fmt: skip
"""Of Hydra's flags those that run no code and read nothing but values."""
ONE_OF = ("run", "multirun", "cfg", "info")
MAY_GO = ("logger",)
"""What may be left out as a whole, as in `~logger`."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingError(message, where="command line", mend="--help shows what there is")


def read_flags(words: Sequence[str]) -> Namespace:
    """The command line as Hydra's parser takes it, with no flag abbreviated.

    Raises:
        SettingError: a flag that is unknown, abbreviated, or not among `FLAGS`.
    """
    parser = get_args_parser()
    parser.__class__, parser.allow_abbrev = _Parser, False
    found = parser.parse_intermixed_args(list(words))
    for name, value in vars(found).items():
        if name not in FLAGS and value != parser.get_default(name):
            raise SettingError(
                "could run code or read settings that are not this project's",
                where=f"--{name.replace('_', '-')}",
                mend="--config-dir=FOLDER adds configuration files of your own",
            )
    if len([name for name in ONE_OF if getattr(found, name)]) > 1:
        raise SettingError("one at a time", where=", ".join(f"--{name}" for name in ONE_OF))
    found.overrides = [with_text_quoted(override) for override in found.overrides]
    return found


def check_overrides(
    overrides: Sequence[str], settings: KnownSettings, folders: Iterable[Path] = ()
) -> list[Override]:
    """Parse settings as Hydra does and refuse those that are not this command's.

    Args:
        overrides: name=value, as Hydra would get them.
        settings: what the command may be asked.
        folders: of a person's own configuration files.

    Raises:
        SettingError: there is one; HydraException: one cannot be read at all.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    for override in parsed:
        _check(override, settings, list(folders))
    return parsed


def _check(override: Override, settings: KnownSettings, folders: list[Path]) -> None:
    name = override.key_or_group
    if override.package is not None:
        raise SettingError("settings stay where they are", where=override.input_line or name,
            mend=f"write {name}=…")  # fmt: skip
    if override.type == OverrideType.DEL:
        if name not in MAY_GO:
            raise SettingError("cannot be left out", where=f"~{name}")
    elif name.startswith("hydra/"):
        groups = KnownSettings(GROUPS, frozenset())
        groups.check_setting(name)
        _check_choices(override, groups, folders=[])
    elif name.startswith("hydra."):
        _check_of_hydra(override, settings)
    elif name in settings.groups:
        _check_choices(override, settings, folders)
    else:
        _check_value(override, settings)


def _check_choices(override: Override, settings: KnownSettings, folders: list[Path]) -> None:
    group, value = override.key_or_group, override.value()
    if isinstance(value, Glob):
        return  # of the files there are
    choices = value.list if isinstance(value, ChoiceSweep) else [value]
    for choice in choices:
        if choice is not None:  # of which Hydra knows where nothing may be chosen
            settings.check_choice(group, getattr(choice, "text", choice), folders)


def _check_of_hydra(override: Override, settings: KnownSettings) -> None:
    if override.value_type != ValueType.ELEMENT:
        raise SettingError("one value", where=override.key_or_group)
    name = override.key_or_group
    if "params" in name.split("."):  # the names of settings stand inside
        check_hydra(name, override.value(), settings)
        return
    for leaf, value in leaves(override.value(), name):
        check_hydra(leaf, value, settings)


def _check_value(override: Override, settings: KnownSettings) -> None:
    name, value = override.key_or_group, override.value()
    settings.check_setting(name)
    if isinstance(value, ChoiceSweep):
        values: list[Any] = [Override._convert_value(one) for one in value.list]
    else:
        values = [] if isinstance(value, Sweep | Glob) else [value]
    for one in values:
        for leaf, plain in leaves(one, name):
            settings.check_setting(leaf)
            check_texts(plain, leaf)
