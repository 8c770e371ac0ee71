"""The shipped model is what shipped works, settings and code give, as far as seconds can show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tiny_runs import environment

PROJECT = Path(__file__).parents[2]
MODEL = PROJECT / "data" / "house_model" / "rebuildable" / "last.safetensors"
HAS_AVX2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


@pytest.mark.skipif(not HAS_AVX2, reason="a processor without AVX2")
def test_the_first_segment_of_the_shipped_model_is_rebuilt():
    command = [sys.executable, str(PROJECT / "scripts" / "house.py"), "rebuild", str(MODEL)]
    done = subprocess.run(
        [*command, "--segment", "1"], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "the same bits: 1 of" in done.stdout
