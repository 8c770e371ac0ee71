"""Whatever the user can mend is one message and exit code 2; a fault of ours keeps its traceback.

HYDRA_FULL_ERROR=1 shows a traceback for refusals too. A run that was refused leaves no folder.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from gen.cli.known import SEE
from gen.errors import HouseError
from gen.terminal import refusal_of

FULL = "HYDRA_FULL_ERROR"
MENDABLE = (HouseError, HydraException, OmegaConfBaseException)
_EXTRAS = {
    "Could not find 'hydra/sweeper/optuna'": "sweeps",
    "Could not find 'hydra/launcher/submitit": "sweeps",
    "Could not find 'hydra/launcher/ray'": "cluster",
}
"""What Hydra says where an extra of this project is not installed."""
WRITTEN_FIRST = ("config.yaml", "hydra.yaml", "overrides.yaml", "multirun.yaml")
"""What Hydra writes into a run's folder before it begins."""


@contextmanager
def refusals_said(arguments: Sequence[str], *, is_one_of_many: bool = False) -> Iterator[None]:
    """End the program with exit code 2 for what the user can mend, 130 for Ctrl-C.

    Args:
        arguments: the command line, for errors that do not say where they are.
        is_one_of_many: whether it is a run of a sweep: then the error goes on to the sweeper,
            which may try other settings.
    """
    try:
        yield
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        refusal = _of_the_system(error) or error
        is_refusal = isinstance(refusal, MENDABLE) or _is_raised_by_hydra(error)
        if is_one_of_many or os.environ.get(FULL) == "1" or not is_refusal:
            raise
        print(message(refusal, arguments), file=sys.stderr)
        sys.exit(2)


def _of_the_system(error: Exception) -> HouseError | None:
    """What a disk says of a file; of an output, which has no name, `failures_said` knows more."""
    if isinstance(error, OSError) and error.filename is not None:
        return refusal_of(error)
    return None


def _is_raised_by_hydra(error: Exception) -> bool:
    """Hydra says some refusals with plain exceptions, such as ValueError for `model=null`."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")).startswith("hydra.")


def message(error: Exception, arguments: Sequence[str]) -> str:
    """What is wrong, where, and how to mend it."""
    if isinstance(error, HouseError):
        return str(error)
    messages = [str(error)]
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and str(cause) not in messages[0]:
        messages.append(str(cause))
    lines = "\n".join(messages).splitlines()
    kept = [line for line in lines if line.strip() and not line.strip().startswith("object_type=")]
    # Hydra does not say which group it is that something was asked of but a choice.
    where = "" if isinstance(error, MENDABLE) else " ".join(arguments)
    for text, extra in _EXTRAS.items():
        if text in messages[0]:
            return str(HouseError(kept[0], mend=f'.venv/bin/pip install -e ".[{extra}]"'))
    return str(HouseError("\n".join(kept), where=where, mend=SEE))


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
