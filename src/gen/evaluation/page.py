"""The report as one offline page: pictures inside, no network, nothing to install."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gen.evaluation import parts
from gen.evaluation.measures import interval
from gen.evaluation.report import headlines
from gen.evaluation.report.part import EvaluationPart
from gen.evaluation.report.plots import Picture, Report
from gen.evaluation.store import keep
from gen.rendering import files
from gen.rendering.pages import render

_FOOT = (
    "Lines through points, and numbers in brackets, are 95 % intervals: had other works or pieces "
    "been drawn, the figure would most likely lie within; n is how many there were, and groups are "
    "arrangements of one theme, which say little more than one of them would. A difference whose "
    "interval holds 0 was not found; how large it would have had to be is said beside it."
)


def write(report: dict[str, Any], out: Path) -> Path:
    """Write `report.json`, `plots/` and `report.html`; return the last.

    Raises:
        HouseError: the folder cannot be written.
    """
    keep(out / "report.json", report)
    drawn = {picture.name: picture.png() for picture in pictures(report)}
    for name, png in drawn.items():
        files.write(out / "plots" / f"{name}.png", png)
    return files.write(out / "report.html", page(report, drawn))


def pictures(report: Report) -> Iterator[Picture]:
    """Every picture that the report has the figures for."""
    yield from headlines.pictures(report)
    for part in _shown(report):
        yield from part.pictures(report)


def page(report: Report, drawn: dict[str, bytes]) -> bytes:
    """The whole document.

    Args:
        report: as in `report.json`.
        drawn: PNG of each picture, by name; one that is missing is left out.
    """
    several = len(_checkpoints(report)) > 1
    sections = [_section(part, report, drawn) for part in _shown(report)]
    return render(
        "evaluation.html",
        title=f"What {'models' if several else 'a model'} of {report['house']} can do",
        facts=list(_facts(report)),
        notes=report["notes"],
        fast=report["fast"],
        findings=[
            (model["name"] if several else "", list(_sentences(report, model["name"])))
            for model in _checkpoints(report)
        ],
        headlines={
            "tables": list(headlines.tables(report)),
            "meanings": headlines.meanings(report),
            "order": list(headlines.order(report)),
            "pictures": _images(headlines.pictures(report), drawn),
            "definition": f"{headlines.__doc__}\n{interval.__doc__}",
        },
        sections=sections,
        foot=_FOOT,
    )


def _shown(report: Report) -> list[EvaluationPart]:
    return [part for part in parts.ALL if report.get(part.name)]


def _checkpoints(report: Report) -> list[dict[str, Any]]:
    return [model for model in report["models"] if not model["baseline"]]


def _sentences(report: Report, model: str) -> Iterator[str]:
    """What the report says of one checkpoint, a sentence a finding."""
    for part in _shown(report):
        if (found := part.of(report, model)) is not None:
            yield from part.sentences(found)


def _section(part: EvaluationPart, report: Report, drawn: dict[str, bytes]) -> dict[str, Any]:
    return {
        "name": part.name,
        "title": part.title,
        "meaning": part.meaning,
        "pictures": _images(part.pictures(report), drawn),
        "tables": list(part.tables(report)),
        "definition": part.definition,
    }


def _images(wanted: Iterator[Picture], drawn: dict[str, bytes]) -> list[tuple[str, str]]:
    """Caption and PNG of each, as text."""
    return [
        (picture.caption, base64.b64encode(drawn[picture.name]).decode("ascii"))
        for picture in wanted
        if picture.name in drawn
    ]


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """What was measured, for the head of the page."""
    sizes, held = report["sizes"], report["works"][report["split"]]
    yield "measured with", f"{held} works of the {report['split']} side"
    yield "learned from", f"{report['works']['train']} works, as its manifest says"
    yield "pieces written", f"{sizes['pieces']}, {sizes['bars']} bars of each"
    yield "seed", str(report["seed"])
    yield "code", report["code_version"]
    for model in _checkpoints(report):
        steps = f", {model['steps']} steps" if model["steps"] is not None else ""
        size = f"{model['parameters'] / 1e6:.1f} M parameters{steps}"
        yield model["name"], f"{size}, {model['sha256'][:12]}…"
