"""The strict walker: one reading of each file, or a rule that says why not."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given

from gen.errors import MalformedMidi
from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.smf import RULES, RuleBroken, parse, split_chunks, write
from gen.smf.rules import MAX_BYTES
from midi_files import (
    END,
    chunk,
    event,
    header,
    heard_by_mido,
    heard_by_symusic,
    heard_in,
    meta,
    note,
    pieces,
    smf,
)
from thorough import examples

NOTE_ON, NOTE_OFF = 0x90, 0x80
SEVEN_SHARPS_TOO_MANY = bytes((8, 0))

BROKEN: dict[str, tuple[str, bytes]] = {
    "no MIDI at all": ("not-midi", b"ID3\x03 a song"),
    "nothing": ("not-midi", b""),
    "a header of five bytes": ("truncated", b"MThd\x00\x00\x00\x06\x00"),
    "larger than 4 MiB": ("too-large", smf(note()) + bytes(MAX_BYTES)),
    "header length 7": ("header-length", b"MThd\x00\x00\x00\x07" + smf(note())[8:]),
    "format 2": ("format", smf(note(), file_format=2)),
    "format 0 with two tracks": ("track-count", smf(note(), note(), file_format=0)),
    "no tracks": ("track-count", header(0)),
    "65 tracks": ("track-count", smf(*[b""] * 65)),
    "one track more than declared": ("track-count", header(1) + smf(note(), note())[14:]),
    "one track fewer than declared": ("truncated", header(2) + smf(note())[14:]),
    "division 0": ("division", smf(note(), division=0)),
    "division 23": ("division", smf(note(), division=23)),
    "division 9601": ("division", smf(note(), division=9601)),
    "25 film frames a second": ("smpte-division", smf(note(), division=0xE728)),
    "a foreign chunk between tracks": (
        "chunk-layout",
        header(2) + chunk(b"MTrk", END) + chunk(b"XFIH", b"x") + chunk(b"MTrk", note() + END),
    ),
    "a foreign chunk after the tracks": ("foreign-chunk", smf(note()) + chunk(b"XFIH", b"x")),
    "bytes after the tracks": ("trailing-bytes", smf(note()) + b"\x00\x01"),
    "a last chunk cut short": ("trailing-bytes", smf(note()) + chunk(b"HPRV", b"abc")[:-1]),
    "a track length past the end": ("truncated", smf(note())[:-1]),
    "a delta of five bytes": ("variable-length", smf(b"\x81\x80\x80\x80\x00" + note()[1:])),
    "running status at the beginning": ("running-status", smf(event(0, 60, 80))),
    "running status after a meta event": (
        "running-status",
        smf(note() + meta(0, 0x01, b"text") + event(0, 60, 80)),
    ),
    "a pitch above 127": ("data-byte", smf(event(0, NOTE_ON, 0xBC, 80))),
    "a velocity above 127": ("data-byte", smf(event(0, NOTE_ON, 60, 0x80))),
    "a controller value above 127": ("data-byte", smf(event(0, 0xB0, 7, 0xFF))),
    "a program above 127": ("data-byte", smf(event(0, 0xC0, 0xFF))),
    "no end of track": ("end-of-track", smf(note(), end=b"")),
    "two ends of track": ("end-of-track", smf(note() + END)),
    "an end of track with data": ("end-of-track", smf(note(), end=b"\x00\xff\x2f\x01\x00")),
    "an event that ends too early": ("end-of-track", smf(event(0, NOTE_ON, 60), end=b"")),
    "a text longer than its track": ("end-of-track", smf(b"\x00\xff\x01\x7f", end=b"")),
    "a real-time message": ("system-message", smf(b"\x00\xf8\x00")),
    "an escape": ("system-message", smf(b"\x00\xf7\x01\x00")),
    "system-exclusive without its end": ("system-message", smf(b"\x00\xf0\x02\x01\x02")),
    "an unknown meta event": ("meta-event", smf(meta(0, 0x4B, b""))),
    "a sequence number of one byte": ("meta-event", smf(meta(0, 0x00, b"\x01"))),
    "a film offset at hour 24": ("meta-event", smf(meta(0, 0x54, bytes((24, 0, 0, 0, 0))))),
    "a tempo of two bytes": ("meta-event", smf(meta(0, 0x51, b"\x07\xa1"))),
    "tempo 0": ("tempo", smf(meta(0, 0x51, bytes(3)))),
    "1,200 quarters a minute": ("tempo", smf(meta(0, 0x51, (50_000).to_bytes(3, "big")))),
    "meter 0/4": ("time-signature", smf(meta(0, 0x58, bytes((0, 2, 24, 8))))),
    "meter 4/2^200": ("time-signature", smf(meta(0, 0x58, bytes((4, 200, 24, 8))))),
    "a bar of one and a half ticks": (
        "time-signature",
        smf(meta(0, 0x58, bytes((1, 6, 24, 8))), division=24),
    ),
    "eight sharps": ("key-signature", smf(meta(0, 0x59, SEVEN_SHARPS_TOO_MANY))),
    "neither major nor minor": ("key-signature", smf(meta(0, 0x59, bytes((0, 2))))),
    "a tempo in the second track": ("conductor", smf(b"", meta(0, 0x51, b"\x07\xa1\x20"))),
    "two tempos at a tick": ("same-tick", smf(meta(0, 0x51, b"\x07\xa1\x20") * 2)),
    "a name in Latin-1": ("text-encoding", smf(meta(0, 0x03, b"Fl\xfbte"))),
    "a note without end": ("dangling-note", smf(event(0, NOTE_ON, 60, 80))),
    "an end without note": ("unmatched-note-off", smf(event(0, NOTE_OFF, 60, 64))),
    "an end as note-on without note": ("unmatched-note-off", smf(event(0, NOTE_ON, 60, 0))),
    "a note of no length": ("zero-length-note", smf(note(length=0))),
    "a note within its own": (
        "overlapping-note",
        smf(event(0, NOTE_ON, 60, 80) + note(delta=5) + event(5, NOTE_OFF, 60, 0)),
    ),
    "another program in mid-note": (
        "program-in-note",
        smf(event(0, NOTE_ON, 60, 80, 0, 0xC0, 5) + event(9, NOTE_OFF, 60, 0)),
    ),
    "longer than 16,384 quarters": ("too-long", smf(note() + event(16_385 * 480, 0xB0, 7, 1))),
    "more than 400,000 events": (
        "too-many-events",
        smf(b"\x00\xb0\x07\x01" + b"\x00\x07\x01" * 400_000),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_refuses_by_the_rule_that_is_broken(name: str) -> None:
    rule, data = BROKEN[name]
    with pytest.raises(RuleBroken) as refusal:
        parse(data)
    assert refusal.value.rule == rule
    assert refusal.value.mend == RULES[rule]
    assert rule in str(refusal.value)


@pytest.mark.parametrize("part", range(5))
def test_each_part_of_a_film_offset_has_its_last_value_and_none_above(part: int) -> None:
    last = [23, 59, 59, 29, 99]  # hours, minutes, seconds, frames, hundredths of a frame
    parse(smf(meta(0, 0x54, bytes(last)) + note()))
    last[part] += 1
    with pytest.raises(RuleBroken, match="SMPTE offset"):
        parse(smf(meta(0, 0x54, bytes(last)) + note()))


def test_every_rule_has_a_file_that_breaks_it() -> None:
    by_contribution_only = {"generated"}
    assert {rule for rule, _ in BROKEN.values()} == RULES.keys() - by_contribution_only


def test_a_refusal_says_byte_track_tick_and_value() -> None:
    data = smf(b"", note() + event(96, NOTE_OFF, 61, 0))
    with pytest.raises(MalformedMidi) as refusal:
        parse(data)
    error = refusal.value
    assert isinstance(error, RuleBroken)
    assert (error.track, error.tick) == (1, 480 + 96)
    assert data[error.byte_offset - 3 : error.byte_offset] == bytes((NOTE_OFF, 61, 0))
    assert "pitch 61 on channel 1" in str(error)
    assert "track 1, tick 576" in str(error)


def test_a_refusal_survives_the_way_between_processes() -> None:
    error = RuleBroken("tempo", "0 microseconds", byte_offset=3, track=1, tick=7)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert str(copy) == str(error)
    assert (copy.rule, copy.byte_offset, copy.track, copy.tick) == ("tempo", 3, 1, 7)


def test_reads_everything_a_file_says() -> None:
    conductor = (
        meta(0, 0x03, b"Song")
        + meta(0, 0x51, (600_000).to_bytes(3, "big"))
        + meta(0, 0x58, bytes((6, 3, 24, 8)))
        + meta(0, 0x59, bytes((0xFD, 1)))
        + meta(960, 0x06, "Refrain ä".encode())
    )
    flute = meta(0, 0x03, b"Flute") + event(0, 0xC3, 73) + event(0, 0xB3, 64, 127)
    flute += note(72, 240, channel=3) + event(10, 0xB3, 64, 0)
    kit = event(0, 0xC9, 16) + note(38, 10, channel=9)
    assert parse(smf(conductor, flute, kit)) == Piece(
        480,
        [
            Track("Flute", 73, False, None, [Note(0, 240, 72, 80)], [Pedal(0, 250)]),
            Track("", 0, True, None, [Note(0, 10, 38, 80)], []),
        ],
        [Tempo(0, 600_000)],
        [TimeSignature(0, 6, 8)],
        [KeySignature(0, -3, True)],
        [Marker(960, "Refrain ä")],
    )


def test_running_status_and_note_on_of_velocity_zero_are_notes() -> None:
    data = smf(event(0, NOTE_ON, 60, 80) + event(120, 60, 0) + event(0, 62, 90) + event(60, 62, 0))
    assert parse(data).tracks[0].notes == [Note(0, 120, 60, 80), Note(120, 60, 62, 90)]


def test_each_channel_and_program_of_a_track_chunk_is_a_track() -> None:
    body = note(60) + note(62, channel=1) + event(0, 0xC0, 40) + note(64)
    found = parse(smf(body, file_format=0))
    assert [(t.program, [n.pitch for n in t.notes]) for t in found.tracks] == [
        (0, [60]),
        (0, [62]),
        (40, [64]),
    ]


def test_all_kits_of_a_drum_channel_are_one_drum_track() -> None:
    body = note(36, channel=9) + event(0, 0xC9, 25) + note(38, channel=9)
    assert [(t.is_drum, t.program, len(t.notes)) for t in parse(smf(body)).tracks] == [(True, 0, 2)]


def test_a_pedal_still_down_ends_with_its_track() -> None:
    data = smf(event(0, 0xB0, 64, 64) + event(10, 0xB0, 64, 127) + note(), end=event(5) + END[1:])
    assert parse(data).tracks[0].pedals == [Pedal(0, 10 + 480 + 5)]


@pytest.mark.parametrize("kind", [b"HPRV", b"HGEN"])
def test_the_house_s_own_chunks_may_follow_the_last_track(kind: bytes) -> None:
    plain = smf(note())
    tagged = plain + chunk(kind, b"payload")
    assert parse(tagged) == parse(plain)
    cut = split_chunks(tagged)
    assert cut.music == plain
    assert [(c.kind, c.payload) for c in cut.trailing] == [(kind, b"payload")]


@given(pieces())
@examples(60)
def test_symusic_and_mido_hear_what_the_walker_hears(piece: Piece) -> None:
    data = write(piece)
    heard = heard_in(parse(data))
    assert heard == heard_by_symusic(data) == heard_by_mido(data)


def test_three_thousand_notes_are_read_in_milliseconds() -> None:
    notes = [Note(i * 60, 100, 30 + i % 60, 80) for i in range(3_000)]
    data = write(Piece(480, [Track("piano", notes=notes)]))
    best = min(_seconds(data) for _ in range(7))
    assert best < 0.040  # 5 ms measured on a quiet core


def _seconds(data: bytes) -> float:
    begun = time.process_time()
    parse(data)
    return time.process_time() - begun
