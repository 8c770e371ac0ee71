"""A house that is asked by command, whose keys are at hand."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner

SCRIPTS = Path(__file__).parents[1] / "scripts"
QUICK = ("--kdf-cost", "10", "--yes")


class CommandedHouse:
    """Runs `house.py` on a house in `house`, or on another; each call returns what it said."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(SCRIPTS))
        monkeypatch.chdir(folder)
        self._main = importlib.import_module("house").main
        self("init", "--name", "lantern", "--one-person", "--person", "ana:composer", *QUICK)

    def __call__(self, *words: object, code: int = 0, folder: str = "house") -> str:
        done = CliRunner().invoke(self._main, [*map(str, words), "--house", folder])
        assert done.exit_code == code, (done.output, done.stderr, done.exception)
        return f"{done.stdout}\n{done.stderr}"

    def enroll(self, person: str, folder: str = "house") -> None:
        self("enroll", person, "--role", "composer", *QUICK, folder=folder)

    def log_key(self, folder: str = "house") -> str:
        lines = Path(folder, "pin.yaml").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("log:")).split('"')[1]
