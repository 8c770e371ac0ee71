"""Puts events into a file, and takes some out, so that all others stay byte for byte.

An event whose neighbour before it is gone or new may need another delta time, or the status byte
that it had left out; nothing else of it changes. A track to which nothing is done stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gen.smf.chunks import TAG_CHUNK
from gen.smf.original import END_OF_TRACK, TRACK_CHUNK, OriginalFile, OriginalTrack, RawEvent
from gen.smf.writer import variable_length

_END: Final = b"\xff\x2f\x00"
_FIRST, _OWN, _LAST, _VERY_LAST = range(4)


@dataclass(frozen=True, slots=True)
class Insertion:
    """An event that is put into a track.

    Attributes:
        tick: from the beginning.
        message: with its status byte, without a delta time.
        goes_first: before what the file has at this tick, not after it.
    """

    tick: int
    message: bytes
    goes_first: bool = False


@dataclass(slots=True)
class Edits:
    """What is done to one track chunk: places of events that go, and those that come."""

    removed: set[int] = field(default_factory=set)
    inserted: list[Insertion] = field(default_factory=list)


def splice(
    original: OriginalFile,
    edits: Sequence[Edits],
    appended: Sequence[bytes] = (),
    end_ticks: int = 0,
) -> bytes:
    """The file with other events in some of its tracks, and further tracks.

    A house's tag, which signs the bytes before it, is left out where anything changes.

    Args:
        original: what is changed; it stays as it is.
        edits: one for each track chunk.
        appended: further track chunks, as `writer.track_chunk` makes them; a file of type 0 can
            have none.
        end_ticks: no track of the file ends before this tick.

    Raises:
        RuleBroken: a delta time needs more than 4 bytes.
        ValueError: a file of type 0 and further tracks.
    """
    if appended and original.format == 0:
        raise ValueError("a file of type 0 has one track")
    chunks = [
        _track_bytes(track, done, end_ticks)
        for track, done in zip(original.tracks, edits, strict=True)
    ]
    parts = [chunks[part] if isinstance(part, int) else part for part in original.parts]
    if appended:
        count = (len(chunks) + len(appended)).to_bytes(2, "big")
        parts[0] = parts[0][:10] + count + parts[0][12:]
        last = max(place for place, part in enumerate(original.parts) if isinstance(part, int))
        parts[last + 1 : last + 1] = appended
    whole = [chunk_bytes(track) for track in original.tracks]
    if appended or chunks != whole:
        parts = [part for part in parts if part[:4] != TAG_CHUNK]
    return b"".join(parts)


def chunk_bytes(track: OriginalTrack) -> bytes:
    """The whole chunk of an unchanged track."""
    events = b"".join(event.delta + event.body for event in track.events)
    return track.head + events + track.rest


def _track_bytes(track: OriginalTrack, edits: Edits, end_ticks: int) -> bytes:
    if not edits.removed and not edits.inserted and track.end_ticks >= end_ticks:
        return chunk_bytes(track)
    encoder = _Encoder()
    for tick, event, message in _timeline(track, edits, end_ticks):
        encoder.take(tick, event, message)
    body = b"".join(encoder.parts) + track.rest
    return TRACK_CHUNK + len(body).to_bytes(4, "big") + body


def _timeline(
    track: OriginalTrack, edits: Edits, end_ticks: int
) -> list[tuple[int, tuple[int, RawEvent] | None, bytes]]:
    """Tick, place and event of what stays or None, and message of what is new; in order."""
    removed, events = edits.removed, track.events
    has_end = bool(events) and events[-1].is_meta(END_OF_TRACK)
    ends = [end_ticks, track.end_ticks, *(new.tick for new in edits.inserted)]
    end = len(events) - has_end
    found: list[tuple[tuple[int, int, int], tuple[int, RawEvent] | None, bytes]] = [
        ((event.tick, _OWN, place), (place, event), b"")
        for place, event in enumerate(events[:end])
        if place not in removed
    ]
    for number, new in enumerate(edits.inserted):
        found.append(((new.tick, _FIRST if new.goes_first else _LAST, number), None, new.message))
    last = (end, events[end]) if has_end else None
    found.append(((max(ends), _VERY_LAST, 0), last, _END))
    found.sort(key=lambda item: item[0])
    return [(key[0], event, message) for key, event, message in found]


class _Encoder:
    """Writes one event after another."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.tick = 0
        self.running = 0  # the status byte that one left out would stand for
        self.before = -1  # place of the file's event that was written last, -2 of a new one
        self.after_channel_event = False

    def take(self, tick: int, own: tuple[int, RawEvent] | None, message: bytes) -> None:
        """Write an event of the file, or a new one."""
        delta = variable_length(tick - self.tick)
        if own is not None:
            place, event = own
            if _number(event.delta) == tick - self.tick:
                delta = event.delta
            message = self._body(place, event)
            self.before = place
        else:
            self.before = -2
        self.parts += [delta, message]
        self.tick = tick
        if message[0] < 0xF0:
            self.running = message[0] if message[0] >= 0x80 else self.running
        self.after_channel_event = message[0] < 0xF0

    def _body(self, place: int, event: RawEvent) -> bytes:
        if not event.is_running:
            return event.body
        status = event.status & 0xFF
        follows = self.before == place - 1 or self.after_channel_event
        return event.body if follows and self.running == status else bytes((status,)) + event.body


def _number(delta: bytes) -> int:
    value = 0
    for byte in delta:
        value = value << 7 | byte & 0x7F
    return value
