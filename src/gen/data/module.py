"""The LightningDataModule: its only source of bytes is the gate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from gen.data.cache import EventCache
from gen.data.splits import Split, SplitConfig, shingles, split
from gen.data.store import EventStore
from gen.data.styles import granted_styles
from gen.data.windows import (
    AugmentConfig,
    Sequence,
    Window,
    bare,
    covering_places,
    covering_window,
    training_window,
)
from gen.errors import HouseError, SettingError
from gen.provenance.gate import Corpus, Work, admit
from gen.provenance.manifest import Manifest
from gen.provenance.pin import Pin
from gen.tokens.events import Annotations
from gen.tokens.tokenizer import HouseTokenizer

Batch = dict[str, Tensor]
Works = EventStore | list[Sequence]

HANDFUL = 8
"""Training works by which it is told how much is learned by heart."""


@dataclass(frozen=True, slots=True)
class DataConfig:
    """How works become batches.

    Args:
        window: predicted events T in a window.
        batch_size: windows B in a batch, over all devices together.
        seed: of the windows and their variation.
        split: shares kept out of training.
        augment: what is varied.
        styles: tell the model whose style a work is in, where its composer grants that.
    """

    window: int
    batch_size: int
    seed: int = 0
    styles: bool = False
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        if self.window < 16 or self.batch_size < 1:
            raise SettingError(
                f"window {self.window}, batch_size {self.batch_size}",
                where="data",
                mend="a window holds at least 16 events, a batch at least one window",
            )


def annotations_of(work: Work) -> Annotations:
    """What the tag says of the music, as the tokenizer takes it."""
    d = work.description
    return Annotations(
        genre=d.genre, mood=d.mood, key=d.key, chords=d.chords, sections=d.sections,
        roles=tuple(d.roles or ()),
    )  # fmt: skip


def collate(windows: list[Window], length: int) -> Batch:
    """Pad windows on the right to `length` events.

    Returns:
        columns (B, T, C) and targets (B, T, 5), int64; counted (B, T), bool.
    """
    count, width = len(windows), windows[0].columns.shape[1]
    columns = torch.zeros(count, length, width, dtype=torch.int64)
    targets = torch.zeros(count, length, 5, dtype=torch.int64)
    counted = torch.zeros(count, length, dtype=torch.bool)
    for row, window in enumerate(windows):
        size = len(window.targets)
        columns[row, :size] = torch.from_numpy(window.columns)
        targets[row, :size] = torch.from_numpy(window.targets)
        counted[row, :size] = torch.from_numpy(window.counted)
    return {"columns": columns, "targets": targets, "counted": counted}


class TrainingBatches(IterableDataset[Batch]):
    """An endless stream of batches; batch i is a function of the seed and i alone."""

    def __init__(
        self, works: Works, config: DataConfig, *, start: int, rank: int, ranks: int
    ) -> None:
        if config.batch_size % ranks:
            raise SettingError(
                f"batch_size {config.batch_size} does not divide among {ranks} processes",
                where="data.batch_size",
            )
        self.works, self.config, self.start = works, config, start
        self.rows = range(rank, config.batch_size, ranks)
        lengths = works.lengths if isinstance(works, EventStore) else [len(w.events) for w in works]
        self.shares = np.array(lengths) / sum(lengths)

    def batch(self, index: int) -> Batch:
        """Batch number `index` (this process's rows of it)."""
        return collate([self._window(index, row) for row in self.rows], self.config.window)

    def _window(self, index: int, row: int) -> Window:
        rng = np.random.default_rng([self.config.seed, index, row])
        work = self.works[rng.choice(len(self.works), p=self.shares)]
        return training_window(work, self.config.window, self.config.augment, rng)

    def __iter__(self) -> Iterator[Batch]:
        index = self.start
        while True:
            yield self.batch(index)
            index += 1


class CoveringBatches(Dataset[Batch]):
    """Every event of some works once, from the bare music.

    Args:
        works: to cover.
        length: of a window.
        rank: of this process: it has its share of the batches, as many as every other.
        ranks: how many processes there are.

    Raises:
        SettingError: a bar holds more events than a window.
    """

    def __init__(self, works: Works, length: int, *, rank: int = 0, ranks: int = 1) -> None:
        self.works, self.length = works, length
        self.rank, self.ranks = rank, ranks
        self.size = max(1, 8192 // length)
        places = [
            (index, bar, done)
            for index, work in enumerate(works)
            for bar, done in covering_places(bare(work), length)
        ]
        # In a fixed random order, so that the first batches are a fair sample of the works.
        order = np.random.default_rng(0).permutation(len(places))
        self.places = [places[index] for index in order]

    def __len__(self) -> int:
        batches = -(-len(self.places) // self.size)
        return -(-batches // self.ranks)

    def __getitem__(self, index: int) -> Batch:
        first = (index * self.ranks + self.rank) * self.size
        chosen = self.places[first : first + self.size]
        windows = [self._window(*place) for place in chosen or self.places[: self.size]]
        batch = collate(windows, self.length)
        if not chosen:  # what is added so that every process has as many counts for nothing
            batch["counted"] = torch.zeros_like(batch["counted"])
        return batch

    def _window(self, index: int, bar: int, done: int) -> Window:
        return covering_window(bare(self.works[index]), self.length, bar, done)


class HouseData(LightningDataModule):
    """Admitted works of one house, for one purpose, as batches.

    Args:
        house: folder of the house's works, roster and register.
        pin: what is trusted about it.
        purpose: consent scope this run needs, such as `general_model`.
        config: how works become batches.
        on_refusal: `stop` (the default) or `record`: train on what was admitted and write
            the refusals into the manifest.
    """

    def __init__(
        self,
        house: Path,
        pin: Pin,
        purpose: str,
        config: DataConfig,
        *,
        on_refusal: str = "stop",
    ) -> None:
        super().__init__()
        if on_refusal not in ("stop", "record"):
            raise SettingError(f"{on_refusal!r} is neither 'stop' nor 'record'", where="on_refusal")
        self.house, self.pin, self.purpose = house, pin, purpose
        self.config, self.on_refusal = config, on_refusal
        self.tokenizer = HouseTokenizer()
        self.works = EventStore()
        self.sides: dict[Split, list[int]] = {}
        self.corpus: Corpus | None = None
        self.styles: dict[str, int] = {}
        self.batches_done = 0

    def setup(self, stage: str | None = None) -> None:
        """Admit, tokenise and split, once.

        Raises:
            HouseError: a file was refused (all are listed), nothing is left to train on, or
                the processes of this run have not admitted the same corpus.
        """
        if self.corpus is None:
            self._admit()
        if self.trainer and self.trainer.world_size > 1:
            self._check_agreement()

    def _check_agreement(self) -> None:
        """Every process reads the house itself, perhaps on another machine: compare."""
        strategy = self.trainer.strategy  # type: ignore[union-attr]
        differs = strategy.broadcast(self.corpus_digest) != self.corpus_digest
        differing = strategy.reduce(
            torch.tensor(float(differs), device=strategy.root_device), reduce_op="sum"
        )
        if differing:  # the same number in each process: they all stop, and none waits for another
            raise HouseError(
                f"{int(differing)} of {self.trainer.world_size} processes admitted another corpus "  # type: ignore[union-attr]
                "than the first one",
                where=str(self.house),
                mend="give every machine the same works, register, pin and date, then start anew",
            )

    def _admit(self) -> None:
        cache, fingerprint = EventCache.of_user(), self.tokenizer.fingerprint
        store, names = EventStore(cache.folder), list[tuple[int, str]]()

        def receive(work: Work, midi: bytes) -> None:
            notes = annotations_of(work)
            try:
                events = cache.events(
                    work.sha256, notes, fingerprint, lambda: self.tokenizer.events(midi, notes)
                )
            except HouseError as error:
                raise HouseError(error.what, where=work.path, mend=error.mend) from error
            store.append(events)
            names.append((work.register_index, work.work_id))

        with store:
            corpus = admit(self.house, self.purpose, pin=self.pin, receive=receive)
        if self.on_refusal == "stop":
            corpus.require_clean()
        order = sorted(range(len(names)), key=names.__getitem__)  # of the register
        works = [names[index][1] for index in order]
        melodies = [shingles(work.events) for work in store.chosen(order)]
        self.sides = split(works, melodies, self.config.split)
        of_work: dict[str, int] = {}
        if self.config.styles:
            self.styles, of_work = granted_styles(corpus)
        self.works = store.chosen(order, [of_work.get(name) for name in works])
        if not self.sides["train"]:
            raise HouseError(
                f"no work in {self.house} may be trained on for {self.purpose!r}",
                mend="contribute works, or ask the composers for consent to this purpose",
            )
        self.corpus = corpus

    @property
    def manifest(self) -> Manifest:
        """What this run learns from; only after `setup`."""
        if self.corpus is None:
            raise HouseError("the corpus has not been admitted yet", mend="call setup() first")
        return Manifest.of(self.corpus, tokenizer_fingerprint=self.tokenizer.fingerprint)

    @property
    def corpus_digest(self) -> str:
        """SHA-256 over purpose, tokenizer, works, styles: what a resumed run must find again."""
        manifest = self.manifest
        works = [f"{work.work} {work.sha256}" for work in manifest.works]
        styles = [f"{person} {style}" for person, style in self.styles.items()]
        text = "\n".join([manifest.purpose, manifest.tokenizer_fingerprint, *works, *styles])
        return hashlib.sha256(text.encode()).hexdigest()

    def side(self, side: Split) -> EventStore:
        """The works of one side of the split."""
        return self.works.chosen(self.sides[side])

    def train_dataloader(self) -> DataLoader[Batch]:
        ranks = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        data = TrainingBatches(
            self.side("train"), self.config, start=self.batches_done, rank=rank, ranks=ranks
        )
        return DataLoader(data, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.covering_loader("validation")

    def covering_loader(self, side: Split) -> DataLoader[Batch]:
        """Every event of every work of a side once, from the bare music."""
        ranks = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        batches = CoveringBatches(self.side(side), self.config.window, rank=rank, ranks=ranks)
        return DataLoader(batches, batch_size=None, shuffle=False)

    def handful(self) -> list[Batch]:
        """At most two batches of `HANDFUL` training works, spread evenly over the register."""
        works = self.side("train")
        chosen = sorted({round(i) for i in np.linspace(0, len(works) - 1, HANDFUL)})
        batches = CoveringBatches([works[index] for index in chosen], self.config.window)
        return [batches[index] for index in range(min(2, len(batches)))]

    def state_dict(self) -> dict[str, Any]:
        """Where the stream of batches stands."""
        steps = self.trainer.global_step if self.trainer else 0
        return {"batches_done": steps, "corpus": self.corpus_digest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a run over the same corpus stood.

        Raises:
            SettingError: the checkpoint learned from another corpus than this run admits.
        """
        if state_dict["corpus"] != self.corpus_digest:
            raise SettingError(
                "the checkpoint to resume from learned from another corpus, or for another purpose",
                where="ckpt",
                mend="train anew without ckpt; works, consent or settings have changed since",
            )
        self.batches_done = int(state_dict["batches_done"])
