"""The command that trains a run's model anew, from the settings that the log has of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gen.cli.quoting import BARE, quoted
from gen.places import CONF
from gen.provenance.history.runs import Run


def retraining(run: Run, pin: Path) -> str:
    """A command line with the settings of a run, but for those that are as shipped; "" without any.

    What may be learned from is judged anew when it is called: works that were withdrawn since, or
    whose terms do not grant it any more, are left out.

    Args:
        run: of the log.
        pin: of its house.
    """
    if run.begin is None or not run.begin.recipe:
        return ""
    usual = dict(_leaves(_shipped()))
    asked = [
        f"{name}={_spelled(value)}"
        for name, value in _leaves(json.loads(run.begin.recipe))
        if name not in usual or usual[name] != value
    ]
    name = f"{run.name.split('/')[0]}-again"
    words = ["python", "scripts/train.py", f"pin={_spelled(str(pin))}", f"name={name}", *asked]
    return shlex.join(words)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _spelled(value: Any) -> str:
    """A value as Hydra reads it."""
    if isinstance(value, str):
        return value if BARE.fullmatch(value) else quoted(value)
    return json.dumps(value)


def _shipped() -> dict[str, Any]:
    """What `train.py` does when nothing is asked, as far as the files say it in plain values."""
    found: dict[str, Any] = _read(CONF / "train.yaml")
    for choice in found.pop("defaults"):
        group, name = next(iter(choice.items())) if isinstance(choice, dict) else ("", None)
        if name is not None:
            found[group] = _read(CONF / group / f"{name}.yaml")
    return found


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found
