from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from gen.errors import SettingError
from gen.settings import build, with_new_names


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    name: str | None = None


@dataclass(frozen=True)
class Outer:
    size: int
    deep: Inner = field(default_factory=Inner)
    words: tuple[str, ...] = ()
    is_open: bool = False
    limit: int | None = None
    either: bool | str = True
    each: int | tuple[int, ...] = 1
    secret: int = 7


def test_values_become_the_dataclass_nested_ones_too():
    values = {"size": 3, "deep": {"rate": 0.25, "name": "a"}, "words": ["x", "y"], "is_open": True}
    assert build(Outer, values) == Outer(3, Inner(0.25, "a"), ("x", "y"), True)


def test_what_is_left_out_has_its_default():
    assert build(Outer, {"size": 3}) == Outer(3)


def test_a_whole_number_will_do_for_a_float_and_stays_none_of_it():
    rate = build(Inner, {"rate": 1}).rate
    assert (rate, type(rate)) == (1.0, float)


def test_what_the_configuration_does_not_decide_is_given():
    assert build(Outer, {"size": 3}, secret=9).secret == 9


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sise": 3}, r"setting: unknown setting 'sise'\n.*did you mean 'size'\?"),
        ({"size": 3, "deep": {"rat": 1}}, r"unknown setting deep 'rat'\n.*did you mean 'rate'\?"),
        ({}, "^size: is missing"),
        ({"size": "3"}, "^size: '3' is no whole number$"),
        ({"size": 3.0}, "^size: 3.0 is no whole number$"),
        ({"size": True}, "^size: true is no whole number$"),
        ({"size": 3, "is_open": 1}, "^is_open: 1 is neither true nor false$"),
        (
            {"size": 3, "limit": "no"},
            "^limit: 'no' is no whole number\n.*: give one, or leave it out$",
        ),
        ({"size": 3, "deep": {"rate": "fast"}}, "^deep.rate: 'fast' is no number$"),
        ({"size": 3, "deep": {"rate": True}}, "^deep.rate: true is no number$"),
        ({"size": 3, "deep": 4}, "^deep: 4 is no group of settings"),
        ({"size": 3, "words": [["x"]]}, r"^words: \[\['x'\]\] is no list of names$"),
        ({"size": 3, "words": [None]}, r"^words: \[None\] is no list of names$"),
        ({"size": 3, "either": 0.5}, "^either: 0.5 is neither true nor false, no text$"),
        ({"size": 3, "each": ["x"]}, r"is no whole number, no list of whole numbers$"),
        ({"size": 3, "words": "xyz"}, r"^words: 'xyz' is no list of names\n.*: words=\[xyz\]$"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_place(values, message):
    with pytest.raises(SettingError, match=message):
        build(Outer, values)


def test_the_place_begins_where_the_settings_were_found():
    with pytest.raises(SettingError, match=r"^data\.deep\.name: 3 is no text"):
        build(Outer, {"size": 1, "deep": {"name": 3}}, where="data")


def test_a_given_field_is_not_the_configurations_to_set():
    with pytest.raises(SettingError, match="unknown setting 'secret'"):
        build(Outer, {"size": 3, "secret": 1}, secret=9)


def test_none_passes_where_it_is_allowed_and_only_there():
    assert build(Outer, {"size": 3, "limit": None}).limit is None
    with pytest.raises(SettingError, match="size: null is no whole number"):
        build(Outer, {"size": None})


@dataclass(frozen=True)
class Renamed:
    RENAMED: ClassVar[dict[str, str]] = {"size": "width"}

    width: int


def test_an_earlier_name_is_refused_with_the_new_one():
    with pytest.raises(SettingError, match=r"model\.size: is now called model\.width"):
        build(Renamed, {"size": 3}, where="model")
    assert build(Renamed, with_new_names(Renamed, {"size": 3})) == Renamed(3)
