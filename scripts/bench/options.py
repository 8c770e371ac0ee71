"""Options that comparisons share."""

from __future__ import annotations

import argparse
from pathlib import Path


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
