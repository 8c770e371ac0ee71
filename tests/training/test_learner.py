"""The learner by itself: what it optimises and the numbers it reports."""

from __future__ import annotations

import math
from datetime import timedelta
from unittest import mock

import numpy as np
import pytest
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Timer
from torch.utils.data import DataLoader

from gen.data.augment import AugmentConfig
from gen.data.batches import collate
from gen.data.windows import TokenisedWork
from gen.errors import SettingError
from gen.model import ModelConfig
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.learner import Learner, OptimizerConfig
from gen.training.settings.learning_rate import ScheduleConfig, rate
from music import Theme, covering_windows

SHAPE = ModelConfig(1, 16, 2, 2, 0.0, 256, FIELD_SIZES, CONTEXT_SIZES)
WORK = TokenisedWork.of(Theme(1).events())


def make_learner(**changes) -> Learner:
    torch.manual_seed(0)
    return Learner(SHAPE, OptimizerConfig(**changes))


def loss_of(learner: Learner, batch: dict[str, torch.Tensor]) -> float:
    """The training loss, outside any trainer that would log it."""
    with torch.no_grad(), mock.patch.object(learner, "log"):
        return learner.training_step(batch, 0).item()


def training_batch(seed: int = 0) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(seed)
    windows = [WORK.training_window(64, AugmentConfig(), rng) for _ in range(3)]
    return collate(windows, 64)


def validation_batches(length: int) -> list[dict[str, torch.Tensor]]:
    windows = covering_windows(WORK.bare(), length)
    return [collate(windows[i : i + 2], length) for i in range(0, len(windows), 2)]


def loader(batches: list[dict[str, torch.Tensor]]) -> DataLoader:
    return DataLoader(batches, batch_size=None)


def quiet_trainer(**options) -> Trainer:
    return Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, **options,
    )  # fmt: skip


def ignored(test):
    """Lightning tells what is no matter here: no workers, no logger."""
    for pattern in (
        "ignore:.*does not have many workers", "ignore:.*GPU available but not used",
        "ignore:.*isinstance.treespec", "ignore:.*isn't a `DataLoader`",
        "ignore:.*smaller than the logging interval",
        "ignore:.*no val_dataloader", "ignore:.*`validation_step`", "ignore:.*val_dataloader",
    ):  # fmt: skip
        test = pytest.mark.filterwarnings(pattern)(test)
    return test


# Loss -----------------------------------------------------------------------------------


def test_a_fresh_learner_needs_the_size_of_the_vocabulary():
    loss = loss_of(make_learner(), training_batch())
    assert loss == pytest.approx(sum(math.log(size) for size in FIELD_SIZES), rel=1e-5)


def test_the_loss_is_the_mean_over_events_and_not_over_padding():
    batch = training_batch()
    padded = {
        name: torch.cat([t, torch.zeros(3, 20, *t.shape[2:], dtype=t.dtype)], dim=1)
        for name, t in batch.items()
    }
    learner = make_learner()
    learner.model.embedding.weight.data *= 3
    torch.nn.init.normal_(learner.model.head.out[0].weight)
    losses = [loss_of(learner, b) for b in (batch, padded)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_loss_that_is_no_number_stops_the_run_with_a_way_out():
    learner = make_learner()
    torch.nn.init.constant_(learner.model.head.out[0].bias, math.nan)
    with pytest.raises(SettingError, match=r"the loss became nan at step 0\n.*lower optimizer\.lr"):
        loss_of(learner, training_batch())


def test_a_gpu_is_not_waited_for_at_every_step_but_before_anything_is_kept(monkeypatch):
    learner = make_learner()
    torch.nn.init.constant_(learner.model.head.out[0].bias, math.nan)
    monkeypatch.setattr(Learner, "device", torch.device("cuda"))
    loss_of(learner, training_batch())
    with pytest.raises(SettingError, match="the loss became nan by step 0"):
        learner.on_validation_epoch_start()


# Optimiser ------------------------------------------------------------------------------


def groups_of(learner: Learner) -> list[dict]:
    return learner.configure_optimizers().param_groups


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_every_parameter_is_moved_by_exactly_one_group(name):
    learner = make_learner(name=name)
    moved = [id(p) for group in groups_of(learner) for p in group["params"]]
    assert sorted(moved) == sorted(id(p) for p in learner.parameters())


def test_muon_moves_the_matrices_inside_and_adamw_what_the_vocabulary_sizes():
    learner = make_learner(lr=0.1, matrix_lr=0.2, weight_decay=0.3)
    outside, inside = groups_of(learner)
    vocabulary_sized = {id(learner.model.embedding.weight)}
    vocabulary_sized |= {id(p) for p in learner.model.head.out.parameters()}
    assert {id(p) for p in outside["params"]} == vocabulary_sized
    assert [g["orthogonal"] for g in (outside, inside)] == [False, True]
    assert [g["lr"] for g in (outside, inside)] == [0.1, 0.2]
    assert [g["weight_decay"] for g in (outside, inside)] == [0.0, 0.3]


def test_adamw_alone_gives_all_its_own_rate():
    groups = groups_of(make_learner(name="adamw", lr=0.1, matrix_lr=0.2))
    assert [(g["lr"], g["orthogonal"]) for g in groups] == [(0.1, False)] * 2


def test_an_unknown_optimiser_is_refused_by_name():
    with pytest.raises(SettingError, match="optimizer: 'sgd' is neither"):
        OptimizerConfig(name="sgd")


@ignored
def test_the_rate_follows_the_schedule_step_by_step():
    learner = make_learner(lr=0.1, matrix_lr=0.2, schedule=ScheduleConfig(0.2, 0.4, 0.1))
    seen = []
    step = learner.on_before_optimizer_step

    def watch(optimizer):
        step(optimizer)
        seen.append([group["lr"] for group in optimizer.param_groups])

    learner.on_before_optimizer_step = watch
    quiet_trainer(max_steps=10, limit_val_batches=0).fit(learner, loader([training_batch()] * 10))
    expected = [rate(i / 10, learner.config.schedule) for i in range(10)]
    assert seen == pytest.approx(np.outer(expected, [0.1, 0.2]))


@ignored
def test_time_counts_as_progress_where_it_is_further():
    learner = make_learner()
    timer = Timer(timedelta(seconds=1000))
    trainer = quiet_trainer(max_steps=1000, limit_val_batches=0, callbacks=[timer])
    learner.trainer = trainer
    timer._start_time = dict.fromkeys(timer._start_time, 0.0)
    timer.time_elapsed = lambda stage="train": 250.0
    timer.time_remaining = lambda stage="train": 750.0
    assert learner.progress() == 0.25


@ignored
def test_a_few_steps_learn_one_batch():
    learner = make_learner(lr=0.03, matrix_lr=0.03)
    batch = training_batch()
    before = loss_of(learner, batch)
    quiet_trainer(max_steps=30, limit_val_batches=0).fit(learner, loader([batch] * 30))
    assert loss_of(learner, batch) < 0.5 * before


# Validation -----------------------------------------------------------------------------


@ignored
@pytest.mark.parametrize("length", [64, 256])
def test_bits_per_note_are_those_of_the_whole_work_over_its_notes(length):
    """A fresh model gives every event the same bits, whatever the windows."""
    learner = make_learner()
    (metrics,) = quiet_trainer().validate(
        learner, loader(validation_batches(length)), verbose=False
    )
    work = WORK.bare()
    events = len(work.events) - 1
    each = [math.log2(size) * events / work.notes for size in FIELD_SIZES]
    assert metrics["validation/bits_per_note"] == pytest.approx(sum(each), rel=1e-5)
    for name, bits in zip(v.FIELDS, each, strict=True):
        assert metrics[f"validation/bits_{name}"] == pytest.approx(bits, rel=1e-5)


@ignored
def test_validating_twice_gives_the_same_numbers():
    learner, trainer = make_learner(), quiet_trainer()
    first = trainer.validate(learner, loader(validation_batches(64)), verbose=False)
    assert trainer.validate(learner, loader(validation_batches(64)), verbose=False) == first


@ignored
def test_bits_per_note_are_the_sum_over_windows_of_what_counts():
    learner = make_learner()
    for head in learner.model.head.out:
        torch.nn.init.normal_(head.weight, std=0.5)
    batches = validation_batches(64)
    (metrics,) = quiet_trainer().validate(learner, loader(batches), verbose=False)
    with torch.no_grad():
        losses = [learner.model.losses(b["columns"], b["targets"])[b["counted"]] for b in batches]
    nats = sum(loss.sum().item() for loss in losses)
    expected = nats / math.log(2) / WORK.bare().notes
    assert metrics["validation/bits_per_note"] == pytest.approx(expected, rel=1e-4)


# Compiled ------------------------------------------------------------------------------


def test_a_compiled_trunk_is_used_for_training_and_changes_no_loss(monkeypatch):
    calls = []

    def compiled(trunk):
        return lambda columns: calls.append(columns.shape) or trunk(columns)

    plain = make_learner()
    monkeypatch.setattr(torch, "compile", compiled)
    torch.manual_seed(0)
    learner = Learner(SHAPE, OptimizerConfig(), compiled=True)
    learner.on_fit_start()
    batch = training_batch()
    assert loss_of(learner, batch) == loss_of(plain, batch)
    assert calls == [batch["columns"].shape]
    learner.validation_step(validation_batches(64)[0], 0)
    assert len(calls) == 1  # other shapes are left alone
    assert learner.state_dict().keys() == plain.state_dict().keys()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
@ignored
def test_a_compiled_run_learns_what_one_that_is_not_compiled_does():
    losses = []
    for compiled in (False, True):
        torch.manual_seed(0)
        learner = Learner(SHAPE, OptimizerConfig(), compiled=compiled)
        quiet_trainer(max_steps=8).fit(learner, loader([training_batch(n) for n in range(8)]))
        losses.append(loss_of(learner, training_batch(9)))
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


# The header ----------------------------------------------------------------------------


def test_the_header_weighs_as_much_as_is_asked():
    batch = training_batch()
    kinds = batch["targets"][..., v.KIND]
    header = (kinds != v.Kind.PAD) & (kinds < v.Kind.BAR)
    plain, heavy = make_learner(), make_learner(header_weight=5.0)
    with torch.no_grad():
        losses = plain.model.losses(batch["columns"], batch["targets"]).sum(-1)
    events = (kinds != v.Kind.PAD).sum()
    expected = (losses.sum() + 4 * losses[header].sum()) / events
    assert loss_of(heavy, batch) == pytest.approx(float(expected), rel=1e-5)
    assert loss_of(heavy, batch) > loss_of(plain, batch)
    with pytest.raises(SettingError, match="header_weight"):
        OptimizerConfig(header_weight=-1)
