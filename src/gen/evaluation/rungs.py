"""What is measured: checkpoints, and below them models that are known to be worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.checkpoint import Checkpoint
from gen.data.habits import Habits
from gen.data.settings import DataConfig
from gen.data.windows import bare
from gen.errors import SettingError
from gen.evaluation import ladder
from gen.evaluation.material import Material
from gen.model import Transformer, parameter_count
from gen.sampling.grammar import Walk
from gen.settings import with_new_names


@dataclass(frozen=True, slots=True)
class Rung:
    """Something to measure: a checkpoint, or a model that is known to be worse.

    Attributes:
        name: short, of its own.
        model: in evaluation mode.
        window: most events that it is shown at once.
        cause: what it follows from, as a plain value: equal causes, equal figures.
        checkpoint: None for a baseline.
        file: of the checkpoint.
    """

    name: str
    model: Transformer
    window: int
    cause: str
    checkpoint: Checkpoint | None = None
    file: str = ""

    def limited(self, walks: Sequence[Walk]) -> Sequence[Walk]:
        """These walks, kept to the chords that instruments have in what was learned from."""
        for walk in walks:
            walk.habits = self.checkpoint.habits if self.checkpoint else Habits()
        return walks

    def to_dict(self) -> dict[str, Any]:
        """For the report."""
        about: dict[str, Any] = {"name": self.name, "baseline": self.checkpoint is None}
        if self.checkpoint is not None:
            about |= {
                "file": self.file,
                "sha256": self.checkpoint.digest,
                "manifest": self.checkpoint.manifest.digest,
                "works_learned_from": len(self.checkpoint.manifest.works),
                "parameters": parameter_count(self.model),
                "steps": self.checkpoint.run.get("steps"),
                "code_version": self.checkpoint.run.get("code_version"),
                "window": self.window,
            }
        return about


def rungs_of(paths: Sequence[Path], checkpoints: Sequence[Checkpoint]) -> list[Rung]:
    """The checkpoints by size, then by steps, with short names of their own.

    Raises:
        SettingError: one is named twice.
    """
    names = _short_names(paths)
    found = []
    for path, checkpoint, name in zip(paths, checkpoints, names, strict=True):
        data = with_new_names(DataConfig, checkpoint.run.get("settings", {}).get("data", {}))
        window = min(int(data.get("training_window") or 0) or checkpoint.model.config.context,
                     checkpoint.model.config.context)  # fmt: skip
        found.append(
            Rung(name, checkpoint.model, window, checkpoint.digest, checkpoint, path.as_posix())
        )
    if len({rung.cause for rung in found}) < len(found):
        raise SettingError("names one checkpoint twice", where="checkpoint", mend="leave one out")
    return sorted(found, key=_size)


def _size(rung: Rung) -> tuple[int, int]:
    steps = rung.checkpoint.run.get("steps") if rung.checkpoint else 0
    return parameter_count(rung.model), int(steps or 0)


def _short_names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that are all different and not just `best`."""
    parts = [path.resolve().with_suffix("").parts for path in paths]
    for count in range(2, max(map(len, parts)) + 1):
        names = ["/".join(p[-count:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return ["/".join(p) for p in parts]


def baselines(material: Material) -> list[Rung]:
    """The rungs below every checkpoint, from the bottom."""
    train = [bare(work.sequence).events for work in material.sides["train"]]
    models = {
        "untrained": ladder.untrained(),
        "unigram": ladder.unigram(train),
        "bigram": ladder.bigram(train),
    }
    return [
        Rung(name, model, ladder.CONTEXT, f"{name} {material.digest}")
        for name, model in models.items()
    ]
