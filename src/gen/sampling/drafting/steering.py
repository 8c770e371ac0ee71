"""What the model is nudged towards where its own odds leave it open: agreeing parts, and a home.

A *logit bias* is added to the model's scores of pitches and chords before one is drawn; nothing is
forbidden by it. V ids of the value field; S grid steps of a bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.analysis.key import KRUMHANSL_MAJOR, KRUMHANSL_MINOR
from gen.harmony import Key
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import SPANS, WORDS
from gen.tokens.word_ids import chord_of

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

Sounding = tuple[int, int, int]
"""First grid step, the step after the last, and pitch of a note."""

CLASH: Final = 3.0
"""Of a pitch a semitone beside another part's, for all of the next eighth."""
OFF_KEY: Final = 1.0
"""Of a pitch that neither the key nor the chord of the moment has."""
OFF_CHORD: Final = 0.4
"""Of a pitch that the chord of the moment has not."""
FOREIGN_CHORD: Final = 1.5
"""Of a chord with a note that the key has not."""
TONIC_CHORD: Final = 0.8
"""For the chord on the tonic."""
PROFILE: Final = 0.6
"""For the degrees of the key, by the logarithm of how well they fit it."""
PULL: Final = 1.0
"""For the notes that tell the key from the one that fits better what was heard."""
LEAD: Final = 0.1
"""By how much the correlation of the key is to be above that of any other."""
PARALLEL: Final = 8.0
"""Of a pitch that moves the outer voices of a chorale in parallel fifths or octaves."""
FORBIDDEN: Final = 30.0
"""The same by the fourth rules, so much that any other pitch is likelier."""

LATER_CLASH: Final = 3.0
"""The same for all of the next half note, in music to which a part is added."""
HELD_CLASH: Final = 1.5
"""Of a length, for each eighth of it in which the note would clash."""
FIRM_CLASH: Final = 8.0
"""Of a pitch that clashes for all of the next eighth, in music to which a part is added."""
FIRM_HELD: Final = 8
"""By how much firmer a note is kept from lasting into a clash there."""
FIRM_OFF_CHORD: Final = 2.0
"""Of a pitch that the chord of the moment has not, there by the fourth rules."""
OFF_ROOT: Final = 1.5
"""Of a pitch other than the root, in the first quarter of a chord, of a bass that is added."""
DOUBLED: Final = 0.8
"""For a pitch class that other parts sound for all of the next eighth there."""

SEMITONES: Final = (1, 11, 13)
AHEAD: Final = v.STEPS_PER_QUARTER // 2
"""Grid steps for which what else sounds is held against a note: an eighth."""
FARTHEST: Final = 8 * AHEAD
"""Grid steps after the bar for which it is held against how long a note lasts."""
LONGEST: Final = int(v.DURATIONS[-1])
"""The same in music to which a part is added: as long as any note."""
_PITCHES: Final = 128


def clashing(others: Iterable[Sounding], bar_start: int, steps: int) -> Floats:
    """1 where a pitch would clash with another part at a step, else 0. (S, 128).

    Args:
        others: notes of the other parts.
        bar_start: first grid step of the bar.
        steps: how many from there on.
    """
    near = np.zeros((steps, _PITCHES), dtype=np.float32)
    for begin, end, pitch in others:
        span = slice(max(begin - bar_start, 0), max(end - bar_start, 0))
        for distance in SEMITONES:
            if pitch >= distance:
                near[span, pitch - distance] = 1
            if pitch + distance < _PITCHES:
                near[span, pitch + distance] = 1
    return near


def soon(near: Floats, steps: int, ahead: int = AHEAD) -> Floats:
    """Of `clashing`, which is longer by `ahead` or more, the mean from each step on. (S, 128)."""
    near = near[: steps + ahead]
    sums = np.concatenate([np.zeros((1, _PITCHES), dtype=np.float32), near.cumsum(axis=0)])
    share: Floats = (sums[ahead:-1] - sums[: -ahead - 1]) / np.float32(ahead)
    return share


def held_clashes(near: Floats) -> Floats:
    """The bias of the ids of all durations of a note, by where it would clash. (ids,).

    Args:
        near: (S,) how much its pitch clashes, from its first step on.
    """
    eighths = near.cumsum()[np.minimum(v.DURATIONS, len(near)) - 1] / AHEAD
    bias = np.zeros(WORDS.duration.stop, dtype=np.float32)
    bias[WORDS.duration.start :] = -HELD_CLASH * eighths
    return bias


def doubled(others: Iterable[Sounding], bar_start: int, steps: int) -> Floats:
    """For which share of the eighth from each step on its pitch class sounds. (S, 128)."""
    sounds = np.zeros((steps + AHEAD, _PITCHES), dtype=np.float32)
    for begin, end, pitch in others:
        sounds[max(begin - bar_start, 0) : max(end - bar_start, 0), pitch % 12 :: 12] = 1
    return soon(sounds, steps)


def off_harmony(chords: Sequence[tuple[int, int]], key: int, steps: int) -> Floats:
    """The bias of each pitch at each step against the chord and the key it stands in. (S, 128).

    Args:
        chords: step of the bar from which each holds, and its value id; ascending, the first may
            begin before the bar.
        key: value id, 0 for none.
        steps: length of the bar.
    """
    return _along(chords, steps, lambda chord: _over(chord, key))


def off_chord(chords: Sequence[tuple[int, int]], steps: int) -> Floats:
    """1 for each pitch at each step that the chord of the moment has not, else 0. (S, 128).

    Args, as of `off_harmony`.
    """
    return _along(chords, steps, _foreign)


def _along(chords: Sequence[tuple[int, int]], steps: int, look: Callable[[int], Floats]) -> Floats:
    """What `look` gives for the chord of each step; for none, 0, before the first. (S, 128)."""
    found = np.empty((steps, _PITCHES), dtype=np.float32)
    for (begin, chord), (end, _) in zip([(0, 0), *chords], [*chords, (steps, 0)], strict=True):
        found[max(begin, 0) : max(end, 0)] = look(chord)
    return found


def off_root(chords: Sequence[tuple[int, int]], steps: int) -> Floats:
    """1 for each pitch but the root in the first quarter of each chord, else 0. (S, 128).

    Args, as of `off_harmony`: of the first chord, which may have begun before, where the bar does.
    """
    found = np.zeros((steps, _PITCHES), dtype=np.float32)
    for begin, value in chords:
        if chord := chord_of(value):
            first = max(begin, 0)
            found[first : first + v.STEPS_PER_QUARTER] = np.arange(_PITCHES) % 12 != chord.root
    return found


@cache
def _foreign(chord: int) -> Floats:
    """1 for each pitch that a chord has not, else 0; of one that has no notes 0. (128,)."""
    found = chord_of(chord)
    tones = found.pitch_classes if found else range(12)
    return (~np.isin(np.arange(_PITCHES) % 12, list(tones))).astype(np.float32)


@cache
def _over(chord: int, key: int) -> Floats:
    """The bias of each pitch while a chord holds; of one that has no notes, by the key. (128,)."""
    foreign = ~_scale(key)
    bias = -OFF_KEY * foreign + _profile(key)
    if found := chord_of(chord):
        tones = np.isin(np.arange(12), found.pitch_classes)
        bias = np.where(tones, 0, -OFF_CHORD - OFF_KEY * foreign) + _profile(key) / 2
    return np.resize(bias.astype(np.float32), _PITCHES)


@cache
def chord_bias(key: int) -> Floats:
    """The bias of each chord in a key: against those with notes of another. (V,)."""
    bias = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.float32)
    known = _scale(key)
    for number in SPANS["chord"]:
        if (chord := chord_of(number)) and not known[list(chord.pitch_classes)].all():
            bias[number] = -FOREIGN_CHORD
        elif key and chord and chord.root == WORDS.key.number(key) // 2:
            bias[number] = TONIC_CHORD
    return bias


@cache
def _profile(key: int) -> Floats:
    """The bias for each pitch class in a key; nothing where none is known. (12,)."""
    if not key:
        return np.zeros(12, dtype=np.float32)
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    fits = np.log(np.roll(KRUMHANSL_MINOR if is_minor else KRUMHANSL_MAJOR, tonic))
    bias: Floats = (PROFILE * (fits - fits.max())).astype(np.float32)
    return bias


def towards(key: int, heard: NDArray[np.float64]) -> Floats:
    """The bias of each pitch towards a key while another fits better what was heard. (128,).

    Args:
        key: value id, 0 for none.
        heard: how long each pitch class has sounded. (12,).
    """
    spread = heard - heard.mean()
    if not key or not spread.any():
        return np.zeros(_PITCHES, dtype=np.float32)
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    fits = _ALL_PROFILES @ (spread / np.linalg.norm(spread))
    own = 12 * is_minor + tonic
    rival = int(np.argmax(np.where(np.arange(24) == own, -2, fits)))
    lacking = min((LEAD - (fits[own] - fits[rival])) / LEAD, 1)
    if lacking <= 0:
        return np.zeros(_PITCHES, dtype=np.float32)
    apart = _ALL_PROFILES[own] - _ALL_PROFILES[rival]
    return np.resize((PULL * lacking * apart / np.abs(apart).max()).astype(np.float32), _PITCHES)


def parallels(
    before: Iterable[int], others: Iterable[int], pitches: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which new pitches would move the outer voices in parallel fifths or octaves. (N,).

    Args:
        before: all that sounded before the step.
        others: what sounds of other parts on it.
        pitches: (N,) that may begin on it.
    """
    was, now = sorted(before), sorted(others)
    if len(was) < 2 or not now or (was[-1] - was[0]) % 12 not in (0, 7):
        return np.zeros(len(pitches), dtype=np.bool_)
    low, high = np.minimum(pitches, now[0]), np.maximum(pitches, now[-1])
    same_way = (low - was[0]) * (high - was[-1]) > 0
    found: NDArray[np.bool_] = same_way & ((high - low) % 12 == (was[-1] - was[0]) % 12)
    return found


def _normal_profiles() -> NDArray[np.float64]:
    """Krumhansl and Kessler's profiles, C major … B minor, of mean 0 and norm 1. (24, 12)."""
    rolled = [
        np.roll(profile, tonic)
        for profile in (KRUMHANSL_MAJOR, KRUMHANSL_MINOR)
        for tonic in range(12)
    ]
    centred = np.array(rolled) - np.mean(rolled, axis=1, keepdims=True)
    normal: NDArray[np.float64] = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return normal


_ALL_PROFILES = _normal_profiles()


@cache
def _scale(key: int) -> NDArray[np.bool_]:
    """The pitch classes of a key, in minor with the leading note; all if none is known. (12,)."""
    if not key:
        return np.ones(12, dtype=np.bool_)
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    scale = Key(tonic, "minor" if is_minor else "major").scale
    return np.isin(np.arange(12), [*scale, *([(tonic - 1) % 12] if is_minor else [])])
