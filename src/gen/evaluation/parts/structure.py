"""How much of a piece comes back, and over what distance.

Definitions:

- *Self-similarity matrix*: bars x bars; two bars are alike by the share of notes that they have in
  common, 2 |a ∩ b| / (|a| + |b|) (Dice's coefficient), where a note is its step in the bar, its
  pitch and its instrument, drums too. A bar is wholly like itself; a silent bar is like no other.
- *Fitness* of a segment (bars s … s + l - 1): how well its repetitions explain the piece. Let a
  family be segments of l bars that do not overlap, let each score the sum of the matrix along
  its diagonal against s, where bars less than half alike cost -2, and take the family of the
  highest score S, of K segments. Then with N bars

      score = (S - l) / (K l)      coverage = (K l - l) / N      fitness = their harmonic mean,

  and 0 where either is not positive: that a segment is like itself earns nothing.
- *Structure indicator* of a range: the highest fitness of any segment of `short` 2 to 4, `middle`
  5 to 8, `long` 9 and more bars. NaN for a piece with no room for two of them.
- *Repetition by lag*: mean likeness of bars that are 1, 2, … 32 bars apart.

The same indicators for the piece's bars in random order say what likeness without order is worth.
The highest of more segments is higher: compare pieces of similar length (`bars` tells).

Source: Wu & Yang 2020, "The Jazz Transformer on the front line" (indicators: the largest fitness
within a range of lengths); Müller, Jiang & Grosche 2013, "A robust fitness measure for capturing
repetitions in music recordings" (fitness, the penalty -2).
Deviations: theirs works on audio: chroma frames, paths that allow for changes of tempo and
transposition, a threshold relative to the recording, ranges of 3 to 8, 8 to 15 and more than 15
seconds. Notes are known here: bars are compared as notes, repetitions lie on the bar lines at the
same speed (diagonals only) and pitch, the threshold is fixed so that music without repetition has
none, and ranges are in bars (the same lengths at 120 a minute in 4/4). At most the first 256 bars
count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import Generator

from gen.evaluation.measures import interval
from gen.evaluation.measures.contrast import contrast
from gen.evaluation.measures.notes import SIDES, Floats, PieceSets, tabulate
from gen.evaluation.report.panels import Curve, CurvePlot, Dots, Series, Square, side_by_side
from gen.evaluation.report.part import (
    EvaluationPart,
    Table,
    cell,
    comparing,
    each,
    no_difference,
    verdict_cell,
)
from gen.evaluation.report.plots import (
    GREY,
    HELD_OUT,
    TRAIN,
    Picture,
    Report,
    below,
    checkpoints,
    colours,
)
from gen.piece import Piece
from gen.tokens.vocabulary import MAX_BAR_STEPS

RANGES: dict[str, tuple[int, int | None]] = {"short": (2, 4), "middle": (5, 8), "long": (9, None)}
LAGS = 32
MAX_BARS = 256
_ALIKE = 0.5
_PENALTY = -2.0


# -- one piece ----------------------------------------------------------------------------------


def self_similarity(piece: Piece) -> Floats:
    """How alike the bars are, (B, B) in [0, 1], B at most 256."""
    table = tabulate(piece)
    place = np.clip(table.onset - table.bars[table.bar], 0, MAX_BAR_STEPS - 1)
    instrument = table.instruments[table.track] if len(place) else place
    what = (instrument * MAX_BAR_STEPS + place) * 128 + table.pitch
    bars = min(len(table.meters), MAX_BARS)
    within = table.bar < bars
    names, column = np.unique(what[within], return_inverse=True)
    present = np.zeros((bars, len(names)), dtype=np.float32)
    present[table.bar[within], column] = 1
    common = (present @ present.T).astype(np.float64)
    sizes = common.diagonal()
    alike = 2 * common / np.maximum(sizes[:, None] + sizes, 1)
    np.fill_diagonal(alike, 1)
    return np.asarray(alike)


def fitness(similarity: Floats) -> Floats:
    """Fitness of every segment, (B // 2, B): row l - 1 for l bars, column for the first bar.

    0 where a segment would reach beyond the last bar. Segments longer than half the piece
    cannot be repeated and have none.

    Args:
        similarity: (B, B) in [0, 1].
    """
    bars = len(similarity)
    longest = bars // 2
    scores = _diagonal_sums(np.where(similarity < _ALIKE, _PENALTY, similarity), longest)
    best = np.zeros((bars + 1, longest, bars))  # of families that end by bar t: score, …
    segments = np.zeros((bars + 1, longest, bars), dtype=np.int16)  # … and how many segments
    for end in range(1, bars + 1):
        best[end], segments[end] = best[end - 1], segments[end - 1]
        lengths = np.arange(min(longest, end))  # less one
        begin = end - 1 - lengths
        gained = best[begin, lengths] + scores[lengths, begin]  # (lengths, B)
        better = gained > best[end, lengths]
        best[end, lengths] = np.where(better, gained, best[end, lengths])
        more = segments[begin, lengths] + 1
        segments[end, lengths] = np.where(better, more, segments[end, lengths])
    lengths = np.arange(1, longest + 1)[:, None]
    covered = segments[-1] * lengths  # K l
    score = (best[-1] - lengths) / np.maximum(covered, 1)
    coverage = (covered - lengths) / max(bars, 1)
    both = (score > 0) & (coverage > 0) & (np.arange(bars) + lengths <= bars)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both, 2 * score * coverage / (score + coverage), 0.0)


def _diagonal_sums(values: Floats, longest: int) -> Floats:
    """Sums along diagonals: [l - 1, t, s] = Σ_i<l values[s + i, t + i]; (longest, B, B).

    Minus infinity where the diagonal leaves the matrix.
    """
    bars = len(values)
    sums = np.full((longest, bars, bars), -np.inf)
    for less in range(longest):
        inside = bars - less
        step = values[less:, less:].T
        sums[less, :inside, :inside] = step + (sums[less - 1, :inside, :inside] if less else 0)
    return sums


def indicators(similarity: Floats) -> dict[str, float]:
    """The structure indicator of each of `RANGES`, 0 to 1 or NaN."""
    found = fitness(similarity)
    return {
        name: float(found[low - 1 : high].max()) if 2 * low <= len(similarity) else math.nan
        for name, (low, high) in RANGES.items()
    }


def by_lag(similarity: Floats) -> Floats:
    """Mean likeness of bars 1, 2, … apart, (32,); NaN from the piece's length on."""
    means = np.full(LAGS, math.nan)
    for lag in range(1, min(LAGS, len(similarity) - 1) + 1):
        means[lag - 1] = similarity.diagonal(lag).mean()
    return means


def in_random_order(similarity: Floats, rng: Generator) -> Floats:
    """The matrix of the same bars, shuffled."""
    order = rng.permutation(len(similarity))
    return np.asarray(similarity[np.ix_(order, order)])


# -- sets of pieces -----------------------------------------------------------------------------


def compare(sets: PieceSets, rng: Generator) -> dict[str, Any]:
    """Structure of generated pieces against works.

    Args:
        sets: generated pieces, works held out and works learned from.
        rng: draws pieces, and the order of shuffled bars.

    Returns:
        `counts`; `bars`: mean length of each set; `indicators`: for each range what `contrast`
        returns, and `shuffled`: each set's mean with the bars in random order; `by_lag`: for each
        set a figure a lag.
    """
    groups = list(sets.groups.values())
    matrices = {
        side: [self_similarity(piece) for piece in pieces] for side, pieces in sets.pieces.items()
    }
    found = {side: [indicators(m) for m in known] for side, known in matrices.items()}
    shuffled = {
        side: [indicators(in_random_order(m, rng)) for m in known]
        for side, known in matrices.items()
    }

    def mean(side: str, values: Any, bounds: interval.Bounds = interval.SHARE) -> interval.Figure:
        return interval.mean(values, sets.groups[side], within=bounds)

    def contrasted(name: str) -> dict[str, Any]:
        values = [np.array([row[name] for row in found[side]]) for side in SIDES]
        return contrast(values, rng, groups)

    return {
        "counts": sets.counts,
        "bars": {
            side: mean(side, [len(m) for m in known], interval.ANYTHING)
            for side, known in matrices.items()
        },
        "indicators": {
            name: {
                "bars": RANGES[name],
                **contrasted(name),
                "shuffled": {side: mean(side, [f[name] for f in shuffled[side]]) for side in SIDES},
            }
            for name in RANGES
        },
        "by_lag": {
            side: [mean(side, lag) for lag in np.transpose([by_lag(m) for m in known])]
            for side, known in matrices.items()
        },
    }


# The part --------------------------------------------------------------------------------

RANGE_NAMES = {"short": "over 2-4 bars", "middle": "over 5-8 bars", "long": "over 9 bars and more"}
_EXAMPLES = 4
"""So many pieces are pictured by their self-similarity."""


def _compare(sets: PieceSets, rng: Generator) -> dict[str, Any]:
    examples = {
        side: [self_similarity(piece).round(2).tolist() for piece in sets.pieces[side][:_EXAMPLES]]
        for side in ("generated", "reference")
    }
    return {**compare(sets, rng), "examples": examples}


def _tables(report: Report) -> Iterator[Table]:
    heads = ["", "generated", "held out", "learned from", "generated is", "generated, shuffled",
             "held out, shuffled"]  # fmt: skip
    for model, found in each(report, "structure"):
        rows = [
            [RANGE_NAMES[name], *(cell(i[side]) for side in SIDES), verdict_cell(i["difference"]),
             *(cell(i["shuffled"][side]) for side in ("generated", "reference"))]
            for name, i in found["indicators"].items()
        ]  # fmt: skip
        yield Table(model, heads, rows)


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "structure"), colours(report)
    if found:
        caption = "How much returns, and how alike bars are that lie so far apart."
        panels = [_returns(found, tint), _likeness(found, tint)]
        yield Picture("structure", caption, (11, 3.1), panels, (1, 1.5))
        yield _matrices(found)


def _returns(found: dict[str, Any], tint: dict[str, str]) -> Dots:
    works = next(iter(found.values()))["indicators"]
    ranges = [name for name in RANGES if works[name]["reference"]["value"] is not None]
    series = [
        Series("works held out", HELD_OUT, [works[n]["reference"] for n in ranges]),
        Series("works held out, bars shuffled", GREY,
               [works[n]["shuffled"]["reference"] for n in ranges], "x"),
        Series("works learned from", TRAIN, [works[n]["train"] for n in ranges]),
        *(Series(m, tint[m], [f["indicators"][n]["generated"] for n in ranges])
          for m, f in found.items()),
    ]  # fmt: skip
    return Dots(
        title="how much returns", across="0 nothing, 1 everything",
        rows=[RANGE_NAMES[name] for name in ranges], series=side_by_side(series, 0.16),
        least_right=0.5, legend=below(0.4, -0.18, 2),
    )  # fmt: skip


def _likeness(found: dict[str, Any], tint: dict[str, str]) -> CurvePlot:
    sides = [("works held out", HELD_OUT, next(iter(found.values()))["by_lag"]["reference"])]
    sides += [(model, tint[model], f["by_lag"]["generated"]) for model, f in found.items()]
    curves = []
    for label, colour, lags in sides:
        known = [(lag, v) for lag, v in enumerate(lags, 1) if v["value"] is not None]
        places, values = [lag for lag, _ in known], [v for _, v in known]
        curves.append(Curve(label, colour, places, values, shape="band"))
    furthest = max((place for curve in curves for place in curve.places), default=0)
    ticks = [lag for lag in range(4, LAGS + 1, 4) if lag <= furthest]
    return CurvePlot(
        title="likeness of bars that lie apart", across="bars apart", up="share of notes in common",
        curves=curves, ticks=(ticks, [str(t) for t in ticks]), legend={"loc": "upper right"},
    )  # fmt: skip


def _matrices(found: dict[str, Any]) -> Picture:
    """Self-similarity of a few pieces: each dot a pair of bars, dark where they are alike."""
    rows = [("works held out", next(iter(found.values()))["examples"]["reference"])]
    rows += [(model, f["examples"]["generated"]) for model, f in found.items()]
    wide = max(len(examples) for _, examples in rows)
    panels = [
        Square(values=values, up=f"{name}\nbar" if i == 0 else "")
        for name, examples in rows
        for i, values in enumerate([*examples, *[None] * (wide - len(examples))])
    ]
    size = (2.1 * wide + 1.4, 2.2 * len(rows))
    caption = "A few pieces: across and up their bars; dark where two are alike."
    return Picture("matrices", caption, size, panels, across=wide)


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    known = found["indicators"].items()
    judged = {n: i for n, i in known if i["generated"]["value"] is not None}
    parts = [
        f"{word} returns {' and '.join(names)}"
        for verdict, word in (("lower", "less"), ("higher", "more"))
        if (
            names := [
                RANGE_NAMES[n]
                for n, i in judged.items()
                if interval.verdict(i["difference"]) == verdict
            ]
        )
    ]
    if not judged:
        yield "Its pieces are too short to judge their structure."
    elif not parts:
        gaps = [i["difference"] for i in judged.values()]
        widest = max(gaps, key=lambda gap: interval.detectable(gap) or math.inf)
        yield f"In how much returns, {no_difference(widest, 'pieces')}."
    else:
        yield f"Compared with works, {', '.join(parts)}."


PART = EvaluationPart(
    name="structure",
    title="Form: does anything come back?",
    meaning="Music repeats: a bar, a phrase, a section. The squares compare every bar of a piece "
    "with every other; a dark line beside the diagonal is a passage that returns. A work has such "
    "lines at many distances; a model that forgets has none.",
    definition=__doc__,
    cost=1.0,
    measure=comparing("structure", _compare),
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
    of_baselines=True,
    uses_pieces=True,
)
