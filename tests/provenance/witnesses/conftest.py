"""A house that is asked by command, whose keys are at hand."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner

SCRIPTS = Path(__file__).parents[3] / "scripts"
QUICK = ("--kdf-cost", "10", "--yes")


@pytest.fixture
def house(tmp_path, monkeypatch, own_keys):
    """Run `house.py` on a house in `house`, or on another; returns what it said."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.chdir(tmp_path)
    main = importlib.import_module("house").main

    def run(*words, code=0, folder="house"):
        done = CliRunner().invoke(main, [*map(str, words), "--house", folder])
        assert done.exit_code == code, (done.output, done.stderr, done.exception)
        return f"{done.stdout}\n{done.stderr}"

    def enroll(person, folder="house"):
        run("enroll", person, "--role", "composer", *QUICK, folder=folder)

    def log_key(folder="house"):
        lines = Path(folder, "pin.yaml").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("log:")).split('"')[1]

    run.enroll, run.log_key = enroll, log_key
    run("init", "--name", "lantern", "--one-person", "--person", "ana:composer", *QUICK)
    return run
