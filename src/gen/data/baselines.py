"""What a model is worth beside none: bits per note of models that know nothing, or only counts.

Definition: the negative log-likelihood of all events of the held-out works in bits, divided by
the number of their notes; the same events and the same notes as for a trained model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import Kind

Events = NDArray[np.int16]


def uniform_bits_per_note(held_out: Sequence[Events]) -> float:
    """Every id of every field equally likely: an untrained model.

    Args:
        held_out: events (T, 5) of each work; the first event of a work is given, not predicted.

    Raises:
        HouseError: no note to count by.
    """
    bits = sum(math.log2(size) for size in v.FIELD_SIZES)
    return bits * sum(len(events) - 1 for events in held_out) / _notes(held_out)


def unigram_bits_per_note(train: Sequence[Events], held_out: Sequence[Events]) -> float:
    """Every field drawn by how often its ids occur in training, one added to each count.

    Args:
        train: events (T, 5) of each training work.
        held_out: events (T, 5) of each held-out work; the first event is given.

    Raises:
        HouseError: no note to count by.
    """
    total = 0.0
    for field, size in enumerate(v.FIELD_SIZES):
        counts = np.ones(size)
        for events in train:
            counts += np.bincount(events[1:, field], minlength=size)
        surprise = -np.log2(counts / counts.sum())
        total += sum(float(surprise[events[1:, field]].sum()) for events in held_out)
    return total / _notes(held_out)


def _notes(works: Sequence[Events]) -> int:
    notes = sum(int((events[:, v.KIND] == Kind.NOTE).sum()) for events in works)
    if not notes:
        raise HouseError("the held-out works hold no note", mend="hold out other works")
    return notes
