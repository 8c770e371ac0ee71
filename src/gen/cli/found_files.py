"""MIDI files on disk: those in a folder, and those that come into one that is watched.

A watched folder is looked at again and again, by names, sizes and times of change: this works on
every system, and on shares of a network, where notices of the system do not.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gen.cli.careful import echo
from gen.errors import counted

SUFFIXES = (".mid", ".midi", ".smf", ".rmi", ".kar", ".midi2")
"""What is looked at in a folder; a `.midi2` clip only to be told apart."""
BESIDE = "._"
"""How names begin of what macOS keeps beside files on other systems' disks."""

EVERY_SECONDS = 0.5
"""From one look to the next; a file that is the same in two of them has stopped growing."""

State = tuple[int, int]
"""Size in bytes and time of change in nanoseconds."""


def midi_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files as they are named, and those inside named folders."""
    passed_over = 0
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = list(_inside(path))
        beside = [file for file in found if file.name.startswith(BESIDE)]
        passed_over += len(beside)
        yield from (file for file in found if file not in beside)
    if passed_over:
        what = counted(passed_over, "file")
        echo(f"{what} passed over that macOS keeps beside others ({BESIDE}…)", err=True)


def arrivals(folder: Path, wait: Callable[[float], None] = time.sleep) -> Iterator[Path]:
    """Each file that is new, or other than it was, as soon as it has stopped growing; for ever.

    Args:
        folder: what lies in it at the first look counts as known.
        wait: passes some seconds.
    """
    known = before = _states(folder)
    while True:
        wait(EVERY_SECONDS)
        now = _states(folder)
        for path, state in now.items():
            if known.get(path) != state == before.get(path) and _is_whole(path, state):
                known[path] = state
                yield path
        known = {path: state for path, state in known.items() if path in now}
        before = now


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        if path.name.startswith(BESIDE) or not path.is_dir():
            yield path


def _states(folder: Path) -> dict[Path, State]:
    found = {}
    for path in _inside(folder):
        with suppress(OSError):  # gone since it was listed
            state = path.stat()
            if stat.S_ISREG(state.st_mode) and not path.name.startswith(BESIDE):
                found[path] = (state.st_size, state.st_mtime_ns)
    return found


def _is_whole(path: Path, state: State) -> bool:
    """Whether it holds something and can be read: on Windows who writes it may keep it shut."""
    try:
        with path.open("rb") as file:
            return state[0] > 0 and bool(file.read(1))
    except OSError:
        return False
