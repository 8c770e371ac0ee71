"""What a model is worth beside none: bits per note of models that know nothing, or only counts.

Definition: the negative log-likelihood of all events of the held-out works in bits, divided by
the number of their notes; the same events and the same notes as for a trained model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.vocabulary import Kind


def uniform_bits_per_note(held_out: Iterable[Events]) -> float:
    """Every id of every field equally likely: an untrained model.

    Args:
        held_out: events of each work; the first event of a work is given, not predicted.

    Raises:
        HouseError: no note to count by.
    """
    counts, notes = _counted(held_out)
    return float(sum(math.log2(len(of)) * of.sum() for of in counts)) / notes


def unigram_bits_per_note(train: Iterable[Events], held_out: Iterable[Events]) -> float:
    """Every field drawn by how often its ids occur in training, one added to each count.

    Args:
        train: events of each training work.
        held_out: events of each held-out work; the first event is given.

    Raises:
        HouseError: no note to count by.
    """
    counted = [of + 1 for of in _counts(train)]
    wanted, notes = _counted(held_out)
    bits = [-np.log2(of / of.sum()) @ here for of, here in zip(counted, wanted, strict=True)]
    return float(sum(bits)) / notes


def _counts(works: Iterable[Events]) -> list[NDArray[np.float64]]:
    """How often each id of each field occurs after the first event, (ids,) for each field."""
    counts = [np.zeros(size) for size in v.FIELD_SIZES]
    for events in works:
        for of, ids in zip(counts, events.array[1:].T, strict=True):
            of += np.bincount(ids, minlength=len(of))
    return counts


def _counted(held_out: Iterable[Events]) -> tuple[list[NDArray[np.float64]], int]:
    counts = _counts(held_out)
    notes = int(counts[v.KIND][Kind.NOTE])
    if not notes:
        raise HouseError("the held-out works hold no note", mend="hold out other works")
    return counts, notes
