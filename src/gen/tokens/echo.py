"""What followed the last time the music stood here: memory that costs a model no attention.

Each track is read as one stream of rows over all its bars, in the order of time: what fills a hole
goes on from what stands before the hole. For each row the place among the rows before it is
found whose recent past equals the row's own for the longest stretch (1, 2, 4 … 64 rows, the
latest such place), and the columns say what followed there: exactly (the *echo*: same pitches),
and by rhythm alone (the *rhyme*: when the next note comes, and its pitch if the interval is the
same). All of it follows from earlier rows, so it is an input and never predicted; as the holes
are filled last, they may echo what comes after them in time.

The idea is that of the suffix match in prediction by partial matching (Cleary & Witten 1984,
doi:10.1109/TCOM.1984.1096090) and of induction heads (Olsson et al. 2022, arXiv:2209.11895),
which small models learn late; here it is a table. Numpy only.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.tokens import vocabulary as v
from gen.tokens.events import Events, Ints
from gen.tokens.vocabulary import WORDS, Kind

Echo = NDArray[np.int16]
"""What is echoed at each event, (T, 9)."""

LEVELS: Final = 7
"""Stretches of 2**0 to 2**(LEVELS - 1) rows are compared."""

ECHO_COLUMNS: Final = (
    "echo_kind", "echo_position", "echo_value", "echo_extent", "echo_level", "echo_length",
    "rhyme_position", "rhyme_value", "rhyme_length",
)  # fmt: skip
_FIELDS: Final = slice(0, len(v.FIELDS))
_VALUE, _LEVEL, _LENGTH, _RHYME_POSITION, _RHYME_VALUE, _RHYME_LENGTH = 2, 4, 5, 6, 7, 8
_SOUNDS: Final = range(WORDS.pitch.start, WORDS.drum.stop)
_PITCHES: Final = WORDS.pitch
_NOTHING: Final = -1000
"""Stands for no value until there are columns; none that is transposed comes near."""

ECHO_SIZES: Final = (
    *v.FIELD_SIZES[:2], len(_SOUNDS) + 1, *v.FIELD_SIZES[3:], LEVELS + 1,
    v.FIELD_SIZES[v.POSITION], len(_PITCHES) + 1, LEVELS + 1,
)  # fmt: skip
"""Ids in each column; 0 is *none* in all of them."""

_MUSIC: Final = (Kind.BAR, Kind.CELL, Kind.FILL, Kind.NOTE, Kind.PEDAL)
"""Rows of the music itself; annotations between them are passed over."""
_IS_MUSIC: Final = np.isin(np.arange(len(Kind)), _MUSIC)
_IS_CELL: Final = np.isin(np.arange(len(Kind)), (Kind.CELL, Kind.FILL))


def echoes(events: Events) -> Echo:
    """What followed the last time, at each row of a work; not yet as columns. (T, 9) int16.

    The values hold pitch ids that transposition may still move; `echo_columns` makes them columns.
    """
    result = np.zeros((len(events), len(ECHO_COLUMNS)), dtype=np.int16)
    result[:, [_VALUE, _RHYME_VALUE]] = _NOTHING
    music = np.flatnonzero(_IS_MUSIC[events.kind])
    if not len(music):
        return result
    rows = events.array[music][:, _FIELDS].astype(np.int64)  # (N, F)
    rows[_IS_CELL[rows[:, v.KIND]], v.EXTENT] = 0  # a density is an annotation
    past, slot = _pasts(events, music)
    kind = np.where(rows[:, v.KIND] == Kind.FILL, Kind.CELL, rows[:, v.KIND])
    place = (slot * len(Kind) + kind) * 256 + rows[:, v.POSITION]
    value = np.where(kind == Kind.CELL, 0, rows[:, v.VALUE])
    echo = np.zeros((len(rows), len(ECHO_COLUMNS)), dtype=np.int64)

    match, length = _longest(place * 1024 + value, past)
    after = _following(rows, match)
    echo[:, _FIELDS], echo[:, _LENGTH] = after, length
    echo[:, _VALUE] = np.where(after[:, v.KIND] == Kind.NOTE, after[:, v.VALUE], _NOTHING)

    match, length = _longest(place * 1024 + _ordinals(place), past)
    after = _following(rows, match)
    echo[:, _RHYME_POSITION], echo[:, _RHYME_LENGTH] = after[:, v.POSITION], length
    is_melodic = (kind == Kind.NOTE) & (value < _PITCHES.stop)
    goes_on = is_melodic & (after[:, v.KIND] == Kind.NOTE)
    echo[:, _RHYME_VALUE] = np.where(goes_on, value + after[:, v.VALUE] - value[match], _NOTHING)

    result[music] = echo
    return result


def echo_columns(echo: Echo, *, semitones: int = 0, velocity: int = 0) -> Echo:
    """Columns of a work that is transposed, and played louder, by so much. (T, 9) -> (T, 9).

    Args:
        echo: rows of `echoes`.
        semitones: how far melodic notes were moved.
        velocity: how many velocity classes they were moved.
    """
    result = echo.copy()
    for column in (_VALUE, _RHYME_VALUE):
        value = echo[:, column].astype(np.int64)
        drum = (value >= WORDS.drum.start) & (column == _VALUE)
        moved = np.where(drum, value, value + semitones)
        kept = drum | ((moved >= _PITCHES.start) & (moved < _PITCHES.stop))
        result[:, column] = np.where(kept, moved - _SOUNDS.start + 1, 0)
    levels = WORDS.velocity
    struck = (echo[:, _LEVEL] >= levels.start) & (echo[:, _LEVEL] < levels.stop)
    moved = np.clip(echo[:, _LEVEL] + velocity, levels.start, levels.stop - 1)
    result[:, _LEVEL] = np.where(struck, moved, echo[:, _LEVEL])
    return result


def _following(rows: Ints, match: Ints) -> Ints:
    """The row after each match; zeros where nothing matches (-1). (N, F), (N,) -> (N, F)."""
    found = match >= 0
    after: Ints = rows[np.where(found, match + 1, 0)] * found[:, None]
    return after


def _pasts(events: Events, music: Ints) -> tuple[Ints, Ints]:
    """What each row of the music goes on from.

    A row follows the one before it in its track, in the order of time; what stands after a hole
    follows nothing, as the hole is open when it is read.

    Args:
        events: of a work.
        music: (N,) which of them are music.

    Returns:
        Index among the music of the row that each follows, -1 for none, and the value id of the
        slot it is in, 0 outside any, both (N,).
    """
    kind, index = events.kind, np.arange(len(events))
    slot = np.where(events.cell >= 0, events.value[events.cell], 0).astype(np.int64)
    holes, fills = events.rows_of(Kind.HOLE), np.cumsum(events.is_a(Kind.FILL))
    filling = fills > 0
    time = index
    if len(holes):
        time = np.where(filling, holes[np.minimum(fills, len(holes)) - 1], index)
    counted = np.zeros(len(events), dtype=np.bool_)
    counted[music] = True
    counted[holes[fills[-1] :]] = True  # a hole that is not filled yet stands in the way
    order = np.flatnonzero(counted)
    order = order[np.lexsort((order, time[order], slot[order]))]
    before, here = order[:-1], order[1:]
    joined = (slot[before] == slot[here]) & (kind[before] != Kind.HOLE)
    joined &= filling[here] | ~filling[before]
    past = np.full(len(events), -1)
    past[here[joined]] = np.searchsorted(music, before[joined])
    return past[music], slot[music]


def _ordinals(place: Ints) -> Ints:
    """How many rows stand just before each at the same place. (N,) -> (N,)."""
    index = np.arange(len(place))
    begins = np.ones(len(place), dtype=np.bool_)
    begins[1:] = place[1:] != place[:-1]
    return index - np.maximum.accumulate(np.where(begins, index, 0))


def _longest(keys: Ints, past: Ints) -> tuple[Ints, Ints]:
    """The latest earlier row whose past equals each row's longest.

    Args:
        keys: (N,) what a row has to be to be the same; no key stands in two tracks.
        past: (N,) the row that each follows, -1 for none.

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
        if not same.any():
            break
        # Twice as long: a name for each pair of neighbours, of which both must be there.
        whole = (past >= 0) & (names >= 0) & (names[past] >= 0)
        both = names[whole] * count + names[past[whole]]
        names = np.full(count, -1)
        names[whole] = np.unique(both, return_inverse=True)[1].reshape(-1)
        past = np.where(past >= 0, past[past], -1)
    return best, length


class EchoMemory:
    """The columns of `echo_columns(echoes(events))`, row by row while a piece is written.

    Attributes:
        rows: those of the music so far.
        slot: value id of the track that is written, 0 outside any cell.
        exact, rhythm: the stretches so far, as `echo` and `rhyme` compare them.
        place: slot, kind and position of the latest row of music.
        ordinal: how many rows stand just before it at the same place.
        streams: a slot: the rows that its next one goes on from.
        holes: what stands before each hole that is not filled yet, None for nothing.
        filled: slots whose stream is that of a hole.
    """

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.slot = 0
        self.exact, self.rhythm = _Suffixes(), _Suffixes()
        self.place, self.ordinal = (0, 0, 0), 0
        self.streams: dict[int, list[int]] = {}
        self.holes: deque[list[int] | None] = deque()
        self.filled: set[int] = set()

    def take(self, row: list[int]) -> list[int]:
        """Take in a row; return its columns."""
        kind, position, value = row[: v.EXTENT]
        if kind == Kind.HOLE:
            self.holes.append(self.streams.pop(value, None))
        if not _IS_MUSIC[kind]:
            return [0] * len(ECHO_COLUMNS)
        if kind == Kind.BAR:
            self.slot = 0
        elif _IS_CELL[kind]:
            self.slot = value
            row = [*row[: v.EXTENT], 0, 0]  # a density is an annotation
        if kind == Kind.FILL:
            kind = Kind.CELL
            self._fill(value)
        stream = self.streams.setdefault(self.slot, [])
        stream.append(len(self.rows))
        self.rows.append(row)
        place = (self.slot, kind, position)
        self.ordinal = self.ordinal + 1 if self.place == place else 0
        self.place = place
        echo = self.exact.find(stream, (*place, 0 if kind == Kind.CELL else value))
        rhyme = self.rhythm.find(stream, (*place, self.ordinal))
        return [*self._echo(*echo), *self._rhyme(*rhyme, kind, value)]

    def _echo(self, match: int, length: int) -> list[int]:
        """The fields of the row after a match, and how long the match is."""
        if match < 0:
            return [0] * (len(v.FIELDS) + 1)
        kind, position, value, extent, level = self.rows[match + 1][_FIELDS]
        sound = value - _SOUNDS.start + 1 if kind == Kind.NOTE else 0
        return [kind, position, sound, extent, level, length]

    def _rhyme(self, match: int, length: int, kind: int, value: int) -> list[int]:
        """When the next row comes, its pitch if the interval is the same, and the length."""
        if match < 0:
            return [0, 0, 0]
        after, pitch = self.rows[match + 1], 0
        if kind == Kind.NOTE and value < _PITCHES.stop and after[v.KIND] == Kind.NOTE:
            moved = value + after[v.VALUE] - self.rows[match][v.VALUE]
            pitch = moved - _SOUNDS.start + 1 if moved in _PITCHES else 0
        return [after[v.POSITION], pitch, length]

    def _fill(self, slot: int) -> None:
        """Go on from what stands before the next hole."""
        before = self.holes.popleft()
        if before is not None or slot not in self.filled:  # else from the hole just before
            self.streams[slot] = before or []
        self.filled.add(slot)


class _Suffixes:
    """Names for stretches of rows, each made of two of half its length."""

    def __init__(self) -> None:
        self.names: list[list[int]] = []  # of each row: of 1, 2, 4 … rows up to it
        # For each length, a stretch: its name, which is the last row of the first such stretch, and
        # that of the latest.
        self.known: list[dict[tuple[int, ...], list[int]]] = [{} for _ in range(LEVELS)]

    def find(self, stream: list[int], key: tuple[int, ...]) -> tuple[int, int]:
        """Enter the last row of a stream; return that with the longest equal past, and its level.

        Args:
            stream: the rows it goes on from, and itself.
            key: what a row has to be to be the same.
        """
        best, length, name = -1, 0, -1
        own: list[int] = []
        names, row, place = self.names, stream[-1], len(stream) - 2
        names.append(own)
        for level, known in enumerate(self.known):
            if level:
                if place < 0 or len(before := names[stream[place]]) < level:
                    break
                key = name, before[level - 1]
                place -= 1 << level - 1
            if (stretch := known.get(key)) is None:
                known[key] = [row, row]
                name = row
            else:
                name, best = stretch
                stretch[1], length = row, level + 1
            own.append(name)
        return best, length
