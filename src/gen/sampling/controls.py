"""What a producer asks for, and the plan that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from gen import harmony
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.grammar import Plan, Row
from gen.smf.general_midi import NAMES
from gen.tokens import vocabulary as v
from gen.tokens.events import chord_id, key_id, section_id
from gen.tokens.vocabulary import FIRST, Kind

MOST_BARS: Final = 256

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
        key: such as `A minor`.
        tempo: quarters a minute, 30 to 240.
        time_signature: such as `6/8`, for the whole piece.
        bars: how many, exactly.
        instruments: one a track: General MIDI names or numbers (0-127), families, `drums`.
        roles: one a track, of `piece.ROLES`.
        chords: bar by bar, such as `Am F | C G`; begins again when it is through.
        sections: name:first bar, such as `intro:1 a:5`.
        pitch_range: lowest and highest melodic pitch, 0-127.
        velocity_range: lowest and highest velocity, 1-127.
    """

    genre: str | None = None
    mood: str | None = None
    key: str | None = None
    tempo: float | None = None
    time_signature: str | None = None
    bars: int | None = None
    instruments: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    chords: str | None = None
    sections: str | None = None
    pitch_range: tuple[int, ...] = (0, 127)
    velocity_range: tuple[int, ...] = (1, 127)

    def __post_init__(self) -> None:
        if self.genre is not None:
            harmony.nearest(self.genre, harmony.GENRES, setting="genre")
        if self.mood is not None:
            harmony.nearest(self.mood, harmony.MOODS, setting="mood")
        for role in self.roles:
            harmony.nearest(role, ROLES, setting="roles")
        if self.roles and len(self.roles) != len(self.instruments):
            raise SettingError(
                f"{len(self.roles)} roles for {len(self.instruments)} instruments",
                where="roles", mend="give one role for each instrument, in the same order",
            )  # fmt: skip
        if self.tempo is not None and not 30 <= self.tempo <= 240:
            raise SettingError(f"{self.tempo} is outside 30 to 240", where="tempo")
        if self.bars is not None and not 1 <= self.bars <= MOST_BARS:
            raise SettingError(f"{self.bars} is outside 1 to {MOST_BARS}", where="bars")
        if len(self.instruments) > v.MAX_TRACKS:
            raise SettingError(f"more than {v.MAX_TRACKS}", where="instruments")
        _check_range("pitch_range", self.pitch_range, 0)
        _check_range("velocity_range", self.velocity_range, 1)


def _check_range(name: str, values: tuple[int, ...], least: int) -> None:
    if len(values) != 2 or not least <= values[0] <= values[1] <= 127:
        raise SettingError(
            f"{list(values)} is no range", where=name,
            mend=f"give the lowest and the highest, {least} to 127: {name}=[48,84]",
        )  # fmt: skip


def instrument_number(name: str) -> int:
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


def plan_of(controls: Controls) -> Plan:
    """The plan that asks the model for exactly this.

    Raises:
        SettingError: something cannot be read, or two settings contradict each other.
    """
    signature = time_signature_id(controls.time_signature) if controls.time_signature else None
    if controls.chords and signature is None:
        raise SettingError(
            "chords need a meter to be laid out in", where="chords", mend="add time_signature=4/4"
        )
    rows: dict[int, list[Row]] = {}
    bars = controls.bars or 64
    if controls.sections:
        for bar, row in _sections(controls.sections, bars):
            rows.setdefault(bar, []).append(row)
    if controls.chords and signature is not None:
        steps = v.bar_steps(*v.TIME_SIGNATURES[signature - FIRST["time_signature"]])
        for bar, row in _chords(controls.chords, bars, steps):
            rows.setdefault(bar, []).append(row)
    low, high = controls.velocity_range
    classes = np.flatnonzero((low <= v.VELOCITIES) & (high >= v.VELOCITIES))
    if not len(classes):
        raise SettingError(
            f"[{low}, {high}] holds none of the velocities 3, 7, 11 … 127",
            where="velocity_range", mend="make the range at least four wide",
        )  # fmt: skip
    return Plan(
        header=_header(controls),
        tracks_open=not controls.instruments,
        bars=controls.bars,
        time_signature=signature,
        tempo=_tempo_id(controls.tempo),
        plan_rows=rows,
        chords_given=bool(controls.chords),
        sections_given=bool(controls.sections),
        pitches=(controls.pitch_range[0], controls.pitch_range[1]),
        velocities=(int(classes[0]), int(classes[-1])),
    )


def _tempo_id(tempo: float | None) -> int | None:
    if tempo is None:
        return None
    return FIRST["tempo"] + int(v.nearest_index(np.array([tempo]), v.TEMPOS)[0])


def _header(controls: Controls) -> list[Row]:
    rows: list[Row] = [[int(Kind.BOS), 0, 0, 0, 0]]
    if controls.genre:
        index = harmony.GENRES.index(controls.genre)
        rows.append([int(Kind.GENRE), 0, FIRST["genre"] + index, 0, 0])
    if controls.mood:
        index = harmony.MOODS.index(controls.mood)
        rows.append([int(Kind.MOOD), 0, FIRST["mood"] + index, 0, 0])
    if controls.key:
        rows.append([int(Kind.KEY), 0, key_id(controls.key), 0, 0])
    for index, name in enumerate(controls.instruments):
        role = FIRST["role"] + ROLES.index(controls.roles[index]) if controls.roles else 0
        value = FIRST["program"] + instrument_number(name)
        rows.append([int(Kind.TRACK), 0, value, role, 0])
    return rows


def _sections(text: str, bars: int) -> list[tuple[int, Row]]:
    found = []
    for part in text.split():
        name, _, bar = part.rpartition(":")
        if not name or not bar.isdigit() or not 1 <= int(bar) <= bars:
            raise SettingError(
                f"{part!r} is no section of a piece of {bars} bars",
                where="sections", mend="name:first bar, counted from 1: 'intro:1 a:5 b:13'",
            )  # fmt: skip
        row: Row = [int(Kind.SECTION), 0, section_id(name), 0, 0]
        found.append((int(bar) - 1, row))
    return found


def _chords(text: str, bars: int, steps: int) -> list[tuple[int, Row]]:
    """CHORD rows of every bar; the progression begins again when it is through."""
    progression = harmony.parse_progression(text)
    rows: list[tuple[int, Row]] = []
    for bar in range(bars):
        chords = progression[bar % len(progression)]
        if len(chords) > steps:
            raise SettingError(
                f"{len(chords)} chords in a bar of {steps} steps",
                where="chords", mend="spread them over more bars, separated by |",
            )  # fmt: skip
        for index, chord in enumerate(chords):
            position = FIRST["position"] + index * steps // len(chords)
            rows.append((bar, [int(Kind.CHORD), position, chord_id(chord), 0, 0]))
    return rows
