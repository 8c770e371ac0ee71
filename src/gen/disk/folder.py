"""Files below one folder, reached from the folder's own handle: no link on the way is followed.

A place is a relative path with forward slashes, at most two names long: `roster.json`,
`inbox/rain.mid`. The folder itself may be a link, since a person named it; nothing below may.
Where the platform opens a name relative to a folder's handle (Linux, macOS), each name of a
place is opened that way, so swapping a folder for a link meanwhile changes nothing. Elsewhere
(Windows) each folder on the way is looked at before and after it is used.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gen.disk.kinds import Spot, UnfitFileError, is_link, kind_of, naming, open_plain, read_plain
from gen.disk.writing import beside, patiently, write_new
from gen.errors import found_in

HAS_HANDLES = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether a name can be opened relative to a folder's handle, without following a link."""
MAX_NAMES = 2
_OWN_FILE = "put the file itself in its place, as the house's last intact copy has it"
_OWN_FOLDER = "move it away, and put the house's own folder in its place"


def names_of(place: str) -> list[str]:
    """The names of a place, outermost first.

    Raises:
        UnfitFileError: `wrong-place`: it is no place inside a folder.
    """
    names = place.split("/")
    if len(names) > MAX_NAMES or any(
        name in {"", ".", ".."} or set(name) & {"\\", ":", "\0"} for name in names
    ):
        raise UnfitFileError("wrong-place", f"{place[:80]!r} is no place inside a house")
    return names


class Folder:
    """One folder and the files below it; a place that is reached through a link is refused.

    Every method raises UnfitFileError where a name on the way is a link or no folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    # -- reading ----------------------------------------------------------------------------

    def read(self, place: str, max_bytes: int) -> bytes:
        """Read a plain file once.

        Raises:
            UnfitFileError: `symlink`, `not-a-file`, `hard-link`, `swapped`, `too-large`,
                `wrong-place` or `unreadable`.
            FileNotFoundError: nothing is there.
        """
        with self._plain(place), self._parent(place) as spot:
            return read_plain(open_plain(spot, os.O_RDONLY), max_bytes)

    def read_if_there(self, place: str, max_bytes: int) -> bytes | None:
        """As `read`; None where nothing is there."""
        try:
            return self.read(place, max_bytes)
        except FileNotFoundError:
            return None

    def open(self, place: str) -> BinaryIO:
        """Open a plain file for reading. Errors as `read`."""
        with self._plain(place), self._parent(place) as spot:
            return os.fdopen(open_plain(spot, os.O_RDONLY), "rb")

    def open_to_change(self, place: str) -> BinaryIO:
        """Open a plain file for reading and writing, made empty if it is absent."""
        with self._plain(place), self._parent(place, make=True) as spot:
            return os.fdopen(open_plain(spot, os.O_RDWR | os.O_CREAT), "r+b")

    def look(self, place: str) -> os.stat_result | None:
        """What lies at `place`, itself and not what it may link to; None for nothing."""
        try:
            with self._parent(place) as spot:
                return spot.look()
        except FileNotFoundError:
            return None

    def exists(self, place: str) -> bool:
        """Whether anything lies at `place`, of whatever kind."""
        return self.look(place) is not None

    def names(self, place: str = "") -> list[str]:
        """What lies in one of the folders (or in the folder itself), sorted; absent is empty."""
        try:
            with self._folder(place) as spot:
                return sorted(os.listdir(spot.name if spot.handle is None else spot.handle))
        except FileNotFoundError:
            return []

    def is_writable(self, place: str = "") -> bool:
        """Whether this user may add and remove names there; an absent folder can be made."""
        try:
            with self._folder(place) as spot:
                return os.access(spot.name, os.W_OK | os.X_OK, dir_fd=spot.handle)
        except FileNotFoundError:
            return bool(place) and self.is_writable()

    # -- changing ---------------------------------------------------------------------------

    def write(self, files: Mapping[str, bytes]) -> None:
        """Replace each place by its bytes; after a crash each is old or new, and none half.

        No place takes its new bytes before all of them are on the disk.
        """
        with naming(self.root / next(iter(files), "")), ExitStack() as stack:
            names = {place: "/".join(names_of(place)).rpartition("/") for place in files}
            folders = {
                above: stack.enter_context(self._folder(above, make=True))
                for above in {above for above, _, _ in names.values()}
            }
            spots = {p: _named_in(folders[above], name) for p, (above, _, name) in names.items()}
            news = {
                p: _named_in(folders[above], beside(name)) for p, (above, _, name) in names.items()
            }
            try:
                self._write_new({news[place]: data for place, data in files.items()})
                for place, new in news.items():
                    self._rename(new, spots[place])
            finally:
                for new in news.values():
                    new.unlink()
            for folder in folders.values():
                self._sync(folder.handle)

    def move(self, source: str, target: str) -> None:
        """Rename a file, over what is there; nothing happens where `source` is absent."""
        with naming(self.root / target), self._parent(target, make=True) as there:
            try:
                with self._parent(source) as here:
                    self._rename(here, there)
            except FileNotFoundError:
                return
            self._sync(there.handle)

    def remove(self, place: str) -> None:
        """Remove a file or a link (never what it links to); absent is fine."""
        with suppress(FileNotFoundError), naming(self.root / place), self._parent(place) as spot:
            spot.unlink()

    def remove_folder(self, place: str) -> None:
        """Remove a flat folder with its files, or the link or file that stands in its place."""
        found = self.look(place)
        if found is None:
            return
        if not stat.S_ISDIR(found.st_mode) or is_link(found):
            self.remove(place)
            return
        for name in self.names(place):
            self.remove(f"{place}/{name}")
        with suppress(FileNotFoundError), self._parent(place) as spot:
            os.rmdir(spot.name, dir_fd=spot.handle)

    def make_folder(self, place: str = "") -> None:
        """Make the folder, or one of its own; there already is fine."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._folder(place, make=True):
            pass

    # -- one step each ----------------------------------------------------------------------

    def _write_new(self, files: Mapping[Spot, bytes]) -> None:
        """Write files that nobody reads yet, and have them on the disk when this returns."""
        write_new(files)

    def _rename(self, source: Spot, target: Spot) -> None:
        patiently(
            lambda: os.replace(
                source.name, target.name, src_dir_fd=source.handle, dst_dir_fd=target.handle
            )
        )

    def _sync(self, handle: int | None) -> None:
        """Make renames in a folder durable. Windows has no such call and needs none."""
        if handle is not None:
            os.fsync(handle)

    # -- the way there ----------------------------------------------------------------------

    @contextmanager
    def _plain(self, place: str) -> Iterator[None]:
        """What is said of a file that is unfit, but for what of it."""
        try:
            yield
        except UnfitFileError:
            with found_in(self.root / place, _OWN_FILE):
                raise

    @contextmanager
    def _parent(self, place: str, *, make: bool = False) -> Iterator[Spot]:
        """Where the last name of `place` is, with the folders before it opened."""
        *above, name = names_of(place)
        with self._folder("/".join(above), make=make) as folder:
            yield _named_in(folder, name)

    @contextmanager
    def _folder(self, place: str, *, make: bool = False) -> Iterator[Spot]:
        names = names_of(place) if place else []
        walk = self._by_handles if HAS_HANDLES else self._by_looking
        with walk(names, make) as spot:
            yield spot

    @contextmanager
    def _by_handles(self, names: list[str], make: bool) -> Iterator[Spot]:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        with ExitStack() as stack:
            handle = os.open(self.root, flags)
            stack.callback(os.close, handle)
            for name in names:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=handle)
                try:
                    handle = os.open(name, flags | os.O_NOFOLLOW, dir_fd=handle)
                except OSError as error:
                    if error.errno in (errno.ENOTDIR, errno.ELOOP):
                        _check_folder(name, Spot(handle, name).look())
                    raise
                stack.callback(os.close, handle)
            yield Spot(handle, ".")

    @contextmanager
    def _by_looking(self, names: list[str], make: bool) -> Iterator[Spot]:
        way = [self.root.joinpath(*names[: i + 1]) for i in range(len(names))]
        if make:
            for step in way:
                step.mkdir(exist_ok=True)
        before = [_look_at_folder(step) for step in way]
        yield Spot(None, str(self.root.joinpath(*names)))
        if before != [_look_at_folder(step) for step in way]:
            raise UnfitFileError("swapped", "a folder took another's place meanwhile")


def _named_in(folder: Spot, name: str) -> Spot:
    return Spot(folder.handle, name if folder.handle is not None else f"{folder.name}/{name}")


def _look_at_folder(path: Path) -> tuple[int, int]:
    found = path.lstat()
    _check_folder(path.name, found)
    return found.st_dev, found.st_ino


def _check_folder(name: str, found: os.stat_result) -> None:
    if is_link(found):
        raise UnfitFileError(
            "symlink", f"the folder {name[:80]!r} is a symbolic link", mend=_OWN_FOLDER
        )
    if not stat.S_ISDIR(found.st_mode):
        raise UnfitFileError(
            "not-a-file",
            f"{name[:80]!r} is a {kind_of(found.st_mode)}, no folder",
            mend=_OWN_FOLDER,
        )
