"""What a reader of a report must know of models that the house's log does not vouch for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gen.checkpoint import Checkpoint
from gen.errors import HouseError, found_in
from gen.provenance.houses.house import House
from gen.provenance.manifests.recorded import run_if_recorded
from gen.provenance.records.pin import Pin


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
        HouseError: the log does not vouch for one, and nobody asked for it; or one is of another
            house, and none of the others began with it.
    """
    register, found = House(pin).load(), []
    behind = {base.file_sha256 for each in checkpoints for base in each.manifest.bases}
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        if (elsewhere := checkpoint.manifest.house) != pin.name:
            found.append(_said_of(path, elsewhere, pin, is_behind=checkpoint.digest in behind))
            continue
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


def _said_of(path: Path, elsewhere: str, pin: Pin, *, is_behind: bool) -> str:
    """Of a model of another house, for which the record of the one that began with it speaks.

    Raises:
        HouseError: none did.
    """
    if not is_behind:
        raise HouseError(
            f"learned from works of the house {elsewhere!r}, the pin is that of {pin.name!r}",
            where=str(path), mend="measure it in its own house (pin=FILE), or beside a model of "
            f"{pin.name} that began with it (init=FILE)",
        )  # fmt: skip
    return (
        f"{path} is of the house {elsewhere}, whose log was not asked: that a model measured here "
        "began with this very file is recorded. Works learned from are, for it, too, those of "
        f"{pin.name}, which it has not read, but for relatives of its own."
    )
