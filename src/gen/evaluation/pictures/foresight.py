"""Pictures of the ladder and of bits per note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.evaluation.pictures.tools import (
    HELD_OUT,
    TRAIN,
    Report,
    checkpoints,
    colours,
    figure,
    legend,
    names_down,
    point,
    several,
    style,
)
from gen.evaluation.words import HEADLINES, said

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ladder(report: Report) -> Figure | None:
    """Every headline figure of every rung."""
    lines = {name: found for name, found in report["headlines"].items() if len(found["rungs"]) > 1}
    if not lines:
        return None
    names = [rung["name"] for rung in report["rungs"]]
    drawn = figure(11, 1.4 + 0.34 * len(names))
    tint = colours(report)
    for axis, (name, found) in zip(
        several(drawn.subplots(1, len(lines), sharey=True)), lines.items(), strict=True
    ):
        arrow = "less is better" if found["better"] == "lower" else "more is better"
        style(axis, HEADLINES[name].name, across=arrow)
        for place, rung in enumerate(names):
            point(axis, place, found["rungs"].get(rung), tint[rung])
        names_down(axis, names)
        axis.set_xlim(0, max(axis.get_xlim()[1], 0.1))
        axis.locator_params(axis="x", nbins=5)
    return drawn


def bits(report: Report) -> Figure | None:
    """Bits per note by role, genre and position."""
    found = checkpoints(report, "likelihood")
    if not found:
        return None
    tint = colours(report)
    groups = {"by_role": "by what the track does", "by_genre": "by genre"}
    names = {
        group: list(dict.fromkeys(n for figures in found.values() for n in figures[group]))
        for group in (*groups, "by_position")
    }
    tall = max(len(names[group]) for group in groups)
    drawn = figure(11, 1.4 + 0.3 * tall)
    axes = several(drawn.subplots(1, 3, width_ratios=(1, 1, 1.15)))
    for axis, (group, title) in zip(axes, groups.items(), strict=False):
        style(axis, title, across="bits per note")
        for number, (rung, figures) in enumerate(found.items()):
            for place, name in enumerate(names[group]):
                shift = (number - (len(found) - 1) / 2) * 0.22
                point(axis, place + shift, figures[group].get(name), tint[rung])
        names_down(axis, [said(name) for name in names[group]])
        axis.set_xlim(left=0)
    axis = axes[-1]
    style(axis, "by bar of the piece", across="bars", up="bits per note")
    for rung, figures in found.items():
        places = [i for i, n in enumerate(names["by_position"]) if n in figures["by_position"]]
        values = [figures["by_position"][names["by_position"][i]] for i in places]
        axis.plot(places, [v["value"] for v in values], color=tint[rung], linewidth=1, alpha=0.6)
        for place, value in zip(places, values, strict=True):
            point(axis, place, value, tint[rung], label=rung, upright=True)
    axis.set_xticks(range(len(names["by_position"])), names["by_position"])
    axis.set_ylim(bottom=0)
    legend(axis, loc="lower left")
    return drawn


def spent(report: Report) -> Figure | None:
    """What the bits of a note are spent on, and held-out beside training works."""
    found = checkpoints(report, "likelihood")
    if not found:
        return None
    drawn = figure(11, 1.9 + 0.45 * len(found))
    bars, gauge = drawn.subplots(1, 2, width_ratios=(1.6, 1))
    style(bars, "what the bits are spent on", across="bits per note")
    style(gauge, "works held out and works learned from", across="bits per note")
    shades = ("#d9d4cb", "#e8b48f", "#d14a00", "#5b9bc9", "#0a4f8f")
    for place, figures in enumerate(found.values()):
        left = 0.0
        for shade, (name, value) in zip(shades, figures["by_field"].items(), strict=True):
            width = value["value"]
            bars.barh(place, width, left=left, height=0.55, color=shade, label=said(name))
            left += width
        point(gauge, place - 0.12, figures["gauge"]["held_out"], HELD_OUT, label="held out")
        point(gauge, place + 0.12, figures["gauge"]["train"], TRAIN, label="learned from")
    for axis in (bars, gauge):
        names_down(axis, list(found))
    gauge.set_xlim(left=0)
    gauge.set_yticks([])
    legend(bars, loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=5)
    legend(gauge, loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=2)
    return drawn
