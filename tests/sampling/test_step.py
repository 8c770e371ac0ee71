"""The faster steps, held against the model they stand in for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen.kv_cache import KVCache
from gen.model import ModelConfig, Transformer
from gen.sampling.decoding.step import GraphStep, NumpyStep, TorchStep, rms_norm, step_of

SIZES, CONTEXT = (5, 7, 11), (4, 9)


def model_of(layers: int, width: int, heads: int, *more: int | None) -> Transformer:
    torch.manual_seed(layers)
    shape = ModelConfig(layers, width, heads, 3, 0.1, 40, SIZES, CONTEXT, *more)
    model = Transformer(shape).eval()
    for parameter in model.parameters():  # no layer may hide behind a start at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def rows_of(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, (*SIZES, *CONTEXT), (count, 5))


SHAPES = [
    (1, 8, 1),
    (3, 24, 4),
    (2, 32, 2),
    (3, 16, 2, 1),
    (1, 8, 1, 0),
    (2, 24, 6, None, 2),
    (2, 24, 4, None, 1),
    (3, 16, 2, None, None, 5),
    (3, 24, 4, 1, 2, 12),
    (2, 8, 1, None, None, 1),
    (2, 8, 1, None, None, 50),
]
"""Layers, width, heads, then layers with an MLP, heads of keys, window."""


every_kind = pytest.mark.parametrize("kind", [NumpyStep, TorchStep, GraphStep])


@every_kind
@pytest.mark.parametrize("shape", SHAPES)
@torch.inference_mode()
def test_states_are_those_of_the_model_event_by_event(shape, kind):
    model, rows = model_of(*shape), rows_of(40)
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    step, cache = kind(model), KVCache(model.config, 1)
    found = np.concatenate([step.states([row.tolist()], cache) for row in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert found.dtype == np.float32
    assert cache.length == 40


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@torch.inference_mode()
def test_channels_that_do_not_fire_change_nothing(share):
    model, rows = model_of(2, 16, 2), rows_of(20)
    for block in model.blocks:
        block.mlp.up.weight[round(share * len(block.mlp.up.weight)) :] = 0
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    step, cache = NumpyStep(model), KVCache(model.config, 1)
    found = np.concatenate([step.states([row.tolist()], cache) for row in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@every_kind
@pytest.mark.parametrize("shape", [(2, 16, 2), (3, 24, 4, 1, 2, 5)])
@torch.inference_mode()
def test_what_was_shown_at_the_beginning_is_gone_on_from(shape, kind):
    model, rows = model_of(*shape), rows_of(30)
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    step, cache = kind(model), KVCache(model.config, 1)
    begun = step.begin(torch.tensor(rows[:12])[None], cache)
    np.testing.assert_allclose(begun[0], expected[11], rtol=1e-4, atol=1e-4)
    further = np.concatenate([step.states([row.tolist()], cache) for row in rows[12:]])
    np.testing.assert_allclose(further, expected[12:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 16, 2), (3, 24, 4, 1, 2, 5)])
@pytest.mark.parametrize("pieces", [1, 2, 5])
@pytest.mark.parametrize("kind", [NumpyStep, GraphStep])
@torch.inference_mode()
def test_pieces_side_by_side_with_filler_before_them_are_those_of_the_model(kind, pieces, shape):
    """And still so when some of them have ended."""
    model = model_of(*shape)
    rows = np.stack([rows_of(30)[::-1]] * pieces) if pieces == 1 else np.stack(
        [np.roll(rows_of(30), n, axis=0) for n in range(pieces)]
    )  # fmt: skip
    left_pad = torch.arange(pieces) * 3 % 10  # some of it still in the window
    caches = [KVCache(model.config, pieces, left_pad=left_pad.clone()) for _ in range(2)]
    steps = kind(model), TorchStep(model)
    states = [
        step.begin(torch.tensor(rows[:, :10].copy()), cache)
        for step, cache in zip(steps, caches, strict=True)
    ]
    left = list(range(pieces))
    for now in range(10, 30):
        if now == 20 and pieces > 1:
            for cache in caches:
                order = cache.keep(list(range(1, pieces)))
            left = [left[n] for n in order]
        given = rows[left, now].tolist()
        states = [step.states(given, cache) for step, cache in zip(steps, caches, strict=True)]
        np.testing.assert_allclose(states[0], states[1].numpy(), rtol=1e-4, atol=1e-4)
    assert caches[0].length == caches[1].length == 30


@torch.inference_mode()
def test_scores_and_what_is_added_are_those_of_the_head():
    model = model_of(1, 16, 2)
    numpy, plain, states = NumpyStep(model), TorchStep(model), torch.randn(6, 16)
    for field, size in enumerate(SIZES):
        expected = plain.scores(field, states)
        found = numpy.scores(field, states.numpy())
        assert found.shape == (6, size)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        for step, given in ((plain, states), (numpy, states.numpy())):
            some = step.scores(field, given, slice(1, 4))
            np.testing.assert_allclose(some, expected[:, 1:4], rtol=1e-4, atol=1e-4)
        ids = [n % size for n in range(6)]
        expected = plain.add(field, states, ids).numpy()
        np.testing.assert_allclose(numpy.add(field, states.numpy(), ids), expected, rtol=1e-6)


@pytest.mark.parametrize(("device", "kind"), [("cpu", NumpyStep), ("meta", TorchStep)])
def test_the_fastest_for_a_device_is_taken(device, kind):
    assert type(step_of(model_of(1, 8, 1).to(device))) is kind


@torch.inference_mode()
def test_one_step_recorded_goes_on_with_a_cache_begun_later():
    """As where a piece outgrows the context and is shown anew."""
    model, rows = model_of(2, 16, 2, None, 1, 6), rows_of(20)
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    step = GraphStep(model)
    for _ in range(2):
        cache = KVCache(model.config, 1)
        found = np.concatenate([step.states([row.tolist()], cache) for row in rows])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@on_a_gpu
@pytest.mark.parametrize("shape", SHAPES)
@torch.inference_mode()
def test_a_replayed_graph_computes_what_the_model_does(shape):
    model, rows = model_of(*shape), rows_of(40)
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    model.cuda()
    step, cache = step_of(model), KVCache(model.config, 3, device="cuda")
    assert isinstance(step, GraphStep)
    for now, row in enumerate(rows):
        if now == 20:
            cache.keep([1, 2])
        count = 3 if now < 20 else 2
        found = step.states([row.tolist()] * count, cache).cpu().numpy()
        np.testing.assert_allclose(found, [expected[now]] * count, rtol=1e-3, atol=1e-3)


def test_what_is_all_zero_stays_finite():
    for rows in (1, 2):
        assert not rms_norm(np.zeros((rows, 4), dtype=np.float32)).any()
