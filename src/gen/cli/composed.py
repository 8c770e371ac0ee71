"""Hydra's loader, which hands on no configuration that says more than it may.

Files can say what the command line cannot: a private experiment may bring callbacks, a logging
handler, another launcher. So every configuration is looked at after it was composed, that of each
job of a sweep too, and before Hydra acts on any of it: the settings of the command have exactly
the names of the shipped ones, and those of Hydra are what the shipped files say but for what
`gen.cli.allowed` lets pass.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from gen.cli.allowed import (
    GROUPS,
    check_hydra,
    check_texts,
    is_plain_name,
    leaves,
    private_folders,
)
from gen.cli.arguments import check_overrides
from gen.cli.known import KnownSettings, known
from gen.errors import SettingError
from gen.places import CONF

Judge = Callable[[dict[str, Any], Sequence[str]], None]
"""Takes the settings of one job, and those that were asked for as name=value."""
_OF_THE_RUN = ("hydra.job.override_dirname", "hydra.job.config_name")
"""Settings that Hydra fills in by itself in every run."""
_RECORDS = ("runtime", "overrides")
"""Groups of settings of which the same is true."""
_PRESETS = ("launch", "search")
"""Groups of shipped files that say something about Hydra."""


def settings_of(config: DictConfig) -> dict[str, Any]:
    """The settings of the command, resolved, in plain containers; without Hydra's own."""
    found = {str(key): config[key] for key in config if key != "hydra"}
    return {
        key: OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
        if OmegaConf.is_config(value)
        else value
        for key, value in found.items()
    }


class CheckedLoader(ConfigLoaderImpl):
    """Composes configurations and refuses what is not among the harmless.

    Args:
        root: name of the primary configuration.
        judge: of the settings of one job; raises what is wrong with them.
        directory: a person's own folder of configuration files.

    Attributes:
        sweep: the configuration of the sweep that was composed last.
    """

    def __init__(self, root: str, judge: Judge, directory: str | None = None) -> None:
        self.root, self.judge, self.directory = root, judge, directory
        super().__init__(_search_path(private_folders(directory, None)))
        self.sweep: DictConfig | None = None

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """What the overrides compose to.

        Raises:
            SettingError: something in it is not among what may be said.
        """
        settings = known(self.root)
        self._check_overrides(overrides, settings)
        with _files_read():
            config = super().load_configuration(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides
            )
        if config_name is None:  # of --hydra-help
            return config
        _check_settings(config, settings)
        self._check_hydra(config, settings)
        if run_mode == RunMode.MULTIRUN:
            self.sweep = config
        else:
            task = [one for one in overrides if not one.startswith("hydra")]
            self.judge(settings_of(config), task)
        return config

    def _check_overrides(self, overrides: Sequence[str], settings: KnownSettings) -> None:
        given = [one for one in overrides if one.lstrip("+").startswith("hydra.searchpath=")]
        paths = [path for one in check_overrides(given, settings) for path in _listed(one)]
        check_overrides(overrides, settings, private_folders(self.directory, paths))

    def _check_hydra(self, config: DictConfig, settings: KnownSettings) -> None:
        shipped = self._as_shipped(OmegaConf.to_container(config.hydra.runtime.choices))
        for name, value in _hydra_leaves(config):
            is_as_shipped = name in shipped and shipped[name] == value
            if not is_as_shipped and name not in _OF_THE_RUN:
                check_hydra(name, value, settings)

    def _as_shipped(self, choices: Any) -> dict[str, Any]:
        """Hydra's settings as the shipped files have them under the same choices.

        Raises:
            SettingError: a choice of Hydra's groups that is not among the harmless.
        """
        chosen = []
        for group, choice in sorted(choices.items()):
            if group in GROUPS:
                KnownSettings(GROUPS, frozenset()).check_choice(group, choice)
            is_preset = group in _PRESETS and (CONF / group / f"{choice}.yaml").is_file()
            if (group in GROUPS or is_preset) and choice is not None:
                chosen.append(f"{group}={choice}")
        return _shipped(self.root, tuple(chosen))


@functools.cache
def _shipped(root: str, chosen: tuple[str, ...]) -> dict[str, Any]:
    """Hydra's settings as the shipped files alone compose them."""
    config = ConfigLoaderImpl(_search_path([])).load_configuration(root, list(chosen), RunMode.RUN)
    return dict(_hydra_leaves(config))


@contextmanager
def _files_read() -> Iterator[None]:
    """Say of a configuration file that it cannot be read, instead of showing how it was tried."""
    try:
        yield
    except HydraException:  # of which one is an OSError
        raise
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise SettingError(
            f"a configuration file cannot be read: {error}", mend="its values are plain YAML"
        ) from error


def _listed(override: Override) -> list[Any]:
    value = override.value()
    return value if isinstance(value, list) else []


def _search_path(folders: Sequence[Path]) -> ConfigSearchPathImpl:
    Plugins.instance()  # launchers and sweepers enter their settings
    path = ConfigSearchPathImpl()
    path.append("hydra", "pkg://hydra.conf")
    path.append("main", f"file://{CONF}")
    path.append("schema", "structured://")
    for folder in folders:
        path.prepend("command-line", f"file://{folder.absolute()}", SearchPathQuery("schema", None))
    return path


def _hydra_leaves(config: DictConfig) -> list[tuple[str, Any]]:
    found = OmegaConf.to_container(config.hydra, resolve=False, enum_to_str=True)
    assert isinstance(found, dict)  # noqa: S101 - Hydra's own schema says so
    own = {name: value for name, value in found.items() if name not in _RECORDS}
    return list(leaves(own, "hydra"))


def _check_settings(config: DictConfig, settings: KnownSettings) -> None:
    """Names are known ones, texts ask for nothing but other settings.

    Raises:
        SettingError: one is not.
    """
    found = OmegaConf.to_container(config, resolve=False)
    assert isinstance(found, dict)  # noqa: S101 - a primary configuration is one
    own = {key: value for key, value in found.items() if key != "hydra"}
    for where, value in leaves(own):
        settings.check_setting(where)
        check_texts(value, where)
    name = config.get("name")  # of a run's folder and of a job
    if not is_plain_name(name):
        raise SettingError(
            f"{name!r:.100} is no name of a folder", where="name",
            mend="letters, digits, dots, dashes and underscores",
        )  # fmt: skip
