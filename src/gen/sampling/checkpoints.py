"""Which file a checkpoint setting means."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from gen.checkpoint import SUFFIX
from gen.errors import HouseError

LAST: Final = "last"


def find_checkpoint(name: str) -> Path:
    """The file a checkpoint setting means: a path, or `last` for the newest of any run or demo.

    Raises:
        HouseError: there is none.
    """
    if name != LAST:
        return Path(name)
    found = _checkpoints("best")
    if not found:
        raise HouseError(
            "no run has left a checkpoint under outputs/, nor `make demo` one under out/demo/",
            where="checkpoint", mend="train one with scripts/train.py, or name a file",
        )  # fmt: skip
    return found[-1]


def _checkpoints(stem: str) -> list[Path]:
    """Files of this name that runs and demo have left, oldest first."""
    places = [*Path("outputs").glob("*/*"), Path("out/demo/run")]
    found = [place / f"{stem}{SUFFIX}" for place in places]
    return sorted((f for f in found if f.is_file()), key=lambda path: path.stat().st_mtime)


def checkpoint_of(name: str, digest: str) -> Path:
    """The checkpoint that a receipt names, whatever it is called.

    Raises:
        HouseError: the named file is another, or no run has left it here.
    """
    for path in [Path(name)] if name != LAST else [*_checkpoints("best"), *_checkpoints("last")]:
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise HouseError(
                f"cannot be read ({error.strerror})", where=str(path), mend="checkpoint=FILE"
            ) from error
        if found == digest:
            return path
        if name != LAST:
            raise HouseError(
                f"is another checkpoint than the receipt names: {found[:12]}…, not {digest[:12]}…",
                where=name, mend="name the right one: checkpoint=FILE",
            )  # fmt: skip
    raise HouseError(
        f"no run here has left the one that the receipt names (SHA-256 {digest})",
        where="checkpoint", mend="name its file: checkpoint=FILE",
    )  # fmt: skip
