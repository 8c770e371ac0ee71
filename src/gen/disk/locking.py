"""A lock that processes share, on every platform and on network shares.

The lock of the system (`flock`, on Windows `LockFile`) is taken on `<name>`; it ends with the
process that holds it. Shares that refuse it (some NFS, SMB and FUSE mounts) get a marker file
`<name>.held` instead, which names its holder: one left by a process that is gone is removed
when that process ran on this machine. From another machine nobody can tell, so the message
names the file.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gen.disk.kinds import is_link, kind_of
from gen.errors import HouseError

if TYPE_CHECKING:
    from filelock import BaseFileLock

logger = logging.getLogger(__name__)

LOCK_SECONDS = 120.0
"""How long a command waits for another one before it gives up."""
MARKER = ".held"
_NO_LOCKS_HERE = frozenset(
    {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
)


class BusyError(HouseError):
    """Another command holds the house."""


@contextmanager
def locked(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock file at `path`, across processes.

    Raises:
        BusyError: another command held it all that time.
        HouseError: something else than a file is there, or this user may not write there.
    """
    check_lock_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _acquired(path, seconds)
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Whether a command holds the lock at `path`; False too where this user cannot find out."""
    if not path.exists() and not _marker(path).exists():
        return False
    try:
        with locked(path, seconds=0):
            return False
    except BusyError:
        return True
    except HouseError:
        return False


def _marker(path: Path) -> Path:
    return path.with_name(path.name + MARKER)


def check_lock_file(path: Path) -> None:
    """Whether nothing else lies where the lock at `path`, or the marker beside it, should be.

    Raises:
        HouseError: a folder, a link or a pipe does, or this user may not lock it.
    """
    for place in (path, _marker(path)):
        _check_is_file(place)
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise _not_writable(path, PermissionError(errno.EACCES, ""))


def _check_is_file(path: Path) -> None:
    try:
        found = path.lstat()
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode) or is_link(found):
        kind = "symbolic link" if is_link(found) else kind_of(found.st_mode)
        raise HouseError(
            f"this should be the lock, an empty file, and is a {kind}",
            where=str(path),
            mend="remove it: no command of this software made it, and it holds nothing",
        )


def _acquired(path: Path, seconds: float) -> BaseFileLock:
    from filelock import FileLock, SoftFileLock

    if not _marker(path).exists():
        try:
            return _take(FileLock(str(path), timeout=seconds, fallback_to_soft=False), path)
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise _not_writable(path, error) from error
    marker = _marker(path)
    logger.warning("%s: this disk has no file locks, %s stands for one", path, marker.name)
    try:
        return _take(SoftFileLock(str(marker), timeout=seconds), marker)
    except OSError as error:
        raise _not_writable(path, error) from error


def _take(lock: BaseFileLock, path: Path) -> BaseFileLock:
    from filelock import Timeout

    try:
        lock.acquire(poll_interval=0.02)
    except Timeout as error:
        raise BusyError(
            f"another command has held the house for {lock.timeout:.0f} s",
            where=str(path),
            mend=_how_to_wait(path),
        ) from error
    return lock


def _how_to_wait(path: Path) -> str:
    wait = "wait for it to end, or end it, and try again"
    if not path.name.endswith(MARKER):
        return wait
    from filelock import SoftFileLock

    holder = SoftFileLock(str(path)).pid
    who = f"process {holder} of the machine that wrote it" if holder else "nobody it names"
    return f"{wait}; if {who} no longer runs, remove this file"


def _not_writable(path: Path, error: OSError) -> HouseError:
    return HouseError(
        f"cannot be locked: {os.strerror(error.errno) if error.errno else error}",
        where=str(path),
        mend="whoever changes a house writes in its folder: ask its owner for the right to",
    )
