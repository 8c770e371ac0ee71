"""Options that comparisons share."""

from __future__ import annotations

import argparse
import math
from pathlib import Path


def above_0(text: str) -> float:
    """A number above 0; argparse says what is wrong with another."""
    if not 0 < (value := float(text)) < math.inf:
        raise ValueError
    return value


def count(text: str) -> int:
    """A whole number above 0."""
    if (value := int(text)) < 1:
        raise ValueError
    return value


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Declare `--set` and `--seed`."""
    add = parser.add_argument
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of scripts/train.py that all share, such as model=tiny")  # fmt: skip
    add("--seed", type=int, default=1)


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Declare `--out`."""
    parser.add_argument(
        "--out", type=Path, default=Path("out/benchmark"), help="folder of the plot"
    )
