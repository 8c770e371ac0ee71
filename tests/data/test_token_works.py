"""Windows of MidiTok's tokens: each row counts once, each window is a stretch of a work."""

from __future__ import annotations

import numpy as np
import pytest

from gen.data.augment import AugmentConfig
from gen.data.store import EventStore, rows_with_echoes
from gen.data.token_works import token_store
from gen.tokens.choice import TokenizerChoice
from music import Theme

WORKS = [Theme(seed, bars=4 + seed).events() for seed in range(4)]
CHOICES = [
    TokenizerChoice("remi"), TokenizerChoice("tsd"), TokenizerChoice("octuple"),
    TokenizerChoice("remi", 1100),
]  # fmt: skip
STILL = AugmentConfig(transpose=0, tempo=0, velocity=0)


def stored(chosen, tmp_path, train=(0, 1)):
    works = EventStore(tmp_path)
    with works:
        for events in WORKS:
            works.append(rows_with_echoes(events))
    return token_store(works, [f"w{i}" for i in range(len(WORKS))], chosen, train)


@pytest.fixture(params=CHOICES, ids=lambda c: f"{c.name}_{c.vocab_size}")
def store(request, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    return stored(request.param, tmp_path)


@pytest.mark.parametrize("length", [16, 64, 1000])
def test_covering_windows_count_every_row_but_the_first_once(store, length):
    for work in (work.bare() for work in store):
        told = []
        for first, done in work.covering_places(length):
            window = work.covering_window(length, first, done)
            assert len(window.targets) <= length
            told.append(window.targets[window.counted])
        assert np.array_equal(np.concatenate(told), work.rows[1:])


def test_training_windows_are_stretches_of_the_work(store):
    for index, work in enumerate(store):
        whole = [tuple(row) for row in work.bare().rows.tolist()]
        for seed in range(10):
            window = work.training_window(24, STILL, np.random.default_rng([index, seed]))
            rows = [tuple(row) for row in [window.columns[0].tolist(), *window.targets.tolist()]]
            assert len(rows) == 25 or rows[-1] == whole[-1]
            if store.joined == 1:
                assert any(whole[i : i + len(rows)] == rows for i in range(len(whole)))


def test_a_window_follows_from_its_seed(store):
    one, other, third = (
        store[1].training_window(32, AugmentConfig(), np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.targets, other.targets)
    assert not np.array_equal(one.targets, third.targets)


def test_byte_pair_encoding_learns_from_training_works_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    chosen = TokenizerChoice("remi", 1100)
    prints = {
        stored(chosen, tmp_path, train).tokens.fingerprint for train in ((0, 1), (0, 1), (2, 3))
    }
    assert len(prints) == 2


def test_kept_tokens_are_those_that_were_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "secret")
    first = stored(TokenizerChoice("octuple"), tmp_path)
    monkeypatch.setattr("gen.data.token_works._rows", lambda *_: pytest.fail("made again"))
    again = stored(TokenizerChoice("octuple"), tmp_path)
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.bars, other.bars)
