"""The machine a figure was measured on, and the clock it was measured with."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gen.processes import cores

LIBRARIES = ("torch", "transformers", "lightning", "miditok", "symusic", "numpy", "cryptography")


def describe() -> dict[str, Any]:
    """Processor, memory and versions; nothing that names the host or a place on it."""
    return {
        "cpu": _cpu_model(),
        **({"gpu": gpu} if (gpu := _gpu_model()) else {}),
        "cores": cores(),
        "load_at_start": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "memory_gib": _memory_gib(),
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


def _gpu_model() -> str | None:
    try:
        import torch
    except ImportError:  # a composer's machine, which measures the gate
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _memory_gib() -> float | None:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    return None


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


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    wait_for_gpu()
    return time.perf_counter() - start
