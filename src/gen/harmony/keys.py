"""Keys: a tonic and a mode, their signatures, and how notes are spelt in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from gen.errors import SettingError

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


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic pitch class and a mode."""

    tonic: int
    mode: str

    @property
    def is_minor(self) -> bool:
        """Whether the mode is of the minor family: its third is a minor one."""
        return _MODES[self.mode][0]

    @property
    def is_modal(self) -> bool:
        """Whether the mode is neither major nor minor."""
        return self.mode not in ("major", "minor")

    @property
    def scale(self) -> tuple[int, ...]:
        """Seven pitch classes, tonic first."""
        return tuple((self.tonic + step) % 12 for step in _MODES[self.mode][1])

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats of the key signature, -6 to 6."""
        relative = _MODES[self.mode][2]
        return (self.tonic * 7 + relative + 5) % 12 - 5

    def step(self, pitch: int, steps: int) -> int:
        """The note so many scale degrees above; a pitch off the scale counts as the next below."""
        ladder = [p for p in range(-36, 180) if p % 12 in self.scale]
        here = max(i for i, p in enumerate(ladder) if p <= pitch)
        return ladder[here + steps]

    def __str__(self) -> str:
        # Six sharps or flats are both written; F# major and Eb minor are the usual ones.
        names = SHARP_NAMES if 0 < self.fifths < 6 + (not self.is_minor) else FLAT_NAMES
        return f"{names[self.tonic]} {self.mode}"

    def transposed(self, semitones: int) -> Key:
        return Key((self.tonic + semitones) % 12, self.mode)


def tonic_of(fifths: int, mode: str) -> int:
    """Pitch class of the tonic that a key signature has in a mode: of none in D dorian.

    Args:
        fifths: its sharps (positive) or flats.
        mode: as `Key.mode`.
    """
    return 7 * (fifths - _MODES[mode][2]) % 12


def pitch_class(letter: str, accidentals: str) -> int:
    """0 to 11 for a letter A to G and any number of sharps and flats."""
    shift = sum(1 if a in "#♯" else -1 for a in accidentals)
    return (_LETTERS[letter] + shift) % 12


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
    return tuple(names[number] for number in range(12))


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
    return Key(pitch_class(match[1].upper(), match[2]), mode)
