"""Ids of words that need some understanding: chords, keys, sections."""

from __future__ import annotations

import re

from gen import harmony
from gen.harmony import QUALITIES, Chord
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS


def chord_id(chord: Chord | None) -> int:
    """Value id of a chord; the slash bass is not kept."""
    if chord is None:
        return WORDS.chord.id(0)
    quality = list(QUALITIES).index(chord.reduced.quality)
    return WORDS.chord.id(1 + chord.root * len(QUALITIES) + quality)


def chord_of(value_id: int) -> Chord | None:
    """The chord a value id names (None: no chord)."""
    index = WORDS.chord.number(value_id) - 1
    if index < 0:
        return None
    root, quality = divmod(index, len(QUALITIES))
    return Chord(root, list(QUALITIES)[quality], root)


def key_id(key: str) -> int:
    """Value id of a key; a mode counts as the major or minor it belongs to."""
    parsed = harmony.parse_key(key)
    return WORDS.key.id(parsed.tonic * 2 + int(parsed.is_minor))


def section_id(name: str) -> int:
    """Value id of a section name; a trailing number or dash is ignored, unknown is `other`."""
    word = re.sub(r"[\s\d'_-]+$", "", name.strip().lower())
    word = {"outro": "ending", "coda": "ending", "head": "theme", "pre-chorus": "prechorus"}.get(
        word, word
    )
    known = word if word in v.SECTIONS else "other"
    return WORDS.section.id(v.SECTIONS.index(known))
