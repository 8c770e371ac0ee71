from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gen.evaluation.measures import interval

GROUPED = np.repeat(np.arange(18), [1, 1, 1, 2, *[3] * 13, 15])
"""59 works in 18 groups of the sizes that the starter house's test side has."""
FEW = np.repeat(np.arange(6), [1, 2, 3, 2, 4, 1])


def rng(seed=7):
    return np.random.default_rng(seed)


# --- what an interval holds ----------------------------------------------------------------


def works_of(groups, random, *, between=0.35, within=0.15):
    """Bits and notes of works whose bits a note vary between groups and within them."""
    count = groups.max() + 1
    rate = np.exp(random.normal(0, between, count)[groups] + random.normal(0, within, len(groups)))
    notes = np.exp(random.normal(6.5, 0.3, count)[groups] + random.normal(0, 0.4, len(groups)))
    return rate * notes, notes


TRUTH = math.exp((0.35**2 + 0.15**2) / 2)


def covered(groups, told, repeats=600):
    random = rng(1)
    found = [interval.ratio(*works_of(groups, random), told) for _ in range(repeats)]
    return np.mean([f["low"] <= TRUTH <= f["high"] for f in found])


@pytest.mark.parametrize("groups", [GROUPED, FEW, np.arange(40)])
def test_nineteen_in_twenty_intervals_of_works_in_groups_hold_the_truth(groups):
    assert 0.92 < covered(groups, groups) < 0.98


def test_works_drawn_as_if_they_were_independent_would_hold_it_in_six_of_ten():
    assert 0.5 < covered(GROUPED, None) < 0.75


def test_nineteen_in_twenty_differences_of_two_grouped_sides_hold_the_truth():
    random, hits = rng(2), []
    for _ in range(600):
        first, second = (works_of(groups, random) for groups in (GROUPED, FEW))
        gap = interval.ratio_difference(*first, *second, (GROUPED, FEW))
        hits.append(gap["low"] <= 0 <= gap["high"])
    assert 0.92 < np.mean(hits) < 0.985


def test_intervals_of_shares_of_works_in_groups_hold_the_truth_at_least_as_often():
    random, hits = rng(3), []
    for _ in range(400):
        chance = np.clip(random.normal(0.3, 0.25, 18), 0, 1)[GROUPED]
        found = interval.share_of(random.random(len(GROUPED)) < chance, GROUPED)
        hits.append(found["low"] <= 0.314 <= found["high"])  # the mean of the clipped chances
    assert np.mean(hits) > 0.92


def test_a_mean_of_works_that_are_alone_has_students_interval():
    values = rng(1).normal(5, 2, 40)
    got = interval.mean(values)
    wanted = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (got["low"], got["high"]) == pytest.approx(wanted)
    assert (got["n"], got["groups"]) == (40, 40)


def test_copies_of_works_tell_nothing_new():
    values = rng(1).normal(5, 2, 12)
    once = interval.mean(values)
    thrice = interval.mean(np.repeat(values, 3), np.repeat(np.arange(12), 3))
    assert thrice["low"] == pytest.approx(once["low"])
    assert thrice["high"] == pytest.approx(once["high"])
    assert (thrice["n"], thrice["groups"]) == (36, 12)


def test_groups_may_have_any_names():
    values = rng(1).normal(5, 2, 12)
    names = [f"work {i % 6}" for i in range(12)]
    assert interval.mean(values, names) == interval.mean(values, np.arange(12) % 6)


def test_a_ratio_weighs_works_by_what_they_hold():
    assert interval.ratio([10, 2], [10, 1])["value"] == pytest.approx(12 / 11)


def test_fewer_than_five_groups_have_their_values_and_no_interval():
    got = interval.mean([1.0, 2.0, 3.0, 4.0, 5.0, 7.0], ["a", "a", "b", "b", "c", "d"])
    assert (got["low"], got["high"], got["groups"]) == (None, None, 4)
    assert got["values"] == [1.5, 3.5, 5.0, 7.0]
    assert interval.mean([1.0, 2, 3, 4, 5])["low"] is not None
    assert "values" not in interval.mean([1.0, 2, 3, 4, 5])
    assert interval.mean([3.0])["values"] == [3.0]


def test_the_interval_of_a_share_ends_where_shares_do():
    got = interval.mean([0.0, 0.0, 0.0, 0.0, 0.4, 1.0], within=interval.SHARE)
    assert (got["low"], got["high"] < 1) == (0.0, True)
    assert interval.mean([0.0, 0.0, 0.0, 0.0, 0.4, 1.0])["low"] < 0


def test_no_value_is_no_figure_rather_than_a_number():
    assert interval.mean([math.nan])["value"] is None
    assert interval.share(0, 0)["value"] is None
    assert interval.share_of([], None)["value"] is None
    assert interval.ratio([1.0, 2.0], [0.0, 0.0])["value"] is None


def test_one_group_that_holds_everything_has_no_interval():
    got = interval.ratio([5.0, 0, 0, 0, 0], [5.0, 0, 0, 0, 0])
    assert (got["value"], got["low"]) == (1.0, None)


# --- shares --------------------------------------------------------------------------------


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


def test_a_share_of_works_that_are_alone_is_one_of_independent_tries():
    assert interval.share_of([1, 0, 1, 1, 0, 1], None) == interval.share(4, 6)


@pytest.mark.parametrize("hit", [0, 1])
def test_a_share_of_none_or_all_works_is_as_uncertain_as_their_groups_are_few(hit):
    grouped = interval.share_of([hit] * 59, GROUPED)
    alone = interval.share(59 * hit, 59)
    assert grouped["high"] - grouped["low"] > 2 * (alone["high"] - alone["low"])
    assert grouped["low"] <= grouped["value"] <= grouped["high"]


# --- what a difference says ----------------------------------------------------------------


def test_a_difference_inside_its_interval_is_none():
    a, b = rng(3).normal(0, 1, (2, 200))
    assert interval.verdict(interval.difference(a, b)) == "none"
    assert interval.verdict(interval.difference(a + 1, b)) == "higher"
    assert interval.verdict(interval.difference(a - 1, b)) == "lower"
    assert interval.verdict(interval.difference([1.0], [2.0])) == "none"


def test_a_difference_has_welchs_interval():
    a, b = rng(4).normal(0, 1, 12), rng(5).normal(0, 3, 30)
    got = interval.difference(a, b)
    wanted = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (got["low"], got["high"]) == pytest.approx((wanted.low, wanted.high))


def test_what_is_called_detectable_is_found_four_times_in_five():
    random = rng(6)
    least = np.mean([interval.detectable(gap_of(random, 0.0)) for _ in range(200)])
    found = [interval.verdict(gap_of(random, least)) == "higher" for _ in range(600)]
    assert 0.75 < np.mean(found) < 0.85
    assert interval.detectable(interval.difference([1.0, 2], [3.0, 4])) is None


def gap_of(random, shift):
    return interval.difference(random.normal(shift, 1, 30), random.normal(0, 1, 30))


# --- halves --------------------------------------------------------------------------------


def test_halves_and_divisions_keep_groups_together():
    groups = np.repeat(np.arange(10), 3)
    for half in interval.halves(30, 50, rng(), groups):
        assert half.sum() == 15
        assert all(len(set(half[groups == g])) == 1 for g in range(10))
    for side in interval.divided(30, 13, 50, rng(), groups):
        assert side.sum() == 13
        assert sum(len(set(side[groups == g])) > 1 for g in range(10)) <= 1


def test_works_in_order_of_their_groups_are_all_there():
    groups = np.array([3, 1, 1, 0, 3, 2])
    order = interval.by_group(groups, rng())
    assert sorted(order) == list(range(6))
    assert len([1 for a, b in itertools.pairwise(order) if groups[a] != groups[b]]) == 3
