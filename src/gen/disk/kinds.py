"""Which files are plain files of their own, and opening one without waiting or following a link."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, ParamSpec, TypeVar

from gen.errors import HouseError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

P = ParamSpec("P")
T = TypeVar("T")

CAREFULLY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
"""Flags for `os.open`: no link as the last name, no waiting for the other end of a pipe."""
_REPARSE_LINKS = frozenset({0xA0000003, 0xA000000C})
"""Windows: junction and symbolic link. Other reparse points are plain files kept in a cloud."""


class UnfitFileError(HouseError):
    """A path that is not a plain file of its own; `rule` is the gate's stable code."""

    def __init__(self, rule: str, what: str, where: str = "", mend: str = "") -> None:
        self.rule = rule
        super().__init__(what, where=where, mend=mend)


class Spot(NamedTuple):
    """A name in the folder that `handle` is open on; without a handle the name is a whole path."""

    handle: int | None
    name: str

    def look(self) -> os.stat_result:
        """What lies there, itself and not what it may link to."""
        return os.stat(self.name, dir_fd=self.handle, follow_symlinks=False)

    def unlink(self) -> None:
        """Remove a file or a link (never what it links to); absent is fine."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.handle)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have an error of the system say which file it is about: writing says none, handles part."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def is_link(found: os.stat_result) -> bool:
    """Whether this is a symbolic link, or on Windows a junction."""
    return stat.S_ISLNK(found.st_mode) or getattr(found, "st_reparse_tag", 0) in _REPARSE_LINKS


def check_plain(found: os.stat_result) -> None:
    """Whether this is a regular file with one name.

    Raises:
        UnfitFileError: `symlink`, `not-a-file` or `hard-link`.
    """
    if is_link(found):
        raise UnfitFileError("symlink", "a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise UnfitFileError("not-a-file", f"a {kind_of(found.st_mode)}")
    if found.st_nlink > 1:
        raise UnfitFileError("hard-link", f"the same file has {found.st_nlink} names")


def kind_of(mode: int) -> str:
    """What a `st_mode` is called, for people."""
    names = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFLNK: "symbolic link",
    }
    return names.get(stat.S_IFMT(mode), "device")


def open_plain(spot: Spot, flags: int) -> int:
    """A descriptor of the plain file at `spot`; with O_CREAT among the flags it may be new.

    Raises:
        UnfitFileError: as `check_plain`, or `unreadable` or `swapped`.
        FileNotFoundError: nothing is there.
    """
    before = _before(spot, flags)
    try:
        descriptor = os.open(spot.name, flags | CAREFULLY, 0o666, dir_fd=spot.handle)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnfitFileError("unreadable", f"cannot be opened: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        check_plain(found)
        # Without O_NOFOLLOW (Windows) the name may have become a link since it was looked at.
        if before and (found.st_dev, found.st_ino) != (before.st_dev, before.st_ino):
            raise UnfitFileError("swapped", "another file took its place while it was opened")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _before(spot: Spot, flags: int) -> os.stat_result | None:
    try:
        found = spot.look()
    except FileNotFoundError:
        if flags & os.O_CREAT:
            return None
        raise
    check_plain(found)
    return found


def read_plain(descriptor: int, max_bytes: int) -> bytes:
    """Everything in an opened file, which is closed.

    Raises:
        UnfitFileError: `too-large`.
    """
    with reading_from(descriptor, "") as file:
        data = read_up_to(file, max_bytes + 1)
    if len(data) > max_bytes:
        raise UnfitFileError("too-large", f"more than {max_bytes:,} bytes")
    return data


class _NeverWaiting(io.FileIO):
    """A file that was opened without waiting: what keeps its reader waiting is no file to read.

    Some of what the system calls regular files (`/proc/kmsg`) are streams. Python says None then.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        super().__init__(descriptor, "rb")
        self.path = path

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        count: int = self._found(super().readinto, buffer)
        return count

    def readall(self) -> bytes:
        return self._found(super().readall)

    def _found(self, read: Callable[P, T | None], *given: P.args, **more: P.kwargs) -> T:
        with naming(Path(self.path)) if self.path else nullcontext():
            found = read(*given, **more)
        if found is None:
            what = "it waits for something, as no file does"
            raise BlockingIOError(errno.EAGAIN, what, self.path)
        return found


def reading_from(descriptor: int, path: str) -> BinaryIO:
    """The file that was opened so; reading raises an `OSError` where Python would say None."""
    return io.BufferedReader(_NeverWaiting(descriptor, path))


def read_up_to(file: BinaryIO, most: int) -> bytes:
    """The first `most` bytes; memory is taken for what the file has, not for what it may have."""
    data = file.read(min(most, os.fstat(file.fileno()).st_size + 1))
    while len(data) < most and (more := file.read(min(most - len(data), 1 << 20))):
        data += more
    return data
