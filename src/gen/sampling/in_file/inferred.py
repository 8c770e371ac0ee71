"""Controls that are taken from a file where nothing is said of them: keep what the file does.

Its key, chords, meter and loudness are taken from it in any case. By the fourth rules so are, of
each track of its own, how many notes it has and between which pitches; and of what is added, that
it is neither sparser nor denser than the file's own parts, and stays near where they lie: by the
eighth but for a bass, which would else lie an octave too high beneath a melody by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.in_file.given import is_free_in_level
from gen.sampling.in_file.source import Source
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Plan, Row, compass_of
from gen.smf.general_midi import ANY_PITCH
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS

SHARES: Final = (0.1, 0.9)
"""Of a track's cells, between whose densities new ones lie."""
LATEST: Final = 16
"""Bars with notes of each track that a continuation goes by."""
FEWEST_PITCHES: Final = 12
"""Semitones that a track has at least, an octave."""
BEYOND: Final = 12
"""Semitones below and above the file's own notes to which an added part may go."""
BASSES: Final = (23, 55)
"""Lowest and highest pitch that is added as a bass; of 77 works' basses 26 and 55."""
_ANY: Final = (0, len(v.DENSITIES))
_BASS: Final = WORDS.role.id(ROLES.index("bass"))

Bounds = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a file says where a request says nothing.

    Attributes:
        densities: lowest and highest density class of each track, of the file and added; empty
            where density is asked for.
        compass: lowest and highest pitch of each; empty where a range is asked for.
        names: of the tracks.
        key: which its notes suggest; "" where one is asked for.
        velocity: mean of its notes; None where a range is asked for.
    """

    densities: tuple[Bounds, ...]
    compass: tuple[Bounds, ...]
    names: tuple[str, ...]
    key: str
    velocity: int | None

    @classmethod
    def of(
        cls, source: Source, controls: Controls, table: CellTable, added: Sequence[Row] = (),
        *, latest: int | None = None, lowers_basses: bool = False,
    ) -> Inferred:  # fmt: skip
        """Read it off the file.

        Args:
            source: the file.
            controls: what is asked.
            table: the file's events, with densities.
            added: a TRACK row of each further track.
            latest: so many of each track's sounding bars count, the last ones; None for all.
            lowers_basses: whether an added bass plays in a bass's register, whatever the file's.
        """
        tracks = source.piece.tracks
        notes = [note for track in tracks for note in track.notes]
        asks_range = tuple(controls.pitch_range) != ANY_PITCH
        programs = [WORDS.program.number(row[v.VALUE]) for row in added]
        own = [_density(table, slot, latest) for slot in range(len(tracks))]
        beside = _beside([d for d, t in zip(own, tracks, strict=True) if d and not t.is_drum])
        more = [_ANY if program == DRUM_PROGRAM else beside for program in programs]
        ranges = [_range(source, slot) for slot in range(len(tracks))]
        near = [
            _between(program, *BASSES)
            if lowers_basses and row[v.EXTENT] == _BASS
            else _near(source, program)
            for program, row in zip(programs, added, strict=True)
        ]
        level = is_free_in_level(controls)
        return cls(
            () if controls.density is not None else tuple([d or _ANY for d in own] + more),
            () if asks_range else tuple(ranges + near),
            tuple(track.name or f"track {n}" for n, track in enumerate(tracks, 1)),
            "" if controls.key or not source.analysis.is_key_clear else source.analysis.key,
            round(float(np.mean([note.velocity for note in notes]))) if level else None,
        )

    def into(self, plan: Plan) -> Plan:
        """A plan that keeps to it."""
        return replace(
            plan, densities=self.densities or plan.densities, compass=self.compass or plan.compass
        )

    def record(self) -> dict[str, Any]:
        """For the receipt."""
        return {
            "key": self.key or None,
            "velocity": self.velocity,
            "density_classes": [list(bounds) for bounds in self.densities] or None,
            "pitch_ranges": [list(bounds) for bounds in self.compass] or None,
        }

    def words(self) -> list[str]:
        """The same for people, each with the setting that asks for something else."""
        level = f"loudness, velocity {self.velocity} in the mean (velocity_range=)"
        says = {
            f"{self.key} (key=)": bool(self.key),
            "density (density=)": bool(self.densities),
            "register (pitch_range=)": bool(self.compass),
            level: self.velocity is not None,
        }
        return [text for text, holds in says.items() if holds]


def _density(table: CellTable, slot: int, latest: int | None) -> Bounds | None:
    """Lowest and highest density class of most of a track's sounding bars; None without any."""
    found = [
        WORDS.density.number(cell[0][v.EXTENT])
        for place, cell in sorted(table.cells.items())
        if place[1] == slot and cell[0][v.EXTENT] and table.sounds(place)
    ]
    if not found:
        return None
    low, high = np.quantile(found[-latest:] if latest else found, SHARES)
    return int(np.floor(low)), int(np.ceil(high))


def _beside(own: Sequence[Bounds]) -> Bounds:
    """Between the sparsest and the densest of the file's parts, in the middle of each."""
    middles = [(low + high) // 2 for low, high in own]
    return (min(middles), max(middles)) if middles else _ANY


def _range(source: Source, slot: int) -> Bounds:
    """Lowest and highest pitch of a track, an octave at least; of drums all that there are."""
    track = source.piece.tracks[slot]
    lowest, highest = compass_of(track.instrument, ANY_PITCH)
    if track.is_drum or not track.notes:
        return lowest, highest
    pitches = [note.pitch for note in track.notes]
    lacks = max(FEWEST_PITCHES - (max(pitches) - min(pitches)), 0)
    low, high = min(pitches) - (lacks + 1) // 2, max(pitches) + lacks // 2
    return max(low, min(lowest, *pitches)), min(high, max(highest, *pitches))


def _near(source: Source, program: int) -> Bounds:
    """What an instrument plays near the file's notes; where that is little, all that it plays."""
    pitches = [n.pitch for track in source.piece.tracks if not track.is_drum for n in track.notes]
    if program == DRUM_PROGRAM or not pitches:
        return compass_of(program, ANY_PITCH)
    return _between(program, min(pitches) - BEYOND, max(pitches) + BEYOND)


def _between(program: int, low: int, high: int) -> Bounds:
    """What an instrument plays from pitch to pitch; where that is little, all that it plays."""
    lowest, highest = compass_of(program, ANY_PITCH)
    low, high = max(lowest, low), min(highest, high)
    return (low, high) if high - low >= FEWEST_PITCHES else (lowest, highest)


def remarks_on(inferred: Inferred | None) -> tuple[str, ...]:
    """What there is to be said of it, in a sentence at most."""
    words = inferred.words() if inferred else []
    return (f"kept as the file has it: {', '.join(words)}",) if words else ()


def said(inferred: Inferred | None) -> Mapping[str, Any]:
    """What a receipt says of it; nothing by earlier rules."""
    return {"inferred": inferred.record()} if inferred else {}
