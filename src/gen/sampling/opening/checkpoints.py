"""Which checkpoint is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gen.checkpoint import SUFFIX
from gen.disk.reading import CHECKPOINT, NamedFileError, sha256_of
from gen.errors import HouseError
from gen.places import of_project

LAST: Final = "last"
SHIPPED: Final = Path("data/house_model") / f"starter{SUFFIX}"
"""The trained model that comes with the starter house."""


def find_checkpoint(name: str) -> Path:
    """The file a checkpoint setting means.

    Args:
        name: a path, or `last`: the newest of any run, and before the first run the shipped one.

    Raises:
        HouseError: there is none.
    """
    if name != LAST:
        return Path(name)
    found = [*_shipped(), *_checkpoints("best")]
    if not found:
        raise HouseError(
            f"no run has left a checkpoint under outputs/, and {SHIPPED} is not here",
            where="checkpoint", mend="train one with scripts/train.py, or name a file",
        )  # fmt: skip
    return found[-1]


def _shipped() -> list[Path]:
    """The project's own, wherever the command was called from."""
    path = of_project(SHIPPED)
    return [path] if path.is_file() else []


def _checkpoints(stem: str) -> list[Path]:
    """Files of this name that runs have left, oldest first."""
    found = [path for path in Path("outputs").glob(f"*/*/{stem}{SUFFIX}") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def _kept() -> list[Path]:
    """Every checkpoint that is here, those of the demo too."""
    demo = [Path("out/demo/run") / f"{stem}{SUFFIX}" for stem in ("best", "last")]
    fixed = [path for path in demo if path.is_file()]
    return [*_shipped(), *fixed, *_checkpoints("best"), *_checkpoints("last")]


def checkpoint_of(name: str, digest: str) -> Path:
    """The checkpoint that a receipt names, whatever it is called.

    Raises:
        HouseError: the named file is another, or no run has left it here.
    """
    if name != LAST:
        found = sha256_of(name, CHECKPOINT)
        if found == digest:
            return Path(name)
        raise HouseError(
            f"is another checkpoint than the receipt names: {found[:12]}…, not {digest[:12]}…",
            where=name, mend="name the right one: checkpoint=FILE",
        )  # fmt: skip
    unread: list[str] = []
    for path in _kept():
        try:
            if sha256_of(path, CHECKPOINT) == digest:
                return path
        except NamedFileError as error:  # another may be the one
            unread.append(f"; {path} could not be read: {error.what}")
    raise HouseError(
        f"no run here has left the one that the receipt names (SHA-256 {digest}){''.join(unread)}",
        where="checkpoint", mend="name its file: checkpoint=FILE",
    )  # fmt: skip
