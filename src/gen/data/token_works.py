"""Works in one of MidiTok's tokenizations, and the windows that are cut from them.

A window goes on from a bar line and begins with nothing else: these tokens have no header.
T rows, F fields.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.data.augment import AugmentConfig
from gen.data.cache import SealedCache
from gen.data.store import EventStore, RowStore
from gen.data.windows import Window
from gen.errors import HouseError
from gen.tokens.choice import TokenizerChoice, TokenizerPlugin
from gen.tokens.events import Events, Ints
from gen.tokens.miditok_tokens import MidiTokTokens
from gen.tokens.tokenization import Ids


@dataclass(frozen=True, slots=True)
class TokenWork:
    """One work's tokens.

    Attributes:
        tokens: how it is written.
        rows: (T, F) from BOS to EOS.
        bars: (T,) the bar that each row stands in.
        joined: tokens that byte-pair encoding makes one of, on average; 1 where `rows` are what
            is learned.
    """

    tokens: MidiTokTokens
    rows: Ids
    bars: Ids
    joined: float = 1.0

    def __len__(self) -> int:
        return len(self.rows)

    def bare(self) -> TokenWork:
        """The work as bits per note are counted: with byte-pair encoding, if there is any."""
        if self.joined == 1.0:
            return self
        rows, bars = self.tokens.encoded(self.rows, self.bars)
        return TokenWork(self.tokens, rows, bars)

    def training_window(self, length: int, augment: AugmentConfig, rng: Generator) -> Window:
        """Cut and vary one window of at most `length` predicted rows."""
        reach = round((length + 1) * self.joined)
        starts = self._starts(reach)
        last = max(int(np.searchsorted(starts, len(self.rows) - reach, side="left")), 0)
        last = min(last, len(starts) - 1)
        first = 0 if rng.random() < 0.25 else int(starts[rng.integers(0, last + 1)])
        stop = first + 2 * reach  # some bars join less than others
        rows, bars = self.rows[first:stop], self.bars[first:stop]
        rows = self._varied(rows, augment, rng)
        if self.joined != 1.0:
            rows, _ = self.tokens.encoded(rows, bars, length + 1)
        rows = rows[: length + 1]
        return _window(rows, np.ones(len(rows), dtype=np.bool_))

    def _varied(self, rows: Ids, augment: AugmentConfig, rng: Generator) -> Ids:
        pitches, most = self.tokens.pitches(rows), augment.transpose
        low = max(-most, -int(pitches.min(initial=127)))
        high = min(most, 127 - int(pitches.max(initial=0)))
        return self.tokens.varied(
            rows,
            Pitch=int(rng.integers(low, high + 1)) if low <= high else 0,
            Tempo=int(rng.integers(-augment.tempo, augment.tempo + 1)),
            Velocity=int(rng.integers(-augment.velocity, augment.velocity + 1)),
        )

    def _starts(self, length: int) -> Ints:
        """Rows that a window may begin with: bar lines, and places inside bars that are longer."""
        edges = np.concatenate([[0], np.flatnonzero(np.diff(self.bars)) + 1, [len(self.rows)]])
        inside = [
            np.arange(first, stop, max(1, length // 2))
            for first, stop in itertools.pairwise(edges)
            if stop - first > length // 2
        ]
        return np.unique(np.concatenate([edges[:-1], *inside]))

    def covering_places(self, length: int) -> Iterator[tuple[int, int]]:
        """First row of each covering window, and how many rows were counted before it."""
        count, starts = len(self.rows), self._starts(length)
        first, done = 0, 0
        while done < count:
            yield first, done
            done = min(first + length + 1, count)
            back = done - length // 2
            first = int(starts[np.searchsorted(starts, back, side="right") - 1])

    def covering_window(self, length: int, first: int, done: int) -> Window:
        """The window that begins at a row and counts what follows the first `done` rows."""
        rows = self.rows[first : first + length + 1]
        return _window(rows, np.arange(first, first + len(rows)) >= done)


def _window(rows: Ids, counted: NDArray[np.bool_]) -> Window:
    return Window(rows[:-1].copy(), rows[1:].copy(), counted[1:])


class TokenStore(RowStore[TokenWork]):
    """Works in a tokenization; rows are ids without byte-pair encoding, and the bar of each.

    Args:
        tokens: the tokenization.
        folder: see `RowStore`.
    """

    def __init__(self, tokens: MidiTokTokens, folder: Path | None = None) -> None:
        super().__init__(len(tokens.fields) + 1, folder)
        self.tokens, self.joined = tokens, 1.0

    def __getitem__(self, index: int) -> TokenWork:  # type: ignore[override]
        entry = self._entries[index]
        rows = np.asarray(self._rows[entry.first : entry.stop])
        return TokenWork(self.tokens, rows[:, :-1], rows[:, -1], self.joined)

    def learn(
        self, chosen: TokenizerChoice, train: Iterable[int], given: MidiTokTokens | None = None
    ) -> None:
        """Join what often stands together in these works, if that is chosen, or as is `given`."""
        if chosen.vocab_size is None:
            return
        works = [(work.rows, work.bars) for work in self.chosen(train)]
        self.tokens = given or self.tokens.learned(works, chosen.vocab_size)
        before = sum(len(rows) for rows, _ in works)
        self.joined = before / sum(len(self.tokens.encoded(*work)[0]) for work in works)


class TokenCache(SealedCache):
    """Rows by work."""

    kind = "tokens 1"

    def rows(self, events: Events, fingerprint: str, make: Callable[[], Ids]) -> Ids:
        """Kept rows if their seal holds, else made and kept. (T, F + 1).

        Args:
            events: of the work.
            fingerprint: of the tokenization.
            make: tokenises it.
        """
        words = f"{fingerprint}\n{version('miditok')}\n{version('symusic')}\n".encode()
        name = hashlib.sha256(words + events.array.tobytes()).hexdigest()
        kept = self.get(name)
        if kept is not None:
            width = int.from_bytes(kept[:2], "little")
            return np.frombuffer(kept[2:], dtype="<i2").reshape(-1, width).astype(np.int16)
        rows = make()
        width = rows.shape[1].to_bytes(2, "little")
        self.put(name, width + np.ascontiguousarray(rows, dtype="<i2").tobytes())
        return rows


def token_store(
    works: EventStore,
    names: Iterable[str],
    chosen: TokenizerChoice,
    train: Iterable[int],
    given: MidiTokTokens | None = None,
    plugin: TokenizerPlugin | None = None,
) -> TokenStore:
    """Works in the chosen tokenization.

    Args:
        works: as the house's events.
        names: of each, for messages.
        chosen: the settings.
        train: which of them byte-pair encoding may learn from.
        given: what byte-pair encoding has learned already, of a model that is begun with.
        plugin: that the settings name.

    Raises:
        HouseError: a work that cannot be written so.
    """
    tokens, cache = MidiTokTokens.of(chosen, plugin), TokenCache.of_user()
    store, fingerprint = TokenStore(tokens, cache.folder), tokens.fingerprint
    with store:
        for name, work in zip(names, works, strict=True):
            events = work.events
            try:
                store.append(cache.rows(events, fingerprint, lambda: _rows(tokens, events)))  # noqa: B023 - called at once
            except HouseError as error:
                raise HouseError(error.what, where=name, mend=error.mend) from error
    store.learn(chosen, train, given)
    return store


def _rows(tokens: MidiTokTokens, events: Events) -> Ids:
    rows, bars = tokens.base_rows(events)
    return np.concatenate([rows, bars[:, None]], axis=1)
