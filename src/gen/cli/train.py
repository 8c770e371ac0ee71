"""Train a model on the house's works: python scripts/train.py experiment=demo [key=value …].

Settings are key=value; --help explains them all. Nothing is trained on that the gate has not
admitted; a refused file ends the run before the first step, exit code 2.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen.arithmetic import begin_portably
from gen.cli.explained import begin
from gen.errors import HouseError, SettingError
from gen.terminal import failures_said


def main() -> None:
    """What `gen-train` and `scripts/train.py` do."""
    with failures_said():
        begin("train", __doc__)  # before anything that takes a while is imported
        from gen.cli.door import enter

        enter("train", judge, train, sys.argv[1:])


def judge(settings: dict[str, Any], overrides: Sequence[str]) -> None:
    """Refuse settings that no run could have, before torch is loaded.

    Raises:
        SettingError: one is unknown, of another kind, out of its range or contradicts another.
    """
    from gen.training.settings.run_settings import read_settings

    chosen = read_settings(settings)
    if chosen.run.init:
        _check_shape_is_free(overrides)
    if chosen.trainer.is_portable:
        begin_portably("train", "gen-train")  # before a folder is made for the run


def _check_shape_is_free(overrides: Sequence[str]) -> None:
    """The model that a run begins with has a shape already.

    Raises:
        SettingError: another is asked for.
    """
    for override in overrides:
        name = override.partition("=")[0].lstrip("+")
        if name.partition(".")[0] == "model" and name != "model.dropout":
            raise SettingError(
                "init takes the shape of the model that it begins with", where=name,
                mend="leave it out; model.dropout alone may be another",
            )  # fmt: skip


def train(settings: dict[str, Any], overrides: Sequence[str]) -> float:
    """One run, or a range test; what it returns is what a sweep looks at."""
    check_here(settings)
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from gen.training import run
    from gen.training.messages import report, say
    from gen.training.resume import resume_path_in_sweep

    hydra = HydraConfig.get()
    out = Path(hydra.runtime.output_dir)
    if settings["ckpt"] == "last" and hydra.mode == RunMode.MULTIRUN:
        found = resume_path_in_sweep(
            out, list(hydra.overrides.task), str(hydra.output_subdir), settings
        )
        say(f"goes on from {found}" if found else "this job has left nothing to go on from: anew")
        settings = {**settings, "ckpt": str(found) if found else None}
    if settings.get("find_lr"):
        from gen.training.rates import find_rates

        report(json.dumps(find_rates(settings, out), indent=2))
        return math.nan
    result = run.train(settings, out, listeners=_listeners(settings))
    report(json.dumps(result, indent=2))
    if result["interrupted"]:
        sys.exit(130)
    best = result["best_bits_per_note"]
    return math.nan if best is None else float(best)  # too short a run was never validated


def check_here(settings: dict[str, Any]) -> None:
    """Refuse what this machine can tell at once that it does not have.

    Raises:
        HouseError: the pin, the checkpoint to resume, a plug-in, so many devices or so much memory.
    """
    from gen.plugins import find
    from gen.processes import cores, memory
    from gen.provenance.records.pin import load_pin
    from gen.training.settings.run_settings import check_memory, read_settings
    from gen.training.settings.trainer_settings import check_count, check_gpu

    chosen = read_settings(settings)
    pin = load_pin(Path(chosen.run.pin))
    if not pin.dir.is_dir():
        raise HouseError("there is no house", where=str(pin.dir),
            mend="name the trust pin of one: pin=FILE")  # fmt: skip
    if chosen.run.ckpt not in (None, "last") and not Path(str(chosen.run.ckpt)).is_file():
        raise HouseError("no such checkpoint", where=str(chosen.run.ckpt),
            mend="ckpt=last takes the newest")  # fmt: skip
    for kind, name in chosen.plugins.named:
        find(kind, name)  # nothing of it is imported yet
    if chosen.run.init and not Path(chosen.run.init).is_file():
        raise HouseError("no such model", where=chosen.run.init,
            mend="init=FILE names one that a run has left; init=none begins with the seed's",
        )  # fmt: skip
    if not (may_have_gpu := _may_have_gpu()):
        check_gpu(chosen.trainer, is_here=False)
    if on_cpu := chosen.trainer.accelerator == "cpu" or not may_have_gpu:
        check_count(chosen.trainer, max(2, cores()), "processors")
    if here := memory():
        check_memory(chosen, here, on_cpu=on_cpu)


def _may_have_gpu() -> bool:
    """Whether there may be one, as far as can be told without PyTorch."""
    is_linux = sys.platform == "linux"
    drivers = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    return not is_linux or any(map(os.path.exists, drivers)) or bool(shutil.which("nvidia-smi"))


def _listeners(settings: dict[str, Any]) -> list[Any]:
    """What shows and plays new pieces while the model learns, where the settings ask for it."""
    from gen.training.settings.run_settings import read_settings

    chosen = read_settings(settings)
    if not chosen.logger.pieces:
        return []
    from gen.studio.listening import Listening

    return [Listening(chosen.logger.pieces, chosen.logger.pieces_every, chosen.run.seed)]
