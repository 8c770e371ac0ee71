"""The studio writing music, with a model that knows nothing: bar by bar, queued, stopped."""

from __future__ import annotations

import base64
import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient

from desks import PATIENCE, TOKEN, Asker
from gen.marks.manifest import read_store
from gen.provenance.signing.canonical import sha256_hex
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.music.jobs import Jobs
from gen.studio.serving.guard import Guard
from gen.tokens.tokenization import PLAYED_EVENTS
from houses import make_midi
from studios import CHECKPOINT, make_studio


@pytest.fixture(scope="module")
def writing(writing_desk: Desk) -> Iterator[Asker]:
    """One studio for all of these tests: its process takes seconds to have the model."""
    guard = Guard(studio(writing_desk), frozenset({"testserver"}), TOKEN)
    with TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        yield Asker(client)


def events_of(asker: Asker, job: str) -> list[dict]:
    """All that is said of a job, until it ends."""
    address = f"/api/v1/jobs/{job}/events"
    with asker.client.stream("GET", address, timeout=PATIENCE) as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def _following(jobs: Jobs, job: str) -> Iterator[dict]:
    """A job's events as they come, without asking the interface."""
    number = 0
    while True:
        for event in jobs.get(job).events[number:]:
            yield event
            number += 1
        time.sleep(0.01)


def _notes_of(score: dict) -> int:
    return sum(len(track["notes"]) for track in score["tracks"])


def ask_and_wait(asker: Asker, verb: str, **asked: object) -> list[dict]:
    events = events_of(asker, asker.post(f"/{verb}", asked)["id"])
    assert events[-1]["kind"] == "done", events[-1]
    return events


def test_music_comes_bar_by_bar_and_then_as_a_piece(writing: Asker, writing_desk: Desk) -> None:
    events = ask_and_wait(writing, "generate", bars=4, n=2, seed=3)
    assert [event["kind"] for event in events[:1]] == ["begun"]
    again = events_of(writing, writing.get("/jobs")[0]["id"])
    for number in (0, 1):
        own = [event for event in events if event.get("piece") == number]
        assert [event["bar"] for event in own[:-1]] == [1, 2, 3]
        assert {event["first"] for event in own[:-1]} == {0}
        assert own[-1]["kind"] == "piece"
        late = [event for event in again if event.get("piece") == number]
        assert not any(event["score"] for event in late[:-2]), "older scores are for nobody"
        assert late[-2]["score"], "the newest score is kept"
        heard = [_notes_of(event["score"]) for event in own[:-1] if event["score"]]
        assert heard == sorted(heard), "music that was heard was taken back"
        facts = writing.get(f"/pieces/{own[-1]['name']}")
        assert len(facts["score"]["bars"]) == 5
        assert facts["receipt"]["seed"] == 3
        for what in ("midi", "receipt", "musicxml", "wav"):
            assert len(writing.get(f"/pieces/{own[-1]['name']}/{what}")) > 0
    assert len(writing.get("/pieces")) == len(list(writing_desk.out.glob("*.mid"))) >= 2


def test_the_page_is_there_before_the_model_and_what_is_asked_waits_for_it(
    writing_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, is_read = threading.Event(), Jobs._model_is
    monkeypatch.setattr(Jobs, "_model_is", lambda *found: asked.wait() and is_read(*found))
    guard = Guard(studio(writing_desk), frozenset({"testserver"}), TOKEN)
    with TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        new = Asker(client)
        assert new.get("/readiness") == {"state": "reading", "error": None, "timings": []}
        asked.set()
        assert ask_and_wait(new, "generate", bars=1)[-1]["kind"] == "done"
        assert new.get("/readiness") == {"state": "ready", "error": None, "timings": []}


def test_a_model_of_played_music_is_asked_for_its_timing(tmp_path: Path) -> None:
    house = make_studio(tmp_path, tokens=PLAYED_EVENTS)
    places = str(tmp_path / CHECKPOINT), tmp_path / "pieces", tmp_path / "runs"
    desk = Desk(house.folder, house.pin.path, *places)
    desk.make_out()
    guard = Guard(studio(desk), frozenset({"testserver"}), TOKEN)
    with TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        new = Asker(client)
        events = ask_and_wait(new, "generate", bars=1, timing="straight")
        assert new.get("/readiness")["timings"] == ["played", "straight"]
        (name,) = {event["name"] for event in events if "name" in event}
        assert new.get(f"/pieces/{name}")["receipt"]["settings"]["timing"] == "straight"
        new.post("/generate", {"bars": 1, "timing": "rubato"}, 422)


def test_a_model_that_cannot_be_read_says_so_and_is_looked_for_again(
    writing_desk: Desk, tmp_path: Path
) -> None:
    """Before anything is asked for; one that came since is found."""
    place = tmp_path / "later.safetensors"
    guard = Guard(
        studio(replace(writing_desk, checkpoint=str(place))), frozenset({"testserver"}), TOKEN
    )
    with TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        new = Asker(client)

        def settled() -> dict:
            while (found := new.get("/readiness"))["state"] == "reading":
                time.sleep(0.1)
            return found

        assert settled()["state"] == "failed"
        assert place.name in str(new.get("/readiness")["error"])
        assert new.post("/readiness", {})["state"] == "reading"
        assert settled()["state"] == "failed"
        shutil.copyfile(writing_desk.checkpoint, place)
        assert new.post("/readiness", {})["error"] is None
        assert settled()["state"] == "ready"
        assert new.post("/readiness", {})["state"] == "ready"


def test_a_piece_is_on_paper_and_part_by_part(writing: Asker) -> None:
    pytest.importorskip("verovio")
    (name,) = {e["name"] for e in ask_and_wait(writing, "generate", bars=4) if "name" in e}
    pages = writing.get(f"/pieces/{name}/pages")["pages"]
    svg = writing.get(f"/pieces/{name}/pages/{pages}")
    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own
    assert b"<script" not in svg
    writing.get(f"/pieces/{name}/pages/{pages + 1}", 422)
    tracks = [t for t in writing.get(f"/pieces/{name}")["score"]["tracks"] if t["notes"]]
    with ZipFile(io.BytesIO(writing.get(f"/pieces/{name}/stems"))) as archive:
        kinds = sorted(Path(part).suffix for part in archive.namelist())
    assert kinds == sorted([".mid", ".wav"] * len(tracks))


def test_a_pieces_credentials_are_taken_away_beside_it(writing: Asker, writing_desk: Desk) -> None:
    (name,) = {e["name"] for e in ask_and_wait(writing, "generate", bars=2) if "name" in e}
    assert writing.get(f"/pieces/{name}")["has_credentials"]
    taken = writing.get(f"/pieces/{name}/credentials")
    midi = writing.get(f"/pieces/{name}/midi")
    sound = read_store(taken).active
    assert taken == (writing_desk.out / f"{name}.c2pa").read_bytes()
    assert sha256_hex(midi) in json.dumps(sound.assertions, default=bytes.hex)
    (writing_desk.out / f"{name}.c2pa").unlink()
    assert not writing.get(f"/pieces/{name}")["has_credentials"]
    said = writing.get(f"/pieces/{name}/credentials", 422)["error"]
    assert "no content credentials" in said["what"]


def test_a_piece_is_played_with_swing_while_its_score_stays_straight(writing: Asker) -> None:
    asked = {"bars": 4, "seed": 5, "time_signature": "4/4"}
    made = {}
    for name, feel in (("plain", {}), ("played", {"swing": 1.0, "humanise": 0.5})):
        (piece,) = {
            e["name"] for e in ask_and_wait(writing, "generate", **asked, **feel) if "name" in e
        }
        made[name] = piece
    plain, played = (writing.get(f"/pieces/{made[one]}") for one in ("plain", "played"))
    settings = played["receipt"]["settings"]
    assert (settings["swing"], settings["humanise"]) == (1.0, 0.5)
    assert played["score"]["tracks"] != plain["score"]["tracks"]
    one, other = (parts_of(writing.get(f"/pieces/{made[name]}/musicxml")) for name in made)
    assert one == other
    for wrong in (-0.1, 1.1):
        assert writing.post("/generate", {"swing": wrong}, 422)["error"]["where"] == "swing"


def parts_of(score: bytes) -> list[str]:
    """The music of a MusicXML file, without what is said of it."""
    root = ElementTree.fromstring(score)  # noqa: S314 - our own
    return [ElementTree.tostring(part, "unicode") for part in root.findall("part")]


def test_a_given_file_is_read_as_a_score(writing: Asker) -> None:
    midi = base64.b64encode(make_midi(3, 8)).decode()
    score = writing.post("/score", {"midi": midi})
    assert len(score["bars"]) == 9
    writing.post("/score", {"midi": base64.b64encode(b"no music").decode()}, 422)


def test_a_melody_gets_chords(writing: Asker) -> None:
    midi = base64.b64encode(make_midi(3, 8)).decode()
    events = ask_and_wait(writing, "harmonise", midi=midi, file_name="melody.mid")
    (made,) = {e["name"] for e in events if "name" in e}
    assert len(writing.get(f"/pieces/{made}")["score"]["tracks"]) > 3
    facts = writing.get("/jobs")[0]
    assert (facts["verb"], facts["state"]) == ("harmonise", "done")
    assert writing.get(f"/jobs/{facts['id']}") == facts
    address = f"/api/v1/jobs/{facts['id']}/events"
    last = writing.client.get(address, headers={"last-event-id": str(facts["events"] - 2)})
    assert last.text.startswith(f"id: {facts['events'] - 1}\nevent: done"), "where it broke off"
    for unfit in ("9" * 5_000, "-1", "first"):
        assert writing.client.get(address, headers={"last-event-id": unfit}).status_code == 422


def test_a_piece_is_rewritten_continued_and_accompanied(writing: Asker) -> None:
    (name,) = {e["name"] for e in ask_and_wait(writing, "generate", bars=4) if "name" in e}
    first_name, score = name, writing.get(f"/pieces/{name}")["score"]
    for verb, first, more in (
        ("infill", 1, {"cells": "bar 2 of 1"}),
        ("continue", 4, {"bars": 2}),
        ("vary", None, {"amount": 0.3, "keep": "contour"}),
        ("accompany", 0, {"add": ["fingered bass"]}),
    ):
        events = ask_and_wait(writing, verb, piece=name, **more)
        bars = [event for event in events if event["kind"] == "bar"]
        assert bars, "nothing is heard before the end"
        assert first is None or {event["first"] for event in bars} == {first}
        assert [event["bar"] for event in bars] == sorted({event["bar"] for event in bars})
        (name,) = {e["name"] for e in events if "name" in e}
        assert name.startswith(f"{first_name}-{verb}-"), "not by all that was done before"
        found = writing.get(f"/pieces/{name}")
        assert found["receipt"]["source"]["mode"] == verb
        assert found["receipt"]["settings"].get("keep") == more.get("keep")
    assert writing.get(f"/pieces/{first_name}")["score"] == score


def test_a_file_that_was_sent_is_gone_on_from(writing: Asker) -> None:
    midi = base64.b64encode(make_midi(3, 8)).decode()
    events = ask_and_wait(
        writing, "infill", midi=midi, file_name=f"../{'𠀀' * 90}.mid", cells="bar 2 of bass"
    )
    assert any("name" in event for event in events)


def test_what_cannot_be_asked_fails_its_job_in_words(writing: Asker) -> None:
    for asked in ({"key": "H sharp"}, {"genre": "waltzz"}, {"bars": 10**6}):
        last = events_of(writing, writing.post("/generate", asked)["id"])[-1]
        assert last["kind"] == "failed"
        assert last["error"]["what"]
    assert ask_and_wait(writing, "generate", bars=1)[-1]["kind"] == "done"


def test_a_waiting_job_is_taken_out_and_a_running_one_stopped(writing: Asker) -> None:
    running = writing.post("/generate", {"bars": 200, "n": 4})["id"]
    waiting = writing.post("/generate", {"bars": 1})["id"]
    writing.client.delete(f"/api/v1/jobs/{waiting}")
    assert events_of(writing, waiting)[-1]["kind"] == "cancelled"
    writing.client.delete(f"/api/v1/jobs/{running}")
    assert events_of(writing, running)[-1]["kind"] in ("cancelled", "done")


def test_a_writer_that_dies_fails_its_job_and_the_next_is_written(writing: Asker) -> None:
    jobs = writing.client.app._app.state.jobs  # the guard's own application
    job = writing.post("/generate", {"bars": 200, "n": 4})["id"]
    assert next(event for event in _following(jobs, job))["kind"] == "begun"
    jobs._child.kill()
    assert events_of(writing, job)[-1]["kind"] in ("failed", "done")
    assert ask_and_wait(writing, "generate", bars=1)


def test_too_many_requests_are_told_to_come_back(asker: Asker) -> None:
    codes = [asker.client.post("/api/v1/generate", json={"bars": 1}).status_code for _ in range(40)]
    assert codes.count(429) == 8
