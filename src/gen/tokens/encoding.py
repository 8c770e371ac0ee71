"""Music to events: exact on the grid, vectorised. The way back is in `reading`.

Events are `(T, 5)` int16 arrays in the field order of `vocabulary.FIELDS`. Their order:
header (BOS, attributes, one TRACK a track), then bar by bar: BAR, SECTION, TEMPOs, CHORDs,
and one CELL a sounding track, each followed by its PEDALs and NOTEs in order of time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen import harmony
from gen.errors import HouseError
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import vocabulary as v
from gen.tokens.columns import Events
from gen.tokens.events import chord_id, key_id, section_id
from gen.tokens.grid import Grid, Ints, Part
from gen.tokens.vocabulary import FIRST, Kind


@dataclass(frozen=True, slots=True)
class Annotations:
    """What the house knows of a work besides its notes; any of it may be absent."""

    genre: str | None = None
    mood: str | None = None
    key: str | None = None
    chords: str | None = None
    sections: str | None = None
    roles: tuple[str, ...] = ()
    style: int | None = None


def _row(
    kind: Kind, value: int = 0, position: int = 0, extent: int = 0, level: int = 0
) -> list[int]:
    return [kind, position, value, extent, level]


def header(grid: Grid, notes: Annotations) -> list[list[int]]:
    """BOS, the attributes that are known, and one TRACK for each part.

    Raises:
        HouseError: the key cannot be read, or the style is beyond the vocabulary.
    """
    rows = [_row(Kind.BOS)]
    if notes.genre in harmony.GENRES:
        rows.append(_row(Kind.GENRE, FIRST["genre"] + harmony.GENRES.index(notes.genre)))
    if notes.mood in harmony.MOODS:
        rows.append(_row(Kind.MOOD, FIRST["mood"] + harmony.MOODS.index(notes.mood)))
    if notes.key:
        rows.append(_row(Kind.KEY, key_id(notes.key)))
    if notes.style is not None:
        if not 0 <= notes.style < v.MAX_STYLES:
            raise HouseError(f"style {notes.style} is outside 0 to {v.MAX_STYLES - 1}")
        rows.append(_row(Kind.STYLE, FIRST["style"] + notes.style))
    for index, part in enumerate(grid.parts):
        role = notes.roles[index] if index < len(notes.roles) else None
        role_id = FIRST["role"] + ROLES.index(role) if role in ROLES else 0
        register = 0
        if part.program != DRUM_PROGRAM:
            register = FIRST["register"] + int(part.pitch.mean()) // 12
        rows.append(
            _row(Kind.TRACK, FIRST["program"] + part.program, extent=role_id, level=register)
        )
    return rows


def _bar_rows(grid: Grid) -> tuple[Ints, Ints]:
    ids = {s: FIRST["time_signature"] + i for i, s in enumerate(v.TIME_SIGNATURES)}
    rows = np.array([_row(Kind.BAR, ids[n, d]) for _, n, d in grid.bars])
    return rows, _keys(np.arange(len(rows)), 0, 0, 0)


def _keys(bar: Ints, rank: int, slot: int, order: Ints | int) -> Ints:
    """Sort keys (N, 4): bar, rank inside the bar, slot, order inside the cell."""
    columns = [bar, np.full(len(bar), rank), np.full(len(bar), slot)]
    return np.stack([*columns, np.broadcast_to(np.asarray(order), bar.shape)], axis=1)


def _section_rows(text: str, bars: int) -> tuple[Ints, Ints]:
    """Rows of `intro:1 A:5 …` (name:first bar, counted from 1); the last of a bar counts."""
    named = [part.rpartition(":") for part in text.split()]
    found = {int(bar) - 1: section_id(name) for name, _, bar in named if bar.isdecimal()}
    found = {bar: section for bar, section in found.items() if 0 <= bar < bars}
    rows = np.array([_row(Kind.SECTION, section) for section in found.values()]).reshape(-1, 5)
    return rows, _keys(np.array(list(found), dtype=np.int64), 1, 0, 0)


def _tempo_rows(grid: Grid, starts: Ints) -> tuple[Ints, Ints]:
    steps = np.array([step for step, _ in grid.tempos])
    bar = np.searchsorted(starts, steps, side="right") - 1
    position = steps - starts[bar]
    rows = [
        _row(Kind.TEMPO, FIRST["tempo"] + tempo, FIRST["position"] + int(p))
        for (_, tempo), p in zip(grid.tempos, position, strict=True)
    ]
    return np.array(rows), _keys(bar, 2, 0, position)


def _chord_rows(text: str, grid: Grid) -> tuple[Ints, Ints]:
    """Chords evenly spaced in their bars; of two that fall on one step the later counts."""
    rows, bars, order = [], [], []
    for bar, chords in enumerate(harmony.parse_progression(text)[: len(grid.bars)]):
        steps = v.bar_steps(*grid.bars[bar][1:])
        spaced = {i * steps // len(chords): chord for i, chord in enumerate(chords)}
        for position, chord in spaced.items():
            rows.append(_row(Kind.CHORD, chord_id(chord), FIRST["position"] + position))
            bars.append(bar)
            order.append(position)
    keys = _keys(np.array(bars, dtype=np.int64), 3, 0, np.array(order, dtype=np.int64))
    return np.array(rows).reshape(-1, 5), keys


def _part_rows(part: Part, slot: int, grid: Grid, starts: Ints) -> tuple[Ints, Ints]:
    """The CELLs, NOTEs and PEDALs of one part."""
    bar = np.searchsorted(starts, part.onset, side="right") - 1
    pedal_bar = np.searchsorted(starts, part.pedal_onset, side="right") - 1
    position, pedal_position = part.onset - starts[bar], part.pedal_onset - starts[pedal_bar]
    is_drum = part.program == DRUM_PROGRAM
    notes = np.stack(
        [
            np.full(len(bar), Kind.NOTE),
            FIRST["position"] + position,
            (FIRST["drum"] if is_drum else FIRST["pitch"]) + part.pitch,
            FIRST["duration"] + np.searchsorted(v.DURATIONS, part.duration),
            FIRST["velocity"] + part.velocity,
        ],
        axis=1,
    )
    pedals = np.zeros((len(pedal_bar), 5), dtype=np.int64)
    pedals[:, v.KIND] = Kind.PEDAL
    pedals[:, v.POSITION] = FIRST["position"] + pedal_position
    pedals[:, v.EXTENT] = FIRST["duration"] + np.searchsorted(v.DURATIONS, part.pedal_duration)
    used = np.union1d(bar, pedal_bar)
    quarters = np.array([v.bar_steps(*grid.bars[b][1:]) for b in used]) / v.STEPS_PER_QUARTER
    per_quarter = np.bincount(bar, minlength=len(grid.bars))[used] / quarters
    cells = np.zeros((len(used), 5), dtype=np.int64)
    cells[:, v.KIND] = Kind.CELL
    cells[:, v.VALUE] = FIRST["slot"] + slot
    cells[:, v.EXTENT] = FIRST["density"] + np.searchsorted(v.DENSITIES, per_quarter)
    # Inside a cell: by position, pedals before notes, then by pitch.
    keys = [
        _keys(used, 4, slot, -1),
        _keys(pedal_bar, 4, slot, pedal_position * 256),
        _keys(bar, 4, slot, position * 256 + 1 + part.pitch),
    ]
    return np.concatenate([cells, pedals, notes]), np.concatenate(keys)


def encode(grid: Grid, notes: Annotations | None = None) -> Events:
    """Turn a grid and what is known of the work into events, (T, 5) int16.

    Raises:
        HouseError: a key, chord or style that cannot be told.
    """
    notes = notes or Annotations()
    top = np.array(header(grid, notes), dtype=np.int64)
    end = np.array([_row(Kind.EOS)])
    starts = np.array([start for start, _, _ in grid.bars])
    groups = [_bar_rows(grid), _tempo_rows(grid, starts)]
    if notes.sections:
        groups.append(_section_rows(notes.sections, len(grid.bars)))
    if notes.chords:
        groups.append(_chord_rows(notes.chords, grid))
    groups += [_part_rows(part, slot, grid, starts) for slot, part in enumerate(grid.parts)]
    rows = np.concatenate([group for group, _ in groups])
    keys = np.concatenate([key for _, key in groups])
    order = np.lexsort(keys.T[::-1])
    return np.concatenate([top, rows[order], end]).astype(np.int16)
