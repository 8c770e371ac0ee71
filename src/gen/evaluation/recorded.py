"""What a reader of a report must know of models that the house's log does not vouch for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gen.checkpoint import Checkpoint
from gen.errors import found_in
from gen.provenance.house import House
from gen.provenance.pin import Pin
from gen.provenance.recorded import run_if_recorded


def notes_on(
    pin: Pin, paths: Sequence[Path], checkpoints: Sequence[Checkpoint], *, unrecorded: bool
) -> list[str]:
    """A sentence on each checkpoint whose training the log does not show.

    Args:
        pin: of the house that they learned from.
        paths: of their files.
        checkpoints: as they were read.
        unrecorded: take those, too, that the log does not vouch for.

    Raises:
        HouseError: the log does not vouch for one, and nobody asked for it.
    """
    register, found = House(pin).load(), []
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        with found_in(path):
            run = run_if_recorded(checkpoint.file, register, unrecorded=unrecorded)
        if run is None:
            found.append(
                f"Nothing shows what {path} learned from: the log of {pin.name} vouches for no run "
                "that left it."
            )
        elif run.is_asserted:
            found.append(f"That {path} learned from its works is asserted, not recorded: {run}.")
    return found
