"""Further processes of this program, on a machine that has room for them, and how it is stopped."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast

from gen.errors import HouseError

P = ParamSpec("P")
T = TypeVar("T")

MOST = 8
"""More would each take memory and little time off."""
MANY = 1000
"""Files or works from which on further processes repay their start."""
_AHEAD = 8
"""Things that wait for each process, at most."""


def cores() -> int:
    """Processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def memory() -> int | None:
    """Bytes of memory that this machine has; None where the system does not tell."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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
    received: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        received.append(number)

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
    if received:
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


def pool(
    processes: int, begin: Callable[..., None] | None = None, *arguments: Any
) -> ProcessPoolExecutor:
    """Processes that start alike on every system, and leave Ctrl-C to the one that leads.

    They end when it ends, however that is.

    Args:
        processes: how many, at most `MOST`.
        begin: called first in each, where something is to be made ready; a function of a module.
        arguments: for `begin`.
    """
    return _Pool(min(processes, MOST), _Helpers(), initializer=_begin, initargs=(begin, arguments))


class Ahead(Generic[T]):
    """Other processes do a task for each of many names, a few ahead of who asks for them in order.

    Used as a context manager; for fewer than `MANY` names nothing is started.

    Args:
        names: in the order in which they will be asked for.
        data_of: what the task is given for a name; where it raises, who asks does the task.
        task: a function of a module.
        begin: as `pool` takes it and its arguments.
    """

    def __init__(
        self,
        names: Sequence[str],
        data_of: Callable[[str], Any],
        task: Callable[[Any], T],
        *begin: Any,
    ) -> None:
        self._names, self._data_of, self._task = iter(names), data_of, task
        self._futures: dict[str, Future[T]] = {}
        count = min(cores(), MOST) if len(names) >= MANY else 1
        self._most = _AHEAD * count if count > 1 else 0
        self._pool = pool(count, *begin) if self._most else None

    def take(self, name: str) -> T | None:
        """What came of a name; None where no other process did it. Raises what the task raised."""
        self._send()
        future = self._futures.pop(name, None)
        if future is None or future.cancel():  # nobody has begun with it
            return None
        try:
            return future.result()
        except BrokenProcessPool:  # a process was ended from outside
            self._most = 0
            return None

    def _send(self) -> None:
        while self._pool and len(self._futures) < self._most and (name := next(self._names, None)):
            try:
                self._futures[name] = self._pool.submit(self._task, self._data_of(name))
            except BrokenProcessPool:
                self._most = 0
            except (HouseError, OSError):  # who asks for it is told why
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def copies() -> int:
    """How many copies of this process may do its work side by side; 1 where none can be made.

    Linux alone copies a process safely: elsewhere the libraries of the system do not allow it.
    """
    return min(cores(), MOST) if sys.platform == "linux" else 1


def results_of_copies(tasks: Iterable[Callable[[Callable[[T], None]], None]]) -> Generator[T]:
    """What tasks tell, as they tell it.

    Each runs in a copy of this process, which has all that is in memory here but can use no GPU,
    `copies()` of them at a time. They end with the iterator, however that ends. Only for systems
    that can copy a process.

    Args:
        tasks: each takes a function, which it calls with what it has to tell.

    Raises:
        HouseError: a copy was ended from outside, or could not be made.
        BaseException: whatever a task raised.
    """
    waiting = iter(tasks)
    running: dict[Connection, BaseProcess] = {}
    try:
        while True:
            while len(running) < copies() and (task := next(waiting, None)):
                with undisturbed():
                    connection, process = _copy(task)
                    running[connection] = process
            if not running:
                return
            for connection in cast(list[Connection], wait(list(running))):
                try:
                    what, error = connection.recv()
                except (EOFError, OSError):  # OSError: in the middle of what it sends
                    _ended(running.pop(connection))
                    continue
                if error is not None:
                    raise error
                yield what
    finally:
        for process in running.values():
            process.kill()
        for process in running.values():
            process.join()


def _copy(task: Callable[[Callable[[T], None]], None]) -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_do, args=(task, there), daemon=True)
    try:
        with warnings.catch_warnings():  # the copy touches nothing that another thread may hold
            warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
            process.start()
    except OSError as error:
        here.close()
        raise HouseError(
            f"no further process can be started ({error.strerror})", mend="close other programs"
        ) from error
    finally:
        there.close()
    return here, process


def _do(task: Callable[[Callable[[T], None]], None], connection: Connection) -> None:
    _follow_leader()
    try:
        task(lambda what: connection.send((what, None)))
    except BaseException as error:  # it is raised where somebody hears it
        error.add_note(traceback.format_exc())
        connection.send((None, _portable(error)))
    connection.close()
    os._exit(0)  # what this process was to do at its end is the leader's


def _portable(error: BaseException) -> BaseException:
    """The same, or what can be said of it where another process could not read it."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # whatever its class does
        error_sent = RuntimeError(repr(error))
        for note in error.__notes__:
            error_sent.add_note(note)
        return error_sent
    return error


def _ended(process: BaseProcess) -> None:
    process.join()
    if process.exitcode:
        raise HouseError(
            f"a process that was helping was ended from outside (exit code {process.exitcode})",
            mend="try again; if memory was short, ask for fewer pieces or shorter ones",
        )


def end_child(child: subprocess.Popen[Any]) -> None:
    """End a child that is spoken to by pipes, and close them."""
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with suppress(OSError):  # what was to be said to it is lost with it
                stream.close()


def end_all() -> None:
    """End all helping processes in the middle of what they do."""
    for process in multiprocessing.active_children():
        if isinstance(process, _Helper):
            process.terminate()


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    _follow_leader()
    if begin is not None:
        begin(*arguments)


def _follow_leader() -> None:
    """Leave Ctrl-C to the process that leads, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_leader, daemon=True).start()


def _end_with_leader() -> None:
    if leader := multiprocessing.parent_process():
        leader.join()
        os._exit(1)
