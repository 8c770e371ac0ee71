"""The key of a piece, from how long each pitch class sounds.

Source: Krumhansl & Kessler 1982 (method: Krumhansl 1990, chapter 4), with the profiles that
Temperley 2007 counted in the Kostka-Payne corpus; declared signatures tip the balance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gen.harmony import Key, note_names
from gen.piece import KeySignature, Piece

Floats = NDArray[np.float64]

_MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
_MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
KRUMHANSL_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
KRUMHANSL_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""How well each degree fits a key: the probe-tone ratings of Krumhansl & Kessler 1982."""
_SIGNATURE_BONUS = 0.12
_LAST_BASS_BONUS = 0.06


def note_table(piece: Piece, *, drums: bool = False) -> NDArray[np.int64]:
    """Notes as rows (onset ticks, end ticks, pitch, velocity, track), sorted; shape (N, 5)."""
    rows = [
        (n.onset_ticks, n.end_ticks, n.pitch, n.velocity, number)
        for number, track in enumerate(piece.tracks)
        if drums or not track.is_drum
        for n in track.notes
    ]
    return np.array(sorted(rows), dtype=np.int64).reshape(-1, 5)


def pitch_class_ticks(table: NDArray[np.int64]) -> Floats:
    """How long each pitch class sounds, in ticks; shape (12,)."""
    lengths = (table[:, 1] - table[:, 0]).astype(np.float64)
    return np.bincount(table[:, 2] % 12, weights=lengths, minlength=12).astype(np.float64)


def infer_key(piece: Piece) -> tuple[Key, float]:
    """The likeliest major or minor key, and how far it leads the next (0 to about 0.5).

    A piece without pitched notes gives C major and 0.
    """
    table = note_table(piece)
    if not len(table):
        return Key(0, "major"), 0.0
    scores = key_scores(pitch_class_ticks(table))
    for signature in piece.key_signatures[:1]:
        scores += _SIGNATURE_BONUS * _signature_match(signature)
    last_bass = table[table[:, 1] == table[:, 1].max(), 2].min() % 12
    scores[[last_bass, 12 + last_bass]] += _LAST_BASS_BONUS
    order = np.argsort(-scores, kind="stable")
    best, lead = int(order[0]), float(scores[order[0]] - scores[order[1]])
    is_minor = best >= 12
    return Key(best % 12, "minor" if is_minor else "major"), lead


def krumhansl_kessler(piece: Piece) -> Key | None:
    """The key whose probe-tone profile is nearest to how long the pitch classes sound.

    Source: Krumhansl 1990, chapter 4, with the ratings of Krumhansl & Kessler 1982; nothing that
    the file says about itself counts, nor how it ends. None without a pitched note.
    """
    weights = pitch_class_ticks(note_table(piece))
    if not weights.any():
        return None
    scores = [
        np.corrcoef(np.roll(profile, tonic), weights)[0, 1]
        for profile in (KRUMHANSL_MAJOR, KRUMHANSL_MINOR)
        for tonic in range(12)
    ]
    is_minor, tonic = divmod(int(np.nanargmax(scores)), 12)
    return Key(tonic, "minor" if is_minor else "major")


def key_scores(weights: Floats) -> Floats:
    """How well pitch classes that sound so long, (12,), fit each key: C major … B minor, (24,)."""
    return np.concatenate([_correlations(weights, _MAJOR), _correlations(weights, _MINOR)])


def stated_key(piece: Piece) -> Key | None:
    """The key that the piece's first key signature states."""
    for signature in piece.key_signatures[:1]:
        tonic = (signature.fifths * 7 + (9 if signature.is_minor else 0)) % 12
        return Key(tonic, "minor" if signature.is_minor else "major")
    return None


def counts_as_stated(stated: Key, guess: Key) -> bool:
    """Whether a person chose the stated key.

    C major is what sequencers write when nobody did: it counts only where the notes agree.
    """
    return (stated.tonic, stated.is_minor) != (0, False) or stated == guess


def names_in(piece: Piece, key: Key) -> tuple[str, ...]:
    """What the twelve pitch classes are called in a piece of this key, C first.

    A declared signature that means the same key decides: six flats stay flats.
    """
    declared = [s.fifths for s in piece.key_signatures[:1] if s.fifths % 12 == key.fifths % 12]
    # Of six sharps and six flats, F# major and Eb minor are the usual names.
    usual = -6 if key.fifths == 6 and key.is_minor else key.fifths
    return note_names(declared[0] if declared else usual, is_minor=key.is_minor)


def _correlations(weights: Floats, profile: tuple[float, ...]) -> Floats:
    """Correlation of the weights with the profile on each tonic; shape (12,)."""
    rolled = np.stack([np.roll(profile, tonic) for tonic in range(12)])
    centred = rolled - rolled.mean(axis=1, keepdims=True)
    spread = weights - weights.mean()
    norms = np.linalg.norm(centred, axis=1) * max(float(np.linalg.norm(spread)), 1e-9)
    result: Floats = centred @ spread / norms
    return result


def _signature_match(signature: KeySignature) -> Floats:
    """1 at the declared key, 0.5 at its relative; shape (24,), major keys first.

    C major is what sequencers write when nobody chose a key: it counts for nothing.
    """
    match = np.zeros(24)
    if signature.fifths or signature.is_minor:
        major, minor = signature.fifths * 7 % 12, (signature.fifths * 7 + 9) % 12
        match[major], match[12 + minor] = (0.5, 1.0) if signature.is_minor else (1.0, 0.5)
    return match
