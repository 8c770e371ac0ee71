from __future__ import annotations

import numpy as np
import pytest

from gen.data.augment import transposed
from gen.data.splits import SplitConfig, shingles, split
from gen.errors import SettingError
from gen.likeness.relatives import related_groups
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


def test_folds_are_each_once_for_validation_and_never_touch_the_test_works():
    dealt = [dealt_to(WORKS, SplitConfig(folds=5, fold=fold)) for fold in range(5)]
    assert len({tuple(each["test"]) for each in dealt}) == 1
    parts = [set(each["validation"]) for each in dealt]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 120 - len(dealt[0]["test"])
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(set(each["train"]).isdisjoint(each["validation"]) for each in dealt)


@pytest.mark.parametrize(
    "wrong", [{"folds": 1}, {"folds": 5, "fold": 5}, {"fold": 1}, {"fold": -1}]
)
def test_folds_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingError):
        SplitConfig(**wrong)


def test_what_a_base_was_kept_from_is_learned_where_there_is_nothing_else():
    works = [f"work {n}" for n in range(8)]
    melodies = [np.array([n], dtype=np.uint64) for n in range(8)]
    base = dict.fromkeys(works, "test")
    assert split(works, melodies, SplitConfig(), base) == split(works, melodies, SplitConfig())
    found = split(works, melodies, SplitConfig(validation=0.0), {**base, works[3]: "train"})
    assert (found["train"], found["validation"]) == ([3], [])
