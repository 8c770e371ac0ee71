"""What things are called: instruments, drums, and which markers are sections or chords.

Source: General MIDI System Level 1 (MMA, 1991), percussion map.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from gen.errors import SettingError
from gen.harmony import note_names, parse_chord, tonic_of
from gen.piece import Marker, Piece, Track
from gen.smf.general_midi import NAMES

INSTRUMENTS = tuple(name.title() for name in NAMES)
"""General MIDI instrument names by program, 0-127."""

DRUMS = {
    35: "Kick 2", 36: "Kick", 37: "Side stick", 38: "Snare", 39: "Hand clap", 40: "Snare 2",
    41: "Low floor tom", 42: "Closed hi-hat", 43: "High floor tom", 44: "Pedal hi-hat",
    45: "Low tom", 46: "Open hi-hat", 47: "Low-mid tom", 48: "High-mid tom", 49: "Crash",
    50: "High tom", 51: "Ride", 52: "China cymbal", 53: "Ride bell", 54: "Tambourine",
    55: "Splash", 56: "Cowbell", 57: "Crash 2", 58: "Vibraslap", 59: "Ride 2",
    60: "High bongo", 61: "Low bongo", 62: "Muted high conga", 63: "High conga",
    64: "Low conga", 65: "High timbale", 66: "Low timbale", 67: "High agogo", 68: "Low agogo",
    69: "Cabasa", 70: "Maracas", 71: "Short whistle", 72: "Long whistle", 73: "Short guiro",
    74: "Long guiro", 75: "Claves", 76: "High woodblock", 77: "Low woodblock",
    78: "Muted cuica", 79: "Open cuica", 80: "Muted triangle", 81: "Open triangle",
}  # fmt: skip
"""General MIDI percussion names by pitch."""

_LANES = (
    ("Kick", (35, 36)),
    ("Snare", (38, 40)),
    ("Stick, clap", (37, 39)),
    ("Toms", (41, 43, 45, 47, 48, 50)),
    ("Closed hi-hat", (42, 44)),
    ("Open hi-hat", (46,)),
    ("Ride", (51, 53, 59)),
    ("Crash", (49, 52, 55, 57)),
)
_CHORD_OR_SECTION = re.compile(r"[A-G]2?'?")
_SAID = re.compile(
    r"(?:(?P<kind>section|part|chord)\s*[: ]\s*(?P<text>.+)|\[(?P<boxed>.+)\])", re.I
)


@dataclass(frozen=True, slots=True)
class Signs:
    """A piece's markers by what they say; texts as they are to be shown."""

    sections: tuple[Marker, ...]
    chords: tuple[Marker, ...]


def instrument_name(track: Track) -> str:
    """The General MIDI name of a track's sound."""
    return "Drum Kit" if track.is_drum else INSTRUMENTS[track.program]


def track_label(track: Track) -> str:
    """The track's own name, or its instrument's where it has none."""
    return track.name.strip() or instrument_name(track)


def legend_label(track: Track) -> str:
    """`Lead (Violin) · main melody`; nothing is said twice."""
    name, instrument = track_label(track), instrument_name(track)
    if instrument.lower().startswith(name.lower()):
        name = instrument
    is_said = track.is_drum or name.lower().startswith(instrument.lower())
    label = name if is_said else f"{name} ({instrument})"
    role = (track.role or "drums").replace("_", " ")
    return label if role == "drums" or role in label.lower() else f"{label} · {role}"


def drum_lane(pitch: int) -> str:
    """The line of a drum strip a percussion pitch belongs to; toms share one, and so on."""
    for name, pitches in _LANES:
        if pitch in pitches:
            return name
    return DRUMS.get(pitch, f"Percussion {pitch}")


def drum_lanes(pitches: set[int]) -> list[str]:
    """The lanes that `pitches` need, lowest first: kit from kick to crash, then the rest."""
    order = [name for name, _ in _LANES]
    used = {drum_lane(pitch) for pitch in pitches}
    others = [drum_lane(pitch) for pitch in sorted(pitches) if drum_lane(pitch) not in order]
    return [name for name in order if name in used] + list(dict.fromkeys(others))


def signs(piece: Piece) -> Signs:
    """Tell section names from chord symbols among a piece's markers.

    `[A]`, `section: A` and `chord: A` say what they are. Otherwise a text that reads as a
    chord symbol is one, but for a bare letter (A, B, C2, D'), which could be either: it is a
    section where another chord symbol stands at its tick (of two bare letters the first), or
    where the piece has no other chord symbols and its letters come as those of a form do, none
    before the one that precedes it in the alphabet: A B A C, but not C F G; else a chord.
    """
    sections: list[Marker] = []
    chords: list[Marker] = []
    for marker, (kind, text) in zip(piece.markers, kinds_of(piece), strict=True):
        if kind:
            (sections if kind == "section" else chords).append(Marker(marker.onset_ticks, text))
    return Signs(tuple(sections), tuple(chords))


def kinds_of(piece: Piece) -> list[tuple[str, str]]:
    """("section" | "chord" | "", text to show) of each of a piece's markers, as `signs` has it."""
    kinds = [_kind(marker.text) for marker in piece.markers]
    has_chords = any(kind == "chord" for kind, _ in kinds)
    is_form = not has_chords and _is_form([text for kind, text in kinds if kind == "either"])
    by_tick: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for index, (marker, (kind, _)) in enumerate(zip(piece.markers, kinds, strict=True)):
        by_tick[marker.onset_ticks].append((kind, index))
    for index, (marker, (kind, text)) in enumerate(zip(piece.markers, kinds, strict=True)):
        if kind == "either":
            beside = _stands_by_chord(index, by_tick[marker.onset_ticks])
            kinds[index] = "section" if beside or is_form else "chord", text
    return kinds


def _is_form(letters: list[str]) -> bool:
    following = "A"
    for letter in letters:
        if letter[0] > following:
            return False
        following = max(following, chr(ord(letter[0]) + 1))
    return True


def _stands_by_chord(index: int, neighbours: list[tuple[str, int]]) -> bool:
    return any(k == "chord" or (k == "either" and other > index) for k, other in neighbours)


def _kind(text: str) -> tuple[str, str]:
    """("section" | "chord" | "either" | "", text to show); "" for an empty text."""
    text = text.strip()
    if said := _SAID.fullmatch(text):
        if said["boxed"]:
            return "section", said["boxed"].strip()
        kind = "chord" if said["kind"].lower() == "chord" else "section"
        return kind, said["text"].strip()
    if _CHORD_OR_SECTION.fullmatch(text):
        return "either", text
    return ("chord" if is_chord(text) else "section" if text else ""), text


def is_chord(text: str) -> bool:
    """Whether a text reads as a chord symbol, NC among them."""
    if text in {"NC", "N.C."}:
        return True
    try:
        parse_chord(text)
    except SettingError:
        return False
    return True


def key_name(piece: Piece) -> str:
    """`A minor`, `D dorian`, or empty where the piece has no key signature."""
    if not piece.key_signatures:
        return ""
    key = piece.key_signatures[0]
    mode = key.mode or ("minor" if key.is_minor else "major")
    known = {(k.fifths, k.is_minor, k.mode) for k in piece.key_signatures}
    changes = " …" if len(known) > 1 else ""
    names = note_names(key.fifths, is_minor=key.is_minor)
    return f"{names[tonic_of(key.fifths, mode)]} {mode}{changes}"


def meter_name(piece: Piece) -> str:
    """`3/4`; meters in order of appearance where it changes."""
    meters = [f"{s.numerator}/{s.denominator}" for _, s in piece.bar_starts()]
    return ", ".join(dict.fromkeys(meters))


def tempo_name(piece: Piece) -> str:
    """`112 bpm` in quarters a minute, or the range `96 to 120 bpm`."""
    tempos = [round(t.quarters_per_minute) for t in piece.tempos] or [120]
    low, high = min(tempos), max(tempos)
    return f"{low} bpm" if low == high else f"{low} to {high} bpm"
