"""By the eighth rules pieces close in several ways, and nothing is held into what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

from drafts import written
from gen.harmony import GENRES
from gen.sampling.drafting import closing
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.closing import CLIMB, RITARDANDO, SLOWINGS, STOP, SUBDOMINANT
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.policies import origin_of
from gen.sampling.drafting.state import duration_of
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Close, Plan, row_of
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_of
from music import random_row

BAND = {"instruments": ("flute", "piano", "strings", "bass", "drums"), "time_signature": "4/4",
        "roles": ("main_melody", "accompaniment", "pad", "bass", "drums"), "key": "C"}  # fmt: skip
MELODY, ACCOMPANIMENT, _, BASS, DRUMS = range(5)
ALWAYS, NEVER = dict.fromkeys((*GENRES, ""), 1.0), dict[str, float]()
BARS, LONG = 16, closing.FEWEST_BARS_TO_FADE
TONIC_CHORDS = {0, 4, 7, 9, 11}
"""Pitch classes of those of C major that a piece may end on: with a sixth, or a seventh."""

Notes = Mapping[tuple[int, int], list[tuple[int, int, int]]]
"""By bar and pitched track: grid step from the piece's begin, the step after the last, pitch."""


def jobs(rules: int, **asked: object):
    controls = Controls(**{"bars": BARS, **BAND, **asked})
    return job_of(controls, None, steering=1.0, rules=Rules(rules))


def plans(rules: int = 8, seeds: int = 60, **asked: object) -> list[Plan]:
    job = jobs(rules, **asked)
    return [job.draft([seed]).plan for seed in range(seeds)]


def drafts(seeds: int = 3, rules: int = 8, **asked: object) -> list[Draft]:
    job = jobs(rules, **asked)
    return [written(job, seed, notes=0.85, context=400) for seed in range(seeds)]


def notes_of(draft: Draft) -> Notes:
    table = CellTable.of(draft.rows)
    starts, found = table.bar_starts(), {}
    for (bar, slot), cell in table.cells.items():
        for row in cell:
            if row[v.KIND] == Kind.NOTE and row[v.VALUE] < WORDS.pitch.stop:
                begin = int(starts[bar]) + WORDS.position.number(row[v.POSITION])
                note = begin, begin + duration_of(row), WORDS.pitch.number(row[v.VALUE])
                found.setdefault((bar, slot), []).append(note)
    return found


@pytest.fixture
def closes(monkeypatch):
    """Let all pieces close in one way."""

    def one(spread: bool = False, stop: bool = False, fade: bool = False) -> None:
        for name, is_so in (("SPREADS", spread), ("STOPS", stop), ("FADES", fade)):
            monkeypatch.setattr(closing, name, ALWAYS if is_so else NEVER)

    return one


# How they differ ------------------------------------------------------------------------


def test_pieces_of_a_genre_close_in_ways_of_its_own():
    reached = {genre: {p.close for p in plans(genre=genre, bars=LONG)} for genre in GENRES}
    assert set.union(*reached.values()) == set(Close)
    assert Close.SPREAD not in reached["rock"] | reached["chorale"]
    assert Close.STOPPED not in reached["waltz"] | reached["chorale"]
    for genre in GENRES:
        found = plans(genre=genre, bars=LONG)
        ways = {(p.close, bool(p.fade), p.leads_from, p.ritardando) for p in found}
        assert len(ways) > 3, genre


def test_all_ways_to_slow_down_and_to_come_home_are_reached():
    found = plans(genre="piano_miniature", bars=LONG, seeds=100)
    assert {plan.ritardando for plan in found} == {way for _, way in SLOWINGS}
    assert {plan.leads_from for plan in found} == {5, 7}
    assert {plan.fade for plan in found} == {0, *closing.FADE}
    assert all(not plan.ritardando for plan in plans(genre="piano_miniature", tempo=90.0))


def test_earlier_rules_know_of_one_way_alone():
    for rules in range(1, 8):
        for plan in plans(rules, genre="rock", seeds=20):
            assert (plan.close, plan.fade, plan.leads_from) == (None, 0, 7)
            assert plan.ritardando in ((), RITARDANDO)


def test_a_short_piece_and_one_whose_chords_are_asked_for_keep_what_they_have():
    assert {plan.close for plan in plans(bars=6)} == {None}
    assert {plan.fade for plan in plans(bars=23, genre="house")} == {0}
    for draft in drafts(chords="C | F | G | C", time_signature="3/4", bars=8):
        assert (7, BASS) in notes_of(draft)


# The last chord -------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["struck", "spread", "stopped", "faded"])
@pytest.mark.parametrize("meter", ["4/4", "3/4", "12/8"])
def test_whatever_the_close_all_parts_end_together_on_the_tonic(closes, way, meter):
    closes(spread=way == "spread", stop=way == "stopped", fade=way == "faded")
    bars = LONG if way == "faded" else BARS
    for draft in drafts(time_signature=meter, bars=bars):
        assert bool(draft.plan.fade) == (way == "faded")
        found, steps = notes_of(draft), draft.state.bar_steps
        rings_on = meter == "3/4" and way != "stopped"
        last = bars - 2 if rings_on else bars - 1
        end = bars * steps if way != "stopped" else last * steps + STOP
        chord = {slot: notes for (bar, slot), notes in found.items() if bar >= last}
        assert {bar for bar, _ in found if bar >= last} == {last}
        assert {MELODY, BASS} <= set(chord)
        for slot, notes in chord.items():  # long lengths are few: a climbing note may end early
            early = 6 * (way == "spread" and slot == ACCOMPANIMENT)
            assert all(end - early <= stop <= end for _, stop, _ in notes)
        assert {pitch % 12 for _, _, pitch in chord[BASS]} == {0}
        assert {p % 12 for notes in chord.values() for *_, p in notes} <= TONIC_CHORDS
        for (bar, _), notes in found.items():
            assert bar == last or all(stop <= last * steps for _, stop, _ in notes)
        for slot, notes in chord.items():
            climbs = way == "spread" and slot == ACCOMPANIMENT
            assert climbs or {begin for begin, *_ in notes} == {last * steps}


@pytest.mark.parametrize(("tempo", "apart"), [(60.0, 3), (120.0, 6)])
def test_an_accompaniment_climbs_through_the_last_chord_while_the_others_hold_it(
    closes, tempo, apart
):
    closes(spread=True)
    for draft in drafts(tempo=tempo):
        notes = notes_of(draft)[BARS - 1, ACCOMPANIMENT]
        begins, _, pitches = zip(*notes, strict=True)
        assert [begin % draft.state.bar_steps for begin in begins] == [
            n * apart for n in range(CLIMB)
        ]
        assert all(low < high for low, high in pairwise(pitches))


def test_an_accompaniment_whose_pitches_all_ring_on_need_not_climb(closes):
    closes(spread=True)
    some = {"roles": ("bass", "accompaniment", "accompaniment"), "pitch_range": (60, 61)}
    band = {**some, "instruments": ("bass", "piano", "flute"), "key": "D dorian"}
    job = jobs(8, **band, time_signature="changing", bars=8)
    assert written(job, 52, notes=0.85, context=400).done


@pytest.mark.parametrize("meter", ["3/8", "2/8", "1/8", "3/16", "changing"])
@pytest.mark.parametrize("tempo", [60.0, 120.0])
def test_an_accompaniment_climbs_within_its_bar(closes, meter, tempo):
    closes(spread=True)
    for draft in drafts(time_signature=meter, tempo=tempo, bars=8):
        table = CellTable.of(draft.rows)
        ends = [*table.bar_starts()[1:], draft.state.bar_start + draft.state.bar_steps]
        for (bar, _), notes in notes_of(draft).items():
            assert all(begin < ends[bar] for begin, *_ in notes)
        bar = max(bar for bar, slot in notes_of(draft) if slot == ACCOMPANIMENT)
        begins, _, pitches = zip(*notes_of(draft)[bar, ACCOMPANIMENT], strict=True)
        assert all(early < late for early, late in pairwise(begins))
        assert all(low < high for low, high in pairwise(pitches))


def test_before_a_faded_close_parts_fall_silent_until_one_is_left(closes):
    closes(fade=True)
    left = set()
    for draft in drafts(seeds=6, bars=LONG):
        found, fade = notes_of(draft), draft.plan.fade
        half = range(LONG - 1 - fade // 2, LONG - 1)
        playing = {slot for bar, slot in found if bar in half}
        assert len(playing) == 1
        assert all(any(bar == b for b, _ in found) for bar in half)
        assert not any((bar, MELODY) in found for bar in range(LONG - 1 - fade, LONG - 1))
        left |= playing
    assert len(left) > 1


def test_a_section_that_comes_back_stays_whole_before_a_faded_close(closes):
    closes(fade=True)
    fades = {
        form: {plan.fade for plan in plans(bars=LONG, sections=form, seeds=20)}
        for form in ("a:1 b:9 a:17", "a:1 b:9 ending:21", "a:1 b:9 ending:16")
    }
    assert list(fades.values()) == [{0}, {0}, {4, 6}]


def test_an_ending_too_short_for_a_long_fade_has_the_short_one_and_none_if_shorter_still(closes):
    closes(fade=True, stop=True)
    shortest, longest = closing.FADE
    for room in range(1, longest + 2):
        form = f"a:1 b:9 ending:{LONG - room}"
        found = plans(bars=LONG, genre="rock", sections=form, seeds=20)
        reached = {fade for fade in closing.FADE if fade <= room} or {0}
        assert {plan.fade for plan in found} == reached
        assert all(plan.close != Close.STOPPED for plan in found if plan.fade)
        if room < shortest:
            assert Close.STOPPED in {plan.close for plan in found}


def test_a_piece_that_slows_down_does_not_stop_short(closes):
    closes(stop=True)
    found = plans(genre="rock")
    assert {bool(plan.ritardando) for plan in found} == {False, True}
    for plan in found:
        assert (plan.close == Close.STOPPED) == (not plan.ritardando)


def test_a_piece_may_come_home_from_the_subdominant(monkeypatch):
    monkeypatch.setattr(closing, "PLAGAL", ALWAYS)
    for genre, key, tonic in (("rock", "D", 2), ("rock", "A minor", 9)):
        for draft in drafts(genre=genre, key=key):
            table = CellTable.of(draft.rows)
            bar = BARS - 1 - draft.plan.cadence
            roots = {
                chord_of(row[v.VALUE]).root for row in table.bars[bar] if row[v.KIND] == Kind.CHORD
            }
            assert roots <= {(tonic + SUBDOMINANT) % 12}
            first, _, pitch = min(notes_of(draft)[bar, BASS])
            is_late = first % draft.state.bar_steps >= draft.state.bar_steps // 2
            assert is_late or pitch % 12 == (tonic + SUBDOMINANT) % 12


@pytest.mark.parametrize("way", [way for _, way in SLOWINGS])
def test_a_piece_slows_down_before_its_last_chord_which_may_ring_for_two_bars(
    closes, monkeypatch, way
):
    closes()
    monkeypatch.setattr(closing, "SLOWINGS", ((1.0, way),))
    for draft in drafts(seeds=2, genre="waltz", time_signature="3/4"):
        table = CellTable.of(draft.rows)
        bars = [
            n for n, rows in enumerate(table.bars) if any(r[v.KIND] == Kind.TEMPO for r in rows)
        ]
        slower = bars[-len(way) :]
        assert slower == [slower[0] + n for n in range(len(way))]
        last = max(bar for bar, _ in notes_of(draft))
        assert slower[0] == last if len(way) == 1 else slower[0] < last


# What comes back ------------------------------------------------------------------------


def before_a_return(rules: int) -> Draft:
    """A draft in the bar before a section that comes back, with a cell about to be written."""
    job = jobs(rules, sections="a:1 b:5 a:9", returns=1.0)
    for seed in range(20):
        draft, rng = job.draft([seed]), np.random.default_rng(seed)
        while draft.state.bar < 7 or draft.state.slot < 0:
            draft.take(draft.forced.popleft() if draft.forced else random_row(draft, rng, 0.8))
        if draft.state.bar == 7 and draft.state.slot < DRUMS:
            return draft
    raise AssertionError("all were silent in that bar")


def test_what_comes_back_in_the_next_bar_is_known():
    assert not before_a_return(7).state.bar_terms.next_bar
    state = before_a_return(8).state
    coming, next_bar = state.bar_terms.next_bar, state.bar_start + state.bar_steps
    assert origin_of(state.sections, 8) == 0
    assert coming
    assert all(begin >= next_bar for begin, *_ in coming)


def test_no_note_is_held_into_what_comes_back():
    draft = before_a_return(8)
    state, last = draft.state, draft.state.bar_steps - 1
    row = row_of(Kind.NOTE, WORDS.pitch.id(61), step=last)
    begin, into = state.bar_start + last + 1, WORDS.duration.id(STOP)
    lengths = []
    for slot in (state.slot, state.slot + 1):  # its own, another's
        state.bar_terms.next_bar = [(begin, begin + 48, 60, slot)]
        draft.policies.begin_cell(draft.plan, state)
        bias = draft.bias(v.EXTENT, row)
        lengths.append(0.0 if bias is None else bias[into] - bias[WORDS.duration.id(0)])
    assert lengths[1] < lengths[0]


def test_what_is_known_to_come_back_does():
    draft, rng = before_a_return(8), np.random.default_rng(3)
    decided = {slot for *_, slot in draft.state.bar_terms.next_bar}
    while draft.state.bar < 8 or draft.state.slot < 0:
        draft.take(draft.forced.popleft() if draft.forced else random_row(draft, rng, 0.8))
    assert draft.state.bar_terms.copies
    assert set(draft.state.bar_terms.copies) <= decided | {DRUMS}


def test_where_all_further_tracks_rest_they_count_for_the_end_of_the_bar():
    (draft,) = drafts(seeds=1)
    scores = np.full(len(Kind), -9.0, dtype=np.float32)
    scores[Kind.CELL] = 2.0
    draft.state.bar, draft.state.slot = 4, 1
    terms = draft.state.bar_terms
    terms.open, terms.owed = [], []
    assert draft.kind_scores(scores)[Kind.BAR] > 1.9
    terms.open = [3]
    assert draft.kind_scores(scores)[Kind.BAR] < 0
    (before,) = drafts(seeds=1, rules=7)
    before.state.bar, before.state.slot = 4, 1
    before.state.bar_terms.open, before.state.bar_terms.owed = [], []
    assert before.kind_scores(scores)[Kind.BAR] < 0
