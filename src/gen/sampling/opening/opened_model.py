"""A model and the house that it is of, read and verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.checkpoint import Checkpoint, load_checkpoint
from gen.errors import HouseError, SettingError
from gen.harmony import nearest
from gen.provenance.history.granted import check_granted, missing_grants
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Retired, Run
from gen.provenance.houses.house import House
from gen.provenance.manifests.recorded import run_if_recorded
from gen.provenance.records.consent import ARTIST_MODEL
from gen.provenance.records.pin import by_name, load_pin
from gen.provenance.records.terms import SALE, SAMPLING, STYLE
from gen.sampling.opening.checkpoints import find_checkpoint
from gen.sampling.opening.comparing import LearnedReader
from gen.sampling.opening.house_lines import SignedLines
from gen.sampling.opening.works import Behind
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
        learned: reads what pieces are compared with; None where they are not.
        retired: the act that retired the model, which is used all the same; None for the others.
    """

    path: Path
    house: House
    register: Register
    checkpoint: Checkpoint
    run: Run | None
    learned: LearnedReader | None
    retired: Retired | None = None

    @classmethod
    def of(cls, request: SampleRequest, before: Opened | None = None) -> Opened:
        """Open what a request is asked of.

        Args:
            request: what is asked for.
            before: what was opened for another request. The same model is not read again; what
                the house's log says of it is judged again, and as the log now is.

        Raises:
            HouseError: the checkpoint or the house cannot be used, the model was retired, or the
                terms of its works do not grant that it writes.
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
        retired = _retired(register, checkpoint, is_known=places.retired)
        check_terms(request, checkpoint, register, run)
        learned = before.learned if before else None
        if learned is not None and learned.has_failed:
            learned = None
        if request.run.originality != OFF and learned is None:
            pins = by_name([house.pin, *map(load_pin, map(Path, places.base_pins))])
            others = [House(pin) for name, pin in pins.items() if name != house.pin.name]
            signed = SignedLines.beside(path, house, register)
            learned = LearnedReader(Behind.of(house, manifest, register, others, signed))
        return cls(path, house, register, checkpoint, run, learned, retired)

    @property
    def said(self) -> dict[str, Any]:
        """What receipts say of the model besides; nothing of most."""
        works = self.checkpoint.manifest.works_here
        found: dict[str, Any] = {}
        if self.retired:
            found["retired"] = {"act": self.retired.index, "by": self.retired.by}
        if count := sum(1 for work in works if self.register.works[work].terms):
            run = self.run.index if self.run else None
            lacking = missing_grants(self.register, works, SALE, run)
            found["terms"] = {"works": count, "not_for_sale_by": sorted({m.work for m in lacking})}
        return found


def _retired(register: Register, checkpoint: Checkpoint, *, is_known: bool) -> Retired | None:
    """The act that retired this model.

    Raises:
        SettingError: there is one, and nobody said that the model is to write all the same.
    """
    retired = register.retired(checkpoint.digest)
    if retired and not is_known:
        raise SettingError(
            f"was retired by {retired.by}, act {retired.index}: {retired.reason or 'no reason'}",
            where="checkpoint",
            mend="take another model; or, knowing that, retired=true, and receipts say so",
        )
    return retired


def check_terms(
    request: SampleRequest, checkpoint: Checkpoint, register: Register, run: Run | None
) -> None:
    """Whether the composers of the works behind a model grant that it writes, and in this style.

    Raises:
        NotGranted: one with terms does not.
    """
    works, index = checkpoint.manifest.works_here, run.index if run else None
    check_granted(register, works, SAMPLING, index)
    if style := request.controls.style:
        records = {work: register.works.get(work) for work in works}
        theirs = [work for work, known in records.items() if known and known.is_composer(style)]
        check_granted(register, theirs, STYLE, index)


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
