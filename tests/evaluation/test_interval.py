from __future__ import annotations

import math

import numpy as np
import pytest

from gen.errors import HouseError
from gen.evaluation import interval


def rng():
    return np.random.default_rng(7)


def test_a_mean_has_the_interval_that_theory_gives():
    values = np.random.default_rng(1).normal(5, 2, 400)
    got = interval.mean(values, rng())
    half = 1.96 * values.std() / math.sqrt(400)
    assert got["value"] == pytest.approx(values.mean())
    assert got["low"] == pytest.approx(values.mean() - half, abs=0.03)
    assert got["high"] == pytest.approx(values.mean() + half, abs=0.03)
    assert got["n"] == 400


def test_an_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(2).exponential(1, (300, 60))
    found = [interval.mean(sample, rng()) for sample in draws]
    covered = np.mean([f["low"] <= 1 <= f["high"] for f in found])
    assert 0.88 < covered < 0.98  # a little under 95 % at 60 skewed values, as theory has it


def test_a_ratio_weighs_works_by_what_they_hold():
    assert interval.ratio([10, 2], [10, 1], rng())["value"] == pytest.approx(12 / 11)


def test_one_work_says_nothing_about_its_spread():
    assert interval.mean([3.0], rng()) == {"value": 3.0, "low": None, "high": None, "n": 1}


def test_no_value_is_no_figure_rather_than_a_number():
    assert interval.mean([math.nan], rng())["value"] is None
    assert interval.share(0, 0)["value"] is None
    with pytest.raises(HouseError, match="nothing"):
        interval.bootstrap(0, lambda draw: 0.0, rng())


def test_the_general_bootstrap_agrees_with_the_ratio():
    tops, bottoms = np.arange(1.0, 31), np.full(30, 2.0)
    general = interval.bootstrap(30, lambda d: tops[d].sum() / bottoms[d].sum(), rng())
    assert general == pytest.approx(interval.ratio(tops, bottoms, rng()))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_shares_differ_as_newcombe_has_it(first, second, low, high):
    got = interval.share_difference(interval.share(*first), interval.share(*second))
    assert got["value"] == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (got["low"], got["high"]) == pytest.approx((low, high), abs=5e-5)
    assert got["n"] == min(first[1], second[1])
    assert interval.share_difference(interval.share(0, 0), got)["value"] is None


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.27754), (8, 10, 0.49016, 0.94331), (10, 10, 0.72246, 1.0)],
)
def test_shares_have_wilsons_interval(hits, n, low, high):
    """Values worked out from Wilson's formula with a calculator's precision."""
    got = interval.share(hits, n)
    assert (got["low"], got["high"]) == pytest.approx((low, high), abs=1e-4)


def test_a_difference_inside_its_interval_is_none():
    a, b = np.random.default_rng(3).normal(0, 1, (2, 200))
    assert interval.verdict(interval.difference(a, b, rng())) == "none"
    assert interval.verdict(interval.difference(a + 1, b, rng())) == "higher"
    assert interval.verdict(interval.difference(a - 1, b, rng())) == "lower"
    assert interval.verdict(interval.difference([1.0], [2.0], rng())) == "none"


def test_the_same_seed_gives_the_same_interval():
    assert interval.mean([1, 2, 4], rng()) == interval.mean([1, 2, 4], rng())


def test_names_that_some_works_lack_are_counted_where_they_are():
    got = interval.by_name([{"a": 1.0, "b": 2.0}, {"a": 3.0}], rng())
    assert (got["a"]["value"], got["a"]["n"], got["b"]["n"]) == (2.0, 2, 1)
