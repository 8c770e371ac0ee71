"""What the report tells a composer follows from its figures: no number that is none of them, and
no claim that their intervals do not bear.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from gen.evaluation import parts
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import figure
from gen.evaluation.parts.accompaniment import MEASURES
from gen.evaluation.parts.control import GUARANTEED, SCORES
from gen.evaluation.parts.statistics import FEATURES
from gen.evaluation.parts.structure import RANGE_NAMES
from gen.evaluation.report import part
from gen.evaluation.seams import SEAMS

PARTS = {one.name: one for one in parts.ALL}


def said(name, value):
    return " ".join(PARTS[name].sentences(value))


# --- reports of any figures ----------------------------------------------------------------


class Figures:
    """Figures by chance: of either sign, with wide, narrow or no intervals, of few or many."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def size(self):
        n = int(self.rng.integers(2, 60))
        return n, int(self.rng.integers(1, n + 1))

    def gap(self, centre=0.0, spread=1.0):
        n, groups = self.size()
        value = float(self.rng.normal(centre, spread))
        half = float(self.rng.exponential(spread))
        if groups < interval.LEAST_GROUPS:
            values = [value] * groups
            return figure(value, n=n, groups=groups, values=values)
        return figure(value, value - half, value + half, n, groups=groups)

    def positive(self):
        found = self.gap(3, 0.5)
        return found if found["low"] is None else {**found, "low": max(found["low"], 0.01)}

    def share(self):
        n, groups = self.size()
        return interval.share_of(self.rng.random(n) < self.rng.random(), np.arange(n) % groups)

    def verdict(self, *names):
        return str(self.rng.choice(names))

    def likelihood(self):
        return {
            "bits_per_note": self.positive(),
            "new": {"cells": self.positive()},
            "copied": {"cells": self.share()},
            "gauge": {"gap": self.gap()},
        }

    def statistics(self):
        def distance():
            n, groups = self.size()
            value, chance = self.rng.exponential(1, 2)
            differs = {"chance": float(chance), "differs": bool(value > chance)}
            return {**figure(float(value), n=n, groups=groups), **differs}

        return {"features": {n: {"apart": {"distance": distance()}} for n in FEATURES}}

    def nearest_neighbour(self):
        value, low, high = self.rng.random(3)
        low, high = sorted((float(low), float(high)))
        verdict = "apart" if value > high else "too close" if value < low else "none"
        told = {**figure(float(value), n=9), "verdict": verdict}
        null = figure((low + high) / 2, low, high, 9)
        return {"together": {"against_reference": told, "null": null}}

    def structure(self):
        names = ("short", "middle", "long")
        return {
            "indicators": {n: {"generated": self.share(), "difference": self.gap()} for n in names}
        }

    def diversity(self):
        n, groups = self.size()
        log, half = self.rng.normal(0, 0.3), self.rng.exponential(0.3)
        ends = map(math.exp, (log, log - half, log + half))
        found = (
            figure(*ends, n, groups=groups)
            if groups > 4
            else figure(math.exp(log), n=n, groups=groups)
        )
        low, high = found["low"] or 0, found["high"] or 9
        verdict = "homogenises" if high < 1 else "varies more" if low > 1 else "none"
        return {"spread": {"together": {"ratio": found, "verdict": verdict}}}

    def control(self):
        def score(name):
            asked = (
                self.share() if name not in GUARANTEED else figure(self.rng.choice([1.0, 0.9]), n=9)
            )
            return {"asked": asked, "obeyed": self.gap(0.2, 0.3), "guaranteed": name in GUARANTEED}

        return {"scores": {name: score(name) for name in SCORES}}

    def infilling(self):
        seams = {name: {"difference": self.gap()} for name in SEAMS}
        return {"bits": {"gain": self.gap()}, "seams": seams}

    def accompaniment(self):
        return {"measures": {name: {"nearer": self.gap()} for name in MEASURES}}

    def originality(self):
        above, house = self.share(), self.share()
        back = {side: {"back": self.share()} for side in ("train", "held_out")}
        return {
            "outputs": {"above": above, "more_above": interval.share_difference(above, house)},
            "house": {"above": house},
            "extraction": {"given_bars": 4, **back, "more": self.gap(0, 0.3)},
        }


NAMES = [name for name in PARTS if name != "frechet"]  # which says no sentence


def reports(name):
    return [getattr(Figures(seed), name)() for seed in range(40)]


def figures_in(value):
    if isinstance(value, dict):
        if {"value", "low", "high"} <= set(value):
            yield value
        for inner in value.values():
            yield from figures_in(inner)


def numbers_of(found):
    """Every number that may stand in a sentence about these figures."""
    for one in figures_in(found):
        ends = [one["value"], one["low"], one["high"], one.get("chance"), *one.get("values", [])]
        ends.append(interval.detectable(one))
        if one["low"] and one["low"] > 0 and one["value"] > 0:
            logs = {key: math.log(one[key]) for key in ("value", "low", "high")}
            ends.append(math.expm1(interval.detectable({**one, **logs})))
        for x in ends:
            if x is not None:
                yield from (part.number(x), part.number(-x), f"{100 * x:.0f}", f"{x:.0%}"[:-1])
        yield from (str(one["n"]), str(one["groups"]))


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_sentence_is_one_of_its_figures(name):
    for found in reports(name):
        check_numbers(name, found)


def check_numbers(name, found):
    text = said(name, found)
    for label in RANGE_NAMES.values():
        text = text.replace(label, "")
    known = {*numbers_of(found), "95", "100", "4", "14"}  # the house's line, bars given, statistics
    if name == "statistics":
        far = [f for f in found["features"].values() if f["apart"]["distance"]["differs"]]
        known.add(str(len(far)))
    assert set(re.findall(r"-?\d+(?:\.\d+)?", text)) <= known, text


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_claims_what_the_interval_of_its_figure_bears(name):
    for found in reports(name):
        check_claims(name, found)


def check_claims(name, found):
    text = said(name, found)
    claims = {
        "likelihood": {"higher": "bits a note less", "lower": "bits a note more"},
        "infilling": {"higher": "saves", "lower": "makes it worse"},
        "originality": {"higher": "remembers some", "lower": "no memory of single works"},
    }
    gaps = {
        "likelihood": lambda: found["gauge"]["gap"],
        "infilling": lambda: found["bits"]["gain"],
        "originality": lambda: found["extraction"]["more"],
    }
    if name in claims:
        gap = gaps[name]()
        verdict = interval.verdict(gap)
        if gap["low"] is None:
            assert "too few to tell a difference" in text
        for which, words in claims[name].items():
            assert (words in text) == (which == verdict), text
    if name == "control":
        moved = re.findall(r"Asking moves ([^.]*)\.", text)
        for score, value in found["scores"].items():
            label = part.named(score, parts.control.NAMES)
            follows = not value["guaranteed"] and interval.verdict(value["obeyed"]) == "higher"
            assert (label in moved[0]) == follows
        kept = all(s["asked"]["value"] == 1 for s in found["scores"].values() if s["guaranteed"])
        assert ("was kept" in text) == kept
    if name == "structure":
        verdicts = {interval.verdict(i["difference"]) for i in found["indicators"].values()}
        assert ("less returns" in text) == ("lower" in verdicts)
        assert ("more returns" in text) == ("higher" in verdicts)
    assert "cannot be told apart" not in text


# --- single sentences ----------------------------------------------------------------------


def test_what_was_not_found_is_said_with_the_least_that_could_have_been():
    gap = figure(0.02, -0.2, 0.24, 59, groups=18)
    assert part.no_difference(gap, "works", unit=" bits a note") == (
        "no difference found; one below 0.31 bits a note could not have been seen with 59 works "
        "in 18 groups"
    )
    assert part.no_difference(figure(0.1, n=3), "pieces") == (
        "3 pieces are too few to tell a difference"
    )
    assert part.verdict_cell(gap, share=True).endswith("one below 31 % could not have been seen")
    assert part.verdict_cell(figure(1, 0.5, 1.5, 9)) == "more"


def test_a_broken_promise_is_named():
    def control(kept):
        one = {"asked": figure(kept, n=9), "obeyed": figure(1, 0.5, 1.5, 9), "guaranteed": True}
        return {"scores": {"tempo": one, "key": {**one, "guaranteed": False}}}

    assert "Broken promises: tempo" in said("control", control(0.99))
    assert "was kept" in said("control", control(1.0))
    assert "Asking moves key" in said("control", control(1.0))


def test_a_house_of_few_works_has_no_line_to_stand_above():
    found = Figures(1).originality()
    found["house"]["above"] = figure(math.nan, n=3)
    assert "95 in 100" not in said("originality", found)


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
        (figure(0.5, n=2, values=[0.25, 0.75]), "0.50 (each 0.25, 0.75)"),
        (figure(float("nan")), "-"),
        (None, "-"),
    ],
)
def test_numbers_have_three_digits_and_their_interval(value, text):
    assert part.with_interval(value) == text


def test_a_cell_tells_works_and_groups():
    assert part.cell(figure(5, 4.8, 5.2, 40, groups=18)) == "5.00 (4.80 to 5.20), n 40 in 18 groups"
    assert part.cell(figure(5, 4.8, 5.2, 40)) == "5.00 (4.80 to 5.20), n 40"


def test_shares_are_told_in_percent():
    assert part.percent(figure(0.423, 0.31, 0.55, 9)) == "42 % (31 to 55)"
    assert part.percent(figure(0.5, n=2, values=[0.25, 0.75])) == "50 % (each 25, 75)"
    assert part.percent(figure(float("nan"))) == "-"
