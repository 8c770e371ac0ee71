"""Sketches: an estimate of Jaccard similarity that misses next to nothing and stays small."""

from __future__ import annotations

import numpy as np

from gen.provenance.sketches import Sketches, sketch
from gen.provenance.voices import Hashes


def pair(shared: int, size: int, rng: np.random.Generator) -> tuple[Hashes, Hashes]:
    """Two sets of `size` shingles with `shared` in common."""
    drawn = rng.integers(0, 2**64, 2 * size - shared, dtype=np.uint64)
    return drawn[:size], drawn[size - shared :]


def test_equal_bytes_estimate_the_jaccard_similarity_without_bias() -> None:
    rng = np.random.default_rng(7)
    for shared in (0, 40, 130, 300):
        similarity = shared / (800 - shared)
        pairs = [pair(shared, 400, rng) for _ in range(60)]
        told = np.mean([(sketch(one) == sketch(other)).mean() for one, other in pairs])
        by_chance = (1 - similarity) / 256
        deviation = np.sqrt(max(similarity, by_chance) / 128 / 60)
        assert abs(told - similarity - by_chance) < 4 * deviation


def test_pairs_of_the_asked_similarity_are_found_and_unrelated_ones_left_out() -> None:
    rng = np.random.default_rng(8)
    kept, news = Sketches(), []
    for _ in range(300):
        one, other = pair(134, 402, rng)  # Jaccard 0.2
        kept.add(sketch(one))
        news.append(sketch(other))
    found = [kept.alike(new, 0.2) for new in news]
    assert sum(number in numbers for number, numbers in enumerate(found)) >= 297
    assert sum(len(numbers) for numbers in found) < 310


def test_a_set_finds_itself_however_many_were_added_before() -> None:
    rng = np.random.default_rng(9)
    sets = [rng.integers(0, 2**64, 5, dtype=np.uint64) for _ in range(200)]
    kept = Sketches()
    for shingles in sets:
        kept.add(sketch(shingles))
    assert [kept.alike(sketch(shingles), 1.0).tolist() for shingles in sets] == [
        [number] for number in range(200)
    ]


def test_an_empty_set_is_like_no_other() -> None:
    kept = Sketches()
    kept.add(sketch(np.arange(400, dtype=np.uint64)))
    assert kept.alike(sketch(np.zeros(0, dtype=np.uint64)), 0.2).tolist() == []
