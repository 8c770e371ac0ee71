"""Relatives: works that share a fifth of their shingles, and what joins them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.likeness import relatives
from gen.likeness.relatives import related_groups


def test_relatives_of_relatives_are_relatives():
    sets = [np.arange(10), np.arange(8, 18), np.arange(16, 26)]
    assert related_groups(sets) == {0: [0, 1, 2]}
    assert related_groups([sets[0], sets[2], sets[1]]) == {0: [0, 1, 2]}


@pytest.mark.parametrize(("shared", "together"), [(1, False), (2, True)])
def test_a_fifth_of_the_smaller_work_makes_a_relative(shared, together):
    sets = [np.arange(100), np.arange(100 - shared, 110 - shared)]
    assert (len(related_groups(sets)) == 1) == together


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 60), st.integers(0, 5))
def test_relatives_are_those_that_a_comparison_of_every_pair_finds(seed, works, names, common):
    """Also where many works hold the same shingles, which are passed over at first."""
    rng = np.random.default_rng(seed)
    sets = [np.unique(rng.integers(0, names, rng.integers(0, 12))) for _ in range(works)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relatives, "COMMON", common)
        found = {frozenset(group) for group in related_groups(sets).values()}
    groups = [{index} for index in range(works)]
    for a, b in itertools.combinations(range(works), 2):
        shared = len(set(sets[a].tolist()) & set(sets[b].tolist()))
        if shared and shared >= relatives.RELATED * min(len(sets[a]), len(sets[b])):
            joined = [group for group in groups if a in group or b in group]
            groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    assert found == {frozenset(group) for group in groups}
