"""How `contribute` shows what became of files, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.cli.careful import echo
from gen.errors import counted, in_line, shortened

if TYPE_CHECKING:
    from gen.analysis import Analysis
    from gen.contribution import Facts, Outcome

_MOST_LETTERS = 80
"""Of a track's name."""
ALREADY_THERE = (
    "already there: what the house holds stays as it was signed; to state something else about a "
    "work that waits, ask a curator to reject it and contribute it again"
)


def show(outcome: Outcome, *, as_json: bool, is_brief: bool) -> None:
    """What became of a file, with all that was found in it unless `is_brief`."""
    if as_json:
        echo(json.dumps(outcome.to_dict(), ensure_ascii=False))
        return
    work = f" as {outcome.work}" if outcome.work and outcome.status != "refused" else ""
    rule = f" ({outcome.rule})" if outcome.rule else ""
    echo(in_line(f"{outcome.path}: {outcome.status}{work}{rule}"))
    if outcome.found:
        echo(_indented(outcome.found))
    if outcome.mend:
        echo(f"  to mend it: {outcome.mend}")
    if not is_brief:
        show_details(outcome)
        _show_unstated(outcome)
    elif outcome.screening and outcome.screening.matches:
        echo(_indented(outcome.screening.side_by_side()))


def show_details(outcome: Outcome) -> None:
    """What was changed, what is unheard, what the notes say, what is alike."""
    if outcome.examined and outcome.examined.analysis.notes:
        normalised, analysis = outcome.examined.normalised, outcome.examined.analysis
        for name, lines in (
            ("changed", normalised.changes),
            ("the model does not hear", normalised.unheard),
            ("please look", normalised.advice),
        ):
            for line in lines:
                echo(in_line(f"  {name}: {line}"))
        echo(
            f"  {counted(analysis.bars, 'bar')}, {_meters(analysis)}, {_tempo(analysis)}, "
            f"{_key(analysis)}, {analysis.seconds:.0f} s, {counted(analysis.notes, 'note')}"
        )
        for line in tracks(analysis):
            echo(f"    {line}")
        echo(f"  chords: {_short_chords(analysis)}")
        if analysis.sections:
            echo(f"  sections: {analysis.sections}")
    if outcome.screening and outcome.screening.matches:
        echo(_indented(outcome.screening.side_by_side()))


def tracks(analysis: Analysis, roles: Iterable[str] | None = None) -> list[str]:
    """One line a track: its number and own name, its instrument, its role."""
    names = (in_line(shortened(name.strip(), _MOST_LETTERS)) for name in analysis.names)
    rows = zip(names, analysis.instruments, roles or analysis.roles, strict=False)
    return [
        f"{number} {name or '(no name)'}: {instrument}, {role}"
        for number, (name, instrument, role) in enumerate(rows, 1)
    ]


def _short_chords(analysis: Analysis) -> str:
    from gen.contribution import shortened

    return shortened("chords", analysis.chords)


def _meters(analysis: Analysis) -> str:
    assumed = "" if analysis.is_meter_stated else " (assumed: the file says no meter at its start)"
    return f"{', '.join(analysis.meters)}{assumed}"


def _tempo(analysis: Analysis) -> str:
    """Average, range and number of changes; what is only assumed is said."""
    average = f"{analysis.tempo_quarters_per_minute:.4g} quarter notes a minute"
    if not analysis.tempo_changes:
        assumed = " (assumed: the file says no tempo)"
        return average + ("" if analysis.is_tempo_stated else assumed)
    spread = f"{analysis.slowest_tempo:.4g} to {analysis.fastest_tempo:.4g}"
    changes = counted(analysis.tempo_changes, "change")
    start = "" if analysis.is_tempo_stated else ", 120 assumed until the first"
    return f"{average} on average ({spread}, {changes}{start})"


def _key(analysis: Analysis) -> str:
    """The key offered first; beside it what the file states or the notes suggest otherwise."""
    if analysis.key_stated and analysis.key_stated == analysis.key:
        guess = (
            "the notes agree"
            if analysis.key_guess == analysis.key
            else (f"the notes suggest {analysis.key_guess}")
        )
        return f"{analysis.key} (as the file states; {guess})"
    notes = [] if analysis.is_key_clear else ["not clear"]
    notes += [f"the file states {analysis.key_stated}"] if analysis.key_stated else []
    return f"{analysis.key} ({'; '.join(notes)})" if notes else analysis.key


def _show_unstated(outcome: Outcome) -> None:
    """After a check: what only a person can say and nobody has said."""
    if missing := unstated(outcome):
        echo(f"  to be stated before it is signed: {', '.join(missing)}")


def unstated(outcome: Outcome) -> list[str]:
    """What has to be stated of a checked file and is not."""
    from gen.contribution import MUST_BE_STATED

    if outcome.status not in ("checked", "needs review") or outcome.work or not outcome.facts:
        return []
    stated = outcome.facts.to_dict()
    return [name for name in MUST_BE_STATED if not stated[name]]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def summarise(counts: dict[str, int], total: int, *, as_json: bool) -> None:
    """One line for all files."""
    seen = sum(counts.values())
    if as_json:
        echo(json.dumps({"summary": {"files": total, "seen": seen, **counts}}))
    text = ", ".join(f"{count} {status}" for status, count in counts.items())
    echo(f"{counted(total, 'file')}: {text}", err=as_json)
    if counts.get("already there") and not as_json:
        echo(ALREADY_THERE)


def write_sidecar(path: Path, rows: dict[Path, Facts], *, as_json: bool) -> None:
    """Write the first table of what was found, and say what is left to fill in."""
    from gen.contribution import MUST_BE_STATED
    from gen.contribution import write_sidecar as write

    write(path, rows)
    empty = [name for name in MUST_BE_STATED if not all(f.to_dict()[name] for f in rows.values())]
    echo(
        f"wrote {path}: {counted(len(rows), 'row')}; correct it"
        f"{', fill in ' + ' and '.join(empty) if empty else ''} and give it back with --metadata",
        err=as_json,
    )


def as_options(facts: dict[str, Any]) -> list[str]:
    """Stated facts as the options that state them."""
    return [word for name, text in facts.items() if text for word in (f"--{name}", text)]
