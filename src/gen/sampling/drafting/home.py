"""A home: what pitches and chords are nudged towards by the key and by the chord that holds.

How firmly depends on the rules. By the first four a chord with a note beside the key was unlikely
and the tonic likelier than the model had it. So pieces stayed on one chord for five bars where
works change after two and a half, with .01 of their sound beside the key where works have .07. By
the fifth the key is held by what was heard (`towards`), and the same chord once more is what is
unlikely.

V ids of the value field; S grid steps of a bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.analysis.key import KRUMHANSL_MAJOR, KRUMHANSL_MINOR
from gen.harmony import Key
from gen.piece import ROLES
from gen.sampling.drafting.steering import PITCHES, Floats, along
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import SPANS, WORDS
from gen.tokens.word_ids import chord_of


@dataclass(frozen=True, slots=True)
class Hold:
    """How firmly key and chord hold what is written; the defaults are those of the first rules.

    Attributes:
        off_key: of a pitch that neither the key nor the chord of the moment has.
        off_chord: of a pitch that the chord of the moment has not.
        profile: for the degrees of the key, by the logarithm of how well they fit it.
        foreign_chord: of a chord with a note that the key has not.
        tonic_chord: for the chord on the tonic.
        same_chord: of the chord that holds already, as a bar begins.
        pull: see `towards`.
        lead: by how much the correlation of the key is to be above that of any other.
        scale: pitch classes of a mode that is neither major nor minor, which the key's id does not
            tell; empty for those of the key.
    """

    off_key: float = 1.0
    off_chord: float = 0.4
    profile: float = 0.6
    foreign_chord: float = 1.5
    tonic_chord: float = 0.8
    same_chord: float = 0.0
    pull: float = 1.0
    lead: float = 0.1
    scale: tuple[int, ...] = ()


FIRM: Final = Hold()
FREE: Final = Hold(0.4, 1.0, 0.2, foreign_chord=0.4, tonic_chord=0.0, same_chord=1.0)
SINGING: Final = Hold(0.4, 0.1, 0.1)
"""Of a melody, whose passing notes the chord has not."""
MELODIES: Final = frozenset(ROLES.index(role) + 1 for role in ("main_melody", "sub_melody"))

MODAL: Final = {"off_key": 2.0, "foreign_chord": 4.0}
"""Where a mode was asked for, of which the model knows major or minor alone."""

HOMEWARD: Final = 2.0
"""How much of what pitches are pulled by counts for a chord, in the mean of its tones."""


@cache
def hold_of(rules: Rules, role: int = 0, scale: tuple[int, ...] = ()) -> Hold:
    """How firmly a part is held by some rules.

    Args:
        rules: those of writing.
        role: 1 + number of that of the part, 0 for none.
        scale: see `Plan`.
    """
    if not rules.leads_melodies:
        return FIRM
    found = SINGING if role in MELODIES else FREE
    if rules.hears_the_key:
        found = replace(found, pull=2.0, lead=0.15)
    return replace(found, scale=scale, **MODAL) if scale and rules.keeps_modes else found


def off_harmony(
    chords: Sequence[tuple[int, int]], key: int, steps: int, hold: Hold = FIRM
) -> Floats:
    """The bias of each pitch at each step against the chord and the key it stands in. (S, 128).

    Args:
        chords: step of the bar from which each holds, and its value id; ascending, the first may
            begin before the bar.
        key: value id, 0 for none.
        steps: length of the bar.
        hold: how firm it is.
    """
    return along(chords, steps, lambda chord: _over(chord, key, hold))


@cache
def _over(chord: int, key: int, hold: Hold) -> Floats:
    """The bias of each pitch while a chord holds; of one that has no notes, by the key. (128,)."""
    foreign = ~_scale(key, hold.scale)
    profile = _profile(key, hold.profile)
    bias = -hold.off_key * foreign + profile
    if found := chord_of(chord):
        tones = np.isin(np.arange(12), found.pitch_classes)
        bias = np.where(tones, 0, -hold.off_chord - hold.off_key * foreign) + profile / 2
    return np.resize(bias.astype(np.float32), PITCHES)


@cache
def chord_bias(key: int, hold: Hold = FIRM, held: int = 0) -> Floats:
    """The bias of each chord in a key: against those with notes of another. (V,).

    Args:
        key: value id, 0 for none.
        hold: how firm it is.
        held: value id of the chord that is not to go on, 0 for none.
    """
    bias = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.float32)
    known = _scale(key, hold.scale)
    for number in SPANS["chord"]:
        if (chord := chord_of(number)) and not known[list(chord.pitch_classes)].all():
            bias[number] = -hold.foreign_chord
        elif key and chord and chord.root == WORDS.key.number(key) // 2:
            bias[number] = hold.tonic_chord
    if held:
        bias[held] -= hold.same_chord
    return bias


@cache
def _profile(key: int, weight: float) -> Floats:
    """The bias for each pitch class in a key; nothing where none is known. (12,)."""
    if not key:
        return np.zeros(12, dtype=np.float32)
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    fits = np.log(np.roll(KRUMHANSL_MINOR if is_minor else KRUMHANSL_MAJOR, tonic))
    bias: Floats = (weight * (fits - fits.max())).astype(np.float32)
    return bias


def towards(key: int, heard: NDArray[np.float64], hold: Hold = FIRM) -> Floats:
    """The bias of each pitch class towards a key while another fits better what was heard. (12,).

    Args:
        key: value id, 0 for none.
        heard: how long each pitch class has sounded. (12,).
        hold: `pull` is that of the notes that tell the key from the other, until the key
            fits better by `lead`.
    """
    spread = heard - np.add.reduce(heard) / 12
    if not key or not spread.any():
        return np.zeros(12, dtype=np.float32)
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    fits = _ALL_PROFILES @ (spread / math.sqrt(spread.dot(spread)))
    own = 12 * is_minor + tonic
    fit, fits[own] = fits[own], -2
    rival = int(fits.argmax())
    lacking = min((hold.lead - (fit - fits[rival])) / hold.lead, 1)
    if lacking <= 0:
        return np.zeros(12, dtype=np.float32)
    apart = _ALL_PROFILES[own] - _ALL_PROFILES[rival]
    bias: Floats = (hold.pull * lacking * apart / np.abs(apart).max()).astype(np.float32)
    return bias


def homeward(key: int, heard: NDArray[np.float64], hold: Hold) -> Floats:
    """The same for chords, by the mean of their tones. (V,). Args, as of `towards`."""
    found: Floats = np.float32(HOMEWARD) * (_CHORDS @ towards(key, heard, hold))
    return found


def _chord_tones() -> Floats:
    """Of each value id the share of each pitch class in the tones of its chord. (V, 12)."""
    shares = np.zeros((v.FIELD_SIZES[v.VALUE], 12), dtype=np.float32)
    for number in SPANS["chord"]:
        if chord := chord_of(number):
            shares[number, list(chord.pitch_classes)] = 1 / len(chord.pitch_classes)
    return shares


_CHORDS = _chord_tones()


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
def _scale(key: int, own: tuple[int, ...] = ()) -> NDArray[np.bool_]:
    """The pitch classes of a key, in minor with the leading note; all if none is known. (12,).

    Those of its own scale, where it has one.
    """
    if own:
        return np.isin(np.arange(12), own)
    if not key:
        return np.ones(12, dtype=np.bool_)
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    scale = Key(tonic, "minor" if is_minor else "major").scale
    return np.isin(np.arange(12), [*scale, *([(tonic - 1) % 12] if is_minor else [])])
