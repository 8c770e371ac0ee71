"""An answer as a page for people, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gen.errors import counted, printable


def page_of(answer: dict[str, Any]) -> str:
    """The page that goes with an answer: the same as its JSON, in words."""
    return "\n".join(map(printable, _lines(answer))) + "\n"


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    question, model, compared = answer["question"], answer["model"], answer["compared"]
    yield f"# Answer of {answer['house']['name']} to {question['from']}"
    yield ""
    yield f"Received {question['received']}, answered {answer['answered']}."
    asked = counted(len(question["pieces"]), "piece")
    yield f"Asked about: {asked} of {question['holder']}, in the list with"
    yield f"SHA-256 `{question['list_sha256']}`."
    yield from _unread(question)
    yield ""
    yield "## Was our music used?"
    yield ""
    found = len({match["listed"] for match in answer["matches"]})
    yield (
        f"{found} of the {asked} agree{'s' if found == 1 else ''} with something of the house. All "
        f"were held against {compared['works']} of the {model['works']} works behind the model "
        f"`{model['file_sha256']}` (run {model['run']}, {model['run_name']}, {model['trained']}) "
        f"and {compared['pieces']} pieces that models with these works wrote."
    )
    yield from (f"- not compared: {one['work']} ({one['why']})" for one in compared["missing"])
    yield from _matches(answer["matches"])
    yield from _works(answer["works"])
    yield from _memory(answer["memory"])
    yield from _copies(answer["copies"])
    yield from _not_seen(answer["models_not_seen"])
    yield from _evidence(answer)


def _unread(question: dict[str, Any]) -> Iterator[str]:
    for each in question["unread"]:
        yield f"- not asked about, as it could not be read: {each['name']} ({each['reason']})"


def _matches(matches: list[dict[str, Any]]) -> Iterator[str]:
    if not matches:
        return
    yield ""
    yield (
        "The weight says how unlikely it is to share so much by chance: 10 is taken for a match, "
        "and songs that have nothing to do with each other stay below."
    )
    yield ""
    yield "| your piece | bars | ours | bars | weight |"
    yield "|---|---|---|---|---|"
    for match in matches:
        ours = " to ".join(map(str, match["their_bars"]))
        yield (
            f"| {match['listed']} | {' to '.join(map(str, match['bars']))} | {match['kind']} "
            f"{match['name']} | {ours} | {match['weight_tenths'] / 10:g} |"
        )


def _works(works: list[dict[str, Any]]) -> Iterator[str]:
    if not works:
        return
    yield ""
    yield "## How did you reach it, and what used it?"
    for work in works:
        by = ", ".join(f"{one['id']} {one['share']} %" for one in work["composers"])
        used, allowed = work["used_by"], ", ".join(work["allowed"].split())
        yield ""
        yield (
            f"**{work['title']}** (`{work['work']}`): contributed as composed by {by}, accepted by "
            f"{work['accepted_by']}, entered {work['entered']} as act {work['act']}. "
            f"Allowed now: {'nothing, withdrawn' if work['withdrawn_at'] else allowed}. Used by "
            f"{counted(len(used['runs']), 'run')}, {counted(len(used['checkpoints']), 'model')} "
            f"and {counted(len(used['pieces']), 'piece')}."
        )


_VERDICTS: Final = {
    True: "memorised, which counts as a copy", False: "not memorised", None: "not judged",
}  # fmt: skip


def _memory(memory: dict[str, Any] | None) -> Iterator[str]:
    yield ""
    yield "## Does the model know it by heart?"
    yield ""
    if memory is None:
        yield "Not tested: nothing was found to ask it for, or nobody wanted the test."
        return
    if memory["limit"] is None:
        yield "No work was held out that it could be compared with: nothing can be said."
    else:
        yield (
            f"The model was given the first {memory['given_bars']} bars of each work and asked for "
            f"the next {memory['written_bars']}. Music repeats itself, so what it wrote is held "
            "against merely playing the given bars again: a work counts as memorised where half of "
            "the next bars or more comes back, and that is further above playing again than with "
            f"any of {counted(len(memory['controls']), 'work')} that it never saw (of these the "
            f"best {_beside(memory['limit'])}). Of the "
            f"{counted(len(memory['works']), 'work')} tested, "
            f"{memory['false_alarms_percent'] / 100:g} at most would be called so by chance."
        )
        yield ""
    for work, one in memory["works"].items():
        verdict = _VERDICTS[one["is_memorised"]]
        came, again = one["back"], one["played_again"]
        yield (
            f"- {work}: {came} % of the next bars came back; playing the given ones again gives "
            f"{again} %: {verdict}"
        )
    for one in memory["not_tested"]:
        yield f"- {one['work']}: not tested ({one['why']})"


def _beside(points: int) -> str:
    """How far above playing again something is, in percentage points."""
    return f"was {abs(points)} points {'below' if points < 0 else 'above'} it"


def _copies(copies: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield "## How many copies are there, and why?"
    yield ""
    if not copies:
        yield "None, as nothing was found."
        return
    yield "| work | kind | where | why | until |"
    yield "|---|---|---|---|---|"
    for copy in copies:
        many = f" ({copy['files']} files)" if copy["files"] > 1 else ""
        yield (
            f"| {copy['work'] or 'all'} | {copy['kind']}{many} | {copy['place']} | {copy['why']} | "
            f"{copy['until']} |"
        )


def _not_seen(models: list[dict[str, Any]]) -> Iterator[str]:
    if models:
        yield ""
        yield "Models in the log that learned from them, and whose files were not seen there:"
        yield ""
    for model in models:
        name = f"{model['name']} of run {model['run']} ({model['run_name']})"
        yield f"- {name}, SHA-256 `{model['file_sha256']}`"


def _evidence(answer: dict[str, Any]) -> Iterator[str]:
    log, model = answer["log"], answer["model"]
    yield ""
    yield "## What this can be checked with"
    yield ""
    yield f"- the log: {log['size']} acts, root `{log['root']}`"
    yield from (f"- {line}" for line in log["witnesses"])
    yield "- proofs/WORK.json: that a work was entered so (house.py verify --proof FILE)"
    word = "asserted by the root" if model["is_asserted"] else "its run is in the log"
    transcript = f", transcript `{model['transcript']}`" if model["transcript"] else ""
    yield f"- the model: {word}, manifest `{model['manifest_sha256']}`{transcript}"
    for base in model["began_with"]:
        yield (
            f"- it began with the weights `{base['checkpoint_sha256']}` of the house "
            f"{base['house']}, behind which are {base['works']} works; those of another house "
            "were not looked into here: ask there"
        )
    yield "- answer.json: this page as signed by a curator (disclose.py check FILE)"
    yield ""
    yield "## What it does not say"
    yield ""
    yield from (f"- {limit}" for limit in answer["limits"])
