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
from gen.tokens.tokenization import HOUSE_EVENTS, Ids, Tokenization


def uniform_bits_per_note(
    held_out: Iterable[Ids], tokenization: Tokenization = HOUSE_EVENTS
) -> float:
    """Every id of every field equally likely: an untrained model.

    Args:
        held_out: rows of each work; the first row of a work is given, not predicted.
        tokenization: that they are written in.

    Raises:
        HouseError: no note to count by.
    """
    counts, notes = _counted(held_out, tokenization)
    return float(sum(math.log2(len(of)) * of.sum() for of in counts)) / notes


def unigram_bits_per_note(
    train: Iterable[Ids], held_out: Iterable[Ids], tokenization: Tokenization = HOUSE_EVENTS
) -> float:
    """Every field drawn by how often its ids occur in training, one added to each count.

    Args:
        train: rows of each training work.
        held_out: rows of each held-out work; the first row is given.
        tokenization: that they are written in.

    Raises:
        HouseError: no note to count by.
    """
    counted = [of + 1 for of in _counts(train, tokenization)]
    wanted, notes = _counted(held_out, tokenization)
    bits = [-np.log2(of / of.sum()) @ here for of, here in zip(counted, wanted, strict=True)]
    return float(sum(bits)) / notes


def _counts(works: Iterable[Ids], tokenization: Tokenization) -> list[NDArray[np.float64]]:
    """How often each id of each field occurs after the first row, (ids,) for each field."""
    counts = [np.zeros(size) for size in tokenization.field_sizes]
    for rows in works:
        for of, ids in zip(counts, rows[1:].T, strict=True):
            of += np.bincount(ids, minlength=len(of))
    return counts


def _counted(
    held_out: Iterable[Ids], tokenization: Tokenization
) -> tuple[list[NDArray[np.float64]], int]:
    counts = _counts(held_out, tokenization)
    notes = int(counts[0] @ tokenization.notes)
    if not notes:
        raise HouseError("the held-out works hold no note", mend="hold out other works")
    return counts, notes
