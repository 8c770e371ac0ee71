"""The pictures and the page of a report, without measuring anything."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from corpora import METRICS, song
from gen.evaluation.measures.interval import figure, verdict
from gen.evaluation.measures.notes import sets_of
from gen.evaluation.page import page, pictures
from gen.evaluation.parts import control
from gen.evaluation.parts.accompaniment import MEASURES, SIDES
from gen.evaluation.report.headlines import headlines
from gen.evaluation.seams import SEAMS
from gen.likeness.originality import KINDS

NAMES = ("tiny <b>", "small")


def any_figure(rng):
    value = float(rng.random())
    return figure(value, value / 2, value * 1.5, 9)


@pytest.fixture(scope="module")
def report():
    """Figures of no meaning in the shape of a real report; metrics are real, of few songs."""
    rng = np.random.default_rng(0)
    sets = [[song(first + i, 10) for i in range(3)] for first in (0, 10, 20)]
    compared = {
        name: compare(sets_of(*sets), np.random.default_rng(0)) for name, compare in METRICS.items()
    }
    eye = np.eye(10).tolist()
    compared["structure"]["examples"] = {"generated": [eye] * 2, "reference": [eye] * 2}
    bits = {
        "bits_per_note": any_figure(rng),
        **{
            group: {name: any_figure(rng) for name in names}
            for group, names in {
                "by_field": ("kind", "position", "value", "extent", "level"),
                "by_kind": ("note",), "by_role": ("bass", "pad"), "by_genre": ("waltz",),
                "by_position": ("1-4", "5-8"), "gauge": ("held_out", "train", "gap"),
                "new": ("bars", "cells"), "copied": ("bars", "cells"),
            }.items()
        },
    }  # fmt: skip
    scores = {
        name: {
            **{k: any_figure(rng) for k in ("asked", "not_asked", "obeyed", "receipt", "works")},
            "verdict": "none", "guaranteed": name in control.GUARANTEED,
        }
        for name in control.SCORES
    }  # fmt: skip
    seams = {
        name: {
            **{key: any_figure(rng) for key in ("written", "original", "moved", "difference")},
            "verdict": "none",
        }
        for name in SEAMS
    }
    bits_shared = {"bits": [0, 12, 15, 30], "mean": any_figure(rng), "line": 14}
    beside = {"more": any_figure(rng), "verdict": "none"}
    back = {"back": any_figure(rng), "repeated": any_figure(rng), "beyond": any_figure(rng)}
    passage = {"bits": 30, "notes": 9, "of": "“A & B” by Ana", "here": "bars 1-3",
               "there": "bars 4-6"}  # fmt: skip
    found = {
        "likelihood": bits,
        **compared,
        "control": {
            "requests": 9, "scores": scores,
            "diversity": {"same_request": any_figure(rng), "other_requests": any_figure(rng)},
        },
        "infilling": {
            "holes": 4, "bars": any_figure(rng), "seams": seams,
            "bits": {
                **{key: any_figure(rng) for key in ("infilled", "left_to_right", "gain")},
                "verdict": "higher",
            },
        },
        "accompaniment": {
            "works": 4, "roles": {"bass": 4},
            "measures": {
                name: {key: any_figure(rng) for key in (*SIDES, "nearer")}
                for name in MEASURES
            },
        },
        "originality": {
            "compared_with": 12,
            "house": {"works": 4, "above": any_figure(rng), **dict.fromkeys(KINDS, bits_shared)},
            "outputs": {
                "pieces": 4, "above": any_figure(rng),
                "more_above": any_figure(rng), "verdict": "none",
                **{kind: {**bits_shared, **beside} for kind in KINDS},
                "nearest": [{"piece": 1, "nearest": "x", "melody": passage}],
            },
            "extraction": {
                "given_bars": 4, "written_bars": 4, "train": back, "held_out": back,
                "more": any_figure(rng), "verdict": "none",
            },
        },
    }  # fmt: skip
    whole = {part: dict.fromkeys(NAMES, value) for part, value in found.items()}
    whole["likelihood"] = {
        "models": whole["likelihood"],
        "against": [
            {"from": NAMES[0], "to": NAMES[1], "more": (gap := any_figure(rng)),
             "verdict": verdict(gap)}
        ],
    }  # fmt: skip
    models = [
        {"name": name, "baseline": False, "steps": 10 * i, "parameters": 10**6, "sha256": "ab" * 32,
         "works": "cd" * 32}
        for i, name in enumerate(NAMES, 1)
    ]  # fmt: skip
    whole |= {
        "house": "lantern", "split": "test", "works": {"test": 3, "train": 3}, "seed": 1,
        "sizes": {"pieces": 3, "bars": 10}, "code_version": "0", "fast": True,
        "notes": ["a note"], "models": models,
    }  # fmt: skip
    return {**whole, "headlines": headlines(whole)}


def draw(report, names=None):
    """All pictures of a report, or some of them; each takes a third of a second."""
    chosen = [each for each in pictures(report) if names is None or each.name in names]
    return {picture.name: picture.png() for picture in chosen}


@pytest.fixture(scope="module")
def drawn(report):
    return draw(report)


def test_there_is_a_picture_for_everything(drawn):
    assert set(drawn) == {
        "ladder", "bits", "spent", "distances", "distributions", "compass", "neighbours",
        "structure", "matrices", "diversity", "control", "infilling", "originality", "curve",
    }  # fmt: skip
    for name, png in drawn.items():
        assert png[:8] == b"\x89PNG\r\n\x1a\n", name
        width, height = struct.unpack(">II", png[16:24])
        assert width > 600, name
        assert height > 150, name


def test_a_picture_is_the_same_every_time(report, drawn):
    some = {"ladder", "matrices", "spent"}  # of points, of squares, of curves
    assert draw({**report}, some) == {name: drawn[name] for name in some}


def test_what_was_not_measured_is_not_pictured(report):
    part = {key: report[key] for key in ("models", "control", "headlines")}
    assert set(draw({**part, "headlines": {}})) == {"control"}


def test_many_checkpoints_stand_below_each_other_where_they_would_not_fit_beside(report, drawn):
    def size(png):
        return struct.unpack(">II", png[16:24])

    more = {f"m{i}": report["control"][NAMES[0]] for i in range(3)}
    models = [{**report["models"][0], "name": name} for name in more]
    three = draw({"models": models, "control": more, "headlines": {}})["control"]
    assert size(three)[0] == size(drawn["control"])[0]
    assert size(three)[1] > 1.8 * size(drawn["control"])[1]


def test_only_checkpoints_of_one_size_make_a_curve(report):
    models = [{**model, "parameters": i} for i, model in enumerate(report["models"])]
    assert "curve" not in {picture.name for picture in pictures({**report, "models": models})}


def test_an_order_that_is_turned_round_is_told_on_the_page(report):
    ladder = report["headlines"]["apart"]["ladder"]
    turned = {**ladder, "order": "reversed", "turned": [list(NAMES)]}
    headlines = {"apart": {**report["headlines"]["apart"], "ladder": turned}}
    text = page({**report, "headlines": headlines}, {}).decode()
    assert "not in the order expected: small is worse than tiny &lt;b&gt;" in text


def test_the_page_shows_every_part_and_picture_and_escapes_names(report, drawn):
    text = page(report, drawn).decode()
    assert text.count("<img") == len(drawn)
    for part in ("likelihood", *METRICS, "control", "infilling", "accompaniment", "originality"):
        assert f'<section id="{part}">' in text
    assert "tiny &lt;b&gt;" in text
    assert "tiny <b>" not in text
    assert "“A &amp; B” by Ana" in text
    assert "a note" in text


def test_the_page_of_one_part_has_that_part_alone(report, drawn):
    base = ("house", "split", "works", "seed", "sizes", "code_version", "fast", "notes", "models")
    few = {key: report[key] for key in (*base, "control")} | {"headlines": {}}
    text = page(few, {}).decode()
    assert '<section id="control">' in text
    assert '<section id="likelihood">' not in text
    assert "<img" not in text
