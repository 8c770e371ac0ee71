"""Other music in some bars of a file: what may change there, and that nothing else does."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gen.piece import Marker, Note, Pedal, Track
from gen.smf import normalise, parse
from gen.smf.mend import NEVER
from gen.smf.original import read_original
from gen.smf.rewrite import NoChannelError, Request, free_channels, rewrite
from gen.smf.rules import RuleBroken
from midi_files import event, meta, note, smf
from rich_files import rich_files, said_in
from thorough import examples

_BAR = 96 * 4
ORGAN = Track("Organ", 19, notes=[Note(0, 96, 72, 70)])


def rewritten(data: bytes, stretches, music, **further):
    """The new file and what it says has changed; `music` by slot, or of tracks that are added."""
    found = normalise(data)
    slots = [Track(t.name, t.program, t.is_drum) for t in found.piece.tracks]
    for slot, notes in music.items() if isinstance(music, dict) else ():
        slots[slot].notes, slots[slot].pedals = notes
    slots += music if isinstance(music, list) else []
    request = Request(stretches, slots, **further)
    return rewrite(read_original(data), found.origins, request)


def said(data: bytes):
    return said_in(read_original(data))


def struck(data: bytes):
    return [track.notes()[0] for track in read_original(data).tracks]


def readable(data: bytes):
    try:
        return normalise(data)
    except RuleBroken:
        assume(False)


def cells(draw, slots: int, bars: int):
    """Some stretches of a bar each, by slot."""
    chosen = draw(st.sets(st.tuples(st.integers(0, slots - 1), st.integers(0, bars))))
    found: dict[int, list[tuple[int, int]]] = {}
    for slot, bar in sorted(chosen):
        found.setdefault(slot, []).append((bar * _BAR, (bar + 1) * _BAR))
    return found


def own_notes(data: bytes, slot: int, stretch):
    """What a track strikes in a stretch, with its pedals, as new notes would be given."""
    found = normalise(data)
    first, end = stretch
    notes = [
        Note(n.onset, n.end - n.onset, n.pitch, n.velocity)
        for origin in found.origins[slot]
        for n in read_original(data).tracks[origin.chunk].notes()[0]
        if n.channel == origin.channel and origin.plays_at(n.onset) and first <= n.onset < end
    ]
    pedals = [p for p in found.piece.tracks[slot].pedals if first <= p.onset_ticks < end]
    return notes, pedals


@given(st.data())
@examples(120)
def test_cells_that_are_put_back_give_the_file_byte_for_byte(data):
    file = data.draw(rich_files())
    found = readable(file)
    stretches = cells(data.draw, len(found.piece.tracks), 4)
    music = {}
    for slot, bars in stretches.items():
        own = [own_notes(file, slot, bar) for bar in bars]
        notes = [note for one, _ in own for note in one]
        music[slot] = notes, [pedal for _, one in own for pedal in one]
        held = {p.onset_ticks for p in music[slot][1]}
        assume(len(held) == len(music[slot][1]))
    result = rewritten(file, stretches, music)
    pressed = any(one.message[:1] >= b"\xb0" and one.message[1:2] == b"@" for t in said(file)
                  for one in t if one.message[0] < 0xC0)  # fmt: skip
    if not pressed:  # a pedal that two tracks read is in the model's form no file's event
        assert result.data == file
        assert result.changes == ()


@st.composite
def new_notes(draw, stretches):
    notes = []
    for first, _ in stretches:
        for pitch in draw(st.sets(st.integers(59, 66), max_size=4)):
            onset = first + draw(st.integers(0, _BAR - 1))
            notes.append(Note(onset, draw(st.integers(1, 500)), pitch, draw(st.integers(1, 127))))
    return notes


@given(st.data())
@examples(200)
def test_only_notes_of_the_cells_and_what_shaped_them_go_and_old_notes_keep_their_lengths(data):
    file = data.draw(rich_files())
    found = readable(file)
    stretches = cells(data.draw, len(found.piece.tracks), 4)
    music = {slot: (data.draw(new_notes(bars)), []) for slot, bars in stretches.items()}
    result = rewritten(file, stretches, music)

    cleared = Counter()
    for slot, bars in stretches.items():
        for bar in bars:
            for origin in found.origins[slot]:
                cleared.update(
                    (origin.chunk, n) for n in read_original(file).tracks[origin.chunk].notes()[0]
                    if n.channel == origin.channel and origin.plays_at(n.onset)
                    and bar[0] <= n.onset < bar[1]
                )  # fmt: skip
    for chunk, (old, new) in enumerate(zip(struck(file), struck(result.data), strict=False)):
        left = [n for n in old if (chunk, n) not in cleared and n.off >= 0]
        kept = Counter((n.channel, n.onset, n.end, n.pitch, n.velocity) for n in left)
        after = Counter((n.channel, n.onset, n.end, n.pitch, n.velocity) for n in new)
        assert not kept - after
    changing = (0x80, 0x90, 0xA0, 0xD0, 0xE0)
    free = free_channels(read_original(file))  # where an instrument may get a track of its own
    for pair in zip(said(file), said(result.data), strict=False):
        old, new = (
            [one for one in without(events, free)
             if one.message[0] & 0xF0 not in changing and not is_pedal(one)]
            for events in pair
        )  # fmt: skip
        assert new == old


def without(events, channels):
    """What is not said to some channels."""
    return [one for one in events
            if one.message[0] >= 0xF0 or one.message[0] & 15 not in channels]  # fmt: skip


def is_pedal(one) -> bool:
    return one.message[0] & 0xF0 == 0xB0 and one.message[1] == 64


@given(st.data())
@examples(60)
def test_an_added_track_leaves_every_event_of_the_file_where_it_is(data):
    file = data.draw(rich_files())
    readable(file)
    result = rewritten(file, {}, [ORGAN])
    assert result.changes == ()
    channel = free_channels(read_original(file))[0]
    for old, new in zip(said(file), said(result.data), strict=False):
        assert without(new, [channel]) == old
    after = normalise(result.data).piece.tracks
    assert [t.notes for t in after if t.program == 19] == [ORGAN.notes]
    assert read_original(result.data).format == read_original(file).format


PIANO = meta(0, 3, b"Piano") + event(0, 0xC0, 0)


def test_the_notes_of_a_cell_are_others_and_lyrics_and_volume_stay():
    body = (
        PIANO + event(0, 0xB0, 7, 100) + meta(0, 5, b"la") + note(60, 96)
        + meta(_BAR - 96, 5, b"lu") + event(0, 0xB0, 10, 20) + note(62, 96) + note(64, 96)
    )  # fmt: skip
    data = smf(body, division=96)
    result = rewritten(data, {0: [(_BAR, 2 * _BAR)]}, {0: ([Note(_BAR + 48, 48, 70, 60)], [])})
    assert result.changes == ()
    kept = [one for one in said(data)[0] if one.tick < _BAR or one.message[0] in (0xFF, 0xB0)]
    new = [one for one in said(result.data)[0] if one.message[1:2] != bytes((70,))]
    assert new == kept
    (track,) = parse(result.data).tracks
    assert track.notes == [Note(0, 96, 60, 80), Note(_BAR + 48, 48, 70, 60)]


def test_bends_of_the_old_notes_go_and_are_back_after_the_cell():
    bend = event(0, 0xE0, 0, 80)
    data = smf(PIANO + bend + note(60, _BAR) + event(0, 0xE0, 0, 90) + note(62, _BAR) +
               note(64, _BAR), division=96)  # fmt: skip
    result = rewritten(data, {0: [(_BAR, 2 * _BAR)]}, {0: ([Note(_BAR, 96, 70, 60)], [])})
    bends = [(one.tick, one.message[1:]) for one in said(result.data)[0] if one.message[0] == 0xE0]
    assert bends == [(0, b"\x00\x50"), (_BAR, b"\x00\x40"), (2 * _BAR, b"\x00\x5a")]
    assert any("1 pitch bend" in change for change in result.changes)
    assert any("2 event(s) added" in change for change in result.changes)


def test_a_bend_stays_while_a_note_from_before_rings_into_the_cell():
    data = smf(
        PIANO
        + event(0, 0x90, 60, 80)
        + event(_BAR + 48, 0xE0, 0, 80)
        + event(48, 0x80, 60, 64)
        + event(0, 0xE0, 0, 64)
        + note(64, _BAR, _BAR),
        division=96,
    )
    result = rewritten(data, {0: [(_BAR, 2 * _BAR)]}, {0: ([Note(_BAR, 96, 70, 60)], [])})
    bends = [one.tick for one in said(result.data)[0] if one.message[0] == 0xE0]
    assert bends == [_BAR + 48, _BAR + 96]
    assert result.changes == ()


def test_where_other_music_plays_on_the_channel_its_pedal_and_bends_stay():
    hands = [PIANO + note(60, _BAR) + note(62, _BAR),
             PIANO + event(_BAR, 0xB0, 64, 127) + event(0, 0xE0, 0, 80) + note(40, _BAR) +
             event(0, 0xB0, 64, 0)]  # fmt: skip
    data = smf(*hands, division=96)
    pedal = [Pedal(_BAR + 10, 20)]
    result = rewritten(data, {0: [(_BAR, 2 * _BAR)]}, {0: ([Note(_BAR, 96, 70, 60)], pedal)})
    assert said(result.data)[1] == said(data)[1]
    assert result.changes == ("1 new pedal(s) left out: other music plays on their channel",)


def test_a_new_note_gives_way_to_the_old_one_that_sounds_on_its_pitch():
    data = smf(PIANO + note(60, _BAR + 96) + note(62, 96, _BAR - 96), division=96)
    notes = [Note(_BAR + 48, 48, 60, 50), Note(_BAR + 100, 2000, 62, 50)]
    result = rewritten(data, {0: [(_BAR, 2 * _BAR)]}, {0: (notes, [])})
    (track,) = parse(result.data).tracks
    assert track.notes == [
        Note(0, _BAR + 96, 60, 80), Note(_BAR + 100, _BAR - 100, 62, 50), Note(2 * _BAR, 96, 62, 80)
    ]  # fmt: skip
    assert result.changes == (
        "1 new note(s) left out: the file's own sound on their pitch and channel",
    )


def test_an_instrument_that_its_channel_does_not_play_in_a_cell_gets_a_track_of_its_own():
    body = PIANO + note(60, _BAR) + event(0, 0xC0, 19) + note(62, _BAR)
    result = rewritten(smf(body, division=96), {1: [(0, _BAR)]}, {1: ([Note(0, 96, 70, 60)], [])})
    tracks = normalise(result.data).piece.tracks
    assert [(t.program, len(t.notes)) for t in tracks] == [(0, 1), (19, 1), (19, 1)]
    assert tracks[2].notes == [Note(0, 96, 70, 60)]


def test_music_that_goes_on_beyond_the_end_lets_go_what_the_end_left_behind():
    body = (
        PIANO + event(0, 0xB0, 7, 100) + event(0, 0xB0, 64, 127) + note(60, _BAR) +
        event(0, 0xB0, 7, 0) + event(0, 0xE0, 0, 0)
    )  # fmt: skip
    data = smf(body, division=96)
    goes_on = {0: [(_BAR, NEVER)]}
    new = {0: ([Note(_BAR, 96, 70, 60)], [])}
    result = rewritten(data, goes_on, new, end_ticks=2 * _BAR)
    (track,) = said(result.data)
    after = [one.message for one in track if one.tick == _BAR and one.message[0] in (0xB0, 0xE0)]
    assert b"\xb0\x40\x00" in after
    assert b"\xb0\x07\x64" in after
    assert read_original(result.data).end_ticks == 2 * _BAR
    assert any("fades out" in change for change in result.changes)


def test_markers_are_exchanged_where_others_take_their_place():
    data = smf(meta(0, 6, b"C") + meta(0, 1, b"text") + PIANO + note(60, _BAR), division=96)
    result = rewritten(data, {}, {}, old_markers=[Marker(0, "C")], new_markers=[Marker(0, "Am")])
    assert [m.text for m in parse(result.data).markers] == ["Am"]
    assert result.changes == ()


def test_refuses_a_further_track_where_every_channel_is_used():
    bodies = [event(0, 0xC0 | c, 5) + note(channel=c) for c in range(16) if c != 9]
    with pytest.raises(NoChannelError):
        rewritten(smf(*bodies), {}, [ORGAN])
