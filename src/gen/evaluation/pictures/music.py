"""Pictures of generated music beside works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gen.evaluation.interval import Figure as Value
from gen.evaluation.pictures.tools import (
    GREY,
    HELD_OUT,
    SIDE_NAMES,
    SIDES,
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
from gen.evaluation.words import MEASURES, RANGES, said
from gen.rendering.colours import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MOST_INSTRUMENTS = 14
_BINS: dict[str, tuple[str, tuple[float, ...], tuple[str, ...]]] = {
    "intervals": (
        "← down      steps of the scale (1: repeated)      up →",
        (-12, -7, -4, -2, 0, 1, 3, 5, 8, 13),
        ("9+", "6-8", "4-5", "3", "2", "1", "2", "3", "4-5", "6-8", "9+"),
    ),
    "durations": (
        "note value", (0.1875, 0.375, 0.75, 1.5, 3.0, 6.0),
        ("1/32", "1/16", "1/8", "1/4", "1/2", "1/1", "longer"),
    ),
    "velocities": (
        "velocity", tuple(range(16, 113, 16)), ("8", "24", "40", "56", "72", "88", "104", "120"),
    ),
}  # fmt: skip
"""What distributions are pictured by, edges of the bins and their names."""


def distances(report: Report) -> Figure | None:
    """Every statistic: how far from works, in units of what two sets of works are apart."""
    found = checkpoints(report, "statistics")
    if not found:
        return None
    names = list(next(iter(found.values()))["features"])
    tint = colours(report)
    drawn = figure(11, 1.3 + 0.3 * len(names))
    far, overlap = drawn.subplots(1, 2, sharey=True)
    style(
        far,
        "distance from works held out",
        across="1 = as far as two sets of works may be by chance",
    )
    style(overlap, "overlap with works held out", across="1 = as alike as works are to each other")
    first = next(iter(found.values()))["features"]
    sets = [(rung, tint[rung], "o", "apart", s["features"]) for rung, s in found.items()]
    sets.append(("works learned from", TRAIN, "D", "real", first))
    for place, name in enumerate(names):
        unit = (first[name]["real"]["distance"] or {}).get("chance")
        for number, (label, colour, marker, side, features) in enumerate(sets):
            where, block = place + _shift(number, len(sets), 0.2), features[name][side]
            value = _scaled(block["distance"], unit)
            point(far, where, value, colour, label=label, marker=marker)
            point(overlap, where, block["overlap_area"], colour, marker=marker)
        if unit == 0:
            far.text(
                0.03, place, "works are all the same here", fontsize=8, color=INK.soft, va="center"
            )
    far.axvline(1, color=INK.line, linewidth=1, zorder=1)
    far.set_xscale("symlog", linthresh=1)
    far.set_xlim(left=0)
    ticks = [t for t in (0, 1, 2, 5, 10, 20, 50, 100) if t <= far.get_xlim()[1]]
    far.set_xticks(ticks, [str(t) for t in ticks])
    overlap.set_xlim(0, 1.02)
    names_down(far, [said(name) for name in names])
    legend(far, loc="upper center", bbox_to_anchor=(1.0, -0.1), ncols=4)
    return drawn


def _shift(number: int, of: int, step: float) -> float:
    """How far from the middle of its row the point of one of several sets lies."""
    return (number - (of - 1) / 2) * step


def _scaled(value: Value | None, unit: float | None) -> Value | None:
    if not value or not unit or value["value"] is None:
        return None
    ends = {key: value[key] / unit if value[key] is not None else None for key in ("low", "high")}
    return {"value": value["value"] / unit, **ends, "n": value["n"]}


def distributions(report: Report) -> Figure | None:
    """Intervals, note lengths and velocities: how many notes have each."""
    found = checkpoints(report, "statistics")
    if not found:
        return None
    drawn = figure(11, 2.7 * len(found))
    axes = np.array(drawn.subplots(len(found), len(_BINS))).reshape(len(found), len(_BINS))
    for row, (rung, statistics) in zip(axes, found.items(), strict=True):
        for axis, (name, (across, edges, labels)) in zip(row, _BINS.items(), strict=True):
            feature = statistics["features"][name]
            title = f"{said(name)}, {rung}" if len(found) > 1 else said(name)
            style(axis, title, across=across, up="share of notes")
            places = np.arange(len(labels))
            for number, (side, colour) in enumerate(SIDES.items()):
                shares = feature["histogram"][side]
                if shares is not None:
                    heights = _gathered(feature["values"], shares, edges)
                    axis.bar(
                        places + 0.27 * (number - 1), heights, width=0.27, color=colour,
                        label=SIDE_NAMES[side],
                    )  # fmt: skip
            axis.set_xticks(places, labels)
            axis.set_yticks([])
    legend(axes[-1][1], loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=3)
    return drawn


def _gathered(values: list[float], shares: list[float], edges: tuple[float, ...]) -> Any:
    """Shares by bin: below the first edge, between each two, from the last on."""
    places = np.searchsorted(edges, values, side="right")
    return np.bincount(places, weights=shares, minlength=len(edges) + 1)


def compass(report: Report) -> Figure | None:
    """Pitches of the instruments that both sides use most."""
    found = checkpoints(report, "statistics")
    if not found:
        return None
    tint = colours(report)
    notes: dict[str, int] = {}
    for statistics in found.values():
        for row in statistics["ranges"]:
            both = min(row["generated"]["notes"], row["works"]["notes"])
            notes[row["instrument"]] = max(notes.get(row["instrument"], 0), both)
    names = sorted((n for n in notes if notes[n]), key=lambda n: -notes[n])[:MOST_INSTRUMENTS]
    if not names:
        return None
    drawn = figure(11, 1.2 + 0.34 * len(names))
    axis = drawn.subplots()
    style(axis, "range of each instrument (thick: nine notes in ten)", across="pitch")
    for number, (rung, statistics) in enumerate(found.items()):
        rows = {row["instrument"]: row for row in statistics["ranges"]}
        for place, name in enumerate(names):
            row = rows.get(name)
            if row is None:
                continue
            if number == 0 and row["works"]["notes"]:
                _span(axis, place - 0.16, row["works"], HELD_OUT, "works")
            if row["generated"]["notes"]:
                _span(axis, place + 0.1 + 0.18 * number, row["generated"], tint[rung], rung)
    names_down(axis, names)
    octaves = [p for p in range(24, 109, 12) if axis.get_xlim()[0] <= p <= axis.get_xlim()[1]]
    axis.set_xticks(octaves, [f"C{p // 12 - 1}" for p in octaves])
    legend(axis, loc="upper center", bbox_to_anchor=(0.4, -0.1), ncols=4)
    return drawn


def _span(axis: Axes, place: float, row: Mapping[str, Any], colour: str, label: str) -> None:
    axis.plot(
        [row["lowest"], row["highest"]], [place, place], color=colour, linewidth=1.2, alpha=0.6
    )
    axis.plot(
        [row["low"], row["high"]], [place, place], color=colour, linewidth=5, alpha=0.8,
        solid_capstyle="butt", label=label,
    )  # fmt: skip


def neighbours(report: Report) -> Figure | None:
    """Accuracy of telling generated pieces from works, with the null distribution."""
    found = checkpoints(report, "nearest_neighbour")
    if not found:
        return None
    tint = colours(report)
    drawn = figure(11, 1.2 + 0.5 * len(MEASURES))
    axes = several(drawn.subplots(1, 2, sharey=True))
    sides = {
        "against_reference": "against works held out",
        "against_train": "against works learned from",
    }
    for axis, (side, title) in zip(axes, sides.items(), strict=True):
        style(axis, title, across="share recognised by their nearest neighbour")
        for place, name in enumerate(MEASURES):
            for number, (rung, neighbours) in enumerate(found.items()):
                null = neighbours[name]["null"]
                if number == 0 and null["low"] is not None:
                    axis.barh(
                        place, null["high"] - null["low"], left=null["low"], height=0.62,
                        color="#dcd7ce", label="two sets of works", zorder=1,
                    )  # fmt: skip
                shift = _shift(number, len(found), 0.2)
                point(axis, place + shift, neighbours[name][side], tint[rung], label=rung)
        axis.axvline(0.5, color=INK.line, linewidth=1, zorder=1)
        axis.set_xlim(0, 1)
        names_down(axis, list(MEASURES.values()))
    legend(axes[0], loc="upper center", bbox_to_anchor=(1.0, -0.2), ncols=4)
    return drawn


def structure(report: Report) -> Figure | None:
    """Structure indicators, and how alike bars are by their distance."""
    found = checkpoints(report, "structure")
    if not found:
        return None
    tint = colours(report)
    first = next(iter(found.values()))
    drawn = figure(11, 3.1)
    bars, lags = drawn.subplots(1, 2, width_ratios=(1, 1.5))
    style(bars, "how much returns", across="0 nothing, 1 everything")
    style(
        lags, "likeness of bars that lie apart", across="bars apart", up="share of notes in common"
    )
    ranges = [n for n in RANGES if first["indicators"][n]["reference"]["value"] is not None]
    for place, name in enumerate(ranges):
        works = first["indicators"][name]
        sets = [
            ("works held out", works["reference"], HELD_OUT, "o"),
            ("works held out, bars shuffled", works["shuffled"]["reference"], GREY, "x"),
            ("works learned from", works["train"], TRAIN, "o"),
        ]
        sets += [(r, s["indicators"][name]["generated"], tint[r], "o") for r, s in found.items()]
        for number, (label, value, colour, marker) in enumerate(sets):
            where = place + _shift(number, len(sets), 0.16)
            point(bars, where, value, colour, label=label, marker=marker)
    names_down(bars, [RANGES[name] for name in ranges])
    bars.set_xlim(0, max(0.5, bars.get_xlim()[1]))
    lines = [("reference", first, HELD_OUT, "works held out")]
    lines += [("generated", structure, tint[rung], rung) for rung, structure in found.items()]
    for side, structure, colour, label in lines:
        known = [
            (lag, v) for lag, v in enumerate(structure["by_lag"][side], 1) if v["value"] is not None
        ]
        places, values = [lag for lag, _ in known], [v for _, v in known]
        lags.plot(places, [v["value"] for v in values], color=colour, label=label, linewidth=1.6)
        bounded = [
            (p, v["low"], v["high"])
            for p, v in zip(places, values, strict=True)
            if v["low"] is not None
        ]
        if bounded:
            lags.fill_between(*zip(*bounded, strict=True), color=colour, alpha=0.15, linewidth=0)
    lags.set_ylim(bottom=0)
    lags.set_xticks([lag for lag in range(4, 33, 4) if lag <= lags.get_xlim()[1]])
    legend(bars, loc="upper center", bbox_to_anchor=(0.4, -0.18), ncols=2)
    legend(lags, loc="upper right")
    return drawn


def matrices(report: Report) -> Figure | None:
    """Self-similarity of a few pieces: each dot a pair of bars, dark where they are alike."""
    found = checkpoints(report, "structure")
    rows = (
        [("works held out", next(iter(found.values()))["examples"]["reference"])] if found else []
    )
    rows += [(rung, structure["examples"]["generated"]) for rung, structure in found.items()]
    if not rows:
        return None
    wide = max(len(examples) for _, examples in rows)
    drawn = figure(2.1 * wide + 1.4, 2.2 * len(rows))
    axes = np.array(drawn.subplots(len(rows), wide)).reshape(len(rows), wide)
    for row, (name, examples) in zip(axes, rows, strict=True):
        for axis, matrix in zip(row, examples, strict=False):
            axis.imshow(np.array(matrix), cmap="Blues", vmin=0, vmax=1, origin="lower")
            last = len(matrix) - 1
            places = list(range(0, last + 1, 8))
            axis.set_xticks(places, [str(p + 1) for p in places])
            axis.set_yticks(places, [str(p + 1) for p in places])
        for axis in row:
            axis.tick_params(labelsize=7.5, colors=INK.soft, length=0)
            for side in axis.spines.values():
                side.set_visible(False)
        for axis in row[len(examples) :]:
            axis.set_axis_off()
        row[0].set_ylabel(f"{name}\nbar", fontsize=8.5, color=INK.text)
    return drawn


def _grams(name: str) -> str:
    """`intervals 4` in words."""
    kind, size = name.split()
    return f"runs of {size} {'notes' if kind == 'events' else kind}"


def diversity(report: Report) -> Figure | None:
    """Variety of outputs over that of works."""
    found = checkpoints(report, "diversity")
    if not found:
        return None
    tint = colours(report)
    first = next(iter(found.values()))
    blocks = [("spread", name) for name in first["spread"]] + [
        ("distinct", n) for n in first["distinct"]
    ]
    drawn = figure(9, 1.3 + 0.32 * len(blocks))
    axis = drawn.subplots()
    style(
        axis,
        "variety of generated pieces over that of works",
        across="1 = as varied as works; below: more of the same",
    )
    for number, (rung, diversity) in enumerate(found.items()):
        shift = _shift(number, len(found), 0.22)
        for place, (group, name) in enumerate(blocks):
            point(axis, place + shift, diversity[group][name]["ratio"], tint[rung], label=rung)
    axis.axvline(1, color=INK.line, linewidth=1)
    axis.set_xscale("log", base=2)
    low, high = axis.get_xlim()
    ticks = [t for t in (0.25, 0.5, 0.7, 1, 1.5, 2, 4, 8) if low <= t <= high]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.minorticks_off()
    names_down(
        axis,
        [
            f"distance: {MEASURES[name]}" if group == "spread" else f"different {_grams(name)}"
            for group, name in blocks
        ],
    )
    legend(axis, loc="upper center", bbox_to_anchor=(0.4, -0.1), ncols=4)
    return drawn
