"""What of a preset gives way: it is where to begin, not what is asked."""

from __future__ import annotations

import pytest

from gen.errors import SettingError
from gen.sampling.presets import give_way

BALLAD = {
    "genre": "pop_ballad", "key": "C", "tempo": 72, "time_signature": "4/4", "bars": 32,
    "chords": "C | G | Am | F", "instruments": ["piano", "bass", "drums"],
    "roles": ["main_melody", "bass", "drums"], "sections": "intro:1 verse:5 chorus:13 ending:29",
    "velocity_range": [30, 95], "continue": None, "infill": None, "accompany": None,
    "harmonise": None, "vary": None, "add": [],
}  # fmt: skip


def left(**asked: object) -> dict[str, object]:
    """What differs from the preset and what was asked beside it."""
    settings = {**BALLAD, **asked}
    given = give_way(settings, asked.keys())
    assert given.keys() == settings.keys()
    return {name: told for name, told in given.items() if told != settings[name]}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"tempo": 90, "genre": "rock", "time_signature": "3/4", "n": 2},
        {"bars": 32},
        {"bars": 64},
        {"key": "A minor", "chords": "Am | F"},
        {"bars": 8, "sections": "a:1 b:20"},  # contradict each other: refused by the plan
        {"instruments": ["flute", "cello", "drums"]},
        {"instruments": ["flute"], "roles": ["main_melody", "bass"]},
        {"instruments": "flute"},
        {"bars": "many"},
    ],
)
def test_what_goes_together_stays_and_so_does_all_that_was_asked(asked):
    assert left(**asked) == {}


@pytest.mark.parametrize(
    ("bars", "sections"),
    [(28, "intro:1 verse:5 chorus:13"), (29, "intro:1 verse:5 chorus:13 ending:29"), (5,
      "intro:1 verse:5"), (4, "intro:1")],
)  # fmt: skip
def test_fewer_bars_keep_the_sections_that_begin_within_them(bars, sections):
    assert left(bars=bars).get("sections", BALLAD["sections"]) == sections


def test_sections_that_cannot_be_read_are_left_to_be_refused():
    settings = {**BALLAD, "sections": "intro verse:x", "bars": 8}
    assert give_way(settings, {"bars"})["sections"] == "intro verse:x"


def test_other_instruments_keep_roles_only_where_these_can_be_theirs():
    assert left(instruments=["flute", "cello"]) == {"roles": []}
    assert left(instruments=["drums", "flute", "cello"]) == {"roles": []}


def test_another_key_lets_go_of_the_chords():
    assert left(key="Eb") == {"chords": None}


@pytest.mark.parametrize("mode", ["infill", "accompany", "harmonise", "vary", "continue"])
def test_a_file_keeps_its_own_music(mode):
    gone = {
        "instruments": [], "roles": [], "tempo": None, "time_signature": None, "key": None,
        "chords": None, "sections": None,
    }  # fmt: skip
    assert left(**{mode: "song.mid"}) == gone
    asked = {mode: "song.mid", "tempo": 90, "chords": "Am | F", "roles": ["bass"]}
    assert left(**asked).keys() == gone.keys() - asked.keys()


@pytest.mark.parametrize("mode", ["infill", "accompany", "harmonise", "vary"])
def test_bars_are_asked_of_a_continuation_alone(mode):
    with pytest.raises(SettingError, match=f"bars: comes from the file that {mode}= names"):
        left(**{mode: "song.mid", "bars": 8})
    assert left(**{"continue": "song.mid", "bars": 8})["sections"] is None
