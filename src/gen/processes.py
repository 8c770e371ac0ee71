"""Further processes of this program, on a machine that has room for them, and how it is stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST = 8
"""More would each take memory and little time off."""


def cores() -> int:
    """Processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """What is within is done as a whole: Ctrl-C waits for its end."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    held: list[int] = []
    if threading.current_thread() is threading.main_thread():
        both = (signal.SIGINT, signal.SIGTERM)
        held = [n for n in both if signal.getsignal(n) is signal.default_int_handler]
    for number in held:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, signal.default_int_handler)
    if heard:
        raise KeyboardInterrupt


class _Helper(SpawnProcess):
    """A process that a terminal's Ctrl-C does not reach, not even while it starts."""

    def start(self) -> None:
        if sys.platform == "win32":  # has no such mask
            super().start()
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Helpers(SpawnContext):
    Process = _Helper


class _Pool(ProcessPoolExecutor):
    """Knows of every process that it has started, whenever Ctrl-C comes."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with undisturbed():
            return super().submit(fn, *args, **kwargs)


def pool(processes: int, begin: Callable[..., None], *arguments: Any) -> ProcessPoolExecutor:
    """Processes that start alike on every system, and leave Ctrl-C to the one that leads.

    They end when it ends, however that is.

    Args:
        processes: how many, at most `MOST`.
        begin: called first in each; a function of a module.
        arguments: for `begin`.
    """
    return _Pool(min(processes, MOST), _Helpers(), initializer=_begin, initargs=(begin, arguments))


def end_all() -> None:
    """End all helping processes in the middle of what they do."""
    for process in multiprocessing.active_children():
        if isinstance(process, _Helper):
            process.terminate()


def _begin(begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_leader, daemon=True).start()
    begin(*arguments)


def _end_with_leader() -> None:
    if leader := multiprocessing.parent_process():
        leader.join()
        os._exit(1)
