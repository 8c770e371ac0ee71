"""Bits per note of models whose answer is known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from corpora import song, work, works
from gen.data.baselines import uniform_bits_per_note, unigram_bits_per_note
from gen.data.windows import TokenisedWork
from gen.errors import HouseError
from gen.evaluation import bits
from gen.evaluation.parts import likelihood
from gen.evaluation.subjects.models import bigram, unigram, untrained
from gen.evaluation.subjects.works import MeasuredWork
from gen.model import ModelConfig, Transformer
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES

HELD, TRAIN = works(8, first=100), works(6)


def events(chosen):
    return [one.tokenised.bare().events for one in chosen]


def rows(chosen):
    return [found.array for found in events(chosen)]


def figures_of(model, chosen, window=2048):
    return likelihood.figures(bits.measure(model, chosen, window))


@pytest.mark.parametrize("window", [160, 2048])
def test_an_untrained_model_costs_the_log_of_every_field_whatever_the_window(window):
    got = figures_of(untrained(), HELD, window)["bits_per_note"]
    each = sum(math.log2(size) for size in FIELD_SIZES)
    by_hand = each * sum(len(e) - 1 for e in events(HELD)) / sum(w.tokenised.notes for w in HELD)
    assert got["value"] == pytest.approx(by_hand, rel=1e-5)
    assert got["value"] == pytest.approx(uniform_bits_per_note(rows(HELD)), rel=1e-5)


def test_counts_cost_what_the_baseline_says():
    got = figures_of(unigram(events(TRAIN)), HELD)["bits_per_note"]["value"]
    assert got == pytest.approx(unigram_bits_per_note(rows(TRAIN), rows(HELD)), rel=1e-5)


def test_pairs_cost_the_figure_worked_out_by_hand():
    """A field of two events: p(x | y) = (count(y, x) + 10 p(x)) / (count(y) + 10)."""
    train, held = events(TRAIN), events(HELD)[:1]
    total = 0.0
    for field, size in enumerate(FIELD_SIZES):
        before = np.concatenate([e[:-1, field] for e in train])
        after = np.concatenate([e[1:, field] for e in train])
        for y, x in zip(held[0][:-1, field], held[0][1:, field], strict=True):
            single = ((after == x).sum() + 1) / (len(after) + size)
            pairs = ((before == y) & (after == x)).sum()
            total -= math.log2((pairs + 10 * single) / ((before == y).sum() + 10))
    got = figures_of(bigram(train), HELD[:1])["bits_per_note"]["value"]
    assert got == pytest.approx(total / HELD[0].tokenised.notes, rel=1e-4)


def test_the_parts_add_up_to_the_whole():
    rows = bits.measure(untrained(), HELD, 2048)
    got = likelihood.figures(rows)
    whole = got["bits_per_note"]["value"]
    for group in ("by_field", "by_kind"):
        assert sum(f["value"] for f in got[group].values()) == pytest.approx(whole)
    for row in rows:
        assert sum(n for _, n in row["roles"].values()) == row["notes"]
        assert sum(n for _, n in row["positions"].values()) == row["notes"]


def test_bits_go_to_the_genre_role_and_bars_that_they_were_spent_on():
    """An untrained model pays alike for every event, so a figure tells the events per note."""
    got = figures_of(untrained(), HELD)
    each = sum(math.log2(size) for size in FIELD_SIZES)
    # A bar: the drums' cell and their 4 notes; bass: a cell and a note; chords: a cell and 6.
    by_role = {name: figure["value"] / each for name, figure in got["by_role"].items()}
    expected = {"main_melody": 5 / 4, "bass": 2, "accompaniment": 7 / 6, "drums": 5 / 4}
    assert by_role == pytest.approx(expected, rel=1e-5)
    # BAR, four CELLs and fifteen NOTEs; the piece's TEMPO in the first stretch, EOS in the last.
    by_place = {name: figure["value"] / each for name, figure in got["by_position"].items()}
    assert by_place == pytest.approx({"1-4": 81 / 60, "5-8": 80 / 60, "9-16": 81 / 60}, rel=1e-5)
    assert {name: figure["n"] for name, figure in got["by_genre"].items()} == {
        "waltz": 4,
        "rock": 4,
    }


def test_a_work_counts_the_same_alone_and_beside_others():
    torch.manual_seed(1)
    model = Transformer(ModelConfig(2, 32, 2, 2, 0.0, 256, FIELD_SIZES, CONTEXT_SIZES)).eval()
    for layer in model.head.out:
        torch.nn.init.normal_(layer.weight, std=0.3)
    mixed = [work(song(1, 3)), *HELD[:2], work(song(2, 7))]
    together = bits.measure(model, mixed, 160)
    alone = [bits.measure(model, [one], 160)[0] for one in mixed]
    for a, b in zip(together, alone, strict=True):
        assert a["fields"] == pytest.approx(b["fields"], rel=1e-4)


def bits_of(music):
    """Bars that repeat: bar 3 is bar 1, and its melody alone is bar 4's."""
    return bits.measure(untrained(), [work(music)], 2048)[0]


def test_copies_of_earlier_bars_are_taken_out_whole_or_track_by_track():
    def bar(number, pitch, bass, velocity=80):
        start = number * 1920
        return Note(start, 480, pitch, velocity), Note(start, 960, bass, 80)

    bars = [bar(0, 60, 40), bar(1, 62, 41), bar(2, 60, 40, 99), bar(3, 60, 45)]
    upper, lower = ([pair[i] for pair in bars] for i in range(2))
    music = Piece(
        480,
        [Track("a", 0, False, "main_melody", upper), Track("b", 32, False, "bass", lower)],
        [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)],
    )  # fmt: skip
    row = bits_of(music)
    each = sum(math.log2(size) for size in FIELD_SIZES)
    assert row["notes"] == 8
    assert [notes for _, notes in row["new"].values()] == [6, 5]
    spent, _ = row["new"]["bars"]  # three bars: BAR, two CELLs and two NOTEs; the TEMPO and EOS
    assert spent == pytest.approx((3 * 5 + 2) * each, rel=1e-5)
    spent, _ = row["new"]["cells"]  # a CELL and a NOTE of each
    assert spent == pytest.approx(5 * 2 * each, rel=1e-5)
    found = likelihood.figures([row])
    assert found["copied"]["cells"]["value"] == pytest.approx(3 / 8)


def test_the_gauge_sees_what_was_learned_by_heart():
    counts = bigram(events(TRAIN))
    held, train = (bits.measure(counts, side, 2048) for side in (HELD, TRAIN))
    gap = likelihood.gauge(held, train)["gap"]
    assert gap["low"] > 0
    same = likelihood.gauge(held, held)["gap"]
    assert same["low"] < 0 < same["high"]


def test_two_models_are_compared_work_by_work():
    better, worse = (bits.measure(m, HELD, 2048) for m in (unigram(events(TRAIN)), untrained()))
    gap = likelihood.against(better, worse)
    assert gap["high"] < 0
    assert likelihood.against(worse, worse)["value"] == 0
    with pytest.raises(HouseError, match="different works"):
        likelihood.against(better, worse[:2])


def test_works_without_notes_are_refused():
    silent = MeasuredWork("s", "S", "waltz", TokenisedWork.of(HELD[0].tokenised.events[:3]))
    with pytest.raises(HouseError, match="no note"):
        bits.measure(untrained(), [silent], 2048)
