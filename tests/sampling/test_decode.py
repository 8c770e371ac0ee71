"""How ids are drawn: only allowed ones, the likely ones, alone as side by side."""

import numpy as np
import pytest
import torch

from gen.sampling.decode import DrawConfig, _one_thread, draw


def drawn(scores, allowed, count, **config):
    """`count` draws alone, and as many side by side."""
    config, rng = DrawConfig(**config), np.random.default_rng(0)
    alone = [draw(scores[None], [allowed], config, [rng])[0] for _ in range(count)]
    rngs = [np.random.default_rng([1, n]) for n in range(count)]
    return alone, draw(np.tile(scores, (count, 1)), [allowed] * count, config, rngs)


def test_draws_follow_the_allowed_ids_alone():
    scores = np.zeros(10, dtype=np.float32)
    allowed = np.isin(np.arange(10), [2, 7])
    for ids in drawn(scores, allowed, 2000, top_p=1.0, min_p=0.0):
        assert set(ids) == {2, 7}
        assert 0.45 < ids.count(2) / len(ids) < 0.55


@pytest.mark.parametrize(
    ("top_p", "min_p", "kept"),
    [
        (1.0, 0.0, {0, 1, 2, 3}),
        (0.8, 0.0, {0, 1}),
        (1.0, 0.4, {0, 1}),
        (0.95, 0.2, {0, 1}),
        (0.01, 0.0, {0}),
    ],
)
def test_top_p_and_min_p_keep_the_likely_and_never_nothing(top_p, min_p, kept):
    scores = np.log(np.array([0.6, 0.3, 0.09, 0.01], dtype=np.float32))
    shares = np.array([0.6, 0.3, 0.09, 0.01]) * np.isin(range(4), list(kept))
    for ids in drawn(scores, np.ones(4, dtype=np.bool_), 3000, top_p=top_p, min_p=min_p):
        assert set(ids) == kept
        found = np.bincount(ids, minlength=4) / len(ids)
        np.testing.assert_allclose(found, shares / shares.sum(), atol=0.03)


def test_a_lower_temperature_plays_safer():
    scores = np.log(np.array([0.6, 0.4], dtype=np.float32))
    for ids in drawn(scores, np.ones(2, dtype=np.bool_), 3000, temperature=0.5, top_p=1, min_p=0):
        assert abs(ids.count(0) / len(ids) - 0.36 / 0.52) < 0.03


def test_a_piece_is_drawn_alike_alone_and_beside_others():
    rng = np.random.default_rng(2)
    scores = rng.normal(0, 2, (50, 100)).astype(np.float32)
    allowed = list(rng.random((50, 100)) < 0.5)
    config = DrawConfig(top_p=0.7, min_p=0.01)
    rngs = [np.random.default_rng(n) for n in range(50)]
    beside = draw(scores, allowed, config, rngs)
    alone = [
        draw(scores[n : n + 1], allowed[n : n + 1], config, [np.random.default_rng(n)])[0]
        for n in range(50)
    ]
    assert beside == alone
    assert all(mask[found] for mask, found in zip(allowed, beside, strict=True))


def test_products_are_computed_by_one_thread():
    from threadpoolctl import threadpool_info

    def threads():
        blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        return torch.get_num_threads(), blas

    before = threads()
    with _one_thread():
        count, blas = threads()
        assert count == 1
        assert set(blas) == {1}
    assert threads() == before
