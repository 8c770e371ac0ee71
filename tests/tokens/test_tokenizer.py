"""The house tokenizer through MidiTok's public API."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from miditok import REMI, TokenizerConfig
from symusic import Score

from gen import smf
from gen.errors import HouseError
from gen.piece import Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations
from gen.tokens.events import Events
from gen.tokens.tokenizer import HouseTokenizer, house_config, score_of
from gen.tokens.vocabulary import Kind
from music import Theme, loose_pieces, pieces
from thorough import examples

TOKENIZER = HouseTokenizer()


def what_it_says(score: Score) -> list[object]:
    tracks = [
        (
            track.program,
            track.is_drum,
            [(n.time, n.duration, n.pitch, n.velocity) for n in track.notes],
            [(p.time, p.duration) for p in track.pedals],
        )
        for track in score.tracks
    ]
    tempos = [(t.time, t.mspq) for t in score.tempos]
    meters = [(s.time, s.numerator, s.denominator) for s in score.time_signatures]
    return [score.ticks_per_quarter, tracks, tempos, meters]


@given(pieces())
@examples(40)
def test_decode_gives_back_the_score_that_encode_was_given(piece):
    score = score_of(piece)
    again = TOKENIZER.decode(TOKENIZER.encode(score))
    assert what_it_says(again) == what_it_says(score)


def test_encode_takes_a_file_and_decode_takes_plain_ids(tmp_path):
    path = tmp_path / "theme.mid"
    path.write_bytes(smf.write(Theme(3).piece()))
    sequence = TOKENIZER.encode(path)
    assert np.array(sequence.ids).tolist() == TOKENIZER.events(Theme(3).piece()).tolist()
    for ids in (sequence.ids, np.array(sequence.ids)):
        assert TOKENIZER.decode(ids).note_num() == Theme(3).piece().note_count


def test_a_score_that_was_decoded_and_written_reads_the_same(tmp_path):
    notes = [Note(0, 480 * 60, 60, 83), *(Note(i * 480, 480, 62, 83) for i in range(60))]
    pedals = [Pedal(i * 480, 480) for i in range(60)]
    tracks = [Track(notes=notes[:1]), Track(notes=notes[1:], pedals=pedals)]
    piece = Piece(480, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])
    ids = TOKENIZER.encode(score_of(piece)).ids
    path = tmp_path / "again.mid"
    TOKENIZER.decode(ids).dump_midi(path)
    assert TOKENIZER.encode(path).ids == ids


def test_encode_gives_each_event_its_words():
    sequence = TOKENIZER.encode(score_of(Theme(3).piece()))
    assert sequence.tokens[0][0] == "BOS_None"
    assert sequence.tokens[-1] == ["EOS_None", *["PAD_None"] * 4]
    assert sequence.tokens[1][:3] == ["Kind_Track", "PAD_None", "Program_73"]
    assert ["Kind_Bar", "PAD_None", "TimeSig_4/4"] in [token[:3] for token in sequence.tokens]


def test_saving_and_loading_gives_the_same_tokenizer_and_the_same_ids(tmp_path):
    TOKENIZER.save(tmp_path / "tokenizer.json")
    loaded = HouseTokenizer(params=tmp_path / "tokenizer.json")
    score = score_of(Theme(5).piece())
    assert loaded.encode(score).ids == TOKENIZER.encode(score).ids
    assert loaded.vocab == TOKENIZER.vocab
    assert loaded.fingerprint == TOKENIZER.fingerprint
    assert loaded == TOKENIZER
    saved = json.loads((tmp_path / "tokenizer.json").read_text())
    assert saved["tokenization"] == "HouseTokenizer"


def test_a_saved_tokenizer_is_read_from_its_folder_without_asking_anybody(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    assert HouseTokenizer.from_pretrained(tmp_path) == TOKENIZER
    with pytest.raises(HouseError, match=r"nowhere.*cannot be read"):
        HouseTokenizer.from_pretrained("somebody/nowhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tokenization": "REMI"}, "is of the tokenizer 'REMI'"),
        ({"fingerprint": "0" * 64}, "another version"),
        ({"config": {}}, "another version"),
    ],
)
def test_the_file_of_another_tokenizer_is_refused(tmp_path, change, said):
    TOKENIZER.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(HouseError, match=said):
        HouseTokenizer.from_pretrained(tmp_path)


def test_a_tokenizer_that_miditok_saved_is_refused_and_not_built_from(tmp_path):
    REMI().save_pretrained(tmp_path)
    with pytest.raises(HouseError, match="is of the tokenizer 'REMI'"):
        HouseTokenizer.from_pretrained(tmp_path)


def test_another_grid_is_refused_with_what_differs():
    with pytest.raises(HouseError, match=r"beat_res is \{\(0, 4\): 8\}, not \{\(0, 16\): 12\}"):
        HouseTokenizer(TokenizerConfig(beat_res={(0, 4): 8}))
    assert HouseTokenizer(house_config()) == TOKENIZER


def test_a_sequence_is_split_at_its_bars_and_keeps_every_event():
    sequence = TOKENIZER.encode(score_of(Theme(3).piece()))
    bars = sequence.split_per_bars()
    assert len(bars) == Theme(3).bars == len(sequence._ticks_bars)
    assert [ids for bar in bars for ids in bar.ids] == sequence.ids
    assert [bar.ids[0][0] for bar in bars[1:]] == [Kind.BAR] * (len(bars) - 1)
    assert [words for bar in bars for words in bar.tokens] == sequence.tokens
    assert sequence._ticks_beats == list(range(0, 8 * 1920, 480))
    with pytest.raises(HouseError, match="track by track"):
        sequence.split_per_beats()


@given(loose_pieces() | pieces(most_tracks=3))
@examples(40)
def test_what_the_strict_walker_reads_is_what_symusic_reads(piece):
    try:
        data = smf.write(piece)
        strict = smf.parse(data)
    except HouseError:  # what no strict file can hold
        return
    assert TOKENIZER.events(strict) == Events.of(TOKENIZER.encode(Score.from_midi(data)).ids)


def test_the_vocabulary_that_miditok_shows_has_the_ids_that_events_carry():
    for field, words in enumerate(v.words()):
        shown = TOKENIZER.vocab[field]
        assert [shown[word] for word in (*v.SPECIALS, *words)] == list(range(len(shown)))
        assert len(shown) == v.FIELD_SIZES[field]
    assert TOKENIZER.is_multi_voc
    assert TOKENIZER.one_token_stream


def test_events_carry_what_is_known_of_the_work():
    events = TOKENIZER.events(Theme(1).piece(), Annotations(genre="funk"))
    assert events[1].kind == Kind.GENRE
    assert events[:1] + events[2:] == TOKENIZER.events(Theme(1).piece())


@given(pieces(most_tracks=3))
@examples(20)
def test_what_encode_writes_has_no_errors_by_miditoks_count(piece):
    assert TOKENIZER.tokens_errors(TOKENIZER.encode(score_of(piece))) == 0


@pytest.mark.parametrize(
    "kinds",
    [
        (Kind.BOS, Kind.NOTE, Kind.BOS),
        (Kind.BOS, Kind.TRACK, Kind.CELL),
        (Kind.BOS, Kind.EOS, Kind.TRACK),
        (Kind.BAR, Kind.CELL, Kind.BAR),
        (Kind.BAR, Kind.HOLE, Kind.NOTE),
        (Kind.NOTE, Kind.BAR, Kind.PEDAL),
    ],
)
def test_an_event_out_of_order_counts_as_one_error(kinds):
    ids = [[int(kind), 0, 0, 0, 0] for kind in kinds]
    assert TOKENIZER.tokens_errors(ids) == pytest.approx(1 / 3)


def test_padding_is_no_error():
    ids = [[int(kind), 0, 0, 0, 0] for kind in (Kind.BAR, Kind.PAD, Kind.PAD)]
    assert TOKENIZER.tokens_errors(ids) == 0


def test_a_score_in_memory_has_the_division_and_names_of_its_piece():
    score = score_of(Piece(96, [Track("Flute", 73, notes=[Note(0, 96, 60, 83)])]))
    assert score.ticks_per_quarter == 96
    assert score.tracks[0].name == "Flute"


def test_the_score_is_left_as_it_was():
    score = score_of(Theme(2).piece())
    before = score.copy()
    TOKENIZER.encode(score)
    assert score == before
