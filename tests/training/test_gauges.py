"""The gauges: what a run is told to cost, how fast it goes, and what it knows by heart."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning import Trainer
from torch.utils.data import DataLoader

from gen.data.batches import collate
from gen.data.windows import TokenisedWork
from gen.model import ModelConfig, Transformer
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.gauges import OverfitGauge, Speed, flops_per_event, matmul_rate
from gen.training.learner import Learner, OptimizerConfig
from music import Theme, covering_windows

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:.*{told}")
    for told in (
        "does not have many workers",
        "isinstance.treespec",
        "smaller than the logging",
        "GPU available but not used",
    )
]

SHAPE = ModelConfig(2, 16, 2, 2, 0.0, 64, FIELD_SIZES, CONTEXT_SIZES)
HEARD, UNHEARD = (TokenisedWork.of(Theme(seed).events()) for seed in (1, 2))


def covering(work: TokenisedWork) -> list[dict[str, torch.Tensor]]:
    windows = covering_windows(work.bare(), 64)
    return [collate(windows[i : i + 4], 64) for i in range(0, len(windows), 4)]


def trained(steps: int, callbacks: list) -> Trainer:
    whole = covering(HEARD)
    batches = [whole[step % len(whole)] for step in range(steps)]
    torch.manual_seed(0)
    trainer = Trainer(
        accelerator="cpu", max_steps=steps, val_check_interval=steps, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        num_sanity_val_steps=0, callbacks=callbacks,
    )  # fmt: skip
    trainer.fit(
        Learner(SHAPE, OptimizerConfig(lr=0.02)),
        DataLoader(batches, batch_size=None),
        DataLoader(covering(UNHEARD), batch_size=None),
    )
    return trainer


def test_the_cost_of_an_event_counted_by_hand():
    width, fields = 16, sum(FIELD_SIZES)
    block = 3 * width**2 + width**2 + 2 * (2 * width**2)
    head = len(FIELD_SIZES) * width**2 + fields * width
    attention = 2 * 2 * width * 64 / 2
    assert flops_per_event(Transformer(SHAPE)) == 6 * (2 * block + head + attention)
    # Of 64 events, the first 16 see half of 16 on average and the others 16; the last block all.
    near = 2 * width * (16 * 8 + 48 * 16) / 64 + 2 * width * 32
    shape = replace(SHAPE, attention_window=16)
    assert flops_per_event(Transformer(shape)) == 6 * (2 * block + head + near)


def test_a_machine_is_measured_by_a_product_that_takes_as_long_as_it_takes(monkeypatch):
    ticks = iter(np.arange(0.0, 10.0, 0.05))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    # 0.05 s a look at the clock: three products before 0.2 s are over.
    rate = matmul_rate(torch.device("cpu"), torch.float32)
    assert rate == pytest.approx(2 * 1024**3 * 3 / 0.2)


@pytest.fixture(scope="module")
def run():
    return trained(120, [Speed(), OverfitGauge(covering(HEARD))])


def test_speed_is_told_with_the_share_of_what_the_machine_could_do(run):
    told = {name: float(value) for name, value in run.callback_metrics.items()}
    speed = next(one for one in run.callbacks if isinstance(one, Speed))
    used = told["speed/model_flop_utilisation"]
    assert 0 < used < 1
    assert used == pytest.approx(
        told["speed/events_per_second"] / speed.events_per_second_at_most, rel=1e-4
    )
    assert speed.mean > 0
    assert told["speed/notes_per_second"] < told["speed/events_per_second"]


def test_what_is_learned_by_heart_shows_as_a_gap(run):
    told = run.callback_metrics
    held_out = float(told["validation/bits_per_note"])
    assert 0 < float(told["validation/bits_per_note_of_training_works"]) < held_out - 1


def test_the_gauge_counts_as_validation_does():
    told = trained(1, [OverfitGauge(covering(UNHEARD))]).callback_metrics
    both = [told["validation/bits_per_note"], told["validation/bits_per_note_of_training_works"]]
    assert float(both[1]) == pytest.approx(float(both[0]), rel=1e-5)


def test_speed_counts_the_steps_of_a_run_that_was_stopped():
    speed = Speed()
    trainer = SimpleNamespace(world_size=1, global_step=1, log_every_n_steps=10)
    speed.on_train_batch_start(trainer, None, None, 0)
    speed.on_train_batch_end(trainer, None, None, covering(HEARD)[0], 0)
    assert speed.mean == 0
    speed.on_exception(trainer, None, KeyboardInterrupt())
    assert speed.mean > 0
