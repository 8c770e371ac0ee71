"""The words this house has for genres and moods, and how a misspelt word is met."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

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


def usual_meter(genre: str | None) -> str:
    """The meter of chords that are given without one."""
    return "3/4" if genre == "waltz" else "4/4"


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
