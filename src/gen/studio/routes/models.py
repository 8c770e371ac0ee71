"""The interface to the models that the house's log knows, and to taking them out of use."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gen.errors import SettingError
from gen.provenance.desk.granting import retire
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.records.roster import CURATOR
from gen.studio.interface import DeskOf, PageOf
from gen.studio.requests import Signed

router = APIRouter(tags=["models"])


class RetiredFacts(BaseModel):
    """The act that took a model out of use."""

    act: int
    by: str
    time: str
    reason: str


class OfferedModel(BaseModel):
    """One model that a run left; `retired` is null while it may write."""

    name: str
    steps: int
    sha256: str
    retired: RetiredFacts | None


class RunModels(BaseModel):
    """A run of the log, or a model that the root asserts, with what it left.

    `works` is of how many works it learned, `pieces` how many pieces its models wrote.
    """

    run: int
    name: str
    purpose: str
    time: str
    by: str
    works: int
    pieces: int
    models: list[OfferedModel]


class Retiring(BaseModel, extra="forbid"):
    """Who takes models out of use, and why; all of the run's where `models` names none."""

    curator: str
    reason: Annotated[str, Field(max_length=2_000)] = ""
    models: Annotated[list[str], Field(max_length=1_000)] = []
    signed: Signed | None = None


@router.get("/models")
def models(desk: DeskOf, page: PageOf) -> list[RunModels]:
    """Runs of the log that left a model, the newest first."""
    register = desk.register(desk.house())
    written = Counter(piece.run for piece in register.runs.pieces)
    runs = sorted(register.runs.by_index.values(), key=lambda run: -run.index)
    some = page.of([run for run in runs if run.models])
    return [_facts(register, run, written[run.index]) for run in some]


@router.post("/models/{run}/retire")
def retire_models(run: int, said: Retiring, desk: DeskOf) -> RunModels:
    """Take models of a run out of use: nothing is written with them any more."""
    house, register = desk.now()
    found = register.runs.at(run)
    left = register.in_use(found)
    files = said.models or left
    if strange := sorted({*files} - {*left}):
        raise SettingError(f"run {run} has no model {strange[0][:16]} in use")
    if not files:
        raise SettingError(f"every model of run {run} is retired already")
    retire(house, [desk.key(register, said.curator, CURATOR, said.signed)], found, files,
           said.reason)  # fmt: skip
    moved = desk.register(desk.house())
    written = sum(piece.run == run for piece in moved.runs.pieces)
    return _facts(moved, moved.runs.by_index[run], written)


def _facts(register: Register, run: Run, written: int) -> RunModels:
    return RunModels(
        run=run.index, name=run.name, purpose=run.purpose, time=run.time, by=run.by,
        works=len(register.runs.works_behind(run)), pieces=written,
        models=[
            OfferedModel(
                name=model.name, steps=model.steps, sha256=model.file_sha256,
                retired=_retired(register, model.file_sha256),
            )
            for model in run.models
        ],
    )  # fmt: skip


def _retired(register: Register, digest: str) -> RetiredFacts | None:
    found = register.retired(digest)
    if found is None:
        return None
    return RetiredFacts(act=found.index, by=found.by, time=found.time, reason=found.reason)
