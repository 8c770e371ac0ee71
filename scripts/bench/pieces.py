"""Memory of one command that writes many pieces: what its processes hold after so many of them.

The command is run as people run it; whenever it has said that so many pieces are finished, the
memory of it and of all that it started is added up, pages that they share counted once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gen.errors import HouseError

_SAMPLE = Path(__file__).parents[1] / "sample.py"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py pieces`."""
    add = parser.add_argument
    add("--after", type=int, nargs="+", default=[20, 100, 300], help="pieces: looked at after each")
    add("--bars", type=int, default=16, help="of each piece")
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of scripts/sample.py, such as audio=false")  # fmt: skip


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Megabytes after each number of pieces, and once more when the last page is written.

    Raises:
        HouseError: the command failed, or the system does not tell what memory processes have.
    """
    if not Path("/proc/self/smaps_rollup").is_file():
        raise HouseError(
            "this system does not tell what memory a process has of its own",
            where="benchmark.py pieces", mend="run it on Linux",
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        count, started = max(args.after), time.perf_counter()
        words = [f"n={count}", f"bars={args.bars}", "sign=off", f"out={folder}", *args.set]
        rows = [
            {"pieces": number, "seconds": time.perf_counter() - started, "megabytes": megabytes}
            for number, megabytes in _held(words)
            if number in args.after
        ]
    return {"bars": args.bars, "memory": rows}


def _held(words: list[str]) -> Iterator[tuple[int, float]]:
    """How many pieces are finished and what is held then, as each is."""
    command = [sys.executable, str(_SAMPLE), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        said = (line for line in process.stdout if line.rstrip().endswith(".mid"))
        for number, _ in enumerate(said, start=1):
            yield number, sum(map(own_bytes, family(process.pid))) / 1e6
    if process.returncode:
        raise HouseError(f"ended with exit code {process.returncode}", where="scripts/sample.py")


def family(process: int) -> Iterator[int]:
    """A process and all that it, and those, started and that are there still."""
    yield process
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _text(listing).split():
            yield from family(int(child))


def own_bytes(process: int) -> int:
    """Memory of a process that no file stands behind, its share where others have it, too."""
    for line in _text(Path(f"/proc/{process}/smaps_rollup")).splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    return 0  # it has ended


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
