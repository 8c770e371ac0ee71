"""The studio's tools, called by the protocol's own client.

Two tests start the program and speak to it as a client does, over standard input and output; the
others speak to the same server within this process, since each start takes seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from desks import STATED, TOKEN, awaited, served
from gen.studio.client import StudioClient
from gen.studio.desk import Desk
from gen.studio.session import StudioSession, announced
from houses import PASSPHRASE, TestHouse, make_midi
from prepared import prepared

pytest.importorskip("mcp")
from mcp import Client, StdioServerParameters
from mcp.types import ElicitResult

from gen.studio import tools

SCRIPT = Path(__file__).parents[2] / "scripts" / "studio_mcp.py"


@pytest.fixture
def open_studio(desk: Desk, tmp_path: Path, monkeypatch) -> Iterator[StudioClient]:
    monkeypatch.setenv("HOUSE_STUDIO", str(tmp_path / "studio.json"))
    with served(desk) as address, announced(StudioSession(address, TOKEN)):
        yield StudioClient.of_open_studio()


def program() -> StdioServerParameters:
    command, *words = prepared(SCRIPT)
    return StdioServerParameters(command=command, args=words, env=dict(os.environ))


def call(*calls: tuple[str, dict], says_yes: bool | None = None, over=None, **more) -> list:
    """What a sequence of tools answers: their content, or the words of an error."""

    async def asked(_, __) -> ElicitResult:
        return ElicitResult(action="accept", content={"sure": bool(says_yes)})

    async def talk() -> list:
        asking = {} if says_yes is None else {"elicitation_callback": asked}
        found = []
        async with Client(over or tools.server(), **asking, **more) as client:
            for name, arguments in calls:
                answer = await client.call_tool(name, arguments)
                text = answer.content[0].text if answer.content else ""
                found.append(text if answer.is_error else answer.structured_content or text)
        return found

    return awaited(anyio.run, talk)


def test_tools_are_described_and_say_what_they_change(open_studio) -> None:
    async def listed() -> list:
        async with Client(program()) as client:
            return (await client.list_tools()).tools

    found = {tool.name: tool for tool in awaited(anyio.run, listed)}
    assert {"generate", "go_on", "infill", "accompany", "harmonise", "vary", "check", "contribute",
            "inbox", "accept", "reject", "works"} <= found.keys()  # fmt: skip
    for name, tool in found.items():
        assert tool.description, name
        is_signing = name in ("contribute", "accept", "reject")
        assert tool.annotations.destructive_hint is (True if is_signing else
               (False if name in ("save_piece", "generate", "go_on", "infill", "accompany",
                                  "harmonise", "vary") else None)), name  # fmt: skip


def test_a_work_goes_from_its_file_to_the_house_when_people_say_yes(
    open_studio: StudioClient, small_house: TestHouse, tmp_path: Path
) -> None:
    path = tmp_path / "winter.mid"
    path.write_bytes(make_midi(7, 16))
    signing = {"path": str(path), "composer": "ana", "stated": STATED}
    (checked, locked) = call(("check", {"path": str(path)}), ("contribute", signing), says_yes=True)
    assert checked["status"] == "checked"
    assert "the key of ana is locked" in locked
    for person in ("ana", "cleo"):
        open_studio.ask("/keys/unlock", {"person": person, "passphrase": PASSPHRASE})
    (cannot,) = call(("contribute", signing))
    assert "cannot ask its user" in cannot
    (no,) = call(("contribute", signing), says_yes=False)
    assert "did not say yes" in no
    assert small_house.house.store.waiting() == []
    (signed,) = call(("contribute", signing), says_yes=True)
    assert signed["status"] == "contributed"
    accepting = {"work": signed["work"], "curator": "cleo"}
    waiting, done, mine, found = call(
        ("inbox", {}), ("accept", accepting), ("my_works", {"composer": "ana"}),
        ("works", {"wanted": {"text": "winter"}}), says_yes=True,
    )  # fmt: skip
    assert waiting["result"][0]["work"] == signed["work"]
    assert done["state"] == "accepted"
    assert {one["work"] for one in mine["result"]} >= {signed["work"]}
    assert (found["found"], found["all"]) == (1, 2)


def test_a_rejection_reaches_its_composer(open_studio: StudioClient, tmp_path: Path) -> None:
    path = tmp_path / "winter.mid"
    path.write_bytes(make_midi(7, 16))
    for person in ("ana", "cleo"):
        open_studio.ask("/keys/unlock", {"person": person, "passphrase": PASSPHRASE})
    (signed,) = call(("contribute", {"path": str(path), "composer": "ana", "stated": STATED}),
                     says_yes=True)  # fmt: skip
    refusal = {"work": signed["work"], "curator": "cleo", "reason": "the bass is missing"}
    _, mine = call(("reject", refusal), ("my_works", {"composer": "ana"}), says_yes=True)
    assert "the bass is missing" in json.dumps(mine)


def test_pieces_are_written_gone_on_from_and_taken_away(
    writing_desk: Desk, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("HOUSE_STUDIO", str(tmp_path / "studio.json"))
    with served(writing_desk) as address, announced(StudioSession(address, TOKEN)):
        feel = {"swing": 0.6, "humanise": 0.3}
        (made,) = call(("generate", {"asked": {"bars": 4, "n": 2, "seed": 3, **feel}}))
        assert [one["bars"] for one in made["result"]] == [4, 4]
        name = made["result"][0]["name"]
        place = tmp_path / "taken.mid"
        receipt = tmp_path / "taken.json"
        credentials = tmp_path / "taken.c2pa"
        given = tmp_path / "given.mid"
        given.write_bytes(make_midi(3, 8))
        saved, again, longer, filled, wrong, *_ = call(
            ("save_piece", {"name": name, "path": str(place)}),
            ("save_piece", {"name": name, "path": str(place)}),
            ("go_on", {"source": name, "bars": 2, "asked": {}}),
            ("infill", {"source": str(given), "cells": "bar 2 of bass", "asked": {}}),
            ("generate", {"asked": {"key": "H sharp"}}),
            ("save_piece", {"name": name, "path": str(receipt)}),
            ("save_piece", {"name": name, "path": str(credentials)}),
        )
        assert saved["result"] == str(place.resolve())
        assert "not written" in again
        assert longer["result"][0]["bars"] == 6
        assert filled["result"][0]["bars"] == 8
        assert "H sharp" in wrong
        assert place.read_bytes() == (writing_desk.out / f"{name}.mid").read_bytes()
        assert credentials.read_bytes() == (writing_desk.out / f"{name}.c2pa").read_bytes()
        assert receipt.read_bytes() == (writing_desk.out / f"{name}.json").read_bytes()


def test_without_a_studio_a_tool_says_how_to_start_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOUSE_STUDIO", str(tmp_path / "studio.json"))
    (said,) = call(("house", {}), over=program())
    assert "no studio is open" in said
    assert "scripts/studio.py" in said
