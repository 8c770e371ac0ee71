"""Every meter is written in bars that the model knows, and as it stands where it knows it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gen.meter import SIGNATURES, bar_steps, signature_of, write_bars

numerators, denominators = st.integers(1, 64), st.sampled_from((1, 2, 4, 8, 16, 32, 64))
changes = st.dictionaries(
    st.integers(0, 1_500), st.tuples(numerators, denominators), max_size=5
).map(lambda found: [(step, *found[step]) for step in sorted(found)])


@given(changes, st.integers(1, 2_000))
def test_bars_follow_one_another_and_each_has_a_signature_that_the_model_knows(found, end) -> None:
    bars = write_bars(found, end)
    ends = [start + bar_steps(n, d) for start, n, d in bars]
    assert [start for start, _, _ in bars] == [0, *ends[:-1]]
    assert ends[-1] - bar_steps(*bars[-1][1:]) < end <= ends[-1]
    assert {(n, d) for _, n, d in bars} <= set(SIGNATURES)


@given(changes)
def test_a_change_begins_a_bar_within_two_steps_of_where_it_stands(found) -> None:
    lines = {start for start, _, _ in write_bars(found, 2_000)}
    for (step, _, _), (following, _, _) in pairwise([*found, (9_999, 4, 4)]):
        if following - step > 4:  # else the next one takes its place
            assert min(abs(line - step) for line in lines) <= 4


def test_meters_that_the_model_knows_stay_and_a_short_bar_gets_its_own() -> None:
    assert write_bars([(0, 6, 8), (36, 3, 4), (90, 5, 8)], 130) == [
        (0, 6, 8), (36, 3, 4), (72, 3, 8), (90, 5, 8), (120, 5, 8),
    ]  # fmt: skip


def test_a_bar_line_moves_no_further_than_to_the_next_sixteenth() -> None:
    assert write_bars([(0, 4, 4), (62, 4, 4)], 70) == [(0, 4, 4), (48, 5, 16), (63, 4, 4)]
    assert write_bars([(0, 4, 4), (49, 3, 4)], 90) == [(0, 4, 4), (48, 3, 4), (84, 3, 4)]
    assert write_bars([(0, 4, 4), (95, 3, 4)], 97) == [(0, 4, 4), (48, 4, 4), (96, 3, 4)]


def test_long_and_odd_bars_are_divided_into_bars_of_the_same_length_together() -> None:
    assert write_bars([(0, 17, 8)], 102) == [(0, 9, 8), (54, 4, 4)]
    assert write_bars([(0, 4, 1)], 192) == [(0, 8, 4), (96, 8, 4)]
    assert write_bars([(0, 7, 32)], 21) == [(0, 7, 16)]


def test_every_length_that_signatures_have_is_named_plainly() -> None:
    lengths = {bar_steps(*signature) for signature in SIGNATURES}
    assert {steps for steps in range(200) if signature_of(steps)} == lengths
    assert (signature_of(36), signature_of(18), signature_of(14)) == ((3, 4), (3, 8), None)
