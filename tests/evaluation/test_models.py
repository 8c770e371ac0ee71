from __future__ import annotations

import itertools

import pytest
import torch

from corpora import works
from gen.errors import HouseError
from gen.evaluation import bits
from gen.evaluation.measures.interval import figure
from gen.evaluation.parts import likelihood
from gen.evaluation.report import headlines
from gen.evaluation.subjects import models, samples
from gen.evaluation.subjects.works import piece_of
from gen.sampling.decoding.draw import DrawConfig
from gen.tokens.events import Events

TRAIN, HELD = works(8), works(8, first=50)
BARE = [one.tokenised.bare().events for one in TRAIN]
MODELS = {
    "untrained": models.untrained(),
    "unigram": models.unigram(BARE),
    "bigram": models.bigram(BARE),
}


def test_every_model_costs_less_than_the_one_below_and_is_judged_so():
    rows = [bits.measure(model, HELD, 2048) for model in MODELS.values()]
    figures = [likelihood.figures(r)["bits_per_note"] for r in rows]
    gaps = [likelihood.against(b, a) for a, b in itertools.pairwise(rows)]
    found = headlines.ordered(list(MODELS), figures, better="lower", gaps=gaps)
    assert [step["step"] for step in found["steps"]] == ["better", "better"]
    assert found["order"] == "as expected"


@pytest.mark.parametrize("name", MODELS)
def test_every_model_writes_pieces_by_the_same_grammar(name):
    drafts = samples.like(HELD, 3)
    rows = samples.write(MODELS[name], drafts, DrawConfig(), [1, 2])
    for one, asked in zip(rows, HELD, strict=True):
        piece = piece_of(Events.of(one))
        assert sum(row[0] == 8 for row in one) <= 3
        assert piece.end_ticks >= 0
        assert one[1] == list(asked.tokenised.events[1])


def test_an_order_that_is_turned_round_is_seen():
    low, high = figure(1, 0.9, 1.1, 9), figure(2, 1.9, 2.1, 9)
    turned = headlines.ordered(["a", "b"], [low, high], better="lower")
    assert turned["steps"][0]["step"] == "worse"
    assert turned["order"] == "reversed"
    assert turned["turned"] == [["a", "b"]]
    right = headlines.ordered(["a", "b"], [low, high], better="higher")
    assert right["order"] == "as expected"
    assert right["turned"] == []


def test_a_model_worse_than_one_far_below_is_seen_though_no_step_is():
    figures = [figure(1, 0.8, 1.2, 9), figure(1.2, 0.9, 1.5, 9), figure(1.5, 1.3, 1.7, 9)]
    found = headlines.ordered(["a", "b", "c"], figures, better="lower")
    assert [step["step"] for step in found["steps"]] == ["none", "none"]
    assert found["turned"] == [["a", "c"]]
    assert found["order"] == "reversed"


def test_intervals_that_overlap_are_no_difference():
    a, b = figure(1, 0.5, 1.5, 9), figure(1.2, 0.7, 1.7, 9)
    found = headlines.ordered(["a", "b"], [a, b], better="higher")
    assert found["steps"][0]["step"] == "none"
    assert found["order"] == "none"
    unknown = headlines.ordered(["a", "b"], [figure(1), figure(9)], better="higher")
    assert unknown["steps"][0]["step"] == "none"


def test_counts_are_probabilities():
    for table in models.bigram(BARE).head.tables:
        assert torch.allclose(table.exp().sum(dim=1), torch.ones(len(table)), atol=1e-4)


def test_nothing_to_count_is_refused():
    with pytest.raises(HouseError, match="no training work"):
        models.unigram([])
