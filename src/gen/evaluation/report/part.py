"""What a part of an evaluation is: everything that is known of it, described in one place.

A part knows how it is measured and, of what was measured, its tables, pictures and sentences; the
page knows nothing of any part. Each module in `parts` ends with its `PART`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.random import Generator

from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Figure
from gen.evaluation.measures.notes import PieceSets, sets_of
from gen.evaluation.progress import Tick
from gen.evaluation.report.plots import Picture, Report

if TYPE_CHECKING:
    from gen.evaluation.bench import Bench
    from gen.evaluation.subjects.models import Candidate

VERDICTS = {
    "none": "no difference found", "higher": "more", "lower": "less", "apart": "recognisable",
    "too close": "too close", "homogenises": "more of the same", "varies more": "more varied",
}  # fmt: skip


class Table(NamedTuple):
    """Text in rows; the first cell of a row is its heading."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def _nothing(*_: Any) -> Iterator[Any]:
    return iter(())


def _by_model(bench: Bench, found: dict[str, Any]) -> dict[str, Any]:
    del bench
    return found


@dataclass(frozen=True, kw_only=True)
class EvaluationPart:
    """One thing that is measured.

    Attributes:
        name: its key in the report and in the setting `parts`.
        title: of its section on the page.
        meaning: what it says, in words a composer uses.
        definition: what is computed, formula and source.
        cost: how long it takes beside the others, for the progress bar.
        measure: what is kept of one model, as plain values; None where nothing can be said.
        collect: what the report has of all models; by default what each has, by name.
        tables: its numbers, from the whole report.
        pictures: its pictures, from the whole report.
        sentences: what it says of one model, from what the report has of that model.
        of_baselines: whether models that are known to be worse are measured too.
        uses_pieces: whether it needs pieces that the model wrote.
        of_events: whether it asks for the house's events, which models of other tokens lack.
        of_learned: whether it asks for the works that the model learned from, which are not there
            where it is of another house.
        optional: whether it has to be asked for by name.
        check: raises HouseError where it cannot be measured here, before anything is.
    """

    name: str
    title: str
    meaning: str
    definition: str
    cost: float
    measure: Callable[[Bench, Candidate, Tick], Any]
    collect: Callable[[Bench, dict[str, Any]], Any] = _by_model
    tables: Callable[[Report], Iterator[Table]] = _nothing
    pictures: Callable[[Report], Iterator[Picture]] = _nothing
    sentences: Callable[[Any], Iterator[str]] = _nothing
    of_baselines: bool = False
    uses_pieces: bool = False
    of_events: bool = False
    of_learned: bool = False
    optional: bool = False
    check: Callable[[], None] = lambda: None

    def of(self, report: Report, model: str) -> Any:
        """What the report has of one model; None where it has nothing."""
        found = report.get(self.name, {})
        return found.get("models", found).get(model)


def comparing(
    name: str, compare: Callable[[PieceSets, Generator], Any]
) -> Callable[[Bench, Candidate, Tick], Any]:
    """To measure by comparing generated pieces with works held out and works learned from.

    Args:
        name: of the part, from which its random draws follow.
        compare: takes the three sets, and a generator.
    """

    def measure(bench: Bench, candidate: Candidate, tick: Tick) -> Any:
        del tick
        generated = bench.generated(candidate)
        if not generated:
            return None
        sets = sets_of(generated, *bench.beginnings, bench.families)
        return compare(sets, bench.rng(name))

    return measure


# Words and numbers -----------------------------------------------------------------------


def named(name: str, names: Mapping[str, str]) -> str:
    """A figure's name in plain words."""
    return names.get(name, name.replace("_", " "))


def in_numbers(value: float | None, share: bool) -> str:
    """Of a share in percent."""
    return percent({"value": value, "low": None}) if share else number(value)


def verdict_cell(gap: Figure, *, share: bool = False) -> str:
    """What a difference says, in a table; where none was found, the least that could have been.

    Args:
        gap: the difference.
        share: whether it is one of shares.
    """
    judged = interval.verdict(gap)
    if judged != "none":
        return VERDICTS[judged]
    least = interval.detectable(gap)
    if least is None:
        return "too few to tell"
    return f"{VERDICTS['none']}; one below {in_numbers(least, share)} could not have been seen"


def no_difference(gap: Figure, counted: str, *, unit: str = "", share: bool = False) -> str:
    """The same as the end of a sentence: how small a difference could have been seen.

    Args:
        gap: a difference whose interval holds 0, or that has none.
        counted: what its `n` counts.
        unit: of the difference.
        share: whether it is one of shares.
    """
    least, sample = interval.detectable(gap), f"{gap['n']} {counted}"
    if gap["groups"] < gap["n"]:
        sample += f" in {gap['groups']} groups"
    if least is None:
        return f"{sample} are too few to tell a difference"
    size = f"{in_numbers(least, share)}{unit}"
    return f"no difference found; one below {size} could not have been seen with {sample}"


def number(value: float | None) -> str:
    """Three digits, or a dash."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def with_interval(figure: Figure | None) -> str:
    """Value and interval, `4.93 (4.41 to 5.72)`; a dash where there is no value."""
    if not figure or figure["value"] is None:
        return "-"
    if figure["low"] is None:
        return number(figure["value"]) + _each_group(figure, share=False)
    return f"{number(figure['value'])} ({number(figure['low'])} to {number(figure['high'])})"


def percent(figure: Figure | None) -> str:
    """A share and its interval, `42 % (31 to 55)`."""
    if not figure or figure["value"] is None:
        return "-"
    whole = f"{figure['value']:.0%}".replace("%", " %")
    if figure["low"] is None:
        return whole + _each_group(figure, share=True)
    return f"{whole} ({100 * figure['low']:.0f} to {100 * figure['high']:.0f})"


def _each_group(figure: Figure, *, share: bool) -> str:
    """What each of a few groups gave, in place of an interval; of one group nothing."""
    values = figure.get("values", [])
    said = [f"{100 * x:.0f}" if share else number(x) for x in values]
    return f" (each {', '.join(said)})" if len(values) > 1 else ""


def cell(figure: Figure | None) -> str:
    """Value, interval and sample size, `4.93 (4.41 to 5.72), n 40 in 18 groups`."""
    return _counted(with_interval(figure), figure)


def share_cell(figure: Figure | None) -> str:
    """The same of a share, `42 % (31 to 55), n 40`."""
    return _counted(percent(figure), figure)


def _counted(text: str, figure: Figure | None) -> str:
    if not figure or figure["value"] is None:
        return text
    grouped = f" in {figure['groups']} groups" if figure["groups"] < figure["n"] else ""
    return f"{text}, n {figure['n']}{grouped}"


def each(report: Report, part: str) -> Iterator[tuple[str, Any]]:
    """Every model that has a part, and what it has."""
    for name, found in report[part].items():
        if found is not None:
            yield name, found
