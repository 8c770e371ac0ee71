from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.data import splits
from gen.data.splits import SplitConfig, related_groups, shingles, split
from gen.data.windows import transposed
from gen.errors import SettingError
from gen.piece import Note, Piece, Track
from music import Theme, events_of

SIDES = ("train", "validation", "test")


def dealt_to(works, config):
    return split([name for name, _ in works], [shingles(events) for _, events in works], config)


def tunes(count: int) -> list[tuple[str, np.ndarray]]:
    """Works that have nothing in common."""
    rng = np.random.default_rng(9)
    return [(f"work-{i}", tune(rng.integers(40, 90, 24).tolist())) for i in range(count)]


def tune(pitches: list[int], *, steps: int = 6) -> np.ndarray:
    notes = [Note(i * steps * 40, steps * 40, pitch, 83) for i, pitch in enumerate(pitches)]
    return events_of(Piece(480, [Track(notes=notes)]))


def sides_of(works, config=SplitConfig()) -> dict[str, str]:  # noqa: B008 - frozen
    dealt = dealt_to(works, config)
    return {works[i][0]: side for side in SIDES for i in dealt[side]}


WORKS = tunes(120)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 20, 120])
def test_every_work_is_on_exactly_one_side(count):
    dealt = dealt_to(WORKS[:count], SplitConfig())
    assert sorted(i for side in SIDES for i in dealt[side]) == list(range(count))
    assert all(dealt[side] == sorted(dealt[side]) for side in SIDES)


def test_shares_are_about_what_was_asked():
    dealt = dealt_to(WORKS, SplitConfig(validation=0.2, test=0.1))
    assert 14 <= len(dealt["validation"]) <= 34
    assert 5 <= len(dealt["test"]) <= 20


def test_nothing_is_kept_out_where_nothing_is_asked_to_be():
    dealt = dealt_to(WORKS[:10], SplitConfig(validation=0, test=0))
    assert len(dealt["train"]) == 10


@pytest.mark.parametrize("seed", range(8))
def test_a_small_corpus_has_all_sides_and_most_of_it_for_training(seed):
    dealt = dealt_to(WORKS[:8], SplitConfig(seed=seed))
    assert min(len(dealt[side]) for side in SIDES) >= 1
    assert len(dealt["train"]) >= 4


def test_a_single_work_is_for_training():
    assert dealt_to(WORKS[:1], SplitConfig())["train"] == [0]


@pytest.mark.parametrize("seed", range(5))
def test_a_work_stays_on_its_side_as_the_corpus_grows(seed):
    config = SplitConfig(seed=seed)
    at_last = sides_of(WORKS, config)
    for count in range(60, 120, 6):
        now = sides_of(WORKS[:count], config)
        assert all(at_last[name] == side for name, side in now.items())


def test_another_seed_deals_otherwise():
    assert sides_of(WORKS, SplitConfig(seed=1)) != sides_of(WORKS, SplitConfig(seed=2))


def test_sides_follow_from_names_and_not_from_order_of_unrelated_works():
    assert sides_of(WORKS[::-1]) == sides_of(WORKS)


def test_relatives_stand_on_one_side_wherever_the_first_stands():
    family = [(f"cousin-{i}", events) for i, (_, events) in enumerate(WORKS[:40])]
    sides = sides_of([*WORKS, *family])
    assert {sides[f"work-{i}"] == sides[f"cousin-{i}"] for i in range(40)} == {True}
    assert len({sides[f"cousin-{i}"] for i in range(40)}) == 3


@pytest.mark.parametrize("semitones", [-5, 7])
def test_a_transposed_copy_is_a_relative(semitones):
    events = Theme(3).events()
    groups = related_groups([shingles(e) for e in (events, transposed(events, semitones))])
    assert groups == {0: [0, 1]}
    assert np.array_equal(shingles(transposed(events, semitones)), shingles(events))


def test_another_rhythm_and_repeated_notes_leave_a_copy_a_relative():
    line = [60, 64, 62, 67, 65, 71, 69, 60, 62]
    doubled = [pitch for pitch in line for _ in range(2)]
    for other in (tune(line, steps=7), tune(doubled)):
        assert np.array_equal(shingles(other), shingles(tune(line)))
    assert len(shingles(tune(line))) == 3


def test_a_part_of_a_work_is_its_relative():
    pitches = np.random.default_rng(0).integers(40, 90, 60).tolist()
    groups = related_groups([shingles(tune(pitches)), shingles(tune(pitches[20:36]))])
    assert groups == {0: [0, 1]}


def test_works_with_nothing_in_common_are_no_relatives():
    assert len(related_groups([shingles(events) for _, events in WORKS])) == len(WORKS)


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
        patch.setattr(splits, "COMMON", common)
        found = {frozenset(group) for group in related_groups(sets).values()}
    groups = [{index} for index in range(works)]
    for a, b in itertools.combinations(range(works), 2):
        shared = len(set(sets[a].tolist()) & set(sets[b].tolist()))
        if shared and shared >= splits.RELATED * min(len(sets[a]), len(sets[b])):
            joined = [group for group in groups if a in group or b in group]
            groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    assert found == {frozenset(group) for group in groups}


def test_only_the_top_line_of_each_melodic_track_counts():
    line = [60, 64, 62, 67, 65, 71, 69, 60]
    chords = [Note(i * 480, 480, p - k, 83) for i, p in enumerate(line) for k in (0, 5)]
    drums = [Note(i * 480, 480, 30 + i * i % 7, 83) for i in range(20)]
    piece = Piece(480, [Track(notes=chords), Track(is_drum=True, notes=drums)])
    assert np.array_equal(shingles(events_of(piece)), shingles(tune(line)))
    assert not len(shingles(events_of(Piece(480, piece.tracks[1:]))))


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_share_outside_its_range_is_refused_by_name(name):
    with pytest.raises(SettingError, match=f"^{name}: 0.6 is outside"):
        SplitConfig(**{name: 0.6})
