"""Bits of every event of a work, and what they were spent on: see `parts.likelihood`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gen.data.batches import WindowSource, collate
from gen.data.token_works import TokenWork
from gen.data.windows import Window
from gen.errors import HouseError
from gen.evaluation.subjects.works import MeasuredWork
from gen.model import Transformer
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.events import Events, Mask
from gen.tokens.miditok_tokens import MidiTokTokens
from gen.tokens.vocabulary import WORDS, Kind

BATCH_EVENTS = 8192
POSITIONS = (0, 4, 8, 16, 32, 64)
"""First bars, counted from 0, of the stretches that figures by position are taken over."""
_STRETCHES = (
    *(f"{first + 1}-{last}" for first, last in pairwise(POSITIONS)),
    f"{POSITIONS[-1] + 1} on",
)
"""Their names, as people count them."""
NEW = ("bars", "cells")
"""Figures with copies taken out: of whole bars, and of one track's bars."""
Bits = NDArray[np.float64]
Row = dict[str, Any]
"""One work: `work`, `group`, `genre`, `notes`, `fields` (bits of each), and `kinds`, `roles`,
`positions`, `new`: name to [bits, notes]. Of other tokens than the house's also `names`, of its
fields."""


@torch.inference_mode()
def event_bits(
    model: Transformer,
    sequences: Sequence[WindowSource],
    window: int,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[Bits]:
    """Bits of each field of each event after the first, (T - 1, F) for each sequence.

    Args:
        model: in evaluation mode.
        sequences: as they are; `bare` them for bits per note.
        window: most events the model reads at once.
        tick: called with the share that is done.

    Raises:
        SettingError: a bar holds more events than a window.
    """
    device = next(model.parameters()).device
    found: list[list[Bits]] = [[] for _ in sequences]
    cut = [
        (number, window_)
        for number, sequence in enumerate(sequences)
        for place in sequence.covering_places(window)
        for window_ in [sequence.covering_window(window, *place)]
    ]
    # Windows of one length together, so that little of a batch is padding.
    order = sorted(range(len(cut)), key=lambda i: len(cut[i][1].targets), reverse=True)
    bits: list[Bits] = [np.zeros((0, 0))] * len(cut)
    for done, chosen in _batches(order, cut):
        windows = [cut[i][1] for i in chosen]
        batch = collate(windows, max(len(w.targets) for w in windows))
        losses = model.losses(batch["columns"].to(device), batch["targets"].to(device))
        for i, row, counted in zip(chosen, losses.double().cpu(), batch["counted"], strict=True):
            bits[i] = row[counted].numpy() / math.log(2)
        tick(done / len(cut))
    for (number, _), part in zip(cut, bits, strict=True):
        found[number].append(part)
    return [np.concatenate(parts) for parts in found]


def _batches(order: list[int], cut: list[tuple[int, Window]]) -> Iterator[tuple[int, list[int]]]:
    """How many windows are done after each batch, and the batch."""
    start = 0
    while start < len(order):
        rows = max(1, BATCH_EVENTS // max(1, len(cut[order[start]][1].targets)))
        yield min(start + rows, len(order)), order[start : start + rows]
        start += rows


def measure(
    model: Transformer,
    works: Sequence[MeasuredWork],
    window: int,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[Row]:
    """What each work costs, and what for.

    Raises:
        HouseError: no work, or works without notes.
    """
    if not any(work.tokenised.notes for work in works):
        raise HouseError("the works hold no note", mend="hold out other works")
    sequences = [work.read_by(model.fields).bare() for work in works]
    bits = event_bits(model, sequences, window, tick=tick)
    return [
        _row(work, sequence.events, cost)
        for work, sequence, cost in zip(works, sequences, bits, strict=True)
    ]


def measure_tokens(
    model: Transformer,
    tokens: MidiTokTokens,
    works: Sequence[MeasuredWork],
    window: int,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[Row]:
    """The same in one of MidiTok's tokenizations; notes are those of the work all the same."""
    sequences = [
        TokenWork(tokens, *tokens.encoded(*tokens.base_rows(work.tokenised.bare().events)))
        for work in works
    ]
    bits = event_bits(model, sequences, window, tick=tick)
    return [_token_row(*each) for each in zip(works, sequences, bits, strict=True)]


def _head(work: MeasuredWork, notes: int, bits: Bits) -> Row:
    """What is known of a work in any tokens."""
    return {
        "work": work.id,
        "group": work.group,
        "genre": work.genre or "no_genre",
        "notes": notes,
        "fields": bits.sum(axis=0).tolist(),
    }


def _token_row(work: MeasuredWork, sequence: TokenWork, bits: Bits) -> Row:
    each = np.concatenate([[0.0], bits.sum(axis=1)])  # BOS is given
    notes = sequence.tokens.notes[sequence.rows[:, 0]]
    stretch = np.searchsorted(POSITIONS, sequence.bars, side="right") - 1
    return {
        **_head(work, work.tokenised.notes, bits),
        "names": list(sequence.tokens.fields),
        "kinds": {},
        "roles": {},
        "positions": _sorted(each, notes, stretch, _STRETCHES),
        "new": {},
    }


def _row(work: MeasuredWork, events: Events, bits: Bits) -> Row:
    """Sort one work's bits by what they were spent on."""
    each = np.concatenate([[0.0], bits.sum(axis=1)])  # BOS is given
    kind, note = events.kind, events.is_a(Kind.NOTE)
    stretch = np.searchsorted(POSITIONS, events.bar, side="right") - 1
    return {
        **_head(work, int(note.sum()), bits),
        **({"names": list(timing.FIELDS)} if events.fields > len(v.FIELDS) else {}),
        "kinds": {
            k.name.lower(): [float(each[kind == k].sum()), int(note.sum())]
            for k in Kind
            if (kind[1:] == k).any()
        },
        "roles": _sorted(each, note, _roles(work.tokenised.events, events), [*ROLES, "untold"]),
        "positions": _sorted(each, note, stretch, _STRETCHES),
        "new": {
            name: [float(each[kept].sum()), int(note[kept].sum())]
            for name, kept in zip(NEW, new_music(events), strict=True)
        },
    }


def new_music(events: Events) -> tuple[Mask, Mask]:
    """Events of bars that are no copy of an earlier one, and of tracks' bars that are none.

    A copy has the same notes, but for their loudness: in all tracks (and the same meter), or, of
    one track, the same as an earlier bar of that track.

    Args:
        events: (T, F).

    Returns:
        (T,), (T,); events before the first bar belong to none, nor do bars of a track to the latter
        in which it plays no note.
    """
    bar, track = events.bar, events.track
    bars: dict[int, list[tuple[int, ...]]] = {}
    cells: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for row in events.rows_of(Kind.NOTE).tolist():
        event = events[row]
        note = (event.position, event.value, event.extent)
        bars.setdefault(int(bar[row]), []).append((int(track[row]), *note))
        cells.setdefault((int(bar[row]), int(track[row])), []).append(note)
    meters = events.value[events.bar_rows].tolist()
    fresh = _first_of_each(((), meter, bars.get(place, [])) for place, meter in enumerate(meters))
    ordered = sorted(cells)
    played = _first_of_each((cell[1], 0, cells[cell]) for cell in ordered)
    is_new = dict(zip(ordered, played, strict=True))
    of_cell = events.is_a(Kind.CELL, Kind.NOTE, Kind.PEDAL)
    where = zip(of_cell, bar.tolist(), track.tolist(), strict=True)
    in_cell = [bool(inside) and is_new.get((b, s), False) for inside, b, s in where]
    return np.array([b >= 0 and fresh[b] for b in bar.tolist()]), np.array(in_cell)


def _first_of_each(contents: Iterable[tuple[Any, int, list[tuple[int, ...]]]]) -> list[bool]:
    """Whether each has not been there before."""
    seen: set[Any] = set()
    found = []
    for whose, meter, notes in contents:
        content = (whose, meter, tuple(sorted(notes)))
        found.append(content not in seen)
        seen.add(content)
    return found


def _sorted(
    each: Bits,
    note: NDArray[np.bool_] | NDArray[np.int64],
    group: NDArray[np.int64],
    names: Sequence[str],
) -> dict[str, list[float]]:
    """Bits and notes of each group of events; group -1 is none."""
    found = {}
    for number, name in enumerate(names):
        chosen = group == number
        if note[chosen].any():
            found[name] = [float(each[chosen].sum()), int(note[chosen].sum())]
    return found


def _roles(annotated: Events, events: Events) -> NDArray[np.int64]:
    """Number in `ROLES` of the track that each of `events` belongs to; -1 outside cells."""
    tracks = annotated.only(Kind.TRACK)
    role = np.where(tracks.extent == 0, len(ROLES), WORDS.role.number(tracks.extent))
    role[tracks.number == DRUM_PROGRAM] = ROLES.index("drums")
    inside = events.is_a(Kind.CELL, Kind.NOTE, Kind.PEDAL)
    return np.where(inside, role[events.track], -1)
