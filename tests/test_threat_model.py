"""Each line of the threat model names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "threat-model.md"
ROW = re.compile(r"^\|.*\| ([^|]*) \|$", re.MULTILINE)


def names() -> list[tuple[str, str]]:
    """File ("" where only a function is named) and function ("" where only a file is)."""
    text = PAGE.read_text("utf-8")
    found = []
    for cell in ROW.findall(text[text.index("## Prevented") :]):
        file = ""
        for name in re.findall(r"`([^`]+)`", cell):
            named, _, function = name.rpartition("::")
            is_file = not named and ("/" in name or name.endswith(".py") or exists(name))
            file = named or (name if is_file else "" if not name.startswith("::") else file)
            found.append((file, "" if is_file else function))
    return found


def exists(name: str) -> bool:
    return bool(places(name))


def places(name: str) -> list[Path]:
    stem = name.removesuffix(".py") + ".py"
    return [path for path in (TESTS / stem, TESTS / "attacks" / stem) if path.is_file()]


@pytest.mark.parametrize(("file", "function"), names())
def test_what_the_threat_model_names_is_there(file, function):
    files = places(file) if file else sorted((TESTS / "attacks").glob("test_*.py"))
    assert files, file
    if function:
        assert any(f"def {function}(" in path.read_text("utf-8") for path in files), function


def test_every_line_of_what_is_prevented_or_noticed_names_one():
    text = PAGE.read_text("utf-8")
    part = text[text.index("## Prevented") : text.index("## Neither")]
    rows = [cell for cell in ROW.findall(part) if cell not in ("test", "---")]
    lacking = [cell for cell in rows if "`" not in cell]
    assert len(rows) > 50
    assert lacking == []
