"""One feature of two sets of pieces: overlap, divergence, and a distance with its chance level.

Definition: a feature is one number a piece, or one distribution a piece (a histogram).

*Overlap area* and *divergence*: Euclidean distances are taken between all pairs of reference
pieces, and between all pairs of a generated and a reference piece; a Gaussian kernel (Scott's
bandwidth) makes a density of each kind, f and g. Overlap area = ∫ min(f, g), 1 where generated
pieces are as far from works as works are from each other; divergence = ∫ f ln(f / g), in nats.

*Distance*: between the two sets' mean distributions: Wasserstein's (in the feature's unit) where
values have an order, total variation (0 to 1) where they are names. It is never negative and never
quite 0, so it stands beside its *chance* level: what 95 % of random divisions of the same pieces
into two such sets stay below, groups of works kept together. A distance under it was not found.

Intervals: over random halves of both sets of pieces (`halves`).

Source: Yang & Lerch 2020, "On the evaluation of generative models in music", Neural Computing and
Applications 32; Good 2005, "Permutation, Parametric and Bootstrap Tests of Hypotheses".
Deviations from the authors' code (mgeval): both densities are taken at the same points (theirs:
each over its own range), and as far as their kernels reach (theirs: cut at the outermost
distances, so that equal sets overlap by less than 1); densities are binned at 512 points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist  # type: ignore[import-untyped]

from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import (
    REPEATS,
    Figure,
    Groups,
    counted,
    divided,
    figure,
    halves,
    spread_figure,
)
from gen.evaluation.measures.notes import SIDES, Floats, Ints

Sets = Sequence[Floats]
Pair = tuple[Groups, Groups]

_POINTS = 512
_HALVES = 200
_REACH = 4.0
"""How many bandwidths beyond the outermost distance a density is followed."""
_FAINT = 1e-12


def contrast(
    sets: Sets,
    rng: Generator,
    groups: Sequence[Groups] = (None, None, None),
    *,
    support: Any = None,
    worth: Any = None,
) -> dict[str, Any]:
    """Everything said of one feature.

    Args:
        sets: of generated pieces, of works held out and of works learned from: (n,) one number a
            piece, or (n, K) one distribution a piece; NaN where a piece has none.
        rng: draws pieces.
        groups: of each set, the group of each piece, (n,).
        support: (K,) the ascending values that a distribution is over; None where they are names.
        worth: (K,) what the values count as in a piece's mean; those of `support` where None.

    Returns:
        Mean of each set (of distributions: of each piece's mean; over names: of its entropy in
        bits), the `difference` of generated less reference with its `verdict`, and how generated
        pieces (`apart`) and training works (`real`) compare with the reference.
    """
    known = [_defined(rows, own) for rows, own in zip(sets, groups, strict=True)]
    (generated, _), (reference, held), (train, learned) = known
    worth = support if worth is None else worth
    means = [_summary(rows, worth) for rows in (generated, reference, train)]
    own = [group for _, group in known]
    gap = interval.difference(means[0], means[1], (own[0], own[1]))
    return {
        **{name: interval.mean(m, g) for name, m, g in zip(SIDES, means, own, strict=True)},
        "difference": gap,
        "verdict": interval.verdict(gap),
        "apart": versus(generated, reference, rng, (own[0], held), support=support),
        "real": versus(train, reference, rng, (learned, held), support=support),
    }


def versus(
    first: Floats, second: Floats, rng: Generator, groups: Pair = (None, None), *,
    support: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """Overlap area, divergence and distance of a set from a reference; arguments as above.

    Sets of fewer than two pieces have none of them.
    """
    if min(len(first), len(second)) < 2:
        nothing = figure(math.nan, n=min(len(first), len(second)))
        return {"overlap_area": nothing, "divergence": nothing, "distance": None}
    area, divergence = overlap(first, second, rng, groups)
    return {
        "overlap_area": area,
        "divergence": divergence,
        "distance": distance(first, second, rng, groups, support=support),
    }


def _defined(rows: Floats, groups: Groups) -> tuple[Floats, Ints]:
    known = np.isfinite(rows if rows.ndim == 1 else rows.sum(axis=1))
    own = np.arange(len(rows)) if groups is None else np.asarray(groups)
    return rows[known], own[known]


def _fewer(first: Floats, second: Floats, groups: Pair) -> tuple[int, int]:
    """Pieces and groups of the set that has fewer."""
    sizes = [
        (len(rows), counted(own, len(rows)))
        for rows, own in zip((first, second), groups, strict=True)
    ]
    return min(n for n, _ in sizes), min(count for _, count in sizes)


def _summary(rows: Floats, worth: Any) -> Floats:
    """One number a piece."""
    if rows.ndim == 1:
        return rows
    return entropy(rows) if worth is None else np.asarray(rows @ np.asarray(worth, np.float64))


def entropy(counts: Floats) -> Floats:
    """Bits of each distribution, (…, K) -> (…); NaN where nothing was counted."""
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counts / total
        bits = -np.where(share > 0, share * np.log2(share), 0.0).sum(axis=-1)
    return np.asarray(np.where(total[..., 0] > 0, bits, math.nan))


def shares(counts: Any) -> Floats:
    """Counts as a distribution; all NaN where nothing was counted. (K,) -> (K,)."""
    known = np.asarray(counts, dtype=np.float64)
    total = known.sum()
    return known / total if total else np.full(known.shape, math.nan)


# -- overlap of the densities of distances ------------------------------------------------------


def overlap(
    first: Floats, second: Floats, rng: Generator, groups: Pair = (None, None)
) -> tuple[Figure, Figure]:
    """Overlap area and divergence of (n,) or (n, K) from the reference (m,) or (m, K); n, m >= 2.

    Where all distances are the same, the two are equal: area 1, divergence 0.
    """
    a, b = (rows.reshape(len(rows), -1) for rows in (first, second))
    upper = np.triu_indices(len(b), 1)
    within, between = cdist(b, b)[upper], cdist(a, b).ravel()
    n, count = _fewer(a, b, groups)
    bandwidths = [_bandwidth(within), _bandwidth(between)]
    reach = _REACH * max(bandwidths)
    low = min(within.min(), between.min()) - reach
    high = max(within.max(), between.max()) + reach
    if high - low <= _FAINT:
        return figure(1.0, n=n, groups=count), figure(0.0, n=n, groups=count)
    step = (high - low) / (_POINTS - 1)
    kernels = [_kernel(max(width, step) / step) for width in bandwidths]
    bins = [np.rint((d - low) / step).astype(np.int64) for d in (within, between)]
    # The first draw is everything, the others are halves; each is a row from here on.
    of_a, of_b = (
        np.vstack([np.ones(len(x)), halves(len(x), _HALVES, rng, own)])
        for x, own in zip((a, b), groups, strict=True)
    )
    weights = (
        of_b[:, upper[0]] * of_b[:, upper[1]],
        (of_a[:, :, None] * of_b[:, None, :]).reshape(len(of_a), -1),
    )
    f, g = (
        _histograms(places, weight) @ kernel
        for kernel, places, weight in zip(kernels, bins, weights, strict=True)
    )
    area, divergence = _area_and_divergence(f, g)
    return (
        spread_figure(float(area[0]), area[1:], n, groups=count, most=1.0),
        spread_figure(float(divergence[0]), divergence[1:], n, groups=count),
    )


def _histograms(places: Ints, weights: Floats) -> Floats:
    """How much weight falls on each point, (P,) and (R, P) -> (R, points)."""
    rows = np.arange(len(weights))[:, None] * _POINTS
    sums = np.bincount(
        (rows + places).ravel(), weights=weights.ravel(), minlength=len(weights) * _POINTS
    )
    return np.asarray(sums.reshape(len(weights), _POINTS), dtype=np.float64)


def _bandwidth(distances: Floats) -> float:
    """Scott's rule, as in scipy: a standard deviation over the fifth root of the sample's size."""
    if len(distances) < 2:
        return 0.0
    return float(distances.std(ddof=1) * len(distances) ** -0.2)


def _kernel(width: float) -> Floats:
    """Gaussian of `width` points about each point, (P, P)."""
    points = np.arange(_POINTS)
    return np.asarray(np.exp(-0.5 * ((points[:, None] - points) / width) ** 2))


def _area_and_divergence(f: Floats, g: Floats) -> tuple[Floats, Floats]:
    """Of densities at the same points, not yet of sum 1; (R, P) each -> (R,) each."""
    with np.errstate(invalid="ignore"):  # half of a set of three has no pairs: NaN
        f, g = (density / density.sum(axis=1, keepdims=True) for density in (f, g))
    area = np.minimum(f, g).sum(axis=1)
    f, g = np.maximum(f, _FAINT), np.maximum(g, _FAINT)
    return area, (f * np.log(f / g)).sum(axis=1)


# -- distance between mean distributions --------------------------------------------------------


def distance(
    first: Floats, second: Floats, rng: Generator, groups: Pair = (None, None), *,
    support: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """The distance's figure, its `chance` level and whether it `differs`.

    Args:
        first: (n,) numbers, or (n, K) distributions; n >= 2.
        second: (m,) or (m, K); m >= 2.
        rng: draws pieces.
        groups: of either, the group of each piece.
        support: as in `contrast`; numbers need none.
    """
    if first.ndim == 1:
        support = np.unique(np.concatenate([first, second]))
        first, second = ((rows[:, None] == support).astype(np.float64) for rows in (first, second))
    n, m = len(first), len(second)
    value = float(_apart(first.mean(axis=0), second.mean(axis=0), support))
    ours, theirs = _half_means(first, rng, groups[0]), _half_means(second, rng, groups[1])
    drawn = _apart(ours, theirs, support)
    both = np.concatenate([first, second])
    sides = divided(n + m, n, REPEATS, rng, _together(groups)).astype(np.float64)
    by_chance = _apart(sides @ both / n, (1 - sides) @ both / m, support)
    chance = float(np.quantile(by_chance, 0.95))
    return {
        **spread_figure(value, drawn, min(n, m), groups=_fewer(first, second, groups)[1]),
        "chance": chance,
        "differs": value > chance + _FAINT,
    }


def _half_means(rows: Floats, rng: Generator, groups: Groups) -> Floats:
    """Mean distributions of random halves, (1000, K)."""
    kept = halves(len(rows), REPEATS, rng, groups).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(kept @ rows / kept.sum(axis=1, keepdims=True))


def _together(groups: Pair) -> Groups:
    """Groups of both sets in a row."""
    if groups[0] is None or groups[1] is None:
        return None
    return np.concatenate([np.asarray(groups[0]), np.asarray(groups[1])])


def _apart(first: Floats, second: Floats, support: Any) -> Floats:
    """Wasserstein's distance over `support`, or total variation. (…, K), (…, K) -> (…)."""
    gap = first - second
    if support is None:
        return np.asarray(np.abs(gap).sum(axis=-1) / 2)
    widths = np.diff(np.asarray(support, dtype=np.float64))
    return np.asarray(np.abs(np.cumsum(gap, axis=-1)[..., :-1]) @ widths)
