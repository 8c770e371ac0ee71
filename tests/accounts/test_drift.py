"""Pieces that grow more alike are told from pieces that do not."""

from __future__ import annotations

import numpy as np
import pytest

from gen.accounts.drift import drift, similarities
from gen.accounts.nearness import Written
from gen.provenance.records.run_acts import Output

OUTPUT = Output(0, "a0" * 32, "a1" * 32, "a2" * 32, "a3" * 32)


def pieces(shares: list[float], a_month: int = 12, seed: int = 1) -> list[Written]:
    """Pieces of as many months; that part of each one's shingles is of a common stock."""
    rng = np.random.default_rng(seed)
    stock = rng.integers(1, 2**60, 60, dtype=np.uint64)
    found = []
    for month, share in enumerate(shares, 1):
        for _ in range(a_month):
            own = rng.integers(1, 2**60, 60, dtype=np.uint64)
            drawn = np.where(rng.random(60) < share, stock, own)
            time = f"2026-{month:02}-10T00:00:00Z"
            found.append(Written(len(found), time, OUTPUT, np.unique(drawn)))
    return found


def test_similarity_is_jaccard() -> None:
    sets = [np.array(s, dtype=np.uint64) for s in ([1, 2, 3, 4], [3, 4, 5], [9])]
    expected = [[1, 2 / 5, 0], [2 / 5, 1, 0], [0, 0, 1]]
    assert similarities(sets) == pytest.approx(np.array(expected))


def test_pieces_that_grow_alike_are_said_to() -> None:
    found = drift(pieces([0.1, 0.2, 0.3, 0.4]))
    assert found.words == "they grow more alike"
    assert found.slope is not None
    assert found.slope > 0
    means = [month.sameness for month in found.months]
    assert means == sorted(means)
    assert all(month.low <= month.sameness <= month.high for month in found.months)


def test_pieces_that_grow_apart_are_said_to() -> None:
    assert drift(pieces([0.4, 0.3, 0.2, 0.1])).words == "they grow less alike"


def test_steady_pieces_are_taken_for_a_trend_no_more_than_chance_allows() -> None:
    found = [drift(pieces([0.3] * 4, a_month=6, seed=seed)).words for seed in range(40)]
    assert sum(words != "no trend beyond chance" for words in found) <= 7  # of 2 expected


def test_more_pieces_in_a_month_are_not_more_alike() -> None:
    few, many = pieces([0.3] * 2, a_month=6), pieces([0.3] * 2, a_month=40, seed=2)
    assert drift(few).months[0].sameness == pytest.approx(drift(many).months[0].sameness, abs=0.02)


def test_too_little_says_so_and_counts_what_is_left_out() -> None:
    assert drift([]).words.startswith("nothing can be told")
    found = drift(pieces([0.3, 0.3], a_month=1))
    assert (found.months, found.left_out) == ((), 2)
