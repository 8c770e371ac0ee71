"""Bits per note: how well a model foretells works it has not seen.

Definition: the negative log-likelihood, in bits, of all events of a work's bare music but the
first (BOS), each given the events before it within the model's window; divided by the number of
the work's notes. Bare music is a work without what its tag says of it (genre, key, chords, …), so
that nothing but the notes has to be paid for or helps. Every field of every event counts, absent
ones too. Fewer bits are better; one bit less means that each note became twice as likely.

Formula: sum over works, events t ≥ 1 and fields f of -log2 p(x[t, f] | x[<t], x[t, <f]), over the
number of NOTE events. Windows as in validation (`data.windows.covering_windows`): each event
counts once, after at least half a window of music where there is so much. A figure by genre takes
the works of that genre; by role, the CELL, NOTE and PEDAL events of tracks of that role over their
notes; by position, the events from each bar on over the notes in those bars (the header belongs
to no bar); by field and kind, the bits of that field or kind over all notes, so that these add up
to the whole.

With repeats taken out (`new`): the events of bars whose notes, but for their loudness, are not
those of an earlier bar (`bars`), and the CELL, NOTE and PEDAL events of tracks' bars that are not
those of an earlier bar of that track (`cells`), over the notes in these: what is left of a figure
once copying earns nothing. `copied`: the share of notes that is taken out.

Of a checkpoint of played music (`tokenizer.timing=played`) the whole is also given in two parts:
`on_grid`, the five fields that every model of the house's events has, and `beside_grid`, the three
that say how a note was played. Beside a model of the grid it is held by the former.

Of a checkpoint with other tokens than the house's events: every token of the work after the first
counts, windows begin at bar lines, and the notes are still those of the work, so that figures of
all tokenizations compare. By field, by genre and by position alone there are figures.

Overfit gauge: bits per note of as many training works, and how much more the held-out ones cost.
The unigram's own difference between the two sets tells how much of it is the works' doing.

Source: bits per byte as in Graves 2013 (arXiv:1308.0850), with the note in place of the byte, so
that tokenizers and models of any kind compare. Deviation: none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from collections.abc import Sequence as Many
from typing import TYPE_CHECKING, Any

import numpy as np

from gen.errors import HouseError
from gen.evaluation.bits import NEW, Row, measure, measure_tokens
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Figure
from gen.evaluation.report.panels import Curve, CurvePlot, Dots, Series, Stacks, side_by_side
from gen.evaluation.report.part import (
    EvaluationPart,
    Table,
    cell,
    named,
    no_difference,
    percent,
    share_cell,
    verdict_cell,
    with_interval,
)
from gen.evaluation.report.plots import (
    HELD_OUT,
    TRAIN,
    Picture,
    Report,
    below,
    checkpoints,
    colours,
)
from gen.tokens import timing
from gen.tokens import vocabulary as v

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.progress import Tick
    from gen.evaluation.subjects.models import Candidate


# Figures ---------------------------------------------------------------------------------


def figures(rows: Many[Row]) -> dict[str, Any]:
    """Bits per note with intervals by work: overall, and by field, kind, genre, role, position."""
    notes = np.array([row["notes"] for row in rows], dtype=np.float64)
    fields = np.array([row["fields"] for row in rows])  # (W, F)
    groups = [row["group"] for row in rows]
    genres = sorted({row["genre"] for row in rows})
    return {
        "bits_per_note": interval.ratio(fields.sum(axis=1), notes, groups),
        **_played(rows),
        "notes": int(notes.sum()),
        "works": len(rows),
        "by_field": {
            name: interval.ratio(fields[:, i], notes, groups)
            for i, name in enumerate(rows[0].get("names", v.FIELDS))
        },
        "by_kind": _grouped(rows, "kinds", whole=True),
        "by_genre": {g: cost_of([row for row in rows if row["genre"] == g]) for g in genres},
        "by_role": _grouped(rows, "roles"),
        "by_position": _grouped(rows, "positions"),
        "new": _grouped(rows, "new"),
        "copied": {name: _copied(rows, name) for name in NEW if name in rows[0]["new"]},
    }


def _played(rows: Many[Row]) -> dict[str, Figure]:
    """Bits per note on the grid and beside it; nothing of a model that knows the grid alone."""
    if not _is_played(rows[0]):
        return {}
    fields, grid = np.array([row["fields"] for row in rows]), len(v.FIELDS)
    notes, groups = [row["notes"] for row in rows], [row["group"] for row in rows]
    return {
        "on_grid": interval.ratio(fields[:, :grid].sum(axis=1), notes, groups),
        "beside_grid": interval.ratio(fields[:, grid:].sum(axis=1), notes, groups),
    }


def _is_played(row: Row) -> bool:
    return tuple(row.get("names", ())) == timing.FIELDS


def _copied(rows: Many[Row], name: str) -> Figure:
    """Share of the notes that are in copies of earlier bars, or of a track's."""
    copied = [row["notes"] - row["new"][name][1] for row in rows]
    groups = [row["group"] for row in rows]
    return interval.ratio(copied, [row["notes"] for row in rows], groups, within=interval.SHARE)


def cost_of(rows: Many[Row]) -> Figure:
    """Bits per note of some works."""
    return interval.ratio(*_bits_of(rows))


def _bits_of(rows: Many[Row]) -> tuple[list[Any], list[Any], list[Any]]:
    """Of each work: its bits, its notes and its group."""
    bits, notes = [sum(row["fields"]) for row in rows], [row["notes"] for row in rows]
    return bits, notes, [row["group"] for row in rows]


def _grouped(rows: Many[Row], group: str, *, whole: bool = False) -> dict[str, Figure]:
    """Figures of every name in a group; `whole`: works that lack a name count too, with 0 bits."""
    names = dict.fromkeys(name for row in rows for name in row[group])
    found = {}
    for name in names:
        chosen = [row for row in rows if whole or name in row[group]]
        bits, notes = zip(
            *(row[group].get(name, [0.0, row["notes"]]) for row in chosen), strict=True
        )
        found[name] = interval.ratio(bits, notes, [row["group"] for row in chosen])
    return found


def gauge(held_out: Many[Row], train: Many[Row]) -> dict[str, Figure]:
    """The overfit gauge: bits per note of both, and what held-out works cost more."""
    held, learned = _bits_of(held_out), _bits_of(train)
    return {
        "held_out": cost_of(held_out),
        "train": cost_of(train),
        "gap": interval.ratio_difference(*held[:2], *learned[:2], (held[2], learned[2])),
    }


def against(rows: Many[Row], others: Many[Row]) -> Figure:
    """Bits per note that one model costs more than another on the same works.

    Raises:
        HouseError: the works are not the same.
    """
    if [row["work"] for row in rows] != [row["work"] for row in others]:
        raise HouseError("two models were measured on different works", mend="measure both anew")
    more = [
        _beside_another(a, b) - _beside_another(b, a) for a, b in zip(rows, others, strict=True)
    ]
    return interval.ratio(more, [row["notes"] for row in rows], [row["group"] for row in rows])


def _beside_another(row: Row, other: Row) -> float:
    """Bits of a work where another model is held beside it: on the grid, if that knows no more."""
    on_grid = _is_played(row) and not _is_played(other)
    return float(sum(row["fields"][: len(v.FIELDS)] if on_grid else row["fields"]))


# The part --------------------------------------------------------------------------------

NAMES = {
    "kind": "what happens", "position": "when", "value": "which pitch", "extent": "how long",
    "level": "how loud", "onset": "how early or late", "release": "how early or late it ends",
    "touch": "how loud to MIDI's step", "untold": "no role given", "note": "notes",
    "cell": "who plays in a bar",
    "bar": "bar lines", "track": "instruments", "eos": "the end",
    "bars": "bars that copy none before", "cells": "tracks' bars that copy none before",
}  # fmt: skip
_GROUPS = {
    "by field": "by_field", "by kind of event": "by_kind", "by role": "by_role",
    "by bar": "by_position", "by genre": "by_genre", "held out and learned from": "gauge",
    "with repeats taken out": "new",
}  # fmt: skip
_SHADES = ("#d9d4cb", "#e8b48f", "#d14a00", "#5b9bc9", "#0a4f8f", "#b7c9a8", "#7f9f6b", "#4b6b3a")


def _measure(bench: Bench, candidate: Candidate, tick: Tick) -> dict[str, list[Row]]:
    found = []
    for done, works in enumerate((bench.held, bench.train)):
        chosen = works[: bench.sizes.works]

        def ticks(share: float, done: int = done) -> None:
            tick((done + share) / 2)

        if (tokens := candidate.tokens) is not None:
            rows = measure_tokens(candidate.model, tokens, chosen, candidate.window, tick=ticks)
        else:
            rows = measure(candidate.model, chosen, candidate.window, tick=ticks)
        found.append(rows)
    return {"held_out": found[0], "train": found[1]}


def _collect(bench: Bench, rows: dict[str, Any]) -> dict[str, Any]:
    """Figures of every model, and each model beside the one below it."""
    del bench
    models = {
        name: {
            **figures(found["held_out"]),
            "gauge": gauge(found["held_out"], found["train"]),
        }
        for name, found in rows.items()
    }
    beside = [_beside(rows, *pair) for pair in itertools.pairwise(rows)]
    return {"models": models, "against": beside}


def _beside(rows: dict[str, Any], lower: str, upper: str) -> dict[str, Any]:
    gap = against(rows[upper]["held_out"], rows[lower]["held_out"])
    return {"from": lower, "to": upper, "more": gap, "verdict": interval.verdict(gap)}


def _tables(report: Report) -> Iterator[Table]:
    found = report["likelihood"]["models"]
    heads = ["", *found]
    parts = {"all": "bits_per_note"}
    if any("on_grid" in f for f in found.values()):
        parts |= {"on the grid": "on_grid", "timing and touch beside it": "beside_grid"}
    rows = [[title, *(cell(f.get(part)) for f in found.values())] for title, part in parts.items()]
    yield Table("bits per note", heads, rows)
    for title, group in _GROUPS.items():
        rows = [
            [named(name, NAMES), *(cell(f[group].get(name)) for f in found.values())]
            for name in _names(found, group)
        ]
        yield Table(title, heads, rows)
    rows = [
        [title, *(share_cell(f["copied"].get(name)) for f in found.values())]
        for name, title in zip(NEW, ("of whole bars", "of one track's bars"), strict=True)
    ]
    yield Table("share of notes that are in copies of earlier bars", heads, rows)
    if gaps := report["likelihood"]["against"]:
        rows = [
            [f"{e['to']} beside {e['from']}", cell(e["more"]), verdict_cell(e["more"])]
            for e in gaps
        ]
        yield Table("bits more, work by work", ["", "bits per note", ""], rows)


def _names(found: dict[str, Any], group: str) -> list[str]:
    return list(dict.fromkeys(name for model in found.values() for name in model[group]))


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "likelihood"), colours(report)
    if found:
        if events := {
            name: f
            for name, f in found.items()
            if tuple(f["by_field"])[: len(v.FIELDS)] == v.FIELDS
        }:
            yield _spent(events)
        yield _surprise(found, tint)


def _spent(found: dict[str, Any]) -> Picture:
    fields = max((f["by_field"] for f in found.values()), key=len)
    bars = Stacks(
        title="what the bits are spent on", across="bits per note", rows=list(found),
        parts=[(named(name, NAMES), shade) for name, shade in zip(fields, _SHADES, strict=False)],
        widths=[
            [f["by_field"][name]["value"] if name in f["by_field"] else 0.0 for name in fields]
            for f in found.values()
        ],
        legend=below(0.5, -0.32, 5),
    )  # fmt: skip
    sides = (("held_out", "held out", HELD_OUT), ("train", "learned from", TRAIN))
    series = [Series(b, c, [f["gauge"][a] for f in found.values()]) for a, b, c in sides]
    beside = Dots(
        title="works held out and works learned from", across="bits per note", rows=list(found),
        series=side_by_side(series, 0.24), named=False, legend=below(0.5, -0.32, 2),
    )  # fmt: skip
    caption = "What the bits of a note are spent on; works held out and learned from."
    return Picture("spent", caption, (11, 1.9 + 0.45 * len(found)), [bars, beside], (1.6, 1))


def _surprise(found: dict[str, Any], tint: dict[str, str]) -> Picture:
    def dots(title: str, group: str) -> Dots:
        names = _names(found, group)
        series = [
            Series(model, tint[model], [f[group].get(name) for name in names])
            for model, f in found.items()
        ]
        return Dots(
            title=title, across="bits per note", rows=[named(name, NAMES) for name in names],
            series=side_by_side(series, 0.22),
        )  # fmt: skip

    places = _names(found, "by_position")
    curves = []
    for model, f in found.items():
        known = [i for i, name in enumerate(places) if name in f["by_position"]]
        values = [f["by_position"][places[i]] for i in known]
        curves.append(Curve(model, tint[model], known, values))
    panels = [
        role := dots("by what the track does", "by_role"),
        genre := dots("by genre", "by_genre"),
        CurvePlot(
            title="by bar of the piece", across="bars", up="bits per note", curves=curves,
            ticks=(range(len(places)), places), legend={"loc": "lower left"},
        ),
    ]  # fmt: skip
    tall = max(len(role.rows), len(genre.rows))
    caption = "Surprise by the role of a track, by genre, and as a piece goes on."
    return Picture("bits", caption, (11, 1.4 + 0.3 * tall), panels, (1, 1, 1.15))


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    whole, gap = found["bits_per_note"], found["gauge"]["gap"]
    new, copied = found["new"].get("cells"), found["copied"].get("cells")
    yield f"A note of a work it has never read costs {with_interval(whole)} bits."
    if (played := found.get("beside_grid")) is not None:
        yield (
            f"{with_interval(played)} of them are how it was played, beside the grid: its timing "
            f"within a step, and its loudness to MIDI's step. What stands on the grid costs "
            f"{with_interval(found['on_grid'])}."
        )
    if new and new["value"] is not None:
        yield (
            f"With repeats taken out, where a track plays a bar it has played before "
            f"({percent(copied)} of the notes), a note costs {with_interval(new)} bits."
        )
    verdict = interval.verdict(gap)
    if verdict == "higher":
        yield (
            f"Works it learned from cost {with_interval(gap)} bits a note less: it knows them "
            "better than others of the house."
        )
    elif verdict == "lower":
        yield (
            f"Works it learned from cost {with_interval(_turned(gap))} bits a note more: those "
            "held out are the easier ones."
        )
    else:
        said = no_difference(gap, "works", unit=" bits a note")
        yield f"Between works held out and works it learned from, {said}."


def _turned(gap: Figure) -> Figure:
    """The same difference the other way round."""
    ends = {"value": -gap["value"], "low": -gap["high"], "high": -gap["low"]}
    return {**gap, **ends}


PART = EvaluationPart(
    name="likelihood",
    title="How well it foresees music",
    meaning="The model reads works note by note and says beforehand how likely each next note is. "
    "Bits count its surprise: fewer are better. Works that it has never read show what it "
    "understands; works that it learned from show, beside them, what it merely remembers.",
    definition=__doc__,
    cost=5.0,
    measure=_measure,
    collect=_collect,
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
    of_baselines=True,
)
