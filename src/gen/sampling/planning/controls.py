"""What a producer asks of a piece."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gen import harmony
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, ROLES
from gen.smf.general_midi import NAMES
from gen.tokens import vocabulary as v

MOST_BARS: Final = 256
LATER: Final = "later"
"""In the metadata of settings that the first receipts did not know, see `request`."""
CHANGING: Final = "changing"
"""Time signature of a piece whose meter may change."""
FREE: Final = "free"
"""Sections of a piece whose form is left to the model."""

DENSITY_WORDS: Final = {"sparse": (0, 2), "medium": (3, 4), "dense": (5, 7)}
"""Lowest and highest of the classes between `vocabulary.DENSITIES`."""

FAMILIES: Final = {
    "piano": 0, "electric piano": 4, "organ": 16, "guitar": 24, "acoustic guitar": 25,
    "electric guitar": 27, "bass": 33, "double bass": 32, "synth bass": 38, "strings": 48,
    "choir": 52, "trumpets": 56, "horn": 60, "brass": 61, "sax": 65, "saxophone": 65,
    "pad": 89, "synth lead": 80, "bells": 14, "drums": DRUM_PROGRAM, "drum kit": DRUM_PROGRAM,
}  # fmt: skip
"""Everyday names, besides those of General MIDI."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything that may be asked of a piece; what is None is left to the model.

    Args:
        genre: one of `harmony.GENRES`.
        mood: one of `harmony.MOODS`.
        style: id of the composer in whose style, if the checkpoint was taught whose is whose.
        key: such as `A minor`.
        tempo: quarters a minute, 30 to 240.
        time_signature: such as `6/8`, for the whole piece, or `changing`: the model's own, which
            may change from bar to bar. None is one meter that the model chooses.
        bars: how many, exactly.
        instruments: one a track: General MIDI names or numbers (0-127), families, `drums`.
        roles: one a track, of `piece.ROLES`.
        chords: bar by bar, such as `Am F | C G`, or by degrees of the key, such as `ii V7 | I`;
            begins again when it is through.
        sections: name:first bar, such as `intro:1 a:5`, or `free`: as the model likes. None is
            the form of one of the works, where a piece begins from nothing.
        density: notes a quarter, for all tracks or one a track: sparse, medium, dense, or a
            class from 0 (below 0.5) to 7 (above 6); or by bars, such as
            `sparse:1-8 dense:9-16`, of all tracks.
        pitch_range: lowest and highest melodic pitch, 0-127.
        velocity_range: lowest and highest velocity, 1-127.
        returns: where a section's name comes back, the share of its cells (one track in one
            bar) that come back exactly; the rest is written anew with the first in view.
    """

    genre: str | None = None
    mood: str | None = None
    style: str | None = None
    key: str | None = None
    tempo: float | None = None
    time_signature: str | None = None
    bars: int | None = None
    instruments: tuple[str | int, ...] = ()
    roles: tuple[str, ...] = ()
    chords: str | None = None
    sections: str | None = None
    density: int | str | tuple[int | str, ...] | None = None
    pitch_range: tuple[int, ...] = (0, 127)
    velocity_range: tuple[int, ...] = (1, 127)
    returns: float = 0.5

    def __post_init__(self) -> None:
        if self.genre is not None:
            harmony.nearest(self.genre, harmony.GENRES, setting="genre")
        if self.mood is not None:
            harmony.nearest(self.mood, harmony.MOODS, setting="mood")
        for role in self.roles:
            harmony.nearest(role, ROLES, setting="roles")
        if self.tempo is not None and not 30 <= self.tempo <= 240:
            raise SettingError(f"{self.tempo} is outside 30 to 240", where="tempo")
        if self.bars is not None and not 1 <= self.bars <= MOST_BARS:
            raise SettingError(f"{self.bars} is outside 1 to {MOST_BARS}", where="bars")
        if len(self.instruments) > v.MAX_TRACKS:
            raise SettingError(f"more than {v.MAX_TRACKS}", where="instruments")
        _check_range("pitch_range", self.pitch_range, 0)
        _check_range("velocity_range", self.velocity_range, 1)
        if not 0 <= self.returns <= 1:
            raise SettingError(f"{self.returns} is outside 0 to 1", where="returns")
        self.densities(len(self.density) if isinstance(self.density, tuple) else 1)
        last = max(self.bar_densities, default=0) + 1
        if self.bars is not None and last > self.bars:
            raise SettingError(f"bar {last} of {self.bars}", where="density")

    @property
    def form(self) -> str | None:
        """The sections that are laid out, None where they are not decided here."""
        return None if self.sections == FREE else self.sections or None

    def home(self, otherwise: str | None = None) -> harmony.Key | None:
        """The key that was asked for, else another that is known, if any."""
        name = self.key or otherwise
        return harmony.parse_key(name) if name else None

    def reductions(self) -> tuple[str, ...]:
        """The asked chords for which the model has no word, each with the simpler one it is given.

        Raises:
            SettingError: they cannot be read.
        """
        progression = harmony.parse_progression(self.chords, self.home()) if self.chords else []
        asked = dict.fromkeys(chord for bar in progression for chord in bar if chord)
        return tuple(f"{c} as {c.reduced}" for c in asked if c.reduced != c)

    @property
    def bar_densities(self) -> dict[int, tuple[int, int]]:
        """Lowest and highest density class by bar, from 0; empty where it is not given so."""
        by_bars = isinstance(self.density, str) and ":" in self.density
        return _densities_by_bar(str(self.density)) if by_bars else {}

    def densities(self, tracks: int) -> tuple[tuple[int, int], ...]:
        """Lowest and highest density class of each track, () where density is left open.

        Raises:
            SettingError: no density, or not one for each track.
        """
        if self.density is None or self.density == () or self.bar_densities:
            return ()
        asked = self.density if isinstance(self.density, tuple) else (self.density,) * tracks
        if len(asked) != tracks:
            raise SettingError(
                f"{len(asked)} densities for {tracks} tracks", where="density",
                mend="give one for all, or one for each track in the same order",
            )  # fmt: skip
        return tuple(map(_density, asked))


def _densities_by_bar(text: str) -> dict[int, tuple[int, int]]:
    """Lowest and highest density class of the bars, from 0, of `sparse:1-8 dense:9-16`.

    Raises:
        SettingError: it cannot be read, or has a bar twice.
    """
    found: dict[int, tuple[int, int]] = {}
    for part in text.split():
        match = re.fullmatch(r"(\w+):(\d+)(?:-(\d+))?", part)
        first, last = (int(match[2]), int(match[3] or match[2])) if match else (0, 0)
        bars = range(first - 1, last)
        is_sound = match and 1 <= first <= last <= MOST_BARS
        if not match or not is_sound or not found.keys().isdisjoint(bars):
            raise SettingError(
                f"{part!r} is no density of bars that have none yet", where="density",
                mend="density:first-last, counted from 1: 'sparse:1-8 dense:9-16'",
            )  # fmt: skip
        found |= dict.fromkeys(bars, _density(match[1]))
    return found


def _check_range(name: str, values: tuple[int, ...], least: int) -> None:
    if len(values) != 2 or not least <= values[0] <= values[1] <= 127:
        raise SettingError(
            f"{list(values)} is no range", where=name,
            mend=f"give the lowest and the highest, {least} to 127: {name}=[48,84]",
        )  # fmt: skip


def _density(asked: int | str) -> tuple[int, int]:
    if str(asked).isdigit() and int(asked) <= len(v.DENSITIES):
        return int(asked), int(asked)
    return DENSITY_WORDS[harmony.nearest(str(asked).lower(), DENSITY_WORDS, setting="density")]


def instrument_number(name: str | int) -> int:
    """0-127, or `DRUM_PROGRAM`, for a name or number as people write it.

    Raises:
        SettingError: unknown; the message suggests the nearest name.
    """
    text = re.sub(r"[\s_-]+", " ", str(name).strip().lower())
    if text.isdigit() and int(text) < DRUM_PROGRAM:
        return int(text)
    known = {name: number for number, name in enumerate(NAMES)} | FAMILIES
    return known[harmony.nearest(text, known, setting="instruments")]
