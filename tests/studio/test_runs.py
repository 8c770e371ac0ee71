"""Runs that the studio starts: the command is one that `train.py` takes, and is seen to end."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from desks import Asker
from gen.studio.desk import Desk
from gen.studio.routes import runs
from gen.studio.routes.runs import RunRequest, command, experiments
from tiny_runs import call


def test_every_experiment_composes_as_it_is_started(small_house, monkeypatch) -> None:
    monkeypatch.setattr("gen.cli.train.begin_portably", lambda *names: None)  # begins anew
    assert "demo" in experiments()
    for experiment in experiments():
        said = RunRequest(experiment=experiment, name="a-name", seed=3, max_steps=5)
        words = [*command(said, str(small_house.pin.path)), "--cfg", "job"]
        assert words[0] == sys.executable
        done = call(Path(words[1]), *words[2:])
        assert done.code == 0 or "artist" in done.stderr, done.stderr
        if done.code == 0:
            assert "max_steps: 5" in done.stdout


def test_a_run_that_does_not_begin_says_why(asker: Asker, desk: Desk) -> None:
    asker.post("/runs", {"experiment": "demo", "name": "one-work", "max_steps": 1})
    asker.post("/runs", {"experiment": "demo", "name": "one-work", "max_steps": 1}, 422)
    while not (found := asker.get("/runs")) or found[0]["is_running"]:
        time.sleep(0.1)
    assert found[0]["name"] == "one-work"
    assert found[0]["said"] or found[0]["when"]
    asker.post("/runs/one-work/stop", {}, 422)


def test_a_run_whose_folder_is_gone_runs_until_its_process_has_ended(desk: Desk, monkeypatch):
    ending = SimpleNamespace(process=SimpleNamespace(poll=lambda: None))
    monkeypatch.setitem(runs._started, "night", ending)
    assert runs._facts(desk.runs / "night" / "2026-01-02_03-04-05").is_running


def test_curves_and_pieces_of_a_run_are_seen_and_heard_while_it_goes_on(
    asker: Asker, desk: Desk
) -> None:
    address, folder = "/runs/night/2026-01-02_03-04-05", desk.runs / "night" / "2026-01-02_03-04-05"
    folder.mkdir(parents=True)
    assert asker.get(address)["pieces"] == []
    board = SummaryWriter(folder / "tensorboard")
    for step in (3, 6):
        board.add_scalar("loss", 9 / step, step)
        for number in (1, 2):
            board.add_image(f"pieces/{number}", np.full((3, 8, 8), step / 9, np.float32), step)
            board.add_audio(f"pieces/{number}", np.zeros((1, 400), np.float32), step, 8_000)
        board.flush()
        found = asker.get(address)
        assert found["curves"]["loss"][-1] == [step, pytest.approx(9 / step)]
        assert [one["number"] for one in found["pieces"] if one["step"] == step] == [1, 2]
    assert [one["step"] for one in found["pieces"]] == [6, 6, 3, 3]
    assert asker.get(f"{address}/pieces/2/3/roll").startswith(b"\x89PNG")
    sounds = [asker.get(f"{address}/pieces/{number}/6/sound") for number in (1, 2)]
    assert all(sound.startswith(b"RIFF") for sound in sounds)
    assert asker.get(f"{address}/pieces/1/3/roll") != asker.get(f"{address}/pieces/1/6/roll")
    for nothing in ("3/6/roll", "1/7/sound"):
        asker.get(f"{address}/pieces/{nothing}", 422)
    board.close()


def test_names_and_experiments_are_held_against_what_there_is(asker: Asker, desk: Desk) -> None:
    (desk.runs / "night").mkdir(parents=True)
    for body in (
        {"experiment": "nothing", "name": "x"},
        {"experiment": "demo", "name": "../x"},
        {"experiment": "demo", "name": "x hydra.run.dir=/"},
        {"experiment": "demo", "name": "x", "max_steps": 0},
    ):
        asker.post("/runs", body, 422)
    asker.get("/runs/..%2f../x", 404)
    for outside in ("%2e%2e/%2e%2e", "%2e%2e/outputs", "night/%2e%2e", "night/%2e"):
        asker.get(f"/runs/{outside}", 422)
