"""Splicing: what is not touched stays byte for byte, in its order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gen.smf.original import read_original
from gen.smf.splice import Edits, Insertion, splice
from midi_files import chunk, event, header, meta, note, smf
from rich_files import Said, rich_files, said_in
from thorough import examples


def untouched(data: bytes) -> bytes:
    original = read_original(data)
    return splice(original, [Edits() for _ in original.tracks])


@given(rich_files())
@examples(150)
def test_a_file_to_which_nothing_is_done_is_the_same_bytes(data):
    assert untouched(data) == data


def test_stray_bytes_foreign_chunks_and_a_long_header_stay_where_they_are():
    head = b"MThd\x00\x00\x00\x08\x00\x01\x00\x02\x01\xe0\xaa\xbb"
    track = chunk(b"MTrk", note() + b"\x00\xff\x2f\x00" + b"after its end")
    data = head + chunk(b"XFIH", b"x") + track + b"\x00\x01" + track + b"\x00\x00"
    assert untouched(data) == data


@given(st.data())
@examples(150)
def test_events_that_stay_keep_their_bytes_and_order_around_those_that_go_and_come(data):
    file = data.draw(rich_files())
    original = read_original(file)
    edits, expected = [], []
    for track, said in zip(original.tracks, said_in(original), strict=True):
        gone = data.draw(st.sets(st.integers(0, max(len(said) - 1, 0)))) if said else set()
        ticks = st.integers(0, track.end_ticks + 50)
        new = data.draw(st.lists(st.builds(Insertion, ticks, st.just(b"\x95\x47\x11"))))
        edits.append(Edits(gone, new))
        kept = [one for place, one in enumerate(said) if place not in gone]
        expected.append((kept, sorted(Said(one.tick, one.message) for one in new)))
    result = said_in(read_original(splice(original, edits)))
    for found, (kept, new) in zip(result, expected, strict=True):
        assert [one for one in found if one.message != b"\x95\x47\x11"] == kept
        assert sorted(one for one in found if one.message == b"\x95\x47\x11") == new


@given(rich_files())
@examples(50)
def test_a_track_beside_the_changed_one_keeps_every_byte(data):
    original = read_original(data)
    edits = [Edits() for _ in original.tracks]
    edits[0] = Edits(set(), [Insertion(10, b"\x90\x40\x40"), Insertion(20, b"\x80\x40\x40")])
    result = read_original(splice(original, edits))
    assert result.tracks[1:] == original.tracks[1:]
    assert result.parts == original.parts


def test_running_status_is_written_out_only_where_a_new_event_broke_it():
    run = event(0, 0x90, 60, 80) + event(10, 60, 0) + event(10, 62, 80) + event(10, 62, 0)
    original = read_original(smf(run))
    (track,) = read_original(
        splice(original, [Edits(set(), [Insertion(15, b"\xb0\x07\x64")])])
    ).tracks
    assert [one.body.hex(" ") for one in track.events] == [
        "90 3c 50", "3c 00", "b0 07 64", "90 3e 50", "3e 00", "ff 2f 00"
    ]  # fmt: skip


def test_what_is_inserted_stands_before_or_after_what_the_file_has_at_its_tick():
    original = read_original(smf(meta(0, 5, b"la") + meta(0, 5, b"lu")))
    edits = Edits(set(), [Insertion(0, b"\xc0\x05"), Insertion(0, b"\xc0\x06", goes_first=True)])
    (said,) = said_in(read_original(splice(original, [edits])))
    assert [one.message[-1:] for one in said] == [b"\x06", b"a", b"u", b"\x05"]


def test_further_tracks_stand_behind_the_last_and_are_counted():
    data = smf(note(), note()) + chunk(b"XTRA", b"kept")
    more = chunk(b"MTrk", note(pitch=70) + b"\x00\xff\x2f\x00")
    result = splice(read_original(data), [Edits(), Edits()], [more])
    body = data[len(header(2)) : -len(chunk(b"XTRA", b"kept"))]
    assert result == header(3) + body + more + chunk(b"XTRA", b"kept")


def test_a_tag_that_signed_other_bytes_is_left_out_and_kept_where_nothing_changes():
    data = smf(note()) + chunk(b"HPRV", b"signature")
    assert untouched(data) == data
    changed = splice(read_original(data), [Edits(set(), [Insertion(5, b"\xc0\x05")])])
    assert b"HPRV" not in changed


def test_every_track_can_be_made_to_end_where_the_bars_do():
    data = splice(
        read_original(smf(note(length=100), note(length=900))), [Edits(), Edits()], (), 480
    )
    assert [track.end_ticks for track in read_original(data).tracks] == [480, 900]
