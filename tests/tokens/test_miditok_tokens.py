"""MidiTok's own tokenizations: the same music, joined as the works suggest, and nobody else's."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from gen.errors import HouseError, SettingError
from gen.tokens.choice import TokenizerChoice
from gen.tokens.miditok_tokens import BOS, EOS, MOST_BARS, MidiTokTokens
from gen.tokens.reading import decode
from gen.tokens.tokenization import HOUSE_EVENTS, tokenization_of
from music import Theme

WORKS = [Theme(seed, bars=6).events() for seed in range(4)]
PLAIN = {name: MidiTokTokens(name) for name in ("remi", "tsd", "octuple")}


@pytest.fixture(scope="module")
def joined():
    """REMI with words that were joined in these works."""
    plain = PLAIN["remi"]
    return plain.learned([plain.base_rows(events) for events in WORKS], 1100)


def saved(tokens):
    return json.loads(json.dumps(tokens.to_dict(), sort_keys=True))


def notes(events):
    piece = decode(events)
    return sorted(
        (track.instrument, note.onset_ticks, note.pitch, note.duration_ticks, note.velocity)
        for track in piece.tracks
        for note in track.notes
    )


@pytest.mark.parametrize("name", PLAIN)
def test_a_work_comes_back_note_for_note(name):
    tokens = PLAIN[name]
    for events in WORKS:
        rows, bars = tokens.base_rows(events)
        assert rows.shape == (len(bars), len(tokens.fields))
        assert (rows[[0, -1]] == [[BOS], [EOS]]).all()
        assert (np.diff(bars) >= 0).all()
        assert bars[-1] == len(events.bar_rows) - 1
        assert tokens.notes[rows[:, 0]].sum() == events.notes
        assert notes(tokens.events(rows.tolist())) == notes(events)
        assert (rows < np.array(tokens.field_sizes)).all()


def test_joined_words_stand_for_the_same_tokens_and_cross_no_bar_line(joined):
    rows, bars = joined.base_rows(WORKS[0])
    short, places = joined.encoded(rows, bars)
    assert len(short) < len(rows)
    assert joined.base_ids(short.tolist()) == rows[:, 0].tolist()
    assert joined.notes[short[:, 0]].sum() == WORKS[0].notes
    for bar in np.unique(bars):
        whole = rows[bars == bar, 0].tolist()
        assert joined.base_ids(short[places == bar].tolist()) == whole
    assert notes(joined.events(short.tolist())) == notes(WORKS[0])


def test_joining_the_same_works_again_gives_the_same_words(joined):
    plain = PLAIN["remi"]
    again = plain.learned([plain.base_rows(events) for events in WORKS], 1100)
    assert again.fingerprint == joined.fingerprint != plain.fingerprint
    assert again.to_dict() == joined.to_dict()
    other = plain.learned([plain.base_rows(events) for events in WORKS[:1]], 1100)
    assert other.fingerprint != joined.fingerprint


def test_what_a_checkpoint_keeps_is_read_back_to_the_same_words(joined):
    for tokens in (*PLAIN.values(), joined):
        assert tokenization_of(saved(tokens)).fingerprint == tokens.fingerprint
    assert tokenization_of(None) is HOUSE_EVENTS
    rows = joined.base_rows(WORKS[1])
    again = tokenization_of(saved(joined))
    assert np.array_equal(again.encoded(*rows)[0], joined.encoded(*rows)[0])


def changed(tokens, *path, to):
    """What a checkpoint keeps, with one value of it changed."""
    result = copy.deepcopy(saved(tokens))
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return result


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (["name"], "midilike"),
        (["name"], "tsd"),
        (["miditok", "config", "beat_res"], {"0_4": 8}),
        (["miditok", "config", "num_velocities"], 16),
        (["miditok", "tokenization"], "TSD"),
        (["miditok", "_vocab_base"], {"PAD_None": 0}),
        (["miditok", "_model"], "{}"),
        (["miditok", "_model"], 7),
        (["miditok", "__class__"], "os"),
        (["more"], 1),
    ],
)
def test_a_foreign_tokenizer_is_refused(joined, path, to):
    with pytest.raises(HouseError, match="is no tokenizer that this version writes"):
        tokenization_of(changed(joined, *path, to=to))


@pytest.mark.parametrize(
    "broken", [{"type": "Unigram"}, {"vocab": {"☃": 0}}, {"merges": [["a", "b"]]}]
)
def test_joins_of_other_words_are_refused(joined, broken):
    model = json.loads(saved(joined)["miditok"]["_model"])
    model["model"] |= broken
    with pytest.raises(HouseError, match="is no tokenizer that this version writes"):
        tokenization_of(changed(joined, "miditok", "_model", to=json.dumps(model)))


def test_variation_moves_melodic_pitches_tempo_and_velocity_and_nothing_else():
    tokens = PLAIN["remi"]
    rows, _ = tokens.base_rows(WORKS[0])
    moved = tokens.varied(rows, Pitch=2, Velocity=-1, Tempo=1)
    words = tokens.words[0]
    types = {words[a].split("_")[0] for a, b in zip(rows[:, 0], moved[:, 0], strict=True) if a != b}
    assert types == {"Pitch", "Velocity", "Tempo"}
    assert (tokens.pitches(moved) == tokens.pitches(rows) + 2).all()


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"name": "rmi"}, "tokenizer.name"),
        ({"name": "octuple", "vocab_size": 4000}, "tokenizer.vocab_size"),
        ({"name": "house", "vocab_size": 4000}, "tokenizer.vocab_size"),
        ({"name": "remi", "vocab_size": 40_000}, "tokenizer.vocab_size"),
        ({"name": "remi", "vocab_size": 0}, "tokenizer.vocab_size"),
    ],
)
def test_choices_that_mean_nothing_are_refused_by_their_name(values, where):
    with pytest.raises(SettingError) as error:
        TokenizerChoice(**values)
    assert error.value.where == where


def test_fewer_words_than_there_are_is_refused():
    plain = PLAIN["remi"]
    with pytest.raises(SettingError, match="500 words, and remi has"):
        plain.learned([plain.base_rows(WORKS[0])], 500)


def test_more_bars_than_octuple_has_names_for_is_refused():
    events = Theme(1, bars=MOST_BARS + 1).events()
    with pytest.raises(HouseError, match=f"{MOST_BARS + 1} bars, octuple names {MOST_BARS}"):
        PLAIN["octuple"].base_rows(events)
