"""Measure what checkpoints are worth: python scripts/evaluate.py checkpoint=FILE [fast=true].

Settings are key=value; --help explains them all. Several checkpoints are compared:
checkpoint=[a.safetensors,b.safetensors]. Written below out=: report.html (offline, pictures
inside), report.json, plots/, and parts/ with what is finished; the same command goes on from
there. listening=FOLDER makes a blind listening test instead, or counts its ratings; artists=true
says how well the models of several artists are told apart.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen.cli.explained import begin
from gen.errors import HouseError
from gen.terminal import failures_said


def main() -> None:
    """What `gen-evaluate` and `scripts/evaluate.py` do."""
    with failures_said():
        begin("evaluate", __doc__)  # before anything that takes a while is imported
        from gen.cli.door import enter

        enter("evaluate", judge, evaluate, sys.argv[1:])


def judge(settings: dict[str, Any], overrides: Sequence[str]) -> None:
    """Refuse what no evaluation could be asked, before torch is loaded.

    Raises:
        SettingError: one is unknown, of another kind, out of its range or contradicts another.
    """
    from gen.evaluation.settings import read_settings

    read_settings(settings)


def evaluate(settings: dict[str, Any], overrides: Sequence[str]) -> None:
    """One evaluation, a listening test, or artists told apart."""
    check_here(settings)
    from gen.evaluation import run

    measure = run.evaluate if settings["listening"] is None else run.listen
    found = run.tell_apart(settings) if settings["artists"] else measure(settings)
    print(json.dumps(found, indent=2) if isinstance(found, dict) else found)


def check_here(settings: dict[str, Any]) -> None:
    """Refuse files that are not there, while nothing that takes a while is loaded.

    Raises:
        HouseError: there is no such pin, or no such checkpoint.
    """
    from gen.evaluation.settings import read_settings
    from gen.provenance.records.pin import load_pin

    config, *_, names = read_settings(settings)
    load_pin(Path(config.pin))
    for name in names:
        if name != "last" and not _is_there(name):
            raise HouseError("no such checkpoint", where=name,
                mend="train one with scripts/train.py, or name another with checkpoint=FILE",
            )  # fmt: skip


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # too long for a name
        return False
