"""Files by chance that say everything a sequencer can say, as sequencers say it."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

from hypothesis import strategies as st

from gen.smf.original import OriginalFile
from gen.smf.writer import variable_length
from midi_files import chunk, header

_CHANNEL_KINDS = (0x80, 0x90, 0x90, 0x90, 0xA0, 0xB0, 0xB0, 0xC0, 0xD0, 0xE0)
_CONTROLLERS = (0, 1, 6, 7, 10, 11, 64, 64, 64, 66, 67, 74, 91, 100, 101, 123)
_METAS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x20, 0x51, 0x58, 0x59, 0x7F)
_DIVISION = 96


@dataclass(frozen=True, order=True)
class Said:
    """An event of a file, whichever way it is written down."""

    tick: int
    message: bytes


def said_in(original: OriginalFile) -> list[list[Said]]:
    """The events of each track, with their status bytes, without the end of track."""
    return [
        [
            Said(e.tick, bytes((e.status & 0xFF,)) + e.data if e.is_channel_event else e.body)
            for e in track.events
            if not e.is_meta(0x2F)
        ]
        for track in original.tracks
    ]


# What an event says is drawn at once: a file has hundreds, and every draw takes its time.

_DELTAS = st.sampled_from(
    [b"\x80" * longer + variable_length(ticks)  # now and then in more bytes than it needs
     for ticks in (0, 0, 0, 12, 24, 25, 47, 48, 96, 200, 400) for longer in (0, 0, 0, 0, 1)]
)  # fmt: skip
_TEXTS = (b"", b"la", b"Strophe \xe4", "été".encode(), b"C#m")
_LENGTHS = {0x20: b"\x03", 0x51: b"\x07\xa1\x20", 0x58: b"\x04\x02\x18\x08", 0x59: b"\x00\x00"}


def _exclusive(data: bytes) -> bytes:
    return b"\xf0" + variable_length(len(data) + 1) + bytes(b & 127 for b in data) + b"\xf7"


_OTHERS = st.binary(max_size=4).map(_exclusive) | st.sampled_from(
    [bytes((0xFF, kind)) + variable_length(len(payload)) + payload
     for kind in _METAS for text in _TEXTS for payload in [_LENGTHS.get(kind, text)]]
)  # fmt: skip


@functools.cache
def _messages(kind: int, channels: tuple[int, ...]) -> st.SearchStrategy[bytes]:
    """Channel events of a kind."""
    values = range(128)
    if kind in (0x80, 0x90, 0xA0):  # few pitches, so that notes meet
        data = itertools.product(range(60, 64), (0, 40, 64, 100))
    elif kind == 0xB0:
        data = itertools.product(_CONTROLLERS, (0, 30, 64, 127))
    elif kind == 0xC0:
        data = ((program,) for program in (0, 0, 0, 33))
    else:
        data = ((one,) for one in values) if kind == 0xD0 else itertools.product(values, values)
    said = [bytes(one) for one in data]
    return st.sampled_from([bytes((kind | channel,)) + one for one in said for channel in channels])


_COUNTS, _SIXTHS, _YES_OR_NO = st.integers(0, 30), st.integers(0, 5), st.booleans()
_KINDS = st.sampled_from(_CHANNEL_KINDS)


@st.composite
def _body(draw: st.DrawFn, channels: tuple[int, ...]) -> bytes:
    parts, running = [], 0
    for _ in range(draw(_COUNTS)):
        is_other = draw(_SIXTHS) == 0
        message = draw(_OTHERS if is_other else _messages(draw(_KINDS), channels))
        parts.append(draw(_DELTAS))
        may_run = message[0] == running and draw(_YES_OR_NO)
        parts.append(message[1:] if may_run else message)
        running = message[0] if message[0] < 0xF0 else running if draw(_YES_OR_NO) else 0
    return b"".join([*parts, draw(_DELTAS), b"\xff\x2f\x00"])


@st.composite
def rich_files(draw: st.DrawFn) -> bytes:
    """A file with at least one note: type 0 or 1, channels shared or not, notes that overlap,
    hang or end twice, running status and long delta times as they come."""
    file_format = draw(st.sampled_from((0, 1, 1)))
    count = 1 if file_format == 0 else draw(st.integers(1, 4))
    channels = draw(st.sampled_from(((0,), (0, 1), (0, 9), (2, 3, 9))))
    bodies = [draw(_body(channels)) for _ in range(count)]
    sure = b"\x00" + bytes((0x90 | channels[0], 65, 90, 48, 65, 0))
    tracks = b"".join(chunk(b"MTrk", body) for body in [sure + bodies[0], *bodies[1:]])
    tail = draw(st.sampled_from((b"", chunk(b"XTRA", b"kept"))))
    return header(count, file_format, _DIVISION) + tracks + tail
