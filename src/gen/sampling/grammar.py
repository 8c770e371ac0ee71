"""What may come next: the rules that make every sample decode and obey its controls.

One `Walk` follows one piece. It hands out the rows that are decided beforehand (`forced`), says
for every field of the others which ids are allowed, and takes in each finished row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gen.piece import DRUM_PROGRAM
from gen.tokens import vocabulary as v
from gen.tokens.columns import MOST_BARS, MOST_REMAINING, PITCH_CLASS
from gen.tokens.echo import EchoMemory
from gen.tokens.vocabulary import FIRST, SPANS, Kind

Mask = NDArray[np.bool_]
Row = list[int]

DRUM_SOUNDS = (27, 87)
"""The drum pitches that General MIDI 2 gives a sound."""

MOST_NOTES_A_CELL = 128
MOST_NOTES_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided before the first note.

    Attributes:
        header: BOS, attributes and TRACKs; the TRACKs may be missing, then they are sampled.
        tracks_open: whether further TRACKs may be sampled.
        bars: how many, None to let the model end.
        most_bars: never more than this.
        time_signature: value id of every bar, None to let the model choose.
        tempo: value id of the tempo at the beginning; None to let the model choose. A given
            tempo holds throughout.
        plan_rows: rows (SECTION, CHORD) that follow the BAR with this number, counted from 0.
        chords_given: chords come from `plan_rows` alone.
        sections_given: sections come from `plan_rows` alone.
        pitches: lowest and highest melodic pitch.
        velocities: lowest and highest velocity class.
    """

    header: list[Row]
    tracks_open: bool
    bars: int | None = None
    most_bars: int = 64
    time_signature: int | None = None
    tempo: int | None = None
    plan_rows: dict[int, list[Row]] = field(default_factory=dict)
    chords_given: bool = False
    sections_given: bool = False
    pitches: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (0, len(v.VELOCITIES) - 1)


LEGAL = v.legal_words()


def _legal(field_after_kind: int, kind: Kind) -> Mask:
    mask: Mask = LEGAL[field_after_kind][kind]
    return mask


class Walk:
    """The state of one piece being written."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[Row] = []
        self.context: list[Row] = []
        self.forced: deque[Row] = deque(plan.header)
        self.done = False
        self.programs: list[int] = []
        self.roles: list[int] = []
        self.bar = -1
        self.bar_steps = 0
        self.bar_start = 0
        self.slot = -1
        self.last = Kind.PAD
        self.position = 0
        self.pitch_id = 0
        self.cell_notes = 0
        self.at_once = 0
        self.sounding: list[dict[int, int]] = []  # a slot: pitch id -> step where it ends
        self.pressed: list[int] = []  # a slot: step where its pedal is released
        self.sounds_until = 0  # the last note's end
        self.lasts_until = 0  # the last end of all, pedals too
        self.tempo = 0  # value id in force, 0 before the first
        self.after_tempo: list[Row] = []  # planned rows that wait for the first tempo
        self.chords: list[tuple[int, int]] = []  # bar x MAX_BAR_STEPS + step, 1 + number
        self.echo = EchoMemory()

    # Before a row ------------------------------------------------------------------------

    @property
    def last_bar(self) -> bool:
        """Whether no further bar may begin."""
        return self.bar + 1 >= (self.plan.bars or self.plan.most_bars)

    def kinds(self) -> Mask:
        """(kinds,) which kinds may come next."""
        allowed = np.zeros(len(Kind), dtype=np.bool_)
        if self.bar < 0:
            allowed[Kind.TRACK] = self.plan.tracks_open and len(self.programs) < v.MAX_TRACKS
            allowed[Kind.BAR] = bool(self.programs)
            return allowed
        if self.last == Kind.CELL:
            self._cell_kinds(allowed)
            return allowed
        if self.tempo == 0:  # every piece begins by telling its tempo
            allowed[Kind.TEMPO] = True
            allowed[Kind.SECTION] = self.last == Kind.BAR and not self.plan.sections_given
            return allowed
        if self.slot < 0:
            self._plan_kinds(allowed)
        else:
            self._cell_kinds(allowed)
        allowed[Kind.CELL] = bool(self._open_slots())
        allowed[Kind.BAR] = not self.last_bar
        allowed[Kind.EOS] = self._may_end()
        return allowed

    def wishes(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of the kinds, (kinds,), where BAR and EOS stand in for each other.

        A wish for another bar, where none may follow, is a wish to end, and a wish to end too
        early is one to go on. Without this what is left over would go to unlikely notes.
        """
        if self.bar < 0:
            return scores
        result = scores.copy()
        wanted, barred = (Kind.EOS, Kind.BAR) if self.last_bar else (Kind.BAR, Kind.EOS)
        if self.last_bar or self.plan.bars is not None:
            result[wanted] = np.logaddexp(scores[wanted], scores[barred])
        return result

    def _cell_kinds(self, allowed: Mask) -> None:
        allowed[Kind.NOTE] = (
            self.cell_notes < MOST_NOTES_A_CELL and self._first_note() < self.bar_steps
        )
        allowed[Kind.PEDAL] = self._first_pedal() < self.bar_steps

    def _may_end(self) -> bool:
        """Only with a bar in which something sounds, and never while something goes on."""
        silent = self.sounds_until <= self.bar_start
        over = self.lasts_until <= self.bar_start + self.bar_steps
        return not silent and (self.last_bar or (self.plan.bars is None and over))

    def _plan_kinds(self, allowed: Mask) -> None:
        """Between a BAR and its first cell: section, tempos, chords, in this order."""
        plan = self.plan
        rank = {Kind.BAR: 0, Kind.SECTION: 1, Kind.TEMPO: 2, Kind.CHORD: 3}[self.last]
        room = self.position + 1 < self.bar_steps
        allowed[Kind.SECTION] = rank == 0 and not plan.sections_given
        allowed[Kind.TEMPO] = plan.tempo is None and (rank < 2 or (rank == 2 and room))
        allowed[Kind.CHORD] = not plan.chords_given and (rank < 3 or room)

    def _first_pedal(self) -> int:
        """First step where the pedal may be pressed: released, and before its step's notes."""
        first = self.position + 1 if self.last in (Kind.NOTE, Kind.PEDAL) else 0
        return max(first, self.pressed[self.slot] - self.bar_start)

    def _first_note(self) -> int:
        """First step where another note may begin; the bar's length or more if there is none."""
        first = self.position if self._chord_goes_on() else self.position + 1
        return max(first, self._first_free(self.slot))

    def _first_free(self, slot: int) -> int:
        """First step of this bar where not all pitches of a track sound."""
        if self.programs[slot] == DRUM_PROGRAM:
            low, high = SPANS["drum"].start, SPANS["drum"].stop - 1
        else:
            low, high = (FIRST["pitch"] + pitch for pitch in self.plan.pitches)
        sounding = self.sounding[slot]
        if len(sounding) <= high - low:
            return 0
        ends = [sounding.get(pitch_id, 0) for pitch_id in range(low, high + 1)]
        return max(0, min(ends) - self.bar_start)

    def _open_slots(self) -> list[int]:
        """Tracks whose cell may come next: in order, and with room for a note or a pedal."""
        return [
            slot
            for slot in range(self.slot + 1, len(self.programs))
            if min(self._first_free(slot), self.pressed[slot] - self.bar_start) < self.bar_steps
        ]

    def _chord_goes_on(self) -> bool:
        """Whether another note may begin on the step of the last one."""
        if self.last != Kind.NOTE:
            return True
        return self.at_once < MOST_NOTES_AT_ONCE and bool(self._pitches(self.position).any())

    def allowed(self, field_index: int, row: Row) -> Mask:
        """Which ids field `field_index` of a row may take, given the fields before it."""
        kind = Kind(row[v.KIND])
        if field_index == v.KIND:
            return self.kinds()
        if field_index == v.POSITION:
            return self._positions(kind)
        if field_index == v.VALUE:
            return self._values(kind, row)
        if field_index == v.EXTENT:
            return self._extents(kind, row)
        return self._levels(kind)

    def _positions(self, kind: Kind) -> Mask:
        if kind not in v.POSITIONED:
            return _legal(0, kind)
        mask = np.zeros(v.FIELD_SIZES[v.POSITION], dtype=np.bool_)
        first = 0
        if kind == Kind.PEDAL:
            first = self._first_pedal()
        elif kind == Kind.NOTE and self.slot >= 0:
            first = self._first_note()
        elif kind == self.last:
            first = self.position + 1
        elif kind == Kind.CHORD or (kind == Kind.TEMPO and self.bar == 0):
            mask[FIRST["position"]] = True  # the first of a bar stands at its beginning
            return mask
        mask[FIRST["position"] + first : FIRST["position"] + self.bar_steps] = True
        return mask

    def _values(self, kind: Kind, row: Row) -> Mask:
        if kind == Kind.NOTE:
            return self._pitches(row[v.POSITION] - FIRST["position"])
        mask = _legal(1, kind)
        if kind == Kind.CELL:
            mask = np.zeros_like(mask)
            mask[[FIRST["slot"] + slot for slot in self._open_slots()]] = True
        elif kind == Kind.BAR:
            mask = self._signatures()
        elif kind == Kind.TEMPO and self.tempo:
            mask = mask.copy()
            mask[self.tempo] = False  # a change changes something
        return mask

    def _signatures(self) -> Mask:
        """The one that was asked for, else those whose bars hold what still sounds."""
        mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
        if self.plan.time_signature is not None:
            mask[self.plan.time_signature] = True
            return mask
        begin = self.bar_start + self.bar_steps
        bars = (self.plan.bars or self.plan.most_bars) - self.bar - 1
        lengths = np.array([v.bar_steps(*signature) for signature in v.TIME_SIGNATURES])
        mask[SPANS["time_signature"]] = begin + bars * lengths >= self.lasts_until
        return mask

    def _pitches(self, position: int) -> Mask:
        """Pitches that may begin at `position`: ascending, and not while they still sound."""
        mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
        if self.programs[self.slot] == DRUM_PROGRAM:
            low, high = DRUM_SOUNDS
            mask[FIRST["drum"] + low : FIRST["drum"] + high + 1] = True
        else:
            low, high = self.plan.pitches
            mask[FIRST["pitch"] + low : FIRST["pitch"] + high + 1] = True
        if self.last == Kind.NOTE and position == self.position:
            mask[: self.pitch_id + 1] = False
        now = self.bar_start + position
        for pitch_id, end in self.sounding[self.slot].items():
            if end > now:
                mask[pitch_id] = False
        return mask

    def _extents(self, kind: Kind, row: Row) -> Mask:
        mask = _legal(2, kind)
        if kind in (Kind.NOTE, Kind.PEDAL):
            room = self._steps_left() - (row[v.POSITION] - FIRST["position"])
            longest = int(np.searchsorted(v.DURATIONS, room, side="right"))
            mask = mask.copy()
            mask[FIRST["duration"] + longest :] = False
        elif kind == Kind.CELL:
            mask = np.zeros_like(mask)
            mask[0] = True  # density is told only where it is asked for
        return mask

    def _steps_left(self) -> int:
        """Steps from this bar's beginning to the end of the last bar, if the meter stays."""
        following = self.bar_steps
        if self.plan.time_signature is not None:
            following = _steps_of(self.plan.time_signature)
        bars = (self.plan.bars or self.plan.most_bars) - self.bar - 1
        return self.bar_steps + bars * following

    def _levels(self, kind: Kind) -> Mask:
        mask = _legal(3, kind)
        if kind == Kind.NOTE:
            low, high = self.plan.velocities
            mask = np.zeros_like(mask)
            mask[FIRST["velocity"] + low : FIRST["velocity"] + high + 1] = True
        return mask

    # After a row -------------------------------------------------------------------------

    def take(self, row: Row) -> Row:
        """Take in a finished row; return it with its context columns, as the model sees it."""
        kind = Kind(row[v.KIND])
        slot = -1
        if kind == Kind.TRACK:
            slot = self._track(row)
        elif kind == Kind.BAR:
            self._bar(row)
        elif kind == Kind.CELL:
            self.slot = row[v.VALUE] - FIRST["slot"]
            self.position, self.cell_notes, self.at_once = 0, 0, 0
        elif kind == Kind.NOTE:
            self._note(row)
        elif kind in v.POSITIONED:
            self._place(kind, row)
            if kind == Kind.CHORD:
                step = self.bar * v.MAX_BAR_STEPS + self.position
                self.chords.append((step, row[v.VALUE] - FIRST["chord"] + 1))
        elif kind == Kind.EOS:
            self.done = True
        self.last = kind
        self.rows.append(row)
        full = row + self._context(row, slot if kind == Kind.TRACK else self.slot)
        self.context.append(full)
        return full

    def _track(self, row: Row) -> int:
        self.programs.append(row[v.VALUE] - FIRST["program"])
        self.roles.append(row[v.EXTENT] - FIRST["role"] + 1 if row[v.EXTENT] else 0)
        self.sounding.append({})
        self.pressed.append(0)
        return len(self.programs) - 1

    def _bar(self, row: Row) -> None:
        self.bar += 1
        self.bar_start += self.bar_steps
        self.bar_steps = _steps_of(row[v.VALUE])
        self.sounding = [
            {pitch_id: end for pitch_id, end in slot.items() if end > self.bar_start}
            for slot in self.sounding
        ]
        self.slot, self.position = -1, 0
        planned = self.plan.plan_rows.get(self.bar, [])
        sections = [r for r in planned if r[v.KIND] == Kind.SECTION]
        chords = [r for r in planned if r[v.KIND] == Kind.CHORD]
        self.forced.extend(sections)
        tempo = self.plan.tempo
        if self.tempo == 0 and tempo is None:
            self.after_tempo = chords  # the first tempo is drawn, and stands before them
            return
        if self.tempo == 0 and tempo is not None:
            self.forced.append([int(Kind.TEMPO), FIRST["position"], tempo, 0, 0])
        self.forced.extend(chords)

    def _place(self, kind: Kind, row: Row) -> None:
        """A TEMPO, CHORD or PEDAL."""
        self.position = row[v.POSITION] - FIRST["position"]
        if kind == Kind.TEMPO:
            self.tempo = row[v.VALUE]
            self.forced.extend(self.after_tempo)
            self.after_tempo = []
        elif kind == Kind.PEDAL:
            length = int(v.DURATIONS[row[v.EXTENT] - FIRST["duration"]])
            self.pressed[self.slot] = self.bar_start + self.position + length
            self.lasts_until = max(self.lasts_until, self.pressed[self.slot])

    def _note(self, row: Row) -> None:
        position = row[v.POSITION] - FIRST["position"]
        same = self.last == Kind.NOTE and position == self.position
        self.at_once = self.at_once + 1 if same else 1
        self.position, self.pitch_id = position, row[v.VALUE]
        self.cell_notes += 1
        length = int(v.DURATIONS[row[v.EXTENT] - FIRST["duration"]])
        end = self.bar_start + position + length
        self.sounding[self.slot][row[v.VALUE]] = end
        self.sounds_until = max(self.sounds_until, end)
        self.lasts_until = max(self.lasts_until, end)

    def _context(self, row: Row, slot: int) -> Row:
        """The columns of `columns.context_columns`, one row at a time."""
        inside = slot >= 0
        in_bar = self.bar >= 0
        remaining = 0
        if in_bar and self.plan.bars is not None:
            remaining = min(max(self.plan.bars - self.bar, 1), MOST_REMAINING + 1)
        return [
            slot + 1 if inside else 0,
            self.programs[slot] + 1 if inside else 0,
            self.roles[slot] if inside else 0,
            min(self.bar, MOST_BARS) + 1,
            self.bar % 16 + 1 if in_bar else 0,
            remaining,
            int(PITCH_CLASS[row[v.VALUE]]),
            self._chord(row) if inside and in_bar else 0,
            *self.echo.take(row),
        ]

    def _chord(self, row: Row) -> int:
        """1 + number of the chord in force where a row of a cell stands, 0 before the first."""
        step = self.bar * v.MAX_BAR_STEPS + max(row[v.POSITION] - FIRST["position"], 0)
        latest = bisect_right(self.chords, (step, len(SPANS["chord"]))) - 1
        return self.chords[latest][1] if latest >= 0 else 0


def _steps_of(signature_id: int) -> int:
    """Length of a bar in grid steps."""
    return v.bar_steps(*v.TIME_SIGNATURES[signature_id - FIRST["time_signature"]])
