"""Processes that begin with torch and the house's modules imported already.

Python takes seconds of a processor to import torch and Lightning, and most tests of a command ask
what it does, not how it starts. `prepared(script, …)` is a command line for them: its process
hands arguments, folder, environment, pipes and signals over to a fork of a server that has
imported all that it needs, and ends as that fork ends.

    test ── Popen ──▶ client ── socket ──▶ server ── fork ──▶ the command

It is a true process instead where that could matter: without `fork`, for `python -c`, and where
a variable that is read while Python or a library starts differs from the server's. Tests of the
start itself (imports, seconds, arithmetic that begins anew) do not use this.

Two servers serve all test processes of a run and end with the run: of one with torch, a fork takes
too long for what only reads a file.
"""

from __future__ import annotations

import atexit
import gc
import io
import marshal
import multiprocessing
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any
from unittest.mock import patch

CLIENT = Path(__file__).with_name("prepared_client.py")
WORKER = Path(__file__).with_name("prepared_worker.py")
FOLDER = "PREPARED_PROCESSES"
"""The variable that names the run's folder, for all its processes."""
SERVERS = {
    "all": ("gen.studio.music.writer", "gen.training.run", "gen.cli.door", "gen.cli.train"),
    "reading": ("gen.safe_parse", "mido", "pretty_midi"),
}
"""What each has imported. What reads strangers' files needs little; with all, a fork takes a tenth
of a second of a processor."""
READ_AT_START = (
    "ATEN", "CUDA", "DNNL", "KMP", "LANG", "LC_", "LD_", "MKL", "OMP", "OPENBLAS",
    "PYTHON", "RANK", "SLURM", "TORCH",
)  # fmt: skip
"""Variables that begin so count while Python or a library starts …"""
TAKEN_OVER = ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED")
"""… but for these, which a fork can still follow."""
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Unset, they follow OMP_NUM_THREADS."""
A_WHILE = 3600
"""Seconds for which a run's folder is left alone, whoever holds it."""
CAN_FORK = sys.platform == "linux" and hasattr(os, "pidfd_open")


def prepared(*words: object) -> list[str]:
    """The command line of `python words`, quick to start where that is possible."""
    plain = list(map(str, words))
    if not (CAN_FORK and FOLDER in os.environ):
        return [sys.executable, *plain]
    server = "reading" if "gen.safe_parse" in plain else "all"
    return [sys.executable, "-I", "-S", str(CLIENT), str(_serving(server)), *plain]


def _popen(words: list[str], **settings: Any) -> subprocess.Popen:
    is_python = words[0] == sys.executable
    return subprocess.Popen(prepared(*words[1:]) if is_python else words, **settings)


quick_subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": _popen})
"""What a module may have in place of `subprocess`, so that what it starts begins sooner."""


def helpers(*imported: str) -> ForkServerContext:
    """What starts processes for `multiprocessing` as quickly, in place of the "spawn" of programs.

    They are forks of a server that each test process has for itself, once something asks for it.

    Args:
        imported: modules that the server begins with, if none is there yet.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*imported])
    return context


# -- the run, which the server serves ------------------------------------------------------------


def begin_run() -> IO[str]:
    """Make the run's folder; the run lasts until the file that is returned is closed."""
    import fcntl

    for left in Path(tempfile.gettempdir()).glob("gen-tests-*/alive"):  # of runs that were killed
        if time.time() - left.stat().st_mtime > A_WHILE and _has_ended(left):
            shutil.rmtree(left.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="gen-tests-"))
    os.environ[FOLDER] = str(folder)
    alive = (folder / "alive").open("w")
    fcntl.flock(alive, fcntl.LOCK_EX)
    return alive


def end_run(alive: IO[str]) -> None:
    alive.close()
    shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


def _serving(server: str) -> Path:
    """The socket of one of the run's servers, which is started by the first who needs it."""
    import fcntl

    folder = Path(os.environ[FOLDER])
    path = folder / server
    with (folder / f"{server} starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not path.exists():
            subprocess.run([sys.executable, __file__, str(path)], check=True)  # till it listens
    return path


# -- the server ----------------------------------------------------------------------------------


def serve(path: Path) -> None:
    """Import what a server has, go into the background, and answer clients until the run has ended.

    Args:
        path: of its socket, named as the server.
    """
    import importlib

    begun = dict(os.environ)
    atexit.register(_leave)  # the first to register is the last to be called
    with _no_cleaning_up():
        for name in SERVERS[path.name]:
            importlib.import_module(name)
    gc.freeze()  # forks share these pages
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    if os.fork():
        os._exit(0)  # who started this may go on
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    if command := _next_command(listener, path.with_name("alive"), begun):
        _become(*command)


@contextmanager
def _no_cleaning_up() -> Iterator[None]:
    """Leave out what libraries that are imported would do at the end of a process.

    They take apart what ends with it anyhow, of torch in half the time that a command takes. What
    Python's own modules do then is done, as is what the command itself asks for.
    """
    register = atexit.register

    def registered(function: Callable[..., Any], *args: Any, **settings: Any) -> Any:
        module = getattr(function, "__module__", None) or ""
        is_python = module.partition(".")[0] in sys.stdlib_module_names
        return register(function, *args, **settings) if is_python else function

    with patch.object(atexit, "register", registered):
        yield
    for finalizer in weakref.finalize._registry:
        finalizer.atexit = False


def _next_command(
    listener: socket.socket, alive: Path, begun: dict[str, str]
) -> tuple[dict[str, Any], list[int]] | None:
    """Return in a fork of its own for each client; None when the run has ended.

    Args:
        listener: to whom clients come.
        alive: what the run holds.
        begun: the variables that the server began with.

    Returns:
        What the client asked for, and its streams.
    """
    commands = _Commands()
    while True:
        ready, _, _ = select.select([listener, *commands.running, *commands.links], [], [], 5)
        if not ready and _has_ended(alive):
            return None
        for each in ready:
            if each is listener:
                link, _ = listener.accept()
                asked, streams = _asked(link, begun)
                if asked and commands.begin(link):
                    listener.close()
                    return asked, streams
                if not asked:
                    link.close()
                for descriptor in streams:
                    os.close(descriptor)
            elif isinstance(each, int):
                commands.tell_end(each)
            elif each in commands.links:
                commands.pass_on(each)


class _Commands:
    """Those that run: each has its client's signals, ends with it, and tells it how it ended.

    Attributes:
        running: by process descriptor, the process and the link to its client.
        links: to the clients that are there, and these descriptors.
    """

    def __init__(self) -> None:
        self.running: dict[int, tuple[int, socket.socket]] = {}
        self.links: dict[socket.socket, int] = {}

    def begin(self, link: socket.socket) -> bool:
        """Fork for a client; whether this is the fork, which has nothing of the others."""
        if child := os.fork():
            self.links[link] = ended = os.pidfd_open(child)
            self.running[ended] = child, link
            return False
        for other in (link, *self.links):
            other.close()
        for ended in self.running:
            os.close(ended)
        return True

    def tell_end(self, ended: int) -> None:
        """Tell a client how its command ended."""
        child, link = self.running.pop(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.links.pop(link, None)
        with suppress(OSError):
            link.sendall(code.to_bytes(4, "big", signed=True))
        os.close(ended)
        link.close()

    def pass_on(self, link: socket.socket) -> None:
        """Send a command its client's signals, or kill it where the client is gone."""
        numbers = _received(link)
        for number in numbers or [signal.SIGKILL]:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.links[link], number)
        if not numbers:
            del self.links[link]


def _has_ended(alive: Path) -> bool:
    import fcntl

    try:
        with alive.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _asked(link: socket.socket, begun: dict[str, str]) -> tuple[dict[str, Any] | None, list[int]]:
    """What a client asks for, and its streams; None where it has to do that itself."""
    streams: list[int] = []
    try:
        head, streams, *_ = socket.recv_fds(link, 8, 3)
        data = link.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
        asked = marshal.loads(data)  # noqa: S302 - of a process that the tests started
    except (OSError, EOFError, ValueError):  # it was killed meanwhile
        return None, streams
    set_by_imports = {k: v for k, v in os.environ.items() if begun.get(k) != v}
    variables = asked["environment"]
    variables |= {k: v for k, v in set_by_imports.items() if variables.get(k) == begun.get(k)}
    is_alike = _at_start(variables) == _at_start(dict(os.environ))
    with suppress(OSError):
        link.sendall(b"y" if is_alike else b"n")
    return asked if is_alike else None, streams


def _received(link: socket.socket) -> bytes:
    """The signals that a client passes on; nothing where it is gone."""
    try:
        return link.recv(1)
    except OSError:
        return b""


def _at_start(environment: dict[str, str]) -> dict[str, str]:
    threads = dict.fromkeys(THREADS, environment.get("OMP_NUM_THREADS"))
    found = {k: v for k, v in environment.items() if k.startswith(READ_AT_START)}
    return {k: v for k, v in {**threads, **found}.items() if k not in TAKEN_OVER}


def _become(asked: dict[str, Any], descriptors: list[int]) -> None:
    """Go on as `python words` would, with all that the client has; ends as Python ends."""
    import runpy

    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _open_streams()
    words = asked["words"]
    is_safe = words[0] == "-P"
    words = words[is_safe:]
    is_module = words[0] == "-m"
    sys.orig_argv, sys.argv = [sys.executable, *words], words[is_module:]
    first = os.getcwd() if is_module else str(Path(words[0]).resolve().parent)
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    is_safe = is_safe or bool(os.environ.get("PYTHONSAFEPATH"))
    sys.path[:1] = [*([] if is_safe else [first]), *filter(None, named)]
    global _code
    try:
        if is_module:
            sys.modules.pop(words[1], None)  # Python has not imported what it is to run
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as error:
        _code = error.code if isinstance(error.code, int) else int(error.code is not None)
        raise
    except KeyboardInterrupt:
        _code = None
        raise
    except BaseException:
        _code = 1
        raise


_code: int | None = 0
"""What the command ends with; None if by Ctrl-C."""


def _leave() -> None:
    """End at once after all else: taking torch's modules apart takes longer than most commands."""
    with suppress(OSError, ValueError):  # a stream that is closed or broken is Python's to tell of
        sys.stdout.flush()
        sys.stderr.flush()
        if _code is not None:
            os._exit(_code & 0xFF)


def _open_streams() -> None:
    """`sys.stdin`, `sys.stdout` and `sys.stderr` as Python makes them as it starts."""
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    given = sys.stdin
    sys.stdin = open(0, encoding=given.encoding, errors=given.errors, closefd=False)  # noqa: SIM115
    for number, name in ((1, "stdout"), (2, "stderr")):
        given = getattr(sys, name)
        raw = io.FileIO(number, "w", closefd=False)
        binary = raw if unbuffered else io.BufferedWriter(raw)
        is_by_line = not unbuffered and (number == 2 or raw.isatty())
        stream = io.TextIOWrapper(
            binary, given.encoding, given.errors, "\n", line_buffering=is_by_line,
            write_through=unbuffered,
        )  # fmt: skip
        setattr(sys, name, stream)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
