"""The transformer one event at a time, in numpy.

At this size PyTorch spends more time on calling its operators than on their arithmetic. For one
piece on a CPU the same numbers come three times as fast from plain matrix products. The weights
and the cache are PyTorch's own memory; a test holds every result against `Transformer`.

D channels, H heads, K head width, V ids of a field, N rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gen.model import Block, Cache, Transformer

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_EPSILON: Final = float(torch.finfo(torch.float32).eps)
"""What `rms_norm` adds to the mean square."""


def _array(tensor: torch.Tensor) -> Floats:
    values: Floats = tensor.detach().contiguous().numpy()
    return values


def normalise(x: Floats) -> Floats:
    """Scale the last dimension to a root mean square of 1."""
    mean_square = np.einsum("...d,...d->...", x, x) / x.shape[-1]
    scaled: Floats = x * (1 / np.sqrt(mean_square + _EPSILON, dtype=np.float32))[..., None]
    return scaled


class Step:
    """A model on the CPU, ready to be asked for the state after one more event.

    Args:
        model: in evaluation mode, float32; its weights are used where they are.
    """

    def __init__(self, model: Transformer) -> None:
        self.config = model.config
        self.embeddings = _array(model.embedding.weight)  # (ids of all columns, D)
        self.starts: Ints = model.starts.numpy()  # (C,)
        self.cos, self.sin = _array(model.table)  # (T, K/2)
        self.blocks = [
            tuple(_array(layer.weight) for layer in (b.mix, b.mix_out, b.inner, b.inner_out))
            for b in cast(Iterable[Block], model.blocks)
        ]
        inner, out = (
            cast(Iterable[nn.Linear], part) for part in (model.head.inner, model.head.out)
        )
        self.heads = [
            (_array(a.weight), _array(b.weight), _array(b.bias))
            for a, b in zip(inner, out, strict=True)
        ]

    def state(self, row: list[int], cache: Cache) -> Floats:
        """What the trunk knows after one more event of one piece. (C,) -> (D,).

        Writes the event's keys and values into the cache (one row, nothing hidden).
        """
        width, heads = self.config.width, self.config.heads
        half = width // heads // 2
        now, end = cache.length, cache.length + 1
        store: Floats = cache.store.numpy()[:, :, 0]  # (L, 2, H, T, K)
        cos, sin = self.cos[now], self.sin[now]
        x: Floats = normalise(self.embeddings[self.starts + row].sum(0))
        for (mix, mix_out, inner, inner_out), (keys, values) in zip(
            self.blocks, store, strict=True
        ):
            mixed = mix @ normalise(x)  # queries, keys, values
            turning = normalise(mixed[: 2 * width].reshape(2 * heads, -1))
            first, second = turning[:, :half], turning[:, half:]
            turned = np.concatenate([first * cos - second * sin, first * sin + second * cos], 1)
            keys[:, now] = turned[heads:]
            values[:, now] = mixed[2 * width :].reshape(heads, -1)
            scores = np.matmul(keys[:, :end], turned[:heads, :, None])[:, :, 0]  # (H, T)
            scores *= np.float32((2 * half) ** -0.5)
            weights = np.exp(scores - scores.max(1, keepdims=True))
            weights /= weights.sum(1, keepdims=True)
            x = x + mix_out @ np.matmul(weights[:, None], values[:, :end]).reshape(width)
            x = x + inner_out @ np.square(np.maximum(inner @ normalise(x), 0))
        cache.length = end
        return x

    def scores(self, field: int, states: Floats) -> Floats:
        """Scores of one field's ids. (N, D) -> (N, V)."""
        inner, out, bias = self.heads[field]
        hidden = np.square(np.maximum(normalise(states) @ inner.T, 0))
        scores: Floats = hidden @ out.T + bias
        return scores

    def field_embedding(self, field: int, ids: Ints) -> Floats:
        """Embedding of one field's ids, as the head adds it. (N,) -> (N, D)."""
        embedded: Floats = self.embeddings[ids + self.starts[field]]
        return embedded
