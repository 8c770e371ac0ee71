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

from collections.abc import Callable

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from gen.errors import SettingError
from gen.model_config import ModelConfig as ModelConfig


def normalise(x: Tensor) -> Tensor:
    """Scale the last dimension to a root mean square of 1 (Zhang & Sennrich 2019)."""
    return nnf.rms_norm(x, (x.shape[-1],))


def rotary_table(context: int, width: int) -> Tensor:
    """Angles of the rotary embedding as (2, T, K/2): cosines, then sines."""
    frequency = 10_000.0 ** (-torch.arange(0, width, 2).float() / width)  # (K/2,)
    angle = torch.arange(context).float()[:, None] * frequency  # (T, K/2)
    return torch.stack([angle.cos(), angle.sin()])


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn pairs of channels by their position. (B, H, T, K), (2, T, K/2) -> (B, H, T, K)."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = table
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def zero(layer: nn.Linear) -> nn.Linear:
    """Start a layer at zero, so that what it feeds starts as if it were not there."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class Cache:
    """Keys and values of the events seen so far, one preallocated tensor.

    Args:
        config: of the model that will fill it.
        batch: rows B.
        hidden: (B,) how many leading events of each row are filler that nothing may attend
            to (prompts of unequal length are padded on the left); None for none.
    """

    def __init__(
        self,
        config: ModelConfig,
        batch: int,
        *,
        device: torch.device | str = "cpu",
        hidden: Tensor | None = None,
    ) -> None:
        shape = (config.layers, 2, batch, config.groups, config.context, config.head_width)
        self.store = torch.zeros(shape, device=device)
        self.length = 0
        self.hidden = None if hidden is None else hidden.to(device)

    def turns(self, table: Tensor, new: int) -> Tensor:
        """By how much the next events turn. (2, context, K/2) -> (2, new, K/2)."""
        return table[:, self.length : self.length + new]

    def extend(
        self, layer: int, keys: Tensor, values: Tensor, window: int | None
    ) -> tuple[Tensor, Tensor]:
        """Write (B, G, new, K) after what is there.

        Returns:
            Those keys and values of this layer that any of the new events may attend to.
        """
        end = self.length + keys.shape[2]
        self.store[layer, 0, :, :, self.length : end] = keys
        self.store[layer, 1, :, :, self.length : end] = values
        begin = self._begin(keys.shape[2], window)
        return self.store[layer, 0, :, :, begin:end], self.store[layer, 1, :, :, begin:end]

    def _begin(self, new: int, window: int | None) -> int:
        """The first event that any of so many new ones may attend to."""
        return max(0, self.length + 1 - (window or self.length + new))

    def keep(self, rows: list[int]) -> list[int]:
        """Forget all rows but these; the last of them take the places of those forgotten.

        Returns:
            `rows` in their new order.
        """
        count = len(rows)
        free = sorted(set(range(count)) - set(rows))
        order = list(range(count))
        for place, row in zip(free, (row for row in rows if row >= count), strict=True):
            self.store[:, :, place, :, : self.length] = self.store[:, :, row, :, : self.length]
            order[place] = row
        self.store = self.store[:, :, :count]
        if self.hidden is not None:
            self.hidden = self.hidden[order]
        return order

    def mask(self, new: int, window: int | None = None) -> Tensor | None:
        """Which of the events that `extend` returns each new one may attend to.

        Args:
            new: events after those that are here.
            window: how many it attends to, itself and those just before it; None for all.

        Returns:
            (B, 1, new, T) bool; None where a plain causal mask says the same: at the beginning,
            or for one event, where the window holds everything.
        """
        hidden = self.hidden
        end = self.length + new
        reach = end if window is None else min(window, end)
        if hidden is None:
            if reach == end and (new == 1 or self.length == 0):
                return None
            hidden = torch.zeros(1, dtype=torch.int64, device=self.store.device)
        seen = torch.arange(end, device=hidden.device)
        now = seen[self.length :, None]  # (new, 1)
        near = (seen <= now) & (seen > now - reach)  # (new, T)
        visible = (seen >= hidden[:, None, None]) & near  # (B, new, T)
        visible |= seen == now  # filler sees itself, so that it stays finite
        return visible[:, None, :, self._begin(new, window) :]


class StaticCache(Cache):
    """Another cache's keys and values, for one event at a time in shapes that never change.

    How many events it holds is a number on the device, so that a CUDA graph of one step is that of
    every step.

    Args:
        cache: whose memory this is, too.
    """

    def __init__(self, cache: Cache) -> None:
        device = cache.store.device
        self.store = cache.store
        self.length = 0  # what `Transformer.states` counts on; where it stands says `now`
        self.filler = torch.zeros(self.store.shape[2], dtype=torch.int64, device=device)
        self.now = torch.zeros(1, dtype=torch.int64, device=device)
        self.places = torch.arange(self.store.shape[4], device=device)
        self.follow(cache)

    def follow(self, cache: Cache) -> None:
        """Hold as many events as that cache, for the rows it has kept."""
        self.now.fill_(cache.length)
        if cache.hidden is not None:
            self.filler[: len(cache.hidden)] = cache.hidden

    def turns(self, table: Tensor, new: int) -> Tensor:
        return table[:, self.now]

    def extend(
        self, layer: int, keys: Tensor, values: Tensor, window: int | None
    ) -> tuple[Tensor, Tensor]:
        for part, new in enumerate((keys, values)):
            self.store[layer, part].index_copy_(2, self.now, new)
        stored, seen = self.store[layer], self._seen(window)
        if seen is not self.places:
            stored = stored[:, :, :, seen.clamp(min=0)]
        return stored[0], stored[1]

    def mask(self, new: int, window: int | None = None) -> Tensor:
        seen = self._seen(window)
        visible = (seen >= self.filler[:, None]) & (seen <= self.now)  # (B, T)
        return visible[:, None, None]

    def _seen(self, window: int | None) -> Tensor:
        """Places of the events that the next one attends to; those before the first are below 0."""
        if window is None or window >= len(self.places):
            return self.places
        return self.places[:window] + self.now + 1 - window


def attend_near(queries: Tensor, keys: Tensor, values: Tensor, window: int) -> Tensor:
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


class Block(nn.Module):
    """Attention and, where there is one, an inner layer, each added to what comes in.

    Args:
        config: of the model.
        window: events that it attends to, None for all.
        has_inner: whether it has an inner layer.
    """

    def __init__(self, config: ModelConfig, *, window: int | None, has_inner: bool) -> None:
        super().__init__()
        self.heads, self.groups, self.window = config.heads, config.groups, window
        mixed = (config.heads + 2 * config.groups) * config.head_width
        self.mix = nn.Linear(config.width, mixed, bias=False)
        self.mix_out = nn.Linear(config.width, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        zero(self.mix_out)
        self.has_inner = has_inner
        if has_inner:
            inner = config.expansion * config.width
            self.inner = nn.Linear(config.width, inner, bias=False)
            self.inner_out = zero(nn.Linear(inner, config.width, bias=False))

    def attend(
        self, x: Tensor, table: Tensor, cache: Cache | None, layer: int, mask: Tensor | None
    ) -> Tensor:
        """Causal attention. (B, T, D) -> (B, T, D)."""
        batch, length, width = x.shape
        heads, groups = self.heads, self.groups
        mixed = self.mix(x).view(batch, length, heads + 2 * groups, -1).transpose(1, 2)
        queries, keys, values = mixed.split([heads, groups, groups], dim=1)
        queries = rotate(normalise(queries), table)
        keys = rotate(normalise(keys), table)
        if cache is not None:
            keys, values = cache.extend(layer, keys, values, self.window)
        if groups < heads:
            keys, values = (x.repeat_interleave(heads // groups, dim=1) for x in (keys, values))
        if cache is None and self.window and length > self.window:
            out = attend_near(queries, keys, values, self.window)
        else:
            # Without a mask, one new event attends to everything; many begin the sequence.
            causal = mask is None and length > 1
            out = nnf.scaled_dot_product_attention(
                queries, keys, values, attn_mask=mask, is_causal=causal
            )
        return self.mix_out(out.transpose(1, 2).reshape(batch, length, width))

    def forward(
        self,
        x: Tensor,
        table: Tensor,
        cache: Cache | None = None,
        layer: int = 0,
        mask: Tensor | None = None,
    ) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        x = x + self.dropout(self.attend(normalise(x), table, cache, layer, mask))
        if not self.has_inner:
            return x
        inner = nnf.relu(self.inner(normalise(x))).square()
        return x + self.dropout(self.inner_out(inner))


class FieldHead(nn.Module):
    """Decodes the fields of the next event in turn, each given those before it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        fields = len(config.field_sizes)
        self.inner = nn.ModuleList(
            nn.Linear(config.width, config.width, bias=False) for _ in range(fields)
        )
        self.out = nn.ModuleList(zero(nn.Linear(config.width, size)) for size in config.field_sizes)

    def forward(self, field: int, state: Tensor) -> Tensor:
        """Scores of one field. (…, D) -> (…, ids of that field)."""
        inner = nnf.relu(self.inner[field](normalise(state))).square()
        return self.out[field](inner)


class Transformer(nn.Module):
    """Events in, scores of the next event's fields out."""

    table: Tensor
    starts: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [*config.field_sizes, *config.context_sizes]
        starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self.register_buffer("starts", starts, persistent=False)  # (C,)
        self.embedding = nn.Embedding(sum(sizes), config.width)
        inner = config.layers if config.inner_layers is None else config.inner_layers
        self.blocks = nn.ModuleList(
            Block(config, window=config.window_of(layer), has_inner=layer < inner)
            for layer in range(config.layers)
        )
        self.head = FieldHead(config)
        self.dropout = nn.Dropout(config.dropout)
        table = rotary_table(config.context, config.head_width)
        self.register_buffer("table", table, persistent=False)  # (2, T, K/2)
        nn.init.normal_(self.embedding.weight, std=0.5)

    @property
    def fields(self) -> int:
        return len(self.config.field_sizes)

    def states(self, columns: Tensor, cache: Cache | None = None) -> Tensor:
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
        x = self.dropout(normalise(self.embed(columns)))
        table = cache.turns(self.table, end - start) if cache else self.table[:, :end]
        masks: dict[int | None, Tensor | None] = {}
        if cache is not None:
            windows = {self.config.window_of(layer) for layer in range(self.config.layers)}
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


def parameter_count(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
