"""Control accuracy: is what was asked what came out?

Definition: requests (`evaluation.requests`) are drawn from a grid of everything that may be
asked; each has a value for every control, of which a random half is *asked* of the model and the
rest is kept back. Each piece is scored on all of them (`evaluation.control_shares`). A control's
figure is its mean score where it was asked; beside it stands the same where it was kept back,
which is what chance and the house's habits give without asking. `obeyed` is the difference; an
interval that holds 0 means that asking made none. `receipt`: share of the asked ones whose receipt
says that they were met (`sampling.obedience.asked_and_got`, with its allowances: the relative key
will do, a density one class off, half of the roles, three quarters of the chords). `works`: what
held-out works, cut to such lengths, score on what their own tags say: no reading of keys, roles
and chords from a few bars is always right, and more than that cannot be asked.

Scores, each in [0, 1], of one piece:

- key: whether the piece's key, as its notes tell (`analysis.infer_key`), is the asked one;
  scale: share of the melodic notes' time in the asked key's scale;
- tempo, time_signature, bars, instruments: whether they are as asked (`sampling.obedience`);
- roles: share of tracks whose notes do what was asked (`analysis.infer_roles`, names unseen);
- pitch_range (CP): whether the mean pitch of the melodic notes lies in the asked range;
  pitches: share of the notes that do;
- velocity_range (CV): share of notes of an asked velocity;
- chords (CC): share of the melodic notes' time that belongs to the asked chord of its moment;
- density: share of cells (one track in one bar) with as many notes a quarter as asked.

Diversity (D): mean distance (`similarity`, 0 to 1) of pieces written to one and the same
request, beside that of pieces written to different requests: near 0 the model has one answer.

Source: CP, CV, CC and D are the controllability and diversity of Lee et al. 2022, "ComMU: Dataset
for Combinatorial Music Generation" (NeurIPS), arXiv:2211.09385. Deviations: any piece, not one
track; CC weighs notes by their length; D takes this house's distance, theirs an embedding's or
chroma's; the comparison with untold controls is added.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.evaluation.control_shares import shares
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Groups
from gen.evaluation.measures.similarity import distances
from gen.evaluation.report.panels import Dots, Series
from gen.evaluation.report.part import (
    EvaluationPart,
    Table,
    cell,
    each,
    in_numbers,
    named,
    share_cell,
    verdict_cell,
)
from gen.evaluation.report.plots import GREY, HELD_OUT, Picture, Report, below, checkpoints, colours
from gen.evaluation.subjects.requests import (
    BARS,
    NEEDS,
    ControlRequest,
    chords_of,
    draft_of,
    draw_requests,
    ensemble_of,
    key_of,
)
from gen.evaluation.subjects.works import MeasuredWork, excerpt, piece_of, piece_of_rows
from gen.piece import Piece
from gen.sampling.finishing.finish import finished
from gen.sampling.obedience import asked_and_got
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Row
from gen.tokens.events import Events
from gen.tokens.vocabulary import Kind

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.progress import Tick
    from gen.evaluation.subjects.models import Candidate

GUARANTEED = frozenset(
    {"tempo", "time_signature", "bars", "instruments", "pitch_range", "pitches", "velocity_range"}
)
"""What the grammar promises: anything under 1 is an error, not a weakness."""

ASKED_OF = {"scale": "key", "pitches": "pitch_range"}
"""Scores that are about a control of another name."""

SCORES = (
    "key", "scale", "tempo", "time_signature", "bars", "instruments", "roles",
    "pitch_range", "pitches", "velocity_range", "chords", "density",
)  # fmt: skip
_EXACT = ("tempo", "time_signature", "bars", "instruments")
OF_WORKS = ("key", "scale", "roles", "chords")
"""Scores that can be taken of works too: what a tag says of the notes themselves."""
_YES_OR_NO = frozenset({"key", "tempo", "time_signature", "bars", "instruments", "pitch_range"})


# Scores ----------------------------------------------------------------------------------


def receipt(rows: Sequence[Row], request: ControlRequest) -> dict[str, float]:
    """Whether each control that was asked for was met, as the piece's receipt would say."""
    asked = request.controls
    return {
        row["control"]: float(row["met"])
        for row in asked_and_got(rows, finished(rows, asked), asked)
        if row["met"] is not None
    }


def score(rows: Sequence[Row], request: ControlRequest) -> dict[str, float]:
    """Each of `SCORES` of one piece, asked for or not; NaN where it cannot be judged."""
    asked = request.whole
    hard = Controls(**{name: getattr(asked, name) for name in _EXACT})
    met = asked_and_got(rows, finished(rows, request.controls), hard)
    exact = {row["control"]: float(row["met"]) for row in met}
    events = Events.of(rows)
    found = {**exact, **shares(events, piece_of(events), asked)}
    return {name: found.get(name, math.nan) for name in SCORES}


def of_works(works: Sequence[MeasuredWork], rng: Generator) -> list[dict[str, float]]:
    """Each of `OF_WORKS` of the beginning of each work, as long as a request: held to its tag."""
    return [_of_work(work, int(rng.choice(BARS))) for work in works]


def _of_work(work: MeasuredWork, bars: int) -> dict[str, float]:
    events = work.tokenised.events
    instruments, roles = ensemble_of(events.only(Kind.TRACK))
    tag = Controls(
        genre=work.genre, key=key_of(events) or None, bars=bars, instruments=instruments,
        roles=roles, chords=chords_of(events, 1, min(bars, len(work.tokenised.bar_rows))),
    )  # fmt: skip
    beginning = excerpt(events, bars)
    found = shares(beginning, piece_of(beginning), tag)
    return {name: found.get(name, math.nan) for name in OF_WORKS}


# Figures ---------------------------------------------------------------------------------


def figures(
    scores: Sequence[dict[str, float]],
    receipts: Sequence[dict[str, float]],
    asked: Sequence[ControlRequest],
    works: Sequence[dict[str, float]],
    groups: Groups = None,
) -> dict[str, Any]:
    """Each score's mean where its control was asked for, where not, and what asking adds.

    Args:
        scores: what `score` said of each piece.
        receipts: what `receipt` said.
        asked: the request of each.
        works: what `of_works` said of each work.
        groups: of the works.
    """
    found: dict[str, Any] = {}
    for name in SCORES:
        control = ASKED_OF.get(name, name)
        fair = [
            (s[name], control in r.asked)
            for s, r in zip(scores, asked, strict=True)
            if NEEDS.get(control, "bars") in r.asked
        ]
        with_it, without_it = (
            np.array([value for value, was_told in fair if was_told == which])
            for which in (True, False)
        )
        sides = {"asked": _figure(name, with_it), "not_asked": _figure(name, without_it)}
        gap = (
            interval.share_difference(sides["asked"], sides["not_asked"])
            if name in _YES_OR_NO
            else interval.difference(with_it, without_it)
        )
        met = [row[name] for row in receipts if name in row]
        found[name] = {
            **sides,
            "obeyed": gap,
            "verdict": interval.verdict(gap),
            "receipt": interval.share(int(sum(met)), len(met)),
            "works": _figure(name, np.array([row.get(name, math.nan) for row in works]), groups),
            "guaranteed": name in GUARANTEED,
        }
    return found


def _figure(name: str, values: NDArray[np.float64], groups: Groups = None) -> interval.Figure:
    if name in _YES_OR_NO:
        return interval.share_of(values, groups)
    return interval.mean(values, groups, within=interval.SHARE)


def diversity(groups: Sequence[Sequence[Piece]]) -> dict[str, Any]:
    """D of pieces written to one request each (a group), and of pieces of different groups.

    Groups of fewer than two pieces with notes are left out.
    """
    kept = [[piece for piece in group if piece.note_count] for group in groups]
    kept = [group for group in kept if len(group) > 1]
    pieces = [piece for group in kept for piece in group]
    if not pieces:
        nothing = interval.figure(math.nan, n=0)
        return {"same_request": nothing, "other_requests": nothing}
    apart = distances(pieces)["together"]
    owner = np.repeat(np.arange(len(kept)), [len(group) for group in kept])
    same, other = [], []
    for number in range(len(kept)):
        mine = owner == number
        own = apart[np.ix_(mine, mine)]
        same.append(own[np.triu_indices(len(own), 1)].mean())
        if len(kept) > 1:
            other.append(apart[np.ix_(mine, ~mine)].mean())
    return {
        "same_request": interval.mean(same, within=interval.SHARE),
        "other_requests": interval.mean(other, within=interval.SHARE),
    }


# The part --------------------------------------------------------------------------------

NAMES = {
    "key": "key (exactly)", "scale": "notes in the key's scale", "time_signature": "meter",
    "bars": "number of bars", "pitch_range": "mean pitch in range (CP)",
    "pitches": "pitches in range", "velocity_range": "loudness in range (CV)",
    "chords": "chords (CC)",
}  # fmt: skip
"""What is asked of a piece, where its own name is not enough; with what Lee et al. 2022 call it."""
_REPEATED_REQUESTS = 16
"""At most so many requests, and at most a third, are asked again for diversity."""


def _measure(bench: Bench, candidate: Candidate, tick: Tick) -> dict[str, Any]:
    rng = bench.rng("control")
    asked = draw_requests(bench.house.sides["train"], bench.sizes.requests, rng)
    repeated = min(_REPEATED_REQUESTS, math.ceil(len(asked) / 3))
    again = asked[:repeated] * (bench.sizes.repeats - 1)
    drafts = [draft_of(request) for request in [*asked, *again]]
    rows = bench.write(candidate, drafts, "control", tick)
    pairs = list(zip(rows, asked, strict=False))
    scores, receipts = [score(*pair) for pair in pairs], [receipt(*pair) for pair in pairs]
    held = bench.held[: len(asked)]
    works = of_works(held, rng)
    groups = [
        [piece_of_rows(r) for r in [rows[i], *rows[len(asked) + i :: repeated]]]
        for i in range(repeated)
    ]
    return {
        "requests": len(asked),
        "scores": figures(scores, receipts, asked, works, [work.group for work in held]),
        "diversity": diversity(groups),
    }


def _tables(report: Report) -> Iterator[Table]:
    heads = ["", "asked", "not asked", "asking adds", "", "works, by their tags",
             "met, by the receipt"]  # fmt: skip
    for model, found in each(report, "control"):
        rows = [
            [named(name, NAMES), share_cell(s["asked"]), share_cell(s["not_asked"]),
             share_cell(s["obeyed"]), verdict_cell(s["obeyed"], share=True), share_cell(s["works"]),
             share_cell(s["receipt"])]
            for name, s in found["scores"].items()
        ]  # fmt: skip
        yield Table(f"{model}, {found['requests']} requests", heads, rows)
        rows = [[named(name, {}), cell(figure)] for name, figure in found["diversity"].items()]
        heads_apart = ["", "0 the same, 1 nothing in common"]
        yield Table("distance of pieces (D)", heads_apart, rows)


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "control"), colours(report)
    if not found:
        return
    panels = [_panel(model, tint[model], f["scores"]) for model, f in found.items()]
    across = min(2, len(found))
    down = math.ceil(len(found) / across)
    size = (8.0 if across == 1 else 11.6, down * (1.3 + 0.32 * len(panels[0].rows)))
    caption = "Share of pieces, or of their notes, that are as asked."
    yield Picture("control", caption, size, panels, across=across, shared=True)


def _panel(model: str, colour: str, scores: dict[str, Any]) -> Dots:
    """Each control where it was asked, and where it was not."""
    every = list(scores.values())
    with_it, without_it = [s["asked"] for s in every], [s["not_asked"] for s in every]
    sure, steered = (
        [s["asked"] if s["guaranteed"] == which else None for s in every] for which in (True, False)
    )
    series = [
        Series("not asked", GREY, without_it),
        Series("asked", colour, steered),
        Series("asked, guaranteed", colour, sure, "s"),
        Series("works, by their tags", HELD_OUT, [s["works"] for s in every], shift=0.22),
    ]
    return Dots(
        title=model, across="share that is as asked", rows=[named(n, NAMES) for n in scores],
        series=series, joined=(without_it, with_it), limits=(0, 1.02), legend=below(columns=2),
    )  # fmt: skip


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    scores = found["scores"]
    sure = {named(n, NAMES): s["asked"]["value"] for n, s in scores.items() if s["guaranteed"]}
    broken = [name for name, kept in sure.items() if kept is not None and kept < 1]
    yield (
        f"Broken promises: {', '.join(broken)}."
        if broken
        else "All that is guaranteed (tempo, meter, bars, instruments, ranges) was kept."
    )
    steered = {named(n, NAMES): s["obeyed"] for n, s in scores.items() if not s["guaranteed"]}
    obeyed = [name for name, gap in steered.items() if interval.verdict(gap) == "higher"]
    rest = [f"{name} ({_least(gap)})" for name, gap in steered.items() if name not in obeyed]
    yield f"Asking moves {', '.join(obeyed)}." if obeyed else "Asking moves nothing measurably."
    if rest:
        yield (
            f"No effect of asking was found for {', '.join(rest)}; one below what stands in "
            "brackets could not have been seen."
        )


def _least(gap: interval.Figure) -> str:
    least = interval.detectable(gap)
    return "too few to tell" if least is None else in_numbers(least, share=True)


PART = EvaluationPart(
    name="control",
    title="Does it do as it is asked?",
    meaning="Short pieces are asked for with every control; in a random half of them a control is "
    "kept back, which shows what would have come by chance. Squares are guaranteed; of the rest, "
    "only the way from grey to colour is obedience. Keys, roles and chords are read from the "
    "notes, which is not always right: blue shows what the composers' own works score.",
    definition=__doc__,
    cost=12.0,
    measure=_measure,
    of_events=True,
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
)
