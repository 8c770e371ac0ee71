"""Which tests `make test` leaves to `make thorough`, and why.

A test stands in `thorough.txt` where it costs much and others reach what it reaches (how that was
found: docs/decisions.md). It may still find what they do not, so every change has to pass it
(`.ci/run`); whoever only wants to know whether all is well need not wait for it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LIST = TESTS / "thorough.txt"


def listed() -> dict[str, int]:
    """Each test of the list (`room/test_file.py::test_name`) → how many of its cases stay."""
    lines = (line.partition("#")[0].split() for line in LIST.read_text("utf-8").splitlines())
    return {words[0]: int(words[1]) if words[1:] else 0 for words in lines if words}


def mark(items: list[pytest.Item]) -> None:
    """Mark those tests, but for the first cases of each that stay."""
    stay, seen = listed(), Counter[str]()
    for item in items:
        name = f"{item.path.relative_to(TESTS).as_posix()}::{item.originalname}"
        if name in stay and not item.get_closest_marker("slow"):
            seen[name] += 1
            if seen[name] > stay[name]:
                item.add_marker(pytest.mark.thorough)
