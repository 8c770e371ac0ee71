"""The report as one offline page: pictures inside, no network, nothing to install."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from types import ModuleType
from typing import Any, NamedTuple

from gen.evaluation import control, headlines, infilling, interval, likelihood, originality
from gen.evaluation.metrics import (
    diversity,
    frechet,
    one_nearest_neighbour,
    statistics,
    structure,
)
from gen.evaluation.tables import TABLES, Table, cell
from gen.evaluation.words import HEADLINES, sentences
from gen.rendering.report_style import STYLE

Report = Mapping[str, Any]

_STYLE = """
section { margin-top: clamp(2.5rem, 5vw, 4rem); scroll-margin-top: 1.5rem; }
section > p { max-width: 68ch; }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
figure { margin: 1.2rem 0 0; border: 1px solid var(--line); border-radius: 10px; overflow: auto;
  background: #fcfbf9; padding: .9rem; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; opacity: var(--roll); }
figure + figure { margin-top: .8rem; }
figcaption { color: #6b665e; font-size: .9rem; margin-top: .5rem; }
.scroll { overflow-x: auto; }
.scroll td, .scroll th { white-space: nowrap; }
td:last-child { width: auto; text-align: left; }
.note { color: var(--missed); }
.findings { padding-left: 1.2rem; max-width: 72ch; }
.findings li { margin: .35rem 0; }
.meanings { grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); margin: 1.2rem 0; }
.meanings dd { font-size: .93rem; }
pre { white-space: pre-wrap; font: .85rem/1.5 ui-monospace, Menlo, Consolas, monospace;
  color: var(--soft); max-width: 90ch; }
"""


class _Section(NamedTuple):
    """One part of the page: its figures in the report, heading, what it says, pictures."""

    part: str
    title: str
    meaning: str
    pictures: tuple[tuple[str, str], ...]
    module: ModuleType


_SECTIONS = (
    _Section(
        "likelihood", "How well it foresees music",
        "The model reads works note by note and says beforehand how likely each next note is. "
        "Bits count its surprise: fewer are better. Works that it has never heard show what it "
        "understands; works that it learned from show, beside them, what it merely remembers.",
        (
            ("spent", "What the bits of a note are spent on; works held out and learned from."),
            ("bits", "Surprise by the role of a track, by genre, and as a piece goes on."),
        ),
        likelihood,
    ),
    _Section(
        "statistics", "What its music is made of",
        "Each piece is measured as a theorist would: scale, chords, texture, rhythm, loudness. "
        "What counts is not whether a piece has much or little of something, but whether the "
        "model's pieces as a set have what works have, in the same spread. Works learned from "
        "(green) show how far two sets of real works lie apart.",
        (
            ("distances", "Every statistic: far from works, or as near as works to each other?"),
            ("distributions", "Melodic steps and leaps, note values, loudness."),
            ("compass", "What each instrument plays."),
        ),
        statistics,
    ),
    _Section(
        "nearest_neighbour", "Can it be told from works?",
        "Pieces and works are shuffled together, and each is matched with its nearest relative. "
        "If relatives come half from either side, the two cannot be told apart. Far to the right: "
        "the model's pieces are a kind of their own. Left of the grey band: they sit so close "
        "to single works that they look like copies.",
        (("neighbours", "Grey: what two sets of real works give."),),
        one_nearest_neighbour,
    ),
    _Section(
        "structure", "Form: does anything come back?",
        "Music repeats: a bar, a phrase, a section. The squares compare every bar of a piece with "
        "every other; a dark line beside the diagonal is a passage that returns. A work has such "
        "lines at many distances; a model that forgets has none.",
        (
            ("structure", "How much returns, and how alike bars are that lie so far apart."),
            ("matrices", "A few pieces: across and up their bars; dark where two are alike."),
        ),
        structure,
    ),
    _Section(
        "diversity", "Variety",
        "A model can write well and yet write the same piece again and again. Here its pieces are "
        "compared with each other, and works with each other.",
        (("diversity", "Left of 1: more of the same than in works."),),
        diversity,
    ),
    _Section(
        "frechet", "As another model hears it",
        "A model trained elsewhere, on other music, listens to pieces and works. The distance says "
        "how far they lie apart to its ears; works learned from stand beside them.",
        (),
        frechet,
    ),
    _Section(
        "control", "Does it do as it is asked?",
        "Short pieces are asked for with every control; in a random half of them a control is kept "
        "back, which shows what would have come by chance. Squares are guaranteed; of the rest, "
        "only the way from grey to colour is obedience. Keys, roles and chords are read from the "
        "notes, which is not always right: blue shows what the composers' own works score.",
        (("control", "Share of pieces, or of their notes, that are as asked."),),
        control,
    ),
    _Section(
        "infilling", "Can it fill a gap?",
        "In works that it has never heard one track is silenced for a few bars. First the model "
        "says how likely the composer's own notes are there, knowing all the rest; then it writes "
        "its own, and these are held against what the composer had.",
        (("infilling", "What knowing the rest is worth, and how what it writes fits."),),
        infilling,
    ),
    _Section(
        "originality", "Does it copy?",
        "Works of one house resemble each other. First every work is compared with all unrelated "
        "works: that is what the house borrows from itself. Then the model's pieces are. Last, "
        "the model is given the first bars of a work and asked to go on: if works that it learned "
        "from come back and others do not, it remembers them.",
        (
            ("originality", "Lines: share of pieces with a passage in common at least so long."),
            ("curve", "Over training: more that comes back only of works learned from is memory."),
        ),
        originality,
    ),
)  # fmt: skip


def page(report: Report, pictures: Mapping[str, bytes]) -> str:
    """The whole document.

    Args:
        report: as in `report.json`.
        pictures: PNG by name, as `pictures.draw` made them.
    """
    title = f"What {'a model' if _count(report) == 1 else 'models'} of {report['house']} can do"
    shown = [section for section in _SECTIONS if report.get(section.part)]
    links = "".join(f'<li><a href="#{s.part}">{escape(s.title)}</a></li>' for s in shown)
    body = [
        f"<header><h1>{escape(title)}</h1>{_facts(report)}"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav></header>',
        "<main>",
        _summary(report, pictures),
        *(_section(section, report, pictures) for section in shown),
        "</main>",
        "<footer><p>Lines through points, and numbers in brackets, are 95 % intervals: had other "
        "works or pieces been drawn, the figure would most likely lie within; n is how many there "
        "were. A difference inside its interval is called none.</p></footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _count(report: Report) -> int:
    return sum(not rung["baseline"] for rung in report["rungs"])


def _facts(report: Report) -> str:
    sizes = report["sizes"]
    facts = [
        (
            "measured with",
            f"{report['works'][report['split']]} works of the {report['split']} side",
        ),
        ("learned from", f"{report['works']['train']} works"),
        ("pieces written", f"{sizes['pieces']}, {sizes['bars']} bars of each"),
        ("seed", str(report["seed"])),
        ("code", report["code_version"]),
    ]
    for rung in report["rungs"]:
        if not rung["baseline"]:
            steps = f", {rung['steps']} steps" if rung["steps"] is not None else ""
            size = f"{rung['parameters'] / 1e6:.1f} M parameters{steps}"
            facts.append((rung["name"], f"{size}, {rung['sha256'][:12]}…"))
    items = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in report["notes"])
    fast = (
        '<p class="note">A quick look (fast=true): few works and pieces, wide intervals.</p>'
        if report["fast"]
        else ""
    )
    return f"<dl>{items}</dl>{notes}{fast}"


_ORDERS = {
    "as expected": "in the order expected",
    "none": "no order can be told",
    "reversed": "not in the order expected",
}


# The summary -----------------------------------------------------------------------------


def _summary(report: Report, pictures: Mapping[str, bytes]) -> str:
    parts = ['<section id="summary"><h2>In short</h2>']
    for rung in report["rungs"]:
        if not rung["baseline"]:
            if _count(report) > 1:
                parts.append(f"<h3>{escape(rung['name'])}</h3>")
            items = "".join(f"<li>{escape(s)}</li>" for s in sentences(dict(report), rung["name"]))
            parts.append(f'<ul class="findings">{items}</ul>')
    if report["headlines"]:
        parts.append(_table(_headline_table(report)))
        parts.append(_meanings(report))
        parts.append(_order(report))
    parts.append(_figure(pictures, "ladder", "The headline figures of every model."))
    parts.append(_definition(headlines, "How the headline figures are made"))
    parts.append("</section>")
    return "".join(parts)


def _meanings(report: Report) -> str:
    items = "".join(
        f"<div><dt>{escape(HEADLINES[key].name)}</dt><dd>{escape(HEADLINES[key].meaning)}</dd></div>"
        for key in report["headlines"]
    )
    return f'<dl class="meanings">{items}</dl>'


def _headline_table(report: Report) -> Table:
    names = [rung["name"] for rung in report["rungs"]]
    rows = [
        [HEADLINES[key].name, *(cell(found["rungs"].get(name)) for name in names)]
        for key, found in report["headlines"].items()
    ]
    return ["", *names], rows


def _order(report: Report) -> str:
    """Whether each model beats the one below it."""
    told = []
    for key, found in report["headlines"].items():
        if "ladder" in found:
            ladder = found["ladder"]
            steps = ", ".join(
                f"{s['to']} {'as' if s['step'] == 'none' else s['step'] + ' than'} {s['from']}"
                for s in ladder["steps"]
            )
            order, turned = _ORDERS[ladder["order"]], ladder["turned"]
            if turned:
                order += ": " + ", ".join(
                    f"{above} is worse than {below}" for below, above in turned
                )
            told.append(
                f"<li{' class=note' * bool(turned)}>{escape(f'{HEADLINES[key].name}: {order}')} "
                f"({escape(steps)})</li>"
            )
    if not told:
        return ""
    return (
        "<p>Models from knowing nothing to the largest should get better step by step; "
        "<i>as</i> means that no difference can be told.</p>"
        f'<ul class="findings">{"".join(told)}</ul>'
    )


# Sections --------------------------------------------------------------------------------


def _section(section: _Section, report: Report, pictures: Mapping[str, bytes]) -> str:
    figures = "".join(_figure(pictures, name, caption) for name, caption in section.pictures)
    tables = "".join(
        f"<h3>{escape(title)}</h3>{_table(table)}" for title, table in TABLES[section.part](report)
    )
    return (
        f'<section id="{section.part}"><h2>{escape(section.title)}</h2>'
        f"<p>{escape(section.meaning)}</p>{figures}"
        f"<details><summary>Numbers</summary>{tables}</details>"
        f"{_definition(section.module, 'Definition')}</section>"
    )


def _figure(pictures: Mapping[str, bytes], name: str, caption: str) -> str:
    if name not in pictures:
        return ""
    data = base64.b64encode(pictures[name]).decode("ascii")
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _definition(module: ModuleType, title: str) -> str:
    text = escape((module.__doc__ or "").strip())
    more = escape((interval.__doc__ or "").strip()) if module is headlines else ""
    return f"<details><summary>{escape(title)}</summary><pre>{text}\n\n{more}</pre></details>"


def _table(table: Table) -> str:
    heads, rows = table
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )
