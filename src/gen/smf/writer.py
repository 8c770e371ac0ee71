"""Writes a piece as a strict Standard MIDI File: format 1, one track an instrument.

The same piece gives the same bytes. Track 0 conducts (tempo, meter, key, markers); then one
track chunk an instrument, named, on a channel of its own. Drums are on channel 10. There are
fifteen other channels: from the sixteenth melodic track on each shares one, with a track of its
instrument where there is one (see `sharing`). A sequencer keeps tracks apart and so reads every
note right; a player that does not may play those of different instruments with one sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from gen.piece import DRUM_PROGRAM, Piece, Track
from gen.smf.rules import RuleBroken
from gen.smf.walk import DRUM_CHANNEL, parse

MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)

Timed = tuple[int, int, bytes]
"""Tick, rank among events of the same tick, event bytes without delta time."""

_RANK_SETUP, _RANK_NOTE_OFF, _RANK_PEDAL_UP, _RANK_PEDAL_DOWN, _RANK_NOTE_ON = range(5)


def write(piece: Piece, end_ticks: int = 0) -> bytes:
    """The piece as a strict file: no running status, and `parse` accepts it.

    Tracks without notes are left out. `parse(write(piece))` equals the piece but for what a
    file does not hold: roles, and the program number of drums (0).

    Args:
        piece: what is written.
        end_ticks: no track ends before this tick, so that a loop of whole bars closes.

    Raises:
        RuleBroken: the piece breaks a rule of the strict file.
    """
    return write_and_parse(piece, end_ticks)[0]


def write_and_parse(
    piece: Piece, end_ticks: int = 0, *, has_ports: bool = False
) -> tuple[bytes, Piece]:
    """The strict file, and the piece that it holds; see `write`.

    Args:
        piece: what is written.
        end_ticks: see `write`.
        has_ports: from the sixteenth melodic track on each has a channel of a further port, so
            that no track's pedal or program is another's, whoever reads it.
    """
    tracks = [track for track in piece.tracks if track.notes]
    places = _ports_of(tracks) if has_ports else [(0, channel) for channel in channels_of(tracks)]
    chunks = [_chunk(_conductor_events(piece), end_ticks)]
    for track, (port, channel) in zip(tracks, places, strict=True):
        chunks.append(track_chunk(track, channel, end_ticks, port))
    header = (1, len(chunks), piece.ticks_per_quarter)
    try:
        fields = b"".join(value.to_bytes(2, "big") for value in header)
    except OverflowError as error:
        raise RuleBroken("division", f"{piece.ticks_per_quarter} ticks per quarter") from error
    data = b"MThd" + (6).to_bytes(4, "big") + fields + b"".join(chunks)
    return data, parse(data)


def channels_of(tracks: Sequence[Track]) -> list[int]:
    """The channel of each track, 0 to 15."""
    channels: list[int] = []
    alone = iter(MELODIC_CHANNELS)
    shared = cycle(MELODIC_CHANNELS)
    first_of: dict[int, int] = {DRUM_PROGRAM: DRUM_CHANNEL}
    for track in tracks:
        channel = DRUM_CHANNEL if track.is_drum else next(alone, None)
        if channel is None:
            channel = first_of[track.program] if track.program in first_of else next(shared)
        channels.append(channel)
        first_of.setdefault(track.instrument, channel)
    return channels


def _ports_of(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """The port and channel of each track; all drums are on the first port's channel 10."""
    places, melodic = [], 0
    for track in tracks:
        port, place = divmod(melodic, len(MELODIC_CHANNELS))
        places.append((0, DRUM_CHANNEL) if track.is_drum else (port, MELODIC_CHANNELS[place]))
        melodic += not track.is_drum
    return places


def sharing(tracks: Sequence[Track]) -> tuple[str, ...]:
    """What is to be said of tracks that share a channel with another instrument, a sentence each.

    Args:
        tracks: with notes, as they are written.
    """
    first_on: dict[int, Track] = {}
    said = []
    for track, channel in zip(tracks, channels_of(tracks), strict=True):
        other = first_on.setdefault(channel, track)
        if other.instrument != track.instrument:
            said.append(
                f"'{track.name}' shares MIDI channel {channel + 1} with '{other.name}': a "
                "sequencer keeps the two tracks apart, a simple player gives them one sound"
            )
    return tuple(said)


def track_chunk(track: Track, channel: int, end_ticks: int = 0, port: int = 0) -> bytes:
    """One instrument's track on a channel, as a whole `MTrk` chunk that ends no earlier."""
    first = [(0, _RANK_SETUP, meta(0x21, bytes((port,))))] if port else []
    return _chunk([*first, *_track_events(track, channel)], end_ticks)


def variable_length(value: int) -> bytes:
    """A number as 7-bit groups, most significant first (0 to 2^28 - 1)."""
    if not 0 <= value < 1 << 28:
        raise RuleBroken("variable-length", f"{value} needs more than 4 bytes")
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))


def meta(kind: int, payload: bytes) -> bytes:
    """A meta event without delta time."""
    return bytes((0xFF, kind)) + variable_length(len(payload)) + payload


def _chunk(events: list[Timed], end_ticks: int) -> bytes:
    """A whole `MTrk` chunk; equal ranks keep the order of `events`."""
    body, last = [], 0
    for tick, _, event in sorted(events, key=lambda timed: timed[:2]):
        body += [variable_length(tick - last), event]
        last = tick
    body += [variable_length(max(end_ticks - last, 0)), b"\xff\x2f\x00"]
    payload = b"".join(body)
    return b"MTrk" + len(payload).to_bytes(4, "big") + payload


def _conductor_events(piece: Piece) -> list[Timed]:
    events = [
        (t.onset_ticks, meta(0x51, _unsigned(t.microseconds_per_quarter, 3, "tempo")))
        for t in piece.tempos
    ]
    for meter in piece.time_signatures:
        power = meter.denominator.bit_length() - 1
        if meter.denominator != 1 << power:
            what = f"{meter.numerator}/{meter.denominator}: the lower number is no power of two"
            raise RuleBroken("time-signature", what, tick=meter.onset_ticks)
        numerator = _unsigned(meter.numerator, 1, "time-signature")
        events.append((meter.onset_ticks, meta(0x58, numerator + bytes((power, 24, 8)))))
    for key in piece.key_signatures:
        fifths = (key.fifths & 0xFF).to_bytes(1, "big")
        events.append((key.onset_ticks, meta(0x59, fifths + bytes((key.is_minor,)))))
    events += [(m.onset_ticks, meta(0x06, _utf8(m.text))) for m in piece.markers]
    return [(tick, _RANK_SETUP, event) for tick, event in events]


def _track_events(track: Track, channel: int) -> list[Timed]:
    events: list[Timed] = []
    if track.name:
        events.append((0, _RANK_SETUP, meta(0x03, _utf8(track.name))))
    program = 0 if track.is_drum else _seven_bits(track.program, "program")
    events.append((0, _RANK_SETUP, bytes((0xC0 | channel, program))))
    for pedal in track.pedals:
        down, up = bytes((0xB0 | channel, 64, 127)), bytes((0xB0 | channel, 64, 0))
        events.append((pedal.onset_ticks, _RANK_PEDAL_DOWN, down))
        events.append((pedal.onset_ticks + pedal.duration_ticks, _RANK_PEDAL_UP, up))
    for note in sorted(track.notes, key=lambda n: (n.onset_ticks, n.pitch)):
        if note.duration_ticks < 1:
            raise RuleBroken("zero-length-note", f"{note} in {track.name!r}")
        pitch = _seven_bits(note.pitch, "pitch")
        velocity = _seven_bits(note.velocity, "velocity")
        events.append((note.onset_ticks, _RANK_NOTE_ON, bytes((0x90 | channel, pitch, velocity))))
        events.append((note.end_ticks, _RANK_NOTE_OFF, bytes((0x80 | channel, pitch, 64))))
    return events


def _seven_bits(value: int, name: str) -> int:
    if not (name == "velocity") <= value <= 127:
        raise RuleBroken("data-byte", f"{name} {value} is outside MIDI's range")
    return value


def _unsigned(value: int, length: int, rule: str) -> bytes:
    if not 0 <= value < 1 << 8 * length:
        raise RuleBroken(rule, f"{value} does not fit")
    return value.to_bytes(length, "big")


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RuleBroken("text-encoding", f"{text!r} cannot be written as UTF-8") from error
