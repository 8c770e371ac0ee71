"""Cells left out of a window, to be filled in at its end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from gen.tokens import vocabulary as v
from gen.tokens.events import Events, Ints, Mask
from gen.tokens.vocabulary import WORDS, Kind


def punched(events: Events, holes: Mask) -> tuple[Events, Ints]:
    """Take cells out and put them at the end, to be filled in.

    Args:
        events: header and bars.
        holes: (bars, tracks) which cells, those without notes too. Later bars are left out.

    Returns:
        Events in which a HOLE stands for each of these cells, and after the last bar one
        FILL for each, with what was there, then EOS; and (T',) which of `events` each is, -1 for
        a HOLE, a FILL and EOS.
    """
    index = np.flatnonzero(~events.is_a(Kind.EOS) & (events.bar < len(holes)))
    body = events[index]
    bar, slot = events.bar[index], np.where(events.bar[index] < 0, -1, events.track[index])
    out = (slot >= 0) & holes[bar, slot]
    is_cell = body.is_a(Kind.CELL)
    bars, slots = np.nonzero(holes)
    density = np.zeros(holes.shape, dtype=np.int64)
    heads = out & is_cell
    density[bar[heads], slot[heads]] = body.extent[heads]
    marks = np.zeros((len(bars), body.fields), dtype=np.int64)
    marks[:, v.KIND], marks[:, v.VALUE] = Kind.HOLE, WORDS.slot.id(slots)
    fills = marks.copy()
    fills[:, v.KIND], fills[:, v.EXTENT] = Kind.FILL, density[bars, slots]
    # Sorted by: given before filled in, bar, track, the mark of a cell before its notes.
    notes, none = out & ~is_cell, np.full(len(bars), -1)
    groups: list[tuple[Any, ...]] = [
        (body.array[~out], index[~out], np.zeros((~out).sum()), bar[~out], slot[~out], 1),
        (marks, none, np.zeros(len(bars)), bars, slots, 0),
        (fills, none, np.ones(len(bars)), bars, slots, 0),
        (body.array[notes], index[notes], np.ones(notes.sum()), bar[notes], slot[notes], 1),
    ]
    keys = np.concatenate(
        [np.stack([*key, np.full(len(rows), rank)], axis=1) for rows, _, *key, rank in groups]
    )
    order = np.lexsort(keys.T[::-1])
    rows = np.concatenate([rows for rows, *_ in groups])[order]
    origin = np.concatenate([origin for _, origin, *_ in groups])[order]
    return Events(rows.astype(np.int16)) + Events.eos(), np.append(origin, -1)


def holes_at_random(events: Events, length: int, rng: Generator) -> Mask | None:
    """Holes as people ask for them: scattered cells, whole tracks, or a stretch of bars.

    Args:
        events: header and bars of one stretch; the last may be cut short.
        length: most events of what is `punched`.
        rng: decides which.

    Returns:
        (bars, tracks), for as many whole bars as fit; None where none does.
    """
    room = length // 6  # a hole adds one row, or two where nothing was
    bars, tracks = len(events.bar_rows), events.tracks
    if events.kind[-1] != Kind.EOS or len(events) + room > length:
        bars = int((events.bar_rows + room < length).sum()) - 1
        if bars < 1:
            return None
    holes = np.zeros((bars, tracks), dtype=np.bool_)
    some = rng.random(tracks) < rng.uniform(0.2, 0.8)
    some[rng.integers(tracks)] = True
    shape = rng.integers(3)
    if shape == 0:
        holes[:] = rng.random(holes.shape) < rng.uniform(0.1, 0.6)
    elif shape == 1:
        holes[:, some] = True
    else:
        first = int(rng.integers(bars))
        last = first + int(rng.integers(1, max(2, bars // 2 + 1)))
        holes[first:last, some | (rng.random() < 0.5)] = True
    holes[2 * np.cumsum(holes.sum(1)) > room] = False  # the first bars, as far as there is room
    return holes if holes.any() else None
