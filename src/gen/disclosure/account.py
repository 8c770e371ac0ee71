"""What the records say of one model: the ground of every paper that the house writes about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from gen.disclosure.figures import Figures, ReadWork, read_works, sides_of
from gen.disk.reading import MEBIBYTE, FileKind, parse_json, read
from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.houses.house import House
from gen.provenance.manifests.model_file import ModelFile
from gen.provenance.manifests.recorded import run_behind
from gen.provenance.records.acts import Act
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.signing.canonical import sha256_hex

REPORT: Final = FileKind("report of an evaluation", 256 * MEBIBYTE, "name its report.json")
_REPORT_FORMAT: Final = "gen evaluation"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `scripts/evaluate.py` found of the model.

    Attributes:
        sha256: of the report's file.
        name: of the model in it.
        report: as it lies there.
    """

    sha256: str
    name: str
    report: dict[str, Any]

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """Each headline figure that the model has: `value`, `low`, `high`, `n`."""
        found = self.report.get("headlines", {})
        return {
            name: each["models"][self.name]
            for name, each in found.items()
            if self.name in each["models"]
        }


@dataclass(frozen=True, slots=True)
class Account:
    """One model in the records.

    Attributes:
        register: of its house, as it stood then.
        model: its file.
        run: that left it.
        digest: what the log says of the file.
        settings: of the run: those of its begin act, else those that the file says.
        works: behind it: its run's, and those of models of this house that it began with.
        figures: of these.
        sides: ids of its own run's works by side of the split; nothing where settings do not say.
        evaluation: None where none was named.
        as_of: the day that the records are read as of, ISO; "" for now.
    """

    register: Register
    model: ModelFile
    run: Run
    digest: ModelDigest
    settings: dict[str, Any]
    works: tuple[ReadWork, ...]
    figures: Figures
    sides: dict[str, list[str]]
    evaluation: Evaluation | None = None
    as_of: str = ""

    @property
    def root(self) -> str:
        """Root hash of the log, hex."""
        return self.register.root_at(self.register.size)

    @property
    def read_from(self) -> str:
        """Which records it was read from, in words."""
        day = f" as of {self.as_of}" if self.as_of else ""
        return (
            f"Computed from the log of {self.register.roster.house}{day}: {self.register.size} "
            f"acts, root `{self.root}`"
        )

    @property
    def before(self) -> list[str]:
        """What the model goes on from, a phrase each: a run, models whose weights it began with.

        And what foreign code it was trained with.
        """
        continues = self.run.begin.continues if self.run.begin else None
        found = [] if continues is None else [f"goes on from run {continues}"]
        for base in self.model.manifest.bases:
            word = "recorded" if base.recorded else "not recorded"
            found.append(
                f"began with the weights of {base.file_sha256} ({base.manifest.house}, "
                f"{len(base.manifest.works)} works, {word})"
            )
        return [*found, *(f"was trained with {each}" for each in self.model.manifest.foreign_code)]

    @property
    def other_houses(self) -> list[str]:
        """Houses besides its own with whose models it began: what those read their logs say."""
        manifest = self.model.manifest
        return sorted({base.manifest.house for base in manifest.bases} - {manifest.house})

    @property
    def pieces(self) -> int:
        """How many pieces of its run the log has."""
        return sum(piece.run == self.run.index for piece in self.register.runs.pieces)


def account_of(
    house: House, model: ModelFile, *,
    report: Path | None = None, day: date | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Account:  # fmt: skip
    """Verify the log, find the model's run in it, and read the works.

    Args:
        house: whose model it is.
        model: its file.
        report: `report.json` of an evaluation of it.
        day: read the log as it stood at the end of that day; None for now.
        advance: called for each work that was read.

    Raises:
        HouseError: the log does not name the model, a work is gone, or the report is of another.
    """
    register = house.load(full=True)
    run = run_behind(model, register)
    if day is not None:
        register = register_as_of(house, register, day)
        run = _run_then(run, register, day)
    manifest = model.manifest
    works = read_works(house, register, manifest.works_here, advance)
    settings = _settings(run, model)
    return Account(
        register, model, run,
        next(each for each in run.models if each.file_sha256 == model.file_sha256),
        settings, tuple(works), Figures.of(register, works),
        sides_of(manifest, settings, works),
        _evaluation(report, model) if report else None,
        day.isoformat() if day else "",
    )  # fmt: skip


def register_as_of(house: House, register: Register, day: date) -> Register:
    """A house's register as it stood before the first act of a later day.

    Args:
        house: whose.
        register: as it is now, verified.
        day: UTC. The days of acts are those that their signers say.

    Raises:
        HouseError: the house is younger.
    """
    earlier = Register(trusted_size=register.size)  # its signatures were verified just now
    head = register.newest_head
    is_later = False
    for line in house.register_log.lines(head):
        is_later = is_later or Act.decode(line, is_known=True).time[:10] > day.isoformat()
        if not is_later:
            earlier.replay(line)
    if not earlier.size:
        raise HouseError(f"the house has no act of {day} or before", mend="name a later day")
    if earlier.root_at(earlier.size) != register.root_at(earlier.size):
        raise HouseError("the log was changed while it was read", mend="run the command again")
    return earlier


def _run_then(run: Run, register: Register, day: date) -> Run:
    found = register.runs.by_index.get(run.index)
    if found is None or not found.models:
        raise HouseError(f"on {day} the log did not name the model yet: {run} had not ended")
    return found


def _settings(run: Run, model: ModelFile) -> dict[str, Any]:
    if run.begin is not None and run.begin.recipe:
        found = json.loads(run.begin.recipe)
    else:
        found = model.about.get("run", {}).get("settings")
    return found if isinstance(found, dict) else {}


def _evaluation(path: Path, model: ModelFile) -> Evaluation:
    data = read(path, REPORT)
    report = parse_json(data, path, REPORT)
    try:
        if not str(report["format"]).startswith(_REPORT_FORMAT):
            raise ValueError("no report")
        named = {each.get("sha256"): each["name"] for each in report["models"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HouseError("is no report of an evaluation", where=str(path), mend=REPORT.mend) from (
            error
        )
    if model.file_sha256 not in named:
        raise HouseError(
            f"is a report on other models: {', '.join(map(str, named.values()))}",
            where=str(path), mend="evaluate this one: scripts/evaluate.py checkpoint=FILE",
        )  # fmt: skip
    return Evaluation(sha256_hex(data), named[model.file_sha256], report)
