"""What the model reads of a piece that is being written.

Beside the fields of a row stand its context columns: `columns.context_columns`, row by row. Of a
piece that is longer than the model's context it reads the latest bars.

N rows of events; a row is its fields, beside which the model reads context columns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from gen.data.windows import TokenisedWork, from_bar
from gen.sampling.drafting.state import KINDS, State
from gen.sampling.planning.plan import Row
from gen.tokens import vocabulary as v
from gen.tokens.columns import LASTING, MOST_BARS, MOST_REMAINING, PITCH_CLASS, context_columns
from gen.tokens.echo import ECHO_COLUMNS, EchoMemory
from gen.tokens.events import Events
from gen.tokens.vocabulary import WORDS, Kind


def readable(
    rows: Sequence[Row], context: int, bars: int | None, fields: int = len(v.FIELDS)
) -> list[Row]:
    """The header and the latest bars that fill half the context.

    What a section takes up again need not be among them: the echo columns remember the whole
    piece. (Giving half of this room to the bars that are taken up was tried: held-out bars of
    sections that come back cost 0.011 ± 0.003 bits a note more.)

    Args:
        rows: of the piece so far, with context columns.
        context: of the model, in events.
        bars: how many the piece will have, None where that is open.
        fields: of a row, before its context columns.

    Returns:
        (N, C) rows, N below `context`.
    """
    whole = np.array(rows, dtype=np.int16)
    # Rows with context columns of their own are read as they are: no echo is asked for.
    silence = np.zeros((len(whole), len(ECHO_COLUMNS)), dtype=np.int16)
    work = TokenisedWork.of(Events(whole[:, :fields]), silence)
    room = context // 2 - len(work.header)
    first = min(int(np.searchsorted(work.bar_rows, len(rows) - room)), len(work.bar_rows) - 1)
    events, origin = from_bar(work, first, len(rows) + 2)
    columns = context_columns(events, first_bar=first, bars=bars, echo=work.echo_at(origin))
    visible = np.concatenate([events.array, columns], axis=1)
    visible[origin >= 0] = whole[origin[origin >= 0]]
    if len(visible) >= context:  # a bar that fills the context: its latest events
        visible = np.concatenate([whole[: len(work.header)], whole[-max(room, 1) :]])
    return visible.tolist()  # type: ignore[no-any-return]


class ContextColumns:
    """What the model sees of each row besides its fields.

    Attributes:
        echo: remembers the whole piece, also what is out of the model's view by now.
    """

    def __init__(self) -> None:
        self.echo = EchoMemory()
        self.in_force = dict.fromkeys(LASTING, 0)  # 1 + number of the latest of each kind
        self.chords: list[tuple[int, int]] = []  # bar x MAX_BAR_STEPS + step, 1 + number
        self.density = 0  # 1 + class of the cell, 0 for none

    def of(self, row: Row, state: State, bars: int | None) -> Row:
        """The columns of the row that the state has just taken.

        Args:
            row: the next one; each is asked for once, in order.
            state: with this row.
            bars: how many the piece will have, None where that is open.
        """
        kind, value, extent = KINDS[row[v.KIND]], row[v.VALUE], row[v.EXTENT]
        if kind in self.in_force:
            self.in_force[kind] = WORDS.of(kind).number(value) + 1
        elif kind == Kind.CHORD:
            self.chords.append((_step(row, state), WORDS.chord.number(value) + 1))
        elif kind in (Kind.CELL, Kind.HOLE, Kind.FILL):
            self.density = WORDS.density.number(extent) + 1 if extent else 0
        return [*self._place(row, kind, state, bars), *self.in_force.values(), *self.echo.take(row)]

    def _place(self, row: Row, kind: Kind, state: State, bars: int | None) -> Row:
        slot = len(state.parts) - 1 if kind == Kind.TRACK else state.slot
        part = state.parts[slot] if slot >= 0 else None
        in_bar = state.bar >= 0
        in_cell = in_bar and part is not None
        remaining = 0
        if in_bar and bars is not None:
            remaining = min(max(bars - state.bar, 1), MOST_REMAINING + 1)
        return [
            slot + 1 if part else 0,
            part.program + 1 if part else 0,
            part.role if part else 0,
            part.register if part else 0,
            self.density if in_cell else 0,
            min(state.bar, MOST_BARS) + 1,
            state.bar % 16 + 1 if in_bar else 0,
            remaining,
            int(PITCH_CLASS[row[v.VALUE]]),
            self._chord(row, state) if in_cell else 0,
        ]

    def _chord(self, row: Row, state: State) -> int:
        """1 + number of the chord in force where a row of a cell stands, 0 before the first."""
        place = bisect_right(self.chords, (_step(row, state), len(WORDS.chord))) - 1
        return self.chords[place][1] if place >= 0 else 0


def _step(row: Row, state: State) -> int:
    """Where a row stands in its piece, comparable with others."""
    return state.bar * v.MAX_BAR_STEPS + max(WORDS.position.number(row[v.POSITION]), 0)
