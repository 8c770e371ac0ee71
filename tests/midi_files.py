"""MIDI bytes by hand, pieces by chance, and the same notes as other libraries read them."""

from __future__ import annotations

import io

from hypothesis import strategies as st

from gen.piece import (
    KeySignature,
    Marker,
    Note,
    Pedal,
    Piece,
    Tempo,
    TimeSignature,
    Track,
)
from gen.smf.writer import variable_length

END = b"\x00\xff\x2f\x00"
HeardNote = tuple[int, int, int, int, int, bool]
"""Onset, duration, pitch, velocity, program (0 for drums), is_drum."""


def event(delta: int, *data: int | bytes) -> bytes:
    """A delta time and the bytes after it."""
    parts = (bytes((d,)) if isinstance(d, int) else d for d in data)
    return variable_length(delta) + b"".join(parts)


def meta(delta: int, kind: int, payload: bytes) -> bytes:
    return event(delta, 0xFF, kind, variable_length(len(payload)), payload)


def note(pitch: int = 60, length: int = 480, delta: int = 0, channel: int = 0) -> bytes:
    """A note that begins `delta` after the event before it."""
    on = event(delta, 0x90 | channel, pitch, 80)
    return on + event(length, 0x80 | channel, pitch, 64)


def chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload


def header(tracks: int, file_format: int = 1, division: int = 480) -> bytes:
    fields = b"".join(value.to_bytes(2, "big") for value in (file_format, tracks, division))
    return chunk(b"MThd", fields)


def smf(*bodies: bytes, file_format: int = 1, division: int = 480, end: bytes = END) -> bytes:
    """A file of these track bodies; each gets an end-of-track event."""
    tracks = b"".join(chunk(b"MTrk", body + end) for body in bodies)
    return header(len(bodies), file_format, division) + tracks


def heard_in(piece: Piece) -> list[HeardNote]:
    return sorted(
        (n.onset_ticks, n.duration_ticks, n.pitch, n.velocity, t.program, t.is_drum)
        for t in piece.tracks
        for n in t.notes
    )


def heard_by_symusic(data: bytes) -> list[HeardNote]:
    import symusic

    score = symusic.Score.from_midi(data)
    return sorted(
        (n.time, n.duration, n.pitch, n.velocity, 0 if t.is_drum else t.program, t.is_drum)
        for t in score.tracks
        for n in t.notes
    )


def heard_by_mido(data: bytes) -> list[HeardNote]:
    """Notes as mido's messages say, paired by the standard's words: on, then off, per track."""
    import mido

    heard = []
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick, programs = 0, [0] * 16
        sounding: dict[tuple[int, int], tuple[int, int, int]] = {}
        for message in track:
            tick += message.time
            if message.type == "program_change":
                programs[message.channel] = message.program
            elif message.type == "note_on" and message.velocity:
                program = programs[message.channel]
                sounding[message.channel, message.note] = (tick, message.velocity, program)
            elif message.type in ("note_on", "note_off"):
                onset, velocity, program = sounding.pop((message.channel, message.note))
                drum = message.channel == 9
                heard.append(
                    (onset, tick - onset, message.note, velocity, 0 if drum else program, drum)
                )
        assert not sounding
    return sorted(heard)


# -- pieces by chance -------------------------------------------------------------------------


@st.composite
def _notes(draw: st.DrawFn) -> list[Note]:
    """Notes none of which overlaps another of its pitch."""
    notes, free_from = [], dict.fromkeys(range(128), 0)
    for _ in range(draw(st.integers(1, 12))):
        pitch = draw(st.integers(0, 127))
        onset = free_from[pitch] + draw(st.integers(0, 2_000))
        length = draw(st.integers(1, 3_000))
        free_from[pitch] = onset + length
        notes.append(Note(onset, length, pitch, draw(st.integers(1, 127))))
    return sorted(notes)


@st.composite
def _pedals(draw: st.DrawFn) -> list[Pedal]:
    pedals, tick = [], 0
    for _ in range(draw(st.integers(0, 3))):
        tick += draw(st.integers(0, 500))
        length = draw(st.integers(1, 900))
        pedals.append(Pedal(tick, length))
        tick += length
    return pedals


_texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_ticks = st.integers(0, 20_000)


def _at_different_ticks(events: st.SearchStrategy) -> st.SearchStrategy:
    unique = st.lists(events, max_size=4, unique_by=lambda e: e.onset_ticks)
    return unique.map(sorted)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    is_drum = draw(st.booleans())
    program = 0 if is_drum else draw(st.integers(0, 127))
    return Track(draw(_texts), program, is_drum, None, draw(_notes()), draw(_pedals()))


@st.composite
def pieces(draw: st.DrawFn, max_tracks: int = 4) -> Piece:
    """Any piece that a strict file can hold, without roles."""
    keys = st.builds(KeySignature, _ticks, st.integers(-7, 7), st.booleans())
    tempos = st.builds(Tempo, _ticks, st.integers(60_000, 12_000_000))
    meters = st.builds(TimeSignature, _ticks, st.integers(1, 16), st.sampled_from((2, 4, 8)))
    markers = st.lists(st.builds(Marker, _ticks, _texts), max_size=3)
    return Piece(
        draw(st.sampled_from((24, 96, 480, 960, 9_600))),
        draw(st.lists(tracks(), max_size=max_tracks)),
        draw(_at_different_ticks(tempos)),
        draw(_at_different_ticks(meters)),
        draw(_at_different_ticks(keys)),
        sorted(draw(markers), key=lambda marker: marker.onset_ticks),
    )
