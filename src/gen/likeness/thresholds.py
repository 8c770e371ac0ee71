"""When a person looks at a likeness, and when it stops a contribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gen.errors import SettingError
from gen.likeness.calibration import Limits
from gen.likeness.report import BLOCK, CLEAR, OUTPUT, REVIEW, WITHDRAWN, Passage
from gen.likeness.shared import ACCOMPANIMENT_FACTOR

OUTPUT_ACCOMPANIMENT_FACTOR = 3.0
"""Where an output has an accompaniment too, so many times the bits of a tune are refused."""
_LEAST_WITHDRAWN_BARS = 0.6


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a human looks (review) and when the contribution stops (block).

    Attributes:
        review_bits: what a shared passage says; None: as calibrated on the house's works.
        block_bits: likewise.
        review_similarity, block_similarity: Jaccard, 0 to 1.
        block_bars: share of a piece's bars that an output has too, 0 to 1.
    """

    review_bits: float | None = None
    block_bits: float | None = None
    review_similarity: float = 0.35
    block_similarity: float = 0.5
    block_bars: float = 0.55

    def __post_init__(self) -> None:
        if not 0 < self.review_similarity <= self.block_similarity <= 1:
            raise SettingError("similarities must be 0 < review ≤ block ≤ 1")
        if not 0 < self.block_bars <= 1:
            raise SettingError("the share of bars must be above 0 and at most 1")
        for bits in (self.review_bits, self.block_bits):
            if bits is not None and not 0 < bits < math.inf:
                raise SettingError(f"{bits:g} bits", mend="give a number above 0")
        if self.review_bits and self.block_bits and self.review_bits > self.block_bits:
            raise SettingError("bits must be 0 < review ≤ block")

    def verdict(
        self, kind: str, similarity: float, passage: Passage | None, bars: float, limits: Limits
    ) -> str:
        """What a likeness is, whoever composed it.

        Args:
            kind: of the known piece.
            similarity: Jaccard, of the whole pieces.
            passage: the one that weighs most.
            bars: share of the piece's bars that an output or a withdrawn work has too.
            limits: of the passage, in bits.
        """
        bits = passage.bits if passage else 0
        is_tune = passage is not None and passage.is_tune
        is_leading = passage is not None and passage.is_leading
        outputs_own = limits.output_block * (1 if is_tune else OUTPUT_ACCOMPANIMENT_FACTOR)
        is_block = {
            OUTPUT: bits >= outputs_own or bars >= self.block_bars,
            WITHDRAWN: (is_tune and bits >= limits.block) or bars >= _LEAST_WITHDRAWN_BARS,
        }.get(kind, is_tune and bits >= limits.block)
        if is_block or similarity >= self.block_similarity:
            return BLOCK
        enough, counts = (
            (limits.output_review, is_tune) if kind == OUTPUT else (limits.review, is_leading)
        )
        is_review = bits >= enough * (1 if counts else ACCOMPANIMENT_FACTOR)
        return REVIEW if is_review or similarity >= self.review_similarity else CLEAR
