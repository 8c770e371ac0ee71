"""What a producer may ask, and what contradicts itself."""

from __future__ import annotations

import pytest

from gen.errors import SettingError
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import plan_of
from gen.settings import build
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import Kind
from gen.tokens.word_ids import chord_of
from music import FIRST

FORTY = ["Am"] * 40


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"density": "thick"}, "unknown density 'thick'"),
        ({"density": "spars"}, "did you mean 'sparse'"),
        ({"density": 8}, "unknown density '8'"),
        ({"density": -1}, "unknown density '-1'"),
        ({"density": True}, "true is no whole number, no text"),
        ({"instruments": ["flute"], "density": [1, 2]}, "2 densities for 1 tracks"),
        ({"density": [1, 2]}, "2 densities for 1 tracks"),
        ({"density": "sparse:1-8 dense:8-16"}, "'dense:8-16' is no density of bars"),
        ({"density": "sparse:0-2"}, "'sparse:0-2' is no density of bars"),
        ({"density": "thick:1-2"}, "unknown density 'thick'"),
        ({"density": "dense:1-9", "bars": 8}, "bar 9 of 8"),
        ({"returns": 2}, "returns: 2.0 is outside"),
        ({"sections": "intor:1"}, "did you mean 'intro'"),
        ({"sections": "a:1 b:70"}, "'b:70' is no section of a piece of 64 bars"),
        (
            {"bars": 3, "time_signature": "7/8", "chords": " | ".join(FORTY)},
            "a progression of 40 bars for 3 bars",
        ),
        (
            {"bars": 3, "time_signature": "7/8", "chords": " ".join(FORTY)},
            "40 chords in a bar of 7 eighths",
        ),
        (
            {"instruments": ["acoustic bass"], "pitch_range": [0, 20]},
            "[0, 20] leaves acoustic bass nothing to play: it plays 23 to 67",
        ),
        (
            {"instruments": ["flute", "acoustic bass"], "pitch_range": [72, 90]},
            "[72, 90] leaves acoustic bass nothing to play: it plays 23 to 67",
        ),
        ({"instruments": ["flute"], "roles": ["drums"]}, "flute cannot have the role drums"),
        ({"instruments": ["drums"], "roles": ["bass"]}, "drums cannot have the role bass"),
        ({"instruments": ["flute"], "roles": ["bass", "pad"]}, "2 roles for 1 instruments"),
        ({"roles": ["bass"]}, "1 roles for 0 instruments"),
    ],
)
def test_what_cannot_be_is_refused_with_one_message(wrong, message):
    with pytest.raises(SettingError) as refused:
        plan_of(build(Controls, wrong))
    assert message in str(refused.value)
    assert refused.value.where


@pytest.mark.parametrize(
    ("density", "tracks", "classes"),
    [
        (None, 2, ()),
        ([], 2, ()),
        ("sparse", 2, ((0, 2), (0, 2))),
        ("Dense", 1, ((5, 7),)),
        (4, 2, ((4, 4), (4, 4))),
        ("4", 1, ((4, 4),)),
        (["medium", 0, "7"], 3, ((3, 4), (0, 0), (7, 7))),
    ],
)
def test_density_is_a_word_or_a_class_for_all_or_for_each(density, tracks, classes):
    assert build(Controls, {"density": density}).densities(tracks) == classes


def test_one_density_holds_for_tracks_that_are_sampled():
    assert plan_of(Controls(density="sparse")).densities == ((0, 2),)


def test_chords_begin_again_when_they_are_through():
    assert plan_of(Controls(time_signature="changing")).meter_changes
    plan = plan_of(Controls(bars=5, time_signature="7/8", chords="Am F/C E7sus4 | G"))
    told = [
        [(row[v.POSITION] - FIRST["position"], str(chord_of(row[v.VALUE]))) for row in rows]
        for rows in (plan.planned(bar, Kind.CHORD) for bar in range(5))
    ]
    assert told[0] == told[2] == told[4] == [(0, "Am"), (14, "F"), (28, "Esus4")]
    assert told[1] == told[3] == [(0, "G")]


def test_sections_may_be_numbered_and_have_other_names():
    plan = plan_of(Controls(bars=8, sections="Intro:1 verse2:3 outro:7 other:8"))
    names = {bar: v.SECTIONS[plan.planned(bar, Kind.SECTION)[0][v.VALUE] - FIRST["section"]]
             for bar in plan.plan_rows}  # fmt: skip
    assert names == {0: "intro", 2: "verse", 6: "ending", 7: "other"}
