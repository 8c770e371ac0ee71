"""Names of chords, keys, genres and moods, and what they mean in pitch classes.

Pitch classes are integers, C = 0 … B = 11.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from gen.errors import SettingError

GENRES = (
    "piano_miniature",
    "cinematic",
    "ambient",
    "pop_ballad",
    "rock",
    "funk",
    "jazz_swing",
    "bossa",
    "waltz",
    "folk_dance",
    "lofi",
    "house",
    "march",
    "chorale",
)
MOODS = (
    "calm",
    "happy",
    "sad",
    "tense",
    "romantic",
    "playful",
    "heroic",
    "dreamy",
    "dark",
    "nostalgic",
    "energetic",
    "solemn",
)
QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
}
"""Chord quality: semitones above the root."""

FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {  # mode: (is_minor, semitones of its scale, fifths relative to the major key)
    "major": (False, (0, 2, 4, 5, 7, 9, 11), 0),
    "minor": (True, (0, 2, 3, 5, 7, 8, 10), -3),
    "dorian": (True, (0, 2, 3, 5, 7, 9, 10), -2),
    "phrygian": (True, (0, 1, 3, 5, 7, 8, 10), -4),
    "lydian": (False, (0, 2, 4, 6, 7, 9, 11), 1),
    "mixolydian": (False, (0, 2, 4, 5, 7, 9, 10), -1),
}
_MODE_NAMES = {
    "": "major", "maj": "major", "major": "major", "ionian": "major",
    "m": "minor", "min": "minor", "minor": "minor", "aeolian": "minor",
    "dor": "dorian", "dorian": "dorian", "phr": "phrygian", "phrygian": "phrygian",
    "lyd": "lydian", "lydian": "lydian", "mix": "mixolydian", "mixolydian": "mixolydian",
}  # fmt: skip

# What is written after a chord's root, most specific first, and the quality it reduces to:
# upper tensions are the arranger's business, the quality is the harmony's.
_QUALITY_PATTERNS = tuple(
    (re.compile(pattern), quality)
    for pattern, quality in (
        (r"(m7b5|m7-5|min7b5|-7b5|ø7?|h7?)", "m7b5"),
        (r"(dim7|o7|°7)", "dim7"),
        (r"(dim|o|°|mb5)", "dim"),
        (r"(mmaj7|m\(maj7\)|minmaj7|mM7)", "min"),
        (r"(maj|ma|M|Δ|j)(7|9|11|13)(#11|#5|b5)?", "maj7"),
        (r"(Δ)", "maj7"),
        (r"(m|min|mi|-)(7|9|11|13)", "m7"),
        (r"(m|min|mi|-)6(/?9)?", "m6"),
        (r"(m|min|mi|-)(add ?(2|9|11))?", "min"),
        (r"(aug7|\+7|7#5|7\+)", "7"),
        (r"(aug|\+)", "aug"),
        (r"(7|9|11|13)?sus2", "sus2"),
        (r"(7|9|11|13)?sus4?", "sus4"),
        (r"6(/?9)?", "6"),
        (r"(7|9|11|13)([#b](5|9|11|13)|alt)*", "7"),
        (r"(2|5|maj|M)?(add ?(2|4|9|11|#11))?", "maj"),
    )
)
_CHORD = re.compile(r"([A-G])([#b♯♭]*)(.*?)(?:/([A-G])([#b♯♭]*))?")


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord symbol, reduced. `bass` equals `root` unless a slash says otherwise."""

    root: int
    quality: str
    bass: int

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The chord's own pitch classes, root first (the slash bass not added)."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])

    def __str__(self) -> str:
        return self.spelt(FLAT_NAMES)

    def spelt(self, names: Sequence[str]) -> str:
        """The symbol, its notes called by these twelve names, C first."""
        suffix = {"maj": "", "min": "m"}.get(self.quality, self.quality)
        bass = "" if self.bass == self.root else f"/{names[self.bass]}"
        return f"{names[self.root]}{suffix}{bass}"

    def transposed(self, semitones: int) -> Chord:
        return Chord((self.root + semitones) % 12, self.quality, (self.bass + semitones) % 12)


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic and a mode; `is_minor` tells which of the two families it belongs to."""

    tonic: int
    is_minor: bool
    mode: str

    @property
    def scale(self) -> tuple[int, ...]:
        """Seven pitch classes, tonic first."""
        return tuple((self.tonic + step) % 12 for step in _MODES[self.mode][1])

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats of the key signature, -6 to 6."""
        relative = _MODES[self.mode][2]
        return (self.tonic * 7 + relative + 5) % 12 - 5

    def __str__(self) -> str:
        # Six sharps or flats are both written; F# major and Eb minor are the usual ones.
        names = SHARP_NAMES if 0 < self.fifths < 6 + (not self.is_minor) else FLAT_NAMES
        return f"{names[self.tonic]} {self.mode}"

    def transposed(self, semitones: int) -> Key:
        return Key((self.tonic + semitones) % 12, self.is_minor, self.mode)


def _pitch_class(letter: str, accidentals: str) -> int:
    shift = sum(1 if a in "#♯" else -1 for a in accidentals)
    return (_LETTERS[letter] + shift) % 12


@cache
def parse_chord(symbol: str) -> Chord:
    """Read one chord symbol, such as `F#m7b5/A`, reduced to a quality of `QUALITIES`.

    Raises:
        SettingError: not a chord symbol this house reads.
    """
    match = _CHORD.fullmatch(symbol.strip())
    if match:
        letter, accidentals, suffix, bass_letter, bass_accidentals = match.groups()
        root = _pitch_class(letter, accidentals)
        bass = _pitch_class(bass_letter, bass_accidentals) if bass_letter else root
        for pattern, quality in _QUALITY_PATTERNS:
            if pattern.fullmatch(suffix):
                return Chord(root, quality, bass)
    raise SettingError(
        f"{symbol!r} is not a chord symbol",
        where="chords",
        mend="write for instance Am, F#m7b5, Bbmaj7, G7sus4, C/E, or NC for no chord",
    )


def parse_progression(text: str) -> list[list[Chord | None]]:
    """Read chords bar by bar: `Am7 | F C/E | % | NC`; None stands for no chord.

    Raises:
        SettingError: a symbol cannot be read, a bar is empty, or the first bar is `%`.
    """
    bars: list[list[Chord | None]] = []
    for number, cell in enumerate(text.strip().strip("|").split("|"), start=1):
        symbols = cell.split()
        if symbols == ["%"] and bars:
            bars.append(list(bars[-1]))
            continue
        if not symbols or "%" in symbols:
            raise SettingError(
                f"bar {number} of the progression is {cell.strip()!r}",
                where="chords",
                mend="give each bar one or more chord symbols, or % to repeat the bar before",
            )
        bars.append([None if s in ("NC", "N.C.") else parse_chord(s) for s in symbols])
    return bars


def format_progression(
    bars: Iterable[Iterable[Chord | None]], names: Sequence[str] = FLAT_NAMES
) -> str:
    """Write chords so that `parse_progression` reads them back, their notes by these names."""
    cells = (("NC" if chord is None else chord.spelt(names) for chord in bar) for bar in bars)
    return " | ".join(map(" ".join, cells))


def note_names(fifths: int, *, is_minor: bool) -> tuple[str, ...]:
    """Names of the twelve pitch classes, C first, as musicians spell them in a key.

    Twelve neighbours on the line of fifths: in major from the lowered second to the raised
    fourth (in C: Db Ab Eb Bb F C … B F#), in minor from the lowered fifth to the raised seventh
    (in A minor: Eb Bb F C … F# C# G#). Cb, Fb, E# and B# are written only where the scale holds
    them, or as a minor key's leading note; double sharps and double flats never.

    Args:
        fifths: sharps (positive) or flats of the key signature, -7 to 7.
        is_minor: whether the minor key of that signature is meant.
    """
    first = fifths - (3 if is_minor else 5)
    plain = {*range(-6, 11), *range(fifths - 1, fifths + 6), *([fifths + 8] if is_minor else [])}
    names = {}
    for place in range(first, first + 12):
        fitting = next(p for p in (place, place - 12, place + 12) if p in plain and p <= 12)
        names[place * 7 % 12] = _name_on_line(fitting)
    return tuple(names[pitch_class] for pitch_class in range(12))


def _name_on_line(place: int) -> str:
    """The note so many fifths above C: 1 is G, 6 is F#, -2 is Bb."""
    shift, letter = divmod(place + 1, 7)
    return "FCGDAEB"[letter] + ("#" if shift > 0 else "b") * abs(shift)


@cache
def parse_key(text: str) -> Key:
    """Read a key as people write it: `A minor`, `Am`, `Bb`, `F# dorian`.

    Raises:
        SettingError: not a key; the message names what is accepted.
    """
    match = re.fullmatch(r"\s*([A-Ga-g])([#b♯♭]?)[ _-]*([A-Za-z]*)\s*", text)
    suffix = match[3] if match else ""
    mode = _MODE_NAMES.get("major" if suffix == "M" else suffix.lower())
    if not match or mode is None:
        raise SettingError(
            f"{text!r} is not a key",
            where="key",
            mend="write for instance 'A minor', 'Bb', 'F#m' or 'D dorian'",
        )
    return Key(_pitch_class(match[1].upper(), match[2]), _MODES[mode][0], mode)


def nearest(word: str, known: Iterable[str], *, setting: str) -> str:
    """Return `word` if it is known.

    Raises:
        SettingError: it is not; the message suggests the nearest known word.
    """
    choices = sorted(known)
    if word in choices:
        return word
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise SettingError(
        f"unknown {setting} {word!r}", where=setting, mend=f"{hint}known: {', '.join(choices)}"
    )
