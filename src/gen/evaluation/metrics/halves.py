"""Intervals of figures that a piece drawn twice would spoil: distances, neighbours, n-grams.

The bootstrap draws pieces with replacement, and a piece is no distance away from its own copy. So
halves are drawn instead, without replacement: half a sample varies as much about the whole sample
as the whole does about the truth, where the variance is in proportion to 1/n.

Formula: value ± 1.96 standard deviations of the statistic over random halves (delete-d jackknife
with d = n/2, whose factor (n - d) / d is 1). No interval is given for fewer than four pieces.

Source: Shao & Wu 1989, "A general theory for jackknife variance estimation", Annals of Statistics.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from gen.evaluation.interval import Figure, Z, figure
from gen.evaluation.metrics.table import Bools, Floats

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
