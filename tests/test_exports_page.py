"""docs/exports.md shows what is really said of files as programs write them.

After a wanted change: REWRITE_GUIDE=1 python -m pytest tests/test_exports_page.py, and read the
diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from exported_files import EXPORTS
from gen.cli.contribute import main
from houses import start_house

PAGE = Path(__file__).parents[1] / "docs" / "exports.md"
HEADING = """\
# What is said of files as programs write them

Sequencers, notation programs and libraries write Standard MIDI Files in many ways. Each line is a
small file with one of them in it, and all that `contribute.py --check` says of it: what is mended
before the composer signs, what they should look at, or why it cannot be taken and what to do. A
test writes the files and this page; no piece of anybody's is among them.

| file | what is said |
|---|---|
"""
MOST_LINES = 12


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Of each file by its name: what became of it, and the lines that follow."""
    folder = tmp_path_factory.mktemp("exports")
    for name, _, data in EXPORTS:
        (folder / f"{name}.mid").write_bytes(data)
    house = start_house(folder / "house", pin_path=folder / "house" / "pin.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HOUSE", str(house.folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        found = CliRunner().invoke(main, ["--check", *(f"{name}.mid" for name, _, _ in EXPORTS)])
    assert not isinstance(found.exception, Exception), found.output
    answers: dict[str, list[str]] = {}
    for line in found.output.splitlines():
        if match := re.fullmatch(r"([\w-]+)\.mid: (.*)", line):
            lines = answers[match[1]] = [match[2]]
        elif line.startswith("  ") and "to be stated before" not in line:
            lines.append(line.strip())
    return answers


def page(said: dict[str, list[str]]) -> str:
    rows = [f"| {shows} | {_cell(said[name])} |" for name, shows, _ in EXPORTS]
    return HEADING + "\n".join(rows) + "\n"


def _cell(lines: list[str]) -> str:
    shown = [*lines[:MOST_LINES], *(["…"] if len(lines) > MOST_LINES else [])]
    return "<br>".join(shown).replace("|", "\\|")


def test_the_page_shows_what_is_said_of_every_file(said) -> None:
    if "REWRITE_GUIDE" in os.environ:
        PAGE.write_text(page(said), "utf-8")
    assert PAGE.read_text("utf-8") == page(said)


def test_what_is_refused_says_how_to_mend_it_and_what_is_taken_has_bars(said) -> None:
    assert said.keys() == {name for name, _, _ in EXPORTS}
    for name, lines in said.items():
        wanted = "to mend it: " if lines[0].startswith("refused") else " bars, "
        assert any(wanted in line for line in lines), name


def test_no_word_of_pythons_reaches_a_musician(said) -> None:
    for name, lines in said.items():
        for word in ("b'", "None", "Error", "\\x"):
            assert word not in " ".join(lines), name


def test_one_kind_of_change_is_told_in_one_line(said) -> None:
    for name, lines in said.items():
        assert sum(line.startswith("changed:") for line in lines) <= 4, name
