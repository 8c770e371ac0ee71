"""Reads Standard MIDI Files as sequencers write them, noting what is out of order.

It recovers what has one plain meaning (more tracks than declared, foreign chunks, a missing end
of track, running status across meta events) and refuses what has none (film-frame time) and what
has lost music (a file cut off inside an event, or before its last track).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gen.smf.chunks import (
    CHUNK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    GENERATED_CHUNK,
    TAG_CHUNK,
    check_time_unit,
)
from gen.smf.rules import MAX_BYTES, MAX_EVENTS, MAX_QUARTERS, MAX_TRACKS, RuleBroken

ChannelEvent = tuple[int, int, int, int]
"""Tick, status byte, first and second data byte (0 where there is none)."""
MetaEvent = tuple[int, int, bytes]
"""Tick, type, data."""

_SHORT_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1}


@dataclass(slots=True)
class RawTrack:
    """Events of one track chunk in file order, times absolute."""

    events: list[ChannelEvent] = field(default_factory=list)
    metas: list[MetaEvent] = field(default_factory=list)
    system_message_count: int = 0
    end_ticks: int = 0


@dataclass(slots=True)
class RawFile:
    """A file's events and what was out of order in its layout.

    Attributes:
        format: 0 or 1.
        ticks_per_quarter: as the header says, above 0.
        tracks: one a track chunk.
        music: the bytes from the header to the end of the last track chunk.
        wrapping: what lay around those bytes, one sentence each.
        remarks: what was out of order within them, one sentence each.
    """

    format: int
    ticks_per_quarter: int
    tracks: list[RawTrack] = field(default_factory=list)
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
    data = _unwrap_riff(data, wrapping)
    if data[:4] != b"MThd" or len(data) < FILE_HEADER_BYTES:
        raise RuleBroken("not-midi", f"the file begins with {data[:4]!r}, not 'MThd'")
    header_length = int.from_bytes(data[4:8], "big")
    file_format, declared, division = (
        int.from_bytes(data[first : first + 2], "big") for first in (8, 10, 12)
    )
    if header_length < 6:
        raise RuleBroken("header-length", f"the header says {header_length} bytes", byte_offset=4)
    if file_format > 1:
        raise RuleBroken("format", f"the file is of type {file_format}", byte_offset=8)
    check_time_unit(division)
    raw = RawFile(file_format, division, wrapping=wrapping)
    _read_tracks(data, CHUNK_HEADER_BYTES + header_length, raw)
    if len(raw.tracks) < declared:
        what = f"the header declares {declared} tracks, the file holds {len(raw.tracks)}"
        raise RuleBroken("truncated", what, byte_offset=len(data))
    if len(raw.tracks) > declared:
        text = (
            f"the header declared {declared} track(s), the file holds {len(raw.tracks)}: corrected"
        )
        raw.remarks.append(text)
    return raw


def _unwrap_riff(data: bytes, wrapping: list[str]) -> bytes:
    """The MIDI file inside a RIFF (`.rmi`) wrapper, or the data as they are."""
    if data[:4] == b"RIFF" and data[8:16] == b"RMIDdata":
        wrapping.append("taken out of its RIFF (.rmi) wrapper")
        return data[20 : 20 + int.from_bytes(data[16:20], "little")]
    return data


def _read_tracks(data: bytes, position: int, raw: RawFile) -> None:
    budget = MAX_EVENTS
    while position + CHUNK_HEADER_BYTES <= len(data):
        kind = data[position : position + 4]
        start = position + CHUNK_HEADER_BYTES
        length = int.from_bytes(data[position + 4 : start], "big")
        position = start + length
        if kind == b"MTrk":
            if len(raw.tracks) == MAX_TRACKS:
                what = f"more than {MAX_TRACKS} tracks"
                raise RuleBroken("track-count", what, byte_offset=start)
            reader = _TrackReader(data[start:position], start, raw)
            raw.tracks.append(reader.read(budget))
            if position > len(data) and not reader.has_end:
                what = f"track {reader.number} is {position - len(data):,} bytes short"
                raise RuleBroken("truncated", what, byte_offset=len(data))
            budget -= len(reader.track.events) + len(reader.track.metas)
            raw.music = data[:position]
        elif kind == GENERATED_CHUNK:
            what = "the mark of a piece that a model generated"
            raise RuleBroken("generated", what, byte_offset=start)
        elif kind == TAG_CHUNK:
            raw.wrapping.append("an earlier house tag taken off")
        else:
            text = kind.decode("latin-1").encode("unicode_escape").decode("ascii")
            raw.wrapping.append(f"{length:,} bytes of a foreign chunk '{text}' left out")
    if position < len(data):
        raw.wrapping.append(f"{len(data) - position} stray bytes after the last track left out")


class _TrackReader:
    """Reads one track chunk's body, which begins at byte `start` of the file."""

    def __init__(self, body: bytes, start: int, raw: RawFile) -> None:
        self.body = body
        self.start = start
        self.number = len(raw.tracks)
        self.remarks = raw.remarks
        self.longest_ticks = MAX_QUARTERS * raw.ticks_per_quarter
        self.track = RawTrack()
        self.position = 0
        self.status = 0
        self.has_end = False

    def read(self, budget: int) -> RawTrack:
        """Every event up to the end of the track, marked or not."""
        for _ in range(budget):
            if self.position >= len(self.body):
                self._remark("had no end-of-track event: added")
                return self.track
            try:
                is_end = self._read_event()
            except IndexError:
                what = "the track ends in the middle of an event"
                raise self._broken("truncated", what) from None
            if is_end:
                self.has_end = True
                rest = len(self.body) - self.position
                if rest:
                    self._remark(f"{rest} bytes after its end left out")
                return self.track
        raise self._broken("too-many-events", f"more than {MAX_EVENTS:,} events")

    def _read_event(self) -> bool:
        """Read one event; true when it ends the track."""
        self.track.end_ticks += self._number()
        if self.track.end_ticks > self.longest_ticks:
            raise self._broken("too-long", f"longer than {MAX_QUARTERS:,} quarter notes")
        byte = self.body[self.position]
        if byte < 0x80 and not self.status:
            raise self._broken("running-status", f"data byte {byte} without a status byte")
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
        is_short = self.status & 0xE0 == 0xC0
        first = self.body[self.position]
        second = 0 if is_short else self.body[self.position + 1]
        if first > 127 or second > 127:
            raise self._broken("data-byte", f"data bytes {first}, {second} after {self.status:#x}")
        self.position += 1 if is_short else 2
        self.track.events.append((self.track.end_ticks, self.status, first, second))

    def _meta_event(self) -> bool:
        kind = self.body[self.position]
        self.position += 1
        payload = self._payload()
        if kind == 0x2F:
            return True
        self.track.metas.append((self.track.end_ticks, kind, payload))
        return False

    def _system_message(self, status: int) -> None:
        self.track.system_message_count += 1
        if status in (0xF0, 0xF7):
            self._payload()
        else:
            self.position += _SHORT_SYSTEM_LENGTHS.get(status, 0)

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

    def _remark(self, text: str) -> None:
        self.remarks.append(f"track {self.number + 1} {text}")

    def _broken(self, rule: str, what: str) -> RuleBroken:
        place = self.start + self.position
        tick = self.track.end_ticks
        return RuleBroken(rule, what, byte_offset=place, track=self.number, tick=tick)
