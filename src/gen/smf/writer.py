"""Writes a piece as a strict Standard MIDI File: format 1, one track an instrument.

The same piece gives the same bytes. Track 0 conducts (tempo, meter, key, markers); then one
track chunk an instrument, named, on a channel of its own. Drums are on channel 10. There are
fifteen other channels: the sixteenth melodic track begins a second MIDI port (meta event 21),
which sequencers honour; a player that knows no ports lets such tracks share channels, and no
note changes for readers that keep tracks apart.
"""

from __future__ import annotations

from gen.piece import Piece, Track
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


def write_and_parse(piece: Piece, end_ticks: int = 0) -> tuple[bytes, Piece]:
    """The strict file, and the piece that it holds; see `write`."""
    tracks = [track for track in piece.tracks if track.notes]
    chunks = [_track_chunk(_conductor_events(piece), end_ticks)]
    melodic = 0
    for track in tracks:
        port, place = (0, 0) if track.is_drum else divmod(melodic, len(MELODIC_CHANNELS))
        channel = DRUM_CHANNEL if track.is_drum else MELODIC_CHANNELS[place]
        melodic += not track.is_drum
        chunks.append(_track_chunk(_track_events(track, channel, port), end_ticks))
    header = (1, len(chunks), piece.ticks_per_quarter)
    try:
        fields = b"".join(value.to_bytes(2, "big") for value in header)
    except OverflowError as error:
        raise RuleBroken("division", f"{piece.ticks_per_quarter} ticks per quarter") from error
    data = b"MThd" + (6).to_bytes(4, "big") + fields + b"".join(chunks)
    return data, parse(data)


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


def _track_chunk(events: list[Timed], end_ticks: int) -> bytes:
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


def _track_events(track: Track, channel: int, port: int) -> list[Timed]:
    events: list[Timed] = []
    if track.name:
        events.append((0, _RANK_SETUP, meta(0x03, _utf8(track.name))))
    if port:
        events.append((0, _RANK_SETUP, meta(0x21, bytes((port,)))))
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
