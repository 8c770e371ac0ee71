"""What of a preset gives way: it is where to begin, not what is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gen.errors import SettingError
from gen.sampling.planning.controls import MOST_BARS
from gen.sampling.planning.deciding import section_rows
from gen.sampling.request import give_way
from gen.tokens import vocabulary as v
from music import FIRST

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
    [
        (4, "verse:1"),
        (18, "intro:1 verse:5 ending:15"),
        (28, "intro:1 verse:5 chorus:13 ending:25"),
        (33, "intro:1 verse:5 chorus:13 ending:30"),
        (39, "intro:1 verse:5 chorus:13 verse:29 ending:36"),
        (40, "intro:1 verse:5 chorus:13 verse:29 ending:37"),
        (64, "intro:1 verse:5 chorus:13 verse:29 chorus:37 verse:53 ending:61"),
    ],
)
def test_with_other_bars_the_form_is_cut_or_goes_on_and_the_ending_stays_at_the_end(bars, sections):
    assert left(bars=bars) == {"sections": sections}


@pytest.mark.parametrize(
    ("own", "bars", "sections"),
    [
        ("intro:1 a:5 b:13 a:21 ending:29", 48, "intro:1 a:5 b:13 a:21 b:29 a:37 ending:45"),
        ("a:1 b:9 a:17", 40, "a:1 b:9 a:17 b:25 a:33"),
        ("a:1 b:17 outro:21", 30, "a:1 b:17 a:21 outro:27"),
        ("a:1 ending:9", 40, "a:1 a:9 a:17 a:25 ending:33"),
        ("a:3 b:11", 34, "a:3 b:11 a:19 b:27"),
        ("intro:1 ending:5", 40, "intro:1"),  # nothing is between them
        ("a:1", 40, "a:1"),
        ("b:9 a:1", 40, "b:9 a:1"),
        ("a:1 b:9", 10**9, "a:1 b:9"),  # refused elsewhere
    ],
)
def test_what_stands_between_intro_and_ending_comes_again(own, bars, sections):
    assert give_way({**BALLAD, "sections": own, "bars": bars}, {"bars"})["sections"] == sections


def form_of(sections: str, bars: int) -> list[tuple[str, int]]:
    """Names and lengths."""
    firsts = [(bar, row[v.VALUE]) for bar, row in section_rows(sections, bars)]
    ends = [*(bar for bar, _ in firsts[1:]), bars]
    return [(v.SECTIONS[i - FIRST["section"]], b - a)
            for (a, i), b in zip(firsts, ends, strict=True)]  # fmt: skip


def test_every_preset_keeps_its_form_at_any_length():
    forms = 0
    for path in sorted(Path("conf/controls").glob("*.yaml")):
        preset = {**BALLAD, "sections": None, **yaml.safe_load(path.read_text())}
        if preset["sections"] is None:
            continue
        forms += 1
        own = form_of(preset["sections"], preset["bars"])
        longest = {name: max(n for other, n in own if other == name) for name, _ in own}
        assert give_way(preset, {"bars"}) == preset
        for bars in range(preset["bars"], MOST_BARS + 1):
            given = give_way({**preset, "bars": bars}, {"bars"})
            form = form_of(given["sections"], bars)
            assert [name for name, _ in form[: len(own) - 1]] == [name for name, _ in own[:-1]]
            assert all(0 < length <= 2 * longest[name] for name, length in form)
            for name, place in (("intro", 0), ("ending", -1)):
                assert [n for n in form if n[0] == name] == [n for n in own if n[0] == name]
                assert name not in longest or form[place][0] == name
    assert forms > 4


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
