"""A file's instruments one by one, each as a file of its own.

A stem is the file without what is said to other instruments: tempo, meter, texts and messages of
the first track, and everything of its own, stay byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from gen.piece import Track
from gen.smf.normalise import normalise
from gen.smf.original import OriginalFile, RawEvent, read_original, unmarked
from gen.smf.parts import Origin
from gen.smf.splice import Edits, Insertion, splice


@dataclass(frozen=True, slots=True)
class Stem:
    """One instrument of a file.

    Attributes:
        track: what it plays.
        data: a file that holds nothing else that sounds, with the marks of origin.
    """

    track: Track
    data: bytes


def stems(data: bytes) -> list[Stem]:
    """The stems of a file, in the order of its tracks.

    Raises:
        RuleBroken: it cannot be read.
    """
    found, original = normalise(unmarked(data)), read_original(data)
    return [
        Stem(track, _stem(original, origins, track))
        for track, origins in zip(found.piece.tracks, found.origins, strict=True)
    ]


def _stem(original: OriginalFile, origins: Collection[Origin], track: Track) -> bytes:
    chunks = sorted({0, *(origin.chunk for origin in origins)})
    edits = []
    for chunk in chunks:
        own = [origin for origin in origins if origin.chunk == chunk]
        events = original.tracks[chunk].events
        gone = {place for place, event in enumerate(events) if not _belongs(event, own)}
        gone |= {n.off for n in original.tracks[chunk].notes()[0] if n.on in gone} - {-1}
        edits.append(Edits(gone, [] if track.is_drum else list(_program(events, own, track))))
    return splice(_only(original, chunks), edits)


def _belongs(event: RawEvent, own: Collection[Origin]) -> bool:
    """Whether an event stays in the stem of what stands at these places of its chunk."""
    if not event.is_channel_event:
        return True
    mine = [origin for origin in own if origin.channel == event.channel]
    if event.kind == 0x90 and event.data[1]:
        return any(origin.plays_at(event.tick) for origin in mine)
    return bool(mine)


def _program(
    events: Iterable[RawEvent], own: Collection[Origin], track: Track
) -> Iterable[Insertion]:
    """The instrument, on channels for which another chunk chooses it."""
    said = {event.channel for event in events if event.kind == 0xC0}
    for channel in {origin.channel for origin in own} - said:
        yield Insertion(0, bytes((0xC0 | channel & 15, track.program)), goes_first=True)


def _only(original: OriginalFile, chunks: list[int]) -> OriginalFile:
    """The file with some of its track chunks."""
    head = original.parts[0]
    assert isinstance(head, bytes)  # noqa: S101 - the header comes first
    count = len(chunks).to_bytes(2, "big")
    parts = [
        chunks.index(part) if isinstance(part, int) else part
        for part in original.parts[1:]
        if not isinstance(part, int) or part in chunks
    ]
    tracks = [original.tracks[chunk] for chunk in chunks]
    return replace(original, parts=[head[:10] + count + head[12:], *parts], tracks=tracks)
