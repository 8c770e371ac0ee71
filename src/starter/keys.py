"""Keys as lead sheets write them and MIDI says them."""

from __future__ import annotations

import re

from gen.errors import HouseError
from gen.harmony import FLAT_NAMES, SHARP_NAMES, Key, pitch_class

_MODES = {"": "major", "maj": "major", "m": "minor", "min": "minor", "dor": "dorian",
          "mix": "mixolydian", "phr": "phrygian", "lyd": "lydian"}  # fmt: skip
_RELATIVE = {"major": 0, "minor": -3, "dorian": -2, "mixolydian": -1, "phrygian": -4, "lydian": 1}
_MAJOR_FIFTHS = {0: 0, 7: 1, 2: 2, 9: 3, 4: 4, 11: 5, 6: 6, 5: -1, 10: -2, 3: -3, 8: -4, 1: -5}
_KEY = re.compile(r"^([A-G])([#b]?)\s*([a-z]*)$", re.IGNORECASE)


def plain_fifths(key: Key) -> int:
    """Signature of the tonic's plain major or minor key, -6 to 6: what MIDI can say."""
    fifths = _MAJOR_FIFTHS[key.tonic] - (3 if key.is_minor else 0)
    return (fifths + 5) % 12 - 5 if not -6 <= fifths <= 6 else fifths


def names_in(key: Key) -> tuple[str, ...]:
    """Names of the twelve pitch classes, with flats where the plain key has them."""
    return FLAT_NAMES if plain_fifths(key) < 0 else SHARP_NAMES


def key_name(key: Key) -> str:
    """Tonic and mode, `Eb dorian`."""
    return f"{names_in(key)[key.tonic]} {key.mode}"


def parse_abc_key(text: str) -> tuple[Key, int]:
    """Read an ABC key such as ``F#m`` or ``D dor``.

    Returns:
        The key, and the fifths of the signature that its note letters follow.

    Raises:
        HouseError: not a tonic and mode of the subset.
    """
    match = _KEY.match(text.strip())
    word = (match[3] if match else "?").lower()
    mode = _MODES.get(word if word in ("m", "") else word[:3])
    if match is None or mode is None:
        mend = "write a tonic and nothing, m, mix, dor, phr or lyd: K:F#m, K:Ddor"
        raise HouseError(f"key {text!r} is not understood", mend=mend)
    letter = match[1].upper()
    fifths = "FCGDAEB".index(letter) - 1 + 7 * {"": 0, "#": 1, "b": -1}[match[2]]
    return Key(pitch_class(letter, match[2]), mode), fifths + _RELATIVE[mode]


_IDIOM = {
    # genre: tonics of major and of minor keys that lie well for its instruments
    "piano_miniature": ("C G D A F Bb Eb Ab Db", "A E D G C F B C#"),
    "waltz": ("C G D A F Bb Eb", "A D G E C"),
    "chorale": ("F G Bb C D Eb A", "D G A E C F"),
    "pop_ballad": ("C G D A F E Bb", "A E D B C F#"),
    "cinematic": ("D C F Bb Eb G", "D C E A G F"),
    "march": ("Bb Eb F Ab C", "G C D F"),
    "folk_dance": ("D G A C", "E A B D"),
    "ambient": ("C D F G A Eb", "A D E C F#"),
    "rock": ("E A D G C", "E A D B F#"),
    "funk": ("E Bb Eb F D", "E A D G C"),
    "house": ("C F G A D", "A C F G D"),
    "jazz_swing": ("F Bb Eb C Ab Db", "C G D F Bb"),
    "bossa": ("C F D G A Bb", "A D E G C"),
    "lofi": ("C F Bb Eb D", "A D G C F"),
}


def idiomatic_shifts(genre: str, key: Key) -> list[int]:
    """Transpositions, a fourth at most, that bring a key to one that its genre's players like."""
    names = _IDIOM[genre][key.is_minor].split()
    liked = {pitch_class(name[0], name[1:]) for name in names}
    return [shift for shift in range(-5, 6) if (key.tonic + shift) % 12 in liked]
