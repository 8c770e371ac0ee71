"""The transformer: a decoder over compound events. Torch only; knows no MIDI, Hydra or Lightning.

B batch, T events, C input columns, F predicted fields, H heads, G heads of keys and values, K head
width, D channels.

An event is a row of F fields, embedded as the sum of its columns' embeddings. The trunk sees
one step an event; a light head then decodes the next event's fields one after another, each
given those before it.

Sources: pre-norm decoder (Radford et al. 2019), RoPE (Su et al. 2021, arXiv:2104.09864),
normalised queries and keys (Henry et al. 2020, arXiv:2010.04245), fewer heads of keys (Ainslie
et al. 2023, arXiv:2305.13245), attention to a window (Beltagy et al. 2020, arXiv:2004.05150),
squared ReLU (So et al. 2021, arXiv:2109.08668), compound events (Hsiao et al. 2021,
arXiv:2101.02402).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Final

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from gen.errors import SettingError
from gen.kv_cache import KVCache
from gen.model_config import ModelConfig as ModelConfig


def rms_norm(x: Tensor) -> Tensor:
    """Scale the last dimension to a root mean square of 1 (Zhang & Sennrich 2019)."""
    return nnf.rms_norm(x, (x.shape[-1],))


def rotary_table(context: int, width: int) -> Tensor:
    """Angles of the rotary embedding as (2, T, K/2): cosines, then sines."""
    if torch.get_default_device().type == "meta":  # where arithmetic loads torch's compiler
        return torch.empty(2, context, (width + 1) // 2)
    frequency = 10_000.0 ** (-torch.arange(0, width, 2).float() / width)  # (K/2,)
    angle = torch.arange(context).float()[:, None] * frequency  # (T, K/2)
    return torch.stack([angle.cos(), angle.sin()])


def apply_rotary(x: Tensor, table: Tensor) -> Tensor:
    """Turn pairs of channels by their position. (B, H, T, K), (2, T, K/2) -> (B, H, T, K)."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = table
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def start_at_zero(layer: nn.Linear) -> nn.Linear:
    """Start a layer at zero, so that what it feeds starts as if it were not there."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def sliding_window_attention(queries: Tensor, keys: Tensor, values: Tensor, window: int) -> Tensor:
    """Causal attention to the last `window` events, the event itself included.

    Events are dealt into pieces of `window`; each piece sees itself and the one before, so that
    time and memory grow with T and not with its square.

    Args:
        queries: (B, H, T, K).
        keys: (B, H, T, K).
        values: (B, H, T, K).
        window: W, below T.

    Returns:
        (B, H, T, K).
    """
    batch, heads, length, width = queries.shape
    count = -(-length // window)  # pieces
    filler = count * window - length

    def pieces(x: Tensor, count: int) -> Tensor:
        """(B, H, count W, K) -> (B, count, H, W, K)."""
        return x.reshape(batch, heads, count, window, width).transpose(1, 2)

    def pairs(x: Tensor) -> Tensor:
        """Each piece after the one before it. (B, H, T, K) -> (B count, H, 2 W, K)."""
        each = pieces(nnf.pad(x, (0, 0, window, filler)), count + 1)
        return torch.cat([each[:, :-1], each[:, 1:]], dim=3).flatten(0, 1)

    own = torch.arange(window, device=queries.device)[:, None]
    seen = torch.arange(2 * window, device=queries.device)
    near = (seen > own) & (seen <= own + window)  # (W, 2 W)
    mask = near.repeat(count, 1, 1)
    mask[0, :, :window] = False  # there is nothing before the first piece
    out = nnf.scaled_dot_product_attention(
        pieces(nnf.pad(queries, (0, 0, 0, filler)), count).flatten(0, 1),
        pairs(keys),
        pairs(values),
        attn_mask=mask.repeat(batch, 1, 1)[:, None],
    )
    return (
        out.view(batch, count, heads, window, width)
        .transpose(1, 2)
        .reshape(batch, heads, count * window, width)[:, :, :length]
    )


class MLP(nn.Module):
    """Two matrices and a squared ReLU between them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inner = config.mlp_ratio * config.width
        self.up = nn.Linear(config.width, inner, bias=False)
        self.down = start_at_zero(nn.Linear(inner, config.width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(…, D) -> (…, D)."""
        return self.down(nnf.relu(self.up(x)).square())


class Block(nn.Module):
    """Attention and, where there is one, an MLP, each added to what comes in.

    Args:
        config: of the model.
        window: events that it attends to, None for all.
        has_mlp: whether it has an MLP.
    """

    def __init__(self, config: ModelConfig, *, window: int | None, has_mlp: bool) -> None:
        super().__init__()
        self.n_head, self.n_kv_head, self.window = config.n_head, config.n_kv_head, window
        channels = (config.n_head + 2 * config.n_kv_head) * config.head_width
        self.qkv = nn.Linear(config.width, channels, bias=False)
        self.attention_out = nn.Linear(config.width, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        start_at_zero(self.attention_out)
        self.mlp = MLP(config) if has_mlp else None

    def attend(
        self, x: Tensor, table: Tensor, cache: KVCache | None, layer: int, mask: Tensor | None
    ) -> Tensor:
        """Causal attention. (B, T, D) -> (B, T, D)."""
        batch, length, width = x.shape
        heads, kv_heads = self.n_head, self.n_kv_head
        qkv = self.qkv(x).view(batch, length, heads + 2 * kv_heads, -1).transpose(1, 2)
        queries, keys, values = qkv.split([heads, kv_heads, kv_heads], dim=1)
        queries = apply_rotary(rms_norm(queries), table)
        keys = apply_rotary(rms_norm(keys), table)
        if cache is not None:
            keys, values = cache.update(layer, keys, values, self.window)
        if kv_heads < heads:
            keys, values = (x.repeat_interleave(heads // kv_heads, dim=1) for x in (keys, values))
        if cache is None and self.window and length > self.window:
            out = sliding_window_attention(queries, keys, values, self.window)
        else:
            # Without a mask, one new event attends to everything; many begin the sequence.
            causal = mask is None and length > 1
            out = nnf.scaled_dot_product_attention(
                queries, keys, values, attn_mask=mask, is_causal=causal
            )
        return self.attention_out(out.transpose(1, 2).reshape(batch, length, width))

    def forward(
        self,
        x: Tensor,
        table: Tensor,
        cache: KVCache | None = None,
        layer: int = 0,
        mask: Tensor | None = None,
    ) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        x = x + self.dropout(self.attend(rms_norm(x), table, cache, layer, mask))
        return x if self.mlp is None else x + self.dropout(self.mlp(rms_norm(x)))


class FieldHead(nn.Module):
    """Decodes the fields of the next event in turn, each given those before it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        fields = len(config.field_sizes)
        self.hidden = nn.ModuleList(
            nn.Linear(config.width, config.width, bias=False) for _ in range(fields)
        )
        self.out = nn.ModuleList(
            start_at_zero(nn.Linear(config.width, size)) for size in config.field_sizes
        )

    def forward(self, field: int, state: Tensor) -> Tensor:
        """Scores of one field. (…, D) -> (…, ids of that field)."""
        hidden = nnf.relu(self.hidden[field](rms_norm(state))).square()
        return self.out[field](hidden)


class Transformer(nn.Module):
    """Events in, scores of the next event's fields out."""

    table: Tensor
    starts: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [*config.field_sizes, *config.context_sizes]
        starts = torch.tensor([0, *accumulate(sizes[:-1])])
        self.register_buffer("starts", starts, persistent=False)  # (C,)
        self.embedding = nn.Embedding(sum(sizes), config.width)
        mlps = config.n_layer if config.mlp_layers is None else config.mlp_layers
        self.blocks = nn.ModuleList(
            Block(config, window=config.window_of(layer), has_mlp=layer < mlps)
            for layer in range(config.n_layer)
        )
        self.head = FieldHead(config)
        self.dropout = nn.Dropout(config.dropout)
        table = rotary_table(config.context, config.head_width)
        self.register_buffer("table", table, persistent=False)  # (2, T, K/2)
        nn.init.normal_(self.embedding.weight, std=0.5)

    @property
    def fields(self) -> int:
        return len(self.config.field_sizes)

    def states(self, columns: Tensor, cache: KVCache | None = None) -> Tensor:
        """What the trunk knows after each event. (B, T, C) int -> (B, T, D).

        With a cache, `columns` are the events after those it holds.

        Raises:
            SettingError: more events than the context holds.
        """
        start = cache.length if cache else 0
        end = start + columns.shape[1]
        if end > self.config.context:
            raise SettingError(
                f"{end} events do not fit the model's context of {self.config.context}",
                mend="use shorter windows or a model with a longer context",
            )
        x = self.dropout(rms_norm(self.embed(columns)))
        table = cache.rotary(self.table, end - start) if cache else self.table[:, :end]
        masks: dict[int | None, Tensor | None] = {}
        if cache is not None:
            windows = {self.config.window_of(layer) for layer in range(self.config.n_layer)}
            masks = {window: cache.mask(columns.shape[1], window) for window in windows}
        for layer, block in enumerate(self.blocks):
            mask = masks.get(self.config.window_of(layer))
            x = block(x, table, cache, layer, mask)
        if cache is not None:
            cache.length = end
        return x

    def embed(self, columns: Tensor) -> Tensor:
        """Sum of the columns' embeddings. (B, T, C) -> (B, T, D)."""
        batch, length, count = columns.shape
        rows = (columns + self.starts).view(batch * length, count)
        bags = nnf.embedding_bag(rows, self.embedding.weight, mode="sum")
        return bags.view(batch, length, -1)

    def field_embedding(self, field: int, ids: Tensor) -> Tensor:
        """Embedding of one field's ids, as the head adds it. (…) -> (…, D)."""
        return self.embedding(ids + self.starts[field])

    def losses(
        self,
        columns: Tensor,
        targets: Tensor,
        trunk: Callable[[Tensor], Tensor] | None = None,
        *,
        padded: bool = False,
    ) -> Tensor:
        """Negative log-likelihood in nats of each field of each next event.

        Args:
            columns: (B, T, C) events seen.
            targets: (B, T, F) the event after each; a kind of 0 marks padding.
            trunk: what computes `states`, where it is not that itself.
            padded: compute padding too, so that every shape inside follows from (B, T).

        Returns:
            (B, T, F); 0 where the target's kind is padding. Fields that a kind leaves
            absent count too: the model has to know that they are.
        """
        state = (trunk or self.states)(columns)
        counted = targets[..., 0] != 0  # (B, T)
        if padded:
            losses = self.field_losses(state.flatten(0, 1), targets.flatten(0, 1))
            return losses.view(targets.shape) * counted[..., None]
        losses = self.field_losses(state[counted], targets[counted])
        result = torch.zeros(targets.shape, dtype=losses.dtype, device=losses.device)
        result[counted] = losses
        return result

    def field_losses(self, state: Tensor, wanted: Tensor) -> Tensor:
        """What the fields of N events cost after those states. (N, D), (N, F) -> (N, F)."""
        losses = []
        for field in range(self.fields):
            scores = self.head(field, state)
            losses.append(nnf.cross_entropy(scores, wanted[:, field], reduction="none"))
            state = state + self.field_embedding(field, wanted[:, field])
        return torch.stack(losses, dim=-1)


_RENAMED: Final = (
    (".mix.", ".qkv."), (".mix_out.", ".attention_out."), ("head.inner.", "head.hidden."),
    (".inner.", ".mlp.up."), (".inner_out.", ".mlp.down."),
)  # fmt: skip
"""Parts of the names of weights: as older checkpoints have them, and as they are."""


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of an older checkpoint by the names that they have now."""
    result = {}
    for name, tensor in weights.items():
        for old, new in _RENAMED:
            name = name.replace(old, new)
        result[name] = tensor
    return result


def parameter_count(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
