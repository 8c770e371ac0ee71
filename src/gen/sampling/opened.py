"""A model and the house that it is of, read and verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gen.checkpoint import Checkpoint, load_checkpoint
from gen.errors import HouseError, SettingError
from gen.harmony import nearest
from gen.likeness.originality import LearnedMusic
from gen.provenance.consent import ARTIST_MODEL
from gen.provenance.house import House
from gen.provenance.pin import load_pin
from gen.provenance.recorded import run_if_recorded
from gen.provenance.register import Register
from gen.provenance.runs import Run
from gen.sampling.checkpoints import find_checkpoint, learned_music
from gen.sampling.receipt import OFF
from gen.sampling.request import SampleRequest


@dataclass(frozen=True, slots=True)
class Opened:
    """A model and the house that it is of, read and verified.

    Attributes:
        path: the model's file.
        house, register: whose model it is, and the house's register as it was read.
        checkpoint: the model.
        run: what the log knows of it; None where it does not know it.
        learned: what pieces are compared with; None where they are not.
    """

    path: Path
    house: House
    register: Register
    checkpoint: Checkpoint
    run: Run | None
    learned: LearnedMusic | None

    @classmethod
    def of(cls, request: SampleRequest, before: Opened | None = None) -> Opened:
        """Open what a request is asked of.

        Args:
            request: what is asked for.
            before: what was opened for another request. The same model is not read again; what
                the house's log says of it is judged again, and as the log now is.

        Raises:
            HouseError: the checkpoint or the house cannot be used.
        """
        places = request.places
        house = House(load_pin(Path(places.pin)))
        path = find_checkpoint(places.checkpoint)
        if before and (before.path, before.house.folder) != (path, house.folder):
            before = None
        checkpoint = before.checkpoint if before else load_checkpoint(path)
        checkpoint.model.to(request.run.device)
        manifest = checkpoint.manifest
        if manifest.house != house.pin.name:
            raise HouseError(
                f"says that it learned from the house {manifest.house!r}, the pin is that of "
                f"{house.pin.name!r}", where="checkpoint",
                mend=f"name its own house: pin=conf/house/{manifest.house}.yaml",
            )  # fmt: skip
        register = house.load(since=before.register if before else None)
        manifest.check_entered(register)
        run = run_if_recorded(checkpoint.file, register, unrecorded=places.unrecorded)
        learned = before.learned if before else None
        if request.run.originality != OFF and learned is None:
            learned = learned_music(house, manifest, register)
        return cls(path, house, register, checkpoint, run, learned)


def style_number(person: str, checkpoint: Checkpoint, register: Register) -> int:
    """The checkpoint's number for a composer's style.

    Raises:
        SettingError: it knows no styles or not this one, or the composer allows no model of
            themselves any more.
    """
    styles = {owner: int(number) for number, owner in checkpoint.run.get("styles", {}).items()}
    if not styles:
        raise SettingError(
            "the checkpoint was not taught whose style is whose", where="style",
            mend="leave it out, or train with data.styles=true where composers allow it",
        )  # fmt: skip
    nearest(person, styles, setting="style")
    scope = f"{ARTIST_MODEL}:{person}"
    if not any(_allows(register, work.work, scope) for work in checkpoint.manifest.works):
        raise SettingError(
            f"{person} allows no model of themselves any more", where="style",
            mend="leave it out; the checkpoint is to be retired or trained anew",
        )  # fmt: skip
    return styles[person]


def _allows(register: Register, work: str, scope: str) -> bool:
    record = register.works.get(work)
    if record is None or record.withdrawn_at is not None:
        return False
    return register.consent_of(record).allows(scope, register.today())
