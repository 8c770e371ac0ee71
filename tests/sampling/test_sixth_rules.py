"""By the sixth rules pieces close with a chord, tunes come back, and a key is heard."""

from __future__ import annotations

import numpy as np
import pytest

from drafts import written
from gen.harmony import Chord
from gen.sampling.drafting import biases
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.home import hold_of, homeward, towards
from gen.sampling.drafting.last_chord import whole
from gen.sampling.drafting.policies import share_that_returns
from gen.sampling.drafting.state import CHORALE, duration_of
from gen.sampling.drafting.voice_leading import STEP, VOICE_STEP, onwards
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, chord_of, key_id

BAND = {"instruments": ("flute", "piano", "bass", "drums"), "time_signature": "4/4",
        "roles": ("main_melody", "accompaniment", "bass", "drums")}  # fmt: skip
BAR = 4 * v.STEPS_PER_QUARTER


def drafts(rules: int = 6, seeds: int = 6, **asked: object) -> list[Draft]:
    controls = Controls(**{"bars": 6, "key": "C", **BAND, **asked})
    job = job_of(controls, None, steering=1.0, rules=Rules(rules))
    return [written(job, seed, notes=0.8, context=400) for seed in range(seeds)]


def last_notes(draft: Draft) -> list[tuple[int, list[int]]]:
    """Slot and row of each note of the last bar."""
    cells = CellTable.of(draft.rows).cells
    return [
        (slot, row)
        for (bar, slot), cell in cells.items()
        if bar == 5
        for row in cell
        if row[v.KIND] == Kind.NOTE
    ]


def test_a_piece_closes_with_one_chord_of_all_parts_that_rings_to_the_end():
    for draft in drafts():
        found = last_notes(draft)
        assert {row[v.POSITION] for _, row in found} == {WORDS.position.id(0)}
        assert all(duration_of(row) == BAR for slot, row in found if slot < 3)
        cells = CellTable.of(draft.rows).cells
        before = {slot for (bar, slot), cell in cells.items() if bar == 4 and len(cell) > 1}
        assert before <= {slot for slot, _ in found}


def test_nothing_rings_on_into_the_last_chord():
    longer = 0
    for rules in (5, 6):
        for draft in drafts(rules):
            table = CellTable.of(draft.rows)
            for (bar, _), cell in table.cells.items():
                for row in cell:
                    if bar < 5 and row[v.KIND] in (Kind.NOTE, Kind.PEDAL):
                        end = bar * BAR + WORDS.position.number(row[v.POSITION]) + duration_of(row)
                        longer += end > 5 * BAR
                        assert rules < 6 or end <= 5 * BAR
    assert longer


def test_two_chords_that_are_asked_for_in_the_last_bar_are_both_played():
    for draft in drafts(seeds=3, chords="C | F | G | C | F | G C"):
        assert draft.state.bar_terms.closes
        assert not draft.state.bar_terms.is_struck
        rows = CellTable.of(draft.rows).bars[5]
        assert sum(row[v.KIND] == Kind.CHORD for row in rows) == 2


@pytest.mark.parametrize("genre", ["march", "chorale"])
def test_drums_that_are_called_for_other_sounds_close_as_all_do(genre, monkeypatch):
    monkeypatch.setattr(biases, "MOST_ROLLING", -1)  # as after many bars of kick and snare alone
    found = [last_notes(draft) for draft in drafts(seeds=3, genre=genre)]
    assert any(slot == 3 for notes in found for slot, _ in notes)


def test_what_the_last_chord_lacks_is_called_for():
    (draft,) = drafts(seeds=1)
    state = draft.state
    state.bar_terms.closing_chord = chord_id(Chord(0, "maj", 0))
    state.sounding = [(state.bar_start, state.bar_start + BAR, 48, 2)]
    missing = np.flatnonzero(whole(state)[WORDS.pitch.start :]) % 12
    assert set(missing.tolist()) == {4, 7}


@pytest.mark.parametrize("genre", ["rock", "waltz"])
def test_in_minor_rock_alone_may_end_in_major(genre):
    ends = {}
    for rules in (5, 6):
        found = drafts(rules, seeds=1, genre=genre, key="A minor")[0].state.bar_terms.chord_choices
        ends[rules] = {chord_of(choice).quality for choice in found}
    assert ends[5] - ends[6] == ({"maj"} if genre == "waltz" else set())


@pytest.mark.parametrize("genre", [None, "chorale"])
def test_a_tune_comes_back_sooner_than_what_goes_with_it(genre):
    (draft,) = drafts(seeds=1, genre=genre, returns=0.5)
    plan, state = draft.plan, draft.state
    tune, other = (share_that_returns(plan, state, slot) for slot in (0, 1))
    assert tune > 0.5
    assert (other > 0.5) == (genre == "chorale")
    (before,) = drafts(5, seeds=1, returns=0.5)
    assert {share_that_returns(before.plan, before.state, slot) for slot in (0, 1)} == {0.5}
    for share in (0.0, 1.0):
        (draft,) = drafts(seeds=1, returns=share)
        assert share_that_returns(draft.plan, draft.state, 0) == share


def test_a_key_that_is_not_heard_pulls_more_firmly_and_chords_with_it():
    heard = np.zeros(12)
    heard[[9, 0, 4]] = 3.0, 1.0, 2.0  # A minor, where C major is meant
    key, before, now = key_id("C"), hold_of(Rules(5)), hold_of(Rules(6))
    pulls = [towards(key, heard, hold) for hold in (before, now)]
    assert np.abs(pulls[1]).max() > np.abs(pulls[0]).max() > 0
    chords = homeward(key, heard, now)
    tonic, relative = (chord_id(Chord(root, q, root)) for root, q in ((0, "maj"), (9, "min")))
    assert chords[tonic] > chords[relative]
    assert not homeward(0, heard, now).any()
    for rules in (5, 6):
        (draft,) = drafts(rules, seeds=1)
        draft.state.key, draft.state.heard, draft.state.chords = key, heard, []
        row = [int(Kind.CHORD), WORDS.position.id(0), 0, 0, 0]
        bias = draft.bias(v.VALUE, row)
        assert (bias[tonic] > bias[relative]) == (rules > 5)


def test_voices_of_a_chorale_go_by_steps_whatever_their_role():
    found = {}
    for rules in (5, 6):
        (draft,) = drafts(rules, seeds=1, genre="chorale")
        state = draft.state
        assert state.genre == CHORALE
        state.slot, state.cell_notes, state.position = 1, 1, 0
        state.part.latest = WORDS.pitch.id(60)
        row = [int(Kind.NOTE), WORDS.position.id(12), 0, 0, 0]
        found[rules] = onwards(draft.plan, state, row)
    assert found[5] is None
    assert found[6][WORDS.pitch.id(62)] == VOICE_STEP > STEP
    assert found[6][WORDS.pitch.id(60)] < 0


def test_accompaniment_and_drums_are_there_with_the_first_section():
    for draft in drafts(seeds=4, bars=8, sections="intro:1 a:3 b:5 ending:7"):
        table = CellTable.of(draft.rows)
        assert all(any(table.sounds((bar, slot)) for bar in range(3)) for slot in (0, 1, 2, 3))
