"""A run whose processes write down what each read and was shown: `two_readers.py SETTINGS FOLDER`.

`test_ddp.py` starts it; Lightning starts it again for every further process.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from lightning import Callback, Trainer

from gen.disk import seals
from gen.provenance.admission import gate
from gen.training.run import train


class WriteDown(Callback):
    """A line a process: files that it parsed, and digests of the rows that it learned from."""

    def __init__(self, folder: Path, parsed: list[bytes]) -> None:
        self.folder, self.parsed = folder, parsed
        self.shown: list[str] = []

    def on_train_batch_start(self, trainer: Trainer, learner: Any, batch: Any, index: int) -> None:
        self.shown += [sha256(row.numpy().tobytes()).hexdigest() for row in batch["columns"]]

    def on_train_end(self, trainer: Trainer, learner: Any) -> None:
        path = self.folder / f"process{trainer.global_rank}.json"
        path.write_text(json.dumps({"parsed": len(self.parsed), "shown": self.shown}), "utf-8")


def main(settings: Path, folder: Path) -> None:
    """Run as the settings say; the user's secret is in the folder."""
    seals.secret_path = lambda: folder / "secret"
    parsed, parse = [], gate.parse
    gate.parse = lambda midi: parsed.append(midi) or parse(midi)
    train(json.loads(settings.read_text("utf-8")), folder / "run", [WriteDown(folder, parsed)])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
