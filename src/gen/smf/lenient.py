"""Reads Standard MIDI Files as sequencers write them, noting what is out of order.

It recovers what has one plain meaning (more tracks than declared, foreign chunks, a missing end
of track, running status across meta events) and refuses what has none (film-frame time) and what
has lost music (a file cut off inside an event, or before its last track).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gen.errors import counted
from gen.smf.chunks import (
    CHUNK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    GENERATED_CHUNK,
    TAG_CHUNK,
    check_time_unit,
    looks_like_a_type,
)
from gen.smf.containers import unwrap
from gen.smf.rules import EXPORT, MAX_BYTES, MAX_EVENTS, MAX_QUARTERS, RuleBroken

ChannelEvent = tuple[int, int, int, int]
"""Tick, status byte with the port in the bits above it, first and second data byte (or 0)."""
MetaEvent = tuple[int, int, bytes]
"""Tick, type, data."""

PORT_SHIFT = 8
CHANNEL_BITS = ~0xF0
"""Of a status with its port: which of the port's sixteen channels; equal ones share programs."""

_SHORT_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_PORT, _END_OF_TRACK = 0x21, 0x2F
_SILENT_METAS = frozenset({0x03})
_MAX_READ_TRACKS = 4096
_SETUP_CONTROLLERS = frozenset({0, 6, 64, 100, 101})
"""Bank, parameter value and number (which divide channels into zones), sustain pedal."""
_SILENCES = frozenset({120, 123})
"""All sound off, all notes off."""


@dataclass(slots=True)
class RawTrack:
    """Events of one track chunk, times absolute.

    Attributes:
        number: of the chunk among the file's tracks, counted from 0.
        notes: note-ons, note-offs and what silences all, by channel (`CHANNEL_BITS` of the
            status), in file order.
        setups: programs, banks and pedals in file order.
        counts: how many other channel events of each (kind, controller number) there are.
        metas: meta events but the end of track.
        system_messages: tick, port and data of each.
        end_ticks: where the track ends.
    """

    number: int = 0
    notes: dict[int, list[ChannelEvent]] = field(default_factory=dict)
    setups: list[ChannelEvent] = field(default_factory=list)
    counts: Counter[tuple[int, int]] = field(default_factory=Counter)
    metas: list[MetaEvent] = field(default_factory=list)
    system_messages: list[tuple[int, int, bytes]] = field(default_factory=list)
    end_ticks: int = 0

    @property
    def event_count(self) -> int:
        notes = sum(map(len, self.notes.values()))
        return notes + self.counts.total() + len(self.metas)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing but a name."""
        is_silent = not self.notes and not self.counts
        return is_silent and all(kind in _SILENT_METAS for _, kind, _ in self.metas)


@dataclass(slots=True)
class RawFile:
    """A file's events and what was out of order in its layout.

    Attributes:
        format: 0 or 1.
        ticks_per_quarter: as the header says, above 0.
        tracks: one a track chunk that says anything, and the first in any case.
        empty_tracks: how many others there are.
        music: the bytes from the header to the end of the last track chunk.
        wrapping: what lay around those bytes, one sentence each.
        remarks: what was out of order within them, one sentence each.
    """

    format: int
    ticks_per_quarter: int
    tracks: list[RawTrack] = field(default_factory=list)
    empty_tracks: int = 0
    music: bytes = b""
    wrapping: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_leniently(data: bytes) -> RawFile:
    """All events of a file that may break the strict rules.

    Raises:
        RuleBroken: the file cannot be read in one plain way.
    """
    if len(data) > MAX_BYTES:
        raise RuleBroken("too-large", f"the file has {len(data):,} bytes", byte_offset=MAX_BYTES)
    wrapping: list[str] = []
    data = unwrap(data, wrapping)
    if len(data) < FILE_HEADER_BYTES:
        raise RuleBroken("truncated", f"the file has {len(data)} bytes, its header needs 14")
    header_length = int.from_bytes(data[4:8], "big")
    file_format, declared, division = (
        int.from_bytes(data[first : first + 2], "big") for first in (8, 10, 12)
    )
    if header_length < 6:
        raise RuleBroken("header-length", f"the header says {header_length} bytes", byte_offset=4)
    is_single = file_format == 2 and declared == 1
    if file_format > 1 and not is_single:
        raise RuleBroken("format", f"the file is of type {file_format}", byte_offset=8)
    check_time_unit(division)
    raw = RawFile(0 if is_single else file_format, division, wrapping=wrapping)
    if is_single:
        raw.remarks.append("a type-2 file of a single track read as type 0")
    _ChunkReader(data, CHUNK_HEADER_BYTES + header_length, raw).read(declared)
    return raw


class _ChunkReader:
    """Reads the chunks of a file from byte `position` on into `raw`."""

    def __init__(self, data: bytes, position: int, raw: RawFile) -> None:
        self.data = data
        self.position = position
        self.raw = raw
        self.budget = MAX_EVENTS
        self.track_count = 0
        self.foreign: Counter[str] = Counter()
        self.foreign_bytes: Counter[str] = Counter()
        self.without_end: list[int] = []
        self.goes_on: list[int] = []
        self.stray: list[int] = []
        self.has_tag = False

    def read(self, declared: int) -> None:
        while self.position + CHUNK_HEADER_BYTES <= len(self.data):
            kind = self.data[self.position : self.position + 4]
            if not looks_like_a_type(kind) and not self._skip_stray_bytes():
                break
            self._read_chunk()
        self._describe_rest()
        self._describe_count(declared)

    def _skip_stray_bytes(self) -> bool:
        """Go on to the next track where bytes that belong to nothing lie before it."""
        following = self.data.find(b"MTrk", self.position)
        if following < 0:
            return False
        self.stray.append(following - self.position)
        self.position = following
        return True

    def _read_chunk(self) -> None:
        data, start = self.data, self.position + CHUNK_HEADER_BYTES
        kind = data[self.position : self.position + 4]
        length = int.from_bytes(data[self.position + 4 : start], "big")
        self.position = start + length
        if kind == b"MTrk":
            self._read_track(data[start : self.position], start)
        elif kind == b"MThd":
            what = "a second MIDI file begins behind the first one"
            mend = "export each piece into a file of its own"
            raise RuleBroken("format", what, byte_offset=start - CHUNK_HEADER_BYTES, mend=mend)
        elif kind == GENERATED_CHUNK:
            what = "the mark of a piece that a model generated"
            raise RuleBroken("generated", what, byte_offset=start)
        elif kind == TAG_CHUNK:
            self.has_tag = True
        else:
            self.foreign[kind.decode("ascii")] += 1
            self.foreign_bytes[kind.decode("ascii")] += length

    def _read_track(self, body: bytes, start: int) -> None:
        reader = TrackReader(body, start, self.track_count, self.raw)
        track = reader.read(self.budget)
        if self.position > len(self.data) and not reader.has_end:
            what = f"track {reader.number} is {self.position - len(self.data):,} bytes short"
            raise RuleBroken("truncated", what, byte_offset=len(self.data))
        if not reader.has_end:
            self.without_end.append(reader.number + 1)
        if reader.rest:
            self.goes_on.append(reader.number + 1)
        self.budget -= track.event_count
        self.track_count += 1
        self.raw.music = self.data[: self.position]
        if track.number and track.is_empty:
            self.raw.empty_tracks += 1
        elif len(self.raw.tracks) == _MAX_READ_TRACKS:
            what = f"more than {_MAX_READ_TRACKS:,} tracks that hold something"
            raise RuleBroken("track-count", what, byte_offset=start, mend=EXPORT)
        else:
            self.raw.tracks.append(track)

    def _describe_rest(self) -> None:
        for kind, count in self.foreign.items():
            size = f"{self.foreign_bytes[kind]:,} bytes"
            what = "a foreign chunk" if count == 1 else f"{count:,} foreign chunks"
            self.raw.wrapping.append(f"{size} of {what} '{kind}' left out")
        rest = self.data[self.position :]
        if rest:
            what = "stray bytes" if rest.strip(b"\0") else "zeros"
            self.raw.wrapping.append(f"{len(rest):,} {what} after the last track left out")
        if self.has_tag:
            self.raw.wrapping.append("an earlier house tag taken off")
        if self.stray:
            size = counted(sum(self.stray), "stray byte")
            self.raw.remarks.append(f"{size} between tracks left out")
        if self.goes_on:
            what = f"what follows the end of {_listed(self.goes_on)} left out"
            self.raw.remarks.append(f"{what}; if music is missing, export the piece again")
        if self.without_end:
            named = _listed(self.without_end)
            self.raw.remarks.append(f"{named} had no end-of-track event: added")

    def _describe_count(self, declared: int) -> None:
        """Compare with the header, which in some programs counts every chunk."""
        found = self.track_count
        if found == declared:
            return
        if not found or found + self.foreign.total() < declared:
            what = f"the header declares {declared} tracks, the file holds {found}"
            raise RuleBroken("truncated", what, byte_offset=len(self.data))
        what = f"the header declared {declared} track(s), the file holds {found}: corrected"
        self.raw.remarks.append(what)


def _listed(numbers: list[int]) -> str:
    """A few tracks by their numbers, and how many more there are."""
    shown = f"track{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers[:4]))}"
    return shown if len(numbers) <= 4 else f"{shown} and {len(numbers) - 4} more"


class TrackReader:
    """Reads one track chunk's body, which begins at byte `start` of the file."""

    def __init__(self, body: bytes, start: int, number: int, raw: RawFile) -> None:
        self.body = body
        self.start = start
        self.number = number
        self.longest_ticks = MAX_QUARTERS * raw.ticks_per_quarter
        self.track = RawTrack(number)
        self.position = 0
        self.status = 0
        self.port = 0
        self.has_end = False
        self.rest = 0

    def read(self, budget: int) -> RawTrack:
        """Every event up to the end of the track, marked or not."""
        for _ in range(budget):
            if self.position >= len(self.body):
                return self.track
            try:
                is_end = self._read_event()
            except IndexError:
                what = "the track ends in the middle of an event"
                raise self._broken("truncated", what) from None
            if is_end:
                self.has_end = True
                self.rest = len(self.body) - self.position
                return self.track
        raise self._broken("too-many-events", f"more than {MAX_EVENTS:,} events")

    def _read_event(self) -> bool:
        """Read one event; true when it ends the track."""
        if (delta := self.body[self.position]) < 0x80:
            self.position += 1
        else:
            delta = self._number()
        self.track.end_ticks += delta
        if self.track.end_ticks > self.longest_ticks:
            raise self._broken("too-long", f"longer than {MAX_QUARTERS:,} quarter notes")
        byte = self.body[self.position]
        if byte < 0x80 and not self.status:
            what = f"data ({byte}) that belongs to no event"
            raise self._broken("running-status", what, mend=EXPORT)
        if byte < 0xF0:
            self._channel_event(byte)
            return False
        self.position += 1
        if byte == 0xFF:
            return self._meta_event()
        self._system_message(byte)
        return False

    def _channel_event(self, byte: int) -> None:
        if byte >= 0x80:
            self.status = byte
            self.position += 1
        kind = self.status & 0xF0
        is_short = kind in (0xC0, 0xD0)
        first = self.body[self.position]
        second = 0 if is_short else self.body[self.position + 1]
        if first > 127 or second > 127:
            what = f"{_event_name(kind)} with the values {first}, {second}"
            raise self._broken("data-byte", what)
        self.position += 1 if is_short else 2
        status = self.status | self.port
        event = (self.track.end_ticks, status, first, second)
        if kind < 0xA0:
            notes, channel = self.track.notes, status & CHANNEL_BITS
            if channel in notes:
                notes[channel].append(event)
            else:
                notes[channel] = [event]
            return
        self.track.counts[kind, first if kind == 0xB0 else 0] += 1
        if kind == 0xB0 and first in _SILENCES and (status & CHANNEL_BITS) in self.track.notes:
            self.track.notes[status & CHANNEL_BITS].append(event)
        if kind == 0xC0 or (kind == 0xB0 and first in _SETUP_CONTROLLERS):
            self.track.setups.append(event)

    def _meta_event(self) -> bool:
        kind = self.body[self.position]
        self.position += 1
        payload = self._payload()
        if kind == _END_OF_TRACK:
            return True
        if kind == _PORT and len(payload) == 1:
            self.port = payload[0] << PORT_SHIFT
        self.track.metas.append((self.track.end_ticks, kind, payload))
        return False

    def _system_message(self, status: int) -> None:
        payload = b""
        if status in (0xF0, 0xF7):
            payload = self._payload()
        else:
            self.position += _SHORT_SYSTEM_LENGTHS.get(status, 0)
        message = (self.track.end_ticks, self.port >> PORT_SHIFT, payload)
        self.track.system_messages.append(message)

    def _payload(self) -> bytes:
        length = self._number()
        payload = self.body[self.position : self.position + length]
        if len(payload) < length:
            raise IndexError
        self.position += length
        return payload

    def _number(self) -> int:
        value = 0
        for _ in range(4):
            byte = self.body[self.position]
            self.position += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise self._broken("variable-length", "a number longer than 4 bytes")

    def _broken(self, rule: str, what: str, mend: str = "") -> RuleBroken:
        place, tick = self.start + self.position, self.track.end_ticks
        return RuleBroken(rule, what, byte_offset=place, track=self.number, tick=tick, mend=mend)


def _event_name(kind: int) -> str:
    names = {0x80: "a note's end", 0x90: "a note", 0xB0: "a controller", 0xC0: "a program change"}
    return f"{names.get(kind, 'an event')} outside MIDI's range (0 to 127),"
