"""Reads a stranger's file in a child process, so that neither crash nor bomb reaches the caller.

The child reads, normalises and analyses; what comes back is JSON, and music bytes that the
caller's own strict walker reads again. One child serves many files; one that dies is replaced.

Limits: processor time by `setitimer` and memory by `resource` where the platform has them; a wall
clock in the parent everywhere. Elsewhere (Windows) memory is bounded by the caps of
`gen.smf.rules` alone (measured: the worst file of 4 MiB stays under the same 256 MiB).
"""

from __future__ import annotations

import base64
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from gen import processes
from gen.analysis import Analysis, analyse
from gen.errors import HouseError, SettingError
from gen.piece import Marker
from gen.provenance.signing.key_files import others_environment
from gen.smf import Normalised, RuleBroken, normalise, parse
from gen.smf.parts import Origin
from gen.smf.rules import MAX_BYTES
from gen.smf.second_reading import check_read_alike, load_readers

_LENGTH = struct.Struct(">I")
_MEBIBYTE = 1024 * 1024
_MAX_REPLY_BYTES = 64 * _MEBIBYTE
_MOST_READ_AGAIN = 20_000
"""Notes of a piece that other libraries read within the limits of a file: a second or so."""


class UnsafeFileError(HouseError):
    """The child process that read a file was stopped or died; `rule` is `unsafe-file`."""

    rule = "unsafe-file"


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What reading one file may cost."""

    processor_seconds: int = 10
    wall_seconds: float = 30.0
    memory_mebibytes: int = 256

    def __post_init__(self) -> None:
        for name in ("processor_seconds", "wall_seconds", "memory_mebibytes"):
            if getattr(self, name) <= 0:
                raise SettingError(f"{name} is {getattr(self, name)}", mend="give more than 0")


@dataclass(frozen=True, slots=True)
class Examined:
    """A stranger's file, made strict, and what its notes say.

    Attributes:
        normalised: the file.
        analysis: of its notes.
        is_read_alike: whether other libraries were found to read the same in it.
    """

    normalised: Normalised
    analysis: Analysis
    is_read_alike: bool = False


class SafeReader:
    """A child process that examines files one by one; a context manager, for one thread.

    Args:
        limits: of reading one file.
        reads_again: read what was made strict by other libraries, too, where it is not long.
    """

    def __init__(self, limits: ParseLimits | None = None, *, reads_again: bool = False) -> None:
        self.limits, self.reads_again = limits or ParseLimits(), reads_again
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SafeReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def examine(self, data: bytes) -> Examined:
        """Normalise and analyse a file.

        Raises:
            RuleBroken: the file cannot be mended.
            UnsafeFileError: reading it exceeded a limit or ended the child process.
        """
        if len(data) > MAX_BYTES:
            raise RuleBroken("too-large", f"the file has {len(data):,} bytes")
        reply = self._ask(data)
        if "broken" in reply:
            raise RuleBroken(**reply["broken"])
        if "unsafe" in reply:
            raise self._unsafe(reply["unsafe"])
        return _from_reply(reply)

    def close(self) -> None:
        """End the child process."""
        child, self._child = self._child, None
        if child is not None:
            processes.end_child(child)

    def _ask(self, data: bytes) -> dict[str, Any]:
        child = self._running_child()
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - pipes
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            child.kill()

        clock = threading.Timer(self.limits.wall_seconds, stop)
        clock.start()
        try:
            _send(child.stdin, data)
            reply = _receive(child.stdout, _MAX_REPLY_BYTES)
        except BrokenPipeError:
            reply = None
        finally:
            clock.cancel()
        if reply is None:
            raise self._died(child, is_late.is_set())
        found: dict[str, Any] = json.loads(reply)
        return found

    def _died(self, child: subprocess.Popen[bytes], is_late: bool) -> UnsafeFileError:
        try:
            code: int | None = child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        if is_late:
            return self._unsafe(f"reading it took more than {self.limits.wall_seconds:g} seconds")
        if code == -getattr(signal, "SIGPROF", 0):
            seconds = self.limits.processor_seconds
            return self._unsafe(f"reading it took more than {seconds} seconds of processor time")
        if code is None:
            return self._unsafe("the process that read it gave no readable answer")
        return self._unsafe(f"the process that read it ended with code {code}")

    def _unsafe(self, what: str) -> UnsafeFileError:
        return UnsafeFileError(what, mend="export the piece again; if it is long, in parts")

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            limits = self.limits
            self._child = subprocess.Popen(  # noqa: S603 - this interpreter, this module
                [sys.executable, "-P", "-m", "gen.safe_parse", str(limits.processor_seconds),
                 str(limits.memory_mebibytes), str(int(self.reads_again))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment(),
                start_new_session=True,  # Ctrl-C is the caller's to handle
            )  # fmt: skip
        return self._child


def safe_examine(data: bytes) -> Examined:
    """Examine a single file in a child process of its own; see `SafeReader.examine`."""
    with SafeReader() as reader:
        return reader.examine(data)


def child_environment() -> dict[str, str]:
    """`others_environment`, where this package is importable, and numpy on one thread."""
    source = str(Path(__file__).resolve().parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**others_environment(), **threads, "PYTHONPATH": os.pathsep.join(paths)}


def _send(stream: IO[bytes], payload: bytes) -> None:
    stream.write(_LENGTH.pack(len(payload)) + payload)
    stream.flush()


def _receive(stream: IO[bytes], max_bytes: int) -> bytes | None:
    """One framed message; None when the other side ended or sent too much."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    payload = stream.read(length) if length <= max_bytes else b""
    return payload if len(payload) == length else None


def _from_reply(reply: dict[str, Any]) -> Examined:
    data = base64.b64decode(reply["data"], validate=True)
    piece = parse(data)
    texts = {name: tuple(reply[name]) for name in ("changes", "unheard", "advice", "unsure")}
    cues = tuple(Marker(tick, text) for tick, text in reply["cues"])
    origins = tuple(
        tuple(Origin(chunk, channel, tuple(map(tuple, spans))) for chunk, channel, spans in track)
        for track in reply["origins"]
    )
    normalised = Normalised(data=data, piece=piece, cues=cues, origins=origins, **texts)
    return Examined(normalised, Analysis.from_dict(reply["analysis"]), reply["is_read_alike"])


def _is_read_alike(normalised: Normalised) -> bool:
    """Whether other libraries read the same; False, too, where that would take long."""
    if normalised.piece.note_count > _MOST_READ_AGAIN:
        return False
    try:
        check_read_alike(normalised.data, normalised.piece)
    except (HouseError, MemoryError):
        return False
    return True


def _examine_here(data: bytes, *, reads_again: bool) -> dict[str, Any]:
    try:
        normalised = normalise(data)
        return {
            "is_read_alike": reads_again and _is_read_alike(normalised),
            "data": base64.b64encode(normalised.data).decode("ascii"),
            "changes": normalised.changes,
            "unheard": normalised.unheard,
            "advice": normalised.advice,
            "unsure": normalised.unsure,
            "cues": [[cue.onset_ticks, cue.text] for cue in normalised.cues],
            "origins": [
                [[origin.chunk, origin.channel, origin.spans] for origin in track]
                for track in normalised.origins
            ],
            "analysis": analyse(normalised.piece, normalised.cues).to_dict(),
        }
    except RuleBroken as error:
        return {"broken": error.to_dict()}
    except MemoryError:
        return {"unsafe": "reading it needs more memory than a piece of music should"}


def _limit_memory(mebibytes: int) -> None:
    """Allow that much beyond what the interpreter and its libraries hold already."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        held = pages * resource.getpagesize()
        limit = held + mebibytes * _MEBIBYTE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # Windows, macOS: the caps on bytes and events bound the memory


def _limit_processor(seconds: int) -> None:
    """Allow that many seconds from now; the signal that follows ends the process.

    No RLIMIT_CPU, which counts from the start of the process: the kernel counts it in clock ticks,
    and on a busy machine these run away from the time that `getrusage` tells.
    """
    import signal

    if hasattr(signal, "setitimer"):  # Windows: the parent's clock alone
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _serve(processor_seconds: int, memory_mebibytes: int, reads_again: int) -> None:
    """The child: answer files on standard input until it closes."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    if reads_again:
        load_readers()  # before memory is limited
    _limit_memory(memory_mebibytes)
    while (data := _receive(requests, MAX_BYTES)) is not None:
        _limit_processor(processor_seconds)
        answer = json.dumps(_examine_here(data, reads_again=bool(reads_again))).encode("utf-8")
        try:
            _send(replies, answer)
        except BrokenPipeError:
            os._exit(1)  # who asked is gone: there is nobody to tell


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:]))
