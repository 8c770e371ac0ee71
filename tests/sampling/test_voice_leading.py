"""Outer voices of chorales move in no parallel fifths or octaves."""

from __future__ import annotations

import numpy as np
import pytest

from drafts import written
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.state import CHORALE
from gen.sampling.drafting.steering import FORBIDDEN
from gen.sampling.drafting.voice_leading import against_parallels, joins, notes_of
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

VOICES = {"genre": "chorale", "instruments": ("flute", "cello"), "time_signature": "4/4"}
QUARTER = v.STEPS_PER_QUARTER
C3, D3, G3, G4, A4 = 48, 50, 55, 67, 69


def opened(rules: int = 4, slot: int = 1) -> Draft:
    """A chorale of two voices in its second bar, whose cell of one voice was opened."""
    job = job_of(Controls(bars=4, **VOICES), None, steering=1.0, rules=Rules(rules))
    draft = written(job, 1, notes=0.8)
    state = draft.state
    state.slot, state.bar, state.bar_start, state.bar_steps = slot, 1, 4 * QUARTER, 4 * QUARTER
    state.sounding, state.bar_terms.coming = [], []
    state.bar_terms.closes = False
    assert state.genre == CHORALE
    return draft


def forbidden(draft: Draft, step: int) -> set[int]:
    """Pitches that are as good as out on a step of the bar."""
    row = [int(Kind.NOTE), WORDS.position.id(step), 0, 0, 0]
    nothing = np.zeros(WORDS.pitch.stop, dtype=np.float32)
    bias = against_parallels(draft.plan, draft.state, row, nothing)[WORDS.pitch.start :]
    return set(np.flatnonzero(bias <= -FORBIDDEN).tolist())


def sound(draft: Draft, *notes: tuple[float, float, int, int]) -> None:
    """Let notes sound: first and last beat of the bar, pitch and slot."""
    start = draft.state.bar_start
    draft.state.sounding += [
        (start + int(first * QUARTER), start + int(end * QUARTER), pitch, slot)
        for first, end, pitch, slot in notes
    ]


def test_a_bass_does_not_follow_the_melody_in_fifths():
    draft = opened()
    sound(draft, (0, 1, G4, 0), (0, 1, C3, 1), (1, 2, A4, 0))
    assert D3 in forbidden(draft, QUARTER)
    assert C3 not in forbidden(draft, QUARTER)


def test_a_move_across_a_rest_counts_by_the_fourth_rules_alone():
    notes = (-2, -1, G4, 0), (-2, -1, C3, 1), (1, 2, A4, 0)
    new, old = opened(), opened(3)
    sound(new, *notes)
    sound(old, *notes)
    assert D3 in forbidden(new, QUARTER)
    assert not forbidden(old, QUARTER)


def test_one_part_that_plays_chords_alone_is_held_to_it():
    draft = opened()
    sound(draft, (0, 1, C3, 1), (0, 1, G3, 1), (1, 2, D3, 1))
    assert 57 in forbidden(draft, QUARTER)


def test_what_comes_back_in_a_part_to_be_written_counts_already():
    draft = opened(slot=0)
    sound(draft, (0, 1, G4, 0), (0, 1, C3, 1))
    assert not forbidden(draft, QUARTER)
    begin = draft.state.bar_start + QUARTER
    draft.state.bar_terms.coming = [(begin, begin + QUARTER, D3, 1)]
    assert A4 in forbidden(draft, QUARTER)


@pytest.mark.parametrize(("bass", "may"), [(C3 + 2, False), (C3 - 2, True)])
def test_a_cell_comes_back_unless_it_would_begin_in_parallel(bass, may):
    draft = opened()
    state, terms = draft.state, draft.state.bar_terms
    sound(draft, (-1, 0, G4, 0), (-1, 0, C3, 1))
    terms.coming = [(state.bar_start, state.bar_start + QUARTER, A4, 0)]
    cell = [[int(Kind.NOTE), WORDS.position.id(0), WORDS.pitch.id(bass), WORDS.duration.id(3), 0]]
    assert joins(state, terms, cell, 1) == may
    assert (notes_of(cell, state.bar_start, 1)[0] in terms.coming) == may
