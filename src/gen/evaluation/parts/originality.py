"""The part of an evaluation that asks whether a model copies; figures are `originality`'s."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gen.evaluation import originality
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Figure
from gen.evaluation.report.panels import Curve, CurvePlot, Dots, Series
from gen.evaluation.report.part import (
    EvaluationPart,
    Table,
    cell,
    each,
    named,
    no_difference,
    percent,
    share_cell,
    verdict_cell,
)
from gen.evaluation.report.plots import (
    GREY,
    HELD_OUT,
    TRAIN,
    Picture,
    Report,
    below,
    checkpoints,
    colours,
)
from gen.likeness.originality import KINDS

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.progress import Tick
    from gen.evaluation.subjects.models import Candidate

PROMPT_BARS, WRITTEN_BARS = 4, 4
_COPYING = {
    "higher": "it borrows more than the house does from itself",
    "lower": "it borrows less than the house does from itself",
}
_MEMORY = {
    "higher": "that is more: it remembers some of what it learned",
    "lower": "that is not more: no memory of single works shows",
}


def _measure(bench: Bench, candidate: Candidate, tick: Tick) -> dict[str, Any]:
    music, borrowed = bench.borrowed(candidate, lambda share: tick(share / 3))
    ours = originality.outputs(
        music, bench.generated(candidate), borrowed, tick=lambda share: tick((1 + share) / 3)
    )
    most = bench.sizes.prompts
    given = originality.extraction(
        candidate.model, bench.train[:most], bench.held[:most], PROMPT_BARS, WRITTEN_BARS,
        [bench.config.seed, zlib.crc32(b"extraction")],
        tick=lambda share: tick((2 + share) / 3),
    )  # fmt: skip
    return {
        "compared_with": len(music.works),
        "missing": music.to_dict(),
        "house": borrowed,
        "outputs": ours,
        "extraction": given,
    }


def _tables(report: Report) -> Iterator[Table]:
    for model, found in each(report, "originality"):
        house, ours, given = found["house"], found["outputs"], found["extraction"]
        more = ours["more_above"]
        rows = [["above the house's line", share_cell(ours["above"]), share_cell(house["above"]),
                 share_cell(more), verdict_cell(more, share=True)]]  # fmt: skip
        for kind in KINDS:
            line = house[kind]["line"]
            rows.append(
                [f"mean bits, {kind}", cell(ours[kind]["mean"]), cell(house[kind]["mean"]),
                 cell(ours[kind]["more"]), verdict_cell(ours[kind]["more"])]
            )  # fmt: skip
            rows.append(
                [f"95 % line in bits, {kind}", "", "-" if line is None else str(line), "", ""]
            )
        heads = [f"{ours['pieces']} pieces against {found['compared_with']} works", model,
                 f"{house['works']} works among themselves", "difference", ""]  # fmt: skip
        yield Table(model, heads, rows)
        rows = [
            [named(side, {}), share_cell(given[side]["back"]), share_cell(given[side]["repeated"])]
            for side in ("train", "held_out")
        ]
        rows.append(
            ["difference", share_cell(given["more"]), verdict_cell(given["more"], share=True)]
        )
        title = f"{given['given_bars']} bars given, {given['written_bars']} written"
        yield Table(title, ["", "comes back", "by repeating what was given"], rows)
        if nearest := list(_nearest(ours)):
            heads = ["piece", "", "bits", "notes", "with", "where"]
            yield Table("pieces nearest to a work", heads, nearest)


def _nearest(outputs: dict[str, Any]) -> Iterator[list[str]]:
    for row in outputs["nearest"]:
        for kind in (kind for kind in KINDS if kind in row):
            passage = row[kind]
            where = f"here {passage['here']}; there {passage['there']}"
            yield [str(row["piece"]), kind, str(passage["bits"]), str(passage["notes"]),
                   passage["of"], where]  # fmt: skip


def _pictures(report: Report) -> Iterator[Picture]:
    found, tint = checkpoints(report, "originality"), colours(report)
    if found:
        panels = [*(_bits(kind, found, tint) for kind in KINDS), _back(found)]
        caption = "Lines: share of pieces with a passage in common that says at least so much."
        yield Picture("originality", caption, (13, 3.2), panels, (1.2, 1.2, 1.2, 1))
        yield from _over_training(report, found, tint)


def _bits(kind: str, found: dict[str, Any], tint: dict[str, str]) -> CurvePlot:
    """What is shared with a work: outputs beside what the house borrows from itself."""
    house = next(iter(found.values()))["house"][kind]
    sets = [("works among themselves", house["bits"], HELD_OUT)]
    sets += [(model, f["outputs"][kind]["bits"], tint[model]) for model, f in found.items()]
    most = math.ceil(max([40, *(max(bits, default=0) for _, bits, _ in sets)]))
    across = range(1, most + 2)
    curves = [
        Curve(label, colour, across, [np.mean(np.array(bits) >= n) for n in across], "steps")
        for label, bits, colour in sets
        if bits
    ]
    return CurvePlot(
        title=f"most bits shared: {kind}", across="bits in common with a work",
        up="share of pieces", curves=curves, top=1.02, left=10,
        mark=(house["line"], " the house's 95 % line") if house["line"] else None,
        legend={"loc": "center right"} if kind == KINDS[0] else None,
    )  # fmt: skip


def _back(found: dict[str, Any]) -> Dots:
    """What comes back of works learned from and held out, a row each for every model."""
    sides = (("train", "learned from", TRAIN), ("held_out", "held out", HELD_OUT))
    rows, again = [], []
    backs: dict[str, list[Any]] = {side: [] for side, _, _ in sides}
    for model, f in found.items():
        for side, name, _ in sides:
            rows.append(f"{model}: {name}" if len(found) > 1 else name)
            again.append(f["extraction"][side]["repeated"])
            for other in backs:
                backs[other].append(f["extraction"][side]["back"] if side == other else None)
    series = [Series("", colour, backs[side]) for side, _, colour in sides]
    return Dots(
        title="what comes back of a work", across="share of its next notes", rows=rows,
        series=[*series, Series("given bars played again", GREY, again, "x")], limits=(0, 1),
        legend=below(0.4, -0.16, 1),
    )  # fmt: skip


def _over_training(
    report: Report, found: dict[str, Any], tint: dict[str, str]
) -> Iterator[Picture]:
    """Originality by training steps: of checkpoints of one size that learned from the same works,
    the most there are of such.
    """
    runs: dict[Any, list[tuple[int, str]]] = {}
    for model in report["models"]:
        if model["name"] in found and model["steps"] is not None:
            run = runs.setdefault((model["parameters"], model["works"]), [])
            run.append((model["steps"], model["name"]))
    longest: list[tuple[int, str]] = max(runs.values(), key=len, default=[])
    known = sorted(longest)
    if len(known) < 2:
        return
    steps, names = zip(*known, strict=True)
    level = found[names[-1]]["house"]["above"]["value"]
    sides = (("train", "learned from", TRAIN), ("held_out", "held out", HELD_OUT))
    above = [Curve(n, tint[n], [step], [found[n]["outputs"]["above"]]) for step, n in known]
    back = [
        Curve(label, colour, steps, [found[name]["extraction"][side]["back"] for name in names])
        for side, label, colour in sides
    ]
    panels = [
        CurvePlot(
            title="above the house's line", across="training steps", up="share of outputs", top=1,
            curves=above,
            level=None if level is None else (level, "works among themselves", HELD_OUT),
            thousands=True, legend={"loc": "upper left"},
        ),
        CurvePlot(
            title="what comes back of a work", across="training steps",
            up="share of its next notes", top=1, thousands=True, legend={"loc": "upper left"},
            curves=back,
        ),
    ]  # fmt: skip
    caption = "Over training: more that comes back only of works learned from is memory."
    yield Picture("curve", caption, (11, 3), panels)


def _sentences(found: dict[str, Any]) -> Iterator[str]:
    above, house = found["outputs"]["above"], found["house"]["above"]
    if above["value"] is not None and house["value"] is not None:
        yield (
            f"{percent(above)} of its pieces share more with a work than 95 in 100 of the house's "
            f"works do with each other; of those works themselves it is {percent(house)}: "
            f"{_judged(_COPYING, found['outputs']['more_above'], 'pieces')}."
        )
    given = found["extraction"]
    back = {side: percent(given[side]["back"]) for side in ("train", "held_out")}
    yield (
        f"Given {given['given_bars']} bars of a work it learned from, {back['train']} of the next "
        f"notes come back; of a work it never read, {back['held_out']}. "
        f"Beyond what repeats, {_judged(_MEMORY, given['more'], 'works of each side')}."
    )


def _judged(words: dict[str, str], gap: Figure, counted: str) -> str:
    verdict = interval.verdict(gap)
    return words[verdict] if verdict != "none" else no_difference(gap, counted, share=True)


PART = EvaluationPart(
    name="originality",
    title="Does it copy?",
    meaning="Works of one house resemble each other. First every work is compared with all "
    "unrelated works: that is what the house borrows from itself. Then the model's pieces are. "
    "Last, the model is given the first bars of a work and asked to go on: if works that it "
    "learned from come back and others do not, it remembers them.",
    definition=originality.__doc__ or "",
    cost=2.5,
    measure=_measure,
    tables=_tables,
    pictures=_pictures,
    sentences=_sentences,
    uses_pieces=True,
    of_learned=True,
    of_events=True,
)
