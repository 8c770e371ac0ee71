"""A ladder of sanity: what is known to be worse must come out worse, on every headline figure.

Rungs, from the bottom: `untrained` (a fresh network; its outputs start at zero, so every id of
every field is equally likely), `unigram` (each field by how often its ids occur in training),
`bigram` (each field given the same field of the event before), then the checkpoints by size.

Formula: unigram p(x) = (count(x) + 1) / (N + V), V ids of that field; bigram p(x | y) =
(count(y, x) + 10 p(x)) / (count(y) + 10), the unigram as a prior worth ten events (MacKay & Peto
1995). Counted over the bare training works.

Each rung is a `Transformer` to those who use it: it is measured, and writes pieces under the same
grammar, by the same code as a trained model.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gen.errors import HouseError
from gen.evaluation import interval
from gen.evaluation.interval import Figure
from gen.model import KVCache, ModelConfig, Transformer
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES

PRIOR = 10.0
CONTEXT = 2048

BASELINES = ("untrained", "unigram", "bigram")


class _TableHead(nn.Module):
    """Scores looked up by what the field was in the event before."""

    def __init__(self, tables: Sequence[Tensor]) -> None:
        super().__init__()
        self.tables = nn.ParameterList(nn.Parameter(table, requires_grad=False) for table in tables)

    def forward(self, field: int, state: Tensor) -> Tensor:
        """(…, F) -> (…, ids of that field)."""
        return self.tables[field][state[..., field].long()]


class Counts(Transformer):
    """A model that looks one event back, field by field.

    Args:
        tables: for each field, log-probabilities (ids before, ids).
    """

    def __init__(self, tables: Sequence[Tensor]) -> None:
        super().__init__(ModelConfig(1, 2, 1, 1, 0.0, CONTEXT, FIELD_SIZES, CONTEXT_SIZES))
        self.head = _TableHead(tables)  # type: ignore[assignment]

    def states(self, columns: Tensor, cache: KVCache | None = None) -> Tensor:
        """The last event's fields. (B, T, C) -> (B, T, F)."""
        if cache is not None:
            cache.length += columns.shape[1]
        return columns[..., : self.fields].float()

    def field_embedding(self, field: int, ids: Tensor) -> Tensor:
        """Nothing: a field knows nothing of those before it. (…) -> (…, F)."""
        return torch.zeros(*ids.shape, self.fields, device=ids.device)


def untrained() -> Transformer:
    """A network that has learned nothing."""
    return Transformer(ModelConfig(1, 32, 2, 2, 0.0, CONTEXT, FIELD_SIZES, CONTEXT_SIZES)).eval()


def unigram(train: Sequence[NDArray[np.int16]]) -> Counts:
    """Counts of ids; `train` holds the bare events (T, 5) of each work."""
    return _counts([_single(train, f).log().expand(s, s) for f, s in enumerate(FIELD_SIZES)])


def bigram(train: Sequence[NDArray[np.int16]]) -> Counts:
    """Counts of pairs of ids; `train` holds the bare events (T, 5) of each work."""
    tables = []
    for field, size in enumerate(FIELD_SIZES):
        pairs = np.zeros(size * size)
        for events in train:
            ids = events[:, field].astype(np.int64)
            pairs += np.bincount(ids[:-1] * size + ids[1:], minlength=size * size)
        counts = torch.from_numpy(pairs.reshape(size, size))
        known = counts.sum(dim=1, keepdim=True)
        tables.append(((counts + PRIOR * _single(train, field)) / (known + PRIOR)).log())
    return _counts(tables)


def _single(train: Sequence[NDArray[np.int16]], field: int) -> Tensor:
    """Smoothed shares of each id, (V,)."""
    if not train:
        raise HouseError("there is no training work to count", mend="evaluate with the house's own")
    counts = np.ones(FIELD_SIZES[field])
    for events in train:
        counts += np.bincount(events[1:, field], minlength=len(counts))
    return torch.from_numpy(counts / counts.sum())


def _counts(tables: Sequence[Tensor]) -> Counts:
    model = Counts([table.float().contiguous() for table in tables])
    model.eval()
    return model


# The order ---------------------------------------------------------------------------------


def ordered(
    rungs: Sequence[str],
    figures: Sequence[Figure],
    *,
    better: str,
    gaps: Sequence[Figure] | None = None,
) -> dict[str, Any]:
    """Whether each rung is better than the one below it.

    Args:
        rungs: names, from the bottom.
        figures: one headline figure of each.
        better: `lower` or `higher`.
        gaps: figure of each rung after the first less that of the rung below, where both were
            taken on the same works; without them, intervals that overlap are no difference.

    Returns:
        `steps`: for each rung after the first, `better`, `none` or `worse`; `turned`: pairs of
        rungs (below, above) of which the upper one is worse, neighbours or not; `order`: `reversed`
        where there is such a pair, else `as expected` where the top is better than the bottom,
        else `none`.
    """
    found = {}
    for below, above in itertools.combinations(range(len(rungs)), 2):
        paired = gaps[below] if gaps and above == below + 1 else None
        gap = paired or _apart(figures[below], figures[above])
        found[below, above] = _judged(gap, better)
    steps = [
        {"from": below, "to": above, "step": found[place, place + 1]}
        for place, (below, above) in enumerate(itertools.pairwise(rungs))
    ]
    turned = [[rungs[a], rungs[b]] for (a, b), step in found.items() if step == "worse"]
    whole = found[0, len(rungs) - 1]
    order = "reversed" if turned else "as expected" if whole == "better" else "none"
    return {"better": better, "steps": steps, "turned": turned, "order": order}


def _apart(below: Figure, above: Figure) -> Figure:
    """What the upper figure has more, as far as the two intervals say."""
    if any(x is None for x in (below["low"], above["low"])):
        return interval.figure(math.nan)
    low, high = above["low"] - below["high"], above["high"] - below["low"]
    return interval.figure(above["value"] - below["value"], low, high, min(below["n"], above["n"]))


def _judged(gap: Figure, better: str) -> str:
    found = interval.verdict(gap)
    return found if found == "none" else ("better" if found == better else "worse")
