"""Chord symbols as lead sheets have them, and the qualities that the model knows.

A symbol is read whole: `parse_chord("C13(b9)/E")` keeps thirteenth, ninth and bass.
`Chord.reduced` is the nearest chord that the model has a word for (`QUALITIES`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from gen.errors import SettingError
from gen.harmony.keys import FLAT_NAMES, Key, pitch_class

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
"""The qualities that the model knows: semitones above the root."""

_MAJOR, _MINOR = r"(?:[Mm]aj|MAJ|[Mm]a|M|Δ|j)", r"(?:[Mm]in|MIN|[Mm]i|m|-)"
_SYMBOL = re.compile(r"([A-G])([#b♯♭]*)(.*?)(?:/([A-G])([#b♯♭]*))?")
_QUALITY = re.compile(
    rf"(?P<triad>{_MAJOR}|{_MINOR}|dim|o|°|ø|h|aug|\+|5)?"
    rf"(?P<major>{_MAJOR})?"
    r"(?P<extension>6/?9|6|7|9|11|13|2|4)?"
    r"(?P<changes>(?:sus[24]?|alt|add[#b]?(?:2|4|6|9|11|13)|(?:no|omit)[35]"
    r"|[#+](?:5|9|11)|[b-](?:5|6|9|13)|\+)*)"
)
_CHANGE = re.compile(r"sus[24]?|alt|(?:add|no)[#b]?\d+|[#b+-]\d+|\+")
_TRIADS = {"": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "5": (0, 7)}
_TENSIONS = {"9": (14,), "11": (14, 17), "13": (14, 21)}  # above the seventh
_ADDED = {"2": 14, "4": 17, "6": 9, "9": 14, "11": 17, "13": 21}
_ALTERED = {"b5": 6, "#5": 8, "b9": 13, "#9": 15, "#11": 18, "b13": 20}
_REPLACED = {"b5": 7, "#5": 7, "b9": 14, "#9": 14, "#11": 17, "b13": 21}
_SAME_CHANGE = {"b6": "b13", "sus": "sus4", "+": "#5", "add2": "add9", "add4": "add11"}
_SAME_QUALITY = {
    "": "maj",
    "m": "min",
    "m(b5)": "dim",
    "6add9": "69",
    "m6add9": "m69",
    "augmaj7": "maj7#5",
}


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord symbol.

    Attributes:
        root: pitch class.
        quality: what follows the root, in one spelling: "maj", "m7", "7b9", "13sus4", "add9".
        bass: pitch class of the lowest note; equals `root` unless a slash says otherwise.
    """

    root: int
    quality: str
    bass: int

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root, from 0; ninths, elevenths and thirteenths lie above 12."""
        return QUALITIES.get(self.quality) or _read_quality(self.quality)[1]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The chord's own pitch classes, root first (the slash bass not added)."""
        return tuple((self.root + step) % 12 for step in self.intervals)

    @property
    def core(self) -> tuple[int, ...]:
        """Triad or seventh chord without tensions, as pitch classes, root first."""
        return tuple((self.root + step) % 12 for step in self.intervals if step < 12)

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
        near = [step for step in self.intervals if step in (6, 7, 8)]
        return (self.root + (near[0] if near else 7)) % 12

    @property
    def seventh(self) -> int | None:
        """Pitch class of the seventh or sixth, where there is one."""
        near = [step for step in self.intervals if step in (9, 10, 11)]
        return (self.root + near[0]) % 12 if near else None

    @property
    def guides(self) -> tuple[int, int]:
        """Third and seventh (third and fifth of a triad): the tones that tell the harmony."""
        seventh = self.seventh
        return (self.third, self.fifth if seventh is None else seventh)

    @property
    def is_dominant(self) -> bool:
        return {4, 10} <= set(self.intervals)

    @property
    def reduced(self) -> Chord:
        """The nearest chord with a quality of `QUALITIES`, over the same bass."""
        known = self.quality in QUALITIES
        return self if known else replace(self, quality=_reduced(frozenset(self.intervals)))

    def __str__(self) -> str:
        return self.spelt(FLAT_NAMES)

    def spelt(self, names: Sequence[str]) -> str:
        """The symbol, its notes called by these twelve names, C first."""
        suffix = {"maj": "", "min": "m"}.get(self.quality, self.quality)
        bass = "" if self.bass == self.root else f"/{names[self.bass]}"
        return f"{names[self.root]}{suffix}{bass}"

    def transposed(self, semitones: int) -> Chord:
        return Chord((self.root + semitones) % 12, self.quality, (self.bass + semitones) % 12)


@cache
def parse_chord(symbol: str) -> Chord:
    """Read one chord symbol, such as `F#m7b5/A`, `CmMaj7`, `C7(b9,#11)` or `E5`.

    Raises:
        SettingError: not a chord symbol this house reads.
    """
    match = _SYMBOL.fullmatch(symbol.strip())
    try:
        if match:
            letter, accidentals, suffix, bass_letter, bass_accidentals = match.groups()
            root = pitch_class(letter, accidentals)
            bass = pitch_class(bass_letter, bass_accidentals) if bass_letter else root
            return Chord(root, parse_quality(suffix), bass)
    except SettingError:
        pass  # said below, with the whole symbol
    raise _not_a_chord(symbol)


def _not_a_chord(symbol: str) -> SettingError:
    return SettingError(
        f"{symbol!r:.80} is not a chord symbol",
        where="chords",
        mend="write for instance Am, F#m7b5, Bbmaj7, C13(b9), G7sus4, C/E, or NC for no chord",
    )


def parse_quality(suffix: str) -> str:
    """The one spelling of what follows a chord's root: "" is "maj", "-7b5" is "m7b5".

    Raises:
        SettingError: no quality.
    """
    return _read_quality(suffix)[0]


@cache
def _read_quality(suffix: str) -> tuple[str, tuple[int, ...]]:
    """Canonical spelling and intervals of a quality."""
    text = re.sub(r"[(),\s]", "", suffix).replace("♯", "#").replace("♭", "b")
    match = _QUALITY.fullmatch(text)
    if match is None:
        raise _not_a_chord(suffix)
    triad, changes = _triad(match["triad"] or ""), _changes(match["changes"])
    extension, is_major = _extension(match)
    if match["triad"] in ("ø", "h"):
        extension, changes = extension or "7", _changes(f"b5{match['changes']}")
    if triad == "" and "#5" in changes:
        triad, changes = "aug", [change for change in changes if change != "#5"]
    if extension in ("2", "4"):
        changes, extension = _changes({"2": "add9", "4": "sus4"}[extension] + match["changes"]), ""
    if "add6" in changes and not extension:
        changes, extension = [change for change in changes if change != "add6"], "6"
    name = _name(triad, extension, is_major, changes)
    return name, _intervals(triad, extension, is_major, changes)


def _triad(said: str) -> str:
    """A key of `_TRIADS`."""
    if said in ("ø", "h") or re.fullmatch(_MINOR, said):
        return "m"
    return {"o": "dim", "°": "dim", "+": "aug", "dim": "dim", "aug": "aug", "5": "5"}.get(said, "")


def _extension(match: re.Match[str]) -> tuple[str, bool]:
    """6, 69, 7, 9, 11, 13, 2, 4 or nothing; and whether the seventh is a major one."""
    extension = (match["extension"] or "").replace("/", "")
    marks = [text for text in (match["triad"], match["major"]) if re.fullmatch(_MAJOR, text or "")]
    if "Δ" in marks or match["major"]:
        return extension or "7", True  # CΔ, CmMaj: the seventh is meant
    return extension, bool(marks) and extension in ("7", *_TENSIONS)


def _changes(text: str) -> list[str]:
    """Suspensions, alterations and added tones, in one order and spelling."""
    signs = str.maketrans("+-", "#b")
    found = {
        _SAME_CHANGE.get(raw) or _SAME_CHANGE.get(plain := raw.translate(signs), plain)
        for raw in _CHANGE.findall(text.replace("omit", "no"))
    }
    order = ("sus2", "sus4", *_ALTERED, "alt")
    return sorted(found, key=lambda c: (order.index(c) if c in order else len(order), c))


def _name(triad: str, extension: str, is_major: bool, changes: list[str]) -> str:
    if is_major and extension not in ("6", "69"):
        extension = f"maj{extension}"
    text = "".join(changes)
    if not extension and changes and changes[0] in _ALTERED:
        text = f"({text})"  # C(b5): without them the root would be Cb
    name = f"{triad}{extension}{text}"
    return _SAME_QUALITY.get(name, name)


def _intervals(triad: str, extension: str, is_major: bool, changes: list[str]) -> tuple[int, ...]:
    steps = set(_TRIADS[triad])
    if extension[:1] == "6":
        steps |= {9, 14} if extension == "69" else {9}
    elif extension:
        seventh = 11 if is_major else 9 if triad == "dim" else 10
        steps |= {seventh, *_TENSIONS.get(extension, ())}
    if extension == "11" and triad == "":
        steps.discard(4)  # an eleventh rubs against a major third, which is left out
    for change in changes:
        _change(steps, change)
    return tuple(sorted(steps))


def _change(steps: set[int], change: str) -> None:
    """Carry out one alteration, suspension, addition or omission."""
    if change in _ALTERED:
        steps.discard(_REPLACED[change])
        steps.add(_ALTERED[change])
    elif change.startswith("sus"):
        steps -= {3, 4}
        steps.add(2 if change == "sus2" else 5)
    elif change == "alt":
        steps -= {7, 14}
        steps |= {10, 13, 15, 20}
    elif change.startswith("add"):
        shift = {"#": 1, "b": -1}.get(change[3], 0)
        steps.add(_ADDED[change[3:].lstrip("#b")] + shift)
    else:
        steps -= {3, 4} if change == "no3" else {6, 7, 8}


def _reduced(steps: frozenset[int]) -> str:
    """The quality of `QUALITIES` that says most of what these intervals say."""
    if 3 in steps:
        if 6 in steps and 7 not in steps:
            return "m7b5" if 10 in steps else "dim7" if 9 in steps else "dim"
        return "m7" if 10 in steps else "m6" if 9 in steps and 11 not in steps else "min"
    if 4 not in steps and steps & {2, 5}:
        return "sus4" if 5 in steps else "sus2"
    if 11 in steps:
        return "maj7"
    if 10 in steps:
        return "7"
    if 9 in steps:
        return "6"
    return "aug" if 8 in steps and 7 not in steps else "maj"


_NUMERAL = re.compile(r"([#b♯♭]?)(VII|VI|V|IV|III|II|I|vii|vi|v|iv|iii|ii|i)(.*)")
_DEGREES = ("I", "II", "III", "IV", "V", "VI", "VII")


def parse_numeral(text: str, key: Key) -> Chord:
    """Read a degree of a key: `ii7`, `V7`, `bVII`, `vii°`; small letters are minor.

    Raises:
        SettingError: no degree.
    """
    match = _NUMERAL.fullmatch(text.strip())
    if match is None:
        raise _not_a_chord(text)
    accidental, numeral, suffix = match.groups()
    shift = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[accidental]
    scale = Key(key.tonic, "major").scale if accidental else key.scale
    root = (scale[_DEGREES.index(numeral.upper())] + shift) % 12
    is_small = numeral.islower() and not re.match(r"dim|o|°|ø|h|m", suffix)
    return Chord(root, parse_quality(f"m{suffix}" if is_small else suffix), root)


def parse_progression(text: str, key: Key | None = None) -> list[list[Chord | None]]:
    """Read chords bar by bar: `Am7 | F C/E | % | NC`; None stands for no chord.

    Args:
        text: bars divided by `|`.
        key: what degrees such as `ii V7 | I` are of; None reads chord symbols alone.

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
                f"bar {number} of the progression is {cell.strip()!r:.80}",
                where="chords",
                mend="give each bar one or more chord symbols, or % to repeat the bar before",
            )
        bars.append([_chord_of(symbol, key) for symbol in symbols])
    return bars


def _chord_of(symbol: str, key: Key | None) -> Chord | None:
    if symbol.upper() in ("NC", "N.C.", "N.C"):
        return None
    if not _NUMERAL.fullmatch(symbol):
        return parse_chord(symbol)
    if key is None:
        raise SettingError(
            f"{symbol!r:.80} is a degree, and no key is given",
            where="chords",
            mend="name the key as well, or write the chords by their names",
        )
    return parse_numeral(symbol, key)


def format_progression(
    bars: Iterable[Iterable[Chord | None]], names: Sequence[str] = FLAT_NAMES
) -> str:
    """Write chords so that `parse_progression` reads them back, their notes by these names."""
    cells = (("NC" if chord is None else chord.spelt(names) for chord in bar) for bar in bars)
    return " | ".join(map(" ".join, cells))
