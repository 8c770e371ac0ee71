"""From verified bytes to rows in the store: tokenised or kept from before, side by side if many.

None of the processes judges: what they are given, the gate of this one has verified.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Final, Generic, Self, TypeVar

from gen import processes
from gen.data.cache import EventCache
from gen.data.store import EventStore, Rows, rows_with_echoes
from gen.errors import HouseError
from gen.tokens.encoding import Annotations
from gen.tokens.tokenizer import HouseTokenizer

MANY: Final = 1000
"""Works to tokenise from which on further processes repay their start, which takes seconds."""
_AHEAD: Final = 8
"""Works that wait for each process, at most."""

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Music:
    """What is needed to tokenise a work.

    Attributes:
        sha256: of its bytes, hex.
        score: the piece that the gate read in them, as a `symusic.Score`.
        annotations: what its tag says.
    """

    sha256: str
    score: Any
    annotations: Annotations


class Tokenising(Generic[Name]):
    """Takes works one by one; used as a context manager, whose end awaits them all.

    Args:
        store: takes their rows.
        tools: tokenise.

    Attributes:
        names: of the works in the store, in its order.
    """

    def __init__(self, store: EventStore, tools: Tools) -> None:
        self.names: list[Name] = []
        self._store, self._tools = store, tools
        self._taken = 0
        self._processes = min(processes.cores() - 1, processes.MOST)
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: deque[tuple[Name, str, Music, Future[Rows]]] = deque()

    def take_kept(self, name: Name, sha256: str, annotations: Annotations) -> bool:
        """Store a work's rows as they were kept from before; whether they were.

        Args:
            name: of the work.
            sha256: of its bytes, hex.
            annotations: what its tag says.
        """
        rows = self._tools.kept(sha256, annotations)
        if rows is not None:
            self._put(name, rows)
        return rows is not None

    def take(self, name: Name, path: str, music: Music) -> None:
        """A work to be tokenised and stored.

        Args:
            name: of the work.
            path: its file, for messages.
            music: the work.

        Raises:
            HouseError: this one or one before it cannot be written as events.
        """
        while self._waiting and self._waiting[0][3].done():
            self._collect()
        self._taken += 1
        if self._pool is None and self._taken > MANY and self._processes:
            timing = self._tools.tokenizer.timing
            self._pool = processes.pool(self._processes, _begin, self._tools.cache, timing)
        if self._pool is not None and len(self._waiting) < _AHEAD * self._processes:
            try:
                future = self._pool.submit(_rows, music)
            except BrokenProcessPool:  # a process was ended from outside
                future = self._here(music)
        else:  # nobody is free
            future = self._here(music)
        self._waiting.append((name, path, music, future))

    def _put(self, name: Name, rows: Rows) -> None:
        self._store.append(rows)
        self.names.append(name)

    def _here(self, music: Music) -> Future[Rows]:
        future: Future[Rows] = Future()
        try:
            future.set_result(self._tools.rows(music))
        except HouseError as error:
            future.set_exception(error)
        return future

    def _collect(self) -> None:
        name, path, music, future = self._waiting.popleft()
        if isinstance(future.exception(), BrokenProcessPool):
            future = self._here(music)
        try:
            rows = future.result()
        except HouseError as error:
            raise HouseError(error.what, where=path, mend=error.mend) from error
        self._put(name, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            while self._waiting and kind is None:
                self._collect()
        finally:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Tools:
    """What works are tokenised with, and where what was made before is kept."""

    tokenizer: HouseTokenizer
    cache: EventCache

    def kept(self, sha256: str, annotations: Annotations) -> Rows | None:
        """A work's rows, where they were kept."""
        return self.cache.kept(
            sha256, annotations, self.tokenizer.fingerprint, len(self.tokenizer.fields)
        )

    def rows(self, music: Music) -> Rows:
        """Events and echoes of a work, (T, `row_width`)."""
        tokenizer = self.tokenizer
        return self.cache.rows(
            music.sha256,
            music.annotations,
            tokenizer.fingerprint,
            lambda: rows_with_echoes(tokenizer.events(music.score, music.annotations)),
            len(tokenizer.fields),
        )


_tools: Tools  # of a process that helps


def _begin(cache: EventCache, timing: str) -> None:
    global _tools
    _tools = Tools(HouseTokenizer(timing=timing), cache)


def _rows(music: Music) -> Rows:
    return _tools.rows(music)
