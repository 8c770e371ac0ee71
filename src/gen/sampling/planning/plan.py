"""What is decided of a piece before its first note; `planning` makes it of what is asked.

A row is the ids of one event, as `gen.tokens.vocabulary.FIELDS` names them; of a model of played
music those of `gen.tokens.timing.FIELDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gen.data.habits import Habits
from gen.piece import DRUM_PROGRAM
from gen.sampling.planning.rules import Rules
from gen.smf.general_midi import range_of
from gen.tokens import vocabulary as v
from gen.tokens.choice import GRID
from gen.tokens.vocabulary import WORDS, Kind

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


Basses = tuple[tuple[int, int | None], ...]
Slashes = Mapping[int, Basses]
"""By bar: first step and pitch class, None for any, of each chord."""


class Close(StrEnum):
    """How the last chord is played."""

    STRUCK = "struck"
    """By all at once, to ring."""
    SPREAD = "spread"
    """The same, but that the accompaniment climbs through it note by note."""
    STOPPED = "stopped"
    """By all at once, and cut short."""


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
        scale: pitch classes of the mode that was asked for, if it is neither major nor minor.
        cadence: how many bars before the last chord the one stands that leads to it; 0 leaves that
            to the model.
        leads_from: semitones of its root above the tonic: of the dominant, or of the subdominant.
        ritardando: by how many classes of tempo each of the last bars is slower than those before
            them all; empty leaves tempo to the model.
        close: how the last chord is played; None where the rules know of one way alone.
        fade: bars before the last one in which parts fall silent, until one is left; 0 for none.
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
    scale: tuple[int, ...] = ()
    cadence: int = 0
    leads_from: int = 7
    ritardando: tuple[int, ...] = ()
    close: Close | None = None
    fade: int = 0
    timing: str = GRID
    ensemble: tuple[int, ...] = ()

    @property
    def limit(self) -> int:
        """How many bars there may be."""
        return self.bars or self.most_bars

    @property
    def named_basses(self) -> Slashes:
        """The basses behind slashes that markers say."""
        return self.slashes if self.rules.names_basses else {}

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
