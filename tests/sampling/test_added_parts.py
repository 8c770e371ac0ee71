"""Parts that are added to a file: what sounds there is kept clear of by the third rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gen.harmony import parse_chord
from gen.sampling.drafting.biases import biases
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.state import BASS
from gen.sampling.drafting.steering import (
    FIRM_CLASH,
    FIRM_HELD,
    HELD_CLASH,
    OFF_ROOT,
    held_clashes,
)
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import plan_of
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id

HELD_C = [(24, 240, 60)]
"""A C that begins in the middle of the first bar and sounds until the fifth."""


def opened(rules: int) -> Draft:
    """A draft in whose first bar the only track's cell was begun."""
    controls = Controls(instruments=("strings",), time_signature="4/4", bars=2)
    plan = replace(plan_of(controls), steering=1.0, rules=Rules(rules))
    draft = Draft(plan)
    for row in [*plan.header, [int(Kind.BAR), 0, plan.time_signature, 0, 0]]:
        draft.take(row)
    draft.take([int(Kind.CELL), 0, WORDS.slot.id(0), 0, 0])
    return draft


def added(rules: int, others: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """What is added for each pitch at each step, and what long notes are held against."""
    draft = opened(rules)
    bias, near = biases(draft.plan, draft.state, others, [])
    return bias[:, WORDS.pitch.start :], near


def test_a_pitch_that_clashes_at_once_is_kept_out():
    firm, usual = added(3, HELD_C)[0], added(2, HELD_C)[0]
    assert firm[24, 61] - firm[24, 62] <= -FIRM_CLASH
    assert usual[24, 61] > firm[24, 61]


def test_what_sounds_in_other_octaves_is_doubled_rather_than_what_does_not():
    firm, usual = added(3, HELD_C)[0], added(2, HELD_C)[0]
    assert firm[24, 72] == firm[24, 36] > firm[24, 74]
    assert usual[24, 72] == usual[24, 74]
    assert firm[0, 72] == firm[0, 74]  # nothing sounds yet


def test_an_added_part_keeps_to_the_chord_and_a_bass_begins_it_with_its_root():
    chords = [(0, chord_id(parse_chord("C"))), (24, chord_id(parse_chord("F")))]
    steered = {}
    for rules, role in ((3, 0), (4, 0), (4, BASS)):
        draft = opened(rules)
        draft.state.part.role = role
        bias, _ = biases(draft.plan, draft.state, [], chords)
        steered[rules, role] = bias[:, WORDS.pitch.start :]
    usual, firm, bass = steered.values()
    assert firm[0, 64] - firm[0, 65] > usual[0, 64] - usual[0, 65]  # E under C, not F
    assert firm[24, 65] - firm[24, 64] > usual[24, 65] - usual[24, 64]
    assert bass[0, 48] - bass[0, 52] == firm[0, 48] - firm[0, 52] + OFF_ROOT
    assert (bass[12:24] == firm[12:24]).all()


@pytest.mark.parametrize("steps", [54, 96, 192])
def test_a_note_may_not_last_into_a_clash_however_far_away(steps):
    later = [(steps - 6, steps, 60)]
    longest = int(np.flatnonzero(v.DURATIONS == 192)[0])
    of_length = held_clashes(added(3, later)[1][:, 61])[WORDS.duration.start :]
    assert of_length[longest] == -HELD_CLASH * FIRM_HELD
    assert not of_length[: int(np.searchsorted(v.DURATIONS, steps - 6, side="right"))].any()


def test_a_piece_from_nothing_is_led_by_the_third_rules_as_by_the_second():
    for rules in (2, 3):
        draft = opened(rules)
        draft.state.sounding.append((0, 96, 60, 1))
        bias, near = biases(draft.plan, draft.state, None, None)
        assert near.max() == 1
        if rules == 2:
            before = bias
    assert (bias == before).all()
