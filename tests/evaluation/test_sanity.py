"""Notes dealt anew must come out worse than music, on every headline figure and more."""

from __future__ import annotations

import numpy as np
import pytest

from corpora import METRICS, shuffled, song, work
from gen.evaluation import bits
from gen.evaluation.control_shares import chord_fit
from gen.evaluation.measures.interval import verdict
from gen.evaluation.measures.notes import sets_of
from gen.evaluation.parts import likelihood
from gen.evaluation.report.headlines import BETTER, headlines
from gen.evaluation.subjects import models

COUNT = 12
LEARNED, HELD, OTHERS = ([song(first + i, 12) for i in range(COUNT)] for first in (0, 100, 200))
DEALT = [shuffled(piece, i) for i, piece in enumerate(OTHERS)]


def works(pieces):
    return [work(piece, f"work-{i}") for i, piece in enumerate(pieces)]


@pytest.fixture(scope="module")
def report():
    """What two models would get: one that writes like the composer, one that deals notes."""
    found = {
        name: {
            "music": compare(sets_of(OTHERS, HELD, LEARNED), np.random.default_rng(0)),
            "dealt": compare(sets_of(DEALT, HELD, LEARNED), np.random.default_rng(0)),
        }
        for name, compare in METRICS.items()
    }
    counts = models.bigram([one.tokenised.bare().events for one in works(LEARNED)])
    rows = [bits.measure(counts, works(side), 2048) for side in (DEALT, OTHERS)]
    figures = [likelihood.figures(r) for r in rows]
    gap = likelihood.against(rows[1], rows[0])
    likelihoods = {"models": dict(zip(("dealt", "music"), figures, strict=True))}
    likelihoods["against"] = [{"from": "dealt", "to": "music", "more": gap}]
    ordered = {n: {"dealt": f["dealt"], "music": f["music"]} for n, f in found.items()}
    return {**ordered, "likelihood": likelihoods}


@pytest.mark.parametrize("name", BETTER)
def test_music_beats_dealt_notes_on_every_headline_figure(report, name):
    found = headlines(report)[name]
    dealt, music = (found["models"][rung]["value"] for rung in ("dealt", "music"))
    assert music < dealt / 2 if name != "bits_per_note" else music < dealt - 1
    if name != "apart":  # a dozen pieces bound an accuracy too loosely
        assert found["ladder"]["order"] == "as expected"


def test_dealt_notes_are_told_from_works_and_music_is_not(report):
    found = report["nearest_neighbour"]
    assert found["dealt"]["together"]["against_reference"]["verdict"] == "apart"
    assert found["music"]["together"]["against_reference"]["verdict"] == "none"


def test_dealt_notes_fit_their_chords_no_better_than_chance():
    """The same pitches fall on other chords: harmony is heard, not counted."""
    chords = "C Am | F G"
    fits = [
        np.mean([chord_fit(piece, chords) for piece in pieces])
        for pieces in ([song(4, 8)], [shuffled(song(4, 8), i) for i in range(8)])
    ]
    assert fits[0] > fits[1]


def test_a_difference_is_not_made_of_nothing():
    """Two draws of the same kind of music: no headline of one is better than of the other."""
    found = {}
    for name, compare in METRICS.items():
        halves = (OTHERS[:6], OTHERS[6:])
        found[name] = {
            f"half {i}": compare(sets_of(half, HELD, LEARNED), np.random.default_rng(0))
            for i, half in enumerate(halves)
        }
    for name, headline in headlines(found).items():
        assert headline["ladder"]["steps"][0]["step"] == "none", name
    assert verdict({"value": 0.1, "low": -0.1, "high": 0.3, "n": 8}) == "none"
