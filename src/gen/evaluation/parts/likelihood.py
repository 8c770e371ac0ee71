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

Overfit gauge: bits per note of as many training works, and how much more the held-out ones cost.
The unigram's own difference between the two sets tells how much of it is the works' doing.

Source: bits per byte as in Graves 2013 (arXiv:1308.0850), with the note in place of the byte, so
that tokenizers and models of any kind compare. Deviation: none.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from gen.data.batches import collate
from gen.data.windows import TokenisedWork, Window, bare, covering_windows
from gen.errors import HouseError
from gen.evaluation import interval
from gen.evaluation.interval import Figure
from gen.evaluation.part import VERDICTS, Part, Table, cell, named, with_interval
from gen.evaluation.plots import (
    HELD_OUT,
    TRAIN,
    Curve,
    Curves,
    Dots,
    Picture,
    Report,
    Series,
    Stacks,
    below,
    checkpoints,
    colours,
    side_by_side,
)
from gen.evaluation.works import Work
from gen.model import Transformer
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.vocabulary import WORDS, Kind

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.models import Candidate
    from gen.evaluation.progress import Tick

BATCH_EVENTS = 8192
POSITIONS = (0, 4, 8, 16, 32, 64)
"""First bars, counted from 0, of the stretches that figures by position are taken over."""

Bits = NDArray[np.float64]
Row = dict[str, Any]
"""One work: `work`, `genre`, `notes`, `fields` (bits of each), and `kinds`, `roles`, `positions`:
name to [bits, notes]."""


@torch.inference_mode()
def event_bits(
    model: Transformer,
    sequences: Many[TokenisedWork],
    window: int,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[Bits]:
    """Bits of each field of each event after the first, (T - 1, F) for each sequence.

    Args:
        model: in evaluation mode.
        sequences: as they are; `bare` them for bits per note.
        window: most events the model is shown at once.
        tick: told the share that is done.

    Raises:
        SettingError: a bar holds more events than a window.
    """
    device = next(model.parameters()).device
    found: list[list[Bits]] = [[] for _ in sequences]
    cut = [
        (number, window_)
        for number, sequence in enumerate(sequences)
        for window_ in covering_windows(sequence, window, tell_bars=False)
    ]
    # Windows of one length together, so that little of a batch is padding.
    order = sorted(range(len(cut)), key=lambda i: len(cut[i][1].targets), reverse=True)
    bits: list[Bits] = [np.zeros((0, 0))] * len(cut)
    for done, chosen in _batches(order, cut):
        windows = [cut[i][1] for i in chosen]
        batch = collate(windows, max(len(w.targets) for w in windows))
        losses = model.losses(batch["columns"].to(device), batch["targets"].to(device))
        for i, row, counted in zip(chosen, losses.double().cpu(), batch["counted"], strict=True):
            bits[i] = row[counted].numpy() / math.log(2)
        tick(done / len(cut))
    for (number, _), part in zip(cut, bits, strict=True):
        found[number].append(part)
    return [np.concatenate(parts) for parts in found]


def _batches(order: list[int], cut: list[tuple[int, Window]]) -> Iterator[tuple[int, list[int]]]:
    """How many windows are done after each batch, and the batch."""
    start = 0
    while start < len(order):
        rows = max(1, BATCH_EVENTS // max(1, len(cut[order[start]][1].targets)))
        yield min(start + rows, len(order)), order[start : start + rows]
        start += rows


def measure(
    model: Transformer,
    works: Many[Work],
    window: int,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[Row]:
    """What each work costs, and what for.

    Raises:
        HouseError: no work, or works without notes.
    """
    if not any(work.sequence.notes for work in works):
        raise HouseError("the works hold no note", mend="hold out other works")
    sequences = [bare(work.sequence) for work in works]
    bits = event_bits(model, sequences, window, tick=tick)
    return [
        _row(work, sequence.events, cost)
        for work, sequence, cost in zip(works, sequences, bits, strict=True)
    ]


def _row(work: Work, events: Events, bits: Bits) -> Row:
    """Sort one work's bits by what they were spent on."""
    each = np.concatenate([[0.0], bits.sum(axis=1)])  # BOS is given
    kind, note = events.kind, events.is_a(Kind.NOTE)
    stretch = np.searchsorted(POSITIONS, events.bar, side="right") - 1
    names = [stretch_name(i) for i in range(len(POSITIONS))]
    return {
        "work": work.id,
        "genre": work.genre or "no_genre",
        "notes": int(note.sum()),
        "fields": bits.sum(axis=0).tolist(),
        "kinds": {
            k.name.lower(): [float(each[kind == k].sum()), int(note.sum())]
            for k in Kind
            if (kind[1:] == k).any()
        },
        "roles": _sorted(each, note, _roles(work.sequence.events, events), [*ROLES, "untold"]),
        "positions": _sorted(each, note, stretch, names),
    }


def stretch_name(index: int) -> str:
    """Name of a stretch of bars, as people count them."""
    last = str(POSITIONS[index + 1]) if index + 1 < len(POSITIONS) else ""
    return f"{POSITIONS[index] + 1}-{last}".rstrip("-") + ("" if last else " on")


def _sorted(
    each: Bits, note: NDArray[np.bool_], group: NDArray[np.int64], names: Many[str]
) -> dict[str, list[float]]:
    """Bits and notes of each group of events; group -1 is none."""
    found = {}
    for number, name in enumerate(names):
        chosen = group == number
        if note[chosen].any():
            found[name] = [float(each[chosen].sum()), int(note[chosen].sum())]
    return found


def _roles(told: Events, events: Events) -> NDArray[np.int64]:
    """Number in `ROLES` of the track that each of `events` belongs to; -1 outside cells."""
    tracks = told.only(Kind.TRACK)
    role = np.where(tracks.extent == 0, len(ROLES), WORDS.role.number(tracks.extent))
    role[tracks.number == DRUM_PROGRAM] = ROLES.index("drums")
    inside = events.is_a(Kind.CELL, Kind.NOTE, Kind.PEDAL)
    return np.where(inside, role[events.track], -1)


# Figures ---------------------------------------------------------------------------------


def figures(rows: Many[Row], rng: Generator) -> dict[str, Any]:
    """Bits per note with intervals by work: overall, and by field, kind, genre, role, position."""
    notes = np.array([row["notes"] for row in rows], dtype=np.float64)
    fields = np.array([row["fields"] for row in rows])  # (W, F)
    genres = sorted({row["genre"] for row in rows})
    return {
        "bits_per_note": interval.ratio(fields.sum(axis=1), notes, rng),
        "notes": int(notes.sum()),
        "works": len(rows),
        "by_field": {
            name: interval.ratio(fields[:, i], notes, rng) for i, name in enumerate(v.FIELDS)
        },
        "by_kind": _grouped(rows, "kinds", rng, whole=True),
        "by_genre": {genre: interval.ratio(*_of_genre(rows, genre), rng) for genre in genres},
        "by_role": _grouped(rows, "roles", rng),
        "by_position": _grouped(rows, "positions", rng),
    }


def _of_genre(rows: Many[Row], genre: str) -> tuple[list[float], list[float]]:
    chosen = [row for row in rows if row["genre"] == genre]
    return [sum(row["fields"]) for row in chosen], [row["notes"] for row in chosen]


def _grouped(
    rows: Many[Row], group: str, rng: Generator, *, whole: bool = False
) -> dict[str, Figure]:
    """Figures of every name in a group; `whole`: works that lack a name count too, with 0 bits."""
    names = dict.fromkeys(name for row in rows for name in row[group])
    found = {}
    for name in names:
        pairs = [
            row[group].get(name, [0.0, row["notes"]]) for row in rows if whole or name in row[group]
        ]
        found[name] = interval.ratio([p[0] for p in pairs], [p[1] for p in pairs], rng)
    return found


def gauge(held_out: Many[Row], train: Many[Row], rng: Generator) -> dict[str, Figure]:
    """The overfit gauge: bits per note of both, and what held-out works cost more."""
    sides = [
        (
            np.array([sum(row["fields"]) for row in rows]),
            np.array([row["notes"] for row in rows], dtype=np.float64),
        )
        for rows in (held_out, train)
    ]
    (held_bits, held_notes), (train_bits, train_notes) = sides
    return {
        "held_out": interval.ratio(held_bits, held_notes, rng),
        "train": interval.ratio(train_bits, train_notes, rng),
        "gap": interval.ratio_difference(held_bits, held_notes, train_bits, train_notes, rng),
    }


def against(rows: Many[Row], others: Many[Row], rng: Generator) -> Figure:
    """Bits per note that one model costs more than another on the same works.

    Raises:
        HouseError: the works are not the same.
    """
    if [row["work"] for row in rows] != [row["work"] for row in others]:
        raise HouseError("two models were measured on different works", mend="measure both anew")
    more = [sum(a["fields"]) - sum(b["fields"]) for a, b in zip(rows, others, strict=True)]
    return interval.ratio(more, [row["notes"] for row in rows], rng)


# The part --------------------------------------------------------------------------------

NAMES = {
    "kind": "what happens", "position": "when", "value": "which pitch", "extent": "how long",
    "level": "how loud", "untold": "no role given", "note": "notes", "cell": "who plays in a bar",
    "bar": "bar lines", "track": "instruments", "eos": "the end",
}  # fmt: skip
_GROUPS = {
    "by field": "by_field", "by kind of event": "by_kind", "by role": "by_role",
    "by bar": "by_position", "by genre": "by_genre", "held out and learned from": "gauge",
}  # fmt: skip
_SHADES = ("#d9d4cb", "#e8b48f", "#d14a00", "#5b9bc9", "#0a4f8f")


def _measure(bench: Bench, candidate: Candidate, tick: Tick) -> dict[str, list[Row]]:
    held, train = (
        measure(
            candidate.model, works[: bench.sizes.works], candidate.window,
            tick=lambda share, first=first: tick((first + share) / 2),  # type: ignore[misc]
        )
        for first, works in enumerate((bench.held, bench.train))
    )  # fmt: skip
    return {"held_out": held, "train": train}


def _collect(bench: Bench, rows: dict[str, Any]) -> dict[str, Any]:
    """Figures of every model, and each model beside the one below it."""
    models = {
        name: {
            **figures(found["held_out"], bench.rng("likelihood")),
            "gauge": gauge(found["held_out"], found["train"], bench.rng("gauge")),
        }
        for name, found in rows.items()
    }
    beside = [_beside(bench, rows, *pair) for pair in itertools.pairwise(rows)]
    return {"models": models, "against": beside}


def _beside(bench: Bench, rows: dict[str, Any], below: str, above: str) -> dict[str, Any]:
    gap = against(rows[above]["held_out"], rows[below]["held_out"], bench.rng("against"))
    return {"from": below, "to": above, "more": gap, "verdict": interval.verdict(gap)}


def _tables(report: Report) -> Iterator[Table]:
    found = report["likelihood"]["models"]
    heads = ["", *found]
    yield Table(
        "bits per note", heads, [["all", *(cell(f["bits_per_note"]) for f in found.values())]]
    )
    for title, group in _GROUPS.items():
        rows = [
            [named(name, NAMES), *(cell(f[group].get(name)) for f in found.values())]
            for name in _names(found, group)
        ]
        yield Table(title, heads, rows)
    if gaps := report["likelihood"]["against"]:
        rows = [
            [f"{e['to']} beside {e['from']}", cell(e["more"]), VERDICTS[e["verdict"]]] for e in gaps
        ]
        yield Table("bits more, work by work", ["", "bits per note", ""], rows)


def _names(found: dict[str, Any], group: str) -> list[str]:
    return list(dict.fromkeys(name for model in found.values() for name in model[group]))


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "likelihood"), colours(report)
    if found:
        yield _spent(found)
        yield _surprise(found, tint)


def _spent(found: dict[str, Any]) -> Picture:
    fields = next(iter(found.values()))["by_field"]
    bars = Stacks(
        title="what the bits are spent on", across="bits per note", rows=list(found),
        parts=[(named(name, NAMES), shade) for name, shade in zip(fields, _SHADES, strict=True)],
        widths=[[v["value"] for v in f["by_field"].values()] for f in found.values()],
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
        Curves(
            title="by bar of the piece", across="bars", up="bits per note", curves=curves,
            ticks=(range(len(places)), places), legend={"loc": "lower left"},
        ),
    ]  # fmt: skip
    tall = max(len(role.rows), len(genre.rows))
    caption = "Surprise by the role of a track, by genre, and as a piece goes on."
    return Picture("bits", caption, (11, 1.4 + 0.3 * tall), panels, (1, 1, 1.15))


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    whole, gap = found["bits_per_note"], found["gauge"]["gap"]
    yield f"A note of a work it has never heard costs {with_interval(whole)} bits."
    yield {
        "none": "Works it learned from cost as much: no sign of learning by heart.",
        "higher": f"Works it learned from cost {with_interval(gap)} bits a note less: it knows "
        "them better than others of the house.",
        "lower": "Works it learned from cost more: those held out are the easier ones.",
    }[interval.verdict(gap)]


PART = Part(
    name="likelihood",
    title="How well it foresees music",
    meaning="The model reads works note by note and says beforehand how likely each next note is. "
    "Bits count its surprise: fewer are better. Works that it has never heard show what it "
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
