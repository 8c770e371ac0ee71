"""By rules: how a piece closes, who rests in a break, how a build grows, when drums break out."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest

from drafts import written
from gen.harmony import Chord, parse_key
from gen.sampling.drafting.biases import (
    CLOSED_HI_HAT,
    MARCH,
    MOST_ROLLING,
    has_other_drums,
    other_drums,
)
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.closing import RITARDANDO, coming_home, key_of_chords
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.home import towards
from gen.sampling.drafting.policies import GROOVE, Grooves
from gen.sampling.drafting.sections import RESTS_IN_A_BREAK
from gen.sampling.drafting.state import KICK_AND_SNARE, BarTerms
from gen.sampling.drafting.steering import parallels
from gen.sampling.finishing.finish import finished
from gen.sampling.job import job_of
from gen.sampling.obedience import asked_and_got
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Row
from gen.sampling.planning.rules import NEWEST, Rules
from gen.sampling.request import FileTask, _spelt
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_of, key_id

SEEDS = range(12)
DENSE = Controls(bars=8, density="1:1-3 dense:4-6")
BAND = {"instruments": ("flute", "piano", "bass", "drums"), "time_signature": "4/4",
        "roles": ("main_melody", "accompaniment", "bass", "drums")}  # fmt: skip


def drafts(
    *, rules: int = 2, notes: float = 0.7, seeds: Iterable[int] = SEEDS, **asked: object
) -> list[Draft]:
    """Drafts by chance, of a band unless something else is asked."""
    controls = Controls(**{**BAND, **asked})
    job = job_of(controls, None, steering=1.0, rules=Rules(rules))
    return [written(job, seed, notes=notes, context=400) for seed in seeds]


def chords_of(draft: Draft) -> list[list[Chord]]:
    """The chords of each bar."""
    return [
        [chord_of(row[v.VALUE]) for row in bar if row[v.KIND] == Kind.CHORD]
        for bar in CellTable.of(draft.rows).bars
    ]


def notes_of(draft: Draft, bar: int, slot: int) -> list[Row]:
    cell = CellTable.of(draft.rows).cells.get((bar, slot), [])
    return [row for row in cell if row[v.KIND] == Kind.NOTE]


def pitch_classes(notes: list[Row]) -> list[int]:
    return [(row[v.VALUE] - WORDS.pitch.start) % 12 for row in notes]


# Closes ---------------------------------------------------------------------------------


def test_the_dominant_leads_to_the_tonic_in_chord_and_bass():
    distances = set()
    for draft in drafts(key="D", bars=10):
        before = draft.plan.cadence
        distances.add(before)
        found = chords_of(draft)
        assert {chord.root for chord in found[9 - before]} <= {9}
        assert {chord.root for bar in found[10 - before :] for chord in bar} <= {2}
        bass = notes_of(draft, 9 - before, 2)
        assert pitch_classes(bass[:1]) == [9] or WORDS.position.number(bass[0][v.POSITION]) >= 24
        assert set(pitch_classes(notes_of(draft, 9, 2))) <= {2}
    assert distances == {1, 2}


def test_without_a_bass_the_lowest_track_ends_on_the_tonic():
    for draft in drafts(key="C", bars=8, instruments=("flute", "violin"), roles=(), notes=0.9):
        parts = draft.state.parts
        low = min((0, 1), key=lambda slot: parts[slot].pitch_sum / parts[slot].notes)
        for bar in range(7, -1, -1):
            if notes := notes_of(draft, bar, low):
                assert bar < 7 or set(pitch_classes(notes)) == {0}
                break


def test_a_close_slows_down_in_steps_where_the_genre_does_and_never_speeds_up():
    for draft in drafts(genre="waltz", time_signature="3/4", bars=9):
        tempos = [row[v.VALUE] for row in draft.rows if row[v.KIND] == Kind.TEMPO]
        closing = tempos[-len(RITARDANDO) :]
        start = tempos[-len(RITARDANDO) - 1]
        assert closing == [max(start - by, WORDS.tempo.start) for by in RITARDANDO] or start < (
            WORDS.tempo.start + RITARDANDO[-1]
        )
    assert all(not draft.plan.ritardando for draft in drafts(genre="house", bars=9))
    assert all(not draft.plan.ritardando for draft in drafts(genre="waltz", tempo=90.0, bars=9))


@pytest.mark.parametrize(
    ("chords", "bars", "key", "ends"),
    [
        ("C F Am G".replace(" ", " | "), 8, None, Chord(0, "maj", 0)),
        ("Am7 | F | C | G", 8, "A minor", Chord(9, "m7", 9)),
        ("F | G", 8, "C", Chord(0, "maj", 0)),
        ("G | F | C", 6, "C", None),
        ("C | F", 2, "C", None),
        ("C/E | F", 6, None, Chord(0, "maj", 0)),
    ],
)
def test_a_loop_comes_home_unless_every_bar_was_asked_for(chords, bars, key, ends):
    assert coming_home(chords, bars, parse_key(key) if key else None) == ends


def test_the_last_bar_of_a_loop_has_the_chord_of_home_alone():
    for draft in drafts(chords="Am F | C G", key="A minor", bars=8, notes=0.8):
        found = chords_of(draft)
        assert [len(bar) for bar in found] == [2] * 7 + [1]
        assert found[7][0].root == 9
        assert found[6] == found[0]


def test_chords_without_a_key_bring_their_own():
    assert str(key_of_chords("Am F | C G | Am")) in ("A minor", "C major")
    assert str(key_of_chords("D | G | A7 | D")) == "D major"
    for draft in drafts(chords="D | G | A7 | D", bars=8):
        assert draft.state.key == key_id("D major")


# Sections -------------------------------------------------------------------------------


def test_in_a_break_the_lead_rests_as_often_as_in_works_and_the_others_are_thinner():
    silent = 0
    for draft in drafts(bars=12, sections="a:1 break:5 b:9", notes=0.9):
        silent += not any(notes_of(draft, bar, 0) for bar in range(4, 8))
        for slot in (1, 2, 3):
            before = [len(notes_of(draft, bar, slot)) for bar in range(4)]
            most = max(len(notes_of(draft, bar, slot)) for bar in range(4, 8))
            if any(before):
                assert most <= max(np.mean([n for n in before if n]), 1) + 1
    assert abs(silent / len(SEEDS) - RESTS_IN_A_BREAK["main_melody"]) < 0.35


def test_a_break_never_silences_all():
    for draft in drafts(bars=12, sections="a:1 break:5 b:9", instruments=("flute",),
                        roles=("main_melody",), notes=0.9):  # fmt: skip
        assert any(notes_of(draft, bar, 0) for bar in range(4, 8))


def test_a_build_grows_from_bar_to_bar():
    grown = []
    for draft in drafts(bars=12, sections="a:1 build:5 b:9", notes=0.8):
        counts = [sum(len(notes_of(draft, bar, s)) for s in range(4)) for bar in range(4, 8)]
        grown.append(counts[-1] / max(counts[0], 1))
    assert np.median(grown) > 1.2


def test_the_bass_comes_in_with_the_first_section_after_the_introduction():
    for draft in drafts(bars=24, sections="intro:1 a:5 b:13", notes=0.6):
        first = next(bar for bar in range(24) if notes_of(draft, bar, 2))
        assert first <= 4


def test_density_by_bars_holds_in_these_bars_and_leaves_the_others_open():
    for draft in drafts(bars=8, density="1:1-3 dense:4-6", notes=0.8):
        cells = CellTable.of(draft.rows).cells
        for (bar, _), cell in cells.items():
            asked = {0: (1, 1), 1: (5, 7)}.get(bar // 3)
            given = cell[0][v.EXTENT]
            if asked is None:
                assert given == 0
            else:
                assert asked[0] <= WORDS.density.number(given) <= asked[1]
        counts = [len(notes) for bar in range(3) if (notes := notes_of(draft, bar, 1))]
        assert not counts or max(counts) <= 4
        table = asked_and_got(draft.rows, finished(draft.rows, DENSE), DENSE)
        assert [row["control"] for row in table if row["control"] == "density"]


def test_a_receipt_says_the_mode_of_a_mood_that_has_one(ask):
    (done,) = ask(n=1, bars=9, mood="dark", originality="off", sign="off")
    (row,) = [row for row in done.record["asked_and_got"] if row["control"] == "mood"]
    assert row["met"] is ("in minor" in row["got"])
    (done,) = ask(n=1, bars=9, mood="calm", originality="off", sign="off")
    (row,) = [row for row in done.record["asked_and_got"] if row["control"] == "mood"]
    assert row["met"] is None


# Drums and voices -----------------------------------------------------------------------


def test_kick_and_snare_alone_call_for_other_drums_but_in_a_march():
    (draft, *_) = drafts(bars=4, notes=0.3)
    state, plan = draft.state, draft.plan
    state.slot, state.rolled = 3, MOST_ROLLING - 1
    assert other_drums(plan, state) is None
    weights = []
    for state.rolled in (MOST_ROLLING, MOST_ROLLING + 2):
        bias = other_drums(plan, state)
        assert bias.shape == (state.bar_steps, WORDS.drum.stop)
        assert not bias[:, [WORDS.drum.id(36), WORDS.drum.id(38)]].any()
        weights.append(bias.max())
    assert weights[1] > weights[0] > 0
    state.genre = WORDS.genre.id(12)
    assert other_drums(plan, state) is None
    state.part.ends[:] = 0
    state.genre = 0
    assert other_drums(plan, state)[0, WORDS.drum.id(CLOSED_HI_HAT)] > 0


def test_outer_voices_in_fifths_or_octaves_do_not_move_on_in_parallel():
    pitches = np.arange(128)
    after_fifth = parallels([48, 55], [57], pitches)  # C-G, and the upper voice goes to A
    assert {50, 64} <= set(np.flatnonzero(after_fifth))
    assert not after_fifth[[45, 48, 49, 53, 65]].any()
    assert not parallels([48, 52], [57], pitches).any()
    assert not parallels([48, 55], [55], pitches[:56]).any()  # the upper voice stays
    assert set(np.flatnonzero(parallels([48, 60], [62], pitches))) >= {50}


def test_what_was_heard_in_another_key_pulls_towards_the_one_that_is_meant():
    heard = np.zeros(12)
    heard[[9, 0, 4, 2]] = 40, 20, 30, 10  # A minor
    pull = towards(key_id("C major"), heard)
    assert pull[0] > pull[9]
    assert pull[7] > pull[9]
    assert not towards(key_id("A minor"), heard).any()
    assert not towards(0, heard).any()


@pytest.mark.parametrize("notes", [0.0, 0.6, 0.95])
@pytest.mark.parametrize("density", [None, "dense"])
def test_whatever_the_sections_a_draft_comes_to_its_end(notes, density):
    for sections in ("break:1 build:5", "a:1 build:3 break:4 ending:8", "build:1"):
        asked = {"bars": 9, "sections": sections, "density": density}
        for draft in drafts(notes=notes, seeds=range(6), **asked):
            assert draft.done


# Receipts -------------------------------------------------------------------------------


def test_by_the_first_rules_nothing_of_this_is_planned():
    for draft in drafts(rules=1, genre="waltz", time_signature="3/4", bars=9):
        assert not draft.plan.cadence
        assert not draft.plan.ritardando


def test_a_receipt_that_does_not_name_rules_is_written_again_by_the_first(ask, monkeypatch):
    from gen.sampling import session

    real = session.PLACES
    monkeypatch.setattr(session, "PLACES", {*real, "rules"})
    (done,) = ask(n=1, rules=1, bars=9, originality="off", sign="off")
    assert "rules" not in json.loads(done.receipt.read_text("utf-8"))["settings"]
    monkeypatch.setattr(session, "PLACES", real)
    (again,) = ask(receipt=str(done.receipt), out=str(done.midi.parent / "again"))
    assert again.midi.read_bytes() == done.midi.read_bytes()


def test_pieces_come_again_from_their_receipts(ask):
    (done,) = ask(n=1, bars=9, originality="off", sign="off")
    assert json.loads(done.receipt.read_text("utf-8"))["settings"]["rules"] == NEWEST
    (again,) = ask(receipt=str(done.receipt), out=str(done.midi.parent / "again"))
    assert again.midi.read_bytes() == done.midi.read_bytes()


def test_the_words_that_chance_is_made_from_are_those_of_the_first_receipts():
    from pathlib import Path

    asked = Controls(genre="waltz", bars=5, density=("sparse", 1))
    first = [
        "genre='waltz', mood=None, style=None, key=None, tempo=None, time_signature=None, bars=5, "
        "instruments=(), roles=(), chords=None, sections=None, density=('sparse', 1), "
        "pitch_range=(0, 127), velocity_range=(1, 127), returns=0.5"
    ]
    assert _spelt(asked) == f"Controls({first[0]})"
    task = FileTask("vary", Path())
    assert _spelt(task) == f"FileTask(mode='vary', path={Path()!r}, cells=None, add=(), amount=0.3)"
    assert _spelt(None) == "None"


# Grooves --------------------------------------------------------------------------------


def called_back(draft: Draft, bar: int, **terms: object) -> list[Row]:
    """The drums that would come back in a bar, after bars of kick and snare alone."""
    state = draft.state
    state.bar, state.rolled = bar, MOST_ROLLING
    state.parts[3].ends[:] = 0
    bar_terms = BarTerms(onset_stop=state.bar_steps, open=[3], **terms)
    Grooves().begin_bar(draft.plan, state, bar_terms)
    return bar_terms.copies.get(3, [])


def sounds(cell: list[Row]) -> list[int]:
    return [WORDS.drum.number(row[v.VALUE]) for row in cell if row[v.KIND] == Kind.NOTE]


def test_after_kick_and_snare_alone_the_latest_bar_of_other_drums_comes_back():
    for draft in drafts(rules=3, bars=6, notes=0.8):
        cells = CellTable.of(draft.rows).cells
        grooves = [c for bar in range(4) if has_other_drums(c := cells.get((bar, 3), []))]
        kept = called_back(draft, 4)
        assert sounds(kept) == (sounds(grooves[-1]) if grooves else [])
        draft.state.genre = MARCH
        assert not called_back(draft, 4)


def test_where_fewer_drums_are_wanted_kick_and_snare_are_left_out_first():
    for draft in drafts(rules=3, bars=6, notes=0.9):
        whole = sounds(called_back(draft, 4))
        kept = sounds(called_back(draft, 4, counts={3: (0, 3)}))
        assert bool(kept) == bool(whole)
        assert len(kept) <= 3
        assert len(whole) <= 3 or not set(kept) & KICK_AND_SNARE


def test_drums_that_came_back_stay_for_eight_bars():
    (draft, *_) = drafts(rules=3, bars=24, notes=0.6)
    grooves, state = Grooves(), draft.state
    found = []
    for bar in range(3, 22):
        state.bar, state.rolled = bar, MOST_ROLLING if bar == 8 else 0
        state.parts[3].ends[:] = 0
        terms = BarTerms(onset_stop=state.bar_steps, open=[3])
        grooves.begin_bar(draft.plan, state, terms)
        found.append(bool(terms.copies))
    assert found == [8 <= bar < 8 + GROOVE for bar in range(3, 22)]
