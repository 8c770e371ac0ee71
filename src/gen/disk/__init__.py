"""The disk: reading what a person names, files below a folder, writing whole, locking."""

from gen.disk.folder import Folder
from gen.disk.kinds import UnfitFileError
from gen.disk.locking import BusyError, locked
from gen.disk.writing import real_path, unfinished, write_all_atomically, write_atomically

__all__ = [
    "BusyError",
    "Folder",
    "UnfitFileError",
    "locked",
    "real_path",
    "unfinished",
    "write_all_atomically",
    "write_atomically",
]
