"""Runs that the log of a house of six works has, and their rebuilding by command."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from houses import TestHouse, keep_machine_key, start_house
from tiny_runs import SECRET, SETTINGS, train

RUN = (
    "trainer.max_steps=6", "trainer.val_check_interval=3", "trainer.mark_every=2",
    "trainer.precision=32", "trainer.compile=false", "trainer.keep_states=3",
    "model.dropout=0.1", "logger=none",
)  # fmt: skip

FROM_A_BASE = [word for word in (*SETTINGS.split(), *RUN) if not word.startswith("model")]
"""Settings of a run that begins with a model, whose shape it takes."""


@contextlib.contextmanager
def kept_apart(folder: Path) -> Iterator[None]:
    """Secret and keys in a folder, no caches: for a house that many tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gen.disk.seals.secret_path", lambda: folder / SECRET)
        patch.setenv("HOUSE_CACHE", "off")
        patch.setenv("HOUSE_KEYS", str(folder / "keys"))
        yield


@dataclass
class Trained:
    """A house, and the folder of a run on its works."""

    house: TestHouse
    folder: Path

    @property
    def last(self) -> Path:
        return self.folder / "last.safetensors"

    def ask(self, *words: object) -> tuple[int, str]:
        """Exit code and words of `house.py` about the run's last model."""
        main = importlib.import_module("gen.cli.house").main
        done = CliRunner().invoke(main, [*map(str, words), "--pin", str(self.house.pin.path)])
        assert done.exit_code in (0, 2), (done.output, done.exception)
        return done.exit_code, done.output

    def rebuild(self, *words: object) -> tuple[int, str]:
        return self.ask("rebuild", self.last, *words)


def trained(folder: Path, *words: str, house: TestHouse | None = None) -> Trained:
    """A run of three segments by `train.py`, on six works unless a house is given."""
    if house is None:
        house = start_house(folder / "house")
        house.enter(1, 2, 3, 4, 5, 6)
        keep_machine_key()
    done = train(*RUN, f"pin={house.pin.path}", f"hydra.run.dir={folder / 'run'}", *words)
    assert done.code == 0, done.stderr
    assert "recorded: run" in done.stderr
    return Trained(house, folder / "run")
