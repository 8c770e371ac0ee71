"""Chunk layout of a Standard MIDI File: cheap, reads no event.

A house file is `MThd`, exactly the declared `MTrk` chunks, then house chunks, then the end.
The tag signs every byte before the first chunk that follows the last track.

Source: Standard MIDI Files 1.0, MIDI Manufacturers Association (RP-001).
"""

from __future__ import annotations

from dataclasses import dataclass

from gen.smf.rules import (
    MAX_BYTES,
    MAX_TICKS_PER_QUARTER,
    MAX_TRACKS,
    MIN_TICKS_PER_QUARTER,
    RuleBroken,
)

TAG_CHUNK = b"HPRV"
"""Chunk type of the provenance tag."""
GENERATED_CHUNK = b"HGEN"
"""Chunk type of the mark on a generated piece."""
MAX_TRAILING = 256
"""Chunks after the last track; a file of 4 MiB has room for half a million empty ones."""
CHUNK_HEADER_BYTES = 8
FILE_HEADER_BYTES = 14


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk after the last track. `byte_offset` is that of its type field."""

    kind: bytes
    payload: bytes
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Chunks:
    """A file cut into its chunks.

    Attributes:
        format: 0 or 1.
        ticks_per_quarter: 24 to 9600.
        track_spans: (first, past last) byte of each track's events, in file order.
        music: every byte before the first chunk that follows the last track.
        trailing: the chunks after the last track, in file order, of whatever type.
    """

    format: int
    ticks_per_quarter: int
    track_spans: tuple[tuple[int, int], ...]
    music: bytes
    trailing: tuple[Chunk, ...]


def split_chunks(data: bytes) -> Chunks:
    """Cut a file into header, declared tracks and what follows them.

    Trailing chunks are returned, not judged: the caller knows which it allows.

    Raises:
        RuleBroken: header or track chunks break a rule, or the bytes after the last track
            are not whole chunks.
    """
    file_format, track_count, ticks_per_quarter = read_header(data)
    spans, position = [], FILE_HEADER_BYTES
    for track in range(track_count):
        end = _track_end(data, position, track, track_count)
        spans.append((position + CHUNK_HEADER_BYTES, end))
        position = end
    trailing = _trailing_chunks(data, position)
    return Chunks(file_format, ticks_per_quarter, tuple(spans), data[:position], trailing)


def read_header(data: bytes) -> tuple[int, int, int]:
    """Format, number of tracks and ticks per quarter.

    Raises:
        RuleBroken: the header breaks a rule.
    """
    if len(data) > MAX_BYTES:
        raise RuleBroken("too-large", f"the file has {len(data):,} bytes", byte_offset=MAX_BYTES)
    if data[:4] != b"MThd":
        raise RuleBroken("not-midi", "it does not begin with a MIDI header (MThd)")
    if len(data) < FILE_HEADER_BYTES:
        raise RuleBroken("truncated", f"the file has {len(data)} bytes, its header needs 14")
    length, file_format, track_count, division = (
        int.from_bytes(data[first:last], "big")
        for first, last in ((4, 8), (8, 10), (10, 12), (12, 14))
    )
    if length != 6:
        raise RuleBroken("header-length", f"the header says {length} bytes, not 6", byte_offset=4)
    _check_format(file_format, track_count)
    _check_division(division)
    return file_format, track_count, division


def _check_format(file_format: int, track_count: int) -> None:
    if file_format not in (0, 1):
        raise RuleBroken("format", f"the file is of type {file_format}", byte_offset=8)
    most = 1 if file_format == 0 else MAX_TRACKS
    if not 1 <= track_count <= most:
        what = f"a type-{file_format} file with {track_count} tracks, where 1 to {most} are allowed"
        raise RuleBroken("track-count", what, byte_offset=10)


def check_time_unit(division: int) -> None:
    """Refuse a division that counts film frames or is 0.

    Raises:
        RuleBroken: ticks have no relation to beats.
    """
    if division & 0x8000:
        frames = 256 - (division >> 8)
        said = "29.97" if frames == 29 else str(frames)
        raise RuleBroken("smpte-division", f"{said} film frames a second", byte_offset=12)
    if division == 0:
        raise RuleBroken("division", "0 ticks per quarter note", byte_offset=12)


def _check_division(division: int) -> None:
    check_time_unit(division)
    if not MIN_TICKS_PER_QUARTER <= division <= MAX_TICKS_PER_QUARTER:
        raise RuleBroken("division", f"{division} ticks per quarter note", byte_offset=12)


def _track_end(data: bytes, position: int, track: int, track_count: int) -> int:
    kind = data[position : position + 4]
    end = position + CHUNK_HEADER_BYTES + int.from_bytes(data[position + 4 : position + 8], "big")
    if len(data) < position + CHUNK_HEADER_BYTES:
        what = f"the header declares {track_count} tracks, the file holds {track}"
        raise RuleBroken("truncated", what, byte_offset=position, track=track)
    if kind != b"MTrk":
        what = (
            f"a chunk of type {shown_type(kind)} where track {track} of {track_count} should begin"
        )
        raise RuleBroken("chunk-layout", what, byte_offset=position, track=track)
    if end > len(data):
        what = f"the track's length points {end - len(data):,} bytes past the end of the file"
        raise RuleBroken("truncated", what, byte_offset=position + 4, track=track)
    return end


def _trailing_chunks(data: bytes, position: int) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    while position < len(data):
        if len(chunks) == MAX_TRAILING:
            what = f"more than {MAX_TRAILING} chunks follow the last track"
            raise RuleBroken("chunk-layout", what, byte_offset=position)
        payload_start = position + CHUNK_HEADER_BYTES
        end = payload_start + int.from_bytes(data[position + 4 : payload_start], "big")
        kind = data[position : position + 4]
        if payload_start > len(data) or end > len(data) or not looks_like_a_type(kind):
            what = f"{len(data) - position:,} bytes that are no chunk follow the last track"
            raise RuleBroken("trailing-bytes", what, byte_offset=position)
        if kind == b"MTrk":
            what = f"more tracks follow than the {_declared(data)} declared"
            raise RuleBroken("track-count", what, byte_offset=position)
        chunks.append(Chunk(kind, data[payload_start:end], position))
        position = end
    return tuple(chunks)


def shown_type(kind: bytes) -> str:
    """A chunk's type for people: 'XFIH', or its bytes in hexadecimal."""
    return f"'{kind.decode('ascii')}'" if looks_like_a_type(kind) else kind.hex(" ") or "(none)"


def looks_like_a_type(kind: bytes) -> bool:
    """Whether four bytes can name a chunk: printable ASCII."""
    return len(kind) == 4 and all(0x20 <= byte < 0x7F for byte in kind)


def _declared(data: bytes) -> int:
    return int.from_bytes(data[10:12], "big")
