"""Spread and distinct-n counted by hand and by enumeration; sets that vary less must be found."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from gen.evaluation.measures.notes import sets_of, tabulate
from gen.evaluation.parts import diversity
from gen.piece import Note, Piece, Track
from metric_pieces import shuffled, song


def rng(seed=3):
    return np.random.default_rng(seed)


def test_spread_is_the_mean_over_pairs():
    distance = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]], dtype=float)
    assert diversity.spread(distance) == 2
    assert math.isnan(diversity.spread(np.zeros((1, 1))))


def test_distinct_is_rarefied_as_all_draws_are_on_average():
    grams = np.array([0, 0, 1, 2, 2, 2])
    for m in range(1, 7):
        draws = list(itertools.combinations(grams.tolist(), m))
        expected = np.mean([len(set(draw)) / m for draw in draws])
        assert diversity.distinct(grams, m) == pytest.approx(expected)


def test_n_grams_are_those_of_python():
    symbols = rng(1).integers(0, 3, 200)
    line = np.repeat([0, 1, 2, 3], [120, 70, 3, 7])
    for n in (2, 4, 8):
        expected = [tuple(symbols[i : i + n]) for i in range(201 - n) if line[i] == line[i + n - 1]]
        grams, of = diversity.n_grams(symbols, line, n)
        assert len(grams) == len(expected)
        assert len(set(zip(grams.tolist(), expected, strict=True))) == len(set(expected))
        assert len(np.unique(grams)) == len(set(expected))
        assert of.tolist() == [int(line[i]) for i in range(201 - n) if line[i] == line[i + n - 1]]


def test_symbols_are_intervals_and_events_of_each_line():
    notes = [Note(0, 12, 60, 80), Note(12, 6, 64, 80), Note(36, 3, 62, 80)]
    piece = Piece(12, [Track("", 0, notes=notes), Track("", 1, notes=[Note(0, 12, 50, 80)])])
    found = diversity.symbols(tabulate(piece))
    assert (found["intervals"][0] - 24).tolist() == [4, -2]
    slower = replace(piece, tracks=[Track("", 0, notes=[notes[0], notes[1], Note(36, 4, 62, 80)])])
    events = found["events"][0]
    assert diversity.symbols(tabulate(slower))["events"][0][0] == events[0]
    assert diversity.symbols(tabulate(slower))["events"][0][1] != events[1]


@pytest.fixture(scope="module")
def songs():
    return [song(seed) for seed in range(60)]


def test_songs_of_one_kind_vary_as_much_as_each_other(songs):
    found = diversity.compare(sets_of(songs[:20], songs[20:40], songs[40:]), rng())
    verdicts = [
        block["verdict"] for block in (*found["spread"].values(), *found["distinct"].values())
    ]
    assert verdicts.count("none") >= len(verdicts) - 1
    assert found["spread"]["together"]["ratio"]["value"] == pytest.approx(1, abs=0.1)
    json.dumps(found, allow_nan=False)


def test_a_model_that_writes_three_songs_again_and_again_homogenises(songs):
    few = [song(seed % 3, key=seed % 5) for seed in range(20)]
    found = diversity.compare(sets_of(few, songs[20:40], songs[40:]), rng())
    assert found["spread"]["together"]["verdict"] == "homogenises"
    assert found["spread"]["together"]["ratio"]["high"] < 0.9
    for n in (4, 8):
        assert found["distinct"][f"events {n}"]["verdict"] == "homogenises"


def test_noise_repeats_less_than_songs(songs):
    noise = [shuffled(piece, rng(1)) for piece in songs[:20]]
    found = diversity.compare(sets_of(noise, songs[20:40], songs[40:]), rng())
    assert found["distinct"]["events 4"]["verdict"] == "varies more"
    assert found["distinct"]["intervals 4"]["verdict"] == "varies more"


def test_one_piece_has_no_spread(songs):
    found = diversity.compare(sets_of(songs[:1], songs[1:5], songs[5:9]), rng())
    assert found["spread"]["together"]["generated"]["value"] is None
    assert found["spread"]["together"]["verdict"] == "none"
    assert found["distinct"]["events 2"]["ratio"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_equal_pieces_are_no_distance_apart(songs):
    found = diversity.compare(sets_of([songs[0]] * 5, songs[1:6], songs[6:9]), rng())
    assert found["spread"]["together"]["generated"]["value"] == 0
    json.dumps(found, allow_nan=False)
