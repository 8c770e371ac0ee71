"""Music off the grid: three more fields of a row, for works that were played in.

A house that learns `timing=played` has eight fields a row instead of five. Onsets, lengths and
velocities stay on the grid in the first five; what a player did beside it stands in three more:

=========  ==========================================================================
field      holds
=========  ==========================================================================
onset      how early or late a note or pedal begins, in ninths of a grid step
release    how early or late it ends, in fifths of a grid step
touch      how much softer or louder a note is than its velocity class, in MIDI's steps
=========  ==========================================================================

A work that stands on the grid has none of the three: they are absent, id 0, in all its rows, and
come back as they do without them. Whether a work is played is said beforehand, in the `onset` of
its BOS, which is given and never predicted.

An odd number of parts a step keeps every word inside its step, so that what is written is read
back as the same words. A ninth of a step is 4.6 ms at 120 quarters a minute: no onset is off by
more than 2.3 ms, half of what listeners notice in a regular rhythm (6 ms: Friberg & Sundberg
1995, doi:10.1121/1.413218).
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.tokens import vocabulary as v
from gen.tokens.choice import GRID as GRID
from gen.tokens.choice import PLAYED as PLAYED
from gen.tokens.vocabulary import Kind, Words

STRAIGHT = "straight"
"""Beside `GRID`, rows of five fields, and `PLAYED`, rows of eight: rows of eight without timing."""

FIELDS: Final = (*v.FIELDS, "onset", "release", "touch")
ONSET, RELEASE, TOUCH = range(len(v.FIELDS), len(FIELDS))

ONSET_PARTS: Final = 9
RELEASE_PARTS: Final = 5
"""Parts of a grid step, both odd."""

EARLIEST, LATEST = -4, 4
"""Ninths of a step: what is further off has another step."""
SHORTEST, LONGEST = -7, 2
"""Fifths of a step; more than two before its step ends only what lasts one step, or less."""
SOFTEST, LOUDEST = -2, 2
"""MIDI velocities beside those of `vocabulary.VELOCITIES`, which are four apart."""

_WORDS: Final = (
    ["Timing_Played", *(f"Onset_{i}" for i in range(EARLIEST, LATEST + 1))],
    [f"Release_{i}" for i in range(SHORTEST, LONGEST + 1)],
    [f"Touch_{i}" for i in range(SOFTEST, LOUDEST + 1)],
)
_FIRST: Final = len(v.SPECIALS)
MARK: Final = _FIRST
"""Id of the `onset` field in the BOS of what is played."""

ONSETS: Final = Words(MARK + 1, MARK + 1 + LATEST - EARLIEST + 1)
RELEASES: Final = Words(_FIRST, _FIRST + LONGEST - SHORTEST + 1)
TOUCHES: Final = Words(_FIRST, _FIRST + LOUDEST - SOFTEST + 1)
_OF: Final = (ONSETS, RELEASES, TOUCHES)
_LOWEST: Final = (EARLIEST, SHORTEST, SOFTEST)

FIELD_SIZES: Final = (*v.FIELD_SIZES, *(_FIRST + len(words) for words in _WORDS))
TIMED: Final = frozenset({Kind.NOTE, Kind.PEDAL})
"""Kinds that have an onset and a release of their own."""


def words() -> list[list[str]]:
    """All words, one list a field in the order of `FIELDS`, special tokens left out."""
    return [*v.words(), *map(list, _WORDS)]


@cache
def fingerprint() -> str:
    """SHA-256 of the grid's fingerprint and the words of the three fields."""
    text = "\n".join([v.fingerprint(), *(word for group in _WORDS for word in group)])
    return hashlib.sha256(text.encode()).hexdigest()


def ids_of(field: int, offset: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ids of offsets in one of the three fields; what is out of reach is brought within it."""
    number, group = field - ONSET, _OF[field - ONSET]
    return group.id(np.clip(offset - _LOWEST[number], 0, len(group) - 1))


def offset_of(field: int, word_id: int) -> int:
    """What an id says in one of the three fields; 0 where it is absent."""
    number = field - ONSET
    return _OF[number].number(word_id) + _LOWEST[number] if word_id else 0


def moved(
    onset_ticks: int, length_ticks: int, onset_id: int, release_id: int, ticks_per_step: int
) -> tuple[int, int]:
    """Onset and length of what stands on the grid as it is played: never before the beginning.

    Args:
        onset_ticks: on the grid.
        length_ticks: on the grid.
        onset_id: of the field `onset`.
        release_id: of the field `release`.
        ticks_per_step: of the grid.
    """
    begin = onset_ticks + round(offset_of(ONSET, onset_id) * ticks_per_step / ONSET_PARTS)
    late = offset_of(RELEASE, release_id) * ticks_per_step // RELEASE_PARTS
    begin, shortest = max(begin, 0), ticks_per_step // RELEASE_PARTS
    return begin, max(onset_ticks + length_ticks + late - begin, shortest)


def zero(field: int) -> int:
    """The id that says in one of the three fields that nothing is off."""
    return _OF[field - ONSET].id(-_LOWEST[field - ONSET])


@cache
def legal_words() -> list[NDArray[np.bool_]]:
    """For each of the three fields: (kinds, field size), which ids each kind may carry."""
    masks = [np.zeros((len(Kind), size), dtype=np.bool_) for size in FIELD_SIZES[ONSET:]]
    for mask, group, kinds in zip(masks, _OF, (TIMED, TIMED, {Kind.NOTE}), strict=True):
        mask[:, 0] = True
        mask[[int(kind) for kind in kinds], group.start : group.stop] = True
    masks[0][Kind.BOS, MARK] = True
    return masks
