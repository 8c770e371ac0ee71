"""Writing that a crash cannot tear, locking that every platform has, reading that is not fooled."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gen.errors import HouseError

IS_WINDOWS = os.name == "nt"
MANY_FILES = 8
"""From so many files on, they are waited for side by side."""
LOCK_SECONDS = 120.0
"""How long a command waits for another one before it gives up."""


_UNFINISHED = re.compile(r"\.(.+)\.\d+\.new\Z")


class BusyError(HouseError):
    """Another command holds the house."""


class UnfitFileError(HouseError):
    """A path that is not a plain file of its own; `rule` is the gate's stable code."""

    def __init__(self, rule: str, what: str) -> None:
        self.rule = rule
        super().__init__(what)


def unfinished(name: str) -> str:
    """The file that an interrupted `write_atomically` meant, when `name` is what it left; or ""."""
    match = _UNFINISHED.match(name)
    return match[1] if match else ""


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` durable. Windows has no such call and needs none."""
    if IS_WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(source: Path, target: Path) -> None:
    """Rename over `target`; on Windows wait out readers that hold it open."""
    for attempt in range(40):
        try:
            source.replace(target)
            return
        except PermissionError:
            if not IS_WINDOWS or attempt == 39:
                raise
            time.sleep(0.05)


def write_durably(files: Mapping[Path, bytes]) -> None:
    """Write files that nobody reads yet, and have them on the disk when this returns."""
    for path, data in files.items():
        path.write_bytes(data)
    if len(files) < MANY_FILES:
        for path in files:
            _sync_file(path)
        return
    from concurrent.futures import ThreadPoolExecutor

    # Disks answer many waiting together in one go: waiting one by one takes ten times as long.
    with ThreadPoolExecutor(MANY_FILES) as pool:
        list(pool.map(_sync_file, files))


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: a crash leaves the old bytes or the new ones."""
    write_all_atomically({path: data})


def write_all_atomically(files: Mapping[Path, bytes]) -> None:
    """Replace each path by its bytes; each is old or new after a crash, and none half."""
    folders = {path.parent for path in files}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in files}
    try:
        write_durably({beside[path]: data for path, data in files.items()})
        for path, new in beside.items():
            replace(new, path)
    finally:
        for new in beside.values():
            new.unlink(missing_ok=True)
    for folder in folders:
        sync_folder(folder)


@contextmanager
def locked(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock file at `path`, across processes.

    Raises:
        BusyError: another command held it all that time.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(path), timeout=seconds)
    try:
        lock.acquire(poll_interval=0.02)
    except Timeout as error:
        raise BusyError(
            f"another command has held the house for {seconds:.0f} s",
            where=str(path),
            mend="wait for it to end, or end it, and try again",
        ) from error
    try:
        yield
    finally:
        lock.release()


_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_plain_file(path: Path, max_bytes: int) -> bytes:
    """Read a file once, refusing whatever only looks like one.

    Opened without following links or waiting on pipes; what is judged is the opened file
    itself, so swapping the name afterwards changes nothing.

    Raises:
        UnfitFileError: `symlink`, `not-a-file`, `hard-link`, `too-large` or `unreadable`.
        FileNotFoundError: it is gone.
    """
    before = path.lstat()
    _check_kind(before)
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnfitFileError("unreadable", f"cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        _check_kind(found)
        # Without O_NOFOLLOW (Windows) the name may have become a link since `lstat`.
        if (found.st_dev, found.st_ino) != (before.st_dev, before.st_ino):
            raise UnfitFileError("swapped", "another file took its place while it was opened")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise UnfitFileError("too-large", f"more than {max_bytes:,} bytes")
    return data


def _check_kind(found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise UnfitFileError("symlink", "a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise UnfitFileError("not-a-file", f"a {_kind(found.st_mode)}")
    if found.st_nlink > 1:
        raise UnfitFileError("hard-link", f"the same file has {found.st_nlink} names")


def _kind(mode: int) -> str:
    names = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return names.get(stat.S_IFMT(mode), "device")


def remove_folder(folder: Path) -> None:
    """Remove a flat folder and what lies in it; absent is fine."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        folder.rmdir()
