"""A producer's file comes back whole: what is not written anew is the file's own, to the byte."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drafts import written
from gen.analysis import analyse
from gen.errors import HouseError, SettingError
from gen.piece import Note, Piece, Track
from gen.provenance.admission.mark import mark_generated
from gen.safe_parse import Examined
from gen.sampling.in_file.continuation import Continuation
from gen.sampling.in_file.loudness import beside, levelled
from gen.sampling.in_file.rewriting import Rewriting
from gen.sampling.in_file.source import Change, Source
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.request import FileTask
from gen.smf import RuleBroken, normalise, parse, write
from gen.smf.original import read_original, unmarked
from gen.tokens import timing
from gen.tokens.choice import GRID
from gen.tokens.encoding import Annotations, encode
from gen.tokens.events import Events
from gen.tokens.grid import to_grid
from gen.tokens.reading import decode
from gen.tokens.score import score_of
from houses import make_piece
from midi_files import event, meta, note, smf
from rich_files import rich_files, said_in
from thorough import examples

BAR = 480 * 4


def source_of(data: bytes) -> Source:
    found = normalise(data)
    return Source.of("song.mid", data, Examined(found, analyse(found.piece, found.cues)))


def song(*bodies: bytes) -> bytes:
    """Tracks under a conductor that says all that a file can say."""
    conductor = (
        meta(0, 3, b"A title") + meta(0, 2, "\xa9 house".encode()) + meta(0, 0x51, b"\x07\xa1\x20")
        + meta(0, 6, b"Verse") + meta(BAR, 7, b"a cue") + event(0, 0xF0, b"\x03\x41\x10\xf7")
    )  # fmt: skip
    return smf(conductor, *bodies)


def vocal(bars: int, velocity: int = 80) -> bytes:
    """A line with words and an instrument, off the grid, with running status, on channel 6."""
    notes = [
        meta(0, 5, b"la") + event(7, 0x95, 60 + bar, velocity) + event(1700, 60 + bar, 0)
        + event(100, 0xB5, 11, 90 + bar) + event(BAR - 1807, 0xE5, 0, 64)
        for bar in range(bars)
    ]  # fmt: skip
    named = meta(0, 3, b"Vocal") + meta(0, 4, b"Alto") + event(0, 0xC5, 73)
    return named + event(0, 0xB5, 7, 101) + event(0, 0xB5, 10, 30) + b"".join(notes)


def bass(bars: int, velocity: int = 40) -> bytes:
    notes = [event(0, 0x92, 36, velocity) + event(BAR, 0x82, 36, 1) for _ in range(bars)]
    return meta(0, 3, b"Bass") + event(0, 0xC2, 33) + b"".join(notes)


@given(st.data())
@examples(80)
def test_an_infill_whose_cells_are_put_back_equals_the_file_byte_for_byte(data):
    file = data.draw(rich_files())
    try:
        source = source_of(file)
    except (RuleBroken, HouseError):
        assume(False)
    own = decode(encode(source.grid, Annotations())).tracks
    places = st.tuples(st.integers(0, source.bars - 1), st.integers(0, len(own) - 1))
    result = source.rewritten(own, Change(data.draw(st.sets(places))))
    assert (result.data, result.changes) == (file, ())


def test_what_an_infill_leaves_alone_is_the_files_own_to_the_byte():
    data = song(vocal(8), bass(8))
    source = source_of(data)
    job = Rewriting.of(FileTask("infill", None, "bars 3-4 of bass"), source, Controls())
    done = job.finish(written(job, 1))
    old, new = read_original(data), read_original(done.music)
    assert new.tracks[:2] == old.tracks[:2]
    assert new.parts == old.parts
    before, after = said_in(old)[2], said_in(new)[2]
    cell = range(2 * BAR - 20, 4 * BAR - 20)
    kept = [one for one in before if one.tick not in cell and one.tick != 4 * BAR]
    assert [one for one in kept if one not in after] == []
    assert [one for one in after if one.tick < cell.start] == [
        one for one in before if one.tick < cell.start
    ]
    assert done.source["changed_besides"] == []
    assert done.piece == normalise(done.music).piece


def test_a_continuation_adds_behind_the_file_and_closes_at_the_bar_line():
    data = song(vocal(4), bass(4))
    job = Continuation.of(source_of(data), Controls(bars=4))
    done = job.finish(written(job, 3))
    old, new = read_original(data), read_original(done.music)
    for before, after in zip(said_in(old), said_in(new), strict=True):
        assert after[: len(before) - 1] == before[:-1]
    assert {track.end_ticks for track in new.tracks} == {8 * BAR}


@pytest.mark.parametrize("file_format", [0, 1])
def test_an_accompaniment_leaves_the_type_of_the_file_and_every_event(file_format):
    data = smf(vocal(4), file_format=file_format)
    job = Rewriting.of(FileTask("accompany", None, add=("cello",)), source_of(data), Controls())
    done = job.finish(written(job, 2))
    old, new = read_original(data), read_original(done.music)
    assert new.format == file_format
    chords = {marker.text for marker in done.piece.markers}
    kept = [
        one
        for one in said_in(new)[0]
        if one.message[0] & 15 == 5 or (one.message[0] == 0xFF and one.message[1] != 6)
    ]
    assert chords
    assert kept == said_in(old)[0]
    assert {track.program for track in done.piece.tracks} == {73, 42}
    assert new.end_ticks == 4 * BAR


def test_more_instruments_than_there_are_channels_are_refused_before_anything_is_written():
    bodies = [event(0, 0xC0 | c, 5) + note(channel=c, length=BAR) for c in range(14) if c != 9]
    source = source_of(smf(*bodies))
    task = FileTask("accompany", None, add=("flute", "cello", "viola"))
    with pytest.raises(SettingError, match="the file leaves 2 of MIDI's 15 melodic channels free"):
        Rewriting.of(task, source, Controls())
    Rewriting.of(FileTask("accompany", None, add=("flute", "cello", "drums")), source, Controls())


def test_a_piece_that_a_model_wrote_keeps_its_mark_when_it_is_gone_on_with(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(mark_generated(song(vocal(2)), "a" * 64))
    job = job_of(Controls(), FileTask.of({"vary": str(path), "amount": 0.5}))
    done = job.finish(written(job, 1))
    assert done.music.count(b"a" * 64) == 2
    assert mark_generated(done.music, "b" * 64).count(b"b" * 64) == 2


def notes_of(original) -> Counter:
    """All notes that end, as they are struck."""
    return Counter(
        (n.channel, n.pitch, n.onset, n.end, n.velocity)
        for track in original.tracks
        for n in track.notes()[0]
        if n.off >= 0
    )


@given(rich_files(), st.integers(0, 99), st.sampled_from(["vary", "accompany", "continue"]))
@examples(40)
def test_whatever_a_file_says_it_can_be_worked_on_and_keeps_it(file, seed, mode):
    try:
        source = source_of(file)
        if mode == "continue":
            job = Continuation.of(source, Controls(bars=2))
        else:
            add = ("cello", "drums") if mode == "accompany" else ()
            job = Rewriting.of(FileTask(mode, None, add=add, amount=0.5), source, Controls())
    except (RuleBroken, HouseError):
        assume(False)
    done = job.finish(written(job, seed))
    old, new = source.original, read_original(done.music)
    for before, after in zip(said_in(old), said_in(new), strict=False):
        kept = [one for one in after if one.message[0] >= 0xF0 and one.message[:2] != b"\xff\x06"]
        assert kept == [
            one for one in before if one.message[0] >= 0xF0 and one.message[:2] != b"\xff\x06"
        ]
    if mode != "vary":
        assert not notes_of(old) - notes_of(new)
    marked = normalise(unmarked(mark_generated(done.music, "ab" * 32)))
    assert [track.notes for track in marked.piece.tracks] == [
        track.notes for track in done.piece.tracks
    ]


# Loudness -----------------------------------------------------------------------------------


def notes(velocity: int, count: int = 4) -> list[Note]:
    return [Note(i * 480, 480, 60, velocity) for i in range(count)]


def test_new_bars_are_as_loud_as_the_bars_beside_them_and_keep_their_own_accents():
    new = {4: [Note(0, 480, 60, 50), Note(480, 480, 60, 70)]}
    kept = {bar: notes(30 if bar < 4 else 40) for bar in range(8) if bar != 4}
    assert [note.velocity for note in levelled(new, kept, {})] == [29, 41]
    assert [note.velocity for note in levelled(new, {}, {4: notes(90)})] == [84, 96]
    assert levelled(new, {}, {}) == new[4]


def test_later_bars_swell_and_fade_a_little_and_no_more():
    new = {bar: notes(20 if bar < 12 else 24 if bar < 16 else 90) for bar in range(8, 20)}
    found = levelled(new, {7: notes(40)}, {})
    assert [note.velocity for note in found[::16]] == [40, 48, 50]


def test_an_added_track_is_hardly_louder_than_what_it_plays_along_with():
    own = [Track(notes=notes(40))]
    added = [Track(notes=notes(velocity)) for velocity in (80, 35, 10)]
    assert [track.notes[0].velocity for track in beside(added, own)] == [44, 35, 30]


@pytest.mark.parametrize("velocity", [20, 34, 110])
def test_loudness_goes_on_where_the_file_was(velocity):
    source = source_of(song(vocal(6, velocity), bass(6, velocity)))
    for job in (
        Continuation.of(source, Controls(bars=4)),
        Rewriting.of(FileTask("infill", None, "bars 3-4 of bass"), source, Controls()),
    ):
        done = job.finish(written(job, 5, notes=0.9))
        for track, own in zip(done.piece.tracks, source.piece.tracks, strict=True):
            new = [n.velocity for n in track.notes if n not in own.notes]
            if new:
                assert fmean(new) == pytest.approx(velocity, rel=0.3)


def test_a_producers_velocities_are_kept_to_as_they_are_asked():
    source = source_of(song(vocal(6, 30)))
    job = Rewriting.of(
        FileTask("infill", None, "bars 3-4"), source, Controls(velocity_range=(90, 100))
    )  # fmt: skip
    done = job.finish(written(job, 5, notes=0.9))
    new = [n for n in done.piece.tracks[0].notes if 2 * BAR <= n.onset_ticks < 4 * BAR]
    assert all(90 <= n.velocity <= 100 for n in new if n.velocity != 30)


def test_a_strict_file_of_the_houses_own_keeps_every_byte_outside_its_cells():
    data = write(make_piece(bars=6))
    source = source_of(data)
    job = Rewriting.of(FileTask("infill", None, "bar 2 of bass"), source, Controls())
    done = job.finish(written(job, 4))
    slot = next(i for i, t in enumerate(source.piece.tracks) if 32 <= t.program < 40)
    (chunk,) = {origin.chunk for origin in source.origins[slot]}
    old, new = read_original(data), read_original(done.music)
    assert [t for i, t in enumerate(new.tracks) if i != chunk] == [
        t for i, t in enumerate(old.tracks) if i != chunk
    ]
    assert parse(done.music)


def test_what_is_played_early_waits_until_the_files_own_note_of_its_pitch_is_over():
    """The file's E ends 10 ticks behind the bar line, and a later one 60, which is no neighbour."""

    def played(*notes: Note) -> Piece:
        return make_piece(tracks=[Track("", 0, False, None, list(notes))])

    own = played(Note(0, 2 * BAR + 19, 64, 80), Note(2 * BAR + 60, 60, 65, 80))
    own.ticks_per_quarter = 960
    source = replace(source_of(write(own)), timing=timing.PLAYED)
    early = played(
        Note(BAR - 10, 200, 64, 80), Note(BAR - 10, 200, 65, 80), Note(BAR - 10, 200, 66, 80)
    )
    rows = encode(to_grid(score_of(early)), Annotations(), timing.PLAYED).tolist()
    before, (found,) = (
        decode(Events.of(rows)).tracks[0].notes,
        source.written(rows, {(1, 0)}, bars=2),
    )
    assert [note.onset_ticks - BAR for note in before] == [-9, -9, -9]
    assert [note.onset_ticks - BAR for note in found.notes] == [10, -9, -9]
    assert [note.end_ticks for note in found.notes] == [note.end_ticks for note in before]
    (straight,) = replace(source, timing=GRID).written(rows, {(1, 0)}, bars=2)
    assert straight.notes == before
