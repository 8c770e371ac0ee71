"""Keys and values of the events that a transformer has read, kept while it writes on."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.model_config import ModelConfig as ModelConfig


class KVCache:
    """Keys and values of the events seen so far, one preallocated tensor.

    Args:
        config: of the model that will fill it.
        batch: rows B.
        left_pad: (B,) how many leading events of each row are filler that nothing may attend
            to (prompts of unequal length are padded on the left); None for none.
    """

    def __init__(
        self,
        config: ModelConfig,
        batch: int,
        *,
        device: torch.device | str = "cpu",
        left_pad: Tensor | None = None,
    ) -> None:
        shape = (config.n_layer, 2, batch, config.n_kv_head, config.context, config.head_width)
        self.kv = torch.zeros(shape, device=device)
        self.length = 0
        self.left_pad = None if left_pad is None else left_pad.to(device)

    def rotary(self, table: Tensor, new: int) -> Tensor:
        """By how much the next events turn. (2, context, K/2) -> (2, new, K/2)."""
        return table[:, self.length : self.length + new]

    def update(
        self, layer: int, keys: Tensor, values: Tensor, window: int | None
    ) -> tuple[Tensor, Tensor]:
        """Write (B, G, new, K) after what is there.

        Returns:
            Those keys and values of this layer that any of the new events may attend to.
        """
        end = self.length + keys.shape[2]
        self.kv[layer, 0, :, :, self.length : end] = keys
        self.kv[layer, 1, :, :, self.length : end] = values
        begin = self._begin(keys.shape[2], window)
        return self.kv[layer, 0, :, :, begin:end], self.kv[layer, 1, :, :, begin:end]

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
            self.kv[:, :, place, :, : self.length] = self.kv[:, :, row, :, : self.length]
            order[place] = row
        self.kv = self.kv[:, :, :count]
        if self.left_pad is not None:
            self.left_pad = self.left_pad[order]
        return order

    def mask(self, new: int, window: int | None = None) -> Tensor | None:
        """Which of the events that `update` returns each new one may attend to.

        Args:
            new: events after those that are here.
            window: how many it attends to, itself and those just before it; None for all.

        Returns:
            (B, 1, new, T) bool; None where a plain causal mask says the same: at the beginning,
            or for one event, where the window holds everything.
        """
        left_pad = self.left_pad
        end = self.length + new
        reach = end if window is None else min(window, end)
        if left_pad is None:
            if reach == end and (new == 1 or self.length == 0):
                return None
            left_pad = torch.zeros(1, dtype=torch.int64, device=self.kv.device)
        seen = torch.arange(end, device=left_pad.device)
        now = seen[self.length :, None]  # (new, 1)
        near = (seen <= now) & (seen > now - reach)  # (new, T)
        visible = (seen >= left_pad[:, None, None]) & near  # (B, new, T)
        visible |= seen == now  # filler sees itself, so that it stays finite
        return visible[:, None, :, self._begin(new, window) :]


class StaticKVCache(KVCache):
    """Another cache's keys and values, for one event at a time in shapes that never change.

    How many events it holds is a number on the device, so that a CUDA graph of one step is that of
    every step.

    Args:
        cache: whose memory this is, too.
    """

    def __init__(self, cache: KVCache) -> None:
        device = cache.kv.device
        self.kv = cache.kv
        self.length = 0  # what `Transformer.states` counts on; where it stands says `now`
        self.padding = torch.zeros(self.kv.shape[2], dtype=torch.int64, device=device)
        self.now = torch.zeros(1, dtype=torch.int64, device=device)
        self.places = torch.arange(self.kv.shape[4], device=device)
        self.follow(cache)

    def follow(self, cache: KVCache) -> None:
        """Hold as many events as that cache, for the rows it has kept."""
        self.now.fill_(cache.length)
        if cache.left_pad is not None:
            self.padding[: len(cache.left_pad)] = cache.left_pad

    def rotary(self, table: Tensor, new: int) -> Tensor:
        return table[:, self.now]

    def update(
        self, layer: int, keys: Tensor, values: Tensor, window: int | None
    ) -> tuple[Tensor, Tensor]:
        for part, new in enumerate((keys, values)):
            self.kv[layer, part].index_copy_(2, self.now, new)
        stored, seen = self.kv[layer], self._seen(window)
        if seen is not self.places:
            stored = stored[:, :, :, seen.clamp(min=0)]
        return stored[0], stored[1]

    def mask(self, new: int, window: int | None = None) -> Tensor:
        seen = self._seen(window)
        visible = (seen >= self.padding[:, None]) & (seen <= self.now)  # (B, T)
        return visible[:, None, None]

    def _seen(self, window: int | None) -> Tensor:
        """Places of the events that the next one attends to; those before the first are below 0."""
        if window is None or window >= len(self.places):
            return self.places
        return self.places[:window] + self.now + 1 - window
