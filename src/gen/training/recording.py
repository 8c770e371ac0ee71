"""A run in the house's log: its begin before the first step, its end when its files are there."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen.errors import HouseError
from gen.provenance.access import key_for_role
from gen.provenance.code import code_digest, lock_digest
from gen.provenance.house import House
from gen.provenance.keys import PrivateKey
from gen.provenance.manifest import Manifest
from gen.provenance.model_file import ModelFile
from gen.provenance.recording import begin_run, end_run
from gen.provenance.register import Register
from gen.provenance.roster import TRAINER
from gen.provenance.runs import Begin, End, ModelDigest
from gen.training.portable import VERSION
from gen.training.settings import RunConfig

_NOT_RECORDED = (
    "not recorded: {why}; sample.py and evaluate.py take its checkpoints with unrecorded=true alone"
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run's place in the log; `begin` is None where it is not recorded, and `words` say why."""

    house: House
    key: PrivateKey | None
    begin: int | None
    words: str

    def end(self, files: Mapping[Path, ModelFile], steps: int) -> RunRecord:
        """Enter the checkpoints that the run has left, as it wrote them.

        Args:
            files: each with its digests when it was written, not read again: somebody may have
                put another in its place since.
            steps: how many the run has done.
        """
        if self.key is None or self.begin is None:
            return self
        models = tuple(_digest_of(path, file) for path, file in files.items())
        try:
            at = end_run(self.house, self.key, End(self.begin, steps, models))
        except HouseError as error:
            why = f"its end could not be entered ({error.what})"
            return RunRecord(self.house, None, None, _NOT_RECORDED.format(why=why))
        words = f"recorded: run {self.begin} of {self.house.pin.name} ended at act {at}"
        return RunRecord(self.house, self.key, self.begin, words)


def begin_record(
    house: House,
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
        run: the run's own settings.
        settings: all of them.
        manifest: of what it learns from.
        out: the run's folder.
        resumes: folder of the run that it goes on from.
        numeric_mode: what its last bits depend on.

    Raises:
        HouseError: a work was withdrawn since the gate admitted it, or the key may not sign.
    """
    register = house.load()
    key = key_for_role(register, TRAINER)
    if key is None:
        sealed = register.roster.sealed
        why = f"the house {house.pin.name} is sealed" if sealed else (
            f"no trainer's key of {house.pin.name} is on this computer"
        )  # fmt: skip
        return RunRecord(house, None, None, _NOT_RECORDED.format(why=why))
    begin = Begin(
        name=run_name(run, out),
        purpose=run.purpose,
        manifest=manifest.digest,
        works=tuple(work.work for work in manifest.works),
        settings=_settings_digest(settings),
        seed=run.seed,
        code=code_digest(),
        lock=lock_digest(),
        numeric_mode=numeric_mode,
        continues=_index_of(register, run_name(run, resumes)) if resumes else None,
    )
    index = begin_run(house, key, begin)
    return RunRecord(house, key, index, f"recorded: run {index} of {house.pin.name} begins")


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


def _settings_digest(settings: Mapping[str, Any]) -> str:
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _index_of(register: Register, name: str) -> int | None:
    """The latest run of this name."""
    return max((i for i, run in register.runs.by_index.items() if run.name == name), default=None)


def _digest_of(path: Path, file: ModelFile) -> ModelDigest:
    steps = int(file.about["run"]["steps"])
    return ModelDigest(path.name, steps, file.file_sha256, file.tensors_sha256)
