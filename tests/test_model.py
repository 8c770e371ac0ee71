"""The transformer, in float64 where two ways of computing must agree."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor

from gen.errors import SettingError
from gen.kv_cache import KVCache
from gen.model import (
    ModelConfig,
    Transformer,
    apply_rotary,
    parameter_count,
    rotary_table,
    sliding_window_attention,
)

FIELD_SIZES = (7, 11, 13, 5, 6)
CONTEXT_SIZES = (4, 9)
SHAPE = {
    "n_layer": 2, "width": 32, "n_head": 4, "mlp_ratio": 2, "dropout": 0.0, "context": 24,
    "field_sizes": FIELD_SIZES, "context_sizes": CONTEXT_SIZES,
}  # fmt: skip
B, T, C, F = 3, 12, len(FIELD_SIZES) + len(CONTEXT_SIZES), len(FIELD_SIZES)


def make_model(**changes) -> Transformer:
    """A model that has learned something: no weight is zero."""
    torch.manual_seed(1)
    model = Transformer(ModelConfig(**{**SHAPE, **changes})).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def draw_events(*shape: int, seed: int = 0) -> Tensor:
    """Random columns, (*shape, C); the kind is never padding."""
    generator = torch.Generator().manual_seed(seed)
    columns = [
        torch.randint(0 if i else 1, size, shape, generator=generator)
        for i, size in enumerate((*FIELD_SIZES, *CONTEXT_SIZES))
    ]
    return torch.stack(columns, dim=-1)


MODEL = make_model()
NEAR = make_model(n_layer=3, kv_heads=2, attention_window=5)
both = pytest.mark.parametrize("model", [MODEL, NEAR], ids=["plain", "near"])
COLUMNS = draw_events(B, T)
TARGETS = draw_events(B, T, seed=1)[..., :F]


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


# What may depend on what ----------------------------------------------------------------


@both
@pytest.mark.parametrize("changed", range(T))
def test_a_later_event_never_changes_what_was_known_before(model, changed):
    other = COLUMNS.clone()
    other[:, changed] = draw_events(B, seed=2)
    before, after = model.states(COLUMNS), model.states(other)
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert not torch.isclose(before[:, changed:], after[:, changed:]).all(-1).any()


@pytest.mark.parametrize("column", range(C))
def test_every_column_of_an_event_is_seen(column):
    other = COLUMNS.clone()
    other[:, 0, column] = (other[:, 0, column] + 1) % (*FIELD_SIZES, *CONTEXT_SIZES)[column]
    assert not torch.allclose(MODEL.states(COLUMNS)[:, -1], MODEL.states(other)[:, -1])


@pytest.mark.parametrize("changed", range(F))
def test_a_field_depends_on_the_fields_before_it_and_on_no_other(changed):
    other = TARGETS.clone()
    other[..., changed] = (other[..., changed] % (FIELD_SIZES[changed] - 1)) + 1
    before, after = MODEL.losses(COLUMNS, TARGETS), MODEL.losses(COLUMNS, other)
    assert torch.equal(before[..., :changed], after[..., :changed])
    later = slice(changed + 1, None)
    assert not torch.isclose(before[..., later], after[..., later]).any()


@both
def test_rows_of_a_batch_never_meet(model):
    alone = torch.cat([model.states(row[None]) for row in COLUMNS])
    torch.testing.assert_close(model.states(COLUMNS), alone)


@both
def test_order_matters(model):
    assert not torch.allclose(model.states(COLUMNS)[:, -1], model.states(COLUMNS.flip(1))[:, 0])
    swapped = COLUMNS[:, [1, 0, *range(2, T)]]
    assert not torch.allclose(model.states(COLUMNS)[:, -1], model.states(swapped)[:, -1])


@pytest.mark.parametrize("window", [1, 3, 5, 11])
def test_what_lies_before_the_window_is_seen_by_the_last_block_alone(window):
    model = make_model(n_layer=2, attention_window=window)
    other = COLUMNS.clone()
    other[:, 0] = draw_events(B, seed=2)
    before, after = (
        model.blocks[0](model.embed(columns), model.table[:, :T]) for columns in (COLUMNS, other)
    )
    seen = (before != after).any(-1).all(0)
    assert seen.tolist() == [place < window for place in range(T)]
    assert not torch.isclose(model.states(COLUMNS), model.states(other)).all(-1).any()


def test_a_window_over_everything_is_none():
    model = make_model(n_layer=3, attention_window=T)
    model.load_state_dict(make_model(n_layer=3).state_dict())
    torch.testing.assert_close(model.states(COLUMNS), make_model(n_layer=3).states(COLUMNS))


@pytest.mark.parametrize("window", [1, 2, 3, 5, 7, 11])
def test_attention_to_a_window_is_that_of_a_banded_mask(window):
    generator = torch.Generator().manual_seed(4)
    shape = (2, 3, T, 8)
    queries, keys, values = torch.randn(3, *shape, dtype=torch.float64, generator=generator)
    back = torch.arange(T)[:, None] - torch.arange(T)
    expected = nnf.scaled_dot_product_attention(
        queries, keys, values, attn_mask=(back >= 0) & (back < window)
    )
    torch.testing.assert_close(sliding_window_attention(queries, keys, values, window), expected)


def test_heads_that_share_their_keys_are_as_many_with_the_same():
    shared, whole = make_model(kv_heads=2), make_model()
    weights = shared.state_dict()
    for layer in range(2):
        name = f"blocks.{layer}.qkv.weight"
        queries, keys, values = weights[name].view(-1, 8, 32).split([4, 2, 2])
        twice = [part.repeat_interleave(2, dim=0) for part in (keys, values)]
        weights[name] = torch.cat([queries, *twice]).view(-1, 32)
    whole.load_state_dict(weights)
    torch.testing.assert_close(shared.states(COLUMNS), whole.states(COLUMNS))


# Cache ------------------------------------------------------------------------------------


class Cache64(KVCache):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.kv = self.kv.double()


@both
@pytest.mark.parametrize("cuts", [[1] * T, [5, 1, 1, 5], [T], [3, 4, 5], [T - 1, 1]])
def test_what_is_cached_equals_what_is_computed_anew(model, cuts):
    cache = Cache64(model.config, B)
    parts = [model.states(part, cache) for part in COLUMNS.split(cuts, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), model.states(COLUMNS))
    assert cache.length == T


def padded_left(lengths: list[int]) -> tuple[Tensor, Tensor]:
    """Beginnings of the given lengths, with filler of any content before them."""
    columns = draw_events(B, max(lengths), seed=5)
    for row, length in enumerate(lengths):
        columns[row, max(lengths) - length :] = COLUMNS[row, :length]
    return columns, torch.tensor([max(lengths) - length for length in lengths])


@both
@pytest.mark.parametrize("lengths", [[4, 7, 7], [1, 8, 3], [6, 6, 6]])
def test_a_ragged_batch_knows_what_each_row_knows_alone(model, lengths):
    columns, left_pad = padded_left(lengths)
    cache = Cache64(model.config, B, left_pad=left_pad)
    states = [model.states(columns, cache)[:, -1]]
    following = draw_events(B, 3, seed=6)
    states += [model.states(following[:, i : i + 1], cache)[:, -1] for i in range(3)]
    for row, length in enumerate(lengths):
        alone = model.states(torch.cat([COLUMNS[row, :length], following[row]])[None])[0]
        together = torch.stack([state[row] for state in states])
        # The rotary table is float32: turning by 9 - 5 is turning by 4 up to its rounding.
        torch.testing.assert_close(together, alone[length - 1 :], rtol=1e-5, atol=1e-5)


@both
@pytest.mark.parametrize("left_pad", [None, torch.tensor([2, 0, 1])])
@pytest.mark.parametrize("rows", [[0, 2], [1], [0, 1], [0, 1, 2]])
def test_rows_that_are_kept_go_on_as_if_nothing_happened(model, rows, left_pad):
    caches = [Cache64(model.config, B, left_pad=left_pad) for _ in range(2)]
    for cache in caches:
        model.states(COLUMNS[:, :8], cache)
    following = COLUMNS[:, 8:9]
    all_rows = model.states(following, caches[0])
    order = caches[1].keep(rows)
    assert sorted(order) == rows
    torch.testing.assert_close(model.states(following[order], caches[1]), all_rows[order])


def test_filler_is_told_on_the_device_of_the_cache():
    cache = KVCache(MODEL.config, B, device="meta", left_pad=torch.tensor([2, 0, 1]))
    assert cache.mask(1).device == cache.kv.device


@both
def test_filler_stays_finite(model):
    columns, left_pad = padded_left([1, 9, 9])
    states = model.states(columns, Cache64(model.config, B, left_pad=left_pad))
    assert states.isfinite().all()


# Limits ---------------------------------------------------------------------------------


def test_more_events_than_the_context_are_refused_with_both_numbers():
    columns = draw_events(1, 25)
    with pytest.raises(SettingError, match="25 events do not fit the model's context of 24"):
        MODEL.states(columns)
    cache = Cache64(MODEL.config, 1)
    MODEL.states(columns[:, :24], cache)
    with pytest.raises(SettingError, match="25 events"):
        MODEL.states(columns[:, 24:], cache)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 36}, "model.width: width 36 is no multiple of 2 x 4 heads"),
        ({"dropout": 1.0}, "model.dropout: dropout 1.0 is outside"),
        ({"dropout": -0.1}, "model.dropout: dropout -0.1 is outside"),
        ({"n_layer": 0}, "model.n_layer: 0 is below 1"),
        ({"n_head": 0}, "model.n_head: 0 is below 1"),
        ({"context": 0}, "model.context: 0 is below 1"),
        ({"mlp_layers": 3}, "model.mlp_layers: 3 is outside 0 to 2 layers"),
        ({"mlp_layers": -1}, "model.mlp_layers: -1 is outside"),
        ({"kv_heads": 3}, "model.kv_heads: 3 does not divide 4 heads"),
        ({"kv_heads": 0}, "model.kv_heads: 0 does not divide 4 heads"),
        ({"attention_window": 0}, "model.attention_window: 0 is below 1"),
    ],
)
def test_an_impossible_shape_is_refused_with_its_values(changes, message):
    with pytest.raises(SettingError, match=message):
        ModelConfig(**{**SHAPE, **changes})


# Losses ---------------------------------------------------------------------------------


def test_a_fresh_model_holds_every_id_equally_likely():
    torch.manual_seed(0)
    losses = Transformer(ModelConfig(**SHAPE)).losses(COLUMNS, TARGETS)
    expected = torch.tensor([math.log(size) for size in FIELD_SIZES])
    torch.testing.assert_close(losses, expected.expand(B, T, F))


def test_losses_are_minus_the_log_probability_of_each_field_given_those_before():
    state = MODEL.states(COLUMNS)
    for field in range(F):
        probabilities = MODEL.head(field, state).softmax(-1)
        wanted = probabilities.gather(-1, TARGETS[..., field, None])[..., 0]
        found = MODEL.losses(COLUMNS, TARGETS)[..., field]
        torch.testing.assert_close(found, -wanted.log())
        state = state + MODEL.field_embedding(field, TARGETS[..., field])


@both
@pytest.mark.parametrize("computed", [False, True])
def test_padding_costs_nothing_and_changes_nothing(model, computed):
    padded = draw_events(B, T + 4, seed=7)
    padded[:, :T] = COLUMNS
    targets = torch.zeros(B, T + 4, F, dtype=torch.int64)
    targets[:, :T] = TARGETS
    targets[:, T:, 1:] = 3  # whatever stands in padding
    losses = model.losses(padded, targets, padded=computed)
    torch.testing.assert_close(losses[:, :T], model.losses(COLUMNS, TARGETS))
    assert not losses[:, T:].any()


@pytest.mark.parametrize("computed", [False, True])
def test_a_batch_of_padding_alone_costs_nothing(computed):
    assert MODEL.losses(COLUMNS, torch.zeros_like(TARGETS), padded=computed).sum() == 0


@pytest.mark.parametrize("changes", [{}, {"mlp_layers": 1}, {"kv_heads": 1, "attention_window": 3}])
def test_every_parameter_learns(changes):
    with torch.enable_grad():
        model = make_model(**changes)
        model.losses(COLUMNS, TARGETS).sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_half_precision_is_near_full_precision():
    model = make_model().float()
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.losses(COLUMNS, TARGETS)
    exact = model.losses(COLUMNS, TARGETS)
    assert losses.float().mean() == pytest.approx(float(exact.mean()), rel=0.02)


def test_dropout_acts_in_training_only():
    model = make_model(dropout=0.5)
    assert torch.equal(model.states(COLUMNS), model.states(COLUMNS))
    model.train()
    assert not torch.equal(model.states(COLUMNS), model.states(COLUMNS))


# Parts ----------------------------------------------------------------------------------


def test_rotation_keeps_lengths_and_makes_products_depend_on_distance_alone():
    table = rotary_table(20, 8).double()
    x, y = torch.randn(
        2, 1, 1, 1, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3)
    )
    turned_x = apply_rotary(x.expand(1, 1, 20, 8), table)[0, 0]
    turned_y = apply_rotary(y.expand(1, 1, 20, 8), table)[0, 0]
    torch.testing.assert_close(turned_x.norm(dim=-1), x.norm().expand(20))
    products = turned_x @ turned_y.T
    for distance in (-7, 0, 4):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand(len(diagonal)))
    assert not torch.isclose(products[0, 0], products[0, 5])


def test_parameters_are_counted_by_shape():
    width, rows = 32, sum(FIELD_SIZES) + sum(CONTEXT_SIZES)
    blocks = 2 * (3 + 1 + 2 + 2) * width * width
    head = F * width * width + sum(size * (width + 1) for size in FIELD_SIZES)
    assert parameter_count(MODEL) == rows * width + blocks + head


@pytest.mark.parametrize("changes", [{}, {"mlp_layers": 1}, {"kv_heads": 1, "n_layer": 3}])
def test_a_shape_says_how_many_weights_its_network_has(changes):
    model = make_model(**changes)
    assert model.config.parameters == parameter_count(model)


@pytest.mark.parametrize("mlp_layers", [0, 1, 2])
def test_only_the_first_blocks_have_an_mlp_where_so_many_are_asked_for(mlp_layers):
    model, whole = make_model(mlp_layers=mlp_layers), make_model()
    width = SHAPE["width"]
    missing = (2 - mlp_layers) * 2 * SHAPE["mlp_ratio"] * width * width
    assert parameter_count(model) == parameter_count(whole) - missing
    assert [block.mlp is not None for block in model.blocks] == [n < mlp_layers for n in range(2)]
    for block in list(whole.blocks)[mlp_layers:]:  # one that counts for nothing is as good as none
        block.mlp.down.weight.zero_()
    model.load_state_dict(whole.state_dict(), strict=False)
    torch.testing.assert_close(model.states(COLUMNS), whole.states(COLUMNS))


def test_a_loaded_model_scores_as_the_saved_one():
    again = make_model(n_layer=2)
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    again.load_state_dict(MODEL.state_dict())
    assert torch.equal(again.losses(COLUMNS, TARGETS), MODEL.losses(COLUMNS, TARGETS))
