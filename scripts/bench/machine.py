"""The machine a figure was measured on, and the clock it was measured with."""

from __future__ import annotations

import math
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from gen.arithmetic import ENVIRONMENT
from gen.errors import SettingError
from gen.processes import cores, memory
from gen.settings import AUTO
from gen.terminal import SAFE_PATH

LIBRARIES = ("torch", "transformers", "lightning", "miditok", "symusic", "numpy", "cryptography")
AVX2 = {
    **ENVIRONMENT,
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
"""Variables that keep every library here from AVX-512."""
_P = ParamSpec("_P")
_T = TypeVar("_T")

_PRECISIONS = {
    "32": "float32", "32-true": "float32", "bf16": "bfloat16", "bf16-mixed": "bfloat16",
}  # fmt: skip
"""By their names in the settings."""


def describe() -> dict[str, Any]:
    """Processor, memory and versions; nothing that names the host or a place on it."""
    return {
        "cpu": _cpu_model(),
        "instructions": _instructions(),
        **({"gpu": gpu} if (gpu := _gpu_model()) else {}),
        "cores": cores(),
        "load_at_start": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "memory_gib": round(found / 2**30, 1) if (found := memory()) else None,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: found for name in LIBRARIES if (found := _version(name))},
    }  # fmt: skip


def _cpu_model() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _instructions() -> str | None:
    """What numpy's matrix products and torch's kernels use, which a variable may have set."""
    try:
        import torch
        from threadpoolctl import threadpool_info
    except ImportError:  # a composer's machine, which measures the gate
        return None
    blas = {pool.get("architecture") for pool in threadpool_info() if pool["user_api"] == "blas"}
    return f"{torch.backends.cpu.get_cpu_capability()}, BLAS {' '.join(sorted(filter(None, blas)))}"


def begin_capped() -> None:
    """Begin this command anew as on a processor without AVX-512, unless it was.

    Symbols of a profile agree: OpenBLAS multiplies as for Haswell, torch's kernels and oneDNN are
    those for AVX2, and MKL, on an AMD, takes its own for AVX2 with and without.
    """
    missing = {name: value for name, value in AVX2.items() if os.environ.get(name) != value}
    if missing:
        begun = {name: value for name, value in os.environ.items() if name != SAFE_PATH} | missing
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], begun)  # noqa: S606


def alone(measure: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What a function of a module returns in a process that has done nothing else.

    Its memory and its peak are its own, and it is begun on every system alike; it may have
    processes of its own.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, *args, **kwargs).result()


def _gpu_model() -> str | None:
    try:
        import torch
    except ImportError:  # a composer's machine, which measures the gate
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def command_line(arguments: list[str]) -> str:
    """The command as it was given, absolute paths cut to their last part."""
    shown = [Path(a).name if Path(a).is_absolute() else a for a in arguments]
    return " ".join(["python scripts/benchmark.py", *shown])


class Clock:
    """Seconds while it runs; what happens while it stands is not counted.

    Args:
        now: what tells them: the wall clock, or the processor time that this process has had,
            which other work on the machine does not lengthen.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        running = 0.0 if self._since is None else self._now() - self._since
        return self._before + running

    def start(self) -> None:
        self._since = self._now()

    def stop(self) -> None:
        wait_for_gpu()
        self._before, self._since = self.seconds, None

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Stop for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()


def fair_clock(device: Any) -> Clock:
    """For what trains one after another: processor time, or a wall clock where a GPU computes."""
    return Clock(time.process_time if device.type == "cpu" else time.perf_counter)


def wait_for_gpu() -> None:
    """Return when what was asked of a GPU is done."""
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def faster_precision(
    step: Callable[[], object], device: Any, repeats: int = 5
) -> tuple[str, dict[str, float]]:
    """Time a training step in float32 and under bfloat16 autocast.

    Returns:
        The name of the faster, and the seconds a step of each (best of `repeats`, taking turns:
        one at a time, whatever else the machine did meanwhile would have chosen).
    """
    import torch

    seconds = dict.fromkeys(("float32", "bfloat16"), math.inf)
    for turn in range(repeats + 1):
        for name, fastest in seconds.items():
            with torch.autocast(device.type, torch.bfloat16, enabled=name == "bfloat16"):
                taken = _seconds(step)
            if turn:  # the first call allocates
                seconds[name] = min(fastest, taken)
    return min(seconds, key=seconds.__getitem__), seconds


def precision_of(
    asked: int | str, step: Callable[[], object], device: Any
) -> tuple[str, dict[str, float]]:
    """The precision of all that is compared: as `trainer.precision` says; of `auto` the faster.

    Returns:
        As `faster_precision`; no seconds where nothing had to be timed.

    Raises:
        SettingError: one that models are not compared in.
    """
    if asked == AUTO:
        return faster_precision(step, device)
    if str(asked) not in _PRECISIONS:
        raise SettingError(f"{asked} is not compared here", where="trainer.precision",
            mend="32, bf16, or auto for whichever is faster")  # fmt: skip
    return _PRECISIONS[str(asked)], {}


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    wait_for_gpu()
    return time.perf_counter() - start
