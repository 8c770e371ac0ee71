"""Which works are related: arrangements of one theme, near-duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gen.likeness.voices import Hashes

RELATED = 0.2
"""Share of the smaller work's melodic shingles found in the larger that makes two related."""
COMMON = 100
"""A shingle of more works, such as a scale, tells little of who is related."""


def related_groups(sets: Sequence[Hashes]) -> dict[int, list[int]]:
    """Put works that share enough shingles together. First member -> all members."""
    parent = list(range(len(sets)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for a, b in _related_pairs(sets):
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    groups: dict[int, list[int]] = {}
    for index in range(len(sets)):
        groups.setdefault(root(index), []).append(index)
    return groups


def _related_pairs(sets: Sequence[Hashes]) -> Iterator[tuple[int, int]]:
    """Pairs of which the larger has `RELATED` of the smaller one's shingles.

    Of a work's common shingles some are passed over, few enough that a relative shares others too:
    what is counted first is short, and few pairs are left to be compared in full. (The idea is
    prefix filtering: Chaudhuri, Ganti & Kaushik 2006, doi:10.1109/ICDE.2006.9.)
    """
    sizes = np.array([len(own) for own in sets], dtype=np.int64)
    if not sizes.sum():
        return
    found, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)[1:]
    names = np.split(found.astype(np.int32), np.cumsum(sizes)[:-1])
    owner = np.repeat(np.arange(len(sets), dtype=np.int32), sizes)
    holders, ends = owner[np.argsort(found, kind="stable")], np.cumsum(counts)
    for index, own in enumerate(names):
        least = RELATED * len(own)
        common = int((counts[own] > COMMON).sum())
        passed = min(common, int(least / 2))
        telling = own[np.argsort(counts[own], kind="stable")][: len(own) - passed]
        if not len(telling):
            continue
        spans = zip(ends[telling].tolist(), counts[telling].tolist(), strict=True)
        shared = np.bincount(np.concatenate([holders[end - n : end] for end, n in spans]))
        shared[index] = 0
        alike = (shared > 0) & (shared + passed >= least) & (sizes[: len(shared)] >= len(own))
        for other in np.flatnonzero(alike):
            if len(np.intersect1d(own, names[other], assume_unique=True)) >= least:
                yield index, int(other)
