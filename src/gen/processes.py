"""Further processes of this program, on a machine that has room for them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

MOST = 8
"""More would each take memory and little time off."""


def cores() -> int:
    """Processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def pool(processes: int, begin: Callable[..., None], *arguments: Any) -> ProcessPoolExecutor:
    """Processes that start alike on every system, and leave Ctrl-C to the one that leads.

    Args:
        processes: how many, at most `MOST`.
        begin: called first in each; a function of a module.
        arguments: for `begin`.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        min(processes, MOST), context, initializer=_begin, initargs=(begin, arguments)
    )


def _begin(begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin(*arguments)
