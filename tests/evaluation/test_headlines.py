from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest

from gen.evaluation.measures.interval import figure
from gen.evaluation.report.headlines import folded, headlines


def feature(distance, chance=1.0):
    return {
        "apart": {"distance": {**figure(distance, distance / 2, distance * 2, 9), "chance": 5.0}},
        "real": {"distance": {**figure(0.5, 0.1, 0.9, 9), "chance": chance}},
    }


def test_the_statistics_gap_counts_doublings_beyond_chance():
    report = {"statistics": {"m": {"features": {"a": feature(4.0), "b": feature(0.5)}}}}
    got = headlines(report)["statistics_gap"]["models"]["m"]
    assert got["value"] == pytest.approx((2 + 0) / 2)
    assert (got["low"], got["high"]) == pytest.approx(((1 + 0) / 2, (3 + 0) / 2))


def test_models_are_compared_over_the_statistics_that_all_have():
    none = {"apart": {"distance": None}, "real": {"distance": None}}
    report = {
        "statistics": {
            "low": {"features": {"a": feature(8.0), "b": none}},
            "high": {"features": {"a": feature(2.0), "b": feature(64.0)}},
        }
    }
    models = headlines(report)["statistics_gap"]["models"]
    assert {name: found["value"] for name, found in models.items()} == {"low": 3, "high": 1}


def test_a_mean_is_the_same_in_every_process():
    """Sums of floating point depend on their order, and that of a set on the process."""
    code = (
        "from gen.evaluation.report.headlines import headlines\n"
        "def f(x): return {'value': x, 'low': x / 3, 'high': x * 3, 'n': 9}\n"
        "features = {n: {'apart': {'distance': f(1.1 + 7 / (i + 3))},"
        " 'real': {'distance': {**f(1), 'chance': 0.7}}} for i, n in enumerate('abcdefghijklmn')}\n"
        "print(headlines({'statistics': {'m': {'features': features}}}))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(told) == 1


@pytest.mark.parametrize(
    ("accuracy", "gap"),
    [
        (figure(0.8, 0.7, 0.9, 9), (0.3, 0.2, 0.4)),
        (figure(0.3, 0.2, 0.4, 9), (0.2, 0.1, 0.3)),
        (figure(0.55, 0.4, 0.7, 9), (0.05, 0.0, 0.2)),
    ],
)
def test_both_sides_of_an_even_guess_are_far_from_it(accuracy, gap):
    got = folded(accuracy, 0.5)
    assert (got["value"], got["low"], got["high"]) == pytest.approx(gap)


def test_what_was_not_measured_is_no_headline():
    assert headlines({}) == {}
    assert headlines({"structure": {"m": None}}) == {}
    assert folded(figure(math.nan, n=0), 0.5)["value"] is None
