"""What may come next: the rules that make every sample decode and obey its controls.

One `Walk` follows one piece. It hands out the rows that are decided beforehand (`forced`), says
for every field of the others which ids are allowed, and takes in each finished row.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gen.analysis.key import key_scores
from gen.data.habits import Habits, names_of
from gen.harmony import GENRES
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling import view
from gen.sampling.masks import CHORD_ROOT, CHORD_TONES, LENGTHS, Mask, closing_chords, legal, span
from gen.sampling.plan import Plan, compass_of, steps_of
from gen.sampling.view import Row
from gen.smf.general_midi import RANGES
from gen.tokens import vocabulary as v
from gen.tokens.columns import MOST_BARS, MOST_REMAINING, PITCH_CLASS, TOLD
from gen.tokens.echo import EchoMemory
from gen.tokens.vocabulary import FIRST, SPANS, Kind

KINDS = tuple(Kind)
"""By their id: `Kind(id)` takes longer."""

MOST_NOTES_A_CELL = 128
MOST_NOTES_AT_ONCE = 10

CLOSENESS = 0.75
"""Notes that a cell owes stand at least so close, in shares of an even spacing."""

FEWEST_BARS_TO_CLOSE = 4
"""A shorter piece is a fragment and need not come to an end."""

STAY = 4
"""Bars in which a track has notes that had to come in; twice as many if no section begins."""

OPEN_PIECE_DUE = 8
"""Bars after which every track is due where a piece has no set length."""

_BAR_STEPS = np.array([v.bar_steps(*signature) for signature in v.TIME_SIGNATURES])
_BASS = ROLES.index("bass") + 1


class Walk:
    """The state of one piece being written.

    Args:
        plan: what is decided beforehand.
        seed: of what is decided by chance but not by the model: which cells of a section that
            comes back are as they were.
    """

    def __init__(self, plan: Plan, seed: int | Sequence[int] = 0) -> None:
        self.plan = plan
        self.chance = np.random.default_rng(seed)
        self.habits = Habits()  # of the works behind the model; by default no limit but ours
        self._begin()

    def _begin(self) -> None:
        """Stand before the first row."""
        plan = self.plan
        self.rows: list[Row] = []
        self.context: list[Row] = []
        self.forced: deque[Row] = deque(plan.header)
        self.done = False
        self.programs: list[int] = []
        self.roles: list[int] = []
        self.key = 0  # value id
        self.ranges: list[Mask] = []  # a slot: the pitches that it plays
        self.ends: list[NDArray[np.int64]] = []  # a slot: (V,) step where each pitch ends
        self.pressed: list[int] = []  # a slot: step where its pedal is released
        self.silent: set[int] = set()  # slots that have not sounded yet
        self.came_in: dict[int, int] = {}  # slots that had to, and in which bar
        self.called: set[int] = set()  # those that have to have notes in this bar, too
        self.bar = -1
        self.given_bars = sum(row[v.KIND] == Kind.BAR for row in plan.header)
        self.bar_rows: list[int] = []  # where in `rows` each bar begins
        self.bar_steps = 0
        self.bar_start = 0
        self.onset_stop = 0  # the first step of this bar where nothing may begin any more
        self.cell_over = False  # whether nothing more may begin in this cell
        self.closing = False  # whether the piece comes to its end in this bar
        self.sections: dict[int, int] = {  # first bar, value id; planned ones included
            bar: row[v.VALUE] for bar in plan.plan_rows for row in plan.planned(bar, Kind.SECTION)
        }
        self.closing_chord = 0  # value id, of the bar in which the piece ends
        self.tempo = 0  # value id in force, 0 before the first
        self.waiting: list[Row] = []  # the chords of this bar, where they are decided
        self.chords_told = False  # whether this bar has no others
        self.copies: dict[int, list[Row]] = {}  # a slot: its cell, which comes back as it was
        self.owed: list[int] = []  # slots of this bar that may not be passed over
        self.open: list[int] = []  # slots of this bar in which something may begin
        self.slot = -1
        self.palette = legal(1, Kind.NOTE)  # the pitches of this cell
        self.width = 0  # how many they are
        self.ringing = 0  # how many pitches sounded as this cell began
        self.last = Kind.PAD
        self.position = 0
        self.pitch_id = 0
        self.cell_notes = 0
        self.note_counts = (0, MOST_NOTES_A_CELL)  # fewest and most of this cell
        self.at_once = 0
        self.most_at_once = MOST_NOTES_AT_ONCE  # in this cell
        self.sounds_until = 0  # the last note's end
        self.lasts_until = 0  # the last end of all, pedals too
        self.chords: list[tuple[int, int]] = []  # bar x MAX_BAR_STEPS + step, 1 + number
        self.told = dict.fromkeys(TOLD, 0)
        self.registers: list[int] = []  # a slot: 1 + register, 0 for none
        self.density = 0  # 1 + class of the cell, 0 for none
        self.echo = EchoMemory()
        low, high = plan.velocities
        size = v.FIELD_SIZES[v.LEVEL]
        self.velocities = span(size, FIRST["velocity"] + low, FIRST["velocity"] + high)

    # Before a row ------------------------------------------------------------------------

    @property
    def resting(self) -> bool:
        """Whether no row may follow; `prompt` may end a rest, unless the walk is done."""
        return self.done

    def prompt(self, context: int) -> list[Row]:
        """What the model is shown before it goes on, with context columns; fewer than `context`."""
        if len(self.context) <= context // 2:
            return self.context
        return view.latest(self.context, context, self.plan.bars)

    @property
    def _bars(self) -> int:
        """How many bars there may be."""
        return self.plan.bars or self.plan.most_bars

    @property
    def last_bar(self) -> bool:
        """Whether no further bar may begin."""
        return self.bar + 1 >= self._bars

    @property
    def due(self) -> bool:
        """Whether every track has to have sounded by the end of this bar.

        In a piece of so many bars from the first section on that begins in the second half, at the
        latest after two thirds; in one that may end at any time, after OPEN_PIECE_DUE bars.
        """
        bar, bars = self.bar - self.given_bars, self._bars - self.given_bars
        if self.plan.bars is None:
            return bar >= min(bars * 2 // 3, OPEN_PIECE_DUE)
        middle = self.given_bars + bars // 2
        return bar >= bars * 2 // 3 or any(middle <= first <= self.bar for first in self.sections)

    def kinds(self) -> Mask:
        """(kinds,) which kinds may come next."""
        allowed = np.zeros(len(Kind), dtype=np.bool_)
        if self.bar < 0:
            allowed[Kind.TRACK] = self.plan.tracks_open and len(self.programs) < v.MAX_TRACKS
            allowed[Kind.BAR] = bool(self.programs)
            return allowed
        if self.slot >= 0:
            self._cell_kinds(allowed)
            has_to_sound = self.slot in self.called and self.cell_notes == 0
            owes_notes = has_to_sound or self.cell_notes < self.note_counts[0]
            if self.last == Kind.CELL or (owes_notes and allowed[Kind.NOTE]):
                return allowed
        elif self.tempo == 0:  # every piece begins by telling its tempo
            allowed[Kind.TEMPO] = True
            allowed[Kind.SECTION] = self.last == Kind.BAR and not self.plan.sections_given
            return allowed
        else:
            self._plan_kinds(allowed)
            if self.waiting:
                return allowed
        allowed[Kind.CELL] = bool(self._next_slots())
        if not self.owed:
            allowed[Kind.BAR] = not self.last_bar
            allowed[Kind.EOS] = self._may_end()
        return allowed

    def wishes(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of the kinds, (kinds,), where BAR and EOS stand in for each other.

        A wish for another bar, where none may follow, is a wish to end, and a wish to end too
        early is one to go on; where a track may not be passed over, both are wishes to be done
        with the one before. Without this what is left over would go to unlikely notes.
        """
        if self.bar < 0 or not (self.owed or self.last_bar or self.plan.bars is not None):
            return scores
        result = scores.copy()
        through = np.logaddexp(scores[Kind.BAR], scores[Kind.EOS])
        if self.owed:
            result[Kind.CELL] = np.logaddexp(scores[Kind.CELL], through)
        else:
            result[Kind.EOS if self.last_bar else Kind.BAR] = through
        return result

    def _cell_kinds(self, allowed: Mask) -> None:
        if self.slot in self.copies or self.cell_over:
            return
        allowed[Kind.NOTE] = (
            self.cell_notes < self.note_counts[1] and self._first_note() < self.onset_stop
        )
        allowed[Kind.PEDAL] = self._first_pedal() < self.onset_stop

    def _may_end(self) -> bool:
        """Only with a bar in which something sounds, and never while something goes on."""
        if self.sounds_until <= self.bar_start:
            return False
        if self.last_bar or self.plan.bars is not None:
            return self.last_bar
        return not self.silent and self.lasts_until <= self.bar_start + self.bar_steps

    def _plan_kinds(self, allowed: Mask) -> None:
        """Between a BAR and its first cell: section, tempos, chords, in this order."""
        plan = self.plan
        rank = {Kind.BAR: 0, Kind.SECTION: 1, Kind.TEMPO: 2, Kind.CHORD: 3}[self.last]
        room = self.position + 1 < self.bar_steps
        allowed[Kind.SECTION] = rank == 0 and not plan.sections_given
        allowed[Kind.TEMPO] = plan.tempo is None and (rank < 2 or (rank == 2 and room))
        allowed[Kind.CHORD] = bool(self.waiting) or (not self.chords_told and (rank < 3 or room))

    def _next_slots(self) -> list[int]:
        """Tracks whose cell may come next: in order, and none passed over that is owed."""
        return [s for s in self.open if s <= self.owed[0]] if self.owed else self.open

    def _first_pedal(self) -> int:
        """First step where the pedal may be pressed: released, and before its step's notes."""
        first = self.position + 1 if self.last in (Kind.NOTE, Kind.PEDAL) else 0
        return max(first, self.pressed[self.slot] - self.bar_start)

    def _first_note(self) -> int:
        """First step where another note may begin; the bar's length or more if there is none."""
        first = self.position if self._chord_goes_on() else self.position + 1
        if self.ringing + self.cell_notes < self.width:
            return first
        return max(first, self._first_free(self.slot, self.palette))

    def _latest_note(self) -> int:
        """Last step for the next note that leaves room for all those the cell still owes.

        They need not be even: as close as `CLOSENESS` of that will do.
        """
        fewest = self.note_counts[0]
        if self.cell_notes >= fewest:
            return self.bar_steps
        spacing = CLOSENESS * self.bar_steps / fewest
        return int(self.bar_steps - (fewest - self.cell_notes) * spacing)

    def _first_free(self, slot: int, palette: Mask) -> int:
        """First step of this bar where not all pitches of a palette sound."""
        return max(0, int(self.ends[slot][palette].min()) - self.bar_start)

    def _chord_goes_on(self) -> bool:
        """Whether another note may begin on the step of the last one."""
        if self.last != Kind.NOTE:
            return True
        return self.at_once < self.most_at_once and bool(self._pitches(self.position).any())

    def allowed(self, field_index: int, row: Row) -> Mask:
        """Which ids field `field_index` of a row may take, given the fields before it."""
        if field_index == v.KIND:
            return self.kinds()
        kind = KINDS[row[v.KIND]]
        if field_index == v.POSITION:
            return self._positions(kind)
        if field_index == v.VALUE:
            return self._values(kind, row)
        if field_index == v.EXTENT:
            return self._extents(kind, row)
        return self.velocities if kind == Kind.NOTE else legal(3, kind)

    def drawable(self, row: Row) -> Mask:
        """Which positions may be drawn for a row: those allowed, and in the closing bar all after.

        A wish to play on where nothing may begin any more is one to end the cell, see `refuses`.
        A cell without a note goes on: its track may be one that has to sound.
        """
        kind = KINDS[row[v.KIND]]
        if self.closing and kind in (Kind.NOTE, Kind.PEDAL) and self.cell_notes:
            kept, self.onset_stop = self.onset_stop, self.bar_steps
            mask = self._positions(kind)
            self.onset_stop = kept
            return mask
        return self._positions(kind)

    def refuses(self, row: Row) -> bool:
        """Whether a drawn row begins too late: then its cell is over, and another is drawn."""
        late = row[v.KIND] in (Kind.NOTE, Kind.PEDAL) and (
            row[v.POSITION] - FIRST["position"] >= self.onset_stop
        )
        self.cell_over = self.cell_over or late
        return late

    def _positions(self, kind: Kind) -> Mask:
        if kind not in v.POSITIONED:
            return legal(0, kind)
        first, stop = 0, self.bar_steps
        if kind == Kind.PEDAL:
            first, stop = self._first_pedal(), self.onset_stop
        elif kind == Kind.NOTE:
            first = self._first_note()
            stop = max(first + 1, min(self.onset_stop, self._latest_note() + 1))
        elif kind == Kind.CHORD and self.waiting:
            return span(v.FIELD_SIZES[v.POSITION], self.waiting[0][v.POSITION])
        elif kind == self.last:
            first = self.position + 1
        elif kind == Kind.CHORD or (kind == Kind.TEMPO and self.bar == 0):
            stop = 1  # the first of a bar stands at its beginning
        begin = FIRST["position"]
        return span(v.FIELD_SIZES[v.POSITION], begin + first, begin + stop - 1)

    def _values(self, kind: Kind, row: Row) -> Mask:
        if kind == Kind.NOTE:
            return self._pitches(row[v.POSITION] - FIRST["position"])
        if kind == Kind.CELL:
            mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
            mask[[FIRST["slot"] + slot for slot in self._next_slots()]] = True
            return mask
        if kind == Kind.BAR:
            return self._signatures()
        if kind == Kind.CHORD and self.waiting:
            return span(v.FIELD_SIZES[v.VALUE], self.waiting[0][v.VALUE])
        if kind == Kind.CHORD and self.closing and self.key:
            mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
            mask[closing_chords(self.key)] = True
            return mask
        mask = legal(1, kind)
        if kind == Kind.TEMPO and self.tempo:
            mask = mask.copy()
            mask[self.tempo] = False  # a change changes something
        elif kind == Kind.TRACK:
            mask = mask.copy()
            for program in RANGES:
                low, high = compass_of(program, self.plan.pitches)
                mask[FIRST["program"] + program] = low <= high
            usual = mask & self._usual_instruments()
            return usual if usual.any() else mask
        return mask

    def _usual_instruments(self) -> Mask:
        """Those that play in works of the genre that was told, all where none was."""
        told = self.told[Kind.GENRE]
        programs = self.habits.instruments.get(GENRES[told - 1], ()) if told else ()
        mask = np.full(v.FIELD_SIZES[v.VALUE], not programs)
        mask[[FIRST["program"] + program for program in programs]] = True
        return mask

    def _signatures(self) -> Mask:
        """The one that was asked for or chosen, else those whose bars hold what still sounds."""
        kept = self.plan.time_signature
        if kept is None and not self.plan.meter_changes and self.bar_rows:
            kept = self.rows[self.bar_rows[-1]][v.VALUE]
        if kept is not None:
            return span(v.FIELD_SIZES[v.VALUE], kept)
        mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
        begin = self.bar_start + self.bar_steps
        bars = self._bars - self.bar - 1
        mask[SPANS["time_signature"]] = begin + bars * _BAR_STEPS >= self.lasts_until
        return mask

    def _pitches(self, position: int) -> Mask:
        """Pitches that may begin at `position`: ascending, and not while they still sound."""
        mask: Mask = self.ends[self.slot] <= self.bar_start + position
        mask &= self.palette
        if self.last == Kind.NOTE and position == self.position:
            mask[: self.pitch_id + 1] = False
        return mask

    def _extents(self, kind: Kind, row: Row) -> Mask:
        if kind in (Kind.NOTE, Kind.PEDAL):
            room = self._room(row)
            return LENGTHS[v.DURATIONS.searchsorted(room, side="right")]
        if kind in (Kind.CELL, Kind.FILL):
            return self._densities(row[v.VALUE] - FIRST["slot"])
        return legal(2, kind)

    def _room(self, row: Row) -> int:
        """The most steps that a note or pedal may last."""
        return self._steps_left() - (row[v.POSITION] - FIRST["position"])

    def _densities(self, slot: int) -> Mask:
        """Density is told only where it is asked for."""
        size = v.FIELD_SIZES[v.EXTENT]
        if slot in self.copies:
            return span(size, self.copies[slot][0][v.EXTENT])
        if not self.plan.densities:
            return span(size, 0)
        low, high = self.plan.densities[min(slot, len(self.plan.densities) - 1)]
        return span(size, FIRST["density"] + low, FIRST["density"] + high)

    def _steps_left(self) -> int:
        """Steps from this bar's beginning to the end of the last bar, if the meter stays."""
        following = self.bar_steps
        if self.plan.time_signature is not None:
            following = steps_of(self.plan.time_signature)
        return self.bar_steps + (self._bars - self.bar - 1) * following

    # After a row -------------------------------------------------------------------------

    def take(self, row: Row) -> Row:
        """Take in a finished row; return it with its context columns, as the model sees it."""
        kind = KINDS[row[v.KIND]]
        slot = -1
        if kind == Kind.NOTE:
            self._note(row)
        elif kind == Kind.TRACK:
            slot = self._track(row)
        elif kind == Kind.KEY:
            self.key = row[v.VALUE]
        elif kind == Kind.BAR:
            self.cell_over = False
            self._bar(row)
        elif kind == Kind.SECTION:
            self.sections[self.bar] = row[v.VALUE]
            self._prepare()
        elif kind == Kind.CELL:
            self.cell_over = False
            self._cell(row[v.VALUE] - FIRST["slot"])
        elif kind in v.POSITIONED:
            self._place(kind, row)
        elif kind == Kind.EOS:
            self.done = True
        elif kind == Kind.PAD:
            raise AssertionError(f"bar {self.bar + 1}: nothing may follow {self.rows[-1]}")
        self.last = kind
        self.rows.append(row)
        full = row + self._context(row, slot if kind == Kind.TRACK else self.slot)
        self.context.append(full)
        return full

    def _track(self, row: Row) -> int:
        slot, program = len(self.programs), row[v.VALUE] - FIRST["program"]
        low, high = compass_of(program, self.plan.pitches)
        if slot < len(self.plan.compass):
            low, high = self.plan.compass[slot]
        first = FIRST["drum" if program == DRUM_PROGRAM else "pitch"]
        self.ranges.append(span(v.FIELD_SIZES[v.VALUE], first + low, first + high))
        self.programs.append(program)
        self.roles.append(row[v.EXTENT] - FIRST["role"] + 1 if row[v.EXTENT] else 0)
        self.registers.append(row[v.LEVEL] - FIRST["register"] + 1 if row[v.LEVEL] else 0)
        self.ends.append(np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.int64))
        self.pressed.append(0)
        self.silent.add(slot)
        return slot

    def _bar(self, row: Row) -> None:
        self.bar += 1
        self.bar_rows.append(len(self.rows))
        self.bar_start += self.bar_steps
        self.bar_steps = self.onset_stop = steps_of(row[v.VALUE])
        self.slot, self.position = -1, 0
        plan = self.plan
        if self.bar < self.given_bars:
            return
        bars = self._bars - self.given_bars
        self.closing = plan.bars is not None and self.last_bar and bars >= FEWEST_BARS_TO_CLOSE
        if self.closing:
            self.onset_stop = self.bar_steps // 2 + 1
            self.key = self.key or self._heard_key()
            if self.key and not plan.chords_given:
                self.closing_chord = closing_chords(self.key)[0]  # unless one is told
        self.forced.extend(plan.planned(self.bar, Kind.SECTION))
        if self.tempo == 0 and plan.tempo is not None:
            self.forced.append([int(Kind.TEMPO), FIRST["position"], plan.tempo, 0, 0])
        self._prepare()

    def _heard_key(self) -> int:
        """Value id of the key that the notes so far are in; 0 where none has a pitch."""
        rows = np.array(self.rows)
        pitched = (rows[:, v.KIND] == Kind.NOTE) & (rows[:, v.VALUE] < SPANS["pitch"].stop)
        if not pitched.any():
            return 0
        steps = v.DURATIONS[rows[pitched, v.EXTENT] - FIRST["duration"]].astype(np.float64)
        pitches = rows[pitched, v.VALUE] - FIRST["pitch"]
        best = int(key_scores(np.bincount(pitches % 12, steps, 12).astype(np.float64)).argmax())
        is_minor, tonic = divmod(best, 12)
        return FIRST["key"] + 2 * tonic + is_minor

    def _prepare(self) -> None:
        """Decide what this bar takes over: planned chords, or what a section brings back."""
        plan, origin = self.plan, self.origin(self.bar)
        self.waiting, self.chords_told = plan.planned(self.bar, Kind.CHORD), plan.chords_given
        self.copies = {}
        if self.bar < self.given_bars:
            return
        if plan.returns and origin is not None and not self.closing:
            before = self.rows[self.bar_rows[origin] : self.bar_rows[origin + 1]]
            if steps_of(before[0][v.VALUE]) == self.bar_steps:
                self._bring_back(before)
        self.open = self._open_slots()
        if self.due:
            self.came_in |= dict.fromkeys(self.silent, self.bar)
        self.called = {slot for slot in self.open if self._plays_on(self.came_in.get(slot))}
        self.owed = sorted(self.copies.keys() | self.called)

    def _plays_on(self, since: int | None) -> bool:
        if since is None or (self.closing and since < self.bar):
            return False
        changed = any(since < first <= self.bar for first in self.sections)
        return self.bar < since + (STAY if changed else 2 * STAY)

    def _bring_back(self, before: list[Row]) -> None:
        """Take over the chords of an earlier bar, and some of its cells."""
        if not self.chords_told:
            self.waiting = [row for row in before if row[v.KIND] == Kind.CHORD]
            self.chords_told = True
        for slot, cell in view.cells(before).items():
            if self.chance.random() < self.plan.returns and (kept := self._fitting(slot, cell)):
                self.copies[slot] = kept

    def _fitting(self, slot: int, cell: list[Row]) -> list[Row]:
        """A cell as it can come back in this bar: nothing struck while held, nothing too long."""
        kept = []
        for row in cell[1:]:
            kind, position, value, extent, level = row
            now = self.bar_start + position - FIRST["position"]
            ends = self.ends[slot][value] if kind == Kind.NOTE else self.pressed[slot]
            if ends <= now:
                longest = int(np.flatnonzero(self._extents(Kind(kind), row))[-1])
                kept.append([kind, position, value, min(extent, longest), level])
        return [cell[0], *kept] if any(row[v.KIND] == Kind.NOTE for row in kept) else []

    def origin(self, bar: int) -> int | None:
        """The bar that `bar` takes up again, in the first section of its name; None if none."""
        starts = sorted(self.sections)
        here = bisect_right(starts, bar) - 1
        for first, following in itertools.pairwise(starts[: here + 1]):
            if self.sections[first] == self.sections[starts[here]]:
                same = first + bar - starts[here]
                return same if same < following else None
        return None

    def _palette(self, slot: int) -> Mask:
        """What a track may play in this bar: at the end, tones of the last chord."""
        mask = self.ranges[slot]
        if not self.closing:
            return mask
        tones = CHORD_ROOT if self.roles[slot] == _BASS else CHORD_TONES
        closing: Mask = mask & tones[self.closing_chord]
        return closing if closing.any() else mask

    def _open_slots(self) -> list[int]:
        """Tracks that have room for a note or a pedal in this bar."""
        return [
            slot
            for slot in range(len(self.programs))
            if self.pressed[slot] - self.bar_start < self.onset_stop
            or self._first_free(slot, self._palette(slot)) < self.onset_stop
        ]

    def _asked_counts(self, slot: int) -> tuple[int, int]:
        """Fewest and most notes of a cell, by the densities that were asked for its track."""
        if not self.plan.densities:
            return 0, MOST_NOTES_A_CELL
        low, high = self.plan.densities[min(slot, len(self.plan.densities) - 1)]
        quarters = self.bar_steps / v.STEPS_PER_QUARTER
        fewest, most = 0, MOST_NOTES_A_CELL
        if low > 0 and not self.closing:
            fewest = int(v.DENSITIES[low - 1] * quarters) + 1
        if high < len(v.DENSITIES):
            most = max(int(v.DENSITIES[high] * quarters), 1)
        return fewest, max(fewest, most)

    def _most_at_once(self, slot: int) -> int:
        """How many notes a track strikes at once: as many as in some work, never more."""
        names = names_of(self.programs[slot], self.roles[slot])
        sizes = self.habits.chord_sizes
        known = (sizes[name] for name in names if name in sizes)
        return min(next(known, MOST_NOTES_AT_ONCE), MOST_NOTES_AT_ONCE)

    def _cell(self, slot: int) -> None:
        self.slot = slot
        self.most_at_once = self._most_at_once(slot)
        self.note_counts = self._asked_counts(slot)
        self.position, self.cell_notes, self.at_once = 0, 0, 0
        self.palette = self._palette(slot)
        self.width = int(self.palette.sum())
        self.ringing = int((self.ends[slot] > self.bar_start).sum())
        self.owed = [owed for owed in self.owed if owed > slot]
        self.open = [after for after in self.open if after > slot]
        self.forced.extend(self.copies.get(slot, [])[1:])

    def _place(self, kind: Kind, row: Row) -> None:
        """A TEMPO, CHORD or PEDAL."""
        self.position = row[v.POSITION] - FIRST["position"]
        if kind == Kind.TEMPO:
            self.tempo = row[v.VALUE]
        elif kind == Kind.CHORD:
            step = self.bar * v.MAX_BAR_STEPS + self.position
            self.chords.append((step, row[v.VALUE] - FIRST["chord"] + 1))
            self.forced.extend(self.waiting[1:])
            self.waiting = []
            if self.closing:
                self.closing_chord = row[v.VALUE]
                self.open = self._open_slots()  # of other tones, all may ring already
                self.owed = [slot for slot in self.owed if slot in self.open]
        else:
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
        self.ends[self.slot][row[v.VALUE]] = end
        self.silent.discard(self.slot)
        self.sounds_until = max(self.sounds_until, end)
        self.lasts_until = max(self.lasts_until, end)

    def _context(self, row: Row, slot: int) -> Row:
        """The columns of `columns.context_columns`, one row at a time."""
        kind, value, extent = row[v.KIND], row[v.VALUE], row[v.EXTENT]
        if kind in self.told:
            self.told[KINDS[kind]] = value - FIRST[KINDS[kind].name.lower()] + 1
        elif kind in (Kind.CELL, Kind.HOLE, Kind.FILL):
            self.density = extent - FIRST["density"] + 1 if extent else 0
        inside = slot >= 0
        in_bar = self.bar >= 0
        remaining = 0
        if in_bar and self.plan.bars is not None:
            remaining = min(max(self.plan.bars - self.bar, 1), MOST_REMAINING + 1)
        return [
            slot + 1 if inside else 0,
            self.programs[slot] + 1 if inside else 0,
            self.roles[slot] if inside else 0,
            self.registers[slot] if inside else 0,
            self.density if inside and in_bar else 0,
            min(self.bar, MOST_BARS) + 1,
            self.bar % 16 + 1 if in_bar else 0,
            remaining,
            int(PITCH_CLASS[row[v.VALUE]]),
            self._chord(row) if inside and in_bar else 0,
            *self.told.values(),
            *self.echo.take(row),
        ]

    def _chord(self, row: Row) -> int:
        """1 + number of the chord in force where a row of a cell stands, 0 before the first."""
        step = self.bar * v.MAX_BAR_STEPS + max(row[v.POSITION] - FIRST["position"], 0)
        latest = bisect_right(self.chords, (step, len(SPANS["chord"]))) - 1
        return self.chords[latest][1] if latest >= 0 else 0
