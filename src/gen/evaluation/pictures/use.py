"""Pictures of control and originality."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gen.evaluation.pictures.tools import (
    GREY,
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
from gen.evaluation.words import asked
from gen.rendering.colours import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def control(report: Report) -> Figure | None:
    """Each control where it was asked, and where it was not."""
    found = checkpoints(report, "control")
    if not found:
        return None
    names = list(next(iter(found.values()))["scores"])
    across = min(2, len(found))
    down = math.ceil(len(found) / across)
    drawn = figure(8.0 if across == 1 else 11.6, down * (1.3 + 0.32 * len(names)))
    tint = colours(report)
    axes = several(drawn.subplots(down, across, sharey=True))
    for axis in axes[len(found) :]:
        axis.set_axis_off()
    for axis, (rung, control) in zip(axes, found.items(), strict=False):
        style(axis, rung, across="share that is as asked")
        for place, name in enumerate(names):
            score = control["scores"][name]
            told, untold = score["told"]["value"], score["untold"]["value"]
            if told is not None and untold is not None:
                axis.plot([untold, told], [place, place], color=INK.rule, linewidth=1, zorder=1)
            point(axis, place, score["untold"], GREY, label="not asked")
            shape = "s" if score["guaranteed"] else "o"
            label = "asked, guaranteed" if score["guaranteed"] else "asked"
            point(axis, place, score["told"], tint[rung], label=label, marker=shape)
            point(axis, place + 0.22, score["works"], HELD_OUT, label="works, by their tags")
        axis.set_xlim(0, 1.02)
        names_down(axis, [asked(name) for name in names])
        legend(axis, loc="upper center", bbox_to_anchor=(0.4, -0.1), ncols=2)
    return drawn


def infilling(report: Report) -> Figure | None:
    """What knowing the rest is worth, and how what was written fits."""
    found = checkpoints(report, "infilling")
    if not found:
        return None
    tint = colours(report)
    drawn = figure(11, 1.5 + 0.5 * max(2, len(found)))
    axes = several(drawn.subplots(1, 4, width_ratios=(1.5, 1, 1, 1), sharey=True))
    style(axes[0], "surprise by the composer's notes", across="bits per note")
    for place, (rung, filled) in enumerate(found.items()):
        point(axes[0], place - 0.14, filled["bits"]["left_to_right"], GREY, label="knowing before")
        point(axes[0], place + 0.14, filled["bits"]["infilled"], tint[rung], label="knowing all")
    titles = {"leap": ("leaps at the edges", "semitones"), "edge": ("harmony across edges", "0-1"),
              "ensemble": ("harmony with the rest", "0-1")}  # fmt: skip
    for axis, (name, (title, unit)) in zip(axes[1:], titles.items(), strict=True):
        style(axis, title, across=unit)
        for place, (rung, filled) in enumerate(found.items()):
            seam = filled["seams"][name]
            point(axis, place - 0.22, seam["original"], HELD_OUT, label="the composer's")
            point(axis, place, seam["written"], tint[rung], label="written")
            point(axis, place + 0.22, seam["moved"], GREY, label="a tritone off", marker="x")
    for axis in axes:
        names_down(axis, list(found))
        axis.set_xlim(left=0)
    legend(axes[0], loc="upper center", bbox_to_anchor=(0.4, -0.28), ncols=2)
    legend(axes[2], loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=3)
    return drawn


def runs(report: Report) -> Figure | None:
    """Longest runs shared with a work: outputs beside what the house borrows from itself."""
    found = checkpoints(report, "originality")
    if not found:
        return None
    tint = colours(report)
    drawn = figure(11, 3.2)
    axes = several(drawn.subplots(1, 3, width_ratios=(1.2, 1.2, 1)))
    first = next(iter(found.values()))
    for axis, kind in zip(axes, ("melody", "accompaniment"), strict=False):
        style(
            axis,
            f"longest shared run: {kind}",
            across="steps in common with a work",
            up="share of pieces",
        )
        sets = [("works among themselves", first["house"][kind]["runs"], HELD_OUT)]
        sets += [(rung, o["outputs"][kind]["runs"], tint[rung]) for rung, o in found.items()]
        most = max([20, *(max(runs, default=0) for _, runs, _ in sets)])
        for label, runs, colour in (entry for entry in sets if entry[1]):
            longer = [np.mean(np.array(runs) >= length) for length in range(1, most + 2)]
            axis.step(
                range(1, most + 2), longer, where="post", color=colour, label=label, linewidth=1.7
            )
        line = first["house"][kind]["line"]
        if line:
            axis.axvline(line, color=INK.soft, linewidth=1, linestyle=(0, (4, 3)))
            axis.text(line, 1.0, " the house's 95 % line", fontsize=8, color=INK.soft, va="top")
        axis.set_ylim(0, 1.02)
        axis.set_xlim(left=10)
        axis.locator_params(axis="x", integer=True)
    legend(axes[0], loc="center right")
    axis = axes[2]
    style(axis, "what comes back of a work", across="share of its next notes")
    names: list[str] = []
    for rung, originality in found.items():
        given = originality["extraction"]
        prefix = f"{rung}: " if len(found) > 1 else ""
        for side, name, colour in (
            ("train", "learned from", TRAIN),
            ("held_out", "held out", HELD_OUT),
        ):
            point(axis, len(names), given[side]["back"], colour)
            point(
                axis,
                len(names),
                given[side]["repeated"],
                GREY,
                label="given bars played again",
                marker="x",
            )
            names.append(prefix + name)
    names_down(axis, names)
    axis.set_xlim(0, 1)
    legend(axis, loc="upper center", bbox_to_anchor=(0.4, -0.16))
    return drawn


def curve(report: Report) -> Figure | None:
    """Originality over training, by steps: outputs above the house's line, and what comes back.

    Of checkpoints of one size that learned from the same works: of the most there are of such.
    """
    found = checkpoints(report, "originality")
    runs: dict[Any, list[tuple[int, str]]] = {}
    for rung in report["rungs"]:
        if rung["name"] in found and rung["steps"] is not None:
            run = runs.setdefault((rung["parameters"], rung["manifest"]), [])
            run.append((rung["steps"], rung["name"]))
    longest: list[tuple[int, str]] = max(runs.values(), key=len, default=[])
    known = sorted(longest)
    if len(known) < 2:
        return None
    drawn = figure(11, 3)
    above, back = several(drawn.subplots(1, 2))
    style(above, "above the house's line", across="training steps", up="share of outputs")
    style(back, "what comes back of a work", across="training steps", up="share of its next notes")
    tint, places = colours(report), [step for step, _ in known]
    for step, name in known:
        point(above, step, found[name]["outputs"]["above"], tint[name], label=name, upright=True)
    house = found[known[-1][1]]["house"]["above"]
    if house["value"] is not None:
        above.axhline(house["value"], color=HELD_OUT, linewidth=1.2, label="works among themselves")
    for side, label, colour in (
        ("train", "learned from", TRAIN),
        ("held_out", "held out", HELD_OUT),
    ):
        values = [found[name]["extraction"][side]["back"] for _, name in known]
        back.plot(places, [v["value"] for v in values], color=colour, linewidth=1, alpha=0.6)
        for place, value in zip(places, values, strict=True):
            point(back, place, value, colour, label=label, upright=True)
    for axis in (above, back):
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.set_ylim(0, 1)
        legend(axis, loc="upper left")
    return drawn
