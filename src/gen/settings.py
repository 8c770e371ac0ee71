"""Settings from configuration files to frozen dataclasses, checked key by key."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from gen.errors import SettingError
from gen.harmony import nearest

T = TypeVar("T")


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
        nearest(key, fields.keys() - given.keys(), setting=f"setting {where}".strip())
        result[key] = _value(hints[key], value, where=f"{where}.{key}".lstrip("."))
    for name, spec in fields.items():
        required = spec.default is spec.default_factory is dataclasses.MISSING
        if required and name not in result:
            raise SettingError("is missing", where=f"{where}.{name}".lstrip("."))
    return kind(**result)


def _value(hint: Any, value: Any, *, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where=where)
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if typing.get_origin(hint) is tuple:  # what a list holds is checked by who reads it
        if not isinstance(value, list | tuple):
            raise SettingError(f"{value!r} is no list", where=where)
        return tuple(value)
    if isinstance(value, list | tuple) and any(typing.get_origin(a) is tuple for a in allowed):
        return tuple(value)
    plain = tuple(kind for kind in allowed if isinstance(kind, type))
    if plain and (not isinstance(value, plain) or (isinstance(value, bool) and bool not in plain)):
        names = " or ".join(kind.__name__ for kind in plain)
        raise SettingError(f"{value!r} is no {names}", where=where)
    return value
