"""Infilling: are cells that were left out foreseen from what stands around them, and do they fit?

Definition: in each held-out work one track is silenced for a few bars in the middle of a stretch
that the model sees whole (a *hole*: the cells of that track in those bars).

*Likelihood*: bits of the NOTE and PEDAL events of the true cells, over their notes, when they come
last and everything else is given (`infilled`), beside the bits of the same events when the same
stretch is read from left to right, where only what came before is given (`left_to_right`); both
with the echoes of the whole work, as when sampling. `gain`
is what the rest is worth: the difference, work by work. Bare music, as in `likelihood`.

*Seams*: the model writes the hole, and it is held against what the composer had there:

- leap: semitones between neighbouring notes of the track's upper line across the edges of the
  hole, the mean of its beginning and its end; drums have none;
- edge: how alike the pitch classes of the track are on both sides of an edge, bar against bar: the
  cosine of the two vectors of sounding time, mean of both edges; drums have none;
- ensemble: the same cosine between the track in the hole and all others in the same bars;
- notes: notes in the hole.

Each for what was written, for the original, and for the original moved by a tritone (`moved`),
which shows what does not fit; `difference` is written less original, work by work, and `verdict`
none where its interval holds 0.

Source: Huang et al. 2019, "Counterpoint by convolution" (infilling judged by likelihood given the
rest); the seams are this house's own. Chroma cosine as in Wu & Yang 2021, "MuseMorphose".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gen.data.holes import punched
from gen.data.windows import TokenisedWork as Music
from gen.data.windows import echo_at, from_bar, holed_echo
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Figure
from gen.evaluation.report.panels import Dots, Series, in_own_rows
from gen.evaluation.report.part import (
    EvaluationPart,
    Table,
    cell,
    each,
    no_difference,
    verdict_cell,
    with_interval,
)
from gen.evaluation.report.plots import GREY, HELD_OUT, Picture, Report, below, checkpoints, colours
from gen.evaluation.seams import SEAMS, Gap, gap_of, moved, seams
from gen.model import Transformer
from gen.sampling.drafting.cell_table import CellTable, Place
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.fill import Hole, HoleByHole
from gen.sampling.planning.plan import Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.columns import Columns, context_columns
from gen.tokens.events import Events
from gen.tokens.reading import decode
from gen.tokens.vocabulary import Kind

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.progress import Tick
    from gen.evaluation.subjects.models import Candidate


# Likelihood ------------------------------------------------------------------------------


def measure(
    model: Transformer,
    gaps: Sequence[Gap],
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[dict[str, Any]]:
    """Bits of the true notes of each hole: `work`, `notes`, `infilled`, `left_to_right`."""
    rows = []
    for number, gap in enumerate(gaps):
        music = gap.work.read_by(model.fields).bare()
        events, rows_of = stretch(music, gap)
        holes = np.zeros((gap.end - gap.first, music.events.tracks), dtype=np.bool_)
        holes[[bar - gap.first for bar in gap.bars], gap.slot] = True
        filled, chosen = punched(events, holes)
        origin = np.where(chosen >= 0, rows_of[chosen], -1)
        holed, origin = holed_echo(music, gap.first, holes, filled, origin)
        after = np.cumsum(filled.is_a(Kind.FILL)) > 0
        here = np.isin(events.bar + gap.first, gap.bars) & (events.track == gap.slot)
        rows.append(
            {
                "work": gap.work.id,
                "notes": int((here & events.is_a(Kind.NOTE)).sum()),
                "infilled": _bits(model, filled, gap.first, echo_at(holed, origin), after),
                "left_to_right": _bits(model, events, gap.first, music.echo_at(rows_of), here),
            }
        )
        tick((number + 1) / len(gaps))
    return rows


def stretch(music: Music, gap: Gap) -> tuple[Events, NDArray[np.int64]]:
    """Header and bars of the stretch, as the model reads them, and EOS.

    Returns:
        The events, and (T,) the row of the work that each is, -1 for what is repeated.
    """
    last = music.bar_rows[gap.end] if gap.end < len(music.bar_rows) else len(music.events) - 1
    events, rows = from_bar(music, gap.first, len(music.events) + 2)
    return events[rows < last] + Events.eos(), np.append(rows[rows < last], -1)


@torch.inference_mode()
def _bits(
    model: Transformer, events: Events, first_bar: int, echo: Columns, counted: NDArray[np.bool_]
) -> float:
    """Bits of the NOTE and PEDAL events among those counted, (T,)."""
    context = context_columns(events, first_bar=first_bar, echo=echo)
    columns = np.concatenate([events.array, context], axis=1)
    targets = events.array[1:].astype(np.int64)
    targets[targets[:, v.KIND] == Kind.HOLE] = 0
    device = next(model.parameters()).device
    losses = model.losses(
        torch.from_numpy(columns[:-1].astype(np.int64))[None].to(device),
        torch.from_numpy(targets)[None].to(device),
    )[0]
    music = np.isin(targets[:, v.KIND], (Kind.NOTE, Kind.PEDAL))
    chosen = torch.from_numpy(music & counted[1:])
    return float(losses.double().cpu()[chosen].sum()) / math.log(2)


# Seams -----------------------------------------------------------------------------------


def draft_of(gap: Gap) -> Draft:
    """The work without its hole, to be filled in."""
    return draft_without(gap.work.tokenised.events, {(bar, gap.slot) for bar in gap.bars})


def draft_without(events: Events, places: Collection[Place]) -> Draft:
    """A piece without what stands in some cells, to be filled in: notes where there were notes.

    Args:
        events: all of the piece.
        places: bar and track of each cell, counted from 0.
    """
    table = CellTable.of(events[~events.is_a(Kind.EOS)].tolist())
    rest = table.without(places)
    plan = Plan([], tracks_open=False, bars=len(table.bars), most_bars=len(table.bars))
    holes = [Hole(bar, slot, table.sounds((bar, slot))) for bar, slot in sorted(places)]
    return Draft(plan, order=HoleByHole(rest, holes, rest.held()))


# Figures ---------------------------------------------------------------------------------


def figures(
    gaps: Sequence[Gap],
    bits: Sequence[dict[str, Any]],
    rows: Sequence[Sequence[Row]],
) -> dict[str, Any]:
    """Everything said of a model's infilling.

    Args:
        gaps: the holes.
        bits: what `measure` found.
        rows: what the model wrote.
    """
    notes = [row["notes"] for row in bits]
    infilled, read = ([row[name] for row in bits] for name in ("infilled", "left_to_right"))
    groups = [gap.work.group for gap in gaps]
    gain = interval.ratio(np.subtract(read, infilled), notes, groups)
    originals = [decode(gap.work.tokenised.events) for gap in gaps]
    written = [decode(Events.of(r)) for r in rows]
    found = {
        "written": [seams(gap, piece) for gap, piece in zip(gaps, written, strict=True)],
        "original": [seams(gap, piece) for gap, piece in zip(gaps, originals, strict=True)],
        "moved": [
            seams(gap, moved(gap, piece)) for gap, piece in zip(gaps, originals, strict=True)
        ],
    }
    return {
        "holes": len(gaps),
        "bars": interval.mean([len(gap.bars) for gap in gaps], groups),
        "bits": {
            "infilled": interval.ratio(infilled, notes, groups),
            "left_to_right": interval.ratio(read, notes, groups),
            "gain": gain,
            "verdict": interval.verdict(gain),
        },
        "seams": {name: _seam(name, found, groups) for name in SEAMS},
    }


def _seam(
    name: str, found: dict[str, list[dict[str, float]]], groups: Sequence[str]
) -> dict[str, Figure | str]:
    values = {side: np.array([row[name] for row in rows]) for side, rows in found.items()}
    gap = interval.mean(values["written"] - values["original"], groups)
    return {
        **{side: interval.mean(each_side, groups) for side, each_side in values.items()},
        "difference": gap,
        "verdict": interval.verdict(gap),
    }


# The part --------------------------------------------------------------------------------

SEAM_NAMES = {
    "leap": "leaps into and out of it", "edge": "harmony across its edges",
    "ensemble": "harmony with the other tracks", "notes": "number of notes",
}  # fmt: skip


def _measure(bench: Bench, candidate: Candidate, tick: Tick) -> dict[str, Any] | None:
    rng = bench.rng("infilling")
    found = (gap_of(work, candidate.window, rng) for work in bench.held)
    gaps = list(itertools.islice((gap for gap in found if gap), bench.sizes.holes))
    if not gaps:
        return None
    bits = measure(candidate.model, gaps, tick=lambda share: tick(share / 2))
    drafts = [draft_of(gap) for gap in gaps]
    rows = bench.write(candidate, drafts, "infilling", lambda share: tick((1 + share) / 2))
    return figures(gaps, bits, rows)


def _tables(report: Report) -> Iterator[Table]:
    for model, found in each(report, "infilling"):
        bits = found["bits"]
        rows = [
            ["given all the rest", cell(bits["infilled"]), ""],
            ["given what came before", cell(bits["left_to_right"]), ""],
            ["difference", cell(bits["gain"]), verdict_cell(bits["gain"])],
        ]
        yield Table(f"{model}, {found['holes']} holes", ["", "bits per note", ""], rows)
        rows = [
            [SEAM_NAMES[name], *(cell(seam[k]) for k in ("written", "original", "moved")),
             cell(seam["difference"]), verdict_cell(seam["difference"])]
            for name, seam in found["seams"].items()
        ]  # fmt: skip
        heads = ["", "written", "original", "original, a tritone off", "difference", ""]
        yield Table("seams", heads, rows)


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "infilling"), colours(report)
    if not found:
        return
    filled = {model: f["bits"]["infilled"] for model, f in found.items()}
    before = [f["bits"]["left_to_right"] for f in found.values()]
    panels = [
        Dots(
            title="surprise by the composer's notes", across="bits per note", rows=list(found),
            series=[Series("knowing before", GREY, before, shift=-0.14),
                    *in_own_rows(filled, tint, label="knowing all", shift=0.14)],
            legend=below(0.4, -0.28, 2),
        ),
        _seam_panel("leap", "leaps at the edges", "semitones", found, tint),
        _seam_panel("edge", "harmony across edges", "0-1", found, tint, below(0.5, -0.28, 3)),
        _seam_panel("ensemble", "harmony with the rest", "0-1", found, tint),
    ]  # fmt: skip
    size = (11, 1.5 + 0.5 * max(2, len(found)))
    caption = "What knowing the rest is worth, and how what it writes fits."
    yield Picture("infilling", caption, size, panels, (1.5, 1, 1, 1), shared=True)


def _seam_panel(
    name: str, title: str, unit: str, found: dict[str, Any], tint: dict[str, str],
    legend: dict[str, Any] | None = None,
) -> Dots:  # fmt: skip
    by_model = {model: f["seams"][name] for model, f in found.items()}
    written = {model: seam["written"] for model, seam in by_model.items()}
    series = [
        Series("the composer's", HELD_OUT, [s["original"] for s in by_model.values()], shift=-0.22),
        *in_own_rows(written, tint, label="written"),
        Series("a tritone off", GREY, [s["moved"] for s in by_model.values()], "x", 0.22),
    ]
    return Dots(title=title, across=unit, rows=list(found), series=series, legend=legend)


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    bits = found["bits"]
    gain = {
        "higher": f"knowing what comes after saves {with_interval(bits['gain'])} bits a note",
        "none": "between knowing what comes after and not knowing it, "
        f"{no_difference(bits['gain'], 'holes', unit=' bits a note')}",
        "lower": "knowing what comes after makes it worse",
    }[interval.verdict(bits["gain"])]
    gaps = {SEAM_NAMES[n]: seam["difference"] for n, seam in found["seams"].items()}
    far = [name for name, gap in gaps.items() if interval.verdict(gap) != "none"]
    fit = (
        f"what it writes differs from the original in {', '.join(far)}"
        if far
        else "in how it fits, no difference found between what it writes and the original"
    )
    yield f"Filling a hole: {gain}; {fit}."


PART = EvaluationPart(
    name="infilling",
    title="Can it fill a gap?",
    meaning="In works that it has never read one track is silenced for a few bars. First the "
    "model says how likely the composer's own notes are there, knowing all the rest; then it "
    "writes its own, and these are held against what the composer had.",
    definition=__doc__,
    cost=1.0,
    measure=_measure,
    of_events=True,
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
)
