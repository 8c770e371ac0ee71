"""What a lead sheet holds: a theme's parts, their melodies and chords, and how it is played."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gen.harmony import Chord, Key

TICKS = 480
"""Ticks per quarter note everywhere in the starter corpus."""
GRID = TICKS // 12
"""Musical onsets and durations are multiples of this before humanisation."""
RIFF = "R"
"""The part that stands outside the form: a riff."""


@dataclass(frozen=True, slots=True)
class MelodyNote:
    """A melody note; onset in ticks from the start of its part."""

    onset: int
    duration: int
    pitch: int

    @property
    def end(self) -> int:
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord symbol and the ticks it holds for, from the start of its part."""

    onset: int
    duration: int
    symbol: Chord


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: where it begins in its part, how long it is, its meter and key."""

    onset: int
    ticks: int
    meter: tuple[int, int]
    key: Key


@dataclass(frozen=True, slots=True)
class Part:
    """A lettered part of the form; `pickup` leads into it, its onsets below 0."""

    letter: str
    bars: tuple[Bar, ...]
    notes: tuple[MelodyNote, ...]
    chords: tuple[ChordSpan, ...]
    pickup: tuple[MelodyNote, ...] = ()

    @property
    def ticks(self) -> int:
        return self.bars[-1].onset + self.bars[-1].ticks


@dataclass(frozen=True, slots=True)
class LeadSheet:
    """One theme. `form` spells the order of parts, `tempo` counts quarters per minute.

    A part named R stands outside the form: a riff of two or four bars.
    """

    number: int
    title: str
    genre: str
    mood: str
    key: Key
    meter: tuple[int, int]
    tempo: float
    form: str
    parts: dict[str, Part]

    @property
    def bar_count(self) -> int:
        return sum(len(self.parts[letter].bars) for letter in self.form)

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
