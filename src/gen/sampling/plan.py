"""What is decided of a piece before its first note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gen.data.habits import Habits
from gen.piece import DRUM_PROGRAM
from gen.sampling.view import Row
from gen.smf.general_midi import range_of
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import FIRST, Kind

NO_HABITS: Final = Habits()
"""Those of nobody: no limit."""

DRUM_SOUNDS: Final = (27, 87)
"""The drum pitches that General MIDI 2 gives a sound."""


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
        sections_given: sections come from `plan_rows` alone.
        pitches: lowest and highest melodic pitch.
        velocities: lowest and highest velocity class.
        compass: lowest and highest pitch of each declared track; where it is empty each plays
            `pitches`, but nothing outside its instrument's own range.
        densities: lowest and highest density class of each track, the last for all further
            ones; empty leaves density open.
        returns: share of the cells of a section that comes back which are as they were.
        next_sections: value ids of the sections of which one has to begin after the bars that
            are there already; empty where none has to.
        cut: the piece is left off after this bar, however many are said to follow; None to end it.
        habits: of the works behind the model, which decide what nobody asks for.
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
    sections_given: bool = False
    pitches: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (0, len(v.VELOCITIES) - 1)
    compass: tuple[tuple[int, int], ...] = ()
    densities: tuple[tuple[int, int], ...] = ()
    returns: float = 0.0
    next_sections: tuple[int, ...] = ()
    cut: int | None = None
    habits: Habits = NO_HABITS

    @property
    def limit(self) -> int:
        """How many bars there may be."""
        return self.bars or self.most_bars

    def densities_of(self, slot: int) -> tuple[int, int] | None:
        """Lowest and highest density class that is asked of a track; None where none is."""
        if not self.densities:
            return None
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
    return v.bar_steps(*v.TIME_SIGNATURES[signature_id - FIRST["time_signature"]])
