"""Accompaniment: is a part that is added to a work worth more than one by rule?

Definition: in each held-out work, cut, the cells of one track (bass, pad, accompaniment, riff or
drums) are left out. The model writes them as `sample.py accompany=` does, given all other tracks
and the chords of the work's tag; an arranger writes them by rule (`evaluation.arranger`) from the
same chords, meter and instrument. Both are held against what the composer had there:

- clash: share of the sixteenths with sound of the part in which it stands a semitone beside
  another (`evaluation.tonal`); drums have none, as of the next two;
- ensemble: cosine of the pitch classes of the part and of all others, by sounding time, in the mean
  over bars;
- harmony: the same of the part and the composer's own, which is 1 of the composer's;
- rhythm: onsets of a sixteenth that both have, by the mean of how many each has (F1); 1 of the
  composer's;
- notes: notes a bar, as log2;
- patterns: different rhythms of its bars by its sounding bars.

`nearer`: by how much the model's figure lies nearer to the composer's than the arranger's, work by
work; the model beats the arranger where its interval lies above 0.

Source: F1 of onsets as in Raffel et al. 2014, "mir_eval"; chroma cosine as in Wu & Yang 2021,
"MuseMorphose".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.random import Generator

from gen.evaluation.arranger import arranged
from gen.evaluation.measures import interval, tonal
from gen.evaluation.report.part import EvaluationPart, Table, cell, each, number, verdict_cell
from gen.evaluation.report.plots import Report
from gen.evaluation.subjects.works import MeasuredWork, excerpt
from gen.piece import ROLES, Piece
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.fill import Hole, HoleByHole
from gen.sampling.in_file.given import without_densities
from gen.sampling.planning.plan import Plan, Row, row_of
from gen.sampling.planning.rules import NEWEST, Rules
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_STEP
from gen.tokens.reading import decode
from gen.tokens.vocabulary import WORDS, Kind

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.progress import Tick
    from gen.evaluation.subjects.models import Candidate

MEASURES: Final = {
    "clash": "clashes", "ensemble": "harmony with the others",
    "harmony": "harmony as the composer's", "rhythm": "rhythm as the composer's",
    "notes": "number of notes", "patterns": "variety of rhythm",
}  # fmt: skip
SIDES: Final = ("written", "arranged", "original")
ACCOMPANYING: Final = frozenset({"bass", "pad", "accompaniment", "riff", "drums"})
_PLAYS: Final = 0.5
"""Share of the bars in which a track plays that is left out."""
_SIXTEENTH: Final = v.STEPS_PER_QUARTER // 4 * TICKS_PER_STEP


@dataclass(frozen=True, slots=True)
class Silenced:
    """A work of which one track is left out.

    Attributes:
        work: whose.
        table: its events, cut, all of them.
        slot: the track.
        role: what that does.
    """

    work: MeasuredWork
    table: CellTable
    slot: int
    role: str

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(bar, self.slot) for bar in range(len(self.table.bars))]

    @property
    def program(self) -> int:
        return WORDS.program.number(self.table.tracks[self.slot][v.VALUE])

    def draft(self) -> Draft:
        """The work with that track to be written, as `accompany=` asks for it."""
        rest = self.table.without(self.places)
        plan = Plan([], tracks_open=False, bars=len(rest.bars), most_bars=len(rest.bars),
                    steering=1.0, rules=Rules(NEWEST))  # fmt: skip
        holes = [Hole(*place) for place in self.places]
        return Draft(plan, order=HoleByHole(rest, holes, rest.held()))

    def by_rule(self) -> Piece:
        """The work with that track by the arranger."""
        rest = self.table.without(self.places)
        cells = arranged(rest, self.slot, self.program, self.role)
        whole = CellTable(rest.header, rest.bars, {**rest.cells, **cells})
        return _piece(whole.excerpt(0, len(whole.bars)))

    def original(self) -> Piece:
        return _piece(self.table.excerpt(0, len(self.table.bars)))


def silenced(work: MeasuredWork, bars: int, rng: Generator) -> Silenced | None:
    """One track of a work's beginning, by chance; None without chords, or a track that plays."""
    events = excerpt(work.tokenised.events, bars)
    rows = events[~events.is_a(Kind.EOS)].tolist()
    table = CellTable.of(without_densities(rows))
    if not any(row[v.KIND] == Kind.CHORD for rows in table.bars for row in rows):
        return None
    slots = []
    for slot, row in enumerate(table.tracks):
        role = ROLES[WORDS.role.number(row[v.EXTENT])] if row[v.EXTENT] else ""
        plays = sum(table.sounds((bar, slot)) for bar in range(len(table.bars)))
        if role in ACCOMPANYING and plays >= _PLAYS * len(table.bars):
            slots.append((slot, role))
    if len(slots) < 2:
        return None
    slot, role = slots[int(rng.integers(len(slots)))]
    return Silenced(work, table, slot, role)


def _piece(rows: Sequence[Row]) -> Piece:
    return decode(Events.of([*rows, row_of(Kind.EOS)]))


# Measures --------------------------------------------------------------------------------


def measures(piece: Piece, original: Piece, slot: int, starts: Sequence[int]) -> dict[str, float]:
    """Each of `MEASURES` of one track; NaN where there is none.

    Args:
        piece: with the track.
        original: the same with the composer's own.
        slot: the track.
        starts: first tick of each bar, and the end of the last.
    """
    track, own = piece.tracks[slot], original.tracks[slot]
    found = dict.fromkeys(MEASURES, math.nan)
    here, there = (_onsets(each_piece, slot) for each_piece in (piece, original))
    found["rhythm"] = 2 * len(here & there) / max(len(here) + len(there), 1)
    found["notes"] = math.log2(max(len(track.notes), 1) / (len(starts) - 1))
    found["patterns"] = _patterns(here, starts)
    if track.is_drum or not track.notes:
        return found
    found["clash"] = _clash(piece, slot)
    others = [t for n, t in enumerate(piece.tracks) if n != slot and not t.is_drum]
    part, composed = tonal.chroma([track], starts), tonal.chroma([own], starts)
    found["ensemble"] = tonal.alike(part, tonal.chroma(others, starts))
    found["harmony"] = tonal.alike(part, composed)
    return found


def _onsets(piece: Piece, slot: int) -> set[int]:
    """Sixteenths in which a track begins a note."""
    return {round(note.onset_ticks / _SIXTEENTH) for note in piece.tracks[slot].notes}


def _patterns(onsets: set[int], starts: Sequence[int]) -> float:
    """Different rhythms of sounding bars by how many these are."""
    edges = [start // _SIXTEENTH for start in starts]
    bars: dict[int, set[int]] = {}
    for onset in onsets:
        bar = int(np.searchsorted(edges, onset, side="right")) - 1
        bars.setdefault(bar, set()).add(onset - edges[bar])
    return len({frozenset(bar) for bar in bars.values()}) / len(bars) if bars else math.nan


def _clash(piece: Piece, slot: int) -> float:
    """Share of a part's sounding sixteenths in which it stands a semitone beside another."""
    place = sum(not track.is_drum for track in piece.tracks[:slot])
    grid = tonal.sounding(piece)
    sounds = np.asarray(grid[:, place].any(axis=1))
    clashes = np.asarray(tonal.clashing(grid)[:, place].any(axis=1))
    return float(clashes[sounds].mean()) if sounds.any() else math.nan


# Figures ---------------------------------------------------------------------------------


def figures(chosen: Sequence[Silenced], written: Sequence[Piece]) -> dict[str, Any]:
    """Everything said of a model's accompaniments.

    Args:
        chosen: the works, each without a track.
        written: by the model.
    """
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for one, piece in zip(chosen, written, strict=True):
        original = one.original()
        starts = (one.table.bar_starts() * TICKS_PER_STEP).tolist()
        for side, music in (
            ("written", piece),
            ("arranged", one.by_rule()),
            ("original", original),
        ):
            found[side].append(measures(music, original, one.slot, starts))
    groups = [one.work.group for one in chosen]
    roles = [one.role for one in chosen]
    return {
        "works": len(chosen),
        "roles": {role: roles.count(role) for role in sorted(set(roles))},
        "measures": {name: _figure(name, found, groups) for name in MEASURES},
    }


def _figure(
    name: str, found: dict[str, list[dict[str, float]]], groups: Sequence[str]
) -> dict[str, Any]:
    values = {side: np.array([row[name] for row in rows]) for side, rows in found.items()}
    far = {side: np.abs(values[side] - values["original"]) for side in ("written", "arranged")}
    nearer = interval.mean(far["arranged"] - far["written"], groups)
    return {
        **{side: interval.mean(each_side, groups) for side, each_side in values.items()},
        "nearer": nearer,
        "verdict": interval.verdict(nearer),
    }


# The part --------------------------------------------------------------------------------


def _measure(bench: Bench, candidate: Candidate, tick: Tick) -> dict[str, Any] | None:
    rng = bench.rng("accompaniment")
    found = (silenced(work, bench.sizes.bars, rng) for work in bench.held)
    chosen = [one for one in found if one][: bench.sizes.holes]
    if not chosen:
        return None
    rows = bench.write(candidate, [one.draft() for one in chosen], "accompaniment", tick)
    return figures(chosen, [decode(Events.of(each_rows)) for each_rows in rows])


def _tables(report: Report) -> Iterator[Table]:
    for model, found in each(report, "accompaniment"):
        rows = [
            [MEASURES[name], *(cell(one[side]) for side in SIDES),
             cell(one["nearer"]), verdict_cell(one["nearer"])]
            for name, one in found["measures"].items()
        ]  # fmt: skip
        parts = ", ".join(f"{count} {role}" for role, count in found["roles"].items())
        heads = ["", "written", "by rule", "the composer's", "nearer than by rule", ""]
        yield Table(f"{model}, {found['works']} parts: {parts}", heads, rows)


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    said: dict[str, list[str]] = {"higher": [], "lower": [], "none": []}
    for name, one in found["measures"].items():
        nearer = one["nearer"]
        said[interval.verdict(nearer)].append(f"{MEASURES[name]} ({number(nearer['value'])})")
    words = {
        "higher": "nearer to the composer than an arranger by rule in",
        "lower": "farther than that in",
        "none": "no difference found in",
    }
    told = [f"{words[verdict]} {', '.join(names)}" for verdict, names in said.items() if names]
    yield f"Accompanying: {'; '.join(told)}."


PART = EvaluationPart(
    name="accompaniment",
    title="Is its accompaniment worth more than one by rule?",
    meaning="In works that it has never read one accompanying track is left out. The model writes "
    "it anew, and so does a simple arranger, which knows the chords and a few rules; both are held "
    "against what the composer had.",
    definition=__doc__,
    cost=1.0,
    measure=_measure,
    of_events=True,
    tables=_tables,
    sentences=_sentences,
)
