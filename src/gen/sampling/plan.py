"""What is decided of a piece before its first note, and how that follows from what is asked.

A row is the ids of one event, as `gen.tokens.vocabulary.FIELDS` names them; of a model of played
music those of `gen.tokens.timing.FIELDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from gen import harmony
from gen.data.habits import Habits
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.controls import CHANGING, Controls, instrument_number
from gen.sampling.rules import Rules
from gen.smf.general_midi import ANY_PITCH, range_of
from gen.tokens import vocabulary as v
from gen.tokens.choice import GRID
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, key_id, section_id

Row = list[int]


def row_of(kind: Kind, value: int = 0, *, step: int | None = None, extent: int = 0) -> Row:
    """An event of five fields without a level.

    Args:
        kind: of it.
        value: id of its value.
        step: of the bar, where it stands at one.
        extent: id of its extent.
    """
    position = 0 if step is None else WORDS.position.id(step)
    return [int(kind), position, value, extent, 0]


NO_HABITS: Final = Habits()
"""Those of nobody: no limit."""

DRUM_SOUNDS: Final = (27, 87)
"""The drum pitches that General MIDI 2 gives a sound."""

MOST_BARS_UNASKED: Final = 64
FEWEST_STEPS_A_CHORD: Final = 6


Slashes = Mapping[int, tuple[tuple[int, int | None], ...]]
"""By bar: first step and pitch class, None for any, of each chord."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided before the first note.

    Attributes:
        header: BOS, attributes and TRACKs; the TRACKs may be missing, then they are sampled.
            The bars that are there already, of a piece that goes on, may follow.
        tracks_open: whether further TRACKs may be sampled.
        bars: how many, None to let the model end.
        most_bars: never more than this.
        time_signature: value id of every bar, None to let the model choose.
        meter_changes: whether a meter that the model chooses may change from bar to bar.
        tempo: value id of the tempo at the beginning; None to let the model choose. A given
            tempo holds throughout.
        plan_rows: rows (SECTION, CHORD) that follow the BAR with this number, counted from 0.
        chords_given: chords come from `plan_rows` alone.
        slashes: of bars with slash chords: from which step on which pitch class a bass has to play.
        sections_given: sections come from `plan_rows` alone.
        pitches: lowest and highest melodic pitch.
        velocities: lowest and highest velocity class.
        compass: lowest and highest pitch of each declared track; where it is empty each plays
            `pitches`, but nothing outside its instrument's own range.
        densities: lowest and highest density class of each track, the last for all further
            ones; empty leaves density open.
        bar_densities: the same of all tracks by bar, counted from 0.
        returns: share of the cells of a section that comes back which are as they were.
        next_sections: value ids of the sections of which one has to begin after the bars that
            are there already; empty where none has to.
        cut: the piece is left off after this bar, however many are said to follow; None to end it.
        habits: of the works behind the model, which decide what nobody asks for.
        steering: how strongly parts are kept in agreement and in their key, see `steering`;
            0 leaves them to the model, as in pieces of earlier versions.
        rules: those of writing.
        cadence: how many bars before the last one the dominant stands; 0 leaves that to the model.
        ritardando: by how many classes of tempo each of the last bars is slower than those before
            them all; empty leaves tempo to the model.
        timing: of a model of played music `timing.PLAYED` to write as players play, or `STRAIGHT`
            to stay on the grid; `GRID` for models that know nothing else.
        ensemble: value ids of the instruments of the first tracks, whose roles are sampled.
    """

    header: list[Row]
    tracks_open: bool
    bars: int | None = None
    most_bars: int = 64
    time_signature: int | None = None
    meter_changes: bool = False
    tempo: int | None = None
    plan_rows: dict[int, list[Row]] = field(default_factory=dict)
    chords_given: bool = False
    slashes: Slashes = field(default_factory=dict)
    sections_given: bool = False
    pitches: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (0, len(v.VELOCITIES) - 1)
    compass: tuple[tuple[int, int], ...] = ()
    densities: tuple[tuple[int, int], ...] = ()
    bar_densities: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    returns: float = 0.0
    next_sections: tuple[int, ...] = ()
    cut: int | None = None
    habits: Habits = NO_HABITS
    steering: float = 0.0
    rules: Rules = Rules()  # noqa: RUF009 - never changes
    cadence: int = 0
    ritardando: tuple[int, ...] = ()
    timing: str = GRID
    ensemble: tuple[int, ...] = ()

    @property
    def limit(self) -> int:
        """How many bars there may be."""
        return self.bars or self.most_bars

    def densities_of(self, slot: int, bar: int | None = None) -> tuple[int, int] | None:
        """Lowest and highest density class that is asked of a track in a bar, None for none."""
        if not self.densities:
            return None if bar is None else self.bar_densities.get(bar)
        return self.densities[min(slot, len(self.densities) - 1)]

    def planned(self, bar: int, kind: Kind) -> list[Row]:
        """The rows of one kind that are decided for a bar."""
        return [row for row in self.plan_rows.get(bar, ()) if row[v.KIND] == kind]


def compass_of(program: int, pitches: tuple[int, int]) -> tuple[int, int]:
    """Lowest and highest pitch that an instrument plays of those asked for; none if reversed."""
    if program == DRUM_PROGRAM:
        return DRUM_SOUNDS
    lowest, highest = range_of(program)
    return max(pitches[0], lowest), min(pitches[1], highest)


def steps_of(signature_id: int) -> int:
    """Length of a bar in grid steps."""
    return v.bar_steps(*v.TIME_SIGNATURES[WORDS.time_signature.number(signature_id)])


def with_roles(plan: Plan) -> Plan:
    """The plan of a piece from nothing whose tracks have no roles, with these to be sampled."""
    tracks = [row for row in plan.header if row[v.KIND] == Kind.TRACK]
    if any(row[v.EXTENT] for row in tracks):
        return plan
    header = [row for row in plan.header if row[v.KIND] != Kind.TRACK]
    return replace(plan, header=header, ensemble=tuple(row[v.VALUE] for row in tracks))


# From controls to a plan ---------------------------------------------------------------


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
    return WORDS.time_signature.id(v.TIME_SIGNATURES.index(signature))


def plan_of(controls: Controls, style: int | None = None) -> Plan:
    """The plan that asks the model for exactly this.

    Args:
        controls: what is asked.
        style: the number that the checkpoint has for `controls.style`.

    Raises:
        SettingError: something cannot be read, or two settings contradict each other.
    """
    changing = controls.time_signature == CHANGING
    if controls.chords and changing:
        raise SettingError(
            "cannot be laid out in a meter that changes", where="chords",
            mend="add time_signature=4/4",
        )  # fmt: skip
    usual = harmony.usual_meter(controls.genre) if controls.chords else None
    meter = controls.time_signature or usual
    signature = time_signature_id(meter) if meter and not changing else None
    bars = controls.bars or MOST_BARS_UNASKED
    lengths = [steps_of(signature)] * bars if signature is not None else []
    rows, slashes = planned_rows(controls, bars, lengths, controls.home())
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
        slashes=slashes,
        sections_given=bool(controls.form),
        pitches=(controls.pitch_range[0], controls.pitch_range[1]),
        velocities=velocity_classes(controls),
        densities=controls.densities(len(tracks) or 1),
        bar_densities=controls.bar_densities,
        returns=controls.returns,
    )


def planned_rows(
    controls: Controls, bars: int, lengths: Sequence[int], home: harmony.Key | None
) -> tuple[dict[int, list[Row]], Slashes]:
    """The sections and chords that are asked for, as `Plan.plan_rows`, and `Plan.slashes`.

    Args:
        controls: what is asked.
        bars: of the whole piece.
        lengths: of the bars that the chords are for, the last ones, in grid steps.
        home: the key of chords that are given by degrees.

    Raises:
        SettingError: as `section_rows` and `chord_rows`.
    """
    rows: dict[int, list[Row]] = {}
    for bar, row in section_rows(controls.form, bars) if controls.form else ():
        rows.setdefault(bar, []).append(row)
    if not controls.chords:
        return rows, {}
    first = bars - len(lengths)
    for bar, row in chord_rows(controls.chords, lengths, home):
        rows.setdefault(first + bar, []).append(row)
    slashes = slash_basses(controls.chords, lengths, home)
    return rows, {first + bar: basses for bar, basses in slashes.items()}


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
    return WORDS.tempo.id(int(v.nearest_index(np.array([tempo]), v.TEMPOS)[0]))


def attribute_rows(controls: Controls, style: int | None = None) -> list[Row]:
    """BOS, and what is asked of the whole piece."""
    rows: list[Row] = [row_of(Kind.BOS)]
    if controls.genre:
        index = harmony.GENRES.index(controls.genre)
        rows.append(row_of(Kind.GENRE, WORDS.genre.id(index)))
    if controls.mood:
        index = harmony.MOODS.index(controls.mood)
        rows.append(row_of(Kind.MOOD, WORDS.mood.id(index)))
    if controls.key:
        rows.append(row_of(Kind.KEY, key_id(controls.key)))
    if style is not None:
        rows.append(row_of(Kind.STYLE, WORDS.style.id(style)))
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
        extent = WORDS.role.id(ROLES.index(role)) if role else 0
        rows.append(row_of(Kind.TRACK, WORDS.program.id(number), extent=extent))
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
        row = row_of(Kind.SECTION, section)
        found.append((int(bar) - 1, row))
    return found


def chord_rows(
    text: str, lengths: Sequence[int], key: harmony.Key | None = None
) -> list[tuple[int, Row]]:
    """CHORD rows of every bar; the progression begins again when it is through.

    Args:
        text: as `harmony.parse_progression` reads it.
        lengths: of the bars, in grid steps.
        key: of the degrees in it, such as `ii V7 | I`.

    Returns:
        Place in `lengths` and row of each.

    Raises:
        SettingError: it cannot be read, has more bars than there are, or a bar holds too many.
    """
    return [
        (bar, row_of(Kind.CHORD, chord_id(chord), step=step))
        for bar, step, chord in _chords_by_bar(text, lengths, key)
    ]


def slash_basses(text: str, lengths: Sequence[int], key: harmony.Key | None = None) -> Slashes:
    """Which pitch class is asked for in the bass of each bar that has a slash chord.

    Args, raises: as `chord_rows`.
    """
    found: dict[int, list[tuple[int, int | None]]] = {}
    for bar, step, chord in _chords_by_bar(text, lengths, key):
        bass = chord.bass if chord and chord.bass != chord.root else None
        found.setdefault(bar, []).append((step, bass))
    slashes = {bar: tuple(basses) for bar, basses in found.items()}
    return {bar: steps for bar, steps in slashes.items() if any(b is not None for _, b in steps)}


def _chords_by_bar(
    text: str, lengths: Sequence[int], key: harmony.Key | None
) -> Iterator[tuple[int, int, harmony.Chord | None]]:
    """Bar, step in it and chord, evenly spread over each bar."""
    progression = harmony.parse_progression(text, key)
    if len(progression) > len(lengths):
        raise SettingError(
            f"a progression of {len(progression)} bars for {len(lengths)} bars of music",
            where="chords", mend="give a chord or more for each bar, bars separated by |",
        )  # fmt: skip
    for bar, steps in enumerate(lengths):
        chords = progression[bar % len(progression)]
        if len(chords) > max(steps // FEWEST_STEPS_A_CHORD, 1):
            raise SettingError(
                f"{len(chords)} chords in a bar of {steps / FEWEST_STEPS_A_CHORD:g} eighths",
                where="chords", mend="at most one an eighth: spread them over bars, separated by |",
            )  # fmt: skip
        for index, chord in enumerate(chords):
            yield bar, index * steps // len(chords), chord
