from __future__ import annotations

import itertools

import numpy as np
import pytest

from gen.harmony import GENRES, MOODS
from gen.piece import ROLES
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import SPANS, Kind
from music import FIRST

GOLDEN = "4e3d23d95b903cae2c1ca91c9e62371cc2792abc0ecd55e0ce5acbc6754c1612"
"""Changes only with `vocabulary.FORMAT`: checkpoints of another vocabulary are refused."""


def test_fingerprint_is_the_one_that_checkpoints_carry():
    assert v.fingerprint() == GOLDEN


@pytest.mark.parametrize("name", ["GENRES", "MOODS"])
def test_fingerprint_changes_with_one_word(monkeypatch, name):
    field = "genre" if name == "GENRES" else "mood"
    changed = [*v._VALUE_WORDS[field][:-1], f"{field.title()}_other"]
    monkeypatch.setitem(v._VALUE_WORDS, field, changed)
    assert v.fingerprint.__wrapped__() != GOLDEN


def test_fingerprint_changes_when_two_words_change_places(monkeypatch):
    first, second, *rest = v._LEVEL_WORDS["velocity"]
    monkeypatch.setitem(v._LEVEL_WORDS, "velocity", [second, first, *rest])
    assert v.fingerprint.__wrapped__() != GOLDEN


@pytest.mark.parametrize(("name", "value"), [("FORMAT", 2), ("STEPS_PER_QUARTER", 24)])
def test_fingerprint_changes_with_the_format(monkeypatch, name, value):
    monkeypatch.setattr(v, name, value)
    assert v.fingerprint.__wrapped__() != GOLDEN


def test_every_word_occurs_once():
    words = list(itertools.chain(v.SPECIALS, *v.words()))
    assert len(words) == len(set(words))


def test_spans_tile_each_field_without_gap_or_overlap():
    for field, groups in (
        ("value", v._VALUE_WORDS),
        ("extent", v._EXTENT_WORDS),
        ("level", v._LEVEL_WORDS),
        ("position", ["position"]),
    ):
        ids = [i for group in groups for i in SPANS[group]]
        assert ids == list(range(len(v.SPECIALS), v.FIELD_SIZES[v.FIELDS.index(field)]))


def test_a_span_names_the_words_it_holds():
    values = [*v.SPECIALS, *v.words()[v.VALUE]]
    extents = [*v.SPECIALS, *v.words()[v.EXTENT]]
    assert values[SPANS["pitch"][60]] == "Pitch_60"
    assert values[SPANS["drum"][36]] == "PitchDrum_36"
    assert values[SPANS["program"][128]] == "Program_-1"
    assert values[FIRST["time_signature"] + v.TIME_SIGNATURES.index((7, 8))] == "TimeSig_7/8"
    assert [values[i] for i in SPANS["genre"]] == [f"Genre_{g}" for g in GENRES]
    assert [values[i] for i in SPANS["mood"]] == [f"Mood_{m}" for m in MOODS]
    assert [extents[i] for i in SPANS["role"]] == [f"Role_{r}" for r in ROLES]


def test_kinds_and_their_words_agree():
    assert v.words()[0] == [f"Kind_{kind.name.title()}" for kind in Kind if kind >= 3]
    assert v.FIELD_SIZES[v.KIND] == len(Kind)


def test_every_id_but_the_specials_is_legal_for_some_kind():
    for mask in v.legal_words():
        unused = np.flatnonzero(~mask.any(axis=0))
        assert unused.tolist() == [1, 2]


def test_a_field_is_absent_exactly_where_its_kind_gives_it_nothing_to_say():
    position, value, extent, level = v.legal_words()
    assert [kind for kind in Kind if not position[kind, 0]] == sorted(v.POSITIONED)
    assert not value[Kind.NOTE, 0]
    assert value[Kind.PEDAL].nonzero()[0].tolist() == [0]
    assert extent[Kind.CELL, 0]
    assert extent[Kind.CELL, FIRST["density"]]
    assert not extent[Kind.NOTE, 0]
    assert level[Kind.TRACK, 0]
    assert not level[Kind.NOTE, 0]


def test_all_tables_ascend():
    for table in (v.DURATIONS, v.VELOCITIES, v.TEMPOS, v.DENSITIES):
        assert (np.diff(table) > 0).all()
    assert v.DURATIONS[0] == 1
    assert v.VELOCITIES[0] >= 1
    assert v.VELOCITIES[-1] == 127


def test_every_time_signature_is_whole_steps_within_a_bar():
    for numerator, denominator in v.TIME_SIGNATURES:
        steps = v.bar_steps(numerator, denominator)
        assert steps * denominator == numerator * 48
        assert 0 < steps <= v.MAX_BAR_STEPS


def test_nearest_index_finds_the_nearest_and_ties_go_down():
    table = np.array([1.0, 2.0, 4.0])
    wanted = np.array([-5.0, 1.4, 1.5, 1.6, 3.0, 3.1, 99.0])
    assert v.nearest_index(wanted, table).tolist() == [0, 0, 0, 1, 1, 2, 2]
