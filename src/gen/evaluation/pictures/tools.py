"""What the pictures are made with: figures with their intervals, in the house's colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gen.evaluation.interval import Figure as Value
from gen.rendering.colours import INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]

GENERATED, HELD_OUT, TRAIN, GREY = "#d14a00", "#0a4f8f", "#12977a", "#8a857c"
CHECKPOINTS = (GENERATED, "#7a5cc0", "#c2609a", "#dd9400", "#3f9fd8", "#8c6d3f")
SIDES = {"generated": GENERATED, "reference": HELD_OUT, "train": TRAIN}
SIDE_NAMES = {
    "generated": "generated",
    "reference": "works held out",
    "train": "works learned from",
}


def figure(width: float, height: float) -> Figure:
    """An empty figure; inches."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.06, wspace=0.03)
    return Figure(figsize=(width, height), layout=layout)


def style(axis: Axes, title: str = "", *, across: str = "", up: str = "") -> None:
    """Give an axis its title, its labels and the quiet look of the house."""
    axis.set_facecolor(PAPER)
    axis.set_title(title, loc="left", fontsize=10, color=INK.text, pad=8)
    axis.set_xlabel(across, fontsize=8.5, color=INK.soft)
    axis.set_ylabel(up, fontsize=8.5, color=INK.soft)
    axis.tick_params(labelsize=8.5, colors=INK.text, length=0)
    axis.grid(True, axis="x" if not up else "y", color=INK.faint, linewidth=0.8)
    axis.set_axisbelow(True)
    for side in axis.spines.values():
        side.set_visible(False)


def point(
    axis: Axes, place: float, value: Value | None, colour: str, *, label: str | None = None,
    marker: str = "o", upright: bool = False,
) -> None:  # fmt: skip
    """A figure with its interval; nothing where there is none."""
    if not value or value["value"] is None:
        return
    low, high = value["low"], value["high"]
    if low is not None:
        ends, places = [low, high], [place, place]
        axis.plot(
            *((places, ends) if upright else (ends, places)),
            color=colour, linewidth=2, alpha=0.45, solid_capstyle="round", zorder=2,
        )  # fmt: skip
    spot = (place, value["value"]) if upright else (value["value"], place)
    axis.plot(*spot, marker, color=colour, markersize=6, label=label, zorder=3, clip_on=False)


def names_down(axis: Axes, names: Sequence[str]) -> None:
    """Names down the left, the first at the top."""
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(axis="y", pad=9)
    axis.set_ylim(len(names) - 0.4, -0.6)


def legend(axis: Axes, **options: Any) -> None:
    """Name each colour once; `options` are matplotlib's."""
    handles, labels = axis.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        axis.legend(
            unique.values(),
            unique.keys(),
            fontsize=8,
            frameon=False,
            labelcolor=INK.text,
            **options,
        )


def colours(report: Report) -> dict[str, str]:
    """Colour of each rung: checkpoints in turn, baselines grey."""
    checkpoints = [rung["name"] for rung in report["rungs"] if not rung["baseline"]]
    chosen = {name: CHECKPOINTS[i % len(CHECKPOINTS)] for i, name in enumerate(checkpoints)}
    return {rung["name"]: chosen.get(rung["name"], GREY) for rung in report["rungs"]}


def checkpoints(report: Report, part: str) -> dict[str, Any]:
    """A part of the checkpoints alone."""
    named = [rung["name"] for rung in report["rungs"] if not rung["baseline"]]
    found = report.get(part, {})
    found = found.get("rungs", found)
    return {name: found[name] for name in named if found.get(name)}


def several(axes: Any) -> list[Axes]:
    """One axis or many, as a list."""
    return list(np.atleast_1d(axes).ravel())
