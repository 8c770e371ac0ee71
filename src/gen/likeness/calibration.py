"""How many bits two unrelated pieces share by chance, and so how many are a reason to look.

The best passage that a piece shares with any of many is the largest of many chances: above a
threshold its bits fall off exponentially, with a scale of their own, and the threshold grows with
the logarithm of the number of pieces. Both are estimated from the house's own works, each as if it
were new: against all that are not related to it, weighed by a model that has not learned from it
(`screening`). The threshold is what a fifth of them reach, and the scale is what the others exceed
it by on average, where the highest twentieth counts as its least: a work in twenty may be related
to another and not known to be.

Sources: Davison & Smith 1990, "Models for exceedances over high thresholds"; Epstein & Sobel 1953,
"Life testing" (the scale of an exponential distribution where the highest values are not seen).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FALSE_REVIEWS, FALSE_REFUSALS = 0.03, 0.0002
"""Shares of honest pieces that are looked at in vain, and refused in vain; of these by chance
alone, as what is refused is much longer than a lick."""
_NEW = 4 / 3
"""So many times as many new pieces reach what a share of works does: works that pass for related
and are not have no part in it (measured on songs: 60 of 1,800, where 45 were meant)."""
ENOUGH_WORKS = 20
OUTPUT_FACTOR = 1.3
_LEAST_OUTPUT_BITS = 45.0
"""An output is looked for in more ways than a work, so chance finds more."""
_ABOVE, _UNSEEN = 1 / 5, 1 / 20
"""Shares of works above the threshold, and of those whose bits are not looked at."""
_PRIOR_WORKS = 50
"""As many works say as much of the scale as the prior does: a few tails of a small house say less
of its music than music in general does."""
_LEAST_SCALE = 3.0
_REVIEW_BOUNDS, _BLOCK_BOUNDS = (36.0, 75.0), (70.0, 110.0)
"""Eight bars of a tune say about a hundred bits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bits from which a passage is for review and blocks, and likewise where an output has it."""

    review: float
    block: float
    output_review: float
    output_block: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many unrelated pieces have a best passage of so many bits.

    Attributes:
        location, scale: in bits; the share that reaches `location` plus x is exp(-x / scale).
        pieces: how many pieces were compared with.
        works: how many works it was measured on; 0: measured on songs made for the purpose.
    """

    location: float
    scale: float
    pieces: int
    works: int

    @staticmethod
    def of(scores: Sequence[float], pieces: int) -> Calibration:
        """Of the best bits of each of some works.

        Args:
            scores: at least `ENOUGH_WORKS`.
            pieces: how many works each was compared with.
        """
        count = len(scores)
        highest = np.sort(scores)[::-1]
        above, unseen = round(_ABOVE * count), round(_UNSEEN * count)
        threshold = float(highest[above - 1] + highest[above]) / 2
        exceeding = np.minimum(highest[:above], highest[unseen]).sum() - above * threshold
        prior = _ABOVE * _PRIOR_WORKS
        scale = float(exceeding + prior * PRIOR.scale) / (above - unseen + prior)
        scale = max(scale, _LEAST_SCALE)
        location = threshold + scale * math.log(above / count)
        return Calibration(location, scale, pieces, count)

    def among(self, pieces: int) -> Calibration:
        """The same for more pieces to compare with."""
        location = self.location + self.scale * math.log(max(pieces / self.pieces, 1))
        return Calibration(location, self.scale, pieces, self.works)

    @property
    def _new(self) -> float:
        return _NEW if self.works else 1.0

    def chance(self, bits: float) -> float:
        """Share of honest pieces whose best passage has at least so many bits."""
        of_works = math.exp(min((self.location - bits) / self.scale, 0.0))
        return min(self._new * of_works, 1.0)

    def limits(self, review: float | None = None, block: float | None = None) -> Limits:
        """As calibrated, where they are not given."""
        bits = review or self._bits(FALSE_REVIEWS / self._new, *_REVIEW_BOUNDS)
        blocked = block or self._bits(FALSE_REFUSALS, *_BLOCK_BOUNDS)
        output_review = review or max(bits, _LEAST_OUTPUT_BITS)
        return Limits(bits, max(blocked, bits), output_review, OUTPUT_FACTOR * output_review)

    def _bits(self, chance: float, least: float, most: float) -> float:
        """Bits that so large a share of honest pieces reaches, within bounds."""
        bits = self.location - self.scale * math.log(chance)
        return min(max(bits, least), most)

    def in_words(self, bits: float) -> str:
        """How often an honest piece is looked at in vain."""
        share = 100 * self.chance(bits)
        about = f"about {share:.2g}" if share >= 1 else "fewer than 1"
        basis = f"{self.works} of the house's works" if self.works else "songs made for the purpose"
        return f"expect {about} of 100 honest pieces to be looked at in vain, by {basis}"


PRIOR = Calibration(location=24.0, scale=7.2, pieces=ENOUGH_WORKS, works=0)
"""Of pop songs by code, for a house of fewer works; its model knows no stock figures yet."""
