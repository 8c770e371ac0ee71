"""The few figures that an evaluation is remembered by, and whether the ladder stands as it should.

- bits_per_note (`likelihood`): fewer are better.
- statistics_gap (`metrics.statistics`): mean over the statistics that every model has of
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

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from gen.evaluation.measures.interval import Figure, figure, verdict
from gen.evaluation.report.panels import Dots, in_own_rows
from gen.evaluation.report.part import Table, cell
from gen.evaluation.report.plots import Picture, Report, colours

BETTER = {
    "bits_per_note": "lower",
    "statistics_gap": "lower",
    "apart": "lower",
    "structure_gap": "lower",
}


def headlines(report: dict[str, Any]) -> dict[str, Any]:
    """Each figure of every model that has it, and the order of the models.

    Args:
        report: as `report.json`, its parts by name.

    Returns:
        By figure: `models` (name to figure), `better`, and `ladder` as `ordered` returns it where
        there is more than one model.
    """
    likelihood = report.get("likelihood", {"models": {}, "against": []})
    gaps = {"bits_per_note": [entry["more"] for entry in likelihood["against"]]}
    found = {
        "bits_per_note": {n: r["bits_per_note"] for n, r in likelihood["models"].items()},
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
        name: _headline(models, BETTER[name], gaps.get(name))
        for name, models in found.items()
        if models
    }


def _known(report: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in report.get(part, {}).items() if value is not None}


def _headline(
    models: dict[str, Figure], better: str, gaps: Sequence[Figure] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"models": models, "better": better}
    if len(models) > 1:
        names, figures = list(models), list(models.values())
        found["ladder"] = ordered(names, figures, better=better, gaps=gaps)
    return found


def _statistics(models: dict[str, Any]) -> dict[str, Figure]:
    """The gap of each model, over the statistics that all of them have."""
    if not models:
        return {}
    every = [model["features"] for model in models.values()]
    names = [n for n in every[0] if all(n in f and _gap(f[n]) for f in every)]
    return {
        model: _mean([gap for n in names if (gap := _gap(found["features"][n]))])
        for model, found in models.items()
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


# The order -------------------------------------------------------------------------------


def ordered(
    models: Sequence[str],
    figures: Sequence[Figure],
    *,
    better: str,
    gaps: Sequence[Figure] | None = None,
) -> dict[str, Any]:
    """Whether each model is better than the one below it.

    Args:
        models: names, from the bottom.
        figures: one headline figure of each.
        better: `lower` or `higher`.
        gaps: figure of each model after the first less that of the model below, where both were
            taken on the same works; without them, intervals that overlap are no difference.

    Returns:
        `steps`: for each model after the first, `better`, `none` or `worse`; `turned`: pairs of
        models (below, above) of which the upper one is worse, neighbours or not; `order`:
        `reversed` where there is such a pair, else `as expected` where the top is better than the
        bottom, else `none`.
    """
    found = {}
    for below, above in itertools.combinations(range(len(models)), 2):
        paired = gaps[below] if gaps and above == below + 1 else None
        gap = paired or _apart(figures[below], figures[above])
        found[below, above] = _judged(gap, better)
    steps = [
        {"from": below, "to": above, "step": found[place, place + 1]}
        for place, (below, above) in enumerate(itertools.pairwise(models))
    ]
    turned = [[models[a], models[b]] for (a, b), step in found.items() if step == "worse"]
    whole = found[0, len(models) - 1]
    direction = "reversed" if turned else "as expected" if whole == "better" else "none"
    return {"better": better, "steps": steps, "turned": turned, "order": direction}


def _apart(below: Figure, above: Figure) -> Figure:
    """What the upper figure has more, as far as the two intervals say."""
    if any(x is None for x in (below["low"], above["low"])):
        return figure(math.nan)
    low, high = above["low"] - below["high"], above["high"] - below["low"]
    return figure(above["value"] - below["value"], low, high, min(below["n"], above["n"]))


def _judged(gap: Figure, better: str) -> str:
    found = verdict(gap)
    return found if found == "none" else ("better" if found == better else "worse")


# On the page -----------------------------------------------------------------------------

NAMES = {
    "bits_per_note": "bits per note",
    "statistics_gap": "statistics gap",
    "apart": "told apart from works",
    "structure_gap": "structure gap",
}
MEANINGS = {
    "bits_per_note": "How much the model still has to learn about each note of works that it has "
    "never read. One bit less: it held every note twice as likely.",
    "statistics_gap": "How much farther from works the pieces are than two sets of works from each "
    "other, in pitch, harmony, rhythm and loudness, in doublings. 0: no farther.",
    "apart": "How much better than by guessing a generated piece can be told from a work by its "
    "nearest relative. 0: not at all; 0.5: always.",
    "structure_gap": "How much more or less of a piece returns, over short, middle and long spans, "
    "than in works. 0: as much.",
}
_ORDERS = {
    "as expected": "in the order expected",
    "none": "no order can be seen",
    "reversed": "not in the order expected",
}


def tables(report: Report) -> Iterator[Table]:
    """Every headline figure of every model."""
    names = [model["name"] for model in report["models"]]
    rows = [
        [NAMES[key], *(cell(found["models"].get(name)) for name in names)]
        for key, found in report["headlines"].items()
    ]
    if rows:
        yield Table("", ["", *names], rows)


def meanings(report: Report) -> list[tuple[str, str]]:
    """Name and meaning of each headline figure that there is."""
    return [(NAMES[key], MEANINGS[key]) for key in report["headlines"]]


def order(report: Report) -> Iterator[tuple[str, str, bool]]:
    """Whether each model beats the one below it: in words, step by step, whether one is worse."""
    for key, found in report["headlines"].items():
        if ladder := found.get("ladder"):
            steps = ", ".join(
                f"{s['to']} {'as' if s['step'] == 'none' else s['step'] + ' than'} {s['from']}"
                for s in ladder["steps"]
            )
            worse = ", ".join(f"{above} is worse than {below}" for below, above in ladder["turned"])
            said = f"{NAMES[key]}: {_ORDERS[ladder['order']]}" + (f": {worse}" if worse else "")
            yield said, steps, bool(worse)


def pictures(report: Report) -> Iterator[Picture]:
    """Every headline figure of every model, where there is more than one."""
    found = {key: h for key, h in report["headlines"].items() if len(h["models"]) > 1}
    names, tint = [model["name"] for model in report["models"]], colours(report)
    panels = [
        Dots(
            title=NAMES[key], across=f"{'less' if h['better'] == 'lower' else 'more'} is better",
            rows=names, least_right=0.1, most_ticks=5,
            series=in_own_rows({name: h["models"].get(name) for name in names}, tint),
        )
        for key, h in found.items()
    ]  # fmt: skip
    if panels:
        size = (11, 1.4 + 0.34 * len(names))
        caption = "The headline figures of every model."
        yield Picture("ladder", caption, size, panels, shared=True)
