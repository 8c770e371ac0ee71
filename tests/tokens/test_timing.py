"""Played music keeps its timing; what stands on the grid is written as without it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.errors import HouseError, SettingError
from gen.piece import Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.choice import PLAYED, TokenizerChoice
from gen.tokens.columns import context_columns, context_sizes_of
from gen.tokens.encoding import Annotations, encode
from gen.tokens.events import Events
from gen.tokens.grid import to_grid
from gen.tokens.score import score_of
from gen.tokens.tokenization import HOUSE_EVENTS, PLAYED_EVENTS, tokenization_of
from gen.tokens.tokenizer import HouseTokenizer, house_config
from music import STEP, loose_pieces, pieces
from thorough import examples

TOKENIZER, ON_GRID = HouseTokenizer(timing=PLAYED), HouseTokenizer()
LONG = 24 * STEP
"""Longer notes end at their nearest listed length, as on the grid."""


@st.composite
def played(draw) -> Piece:
    """One player, any tick: notes of one pitch apart from each other, of two pitches not."""
    notes = []
    for pitch in range(58, 58 + draw(st.integers(1, 4))):
        tick = draw(st.integers(0, 60))
        for _ in range(draw(st.integers(1, 6))):
            length = draw(st.integers(12, LONG - STEP))
            notes.append(Note(tick, length, pitch, draw(st.integers(1, 127))))
            tick += length + draw(st.integers(STEP, 500))
    pedals = [Pedal(tick, 300) for tick in range(draw(st.integers(1, 90)), 900, 400)]
    return Piece(
        480, [Track(notes=sorted(notes), pedals=pedals)], [Tempo(0, 500_000)],
        [TimeSignature(0, 4, 4)],
    )  # fmt: skip


def by_pitch(piece: Piece) -> list[Note]:
    return sorted(piece.tracks[0].notes, key=lambda note: (note.pitch, note.onset_ticks))


@given(played())
@examples(60)
def test_what_was_played_comes_back_as_it_was(piece):
    piece.tracks[0].notes[0] = Note(13, 40, 57, 64)  # off the grid, whatever was drawn
    piece.tracks[0].notes.sort()
    again = TOKENIZER.piece(TOKENIZER.events(piece))
    for was, found in zip(by_pitch(piece), by_pitch(again), strict=True):
        assert abs(was.onset_ticks - found.onset_ticks) <= STEP / timing.ONSET_PARTS / 2 + 0.5
        assert abs(was.end_ticks - found.end_ticks) <= STEP / timing.RELEASE_PARTS / 2
        assert (was.pitch, was.velocity) == (found.pitch, found.velocity)
    for was, found in zip(piece.tracks[0].pedals, again.tracks[0].pedals, strict=True):
        assert abs(was.onset_ticks - found.onset_ticks) <= STEP / timing.ONSET_PARTS / 2 + 0.5


@given(pieces())
@examples(40)
def test_a_work_on_the_grid_comes_back_as_before_and_holds_no_timing(piece):
    events = TOKENIZER.events(piece)
    assert not events.is_played
    assert not events.array[:, timing.ONSET :].any()
    assert events.on_grid() == ON_GRID.events(piece)
    assert TOKENIZER.piece(events) == ON_GRID.piece(ON_GRID.events(piece)) == piece


@given(loose_pieces())
@examples(60)
def test_what_is_played_stands_on_the_grid_where_it_stood_before(piece):
    annotations = Annotations(genre="waltz", key="A minor", chords="Am | E7")
    events = TOKENIZER.events(piece, annotations)
    assert events.on_grid() == ON_GRID.events(piece, annotations)


@given(loose_pieces())
@examples(60)
def test_what_was_written_is_read_back_as_the_same_events(piece):
    written = TOKENIZER.piece(TOKENIZER.events(piece))
    again = TOKENIZER.piece(TOKENIZER.events(written))
    for one, other in zip(written.tracks, again.tracks, strict=True):
        assert [n.onset_ticks for n in one.notes] == [n.onset_ticks for n in other.notes]
        assert [n.velocity for n in one.notes] == [n.velocity for n in other.notes]


@given(loose_pieces())
@examples(60)
def test_no_note_sounds_when_its_pitch_begins_again_or_after_the_last_bar(piece):
    events = TOKENIZER.events(piece)
    end = int(events.bar_starts[-1]) * STEP
    for track in TOKENIZER.piece(events).tracks:
        latest = {}
        for note in track.notes:
            assert note.duration_ticks > 0
            assert latest.get(note.pitch, 0) <= note.onset_ticks
            latest[note.pitch] = note.end_ticks
            assert note.end_ticks <= end


def test_a_played_work_can_be_written_straight_in_the_same_fields():
    piece = Piece(480, [Track(notes=[Note(5, 200, 60, 64), Note(491, 100, 62, 65)])])
    events = TOKENIZER.events(piece)
    straight = encode(to_grid(score_of(piece)), timed=timing.STRAIGHT)
    assert events.is_played
    assert events.straightened() == straight
    assert TOKENIZER.piece(straight) == ON_GRID.piece(ON_GRID.events(piece))


def test_every_row_says_beside_its_fields_whether_the_work_is_played():
    piece = Piece(480, [Track(notes=[Note(5, 200, 60, 64)])])
    events = TOKENIZER.events(piece)
    columns = context_columns(events)
    assert columns.shape[1] == len(context_sizes_of(len(timing.FIELDS)))
    assert columns[:, -1].all()
    assert not context_columns(events.straightened())[:, -1].any()
    assert np.array_equal(columns[:, :-1], context_columns(events.on_grid()))


def test_the_tokenizer_says_in_its_file_what_it_keeps(tmp_path):
    for tokenizer in (ON_GRID, TOKENIZER):
        tokenizer.save_pretrained(tmp_path / tokenizer.timing)
        again = HouseTokenizer.from_pretrained(tmp_path / tokenizer.timing)
        assert (again.timing, again.fingerprint) == (tokenizer.timing, tokenizer.fingerprint)
    assert ON_GRID.fingerprint == v.fingerprint() != TOKENIZER.fingerprint
    assert HouseTokenizer(house_config(PLAYED)).timing == PLAYED


def test_a_file_that_claims_another_timing_is_refused(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace('"timing": "played"', '"timing": "slack"'))
    with pytest.raises(HouseError, match="another version of the language"):
        HouseTokenizer.from_pretrained(tmp_path)


def test_a_checkpoint_names_the_timing_that_its_rows_keep():
    assert tokenization_of(HOUSE_EVENTS.to_dict()) is HOUSE_EVENTS
    assert tokenization_of(PLAYED_EVENTS.to_dict()) is PLAYED_EVENTS
    assert PLAYED_EVENTS.field_sizes[: len(v.FIELDS)] == HOUSE_EVENTS.field_sizes


def test_encode_and_decode_of_midi_tok_keep_it():
    score = score_of(Piece(480, [Track(notes=[Note(4, 208, 60, 66), Note(498, 96, 62, 65)])]))
    sequence = TOKENIZER.encode(score)
    assert sequence.tokens[0] == ["BOS_None", *["PAD_None"] * 4, "Timing_Played", *["PAD_None"] * 2]
    again = TOKENIZER.decode(sequence)
    assert [(n.time, n.velocity) for n in again.tracks[0].notes] == [(4, 66), (498, 65)]


def test_a_row_that_may_carry_no_timing_is_refused():
    piece = Piece(480, [Track(notes=[Note(5, 200, 60, 64)])])
    rows = TOKENIZER.events(piece).tolist()
    rows[1][timing.ONSET] = timing.ONSETS.start
    with pytest.raises(HouseError, match=r"event 1 \(TRACK\).*may not carry"):
        TOKENIZER.piece(Events.of(rows))


@pytest.mark.parametrize("name", ["remi", "tsd", "octuple"])
def test_other_tokenizations_have_no_words_for_timing(name):
    with pytest.raises(SettingError, match="no words for timing"):
        TokenizerChoice(name, timing="played")


def test_an_unknown_timing_is_refused_with_the_nearest():
    with pytest.raises(SettingError, match="played"):
        TokenizerChoice(timing="playd")
