"""Many lines in a few arrays, so that a hundred thousand works are held, and read back, at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from gen.likeness.voices import Ints, Voice

State = dict[str, Any]
"""Plain values and arrays: what an index is packed as and made of again."""


class Column:
    """An array that grows at its end.

    Args:
        kind: of its values.
        values: what it begins with; it is not changed.
    """

    def __init__(self, kind: type[np.generic], values: NDArray[Any] | Sequence[int] = ()) -> None:
        self._buffer = np.asarray(values, dtype=kind)
        self._size = len(self._buffer)

    def __len__(self) -> int:
        return self._size

    @property
    def all(self) -> NDArray[Any]:
        """(N,) every value, as a view."""
        return self._buffer[: self._size]

    def __getitem__(self, place: Any) -> Any:
        """A value, or some as a view; the place is one that was filled."""
        return self._buffer[place]

    def extend(self, values: NDArray[Any] | Sequence[int]) -> None:
        end = self._size + len(values)
        if end > len(self._buffer):
            grown = np.zeros(max(end, 2 * len(self._buffer), 16), dtype=self._buffer.dtype)
            grown[: self._size] = self.all
            self._buffer = grown
        self._buffer[self._size : end] = values
        self._size = end


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
        columns, notes = self._columns, self._span("end", place)
        return Voice(
            self._names[columns["label"][place]],
            bool(columns["is_leading"][place]),
            columns["pitches"][notes],
            columns["bars"][notes],
            columns["onsets"][self._span("onsets_end", place)],
            bool(columns["is_together"][place]),
            columns["again"][self._span("again_end", place)],
        )

    def _span(self, name: str, place: int) -> slice:
        ends = self._columns[name]
        return slice(int(ends[place - 1]) if place else 0, int(ends[place]))

    def intervals_of(self, place: int) -> NDArray[np.int16]:
        """Steps of one line in semitones, shape (N - 1,)."""
        pitches: NDArray[np.int16] = self._columns["pitches"][self._span("end", place)]
        return np.diff(pitches)

    @property
    def pitches(self) -> NDArray[np.int16]:
        """Those of all lines, end to end."""
        return self._columns["pitches"].all

    def bounds(self, numbers: Ints) -> tuple[Ints, Ints]:
        """Where lines begin in `pitches`, and how many notes they have."""
        ends = self._columns["end"].all
        starts = np.where(numbers > 0, ends[numbers - 1], 0)
        return starts, ends[numbers] - starts

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
            voices._columns[name] = Column(column.all.dtype.type, state[name])
        return voices


def places_in(
    ordered: NDArray[Any],
    wanted: NDArray[Any],
    *,
    common: float = math.inf,
    most: float = math.inf,
) -> tuple[Ints, Ints]:
    """Places in `wanted` and in `ordered` that agree, as two arrays of equal length.

    Args:
        ordered: (N,) ascending.
        wanted: (W,) in any order.
        common: values that `ordered` has more often are passed over.
        most: of values that would make more pairs, the commonest are passed over, too.
    """
    first = np.searchsorted(ordered, wanted, side="left")
    counts = np.searchsorted(ordered, wanted, side="right") - first
    counts[counts > common] = 0
    if counts.sum() > most:
        rare = np.argsort(counts, kind="stable")
        counts[rare[np.cumsum(counts[rare]) > most]] = 0
    ours = np.repeat(np.arange(len(wanted)), counts)
    begins = np.repeat(first - (np.cumsum(counts) - counts), counts)
    return ours, begins + np.arange(len(ours))


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
