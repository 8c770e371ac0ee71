"""Can generated pieces be told from works by the company they keep?

Definition: generated pieces and as many works are thrown together; for each piece the nearest of
the others is found (`similarity`), and a hit is counted where it comes from the same set. Accuracy
is the share of hits: about 0.5 where the two sets cannot be told apart, towards 1 where generated
pieces keep to themselves (underfit), below 0.5 where they sit beside single works (overfit,
copies). Against training works it is the sharper test of copying.

Formula: accuracy = 1/2n Σ_i h_i, where h_i is the share of piece i's nearest others (ties all
count) that are of its own set. Other arrangements of a work's own theme are passed over: that
they are near says nothing of the sets. Sets of other sizes are drawn down to n, ten times over.
Null: the same for random halves of the works, held out and learned from together, of n each:
what chance and the house's own families of works make of it. `verdict`: `apart` above the null's
97.5 % quantile, `too close` under its 2.5 %, else `none`. `real` sets held-out against training
works: those were divided by families, so that they may be told apart too.
Interval: over random halves of both sets (`halves`).

Source: Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests" (the test); Xu et al.
2018, "An empirical study on evaluation metrics of generative adversarial networks" (1-NN).
Deviation: ties are shared out, where others take the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from gen.evaluation.measures.interval import TAIL, by_group, counted, figure, spread_figure
from gen.evaluation.measures.notes import Bools, Floats, Ints, PieceSets
from gen.evaluation.measures.similarity import ASPECT_NAMES, distances
from gen.evaluation.report.panels import Dots, Series, side_by_side
from gen.evaluation.report.part import (
    VERDICTS,
    EvaluationPart,
    Table,
    comparing,
    each,
    in_numbers,
    percent,
    share_cell,
)
from gen.evaluation.report.plots import Picture, Report, below, checkpoints, colours

_DRAWS = 10
_HALVES = 200
_NULLS = 500


def hits(distance: Floats, is_first: Bools) -> Floats:
    """For each piece the share of its nearest others that are of its own set.

    Args:
        distance: (n, n), symmetric; the diagonal is not read. n >= 2.
        is_first: (n,) which of the two sets each piece is of.

    Returns:
        (n,) in [0, 1].
    """
    others = distance + np.where(np.eye(len(distance), dtype=bool), np.inf, 0.0)
    nearest = others == others.min(axis=1, keepdims=True)
    own = is_first[:, None] == is_first
    return np.asarray((nearest & own).sum(axis=1) / nearest.sum(axis=1))


def accuracy(distance: Floats, first: Ints, second: Ints) -> float:
    """Mean of `hits` over the pieces numbered `first` and `second`."""
    return float(_hits(distance, first, second).mean())


def _hits(distance: Floats, first: Ints, second: Ints) -> Floats:
    both = np.concatenate([first, second])
    return hits(distance[np.ix_(both, both)], np.arange(len(both)) < len(first))


def null(distance: Floats, works: Ints, n: int, rng: Generator) -> Floats:
    """Accuracies of random pairs of sets of n of the works; (500,)."""
    draws = (rng.permutation(works)[: 2 * n] for _ in range(_NULLS))
    return np.array([accuracy(distance, draw[:n], draw[n:]) for draw in draws])


def compare(sets: PieceSets, rng: Generator) -> dict[str, Any]:
    """Accuracies with their null distribution.

    Args:
        sets: generated pieces, works held out and works learned from.
        rng: draws pieces.

    Returns:
        `counts`; `n`, the size of each set compared; by measure (`together`, and each aspect of
        `similarity`): `null` (mean, low, high), and for `against_reference`, `against_train` and
        `real`: the accuracy's figure, the shares of hits of either side (`first`, `second`),
        `p` (chance of lying as far from the null's mean) and the `verdict`. With sets of one
        piece there is nothing to tell: values are None.
    """
    sizes = [len(pieces) for pieces in sets.pieces.values()]
    ours, held, learned = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    groups = np.concatenate(list(sets.groups.values()))
    related = groups[:, None] == groups
    every = [piece for pieces in sets.pieces.values() for piece in pieces]
    works = np.concatenate([held, learned])
    n = min(len(ours), len(held), len(learned), len(works) // 2)
    measures = {}
    for name, apart in distances(every).items():
        distance = np.where(related, np.inf, apart)
        chance = null(distance, works, n, rng)
        low, high = np.quantile(chance, [TAIL, 1 - TAIL])
        mean = float(chance.mean()) if n > 1 else math.nan
        measures[name] = {
            "null": {**figure(mean, low, high, n), "draws": _NULLS},
            "against_reference": _told_apart(distance, ours, held, n, chance, groups, rng),
            "against_train": _told_apart(distance, ours, learned, n, chance, groups, rng),
            "real": _told_apart(distance, held, learned, n, chance, groups, rng),
        }
    return {"counts": sets.counts, "n": n, **measures}


def _told_apart(
    distance: Floats,
    first: Ints,
    second: Ints,
    n: int,
    chance: Floats,
    groups: Ints,
    rng: Generator,
) -> dict[str, Any]:
    if n < 2:
        nothing = figure(math.nan, n=n)
        return {**nothing, "first": None, "second": None, "p": None, "verdict": "none"}
    draws = 1 if len(first) == len(second) == n else _DRAWS
    found = np.mean(
        [
            _hits(distance, rng.permutation(first)[:n], rng.permutation(second)[:n])
            for _ in range(draws)
        ],
        axis=0,
    )
    value = float(found.mean())
    own = [groups[side] for side in (first, second)]
    drawn = _over_halves(distance, (first, second), own, n, rng)
    smaller = min(n, *(counted(side, len(side)) for side in own))
    far = np.abs(chance - chance.mean()) >= abs(value - chance.mean()) - 1e-12
    return {
        **spread_figure(value, drawn, n, groups=smaller, most=1.0),
        "first": float(found[:n].mean()),
        "second": float(found[n:].mean()),
        "p": float((far.sum() + 1) / (len(chance) + 1)),
        "verdict": _verdict(value, chance),
    }


def _over_halves(
    distance: Floats, sides: tuple[Ints, Ints], groups: Sequence[Ints], n: int, rng: Generator
) -> Floats:
    """Accuracies of half of n pieces of either set, whole groups of works; (200,)."""
    half = n // 2
    draws = ([side[by_group(own, rng)][:half] for side, own in zip(sides, groups, strict=True)]
             for _ in range(_HALVES))  # fmt: skip
    return np.array([accuracy(distance, a, b) for a, b in draws])


def _verdict(value: float, chance: Floats) -> str:
    low, high = np.quantile(chance, [TAIL, 1 - TAIL])
    return "apart" if value > high else "too close" if value < low else "none"


# The part --------------------------------------------------------------------------------

_SIDES = {
    "against_reference": "works held out", "against_train": "works learned from",
    "real": "held out among learned from",
}  # fmt: skip


def _tables(report: Report) -> Iterator[Table]:
    for model, found in each(report, "nearest_neighbour"):
        rows = [
            [aspect, title, share_cell(found[name][side]),
             VERDICTS[found[name][side]["verdict"]], share_cell(found[name]["null"])]
            for name, aspect in ASPECT_NAMES.items()
            for side, title in _SIDES.items()
        ]  # fmt: skip
        heads = ["", "against", "told apart", "", "by chance"]
        yield Table(f"{model}, {found['n']} of each", heads, rows)


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "nearest_neighbour"), colours(report)
    if not found:
        return
    first = next(iter(found.values()))
    panels: list[Dots] = []
    for side in ("against_reference", "against_train"):
        series = [Series(m, tint[m], [f[n][side] for n in ASPECT_NAMES]) for m, f in found.items()]
        panels.append(
            Dots(
                title=f"against {_SIDES[side]}",
                across="share recognised by their nearest neighbour",
                rows=list(ASPECT_NAMES.values()), series=side_by_side(series), limits=(0, 1),
                line=0.5, bands=[first[name]["null"] for name in ASPECT_NAMES],
                band_label="two sets of works",
                legend=None if panels else below(1.0, -0.2),
            )
        )  # fmt: skip
    size = (11, 1.2 + 0.5 * len(ASPECT_NAMES))
    caption = "Grey: what two sets of real works give."
    yield Picture("neighbours", caption, size, panels, shared=True)


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    judged = found["together"]["against_reference"]
    share = percent(judged)
    yield {
        "none": f"By their nearest relatives no difference between pieces and works was found "
        f"({share} right); fewer than {in_numbers(found['together']['null']['high'], share=True)} "
        f"right could not have been told from chance with {judged['n']} of each.",
        "apart": f"By their nearest relatives, {share} of pieces and works are told apart.",
        "too close": f"Its pieces sit too close to single works: only {share} are told apart.",
    }[judged["verdict"]]


PART = EvaluationPart(
    name="nearest_neighbour",
    title="Can it be told from works?",
    meaning="Pieces and works are shuffled together, and each is matched with its nearest "
    "relative. If relatives come half from either side, the two cannot be told apart. Far to the "
    "right: the model's pieces are a kind of their own. Left of the grey band: they sit so close "
    "to single works that they look like copies.",
    definition=__doc__,
    cost=0.5,
    measure=comparing("nearest_neighbour", compare),
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
    of_baselines=True,
    uses_pieces=True,
)
