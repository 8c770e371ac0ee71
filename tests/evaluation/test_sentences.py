"""What the report tells a composer follows from its figures, and none is made of an interval."""

from __future__ import annotations

import pytest

from gen.evaluation import part, parts
from gen.evaluation.interval import figure


def likelihood(low, high):
    return {
        "bits_per_note": figure(5, 4.8, 5.2, 40),
        "gauge": {"gap": figure((low + high) / 2, low, high, 40)},
    }


PARTS = {one.name: one for one in parts.ALL}


def said(name, value):
    return " ".join(PARTS[name].sentences(value))


def test_a_gap_inside_its_interval_is_no_memory():
    assert "no sign of learning by heart" in said("likelihood", likelihood(-0.1, 0.3))
    assert "knows them better" in said("likelihood", likelihood(0.1, 0.3))
    assert "easier" in said("likelihood", likelihood(-0.3, -0.1))


def neighbours(verdict):
    told = {**figure(0.6, 0.5, 0.7, 40), "verdict": verdict}
    return {"together": {"against_reference": told}}


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [("none", "cannot be told apart"), ("apart", "are told apart"), ("too close", "too close")],
)
def test_neighbours(verdict, sentence):
    assert sentence in said("nearest_neighbour", neighbours(verdict))


def control(key, tempo):
    def score(told, verdict, guaranteed):
        return {"asked": figure(told, n=9), "verdict": verdict, "guaranteed": guaranteed}

    return {"scores": {"key": score(0.5, key, False), "tempo": score(tempo, "higher", True)}}


def test_a_broken_promise_is_named():
    assert "Broken promises: tempo" in said("control", control("higher", 0.99))
    kept = said("control", control("higher", 1.0))
    assert "was kept" in kept
    assert "moves key" in kept
    assert "nothing measurably followed" in said("control", control("none", 1.0))


def originality(verdict, line):
    above = figure(0.1, 0.02, 0.3, 30) if line else figure(float("nan"), n=3)
    back = {"back": figure(0.3, 0.2, 0.4, 9)}
    return {
        "outputs": {"above": above, "verdict": verdict},
        "house": {"above": above},
        "extraction": {"given_bars": 4, "train": back, "held_out": back, "verdict": verdict},
    }


def test_memory_is_claimed_only_where_it_was_found():
    assert "no memory" in said("originality", originality("none", True))
    assert "it remembers" in said("originality", originality("higher", True))
    assert "95 in 100" not in said("originality", originality("none", False))


def test_a_share_above_the_line_is_no_more_than_its_interval_says():
    assert "no difference. Given" in said("originality", originality("none", True))
    assert "borrows more than the house" in said("originality", originality("higher", True))


def test_a_model_that_a_part_has_nothing_of_has_none_of_it():
    assert PARTS["structure"].of({}, "m") is None
    assert PARTS["structure"].of({"structure": {"m": None}}, "m") is None
    assert PARTS["likelihood"].of({"likelihood": {"models": {"m": 1}}}, "m") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (figure(5.036, 4.8, 5.27, 9), "5.04 (4.80 to 5.27)"),
        (figure(123.4, 99.5, 150, 9), "123 (99.5 to 150)"),
        (figure(0.5), "0.50"),
        (figure(float("nan")), "-"),
        (None, "-"),
    ],
)
def test_numbers_have_three_digits_and_their_interval(value, text):
    assert part.with_interval(value) == text


def test_shares_are_told_in_percent():
    assert part.percent(figure(0.423, 0.31, 0.55, 9)) == "42 % (31 to 55)"
    assert part.percent(figure(float("nan"))) == "-"
