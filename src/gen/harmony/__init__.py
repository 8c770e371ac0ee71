"""Names of chords, keys, genres and moods, and what they mean in pitch classes.

Pitch classes are integers, C = 0 … B = 11.
"""

from gen.harmony.chords import (
    QUALITIES,
    Chord,
    format_progression,
    parse_chord,
    parse_progression,
    parse_quality,
)
from gen.harmony.keys import (
    FLAT_NAMES,
    SHARP_NAMES,
    Key,
    note_names,
    parse_key,
    pitch_class,
    tonic_of,
)
from gen.harmony.words import GENRES, MOODS, nearest, usual_meter

__all__ = [
    "FLAT_NAMES",
    "GENRES",
    "MOODS",
    "QUALITIES",
    "SHARP_NAMES",
    "Chord",
    "Key",
    "format_progression",
    "nearest",
    "note_names",
    "parse_chord",
    "parse_key",
    "parse_progression",
    "parse_quality",
    "pitch_class",
    "tonic_of",
    "usual_meter",
]
