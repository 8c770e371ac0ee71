"""A model's card: what it is, what it learned from, how well it does, and where it ends.

Every figure is from the log, from the works, from the model's own file or from a report that
somebody names, and the card says which.

Source: Mitchell et al. 2019, arXiv:1810.03993.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gen.disclosure.account import Account
from gen.errors import printable

MEASURES = {
    "bits_per_note": "bits a note of held-out works (fewer is better)",
    "statistics_gap": "statistics beyond chance, doublings (0 is best)",
    "apart": "told apart from works, beyond an even guess (0 is best)",
    "structure_gap": "structure, distance from works (0 is best)",
}


def card_of(account: Account) -> str:
    """The card as Markdown."""
    return "\n".join(map(printable, _lines(account))) + "\n"


def shape_of(account: Account) -> dict[str, Any]:
    """The network's settings that say how large it is."""
    shape = account.model.about.get("model", {})
    return {name: value for name, value in shape.items() if not name.endswith("_sizes")}


def limits_of(account: Account) -> list[str]:
    """What the model cannot do, and what the records do not show, a sentence each."""
    figures, found = account.figures, []
    genres = ", ".join(name for name in figures.genres if name)
    if genres:
        found.append(f"It knows the genres of its works and no other music: {genres}.")
    found.append("It writes symbolic music: notes, not sound.")
    if account.run.is_asserted:
        found.append(
            "What it learned from is asserted by the root of its house: no run of it is in the "
            "log, and it cannot be rebuilt."
        )
    elif account.run.transcript:
        found.append(
            "That these works are all it learned from follows from replaying its run (house.py "
            "rebuild); where nobody did, it is the trainer's word."
        )
    else:
        found.append("Its run kept no transcript: what it learned from is the trainer's word.")
    found += [
        f"It began with a model of {house}: what that learned from only the log of {house} says."
        for house in account.other_houses
    ]
    if figures.withdrawn:
        found.append(f"{figures.withdrawn} works behind it were withdrawn since it learned.")
    retired = account.register.retired(account.model.file_sha256)
    if retired is not None:
        found.append(f"It was retired on {retired.time[:10]}: {retired.reason}")
    if account.evaluation is None:
        found.append("No evaluation was named for this card: how well it writes is not said here.")
    return found


def _lines(account: Account) -> Iterator[str]:
    yield f"# Model card: {account.run.name}"
    yield ""
    yield f"{account.read_from}."
    yield from _model(account)
    yield from _works(account)
    yield from _training(account)
    yield from _results(account)
    yield from ("", "## Use", "")
    yield (
        f"Its works were admitted for {account.model.manifest.purpose}, judged on "
        f"{account.model.manifest.judged_on}. The log has {account.pieces} pieces of its run."
    )
    yield from ("", "## Limits", "")
    yield from (f"- {limit}" for limit in limits_of(account))


def _model(account: Account) -> Iterator[str]:
    model, run = account.model, account.run
    word = "asserted by the root" if run.is_asserted else "run in the log"
    shape = ", ".join(f"{name} {value}" for name, value in sorted(shape_of(account).items()))
    yield from ("", "## Model", "", "| | |", "|---|---|")
    yield f"| file, SHA-256 | `{model.file_sha256}` |"
    yield f"| tensors, SHA-256 | `{model.tensors_sha256}` |"
    yield f"| numbers in it | {model.parameters:,} |"
    yield f"| shape | {shape} |"
    yield f"| made by | {run} ({word}), {run.time} |"
    yield f"| manifest, SHA-256 | `{model.manifest.digest}` |"
    if run.transcript:
        yield f"| transcript, root | `{run.transcript}` |"
    for phrase in account.before:
        yield f"| before it | {phrase} |"


def _works(account: Account) -> Iterator[str]:
    figures = account.figures
    yield from ("", "## What it learned from", "")
    yield (
        f"{figures.works:,} works of {account.register.roster.house} by {figures.composers} "
        f"composers, entered {figures.first} to {figures.last}: {figures.notes:,} notes, "
        f"{figures.seconds / 3600:.1f} hours, {figures.bytes:,} bytes."
    )
    yield ""
    yield f"- made: {counts_in_words(figures.methods)}"
    yield f"- genres: {counts_in_words(figures.genres)}"
    yield f"- taken over from another house: {figures.adopted}"
    yield f"- written by a model of the house: {figures.written_by_models}"
    if account.sides:
        sides = ", ".join(f"{len(works)} {side}" for side, works in account.sides.items())
        yield f"- sides of the split, found again from the works: {sides}"


def counts_in_words(counts: dict[str, int]) -> str:
    """`3 score, 1 played`; what nobody named is `not said`."""
    return ", ".join(f"{count} {name or 'not said'}" for name, count in counts.items())


def _training(account: Account) -> Iterator[str]:
    yield from ("", "## Training", "")
    begin, about = account.run.begin, account.model.about.get("run", {})
    yield f"- steps: {account.digest.steps:,}"
    if begin is not None:
        yield f"- seed {begin.seed}; numbers as of {begin.numeric_mode}"
        yield f"- code `{begin.code}`, installed software `{begin.lock}`"
    for name, title in (
        ("bits_per_note", "when it was kept"),
        ("untrained_bits_per_note", "before a step"),
    ):
        if isinstance(value := about.get(name), float):
            yield f"- validation, bits a note {title}, as its file says: {value:.2f}"
    where = "its file says" if begin is None or not begin.recipe else "its begin act says"
    yield f"- recipe, as {where}:"
    yield ""
    yield from ("```json", json.dumps(account.settings, sort_keys=True), "```")


def _results(account: Account) -> Iterator[str]:
    found = account.evaluation
    if found is None:
        return
    report = found.report
    fast = ", a quick one" if report.get("fast") else ""
    yield from ("", "## Evaluation", "")
    yield (
        f"From a report of SHA-256 `{found.sha256}`{fast}, on works held out for "
        f"{report.get('split')}, with 95 % intervals."
    )
    yield from ("", "| figure | value | interval | of |", "|---|---|---|---|")
    for name, value in found.figures.items():
        ends = (value.get("low"), value.get("high"))
        interval = "none" if None in ends else " to ".join(map(_number, ends))
        cells = (MEASURES.get(name, name), _number(value["value"]), interval, str(value["n"]))
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield from (f"- {note}" for note in report.get("notes", ()))


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"
