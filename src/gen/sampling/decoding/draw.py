"""How one id is drawn from the model's scores: scores → probabilities → draw.

By chance (`draw`, `draw_one`), or by the key of a watermark (`draw_keyed`). N pieces, V ids of a
field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.errors import HouseError, SettingError


@dataclass(frozen=True, slots=True)
class DrawConfig:
    """How one id is drawn from the model's scores.

    Args:
        temperature: above 0; below 1 plays safe, above 1 dares.
        top_p: in (0, 1]; only the smallest set of ids whose probability reaches it.
        min_p: in [0, 1); only ids at least this likely, in units of the likeliest.
    """

    temperature: float = 1.0
    top_p: float = 0.98
    min_p: float = 0.1

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 5:
            raise SettingError(f"{self.temperature} is outside 0.01 to 5", where="temperature")
        if not 0 < self.top_p <= 1:
            raise SettingError(f"{self.top_p} is outside (0, 1]", where="top_p")
        if not 0 <= self.min_p < 1:
            raise SettingError(f"{self.min_p} is outside [0, 1)", where="min_p")


def draw(
    scores: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    config: DrawConfig,
    rngs: Sequence[Generator],
) -> list[int]:
    """Draw one allowed id for each piece. (N, V), (N, V) -> N ids.

    Nothing is sorted: an id is drawn from all, and drawn again from those likelier where these
    alone reach `top_p` already.

    Sources: nucleus sampling (Holtzman et al. 2020, arXiv:1904.09751), min-p (Nguyen et al.
    2024, arXiv:2407.01082).
    """
    weights = np.where(allowed, scores, np.float32(-np.inf))
    weights -= np.maximum.reduce(weights, 1, keepdims=True)
    if config.temperature != 1:
        weights /= np.float32(config.temperature)
    np.exp(weights, out=weights)
    sums = weights.cumsum(1, dtype=np.float64)
    whole = sums[:, -1]
    if not all(map(math.isfinite, whole.tolist())):  # the likeliest weighs 1, unless it is none
        raise _broken()
    enough = config.top_p * whole
    if config.min_p:
        weights *= weights >= config.min_p
        sums = weights.cumsum(1, dtype=np.float64)
    ids: list[int] = [0] * len(rngs)
    left = list(range(len(rngs)))
    while True:
        points = sums[:, -1] * [rngs[n].random() for n in left]
        found = (sums > points[:, None]).argmax(1)
        for n, drawn in zip(left, found.tolist(), strict=True):
            ids[n] = drawn
        likelier = weights * (weights > weights[np.arange(len(left)), found, None])
        refused = np.add.reduce(likelier, 1, dtype=np.float64) >= enough
        if not np.count_nonzero(refused):
            return ids
        left = [n for n, again in zip(left, refused.tolist(), strict=True) if again]
        enough, weights = enough[refused], likelier[refused]
        sums = weights.cumsum(1, dtype=np.float64)


def draw_one(scores: NDArray[np.float32], config: DrawConfig, rng: Generator) -> int:
    """The same for a single piece, in half the time: which of the scores, all of ids allowed."""
    best = float(scores.max())
    if not math.isfinite(best):
        raise _broken()
    weights = np.exp((scores - best) / config.temperature)
    sums = weights.cumsum(dtype=np.float64)
    enough = config.top_p * sums[-1]
    if config.min_p:
        weights *= weights >= config.min_p
        sums = weights.cumsum(dtype=np.float64)
    while True:
        found = sums.searchsorted(rng.random() * sums[-1], side="right")
        if weights[found] == 1:  # nothing is likelier
            return int(found)
        weights = weights * (weights > weights[found])
        sums = weights.cumsum(dtype=np.float64)
        if sums[-1] < enough:
            return int(found)


def draw_keyed(
    scores: NDArray[np.float32],
    config: DrawConfig,
    choose: Callable[[NDArray[np.int64], NDArray[np.float64]], int],
) -> int:
    """The same where something else than chance chooses: which of the scores.

    Args:
        scores: of ids that are all allowed. (V,)
        config: how to draw.
        choose: takes the places of those that may be drawn and their weights, (N,) each; the
            place of one among these.
    """
    best = float(scores.max())
    if not math.isfinite(best):
        raise _broken()
    weights = np.exp((scores.astype(np.float64) - best) / config.temperature)
    enough = config.top_p * weights.sum()
    places = (weights >= max(config.min_p, np.finfo(np.float64).tiny)).nonzero()[0]
    kept = weights[places]
    likelier = (kept * (kept > kept[:, None])).sum(1)
    places = places[likelier < enough]
    return int(places[choose(places, weights[places])]) if len(places) > 1 else int(places[0])


def _broken() -> HouseError:
    return HouseError(
        "the model's scores are not finite: its training went astray", where="checkpoint",
        mend="name another checkpoint, or train again with a lower optimizer.lr",
    )  # fmt: skip
