"""What followed the last time the music stood here: memory that costs a model no attention.

Each track is read as one stream of rows over all its bars. For each row the earlier place is
found whose recent past equals the row's own for the longest stretch (1, 2, 4 … 64 rows, the
latest such place), and what followed there is told: exactly (the *echo*: same pitches), and by
rhythm alone (the *rhyme*: when the next note comes, and its pitch if the interval is the same).
Everything told follows from earlier rows, so it is an input and never predicted.

The idea is that of the suffix match in prediction by partial matching (Cleary & Witten 1984,
doi:10.1109/TCOM.1984.1096090) and of induction heads (Olsson et al. 2022, arXiv:2209.11895),
which small models learn late; here it is a table. Numpy only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import FIRST, SPANS, Kind

Events = NDArray[np.int16]
Ints = NDArray[np.int64]

LEVELS: Final = 7
"""Stretches of 2**0 to 2**(LEVELS - 1) rows are compared."""

ECHO_COLUMNS: Final = (
    "echo_kind", "echo_position", "echo_value", "echo_extent", "echo_level", "echo_length",
    "rhyme_position", "rhyme_value", "rhyme_length",
)  # fmt: skip
_VALUE, _LEVEL, _RHYME_VALUE = 2, 4, 7
_SOUNDS: Final = range(FIRST["pitch"], SPANS["drum"].stop)
_PITCHES: Final = SPANS["pitch"]
_NOTHING: Final = -1000
"""Stands for no value until values are shown; none that is transposed comes near."""

ECHO_SIZES: Final = (
    *v.FIELD_SIZES[:2], len(_SOUNDS) + 1, *v.FIELD_SIZES[3:], LEVELS + 1,
    v.FIELD_SIZES[v.POSITION], len(_PITCHES) + 1, LEVELS + 1,
)  # fmt: skip
"""Ids in each column; 0 is *none* in all of them."""

_HEARD: Final = (Kind.BAR, Kind.CELL, Kind.FILL, Kind.NOTE, Kind.PEDAL)
"""Rows of the music itself; whatever else is told between them is passed over."""
_IS_HEARD: Final = np.isin(np.arange(len(Kind)), _HEARD)
_IS_CELL: Final = np.isin(np.arange(len(Kind)), (Kind.CELL, Kind.FILL))


def echoes(events: Events) -> Events:
    """What is told at each row of a work, before it is shown. (T, 5) -> (T, 9) int16.

    The values hold pitch ids that transposition may still move; `shown` makes them columns.
    """
    result = np.zeros((len(events), len(ECHO_COLUMNS)), dtype=np.int16)
    result[:, [_VALUE, _RHYME_VALUE]] = _NOTHING
    heard = np.flatnonzero(_IS_HEARD[events[:, v.KIND]])
    if not len(heard):
        return result
    rows = events[heard].astype(np.int64)  # (N, 5)
    rows[_IS_CELL[rows[:, v.KIND]], v.EXTENT] = 0  # a density is told, not heard
    slot = _slots(rows)
    order = np.argsort(slot, kind="stable")  # track after track, each in order of time
    streams, slot = rows[order], slot[order]
    place = (slot * len(Kind) + streams[:, v.KIND]) * 256 + streams[:, v.POSITION]
    value = np.where(_IS_CELL[streams[:, v.KIND]], 0, streams[:, v.VALUE])
    ordinal = _ordinals(place)
    told = np.zeros((len(rows), len(ECHO_COLUMNS)), dtype=np.int64)

    match, length = _longest(place * 1024 + value)
    found = match >= 0
    after = rows[np.where(found, order[match] + 1, 0)] * found[:, None]
    told[:, :5], told[:, 5] = after, length
    sounds = after[:, v.KIND] == Kind.NOTE
    told[:, _VALUE] = np.where(sounds, after[:, v.VALUE], _NOTHING)

    match, length = _longest(place * 1024 + ordinal)
    found = match >= 0
    after = rows[np.where(found, order[match] + 1, 0)] * found[:, None]
    told[:, 6], told[:, 8] = after[:, v.POSITION], length
    melodic = (streams[:, v.KIND] == Kind.NOTE) & (streams[:, v.VALUE] < _PITCHES.stop)
    goes_on = found & melodic & (after[:, v.KIND] == Kind.NOTE)
    moved = streams[:, v.VALUE] + after[:, v.VALUE] - streams[match, v.VALUE]
    told[:, _RHYME_VALUE] = np.where(goes_on, moved, _NOTHING)

    result[heard[order]] = told
    return result


def shown(told: Events, *, semitones: int = 0, velocity: int = 0) -> Events:
    """Columns of a work that is transposed, and played louder, by so much. (T, 9) -> (T, 9).

    Args:
        told: rows of `echoes`.
        semitones: how far melodic notes were moved.
        velocity: how many velocity classes they were moved.
    """
    result = told.copy()
    for column in (_VALUE, _RHYME_VALUE):
        value = told[:, column].astype(np.int64)
        drum = (value >= SPANS["drum"].start) & (column == _VALUE)
        moved = np.where(drum, value, value + semitones)
        kept = drum | ((moved >= _PITCHES.start) & (moved < _PITCHES.stop))
        result[:, column] = np.where(kept, moved - _SOUNDS.start + 1, 0)
    levels = SPANS["velocity"]
    struck = (told[:, _LEVEL] >= levels.start) & (told[:, _LEVEL] < levels.stop)
    moved = np.clip(told[:, _LEVEL] + velocity, levels.start, levels.stop - 1)
    result[:, _LEVEL] = np.where(struck, moved, told[:, _LEVEL])
    return result


def _slots(rows: Ints) -> Ints:
    """Value id of the slot each row is in, 0 outside any. (N, 5) -> (N,)."""
    index = np.arange(len(rows))
    cell = np.maximum.accumulate(np.where(_IS_CELL[rows[:, v.KIND]], index, -1))
    bar = np.maximum.accumulate(np.where(rows[:, v.KIND] == Kind.BAR, index, -1))
    return np.where(cell > bar, rows[cell, v.VALUE], 0)


def _ordinals(place: Ints) -> Ints:
    """How many rows stand just before each at the same place. (N,) -> (N,)."""
    index = np.arange(len(place))
    begins = np.ones(len(place), dtype=np.bool_)
    begins[1:] = place[1:] != place[:-1]
    return index - np.maximum.accumulate(np.where(begins, index, 0))


def _longest(keys: Ints) -> tuple[Ints, Ints]:
    """The latest earlier row whose past equals each row's longest.

    Args:
        keys: (N,) in order of the streams; no key stands in two streams.

    Returns:
        Index of the row, -1 for none, and 1 + log2 of how many rows are equal, both (N,).
    """
    count = len(keys)
    best, length = np.full(count, -1), np.zeros(count, dtype=np.int64)
    names = np.unique(keys, return_inverse=True)[1].reshape(-1)
    for level in range(LEVELS):
        order = np.argsort(names, kind="stable")
        same = (names[order[1:]] == names[order[:-1]]) & (names[order[1:]] >= 0)
        best[order[1:][same]] = order[:-1][same]
        length[order[1:][same]] = level + 1
        step = 2**level
        if not same.any() or step >= count:
            break
        # Twice as long: a name for each pair of neighbours, of which both must be there.
        pairs = np.full(count, -1)
        whole = (names[step:] >= 0) & (names[:-step] >= 0)
        both = names[step:][whole] * count + names[:-step][whole]
        pairs[step:][whole] = np.unique(both, return_inverse=True)[1].reshape(-1)
        names = pairs
    return best, length


class EchoMemory:
    """The same, row by row, as a piece is written."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []  # those that are heard
        self.slot = 0
        self.exact, self.rhythm = _Suffixes(), _Suffixes()
        self.places: dict[int, tuple[tuple[int, ...], int]] = {}  # a slot: last place, ordinal

    def take(self, row: list[int]) -> list[int]:
        """Take in a row; return its columns."""
        kind, position, value, _, _ = row
        if not _IS_HEARD[kind]:
            return [0] * len(ECHO_COLUMNS)
        if kind == Kind.BAR:
            self.slot = 0
        elif _IS_CELL[kind]:
            self.slot = value
        self.rows.append([*row[: v.EXTENT], 0, 0] if _IS_CELL[kind] else row)
        place = (self.slot, kind, position)
        last, ordinal = self.places.get(self.slot, ((), 0))
        ordinal = ordinal + 1 if last == place else 0
        self.places[self.slot] = place, ordinal
        index, slot = len(self.rows) - 1, self.slot
        echo, length = self.exact.find(slot, (*place, 0 if _IS_CELL[kind] else value), index)
        rhyme, rhyme_length = self.rhythm.find(slot, (*place, ordinal), index)
        result = [0] * len(ECHO_COLUMNS)
        if echo >= 0:
            after = self.rows[echo + 1]
            result[:6] = [*after, length]
            sounds = after[v.KIND] == Kind.NOTE
            result[_VALUE] = after[v.VALUE] - _SOUNDS.start + 1 if sounds else 0
        if rhyme >= 0:
            after = self.rows[rhyme + 1]
            result[6], result[8] = after[v.POSITION], rhyme_length
            if kind == Kind.NOTE and value < _PITCHES.stop and after[v.KIND] == Kind.NOTE:
                moved = value + after[v.VALUE] - self.rows[rhyme][v.VALUE]
                if moved in _PITCHES:
                    result[_RHYME_VALUE] = moved - _SOUNDS.start + 1
        return result


class _Suffixes:
    """Names for stretches of rows, each made of two of half its length."""

    def __init__(self) -> None:
        self.names: list[dict[tuple[int, ...], int]] = [{} for _ in range(LEVELS)]
        self.latest: list[dict[int, int]] = [{} for _ in range(LEVELS)]
        self.streams: dict[int, list[list[int]]] = {}  # a slot: for each level, names so far

    def find(self, slot: int, key: tuple[int, ...], index: int) -> tuple[int, int]:
        """Enter row `index`; return the row with the longest equal past, and its level."""
        stream = self.streams.setdefault(slot, [[] for _ in range(LEVELS)])
        best, length = -1, 0
        for level in range(LEVELS):
            if level:
                below, step = stream[level - 1], 2 ** (level - 1)
                if len(below) <= step or below[-1 - step] < 0:
                    stream[level].append(-1)
                    continue
                key = below[-1], below[-1 - step]
            names = self.names[level]
            name = names.setdefault(key, len(names))
            stream[level].append(name)
            earlier = self.latest[level].get(name, -1)
            self.latest[level][name] = index
            if earlier >= 0:
                best, length = earlier, level + 1
        return best, length
