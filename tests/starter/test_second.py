"""The second volume: pick-ups, riffs, turns, answers, keys and tempi on the way."""

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from gen.errors import HouseError
from gen.harmony import GENRES
from gen.piece import ROLES
from starter import abc, catalogue, habits
from starter.abc import parse
from starter.arrangement import Arrangement, Seat
from starter.bass import line
from starter.corpus import themes_originality, written_work
from starter.dialogue import echo, riff, turns
from starter.form import SLOWINGS, plan
from starter.keys import idiomatic_shifts, parse_abc_key
from starter.leadsheet import TICKS
from starter.melody import lead
from starter.realise import realise
from starter.report import REVIEW_RUN
from starter.styles import second

HEADER = ["X:1", "T:Test Door", "R:rock", "N:mood=calm", "M:4/4", "L:1/8", "Q:1/4=100", "K:C",
          "P:AB"]  # fmt: skip
RIFF = ["P:R", '"C"C2 E2 z2 G2 | "F"F2 A2 z4 |']
A = ["P:A", 'ga |: "C"e2 g2 c2 z2 |' + ' "F"f2 a2 c2 z2 | "C"e2 g2 c4 |' * 3 + ' "G"d4 z4 |']
B = ["P:B", '"F"a4 f4 | "C"g4 e4 |' * 4]


def sheet():
    return parse("\n".join([*HEADER, *RIFF, *A, *B]))[0]


def band(form, **more):
    seats = (
        Seat("Lead", 0, "main_melody", turns(lead(), 0), (55, 96)),
        Seat("Other", 73, "sub_melody", turns(lead(), 1), (60, 96)),
        Seat("Answer", 71, "sub_melody", echo(), (52, 79)),
        Seat("Riff", 48, "riff", riff(under=False), (52, 84)),
        Seat("Bass", 32, "bass", line("1.5."), (28, 50)),
    )
    return Arrangement("test band", seats, form, **more)


def test_a_pick_up_leads_into_its_part_and_needs_less_than_a_bar():
    part = sheet().parts["A"]
    assert [n.onset for n in part.pickup] == [-480, -240]
    for wrong in ('cdefgabc |: "C"c8 |', '"C"c2 |: c8 |', '"C"c8 | c2 |: c8 |', "|: c8 |"):
        with pytest.raises(HouseError, match=r"\|: does not stand after a pick-up"):
            parse("\n".join([*HEADER, "P:A", wrong, *B]))


def test_a_pick_up_that_begins_the_work_has_a_bar_of_its_own_and_no_marker():
    work = realise(sheet(), band("theme@0.5 part:A@0.7 ending:2"))
    assert work.sections_text == "A:1 B:10 A:18 ending:26"
    first = min(n.onset_ticks for t in work.piece.tracks for n in t.notes)
    assert abs(first - 3 * TICKS) < 20
    made = plan(sheet(), band("theme@0.5 part:A@0.7 ending:2"))
    again = next(s for s in made.sections if s.letter == "B")
    assert [n.onset for n in again.melody if n.onset >= again.end - 480] == [
        again.end - 480, again.end - 240,
    ]  # fmt: skip


def test_a_riff_sounds_by_itself_and_moves_with_the_chords():
    work = realise(sheet(), band("riff:4@0.5 part:A@0.6 ending:2"))
    assert work.sections_text.startswith("intro:1 A:5")
    notes = next(t for t in work.piece.tracks if t.name == "Riff").notes
    assert [n.pitch % 12 for n in notes[:5]] == [0, 4, 7, 5, 9]
    assert not any(4 * 1920 < n.onset_ticks + 20 < 12 * 1920 for n in notes)  # under the theme


def test_two_instruments_take_turns_and_a_third_answers_in_the_rests():
    work = realise(sheet(), band("part:A@0.6 ending:2"))
    tracks = {t.name: t.notes for t in work.piece.tracks}
    bars = {name: {(n.onset_ticks + 240) // 1920 for n in notes} for name, notes in tracks.items()}
    assert bars["Lead"] - {0, 10} <= {1, 2, 5, 6}
    assert bars["Other"] - {10} <= {3, 4, 7, 8}
    played = [n for name in ("Lead", "Other") for n in tracks[name]]
    answered = tracks["Answer"][:-1]
    assert answered
    assert not any(abs(n.onset_ticks - m.onset_ticks) < 60 for n in answered for m in played)


def test_tempi_change_on_the_way_and_slow_down_as_the_form_says():
    made = realise(sheet(), band("part:A@0.5~held part:B@0.6*1.1 ending:2~broad")).piece
    tempos = [round(t.quarters_per_minute) for t in made.tempos]
    assert tempos[:3] == [100, 82, 110]
    assert tempos[3:] == [round(110 * factor) for factor in SLOWINGS["broad"]]
    plain = realise(sheet(), band("part:A@0.5 ending:2")).piece
    assert len(plain.tempos) == 1
    with pytest.raises(HouseError, match="'molto' is no slowing"):
        plan(sheet(), band("theme~molto"))


def test_the_band_stops_under_the_leads_last_bar_and_thins_out_in_a_fade():
    seats = [replace(s, enters=0.4) if s.name == "Riff" else s for s in band("").seats]
    form = "part:B@0.6! fade:4@0.5-0.1"
    work = realise(sheet(), replace(band(form), seats=tuple(seats)))
    bass = next(t for t in work.piece.tracks if t.name == "Bass").notes
    assert not [n for n in bass if 7 * 1920 + TICKS + 20 < n.onset_ticks < 8 * 1920 - 20]
    riffs = next((t for t in work.piece.tracks if t.name == "Riff"), None)
    assert riffs is None or max(n.onset_ticks for n in riffs.notes) < 10 * 1920


def test_keys_are_those_that_the_genres_players_like():
    fiddle = parse_abc_key("G")[0]
    assert {(fiddle.tonic + s) % 12 for s in idiomatic_shifts("folk_dance", fiddle)} == {0, 2, 7, 9}
    made = catalogue.second_volume()
    assert all(0 in idiomatic_shifts(c.sheet.genre, c.sheet.key.transposed(c.shift)) for c in made
               if c.shift)  # fmt: skip


def test_the_second_volume_has_three_ways_to_play_each_of_46_themes():
    made = catalogue.second_volume()
    assert len(catalogue.commissions()) >= 620
    assert Counter(c.sheet.slug for c in made).most_common()[-1][1] == 3
    assert {c.sheet.genre for c in made} == set(GENRES)
    assert all(len(second.arrangements(genre)) == 3 for genre in GENRES)


def test_no_new_theme_is_near_another():
    sheets = [*abc.load(catalogue.LEADSHEETS), *abc.load(catalogue.SECOND)]
    assert themes_originality(sheets).longest < REVIEW_RUN


@cache
def some_works():
    """One theme of each arrangement, in turn."""
    made = catalogue.second_volume()
    places = [3 * (i // 3) + i % 3 for i in range(0, len(made), 4)]
    return [written_work(made[place]) for place in places]


def test_works_keep_to_roles_and_ranges_and_hardly_clash():
    works = some_works()
    assert len(works) >= 30
    for work in works:
        assert 3 <= len(work.piece.tracks) <= 8, work.title
        assert set(work.description.roles) <= set(ROLES)
        assert not habits.outside_range(work), work.title
        assert habits.clashes([work]) < 0.1, work.title
        parallels, _ = habits.outer_parallels(work)
        assert not parallels or work.description.genre != "chorale", work.title


def test_habits_of_the_first_volume_are_fewer():
    """Half begin without an introduction, some with a pick-up or a riff, and few basses stand."""
    works = some_works()
    count = len(works)
    assert sum(map(habits.begins_with_intro, works)) < 0.5 * count
    assert any(map(habits.begins_with_pickup, works))
    assert any(map(habits.begins_with_riff, works))
    assert sum(map(habits.changes_key_late, works)) > 0.25 * count
    assert len({habits.closing(work) for work in works}) >= 5
    assert sum(habits.handovers(work) >= habits.HANDOVERS for work in works) > 0.15 * count


def test_the_table_sets_volumes_beside_each_other():
    works = some_works()[:3]
    lines = habits.table([("one", works), ("other", works[:1])])
    assert lines[0] == "| | one | other |"
    assert len(lines) == len(habits.ROWS) + 2
    assert all(line.count("|") == 4 for line in lines)
