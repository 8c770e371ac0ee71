"""Events back to music. Whatever the grammar allows can be read; anything else is refused.

The message names the event, so that a broken sequence can be found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.piece import DRUM_PROGRAM, ROLES, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_QUARTER, TICKS_PER_STEP
from gen.tokens.vocabulary import WORDS, Kind


def decode(events: Events | NDArray[np.int16]) -> Piece:
    """Read events, or their ids (T, F), as a piece of 480 ticks a quarter.

    Raises:
        HouseError: an id that its kind may not carry, a position outside its bar, a note
            outside a cell, a track never declared; the message names the event.
    """
    events = events if isinstance(events, Events) else Events(np.asarray(events))
    _check(events)
    piece = _Reader(events).read()
    return _parted(piece, int(events.bar_starts[-1])) if events.is_played else piece


class _Reader:
    """Walks the events once, keeping the bar and the cell it is in."""

    def __init__(self, events: Events) -> None:
        self.events = events
        # Of each event, onset, release and touch; None where all stand on the grid.
        self.timed = events.array[:, timing.ONSET :].tolist() if events.is_played else None
        self.index = 0  # of the event being read
        self.piece = Piece(TICKS_PER_QUARTER)
        self.place = ""  # of the event being read, for messages
        self.bar_start = 0
        self.bar_steps = 0
        self.next_bar = 0
        self.track: Track | None = None
        self.holes: list[tuple[int, int, int]] = []  # slot's value id, bar start, bar steps

    def read(self) -> Piece:
        for index, (kind, position, value, extent, level) in enumerate(self.events):
            self.index = index
            self.place = f"event {index} ({Kind(kind).name})"
            onset = self._onset(position) if kind in v.POSITIONED else 0
            if kind == Kind.NOTE:
                self._note(onset, value, extent, level)
            elif kind == Kind.PEDAL:
                self._cell().pedals.append(Pedal(*self._span(onset, extent)))
            elif kind == Kind.CELL:
                self.track = self._slot(value)
            elif kind == Kind.BAR:
                self._bar(value)
            elif kind == Kind.TEMPO:
                qpm = float(v.TEMPOS[WORDS.tempo.number(value)])
                self.piece.tempos.append(Tempo(onset, round(60_000_000 / qpm)))
            elif kind == Kind.TRACK:
                self._declare(value, extent)
            elif kind == Kind.HOLE:
                self.track = None
                self.holes.append((value, self.bar_start, self.bar_steps))
            elif kind == Kind.FILL:
                self._fill(value)
        for track in self.piece.tracks:  # what filled a hole came late
            track.notes.sort(key=lambda note: (note.onset_ticks, note.pitch))
            track.pedals.sort()
        return self.piece

    def _span(self, onset: int, extent: int) -> tuple[int, int]:
        """Onset and length in ticks of what begins on a step and has this length on the grid."""
        length = int(v.DURATIONS[WORDS.duration.number(extent)]) * TICKS_PER_STEP
        if self.timed is None:
            return onset, length
        early, late, _ = self.timed[self.index]
        return timing.moved(onset, length, early, late, TICKS_PER_STEP)

    def _velocity(self, level: int) -> int:
        velocity = int(v.VELOCITIES[WORDS.velocity.number(level)])
        if self.timed is None:
            return velocity
        touch = timing.offset_of(timing.TOUCH, self.timed[self.index][-1])
        return min(max(velocity + touch, 1), 127)

    def _onset(self, position: int) -> int:
        """Tick of a position in the bar."""
        step = WORDS.position.number(position)
        if step >= self.bar_steps:
            self._refuse(f"stands on step {step} of a bar of {self.bar_steps} steps")
        return (self.bar_start + step) * TICKS_PER_STEP

    def _cell(self) -> Track:
        if self.track is None:
            self._refuse("stands outside any cell")
        return self.track

    def _slot(self, value: int) -> Track:
        slot = WORDS.slot.number(value)
        if slot >= len(self.piece.tracks):
            self._refuse(f"belongs to track {slot + 1} of {len(self.piece.tracks)} declared ones")
        return self.piece.tracks[slot]

    def _declare(self, value: int, extent: int) -> None:
        program = WORDS.program.number(value)
        is_drum = program == DRUM_PROGRAM
        role = ROLES[WORDS.role.number(extent)] if extent else None
        self.piece.tracks.append(
            Track(program=0 if is_drum else program, is_drum=is_drum, role=role)
        )

    def _bar(self, value: int) -> None:
        signature = v.TIME_SIGNATURES[WORDS.time_signature.number(value)]
        self.bar_start, self.bar_steps = self.next_bar, v.bar_steps(*signature)
        self.next_bar += self.bar_steps
        self.track = None
        signatures = self.piece.time_signatures
        if not signatures or (signatures[-1].numerator, signatures[-1].denominator) != signature:
            signatures.append(TimeSignature(self.bar_start * TICKS_PER_STEP, *signature))

    def _fill(self, value: int) -> None:
        """Go back to the earliest hole that is still open."""
        if not self.holes or self.holes[0][0] != value:
            self._refuse("does not fill the next hole")
        _, self.bar_start, self.bar_steps = self.holes.pop(0)
        self.track = self._slot(value)

    def _note(self, onset: int, value: int, extent: int, level: int) -> None:
        track, is_drum = self._cell(), value in WORDS.drum
        if track.is_drum != is_drum:
            self._refuse("is a drum in a melodic track" if is_drum else "is a pitch among drums")
        pitch = (WORDS.drum if is_drum else WORDS.pitch).number(value)
        track.notes.append(Note(*self._span(onset, extent), pitch, self._velocity(level)))

    def _refuse(self, what: str) -> NoReturn:
        raise HouseError(what, where=self.place)


def _parted(piece: Piece, steps: int) -> Piece:
    """What is played with each note over before its pitch begins again, all by the last bar's end.

    Args:
        piece: of which nothing but ends may have to be earlier.
        steps: of all its bars.
    """
    last = steps * TICKS_PER_STEP
    for track in piece.tracks:
        ends: dict[int, int] = {}  # by pitch, where its next note begins
        for place in range(len(track.notes) - 1, -1, -1):
            note = track.notes[place]
            end = ends.get(note.pitch, last)
            if end < note.end_ticks:
                track.notes[place] = replace(note, duration_ticks=end - note.onset_ticks)
            ends[note.pitch] = note.onset_ticks
        stop = last
        for place in range(len(track.pedals) - 1, -1, -1):
            pedal = track.pedals[place]
            length = stop - pedal.onset_ticks
            if length < pedal.duration_ticks:
                track.pedals[place] = replace(pedal, duration_ticks=length)
            stop = pedal.onset_ticks
    return piece


def _check(events: Events) -> None:
    """Rows of five ids, or of eight, each one that its kind may carry."""
    array = events.array
    sizes, masks = v.FIELD_SIZES, v.legal_words()
    if array.ndim == 2 and array.shape[1] == len(timing.FIELDS):
        sizes, masks = timing.FIELD_SIZES, [*masks, *timing.legal_words()]
    if array.ndim != 2 or array.shape[1] != len(sizes):
        raise HouseError(f"events of shape {array.shape} are not rows of {len(v.FIELDS)} fields")
    legal = np.all((array >= 0) & (array < np.array(sizes)), axis=1)
    rows = np.where(legal[:, None], array, 0)
    for column, mask in zip(rows.T[1:], masks, strict=True):
        legal = legal & mask[rows[:, v.KIND], column]
    if legal.all():
        return
    index = int(np.argmin(legal))
    kind, *ids = array[index].tolist()
    name = Kind(kind).name if 0 <= kind < len(Kind) else f"kind {kind}"
    raise HouseError(f"may not carry {ids}", where=f"event {index} ({name})")
