"""Accompaniments by a model and by rule beside the composer's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corpora import song, work
from gen.evaluation.parts.accompaniment import MEASURES, figures, measures, silenced
from gen.tokens.grid import TICKS_PER_STEP

CHORDS = " | ".join(["C", "F", "G", "C"] * 4)
WORKS = [work(song(n, 16), f"work {n}", chords=CHORDS) for n in range(8)]


@pytest.fixture(scope="module")
def chosen():
    found = [silenced(one, 12, np.random.default_rng(n)) for n, one in enumerate(WORKS)]
    return [one for one in found if one]


def starts_of(one):
    return (one.table.bar_starts() * TICKS_PER_STEP).tolist()


def test_works_with_chords_and_roles_have_a_track_to_leave_out(chosen):
    assert chosen
    for one in chosen:
        assert len(one.table.bars) <= 12
        draft = one.draft()
        assert {hole.slot for hole in draft.order.holes} == {one.slot}
        assert len(draft.order.holes) == len(one.table.bars)


def test_what_the_composer_wrote_agrees_with_itself(chosen):
    for one in chosen:
        own = one.original()
        found = measures(own, own, one.slot, starts_of(one))
        assert found["rhythm"] == 1
        assert np.isnan(found["harmony"]) or found["harmony"] == pytest.approx(1)


def test_a_part_a_semitone_off_clashes_and_its_harmony_is_another(chosen):
    pitched = [one for one in chosen if not one.original().tracks[one.slot].is_drum]
    assert pitched
    for one in pitched:
        own, off = one.original(), one.original()
        track = off.tracks[one.slot]
        track.notes = [replace(note, pitch=note.pitch + 1) for note in track.notes]
        right, wrong = (measures(piece, own, one.slot, starts_of(one)) for piece in (own, off))
        assert wrong["harmony"] < right["harmony"]
        assert wrong["rhythm"] == 1


def test_who_writes_what_the_composer_did_is_nearer_than_the_arranger(chosen):
    found = figures(chosen, [one.original() for one in chosen])
    assert set(found["measures"]) == set(MEASURES)
    assert sum(found["roles"].values()) == found["works"] == len(chosen)
    nearer = [measure["nearer"]["value"] for measure in found["measures"].values()]
    assert all(value is None or value >= 0 for value in nearer)
    assert any(nearer)
    again = figures(chosen, [one.by_rule() for one in chosen])
    nearer = [measure["nearer"]["value"] for measure in again["measures"].values()]
    assert all(not value for value in nearer)
    assert 0 in nearer
