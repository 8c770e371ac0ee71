"""Saying things: to any terminal, pipe or file, and nothing lost when it cannot be said.

A terminal may know ASCII only, a reader may close the pipe, the disk behind a redirection may be
full: none of it is a fault of the command, which has done its work or says so in one line.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import NoReturn, TextIO

from gen.errors import HouseError

REFUSED = 2
SAFE_PATH = "PYTHONSAFEPATH"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_DISK = frozenset({errno.EIO, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
                   errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.ETXTBSY,
                   errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN,
                   errno.EHOSTUNREACH, errno.EAGAIN})  # fmt: skip
"""What a disk, a share or a name may be at fault for. Another error of the system is our fault."""
_NAMED = frozenset({errno.ENOENT, errno.EEXIST})
"""Likewise, of a name that is not one of our own files."""
_TOO_FEW_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


def prepare() -> None:
    """Let stdout and stderr spell out what their encoding has no letters for.

    Where they were closed nobody hears what is said; else the next file that is opened would take
    their number, and what a library says would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _take_number(number)
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            with suppress(ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")


def _take_number(number: int) -> None:
    """Let nothing that is opened later be what others know as this stream."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.close(null)


@contextmanager
def failures_said() -> Iterator[None]:
    """End the program with one line and exit code 2 where a disk or an output fails.

    Whoever closes the pipe that they read from has seen enough: the program ends in silence.
    """
    prepare()
    try:
        _check_folder()
        with _only_installed_code():
            yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
        raise SystemExit(0) from None
    except OSError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        _end(str(refusal))
    except EOFError as error:
        refuse_if_cut_short(error)
        raise
    except (MemoryError, ImportError) as error:
        if not _is_for_want_of_memory(error):
            raise
        mend = "end other programs, or allow more (ulimit -v), and run it again"
        _end(str(HouseError("there is not enough memory", mend=mend)))


@contextmanager
def _only_installed_code() -> Iterator[None]:
    """Have Python in processes that are started from here import nothing from the current folder.

    It looks there first, for its own modules too, and a composer's may be full of strangers' files.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


def _check_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        mend = "change into a folder that exists, and run it again"
        _end(str(HouseError("the current folder is gone", mend=mend)))


def _end(message: str) -> NoReturn:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        forget_output()
    try:
        print(message, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _forget(sys.stderr)
    raise SystemExit(REFUSED)


def refuse_if_cut_short(error: EOFError) -> None:
    """End the program where Python cannot read what it compiled: a full disk cuts it short."""
    if "marshal data" in str(error):
        places = f"{_OURS} and {sys.prefix}"
        mend = f"remove the folders called __pycache__ below {places}, and run it again"
        what = "a file that Python compiled is cut short, as a full disk leaves it"
        _end(str(HouseError(what, mend=mend)))


def _is_for_want_of_memory(error: MemoryError | ImportError) -> bool:
    """The loader of libraries says so in words alone."""
    words = ("failed to map segment", "cannot allocate memory")
    return isinstance(error, MemoryError) or any(each in str(error).lower() for each in words)


def refusal_of(error: OSError) -> HouseError | None:
    """An error of the system as what a person can mend; None where the fault may be ours."""
    if error.errno in _FULL:
        mend = "make room there and run it again: what was finished before is whole"
        if error.filename is None:  # most often of the answer, and what it tells of is done
            mend = "make room where it is written; look what was done before you run it again"
    elif error.errno in _FORBIDDEN:
        mend = "ask for the right to write there, or name another place"
    elif error.errno == errno.ENOMEM:
        mend = "end other programs, or allow more memory (ulimit -v), and run it again"
    elif error.errno in _TOO_FEW_FILES:
        mend = "allow more open files (ulimit -n 256 or more) and run it again"
    elif error.errno not in _DISK and not (error.errno in _NAMED and _is_others(error.filename)):
        return None
    else:
        mend = "look at the name and whether the disk is there, and run it again"
    where = error.filename2 or error.filename or ""
    return HouseError(error.strerror or str(error), where=os.fsdecode(where), mend=mend)


def _is_others(name: str | bytes | None) -> bool:
    """Whether a file is named that is none of this software's, which it has brought along."""
    return name is not None and not os.path.abspath(os.fsdecode(name)).startswith(_OURS)


def forget_output() -> None:
    """Let the interpreter not try once more to write what cannot be written."""
    _forget(sys.stdout)


def _forget(stream: TextIO) -> None:
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
