"""Whether a run may begin with a model, by the logs of all houses whose works are behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from gen.errors import HouseError, in_lines
from gen.provenance.consent import GENERAL_MODEL, Consent, artist_of
from gen.provenance.manifest import Manifest
from gen.provenance.model_file import ModelFile
from gen.provenance.recorded import file_of, run_behind
from gen.provenance.register import Register
from gen.provenance.runs import Run

_MOST_SAID: Final = 20


def check_base(file: ModelFile, purpose: str, registers: Mapping[str, Register]) -> Run:
    """Whether a run for this purpose may begin with a model; the run that left it.

    The log of each house behind the model has to vouch for it, and its works have to be consented
    to today: for what they were used for, and for `purpose`. To a model of one artist those also
    lend themselves that are allowed in a model of all.

    Args:
        file: the model.
        purpose: of the run that begins with it.
        registers: of the houses, by their names.

    Raises:
        HouseError: a house behind it is not among them, its log does not know the model, or a work
            was withdrawn or is not consented to.
    """
    runs: list[Run] = []
    problems: list[str] = []
    for each in (file, *map(file_of, file.manifest.bases)):
        register = _register_of(each.manifest, registers)
        runs.append(run_behind(each, register))
        problems += _problems(each.manifest, purpose, register, register.today())
    if problems:
        listing = in_lines(dict.fromkeys(problems[:_MOST_SAID]))
        raise HouseError(
            f"no run for {purpose} may begin with this model: {len(problems)} of the works behind "
            f"it do not allow it{listing}",
            mend="begin with a model of works that do, or train without init",
        )
    return runs[0]


def _register_of(manifest: Manifest, registers: Mapping[str, Register]) -> Register:
    if manifest.house not in registers:
        raise HouseError(
            f"works of the house {manifest.house!r} are behind it, and no pin says what is trusted "
            "about that house",
            mend="name its trust pin: base.pins=[FILE]",
        )
    return registers[manifest.house]


def _problems(manifest: Manifest, purpose: str, register: Register, today: date) -> Iterator[str]:
    """What of its own works, without those of its bases, does not allow it."""
    runs = [run for run in register.runs.by_index.values() if run.purpose == purpose and run.models]
    learned = {work for run in runs for work in register.runs.works_behind(run)}
    for work in manifest.works:
        if problem := manifest.problem(work, register, today):
            yield f"{work.work}: {problem}"
        elif not _lends_itself(register.consent_of(register.works[work.work]), purpose, today):
            yield f"{work.work}: not consented to {purpose}"
        elif work.work in learned and register.works[work.work].is_of_one_version:
            yield f"{work.work}: its terms are for one version for {purpose}, which there is"


def _lends_itself(consent: Consent, purpose: str, today: date) -> bool:
    is_artists = artist_of(purpose) is not None
    return consent.allows(purpose, today) or (is_artists and consent.allows(GENERAL_MODEL, today))
