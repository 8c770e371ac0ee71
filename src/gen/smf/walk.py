"""The strict walker: every event of a file is read, checked, and turned into notes.

What it accepts has one reading only: this walker, symusic and mido find the same notes
(tested on every file the fuzzer admits). What it refuses is named by a rule of
`gen.smf.rules`, with byte offset, track and tick.

Rules beyond the letter of the standard, each because libraries differ where it is broken:

- a note is paired within its own track: no overlap of one pitch on one channel of a track,
  no note-off without a note, no note without an end, none of zero length;
- no program change while a note of its channel sounds (some libraries name a note's
  instrument at its beginning, others at its end);
- meta events and system messages cancel running status;
- tempo and signatures stand in the first track, at most one of a kind at a tick;
- texts are UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.smf.chunks import GENERATED_CHUNK, TAG_CHUNK, shown_type, split_chunks
from gen.smf.rules import (
    MAX_EVENTS,
    MAX_MICROSECONDS_PER_QUARTER,
    MAX_QUARTERS,
    MIN_MICROSECONDS_PER_QUARTER,
    RuleBroken,
)
from gen.smf.text import decode_text

DRUM_CHANNEL = 9
"""Channel 10 as people count."""

_SUSTAIN = 64
_TEXTS = range(0x01, 0x0A)
_NAME, _MARKER, _END_OF_TRACK = 0x03, 0x06, 0x2F
_TEMPO, _SMPTE_OFFSET, _TIME_SIGNATURE, _KEY_SIGNATURE = 0x51, 0x54, 0x58, 0x59
_META_LENGTHS = {0x00: 2, 0x20: 1, 0x21: 1, 0x2F: 0, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}
_CONDUCTOR_ONLY = (_TEMPO, _SMPTE_OFFSET, _TIME_SIGNATURE, _KEY_SIGNATURE)

_Event = TypeVar("_Event", Tempo, TimeSignature, KeySignature)

NoteTuple = tuple[int, int, int, int]
"""Onset in ticks, duration in ticks, pitch, velocity."""


@dataclass(slots=True)
class Conductor:
    """What a file says about its time line."""

    tempos: list[Tempo] = field(default_factory=list)
    time_signatures: list[TimeSignature] = field(default_factory=list)
    key_signatures: list[KeySignature] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)


def parse(data: bytes) -> Piece:
    """The piece that a strict Standard MIDI File holds.

    One `Track` for each (channel, program) that sounds in a track chunk, in file order; the
    house's own chunks may follow the last track.

    Raises:
        RuleBroken: the bytes break a rule; the message names it, the place and the mend.
    """
    chunks = split_chunks(data)
    for chunk in chunks.trailing:
        if chunk.kind not in (TAG_CHUNK, GENERATED_CHUNK):
            what = f"a chunk of type {shown_type(chunk.kind)} follows the last track"
            raise RuleBroken("foreign-chunk", what, byte_offset=chunk.byte_offset)
    conductor, budget = Conductor(), MAX_EVENTS
    piece = Piece(chunks.ticks_per_quarter)
    for number, (start, end) in enumerate(chunks.track_spans):
        walk = _TrackWalk(data[start:end], start, number, chunks.ticks_per_quarter, conductor)
        budget -= walk.run(budget)
        piece.tracks += walk.tracks()
    piece.tempos = sorted(conductor.tempos)
    piece.time_signatures = sorted(conductor.time_signatures)
    piece.key_signatures = sorted(conductor.key_signatures)
    piece.markers = sorted(conductor.markers, key=lambda marker: marker.onset_ticks)
    return piece


class _TrackWalk:
    """Reads one track chunk. Times are ticks; `start` is the body's place in the file."""

    def __init__(
        self, body: bytes, start: int, number: int, ticks_per_quarter: int, conductor: Conductor
    ) -> None:
        self.body = body
        self.start = start
        self.number = number
        self.ticks_per_quarter = ticks_per_quarter
        self.conductor = conductor
        self.name: str | None = None
        self.programs = [0] * 16
        self.parts: dict[tuple[int, int], list[NoteTuple]] = {}
        self.part_of_channel = [self.parts.setdefault((c, 0), []) for c in range(16)]
        self.sounding: dict[int, tuple[int, int]] = {}  # channel * 128 + pitch: onset, velocity
        self.pedals: dict[int, list[Pedal]] = {}
        self.pedal_down: dict[int, int] = {}

    def run(self, budget: int) -> int:
        """Read every event and return their number.

        One long loop on purpose: it is the gate's hot path, about half a microsecond an event.
        """
        body, sounding, parts = self.body, self.sounding, self.part_of_channel
        position = tick = status = 0
        try:
            for count in range(1, budget + 1):
                if (delta := body[position]) < 128:
                    position += 1
                elif (low := body[position + 1]) < 128:
                    delta, position = (delta & 127) << 7 | low, position + 2
                else:
                    delta, position = self._long_number(position, tick)
                tick += delta
                if body[position] > 127:
                    status = body[position]
                    position += 1
                elif not status:
                    self._refuse("running-status", "data without status", position, tick)
                if status < 0xA0:
                    pitch, velocity = body[position], body[position + 1]
                    if (pitch | velocity) > 127:
                        self._refuse("data-byte", f"note {pitch}, {velocity}", position, tick)
                    position += 2
                    key = (status & 15) << 7 | pitch
                    if velocity and status >= 0x90:
                        if key in sounding:
                            self._refuse_note("overlapping-note", key, position, tick)
                        sounding[key] = tick, velocity
                        continue
                    if key not in sounding:
                        self._refuse_note("unmatched-note-off", key, position, tick)
                    onset, velocity = sounding.pop(key)
                    if onset == tick:
                        self._refuse_note("zero-length-note", key, position, tick)
                    parts[status & 15].append((onset, tick - onset, pitch, velocity))
                elif status < 0xF0:
                    position = self._channel_event(status, position, tick)
                elif status == 0xFF and body[position] == _END_OF_TRACK:
                    self._finish(position, tick)
                    return count
                else:
                    position = self._system_event(status, position, tick)
                    status = 0
        except IndexError:
            what = "the track ends inside an event or without an end-of-track event"
            self._refuse("end-of-track", what, len(body), tick)
        return self._refuse("too-many-events", f"more than {MAX_EVENTS:,}", position, tick)

    def tracks(self) -> list[Track]:
        """One track a (channel, program) that sounds, by first channel use in the file."""
        tracks = []
        for (channel, program), notes in self.parts.items():
            if notes:
                is_drum = channel == DRUM_CHANNEL
                notes.sort()
                track = Track(self.name or "", 0 if is_drum else program, is_drum)
                track.notes = [Note(*note) for note in notes]
                track.pedals = list(self.pedals.get(channel, ()))
                tracks.append(track)
        return tracks

    def _long_number(self, position: int, tick: int) -> tuple[int, int]:
        value, first = 0, position
        while True:
            byte = self.body[position]
            position += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, position
            if position - first == 4:
                self._refuse("variable-length", "a number longer than 4 bytes", first, tick)

    def _channel_event(self, status: int, position: int, tick: int) -> int:
        """Controllers, programs, pressure and bend; returns the position after it."""
        kind, channel = status & 0xF0, status & 0x0F
        length = 1 if kind in (0xC0, 0xD0) else 2
        if max(self.body[position], self.body[position + length - 1]) > 127:
            self._refuse("data-byte", f"a data byte above 127 after {status:#x}", position, tick)
        if kind == 0xC0:
            self._change_program(channel, self.body[position], position, tick)
        elif kind == 0xB0 and self.body[position] == _SUSTAIN:
            self._move_pedal(channel, self.body[position + 1] >= 64, tick)
        return position + length

    def _change_program(self, channel: int, program: int, position: int, tick: int) -> None:
        if program == self.programs[channel]:
            return
        for key in self.sounding:
            if key >> 7 == channel:
                self._refuse_note("program-in-note", key, position, tick)
        self.programs[channel] = program
        if channel != DRUM_CHANNEL:  # all kits are drums
            self.part_of_channel[channel] = self.parts.setdefault((channel, program), [])

    def _move_pedal(self, channel: int, is_down: bool, tick: int) -> None:
        if is_down:
            self.pedal_down.setdefault(channel, tick)
        elif channel in self.pedal_down:
            onset = self.pedal_down.pop(channel)
            if tick > onset:
                self.pedals.setdefault(channel, []).append(Pedal(onset, tick - onset))

    def _system_event(self, status: int, position: int, tick: int) -> int:
        """Meta events and system-exclusive messages; returns the position after it."""
        kind = self.body[position]
        length_at = position + 1 if status == 0xFF else position
        length, payload_at = self._long_number(length_at, tick)
        payload = self.body[payload_at : payload_at + length]
        if len(payload) < length:
            what = f"an event of {length:,} bytes, {len(payload):,} are left in the track"
            self._refuse("end-of-track", what, length_at, tick)
        if status == 0xFF:
            self._meta_event(kind, payload, position, tick)
        elif status != 0xF0 or payload[-1:] != b"\xf7" or max(payload[:-1], default=0) > 127:
            self._refuse("system-message", f"system message {status:#x}", position, tick)
        return payload_at + length

    def _meta_event(self, kind: int, payload: bytes, position: int, tick: int) -> None:
        if kind in _TEXTS:
            self._text(kind, payload, position, tick)
        elif kind in _META_LENGTHS:
            if len(payload) != _META_LENGTHS[kind]:
                what = f"meta event {kind:#04x} with {len(payload)} bytes of data"
                self._refuse("meta-event", what, position, tick)
            if kind in _CONDUCTOR_ONLY:
                self._conductor_event(kind, payload, position, tick)
        elif kind != 0x7F:
            self._refuse("meta-event", f"unknown meta event {kind:#04x}", position, tick)

    def _text(self, kind: int, payload: bytes, position: int, tick: int) -> None:
        try:
            text = payload.decode("utf-8")
        except UnicodeDecodeError:
            self._refuse(
                "text-encoding", f"'{decode_text(payload)[:40]}' is no UTF-8 text", position, tick
            )
        if kind == _NAME and self.name is None:
            self.name = text
        elif kind == _MARKER:
            self.conductor.markers.append(Marker(tick, text))

    def _conductor_event(self, kind: int, payload: bytes, position: int, tick: int) -> None:
        if self.number > 0:
            what = f"meta event {kind:#04x} (tempo, meter or key) outside the first track"
            self._refuse("conductor", what, position, tick)
        try:
            _read_conductor_event(kind, payload, tick, self.ticks_per_quarter, self.conductor)
        except RuleBroken as error:
            self._refuse(error.rule, error.found, position, tick)

    def _finish(self, position: int, tick: int) -> None:
        """Check what must hold at the end-of-track event, whose type is at `position`."""
        if self.body[position:] != b"\x2f\x00":
            what = "an end-of-track event that does not end the track"
            self._refuse("end-of-track", what, position, tick)
        if tick > MAX_QUARTERS * self.ticks_per_quarter:
            what = f"the track lasts {tick / self.ticks_per_quarter:,.0f} quarter notes"
            self._refuse("too-long", what, position, tick)
        for key in self.sounding:
            self._refuse_note("dangling-note", key, position, tick)
        for channel in list(self.pedal_down):
            self._move_pedal(channel, False, tick)

    def _refuse(self, rule: str, what: str, position: int, tick: int) -> NoReturn:
        raise RuleBroken(
            rule, what, byte_offset=self.start + position, track=self.number, tick=tick
        )

    def _refuse_note(self, rule: str, key: int, position: int, tick: int) -> NoReturn:
        what = f"pitch {key & 127} on channel {(key >> 7) + 1}"
        if key in self.sounding:
            what += f", sounding since tick {self.sounding[key][0]}"
        self._refuse(rule, what, position, tick)


def _read_conductor_event(
    kind: int, payload: bytes, tick: int, ticks_per_quarter: int, conductor: Conductor
) -> None:
    """Add a tempo or signature to `conductor`.

    Raises:
        RuleBroken: the value is invalid, or one of its kind stands at this tick already.
    """
    if kind == _TEMPO:
        _add_once(conductor.tempos, read_tempo(payload, tick))
    elif kind == _TIME_SIGNATURE:
        _add_once(conductor.time_signatures, read_time_signature(payload, tick, ticks_per_quarter))
    elif kind == _KEY_SIGNATURE:
        _add_once(conductor.key_signatures, read_key_signature(payload, tick))
    else:
        _check_smpte_offset(payload)


def _add_once(events: list[_Event], event: _Event) -> None:
    if events and events[-1].onset_ticks == event.onset_ticks:
        kind = type(event).__name__
        raise RuleBroken("same-tick", f"a second {kind} at this tick")
    events.append(event)


def read_tempo(payload: bytes, tick: int) -> Tempo:
    """The tempo in a set-tempo event's data; `RuleBroken` outside 5 to 1000 quarters a minute."""
    microseconds = int.from_bytes(payload, "big")
    if not MIN_MICROSECONDS_PER_QUARTER <= microseconds <= MAX_MICROSECONDS_PER_QUARTER:
        raise RuleBroken("tempo", f"{microseconds:,} microseconds a quarter note")
    return Tempo(tick, microseconds)


def read_time_signature(payload: bytes, tick: int, ticks_per_quarter: int) -> TimeSignature:
    """The meter in a time-signature event's data; `RuleBroken` unless bars are whole ticks."""
    numerator, denominator = payload[0], 1 << min(payload[1], 8)
    is_whole = ticks_per_quarter * 4 * numerator % denominator == 0
    if not 1 <= numerator <= 64 or denominator > 64 or not is_whole:
        raise RuleBroken("time-signature", f"{numerator}/{1 << min(payload[1], 32)}")
    return TimeSignature(tick, numerator, denominator)


def read_key_signature(payload: bytes, tick: int) -> KeySignature:
    """The key in a key-signature event's data; `RuleBroken` past seven sharps or flats."""
    fifths = int.from_bytes(payload[:1], "big", signed=True)
    if not -7 <= fifths <= 7 or payload[1] > 1:
        signs = f"{abs(fifths)} {'flats' if fifths < 0 else 'sharps'}"
        mode = f", mode {payload[1]}" if payload[1] > 1 else ""
        raise RuleBroken("key-signature", f"{signs}{mode}")
    return KeySignature(tick, fifths, payload[1] == 1)


def _check_smpte_offset(payload: bytes) -> None:
    limits = (0x7F, 59, 59, 29, 99)
    is_valid = all(value <= limit for value, limit in zip(payload, limits, strict=True))
    if not is_valid or payload[0] & 0x1F > 23:
        raise RuleBroken("meta-event", f"SMPTE offset {payload.hex(' ')}")
