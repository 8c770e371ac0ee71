"""Settings from configuration files to frozen dataclasses, checked key by key."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from gen.errors import SettingError
from gen.harmony import nearest

T = TypeVar("T")
AUTO = "auto"
"""What leaves a setting to the machine at hand."""
CPU: Final = "cpu"
DEVICES: Final = (CPU, "cuda")
"""Where models compute that write or are measured."""


def build(kind: type[T], values: Mapping[str, Any], *, where: str = "", **given: object) -> T:
    """Build a settings dataclass from a mapping, nested ones too.

    Args:
        kind: a dataclass.
        values: its fields by name.
        where: dotted place of `values` in the configuration, for messages.
        given: fields that the configuration does not decide.

    Raises:
        SettingError: a key is unknown (the nearest known one is suggested), missing, or its
            value is of another type.
    """
    if not isinstance(values, Mapping):
        raise SettingError(f"{values!r} is no group of settings", where=where)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    result: dict[str, Any] = dict(given)
    for key, value in values.items():
        _refuse_old_name(kind, key, where)
        nearest(key, fields.keys() - given.keys(), setting=f"setting {where}".strip())
        result[key] = _value(hints[key], value, where=f"{where}.{key}".lstrip("."))
    for name, spec in fields.items():
        required = spec.default is spec.default_factory is dataclasses.MISSING
        if required and name not in result:
            raise SettingError("is missing", where=f"{where}.{name}".lstrip("."))
    return kind(**result)


def with_new_names(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values that an earlier version kept, by the names that their settings have now.

    A settings dataclass tells its earlier names in a class variable `RENAMED`, old to new.
    """
    new_names = getattr(kind, "RENAMED", {})
    return {new_names.get(name, name): value for name, value in values.items()}


def _refuse_old_name(kind: type[Any], key: str, where: str) -> None:
    new_names = getattr(kind, "RENAMED", {})
    if key in new_names:
        place = f"{where}.".lstrip(".")
        raise SettingError(
            f"is now called {place}{new_names[key]}", where=f"{place}{key}",
            mend=f"write {place}{new_names[key]}=…",
        )  # fmt: skip


def _value(hint: Any, value: Any, *, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where=where)
    return checked(hint, value, where=where)


def checked(hint: Any, value: Any, *, where: str) -> Any:
    """A value as its type has it: lists as tuples, whole numbers as floats.

    Args:
        hint: bool, int, float, str, `tuple[int, ...]`, or several of them, such as `int | None`.
        value: as the configuration has it.
        where: name of the setting.

    Raises:
        SettingError: it is of another type, in the words of whoever set it.
    """
    kinds = _kinds(hint)
    if not any(_is(kind, value) for kind in kinds):
        shown = {"True": "true", "False": "false", "None": "null"}.get(repr(value), repr(value))
        asked = ", ".join(_not_a(kind) for kind in kinds if kind is not types.NoneType)
        mend = "give one, or leave it out" if types.NoneType in kinds else ""
        if isinstance(value, str) and any(typing.get_origin(kind) is tuple for kind in kinds):
            mend = f"write it in brackets: {where}=[{value}]"
        raise SettingError(f"{shown} is {asked}", where=where, mend=mend)
    if float in kinds and _is(int, value):
        return float(value)
    return tuple(value) if isinstance(value, list) else value


def _kinds(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _is(kind: Any, value: Any) -> bool:
    if typing.get_origin(kind) is tuple:
        each = _kinds(typing.get_args(kind)[0])
        is_list = isinstance(value, list | tuple)
        return is_list and all(any(_is(one, item) for one in each) for item in value)
    if isinstance(value, bool):  # which is a number to Python alone
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


_WORDS = {int: "whole number", float: "number", str: "text"}


def _not_a(kind: Any) -> str:
    if kind is bool:
        return "neither true nor false"
    if typing.get_origin(kind) is tuple:
        each = _kinds(typing.get_args(kind)[0])
        return f"no list of {' or '.join('names' if k is str else f'{_WORDS[k]}s' for k in each)}"
    return f"no {_WORDS[kind]}"
