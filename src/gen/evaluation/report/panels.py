"""What stands in a picture: points along rows, curves, bars, spans and squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gen.evaluation.measures.interval import Figure as Value
from gen.evaluation.report.plots import BAND, Panel, names_down, style_axis
from gen.rendering.colours import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Series:
    """One figure a row, in one colour.

    Attributes:
        label: for the legend.
        colour: of its points.
        values: one a row; None for none.
        marker: `matplotlib`'s.
        shift: how far from the middle of its row, in rows.
    """

    label: str
    colour: str
    values: Sequence[Value | None]
    marker: str = "o"
    shift: float = 0.0


def side_by_side(series: Sequence[Series], step: float = 0.2) -> list[Series]:
    """The same series about the middle of their rows, `step` apart."""
    middle = (len(series) - 1) / 2
    return [replace(s, shift=(i - middle) * step) for i, s in enumerate(series)]


def in_own_rows(
    values: Mapping[str, Value | None], tint: Mapping[str, str], *, label: str = "",
    shift: float = 0.0,
) -> list[Series]:  # fmt: skip
    """One row a model: each has its own colour, and its figure in its own row."""
    rows = list(values)
    return [
        Series(label or m, tint[m], [value if m == row else None for row in rows], shift=shift)
        for m, value in values.items()
    ]


@dataclass(frozen=True, kw_only=True)
class Dots(Panel):
    """Rows with names, figures as points along them: the picture of most parts.

    Attributes:
        rows: names, from the top; None leaves names out.
        series: what stands on the rows.
        limits: of the axis; None for what fits.
        least_right: the right end is no farther left than this.
        line: where a line is drawn from top to bottom.
        bands: grey stretches, one a row, and `band_label`.
        joined: two series whose points are joined by a line, row by row.
        scale: `linear`; `times` for a logarithm to base 2; `far` for linear to 1, then logarithmic.
        notes: text in a row, by its number.
    """

    rows: Sequence[str]
    series: Sequence[Series]
    limits: tuple[float | None, float | None] = (0, None)
    least_right: float = 0.0
    line: float | None = None
    bands: Sequence[Value] = ()
    band_label: str = ""
    joined: tuple[Sequence[Value | None], Sequence[Value | None]] | None = None
    scale: str = "linear"
    notes: Mapping[int, str] = field(default_factory=dict)
    named: bool = True
    most_ticks: int | None = None

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        style_axis(axis, self)
        for place, band in enumerate(self.bands):
            if band["low"] is not None:
                axis.barh(
                    place, band["high"] - band["low"], left=band["low"], height=0.62,
                    color=BAND, label=self.band_label, zorder=1,
                )  # fmt: skip
        for place, (first, second) in enumerate(zip(*(self.joined or ((), ())), strict=True)):
            ends = [end["value"] for end in (first, second) if end and end["value"] is not None]
            if len(ends) == 2:
                axis.plot(ends, [place, place], color=INK.rule, linewidth=1, zorder=1)
        for series in self.series:
            for place, value in enumerate(series.values):
                _point(axis, place + series.shift, value, series)
        for place, text in self.notes.items():
            axis.text(0.03, place, text, fontsize=8, color=INK.soft, va="center")
        if self.line is not None:
            axis.axvline(self.line, color=INK.line, linewidth=1, zorder=1)
        self._scale(axis)
        names_down(axis, self.rows)
        if not self.named:
            axis.set_yticks([])

    def _scale(self, axis: Axes) -> None:
        if self.scale == "times":
            axis.set_xscale("log", base=2)
            _ticks(axis, (0.25, 0.5, 0.7, 1, 1.5, 2, 4, 8))
            axis.minorticks_off()
            return
        if self.scale == "far":
            axis.set_xscale("symlog", linthresh=1)
        low, high = self.limits
        axis.set_xlim(left=low, right=high)
        if axis.get_xlim()[1] < self.least_right:
            axis.set_xlim(right=self.least_right)
        if self.scale == "far":
            _ticks(axis, (0, 1, 2, 5, 10, 20, 50, 100))
        if self.most_ticks is not None:
            axis.locator_params(axis="x", nbins=self.most_ticks)


def _ticks(axis: Axes, wanted: Sequence[float]) -> None:
    low, high = axis.get_xlim()
    ticks = [t for t in wanted if low <= t <= high]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])


def _point(axis: Axes, place: float, value: Value | None, series: Series) -> None:
    """A figure with its interval, along the axis; nothing where there is none."""
    if value and value["value"] is not None:
        if value["low"] is not None:
            axis.plot([value["low"], value["high"]], [place, place], **_interval(series.colour))
        axis.plot(
            value["value"], place, series.marker, color=series.colour, label=series.label,
            markersize=6, zorder=3, clip_on=False,
        )  # fmt: skip


def _interval(colour: str) -> dict[str, Any]:
    return {
        "color": colour, "linewidth": 2, "alpha": 0.45, "solid_capstyle": "round", "zorder": 2,
    }  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Figures, or plain numbers, over places.

    Attributes:
        label: for the legend.
        colour: of the curve.
        places: where.
        values: figures, or numbers for `steps`.
        shape: `points`, with intervals; `band` for intervals as a band; `steps`.
        joined: whether points are joined.
    """

    label: str
    colour: str
    places: Sequence[float]
    values: Sequence[Any]
    shape: str = "points"
    joined: bool = True

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        if self.shape == "steps":
            axis.step(
                self.places, self.values, where="post", color=self.colour, label=self.label,
                linewidth=1.7,
            )  # fmt: skip
            return
        known = [
            (place, v)
            for place, v in zip(self.places, self.values, strict=True)
            if v["value"] is not None
        ]
        if not known:
            return
        places, heights = [place for place, _ in known], [v["value"] for _, v in known]
        bounded = [(place, v["low"], v["high"]) for place, v in known if v["low"] is not None]
        if self.shape == "band":
            axis.plot(places, heights, color=self.colour, label=self.label, linewidth=1.6)
            if bounded:
                at, lows, highs = zip(*bounded, strict=True)
                axis.fill_between(at, lows, highs, color=self.colour, alpha=0.15, linewidth=0)
            return
        if self.joined:
            axis.plot(places, heights, color=self.colour, linewidth=1, alpha=0.6)
        for place, low, high in bounded:
            axis.plot([place, place], [low, high], **_interval(self.colour))
        axis.plot(
            places, heights, "o", color=self.colour, label=self.label, markersize=6, zorder=3,
            clip_on=False,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CurvePlot(Panel):
    """Curves over one axis.

    Attributes:
        curves: in order.
        ticks: places along the axis and their names; None for numbers.
        bottom, top: of the axis.
        left: where it begins.
        level: a line across, with its label and colour.
        mark: a dashed line upwards, with its text.
        thousands: whether numbers along the axis have separators.
    """

    curves: Sequence[Curve]
    ticks: tuple[Sequence[float], Sequence[str]] | None = None
    bottom: float = 0.0
    top: float | None = None
    left: float | None = None
    level: tuple[float, str, str] | None = None
    mark: tuple[float, str] | None = None
    thousands: bool = False

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        style_axis(axis, self)
        for curve in self.curves:
            curve.draw(axis)
        if self.level is not None:
            height, label, colour = self.level
            axis.axhline(height, color=colour, linewidth=1.2, label=label)
        if self.mark is not None:
            axis.axvline(self.mark[0], color=INK.soft, linewidth=1, linestyle=(0, (4, 3)))
            axis.text(self.mark[0], 1.0, self.mark[1], fontsize=8, color=INK.soft, va="top")
        axis.set_ylim(bottom=self.bottom, top=self.top)
        if self.left is not None:
            axis.set_xlim(left=self.left)
        if self.ticks is not None:
            axis.set_xticks(*self.ticks)
        elif self.thousands:
            axis.xaxis.set_major_formatter("{x:,.0f}")
        else:
            axis.locator_params(axis="x", integer=True)


@dataclass(frozen=True, kw_only=True)
class Stacks(Panel):
    """A bar a row, made of parts.

    Attributes:
        rows: names, from the top.
        parts: (name, colour) of each part.
        widths: of each row's parts.
    """

    rows: Sequence[str]
    parts: Sequence[tuple[str, str]]
    widths: Sequence[Sequence[float]]

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        style_axis(axis, self)
        for place, widths in enumerate(self.widths):
            lefts = np.cumsum([0.0, *widths])
            for (name, colour), left, width in zip(self.parts, lefts, widths, strict=False):
                axis.barh(place, width, left=left, height=0.55, color=colour, label=name)
        names_down(axis, self.rows)


@dataclass(frozen=True, kw_only=True)
class Columns(Panel):
    """Columns beside each other: a share of each kind, for several sets.

    Attributes:
        kinds: names along the axis.
        sets: label, colour and heights of each set.
    """

    kinds: Sequence[str]
    sets: Sequence[tuple[str, str, Sequence[float]]]

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        style_axis(axis, self)
        places = np.arange(len(self.kinds))
        for number, (label, colour, heights) in enumerate(self.sets):
            axis.bar(places + 0.27 * (number - 1), heights, width=0.27, color=colour, label=label)
        axis.set_xticks(places, self.kinds)
        axis.set_yticks([])


@dataclass(frozen=True, kw_only=True)
class Spans(Panel):
    """From lowest to highest, thick where most lies.

    Attributes:
        rows: names, from the top.
        spans: label, colour, row (with its shift) and `lowest`, `low`, `high`, `highest`.
        octaves: whether the axis is of MIDI pitches.
    """

    rows: Sequence[str]
    spans: Sequence[tuple[str, str, float, Mapping[str, Any]]]

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        style_axis(axis, self)
        for label, colour, place, ends in self.spans:
            level = [place, place]
            axis.plot(
                [ends["lowest"], ends["highest"]], level, color=colour, linewidth=1.2, alpha=0.6
            )
            axis.plot(
                [ends["low"], ends["high"]], level, color=colour, linewidth=5, alpha=0.8,
                solid_capstyle="butt", label=label,
            )  # fmt: skip
        names_down(axis, self.rows)
        left, right = axis.get_xlim()
        octaves = [p for p in range(24, 109, 12) if left <= p <= right]
        axis.set_xticks(octaves, [f"C{p // 12 - 1}" for p in octaves])


@dataclass(frozen=True, kw_only=True)
class Square(Panel):
    """A matrix of bars against bars, dark where they are alike; an empty place for None."""

    values: Any

    def draw(self, axis: Axes) -> None:
        """Put it on an axis."""
        axis.tick_params(labelsize=7.5, colors=INK.soft, length=0)
        for side in axis.spines.values():
            side.set_visible(False)
        if self.values is None:
            axis.set_axis_off()
            return
        axis.imshow(np.array(self.values), cmap="Blues", vmin=0, vmax=1, origin="lower")
        places = list(range(0, len(self.values), 8))
        names = [str(place + 1) for place in places]
        axis.set_xticks(places, names)
        axis.set_yticks(places, names)
        axis.set_ylabel(self.up, fontsize=8.5, color=INK.text)
