"""Accuracies that a person counts, and sets that must and must not be told apart."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gen.errors import HouseError
from gen.evaluation.measures.notes import sets_of, tabulate
from gen.evaluation.measures.similarity import distances, harmony, melody, rhythm
from gen.evaluation.parts.nearest_neighbour import accuracy, compare, hits
from gen.piece import Note, Piece, Track
from metric_pieces import shuffled, song


def rng(seed=3):
    return np.random.default_rng(seed)


def on_a_line(*places):
    return np.abs(np.subtract.outer(places, places)).astype(float)


def test_sets_far_apart_are_always_told_apart():
    distance = on_a_line(0, 1, 10, 11)
    assert accuracy(distance, np.array([0, 1]), np.array([2, 3])) == 1


def test_copies_are_each_others_neighbours():
    distance = on_a_line(0, 5, 9, 0, 5, 9)
    assert accuracy(distance, np.arange(3), np.arange(3, 6)) == 0


def test_ties_are_shared_out():
    # of the piece at 1 the nearest are 0 (its own set) and 2 (the other)
    found = hits(on_a_line(1, 0, 2, 9), np.array([True, True, False, False]))
    assert found.tolist() == [0.5, 1, 0, 1]


def test_one_population_cannot_be_told_apart():
    points = rng(1).normal(size=(100, 200, 3))
    found = []
    for sample in points:
        distance = np.linalg.norm(sample[:, None] - sample, axis=2)
        found.append(accuracy(distance, np.arange(100), np.arange(100, 200)))
    assert np.mean(found) == pytest.approx(99 / 199, abs=0.012)


# -- similarity ---------------------------------------------------------------------------------


def line(*onsets_and_pitches, program=0):
    notes = [Note(onset, 6, pitch, 80) for onset, pitch in onsets_and_pitches]
    return Piece(12, [Track("", program, notes=notes)])


def test_a_piece_is_like_itself_and_like_its_transposition():
    found = distances([song(1), song(1), song(1, key=3), song(2)])
    for name in ("rhythm", "melody", "harmony", "together"):
        assert found[name][0, :3] == pytest.approx(0, abs=1e-9)
        assert found[name][0, 3] > 0.02
        assert (found[name] == found[name].T).all()


def test_rhythms_are_compared_by_their_places_in_the_bar():
    one, other = line((0, 60), (48, 60), (24, 60)), line((0, 60), (24, 60), (72, 60))
    # thirds on beats 1 and 3: (2/3, 1/3) against (1/3, 2/3)
    expected = 2 * np.sqrt(2 / 9)
    assert distances([one, other])["rhythm"][0, 1] == pytest.approx(1 - expected)


def test_melody_is_pairs_of_intervals_and_harmony_pairs_of_beats():
    table = tabulate(line((0, 60), (12, 64), (24, 67), (36, 60)))
    pairs = melody(table).reshape(25, 25)
    assert pairs[4 + 12, 3 + 12] == pairs[3 + 12, -7 + 12] == 0.5
    follow = harmony(table, tonic=0).reshape(12, 12)
    assert follow[0, 4] == follow[4, 7] == follow[7, 0] == pytest.approx(1 / 3)
    assert harmony(table, tonic=4).reshape(12, 12)[8, 0] == pytest.approx(1 / 3)


def test_drums_are_a_rhythm_of_their_own():
    tune, beat = line((0, 60)), Piece(12, [Track("", 0, True, notes=[Note(0, 6, 36, 80)])])
    found = distances([tune, beat, beat])
    assert found["rhythm"][0, 1] == 1
    assert found["together"][1, 2] == 0  # neither has a melody
    assert found["melody"][0, 1] == 0  # one note makes none either
    assert rhythm(tabulate(beat))[144] == 1


# -- sets ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def songs():
    return [song(seed) for seed in range(60)]


def test_songs_of_one_kind_are_not_told_apart_and_shuffled_notes_are(songs):
    generated, reference, train = songs[:20], songs[20:40], songs[40:]
    same = compare(sets_of(generated, reference, train), rng())
    assert same["together"]["against_reference"]["verdict"] == "none"
    assert same["together"]["null"]["low"] < 0.5 < same["together"]["null"]["high"]
    dealt = [shuffled(piece, rng(1)) for piece in generated]
    noise = compare(sets_of(dealt, reference, train), rng())
    assert noise["together"]["against_reference"]["verdict"] == "apart"
    assert noise["melody"]["against_reference"]["value"] > 0.9
    assert noise["together"]["against_reference"]["p"] < 0.01
    json.dumps(noise, allow_nan=False)


def test_copies_of_training_works_are_too_close_to_them(songs):
    copied = compare(sets_of(songs[40:], songs[20:40], songs[40:]), rng())
    assert copied["together"]["against_train"]["value"] == 0
    assert copied["together"]["against_train"]["verdict"] == "too close"
    assert copied["together"]["against_reference"]["verdict"] == "none"


def test_sets_of_different_size_are_drawn_down(songs):
    found = compare(sets_of(songs[:30], songs[30:38], songs[38:]), rng())
    assert found["n"] == 8
    assert found["together"]["against_reference"]["n"] == 8
    assert 0 <= found["together"]["against_reference"]["value"] <= 1


def test_one_piece_says_nothing_and_no_piece_is_refused(songs):
    alone = compare(sets_of(songs[:1], songs[1:5], songs[5:9]), rng())
    assert alone["together"]["against_reference"]["value"] is None
    assert alone["together"]["null"]["value"] is None
    json.dumps(alone, allow_nan=False)
    with pytest.raises(HouseError, match="none of the 2 generated pieces has a note"):
        compare(sets_of([Piece(480), Piece(480)], songs[1:5], songs[5:9]), rng())


def test_empty_pieces_are_left_out_and_counted(songs):
    found = compare(sets_of([*songs[:4], Piece(480)], songs[4:8], songs[8:12]), rng())
    assert found["counts"]["generated"] == {"pieces": 5, "empty": 1}
    assert found["n"] == 4
