"""Fitness against an enumeration of all families, and pieces whose form is known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gen.evaluation.measures.notes import sets_of
from gen.evaluation.parts import structure
from gen.piece import DRUM_PROGRAM, Note, Piece, TimeSignature, Track
from metric_pieces import shuffled, song


def rng(seed=3):
    return np.random.default_rng(seed)


def form(letters):
    """The matrix of bars that are alike where their letters are."""
    bars = np.array(list(letters))
    return (bars[:, None] == bars).astype(float)


def families(length, bars, first=0):
    """All sets of segments that do not overlap, as tuples of first bars."""
    yield ()
    for start in range(first, bars - length + 1):
        for rest in families(length, bars, start + length):
            yield (start, *rest)


def slow_fitness(similarity, start, length):
    """By the definition, trying every family."""
    bars = len(similarity)
    cost = np.where(similarity < 0.5, -2.0, similarity)
    best, count = 0.0, 0
    for family in families(length, bars):
        score = sum(cost[start + i, other + i] for other in family for i in range(length))
        if score > best + 1e-12:
            best, count = score, len(family)
    if not count:
        return 0.0
    score = (best - length) / (count * length)
    coverage = (count * length - length) / bars
    return 2 * score * coverage / (score + coverage) if score > 0 and coverage > 0 else 0.0


@pytest.mark.parametrize("seed", range(6))
def test_fitness_is_that_of_the_best_of_all_families(seed):
    bars = 5 + seed % 4
    matrix = rng(seed).uniform(0.2, 1, (bars, bars))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1)
    found = structure.fitness(matrix)
    assert found.shape == (bars // 2, bars)
    for length in range(1, bars // 2 + 1):
        for start in range(bars):
            expected = slow_fitness(matrix, start, length) if start + length <= bars else 0
            assert found[length - 1, start] == pytest.approx(expected)


def test_a_form_that_comes_back_once_has_fitness_a_half():
    found = structure.fitness(form("abcdefgh" * 2))
    assert found[7, 0] == 0.5  # score (16 - 8) / 16, coverage (16 - 8) / 16
    assert structure.indicators(form("abcdefgh" * 2))["middle"] == 0.5


def test_one_bar_over_and_over_is_explained_but_for_its_first():
    assert structure.fitness(form("a" * 10))[0, 0] == pytest.approx(0.9)


def test_indicators_tell_how_far_music_comes_back():
    long = structure.indicators(form("abcdefghijkl" * 2))
    assert long["long"] == 0.5
    motif = structure.indicators(form("ababcdefghcdijklmnopqrst"))
    assert motif["short"] > 0
    assert motif["middle"] == motif["long"] == 0
    assert set(structure.indicators(form("abcdefghijklmnopqrstuvwx")).values()) == {0}


def test_a_piece_too_short_for_a_range_has_none_there():
    found = structure.indicators(form("abcabcab"))
    assert found["short"] > 0
    assert math.isnan(found["middle"])
    assert math.isnan(found["long"])


def test_bars_are_alike_by_the_notes_they_share():
    notes = [
        Note(0, 12, 60, 80),
        Note(12, 12, 64, 80),
        Note(48, 12, 60, 80),
        Note(96 + 12, 2, 64, 9),
    ]
    drum = Track("", 0, True, notes=[Note(0, 1, 60, 80)])
    matrix = structure.self_similarity(Piece(12, [Track("", 0, notes=notes), drum]))
    # three notes with the drum's, one, one: of 3 + 1 notes one is shared
    assert matrix == pytest.approx(np.array([[1, 0.5, 0.5], [0.5, 1, 0], [0.5, 0, 1]]))


def test_silent_bars_are_like_no_other():
    matrix = structure.self_similarity(Piece(12, [Track("", 0, notes=[Note(96, 12, 60, 80)])]))
    assert matrix.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_bars_of_other_meters_are_compared_from_their_first_step():
    notes = [Note(0, 6, 60, 80), Note(48, 6, 60, 80)]
    signatures = [TimeSignature(0, 4, 4), TimeSignature(48, 3, 4)]
    matrix = structure.self_similarity(
        Piece(12, [Track("", DRUM_PROGRAM % 128, notes=notes)], [], signatures)
    )
    assert matrix.tolist() == [[1, 1], [1, 1]]


def test_only_the_first_256_bars_count():
    notes = [Note(bar * 48, 12, 60, 80) for bar in range(300)]
    assert structure.self_similarity(Piece(12, [Track("", 0, notes=notes)])).shape == (256, 256)


def test_likeness_by_lag_peaks_where_the_form_returns():
    lags = structure.by_lag(form("abcd" * 4))
    assert lags[[3, 7, 11]].tolist() == [1, 1, 1]
    assert lags[[0, 1, 2]].tolist() == [0, 0, 0]
    assert np.isnan(lags[15:]).all()


def test_shuffled_notes_and_shuffled_bars_lose_the_structure_of_songs():
    songs = [song(seed) for seed in range(36)]
    noise = [shuffled(piece, rng(1)) for piece in songs[:12]]
    found = structure.compare(sets_of(noise, songs[12:24], songs[24:]), rng())
    for name in ("short", "middle", "long"):
        block = found["indicators"][name]
        assert block["verdict"] == "lower"
        assert block["apart"]["distance"]["differs"]
        assert not block["real"]["distance"]["differs"]
    middle = found["indicators"]["middle"]
    assert middle["shuffled"]["reference"]["high"] < middle["reference"]["low"] - 0.2
    assert found["by_lag"]["reference"][7]["value"] > found["by_lag"]["reference"][6]["value"]
    assert found["bars"]["reference"]["value"] == 32
    json.dumps(found, allow_nan=False)
    same = structure.compare(sets_of(songs[:12], songs[12:24], songs[24:]), rng())
    assert [same["indicators"][name]["verdict"] for name in ("middle", "long")] == ["none"] * 2
    # AABA: three of its four sections, score 16 / 24 and coverage 16 / 32
    assert same["indicators"]["middle"]["generated"]["value"] == pytest.approx(4 / 7)
