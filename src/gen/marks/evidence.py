"""How strongly the notes of a piece speak for a key.

Without the key its numbers are independent and as good as drawn by chance, whatever the piece,
each place or context counting once. So how often chance reaches the score of the likeliest
variant or place is worked out, not estimated, and multiplied by how many were tried.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.marks.watermark import (
    CIRCLE,
    LOUDNESS,
    PITCH,
    PLACES,
    VARIANTS,
    Choice,
    Circle,
    Variant,
    choices,
    cipher_of,
)
from gen.piece import Piece
from gen.tokens.vocabulary import STEPS_PER_QUARTER as _QUARTER

SURE: Final = 4.0
"""Powers of ten from which on evidence counts: at most one of ten thousand pieces that were not
written with the key has so much."""
_CELLS, _UNIT = 4096, 64
"""Numbers are told apart to one in 4096, and scored in whole 64ths of a natural logarithm."""
_CELL_SHIFT: Final = np.uint64(64 - 12)
_MOST_EXACT: Final = 2_000
"""Choices up to which the chance of a score is summed up; a bound stands for it beyond."""
_ROUNDING: Final = 1e-12
"""Chances below it are lost in the rounding of the transform."""
_BLOCK: Final = np.dtype(
    [("what", "S1"), ("drum", "?"), ("name", ">i2"), ("label", ">i2"), ("place", ">u4"),
     ("rest", "V6")]
)  # fmt: skip
"""Of the numbers of `Circle`, many at once."""
_SIZES: Final = np.array([1, 1.5, 2, 3, 5, 8, 13, 30])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the notes of a piece say of a key.

    Attributes:
        powers: of ten, of how many pieces without the key one speaks for it as strongly.
        choices: how many choices were looked at.
    """

    powers: float
    choices: int

    @property
    def is_sure(self) -> bool:
        return self.powers >= SURE


def evidence(piece: Piece, secret: bytes) -> Evidence:
    """How strongly the notes of a piece speak for a key.

    Half of the chance to err goes to the places where pieces of the second kind begin, a quarter
    to all quarters of the circle, for what was trimmed, and a quarter to the first kind.

    Args:
        piece: any music.
        secret: the key's.
    """
    found = list(choices(piece))
    begun, trimmed = _of_circle(found, secret)
    logs = (
        begun + math.log(2 * PLACES),
        trimmed + math.log(4 * CIRCLE),
        _of_variants(found, secret) + math.log(4 * VARIANTS),
    )
    return Evidence(max(0.0, -min(logs) / math.log(10)), len(found))


def _of_variants(found: Sequence[tuple[Choice, int]], secret: bytes) -> float:
    """Logarithm of the chance that a variant has the score of the likeliest."""
    once = {choice.context: (choice, label) for choice, label in reversed(found)}
    said = [(choice.what, context, label) for context, (choice, label) in once.items()]

    def score(mark: Variant) -> int:
        return sum(
            int(SCORES[what][min(int(chance * _CELLS), _CELLS - 1)])
            for what, chance in mark.chances_of(said)
        )

    best = max(score(Variant(secret, number)) for number in range(VARIANTS))
    return log_chance(best, _counts([choice for choice, _ in once.values()]))


def _of_circle(found: Sequence[tuple[Choice, int]], secret: bytes) -> tuple[float, float]:
    """The same of a place of the circle, and of any quarter of it."""
    start = Circle(secret)
    once = {start.decides(choice): (choice, label) for choice, label in reversed(found)}
    if not once:
        return 0.0, 0.0
    alike = defaultdict[tuple[bytes, bool, int, int, int], list[int]](list)
    for choice, label in once.values():
        quarter, step = divmod(choice.step, _QUARTER)
        alike[choice.what, choice.is_drum, choice.name, label, step].append(quarter % CIRCLE)
    of_all = np.zeros(CIRCLE, np.int64)
    cipher, places = cipher_of(secret), np.arange(CIRCLE) * _QUARTER
    for (what, is_drum, name, label, step), quarters in alike.items():
        blocks = np.zeros(CIRCLE, _BLOCK)
        blocks["what"], blocks["drum"], blocks["name"] = what, is_drum, name
        blocks["label"], blocks["place"] = label, places + step
        drawn = np.frombuffer(cipher.update(blocks.tobytes()), ">u8")[::2]
        scores = SCORES[what][(drawn.astype(np.uint64) >> _CELL_SHIFT).astype(np.int64)]
        scores = np.concatenate([scores, scores])  # around the circle
        for quarter in quarters:
            of_all += scores[quarter : quarter + CIRCLE]
    counts = _counts([choice for choice, _ in once.values()])
    best = int(of_all[:: CIRCLE // PLACES].max()), int(of_all.max())
    return log_chance(best[0], counts), log_chance(best[1], counts)


def _counts(found: Sequence[Choice]) -> dict[bytes, int]:
    return dict(Counter(choice.what for choice in found))


# What numbers score ---------------------------------------------------------------------

_EXPECTED: Final = {
    PITCH: (0.64, 0.16, 0.08, 0.056, 0.036, 0.018, 0.008, 0.002),
    LOUDNESS: (0.02, 0.364, 0.35, 0.147, 0.064, 0.041, 0.013, 0.001),
}
"""How the numbers of choices lie that a key made: a mixture of densities s·u^(s-1), each that of
the largest of s numbers. Fitted to 48 pieces of 16 bars of the shipped model by the first kind;
where they lie otherwise, evidence is weaker, and never unjust."""
_LEFT: Final = 0.75
"""Of the choices of a piece, those that stand as they were made; as `_EXPECTED`."""


def _scores_of(shares: Sequence[float]) -> NDArray[np.int64]:
    """What a choice scores, by the cell that its number lies in. (4096,)."""
    numbers = (np.arange(_CELLS) + 0.5) / _CELLS
    density = (np.array(shares) * _SIZES * numbers[:, None] ** (_SIZES - 1)).sum(axis=1)
    scores: NDArray[np.int64] = np.rint(_UNIT * np.log1p(_LEFT * (density - 1))).astype(np.int64)
    return scores


SCORES: Final = {what: _scores_of(shares) for what, shares in _EXPECTED.items()}


# How likely chance has as much ------------------------------------------------------------


def log_chance(score: int, counts: Mapping[bytes, int]) -> float:
    """Logarithm of the chance that so many choices without the key reach a score, or above it."""
    if score <= 0:
        return 0.0
    bound = log_bound(score, counts)
    if sum(counts.values()) > _MOST_EXACT or bound < math.log(_ROUNDING):
        return bound
    return min(bound, math.log(max(tail(score, counts), _ROUNDING)))


def log_bound(score: int, counts: Mapping[bytes, int]) -> float:
    """Chernoff's bound of it; 0 for what is no more than expected."""
    tilts = np.linspace(0, 3, 61) / _UNIT
    logs = -tilts * score
    for what, count in counts.items():
        logs += count * np.log(np.exp(np.outer(tilts, SCORES[what])).mean(axis=1))
    return float(logs.min())


def tail(score: int, counts: Mapping[bytes, int]) -> float:
    """The chance itself: scores of independent choices, summed by Fourier's transform."""
    least = {what: int(SCORES[what].min()) for what in counts}
    most = sum(count * (int(SCORES[what].max()) - least[what]) for what, count in counts.items())
    length = 1 << (most + 1).bit_length()
    spectrum = np.ones(length // 2 + 1, np.complex128)
    for what, count in counts.items():
        shares = np.bincount(SCORES[what] - least[what], minlength=length) / _CELLS
        spectrum *= np.fft.rfft(shares) ** count
    begin = score - sum(count * least[what] for what, count in counts.items())
    return float(np.fft.irfft(spectrum, length)[begin : most + 1].sum())
