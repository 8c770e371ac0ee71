"""Figures with their uncertainty: none is reported without its sample size and its interval.

Definition: a figure is a plain dict `{"value", "low", "high", "n"}`; `low` and `high` bound the
95 % interval and are None where the sample (n < 2) says nothing about it.

Formula: percentile bootstrap: n works (or pieces) are drawn with replacement from the n at hand,
the statistic is taken again, and the interval lies between the 2.5 % and the 97.5 % quantile of
1,000 such repeats. Works are drawn, never their notes: notes of one work are not independent.
Shares of yes-or-no outcomes have Wilson's interval, which also holds for 0 of n and n of n, and
their differences Newcombe's, which is made of two of Wilson's.

A piece drawn twice would spoil distances, neighbours and n-grams, as it is no distance away from
its own copy. Of these the statistic is taken over random halves, drawn without replacement: half a
sample varies as much about the whole sample as the whole does about the truth, where the variance
is in proportion to 1/n. The interval is the value ± 1.96 standard deviations over halves (delete-d
jackknife with d = n/2, whose factor (n - d) / d is 1); none for fewer than four pieces.

Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13; Wilson 1927,
"Probable inference, the law of succession, and statistical inference"; Newcombe 1998, "Interval
estimation for the difference between independent proportions", method 10; Shao & Wu 1989, "A
general theory for jackknife variance estimation".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from gen.errors import HouseError

Figure = dict[str, Any]
Draw = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

REPEATS = 1000
TAIL = 0.025
Z = 1.959964
"""The normal distribution's quantile that leaves `TAIL` above it."""


def figure(value: float, low: float | None = None, high: float | None = None, n: int = 1) -> Figure:
    """A figure; NaN and infinity, which JSON does not know, become None. No value, no interval."""
    ends = (low, high) if math.isfinite(value) else (None, None)
    kept = [None if x is None or not math.isfinite(x) else float(x) for x in (value, *ends)]
    return {"value": kept[0], "low": kept[1], "high": kept[2], "n": int(n)}


def bootstrap(
    n: int, statistic: Callable[[Draw], float], rng: Generator, *, repeats: int = REPEATS
) -> Figure:
    """A statistic of n works, with its interval.

    Args:
        n: works.
        statistic: its value over the works with these numbers, (n,) in 0 … n - 1; NaN where a
            draw does not define it.
        rng: draws the works.
        repeats: how often.

    Raises:
        HouseError: no works.
    """
    if n < 1:
        raise HouseError("there is nothing to take a figure of", mend="evaluate more works")
    value = statistic(np.arange(n))
    if n < 2:
        return figure(value, n=n)
    drawn = np.array([statistic(draw) for draw in rng.integers(0, n, (repeats, n))])
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return figure(value, n=n)
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL])
    return figure(value, low, high, n)


def mean(values: ArrayLike, rng: Generator) -> Figure:
    """Mean of one value a work, (n,); NaN means that a work has none."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return ratio(known, np.ones(len(known)), rng)


def ratio(tops: ArrayLike, bottoms: ArrayLike, rng: Generator) -> Figure:
    """Sum over sum, such as bits over notes, (n,) each: works weigh by what they hold."""
    above = np.asarray(tops, dtype=np.float64)
    below = np.asarray(bottoms, dtype=np.float64)
    n = len(above)
    if n < 1 or below.sum() == 0:
        return figure(math.nan, n=n)
    value = above.sum() / below.sum()
    if n < 2:
        return figure(value, n=n)
    draws = rng.integers(0, n, (REPEATS, n))
    under = below[draws].sum(axis=1)
    drawn = above[draws].sum(axis=1)[under != 0] / under[under != 0]
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL])
    return figure(value, low, high, n)


def share(hits: int, n: int) -> Figure:
    """Hits of n independent tries, with Wilson's interval."""
    if n < 1:
        return figure(math.nan, n=0)
    p = hits / n
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return figure(p, max(middle - half, 0.0), min(middle + half, 1.0), n)


def share_difference(first: Figure, second: Figure) -> Figure:
    """One `share` less another of independent tries; n is the smaller's size."""
    n = min(first["n"], second["n"])
    if first["value"] is None or second["value"] is None:
        return figure(math.nan, n=n)
    gap = first["value"] - second["value"]
    below = math.hypot(first["value"] - first["low"], second["high"] - second["value"])
    above = math.hypot(first["high"] - first["value"], second["value"] - second["low"])
    return figure(gap, gap - below, gap + above, n)


def difference(first: ArrayLike, second: ArrayLike, rng: Generator) -> Figure:
    """Mean of `first` less mean of `second`: two independent samples; n is the smaller's size."""
    samples = [np.asarray(x, dtype=np.float64) for x in (first, second)]
    a, b = (x[np.isfinite(x)] for x in samples)
    n = min(len(a), len(b))
    if n < 2:
        return figure(a.mean() - b.mean() if n else math.nan, n=n)
    drawn = [x[rng.integers(0, len(x), (REPEATS, len(x)))].mean(axis=1) for x in (a, b)]
    low, high = np.quantile(drawn[0] - drawn[1], [TAIL, 1 - TAIL])
    return figure(a.mean() - b.mean(), low, high, n)


def ratio_difference(
    tops: ArrayLike, bottoms: ArrayLike, other_tops: ArrayLike, other_bottoms: ArrayLike,
    rng: Generator,
) -> Figure:  # fmt: skip
    """One ratio less another, of two independent samples; n is the smaller's size."""
    pairs = [
        (np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64))
        for top, bottom in ((tops, bottoms), (other_tops, other_bottoms))
    ]
    n = min(len(bottom) for _, bottom in pairs)
    if n < 1 or any(bottom.sum() == 0 for _, bottom in pairs):
        return figure(math.nan, n=n)
    first, second = (top.sum() / bottom.sum() for top, bottom in pairs)
    if n < 2:
        return figure(first - second, n=n)
    gaps = np.zeros(REPEATS)
    for sign, (top, bottom) in zip((1, -1), pairs, strict=True):
        draws = rng.integers(0, len(bottom), (REPEATS, len(bottom)))
        with np.errstate(divide="ignore", invalid="ignore"):
            gaps += sign * top[draws].sum(axis=1) / bottom[draws].sum(axis=1)
    low, high = np.quantile(gaps[np.isfinite(gaps)], [TAIL, 1 - TAIL])
    return figure(first - second, low, high, n)


def verdict(gap: Figure) -> str:
    """What a difference says: `higher`, `lower`, or `none` where its interval holds 0."""
    if gap["low"] is None or gap["low"] <= 0 <= gap["high"]:
        return "none"
    return "higher" if gap["low"] > 0 else "lower"


def by_name(rows: Sequence[dict[str, float]], rng: Generator) -> dict[str, Figure]:
    """Mean of each named value over works that each have some of them."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: mean([row.get(name, math.nan) for row in rows], rng) for name in names}


# Over halves -----------------------------------------------------------------------------

LEAST = 4


def halves(n: int, repeats: int, rng: Generator) -> Bools:
    """Random halves of n pieces, the smaller half where n is odd; (repeats, n)."""
    return rng.permuted(np.tile(np.arange(n) < n // 2, (repeats, 1)), axis=1)


def spread_figure(
    value: float, drawn: Floats, n: int, *, least: float = 0.0, most: float = math.inf
) -> Figure:
    """A figure of n pieces from the statistic's values over halves, kept in [least, most].

    Args:
        value: of all pieces.
        drawn: (repeats,) of halves; NaN where one does not define it.
        n: pieces of the smaller set.
        least: of what the statistic can be.
        most: of what the statistic can be.
    """
    known = drawn[np.isfinite(drawn)]
    if n < LEAST or not len(known):
        return figure(value, n=n)
    wide = Z * float(known.std())
    return figure(value, max(value - wide, least), min(value + wide, most), n)
