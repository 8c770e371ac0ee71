"""What instrument a track's name names, in the languages that sequencers write.

A name is a proposal: it says what the composer meant where the file says nothing, and makes one
look where the file says something else. The names are listed in `instrument_names.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from unicodedata import combining, normalize

from gen.piece import DRUM_PROGRAM
from gen.smf.general_midi import NAMES

_VAGUE_WORDS = """
    lead pad pads bass basses bas basi bassi basse basso bajo baixo alto alt tenor tenors
    tenore tenori soprano soprani sopran baritone bariton baryton mezzo sub synth syn
    synthesizer synthesiser synthe voice vox string str bell bells slap pipes pedals pedale
    grand beat beats groove orchestra distortion overdrive saw square pulse sweep manual br va
    ca kb keys keyboard keyboards keyb tastiera tastiere teclado teclados claviers clavier
    tasten toetsen klawisze bomba caja caixa bombo kit trommel trommer horns upright solo
    triangle metales metais koper serum sylenth sylenth1 sytrus harmor retrologue wavetable es2
    padshop women men mallets mallet hat hats palmas battery suitcase nylon
"""
_VAGUE = frozenset(_VAGUE_WORDS.split())
"""Names that propose an instrument and contradict none: a bass may be a tuba or a singer."""
_MODIFIERS = _VAGUE | {
    "contrabass", "contrabasso", "contrabajo", "kontrabass", "piccolo", "pizz", "percussion",
    "perc", "percussions", "perkusja", "percusion", "percussao",
}  # fmt: skip
"""What stands before or behind another instrument's name: a contrabass clarinet, a piccolo horn."""
_FRENCH = {"alto": 41, "altos": 41, "timbales": 47}
"""What is another instrument in French than in other languages."""
_FRENCH_WORDS = """
    violon violons violoncelle violoncelles contrebasse contrebasses hautbois cor cors clarinette
    clarinettes basson bassons trompette trompettes cordes cuivres
"""
_FRENCH_ALONE = frozenset(_FRENCH_WORDS.split())
"""Names in no other language but French; where a file has one, its other names are French too."""

_FAMILIES: tuple[frozenset[int], ...] = (
    frozenset(range(8)),
    frozenset(range(8, 16)) | {108, 112, 113, 114},
    frozenset(range(16, 24)) | {109},
    frozenset(range(24, 32)) | {15, 104, 105, 106, 107, 120},
    frozenset(range(32, 40)) | {43, 87},
    (frozenset(range(40, 52)) - {46, 47}) | {55, 92, 110},
    frozenset({46}),
    frozenset({47, DRUM_PROGRAM, *range(112, 120)}),
    frozenset({52, 53, 54, 85, 91}),
    frozenset(range(56, 64)),
    frozenset(range(64, 72)) | {109, 111},
    frozenset(range(72, 80)),
    frozenset(range(80, 104)) | {38, 39, 48, 49, 50, 51, 54, 62, 63},
    frozenset(range(120, 128)),
)
"""Instruments that pass for one another: no name of one contradicts a program of the same."""

KIT_SOUNDS = (frozenset({35, 36}), frozenset({38, 40}), frozenset({42, 44, 46, 51}))
"""Kicks, snares, and what keeps time on cymbals, as General MIDI has them."""
_TOMS = frozenset({41, 43, 45, 47, 48, 50})
_SYNTH_BASS, _HIGHEST_808 = 38, 59
_MOST_WORDS = 4
_SHORTEST_SUFFIX = 5


def instrument_in(name: str) -> int | None:
    """The instrument that a track's name proposes: 0-127, `DRUM_PROGRAM`, or None.

    Of several known names within it the last and longest counts ("Bass Clarinet", "Strings and
    Horns"), but a voice's or a size's ("alto", "contrabass") only where nothing else is named.
    """
    phrase = _phrase_in(name)
    return _vocabulary()[phrase] if phrase else None


def instrument_beside(name: str, others: Iterable[str]) -> int | None:
    """As `instrument_in`, of a track beside others: beside French names "Altos" are violas.

    Args:
        name: of the track.
        others: names of its file's tracks.
    """
    phrase = _phrase_in(name)
    if phrase in _FRENCH and any(not _FRENCH_ALONE.isdisjoint(_words(other)) for other in others):
        return _FRENCH[phrase]
    return _vocabulary()[phrase] if phrase else None


def instrument_by_music(name: str, pitches: Collection[int]) -> int | None:
    """What a name means that is either of two things, by the notes; None where they do not say.

    "Tom" is a drum where nothing but toms is struck, and else a person; an "808" that strikes
    kick and snare is a kit, one that stays low a bass.

    Args:
        name: of a track.
        pitches: of its notes.
    """
    words = {word for word in _words(name) if not _NUMBER.fullmatch(word)} or {*_words(name)}
    if words == {"tom"} and _TOMS.issuperset(pitches):
        return DRUM_PROGRAM
    if words <= {"808", "808s"} and words:
        is_kit = all(sounds.intersection(pitches) for sounds in KIT_SOUNDS[:2])
        return DRUM_PROGRAM if is_kit else _SYNTH_BASS if max(pitches) <= _HIGHEST_808 else None
    return None


def contradicts(name: str, instrument: int) -> bool:
    """Whether a name clearly names another kind of instrument than this one."""
    phrase = _phrase_in(name)
    if not phrase or phrase in _VAGUE:
        return False
    named = _vocabulary()[phrase]
    return named != instrument and not any({named, instrument} <= family for family in _FAMILIES)


@cache
def _vocabulary() -> dict[str, int]:
    """Every known name, as `_words` makes it, and its instrument; General MIDI's own first."""
    text = files("gen.smf").joinpath("instrument_names.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^(\d+): (.*(?:\n +.*)*)", text, flags=re.MULTILINE)
    found = {" ".join(_words(name)): program for program, name in enumerate(NAMES)}
    for program, names in listed:
        for name in names.replace("\n", " ").split(","):
            found.setdefault(" ".join(_words(name)), int(program))
    return found


@cache
def _phrase_in(name: str) -> str:
    """The known name that a track's name holds, or ""."""
    words = _words(name)
    unnumbered = tuple(word for word in words if not _NUMBER.fullmatch(word))
    whole = _words(name.casefold())  # "SoCal", not "So Cal"
    listings = (words, unnumbered, whole) if whole != words else (words, unnumbered)
    found = [phrase for listed in listings for phrase in _known_phrases(listed)]
    if found:
        return max(found)[-1]
    return _compound_in(unnumbered) or _unspaced_in("".join(words))


def _known_phrases(words: tuple[str, ...]) -> Iterator[tuple[bool, int, int, int, str]]:
    """Known phrases, each after what it is judged by."""
    vocabulary = _vocabulary()
    for first in range(len(words)):
        for last in range(first + 1, min(first + _MOST_WORDS, len(words)) + 1):
            phrase = " ".join(words[first:last])
            if phrase in vocabulary:
                yield phrase not in _MODIFIERS, last - first, len(phrase), first, phrase


def _compound_in(words: tuple[str, ...]) -> str:
    """What a Germanic compound ends with: "Soloviolinen" holds "Violinen"."""
    ends = [word[cut:] for word in words for cut in range(1, len(word) - _SHORTEST_SUFFIX + 1)]
    return next((end for end in ends if end in _vocabulary() and end not in _VAGUE), "")


def _unspaced_in(text: str) -> str:
    """The longest name in a text of a language that puts no spaces between words."""
    found = [name for name in _vocabulary() if not name.isascii() and name in text]
    return max(found, key=len, default="")


_NUMBER = re.compile(r"\d+(?:st|nd|rd|th|er|re|eme|o|a)?|i{1,3}|iv|vi{0,3}|ix|x")
_BREAKS = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|[\W_]+")


@lru_cache(4096)
def _words(name: str) -> tuple[str, ...]:
    """Its words in lower case, without accents and signs: "Vln.II" is vln and ii."""
    letters = normalize("NFKD", normalize("NFKC", name))
    # Marks on Latin letters go; those of kana (above U+3000) tell letters apart.
    plain = "".join(c for c in letters if not combining(c) or ord(c) > 0x3000)
    for letter, usual in (("ø", "o"), ("Ø", "O"), ("ł", "l"), ("Ł", "L"), ("æ", "ae")):
        plain = plain.replace(letter, usual)
    return tuple(_BREAKS.sub(" ", normalize("NFC", plain)).casefold().split())
