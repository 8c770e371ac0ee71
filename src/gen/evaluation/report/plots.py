"""Pictures as data: panels of points, curves, bars, spans and squares, and one way to draw each.

Points are figures, lines through them their 95 % intervals. Generated music is orange (further
checkpoints have colours of their own), works held out are blue, works learned from are green,
whatever is only there to compare with is grey.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen.png import png_of
from gen.rendering.colours import INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]

GENERATED, HELD_OUT, TRAIN, GREY = "#d14a00", "#0a4f8f", "#12977a", "#8a857c"
CHECKPOINTS = (GENERATED, "#7a5cc0", "#c2609a", "#dd9400", "#3f9fd8", "#8c6d3f")
BAND = "#dcd7ce"


def colours(report: Report) -> dict[str, str]:
    """Colour of each model: checkpoints in turn, baselines grey."""
    names = [model["name"] for model in report["models"] if not model["baseline"]]
    chosen = {name: CHECKPOINTS[i % len(CHECKPOINTS)] for i, name in enumerate(names)}
    return {model["name"]: chosen.get(model["name"], GREY) for model in report["models"]}


def checkpoints(report: Report, part: str) -> dict[str, Any]:
    """What a part found of the checkpoints, by name; baselines are left out."""
    found = report.get(part, {})
    found = found.get("models", found)
    names = [model["name"] for model in report["models"] if not model["baseline"]]
    return {name: found[name] for name in names if found.get(name)}


@dataclass(frozen=True, kw_only=True)
class Panel(ABC):
    """What every panel has.

    Attributes:
        title: above it.
        across, up: what its axes count.
        legend: `matplotlib`'s placing of a legend, None for no legend.
    """

    title: str = ""
    across: str = ""
    up: str = ""
    legend: Mapping[str, Any] | None = None

    @abstractmethod
    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""


def below(x: float = 0.4, y: float = -0.1, columns: int = 4) -> dict[str, Any]:
    """A legend under the axis."""
    return {"loc": "upper center", "bbox_to_anchor": (x, y), "ncols": columns}


@dataclass(frozen=True)
class Picture:
    """Panels side by side; `across` in a row, all of them where it is None.

    Attributes:
        name: of its file.
        caption: a sentence.
        size: width and height in inches.
        panels: from the left.
        widths: of the panels, beside each other.
        shared: whether panels have the rows of the first.
    """

    name: str
    caption: str
    size: tuple[float, float]
    panels: Sequence[Panel]
    widths: Sequence[float] | None = None
    across: int | None = None
    shared: bool = False

    def png(self) -> bytes:
        """The file."""
        return png_of(self._drawn, dpi=110, facecolor=PAPER)

    def _drawn(self) -> Figure:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        layout = ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.06, wspace=0.03)
        drawn = Figure(figsize=self.size, layout=layout)
        across = self.across or len(self.panels)
        rows = -(-len(self.panels) // across)
        grid = drawn.subplots(
            rows, across, sharey=self.shared, width_ratios=self.widths, squeeze=False
        )
        axes = list(grid.ravel())
        for axis, panel in zip(axes, self.panels, strict=False):
            panel.draw(axis)
            if panel.legend is not None:
                _legend(axis, panel.legend)
        for axis in axes[len(self.panels) :]:
            axis.set_axis_off()
        return drawn


# Points ----------------------------------------------------------------------------------


# Curves ----------------------------------------------------------------------------------


# Bars, spans and squares -----------------------------------------------------------------


# How it looks ----------------------------------------------------------------------------


def style_axis(axis: Axes, panel: Panel) -> None:
    """Give an axis its title, its labels and the quiet look of the house."""
    axis.set_facecolor(PAPER)
    axis.set_title(panel.title, loc="left", fontsize=10, color=INK.text, pad=8)
    axis.set_xlabel(panel.across, fontsize=8.5, color=INK.soft)
    axis.set_ylabel(panel.up, fontsize=8.5, color=INK.soft)
    axis.tick_params(labelsize=8.5, colors=INK.text, length=0)
    axis.grid(True, axis="x" if not panel.up else "y", color=INK.faint, linewidth=0.8)
    axis.set_axisbelow(True)
    for side in axis.spines.values():
        side.set_visible(False)


def names_down(axis: Axes, names: Sequence[str]) -> None:
    """Names down the left, the first at the top."""
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(axis="y", pad=9)
    axis.set_ylim(len(names) - 0.4, -0.6)


def _legend(axis: Axes, options: Mapping[str, Any]) -> None:
    """Name each colour once."""
    handles, labels = axis.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        axis.legend(
            unique.values(), unique.keys(), fontsize=8, frameon=False, labelcolor=INK.text,
            **options,
        )  # fmt: skip
