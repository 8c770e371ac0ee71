"""What a producer asks for, and the plan that follows from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gen import harmony
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.plan import Plan, compass_of, steps_of
from gen.sampling.view import Row
from gen.smf.general_midi import ANY_PITCH, NAMES
from gen.tokens import vocabulary as v
from gen.tokens.events import chord_id, key_id, section_id
from gen.tokens.vocabulary import FIRST, Kind

MOST_BARS: Final = 256
MOST_BARS_UNASKED: Final = 64
CHANGING: Final = "changing"
"""Time signature of a piece whose meter may change."""
FREE: Final = "free"
"""Sections of a piece whose form is left to the model."""
FEWEST_STEPS_A_CHORD: Final = 6

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
        chords: bar by bar, such as `Am F | C G`; begins again when it is through.
        sections: name:first bar, such as `intro:1 a:5`, or `free`: as the model likes. None is
            the form of one of the works, where a piece begins from nothing.
        density: notes a quarter, for all tracks or one a track: sparse, medium, dense, or a
            class from 0 (below 0.5) to 7 (above 6).
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

    @property
    def form(self) -> str | None:
        """The sections that are laid out, None where they are not decided here."""
        return None if self.sections == FREE else self.sections or None

    def densities(self, tracks: int) -> tuple[tuple[int, int], ...]:
        """Lowest and highest density class of each track, () where density is left open.

        Raises:
            SettingError: no density, or not one for each track.
        """
        if self.density is None or self.density == ():
            return ()
        told = self.density if isinstance(self.density, tuple) else (self.density,) * tracks
        if len(told) != tracks:
            raise SettingError(
                f"{len(told)} densities for {tracks} tracks", where="density",
                mend="give one for all, or one for each track in the same order",
            )  # fmt: skip
        return tuple(map(_density, told))


def _check_range(name: str, values: tuple[int, ...], least: int) -> None:
    if len(values) != 2 or not least <= values[0] <= values[1] <= 127:
        raise SettingError(
            f"{list(values)} is no range", where=name,
            mend=f"give the lowest and the highest, {least} to 127: {name}=[48,84]",
        )  # fmt: skip


def _density(told: int | str) -> tuple[int, int]:
    if str(told).isdigit() and int(told) <= len(v.DENSITIES):
        return int(told), int(told)
    return DENSITY_WORDS[harmony.nearest(str(told).lower(), DENSITY_WORDS, setting="density")]


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


def time_signature_id(text: str) -> int:
    """Value id of a time signature such as `6/8`.

    Raises:
        SettingError: not one the tokenizer knows.
    """
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    signature = (int(match[1]), int(match[2])) if match else None
    if signature not in v.TIME_SIGNATURES:
        raise SettingError(
            f"{text!r} is no time signature of this house",
            where="time_signature",
            mend="numerator 1-16, denominator 2, 4, 8 or 16, at most twelve quarters: 6/8",
        )
    return FIRST["time_signature"] + v.TIME_SIGNATURES.index(signature)


def plan_of(controls: Controls, style: int | None = None) -> Plan:
    """The plan that asks the model for exactly this.

    Args:
        controls: what is asked.
        style: the number that the checkpoint has for `controls.style`.

    Raises:
        SettingError: something cannot be read, or two settings contradict each other.
    """
    changing = controls.time_signature == CHANGING
    told = None if changing else controls.time_signature
    signature = time_signature_id(told) if told else None
    if controls.chords and signature is None:
        raise SettingError(
            "chords need a meter to be laid out in", where="chords", mend="add time_signature=4/4"
        )
    bars = controls.bars or MOST_BARS_UNASKED
    rows: dict[int, list[Row]] = {}
    if controls.form:
        for bar, row in section_rows(controls.form, bars):
            rows.setdefault(bar, []).append(row)
    if controls.chords and signature is not None:
        for bar, row in chord_rows(controls.chords, [steps_of(signature)] * bars):
            rows.setdefault(bar, []).append(row)
    tracks = track_rows(controls.instruments, controls)
    return Plan(
        header=[*attribute_rows(controls, style), *tracks],
        tracks_open=not controls.instruments,
        bars=controls.bars,
        most_bars=MOST_BARS_UNASKED,
        time_signature=signature,
        meter_changes=changing,
        tempo=_tempo_id(controls.tempo),
        plan_rows=rows,
        chords_given=bool(controls.chords),
        sections_given=bool(controls.form),
        pitches=(controls.pitch_range[0], controls.pitch_range[1]),
        velocities=velocity_classes(controls),
        densities=controls.densities(len(tracks) or 1),
        returns=controls.returns,
    )


def velocity_classes(controls: Controls) -> tuple[int, int]:
    """Lowest and highest velocity class inside the range.

    Raises:
        SettingError: none is.
    """
    low, high = controls.velocity_range
    classes = np.flatnonzero((low <= v.VELOCITIES) & (high >= v.VELOCITIES))
    if not len(classes):
        raise SettingError(
            f"[{low}, {high}] holds none of the velocities 3, 7, 11 … 127",
            where="velocity_range", mend="make the range at least four wide",
        )  # fmt: skip
    return int(classes[0]), int(classes[-1])


def _tempo_id(tempo: float | None) -> int | None:
    if tempo is None:
        return None
    return FIRST["tempo"] + int(v.nearest_index(np.array([tempo]), v.TEMPOS)[0])


def attribute_rows(controls: Controls, style: int | None = None) -> list[Row]:
    """BOS, and what is asked of the whole piece."""
    rows: list[Row] = [[int(Kind.BOS), 0, 0, 0, 0]]
    if controls.genre:
        index = harmony.GENRES.index(controls.genre)
        rows.append([int(Kind.GENRE), 0, FIRST["genre"] + index, 0, 0])
    if controls.mood:
        index = harmony.MOODS.index(controls.mood)
        rows.append([int(Kind.MOOD), 0, FIRST["mood"] + index, 0, 0])
    if controls.key:
        rows.append([int(Kind.KEY), 0, key_id(controls.key), 0, 0])
    if style is not None:
        rows.append([int(Kind.STYLE), 0, FIRST["style"] + style, 0, 0])
    return rows


def track_rows(instruments: Sequence[str | int], controls: Controls) -> list[Row]:
    """A TRACK for each instrument, with its role where roles are given.

    Raises:
        SettingError: an instrument or role that cannot be, or that the pitches leave nothing.
    """
    roles: Sequence[str | None] = controls.roles or [None] * len(instruments)
    if len(roles) != len(instruments):
        raise SettingError(
            f"{len(roles)} roles for {len(instruments)} instruments",
            where="roles", mend="give one role for each instrument, in the same order",
        )  # fmt: skip
    rows: list[Row] = []
    for name, role in zip(instruments, roles, strict=True):
        number = instrument_number(name)
        if role and (role == "drums") != (number == DRUM_PROGRAM):
            raise SettingError(f"{name} cannot have the role {role}", where="roles")
        check_plays(str(name), compass_of(number, ANY_PITCH), controls.pitch_range)
        extent = FIRST["role"] + ROLES.index(role) if role else 0
        rows.append([int(Kind.TRACK), 0, FIRST["program"] + number, extent, 0])
    return rows


def check_plays(name: str, own: tuple[int, int], asked: Sequence[int]) -> None:
    """Refuse pitches that leave an instrument nothing.

    Args:
        name: of the instrument.
        own: lowest and highest pitch that it plays.
        asked: lowest and highest that it may play.

    Raises:
        SettingError: there is none in both.
    """
    if max(own[0], asked[0]) > min(own[1], asked[1]):
        lowest, highest = own
        raise SettingError(
            f"{list(asked)} leaves {name} nothing to play: it plays {lowest} to {highest}",
            where="pitch_range", mend=f"let the range reach into {lowest} to {highest}",
        )  # fmt: skip


def section_rows(text: str, bars: int) -> list[tuple[int, Row]]:
    """Bar, counted from 0, and SECTION row of each section of `intro:1 a:5 …`.

    Raises:
        SettingError: not of this form, an unknown name, or a bar that the piece has not.
    """
    found = []
    for part in text.split():
        name, _, bar = part.rpartition(":")
        if not name or not bar.isdecimal() or not 1 <= int(bar) <= bars:
            raise SettingError(
                f"{part!r} is no section of a piece of {bars} bars",
                where="sections", mend="name:first bar, counted from 1: 'intro:1 a:5 b:13'",
            )  # fmt: skip
        section = section_id(name)
        if section == section_id("other") and name.lower() != "other":
            harmony.nearest(name.lower(), v.SECTIONS, setting="sections")
        row: Row = [int(Kind.SECTION), 0, section, 0, 0]
        found.append((int(bar) - 1, row))
    return found


def chord_rows(text: str, lengths: Sequence[int]) -> list[tuple[int, Row]]:
    """CHORD rows of every bar; the progression begins again when it is through.

    Args:
        text: as `harmony.parse_progression` reads it.
        lengths: of the bars, in grid steps.

    Returns:
        Place in `lengths` and row of each.

    Raises:
        SettingError: it cannot be read, has more bars than there are, or a bar holds too many.
    """
    progression = harmony.parse_progression(text)
    if len(progression) > len(lengths):
        raise SettingError(
            f"a progression of {len(progression)} bars for {len(lengths)} bars of music",
            where="chords", mend="give a chord or more for each bar, bars separated by |",
        )  # fmt: skip
    rows: list[tuple[int, Row]] = []
    for bar, steps in enumerate(lengths):
        chords = progression[bar % len(progression)]
        if len(chords) > max(steps // FEWEST_STEPS_A_CHORD, 1):
            raise SettingError(
                f"{len(chords)} chords in a bar of {steps / FEWEST_STEPS_A_CHORD:g} eighths",
                where="chords", mend="at most one an eighth: spread them over bars, separated by |",
            )  # fmt: skip
        for index, chord in enumerate(chords):
            position = FIRST["position"] + index * steps // len(chords)
            rows.append((bar, [int(Kind.CHORD), position, chord_id(chord), 0, 0]))
    return rows
