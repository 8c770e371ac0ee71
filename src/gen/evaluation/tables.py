"""The report's numbers as tables: a heading, column heads, rows of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gen.evaluation import originality
from gen.evaluation.interval import Figure
from gen.evaluation.words import (
    MEASURES,
    RANGES,
    SEAMS,
    VERDICTS,
    asked,
    number,
    percent,
    said,
    with_interval,
)
from gen.smf import note_name

Report = Mapping[str, Any]
Table = tuple[Sequence[str], Sequence[Sequence[str]]]
Tables = Iterator[tuple[str, Table]]


def cell(figure: Figure | None) -> str:
    """Value, interval and sample size, `4.93 (4.41 to 5.72), n 40`."""
    return _counted(with_interval(figure), figure)


def _share(figure: Figure | None) -> str:
    """The same of a share, `42 % (31 to 55), n 40`."""
    return _counted(percent(figure), figure)


def _counted(text: str, figure: Figure | None) -> str:
    return f"{text}, n {figure['n']}" if figure and figure["value"] is not None else text


def _likelihood_tables(report: Report) -> Tables:
    found = report["likelihood"]["rungs"]
    groups = {
        "by field": "by_field", "by kind of event": "by_kind", "by role": "by_role",
        "by bar": "by_position", "by genre": "by_genre", "held out and learned from": "gauge",
    }  # fmt: skip
    yield "bits per note", _beside(found, {"all": lambda f: f["bits_per_note"]})
    for title, group in groups.items():
        names = list(dict.fromkeys(n for figures in found.values() for n in figures[group]))
        yield title, _beside(found, {said(n): lambda f, n=n, g=group: f[g].get(n) for n in names})
    rows = [
        [f"{e['to']} beside {e['from']}", cell(e["more"]), VERDICTS[e["verdict"]]]
        for e in report["likelihood"]["against"]
    ]
    if rows:
        yield "bits more, work by work", (["", "bits per note", ""], rows)


def _beside(found: Mapping[str, Any], rows: Mapping[str, Any]) -> Table:
    """One row a figure, one column a rung."""
    return (
        ["", *found],
        [[name, *(cell(read(f)) for f in found.values())] for name, read in rows.items()],
    )


def _each(report: Report, part: str) -> Iterator[tuple[str, Any]]:
    """Every rung that has a part."""
    for name, found in report[part].items():
        if found is not None:
            yield name, found


def _statistics_tables(report: Report) -> Tables:
    heads = ["", "unit", "generated", "held out", "learned from", "mean", "overlap", "distance", ""]
    for rung, found in _each(report, "statistics"):
        rows = []
        for name, feature in found["features"].items():
            distance = feature["apart"]["distance"]
            rows.append(
                [
                    said(name), _unit(feature),
                    *(cell(feature[side]) for side in ("generated", "reference", "train")),
                    VERDICTS[feature["verdict"]],
                    cell(feature["apart"]["overlap_area"]),
                    cell(distance),
                    "" if not distance else "differs" if distance["differs"] else "no difference",
                ]
            )  # fmt: skip
        yield rung, (heads, rows)
        rows = [
            [said(name), _share(found[f"new_{name}"]["generated"]),
             _share(found[f"new_{name}"]["real"])]
            for name in ("chords", "transitions")
        ]  # fmt: skip
        yield (
            f"{rung}: share that no work has",
            (["", "generated", "held out, beside learned from"], rows),
        )
        rows = [
            [row["instrument"], _reach(row["generated"]), _reach(row["works"]),
             _share(row["outside"])]
            for row in found["ranges"]
        ]  # fmt: skip
        yield (
            f"{rung}: range of each instrument",
            (["", "generated", "works", "notes beyond the works'"], rows),
        )


def _unit(feature: Mapping[str, Any]) -> str:
    """That of its means: what is spread over names has the variety of these as mean."""
    is_named = isinstance(feature.get("values", [0])[0], str)
    return "bits of variety" if is_named else str(feature["unit"])


def _reach(row: Mapping[str, Any]) -> str:
    if not row["notes"]:
        return "-"
    ends = (note_name(row[end]) for end in ("lowest", "highest"))
    return f"{' to '.join(ends)}, n {row['pieces']}"


def _neighbour_tables(report: Report) -> Tables:
    for rung, found in _each(report, "nearest_neighbour"):
        sides = {
            "against_reference": "works held out", "against_train": "works learned from",
            "real": "held out among learned from",
        }  # fmt: skip
        rows = [
            [MEASURES[name], title, _share(found[name][side]),
             VERDICTS[found[name][side]["verdict"]], _share(found[name]["null"])]
            for name in MEASURES
            for side, title in sides.items()
        ]  # fmt: skip
        yield (
            f"{rung}, {found['n']} of each",
            (["", "against", "told apart", "", "by chance"], rows),
        )


def _structure_tables(report: Report) -> Tables:
    for rung, found in _each(report, "structure"):
        rows = [
            [RANGES[name],
             *(cell(i[side]) for side in ("generated", "reference", "train")),
             VERDICTS[i["verdict"]], cell(i["shuffled"]["generated"]),
             cell(i["shuffled"]["reference"])]
            for name, i in found["indicators"].items()
        ]  # fmt: skip
        heads = ["", "generated", "held out", "learned from", "generated is", "generated, shuffled",
                 "held out, shuffled"]  # fmt: skip
        yield rung, (heads, rows)


def _diversity_tables(report: Report) -> Tables:
    for rung, found in _each(report, "diversity"):
        rows = [
            [f"{title} {name}", *(cell(block[k]) for k in ("generated", "works", "ratio")),
             VERDICTS[block["verdict"]]]
            for group, title in (("spread", "distance,"), ("distinct", "distinct"))
            for name, block in found[group].items()
        ]  # fmt: skip
        yield rung, (["", "generated", "works", "ratio", ""], rows)


def _frechet_tables(report: Report) -> Tables:
    for rung, found in _each(report, "frechet"):
        sides = {"apart": "generated", "real": "works learned from"}
        rows = [
            [title, cell(row), number(row["chance"]),
             "differs" if row["differs"] else "no difference"]
            for side, title in sides.items()
            if (row := found[side])
        ]  # fmt: skip
        yield f"{rung}: distance from works held out", (["", "distance", "by chance", ""], rows)


def _control_tables(report: Report) -> Tables:
    for rung, found in _each(report, "control"):
        rows = [
            [asked(name), _share(s["told"]), _share(s["untold"]),
             _share(s["obeyed"]), VERDICTS[s["verdict"]], _share(s["works"]),
             _share(s["receipt"])]
            for name, s in found["scores"].items()
        ]  # fmt: skip
        heads = [
            "",
            "asked",
            "not asked",
            "asking adds",
            "",
            "works, by their tags",
            "met, by the receipt",
        ]
        yield f"{rung}, {found['requests']} requests", (heads, rows)
        rows = [[said(name), cell(figure)] for name, figure in found["diversity"].items()]
        yield "distance of pieces (D)", (["", "0 the same, 1 nothing in common"], rows)


def _infilling_tables(report: Report) -> Tables:
    for rung, found in _each(report, "infilling"):
        bits = found["bits"]
        rows = [
            ["given all the rest", cell(bits["infilled"]), ""],
            ["given what came before", cell(bits["left_to_right"]), ""],
            ["difference", cell(bits["gain"]), VERDICTS[bits["verdict"]]],
        ]
        yield f"{rung}, {found['holes']} holes", (["", "bits per note", ""], rows)
        rows = [
            [SEAMS[name], *(cell(seam[k]) for k in ("written", "original", "moved")),
             cell(seam["difference"]), VERDICTS[seam["verdict"]]]
            for name, seam in found["seams"].items()
        ]  # fmt: skip
        heads = ["", "written", "original", "original, a tritone off", "difference", ""]
        yield "seams", (heads, rows)


def _originality_tables(report: Report) -> Tables:
    for rung, found in _each(report, "originality"):
        house, ours, given = found["house"], found["outputs"], found["extraction"]
        rows = [["above the house's line", _share(ours["above"]), _share(house["above"]),
                 _share(ours["more_above"]), VERDICTS[ours["verdict"]]]]  # fmt: skip
        for kind in originality.KINDS:
            line = house[kind]["line"]
            rows.append(
                [f"mean longest run, {kind}", cell(ours[kind]["mean"]), cell(house[kind]["mean"]),
                 cell(ours[kind]["more"]), VERDICTS[ours[kind]["verdict"]]]
            )  # fmt: skip
            rows.append([f"95 % line, {kind}", "", "-" if line is None else str(line), "", ""])
        heads = [f"{ours['pieces']} pieces against {found['compared_with']} works", rung,
                 f"{house['works']} works among themselves", "difference", ""]  # fmt: skip
        yield rung, (heads, rows)
        rows = [
            [said(side), _share(given[side]["back"]), _share(given[side]["repeated"])]
            for side in ("train", "held_out")
        ]  # fmt: skip
        rows.append(["difference", _share(given["more"]), VERDICTS[given["verdict"]]])
        title = f"{given['given_bars']} bars given, {given['written_bars']} written"
        yield title, (["", "comes back", "by repeating what was given"], rows)
        if (nearest := _nearest(ours))[1]:
            yield "pieces nearest to a work", nearest


def _nearest(outputs: Mapping[str, Any]) -> Table:
    rows = []
    for row in outputs["nearest"]:
        for kind in originality.KINDS:
            if kind in row:
                passage = row[kind]
                where = f"here {passage['here']}; there {passage['there']}"
                rows.append([str(row["piece"]), kind, str(passage["run"]), passage["of"], where])
    return ["piece", "", "steps in common", "with", "where"], rows


TABLES: dict[str, Callable[[Report], Tables]] = {
    "likelihood": _likelihood_tables,
    "statistics": _statistics_tables,
    "nearest_neighbour": _neighbour_tables,
    "structure": _structure_tables,
    "diversity": _diversity_tables,
    "frechet": _frechet_tables,
    "control": _control_tables,
    "infilling": _infilling_tables,
    "originality": _originality_tables,
}
"""Part of the report: its tables."""
