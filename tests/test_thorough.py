"""The list of what `make test` leaves out names tests that there are, and none that must stay."""

from __future__ import annotations

import ast
import functools

import thorough

STAY = ("attacks/", "fuzz/", "test_readme.py", "training/test_shipped_rebuild.py")
"""What is tried against the gate, and what README claims, is tried by everybody."""


@functools.cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((thorough.TESTS / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_what_is_left_out_are_tests_that_may_be():
    named = [name.split("::") for name in thorough.listed()]
    assert [f"{file}::{test}" for file, test in named if test not in functions_of(file)] == []
    assert [file for file, _ in named if file.startswith(STAY) or "gate" in file] == []
