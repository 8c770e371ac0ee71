"""Chord symbols and keys as the arranger needs them: with tensions, transposable, spelt.

`gen.harmony` reduces a symbol to the qualities the model is told about; an arranger also
wants the ninths and thirteenths, so symbols are kept whole here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gen.errors import HouseError

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

MODES = {
    # name: (scale in semitones, fifths of the signature relative to the major key of the tonic)
    "major": ((0, 2, 4, 5, 7, 9, 11), 0),
    "minor": ((0, 2, 3, 5, 7, 8, 10), -3),
    "dorian": ((0, 2, 3, 5, 7, 9, 10), -2),
    "mixolydian": ((0, 2, 4, 5, 7, 9, 10), -1),
    "phrygian": ((0, 1, 3, 5, 7, 8, 10), -4),
    "lydian": ((0, 2, 4, 6, 7, 9, 11), 1),
}
_MODE_WORDS = {
    "": "major", "maj": "major", "m": "minor", "min": "minor", "dor": "dorian",
    "mix": "mixolydian", "phr": "phrygian", "lyd": "lydian",
}  # fmt: skip
_MAJOR_FIFTHS = {0: 0, 7: 1, 2: 2, 9: 3, 4: 4, 11: 5, 6: 6, 5: -1, 10: -2, 3: -3, 8: -4, 1: -5}

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "5": (0, 7),
    "sus4": (0, 5, 7), "sus2": (0, 2, 7), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9),
    "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10), "mmaj7": (0, 3, 7, 11),
    "m7b5": (0, 3, 6, 10), "dim7": (0, 3, 6, 9), "aug7": (0, 4, 8, 10), "7b5": (0, 4, 6, 10),
    "7sus4": (0, 5, 7, 10), "9sus4": (0, 5, 7, 10, 14), "13sus4": (0, 5, 7, 10, 14, 21),
    "add9": (0, 4, 7, 14), "madd9": (0, 3, 7, 14), "69": (0, 4, 7, 9, 14),
    "m69": (0, 3, 7, 9, 14), "9": (0, 4, 7, 10, 14), "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14), "11": (0, 7, 10, 14, 17), "m11": (0, 3, 7, 10, 14, 17),
    "13": (0, 4, 7, 10, 14, 21), "maj13": (0, 4, 7, 11, 14, 21), "m13": (0, 3, 7, 10, 14, 21),
    "7b9": (0, 4, 7, 10, 13), "7#9": (0, 4, 7, 10, 15), "7#11": (0, 4, 7, 10, 18),
    "7b13": (0, 4, 7, 10, 20), "maj7#11": (0, 4, 7, 11, 18),
    "9#11": (0, 4, 7, 10, 14, 18), "13b9": (0, 4, 7, 10, 13, 21),
}  # fmt: skip
_SYNONYMS = {
    "min": "m", "maj": "", "M": "", "+": "aug", "o": "dim", "o7": "dim7", "sus": "sus4",
    "7sus": "7sus4", "9sus": "9sus4", "13sus": "13sus4", "M7": "maj7", "min7": "m7",
    "mM7": "mmaj7", "mMaj7": "mmaj7", "m(maj7)": "mmaj7", "7#5": "aug7", "+7": "aug7",
    "6/9": "69", "m6/9": "m69", "M9": "maj9", "2": "sus2", "7alt": "7b13", "7(b9)": "7b9",
}  # fmt: skip
_SYMBOL = re.compile(r"^([A-G][#b]?)(.*?)(?:/([A-G][#b]?))?$")
_KEY = re.compile(r"^([A-G])([#b]?)\s*([a-z]*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic pitch class with a mode of `MODES`."""

    tonic: int
    mode: str

    @property
    def is_minor(self) -> bool:
        return self.mode in ("minor", "dorian", "phrygian")

    @property
    def scale(self) -> tuple[int, ...]:
        """The mode's pitch classes, from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in MODES[self.mode][0])

    @property
    def fifths(self) -> int:
        """Signature of the tonic's plain major or minor key, -6…6: what MIDI can say."""
        fifths = _MAJOR_FIFTHS[self.tonic] - (3 if self.is_minor else 0)
        return (fifths + 5) % 12 - 5 if not -6 <= fifths <= 6 else fifths

    @property
    def prefers_flats(self) -> bool:
        return self.fifths < 0

    @property
    def name(self) -> str:
        names = FLAT_NAMES if self.prefers_flats else SHARP_NAMES
        return f"{names[self.tonic]} {self.mode}"

    def transpose(self, semitones: int) -> Key:
        return replace(self, tonic=(self.tonic + semitones) % 12)

    def step(self, pitch: int, steps: int) -> int:
        """The scale note `steps` scale degrees away from `pitch` (chromatic ones snap down)."""
        ladder = [p for p in range(-36, 180) if p % 12 in self.scale]
        here = max(i for i, p in enumerate(ladder) if p <= pitch)
        return ladder[here + steps]


def parse_key(text: str) -> tuple[Key, int]:
    """Read an ABC key such as ``F#m`` or ``D dor``.

    Returns:
        The key, and the fifths of the signature that its note letters follow.

    Raises:
        HouseError: not a tonic and mode of the subset.
    """
    match = _KEY.match(text.strip())
    word = (match[3] if match else "?").lower()
    mode = _MODE_WORDS.get(word if word in ("m", "") else word[:3])
    if match is None or mode is None:
        mend = "write a tonic and nothing, m, mix, dor, phr or lyd: K:F#m, K:Ddor"
        raise HouseError(f"key {text!r} is not understood", mend=mend)
    accidental = {"": 0, "#": 1, "b": -1}[match[2]]
    letter = match[1].upper()
    fifths = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}[letter] + 7 * accidental
    return Key((LETTERS[letter] + accidental) % 12, mode), fifths + MODES[mode][1]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A chord symbol: root and bass pitch classes, and the quality (a key of `QUALITIES`)."""

    root: int
    quality: str
    bass: int

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root; tensions lie above 12."""
        return QUALITIES[self.quality]

    @property
    def core(self) -> tuple[int, ...]:
        """Triad or seventh chord without tensions, as pitch classes from the root up."""
        return tuple((self.root + i) % 12 for i in self.intervals if i < 12)

    @property
    def tones(self) -> tuple[int, ...]:
        """Every pitch class of the chord, tensions included, from the root up."""
        return tuple((self.root + i) % 12 for i in self.intervals)

    @property
    def triad(self) -> tuple[int, ...]:
        """Root, third (or what is suspended for it) and fifth, as pitch classes."""
        return self.core[:3]

    @property
    def third(self) -> int:
        """The tone that says major, minor or suspended (the fifth of a power chord)."""
        return self.core[1]

    @property
    def fifth(self) -> int:
        near = [i for i in self.intervals if i in (6, 7, 8)]
        return (self.root + (near[0] if near else 7)) % 12

    @property
    def seventh(self) -> int | None:
        """Pitch class of the seventh or sixth, when there is one."""
        near = [i for i in self.intervals if i in (9, 10, 11)]
        return (self.root + near[0]) % 12 if near else None

    @property
    def guides(self) -> tuple[int, ...]:
        """Third and seventh (third and fifth in a triad): the tones that tell the harmony."""
        seventh = self.seventh
        return (self.third, self.fifth if seventh is None else seventh)

    @property
    def is_dominant(self) -> bool:
        return 10 in self.intervals and 4 in self.intervals

    def transpose(self, semitones: int) -> Symbol:
        return replace(self, root=(self.root + semitones) % 12, bass=(self.bass + semitones) % 12)

    def text(self, flats: bool) -> str:
        """The symbol spelt with flats or sharps, as `gen.harmony.parse_chord` reads it."""
        names = FLAT_NAMES if flats else SHARP_NAMES
        slash = "" if self.bass == self.root else f"/{names[self.bass]}"
        return f"{names[self.root]}{self.quality}{slash}"


def parse_symbol(text: str) -> Symbol:
    """Read a chord symbol.

    Raises:
        HouseError: an unknown root or quality.
    """
    match = _SYMBOL.match(text.strip())
    quality = _SYNONYMS.get(match[2], match[2]) if match else ""
    if match is None or quality not in QUALITIES:
        mend = f"use a root A-G with one of: {', '.join(QUALITIES)}"
        raise HouseError(f"chord symbol {text!r} is not understood", mend=mend)
    root = pitch_class(match[1])
    return Symbol(root, quality, pitch_class(match[3]) if match[3] else root)


def pitch_class(name: str) -> int:
    """0-11 for a letter with an optional # or b."""
    return (LETTERS[name[0]] + {"": 0, "#": 1, "b": -1}[name[1:]]) % 12
