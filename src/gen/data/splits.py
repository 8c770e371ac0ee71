"""Which work is for training, validation and test: by work, by hash, relatives together.

A group of related works (arrangements of one theme, near-duplicates) stands on one side, and
stays there as the corpus grows: its place is the hash of its earliest member.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gen.errors import SettingError
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import SPANS, Kind

Split = Literal["train", "validation", "test"]
Shingles = NDArray[np.int64] | NDArray[np.uint64]
"""A set: ascending, none twice."""
SHINGLE = 6
RELATED = 0.2
"""Share of the smaller work's melodic shingles found in the larger that makes two related."""
COMMON = 100
"""A shingle of more works, such as a scale, tells little of who is related."""


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Shares of the groups kept out of training, each in [0, 0.5]."""

    validation: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) <= 0.5:
                raise SettingError(f"{getattr(self, name)} is outside [0, 0.5]", where=name)


def split(
    works: Sequence[str], melodies: Sequence[Shingles], config: SplitConfig
) -> dict[Split, list[int]]:
    """Deal works to the three sides.

    Args:
        works: identity of each, in the order of the register.
        melodies: `shingles` of each.
        config: the shares.

    Returns:
        Indices into `works` for each side, ascending. In a small corpus no side is empty that
        was wanted, and training comes first.
    """
    groups = related_groups(melodies)
    places = {first: _place(works[first], config.seed) for first in groups}
    ordered = sorted(groups, key=places.__getitem__)
    tests = _quota(places, ordered, config.test, config.test)
    rest = ordered[tests:]
    checks = _quota(places, rest, config.validation, config.test + config.validation)
    firsts: dict[Split, list[int]] = {
        "train": rest[checks:], "validation": rest[:checks], "test": ordered[:tests],
    }  # fmt: skip
    return {
        side: sorted(i for first in chosen for i in groups[first])
        for side, chosen in firsts.items()
    }


def _quota(places: dict[int, float], ordered: list[int], share: float, limit: float) -> int:
    """How many groups, in order of place, go to a side: those whose place is below `limit`.

    At least one where any is wanted, at most twice the share, and one is left over: only in
    a corpus of few groups do these bounds move a group to another side as others are added.
    """
    below = sum(places[first] < limit for first in ordered)
    most = min(math.ceil(2 * share * len(places)), len(ordered) - 1)
    return max(min(below, most), min(1, most))


def _place(identity: str, seed: int) -> float:
    """A number in [0, 1) that follows from the identity alone."""
    digest = hashlib.sha256(f"{seed}:{identity}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def shingles(events: NDArray[np.int16]) -> NDArray[np.int64]:
    """The runs of six intervals in the top line of each melodic track, each as one number.

    Transposition and rhythm do not matter; repeated notes are left out.
    """
    kinds, values = events[:, v.KIND], events[:, v.VALUE].astype(np.int64)
    cell = np.maximum.accumulate(np.where(kinds == Kind.CELL, np.arange(len(events)), -1))
    pitched = (values >= SPANS["pitch"].start) & (values < SPANS["pitch"].stop)
    notes = np.flatnonzero((kinds == Kind.NOTE) & pitched)
    place = np.stack([cell[notes], events[notes, v.POSITION]])
    is_top = np.ones(len(notes), dtype=np.bool_)  # notes of one onset ascend: the last is the top
    is_top[:-1] = (place[:, 1:] != place[:, :-1]).any(0)
    top = notes[is_top]
    slot = values[cell[top]]
    order = np.argsort(slot, kind="stable")
    line, slot = values[top[order]], slot[order]
    steps, inside = np.diff(line), slot[1:] == slot[:-1]
    moving = inside & (steps != 0)
    steps, slot = steps[moving], slot[1:][moving]
    count = max(len(steps) - SHINGLE + 1, 0)
    runs = np.zeros(count, dtype=np.int64)
    for index in range(SHINGLE):
        runs = runs * 256 + steps[index : index + count] + 128
    whole = slot[:count] == slot[SHINGLE - 1 : SHINGLE - 1 + count]
    return np.unique(runs[whole])


def related_groups(sets: Sequence[Shingles]) -> dict[int, list[int]]:
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


def _related_pairs(sets: Sequence[Shingles]) -> Iterator[tuple[int, int]]:
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
