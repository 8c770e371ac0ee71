"""How many bits two unrelated pieces share by chance, and so how many are a reason to look.

The best passage that a piece shares with any of many is the largest of many chances, so it follows
a Gumbel distribution: a location, which grows with the logarithm of the number of pieces, and a
scale. Both are estimated from the house's own works, each as if it were new: against all that are
not related to it, weighed by a model that has not learned from it (`screening`). They follow from
the expected least of two scores, and from how far the middle one of three lies above the least:
moments in which the largest score has no weight, as works may be related and not known to be.

Source: Elamir & Seheult 2003, "Trimmed L-moments" (those that trim one value, the largest).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FALSE_REVIEWS, FALSE_REFUSALS = 0.025, 0.0002
"""Shares of honest pieces that are looked at in vain, and refused in vain; of these by chance
alone, as what is refused is much longer than a lick."""
ENOUGH_WORKS = 20
OUTPUT_FACTOR = 1.3
_LEAST_OUTPUT_BITS = 45.0
"""An output is looked for in more ways than a work, so chance finds more."""
_PRIOR_WORKS = 25
"""As many works say as much of the scale as the prior does: their scales would differ from draw to
draw as much as those of different music do."""
_LEAST_SCALE = 3.0
_LEAST_OF_TWO = float(np.euler_gamma) - math.log(2)
_BETWEEN_OF_THREE = 6 * math.log(2) - 3 * math.log(3)
"""Of a Gumbel distribution of location 0 and scale 1: the expected least of two values, and how far
the middle of three lies above the least."""
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
    """The distribution of the best passage's bits between unrelated pieces.

    Attributes:
        location, scale: of the Gumbel distribution, in bits.
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
        ordered = np.sort(np.asarray(scores, dtype=np.float64))
        below = np.arange(len(ordered))
        above = below[::-1]
        least_of_two = np.average(ordered, weights=above)
        least_of_three = np.average(ordered, weights=above * (above - 1))
        middle_of_three = np.average(ordered, weights=below * above)
        own = float(middle_of_three - least_of_three) / _BETWEEN_OF_THREE
        scale = np.average([own, PRIOR.scale], weights=[len(ordered), _PRIOR_WORKS])
        scale = max(float(scale), _LEAST_SCALE)
        location = float(least_of_two) - scale * _LEAST_OF_TWO
        return Calibration(location, scale, pieces, len(scores))

    def among(self, pieces: int) -> Calibration:
        """The same for more pieces to compare with."""
        location = self.location + self.scale * math.log(max(pieces / self.pieces, 1))
        return Calibration(location, self.scale, pieces, self.works)

    def chance(self, bits: float) -> float:
        """Share of honest pieces whose best passage has at least so many bits."""
        return -math.expm1(-math.exp(-(bits - self.location) / self.scale))

    def limits(self, review: float | None = None, block: float | None = None) -> Limits:
        """As calibrated, where they are not given."""
        bits = review or self._bits(FALSE_REVIEWS, *_REVIEW_BOUNDS)
        blocked = block or self._bits(FALSE_REFUSALS, *_BLOCK_BOUNDS)
        output_review = review or max(bits, _LEAST_OUTPUT_BITS)
        return Limits(bits, max(blocked, bits), output_review, OUTPUT_FACTOR * output_review)

    def _bits(self, chance: float, least: float, most: float) -> float:
        """Bits that so large a share of honest pieces reaches, within bounds."""
        bits = self.location - self.scale * math.log(-math.log1p(-chance))
        return min(max(bits, least), most)

    def in_words(self, bits: float) -> str:
        """How often an honest piece is looked at in vain."""
        share = 100 * self.chance(bits)
        about = f"about {share:.0f}" if share >= 1 else "fewer than 1"
        basis = f"{self.works} of the house's works" if self.works else "songs made for the purpose"
        return f"expect {about} of 100 honest pieces to be looked at in vain, by {basis}"


PRIOR = Calibration(location=24.0, scale=7.2, pieces=ENOUGH_WORKS, works=0)
"""Of pop songs by code, for a house of fewer works; its model knows no stock figures yet."""
