from __future__ import annotations

import functools
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gen.arithmetic import ENVIRONMENT, begin_portably
from gen.errors import SettingError
from gen.training.evidence import portable
from gen.training.settings.trainer_settings import TrainerConfig
from houses import keep_machine_key
from prepared import prepared
from tiny_runs import SETTINGS, environment

STEPS = Path(__file__).with_name("portable_steps.py")
SCRIPTS = Path(__file__).parents[2] / "scripts"
EMULATOR = shutil.which("qemu-x86_64")
HAS_AVX2 = platform.machine().lower() in ("x86_64", "amd64") and (
    "AVX2" in str(torch.backends.cpu.get_cpu_capability())
    or "AVX512" in str(torch.backends.cpu.get_cpu_capability())
)
needs_avx2 = pytest.mark.skipif(not HAS_AVX2, reason="a processor without AVX2")


@functools.cache
def steps(arithmetic: str, *before: str, **variables: str) -> str:
    """What the steps print in a process of their own."""
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": paths, **variables}
    command = [*before, os.path.realpath(sys.executable), str(STEPS), arithmetic]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@needs_avx2
def test_steps_are_the_same_whatever_the_thread_count():
    one = steps("portable", **ENVIRONMENT, OMP_NUM_THREADS="1")
    assert one == steps("portable", **ENVIRONMENT, OMP_NUM_THREADS="2")
    assert len(one.splitlines()) == 6


@needs_avx2
@pytest.mark.slow
@pytest.mark.skipif(EMULATOR is None, reason="qemu-x86_64 is not installed (package qemu-user)")
@pytest.mark.parametrize("processor", ["Haswell", "EPYC"])  # of Intel, of AMD
def test_an_emulated_processor_of_another_maker_gives_the_same_bits(processor):
    here = steps("portable", **ENVIRONMENT, OMP_NUM_THREADS="1")
    there = steps("portable", str(EMULATOR), "-cpu", processor, **ENVIRONMENT, OMP_NUM_THREADS="1")
    assert there == here


@needs_avx2
def test_portable_weights_are_those_of_fast_arithmetic_up_to_rounding():
    portably = steps("portable", **ENVIRONMENT, OMP_NUM_THREADS="1")
    fast = subprocess.run(prepared(STEPS, "fast"), check=True, capture_output=True, text=True)
    lines = [found.splitlines() for found in (portably, fast.stdout)]
    losses = [[float.fromhex(line.split()[0]) for line in run] for run in lines]
    assert np.allclose(*losses, rtol=1e-4)


def steps_module():
    spec = importlib.util.spec_from_file_location("portable_steps", STEPS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROCESSOR_BOUND = {
    f"aten::{name}"
    for name in (
        "exp", "exp_", "log", "log_", "log2", "log10", "log1p", "expm1", "erf", "erf_", "erfc",
        "erfinv", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "sqrt_", "logsumexp",
        "tanh_", "mv", "addmv", "dot", "vdot", "ger", "addr", "addbmm", "linalg_solve",
    )
}  # fmt: skip
"""Operations that torch hands to MKL and that have no kernel here: none may be part of a step."""


class Seen(TorchDispatchMode):
    """Names of all operations that were done."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.name().partition(".")[0])
        return func(*args, **(kwargs or {}))


def test_no_step_takes_an_operation_that_depends_on_the_processor():
    portable_steps = steps_module()

    model = portable_steps.network()
    learns = portable_steps.optimiser(model)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH), Seen() as seen:
        portable_steps.step(model, learns, np.random.default_rng(0))
    assert {"aten::mm", "aten::bmm", "aten::_foreach_sqrt_"} <= seen.names
    assert not seen.names & PROCESSOR_BOUND


def test_a_process_without_the_variables_is_told_which(monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingError, match="OPENBLAS_CORETYPE"):
        portable.check_portable()


def test_a_program_that_only_uses_the_package_is_not_begun_anew(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    begin_portably("train")  # it would be this test that began anew


def done_at_home(tmp_path, script, *words):
    """A script in a process of its own, of a user whose home is in `tmp_path`."""
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *words], cwd=tmp_path,
        env={**environment(), **home}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def train_portably(house, tmp_path):
    """Where a run left its last model."""
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    pin = f"pin={house.pin.path}"
    done_at_home(tmp_path, "train.py", *SETTINGS.split(), pin, "trainer=portable")
    (model,) = tmp_path.glob("outputs/*/*/last.safetensors")
    return model


@needs_avx2
def test_train_begins_itself_anew_and_says_what_the_run_depends_on(house, tmp_path):
    train_portably(house, tmp_path)
    (run,) = house.house.load().runs.by_index.values()
    assert portable.VERSION in run.begin.numeric_mode


@needs_avx2
@pytest.mark.slow  # `test_shipped_rebuild` rebuilds a run of long ago by the same command
def test_a_rebuild_begins_itself_anew_too(house, tmp_path):
    model = train_portably(house, tmp_path)
    words = ("rebuild", str(model), "--pin", str(house.pin.path))
    assert f"the weights at its end are those of {model}" in done_at_home(
        tmp_path, "house.py", *words
    )


@pytest.mark.parametrize(
    ("name", "value"), [("accelerator", "gpu"), ("devices", 2), ("precision", "bf16-mixed"),
                        ("compile", True), ("strategy", "ddp")],
)  # fmt: skip
def test_portable_arithmetic_refuses_what_it_cannot_do(name, value):
    whole = {"accelerator": "cpu", "precision": 32, "compile": False, "arithmetic": "portable"}
    TrainerConfig(**whole)
    with pytest.raises(SettingError) as caught:
        TrainerConfig(**{**whole, name: value})
    assert f"trainer.{name}" in str(caught.value)
