"""Sketches: an estimate of Jaccard similarity that misses next to nothing and stays small."""

from __future__ import annotations

import numpy as np
import pytest

from gen.likeness.sketches import Sketches, sketch
from gen.likeness.voices import Hashes, shingle_hashes


def pair(shared: int, size: int, rng: np.random.Generator) -> tuple[Hashes, Hashes]:
    """Two sets of `size` shingles with `shared` in common."""
    drawn = rng.integers(0, 2**64, 2 * size - shared, dtype=np.uint64)
    return np.sort(drawn[:size]), np.sort(drawn[size - shared :])


@pytest.mark.parametrize("size", [30, 400, 3_000])
def test_equal_bytes_estimate_the_jaccard_similarity_without_bias(size: int) -> None:
    rng = np.random.default_rng(7)
    for share in (0.0, 0.1, 0.33, 0.75):
        shared = round(share * size)
        similarity = shared / (2 * size - shared)
        pairs = [pair(shared, size, rng) for _ in range(200)]
        told = np.mean([(sketch(one) == sketch(other)).mean() for one, other in pairs])
        by_chance = (1 - similarity) / 256
        deviation = np.sqrt(max(similarity * (1 - similarity), by_chance) / min(size, 128) / 200)
        assert abs(told - similarity - by_chance) < 4 * deviation


@pytest.mark.parametrize(("shared", "size", "most"), [(134, 402, 330), (34, 102, 900)])
def test_pairs_of_the_asked_similarity_are_found_and_most_others_left_out(
    shared: int, size: int, most: int
) -> None:
    rng = np.random.default_rng(8)
    kept, news = Sketches(), []
    for _ in range(300):
        one, other = pair(shared, size, rng)  # Jaccard 0.2
        kept.add(one)
        news.append(other)
    found = [kept.alike(new, 0.2) for new in news]
    assert sum(number in numbers for number, numbers in enumerate(found)) >= 298
    assert sum(len(numbers) for numbers in found) < most


def test_the_shingles_of_music_tell_as_well_as_chance_does() -> None:
    rng = np.random.default_rng(9)
    gaps = []
    for _ in range(300):
        one, other = rng.choice((-5, -4, -3, -2, -2, -1, -1, 1, 1, 2, 2, 3, 4, 5, 7), (2, 300))
        other[:120] = one[:120]
        sets = [np.unique(shingle_hashes(line.astype(np.int16))) for line in (one, other)]
        shared = len(np.intersect1d(*sets))
        similarity = shared / (len(sets[0]) + len(sets[1]) - shared)
        gaps.append((sketch(sets[0]) == sketch(sets[1])).mean() - similarity - 0.75 / 256)
    assert abs(np.mean(gaps)) < 0.01
    assert np.std(gaps) < 0.045


def test_a_set_finds_itself_however_many_were_added_before() -> None:
    rng = np.random.default_rng(10)
    sets = [np.sort(rng.integers(0, 2**64, 50, dtype=np.uint64)) for _ in range(200)]
    kept = Sketches()
    for shingles in sets:
        kept.add(shingles)
    assert [kept.alike(shingles, 1.0).tolist() for shingles in sets] == [[n] for n in range(200)]


def test_a_tiny_set_is_compared_with_all_and_an_empty_one_with_none() -> None:
    kept = Sketches()
    kept.add(np.zeros(0, dtype=np.uint64))
    for first in range(2):
        kept.add(np.arange(first, first + 400, dtype=np.uint64) << np.uint64(50))
    assert kept.alike(np.array([5], dtype=np.uint64), 0.2).tolist() == [0, 1, 2]
    assert kept.alike(np.zeros(0, dtype=np.uint64), 0.2).tolist() == []
