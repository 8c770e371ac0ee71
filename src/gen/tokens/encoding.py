"""Music to events: exact on the grid, vectorised. The way back is in `reading`.

The order of events: header (BOS, attributes, one TRACK a track), then bar by bar: BAR, SECTION,
TEMPOs, CHORDs, and one CELL a sounding track, each followed by its PEDALs and NOTEs in order of
time; EOS at the end. Notes and bars come from the grid; what a tag says besides (`Annotations`:
genre, key, chords, sections, roles) is inserted afterwards by `annotated`. N rows of a group, F
fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gen import harmony
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.events import Events, Ints
from gen.tokens.grid import Grid, GridTrack
from gen.tokens.vocabulary import WORDS, Kind


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


def encode(grid: Grid, annotations: Annotations | None = None, timed: str = timing.GRID) -> Events:
    """Turn a grid and what is known of the work into events.

    Args:
        grid: of the work.
        annotations: what is known of it.
        timed: `timing.GRID` for rows of five fields; for rows of eight `PLAYED` with what was off
            the grid, `STRAIGHT` without.

    Raises:
        HouseError: a key, chord or style that is beyond the vocabulary.
    """
    starts = np.array([start for start, _, _ in grid.bars])
    groups = [_bar_rows(grid), _tempo_rows(grid, starts)]
    groups += [_part_rows(part, slot, grid, starts) for slot, part in enumerate(grid.parts)]
    rows = np.concatenate([group for group, _ in groups])
    keys = np.concatenate([key for _, key in groups])
    order = np.lexsort(keys.T[::-1])
    if timed == timing.GRID:
        rows = rows[:, : len(v.FIELDS)]
    body = Events(rows[order].astype(np.int16))
    tracks = [Events.new_track(part.program, register=_register(part)) for part in grid.parts]
    music = Events.joined([Events.bos(), *tracks, body, Events.eos()])
    if timed == timing.PLAYED:
        music.array[0, timing.ONSET] = timing.MARK
    elif timed == timing.STRAIGHT:
        music = music.straightened()
    return annotated(music, annotations) if annotations else music


def _register(part: GridTrack) -> int | None:
    """The octave of the mean pitch; None for drums."""
    return None if part.program == DRUM_PROGRAM else int(part.pitch.mean()) // 12


# What is known besides ------------------------------------------------------------------


def annotated(music: Events, annotations: Annotations) -> Events:
    """Events of a whole work, from BOS to EOS, with what is known of it besides.

    Raises:
        HouseError: a key, chord or style that is beyond the vocabulary.
    """
    roles = [role if role in ROLES else None for role in annotations.roles]
    array, tracks = music.array.copy(), music.rows_of(Kind.TRACK)
    if len(roles) > len(tracks):  # tracks were joined, and may do several things
        roles = []
    for row, role in zip(tracks, roles, strict=False):
        array[row, v.EXTENT] = WORDS.role.id(ROLES.index(role)) if role else 0
    insertions = list(_insertions(music, annotations))
    places = [place for place, part in insertions for _ in part]
    rows = Events.joined(part for _, part in insertions).widened(music.fields)
    return Events(np.insert(array, np.array(places, dtype=np.int64), rows.array, axis=0))


def _insertions(music: Events, annotations: Annotations) -> Iterator[tuple[int, Events]]:
    """What is inserted, and before which row."""
    yield 1, _attributes(annotations)
    bars = music.bar_rows.tolist()
    for bar, name in _sections(annotations.sections or "", len(bars)).items():
        yield bars[bar] + 1, Events.section(name)
    tempos = np.bincount(music.bar[music.rows_of(Kind.TEMPO)], minlength=len(bars)).tolist()
    progression = harmony.parse_progression(annotations.chords) if annotations.chords else []
    for bar, chords in enumerate(progression[: len(bars)]):
        steps = int(music.bar_steps[bar])
        # Evenly spaced; of two that fall on one step the later counts.
        spaced = {i * steps // len(chords): chord for i, chord in enumerate(chords)}
        for step, chord in spaced.items():
            yield bars[bar] + 1 + tempos[bar], Events.chord(chord, step)


def _attributes(annotations: Annotations) -> Events:
    parts = [Events.of([])]
    if annotations.genre in harmony.GENRES:
        parts.append(Events.genre(annotations.genre))
    if annotations.mood in harmony.MOODS:
        parts.append(Events.mood(annotations.mood))
    if annotations.key:
        parts.append(Events.key(annotations.key))
    if annotations.style is not None:
        parts.append(Events.style(annotations.style))
    return Events.joined(parts)


def _sections(text: str, bars: int) -> dict[int, str]:
    """Bar, from 0, and name, of `intro:1 A:5 …`, which counts from 1; the last of a bar counts."""
    named = [part.rpartition(":") for part in text.split()]
    # Tags may say anything, so also a number with more digits than Python reads.
    is_bar = {bar: bar.isdecimal() and len(bar) < 7 for _, _, bar in named}
    found = {int(bar) - 1: name for name, _, bar in named if is_bar[bar]}
    return {bar: name for bar, name in found.items() if 0 <= bar < bars}


# The music itself -----------------------------------------------------------------------

Sortable = tuple[Ints, Ints]
"""Ids of events, (N, F), and what they are sorted by, (N, 4)."""


def _keys(bar: Ints, rank: int, slot: int, order: Ints | int) -> Ints:
    """Sort keys (N, 4): bar, rank inside the bar, slot, order inside the cell."""
    columns = [bar, np.full(len(bar), rank), np.full(len(bar), slot)]
    return np.stack([*columns, np.broadcast_to(np.asarray(order), bar.shape)], axis=1)


def _ids(count: int, kind: Kind, **columns: Ints | int) -> Ints:
    """Ids of that many events of a kind, field by field; 0 where nothing is given. (N, F)."""
    rows = np.zeros((count, len(timing.FIELDS)), dtype=np.int64)
    rows[:, v.KIND] = kind
    for name, ids in columns.items():
        rows[:, timing.FIELDS.index(name)] = ids
    return rows


def _bar_rows(grid: Grid) -> Sortable:
    numbers = np.array([v.TIME_SIGNATURES.index((n, d)) for _, n, d in grid.bars])
    rows = _ids(len(numbers), Kind.BAR, value=WORDS.time_signature.id(numbers))
    return rows, _keys(np.arange(len(rows)), 0, 0, 0)


def _tempo_rows(grid: Grid, starts: Ints) -> Sortable:
    steps, numbers = np.array(grid.tempos).T
    bar = np.searchsorted(starts, steps, side="right") - 1
    position = WORDS.position.id(steps - starts[bar])
    rows = _ids(len(steps), Kind.TEMPO, position=position, value=WORDS.tempo.id(numbers))
    return rows, _keys(bar, 2, 0, position)


def _part_rows(part: GridTrack, slot: int, grid: Grid, starts: Ints) -> Sortable:
    """The CELLs, NOTEs and PEDALs of one part."""
    bar = np.searchsorted(starts, part.onset, side="right") - 1
    pedal_bar = np.searchsorted(starts, part.pedal_onset, side="right") - 1
    step, pedal_step = part.onset - starts[bar], part.pedal_onset - starts[pedal_bar]
    sound = WORDS.drum if part.program == DRUM_PROGRAM else WORDS.pitch
    notes = _ids(
        len(bar), Kind.NOTE,
        position=WORDS.position.id(step),
        value=sound.id(part.pitch),
        extent=WORDS.duration.id(np.searchsorted(v.DURATIONS, part.duration)),
        level=WORDS.velocity.id(part.velocity),
        onset=timing.ids_of(timing.ONSET, part.timing[:, 0]),
        release=timing.ids_of(timing.RELEASE, part.timing[:, 1]),
        touch=timing.ids_of(timing.TOUCH, part.timing[:, 2]),
    )  # fmt: skip
    pedals = _ids(
        len(pedal_bar), Kind.PEDAL,
        position=WORDS.position.id(pedal_step),
        extent=WORDS.duration.id(np.searchsorted(v.DURATIONS, part.pedal_duration)),
        onset=timing.ids_of(timing.ONSET, part.pedal_timing[:, 0]),
        release=timing.ids_of(timing.RELEASE, part.pedal_timing[:, 1]),
    )  # fmt: skip
    used = np.union1d(bar, pedal_bar)
    quarters = np.array([v.bar_steps(*grid.bars[b][1:]) for b in used]) / v.STEPS_PER_QUARTER
    per_quarter = np.bincount(bar, minlength=len(grid.bars))[used] / quarters
    density = WORDS.density.id(np.searchsorted(v.DENSITIES, per_quarter))
    cells = _ids(len(used), Kind.CELL, value=WORDS.slot.id(slot), extent=density)
    # Inside a cell: by position, pedals before notes, then by pitch.
    keys = [
        _keys(used, 4, slot, -1),
        _keys(pedal_bar, 4, slot, pedal_step * 256),
        _keys(bar, 4, slot, step * 256 + 1 + part.pitch),
    ]
    return np.concatenate([cells, pedals, notes]), np.concatenate(keys)
