"""Which plug-ins a run calls, judged before any of them is looked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gen.errors import SettingError
from gen.plugins import setting_of
from gen.provenance.records.plugin_record import Kind
from gen.settings import build

_NAME = re.compile(r"\w[\w.-]{0,99}")
_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True, slots=True)
class PluginConfig:
    """Entry points of installed packages that a run calls, see `gen.plugins`.

    Args:
        model: of `gen.models`: the network, in the shape that `model` says; None for our own.
        optimizer: of `gen.optimizers`; None for the one that `optimizer` says.
        tokenizer: of `gen.tokenizers`; None for the one that `tokenizer` says.
        callbacks: of `gen.callbacks`, in the order in which they are called.
        options: what each is called with, by its name.
    """

    model: str | None = None
    optimizer: str | None = None
    tokenizer: str | None = None
    callbacks: tuple[str, ...] = ()
    options: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def __post_init__(self) -> None:
        for kind, name in self.named:
            if not _NAME.fullmatch(name):
                raise SettingError(f"{name!r:.100} is no name", where=setting_of(kind))
        if len(set(self.callbacks)) < len(self.callbacks):
            raise SettingError("one is named twice", where="plugins.callbacks")
        names = {name for _, name in self.named}
        for name, _ in self.options:
            where = f"plugins.options.{name}"
            if name not in names:
                raise SettingError("no plug-in of this run has that name", where=where)
            if [kind for kind, each in self.named if each == name] == ["tokenizer"]:
                raise SettingError("a tokenizer of one's own takes no options", where=where,
                    mend="give it what it needs in its package")  # fmt: skip

    @property
    def named(self) -> list[tuple[Kind, str]]:
        """Every plug-in, as kind and name."""
        single: list[tuple[Kind, str | None]] = [
            ("model", self.model), ("optimizer", self.optimizer), ("tokenizer", self.tokenizer),
        ]  # fmt: skip
        return [(k, n) for k, n in single if n] + [("callback", name) for name in self.callbacks]

    def options_of(self, name: str) -> dict[str, Any]:
        """What a plug-in is called with."""
        return dict(dict(self.options).get(name, {}))


def read_plugins(values: Any) -> PluginConfig:
    """The group `plugins` of the composed settings.

    Raises:
        SettingError: a key is unknown, or a value of another type.
    """
    if not isinstance(values, Mapping):
        raise SettingError(f"{values!r} is no group of settings", where="plugins")
    rest = dict(values)
    options = rest.pop("options", None) or {}
    if not isinstance(options, Mapping):
        raise SettingError(f"{options!r:.100} is no group of settings", where="plugins.options")
    for name, chosen in options.items():
        _check_options(f"plugins.options.{name}", chosen)
    return build(PluginConfig, rest, where="plugins", options=tuple(sorted(options.items())))


def _check_options(where: str, chosen: Any) -> None:
    if not isinstance(chosen, Mapping):
        raise SettingError(f"{chosen!r:.100} is no group of settings", where=where)
    for name, value in chosen.items():
        each = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(one, _PLAIN) for one in each):
            raise SettingError("is no plain value, and no list of them", where=f"{where}.{name}")


def is_used(values: Any) -> bool:
    """Whether a group `plugins` names any: recipes of runs without one do not speak of it."""
    return isinstance(values, Mapping) and any(values.values())
