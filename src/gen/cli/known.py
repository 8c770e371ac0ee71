"""Which settings and choices there are, read from the configuration files alone."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gen.errors import SettingError
from gen.places import CONF

GLOBAL = "@package _global_"
OPTIONS = "plugins.options"
"""Below it stand values whose names are not known here."""
SEE = "--cfg job shows every setting, --help what each means"


@dataclass(frozen=True, slots=True)
class KnownSettings:
    """What a command may be asked.

    Attributes:
        groups: name of each group to the names of its choices.
        settings: dotted names, those of whole groups of settings too.
    """

    groups: Mapping[str, tuple[str, ...]]
    settings: frozenset[str]

    def check_setting(self, name: str) -> None:
        """Refuse a name that no setting has.

        Raises:
            SettingError: with the nearest name there is, wherever it stands.
        """
        if name in self.settings or name in self.groups:
            return
        if OPTIONS in self.settings and name.startswith(f"{OPTIONS}."):
            return  # which a plug-in names, and which are plain values
        near = _new_name(name) or _nearest(name, {*self.settings, *self.groups})
        hint = f"did you mean {near!r}? " if near else ""
        raise SettingError("there is no such setting", where=name, mend=hint + SEE)

    def check_choice(self, group: str, choice: object, folders: Iterable[Path] = ()) -> None:
        """Refuse a choice that is no file of its group.

        Args:
            group: one of `groups`.
            choice: what was chosen.
            folders: of a person's own configuration files, which may have further choices.

        Raises:
            SettingError: with the choices there are.
        """
        names = {*self.groups[group], *(name for f in folders for name in _files(f / group))}
        if choice not in names:
            near = difflib.get_close_matches(str(choice), names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise SettingError(
                f"Could not find {f'{group}/{choice}'!r:.200}", where=group,
                mend=f"{hint}there are: {', '.join(sorted(names))}; {SEE}",
            )  # fmt: skip


def names_of(overrides: Iterable[str]) -> frozenset[str]:
    """The names of what was asked for on the command line, as name=value."""
    return frozenset(one.partition("=")[0].lstrip("+~") for one in overrides)


@functools.cache
def known(root: str) -> KnownSettings:
    """What the command with this configuration may be asked."""
    text = (CONF / f"{root}.yaml").read_text("utf-8")
    groups = {name: tuple(_files(CONF / name)) for name in _chosen_from(yaml.safe_load(text))}
    found = set(_names(yaml.safe_load(text)))
    for group, choices in groups.items():
        for choice in choices:
            own = (CONF / group / f"{choice}.yaml").read_text("utf-8")
            prefix = "" if GLOBAL in own else f"{group}."
            found |= {*([group] if prefix else []), *_names(yaml.safe_load(own) or {}, prefix)}
    return KnownSettings(groups, frozenset(found))


def _chosen_from(root: Mapping[str, Any]) -> list[str]:
    """The groups that a primary configuration chooses from."""
    names = [next(iter(entry)) for entry in root["defaults"] if isinstance(entry, dict)]
    return [name for name in names if not name.startswith("override ")]


def _files(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _names(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if not prefix and key in ("defaults", "hydra"):
            continue
        if key != "defaults":
            yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{key}.")


def _new_name(name: str) -> str:
    """What a setting is called now that had this name once; "" for none."""
    from gen.data.settings import DataConfig
    from gen.model_config import ModelConfig

    group, _, key = name.partition(".")
    kind = {"model": ModelConfig, "data": DataConfig}.get(group)
    new = getattr(kind, "RENAMED", {}).get(key)
    return f"{group}.{new}" if new else ""


def _nearest(name: str, names: set[str]) -> str:
    """The likeliest of `names`: the same word elsewhere, else the most alike."""
    last = name.rpartition(".")[2]
    names = {one for one in names if not name.startswith(f"{one}.")}  # it is asked for already
    elsewhere = sorted(one for one in names if one.rpartition(".")[2] == last)
    alike = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not alike:
        lasts = {one.rpartition(".")[2]: one for one in sorted(names)}
        alike = [lasts[word] for word in difflib.get_close_matches(last, lasts, n=1, cutoff=0.6)]
    return next(iter([*elsewhere, *alike]), "")
