"""What the model sees of an event besides its fields: facts that follow from the events before.

They are inputs, never predicted, and cost nothing to know: which track the cell belongs to and
what it plays, where in the piece the bar stands, how many bars are left if that is decided; the
genre, mood, key, style, section and chord in force, where they are known; what followed when the
music last stood here (`echo`). A model that has them at hand need not learn to look them up.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.harmony import QUALITIES
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.echo import ECHO_COLUMNS, ECHO_SIZES, echo_columns, echoes
from gen.tokens.events import Events, Ints, latest
from gen.tokens.vocabulary import WORDS, Kind

Columns = NDArray[np.int16]
"""Facts about events, (T, C)."""

COLUMNS: Final = (
    "slot", "instrument", "role", "register", "density", "bar", "bar_of_16", "remaining",
    "pitch_class", "chord", "genre", "mood", "key", "style", "section", *ECHO_COLUMNS,
)  # fmt: skip
MOST_BARS: Final = 255
MOST_REMAINING: Final = 33
LASTING: Final = (Kind.GENRE, Kind.MOOD, Kind.KEY, Kind.STYLE, Kind.SECTION)
"""Kinds that hold from one event to the next of them; each has a column of its name."""

CONTEXT_SIZES: Final = (
    v.MAX_TRACKS + 1,
    DRUM_PROGRAM + 2,
    len(ROLES) + 1,
    len(WORDS.register) + 1,
    len(WORDS.density) + 1,
    MOST_BARS + 2,
    17,
    MOST_REMAINING + 2,
    13,
    len(WORDS.chord) + 1,
    *(len(WORDS.of(kind)) + 1 for kind in LASTING),
    *ECHO_SIZES,
)
"""Ids in each column of `COLUMNS`; 0 is *none* in all of them."""

PLAYED_CONTEXT_SIZES: Final = (*CONTEXT_SIZES, 2)
"""The same where rows have fields of timing: a last column says whether the work is played."""


def context_sizes_of(fields: int) -> tuple[int, ...]:
    """Ids in each column beside rows of so many fields."""
    return PLAYED_CONTEXT_SIZES if fields == len(timing.FIELDS) else CONTEXT_SIZES


def _pitch_classes() -> Ints:
    table = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.int64)
    first_chord = WORDS.chord.id(1)  # the first of the chords is none
    for first, end, per_class in (
        (WORDS.pitch.start, WORDS.pitch.stop, 1),
        (first_chord, WORDS.chord.stop, len(QUALITIES)),
        (WORDS.key.start, WORDS.key.stop, 2),
    ):
        table[first:end] = 1 + np.arange(end - first) // per_class % 12
    return table


PITCH_CLASS: Final = _pitch_classes()
"""Value id: 1 + pitch class of a melodic note, or of a chord's or key's root; else 0."""


def context_columns(
    events: Events, *, first_bar: int = 0, bars: int | None = None, echo: Columns | None = None
) -> Columns:
    """The columns that follow from the events, (T, C) int16: one for each of `context_sizes_of`.

    Args:
        events: a sequence that starts with its header.
        first_bar: number in its piece of the first bar in `events`, counted from 0.
        bars: how many bars the piece has, None where that is left open.
        echo: (T, 9) echo columns that remember more than `events`; by default theirs alone.
    """
    tracks, track = events.only(Kind.TRACK), events.track
    program = np.append(1 + tracks.number, 0)  # the last is that of no track
    role = np.append(_count_from_1(WORDS.role, tracks.extent), 0)
    register = np.append(_count_from_1(WORDS.register, tracks.level), 0)
    density = _count_from_1(WORDS.density, events.extent[events.cell])
    bar = np.where(events.bar >= 0, events.bar + first_bar, -1)
    remaining = np.zeros(len(events), dtype=np.int64)
    if bars is not None:
        remaining = np.where(bar < 0, 0, np.clip(bars - bar, 1, MOST_REMAINING + 1))
    own = np.stack(
        [
            track + 1,
            program[track],
            role[track],
            register[track],
            np.where(events.cell >= 0, density, 0),
            np.minimum(bar, MOST_BARS) + 1,
            np.where(bar < 0, 0, bar % 16 + 1),
            remaining,
            PITCH_CLASS[events.value],
            np.where(events.cell >= 0, _chords(events, bar), 0),
            *(_in_force(events, kind) for kind in LASTING),
        ],
        axis=1,
    ).astype(np.int16)
    echo = echo_columns(echoes(events)) if echo is None else echo
    parts = [own, echo]
    if events.fields == len(timing.FIELDS):
        parts.append(np.full((len(events), 1), events.is_played, np.int16))
    return np.concatenate(parts, axis=1)


def _count_from_1(words: v.Words, ids: NDArray[np.int16]) -> Ints:
    """1 + number of words of a type, 0 for what is none of them. (N,) -> (N,)."""
    return np.maximum(1 + words.number(ids.astype(np.int64)), 0)


def _in_force(events: Events, kind: Kind) -> Ints:
    """1 + number of the latest value of a kind, 0 before the first. (T,)."""
    row = latest(events.is_a(kind))
    return np.where(row >= 0, 1 + events.number[row], 0)


def _chords(events: Events, bar: Ints) -> Ints:
    """1 + number of the chord in force where each event stands, 0 before the first. (T,)."""
    steps = bar * v.MAX_BAR_STEPS + events.step
    is_chord = events.is_a(Kind.CHORD)
    row = np.searchsorted(steps[is_chord], steps, side="right") - 1
    numbers = np.append(1 + events.number[is_chord], 0)
    return np.where(row >= 0, numbers[row], 0)
