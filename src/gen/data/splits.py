"""Which work is for training, validation and test: by work, by hash, relatives together.

A group of related works (arrangements of one theme, near-duplicates) stands on one side, and
stays there as the corpus grows: its place is the hash of its earliest member.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gen.errors import SettingError
from gen.likeness.relatives import related_groups
from gen.likeness.voices import Hashes, shingles_of_lines
from gen.tokens.events import Events

Split = Literal["train", "validation", "test"]
"""A side of the split."""
MOST_LEARNED: tuple[Split, ...] = ("train", "validation", "test")
"""The sides, from what a model knows best on."""


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Which groups are kept out of training.

    Args:
        validation: share that chooses the best checkpoint, in [0, 0.5].
        test: share kept for evaluation, in [0, 0.5].
        seed: of the places.
        folds: into how many parts the groups that are not for test are cut, each of which is once
            for validation, whatever its share; None for no folds.
        fold: which part that is now, from 0 on.
    """

    validation: float = 0.1
    test: float = 0.1
    seed: int = 0
    folds: int | None = None
    fold: int = 0

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) <= 0.5:
                raise SettingError(f"{getattr(self, name)} is outside [0, 0.5]", where=name)
        if self.folds is not None and self.folds < 2:
            raise SettingError(f"{self.folds} folds", where="data.split.folds",
                mend="from 2 on; null for none")  # fmt: skip
        if not 0 <= self.fold < (self.folds or 1):
            raise SettingError(
                f"there is no fold {self.fold}", where="data.split.fold",
                mend=f"0 to {self.folds - 1}" if self.folds else "set data.split.folds, too",
            )  # fmt: skip


def split(
    works: Sequence[str],
    melodies: Sequence[Hashes],
    config: SplitConfig,
    base: Mapping[str, str] | None = None,
) -> dict[Split, list[int]]:
    """Deal works to the three sides.

    Args:
        works: identity of each, in the order of the register.
        melodies: `shingles` of each.
        config: the shares.
        base: on which side of its split the model that is begun with had works; what it has
            learned is no work held out, and what it was kept from stays so. Where it has learned
            all, some are for validation nevertheless: none is for test.

    Returns:
        Indices into `works` for each side, ascending. In a small corpus no side is empty that
        was wanted, and training comes first; only what a base has learned may empty one.
    """
    groups = related_groups(melodies)
    known = _known(works, groups, base or {})
    places = {first: _place(works[first], config.seed) for first in groups if first not in known}
    ordered = sorted(places, key=places.__getitem__)
    tests = _quota(places, ordered, config.test, config.test)
    rest = ordered[tests:]
    if config.folds:
        start, stop = (len(rest) * (config.fold + i) // config.folds for i in (0, 1))
    else:
        start, stop = 0, _quota(places, rest, config.validation, config.test + config.validation)
    firsts: dict[Split, list[int]] = {
        "train": rest[:start] + rest[stop:],
        "validation": rest[start:stop],
        "test": ordered[:tests],
    }
    for first, side in known.items():
        firsts[side].append(first)
    if known and not firsts["train"]:  # a base has learned none of them: any split is fair
        return split(works, melodies, config)
    if known and config.validation and not firsts["validation"]:
        _choose_by_what_is_known(firsts, works, config)
    return {
        side: sorted(i for first in chosen for i in groups[first])
        for side, chosen in firsts.items()
    }


def _choose_by_what_is_known(
    firsts: dict[Split, list[int]], works: Sequence[str], config: SplitConfig
) -> None:
    """Where a base has learned all there is, the best checkpoint is chosen by some of it."""
    places = {first: _place(works[first], config.seed) for first in firsts["train"]}
    ordered = sorted(places, key=places.__getitem__)
    count = _quota(places, ordered, config.validation, config.validation)
    firsts["validation"], firsts["train"] = ordered[:count], ordered[count:]


def _known(
    works: Sequence[str], groups: Mapping[int, Sequence[int]], base: Mapping[str, str]
) -> dict[int, Split]:
    """The side of each group that a base knows: of its members' the most learned."""
    found: dict[int, Split] = {}
    for first, members in groups.items():
        sides = {base[works[i]] for i in members if works[i] in base}
        if sides:
            found[first] = next(side for side in MOST_LEARNED if side in sides)
    return found


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


def shingles(events: Events) -> Hashes:
    """The melodic shingles of a work: those of the top line of each pitched track."""
    notes = np.flatnonzero(events.is_pitched)
    place = np.stack([events.cell[notes], events.position[notes]])
    is_top = np.ones(len(notes), dtype=np.bool_)  # notes of one onset ascend: the last is the top
    is_top[:-1] = (place[:, 1:] != place[:, :-1]).any(0)
    top = notes[is_top]
    track, pitch = events.track[top], events.number[top]
    return shingles_of_lines(pitch[track == each] for each in np.unique(track))
