"""How what is learned grows with the model and with the music it has read.

Every model reads the same windows in the same order, each for its own number of steps with its
own schedule, and is measured on the validation works. Tempting as minutes are as an axis, in few
of them a larger model reads less and is behind; here each reads alike, and the time is given.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.options import add_plot, add_shared

if TYPE_CHECKING:
    from bench.corpus import Given, Sides

SIZES: dict[str, list[str]] = {
    "2 x 96": ["model.n_layer=2", "model.width=96"],
    "3 x 128": ["model.n_layer=3", "model.width=128"],
    "4 x 192": ["model.n_layer=4", "model.width=192"],
    "6 x 256": ["model.n_layer=6", "model.width=256"],
}
"""Name (layers x channels): its settings."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py scale`."""
    add = parser.add_argument
    add("--steps", default="200,400,800", help="budgets, with commas between them")
    add_shared(parser)
    add_plot(parser)


def run(args: argparse.Namespace, works: Sequence[Given] | None = None) -> dict[str, Any]:
    """Train each size for each budget, measure each.

    Args:
        args: as `arguments` declares them.
        works: to compare on; by default what the gate admits.
    """
    from bench.corpus import opened

    _, sides = opened(args.set, works)
    budgets = sorted(int(steps) for steps in args.steps.split(","))
    rows = [_trained(size, steps, args, sides) for size in SIZES for steps in budgets]
    plot(rows, args.out / "scale.png")
    return {
        "seed": args.seed,
        "shared": args.set,
        "corpus": sides.summary(),
        "models": rows,
        "falls_with_size": _falls(rows, "steps", "parameters"),
        "falls_with_steps": _falls(rows, "parameters", "steps"),
    }


def _trained(size: str, steps: int, args: argparse.Namespace, sides: Sides) -> dict[str, Any]:
    from bench.corpus import settings_of
    from bench.ours import Ours

    ours = Ours(settings_of([*args.set, *SIZES[size]]), sides.train, args.seed)
    ours.fit(None, [], lambda mark: None, steps=steps)
    bits = ours.bits(sides.validation) / sum(work.notes for work in sides.validation)
    print(f"{size:10} {steps:6} steps {bits:7.3f} bits per note", file=sys.stderr, flush=True)
    return {**ours.report(), "model": size, "notes": ours.notes, "validation_bits_per_note": bits}


def _falls(rows: Sequence[dict[str, Any]], fixed: str, along: str) -> bool:
    """Whether bits per note fall from each value of `along` to the next, wherever one looks."""
    lines = {row[fixed]: [r for r in rows if r[fixed] == row[fixed]] for row in rows}
    for line in lines.values():
        bits = [r["validation_bits_per_note"] for r in sorted(line, key=lambda r: r[along])]
        if any(later >= before for before, later in pairwise(bits)):
            return False
    return True


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw bits per note over the notes read, a line for each size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for size in dict.fromkeys(row["model"] for row in rows):
        line = [row for row in rows if row["model"] == size]
        label = f"{size}: {line[0]['parameters'] / 1e6:.1f} M parameters"
        bits = [row["validation_bits_per_note"] for row in line]
        axes.plot([row["notes"] for row in line], bits, marker="o", markersize=4, label=label)
    axes.set(xlabel="notes read while training", ylabel="bits per note", xscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path)
