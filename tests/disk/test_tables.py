"""Cells that a spreadsheet would run are kept as text, and read back as they were."""

from pathlib import Path

import pytest

from gen.contribution import Facts, read_sidecar, write_sidecar
from gen.disk.tables import as_text, from_text

FORMULAS = ("=1+1", "+1", "-2", "@SUM(A1)", "\t=1", " =cmd|' /C calc'!A0", "\r=1", "'=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_formula_is_kept_as_text_and_read_back(text: str) -> None:
    assert as_text(text)[0] == "'"
    assert from_text(as_text(text)) == text.removeprefix("'") or text[0] != "'"


@pytest.mark.parametrize("text", ["", "rain", "a=b", "'tis", "5", "12-8", "C# minor"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert (as_text(text), from_text(text)) == (text, text)


def test_sidecar_with_a_title_and_a_name_that_are_formulas(tmp_path: Path) -> None:
    file = tmp_path / "=rain.mid"
    file.write_bytes(b"")
    write_sidecar(tmp_path / "works.csv", {file: Facts(title='=HYPERLINK("x")')})
    text = (tmp_path / "works.csv").read_text("utf-8-sig")
    assert not any(cell.startswith("=") for line in text.splitlines() for cell in line.split(","))
    ((path, facts),) = read_sidecar(tmp_path / "works.csv").items()
    assert (path, facts.title) == (file.resolve(), '=HYPERLINK("x")')
