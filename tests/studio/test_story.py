"""The whole way through the studio: a dropped file, two signatures, a model, a piece."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from desks import STATED, TOKEN, Asker, given
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.serving.guard import Guard
from houses import TestHouse, keep_machine_key

pytestmark = [pytest.mark.slow]
SOON = 0.5


def write(asker: Asker) -> dict:
    """Ask for a bar, and wait for how that ends."""
    job = asker.post("/generate", {"bars": 1, "originality": "report"})["id"]
    while (found := asker.get(f"/jobs/{job}"))["state"] in ("waiting", "writing"):
        time.sleep(SOON)
    return found


def test_from_a_dropped_file_to_a_piece_of_a_model_that_learned_from_it(
    desk: Desk, small_house: TestHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one studio, which began without a model of this house."""
    monkeypatch.chdir(tmp_path)
    keep_machine_key()
    small_house.enter(*range(2, 9))
    guard = Guard(studio(desk), frozenset({"testserver"}), TOKEN)
    with TestClient(guard, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        asker = Asker(client)
        for person in ("ana", "cleo"):
            asker.unlock(person)
        body = {**given(77, name="winter sun.mid"), "composer": "ana", "stated": STATED}
        work = asker.post("/contribute", body)["work"]
        accepted = asker.post(f"/inbox/{work}/accept", {"curator": "cleo"})
        assert accepted["state"] == "accepted"
        assert write(asker)["state"] == "failed", "the shipped model is of another house"

        asker.post("/runs", {"experiment": "small_house", "name": "story", "max_steps": 100})
        while not (runs := asker.get("/runs")) or runs[0]["is_running"]:
            time.sleep(SOON)
        assert runs[0]["when"], runs[0]["said"]
        curves = asker.get(f"/runs/story/{runs[0]['when']}")
        assert curves["curves"], curves["log"]
        assert {one["number"] for one in curves["pieces"]} == {1, 2}

        assert write(asker)["state"] == "done"
        assert asker.get("/readiness")["state"] == "ready"
        (piece,) = asker.get("/pieces")
        receipt = asker.get(f"/pieces/{piece['name']}")["receipt"]
        (learned,) = asker.get("/models")
        assert (receipt["run"]["index"], receipt["entered"]) == (learned["run"], True)
        assert learned["pieces"] == 1
        used = asker.get(f"/works/{work}")["used_by"]
        assert [run["index"] for run in used["runs"]] == [learned["run"]]
        assert len(used["pieces"]) == 1
