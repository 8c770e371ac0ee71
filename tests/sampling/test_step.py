"""The numpy step, held against the model it stands in for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen.model import Cache, ModelConfig, Transformer
from gen.sampling.step import Step, normalise

SIZES, CONTEXT = (5, 7, 11), (4, 9)


def model_of(layers: int, width: int, heads: int) -> Transformer:
    torch.manual_seed(layers)
    model = Transformer(ModelConfig(layers, width, heads, 3, 0.1, 40, SIZES, CONTEXT)).eval()
    for parameter in model.parameters():  # no layer may hide behind a start at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def rows_of(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, (*SIZES, *CONTEXT), (count, 5))


@pytest.mark.parametrize("shape", [(1, 8, 1), (3, 24, 4), (2, 32, 2)])
@torch.inference_mode()
def test_states_are_those_of_the_model_event_by_event(shape):
    model, rows = model_of(*shape), rows_of(40)
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    step, cache = Step(model), Cache(model.config, 1)
    found = np.stack([step.state(row.tolist(), cache) for row in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert found.dtype == np.float32
    assert cache.length == 40


@torch.inference_mode()
def test_a_cache_may_be_begun_by_either_and_gone_on_with_by_the_other():
    model, rows = model_of(2, 16, 2), rows_of(30)
    expected = model.states(torch.tensor(rows)[None])[0].numpy()
    step, cache = Step(model), Cache(model.config, 1)
    model.states(torch.tensor(rows[:12])[None], cache)
    middle = np.stack([step.state(row.tolist(), cache) for row in rows[12:20]])
    end = model.states(torch.tensor(rows[20:])[None], cache)[0].numpy()
    np.testing.assert_allclose(middle, expected[12:20], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(end, expected[20:], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_scores_and_embeddings_are_those_of_the_head():
    model = model_of(1, 16, 2)
    step, states = Step(model), torch.randn(6, 16)
    for field, size in enumerate(SIZES):
        expected = model.head(field, states).numpy()
        found = step.scores(field, states.numpy())
        assert found.shape == (6, size)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        ids = np.arange(size)
        expected = model.field_embedding(field, torch.tensor(ids)).numpy()
        assert np.array_equal(step.field_embedding(field, ids), expected)


def test_what_is_all_zero_stays_finite():
    assert not normalise(np.zeros((2, 4), dtype=np.float32)).any()
