"""Whether what a house's models write grows more alike, month by month.

Measure: of each two pieces of a month the Jaccard similarity of the melodic shingles of their
leading lines (as `gen.accounts.nearness`); a month's *sameness* is the mean over its pairs, so that
it does not grow with the number of pieces. The *trend* is the slope of sameness over months, by
least squares; it counts where fewer than 5 in 100 deals of the same pieces to the same months at
random (permutation test, two-sided) give one as steep.

It sees melodies alone, and what was asked for is in it: a month of waltzes is more alike than a
month of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.accounts.nearness import Written
from gen.likeness.voices import Hashes

MOST_PIECES = 600
"""So many, evenly taken, tell it in a longer log."""
DEALS = 999
CHANCE = 0.05
_RESAMPLED = 500

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Month:
    """One month: `2026-03`, its pieces, their sameness, and where 95 in 100 resamplings have it."""

    month: str
    pieces: int
    sameness: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found.

    Attributes:
        months: those with two pieces or more, in order.
        slope: of sameness, a month; None where there are fewer than two months.
        chance: the part of random deals with a slope as steep.
        left_out: pieces without a melody, or in a month of their own.
    """

    months: tuple[Month, ...]
    slope: float | None
    chance: float | None
    left_out: int

    @property
    def words(self) -> str:
        if self.slope is None or self.chance is None:
            return "nothing can be told: it takes two pieces in each of two months"
        if self.chance >= CHANCE:
            return "no trend beyond chance"
        return "they grow more alike" if self.slope > 0 else "they grow less alike"

    def to_dict(self) -> dict[str, Any]:
        names = Month.__slots__
        return {
            "chance": self.chance,
            "left_out": self.left_out,
            "months": [{name: getattr(month, name) for name in names} for month in self.months],
            "slope": self.slope,
            "words": self.words,
        }


def drift(pieces: Sequence[Written], seed: int = 0) -> Drift:
    """Whether pieces grow more alike.

    Args:
        pieces: in the order of the log.
        seed: of resampling and deals.
    """
    melodic = [piece for piece in pieces if len(piece.shingles)]
    chosen = np.linspace(0, len(melodic) - 1, min(len(melodic), MOST_PIECES)).round().astype(int)
    kept = [melodic[index] for index in chosen]
    names = [piece.time[:7] for piece in kept]
    months = [month for month in sorted(set(names)) if names.count(month) > 1]
    kept = [piece for piece, name in zip(kept, names, strict=True) if name in months]
    left_out = len(pieces) - len(melodic) + len(chosen) - len(kept)
    if not months:
        return Drift((), None, None, left_out)
    alike = similarities([piece.shingles for piece in kept])
    of = np.array([months.index(piece.time[:7]) for piece in kept])
    rng = np.random.default_rng(seed)
    found = tuple(
        _month(name, alike, np.flatnonzero(of == i), rng) for i, name in enumerate(months)
    )
    when = np.array([12 * int(name[:4]) + int(name[5:]) for name in months], dtype=float)
    if len(months) == 1:
        return Drift(found, None, None, left_out)
    slope = _slope(alike, of, when)
    deals = [abs(_slope(alike, rng.permutation(of), when)) for _ in range(DEALS)]
    as_steep = sum(deal >= abs(slope) - 1e-15 for deal in deals)
    return Drift(found, slope, (1 + as_steep) / (1 + DEALS), left_out)


def similarities(sets: Sequence[Hashes]) -> Floats:
    """Jaccard similarity of each two of n sets, (n, n); each without doubles, none empty."""
    sizes = np.array([len(each) for each in sets])
    hashes, of = np.concatenate(sets), np.repeat(np.arange(len(sets)), sizes)
    order = np.argsort(hashes, kind="stable")
    edges = np.flatnonzero(np.diff(hashes[order])) + 1
    shared = np.zeros((len(sets), len(sets)))
    for group in np.split(of[order], edges):
        if len(group) > 1:
            shared[np.ix_(group, group)] += 1
    np.fill_diagonal(shared, sizes)
    both: Floats = shared / (sizes[:, None] + sizes[None, :] - shared)
    return both


def _sameness(alike: Floats, places: Ints) -> float:
    """Mean over the pairs of different pieces among these places, doubled ones left out."""
    inner = alike[np.ix_(places, places)]
    pairs = places[:, None] != places[None, :]
    return float(inner[pairs].mean()) if pairs.any() else 0.0


def _month(name: str, alike: Floats, places: Ints, rng: np.random.Generator) -> Month:
    drawn = [_sameness(alike, rng.choice(places, len(places))) for _ in range(_RESAMPLED)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Month(name, len(places), _sameness(alike, places), float(low), float(high))


def _slope(alike: Floats, of: Ints, when: Floats) -> float:
    values = np.array([_sameness(alike, np.flatnonzero(of == i)) for i in range(len(when))])
    apart = when - when.mean()
    return float((apart * values).sum() / (apart**2).sum())
