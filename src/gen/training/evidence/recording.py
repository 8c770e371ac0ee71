"""A run in the house's log: its begin before the first step, its end when its files are there."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen.errors import HouseError
from gen.provenance.desk.ending import forget_end, keep_end
from gen.provenance.desk.recording import begin_run, check_consent, end_run
from gen.provenance.history.register import Register
from gen.provenance.houses.access import key_for_role
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import ModelFile
from gen.provenance.records.roster import TRAINER
from gen.provenance.records.run_acts import Begin, End, ModelDigest
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.signing.code import code_digest, lock_digest
from gen.provenance.signing.keys import PrivateKey
from gen.training.evidence.portable import VERSION
from gen.training.settings.run_settings import RunConfig, recipe_text

_NOT_RECORDED = (
    "not recorded: {why}; sample.py and evaluate.py take its checkpoints with unrecorded=true alone"
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run's place in the log.

    Attributes:
        house: whose works it learns from.
        folder: of the run.
        said: what its begin says, or would say.
        key: that signs for it.
        begin: index of its begin act; None where it is not recorded.
        words: for people; why it is not recorded.
    """

    house: House
    folder: Path
    said: Begin
    key: PrivateKey | None
    begin: int | None
    words: str

    def end(self, files: Mapping[Path, ModelFile], steps: int, transcript: str = "") -> RunRecord:
        """Enter the checkpoints that the run has left, as it wrote them.

        What is to be entered lies in the run's folder first: where the log cannot be written now,
        `house.py end FOLDER` enters it later.

        Args:
            files: each with its digests when it was written, not read again: somebody may have
                put another in its place since.
            steps: how many the run has done.
            transcript: root of its transcript; "" for none.
        """
        if self.key is None or self.begin is None:
            return self
        models = tuple(_digest_of(path, file) for path, file in files.items())
        end = End(self.begin, steps, models, transcript)
        is_kept = keep_end(self.folder, self.house.pin.name, end)
        try:
            at = end_run(self.house, self.key, end)
        except (HouseError, OSError) as error:
            words = f"not recorded: its end could not be entered ({error})"
            if is_kept:
                words = f"{words}; enter it with python scripts/house.py end {self.folder}"
            return replace(self, key=None, begin=None, words=words)
        forget_end(self.folder)
        words = f"recorded: run {self.begin} of {self.house.pin.name} ended at act {at}"
        return replace(self, words=words)


def begin_record(
    house: House,
    key: PrivateKey | None,
    run: RunConfig,
    settings: Mapping[str, Any],
    manifest: Manifest,
    out: Path,
    *,
    resumes: Path | None,
    numeric_mode: str,
) -> RunRecord:
    """Enter a run before its first step, where a trainer's key of the house is at hand.

    Args:
        house: whose works it learns from.
        key: as `key_to_record` finds it.
        run: the run's own settings.
        settings: all of them.
        manifest: of what it learns from.
        out: the run's folder.
        resumes: folder of the run that it goes on from.
        numeric_mode: what its last bits depend on.

    Raises:
        HouseError: a work was withdrawn, or its consent ended, since the gate admitted it; or the
            key may not sign.
    """
    register = house.load()
    recipe = recipe_text(settings)
    begin = Begin(
        name=run_name(run, out),
        purpose=run.purpose,
        manifest=manifest.digest,
        works=tuple(work.work for work in manifest.works),
        settings=sha256_hex(recipe.encode("utf-8")),
        seed=run.seed,
        code=code_digest(),
        lock=lock_digest(),
        numeric_mode=numeric_mode,
        continues=_index_of(register, run_name(run, resumes)) if resumes else None,
        recipe=recipe,
    )
    check_consent(register, begin)  # of a run that no log will name, too
    if not manifest.is_recorded:
        why = "no log vouches for the model that it begins with"
        return RunRecord(house, out, begin, None, None, _NOT_RECORDED.format(why=why))
    if key is None:
        sealed = register.roster.sealed
        why = f"the house {house.pin.name} is sealed" if sealed else (
            f"no trainer's key of {house.pin.name} is on this computer"
        )  # fmt: skip
        return RunRecord(house, out, begin, None, None, _NOT_RECORDED.format(why=why))
    index = begin_run(house, key, begin)
    words = f"recorded: run {index} of {house.pin.name} begins"
    return RunRecord(house, out, begin, key, index, words)


def key_to_record(house: House) -> PrivateKey | None:
    """The key that may enter a run, if one is here; asked before long work whether it could.

    Raises:
        HouseError: others can read it, the passphrase that is set opens it not, or this user may
            not write in the house.
    """
    key = key_for_role(house.load(), TRAINER)
    if key is not None:
        house.store.check_ready()
    return key


def run_name(run: RunConfig, folder: Path) -> str:
    """What people call a run: its name and its folder's, with the sweep's around it."""
    ends = folder.parts[-2:] if folder.parent.parent.name == run.name else [folder.name]
    return "/".join([run.name, *ends])


def numeric_mode(
    precision: str, device: torch.device, *, compiled: bool, is_portable: bool = False
) -> str:
    """What the last bits of a run depend on besides code and settings, in one line."""
    if is_portable:
        where = f"{VERSION}, numpy {np.__version__}"
    elif device.type == "cuda":
        where = f"cuda {torch.version.cuda}, {torch.cuda.get_device_name(device)}"
    else:
        threads = f"{torch.get_num_threads()} threads"
        where = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, {threads}"
    return f"torch {torch.__version__}, {where}, {precision}{', compiled' if compiled else ''}"


def _index_of(register: Register, name: str) -> int | None:
    """The latest run of this name."""
    return max((i for i, run in register.runs.by_index.items() if run.name == name), default=None)


def _digest_of(path: Path, file: ModelFile) -> ModelDigest:
    steps = int(file.about["run"]["steps"])
    return ModelDigest(path.name, steps, file.file_sha256, file.tensors_sha256)
