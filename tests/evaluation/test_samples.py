from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from corpora import works
from gen import processes
from gen.evaluation.subjects import models, samples
from gen.evaluation.subjects.works import excerpt
from gen.model import ModelConfig, Transformer
from gen.sampling.decoding.draw import DrawConfig
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import Kind

WORKS = works(5)
MODEL = models.bigram([one.tokenised.bare().events for one in WORKS])


def bars(rows):
    return sum(row[v.KIND] == Kind.BAR for row in rows)


def test_a_piece_is_of_its_seed_and_number_alone():
    many = samples.write(MODEL, samples.like(WORKS, 2), DrawConfig(), [3])
    few = samples.write(MODEL, samples.like(WORKS[:2], 2), DrawConfig(), [3])
    other = samples.write(MODEL, samples.like(WORKS[:2], 2), DrawConfig(), [4])
    assert many[:2] == few
    assert few != other


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
def test_pieces_are_the_same_however_many_processes_write_them(monkeypatch):
    model = Transformer(ModelConfig(1, 32, 2, 2, 0.0, 256, v.FIELD_SIZES, CONTEXT_SIZES)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    monkeypatch.setattr(samples, "BATCH", 2)
    written, made = [], []
    copy = processes._copy
    monkeypatch.setattr(processes, "_copy", lambda task: made.append(task) or copy(task))
    for copies in (1, 2):
        monkeypatch.setattr("gen.sampling.decoding.decode.copies", lambda copies=copies: copies)
        monkeypatch.setattr("gen.processes.copies", lambda copies=copies: copies)
        written.append(samples.write(model, samples.like(WORKS, 2), DrawConfig(), [3]))
        assert len(made) == (copies - 1) * 3
    assert written[0] == written[1]


def test_an_excerpt_ends_with_its_last_bar():
    for rows in samples.write(MODEL, samples.like(WORKS, 2), DrawConfig(), [3]):
        assert bars(rows) == 2
        assert rows[-1][v.KIND] != Kind.BAR


def test_going_on_begins_with_the_work_itself():
    draft = samples.after(WORKS[0], 4, 3)
    (rows,) = samples.write(MODEL, [draft], DrawConfig(), [3])
    prompt = excerpt(WORKS[0].tokenised.events, 4).array.copy()
    prompt[prompt[:, v.KIND] == Kind.CELL, v.EXTENT] = 0
    assert rows[: len(prompt)] == prompt.tolist()
    assert len(rows) > len(prompt)
    assert bars(rows) == 7


def test_progress_ends_at_one():
    told: list[float] = []
    samples.write(MODEL, samples.like(WORKS, 1), DrawConfig(), [3], tick=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) == len(WORKS)


def test_an_excerpt_of_a_short_work_is_the_work():
    events = WORKS[0].tokenised.events
    assert np.array_equal(excerpt(events, 99), events)
    assert np.array_equal(excerpt(events, None), events)
