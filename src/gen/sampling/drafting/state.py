"""Where a piece stands while it is written: what was declared, what sounds, what is decided.

V ids of the value field. `State` follows the rows and nothing else; what policies owe or forbid
is kept beside it in `BarTerms` and `CellTerms`, which are made anew for each bar and cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.harmony import GENRES
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.masks import Mask, span
from gen.sampling.planning.plan import Plan, Row, compass_of, steps_of
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

KINDS: Final = tuple(Kind)
"""By their id: `Kind(id)` takes longer."""

MOST_NOTES_A_CELL: Final = 128
MOST_NOTES_AT_ONCE: Final = 10
SIXTEENTH: Final = v.STEPS_PER_QUARTER // 4
KICK_AND_SNARE: Final = frozenset({35, 36, 38, 40})
ACCOMPANIMENT, BASS = (ROLES.index(role) + 1 for role in ("accompaniment", "bass"))
BASS_PROGRAMS: Final = range(32, 40)
CHORALE: Final = WORDS.genre.id(GENRES.index("chorale"))
LONGEST_REST: Final = 4 * v.STEPS_PER_QUARTER
"""Grid steps across which a voice of a chorale is said to move on."""


Held = tuple[int, int, int]
"""First grid step, step after the last, and value id of a note that is there; 0 for a pedal."""
PartNote = tuple[int, int, int, int]
"""First grid step, the step after the last, pitch and slot of a note."""


def _silence() -> NDArray[np.int64]:
    return np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.int64)


@dataclass(slots=True)
class TrackState:
    """One track of a piece being written.

    Attributes:
        program: 0-127, or `DRUM_PROGRAM`.
        role, register: 1 + number; 0 for none.
        pitches: (V,) the value ids that it plays.
        ends: (V,) grid step at which each of them has sounded.
        pedal_end: grid step at which its pedal is released.
        is_silent: whether it has not sounded yet.
        notes, cells: how many it has, and in how many bars.
        pitch_sum: of its notes.
        latest: value id of its last note, 0 before the first.
    """

    program: int
    role: int
    register: int
    pitches: Mask
    ends: NDArray[np.int64] = field(default_factory=_silence)
    pedal_end: int = 0
    is_silent: bool = True
    notes: int = 0
    cells: int = 0
    pitch_sum: int = 0
    latest: int = 0

    @property
    def is_bass(self) -> bool:
        """By its role; where it has none by its instrument."""
        return self.role == BASS or (not self.role and self.program in BASS_PROGRAMS)

    @property
    def mean_pitch(self) -> float:
        """Of its notes; 0 while it has none with a pitch."""
        return self.pitch_sum / self.notes if self.notes else 0.0


@dataclass(frozen=True, slots=True)
class Ending:
    """On what a piece ends.

    Attributes:
        chord: value id.
        has_ninth: whether accompaniment and pads play its ninth, too.
        is_bare: whether nobody plays its third.
    """

    chord: int
    has_ninth: bool
    is_bare: bool


@dataclass(slots=True)
class BarTerms:
    """What is decided of a bar before it is written.

    Attributes:
        onset_stop: the first step of the bar where nothing may begin any more.
        chords: CHORD rows that it has for certain, not taken yet.
        chords_decided: whether it has no others.
        copies: a slot: the rows of its cell, which comes back as it was.
        called: slots that have to have notes.
        owed: slots whose cells may not be passed over, ascending.
        open: slots of the cells that may come, ascending.
        counts: a slot: fewest and most notes of its cell, where a section decides them.
        densities: a slot: (V,) the density ids of its cell, where they are not those of the plan.
        closes: whether the piece comes to its end in this bar.
        chord_choices: value ids of which each chord has to be one; empty for any.
        coming: pitched notes of `copies`, by the fourth rules.
        cadence_root: pitch class with which a bass begins it, a bar of the cadence before the last.
        closing_chord: value id of the chord it ends on, 0 for any.
        ending: more of it, by the ninth rules, in pieces that have a genre.
        rings: grid steps for which a chord that is struck there lasts; 0 to the end.
        next_bar: pitched notes that come back in the bar after it, by the eighth rules.
    """

    onset_stop: int = 0
    chords: list[Row] = field(default_factory=list)
    chords_decided: bool = False
    copies: dict[int, list[Row]] = field(default_factory=dict)
    called: set[int] = field(default_factory=set)
    owed: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)
    densities: dict[int, Mask] = field(default_factory=dict)
    closes: bool = False
    chord_choices: Sequence[int] = ()
    coming: list[PartNote] = field(default_factory=list)
    cadence_root: int | None = None
    closing_chord: int = 0
    ending: Ending | None = None
    rings: int = 0
    next_bar: list[PartNote] = field(default_factory=list)

    @property
    def is_struck(self) -> bool:
        """Whether the piece closes with one chord, struck as the bar begins."""
        return self.closes and self.onset_stop == 1

    @property
    def next_slots(self) -> list[int]:
        """Tracks whose cell may come next: in order, and none passed over that is owed."""
        return [s for s in self.open if s <= self.owed[0]] if self.owed else self.open


@dataclass(frozen=True, slots=True)
class PatternNote:
    """A note of a cell that keeps its rhythm.

    Attributes:
        position, extent, level: ids of these fields; a level of 0 is open.
        direction: -1, 0 or 1, which way its pitch goes from the note before; None for any.
        timing: ids of onset, release and touch; empty where there are none.
        room: how many higher pitches it leaves to those that follow.
    """

    position: int
    extent: int
    level: int
    direction: int | None = None
    timing: tuple[int, ...] = ()
    room: int = 0


@dataclass(slots=True)
class CellTerms:
    """What is decided of a cell before it is written.

    Attributes:
        palette: (V,) the value ids that it may play.
        basses: steps of the bar, and the ids to which a slash chord holds it from there on, None
            for all; ascending.
        reach: grid step by which all of it has to be over.
        owed: fewest notes before it may be left.
        spaced: fewest notes for which room is kept in the bar.
        most: most notes.
        at_once: most notes on one step.
        is_over: whether nothing more may be drawn for it.
        struck: value id: the grid step at which music that stays strikes it again; 0 is the pedal.
        keeps_room: whether a pedal before the first note leaves room for one.
        width: how many ids the palette has.
        ringing: how many pitches of the track sounded as the cell began.
        spacing: grid steps from one onset to the next, at least.
        bias: what is added to the model's scores of the value ids up to the last pitch, at each
            step: (steps, ids); None for nothing.
        near: 0 where a pitch would not clash with another part, at each step from the bar's first
            on, else how much that counts: (steps, 128); None where lengths are left to the model.
        tones: which pitches the chord of each step has, all of which it is to have: (steps, 128);
            None where that is open.
        pattern: the notes that it has but for their pitches; empty where these are open, too.
    """

    palette: Mask
    reach: int
    owed: int = 0
    spaced: int = 0
    most: int = MOST_NOTES_A_CELL
    at_once: int = MOST_NOTES_AT_ONCE
    is_over: bool = False
    struck: dict[int, int] = field(default_factory=dict)
    keeps_room: bool = False
    width: int = 0
    ringing: int = 0
    spacing: int = 1
    basses: tuple[tuple[int, Mask | None], ...] = ()
    bias: NDArray[np.float32] | None = None
    near: NDArray[np.bool_] | NDArray[np.float32] | None = None
    tones: NDArray[np.bool_] | None = None
    pattern: tuple[PatternNote, ...] = ()


class State:
    """What the rows of a piece say so far.

    Args:
        plan: whose planned sections count as known from the beginning.

    Attributes:
        rows: taken so far.
        parts: the tracks.
        genre, key, tempo: value ids in force, 0 before the first.
        first_tempo: value id of the tempo at the beginning, 0 before it.
        sections: first bar: value id.
        given_bars: how many bars are there already.
        bar: counted from 0, -1 in the header; `bar_start` and `bar_steps` in grid steps.
        bar_rows: where in `rows` each bar begins.
        slot: of the open cell, -1 where there is none.
        last: kind of the latest row, with its `position` in the bar and `pitch_id`.
        cell_notes, at_once: notes of the open cell, and of its latest step.
        patterned: how many notes of the cell's pattern are behind it.
        sounding: pitched notes that have not ended a sixteenth before this bar, in chorales by the
            fourth rules a whole note: first step, step after the last, pitch and slot of each.
        heard: for how many steps each pitch class has sounded. (12,).
        rolled: how many bars with drums up to here have had nothing but kick and snare.
        struck: drum sounds of this bar.
        chords: grid step and value id of each chord so far.
        sounds_until: grid step at which the last note ends.
        lasts_until: the same for pedals and what is held from before, too.
    """

    def __init__(self, plan: Plan) -> None:
        self.rows: list[Row] = []
        self.parts: list[TrackState] = []
        self.genre = self.key = self.tempo = self.first_tempo = 0
        self.sections: dict[int, int] = {
            bar: row[v.VALUE] for bar in plan.plan_rows for row in plan.planned(bar, Kind.SECTION)
        }
        self.given_bars = sum(row[v.KIND] == Kind.BAR for row in plan.header)
        self.bar = -1
        self.bar_start = self.bar_steps = 0
        self.bar_rows: list[int] = []
        self.slot = -1
        self.last = Kind.PAD
        self.position = self.pitch_id = 0
        self.cell_notes = self.at_once = self.patterned = 0
        self.sounding: list[PartNote] = []
        self.chords: list[tuple[int, int]] = []
        self.heard = np.zeros(12)
        self.rolled = 0
        self.struck: set[int] = set()
        self.sounds_until = self.lasts_until = 0
        self.bar_terms = BarTerms()
        self.cell_terms = CellTerms(_silence() > 0, 0)

    @property
    def part(self) -> TrackState:
        """The track of the open cell."""
        return self.parts[self.slot]

    def take(self, row: Row, plan: Plan) -> None:
        """Take in a finished row."""
        kind = KINDS[row[v.KIND]]
        if kind == Kind.NOTE:
            self._note(row)
        elif kind == Kind.TRACK:
            self.parts.append(_part(row, len(self.parts), plan))
        elif kind == Kind.BAR:
            self.bar += 1
            self.bar_rows.append(len(self.rows))
            self.bar_start += self.bar_steps
            self.bar_steps = steps_of(row[v.VALUE])
            self.slot, self.position = -1, 0
            keeps = LONGEST_REST if plan.rules.counts_rests and self.genre == CHORALE else SIXTEENTH
            just_before = self.bar_start - keeps
            self.sounding = [note for note in self.sounding if note[1] > just_before]
            if self.struck:
                self.rolled = self.rolled + 1 if self.struck <= KICK_AND_SNARE else 0
                self.struck = set()
        elif kind in (Kind.CELL, Kind.FILL, Kind.HOLE):
            self.slot = WORDS.slot.number(row[v.VALUE])
            self.position = self.cell_notes = self.at_once = self.patterned = 0
        elif kind in v.POSITIONED:
            self._place(kind, row)
        elif kind == Kind.SECTION:
            self.sections[self.bar] = row[v.VALUE]
        elif kind == Kind.KEY:
            self.key = row[v.VALUE]
        elif kind == Kind.GENRE:
            self.genre = row[v.VALUE]
        elif kind == Kind.PAD:
            raise AssertionError(f"bar {self.bar + 1}: nothing may follow {self.rows[-1]}")
        self.last = kind
        self.rows.append(row)

    def _note(self, row: Row) -> None:
        position = WORDS.position.number(row[v.POSITION])
        same = self.last == Kind.NOTE and position == self.position
        self.at_once = self.at_once + 1 if same else 1
        self.position, self.pitch_id = position, row[v.VALUE]
        self.cell_notes += 1
        pattern = self.cell_terms.pattern
        while self.patterned < len(pattern):
            self.patterned += 1
            if pattern[self.patterned - 1].position == row[v.POSITION]:
                break
        end = self._end_of(row)
        part = self.part
        part.ends[row[v.VALUE]] = end
        part.is_silent = False
        part.latest = row[v.VALUE]
        part.notes += 1
        part.cells += self.cell_notes == 1
        if row[v.VALUE] < WORDS.pitch.stop:
            pitch = WORDS.pitch.number(row[v.VALUE])
            part.pitch_sum += pitch
            self.heard[pitch % 12] += duration_of(row)
            self.sounding.append((self.bar_start + position, end, pitch, self.slot))
        else:
            self.struck.add(WORDS.drum.number(row[v.VALUE]))
        self.sounds_until = max(self.sounds_until, end)
        self.lasts_until = max(self.lasts_until, end)

    def _place(self, kind: Kind, row: Row) -> None:
        """A TEMPO, CHORD or PEDAL."""
        self.position = WORDS.position.number(row[v.POSITION])
        if kind == Kind.TEMPO:
            self.tempo = row[v.VALUE]
            self.first_tempo = self.first_tempo or self.tempo
        elif kind == Kind.CHORD:
            self.chords.append((self.bar_start + self.position, row[v.VALUE]))
        elif kind == Kind.PEDAL:
            self.part.pedal_end = self._end_of(row)
            self.lasts_until = max(self.lasts_until, self.part.pedal_end)

    def _end_of(self, row: Row) -> int:
        return self.bar_start + self.position + duration_of(row)

    def hold(self, held: Iterable[Held], slot: int) -> None:
        """Let a track have played exactly this."""
        part = self.parts[slot]
        part.ends[:] = part.latest = began = 0
        for begin, end, value in held:
            part.ends[value] = max(part.ends[value], end)
            if value and (begin, value) > (began, part.latest):
                began, part.latest = begin, value
        part.pedal_end = int(part.ends[0])


def duration_of(row: Row) -> int:
    """Grid steps that a note or pedal lasts."""
    return int(v.DURATIONS[WORDS.duration.number(row[v.EXTENT])])


def _part(row: Row, slot: int, plan: Plan) -> TrackState:
    program = WORDS.program.number(row[v.VALUE])
    low, high = compass_of(program, plan.pitches)
    if slot < len(plan.compass):
        low, high = plan.compass[slot]
    words = WORDS.drum if program == DRUM_PROGRAM else WORDS.pitch
    return TrackState(
        program,
        role=WORDS.role.number(row[v.EXTENT]) + 1 if row[v.EXTENT] else 0,
        register=WORDS.register.number(row[v.LEVEL]) + 1 if row[v.LEVEL] else 0,
        pitches=span(v.FIELD_SIZES[v.VALUE], words.id(low), words.id(high)),
    )
