"""Training runs that take a moment: a model of a few weights, started as a researcher would."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

# Lightning starts this file again for a second process, which finds no neighbours by itself.
sys.path.append(str(Path(__file__).parent))
from prepared import prepared, quick_subprocess

TRAIN = Path(__file__).resolve().parents[1] / "scripts" / "train.py"
SECRET = "secret-of-the-user"  # noqa: S105 - the name of a file
GAUGED = {"_SECONDS": 0.001, "_SIDE": 64}
"""For how long and by what product a machine's speed is measured where nobody looks at it."""
SETTINGS = (
    "model=tiny model.n_layer=1 model.width=16 model.n_head=1 model.mlp_ratio=2 model.context=128 "
    "model.dropout=0.0 data.training_window=32 data.batch_size=4 data.split.validation=0.2 "
    "data.split.test=0.2 trainer.accelerator=cpu trainer.max_steps=3 trainer.val_check_interval=3 "
    "logger=csv"
)


def command(*words: str) -> list[str]:
    """`python scripts/train.py words`, with the user's secret in the working folder."""
    return prepared(__file__, *SETTINGS.split(), *words)


def environment() -> dict[str, str]:
    return {**os.environ, "HOUSE_CACHE": "off", "OMP_NUM_THREADS": "1"}


def start(folder: Path, *words: str) -> subprocess.Popen:
    """The command line in a process of its own."""
    return subprocess.Popen(
        command(*words), cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def settings_of(pin: Path, *words: str) -> dict[str, Any]:
    """The settings of a tiny run, as `gen.training.run.train` takes them."""
    with initialize_config_dir(str(TRAIN.parents[1] / "conf"), version_base="1.3"):
        config = compose("train", [*SETTINGS.split(), f"pin={pin}", *words])
    return OmegaConf.to_container(config, resolve=True)


@dataclass
class Done:
    code: int
    stdout: str
    stderr: str


def call(script: Path, *words: str) -> Done:
    """A script in this process, as `python script words` would run it."""
    out, talk, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(script), *words])
        patch.syspath_prepend(script.parent)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(talk):
            try:
                runpy.run_path(str(script), run_name="__main__")
            except SystemExit as error:
                code = int(error.code or 0)
            finally:
                _close_logs()
    return Done(code, out.getvalue(), talk.getvalue())


def _close_logs() -> None:
    """What a process that ends closes: the run's own log file."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, logging.FileHandler):
            root.removeHandler(handler)
            handler.close()


def train(*words: str, first: str = "") -> Done:
    """A tiny run by command line, in this process; `first` goes before all settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GAUGED.items():
            patch.setattr(f"gen.training.gauges.{name}", value)
        return call(TRAIN, *first.split(), *SETTINGS.split(), *words)


if __name__ == "__main__":
    from lightning.pytorch.strategies.launchers import subprocess_script
    from lightning.pytorch.utilities import rank_zero_only

    from gen.disk import seals
    from gen.training import gauges

    vars(gauges).update(GAUGED)
    seals.secret_path = lambda: Path(SECRET).absolute()
    sys.path[0] = str(TRAIN.parent)
    subprocess_script.subprocess = quick_subprocess  # for a second process beside this one
    rank_zero_only.rank = int(os.environ.get("LOCAL_RANK", "0"))  # read as Lightning is imported
    # Not by runpy: processes that this one starts must start here too, for their secret.
    exec(compile(TRAIN.read_text("utf-8"), str(TRAIN), "exec"))  # noqa: S102 - our own script
