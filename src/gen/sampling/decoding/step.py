"""One more event of each piece: what the trunk then knows, and the scores of the next fields.

`TorchStep` is the model as it is. At this size PyTorch spends more time on calling its operators
than on their arithmetic: on a CPU, `NumpyStep` has the same numbers from plain matrix products,
for one piece three times as fast; on a GPU, `GraphStep` replays them. Tests hold both against the
model.

N pieces, C input columns, D channels, H heads, G heads of keys and values, R = H / G queries each,
K head width, V ids of a field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gen.kv_cache import KVCache, StaticKVCache
from gen.model import Block, Transformer

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ALL: Final = slice(None)

MOST_FIRING: Final = 0.25
"""Share of an MLP's inner channels; to pick the weights of more takes longer than to read all."""

BLOCK: Final = 64
"""Outputs that are computed together: of few rows, OpenBLAS multiplies small matrices two to three
times as fast as wide ones."""

_EPSILON: Final = np.finfo(np.float32).eps
"""What `rms_norm` adds to the mean square."""


def _array(tensor: torch.Tensor) -> Floats:
    values: Floats = tensor.detach().contiguous().numpy()
    return values


def _matrix(layer: nn.Linear) -> Floats:
    """Weights of a layer in blocks of BLOCK outputs, as `_product` takes them: (B, D, E / B)."""
    outputs, inputs = layer.weight.shape
    width = BLOCK if outputs % BLOCK == 0 else outputs
    return np.ascontiguousarray(_array(layer.weight).reshape(-1, width, inputs).swapaxes(1, 2))


def _product(x: Floats, blocks: Floats) -> Floats:
    """A matrix product, block by block. (N, D), (B, D, E / B) -> (N, E)."""
    product: Floats = np.matmul(x, blocks).swapaxes(0, 1).reshape(len(x), -1)
    return product


def rms_norm(x: Floats) -> Floats:
    """Scale the last dimension to a root mean square of 1."""
    root: Any
    if x.size == x.shape[-1]:  # plain numbers take half as long
        root = math.sqrt(float(np.vdot(x, x)) / x.size + _EPSILON)
    else:
        root = np.vecdot(x, x)
        root /= x.shape[-1]
        root += _EPSILON
        root = np.sqrt(root, out=root)[..., None]
    scaled: Floats = x / root
    return scaled


def _fired(inner: Floats, out: Floats) -> Floats:
    """What an MLP adds; only the channels that fire, often few, are read.

    (N, E), blocks (B, E, D / B) -> (N, D).
    """
    inner = np.maximum(inner, 0)
    some = inner.max(0).nonzero()[0]
    if len(some) < MOST_FIRING * inner.shape[1]:
        inner, out = inner[:, some], out[:, some]
    return _product(np.square(inner), out)


class TorchStep:
    """A model on any device.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.device = model.embedding.weight.device

    def states(self, rows: list[list[int]], cache: KVCache) -> Any:
        """What the trunk knows after one more event of each piece. (N, C) -> (N, D)."""
        columns = torch.tensor(rows, device=self.device)[:, None]
        return self.model.states(columns, cache)[:, -1]

    def begin(self, columns: torch.Tensor, cache: KVCache) -> Any:
        """The same after many events of each, which fill an empty cache. (N, T, C) -> (N, D)."""
        return self.model.states(columns.to(self.device), cache)[:, -1]

    def scores(self, field: int, states: Any, some: slice = ALL) -> Floats:
        """Scores of some of a field's ids. (N, D) -> (N, how many)."""
        scores: Floats = self.model.head(field, states)[:, some].float().cpu().numpy()
        return scores

    def add(self, field: int, states: Any, ids: list[int]) -> Any:
        """Tell the head which id each piece took. (N, D) -> (N, D)."""
        return states + self.model.field_embedding(field, torch.tensor(ids, device=self.device))


class NumpyStep(TorchStep):
    """A model on the CPU, in float32.

    Where `model.apply_rotary` turns the two halves of a head by each other, here they lie side by
    side as complex numbers, which one product turns. Queries and keys are reordered alike, so that
    what they weigh is the same.

    Args:
        model: in evaluation mode; its matrices are copied, as products with few rows read them.
    """

    def __init__(self, model: Transformer) -> None:
        super().__init__(model)
        config = self.config = model.config
        halves = np.arange(config.head_width).reshape(2, -1)
        self.beside = halves.T.ravel()  # (K,) halves, made pairs
        self.embeddings = _array(model.embedding.weight)  # (ids of all columns, D)
        self.starts: Ints = model.starts.numpy()  # (C,)
        cos, sin = _array(model.table)
        turns = np.tile((cos + 1j * sin)[:, None], (1, config.n_head + config.n_kv_head, 1))
        turns[:, : config.n_head] *= config.head_width**-0.5  # what scores are scaled by
        self.turns = turns  # (T, H + G, K/2)
        self.store: torch.Tensor | None = None  # of the cache that was filled last
        self.array: Floats = np.empty(0, dtype=np.float32)
        self.blocks = [
            (
                self._qkv(b),
                _matrix(b.attention_out),
                (_matrix(b.mlp.up), _matrix(b.mlp.down)) if b.mlp else None,
            )
            for b in cast(Iterable[Block], model.blocks)
        ]
        inner, out = (
            cast(Iterable[nn.Linear], part) for part in (model.head.hidden, model.head.out)
        )
        self.heads = [
            (_matrix(a), _array(b.weight.T), _array(b.bias))
            for a, b in zip(inner, out, strict=True)
        ]

    def _qkv(self, block: Block) -> Floats:
        """Weights of queries, keys and values, the first two reordered. (H + 2 G, D, K)."""
        config = self.config
        parts = _array(block.qkv.weight).reshape(-1, config.head_width, config.width).copy()
        turned = config.n_head + config.n_kv_head
        parts[:turned] = parts[:turned, self.beside]
        return np.ascontiguousarray(parts.swapaxes(1, 2))

    def begin(self, columns: torch.Tensor, cache: KVCache) -> Any:
        states = super().begin(columns, cache).numpy()
        keys = cache.kv[:, 0, ..., : cache.length, :]
        keys[:] = keys[..., self.beside]
        return states

    def states(self, rows: list[list[int]], cache: KVCache) -> Any:
        config, count = self.config, len(rows)
        heads, groups, width = config.n_head, config.n_kv_head, config.head_width
        turned = heads + groups  # queries and keys
        now, end = cache.length, cache.length + 1
        store = self._stored(cache)
        turn = self.turns[now]
        visible = None
        if cache.left_pad is not None:
            visible = np.arange(end) >= cache.left_pad.numpy()[:, None, None, None]  # (N, 1, 1, T)
        x: Floats = rms_norm(self.embeddings.take(self.starts + rows, 0).sum(1))
        for layer, (qkv, attention_out, mlp) in enumerate(self.blocks):
            mixed = _product(rms_norm(x), qkv).reshape(count, -1, width)
            facing = (rms_norm(mixed[:, :turned]).view(np.complex64) * turn).view(np.float32)
            store[layer, 0, :, :, now] = facing[:, heads:]
            store[layer, 1, :, :, now] = mixed[:, turned:]
            begin = max(0, end - (config.window_of(layer) or end))
            keys, values = store[layer, :, :, :, begin:end]  # (N, G, T, K)
            queries = facing[:, :heads].reshape(count, groups, -1, width)
            # A matrix with each vector: for few, products of two matrices take twice as long.
            scores = np.matmul(keys[:, :, None], queries[..., None])[..., 0]  # (N, G, R, T)
            # No score is above the root of K, as queries and keys are normalised.
            weights = np.exp(scores)
            if visible is not None:
                weights *= visible[..., begin:]
            attended = np.matmul(weights[..., None, :], values[:, :, None])[..., 0, :]
            attended /= weights.sum(-1)[..., None]  # (N, G, R, K)
            x = x + _product(attended.reshape(count, -1), attention_out)
            if mlp:
                x = x + _fired(_product(rms_norm(x), mlp[0]), mlp[1])
        cache.length = end
        return x

    def _stored(self, cache: KVCache) -> Floats:
        """The cache's keys and values, (L, 2, N, G, T, K); to ask PyTorch for them takes long."""
        if self.store is not cache.kv:
            self.store, self.array = cache.kv, cache.kv.numpy()
        return self.array

    def scores(self, field: int, states: Any, some: slice = ALL) -> Floats:
        inner, out, bias = self.heads[field]
        hidden = np.square(np.maximum(_product(rms_norm(states), inner), 0))
        scores: Floats = hidden @ out[:, some] + bias[some]
        return scores

    def add(self, field: int, states: Any, ids: list[int]) -> Any:
        first = int(self.starts[field])
        return states + self.embeddings.take([first + number for number in ids], 0)


class GraphStep(TorchStep):
    """A model on a GPU: the trunk's hundred kernels for one event of each piece are one CUDA graph.

    To launch them one by one takes longer than they do. A graph replays the same kernels on the
    same memory: pieces that ended go on beside the others, unheard, until a new cache is begun.

    Args:
        model: in evaluation mode; on a CPU, where there are no graphs, the same is computed.
    """

    def __init__(self, model: Transformer) -> None:
        super().__init__(model)
        self.cache: KVCache | None = None

    def states(self, rows: list[list[int]], cache: KVCache) -> Any:
        if self.cache is not cache:
            self._record(cache)
        self.columns[: len(rows), 0] = torch.tensor(rows)
        self.static.follow(cache)
        self.replay()
        cache.length += 1
        return self.state[: len(rows)]

    def _record(self, cache: KVCache) -> None:
        """Get ready to go on with this cache."""
        self.cache, self.static = cache, StaticKVCache(cache)
        count, columns = cache.kv.shape[2], len(self.model.starts)
        self.columns = torch.zeros(count, 1, columns, dtype=torch.int64, device=self.device)
        self.replay: Callable[[], None] = self._compute
        if self.device.type == "cuda":
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._compute()  # libraries allocate what they need at first
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._compute()
            self.replay = graph.replay

    def _compute(self) -> None:
        self.static.length = 0
        self.state = self.model.states(self.columns, self.static)[:, -1]


_FASTEST: Final = {"cpu": NumpyStep, "cuda": GraphStep}


def step_of(model: Transformer) -> TorchStep:
    """The fastest step for where a model is; one that computes in its own way is asked itself."""
    if type(model) is not Transformer:
        return TorchStep(model)
    return _FASTEST.get(model.embedding.weight.device.type, TorchStep)(model)
