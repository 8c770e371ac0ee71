"""Reads many works of a house by further processes, before they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Self

from gen import processes
from gen.contribution.kept import Kept, KeptCache
from gen.errors import HouseError
from gen.provenance.house import House
from gen.provenance.record import WorkRecord
from gen.provenance.works import kept_work

MANY = 1000
"""Works to read from which on further processes repay their start."""
_AHEAD = 8
"""Works that wait for each process, at most."""


class ReadingAhead:
    """Other processes read the works that were not kept, in the order in which they are asked for.

    They are given what this process has found to be the entered bytes, and judge nothing. Used as
    a context manager; without `MANY` such works nothing is started.

    Args:
        house: where.
        cache: says what was kept.
        new: records of the works that are to be read, in order.
    """

    def __init__(self, house: House, cache: KeptCache, new: Sequence[WorkRecord]) -> None:
        if len(new) >= MANY:
            new = [record for record in new if not cache.has(record.entry.file_sha256)]
        self._house, self._new = house, iter(new)
        self._futures: dict[str, Future[Kept]] = {}
        count = processes.cores() if len(new) >= MANY else 1
        self._most = _AHEAD * count if count > 1 else 0
        self._pool = processes.pool(count) if self._most else None

    def take(self, record: WorkRecord) -> Kept | None:
        """What was read of this work; None where no other process has read it.

        Raises:
            HouseError: it cannot be read.
        """
        self._send()
        future = self._futures.pop(record.entry.file_sha256, None)
        if future is None or future.cancel():  # nobody has begun with it
            return None
        try:
            return future.result()
        except BrokenProcessPool:  # a process was ended from outside
            return None

    def _send(self) -> None:
        while self._pool and len(self._futures) < self._most and (record := next(self._new, None)):
            try:
                tagged = kept_work(self._house, record)
                self._futures[record.entry.file_sha256] = self._pool.submit(Kept.of, tagged)
            except (HouseError, OSError, BrokenProcessPool):
                continue  # who asks for it is told why

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
