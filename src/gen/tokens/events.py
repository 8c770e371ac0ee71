"""A sequence of events: one array of ids, and what follows from their order.

T events, F fields: those of `vocabulary.FIELDS`, and of played music those of `timing.FIELDS`. The
array is what models learn from and files keep; all that a reader of music asks (which bar, which
track, which step) is worked out here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from gen import harmony
from gen.errors import HouseError
from gen.harmony import Chord
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, key_id, section_id

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

CELL_MARKS: Final = (Kind.CELL, Kind.HOLE, Kind.FILL)
"""Kinds after which the notes of one track in one bar stand, or are left out."""


class Event(NamedTuple):
    """One event as plain ids, in the order of `vocabulary.FIELDS`; 0 is absent."""

    kind: int
    position: int = 0
    value: int = 0
    extent: int = 0
    level: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Events:
    """Events in a row; slices, masks and indices select events, `+` joins, two indices give ids.

    Columns (`kind`, `position`, `value`, `extent`, `level`) are ids, (T,) int16; what is derived
    from them is (T,) int64 and worked out when it is first asked for.

    Args:
        array: (T, F) int16, not to be written to.
    """

    array: NDArray[np.int16]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Events:
        """Events from rows of ids; what shorter rows lack is absent."""
        found = [*rows]
        width = max(map(len, found), default=len(v.FIELDS))
        if any(len(row) < width for row in found):
            found = [[*row, *[0] * (width - len(row))] for row in found]
        return cls(np.array(found, dtype=np.int16).reshape(-1, width))

    @classmethod
    def joined(cls, parts: Iterable[Events]) -> Events:
        """Several sequences one after another; fields that only some have are absent in others."""
        arrays = [np.zeros((0, len(v.FIELDS)), np.int16), *(part.array for part in parts)]
        width = max(array.shape[1] for array in arrays)
        return cls(np.concatenate([_widened(array, width) for array in arrays]))

    # As a sequence -----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, chosen: int) -> Event: ...
    @overload
    def __getitem__(self, chosen: slice | NDArray[Any] | list[int]) -> Events: ...
    @overload
    def __getitem__(self, chosen: tuple[Any, Any]) -> Any: ...
    def __getitem__(self, chosen: Any) -> Any:
        if isinstance(chosen, int | np.integer):
            return Event._make(self.array[chosen, _OF_AN_EVENT].tolist())
        if isinstance(chosen, tuple):
            return self.array[chosen]
        return Events(self.array[chosen])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __iter__(self) -> Iterator[Event]:
        return map(Event._make, self.array[:, _OF_AN_EVENT].tolist())

    def tolist(self) -> list[list[int]]:
        """Plain rows of ids, to be changed at will."""
        rows: list[list[int]] = self.array.tolist()
        return rows

    def __add__(self, other: Events) -> Events:
        return Events.joined([self, other])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Events):
            return NotImplemented
        return np.array_equal(self.array, other.array)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Events({'; '.join(in_words(event) for event in self)})"

    # Columns -----------------------------------------------------------------------------

    @property
    def kind(self) -> NDArray[np.int16]:
        return self.array[:, v.KIND]

    @property
    def position(self) -> NDArray[np.int16]:
        return self.array[:, v.POSITION]

    @property
    def value(self) -> NDArray[np.int16]:
        return self.array[:, v.VALUE]

    @property
    def extent(self) -> NDArray[np.int16]:
        return self.array[:, v.EXTENT]

    @property
    def level(self) -> NDArray[np.int16]:
        return self.array[:, v.LEVEL]

    # Off the grid ------------------------------------------------------------------------

    @property
    def fields(self) -> int:
        """How many there are in a row."""
        return int(self.array.shape[1])

    @property
    def is_played(self) -> bool:
        """Whether they hold what a player did beside the grid."""
        wide = self.fields > len(v.FIELDS) and len(self) > 0
        return wide and self.array[0, timing.ONSET] == timing.MARK

    def on_grid(self) -> Events:
        """The same in the five fields of the grid."""
        return Events(self.array[:, _OF_AN_EVENT])

    def widened(self, fields: int) -> Events:
        """The same in at least so many fields, absent where there were none."""
        return Events(_widened(self.array, max(fields, self.fields)))

    def straightened(self) -> Events:
        """The same in as many fields, on the grid."""
        array = self.array.copy()
        array[:, len(v.FIELDS) :] = 0
        return Events(array)

    # What the ids mean -------------------------------------------------------------------

    @cached_property
    def number(self) -> Ints:
        """Number of the value among the words of its type: a pitch, a program, a slot, …; or -1."""
        return _NUMBERS[self.value]

    @cached_property
    def step(self) -> Ints:
        """Grid steps from the beginning of the bar; 0 for events without a position."""
        return np.maximum(WORDS.position.number(self.position.astype(np.int64)), 0)

    @cached_property
    def is_pitched(self) -> Mask:
        """Notes of melodic tracks."""
        return self.is_a(Kind.NOTE) & WORDS.pitch.holds(self.value)

    # Where they stand --------------------------------------------------------------------

    def is_a(self, *kinds: Kind) -> Mask:
        """Which events are of these kinds. (T,)."""
        found: Mask = self.kind == kinds[0]
        for kind in kinds[1:]:
            found = found | (self.kind == kind)
        return found

    def rows_of(self, *kinds: Kind) -> Ints:
        """Indices of the events of these kinds."""
        return np.flatnonzero(self.is_a(*kinds))

    def only(self, *kinds: Kind) -> Events:
        """The events of these kinds alone."""
        return self[self.is_a(*kinds)]

    def count(self, *kinds: Kind) -> int:
        """How many events are of these kinds."""
        return int(np.count_nonzero(self.is_a(*kinds)))

    @cached_property
    def bar_rows(self) -> Ints:
        """Index of each BAR."""
        return self.rows_of(Kind.BAR)

    @cached_property
    def bar(self) -> Ints:
        """Bar of each event, counted from 0; -1 in the header.

        A FILL and what follows it stand in the bar of their HOLE.
        """
        bar = np.cumsum(self.is_a(Kind.BAR)) - 1
        fills = np.cumsum(self.is_a(Kind.FILL))
        holes = self.rows_of(Kind.HOLE)
        if len(holes) and fills[-1:].any():
            filling = fills > 0
            bar[filling] = bar[holes[np.minimum(fills[filling], len(holes)) - 1]]
        return bar

    @cached_property
    def cell(self) -> Ints:
        """Index of the CELL, HOLE or FILL that each event is or follows in its bar; or -1."""
        mark, bar = latest(self.is_a(*CELL_MARKS)), latest(self.is_a(Kind.BAR))
        return np.where(mark > bar, mark, -1)

    @cached_property
    def track(self) -> Ints:
        """Track of each event, counted from 0: of its cell, or that a TRACK declares; else -1."""
        track = np.where(self.cell >= 0, self.number[self.cell], -1)
        declared = self.is_a(Kind.TRACK)
        track[declared] = np.arange(np.count_nonzero(declared))
        return track

    @property
    def tracks(self) -> int:
        """How many tracks are declared."""
        return self.count(Kind.TRACK)

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return self.count(Kind.NOTE)

    @cached_property
    def header(self) -> Events:
        """What stands before the first bar; all but EOS where there is none."""
        return self[: self.bar_rows[0] if len(self.bar_rows) else len(self) - 1]

    @cached_property
    def bar_steps(self) -> Ints:
        """Length of each bar in grid steps. (bars,)."""
        return v.BAR_STEPS[self.number[self.bar_rows]]

    @cached_property
    def bar_starts(self) -> Ints:
        """Grid step at which each bar begins, and the end of the last. (bars + 1,)."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.bar_steps)])

    # One event each ----------------------------------------------------------------------

    @classmethod
    def bos(cls) -> Events:
        """The beginning."""
        return _one(Kind.BOS)

    @classmethod
    def eos(cls) -> Events:
        """The end."""
        return _one(Kind.EOS)

    @classmethod
    def genre(cls, name: str) -> Events:
        """One of `harmony.GENRES`; SettingError for another, naming the nearest."""
        known = harmony.nearest(name, harmony.GENRES, setting="genre")
        return _one(Kind.GENRE, WORDS.genre.id(harmony.GENRES.index(known)))

    @classmethod
    def mood(cls, name: str) -> Events:
        """One of `harmony.MOODS`; SettingError for another, naming the nearest."""
        known = harmony.nearest(name, harmony.MOODS, setting="mood")
        return _one(Kind.MOOD, WORDS.mood.id(harmony.MOODS.index(known)))

    @classmethod
    def key(cls, name: str) -> Events:
        """A key such as `A minor`; a mode counts as the major or minor it belongs to."""
        return _one(Kind.KEY, key_id(name))

    @classmethod
    def style(cls, number: int) -> Events:
        """The style of a composer, counted from 0.

        Raises:
            HouseError: it is beyond the vocabulary.
        """
        if not 0 <= number < v.MAX_STYLES:
            raise HouseError(f"style {number} is outside 0 to {v.MAX_STYLES - 1}")
        return _one(Kind.STYLE, WORDS.style.id(number))

    @classmethod
    def new_track(cls, instrument: int, register: int | None = None) -> Events:
        """Declares the next track: its program or `piece.DRUM_PROGRAM`, its octave."""
        level = 0 if register is None else WORDS.register.id(register)
        return _one(Kind.TRACK, WORDS.program.id(instrument), level=level)

    @classmethod
    def section(cls, name: str) -> Events:
        """A section begins with this bar; see `section_id`."""
        return _one(Kind.SECTION, section_id(name))

    @classmethod
    def chord(cls, chord: Chord | None, step: int = 0) -> Events:
        """A chord, or none, from a step of the bar on."""
        return _one(Kind.CHORD, chord_id(chord), WORDS.position.id(step))


def latest(marks: Mask) -> Ints:
    """Index of the latest marked event at or before each; -1 before the first. (T,) -> (T,)."""
    index = np.where(marks, np.arange(len(marks)), -1)
    return np.maximum.accumulate(index) if len(index) else index


def in_words(event: Sequence[int]) -> str:
    """An event as its words: `Note Position_0 Pitch_60 Duration_12 Velocity_83`."""
    kind, *rest = event
    named = (_WORDS[field][word] for field, word in enumerate(rest, 1) if word)
    return " ".join([Kind(kind).name.title(), *named])


def _one(kind: Kind, value: int = 0, position: int = 0, level: int = 0) -> Events:
    return Events(np.array([[kind, position, value, 0, level]], dtype=np.int16))


def _widened(array: NDArray[np.int16], width: int) -> NDArray[np.int16]:
    """Rows with absent fields behind their own."""
    lacking = width - array.shape[1]
    return np.pad(array, ((0, 0), (0, lacking))) if lacking else array


def _numbers() -> Ints:
    """Value id: its number among the words of its type, -1 for an absent one."""
    numbers = np.full(v.FIELD_SIZES[v.VALUE], -1)
    for name in v.VALUE_WORD_TYPES:
        numbers[v.SPANS[name]] = np.arange(len(v.SPANS[name]))
    return numbers


_OF_AN_EVENT: Final = slice(0, len(v.FIELDS))
_NUMBERS: Final = _numbers()
_WORDS: Final = [[*v.SPECIALS, *words] for words in v.words()]
