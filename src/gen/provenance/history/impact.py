"""What a work has gone into: runs, checkpoints and pieces that a withdrawal concerns.

Withdrawing removes a work from every later run. It does not make a trained model forget: the
listing says which models must be retrained or retired, and which pieces came from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gen.provenance.history.register import Register
from gen.provenance.history.runs import LoggedPiece, Run


@dataclass(frozen=True, slots=True)
class Impact:
    """What used any of the works asked about.

    Attributes:
        runs: runs that read one of them, and asserted models that learned from one.
        pieces: what their models wrote.
    """

    runs: tuple[Run, ...]
    pieces: tuple[LoggedPiece, ...]

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Checkpoints to retrain or retire, sorted."""
        return tuple(sorted(f"{run.name}/{m.name}" for run in self.runs for m in run.models))

    def to_dict(self) -> dict[str, Any]:
        return {
            "checkpoints": list(self.checkpoints),
            "pieces": [{"path": piece.path, "sha256": piece.sha256} for piece in self.pieces],
            "runs": [
                {"index": run.index, "manifest": run.manifest, "run": run.name} for run in self.runs
            ],
        }


def impact_of(register: Register, works: Iterable[str]) -> Impact:
    """Runs that read any of `works`, and the pieces their models wrote."""
    runs = register.runs.that_read(works)
    indices = {run.index for run in runs}
    pieces = [piece for piece in register.runs.pieces if piece.run in indices]
    return Impact(tuple(runs), tuple(pieces))
