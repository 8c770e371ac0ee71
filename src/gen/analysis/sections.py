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
    "intro": "intro introduction einleitung introduccion introduzione introducao wstep inleiding "
    "вступление интро イントロ 前奏 인트로",
    "verse": "verse vers strophe couplet strofa estrofa verso zwrotka куплет aメロ 主歌 벌스",
    "prechorus": "prechorus prerefrain vorrefrain precoro bメロ 导歌",
    "chorus": "chorus refrain hook estribillo ritornello refrao refren refrein coro "
    "припев サビ 副歌 후렴",
    "bridge": "bridge brucke pont puente ponte mostek brug middle8 middleeight бридж 桥段 브릿지",
    "solo": "solo",
    "break": "break breakdown",
    "build": "build buildup",
    "drop": "drop",
    "interlude": "interlude instrumental zwischenspiel intermezzo interludio проигрыш "
    "間奏 间奏 간주",
    "theme": "theme head thema tema",
    "variation": "variation var",
    "ending": "ending outro coda end final finale schluss slot zakonczenie концовка кода "
    "アウトロ エンディング 尾奏 아웃트로",
}


def _plain(text: str) -> str:
    """A text in small letters without accents."""
    return "".join(c for c in normalize("NFKD", text.casefold()) if not combining(c)).strip()


_SECTIONS = {_plain(word): name for name, words in _NAMES.items() for word in words.split()}
_LETTER = re.compile(r"(?:(?i:part|section|teil|partie|parte)\s+)?([A-Z])(['\d]?)")
_FORM_LETTERS = "ABCD"
"""Further letters are rehearsal marks, which count pages rather than name what returns."""
_CHORD = re.compile(r"[A-G][#b♯♭]?(?:m|min|maj|dim|aug|sus|add|[679°øΔ/]).*|[A-G][#b♯♭]")
"""A chord's name; beside one a letter is a chord too."""
_BRACKETS = re.compile(r"[\[({<«„“\"'](.*)[\])}>»”“\"']|(.*):")
_NUMBER = re.compile(r"[\s_-]*(\d*)$")
_PLACE = re.compile(r"^\d+\s*[.):-]\s*")
"""A section's place in the piece: "2. Chorus"."""
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
    texts = [_bare(marker.text) for marker in markers]
    letters = [_LETTER.fullmatch(text) for text in texts]
    found = {letter[1] for letter in letters if letter}
    has_chords = any(_CHORD.fullmatch(text) for text in texts if not _LETTER.fullmatch(text))
    is_form = "A" in found and found <= set(_FORM_LETTERS) and not has_chords
    named = [
        (marker.onset_ticks, "".join(letter.groups()) if letter and is_form else _name(text))
        for marker, text, letter in zip(markers, texts, letters, strict=True)
    ]
    return sorted((one for one in named if one[1]), key=lambda one: one[0])


def _bare(text: str) -> str:
    """A marker's text without the brackets or the colon that some programs write."""
    text = text.strip()
    bracketed = _BRACKETS.fullmatch(text)
    return "".join(filter(None, bracketed.groups())).strip() if bracketed else text


def _name(text: str) -> str:
    """The section that a marker names, its number kept ("Strophe 2" is verse-2), or ""."""
    plain = _PLACE.sub("", _plain(text))
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
