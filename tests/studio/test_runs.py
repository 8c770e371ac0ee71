"""Runs that the studio starts: the command is one that `train.py` takes, and is seen to end."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from desks import Asker
from gen.studio.desk import Desk
from gen.studio.runs import RunRequest, command, experiments
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


def test_names_and_experiments_are_held_against_what_there_is(asker: Asker) -> None:
    for body in (
        {"experiment": "nothing", "name": "x"},
        {"experiment": "demo", "name": "../x"},
        {"experiment": "demo", "name": "x hydra.run.dir=/"},
        {"experiment": "demo", "name": "x", "max_steps": 0},
    ):
        asker.post("/runs", body, 422)
    asker.get("/runs/..%2f../x", 404)
