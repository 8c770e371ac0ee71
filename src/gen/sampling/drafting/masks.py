"""Masks that hang from nothing but the vocabulary: ids of a field, as truth values. V ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import SPANS, WORDS, Kind
from gen.tokens.word_ids import chord_of

Mask = NDArray[np.bool_]
"""Of each id of a field: whether it may stand there. (V,)."""

LEGAL = v.legal_words()


def span(size: int, first: int, last: int | None = None) -> Mask:
    """A mask of the ids `first` to `last`, or of `first` alone."""
    mask = np.zeros(size, dtype=np.bool_)
    mask[first : (first if last is None else last) + 1] = True
    return mask


def steps_mask(first: int, stop: int) -> Mask:
    """Positions of these steps of a bar. (V,)."""
    return span(v.FIELD_SIZES[v.POSITION], WORDS.position.id(first), WORDS.position.id(stop - 1))


def legal(field_after_kind: int, kind: Kind) -> Mask:
    """Ids that a field of a row of this kind may take wherever it stands."""
    mask: Mask = LEGAL[field_after_kind][kind]
    return mask


def lengths(room: int) -> Mask:
    """Durations of at most so many grid steps. (V,)."""
    return LENGTHS[v.DURATIONS.searchsorted(room, side="right")]


def _lengths() -> list[Mask]:
    """For each number of listed durations from the shortest: a mask of their ids."""
    masks = np.tile(LEGAL[2][Kind.NOTE], (len(v.DURATIONS) + 1, 1))
    for count, mask in enumerate(masks):
        mask[WORDS.duration.id(count) :] = False
    return list(masks)


def _tones() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By value id of a chord: its tones and its root among the pitches, (V, V); drums stay."""
    size = v.FIELD_SIZES[v.VALUE]
    tones = np.ones((size, size), dtype=np.bool_)
    roots = np.ones((size, size), dtype=np.bool_)
    pitches = np.arange(128)
    for number in SPANS["chord"]:
        if chord := chord_of(number):
            pitch_ids = slice(SPANS["pitch"].start, SPANS["pitch"].stop)
            tones[number, pitch_ids] = np.isin(pitches % 12, chord.pitch_classes)
            roots[number, pitch_ids] = pitches % 12 == chord.root
    return tones, roots


def _timings() -> list[NDArray[np.bool_]]:
    """For each field of timing: (kinds, V), what each kind has in music that is played."""
    masks = [mask.copy() for mask in timing.legal_words()]
    for mask in masks:
        mask[Kind.NOTE, 0] = False
    for mask in masks[:-1]:  # a pedal has no touch
        mask[Kind.PEDAL, 0] = False
    return masks


LENGTHS = _lengths()
TIMINGS = _timings()
CHORD_TONES, CHORD_ROOT = _tones()
