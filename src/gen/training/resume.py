"""What a run is resumed from: Lightning's checkpoint, sealed before anybody believes it.

A resume file holds weights, and is read by unpickling. A forged one that names the right corpus
would bring foreign weights into the house's model; so each ends in a seal made with the user's
secret, and a file whose seal does not hold is refused before a byte of it is read as a pickle.
What is then unpickled is tensors and plain containers only.

To go on as another user or on another machine, copy the secret there (`gen.disk.seals`). A
finished model needs none of this: that is the `.safetensors` file beside it.
"""

from __future__ import annotations

import io
import pickle
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.plugins.io import TorchCheckpointIO

from gen.disk import write_atomically
from gen.disk.reading import CHECKPOINT, RUN_SETTINGS, NamedFileError, read, read_yaml
from gen.disk.seals import SEAL_BYTES, Sealer, secret_path
from gen.errors import HouseError
from gen.provenance.manifests.model_file import read_model_file
from gen.training.settings.run_settings import recipe_of

RESUME_FILE = "last.ckpt"
LENGTHS = ("trainer.max_steps", "trainer.max_time", "trainer.patience")
"""Settings that say when a run ends, not what it becomes until then."""
_END = b"gen resume file 1\n"
_ANEW = "resume from another file, or start anew without ckpt"


class SealedCheckpoints(TorchCheckpointIO):
    """How Lightning writes and reads resume files: whole, and sealed with the user's secret.

    Args:
        secret: the key; empty where the user can keep none, and then nothing is read.
    """

    def __init__(self, secret: bytes) -> None:
        self._sealer = Sealer(secret, "resume file 1") if secret else None

    @property
    def can_resume(self) -> bool:
        return self._sealer is not None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Replace the file at `path`; a kill leaves the old one or the new one."""
        if self._sealer is None:
            return
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        with buffer.getbuffer() as payload:
            seal = self._sealer.seal(payload)
        buffer.write(seal + _END)
        write_atomically(Path(path), buffer.getvalue())

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read what `save_checkpoint` wrote; the bytes that are checked are the ones unpickled.

        Raises:
            HouseError: no such file, cut short, no resume file, or a seal that does not hold.
        """
        where = str(path)
        try:
            data = memoryview(read(path, CHECKPOINT))
        except NamedFileError as error:
            raise HouseError(error.what, where=where, mend=_ANEW) from error
        if data[-len(_END) :] != _END:
            raise HouseError(
                "is cut short, or is no file that a run is resumed from", where=where, mend=_ANEW
            )
        seal, payload = data[: -len(_END)][-SEAL_BYTES:], data[: -len(_END)][:-SEAL_BYTES]
        if self._sealer is None or not self._sealer.holds(seal, payload):
            raise HouseError(
                "its seal does not hold: the file was changed, or another user wrote it",
                where=where,
                mend=f"if it is yours from another machine, copy your secret from there to "
                f"{secret_path()}; else {_ANEW}",
            )
        try:
            loaded: dict[str, Any] = torch.load(
                io.BytesIO(payload), map_location="cpu", weights_only=True
            )
        except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
            raise HouseError(
                "cannot be read by this version of torch", where=where, mend=_ANEW
            ) from error
        return loaded


class KeepResumable(Callback):
    """Leaves a resume file after each validation, when the curves up to there are on the disk."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RESUME_FILE

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            logger.save()
        trainer.save_checkpoint(self.path)


def resume_path_in_sweep(
    out: Path, asked: Sequence[str], notes: str, settings: Mapping[str, Any]
) -> Path | None:
    """What a job of a sweep goes on from: its own file, or that of an earlier sweep's same job.

    Args:
        out: folder of the job.
        asked: its settings as name=value.
        notes: folder inside each job's, where Hydra writes them down.
        settings: all that it has.

    Returns:
        None for a job that has left nothing yet: a neighbour's file is never taken.
    """
    own = out / RESUME_FILE
    if own.is_file() and not _is_anothers(own, settings):
        return own
    earlier = {
        path: _noted(path.parent / notes / "overrides.yaml")
        for path in out.parent.parent.glob(f"*/*/{RESUME_FILE}")
        if path != own  # whose notes Hydra has written over
    }
    same = [path for path, noted in earlier.items() if _but(noted, "ckpt") == _but(asked, "ckpt")]
    if not same:  # of an earlier sweep where no other job was asked the same for another length
        wanted = _but(asked, "ckpt", *LENGTHS)
        like = [path for path, noted in earlier.items() if _but(noted, "ckpt", *LENGTHS) == wanted]
        sweeps = Counter([out.parent, out.parent, *(path.parent.parent for path in like)])
        same = [path for path in like if sweeps[path.parent.parent] == 1]
    return max(same, key=lambda path: path.stat().st_mtime, default=None)


def _is_anothers(own: Path, settings: Mapping[str, Any]) -> bool:
    """Whether an earlier sweep had another job in this folder, by what its best model says."""
    best = own.with_name("best.safetensors")
    try:
        before = read_model_file(best).about["run"]["settings"] if best.is_file() else settings
    except (HouseError, KeyError, TypeError):
        return False
    found = recipe_of(settings)
    return any(
        before.get(name) != found.get(name) for name in ("seed", "optimizer", "average")
    ) or ({**before["data"], "training_window": 0} != {**found["data"], "training_window": 0})


def _but(asked: Sequence[str], *names: str) -> list[str]:
    """Settings without those of these names, in one order."""
    return sorted(one for one in asked if one.partition("=")[0].lstrip("+") not in names)


def _noted(path: Path) -> list[str]:
    try:
        found = read_yaml(path, RUN_SETTINGS)
    except (OSError, HouseError):
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def resume_path(ckpt: str | None, out: Path) -> Path | None:
    """The file to resume from: `last` is the newest beside this run's folder.

    Raises:
        HouseError: there is none.
    """
    if ckpt is None:
        return None
    if ckpt != "last":
        if not Path(ckpt).is_file():
            raise HouseError("no such checkpoint", where=ckpt, mend="ckpt=last takes the newest")
        return Path(ckpt)
    found = sorted(out.parent.glob(f"*/{RESUME_FILE}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise HouseError(
            f"no run in {out.parent} has left a {RESUME_FILE}", where="ckpt",
            mend="name a file with ckpt=FILE, or start anew without ckpt",
        )  # fmt: skip
    return found[-1]
