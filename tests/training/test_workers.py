"""Windows cut beside the training: the same stream, however many processes make it."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from gen.data.batches import WORKERS, DataConfig, TrainingBatches, loader
from gen.data.windows import TokenisedWork
from gen.errors import SettingError
from music import Theme

CONFIG = DataConfig(32, 3, seed=5)


@pytest.fixture(scope="module")
def batches():
    works = [TokenisedWork.of(Theme(seed).events()) for seed in range(3)]
    return TrainingBatches(works, CONFIG, start=7, rank=0, ranks=1)


@pytest.mark.filterwarnings("ignore:.*use of fork", "ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_hand_over_the_same_batches_in_the_same_order(batches, workers):
    alone = [batches.batch(index) for index in range(7, 14)]
    together = list(islice(loader(batches, workers), 7))
    for expected, found in zip(alone, together, strict=True):
        assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_gpu_has_workers_and_a_cpu_none(batches, monkeypatch):
    monkeypatch.setattr("gen.data.batches.cores", lambda: 4)
    assert loader(batches).num_workers == 0
    assert loader(batches, device="cuda").num_workers == 3
    assert loader(batches, 0, "cuda").num_workers == 0
    monkeypatch.setattr("gen.data.batches.cores", lambda: 64)
    assert loader(batches, device="cuda").num_workers == WORKERS


def test_where_no_process_can_be_forked_there_are_no_workers(batches, monkeypatch):
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert loader(batches, 2).num_workers == 0


@pytest.mark.parametrize("workers", [-1, "many"])
def test_how_many_is_auto_or_a_number(workers):
    with pytest.raises(SettingError, match=r"data\.workers"):
        DataConfig(32, 3, workers=workers)
