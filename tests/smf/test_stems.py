"""Stems: each instrument of a file alone, with all that the file says about it."""

from __future__ import annotations

from hypothesis import assume, given

from gen.piece import Note
from gen.provenance.admission.mark import is_generated, mark_generated
from gen.smf import RuleBroken, normalise, parse, write
from gen.smf.original import read_original, unmarked
from gen.smf.stems import stems
from houses import make_piece
from midi_files import event, meta, note, smf
from rich_files import rich_files, said_in
from thorough import examples


def begun(note: Note) -> tuple[int, int, int]:
    return note.onset_ticks, note.pitch, note.velocity


def test_a_stem_holds_one_instrument_and_the_files_time_line():
    data = write(make_piece(bars=4))
    whole = parse(data)
    found = stems(data)
    assert [stem.track for stem in found] == whole.tracks
    for stem, track in zip(found, whole.tracks, strict=True):
        piece = parse(stem.data)
        assert piece.tracks == [track]
        assert (piece.tempos, piece.time_signatures) == (whole.tempos, whole.time_signatures)
        assert piece.markers == whole.markers


def test_stems_of_a_single_track_keep_words_and_controllers_with_their_own_instrument():
    body = (
        event(0, 0xC0, 73) + event(0, 0xC1, 33) + event(0, 0xB0, 7, 90) + event(0, 0xB1, 7, 50)
        + meta(0, 5, b"la") + note(72) + note(36, channel=1)
    )  # fmt: skip
    flute, bass = stems(smf(body, file_format=0))
    assert [one.message[0] for one in said_in(read_original(flute.data))[0]] == [
        0xC0, 0xB0, 0xFF, 0x90, 0x80
    ]  # fmt: skip
    assert [one.message[0] & 15 for one in said_in(read_original(bass.data))[0]
            if one.message[0] < 0xF0] == [1, 1, 1, 1]  # fmt: skip


def test_a_stem_knows_its_instrument_where_another_track_chooses_it():
    data = smf(event(0, 0xC3, 19), note(channel=3))
    (organ,) = stems(data)
    assert parse(organ.data).tracks[0].program == 19


def test_stems_of_a_generated_piece_carry_its_marks():
    data = mark_generated(write(make_piece(bars=2)), "ab" * 32)
    for stem in stems(data):
        assert is_generated(stem.data)
        assert stem.data.count(b"ab" * 32) == 2


@given(rich_files())
@examples(60)
def test_the_notes_of_all_stems_are_those_of_the_file(data):
    try:
        found = stems(data)
    except RuleBroken:
        assume(False)
    heard = [n for stem in found for t in normalise(unmarked(stem.data)).piece.tracks
             for n in t.notes]  # fmt: skip
    whole = normalise(data)
    there = [n for t in whole.piece.tracks for n in t.notes]
    begun = [
        sorted((n.onset_ticks, n.pitch, n.velocity) for n in notes) for notes in (heard, there)
    ]
    assert begun[0] == begun[1]
    if not whole.changes:  # where nothing tells which of two notes a release ends, either may last
        assert sorted(heard) == sorted(there)
