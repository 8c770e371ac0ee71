"""How ids are drawn: only allowed ones, the likely ones, alone as side by side."""

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from corpora import works
from gen.errors import HouseError
from gen.evaluation.subjects import samples
from gen.model import ModelConfig, Transformer
from gen.sampling.decoding.decode import decode, undistracted
from gen.sampling.decoding.draw import DrawConfig, draw, draw_one
from gen.sampling.decoding.step import GraphStep, TorchStep, step_of
from gen.sampling.drafting.draft import Draft
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES


def drawn(scores, allowed, count, **config):
    """`count` draws alone, and as many side by side."""
    config, rng = DrawConfig(**config), np.random.default_rng(0)
    alone = [
        int(allowed.nonzero()[0][draw_one(scores[allowed], config, rng)]) for _ in range(count)
    ]
    rngs = [np.random.default_rng([1, n]) for n in range(count)]
    return alone, draw(np.tile(scores, (count, 1)), np.tile(allowed, (count, 1)), config, rngs)


def model_of(context):
    """One that draws much of everything."""
    torch.manual_seed(1)
    shape = ModelConfig(2, 64, 2, 2, 0.0, context, v.FIELD_SIZES, CONTEXT_SIZES, 1)
    model = Transformer(shape).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.12)
    return model


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
    allowed = rng.random((50, 100)) < 0.5
    config = DrawConfig(top_p=0.7, min_p=0.01)
    rngs = [np.random.default_rng(n) for n in range(50)]
    beside = draw(scores, allowed, config, rngs)
    alone = [
        mask.nonzero()[0][draw_one(scores[n, mask], config, np.random.default_rng(n))]
        for n, mask in enumerate(allowed)
    ]
    assert beside == alone
    assert all(mask[found] for mask, found in zip(allowed, beside, strict=True))


def test_products_are_computed_by_one_thread():
    def threads():
        blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        return torch.get_num_threads(), blas

    with threadpool_limits(2):
        before = threads()
        with undistracted():
            count, blas = threads()
            assert count == 1
            assert set(blas) <= {1}  # a system's own is not seen
        assert threads() == before


@pytest.mark.parametrize("searched", [True, False])
def test_garbage_is_not_searched_for_while_writing_and_afterwards_as_before(searched):
    (gc.enable if searched else gc.disable)()
    try:
        with undistracted():
            assert not gc.isenabled()
        assert gc.isenabled() is searched
    finally:
        gc.enable()


def test_scores_that_are_no_numbers_are_refused():
    for pieces in (1, 3):
        scores = np.full((pieces, 4), np.nan, dtype=np.float32)
        rngs = [np.random.default_rng(0)] * pieces
        with pytest.raises(HouseError, match="not finite"):
            draw(scores, np.ones((pieces, 4), dtype=np.bool_), DrawConfig(), rngs)
        with pytest.raises(HouseError, match="not finite"):
            draw_one(scores[0], DrawConfig(), rngs[0])


def test_pieces_are_drawn_alike_alone_and_beside_others_also_what_is_refused(monkeypatch):
    step, refused = step_of(model_of(context=200)), []
    refuses = Draft.begins_too_late

    def told(draft, row):
        refused.append(refuses(draft, row))
        return refused[-1]

    monkeypatch.setattr(Draft, "begins_too_late", told)

    def written(*seeds):
        drafts = [Draft(plan) for _ in seeds]
        decode(step, drafts, [np.random.default_rng(n) for n in seeds], DrawConfig())
        return [draft.rows for draft in drafts]

    plan = replace(samples.like(works(1), 4)[0].plan, bars=4)
    beside = written(*range(24))
    assert any(refused)
    refused.clear()
    assert beside == [rows for n in range(24) for rows in written(n)]
    assert any(refused)


@pytest.mark.parametrize("kind", [step_of, TorchStep, GraphStep])
def test_a_piece_that_is_worked_on_as_it_ends_changes_nothing_in_those_beside_it(kind):
    """As polishing does, by the same step and a cache of its own."""
    step, plans = kind(model_of(context=200)), samples.like(works(4), 4)

    def one_more(_: int) -> None:
        decode(step, samples.like(works(1), 2), [np.random.default_rng(9)], DrawConfig())

    written = []
    for on_done in (None, one_more):
        drafts = [Draft(replace(one.plan, bars=bars)) for bars, one in enumerate(plans, 2)]
        rngs = [np.random.default_rng(n) for n in range(len(drafts))]
        decode(step, drafts, rngs, DrawConfig(), on_done=on_done)
        written.append([draft.rows for draft in drafts])
    assert len({len(rows) for rows in written[0]}) > 1
    assert written[0] == written[1]


def test_pieces_longer_than_the_context_are_those_of_the_model_itself():
    """The view is shown anew again and again, while pieces beside each other end."""
    model, written = model_of(context=28), []
    for step in (step_of, TorchStep, GraphStep):
        drafts = samples.like(works(5), 14)
        decode(step(model), drafts, [np.random.default_rng(n) for n in range(5)], DrawConfig())
        written.append([draft.rows for draft in drafts])
    assert min(len(rows) for rows in written[0]) > 28
    assert written[0] == written[1] == written[2]
