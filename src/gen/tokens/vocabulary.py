"""The words of the event language: five fields an event, and the tables behind their ids.

A piece is a sequence of *events*; an event is one row of five small integers:

=========  ========================================================================
field      holds
=========  ========================================================================
kind       what the event is (`Kind`)
position   where in the bar, in grid steps of 1/12 quarter
value      pitch, drum, program, time signature, tempo, chord, genre, mood, key, …
extent     duration of a note or pedal; density of a cell; role of a track
level      velocity of a note; register of a track
=========  ========================================================================

Id 0 of every field means *absent*. Values of all types share one table so that one
output layer serves them; `WORDS` knows where each type begins. Numpy only.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from gen import meter, piece
from gen.harmony import GENRES, MOODS, QUALITIES, SHARP_NAMES
from gen.piece import DRUM_PROGRAM, ROLES

FORMAT: Final = 1
"""Raised whenever an id changes its meaning; part of the fingerprint."""

STEPS_PER_QUARTER: Final = meter.STEPS_PER_QUARTER
MAX_BAR_STEPS: Final = meter.MAX_BAR_STEPS
bar_steps = meter.bar_steps
MAX_TRACKS: Final = piece.MODEL_TRACKS
MAX_STYLES: Final = 32
SPECIALS: Final = ("PAD_None", "BOS_None", "EOS_None")

FIELDS: Final = ("kind", "position", "value", "extent", "level")
KIND, POSITION, VALUE, EXTENT, LEVEL = range(5)
"""Columns of a row: `row[KIND]` holds a `Kind`."""


class Kind(IntEnum):
    """What an event is. The first three are MidiTok's special tokens."""

    PAD = 0
    BOS = 1
    EOS = 2
    GENRE = 3
    MOOD = 4
    KEY = 5
    STYLE = 6
    TRACK = 7  # declares the next slot: program, role, register
    BAR = 8  # begins a bar: time signature
    SECTION = 9  # a section begins with this bar
    TEMPO = 10
    CHORD = 11
    CELL = 12  # this bar's notes of one slot follow: slot, density
    HOLE = 13  # … are left out here, to be filled in at the end
    FILL = 14  # the notes of the next hole follow
    NOTE = 15
    PEDAL = 16


SECTIONS: Final = (
    "intro", "a", "b", "c", "d", "verse", "prechorus", "chorus", "bridge", "solo",
    "break", "build", "interlude", "theme", "variation", "ending", "other",
)  # fmt: skip

DURATIONS: Final[NDArray[np.int64]] = np.array(
    [*range(1, 25), *range(26, 49, 2), *range(54, 97, 6), *range(108, 193, 12)]
)
"""Note lengths in grid steps: every one up to two quarters, then ever coarser to sixteen."""

VELOCITIES: Final[NDArray[np.int64]] = np.arange(3, 128, 4)
TEMPOS: Final[NDArray[np.float64]] = 30 * 2 ** (np.arange(73) / 24)
"""Quarters a minute, 30 to 240, 2.9 % apart."""

DENSITIES: Final[NDArray[np.float64]] = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
"""Edges of the eight density classes, in notes a quarter."""

TIME_SIGNATURES: Final = meter.SIGNATURES


BAR_STEPS: Final[NDArray[np.int64]] = np.array([bar_steps(*s) for s in TIME_SIGNATURES])
"""Length of a bar of each time signature, in grid steps."""


def _tempo_words() -> list[str]:
    return [f"Tempo_{t:.2f}" for t in TEMPOS]


_VALUE_WORDS: Final[dict[str, list[str]]] = {
    "pitch": [f"Pitch_{p}" for p in range(128)],
    "drum": [f"PitchDrum_{p}" for p in range(128)],
    "program": [f"Program_{p}" for p in range(DRUM_PROGRAM)] + ["Program_-1"],
    "time_signature": [f"TimeSig_{n}/{d}" for n, d in TIME_SIGNATURES],
    "tempo": _tempo_words(),
    "chord": ["Chord_NC"] + [f"Chord_{r}:{q}" for r in SHARP_NAMES for q in QUALITIES],
    "genre": [f"Genre_{g}" for g in GENRES],
    "mood": [f"Mood_{m}" for m in MOODS],
    "key": [f"Key_{r}:{m}" for r in SHARP_NAMES for m in ("major", "minor")],
    "style": [f"Style_{i}" for i in range(MAX_STYLES)],
    "section": [f"Section_{s}" for s in SECTIONS],
    "slot": [f"Slot_{i}" for i in range(MAX_TRACKS)],
}
_EXTENT_WORDS: Final[dict[str, list[str]]] = {
    "duration": [f"Duration_{d}" for d in DURATIONS],
    "density": [f"Density_{i}" for i in range(len(DENSITIES) + 1)],
    "role": [f"Role_{r}" for r in ROLES],
}
_LEVEL_WORDS: Final[dict[str, list[str]]] = {
    "velocity": [f"Velocity_{v}" for v in VELOCITIES],
    "register": [f"Register_{i}" for i in range(11)],
}


def _spans(groups: dict[str, list[str]]) -> dict[str, range]:
    spans, start = {}, len(SPECIALS)
    for name, group in groups.items():
        spans[name] = range(start, start + len(group))
        start += len(group)
    return spans


VALUE_WORD_TYPES: Final = tuple(_VALUE_WORDS)
"""Types of words that the value field holds."""

SPANS: Final[dict[str, range]] = {
    **_spans(_VALUE_WORDS),
    **_spans(_EXTENT_WORDS),
    **_spans(_LEVEL_WORDS),
    "position": range(len(SPECIALS), len(SPECIALS) + MAX_BAR_STEPS),
}
"""Type of word: its ids in its field, for tables over all types; code that means one type asks
`WORDS`. `SPANS["pitch"][60]` is the id of middle C."""

Int = TypeVar("Int", int, NDArray[np.int64], NDArray[np.int16])


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one type: consecutive ids `start` to `stop - 1` of their field."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __contains__(self, word_id: int) -> bool:
        return self.start <= word_id < self.stop

    def id(self, number: Int) -> Int:
        """Ids of the words with these numbers, counted from 0."""
        return number + self.start

    def number(self, ids: Int) -> Int:
        """Numbers of the words with these ids; below 0 for an absent one."""
        return ids - self.start

    def holds(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Which ids are words of this type."""
        return (ids >= self.start) & (ids < self.stop)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every type of word by name: `WORDS.pitch.id(60)` is the id of middle C."""

    pitch: Words
    drum: Words
    program: Words
    time_signature: Words
    tempo: Words
    chord: Words
    genre: Words
    mood: Words
    key: Words
    style: Words
    section: Words
    slot: Words
    duration: Words
    density: Words
    role: Words
    velocity: Words
    register: Words
    position: Words

    def of(self, kind: Kind) -> Words:
        """The type of the values of a kind that has one of its name, such as KEY."""
        found: Words = getattr(self, kind.name.lower())
        return found


WORDS: Final = Vocabulary(**{name: Words(span.start, span.stop) for name, span in SPANS.items()})

VALUE_TYPE: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.GENRE: ("genre",),
    Kind.MOOD: ("mood",),
    Kind.KEY: ("key",),
    Kind.STYLE: ("style",),
    Kind.TRACK: ("program",),
    Kind.BAR: ("time_signature",),
    Kind.SECTION: ("section",),
    Kind.TEMPO: ("tempo",),
    Kind.CHORD: ("chord",),
    Kind.CELL: ("slot",),
    Kind.HOLE: ("slot",),
    Kind.FILL: ("slot",),
    Kind.NOTE: ("pitch", "drum"),
}
"""Which words a kind's value field may hold; kinds not listed leave it absent."""

EXTENT_TYPE: Final = {
    Kind.NOTE: "duration", Kind.PEDAL: "duration", Kind.CELL: "density", Kind.TRACK: "role",
    Kind.FILL: "density",
}  # fmt: skip
LEVEL_TYPE: Final = {Kind.NOTE: "velocity", Kind.TRACK: "register"}
POSITIONED: Final = frozenset({Kind.TEMPO, Kind.CHORD, Kind.NOTE, Kind.PEDAL})
OPTIONAL_EXTENT: Final = frozenset({Kind.CELL, Kind.FILL, Kind.TRACK})
OPTIONAL_LEVEL: Final = frozenset({Kind.TRACK})


def words() -> list[list[str]]:
    """All words, one list a field in the order of `FIELDS`, special tokens left out."""
    return [
        [f"Kind_{kind.name.title()}" for kind in list(Kind)[len(SPECIALS) :]],
        [f"Position_{i}" for i in range(MAX_BAR_STEPS)],
        [word for group in _VALUE_WORDS.values() for word in group],
        [word for group in _EXTENT_WORDS.values() for word in group],
        [word for group in _LEVEL_WORDS.values() for word in group],
    ]


FIELD_SIZES: Final = tuple(len(SPECIALS) + len(group) for group in words())


@cache
def fingerprint() -> str:
    """SHA-256 of the format version and every word: equal fingerprints, equal ids."""
    text = json.dumps([FORMAT, STEPS_PER_QUARTER, words()], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def legal_words() -> list[NDArray[np.bool_]]:
    """For each field after `kind`: (kinds, field size), which ids each kind may carry."""
    masks = [np.zeros((len(Kind), size), dtype=np.bool_) for size in FIELD_SIZES[1:]]
    position, value, extent, level = masks
    for kind in Kind:
        if kind in POSITIONED:
            position[kind, SPANS["position"]] = True
        for name in VALUE_TYPE.get(kind, ()):
            value[kind, SPANS[name]] = True
        if kind in EXTENT_TYPE:
            extent[kind, SPANS[EXTENT_TYPE[kind]]] = True
        if kind in LEVEL_TYPE:
            level[kind, SPANS[LEVEL_TYPE[kind]]] = True
        extent[kind, 0] |= kind in OPTIONAL_EXTENT
        level[kind, 0] |= kind in OPTIONAL_LEVEL
        for mask in masks:
            mask[kind, 0] |= not mask[kind].any()
    return masks


def nearest_index(values: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the nearest entry of an ascending `table` for each value; ties go down."""
    edges = (table[1:] + table[:-1]) / 2
    return np.searchsorted(edges, values, side="left").astype(np.int64)
