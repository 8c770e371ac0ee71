"""A file cut into its events, each with the bytes that it has there.

What is not changed can so be put back as it was, down to lengths written in more bytes than they
need and status bytes left out. The layout is read as `lenient` reads it; chunks are numbered alike.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gen.smf.chunks import CHUNK_HEADER_BYTES, GENERATED_CHUNK, looks_like_a_type
from gen.smf.containers import unwrap
from gen.smf.lenient import CHANNEL_BITS, RawFile, RawTrack, TrackReader
from gen.smf.rules import MAX_EVENTS

TRACK_CHUNK: Final = b"MTrk"
META: Final = 0xFF
END_OF_TRACK: Final = 0x2F


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event of a track.

    Attributes:
        tick: from the beginning.
        status: the status byte, of channel events with the port in the bits above it.
        delta: its delta time as the file has it.
        body: what follows; a channel event may lack its status byte (running status).
    """

    tick: int
    status: int
    delta: bytes
    body: bytes

    @property
    def is_running(self) -> bool:
        return self.body[0] < 0x80

    @property
    def kind(self) -> int:
        """The upper half of the status byte: 0x90 for a note-on on any channel, 0xF0 for others."""
        return self.status & 0xF0

    @property
    def channel(self) -> int:
        """Of a channel event: 0 to 15, with the port in the bits above."""
        return self.status & CHANNEL_BITS

    @property
    def data(self) -> bytes:
        """Of a channel event: what follows the status byte."""
        return self.body if self.is_running else self.body[1:]

    @property
    def is_channel_event(self) -> bool:
        return self.status & 0xFF < 0xF0

    def is_meta(self, kind: int) -> bool:
        return self.status == META and self.body[1] == kind

    def payload(self) -> bytes:
        """The data of a meta event, without type and length."""
        at = 2
        while self.body[at] > 0x7F:
            at += 1
        return self.body[at + 1 :]


@dataclass(frozen=True, slots=True)
class StruckNote:
    """A note-on of a track and the note-off that ends it.

    Attributes:
        on, off: places of the two events in the track; -1 where nothing ends the note.
        channel: with the port in the bits above.
        onset, end: ticks; where nothing ends the note, the end of the track.
    """

    on: int
    off: int
    channel: int
    pitch: int
    velocity: int
    onset: int
    end: int


@dataclass(slots=True)
class OriginalTrack:
    """A track chunk: its head, its events with the end of track, and what follows that in it."""

    head: bytes
    events: list[RawEvent]
    rest: bytes = b""

    @property
    def end_ticks(self) -> int:
        return self.events[-1].tick if self.events else 0

    def notes(self) -> tuple[list[StruckNote], list[int]]:
        """The notes by onset, and the places of note-offs that end none.

        The first note-off of a pitch ends the note that began first, as in `mend`.
        """
        found: dict[int, StruckNote] = {}
        waiting: dict[tuple[int, int], deque[int]] = {}
        stray = []
        for place, event in enumerate(self.events):
            if event.kind not in (0x80, 0x90):
                continue
            pitch, velocity = event.data
            queue = waiting.setdefault((event.channel, pitch), deque())
            if event.kind == 0x90 and velocity:
                queue.append(place)
                found[place] = StruckNote(
                    place, -1, event.channel, pitch, velocity, event.tick, self.end_ticks
                )
            elif queue:
                on = queue.popleft()
                note = found[on]
                found[on] = StruckNote(
                    on, place, note.channel, pitch, note.velocity, note.onset, event.tick
                )
            else:
                stray.append(place)
        return list(found.values()), stray


@dataclass(slots=True)
class OriginalFile:
    """A file as chunks.

    Attributes:
        parts: header, chunks and stray bytes in their order; a track chunk as its number.
        tracks: of the track chunks.
        format: 0, or 1 where there may be more than one track.
        ticks_per_quarter: as the header says.
    """

    parts: list[bytes | int]
    format: int
    ticks_per_quarter: int
    tracks: list[OriginalTrack] = field(default_factory=list)

    @property
    def end_ticks(self) -> int:
        return max((track.end_ticks for track in self.tracks), default=0)


def read_original(data: bytes) -> OriginalFile:
    """Cut a file that `lenient.read_leniently` reads; marks of generated music may stand in it.

    Raises:
        RuleBroken: it cannot be read.
    """
    data = unwrap(data, [])
    position = CHUNK_HEADER_BYTES + int.from_bytes(data[4:8], "big")
    file_format, _, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10, 12))
    original = OriginalFile([data[:position]], int(file_format == 1), division)
    while position + CHUNK_HEADER_BYTES <= len(data):
        start = position + CHUNK_HEADER_BYTES
        kind = data[position : position + 4]
        end = start + int.from_bytes(data[position + 4 : start], "big")
        if not looks_like_a_type(kind):
            end = data.find(TRACK_CHUNK, position)
            if end < 0:
                break
        if kind == TRACK_CHUNK:
            original.parts.append(len(original.tracks))
            original.tracks.append(_read_track(data[position:end], start, original))
        else:
            original.parts.append(data[position:end])
        position = end
    original.parts.append(data[position:])
    return original


def unmarked(data: bytes) -> bytes:
    """The file without the marks of generated music that may stand at its end."""
    at = data.rfind(GENERATED_CHUNK)
    while at > 0 and at + 8 + int.from_bytes(data[at + 4 : at + 8], "big") == len(data):
        data = data[:at]
        at = data.rfind(GENERATED_CHUNK)
    return data


def _read_track(chunk: bytes, start: int, original: OriginalFile) -> OriginalTrack:
    number, body = len(original.tracks), chunk[CHUNK_HEADER_BYTES:]
    reader = _EventReader(body, start, number, RawFile(1, original.ticks_per_quarter))
    reader.read(MAX_EVENTS)
    return OriginalTrack(chunk[:CHUNK_HEADER_BYTES], reader.events, body[reader.position :])


class _EventReader(TrackReader):
    """Keeps every event that it reads."""

    def __init__(self, body: bytes, start: int, number: int, raw: RawFile) -> None:
        super().__init__(body, start, number, raw)
        self.events: list[RawEvent] = []

    def read(self, budget: int) -> RawTrack:
        self.events = []
        return super().read(budget)

    def _read_event(self) -> bool:
        start = middle = self.position
        is_end = super()._read_event()
        while self.body[middle] > 0x7F:
            middle += 1
        middle += 1
        status = self.body[middle] if self.body[middle] >= 0xF0 else self.status | self.port
        delta, body = self.body[start:middle], self.body[middle : self.position]
        self.events.append(RawEvent(self.track.end_ticks, status, delta, body))
        return is_end
