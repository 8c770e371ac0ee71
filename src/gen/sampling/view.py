"""What the model is shown of a piece that is longer than its context.

N rows of events; a row is five fields, and what is shown has its context columns beside them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from collections.abc import Sequence as Rows

import numpy as np

from gen.data.windows import Events, Sequence, from_bar
from gen.tokens import vocabulary as v
from gen.tokens.columns import context_columns
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


def latest(
    rows: Rows[Row], context: int, bars: int | None, origins: Iterable[int | None]
) -> list[Row]:
    """The header and the latest bars that fill half the context.

    Where bars to come take up earlier ones, half of that is given to the earlier ones, so that
    the model has in view what comes back.

    Args:
        rows: of the piece so far, with context columns.
        context: of the model, in events.
        bars: how many the piece will have, None where that is open.
        origins: for the bar being written and those after it, the earlier bar that each takes up.

    Returns:
        (N, C) rows, N below `context`.
    """
    whole = np.array(rows, dtype=np.int16)
    work = Sequence.of(whole[:, : len(v.FIELDS)])
    header = len(work.header)
    room = context // 2 - header
    reach = context // 2 * len(work.bar_rows) // len(rows)  # bars until the next such view
    ahead = [bar for bar in itertools.islice(origins, reach + 1) if bar is not None]
    first = _first_bar(work, room - room // 2 if ahead else room)
    recalled = _fitting(work, [bar for bar in ahead if bar < first], room // 2)
    if not recalled:
        first = _first_bar(work, room)
    runs = [*_runs(recalled), (first, len(work.bar_rows))]
    shown = [_stretch(work, whole, begin, end, bars) for begin, end in runs]
    result = np.concatenate([shown[0], *(part[header:] for part in shown[1:])])
    if len(result) >= context:  # a bar that fills the context: its latest events
        result = np.concatenate([whole[:header], whole[-max(room, 1) :]])
    return result.tolist()  # type: ignore[no-any-return]


def _first_bar(work: Sequence, room: int) -> int:
    """The first of the latest bars that fit, at least the last one."""
    bar = int(np.searchsorted(work.bar_rows, len(work.events) - room))
    return min(bar, len(work.bar_rows) - 1)


def _fitting(work: Sequence, bars: list[int], room: int) -> list[int]:
    """As many of these bars as fit, in the order of the piece."""
    sizes = np.diff(np.append(work.bar_rows, len(work.events)))
    kept: set[int] = set()
    for bar in bars:
        room -= 0 if bar in kept else int(sizes[bar])
        if room < 0:
            break
        kept.add(bar)
    return sorted(kept)


def _runs(bars: list[int]) -> list[tuple[int, int]]:
    """Runs of successive bars, each as its first and the one after its last."""
    runs: list[tuple[int, int]] = []
    for bar in bars:
        if runs and runs[-1][1] == bar:
            runs[-1] = runs[-1][0], bar + 1
        else:
            runs.append((bar, bar + 1))
    return runs


def _stretch(work: Sequence, whole: Events, first: int, end: int, bars: int | None) -> Events:
    """Header and bars `first` to before `end`, with the columns they have in the whole. (N, C)."""
    events, rows = from_bar(work, first, len(work.events) + 2)
    if end < len(work.bar_rows):
        kept = int(np.argmax(rows >= work.bar_rows[end]))
        events, rows = events[:kept], rows[:kept]
    columns = context_columns(events, first_bar=first, bars=bars, echo=work.heard(rows))
    result = np.concatenate([events, columns], axis=1)
    result[rows >= 0] = whole[rows[rows >= 0]]
    return result
