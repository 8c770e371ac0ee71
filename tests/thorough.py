"""Which tests `make test` leaves to `make thorough`, and why.

A test stands in `thorough.txt` where it costs much and others reach what it reaches (how that was
found: docs/decisions.md). It may still find what they do not, so every change has to pass it
(`.ci/run`); whoever only wants to know whether all is well need not wait for it. Of a property
of music `make test` tries a third of the examples.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings

TESTS = Path(__file__).parent
LIST = TESTS / "thorough.txt"

SHARE = 3
"""Of how many examples of a property one is tried where the thorough tests are left out."""
_left_out = True


def leave_out(expression: str) -> None:
    """Take in which tests are to run, before any test file is imported.

    Args:
        expression: over marks, as pytest's `-m` has it.
    """
    global _left_out
    _left_out = "not thorough" in expression


def examples(count: int, **more: Any) -> settings:
    """Hypothesis's settings of a property that is to hold for `count` examples, or for a share."""
    return settings(max_examples=math.ceil(count / SHARE) if _left_out else count, **more)


def listed() -> dict[str, int]:
    """Each test of the list (`room/test_file.py::test_name`) → how many of its cases stay."""
    lines = (line.partition("#")[0].split() for line in LIST.read_text("utf-8").splitlines())
    return {words[0]: int(words[1]) if words[1:] else 0 for words in lines if words}


def mark(items: list[pytest.Item]) -> None:
    """Mark those tests, but for the first cases of each that stay, and properties in full."""
    stay, seen = listed(), Counter[str]()
    for item in items:
        if item.get_closest_marker("slow"):
            continue
        name = f"{item.path.relative_to(TESTS).as_posix()}::{item.originalname}"
        seen[name] += 1
        is_in_full = not _left_out and is_hypothesis_test(getattr(item, "obj", None))
        if is_in_full or seen[name] > stay.get(name, math.inf):
            item.add_marker(pytest.mark.thorough)
