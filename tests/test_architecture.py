"""The map in docs/architecture.md is of the code that is there."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAP = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_every_file_that_the_map_names_is_there():
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", MAP)
    assert len(named) > 30
    missing = [name for name in named if not (ROOT / "src" / "gen" / name).is_file()]
    assert not missing


def test_the_map_has_every_room_that_the_import_rules_have():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["gen"]
    )
    rooms = {room for layer in layers for room in re.findall(r"\w+", layer)}
    floors = MAP.partition("| floor |")[2].partition("`src/starter/`")[0]
    on_the_map = set(re.findall(r"`(\w+)`", floors))
    apart = {"arithmetic"}  # a part of its rooms
    assert rooms - apart <= on_the_map | {"errors"}


@pytest.mark.parametrize("package", ["gen", "starter"])
def test_no_class_has_the_name_of_another(package):
    files = [path.read_text("utf-8") for path in (ROOT / "src" / package).rglob("*.py")]
    tops = (node for text in files for node in ast.parse(text).body)
    names = Counter(node.name for node in tops if isinstance(node, ast.ClassDef))
    assert len(names) > 20
    assert [name for name, n in names.items() if n > 1] == []
