"""Files by chance that say everything a sequencer can say, as sequencers say it."""

from __future__ import annotations

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


@st.composite
def _delta(draw: st.DrawFn) -> bytes:
    """A delta time, now and then in more bytes than it needs."""
    plain = variable_length(draw(st.sampled_from((0, 0, 0, 12, 24, 25, 47, 48, 96, 200, 400))))
    return b"\x80" * draw(st.sampled_from((0, 0, 0, 0, 1))) + plain


@st.composite
def _channel_event(draw: st.DrawFn, channels: tuple[int, ...]) -> bytes:
    kind = draw(st.sampled_from(_CHANNEL_KINDS))
    values = st.integers(0, 127)
    if kind in (0x80, 0x90, 0xA0):  # few pitches, so that notes meet
        data = (draw(st.integers(60, 63)), draw(st.sampled_from((0, 40, 64, 100))))
    elif kind == 0xB0:
        data = (draw(st.sampled_from(_CONTROLLERS)), draw(st.sampled_from((0, 30, 64, 127))))
    elif kind == 0xC0:
        data = (draw(st.sampled_from((0, 0, 0, 33))),)
    else:
        data = (draw(values),) if kind == 0xD0 else (draw(values), draw(values))
    return bytes((kind | draw(st.sampled_from(channels)), *data))


@st.composite
def _other_event(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        payload = draw(st.binary(max_size=4).map(lambda data: bytes(b & 127 for b in data)))
        return b"\xf0" + variable_length(len(payload) + 1) + payload + b"\xf7"
    kind = draw(st.sampled_from(_METAS))
    lengths = {0x20: b"\x03", 0x51: b"\x07\xa1\x20", 0x58: b"\x04\x02\x18\x08", 0x59: b"\x00\x00"}
    text = draw(st.sampled_from((b"", b"la", b"Strophe \xe4", "été".encode(), b"C#m")))
    payload = lengths.get(kind, text)
    return bytes((0xFF, kind)) + variable_length(len(payload)) + payload


@st.composite
def _body(draw: st.DrawFn, channels: tuple[int, ...]) -> bytes:
    parts, running = [], 0
    for _ in range(draw(st.integers(0, 30))):
        is_other = draw(st.integers(0, 5)) == 0
        message = draw(_other_event() if is_other else _channel_event(channels))
        parts.append(draw(_delta()))
        may_run = message[0] == running and draw(st.booleans())
        parts.append(message[1:] if may_run else message)
        running = message[0] if message[0] < 0xF0 else running if draw(st.booleans()) else 0
    return b"".join([*parts, draw(_delta()), b"\xff\x2f\x00"])


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
