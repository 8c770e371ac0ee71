"""Windows of works as batches: an endless stream to learn from, a covering of works to measure."""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Protocol

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from gen.data.augment import AugmentConfig
from gen.data.settings import DataConfig as DataConfig
from gen.data.store import RowStore
from gen.data.windows import Window
from gen.errors import SettingError
from gen.processes import cores
from gen.settings import AUTO

DIGEST = "digest"
"""In a training batch: its digest, (32,) uint8, for the run's transcript."""
WORKERS = 8
"""What one GPU keeps busy: a window takes 3 ms to cut, a step of a small model 6."""
Batch = dict[str, Tensor]


class WindowSource(Protocol):
    """What a window is cut from: a `TokenisedWork`, or a `TokenWork` of MidiTok's tokens."""

    def __len__(self) -> int:
        """Its rows."""
        ...

    def bare(self) -> WindowSource:
        """The work with nothing but its music, as bits per note are counted."""
        ...

    def training_window(self, length: int, augment: AugmentConfig, rng: Generator) -> Window:
        """Cut and vary one window of at most `length` predicted rows."""
        ...

    def covering_places(self, length: int) -> Iterator[tuple[int, int]]:
        """Where each covering window begins, and how many rows were counted before it."""
        ...

    def covering_window(self, length: int, first: int, done: int) -> Window:
        """The window that begins there and counts what follows the first `done` rows."""
        ...


Works = Sequence[WindowSource]


def collate(windows: list[Window], length: int) -> Batch:
    """Pad windows on the right to `length` events.

    Returns:
        columns (B, T, C) and targets (B, T, F), int64; counted (B, T), bool.
    """
    rows, width = len(windows), windows[0].columns.shape[1]
    columns = torch.zeros(rows, length, width, dtype=torch.int64)
    targets = torch.zeros(rows, length, windows[0].targets.shape[1], dtype=torch.int64)
    counted = torch.zeros(rows, length, dtype=torch.bool)
    for row, window in enumerate(windows):
        size = len(window.targets)
        columns[row, :size] = torch.from_numpy(window.columns)
        targets[row, :size] = torch.from_numpy(window.targets)
        counted[row, :size] = torch.from_numpy(window.counted)
    return {"columns": columns, "targets": targets, "counted": counted}


def digest_of(names: Sequence[str], windows: Sequence[Window]) -> bytes:
    """SHA-256 over which windows of which works a batch shows, 32 bytes.

    Over, for each window: the work's id and a newline, its columns, its targets; numbers row by
    row as little-endian int32.
    """
    digest = hashlib.sha256()
    for name, window in zip(names, windows, strict=True):
        digest.update(f"{name}\n".encode())
        for rows in (window.columns, window.targets):
            digest.update(np.ascontiguousarray(rows, dtype="<i4").tobytes())
    return digest.digest()


class TrainingBatches(IterableDataset[Batch]):
    """An endless stream of batches; batch i is a function of the seed and i alone.

    Of several worker processes each makes every n-th batch, and the loader takes them in turn: the
    stream is the same.

    Args:
        works: to learn from.
        config: how they become batches.
        start: number of the first batch.
        rank: of this process, which has its share of each batch's rows.
        ranks: how many processes there are.
        ids: of the works, for the digest of what a run reads.
    """

    def __init__(
        self,
        works: Works,
        config: DataConfig,
        *,
        start: int,
        rank: int,
        ranks: int,
        ids: Sequence[str] = (),
    ) -> None:
        if config.batch_size % ranks:
            raise SettingError(
                f"batch_size {config.batch_size} does not divide among {ranks} processes",
                where="data.batch_size",
            )
        self.works, self.config, self.start = works, config, start
        self.ids = ids or [str(index) for index in range(len(works))]
        self.rows = range(rank, config.batch_size, ranks)
        lengths = works.lengths if isinstance(works, RowStore) else [len(work) for work in works]
        self.shares = np.array(lengths) / sum(lengths)

    def batch(self, index: int) -> Batch:
        """Batch number `index` (this process's rows of it), with its digest under `DIGEST`."""
        names, windows = zip(*(self._window(index, row) for row in self.rows), strict=True)
        batch = collate(list(windows), self.config.training_window)
        batch[DIGEST] = torch.frombuffer(bytearray(digest_of(names, windows)), dtype=torch.uint8)
        return batch

    def _window(self, index: int, row: int) -> tuple[str, Window]:
        rng = np.random.default_rng([self.config.seed, index, row])
        place = int(rng.choice(len(self.works), p=self.shares))
        length, augment = self.config.training_window, self.config.augment
        return self.ids[place], self.works[place].training_window(length, augment, rng)

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for index in count(self.start + first, step):
            yield self.batch(index)


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
            for bar, done in work.bare().covering_places(length)
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
        return self.works[index].bare().covering_window(self.length, bar, done)


def loader(
    batches: Dataset[Batch], workers: int | str = AUTO, device: str = "cpu"
) -> DataLoader[Batch]:
    """Batches for a device, in their order.

    Args:
        batches: `TrainingBatches` or `CoveringBatches`.
        workers: processes that cut windows; `auto`: as many as one GPU keeps busy, and none for a
            CPU. None where a process cannot be forked, as on Windows.
        device: its type.
    """
    if workers == AUTO:
        workers = min(WORKERS, cores() - 1) if device == "cuda" else 0
    if not workers or "fork" not in multiprocessing.get_all_start_methods():
        return DataLoader(batches, batch_size=None, shuffle=False)
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=int(workers),
        multiprocessing_context="fork",  # which hands the works over without copying them
        worker_init_fn=_leave_ctrl_c,
        persistent_workers=True,
    )


def _leave_ctrl_c(worker: int) -> None:
    """Ctrl-C ends the run, and the run its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
