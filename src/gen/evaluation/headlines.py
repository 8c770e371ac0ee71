"""The few figures that an evaluation is remembered by, and whether the ladder stands as it should.

- bits_per_note (`likelihood`): fewer are better.
- statistics_gap (`metrics.statistics`): mean over the statistics that every rung has of
  log2 max(1, d / c), d the distance of generated pieces from held-out works, c what two sets of
  works lie apart by chance (their `chance` level); 0 is best, 1 is twice that.
- apart (`metrics.one_nearest_neighbour`): how far the accuracy of telling generated pieces from
  held-out works is from an even guess; 0 is best.
- structure_gap (`metrics.structure`): mean distance from held-out works in the structure
  indicators of short, middle and long range; 0 is best.

Means of several figures have the mean of their bounds as interval: as if they erred together.
Variety, control and originality are no headlines: a model that knows nothing may be as varied and
as original as can be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gen.evaluation.interval import Figure, figure
from gen.evaluation.ladder import ordered

BETTER = {
    "bits_per_note": "lower",
    "statistics_gap": "lower",
    "apart": "lower",
    "structure_gap": "lower",
}


def headlines(report: dict[str, Any]) -> dict[str, Any]:
    """Each figure of every rung that has it, and the order of the rungs.

    Args:
        report: as `report.json`, its parts by name.

    Returns:
        By figure: `rungs` (name to figure), `better`, and `ladder` as `ordered` returns it where
        there is more than one rung.
    """
    likelihood = report.get("likelihood", {"rungs": {}, "against": []})
    gaps = {"bits_per_note": [entry["more"] for entry in likelihood["against"]]}
    found = {
        "bits_per_note": {n: r["bits_per_note"] for n, r in likelihood["rungs"].items()},
        "statistics_gap": _statistics(_known(report, "statistics")),
        "apart": {
            name: folded(value["together"]["against_reference"], 0.5)
            for name, value in _known(report, "nearest_neighbour").items()
        },
        "structure_gap": {
            name: _structure(value) for name, value in _known(report, "structure").items()
        },
    }
    return {
        name: _headline(rungs, BETTER[name], gaps.get(name))
        for name, rungs in found.items()
        if rungs
    }


def _known(report: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in report.get(part, {}).items() if value is not None}


def _headline(
    rungs: dict[str, Figure], better: str, gaps: Sequence[Figure] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"rungs": rungs, "better": better}
    if len(rungs) > 1:
        names, figures = list(rungs), list(rungs.values())
        found["ladder"] = ordered(names, figures, better=better, gaps=gaps)
    return found


def _statistics(rungs: dict[str, Any]) -> dict[str, Figure]:
    """The gap of each rung, over the statistics that all of them have."""
    if not rungs:
        return {}
    every = [rung["features"] for rung in rungs.values()]
    names = [n for n in every[0] if all(n in f and _gap(f[n]) for f in every)]
    return {
        rung: _mean([gap for n in names if (gap := _gap(found["features"][n]))])
        for rung, found in rungs.items()
    }


def _gap(feature: dict[str, Any]) -> Figure | None:
    """Doublings beyond what chance makes of two sets of works; None where either is missing."""
    distance, real = feature["apart"]["distance"], feature["real"]["distance"]
    if not distance or not real or not real["chance"] or distance["low"] is None:
        return None
    value, low, high = (
        math.log2(max(1.0, distance[key] / real["chance"])) for key in ("value", "low", "high")
    )
    return figure(value, low, high, distance["n"])


def _structure(structure: dict[str, Any]) -> Figure:
    known = [i["apart"]["distance"] for i in structure["indicators"].values()]
    return _mean([distance for distance in known if distance])


def _mean(figures: Sequence[Figure]) -> Figure:
    """Mean of figures whose errors are taken to go together: that of the bounds."""
    if not figures:
        return figure(math.nan, n=0)

    def over(key: str) -> float:
        values = [f[key] for f in figures]
        return math.nan if None in values else sum(values) / len(values)

    return figure(over("value"), over("low"), over("high"), min(f["n"] for f in figures))


def folded(found: Figure, middle: float) -> Figure:
    """Distance from `middle`, with the interval that follows from the figure's own."""
    if found["value"] is None:
        return figure(math.nan, n=found["n"])
    value = abs(found["value"] - middle)
    if found["low"] is None:
        return figure(value, n=found["n"])
    ends = [abs(found[key] - middle) for key in ("low", "high")]
    inside = found["low"] <= middle <= found["high"]
    return figure(value, 0.0 if inside else min(ends), max(ends), found["n"])
