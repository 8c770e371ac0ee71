"""The studio's verbs as tools of the Model Context Protocol.

Each asks the interface of the open studio, so that what holds for a page holds here: the same
checks, keys, limits and words. What signs asks the person first, through their client.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import anyio
from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from gen.disk.reading import MIDI, read
from gen.errors import HouseError, SettingError
from gen.studio.catalogue import Wanted
from gen.studio.client import StudioClient
from gen.studio.routes.contributing import Stated
from gen.studio.routes.curating import MOST_COMPARED
from gen.studio.routes.making import Asked, Kept, Verb

INSTRUCTIONS = """\
A music house's studio: write pieces with the house's own model, and contribute, review and look
up its works. Pieces lie in the studio's folder; save_piece copies one to where the user wants it.
What is written by the model must never be contributed as a person's work.
"""
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_SIGNS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)
_KINDS = {
    ".mid": "midi", ".wav": "wav", ".musicxml": "musicxml", ".json": "receipt",
    ".c2pa": "credentials",
}  # fmt: skip

Source = Annotated[str, Field(description="A piece's name, or the path of a MIDI file.")]


class WrittenPiece(BaseModel):
    """A new piece: what it is, what came of what was asked, and whose it is not."""

    name: str
    bars: int
    seconds: float
    tracks: list[str]
    asked_and_got: list[dict[str, Any]]
    originality: str


class Confirmed(BaseModel):
    """A person's yes."""

    sure: bool = Field(description="Do you want this to be signed with your key?")


def server() -> MCPServer:
    """The tools, over the studio that is open when they are called."""
    made = MCPServer("studio", instructions=INSTRUCTIONS)
    for tools, hints in ((_READ, _READS), (_WRITE, _WRITES), (_SIGN, _SIGNS)):
        for tool in tools:
            made.tool(annotations=hints)(tool)
    return made


async def _ask(path: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
    return await _called(StudioClient.ask, path, body, method)


async def _called(asking: Callable[..., Any], *words: Any) -> Any:
    """What the open studio answers, asked by one of the client's methods in a thread."""
    try:
        return await anyio.to_thread.run_sync(asking, StudioClient.of_open_studio(), *words)
    except HouseError as error:
        raise ToolError(str(error)) from error


# -- what is there ---------------------------------------------------------------------------


async def house() -> dict[str, Any]:
    """The house: its people and whose keys are open, how many works it has, how many wait."""
    found: dict[str, Any] = await _ask("/house")
    return found


async def words() -> dict[str, Any]:
    """The genres, moods, roles, methods and instruments that the house has names for."""
    found: dict[str, Any] = await _ask("/words")
    return found


async def read_chords(text: str, key: str = "") -> list[list[str]]:
    """What is understood of a line of chords ("Am | F C/E", or degrees in a key), bar by bar."""
    found: list[list[str]] = (await _ask(f"/chords?{urlencode({'text': text, 'key': key})}"))[
        "bars"
    ]
    return found


async def works(wanted: Wanted) -> dict[str, Any]:
    """Works of the house, a page at a time, by words of their titles, composer, genre, key."""
    found: dict[str, Any] = await _ask(f"/works?{urlencode(wanted.model_dump())}")
    return found


async def work(name: str) -> dict[str, Any]:
    """One work: what its tag says, its acts in the log, what used it."""
    found: dict[str, Any] = await _ask(f"/works/{quote(name, safe='')}")
    return found


async def my_works(composer: str) -> list[dict[str, Any]]:
    """What became of a composer's works: waiting, in the house, rejected with the reason."""
    found: list[dict[str, Any]] = await _ask(f"/composers/{quote(composer, safe='')}/works")
    return found


async def inbox() -> list[dict[str, Any]]:
    """What waits for a curator, each compared with what the house has."""
    found: list[dict[str, Any]] = []
    works = [one["work"] for one in await _ask("/inbox")]
    for at in range(0, len(works), MOST_COMPARED):
        query = urlencode([("work", work) for work in works[at : at + MOST_COMPARED]])
        found += await _ask(f"/inbox/compared?{query}")
    return found


async def check(path: str, stated: Stated | None = None) -> dict[str, Any]:
    """Read a MIDI file as the house will, compare it with what is known, and sign nothing."""
    return await _check(path, stated, "", "check")


async def pieces() -> list[str]:
    """Names of the pieces that were written, the newest first."""
    return [one["name"] for one in await _ask("/pieces")]


async def piece(name: str) -> WrittenPiece:
    """A finished piece."""
    found = await _ask(f"/pieces/{quote(name, safe='')}")
    score, receipt = found["score"], found["receipt"]
    return WrittenPiece(
        name=name,
        bars=len(score["bars"]) - 1,
        seconds=score["seconds"],
        tracks=[track["name"] or track["instrument"] for track in score["tracks"]],
        asked_and_got=receipt["asked_and_got"],
        originality=found["originality"],
    )


# -- what is written -------------------------------------------------------------------------


async def save_piece(name: str, path: str) -> str:
    """Copy a piece to a new file: .mid, .wav, .musicxml, .json for its receipt, or .c2pa.

    A .c2pa holds its content credentials, for validators that do not know MIDI.
    """
    place = Path(path).expanduser()
    kind = _KINDS.get(place.suffix.lower())
    if kind is None:
        raise ToolError(f"{path}: a file ends in {', '.join(_KINDS)}")
    data = await _called(StudioClient.fetch, f"/pieces/{quote(name, safe='')}/{kind}")
    try:
        with place.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise ToolError(f"{path}: not written ({error.strerror})") from error
    return str(place.resolve())


async def generate(asked: Asked, context: Context) -> list[WrittenPiece]:
    """Write new pieces from nothing."""
    return await _written("generate", _said(asked), context)


async def go_on(source: Source, bars: int, asked: Asked, context: Context) -> list[WrittenPiece]:
    """Continue: write so many bars after a file's last one."""
    body = {**_said(asked), **_source(source), "bars": bars}
    return await _written("continue", body, context)


async def infill(
    source: Source, cells: str, asked: Asked, context: Context, keep: Kept | None = None
) -> list[WrittenPiece]:
    """Write cells anew, as in "bars 3-4 of 2, bar 7 of bass"; everything else stays.

    Melodies may keep their rhythm, or their contour.
    """
    body = {**_said(asked), **_source(source), "cells": cells, "keep": keep}
    return await _written("infill", body, context)


async def accompany(
    source: Source, add: list[str], asked: Asked, context: Context
) -> list[WrittenPiece]:
    """Add instruments that play along."""
    return await _written("accompany", {**_said(asked), **_source(source), "add": add}, context)


async def harmonise(source: Source, asked: Asked, context: Context) -> list[WrittenPiece]:
    """Add chords to a melody."""
    return await _written("harmonise", {**_said(asked), **_source(source)}, context)


async def vary(
    source: Source, amount: float, asked: Asked, context: Context, keep: Kept | None = None
) -> list[WrittenPiece]:
    """Write a share (0 to 1) of a file's cells anew; melodies may keep rhythm or contour."""
    body = {**_said(asked), **_source(source), "amount": amount, "keep": keep}
    return await _written("vary", body, context)


# -- what is signed --------------------------------------------------------------------------


def _ask_composer(path: str, composer: str, stated: Stated, context: Context) -> Elicit[Confirmed]:
    is_own = "nothing in it is a third party's"
    by_hand = "" if stated.method == "machine" else ", and no generative model wrote any of it"
    allowed = stated.consent or "nothing"
    return _question(
        context, f"{composer} signs {path}: {is_own}{by_hand}. It may be used for: {allowed}."
    )


def _ask_curator(work: str, curator: str, context: Context) -> Elicit[Confirmed]:
    return _question(context, f"{curator} countersigns {work}: it becomes a work of the house.")


def _ask_before_rejecting(
    work: str, curator: str, reason: str, context: Context
) -> Elicit[Confirmed]:
    return _question(context, f"{curator} turns {work} down: {reason}")


def _question(context: Context, what: str) -> Elicit[Confirmed]:
    """What the client asks its user before anything is signed.

    Raises:
        ToolError: it cannot ask.
    """
    able = context.client_capabilities
    if able is None or able.elicitation is None:
        raise ToolError("this client cannot ask its user: sign it in the studio's page")
    return Elicit(what, Confirmed)


def _check_said_yes(answer: Confirmed) -> None:
    if not answer.sure:
        raise ToolError("nothing was signed: the user did not say yes")


async def contribute(
    path: str,
    composer: str,
    stated: Stated,
    answer: Annotated[Confirmed, Resolve(_ask_composer)],
) -> dict[str, Any]:
    """Sign a MIDI file as its composer's own work: only what a person wrote, and only when they
    asked for it. Their client asks them once more.
    """
    _check_said_yes(answer)
    return await _check(path, stated, composer, "contribute")


async def accept(
    work: str,
    curator: str,
    answer: Annotated[Confirmed, Resolve(_ask_curator)],
    although_similar: bool = False,
) -> dict[str, Any]:
    """Countersign a waiting work, for a curator who listened to it."""
    _check_said_yes(answer)
    body = {"curator": curator, "although_similar": although_similar}
    done: dict[str, Any] = await _ask(f"/inbox/{quote(work, safe='')}/accept", body)
    return done


async def reject(
    work: str,
    curator: str,
    reason: str,
    answer: Annotated[Confirmed, Resolve(_ask_before_rejecting)],
) -> dict[str, Any]:
    """Turn a waiting work down; its composer sees the reason."""
    _check_said_yes(answer)
    body = {"curator": curator, "reason": reason}
    done: dict[str, Any] = await _ask(f"/inbox/{quote(work, safe='')}/reject", body)
    return done


_READ = (house, words, read_chords, works, work, my_works, inbox, check, pieces, piece)
_WRITE = (save_piece, generate, go_on, infill, accompany, harmonise, vary)
_SIGN = (contribute, accept, reject)


async def _check(
    path: str, stated: Stated | None, composer: str, verb: Literal["check", "contribute"]
) -> dict[str, Any]:
    body = {
        "name": Path(path).name,
        "midi": _base64(path),
        "composer": composer,
        "stated": (stated or Stated()).model_dump(),
    }
    found: dict[str, Any] = await _ask(f"/{verb}", body)
    return {name: value for name, value in found.items() if name != "score" and value}


async def _written(verb: Verb, body: dict[str, Any], context: Context) -> list[WrittenPiece]:
    """Have pieces written, telling how far they are; a request that is called off is stopped."""
    job = (await _ask(f"/{verb}", body))["id"]
    try:
        names = await _followed(job, int(body.get("n", 1)), context)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await _ask(f"/jobs/{job}", method="DELETE")
        raise
    return [await piece(name) for name in names]


async def _followed(job: str, count: int, context: Context) -> list[str]:
    """Names of the pieces of a job, when it has ended."""
    events = StudioClient.of_open_studio().events(job)
    names: list[str] = []
    while True:
        event = await anyio.to_thread.run_sync(next, events, None, abandon_on_cancel=True)
        if event is None:
            return names
        if event["kind"] == "bar":
            await context.report_progress(len(names), count, f"bar {event['bar']}")
        elif event["kind"] == "comparing":
            said = f"the works to compare with are being read: {event['share']:.0%}"
            await context.report_progress(len(names), count, said)
        elif event["kind"] == "piece":
            names.append(event["name"])
        elif event["kind"] == "failed":
            raise ToolError(str(SettingError(**event["error"])))


def _said(asked: Asked) -> dict[str, Any]:
    return asked.model_dump(exclude_none=True, exclude_defaults=True)


def _source(source: str) -> dict[str, Any]:
    """A piece of the studio, or a file's bytes."""
    path = Path(source).expanduser()
    if path.suffix.lower() in (".mid", ".midi") and path.is_file():
        return {"midi": _base64(source), "file_name": path.name}
    return {"piece": source.removesuffix(".mid")}


def _base64(path: str) -> str:
    try:
        return b64encode(read(Path(path).expanduser(), MIDI)).decode()
    except HouseError as error:
        raise ToolError(str(error)) from error
