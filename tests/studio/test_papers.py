"""Papers by the interface: written, entered, kept and told by their bytes."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from desks import TOKEN, Asker
from gen.disclosure.entered import enter_paper
from gen.provenance.desk import people
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.signing.canonical import sha256_hex, to_base64
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.serving.guard import Guard
from houses import TestHouse, key_of
from mutations import change
from served import refused

SAID = b"what was said"


def test_papers_are_listed_by_their_digests(asker: Asker, small_house: TestHouse) -> None:
    assert asker.get("/papers") == {"papers": [], "in_all": 0}
    acts = [enter_paper(small_house.house, key_of("cleo"), data, "summary") for data in (SAID, b"")]
    found = asker.get("/papers")
    assert [one["act"] for one in found["papers"]] == acts[::-1]
    assert asker.get("/papers?first=1&most=1") == {"papers": found["papers"][1:], "in_all": 2}
    (paper,) = asker.get(f"/papers?sha256={sha256_hex(SAID)}")["papers"]
    assert (paper["by"], paper["kind"], paper["is_kept"]) == ("cleo", "summary", False)
    asker.get(f"/papers/{sha256_hex(SAID)}", 422)
    change(small_house, lambda roster: people.compromised(roster, "cleo", acts[0]))
    found = asker.get("/papers")["papers"]
    assert found == [], "a key that was stolen by then says nothing for the house"


def test_a_paper_is_entered_once_and_taken_away_as_it_was(
    asker: Asker, small_house: TestHouse
) -> None:
    body = {"curator": "cleo", "file": to_base64(SAID), "kind": "answer"}
    asker.post("/papers", body, 422)
    asker.unlock("cleo")
    paper = asker.post("/papers", body)
    assert (paper["kind"], paper["is_kept"]) == ("answer", True)
    assert asker.post("/papers", body) == paper
    assert len(small_house.house.load(anew=True).papers) == 1
    assert asker.get(f"/papers/{paper['sha256']}") == SAID
    asker.get("/papers/..%2Flatest-audit.json", 404)
    other = asker.post("/papers", {**body, "file": to_base64(b"more"), "kind": '../"etc'})
    taken = asker.client.get(f"/api/v1/papers/{other['sha256']}")
    name = f"..-'etc-{other['sha256'][:8]}.txt"
    assert taken.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_a_file_that_the_log_has_already_is_kept_without_a_key(
    asker: Asker, small_house: TestHouse
) -> None:
    enter_paper(small_house.house, key_of("cleo"), SAID, "summary")
    paper = asker.post("/papers", {"curator": "", "file": to_base64(SAID), "kind": "another"})
    assert (paper["kind"], paper["is_kept"]) == ("summary", True)
    assert len(small_house.house.load(anew=True).papers) == 1


def test_a_paper_is_signed_where_the_key_is_and_read_by_who_may(
    hand, small_house: TestHouse
) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    body = cleo.paper(SAID, "answer")
    with refused(403):
        ana.post("/papers", body)
    with refused(409):
        cleo.post("/papers", {**body, "kind": "card"})
    paper = cleo.post("/papers", body)
    assert cleo.get(f"/papers/{paper['sha256']}") == SAID
    with refused(403):
        ana.get(f"/papers/{paper['sha256']}")
    assert ana.get("/papers")["papers"] == [paper]
    (kept,) = small_house.house.load(anew=True).papers
    assert (kept.by, kept.paper.kind) == ("cleo", "answer")


@pytest.fixture
def learned(writing_desk: Desk) -> tuple[Asker, int, str]:
    """Who asks about a model that is here, its run, and its digest."""
    guard = Guard(studio(writing_desk), frozenset({"testserver"}), TOKEN)
    asker = Asker(TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}))
    (run,) = asker.get("/models")
    return asker, run["run"], run["models"][0]["sha256"]


def test_papers_about_a_model_are_written_as_the_command_writes_them(
    learned: tuple[Asker, int, str],
) -> None:
    asker, run, model = learned
    text = asker.post(f"/models/{run}/paper", {"kind": "card", "model": model}).decode()
    assert model in text
    assert asker.get("/papers")["papers"] == [], "it is entered nowhere"
    body = {"kind": "summary", "model": model, "says": to_base64(b"provider: nobody")}
    said = asker.post(f"/models/{run}/paper", body, 422)["error"]
    assert (said["where"], "provider" in said["what"]) == ("says", True)


def test_a_paper_about_a_model_that_is_not_here_says_where_to_write_it(
    learned: tuple[Asker, int, str], small_house: TestHouse, asker: Asker
) -> None:
    _, run, _ = learned
    said = learned[0].post(f"/models/{run}/paper", {"kind": "bom", "model": "00" * 32}, 422)
    assert "left no model" in said["error"]["what"]
    model = ModelDigest("model.safetensors", 1, "b0" * 32, "b1" * 32)
    small_house.log_run([small_house.entries[0].work], [model])
    (other,) = asker.get("/models")
    gone = {"kind": "dataset", "model": other["models"][0]["sha256"]}
    said = asker.post(f"/models/{other['run']}/paper", gone, 422)
    assert "not on this computer" in json.dumps(said)
