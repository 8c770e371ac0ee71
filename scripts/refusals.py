"""What scripts started by Hydra share: whatever the user can mend is one message, exit code 2.

    @hydra.main(...)
    def main(config):
        with told():                # what our code refuses; a sweep hears of it too
            ...

    if __name__ == "__main__":
        run(main)                   # what Hydra itself refuses: an unknown key, no such choice

A fault of the program keeps its traceback; HYDRA_FULL_ERROR=1 shows one for refusals too.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException

from gen.errors import HouseError

FULL = "HYDRA_FULL_ERROR"
MENDABLE = (HouseError, HydraException, OmegaConfBaseException)
_SEE = "--cfg job shows every setting, --help what each means"
_EXTRAS = {
    "Could not find 'hydra/sweeper/optuna'": "sweeps",
    "Could not find 'hydra/launcher/submitit": "sweeps",
    "Could not find 'hydra/launcher/ray'": "cluster",
}
"""What Hydra says where an extra of this project is not installed."""
_ADD_ANYWAY = re.compile(r"To append to .*\n?")  # … a key that nothing would read


@contextmanager
def told() -> Iterator[None]:
    """End the program with exit code 2 for what the user can mend, 130 for Ctrl-C.

    In a sweep the error goes on to the sweeper, which may try other settings.
    """
    try:
        yield
    except MENDABLE as error:
        if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
            raise
        print(message(error), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)


def run(main: Callable[[], object]) -> None:
    """Call a function made by `hydra.main`."""
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    ours = {
        FULL: "1",  # Hydra raises what it would else print in its own way and exit 1 for
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),  # jobs of a launcher find this file
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        main()
    except Exception as error:
        is_refusal = isinstance(error, MENDABLE) or _is_raised_by_hydra(error)
        if before[FULL] == "1" or not is_refusal:
            raise
        print(message(error), file=sys.stderr)
        sys.exit(2)
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def _is_raised_by_hydra(error: Exception) -> bool:
    """Hydra says some refusals with plain exceptions, such as ValueError for `model=null`."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")).startswith("hydra.")


def message(error: Exception) -> str:
    """What is wrong, where, and how to mend it."""
    if isinstance(error, HouseError):
        return str(error)
    said = [str(error)]
    if isinstance(error.__cause__, OmegaConfBaseException) and str(error.__cause__) not in said[0]:
        said.append(str(error.__cause__))
    lines = _ADD_ANYWAY.sub("", "\n".join(said)).splitlines()
    kept = [line for line in lines if line.strip() and not line.strip().startswith("object_type=")]
    # Hydra does not say which group it is that something was asked of but a choice.
    where = "" if isinstance(error, MENDABLE) else " ".join(sys.argv[1:])
    for text, extra in _EXTRAS.items():
        if text in said[0]:
            return str(HouseError(kept[0], mend=f'.venv/bin/pip install -e ".[{extra}]"'))
    return str(HouseError("\n".join(kept), where=where, mend=_SEE))
