"""Files read for a contribution: many side by side in child processes, handed on in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from gen.analysis import analyse
from gen.contribution.facts import Facts, find_problem
from gen.contribution.outcome import COMPOSED, FileRefusedError, Job
from gen.disk.reading import FileKind, NamedFileError, opened
from gen.errors import SettingError
from gen.marks.permissions import training_refused
from gen.provenance.admission.mark import is_generated
from gen.safe_parse import Examined, ParseLimits, SafeReader
from gen.smf import RuleBroken, read_instruments, with_instruments
from gen.smf.rules import MAX_BYTES

_ANY_SIZE = FileKind("MIDI file", 1 << 62)
"""What is too large is refused as such, by the rule."""
_READ_AHEAD = 4
Reading = Future[Examined | str]
"""A file examined; or the work that it is."""


def read_ahead(
    jobs: Iterable[Job], workers: int, limits: ParseLimits, work_of: Callable[[bytes], str]
) -> Iterator[tuple[Job, Reading]]:
    """Examine files in child processes, a few ahead of who asks; in order.

    Args:
        jobs: the files.
        workers: child processes.
        limits: of reading one file.
        work_of: the work that a file's bytes are already, or "": those need no reading.
    """
    readers: list[SafeReader] = []
    local = threading.local()

    def examine(path: Path) -> Examined | str:
        data = read_file(path)
        check_origin(data)
        if work := work_of(data):
            return work
        if not hasattr(local, "reader"):
            local.reader = SafeReader(limits, reads_again=True)
            readers.append(local.reader)
        found: Examined = local.reader.examine(data)
        return found

    waiting: deque[tuple[Job, Reading]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for job in jobs:
            waiting.append((job, pool.submit(examine, job.path)))
            if len(waiting) > workers * _READ_AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for reader in readers:
            reader.close()


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        RuleBroken: larger than the limit; read no further.
        OSError: unreadable.
    """
    try:
        with opened(path, _ANY_SIZE) as file:
            data = file.read(MAX_BYTES + 1)
    except NamedFileError as error:
        raise OSError(error.what) from error
    if len(data) > MAX_BYTES:
        raise RuleBroken("too-large", "the file has more than 4 MiB")
    return data


def check_origin(data: bytes) -> None:
    """Refuse what a file's own marks say must not be learned from."""
    if is_generated(data):
        raise FileRefusedError("generated", "it carries the mark of a generated piece", COMPOSED)
    if uses := training_refused(data):
        raise FileRefusedError(
            "not-allowed",
            f"its own content credentials do not allow that models learn from it ({uses[0]})",
            "contribute the composer's own export, if whoever signed that was the composer",
        )


def restate(examined: Examined, instruments: str) -> Examined:
    """The same music played by the instruments that somebody states, and what it says then.

    Args:
        examined: a file.
        instruments: one a track, as in `Facts.instruments`.

    Raises:
        SettingError: an unknown instrument, or not one a track.
    """
    if problem := find_problem("instruments", instruments, examined.analysis):
        raise SettingError(problem)
    normalised = with_instruments(examined.normalised, read_instruments(instruments))
    if normalised.data == examined.normalised.data:
        return replace(examined, normalised=normalised)
    return Examined(normalised, analyse(normalised.piece, normalised.cues))


def played_as_stated(examined: Examined, stated: Facts) -> Examined:
    """The same by the instruments that are stated; as it is where they cannot be."""
    try:
        return restate(examined, stated.instruments) if stated.instruments else examined
    except SettingError:
        return examined  # said with all that is wrong with what is stated
