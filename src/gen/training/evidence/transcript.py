"""Writing a run's transcript while it trains, and keeping some of its states beside it."""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from lightning import Callback, LightningModule, Trainer

from gen.data.module import HouseData
from gen.disk import write_atomically
from gen.provenance.manifests.model_file import tensors_digest
from gen.provenance.records.transcript import FILE, Mark, Transcript
from gen.training.evidence.state import state_bytes, state_file, state_path, weights_digest
from gen.training.learner import Learner
from gen.training.settings.trainer_settings import TrainerConfig

log = logging.getLogger(__name__)


class BatchDigests:
    """What a run reads, batch by batch, as one digest from mark to mark."""

    def __init__(self) -> None:
        self.digests: list[bytes] = []

    def take(self, digest: bytes) -> None:
        self.digests.append(digest)

    def digest(self) -> str:
        """Of all since the last time it was asked."""
        found = hashlib.sha256(b"".join(self.digests)).hexdigest()
        self.digests.clear()
        return found


def mark_of(trainer: Trainer, learner: Learner, windows: str) -> tuple[Mark, bytes]:
    """A mark of where a run stands now, and the state that it is the digest of."""
    state = state_bytes(trainer, learner)
    step = trainer.global_step
    mark = Mark(
        step=step,
        batches=step * trainer.accumulate_grad_batches,
        windows=windows,
        weights=weights_digest(learner.judged),
        state=tensors_digest(state),
    )
    return mark, state


class StepEnds(Callback, ABC):
    """Calls `on_step_end` when a step is done: with several batches a step, after the last."""

    def __init__(self, data: HouseData) -> None:
        self.data, self.windows, self._done = data, BatchDigests(), 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._done = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.windows.take(self.data.batch_digest)
        if trainer.global_step > self._done:
            self._done = trainer.global_step
            self.on_step_end(trainer, cast(Learner, pl_module))

    @abstractmethod
    def on_step_end(self, trainer: Trainer, learner: Learner) -> None:
        """A step is done."""


class KeepTranscript(StepEnds):
    """Marks where the run stands at regular steps, and keeps some of the states.

    Args:
        folder: of the run.
        recipe: digest of its settings.
        config: how often is marked, how many states are kept.
        data: what it learns from.
        earlier: folder of the run that this one goes on from. Its marks are taken over, as the
            resume file has them, and those of its states that are wanted.
    """

    def __init__(
        self,
        folder: Path,
        recipe: str,
        config: TrainerConfig,
        data: HouseData,
        earlier: Path | None = None,
    ) -> None:
        super().__init__(data)
        self.folder, self.recipe, self.earlier = folder, recipe, earlier
        self.every, self.last_step = config.steps_between_marks, config.max_steps
        self.states, self.lasting = config.keep_states, frozenset(_lasting(config))
        self.marks: list[Mark] = []
        self.kept: dict[int, int] = {}  # step -> bytes of the states that lie in the folder
        self.lacks = ""  # why it would not be whole

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        if trainer.world_size > 1:
            self.lacks = "several processes share each batch"
        elif trainer.global_step == 0:
            self._mark(trainer, cast(Learner, pl_module))
        elif not self.marks:
            self.lacks = "the run goes on from one that had other settings, or kept none"

    def on_step_end(self, trainer: Trainer, learner: Learner) -> None:
        if trainer.global_step % self.every == 0 or trainer.global_step == self.last_step:
            self._mark(trainer, learner)

    def _mark(self, trainer: Trainer, learner: Learner) -> None:
        windows = self.windows.digest()
        if self.lacks:
            return
        mark, state = mark_of(trainer, learner, windows)
        self.marks.append(mark)
        if self.states and 0 < mark.step < self.last_step:
            self._keep(mark.step, state)

    def _keep(self, step: int, state: bytes) -> None:
        """Keep a state, and let go of the one before unless it is to last."""
        write_atomically(state_path(self.folder, step), state)
        for earlier in self.kept.keys() - self.lasting:
            del self.kept[earlier]
            state_path(self.folder, earlier).unlink(missing_ok=True)
        self.kept[step] = len(state)

    def finish(self, trainer: Trainer, learner: Learner, begin: str) -> str:
        """Write the transcript when all is done.

        Args:
            trainer: of the run.
            learner: as it is now.
            begin: digest of what the run's begin act says.

        Returns:
            Its root; "" where it would not be whole.
        """
        if self.lacks or not self.marks:
            log.info("no transcript: %s", self.lacks or "the run never began")
            return ""
        if trainer.global_step > self.marks[-1].step:
            self._mark(trainer, learner)
        if self.kept.pop(self.marks[-1].step, None):
            state_path(self.folder, self.marks[-1].step).unlink(missing_ok=True)
        found = Transcript(begin, self.every, tuple(self.marks))
        write_atomically(self.folder / FILE, found.encode())
        log.info(
            "transcript of %d segments; states kept: %d, %.1f MB (trainer.keep_states)",
            found.segments, len(self.kept), sum(self.kept.values()) / 1e6,
        )  # fmt: skip
        return found.root

    # -- going on ---------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        return {
            "recipe": "" if self.lacks else self.recipe,
            "marks": [mark.to_dict() for mark in self.marks],
            "shown": [digest.hex() for digest in self.windows.digests],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["recipe"] != self.recipe:
            return  # what these settings had made of the steps before, nobody knows
        self.marks = [Mark.from_dict(mark) for mark in state_dict["marks"]]
        for digest in state_dict["shown"]:
            self.windows.take(bytes.fromhex(digest))
        if self.earlier and self.earlier != self.folder:
            for mark in self.marks[1:]:
                self._take_over(state_path(self.earlier, mark.step), mark)

    def _take_over(self, file: Path, mark: Mark) -> None:
        if self.states and file.is_file():
            self._keep(mark.step, state_file(file, mark.state))


def _lasting(config: TrainerConfig) -> Iterator[int]:
    """Steps whose states are kept to the end: all but one of them, spread over the run.

    The one besides is that before the last mark. Of a run that the clock ends there is only this.
    """
    marks = max(config.max_steps, 0) // config.steps_between_marks
    for number in range(1, config.keep_states):
        yield marks * number // config.keep_states * config.steps_between_marks
