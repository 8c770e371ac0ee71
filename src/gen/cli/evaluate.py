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
        HouseError: a setting is wrong, or there is no such checkpoint.
    """
    from gen.evaluation.settings import read_settings

    *_, names = read_settings(settings)
    for name in names:
        if name != "last" and not Path(name).exists():
            raise HouseError("no such checkpoint", where=name,
                mend="train one with scripts/train.py, or name another with checkpoint=FILE",
            )  # fmt: skip


def evaluate(settings: dict[str, Any], overrides: Sequence[str]) -> None:
    """One evaluation, a listening test, or artists told apart."""
    from gen.evaluation import run

    measure = run.evaluate if settings["listening"] is None else run.listen
    found = run.tell_apart(settings) if settings["artists"] else measure(settings)
    print(json.dumps(found, indent=2) if isinstance(found, dict) else found)
