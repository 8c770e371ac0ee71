"""What the model sees of an event besides its fields: facts that follow from the events before.

They are inputs, never predicted, and cost nothing to know: which track the cell belongs to and
what it plays, where in the piece the bar stands, how many bars are left if that is decided; the
genre, mood, key, style, section and chord in force, if they are told; what followed when the music
last stood here (`echo`). A model that has them at hand need not learn to look them up.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.harmony import QUALITIES
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import vocabulary as v
from gen.tokens.echo import ECHO_COLUMNS, ECHO_SIZES, echoes, shown
from gen.tokens.vocabulary import FIRST, Kind

Events = NDArray[np.int16]

COLUMNS: Final = (
    "slot", "instrument", "role", "register", "density", "bar", "bar_of_16", "remaining",
    "pitch_class", "chord", "genre", "mood", "key", "style", "section", *ECHO_COLUMNS,
)  # fmt: skip
MOST_BARS: Final = 255
MOST_REMAINING: Final = 33
TOLD: Final = (Kind.GENRE, Kind.MOOD, Kind.KEY, Kind.STYLE, Kind.SECTION)
"""What is told once and holds from then on; each has a column of its name."""

CONTEXT_SIZES: Final = (
    v.MAX_TRACKS + 1,
    DRUM_PROGRAM + 2,
    len(ROLES) + 1,
    len(v.SPANS["register"]) + 1,
    len(v.SPANS["density"]) + 1,
    MOST_BARS + 2,
    17,
    MOST_REMAINING + 2,
    13,
    len(v.SPANS["chord"]) + 1,
    *(len(v.SPANS[kind.name.lower()]) + 1 for kind in TOLD),
    *ECHO_SIZES,
)
"""Ids in each column of `COLUMNS`; 0 is *none* in all of them."""


def latest(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Index of the latest marked row at or before each row; -1 before the first. (T,) -> (T,)."""
    index = np.where(marks, np.arange(len(marks)), -1)
    return np.maximum.accumulate(index) if len(index) else index


def _pitch_classes() -> NDArray[np.int64]:
    table = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.int64)
    first_chord = v.FIRST["chord"] + 1  # the first of the chords is none
    for first, end, per_class in (
        (v.SPANS["pitch"].start, v.SPANS["pitch"].stop, 1),
        (first_chord, v.SPANS["chord"].stop, len(QUALITIES)),
        (v.SPANS["key"].start, v.SPANS["key"].stop, 2),
    ):
        table[first:end] = 1 + np.arange(end - first) // per_class % 12
    return table


PITCH_CLASS: Final = _pitch_classes()
"""Value id: 1 + pitch class of a melodic note, or of a chord's or key's root; else 0."""


def pitch_class(events: Events) -> NDArray[np.int64]:
    """`PITCH_CLASS` of each event. (T, 5) -> (T,)."""
    return PITCH_CLASS[events[:, v.VALUE]]


def context_columns(
    events: Events, *, first_bar: int = 0, bars: int | None = None, echo: Events | None = None
) -> Events:
    """The columns that follow from the events, (T, 5) -> (T, len(COLUMNS)) int16.

    Args:
        events: a sequence that starts with its header.
        first_bar: number in its piece of the first bar in `events`, counted from 0.
        bars: how many bars the piece has, None where that is left open.
        echo: (T, 9) echo columns that remember more than `events`; by default theirs alone.
    """
    kind = events[:, v.KIND]
    bar_marks = kind == Kind.BAR
    cell_marks = (kind == Kind.CELL) | (kind == Kind.HOLE) | (kind == Kind.FILL)
    cell = latest(cell_marks)
    in_cell = cell > latest(bar_marks)
    slot = np.where(in_cell, events[cell, v.VALUE].astype(np.int64) - FIRST["slot"], -1)
    # A TRACK event belongs to the slot it declares.
    is_track = kind == Kind.TRACK
    slot = np.where(is_track, np.cumsum(is_track) - 1, slot)
    tracks = events[is_track].astype(np.int64)
    program = np.append(tracks[:, v.VALUE] - FIRST["program"] + 1, 0)
    role = np.append(np.maximum(tracks[:, v.EXTENT] - FIRST["role"] + 1, 0), 0)
    register = np.append(np.maximum(tracks[:, v.LEVEL] - FIRST["register"] + 1, 0), 0)
    density = events[cell, v.EXTENT].astype(np.int64) - FIRST["density"] + 1
    bar = _bars(events, bar_marks, cell, first_bar)
    remaining = np.zeros(len(events), dtype=np.int64)
    if bars is not None:
        remaining = np.where(bar < 0, 0, np.clip(bars - bar, 1, MOST_REMAINING + 1))
    own = np.stack(
        [
            slot + 1,
            program[slot],
            role[slot],
            register[slot],
            np.where(in_cell, np.maximum(density, 0), 0),
            np.minimum(bar, MOST_BARS) + 1,
            np.where(bar < 0, 0, bar % 16 + 1),
            remaining,
            pitch_class(events),
            np.where(in_cell, _chords(events, bar), 0),
            *(_in_force(events, told) for told in TOLD),
        ],
        axis=1,
    ).astype(np.int16)
    return np.concatenate([own, shown(echoes(events)) if echo is None else echo], axis=1)


def _in_force(events: Events, told: Kind) -> NDArray[np.int64]:
    """1 + number of what was told last of a kind, 0 before the first. (T,)."""
    row = latest(events[:, v.KIND] == told)
    number = events[row, v.VALUE].astype(np.int64) - FIRST[told.name.lower()] + 1
    return np.where(row >= 0, number, 0)


def _chords(events: Events, bar: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 + number of the chord in force where each event stands, 0 before the first. (T,)."""
    steps = bar * v.MAX_BAR_STEPS + np.maximum(events[:, v.POSITION] - FIRST["position"], 0)
    told = events[:, v.KIND] == Kind.CHORD
    latest_told = np.searchsorted(steps[told], steps, side="right") - 1
    numbers = np.append(events[told, v.VALUE].astype(np.int64) - FIRST["chord"] + 1, 0)
    return np.where(latest_told >= 0, numbers[latest_told], 0)


def _bars(
    events: Events, bar_marks: NDArray[np.bool_], cell: NDArray[np.int64], first_bar: int
) -> NDArray[np.int64]:
    """Bar number of each event, -1 in the header; a FILL belongs to the bar of its hole."""
    bar = np.cumsum(bar_marks) - 1
    bar = np.where(bar >= 0, bar + first_bar, -1)
    holes = np.flatnonzero(events[:, v.KIND] == Kind.HOLE)
    fills = events[:, v.KIND] == Kind.FILL
    if len(holes) and fills.any():
        number = np.cumsum(fills) - 1
        filling = number >= 0
        bar[filling] = bar[holes[np.minimum(number[filling], len(holes) - 1)]]
    return bar
