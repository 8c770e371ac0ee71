from __future__ import annotations

import math

import pytest

from gen.data.baselines import uniform_bits_per_note, unigram_bits_per_note
from gen.errors import HouseError
from gen.tokens.events import Events
from gen.tokens.vocabulary import FIELD_SIZES, Kind

NOTE, BAR = int(Kind.NOTE), int(Kind.BAR)
START = [int(Kind.BOS), 0, 0, 0, 0]


def work(*rows):
    return Events.of([START, *rows]).array


def test_knowing_nothing_costs_the_log_of_every_field_an_event():
    held = work([BAR, 0, 5, 0, 0], [NOTE, 3, 9, 3, 3], [NOTE, 4, 9, 3, 3])
    each = sum(math.log2(size) for size in FIELD_SIZES)
    assert uniform_bits_per_note([held]) == pytest.approx(3 * each / 2)


def test_counts_give_the_entropy_worked_out_by_hand():
    train = work(*[[NOTE, 3, 9, 3, 3]] * 3)
    held = work([NOTE, 3, 9, 3, 3])
    by_hand = sum(-math.log2((3 + 1) / (3 + size)) for size in FIELD_SIZES)
    assert unigram_bits_per_note([train], [held]) == pytest.approx(by_hand)


def test_counts_beat_knowing_nothing_where_the_works_are_alike():
    rows = [[NOTE, 3 + i % 4, 9 + i % 7, 5, 10] for i in range(200)]
    assert unigram_bits_per_note([work(*rows)], [work(*rows)]) < uniform_bits_per_note(
        [work(*rows)]
    )


def test_works_without_notes_are_refused():
    with pytest.raises(HouseError, match="no note"):
        uniform_bits_per_note([work([BAR, 0, 5, 0, 0])])
