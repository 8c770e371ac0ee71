"""What the model is shown of a piece that is longer than its context.

N rows of events; a row is five fields, and what is shown has its context columns beside them.
"""

from __future__ import annotations

from collections.abc import Sequence as Rows

import numpy as np

from gen.data.windows import TokenisedWork, from_bar
from gen.tokens import vocabulary as v
from gen.tokens.columns import context_columns
from gen.tokens.echo import ECHO_COLUMNS
from gen.tokens.events import Events
from gen.tokens.vocabulary import FIRST, Kind

Row = list[int]


def cells(bar: Rows[Row]) -> dict[int, list[Row]]:
    """The cells of one bar: a slot, and its CELL with the PEDALs and NOTEs that follow."""
    found: dict[int, list[Row]] = {}
    cell: list[Row] = []
    for row in bar:
        if row[v.KIND] == Kind.CELL:
            cell = found.setdefault(row[v.VALUE] - FIRST["slot"], [])
        if found:
            cell.append(row)
    return found


def latest(rows: Rows[Row], context: int, bars: int | None) -> list[Row]:
    """The header and the latest bars that fill half the context.

    What a section takes up again need not be among them: the echo columns remember the whole
    piece. (Giving half of this room to the bars that are taken up was tried: held-out bars of
    sections that come back cost 0.011 ± 0.003 bits a note more.)

    Args:
        rows: of the piece so far, with context columns.
        context: of the model, in events.
        bars: how many the piece will have, None where that is open.

    Returns:
        (N, C) rows, N below `context`.
    """
    whole = np.array(rows, dtype=np.int16)
    # Rows with context columns of their own are shown as they are: no echo is asked for.
    fields, silence = len(v.FIELDS), np.zeros((len(whole), len(ECHO_COLUMNS)), dtype=np.int16)
    work = TokenisedWork.of(Events(whole[:, :fields]), silence)
    room = context // 2 - len(work.header)
    first = min(int(np.searchsorted(work.bar_rows, len(rows) - room)), len(work.bar_rows) - 1)
    events, origin = from_bar(work, first, len(rows) + 2)
    columns = context_columns(events, first_bar=first, bars=bars, echo=work.echo_at(origin))
    shown = np.concatenate([events.array, columns], axis=1)
    shown[origin >= 0] = whole[origin[origin >= 0]]
    if len(shown) >= context:  # a bar that fills the context: its latest events
        shown = np.concatenate([whole[: len(work.header)], whole[-max(room, 1) :]])
    return shown.tolist()  # type: ignore[no-any-return]
