"""The disk: reading what a person names, files below a folder, writing whole, locking."""

from gen.disk.folder import Folder
from gen.disk.kinds import UnfitFileError
from gen.disk.locking import BusyError, locked
from gen.disk.writing import (
    check_can_write,
    real_path,
    unfinished,
    write_all_atomically,
    write_atomically,
)

__all__ = [
    "BusyError",
    "Folder",
    "UnfitFileError",
    "check_can_write",
    "locked",
    "real_path",
    "unfinished",
    "write_all_atomically",
    "write_atomically",
]
