"""Writing that a crash cannot tear: bytes reach the disk before they take their name."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from gen.disk.kinds import Spot, kind_of, naming
from gen.errors import HouseError

IS_WINDOWS = os.name == "nt"
MANY_FILES = 8
"""From so many files on, they are waited for side by side."""
_AT_ONCE = 64
"""Files open at once while many are written."""
_UNFINISHED = re.compile(r"\.(.+)\.\d+\.new\Z")


def real_path(path: Path) -> Path:
    """The path with its links followed; a link to itself stays as it is, and no error."""
    return Path(os.path.realpath(path))


def check_can_write(path: Path, *, is_folder: bool = False) -> None:
    """Refuse before the work a place where what comes of it could not be written.

    Args:
        path: of the file, or of the folder that is to hold files; neither has to be there.
        is_folder: which of them.

    Raises:
        HouseError: a folder where a file should go or the reverse, or this user may not write.
    """
    above = path if is_folder else path.parent
    try:
        if is_folder:
            with suppress(FileNotFoundError, NotADirectoryError):
                os.stat(path)
        else:
            _check_replaceable(path)
        while not os.path.lexists(above) and above != above.parent:
            above = above.parent
    except (OSError, ValueError) as error:
        raise _no_place(path, getattr(error, "strerror", None) or str(error)) from error
    if not above.is_dir():
        raise _no_place(path, f"{above} is no folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise _no_place(path, os.strerror(errno.EACCES))


def _no_place(path: Path, why: str) -> HouseError:
    mend = "name another place, where you may write"
    return HouseError(f"cannot be written ({why})", where=str(path), mend=mend)


def beside(name: str) -> str:
    """Where the new bytes of a file wait until they are whole."""
    return f".{name}.{os.getpid()}.new"


def unfinished(name: str) -> str:
    """The file that an interrupted writing meant, when `name` is what it left; or ""."""
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
    """Rename over `target`."""
    patiently(lambda: source.replace(target))


def patiently(rename: Callable[[], object]) -> None:
    """Do it; on Windows wait out readers that hold the file open."""
    for attempt in range(40):
        try:
            rename()
            return
        except PermissionError:
            if not IS_WINDOWS or attempt == 39:
                raise
            time.sleep(0.05)


def sync_files(descriptors: Iterable[int]) -> None:
    """Wait until the bytes of opened files are on the disk."""
    waiting = list(descriptors)
    if len(waiting) < MANY_FILES:
        for descriptor in waiting:
            os.fsync(descriptor)
        return
    from concurrent.futures import ThreadPoolExecutor

    # Disks answer many waiting together in one go: waiting one by one takes ten times as long.
    with ThreadPoolExecutor(MANY_FILES) as pool:
        list(pool.map(os.fsync, waiting))


def write_new(
    files: Mapping[Spot, bytes | memoryview], mode: int = 0o666, *, durably: bool = True
) -> None:
    """Write files that nobody reads yet; done durably, they are on the disk when this returns.

    Each is made anew: what somebody laid in its place beforehand, a link to another file or a
    file that they hold open, is taken away and not written to.
    """
    items = list(files.items())
    for first in range(0, len(items), _AT_ONCE):
        with ExitStack() as stack:
            opened = [
                stack.enter_context(_written(spot, data, mode))
                for spot, data in items[first : first + _AT_ONCE]
            ]
            if durably:
                sync_files([file.fileno() for file in opened])


def _written(spot: Spot, data: bytes | memoryview, mode: int) -> BinaryIO:
    with naming(Path(spot.name)):
        spot.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(spot.name, flags, mode, dir_fd=spot.handle), "wb")
        try:
            file.write(data)
            file.flush()
        except BaseException:
            with suppress(OSError):
                file.close()
            raise
        return file


def _check_replaceable(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = os.stat(path).st_mode
        is_file = stat.S_ISREG(mode)
        if is_file and os.path.islink(path):  # /dev/stdout, wherever it leads
            is_file = not os.readlink(path).startswith("/proc/")
        if not is_file:
            what = "device" if stat.S_ISREG(mode) else kind_of(mode)
            raise OSError(errno.ENXIO, f"is a {what}, and should be a file", str(path))


def write_atomically(path: Path, data: bytes | memoryview, *, durably: bool = True) -> None:
    """Replace `path` by `data`: a crash leaves the old bytes or the new ones."""
    write_all_atomically({path: data}, durably=durably)


def write_all_atomically(files: Mapping[Path, bytes | memoryview], *, durably: bool = True) -> None:
    """Replace each path by its bytes; each is old or new after a crash, and none half.

    Args:
        files: the new bytes of each.
        durably: wait for the disk, so that this holds when power fails, too. What can be made
            again, and shows that it is whole, need not be waited for.

    Raises:
        OSError: some path cannot be written, or is that of a pipe, a device or a folder, which
            stays: a device that a file took the place of would be gone for everybody.
    """
    for path in files:
        _check_replaceable(path)
    folders = {path.parent for path in files}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    news = {path: path.with_name(beside(path.name)) for path in files}
    try:
        spots = {Spot(None, str(news[path])): data for path, data in files.items()}
        write_new(spots, durably=durably)
        for path, new in news.items():
            replace(new, path)
    finally:
        for new in news.values():
            with suppress(OSError):
                new.unlink(missing_ok=True)
    for folder in folders if durably else ():
        sync_folder(folder)
