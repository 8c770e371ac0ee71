"""An accompaniment by rule, as a baseline: what anybody writes under given chords.

A bass plays the root with each chord, and the fifth in the middle of a bar that has but one. A pad
holds each chord in close position, in the inversion that is nearest to the one before. Other
parts break the same chord in eighths, up and down. Drums beat a kick and a snare in turn under a
closed hi-hat. It sees meter, chords and the instrument, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from gen.piece import DRUM_PROGRAM
from gen.sampling.drafting.cell_table import CellTable, Place
from gen.sampling.planning.plan import Row, compass_of, row_of
from gen.smf.general_midi import ANY_PITCH
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_of

KICK, SNARE, HI_HAT = 36, 38, 42
EIGHTH: Final = v.STEPS_PER_QUARTER // 2
BASS_CENTRE, CENTRE = 40, 60
"""Pitches near which a bass and chords begin, as far as the instrument goes there."""
VELOCITY: Final = 80

Note = tuple[int, int, int]
"""First step of the bar, length in steps, pitch."""
Span = tuple[int, int, tuple[int, ...]]
"""First step of the bar, the step after the last, and pitch classes of a chord, the root first."""


def arranged(table: CellTable, slot: int, program: int, role: str | None) -> dict[Place, list[Row]]:
    """Cells of one track, bar by bar.

    Args:
        table: the piece without that track's cells.
        slot: of the track.
        program: 0-127, or `DRUM_PROGRAM`.
        role: of `piece.ROLES`, None where it is not known.
    """
    is_drum = program == DRUM_PROGRAM
    voicing: list[int] = []
    chord: tuple[int, ...] = ()
    cells = {}
    starts = table.bar_starts()
    for bar, rows in enumerate(table.bars):
        steps = int(starts[bar + 1] - starts[bar])
        spans = list(_spans(rows, steps, chord))
        chord = spans[-1][2]
        notes: list[Note] = list(_beat(steps)) if is_drum else []
        for first, end, tones in () if is_drum else [span for span in spans if span[2]]:
            voicing = _voiced(tones[:1] if role == "bass" else tones, voicing, program, role)
            notes += _figure(first, end, voicing, role, fills=(first, end) == (0, steps))
        if notes:
            cells[bar, slot] = _cell(slot, notes, is_drum=is_drum)
    return cells


def _spans(rows: Sequence[Row], steps: int, chord: tuple[int, ...]) -> Iterator[Span]:
    """The chords of a bar, the first of which may hold on from before."""
    changes = [
        (WORDS.position.number(row[v.POSITION]), found.pitch_classes if found else ())
        for row in rows
        if row[v.KIND] == Kind.CHORD
        for found in [chord_of(row[v.VALUE])]
    ]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, chord))
    ends = [first for first, _ in changes[1:]] + [steps]
    for (first, tones), end in zip(changes, ends, strict=True):
        yield first, end, tuple(tones)


def _voiced(
    tones: Sequence[int], before: Sequence[int], program: int, role: str | None
) -> list[int]:
    """Pitches of these classes in close position, nearest to those before. Ascending."""
    low, high = compass_of(program, ANY_PITCH)
    centre = min(max(BASS_CENTRE if role == "bass" else CENTRE, low + 6), high - 6)
    wanted = float(np.mean(before)) if before else centre
    wanted = min(max(wanted, centre - 7), centre + 7)
    ways = []
    for lowest in tones:
        ordered = sorted((tone - lowest) % 12 for tone in tones)
        ways += [[base + step for step in ordered] for base in range(lowest, 116, 12)]
    inside = [way for way in ways if low <= way[0] and way[-1] <= high] or ways
    return min(inside, key=lambda way: abs(float(np.mean(way)) - wanted))


def _figure(
    first: int, end: int, voicing: Sequence[int], role: str | None, *, fills: bool
) -> Iterator[Note]:
    """What a part plays of a chord that holds from one step to another; `fills` is all of a bar."""
    if role == "bass":
        middle = (first + end) // 2 // v.STEPS_PER_QUARTER * v.STEPS_PER_QUARTER
        if fills and end >= 4 * v.STEPS_PER_QUARTER:
            yield first, middle - first, voicing[0]
            yield middle, end - middle, voicing[0] + 7
        else:
            yield first, end - first, voicing[0]
    elif role == "pad":
        yield from ((first, end - first, pitch) for pitch in voicing)
    else:
        around = [*voicing, *voicing[-2:0:-1]]
        for number, step in enumerate(range(first, end, EIGHTH)):
            yield step, min(EIGHTH, end - step), around[number % len(around)]


def _beat(steps: int) -> Iterator[Note]:
    """Kick on the first beat, then snare and kick in turn; in three, a snare on both others."""
    quarters = steps // v.STEPS_PER_QUARTER
    for step in range(0, steps, EIGHTH):
        beat, off = divmod(step, v.STEPS_PER_QUARTER)
        if not off and beat < max(quarters, 1):
            strong = beat == 0 if quarters == 3 else beat % 2 == 0
            yield step, EIGHTH, KICK if strong else SNARE
        yield step, EIGHTH, HI_HAT


def _cell(slot: int, notes: Sequence[Note], *, is_drum: bool) -> list[Row]:
    words = WORDS.drum if is_drum else WORDS.pitch
    level = WORDS.velocity.id(int(np.abs(v.VELOCITIES - VELOCITY).argmin()))
    rows: list[Row] = [row_of(Kind.CELL, WORDS.slot.id(slot))]
    for first, length, pitch in sorted(notes, key=lambda note: (note[0], note[2])):
        extent = int(np.searchsorted(v.DURATIONS, length, side="right")) - 1
        row = [WORDS.position.id(first), words.id(pitch), WORDS.duration.id(extent), level]
        rows.append([int(Kind.NOTE), *row])
    return rows
