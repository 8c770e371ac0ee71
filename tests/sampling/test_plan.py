"""The form of a piece that nobody laid out."""

from __future__ import annotations

import pytest

from gen.data.habits import Habits
from gen.errors import SettingError
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import (
    FEWEST_BARS,
    FEWEST_BARS_A_SECTION,
    fitted,
    formed,
    plan_of,
    time_signature_id,
)
from gen.sampling.planning.plan import Plan
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import Kind
from music import FIRST, bos

SONG = [("intro", 4), ("a", 8), ("b", 8), ("a", 8), ("ending", 5)]
ROUND = [("theme", 8), ("solo", 16)]
HABITS = Habits(forms={"waltz": [SONG], "rock": [ROUND], "": [[("verse", 8), ("chorus", 8)]]})


def laid_out(plan: Plan) -> list[tuple[str, int]]:
    rows = ((bar, row) for bar in sorted(plan.plan_rows) for row in plan.planned(bar, Kind.SECTION))
    return [(v.SECTIONS[row[v.VALUE] - FIRST["section"]], bar) for bar, row in rows]


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        (33, "intro:4 a:8 b:8 a:8 ending:5"),
        (21, "intro:4 a:8 b:4 ending:5"),
        (19, "intro:4 a:10 ending:5"),  # two bars are no section
        (49, "intro:4 a:8 b:8 a:8 b:8 a:8 ending:5"),
        (12, "a:12"),  # no room for more than an introduction and an ending
        (3, "a:3"),
    ],
)
def test_a_form_goes_on_or_is_cut_and_still_ends(bars, expected):
    assert " ".join(f"{name}:{length}" for name, length in fitted(SONG, bars)) == expected


@pytest.mark.parametrize("form", [SONG, ROUND, [("intro", 4)], [("intro", 4), ("ending", 4)]])
@pytest.mark.parametrize("bars", [1, 2, 7, 16, 31, 64, 200])
def test_sections_fill_the_bars_and_none_is_tiny(form, bars):
    made = fitted(form, bars)
    assert sum(length for _, length in made) == bars
    assert all(length >= min(FEWEST_BARS_A_SECTION, bars) for _, length in made)
    longest = {name: length + FEWEST_BARS_A_SECTION for name, length in form}
    assert all(length < longest[name] for name, length in made) or len(made) == 1


def test_a_genre_has_the_forms_of_its_works():
    plan = formed(Plan([bos()], True, bars=33, habits=HABITS), "waltz", [1])
    assert laid_out(plan) == [("intro", 0), ("a", 4), ("b", 12), ("a", 20), ("ending", 28)]
    assert plan.sections_given


def test_bars_that_are_left_open_are_those_of_the_form_up_to_the_most():
    assert formed(Plan([bos()], True, habits=HABITS), "waltz", [1]).bars == 33
    assert formed(Plan([bos()], True, most_bars=24, habits=HABITS), "waltz", [1]).bars == 24


def test_pieces_differ_in_form_and_equal_seeds_do_not():
    def form(seed: int) -> str:
        return str(laid_out(formed(Plan([bos()], True, bars=33, habits=HABITS), None, [seed])))

    assert len({form(seed) for seed in range(20)}) == 3
    assert all(form(seed) == form(seed) for seed in range(20))
    unknown = {
        formed(Plan([bos()], True, habits=HABITS), "lofi", [seed]).bars for seed in range(20)
    }
    assert unknown == {33, 24, 16}  # of all works, where none is of the genre


def test_what_is_decided_or_too_short_stays_as_it_is():
    for plan in (
        Plan([bos()], True, bars=32, sections_given=True, habits=HABITS),
        Plan([bos()], True, bars=FEWEST_BARS - 1, habits=HABITS),
    ):
        assert formed(plan, "waltz", [1]) is plan
    plan = Plan([bos()], True, bars=32)
    assert formed(plan, "waltz", [1]) is plan  # of works nothing is known


def test_chords_that_are_planned_stay_beside_the_sections():
    chord = [int(Kind.CHORD), FIRST["position"], FIRST["chord"] + 1, 0, 0]
    plan = formed(Plan([bos()], True, bars=33, plan_rows={0: [chord]}, habits=HABITS), "waltz", [1])
    assert plan.planned(0, Kind.CHORD) == [chord]
    assert [row[v.KIND] for row in plan.plan_rows[0]] == [Kind.SECTION, Kind.CHORD]


@pytest.mark.parametrize(("genre", "meter"), [(None, "4/4"), ("rock", "4/4"), ("waltz", "3/4")])
def test_chords_without_a_meter_are_laid_out_in_the_usual_one(genre, meter):
    plan = plan_of(Controls(chords="Am F | C G", genre=genre, bars=4))
    assert plan.time_signature == time_signature_id(meter)
    assert plan == plan_of(Controls(chords="Am F | C G", genre=genre, time_signature=meter, bars=4))


def test_chords_cannot_be_laid_out_in_a_meter_that_changes():
    with pytest.raises(SettingError, match="changes"):
        plan_of(Controls(chords="Am F | C G", time_signature="changing"))
