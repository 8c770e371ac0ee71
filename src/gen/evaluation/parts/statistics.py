"""How far generated pieces are from works in each musical statistic.

Definition: the statistics of `one_piece`, set against set as `contrast` has it; besides, the
pitches of each instrument (`ranges`: its lowest and highest, and where 90 % of its notes lie), and
what share of its chords and of its chord changes a piece has to itself.

Formula and source: in `one_piece` and `contrast`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from gen.evaluation.measures import interval
from gen.evaluation.measures.contrast import contrast
from gen.evaluation.measures.interval import Figure
from gen.evaluation.measures.notes import SIDES, Floats, Ints, PieceSets
from gen.evaluation.measures.one_piece import (
    LONGEST_QUARTERS,
    QUALITY_NAMES,
    WIDEST_INTERVAL,
    measured,
)
from gen.evaluation.measures.ranges import ranges
from gen.evaluation.report.panels import Columns, Dots, Series, Spans, side_by_side
from gen.evaluation.report.part import (
    VERDICTS,
    EvaluationPart,
    Table,
    cell,
    comparing,
    each,
    named,
    number,
    share_cell,
    verdict_cell,
)
from gen.evaluation.report.plots import (
    GENERATED,
    HELD_OUT,
    TRAIN,
    Picture,
    Report,
    below,
    checkpoints,
    colours,
)
from gen.smf import note_name
from gen.tokens.vocabulary import STEPS_PER_QUARTER

FEATURES: dict[str, tuple[str, Any]] = {
    "pitch_class_entropy": ("bits", None),
    "scale_consistency": ("share", None),
    "groove_consistency": ("share", None),
    "polyphony": ("pitches", None),
    "polyphony_rate": ("share", None),
    "empty_beat_rate": ("share", None),
    "drum_pattern_consistency": ("share", None),
    "pitch_range": ("semitones", None),
    "note_density": ("notes a quarter", None),
    "intervals": ("semitones", np.arange(-WIDEST_INTERVAL, WIDEST_INTERVAL + 1)),
    "durations": (
        "quarters",
        np.arange(1, LONGEST_QUARTERS * STEPS_PER_QUARTER + 1) / STEPS_PER_QUARTER,
    ),
    "velocities": ("velocity", np.arange(1, 128)),
    "chords": ("share of time", None),
    "transitions": ("share of changes", None),
}
"""Unit of each statistic, and the values that a distribution is over (None: names, or a number)."""

WORTH = {"intervals": np.abs(np.arange(-WIDEST_INTERVAL, WIDEST_INTERVAL + 1))}
"""A leap down counts as one up in a piece's mean interval."""


def compare(sets: PieceSets, rng: Generator) -> dict[str, Any]:
    """All statistics of generated pieces against works.

    Args:
        sets: generated pieces, works held out and works learned from.
        rng: draws pieces, for the intervals.

    Returns:
        `counts`; `features`: for each statistic its `unit`, what `contrast` returns and, of a
        distribution, its mean in each set (`values`, `histogram`); `ranges` by instrument;
        `new_chords` and `new_transitions`: mean share of what a piece uses that no work has.
    """
    found = {side: [measured(piece) for piece in pieces] for side, pieces in sets.pieces.items()}
    groups = list(sets.groups.values())
    rows = {name: [np.array([f[name] for f in found[side]]) for side in SIDES] for name in FEATURES}
    return {
        "counts": sets.counts,
        "features": {name: _feature(name, values, groups, rng) for name, values in rows.items()},
        "ranges": ranges(sets.pieces["generated"], sets.works()[0]),
        "new_chords": _new(rows["chords"], groups),
        "new_transitions": _new(rows["transitions"], groups),
    }


def _feature(name: str, sets: list[Floats], groups: list[Ints], rng: Generator) -> dict[str, Any]:
    unit, support = FEATURES[name]
    if sets[0].ndim == 1:
        return {"unit": unit, **contrast(sets, rng, groups)}
    labels = support
    if support is None:  # names that nobody uses are left out
        used = np.nansum(np.concatenate(sets), axis=0) > 0
        labels, sets = _labels(name)[used], [rows[:, used] for rows in sets]
    means = (rows[np.isfinite(rows).all(axis=1)] for rows in sets)
    return {
        "unit": unit,
        **contrast(sets, rng, groups, support=support, worth=WORTH.get(name)),
        "values": labels.tolist(),
        "histogram": {
            side: mean.mean(axis=0).tolist() if len(mean) else None
            for side, mean in zip(SIDES, means, strict=True)
        },
    }


def _labels(name: str) -> Any:
    """What chords and changes are called, (K,) of text: in C major `7 maj` is G."""
    if name == "chords":
        return np.array([f"{root} {q}" for root in range(12) for q in QUALITY_NAMES])
    return np.array(
        [f"{a} +{motion} {b}" for a in QUALITY_NAMES for motion in range(12) for b in QUALITY_NAMES]
    )


def _new(sets: list[Floats], groups: list[Ints]) -> dict[str, Figure]:
    """Mean share of what generated pieces use that no work has, and of what works held out use
    that none learned from has (`real`).
    """
    generated, reference, train = sets
    in_train = np.nansum(train, axis=0) > 0
    in_works = in_train | (np.nansum(reference, axis=0) > 0)
    return {
        "generated": interval.mean(generated @ ~in_works, groups[0], within=interval.SHARE),
        "real": interval.mean(reference @ ~in_train, groups[1], within=interval.SHARE),
    }


# The part --------------------------------------------------------------------------------

NAMES = {
    "pitch_class_entropy": "spread of pitch classes", "scale_consistency": "notes in one scale",
    "groove_consistency": "steadiness of groove", "polyphony": "pitches sounding together",
    "polyphony_rate": "time with several pitches", "empty_beat_rate": "silent beats",
    "drum_pattern_consistency": "steadiness of drums", "note_density": "notes a quarter",
    "intervals": "melodic intervals", "durations": "note lengths", "velocities": "loudness",
    "transitions": "chord changes", "pitch_range": "span of pitches",
}  # fmt: skip
_SETS = (
    ("generated", "generated", GENERATED),
    ("reference", "works held out", HELD_OUT),
    ("train", "works learned from", TRAIN),
)
_MOST_INSTRUMENTS = 14
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


def _tables(report: Report) -> Iterator[Table]:
    heads = ["", "unit", "generated", "held out", "learned from", "mean", "overlap", "distance", ""]
    for model, found in each(report, "statistics"):
        yield Table(model, heads, [_row(*feature) for feature in found["features"].items()])
        rows = [
            [
                named(name, NAMES),
                *(share_cell(found[f"new_{name}"][k]) for k in ("generated", "real")),
            ]
            for name in ("chords", "transitions")
        ]
        heads_new = ["", "generated", "held out, beside learned from"]
        yield Table(f"{model}: share that no work has", heads_new, rows)
        rows = [
            [row["instrument"], _reach(row["generated"]), _reach(row["works"]),
             share_cell(row["outside"])]
            for row in found["ranges"]
        ]  # fmt: skip
        heads_reach = ["", "generated", "works", "notes beyond the works'"]
        yield Table(f"{model}: range of each instrument", heads_reach, rows)


def _row(name: str, feature: dict[str, Any]) -> list[str]:
    apart = feature["apart"]
    distance = apart["distance"]
    return [
        named(name, NAMES), _unit(feature), *(cell(feature[side]) for side in SIDES),
        verdict_cell(feature["difference"]), cell(apart["overlap_area"]), cell(distance),
        _differs(distance),
    ]  # fmt: skip


def _differs(distance: dict[str, Any] | None) -> str:
    if not distance:
        return ""
    if distance["differs"]:
        return "differs"
    least = number(distance["chance"])
    return f"{VERDICTS['none']}; one below {least} could not have been seen"


def _unit(feature: dict[str, Any]) -> str:
    """That of its means: what is spread over names has the variety of these as mean."""
    is_named = isinstance(feature.get("values", [0])[0], str)
    return "bits of variety" if is_named else str(feature["unit"])


def _reach(row: dict[str, Any]) -> str:
    if not row["notes"]:
        return "-"
    ends = (note_name(row[end]) for end in ("lowest", "highest"))
    return f"{' to '.join(ends)}, n {row['pieces']}"


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "statistics"), colours(report)
    if found:
        yield _distances(found, tint)
        yield _distributions(found)
        yield from _compass(found, tint)


def _distances(found: dict[str, Any], tint: dict[str, str]) -> Picture:
    """Every statistic: how far from works, in units of what two sets of works are apart."""
    first = next(iter(found.values()))["features"]
    names = list(first)
    rows = [named(name, NAMES) for name in names]
    units = [(first[name]["real"]["distance"] or {}).get("chance") for name in names]
    sets = [(m, tint[m], "o", "apart", s["features"]) for m, s in found.items()]
    sets.append(("works learned from", TRAIN, "D", "real", first))
    far, overlap = [], []
    for label, colour, marker, side, features in sets:
        blocks = [features[name][side] for name in names]
        distances = [_scaled(b["distance"], unit) for b, unit in zip(blocks, units, strict=True)]
        far.append(Series(label, colour, distances, marker))
        overlap.append(Series(label, colour, [b["overlap_area"] for b in blocks], marker))
    panels = [
        Dots(
            title="distance from works held out",
            across="1 = as far as two sets of works may be by chance",
            rows=rows, series=side_by_side(far), line=1, scale="far",
            notes={i: "works are all the same here" for i, unit in enumerate(units) if unit == 0},
            legend=below(1.0),
        ),
        Dots(
            title="overlap with works held out", across="1 = as alike as works are to each other",
            rows=rows, series=side_by_side(overlap), limits=(0, 1.02),
        ),
    ]  # fmt: skip
    caption = "Every statistic: far from works, or as near as works to each other?"
    size = (11, 1.3 + 0.3 * len(names))
    return Picture("distances", caption, size, panels, shared=True)


def _scaled(value: Figure | None, unit: float | None) -> Figure | None:
    if not value or not unit or value["value"] is None:
        return None
    ends = {key: value[key] / unit if value[key] is not None else None for key in ("low", "high")}
    return {"value": value["value"] / unit, **ends, "n": value["n"]}


def _distributions(found: dict[str, Any]) -> Picture:
    """Intervals, note lengths and velocities: how many notes have each."""
    panels = [
        _columns(name, model if len(found) > 1 else "", statistics["features"][name])
        for model, statistics in found.items()
        for name in _BINS
    ]
    place = len(panels) - 2
    panels[place] = replace(panels[place], legend=below(0.5, -0.22, 3))
    caption = "Melodic steps and leaps, note values, loudness."
    return Picture("distributions", caption, (11, 2.7 * len(found)), panels, across=len(_BINS))


def _columns(name: str, model: str, feature: dict[str, Any]) -> Columns:
    across, edges, kinds = _BINS[name]
    sets = [
        (label, colour, _gathered(feature["values"], shares, edges))
        for side, label, colour in _SETS
        if (shares := feature["histogram"][side]) is not None
    ]
    title = f"{named(name, NAMES)}, {model}" if model else named(name, NAMES)
    return Columns(title=title, across=across, up="share of notes", kinds=kinds, sets=sets)


def _gathered(values: list[float], shares: list[float], edges: tuple[float, ...]) -> Any:
    """Shares by bin: below the first edge, between each two, from the last on."""
    places = np.searchsorted(edges, values, side="right")
    return np.bincount(places, weights=shares, minlength=len(edges) + 1)


def _compass(found: dict[str, Any], tint: dict[str, str]) -> Iterator[Picture]:
    """Pitches of the instruments that both sides use most."""
    notes: dict[str, int] = {}
    for statistics in found.values():
        for row in statistics["ranges"]:
            both = min(row["generated"]["notes"], row["works"]["notes"])
            notes[row["instrument"]] = max(notes.get(row["instrument"], 0), both)
    names = sorted((n for n in notes if notes[n]), key=lambda n: -notes[n])[:_MOST_INSTRUMENTS]
    if not names:
        return
    spans = []
    for turn, (model, statistics) in enumerate(found.items()):
        rows = {row["instrument"]: row for row in statistics["ranges"]}
        for place, row in ((i, rows[name]) for i, name in enumerate(names) if name in rows):
            if turn == 0 and row["works"]["notes"]:
                spans.append(("works", HELD_OUT, place - 0.16, row["works"]))
            if row["generated"]["notes"]:
                spans.append((model, tint[model], place + 0.1 + 0.18 * turn, row["generated"]))
    title = "range of each instrument (thick: nine notes in ten)"
    panel = Spans(title=title, across="pitch", rows=names, spans=spans, legend=below())
    yield Picture("compass", "What each instrument plays.", (11, 1.2 + 0.34 * len(names)), [panel])


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    features = found["features"]
    judged = [n for n, f in features.items() if f["apart"]["distance"]]
    far = [named(n, NAMES) for n in judged if features[n]["apart"]["distance"]["differs"]]
    if not judged:
        yield "Too few pieces to compare statistics."
    elif not far:
        n = min(features[name]["apart"]["distance"]["n"] for name in judged)
        yield (
            f"In none of {len(judged)} statistics was a difference found between its pieces and "
            f"works held out; one no larger than two sets of {n} works differ by chance could not "
            "have been seen."
        )
    else:
        yield (
            f"In {len(far)} of {len(judged)} statistics its pieces differ from works: "
            f"{', '.join(far)}."
        )


PART = EvaluationPart(
    name="statistics",
    title="What its music is made of",
    meaning="Each piece is measured as a theorist would: scale, chords, texture, rhythm, loudness. "
    "What counts is not whether a piece has much or little of something, but whether the "
    "model's pieces as a set have what works have, in the same spread. Works learned from "
    "(green) show how far two sets of real works lie apart.",
    definition=__doc__,
    cost=1.0,
    measure=comparing("statistics", compare),
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
    of_baselines=True,
    uses_pieces=True,
)
