"""The writer: the same piece gives the same strict bytes, and they hold the piece."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.smf import RuleBroken, musical_hash, parse, write
from gen.smf.lenient import read_leniently
from gen.smf.writer import MELODIC_CHANNELS, sharing
from midi_files import heard_by_mido, heard_by_symusic, heard_in, pieces
from thorough import examples

ONE_NOTE = Note(0, 480, 60, 80)


@given(pieces())
@examples(80)
def test_parsing_what_was_written_gives_the_piece(piece: Piece) -> None:
    data = write(piece)
    assert parse(data) == piece
    assert write(parse(data)) == data


def test_a_small_piece_is_these_bytes() -> None:
    piece = Piece(
        96,
        [Track("Flute", 73, notes=[ONE_NOTE], pedals=[Pedal(0, 96)])],
        [Tempo(0, 500_000)],
        [TimeSignature(0, 3, 4)],
        [KeySignature(0, -1, False)],
        [Marker(0, "A")],
    )
    assert write(piece).hex(" ") == (
        "4d 54 68 64 00 00 00 06 00 01 00 02 00 60 "  # MThd, type 1, two tracks, 96 ticks
        "4d 54 72 6b 00 00 00 1e 00 ff 51 03 07 a1 20 00 ff 58 04 03 02 18 08 "
        "00 ff 59 02 ff 00 00 ff 06 01 41 00 ff 2f 00 "
        "4d 54 72 6b 00 00 00 21 00 ff 03 05 46 6c 75 74 65 00 c0 49 00 b0 40 7f "
        "00 90 3c 50 60 b0 40 00 83 00 80 3c 40 00 ff 2f 00"
    )


def test_each_melodic_track_has_a_channel_and_drums_have_the_tenth() -> None:
    tracks = [Track(str(i), i, notes=[ONE_NOTE]) for i in range(11)]
    tracks.insert(3, Track("kit", 0, True, notes=[ONE_NOTE]))
    raw = read_leniently(write(Piece(480, tracks)))
    channels = [next(iter(track.notes)) & 15 for track in raw.tracks[1:]]
    assert channels == [0, 1, 2, 9, 3, 4, 5, 6, 7, 8, 10, 11]


def test_from_the_sixteenth_melodic_track_on_channels_are_shared_and_this_is_said() -> None:
    tracks = [Track(str(i), i % 20, notes=[replace(ONE_NOTE, pitch=60)]) for i in range(24)]
    data = write(Piece(480, tracks))
    assert heard_in(parse(data)) == heard_by_symusic(data) == heard_by_mido(data)
    raw = read_leniently(data)
    assert all(kind != 0x21 for track in raw.tracks for _, kind, _ in track.metas)
    channels = [next(iter(track.notes)) & 15 for track in raw.tracks[1:]]
    assert channels == [*MELODIC_CHANNELS, *MELODIC_CHANNELS[:5], *channels[:4]]
    said = sharing(tracks)
    assert len(said) == 5
    assert said[0].startswith("'15' shares MIDI channel 1 with '0'")
    assert sharing(tracks[:15]) == ()


def test_tracks_without_notes_are_left_out() -> None:
    piece = Piece(480, [Track("silent"), Track("loud", notes=[ONE_NOTE])])
    assert [track.name for track in parse(write(piece)).tracks] == ["loud"]


@pytest.mark.parametrize(
    ("rule", "piece"),
    [
        ("overlapping-note", Piece(480, [Track(notes=[ONE_NOTE, Note(100, 10, 60, 80)])])),
        ("zero-length-note", Piece(480, [Track(notes=[Note(0, 0, 60, 80)])])),
        ("data-byte", Piece(480, [Track(notes=[Note(0, 9, 128, 80)])])),
        ("data-byte", Piece(480, [Track(notes=[Note(0, 9, 60, 0)])])),
        ("data-byte", Piece(480, [Track(program=128, notes=[ONE_NOTE])])),
        ("variable-length", Piece(480, [Track(notes=[Note(-5, 9, 60, 80)])])),
        ("division", Piece(10, [Track(notes=[ONE_NOTE])])),
        ("division", Piece(100_000)),
        ("tempo", Piece(480, tempos=[Tempo(0, 1 << 24)])),
        ("tempo", Piece(480, tempos=[Tempo(0, 10)])),
        ("same-tick", Piece(480, tempos=[Tempo(0, 500_000), Tempo(0, 400_000)])),
        ("time-signature", Piece(480, time_signatures=[TimeSignature(0, 4, 3)])),
        ("time-signature", Piece(480, time_signatures=[TimeSignature(0, 300, 4)])),
        ("key-signature", Piece(480, key_signatures=[KeySignature(0, 9, False)])),
        ("text-encoding", Piece(480, markers=[Marker(0, "\ud800")])),
        ("too-long", Piece(24, [Track(notes=[Note(24 * 20_000, 9, 60, 80)])])),
        ("track-count", Piece(480, [Track(notes=[ONE_NOTE]) for _ in range(64)])),
    ],
)
def test_refuses_a_piece_that_no_strict_file_can_hold(rule: str, piece: Piece) -> None:
    with pytest.raises(RuleBroken) as refusal:
        write(piece)
    assert refusal.value.rule == rule


def test_the_musical_hash_ignores_resolution_order_and_everything_but_notes() -> None:
    flute, bass = Track("Flute", 73, notes=[Note(0, 240, 60, 80)]), Track("b", 32, notes=[ONE_NOTE])
    one = Piece(480, [flute, bass], [Tempo(0, 500_000)])
    fine = Piece(
        960,
        [
            Track("other name", 32, notes=[Note(0, 960, 60, 80)]),
            Track("", 73, notes=[Note(0, 480, 60, 80)], pedals=[Pedal(0, 9)]),
        ],
    )
    assert musical_hash(one) == musical_hash(fine)


@pytest.mark.parametrize(
    "changed",
    [
        Track("Flute", 73, notes=[Note(1, 240, 60, 80)]),
        Track("Flute", 73, notes=[Note(0, 241, 60, 80)]),
        Track("Flute", 73, notes=[Note(0, 240, 61, 80)]),
        Track("Flute", 73, notes=[Note(0, 240, 60, 81)]),
        Track("Flute", 74, notes=[Note(0, 240, 60, 80)]),
        Track("Flute", 0, True, notes=[Note(0, 240, 60, 80)]),
    ],
)
def test_the_musical_hash_changes_with_any_note(changed: Track) -> None:
    track = Track("Flute", 73, notes=[Note(0, 240, 60, 80)])
    assert musical_hash(Piece(480, [track])) != musical_hash(Piece(480, [changed]))


def test_the_musical_hash_is_the_documented_one() -> None:
    from hashlib import sha256

    piece = Piece(480, [Track("x", 5, notes=[Note(120, 720, 60, 80)])])
    piece.tracks.append(Track("d", 9, True, notes=[Note(0, 480, 36, 100)]))
    text = b"0/1 1/1 36 100 0 1\n1/4 3/2 60 80 5 0\n"
    assert musical_hash(piece) == sha256(text).hexdigest()
