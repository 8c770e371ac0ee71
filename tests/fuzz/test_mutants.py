"""Corrupted files: every reader agrees or the file is refused, quickly and in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).with_name("mutants.py")


def fuzz(count: int, seed: int, seconds: float) -> dict:
    """Run the fuzzer in a process of its own, so that its memory is its own."""
    found = subprocess.run(
        [sys.executable, str(FUZZER), str(count), str(seed)],
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def check(report: dict, count: int) -> None:
    counts = report["counts"]
    assert counts["mutants"] == count
    assert sum(n for name, n in counts.items() if name.startswith("walker: ")) == count
    assert counts["walker: admitted"] > count // 50, "mutants must reach the comparison"
    assert counts["normaliser: normalised"] > count // 10
    assert report["slowest_seconds"] < 2
    assert report["peak_mebibytes"] is None or report["peak_mebibytes"] < 256


def test_five_thousand_mutants_are_refused_or_heard_alike_by_walker_symusic_and_mido() -> None:
    check(fuzz(5_000, seed=1, seconds=120), 5_000)


@pytest.mark.slow
def test_two_hundred_thousand_mutants_are_refused_or_heard_alike() -> None:
    check(fuzz(200_000, seed=2, seconds=3_600), 200_000)
