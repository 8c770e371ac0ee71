"""The form that a sequencer's markers name: a proposal that the composer confirms or corrects.

Markers also hold cues, chords, loop points and remarks: only those that name a section count.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from unicodedata import combining, normalize

from gen.piece import Marker, Piece

_NAMES = {  # what a section is called here, and what markers call it
    "intro": "intro introduction einleitung introduccion introduzione",
    "verse": "verse vers strophe couplet strofa estrofa verso",
    "prechorus": "prechorus prerefrain vorrefrain",
    "chorus": "chorus refrain hook estribillo ritornello refrao",
    "bridge": "bridge brucke pont puente ponte middle8 middleeight",
    "solo": "solo",
    "break": "break breakdown",
    "build": "build buildup",
    "drop": "drop",
    "interlude": "interlude instrumental zwischenspiel intermezzo interludio",
    "theme": "theme head thema tema",
    "variation": "variation var",
    "ending": "ending outro coda end final finale schluss",
}
_SECTIONS = {word: name for name, words in _NAMES.items() for word in words.split()}
_LETTER = re.compile(r"(?:(?i:part|section|teil|partie|parte)\s+)?([A-Z])(['\d]?)")
_FORM_LETTERS = "ABCD"
"""Further letters are rehearsal marks, which count pages rather than name what returns."""
_NUMBER = re.compile(r"[\s_-]*(\d*)$")
_WORD_BREAK = re.compile(r"[\s_-]+")


def sections_of(piece: Piece, cues: Sequence[Marker] = ()) -> str:
    """Sections as `gen.contribution` takes them, "intro:1 verse-1:5"; "" where none is named.

    Each section begins with the bar whose line is nearest to its marker. A marker at the end of
    the last bar begins nothing, and of several at one bar the first counts. Where no marker names
    a section, cues count, if half of them do: the others are sung words and remarks.

    Args:
        piece: any piece.
        cues: its file's cue points and plain texts.
    """
    named = _named(piece.markers)
    if not named and len(found := _named(cues)) * 2 >= len(cues):
        named = found
    starts = [start for start, _ in piece.bar_starts()] if piece.note_count else []
    sections: dict[int, str] = {}
    for onset, name in named:
        bar = _nearest(starts, onset, piece.end_ticks)
        if bar is not None:
            sections.setdefault(bar + 1, name)
    return " ".join(f"{name}:{bar}" for bar, name in sorted(sections.items()))


def _named(markers: Sequence[Marker]) -> list[tuple[int, str]]:
    """Ticks and names of the sections that markers name, in order."""
    letters = [_LETTER.fullmatch(marker.text.strip()) for marker in markers]
    is_form = not any(letter and letter[1] not in _FORM_LETTERS for letter in letters)
    named = [
        (marker.onset_ticks, "".join(letter.groups()) if letter and is_form else _name(marker.text))
        for marker, letter in sorted(zip(markers, letters, strict=True), key=lambda two: two[0])
    ]
    return [(onset, name) for onset, name in named if name]


def _name(text: str) -> str:
    """The section that a marker names, its number kept ("Strophe 2" is verse-2), or ""."""
    plain = "".join(c for c in normalize("NFKD", text.casefold()) if not combining(c)).strip()
    number = _NUMBER.search(plain)
    assert number is not None  # noqa: S101 - it matches the empty end
    words = [plain[: number.start()], plain]
    for word in words:  # "middle 8" is a name, the 8 no number
        joined = _WORD_BREAK.sub("", word)
        last = _WORD_BREAK.split(word)[-1]
        section = _SECTIONS.get(joined) or ("solo" if last == "solo" else "")
        if section:
            return f"{section}-{number[1]}" if number[1] and word is words[0] else section
    return ""


def _nearest(starts: list[int], onset: int, end: int) -> int | None:
    """The bar, counted from 0, whose line is nearest; None beyond the last bar."""
    place = bisect_left(starts, onset)
    if place == len(starts):
        is_over = not starts or onset - starts[-1] > (end - starts[-1]) / 2
        return None if is_over else place - 1
    if place and onset - starts[place - 1] <= starts[place] - onset:
        return place - 1
    return place
