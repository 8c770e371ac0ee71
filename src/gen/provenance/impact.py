"""What a work has gone into: runs, checkpoints and pieces that a withdrawal concerns.

Withdrawing removes a work from every later run. It does not make a trained model forget: the
listing says which models must be retrained or retired, and which pieces came from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gen.provenance.house import House
from gen.provenance.ledger import OUTPUT, RUN, Record, records


@dataclass(frozen=True, slots=True)
class Impact:
    """What used any of the works asked about.

    Attributes:
        runs: ledger records of runs that read one of them.
        pieces: ledger records of pieces from those runs' models.
    """

    runs: tuple[Record, ...]
    pieces: tuple[Record, ...]

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Checkpoints to retrain or retire, sorted."""
        named = {str(r.data["details"].get("checkpoint", "")) for r in self.runs}
        named |= {str(r.data["checkpoint"]) for r in self.pieces}
        return tuple(sorted(named - {""}))

    def to_dict(self) -> dict[str, Any]:
        return {
            "checkpoints": list(self.checkpoints),
            "pieces": [{"path": r.data["path"], "sha256": r.data["sha256"]} for r in self.pieces],
            "runs": [{"manifest": r.data["manifest"], "run": r.data["run"]} for r in self.runs],
        }


def impact_of(house: House, works: Iterable[str]) -> Impact:
    """Runs that read any of `works`, and the pieces their models wrote.

    Raises:
        LogError: the ledger was tampered with.
    """
    wanted = set(works)
    every = list(records(house))
    runs = [r for r in every if r.kind == RUN and wanted & set(r.data["works"])]
    manifests = {r.data["manifest"] for r in runs}
    pieces = [r for r in every if r.kind == OUTPUT and r.data["manifest"] in manifests]
    return Impact(tuple(runs), tuple(pieces))
