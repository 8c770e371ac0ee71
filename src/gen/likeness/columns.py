"""Many lines in a few arrays, so that a hundred thousand works are held, and read back, at once.

What was kept on disk stays there until it is asked for (`gen.disk.arrays`): a column, and values in
order to look others up in, read what is wanted of it and no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import State, StoredArray
from gen.likeness.voices import Ints, Voice

Values = NDArray[Any] | StoredArray
"""Values in memory, or on disk."""
_FENCED: Final = 1024
"""Of values in order, each so manieth is kept beside them."""


class Column:
    """An array that grows at its end.

    Args:
        kind: of its values.
        values: what it begins with; it is not changed.
    """

    def __init__(self, kind: type[np.generic], values: Values | Sequence[int] = ()) -> None:
        self.kind = kind
        self._stored = values if isinstance(values, StoredArray) else None
        self._first = len(self._stored) if self._stored is not None else 0  # place in the buffer
        self._buffer = np.asarray(() if isinstance(values, StoredArray) else values, dtype=kind)
        self._size = self._first + len(self._buffer)

    def __len__(self) -> int:
        return self._size

    @property
    def all(self) -> NDArray[Any]:
        """(N,) every value; a view where none is on disk."""
        return self.span(0, self._size)

    def __getitem__(self, place: int) -> Any:
        """A value; the place is one that was filled."""
        return self.span(place, place + 1)[0]

    def span(self, first: int, end: int) -> NDArray[Any]:
        """The values from `first` up to `end`; a view unless some are on disk and some not."""
        if self._stored is None or first >= self._first:
            return self._buffer[first - self._first : end - self._first]
        if end <= self._first:
            return self._stored.span(first, end)
        return np.concatenate(
            [self._stored.span(first, self._first), self._buffer[: end - self._first]]
        )

    def at(self, places: Ints) -> NDArray[Any]:
        """The values at some places, in their shape."""
        if self._stored is None:
            return self._buffer[places]
        is_stored = places < self._first
        if is_stored.all():
            return self._stored.at(places)
        found = np.empty(places.shape, self._buffer.dtype)
        found[is_stored] = self._stored.at(places[is_stored])
        found[~is_stored] = self._buffer[places[~is_stored] - self._first]
        return found

    def between(self, number: int) -> tuple[int, int]:
        """Where a stretch begins and ends, of several end to end whose ends these values are."""
        return int(self[number - 1]) if number else 0, int(self[number])

    def extend(self, values: NDArray[Any] | Sequence[int]) -> None:
        size = self._size - self._first
        end = size + len(values)
        if end > len(self._buffer):
            grown = np.zeros(max(end, 2 * len(self._buffer), 16), dtype=self._buffer.dtype)
            grown[:size] = self._buffer[:size]
            self._buffer = grown
        self._buffer[size:end] = values
        self._size = self._first + end


class Ascending:
    """Values in ascending order, to look others up in.

    Of those on disk only the stretches are read in which what is wanted would lie.

    Args:
        values: (N,).
        fences: each `_FENCED`th of them, where they are on disk.
    """

    def __init__(self, values: Values, fences: Values | None = None) -> None:
        self.values, self._fences = values, fences

    def __len__(self) -> int:
        return len(self.values)

    def bounds(self, wanted: NDArray[Any]) -> tuple[Ints, Ints]:
        """For each of (W,) values: how many are smaller, and how many no larger."""
        values = self.values
        if isinstance(values, np.ndarray):
            return (
                np.searchsorted(values, wanted, side="left"),
                np.searchsorted(values, wanted, side="right"),
            )
        if not len(values) or not len(wanted) or self._fences is None:
            nothing = np.zeros(len(wanted), dtype=np.int64)
            return nothing, nothing
        fences = every(self._fences)
        within = [np.maximum(np.searchsorted(fences, wanted, side) - 1, 0) for side in _SIDES]
        chosen = np.unique(np.concatenate(within))
        first = chosen * _FENCED
        end = np.minimum(first + _FENCED, len(values))
        read = np.concatenate(values.spans(first, end))
        before = first - (np.cumsum(end - first) - (end - first))  # what is passed over
        lower, upper = (
            np.searchsorted(read, wanted, side) + before[np.searchsorted(chosen, stretch)]
            for side, stretch in zip(_SIDES, within, strict=True)
        )
        return lower, upper

    def state(self) -> State:
        """All of it, for `of_state`."""
        values = every(self.values)
        return {"values": values, "fences": values[::_FENCED]}

    @staticmethod
    def of_state(state: State) -> Ascending:
        return Ascending(state["values"], state["fences"])


_SIDES: Final[tuple[Literal["left", "right"], ...]] = ("left", "right")


def every(values: Values) -> NDArray[Any]:
    """All of them in memory."""
    return values.all if isinstance(values, StoredArray) else values


def rows_at(values: Values, places: Ints) -> NDArray[Any]:
    """Some rows of an array."""
    return values.at(places) if isinstance(values, StoredArray) else values[places]


class Voices(Sequence[Voice]):
    """Lines in the order in which they were added; a `Voice` is made when it is asked for."""

    def __init__(self, voices: Iterable[Voice] = ()) -> None:
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._columns = {
            "label": Column(np.int32), "is_leading": Column(np.bool_),
            "is_together": Column(np.bool_), "pitches": Column(np.int16),
            "bars": Column(np.int32), "onsets": Column(np.int32), "again": Column(np.int32),
            "end": Column(np.int64), "onsets_end": Column(np.int64), "again_end": Column(np.int64),
        }  # fmt: skip
        for voice in voices:
            self.append(voice)

    def append(self, voice: Voice) -> None:
        """Keep one more."""
        columns = self._columns
        columns["label"].extend([self._numbered(voice.label)])
        columns["is_leading"].extend([voice.is_leading])
        columns["is_together"].extend([voice.is_together])
        columns["pitches"].extend(voice.pitches)
        columns["bars"].extend(voice.bars)
        columns["onsets"].extend(voice.onsets)
        columns["again"].extend(voice.again)
        columns["end"].extend([len(columns["pitches"])])
        columns["onsets_end"].extend([len(columns["onsets"])])
        columns["again_end"].extend([len(columns["again"])])

    def _numbered(self, label: str) -> int:
        if label not in self._numbers:
            self._numbers[label] = len(self._names)
            self._names.append(label)
        return self._numbers[label]

    def __len__(self) -> int:
        return len(self._columns["end"])

    @overload
    def __getitem__(self, place: int) -> Voice: ...
    @overload
    def __getitem__(self, place: slice) -> list[Voice]: ...
    def __getitem__(self, place: int | slice) -> Voice | list[Voice]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        columns = self._columns
        notes = columns["end"].between(place)
        return Voice(
            self._names[columns["label"][place]],
            bool(columns["is_leading"][place]),
            columns["pitches"].span(*notes),
            columns["bars"].span(*notes),
            columns["onsets"].span(*columns["onsets_end"].between(place)),
            bool(columns["is_together"][place]),
            columns["again"].span(*columns["again_end"].between(place)),
        )

    def intervals_of(self, place: int) -> NDArray[np.int16]:
        """Steps of one line in semitones, shape (N - 1,)."""
        notes = self._columns["end"].between(place)
        pitches: NDArray[np.int16] = self.pitches.span(*notes)
        return np.diff(pitches)

    @property
    def pitches(self) -> Column:
        """Those of all lines, end to end."""
        return self._columns["pitches"]

    def bounds(self, numbers: Ints) -> tuple[Ints, Ints]:
        """Where lines begin in `pitches`, and how many notes they have."""
        ends = self._columns["end"]
        starts = np.where(numbers > 0, ends.at(np.maximum(numbers - 1, 0)), 0)
        return starts, ends.at(numbers) - starts

    def state(self) -> State:
        """All of it, for `of_state`."""
        columns = {name: column.all for name, column in self._columns.items()}
        return {"labels": self._names, **columns}

    @staticmethod
    def of_state(state: State) -> Voices:
        voices = Voices()
        voices._names = list(state["labels"])
        voices._numbers = {label: number for number, label in enumerate(voices._names)}
        for name, column in voices._columns.items():
            voices._columns[name] = Column(column.kind, state[name])
        return voices


def places_in(
    ordered: Ascending,
    wanted: NDArray[Any],
    *,
    common: float = math.inf,
    most: float = math.inf,
) -> tuple[Ints, Ints]:
    """Places in `wanted` and in `ordered` that agree, as two arrays of equal length.

    Args:
        ordered: (N,).
        wanted: (W,) in any order.
        common: values that `ordered` has more often are passed over.
        most: of values that would make more pairs, the commonest are passed over, too.
    """
    first, end = ordered.bounds(wanted)
    counts = end - first
    counts[counts > common] = 0
    if counts.sum() > most:
        rare = np.argsort(counts, kind="stable")
        counts[rare[np.cumsum(counts[rare]) > most]] = 0
    ours = np.repeat(np.arange(len(wanted)), counts)
    begins = np.repeat(first - (np.cumsum(counts) - counts), counts)
    return ours, begins + np.arange(len(ours))


@dataclass(frozen=True, slots=True)
class PostingTable:
    """Keys in ascending order and a row of numbers for each; equal keys as they came."""

    keys: Ascending
    rows: Values  # (N, W) int32

    @staticmethod
    def of(parts: Sequence[PostingTable], key: type[np.generic], width: int) -> PostingTable:
        """All of some tables, those of the first before those of the next."""
        keys = np.concatenate([np.zeros(0, key), *(every(part.keys.values) for part in parts)])
        rows = [np.zeros((0, width), np.int32), *(every(part.rows) for part in parts)]
        order = np.argsort(keys, kind="stable")
        return PostingTable(Ascending(keys[order]), np.concatenate(rows)[order])

    def find(
        self, wanted: NDArray[Any], *, common: float, most: float
    ) -> tuple[Ints, NDArray[np.int32]]:
        """As `places_in`: places in `wanted`, and the rows of keys that agree."""
        ours, theirs = places_in(self.keys, wanted, common=common, most=most)
        return ours, rows_at(self.rows, theirs)


class Postings:
    """An inverted index: rows by their keys; grows by `add`, and is sorted when it is asked.

    What came last is looked up apart from the bulk, so that one more piece does not sort it all.

    Args:
        key: kind of the keys.
        width: numbers in a row.
        most_recent: rows that came last, before they become part of the bulk.
    """

    def __init__(self, key: type[np.generic], width: int, most_recent: int) -> None:
        self._key, self._width, self._most_recent = key, width, most_recent
        self._bulk: list[PostingTable] = []
        self._recent: list[PostingTable] = []
        self._count = 0  # of recent rows

    def add(self, parts: Iterable[tuple[NDArray[Any], NDArray[np.int32]]]) -> None:
        """Keep the keys and rows of one more piece."""
        for keys, rows in parts:
            order = np.argsort(keys, kind="stable")
            self._recent.append(PostingTable(Ascending(keys[order]), rows[order]))
            self._count += len(keys)
        if self._count > self._most_recent:
            self._bulk += self._joined(self._recent)
            self._recent, self._count = [], 0

    def tables(self) -> tuple[PostingTable, PostingTable]:
        """The bulk, and what came last."""
        self._bulk, self._recent = self._joined(self._bulk), self._joined(self._recent)
        return self._bulk[0], self._recent[0]

    def _joined(self, parts: list[PostingTable]) -> list[PostingTable]:
        return parts if len(parts) == 1 else [PostingTable.of(parts, self._key, self._width)]

    def state(self) -> State:
        """All of it, for `restore`."""
        (table,) = self._joined([*self._bulk, *self._recent])
        return {"keys": table.keys.state(), "rows": every(table.rows)}

    def restore(self, state: State) -> None:
        """Take in what `state` gave, into an empty index of the same kind."""
        self._bulk = [PostingTable(Ascending.of_state(state["keys"]), state["rows"])]


def encode(state: State) -> bytes:
    """A state as bytes, for `decode`."""
    return msgspec.msgpack.encode(state, enc_hook=_packed)


def decode(data: bytes | memoryview) -> State:
    """The state that `encode` was given; its arrays are copies that may be changed."""
    found: State = msgspec.msgpack.decode(data, ext_hook=_unpacked, strict=False)
    return found


_ARRAY = 1


def _packed(value: object) -> msgspec.msgpack.Ext:
    """An array: its kind and shape as a line of text, then its bytes."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"a {type(value).__name__} in a state")
    head = " ".join([value.dtype.str, *map(str, value.shape)])
    return msgspec.msgpack.Ext(_ARRAY, head.encode() + b"\n" + value.tobytes())


def _unpacked(code: int, data: memoryview) -> NDArray[Any]:
    if code != _ARRAY:
        raise ValueError(f"an extension of kind {code} in a state")
    end = bytes(data[:100]).index(b"\n")
    kind, *shape = bytes(data[:end]).decode().split()
    return np.frombuffer(data[end + 1 :], dtype=kind).reshape(tuple(map(int, shape))).copy()
