"""Are generated pieces as different from one another as works are, or does the model homogenise?

Definitions:

- *Spread*: mean distance (`similarity`, 0 to 1) over all pairs of a set's pieces. `ratio`: spread
  of generated pieces over that of the works, held out and learned from together; below 1 the model
  homogenises.
- *distinct-n*: different n-grams over all n-grams of a set, for n-grams of `intervals` (semitones
  between successive notes of a track's line) and of `events` (steps since the note before,
  interval, duration). `ratio` as above.

Formula: distinct-n falls as a set grows, so both sides are drawn down to as many pieces and then
to as many n-grams m: of N n-grams of which one kind occurs c times, a draw of m holds
Σ 1 - C(N - c, m) / C(N, m) kinds on average (rarefaction).
Intervals: over random halves of both sets (`halves`), of ratios on the logarithm.
`verdict`: `homogenises` where the ratio's interval is under 1, `varies more` over 1, else `none`.

Source: Li et al. 2016, "A diversity-promoting objective function for neural conversation models"
(distinct-n); Hurlbert 1971, "The nonconcept of species diversity" (rarefaction).
Deviations: n-grams of music in place of words, and rarefied, where the original compares outputs
of any length.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln  # type: ignore[import-untyped]

from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import (
    REPEATS,
    Figure,
    Groups,
    by_group,
    counted,
    halves,
    spread_figure,
)
from gen.evaluation.measures.notes import Floats, Ints, NoteTable, PieceSets, lines, tabulate
from gen.evaluation.measures.similarity import ASPECT_NAMES, distances
from gen.evaluation.report.panels import Dots, Series, side_by_side
from gen.evaluation.report.part import (
    VERDICTS,
    EvaluationPart,
    Table,
    cell,
    comparing,
    each,
    in_numbers,
    no_difference,
    with_interval,
)
from gen.evaluation.report.plots import Picture, Report, below, checkpoints, colours
from gen.piece import Piece

SIZES = (2, 4, 8)
"""n of the n-grams: powers of two."""

_WIDEST = 24
_LONGEST = 96
_HALVES = 100


def spread(distance: Floats) -> float:
    """Mean distance of the pairs of a set, (n, n) with zeros on the diagonal; NaN for n < 2."""
    n = len(distance)
    return float(distance.sum() / (n * (n - 1))) if n > 1 else math.nan


def _half_spreads(distance: Floats, rng: Generator, groups: Groups = None) -> Floats:
    """Spreads of random halves; (1000,)."""
    n = len(distance)
    half = halves(n, REPEATS, rng, groups).astype(np.float64)
    size = half.sum(axis=1)
    sums = ((half @ distance) * half).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums / (size * (size - 1)))


# -- distinct-n ---------------------------------------------------------------------------------


def symbols(table: NoteTable) -> dict[str, tuple[Ints, Ints]]:
    """What n-grams are made of: by kind (symbol of each note but a line's first, its line)."""
    line = lines(table)
    within = np.diff(line.track) == 0
    leaps = np.clip(np.diff(line.pitch), -_WIDEST, _WIDEST)[within] + _WIDEST
    gaps = np.clip(np.diff(line.onset), 0, _LONGEST)[within]
    lasting = np.clip(line.end - line.onset, 1, _LONGEST)[1:][within]
    events = (gaps * (2 * _WIDEST + 1) + leaps) * (_LONGEST + 1) + lasting
    return {
        "intervals": (leaps, line.track[1:][within]),
        "events": (events, line.track[1:][within]),
    }


def n_grams(symbol: Ints, line: Ints, n: int) -> tuple[Ints, Ints]:
    """A number for each n-gram that lies in one line, the same for the same n-gram, and its line.

    Args:
        symbol: (L,) successive symbols.
        line: (L,) the line that each is of.
        n: a power of two.

    Returns:
        (M,), (M,).
    """
    kinds, width = symbol, 1
    while width < n:
        pairs = kinds[:-width] * (int(kinds.max(initial=0)) + 1) + kinds[width:]
        kinds = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
        width *= 2
    lines_of = line[: len(kinds)]
    within = lines_of == line[n - 1 :][: len(kinds)]
    return kinds[within], lines_of[within]


def distinct(grams: Ints, m: int) -> float:
    """Expected share of different n-grams among m of these, (N,), 1 <= m <= N."""
    times, kinds = np.unique(np.unique(grams, return_counts=True)[1], return_counts=True)
    n = len(grams)
    left = n - times  # of the other kinds
    missed = np.where(
        left >= m,
        np.exp(_log_choose(np.maximum(left, m), m) - _log_choose(np.array(n), m)),
        0.0,
    )
    return float((kinds * (1 - missed)).sum() / m)


def _log_choose(n: Any, m: int) -> Any:
    return gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)


# -- sets of pieces -----------------------------------------------------------------------------


def compare(sets: PieceSets, rng: Generator) -> dict[str, Any]:
    """Variety of generated pieces against that of works.

    Args:
        sets: generated pieces, works held out and works learned from.
        rng: draws pieces.

    Returns:
        `counts`; `spread`: by measure (`together`, and each aspect of `similarity`) the figures of
        `generated` and of `works`, their `ratio` and its `verdict`; `distinct`: the same by kind
        of n-gram and n, written `intervals 4`.
    """
    ours, (works, groups) = sets.pieces["generated"], sets.works()
    apart = [distances(pieces) for pieces in (ours, works)]
    return {
        "counts": sets.counts,
        "spread": {
            name: _spread_block(apart[0][name], apart[1][name], groups, rng) for name in apart[0]
        },
        "distinct": _distinct_blocks(ours, works, groups, rng),
    }


def _spread_block(ours: Floats, works: Floats, groups: Ints, rng: Generator) -> dict[str, Any]:
    values = np.array([spread(ours), spread(works)])
    drawn = np.stack([_half_spreads(ours, rng), _half_spreads(works, rng, groups)])
    return _block(values, drawn, [len(ours), len(works)], counted(groups, len(works)))


def _block(values: Floats, drawn: Floats, sizes: list[int], groups: int) -> dict[str, Any]:
    """Figures of generated pieces, of works and of their ratio.

    Args:
        values: (2,) of generated pieces and of works, each at most 1.
        drawn: (2, repeats) the same of halves.
        sizes: pieces of either.
        groups: that the works are in.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log([values[0] / values[1], *(drawn[0] / drawn[1])])
    on_log = spread_figure(
        logs[0], logs[1:], min(sizes), groups=min(sizes[0], groups), least=-math.inf
    )
    ratio = {
        name: math.exp(x) if name in ("value", "low", "high") and x is not None else x
        for name, x in on_log.items()
    }
    return {
        "generated": spread_figure(float(values[0]), drawn[0], sizes[0], most=1.0),
        "works": spread_figure(float(values[1]), drawn[1], sizes[1], groups=groups, most=1.0),
        "ratio": ratio,
        "verdict": _verdict(ratio),
    }


def _verdict(ratio: Figure) -> str:
    if ratio["low"] is None or ratio["low"] <= 1 <= ratio["high"]:
        return "none"
    return "varies more" if ratio["low"] > 1 else "homogenises"


def _distinct_blocks(
    ours: Sequence[Piece], works: Sequence[Piece], groups: Ints, rng: Generator
) -> dict[str, Any]:
    by_piece = [symbols(tabulate(piece)) for piece in [*ours, *works]]
    most = 1 + max(len(piece.tracks) for piece in [*ours, *works])
    blocks = {}
    for kind in ("intervals", "events"):
        symbol = np.concatenate([found[kind][0] for found in by_piece])
        line = np.concatenate([found[kind][1] + most * i for i, found in enumerate(by_piece)])
        for n in SIZES:
            grams, lines_of = n_grams(symbol, line, n)
            edges = np.searchsorted(lines_of // most, np.arange(len(by_piece) + 1))
            split = [grams[a:b] for a, b in itertools.pairwise(edges)]
            blocks[f"{kind} {n}"] = _distinct_block(
                split[: len(ours)], split[len(ours) :], groups, rng
            )
    return blocks


def _distinct_block(
    ours: list[Ints], works: list[Ints], groups: Ints, rng: Generator
) -> dict[str, Any]:
    """Arguments: the n-grams of each piece. Values are means over halves."""
    n = min(len(ours), len(works))
    drawn = np.array([_distinct_pair(ours, works, groups, n // 2, rng) for _ in range(_HALVES)]).T
    return _block(drawn.mean(axis=1), drawn, [n, n], min(n, counted(groups, len(works))))


def _distinct_pair(
    ours: list[Ints], works: list[Ints], groups: Ints, half: int, rng: Generator
) -> tuple[float, float]:
    """distinct-n of `half` pieces of either side, at the same number of n-grams; NaN without."""
    if not half:
        return math.nan, math.nan
    turns = (rng.permutation(len(ours)), by_group(groups, rng))
    drawn = [
        np.concatenate([side[i] for i in turn[:half]])
        for side, turn in zip((ours, works), turns, strict=True)
    ]
    m = min(map(len, drawn))
    return (distinct(drawn[0], m), distinct(drawn[1], m)) if m else (math.nan, math.nan)


# The part --------------------------------------------------------------------------------


def _blocks(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Group, name and figures of everything that is compared."""
    for group in ("spread", "distinct"):
        for name, block in found[group].items():
            yield group, name, block


def _tables(report: Report) -> Iterator[Table]:
    titles = {"spread": "distance,", "distinct": "distinct"}
    for model, found in each(report, "diversity"):
        rows = [
            [f"{titles[group]} {name}", *(cell(block[k]) for k in ("generated", "works", "ratio")),
             _said_of(block)]
            for group, name, block in _blocks(found)
        ]  # fmt: skip
        yield Table(model, ["", "generated", "works", "ratio", ""], rows)


def _said_of(block: dict[str, Any]) -> str:
    if block["verdict"] == "none":
        said = _not_found(block["ratio"])
        return said.removesuffix(f" with {block['ratio']['n']} pieces")
    return VERDICTS[block["verdict"]]


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "diversity"), colours(report)
    if not found:
        return
    series = [
        Series(model, tint[model], [block["ratio"] for _, _, block in _blocks(f)])
        for model, f in found.items()
    ]
    rows = [_said(group, name) for group, name, _ in _blocks(next(iter(found.values())))]
    panel = Dots(
        title="variety of generated pieces over that of works",
        across="1 = as varied as works; below: more of the same", rows=rows,
        series=side_by_side(series, 0.22), line=1, scale="times", legend=below(),
    )  # fmt: skip
    caption = "Left of 1: more of the same than in works."
    yield Picture("diversity", caption, (9, 1.3 + 0.32 * len(rows)), [panel])


def _said(group: str, name: str) -> str:
    if group == "spread":
        return f"distance: {ASPECT_NAMES[name]}"
    kind, size = name.split()
    return f"different runs of {size} {'notes' if kind == 'events' else kind}"


def _not_found(ratio: Figure) -> str:
    """What could have been seen of a ratio: the interval is even on the logarithm."""
    if ratio["low"] is None:
        return no_difference(ratio, "pieces")
    logs = {key: math.log(ratio[key]) for key in ("value", "low", "high")}
    least = interval.detectable({**ratio, **logs})
    return (
        f"no difference found; one below {in_numbers(math.expm1(least or 0), share=True)} could "
        f"not have been seen with {ratio['n']} pieces"
    )


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    judged = found["spread"]["together"]
    share = with_interval(judged["ratio"])
    yield {
        "none": f"Beside the variety of works, {_not_found(judged['ratio'])} (ratio {share}).",
        "homogenises": f"Its pieces are more alike than works are (ratio {share}).",
        "varies more": f"Its pieces differ more from each other than works do (ratio {share}).",
    }[judged["verdict"]]


PART = EvaluationPart(
    name="diversity",
    title="Variety",
    meaning="A model can write well and yet write the same piece again and again. Here its pieces "
    "are compared with each other, and works with each other.",
    definition=__doc__,
    cost=0.5,
    measure=comparing("diversity", compare),
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
    of_baselines=True,
    uses_pieces=True,
)
