"""What is measured: checkpoints, and below them models that are known to be worse.

A ladder of sanity: what is known to be worse must come out worse, on every headline figure. From
the bottom: `untrained` (a fresh network; its outputs start at zero, so every id of every field is
equally likely), `unigram` (each field by how often its ids occur in training), `bigram` (each field
given the same field of the event before), then the checkpoints by size.

Formula: unigram p(x) = (count(x) + 1) / (N + V), V ids of that field; bigram p(x | y) =
(count(y, x) + 10 p(x)) / (count(y) + 10), the unigram as a prior worth ten events (MacKay & Peto
1995). Counted over the bare training works.

Each baseline is a `Transformer` to those who use it: it is measured, and writes pieces under the
same grammar, by the same code as a trained model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gen.checkpoint import Checkpoint
from gen.data.habits import Habits
from gen.data.settings import DataConfig
from gen.errors import HouseError, SettingError
from gen.evaluation.subjects.works import HouseWorks
from gen.kv_cache import KVCache
from gen.model import ModelConfig, Transformer, parameter_count
from gen.sampling.drafting.draft import Draft
from gen.settings import with_new_names
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.events import Events
from gen.tokens.miditok_tokens import MidiTokTokens
from gen.tokens.vocabulary import FIELD_SIZES

PRIOR = 10.0
CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something to measure: a checkpoint, or a model that is known to be worse.

    Attributes:
        name: short, of its own.
        model: in evaluation mode.
        window: most events that it reads at once.
        cause: what it follows from, as a plain value: equal causes, equal figures.
        checkpoint: None for a baseline.
        file: of the checkpoint.
    """

    name: str
    model: Transformer
    window: int
    cause: str
    checkpoint: Checkpoint | None = None
    file: str = ""

    @property
    def tokens(self) -> MidiTokTokens | None:
        """What it writes, if that is one of MidiTok's tokenizations."""
        found = self.checkpoint.tokenization if self.checkpoint else None
        return found if isinstance(found, MidiTokTokens) else None

    def is_elsewhere(self, house: str) -> bool:
        """Whether it learned from the works of another house than this one."""
        return self.checkpoint is not None and self.checkpoint.manifest.house != house

    def limited(self, drafts: Sequence[Draft]) -> Sequence[Draft]:
        """These drafts, kept to the chords that instruments have in what was learned from."""
        habits = self.checkpoint.habits if self.checkpoint else Habits()
        for draft in drafts:
            draft.plan = replace(draft.plan, habits=habits)
        return drafts

    def to_dict(self) -> dict[str, Any]:
        """For the report."""
        about: dict[str, Any] = {"name": self.name, "baseline": self.checkpoint is None}
        if self.checkpoint is not None:
            about |= {
                "file": self.file,
                "tokenizer": self.checkpoint.tokenization.name,
                "sha256": self.checkpoint.digest,
                "manifest": self.checkpoint.manifest.digest,
                "works": self.checkpoint.manifest.works_digest,
                "works_learned_from": len(self.checkpoint.manifest.works),
                "parameters": parameter_count(self.model),
                "steps": self.checkpoint.run.get("steps"),
                "code_version": self.checkpoint.run.get("code_version"),
                "window": self.window,
            }
        return about


def candidates_of(paths: Sequence[Path], checkpoints: Sequence[Checkpoint]) -> list[Candidate]:
    """The checkpoints by size, then by steps, with short names of their own.

    Raises:
        SettingError: one is named twice.
    """
    windows = {each.digest: _learned_window(each) for each in checkpoints}
    found = []
    for path, checkpoint, name in zip(paths, checkpoints, _short_names(paths), strict=True):
        # What began with another model reads as far as that one, beside which it is held.
        behind = [base.file_sha256 for base in checkpoint.manifest.bases]
        window = max(
            windows[digest] for digest in (checkpoint.digest, *behind) if digest in windows
        )
        found.append(
            Candidate(
                name, checkpoint.model, window, checkpoint.digest, checkpoint, path.as_posix()
            )
        )
    if len({one.cause for one in found}) < len(found):
        raise SettingError("names one checkpoint twice", where="checkpoint", mend="leave one out")
    return sorted(found, key=_size)


def _learned_window(checkpoint: Checkpoint) -> int:
    """How many events its run showed it at once."""
    data = with_new_names(DataConfig, checkpoint.run.get("settings", {}).get("data", {}))
    context = checkpoint.model.config.context
    return min(int(data.get("training_window") or 0) or context, context)


def _size(one: Candidate) -> tuple[int, int]:
    steps = one.checkpoint.run.get("steps") if one.checkpoint else 0
    return parameter_count(one.model), int(steps or 0)


def _short_names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that are all different and not just `best`."""
    parts = [path.resolve().with_suffix("").parts for path in paths]
    for count in range(2, max(map(len, parts)) + 1):
        names = ["/".join(p[-count:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return ["/".join(p) for p in parts]


def baselines(house: HouseWorks) -> list[Candidate]:
    """The models below every checkpoint, from the bottom."""
    train = [work.tokenised.bare().events for work in house.sides["train"]]
    models = {
        "untrained": untrained(),
        "unigram": unigram(train),
        "bigram": bigram(train),
    }
    return [
        Candidate(name, model, CONTEXT, f"{name} {house.digest}") for name, model in models.items()
    ]


# Models that count -----------------------------------------------------------------------


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


def unigram(train: Sequence[Events]) -> Counts:
    """Counts of ids; `train` holds the bare events of each work."""
    return _counts([_single(train, f).log().expand(s, s) for f, s in enumerate(FIELD_SIZES)])


def bigram(train: Sequence[Events]) -> Counts:
    """Counts of pairs of ids; `train` holds the bare events of each work."""
    tables = []
    for field, size in enumerate(FIELD_SIZES):
        pairs = np.zeros(size * size)
        for events in train:
            ids = events.array[:, field].astype(np.int64)
            pairs += np.bincount(ids[:-1] * size + ids[1:], minlength=size * size)
        counts = torch.from_numpy(pairs.reshape(size, size))
        known = counts.sum(dim=1, keepdim=True)
        tables.append(((counts + PRIOR * _single(train, field)) / (known + PRIOR)).log())
    return _counts(tables)


def _single(train: Sequence[Events], field: int) -> Tensor:
    """Smoothed shares of each id, (V,)."""
    if not train:
        raise HouseError("there is no training work to count", mend="evaluate with the house's own")
    counts = np.ones(FIELD_SIZES[field])
    for events in train:
        counts += np.bincount(events.array[1:, field], minlength=len(counts))
    return torch.from_numpy(counts / counts.sum())


def _counts(tables: Sequence[Tensor]) -> Counts:
    model = Counts([table.float().contiguous() for table in tables])
    model.eval()
    return model
