"""A further command, whole, as it works where this one was called."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen.provenance.houses.house import House

_SCRIPTS = ("contribute.py", "house.py")


def command_line(script: str, words: Iterable[str | Path], house: House | None) -> str:
    """A command that works as printed: by the same Python, the script beside the one that was
    called, and for the house that is meant.

    Args:
        script: a file of the folder `scripts`.
        words: its arguments.
        house: whose folder is named, and whose pin where nothing leads to it; None names none.
    """
    called = Path(sys.argv[0])
    is_called = called.name in _SCRIPTS
    python, folder = (sys.orig_argv[0], called.parent) if is_called else ("python", Path("scripts"))
    command = [python, (folder / script).as_posix(), *map(str, words)]
    if house is not None:
        command += ["--house", str(house.folder)]
        if house.pin.path is not None and not _is_found(house.pin.path, house):
            command += ["--pin", str(house.pin.path.absolute())]
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _is_found(pin: Path, house: House) -> bool:
    """Whether a command that names no pin finds this one."""
    from gen.provenance.records.pin import PinError, find_pin

    try:
        found = find_pin(house.folder).path
    except PinError:
        return False
    return found is not None and found.absolute() == pin.absolute()
