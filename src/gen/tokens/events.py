"""Music to events and back: exact on the grid, vectorised.

Events are `(T, 5)` int16 arrays in the field order of `vocabulary.FIELDS`. Their order:
header (BOS, attributes, one TRACK a track), then bar by bar: BAR, SECTION, TEMPOs, CHORDs,
and one CELL a sounding track, each followed by its PEDALs and NOTEs in order of time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen import harmony
from gen.errors import HouseError
from gen.harmony import QUALITIES, Chord
from gen.piece import (
    DRUM_PROGRAM,
    ROLES,
    Note,
    Pedal,
    Piece,
    Tempo,
    TimeSignature,
    Track,
)
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import FIRST, Kind

Events = NDArray[np.int16]
Ints = NDArray[np.int64]

TICKS_PER_STEP = 40
TICKS_PER_QUARTER = TICKS_PER_STEP * v.STEPS_PER_QUARTER


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


@dataclass(slots=True)
class _Part:
    """One track on the grid. Arrays are (N,), sorted by onset then pitch."""

    program: int  # 0-127, or DRUM_PROGRAM
    onset: Ints
    duration: Ints
    pitch: Ints
    velocity: Ints
    pedal_onset: Ints
    pedal_duration: Ints


@dataclass(slots=True)
class Grid:
    """A score on the grid of 12 steps a quarter, before it becomes events."""

    bars: list[tuple[int, int, int]]  # first step, numerator, denominator
    tempos: list[tuple[int, int]]  # step, tempo class
    parts: list[_Part] = field(default_factory=list)


def _to_steps(ticks: NDArray[Any], ticks_per_quarter: int) -> Ints:
    """Nearest grid step; halves go up. (N,) -> (N,)."""
    doubled = ticks.astype(np.int64) * 2 * v.STEPS_PER_QUARTER
    return np.asarray((doubled + ticks_per_quarter) // (2 * ticks_per_quarter))


def _durations(onset: Ints, end: Ints) -> Ints:
    """Nearest listed duration, at least one step."""
    wanted = np.maximum(end - onset, 1).astype(np.float64)
    return v.DURATIONS[v.nearest_index(wanted, v.DURATIONS.astype(np.float64))]


def _without_overlaps(notes: NDArray[np.int64]) -> NDArray[np.int64]:
    """One note a pitch at a time. (N, 4) onset, pitch, duration, velocity -> (M, 4).

    Of two that begin together the longer stays; one that is still held when its pitch is
    struck again is cut to the longest listed duration that fits.
    """
    order = np.lexsort((-notes[:, 3], -notes[:, 2], notes[:, 0], notes[:, 1]))
    notes = notes[order]
    first = np.ones(len(notes), dtype=np.bool_)
    first[1:] = (np.diff(notes[:, 0]) != 0) | (np.diff(notes[:, 1]) != 0)
    notes = notes[first]
    room = np.full(len(notes), np.iinfo(np.int64).max)
    same = notes[1:, 1] == notes[:-1, 1]
    room[:-1][same] = np.diff(notes[:, 0])[same]
    cut = notes[:, 2] > room
    longest = np.searchsorted(v.DURATIONS, room[cut], side="right") - 1
    notes[cut, 2] = v.DURATIONS[longest]
    return notes[np.lexsort((notes[:, 1], notes[:, 0]))]


def _part(track: Any, ticks_per_quarter: int) -> _Part:
    """Put one symusic track on the grid."""
    soa = track.notes.numpy()
    onset = _to_steps(soa["time"], ticks_per_quarter)
    end = _to_steps(soa["time"] + soa["duration"], ticks_per_quarter)
    velocity = v.nearest_index(soa["velocity"].astype(np.float64), v.VELOCITIES.astype(np.float64))
    notes = np.stack(
        [onset, soa["pitch"].astype(np.int64), _durations(onset, end), velocity], axis=1
    )
    notes = _without_overlaps(notes)
    pedals = track.pedals.numpy()
    pedal_onset = _to_steps(pedals["time"], ticks_per_quarter)
    pedal_end = _to_steps(pedals["time"] + pedals["duration"], ticks_per_quarter)
    pedal_onset, keep = np.unique(pedal_onset, return_index=True)
    return _Part(
        program=DRUM_PROGRAM if track.is_drum else int(track.program),
        onset=notes[:, 0],
        duration=notes[:, 2],
        pitch=notes[:, 1],
        velocity=notes[:, 3],
        pedal_onset=pedal_onset,
        pedal_duration=_durations(pedal_onset, pedal_end[keep]),
    )


def _bars(signatures: Sequence[tuple[int, int, int]], end: int) -> list[tuple[int, int, int]]:
    """Bars from (step, numerator, denominator) changes until step `end`.

    A change inside a bar cuts that bar short, and the short bar gets a signature of its own.
    """
    changes = list(signatures)
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, 4, 4))
    bars = []
    for (start, numerator, denominator), nxt in zip(
        changes, [*(c[0] for c in changes[1:]), end], strict=True
    ):
        length = v.bar_steps(numerator, denominator)
        step = start
        while step < nxt:
            if step + length > nxt and nxt != end:
                bars.append((step, *_signature_of(nxt - step)))
            else:
                bars.append((step, *_known_signature(numerator, denominator)))
            step += length
    return bars


def _known_signature(numerator: int, denominator: int) -> tuple[int, int]:
    if (numerator, denominator) not in v.TIME_SIGNATURES:
        raise HouseError(
            f"the time signature {numerator}/{denominator} is outside what the tokenizer knows",
            mend="write it as shorter bars (numerator 1-16, denominator 2-16, at most 12 quarters)",
        )
    return numerator, denominator


def _signature_of(steps: int) -> tuple[int, int]:
    """The plainest signature whose bar lasts `steps`."""
    for denominator in (4, 8, 16):
        numerator, rest = divmod(steps * denominator, 4 * v.STEPS_PER_QUARTER)
        if rest == 0 and (numerator, denominator) in v.TIME_SIGNATURES:
            return numerator, denominator
    raise HouseError(
        f"a time signature change leaves a bar of {steps}/12 quarters, which has no signature",
        mend="move the change to a bar line",
    )


def to_grid(score: Any) -> Grid:
    """Put a `symusic.Score` (ticks) on the grid; tracks without notes are left out.

    Raises:
        HouseError: a time signature or the number of tracks is beyond the vocabulary.
    """
    division = int(score.ticks_per_quarter)
    parts = [_part(track, division) for track in score.tracks if len(track.notes)]
    if len(parts) > v.MAX_TRACKS:
        raise HouseError(
            f"{len(parts)} tracks; the tokenizer holds {v.MAX_TRACKS}", mend="merge some tracks"
        )
    end = max((int(p.onset[-1]) + 1 for p in parts), default=0)
    end = max([end, *(int(p.pedal_onset[-1]) + 1 for p in parts if len(p.pedal_onset))])
    signatures = {
        int(_to_steps(np.array([s.time]), division)[0]): (s.numerator, s.denominator)
        for s in score.time_signatures
    }
    changes = [(step, *s) for step, s in sorted(signatures.items()) if step < max(end, 1)]
    bars = _bars(changes, end)
    return Grid(bars, _tempo_changes(score, division, end), parts)


def _tempo_changes(score: Any, division: int, end: int) -> list[tuple[int, int]]:
    """(step, tempo class) of each audible change; 120 at the start if nothing is said."""
    classes = {0: _tempo_class(120.0)}
    for tempo in score.tempos:
        step = int(_to_steps(np.array([tempo.time]), division)[0])
        if step < max(end, 1):
            classes[step] = _tempo_class(float(tempo.qpm))
    changes, last = [], -1
    for step, tempo_class in sorted(classes.items()):
        if tempo_class != last:
            changes.append((step, tempo_class))
            last = tempo_class
    return changes


def _tempo_class(quarters_per_minute: float) -> int:
    return int(v.nearest_index(np.array([quarters_per_minute]), v.TEMPOS)[0])


# Events --------------------------------------------------------------------------------


def chord_id(chord: Chord | None) -> int:
    """Value id of a chord; the slash bass is not kept."""
    if chord is None:
        return FIRST["chord"]
    return FIRST["chord"] + 1 + chord.root * len(QUALITIES) + list(QUALITIES).index(chord.quality)


def chord_of(value_id: int) -> Chord | None:
    """The chord a value id names (None: no chord)."""
    index = value_id - FIRST["chord"] - 1
    if index < 0:
        return None
    root, quality = divmod(index, len(QUALITIES))
    return Chord(root, list(QUALITIES)[quality], root)


def key_id(key: str) -> int:
    """Value id of a key; a mode counts as the major or minor it belongs to."""
    parsed = harmony.parse_key(key)
    return FIRST["key"] + parsed.tonic * 2 + int(parsed.is_minor)


def section_id(name: str) -> int:
    """Value id of a section name; a trailing number or dash is ignored, unknown is `other`."""
    word = re.sub(r"[\s\d'_-]+$", "", name.strip().lower())
    word = {"outro": "ending", "coda": "ending", "head": "theme", "pre-chorus": "prechorus"}.get(
        word, word
    )
    known = word if word in v.SECTIONS else "other"
    return FIRST["section"] + v.SECTIONS.index(known)


def _row(
    kind: Kind, value: int = 0, position: int = 0, extent: int = 0, level: int = 0
) -> list[int]:
    return [kind, position, value, extent, level]


def header(grid: Grid, notes: Annotations) -> list[list[int]]:
    """BOS, the attributes that are known, and one TRACK for each part."""
    rows = [_row(Kind.BOS)]
    if notes.genre in harmony.GENRES:
        rows.append(_row(Kind.GENRE, FIRST["genre"] + harmony.GENRES.index(notes.genre)))
    if notes.mood in harmony.MOODS:
        rows.append(_row(Kind.MOOD, FIRST["mood"] + harmony.MOODS.index(notes.mood)))
    if notes.key:
        rows.append(_row(Kind.KEY, key_id(notes.key)))
    if notes.style is not None:
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
    signatures = np.array([[n, d] for _, n, d in grid.bars], dtype=np.int64).reshape(-1, 2)
    ids = {s: FIRST["time_signature"] + i for i, s in enumerate(v.TIME_SIGNATURES)}
    rows = np.array([_row(Kind.BAR, ids[(int(n), int(d))]) for n, d in signatures])
    bars = np.arange(len(grid.bars))
    return rows.reshape(-1, 5), _keys(bars, 0, 0, 0)


def _keys(bar: Ints, rank: int, slot: int, order: Ints | int) -> Ints:
    """Sort keys (N, 4): bar, rank inside the bar, slot, order inside the cell."""
    columns = [bar, np.full(len(bar), rank), np.full(len(bar), slot)]
    return np.stack([*columns, np.broadcast_to(np.asarray(order), bar.shape)], axis=1)


def _section_rows(text: str, bars: int) -> tuple[Ints, Ints]:
    """Rows of `intro:1 A:5 …` (name:first bar, counted from 1)."""
    named = [part.rpartition(":") for part in text.split()]
    found = [(int(bar) - 1, section_id(name)) for name, _, bar in named if bar.isdigit()]
    found = [(bar, section) for bar, section in found if 0 <= bar < bars]
    rows = np.array([_row(Kind.SECTION, section) for _, section in found]).reshape(-1, 5)
    return rows, _keys(np.array([bar for bar, _ in found], dtype=np.int64), 1, 0, 0)


def _tempo_rows(grid: Grid, starts: Ints) -> tuple[Ints, Ints]:
    steps = np.array([step for step, _ in grid.tempos])
    bar = np.searchsorted(starts, steps, side="right") - 1
    position = steps - starts[bar]
    rows = [
        _row(Kind.TEMPO, FIRST["tempo"] + tempo, FIRST["position"] + int(p))
        for (_, tempo), p in zip(grid.tempos, position, strict=True)
    ]
    return np.array(rows).reshape(-1, 5), _keys(bar, 2, 0, position)


def _chord_rows(text: str, grid: Grid) -> tuple[Ints, Ints]:
    rows, bars, order = [], [], []
    for bar, chords in enumerate(harmony.parse_progression(text)[: len(grid.bars)]):
        steps = v.bar_steps(*grid.bars[bar][1:])
        for index, chord in enumerate(chords):
            position = index * steps // len(chords)
            rows.append(_row(Kind.CHORD, chord_id(chord), FIRST["position"] + position))
            bars.append(bar)
            order.append(position)
    keys = _keys(np.array(bars, dtype=np.int64), 3, 0, np.array(order, dtype=np.int64))
    return np.array(rows).reshape(-1, 5), keys


def _part_rows(part: _Part, slot: int, grid: Grid, starts: Ints) -> tuple[Ints, Ints]:
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
    """Turn a grid and what is known of the work into events, (T, 5) int16."""
    notes = notes or Annotations()
    top = np.array(header(grid, notes), dtype=np.int64)
    end = np.array([_row(Kind.EOS)])
    if not grid.bars:
        return np.concatenate([top, end]).astype(np.int16)
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


# Back ----------------------------------------------------------------------------------


def decode(events: Events) -> Piece:
    """Read events as a piece of 480 ticks a quarter. Any legal sequence decodes.

    Raises:
        HouseError: a note outside a cell, a slot never declared, or an id that its kind
            may not carry; the message names the event.
    """
    return _Decoder().read(events)


class _Decoder:
    """Walks the events once, keeping the bar and the cell it is in."""

    def __init__(self) -> None:
        self.piece = Piece(TICKS_PER_QUARTER)
        self.bar_start = 0
        self.next_bar = 0
        self.track: Track | None = None

    def read(self, events: Events) -> Piece:
        _check(events)
        for kind, position, value, extent, level in events.tolist():
            onset = (self.bar_start + position - FIRST["position"]) * TICKS_PER_STEP
            if kind == Kind.NOTE:
                self._note(onset, value, extent, level)
            elif kind == Kind.CELL:
                self.track = self._slot(value)
            elif kind == Kind.BAR:
                self._bar(value)
            elif kind == Kind.PEDAL and self.track is not None:
                self.track.pedals.append(Pedal(onset, _duration_ticks(extent)))
            elif kind == Kind.TEMPO:
                qpm = float(v.TEMPOS[value - FIRST["tempo"]])
                self.piece.tempos.append(Tempo(onset, round(60_000_000 / qpm)))
            elif kind == Kind.TRACK:
                self._declare(value, extent)
        return self.piece

    def _declare(self, value: int, extent: int) -> None:
        program = value - FIRST["program"]
        is_drum = program == DRUM_PROGRAM
        role = ROLES[extent - FIRST["role"]] if extent else None
        self.piece.tracks.append(
            Track(program=0 if is_drum else program, is_drum=is_drum, role=role)
        )

    def _bar(self, value: int) -> None:
        numerator, denominator = v.TIME_SIGNATURES[value - FIRST["time_signature"]]
        self.bar_start = self.next_bar
        self.next_bar += v.bar_steps(numerator, denominator)
        self.track = None
        signatures = self.piece.time_signatures
        if not signatures or (signatures[-1].numerator, signatures[-1].denominator) != (
            numerator,
            denominator,
        ):
            signatures.append(
                TimeSignature(self.bar_start * TICKS_PER_STEP, numerator, denominator)
            )

    def _slot(self, value: int) -> Track:
        slot = value - FIRST["slot"]
        if slot >= len(self.piece.tracks):
            raise HouseError(f"a cell of track {slot + 1}, which the header does not declare")
        return self.piece.tracks[slot]

    def _note(self, onset: int, value: int, extent: int, level: int) -> None:
        if self.track is None:
            raise HouseError("a note outside any cell")
        pitch = value - FIRST["drum" if value >= FIRST["drum"] else "pitch"]
        velocity = int(v.VELOCITIES[level - FIRST["velocity"]])
        self.track.notes.append(Note(onset, _duration_ticks(extent), pitch, velocity))


def _duration_ticks(extent: int) -> int:
    return int(v.DURATIONS[extent - FIRST["duration"]]) * TICKS_PER_STEP


def _check(events: Events) -> None:
    """Every id is one its kind may carry."""
    for column, mask in zip(events.T[1:], v.legal_words(), strict=True):
        legal = mask[events[:, v.KIND], column]
        if not legal.all():
            index = int(np.argmin(legal))
            kind = Kind(int(events[index, v.KIND]))
            raise HouseError(f"event {index}: {kind.name} may not carry {events[index].tolist()}")
