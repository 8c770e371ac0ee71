"""A run that was refused leaves no folder."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WRITTEN_FIRST = ("config.yaml", "hydra.yaml", "overrides.yaml", "multirun.yaml")
"""What Hydra writes into a run's folder before it begins."""


@contextmanager
def remove_if_nothing_was_done(folder: Path, inside: str | None) -> Iterator[None]:
    """Remove the folder where what happens inside ends in an error before anything was written.

    Args:
        folder: of a run.
        inside: name of the folder in it for Hydra's own records; None for none, and then it is
            no folder of a run.
    """
    try:
        yield
    except (Exception, SystemExit):
        if inside is not None:
            remove_if_untouched(folder)
        raise


def remove_if_untouched(folder: Path) -> None:
    """Remove a run's folder that holds nothing but what is there before a run begins."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    if any(path.name not in WRITTEN_FIRST and not _is_log(path) for path in files):
        return
    if not any(path.name in WRITTEN_FIRST for path in files):
        return  # a folder of somebody else's
    _close_logs()
    shutil.rmtree(folder, ignore_errors=True)
    for parent in list(folder.parents)[:2]:  # outputs/<name>, outputs
        with suppress(OSError):  # what is not empty stays
            parent.rmdir()


def _is_log(path: Path) -> bool:
    return path.suffix == ".log" and not path.is_symlink()


def _close_logs() -> None:
    """Let go of log files, which some systems remove only when nobody has them open."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, logging.FileHandler)]:
        root.removeHandler(handler)
        handler.close()
