"""Whether the log knows a model, says what its file says, and lets a run begin with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from gen.errors import HouseError, in_lines
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.manifests.manifest import Base, Manifest, ManifestWork
from gen.provenance.manifests.model_file import ModelFile
from gen.provenance.records.consent import GENERAL_MODEL, Consent, artist_of
from gen.provenance.records.transcript import FILE, Transcript, read_transcript

_MOST_SAID: Final = 20


class NotRecorded(HouseError):
    """A model that the house's log does not know, or knows otherwise than its file says."""


def run_behind(file: ModelFile, register: Register) -> Run:
    """The run, or the asserted model, that left this very file.

    The log names the file by its digest, so that not a bit of it can differ; what it says is held
    against the log all the same, since a trainer's key can enter a false run.

    Raises:
        NotRecorded: no run left it, or the log says something else of it.
    """
    runs = [run for run in register.runs.of_file(file.file_sha256) if _names(run, file)]
    if not runs:
        raise _unknown(file, register)
    # A run whose keys hold, or the root's word, vouches also for what a stolen key had entered.
    run = next((run for run in runs if _revoked_at(run, register) is None), None)
    if run is None:
        raise _compromised(runs[0], register)
    found = problems(file.manifest, run, register)
    if found:
        house = register.roster.house
        raise NotRecorded(f"says otherwise than the log of {house}:{in_lines(found)}")
    return run


def _names(run: Run, file: ModelFile) -> bool:
    """Whether the run says of this file that it has these tensors."""
    digests = file.file_sha256, file.tensors_sha256
    return any((each.file_sha256, each.tensors_sha256) == digests for each in run.models)


def _revoked_at(run: Run, register: Register) -> int | None:
    """The first act of the run that was signed with a key which was compromised by then."""
    signed = (at for keyid, at in run.signed if register.refusal_of_key(keyid, at) == "revoked-key")
    return next(signed, None)


def _compromised(run: Run, register: Register) -> NotRecorded:
    at = _revoked_at(run, register)
    return NotRecorded(
        f"{run} was entered with a key of {run.by} that was compromised by act {at}",
        mend="train anew where a trainer's key is that holds; if the root knows that the run was "
        "honest, house.py assert-model; or, knowing that, unrecorded=true",
    )


def transcript_of(run: Run, file: ModelFile, path: Path) -> Transcript | None:
    """The transcript of a run, as its begin and end act bind it; None where there is none.

    Args:
        run: that left the model.
        file: the model.
        path: of the transcript, or of a model that it lies beside.

    Raises:
        NotRecorded: the log names another, or it names other weights than the model has.
        HouseError: it cannot be read.
    """
    if path.name != FILE and not (path := path.with_name(FILE)).is_file():
        return None
    found = read_transcript(path)
    if run.begin is None or (found.root, found.begin) != (run.transcript, run.begin.digest):
        raise NotRecorded(
            f"{path} is not the transcript of {run}: its root is {found.root[:12]}…, the end act "
            f"names {run.transcript[:12] or 'no transcript'}",
            mend="take the transcript that the run left, as it left it",
        )
    steps = {model.steps for model in run.models if model.file_sha256 == file.file_sha256}
    if any(m.step in steps and m.weights != file.tensors_sha256 for m in found.marks):
        raise NotRecorded(f"{path} names other weights than the model has at its step")
    return found


def run_if_recorded(file: ModelFile, register: Register, *, unrecorded: bool) -> Run | None:
    """As `run_behind`; with `unrecorded` None for a model that the log does not vouch for."""
    try:
        return run_behind(file, register)
    except NotRecorded:
        if unrecorded:
            return None
        raise


def _unknown(file: ModelFile, register: Register) -> NotRecorded:
    house, kin = register.roster.house, register.runs.of_tensors(file.tensors_sha256)
    if file.manifest.register.size > register.size:
        return NotRecorded(
            f"it was made when the log of {file.manifest.house} held "
            f"{file.manifest.register.size} acts, here are {register.size}",
            mend="an older copy of the house's records was put back: restore the newest one",
        )
    if kin is not None:
        return NotRecorded(
            f"its weights are those of {kin}, but its file is not the one that the run left",
            mend="use the file that the run left",
        )
    return NotRecorded(
        f"the log of {house} knows no run that left this file: nothing shows what its weights "
        "learned from",
        mend="use a model whose run was recorded (train where a trainer's key of the house is, in "
        "a house of your own: house.py init --with-starter); or, knowing that, unrecorded=true",
    )


def problems(manifest: Manifest, run: Run, register: Register) -> list[str]:
    """What a model's manifest says otherwise than the log, in words."""
    found = []
    if manifest.digest != run.manifest:
        found.append(f"its manifest is {manifest.digest[:12]}…, that of {run} {run.manifest[:12]}…")
    if manifest.house != register.roster.house:
        found.append(f"it says that its house is {manifest.house!r}")
    if manifest.purpose != run.purpose:
        found.append(f"it says {manifest.purpose}, {run} was for {run.purpose}")
    if tuple(work.work for work in manifest.works) != run.works:
        found.append(f"it does not name the {len(run.works)} works of {run}")
    return [
        *found,
        *_head_problems(manifest, run, register),
        *_work_problems(manifest, register),
        *_base_problems(manifest, run, register),
    ]


def _base_problems(manifest: Manifest, run: Run, register: Register) -> list[str]:
    """What is not so of the model whose weights it began with.

    A model of another house is for that house's log to vouch for.
    """
    base, start = manifest.base, run.begin.start if run.begin else ""
    if run.begin and (base.tensors_sha256 if base else "") != start:
        named = f"{start[:12]}…" if start else "no others' weights"
        return [f"it does not say that it began with what {run} began with: {named}"]
    if base is None:
        return []
    if not base.recorded:
        return ["it began with weights that no log vouched for"]
    if base.manifest.house != register.roster.house:
        return []
    try:
        earlier = run_behind(file_of(base), register)
    except NotRecorded as error:
        return [f"the model that it began with: {error.what}"]
    if run.begin and (earlier.ended_at or earlier.index) > run.index:
        return [f"it began with a model of {earlier}, which the log did not name yet"]
    return []


def file_of(base: Base) -> ModelFile:
    """A base as the log is asked for it; what else its file says is not known here."""
    return ModelFile(base.file_sha256, base.tensors_sha256, {}, base.manifest)


def _head_problems(manifest: Manifest, run: Run, register: Register) -> list[str]:
    size = manifest.register.size
    if not 0 < size <= run.index:
        return [f"it says that the log held {size} acts then, {run} is act {run.index}"]
    if manifest.register.root != register.root_at(size):
        return [f"the log's first {size} acts have another root than it says"]
    return []


def _work_problems(manifest: Manifest, register: Register) -> list[str]:
    return [f"{w.work}: not as it was entered" for w in manifest.works if _differs(w, register)]


def _differs(work: ManifestWork, register: Register) -> bool:
    entry = register.entry_at(work.register_index, work.work)
    return entry is None or (work.sha256, work.musical_hash, work.composers) != (
        entry.music_sha256,
        entry.musical_hash,
        entry.composers,
    )


# -- beginning with a model ------------------------------------------------------------------


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
        register = _vouching(each.manifest, registers)
        runs.append(run_behind(each, register))
        problems += _not_allowed(each.manifest, purpose, register, register.today())
    if problems:
        listing = in_lines(dict.fromkeys(problems[:_MOST_SAID]))
        raise HouseError(
            f"no run for {purpose} may begin with this model: {len(problems)} of the works behind "
            f"it do not allow it{listing}",
            mend="begin with a model of works that do, or train without init",
        )
    return runs[0]


def _vouching(manifest: Manifest, registers: Mapping[str, Register]) -> Register:
    if manifest.house not in registers:
        raise HouseError(
            f"works of the house {manifest.house!r} are behind it, and no pin says what is trusted "
            "about that house",
            mend="name its trust pin: base.pins=[FILE]",
        )
    return registers[manifest.house]


def _not_allowed(
    manifest: Manifest, purpose: str, register: Register, today: date
) -> Iterator[str]:
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
