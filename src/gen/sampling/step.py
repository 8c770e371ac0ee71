"""One more event of each piece: what the trunk then knows, and the scores of the next fields.

`TorchStep` is the model as it is. At this size PyTorch spends more time on calling its operators
than on their arithmetic: on a CPU, `NumpyStep` has the same numbers three times as fast from
plain matrix products, for the head always and for the trunk while few pieces are written side
by side. Its weights and its cache are PyTorch's own memory; a test holds it against the model.

N pieces, C input columns, D channels, H heads, K head width, V ids of a field.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gen.model import Block, Cache, Transformer

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST_ONE_BY_ONE: Final = 3
"""With more pieces side by side, the trunk is faster in PyTorch, all at once."""

_EPSILON: Final = np.finfo(np.float32).eps
"""What `rms_norm` adds to the mean square."""


def _array(tensor: torch.Tensor) -> Floats:
    values: Floats = tensor.detach().contiguous().numpy()
    return values


def normalise(x: Floats) -> Floats:
    """Scale the last dimension to a root mean square of 1."""
    mean_square = np.vecdot(x, x) / np.float32(x.shape[-1])
    scaled: Floats = x / np.sqrt(mean_square + _EPSILON)[..., None]
    return scaled


class TorchStep:
    """A model on any device.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.device = model.embedding.weight.device

    def states(self, rows: list[list[int]], cache: Cache) -> Any:
        """What the trunk knows after one more event of each piece. (N, C) -> (N, D)."""
        columns = torch.tensor(rows, device=self.device)[:, None]
        return self.model.states(columns, cache)[:, -1]

    def begin(self, columns: torch.Tensor, cache: Cache) -> Any:
        """The same after many events of each, which fill an empty cache. (N, T, C) -> (N, D)."""
        return self.model.states(columns.to(self.device), cache)[:, -1]

    def scores(self, field: int, states: Any) -> Floats:
        """Scores of one field's ids. (N, D) -> (N, V)."""
        scores: Floats = self.model.head(field, states).float().cpu().numpy()
        return scores

    def add(self, field: int, states: Any, ids: list[int]) -> Any:
        """Tell the head which id each piece took. (N, D) -> (N, D)."""
        return states + self.model.field_embedding(field, torch.tensor(ids, device=self.device))


class NumpyStep(TorchStep):
    """A model on the CPU, in float32.

    Args:
        model: in evaluation mode; its weights are used where they are.
    """

    def __init__(self, model: Transformer) -> None:
        super().__init__(model)
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

    def begin(self, columns: torch.Tensor, cache: Cache) -> Any:
        return super().begin(columns, cache).numpy()

    def states(self, rows: list[list[int]], cache: Cache) -> Any:
        if len(rows) > MOST_ONE_BY_ONE:
            return super().states(rows, cache).numpy()
        states = np.stack([self._state(row, cache, n) for n, row in enumerate(rows)])
        cache.length += 1
        return states

    def _state(self, row: list[int], cache: Cache, piece: int) -> Floats:
        """What the trunk knows after one more event of one piece. (C,) -> (D,)."""
        width, heads = self.config.width, self.config.heads
        half = width // heads // 2
        now, end = cache.length, cache.length + 1
        first = 0 if cache.hidden is None else int(cache.hidden[piece])
        store: Floats = cache.store.numpy()[:, :, piece]  # (L, 2, H, T, K)
        cos, sin = self.cos[now], self.sin[now]
        x: Floats = normalise(self.embeddings[self.starts + row].sum(0))
        for (mix, mix_out, inner, inner_out), (keys, values) in zip(
            self.blocks, store, strict=True
        ):
            mixed = mix @ normalise(x)  # queries, keys, values
            turning = normalise(mixed[: 2 * width].reshape(2 * heads, -1))
            a, b = turning[:, :half], turning[:, half:]
            turned = np.concatenate([a * cos - b * sin, a * sin + b * cos], 1)
            keys[:, now] = turned[heads:]
            values[:, now] = mixed[2 * width :].reshape(heads, -1)
            scores = np.matmul(keys[:, first:end], turned[:heads, :, None])[:, :, 0]  # (H, T)
            # No score is above the root of K, as queries and keys are normalised.
            weights = np.exp(scores * np.float32((2 * half) ** -0.5))
            heard = np.matmul(weights[:, None], values[:, first:end])[:, 0]  # (H, K)
            x = x + mix_out @ (heard / weights.sum(1)[:, None]).reshape(width)
            x = x + inner_out @ np.square(np.maximum(inner @ normalise(x), 0))
        return x

    def scores(self, field: int, states: Any) -> Floats:
        inner, out, bias = self.heads[field]
        hidden = np.square(np.maximum(normalise(states) @ inner.T, 0))
        scores: Floats = hidden @ out.T + bias
        return scores

    def add(self, field: int, states: Any, ids: list[int]) -> Any:
        return states + self.embeddings[np.array(ids) + self.starts[field]]


def step_of(model: Transformer) -> TorchStep:
    """The faster step for where a model is; one that computes in its own way is asked itself."""
    plain = type(model) is Transformer and model.embedding.weight.device.type == "cpu"
    return (NumpyStep if plain else TorchStep)(model)
