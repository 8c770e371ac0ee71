"""Overlap, divergence and distance against scipy on the raw pairs, and against known answers."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats

from gen.evaluation.measures.contrast import contrast, distance, entropy, overlap, shares
from gen.evaluation.measures.interval import halves, spread_figure


def rng(seed=3):
    return np.random.default_rng(seed)


def densities_by_scipy(first, second):
    """Overlap area and divergence with scipy's own kernel density, integrated on a wide grid."""
    within = [abs(a - b) for a, b in itertools.combinations(second, 2)]
    between = [abs(a - b) for a in first for b in second]
    points = np.linspace(min(within + between) - 3, max(within + between) + 3, 20_001)
    f, g = stats.gaussian_kde(within)(points), stats.gaussian_kde(between)(points)
    step = points[1] - points[0]
    area = np.minimum(f, g).sum() * step
    f, g = f / f.sum(), g / g.sum()
    known = (f > 0) & (g > 0)
    return area, (f[known] * np.log(f[known] / g[known])).sum()


@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0])
def test_overlap_area_and_divergence_are_those_of_scipys_densities(shift):
    first, second = rng(1).normal(shift, 1, 40), rng(2).normal(0, 1, 30)
    area, divergence = overlap(first, second, rng())
    by_scipy = densities_by_scipy(first, second)
    assert area["value"] == pytest.approx(by_scipy[0], abs=0.003)
    assert divergence["value"] == pytest.approx(by_scipy[1], rel=0.03, abs=0.002)
    assert area["low"] < area["value"] <= area["high"] <= 1
    assert area["n"] == 30


def test_overlap_falls_as_sets_draw_apart():
    second = rng(2).normal(0, 1, 40)
    areas = [
        overlap(rng(1).normal(shift, 1, 40), second, rng())[0]["value"] for shift in (0, 1, 3, 9)
    ]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > 0.9
    assert areas[-1] < 0.05


def test_sets_of_one_value_overlap_wholly_or_not_at_all():
    ones = np.ones(5)
    assert overlap(ones, ones, rng())[0]["value"] == 1
    assert overlap(ones, ones, rng())[1]["value"] == 0
    assert overlap(ones + 1, ones, rng())[0]["value"] < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_distance_of_numbers_is_scipys_wasserstein_distance(seed):
    first, second = rng(seed).normal(0, 2, 17), rng(seed + 9).normal(1, 1, 23)
    found = distance(first, second, rng())
    assert found["value"] == pytest.approx(stats.wasserstein_distance(first, second))


def test_distance_of_distributions_is_wassersteins_between_their_means():
    support = np.array([0.0, 1.0, 5.0])
    first = np.array([[1, 0, 0], [0.5, 0.5, 0]])
    second = np.array([[0, 0, 1.0], [0, 0, 1.0]])
    found = distance(first, second, rng(), support=support)
    mean = [0.75, 0.25, 0]
    expected = stats.wasserstein_distance(support, support, mean, [0, 0, 1])
    assert found["value"] == pytest.approx(expected)
    assert found["value"] == pytest.approx(0.75 * 5 + 0.25 * 4)


def test_distance_of_names_is_total_variation():
    first, second = np.array([[0.5, 0.5, 0]] * 3), np.array([[0, 0.25, 0.75]] * 4)
    assert distance(first, second, rng())["value"] == 0.75


def test_equal_populations_differ_as_seldom_as_chance_has_it():
    draws = rng(5).normal(0, 1, (100, 2, 20))
    differ = [distance(a, b, rng())["differs"] for a, b in draws]
    assert np.mean(differ) < 0.12  # 5 % are expected, 10 % the upper end of 100 tries
    uneven = [distance(a, b[:6], rng())["differs"] for a, b in draws]
    assert np.mean(uneven) < 0.12
    for size in (20, 6):
        shifted = [distance(a + 1.5, b[:size], rng())["differs"] for a, b in draws[:20]]
        assert np.mean(shifted) > 0.6


def test_half_samples_give_the_error_of_a_mean():
    values = rng(1).normal(5, 2, 300)
    means = (halves(300, 2000, rng()) @ values) / 150
    found = spread_figure(values.mean(), means, 300)
    assert found["high"] - found["value"] == pytest.approx(1.96 * values.std() / 300**0.5, rel=0.06)


def test_fewer_than_four_pieces_have_no_interval():
    found = spread_figure(1.0, np.array([1.0, 2.0]), 3)
    assert (found["low"], found["high"], found["n"]) == (None, None, 3)


def test_contrast_tells_direction_and_leaves_out_what_is_not_defined():
    low, high = rng(1).normal(0, 1, 30), rng(2).normal(2, 1, 30)
    found = contrast([np.append(high, math.nan), low, low], rng())
    assert found["verdict"] == "higher"
    assert found["generated"]["n"] == 30
    assert found["difference"]["value"] == pytest.approx(high.mean() - low.mean())
    assert found["apart"]["distance"]["differs"]
    assert not found["real"]["distance"]["differs"]
    assert found["real"]["overlap_area"]["value"] > found["apart"]["overlap_area"]["value"]
    json.dumps(found, allow_nan=False)


def test_contrast_of_distributions_takes_each_pieces_mean_or_entropy():
    rows = np.array([[0.5, 0.5], [1.0, 0.0], [math.nan, math.nan]])
    over = contrast([rows] * 3, rng(), support=[10, 20])
    assert over["generated"]["value"] == pytest.approx((15 + 10) / 2)
    names = contrast([rows] * 3, rng())
    assert names["generated"]["value"] == pytest.approx((1 + 0) / 2)
    worth = contrast([rows] * 3, rng(), support=[10, 20], worth=[1, 3])
    assert worth["generated"]["value"] == pytest.approx((2 + 1) / 2)


@pytest.mark.parametrize("size", [0, 1])
def test_a_set_that_is_too_small_has_neither_overlap_nor_distance(size):
    found = contrast([np.ones(size), np.arange(9.0), np.arange(9.0)], rng())
    assert found["apart"]["distance"] is None
    assert found["apart"]["overlap_area"]["value"] is None
    assert found["verdict"] == "none"
    json.dumps(found, allow_nan=False)


def test_two_and_three_pieces_are_enough_for_values():
    for size in (2, 3):
        found = contrast([np.arange(size) * 1.0, np.arange(9.0), np.arange(3.0)], rng())
        assert found["apart"]["overlap_area"]["value"] is not None
        json.dumps(found, allow_nan=False)


def test_entropy_and_shares_of_nothing_are_not_defined():
    assert entropy(np.array([4.0, 4.0, 0.0])) == 1
    assert math.isnan(entropy(np.zeros(3)))
    assert np.isnan(shares([0, 0])).all()
    assert shares([1, 3]).tolist() == [0.25, 0.75]


def test_half_samples_give_the_error_of_a_distance_too():
    found = [distance(*pair, rng()) for pair in rng(4).normal([[1.5], [0.0]], 1, (100, 2, 40))]
    truth = np.std([f["value"] for f in found])
    claimed = np.mean([f["high"] - f["low"] for f in found]) / 2 / 1.96
    assert claimed == pytest.approx(truth, rel=0.25)
