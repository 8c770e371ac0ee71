"""A run killed at any instant is gone on with by the next command, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from houses import keep_machine_key
from prepared import prepared
from tiny_runs import environment

PROGRAM = Path(__file__).with_name("killed_runs.py")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def kill_at_random(house, folder, kills, seed):
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    done = subprocess.run(
        prepared(PROGRAM, house.pin.path, kills, seed),
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_fork
def test_training_killed_at_any_instant_goes_on_to_the_same_curve(house, tmp_path):
    found = kill_at_random(house, tmp_path, 6, 4)
    assert found["killed"] == 6
    assert found["resumed"] >= 1


@needs_fork
@pytest.mark.slow
def test_training_killed_at_any_instant_two_hundred_times(house, tmp_path):
    found = kill_at_random(house, tmp_path, 200, 2)
    assert found["killed"] == 200
    assert found["resumed"] >= 50
