"""The interface to training runs: their curves, starting one from an experiment, stopping it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gen import places
from gen.errors import HouseError, SettingError
from gen.harmony import nearest
from gen.studio.interface import DeskOf

router = APIRouter(tags=["runs"])
_NAME = re.compile(r"[\w.-]{1,100}")
_LAST_LINES = 60


class RunFacts(BaseModel):
    """A run: its name and when it began, whether it was started here and goes on, what it left.

    `said` is why a run that was started here ended without a folder.
    """

    name: str
    when: str
    is_running: bool
    checkpoints: list[str]
    last_step: int
    said: str = ""


class Curves(BaseModel):
    """Values by step of each thing that was measured, and the end of the run's log."""

    curves: dict[str, list[tuple[int, float]]]
    log: list[str]
    is_running: bool


class RunRequest(BaseModel):
    """A run of one of conf/experiment."""

    model_config = ConfigDict(extra="forbid")

    experiment: Annotated[str, Field(max_length=100)]
    name: Annotated[str, Field(pattern=r"^[\w-]{1,60}$")]
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 1
    max_steps: Annotated[int, Field(ge=1, le=10_000_000)] | None = None


class Stopped(BaseModel):
    """A run that was told to stop, and does so after its step."""

    name: str


@dataclass(slots=True)
class _Started:
    """A process, and where what it says is kept."""

    process: subprocess.Popen[bytes]
    talk: Path


_started: dict[str, _Started] = {}


@router.get("/experiments")
def experiments() -> list[str]:
    """What can be started."""
    return sorted(path.stem for path in (places.CONF / "experiment").glob("*.yaml"))


@router.get("/runs")
def runs(desk: DeskOf) -> list[RunFacts]:
    """Every run in the folder of runs, the newest first."""
    found = [path for path in desk.runs.glob("*/*") if path.is_dir() and _is_run(path)]
    there = [_facts(path) for path in sorted(found, key=lambda path: path.name, reverse=True)]
    return [*_refused({run.name for run in there}), *there]


def _refused(there: set[str]) -> list[RunFacts]:
    """Runs that were started here and never began."""
    return [
        RunFacts(
            name=name, when="", is_running=False, checkpoints=[], last_step=0,
            said=started.talk.read_text("utf-8", "replace")[-2_000:],
        )
        for name, started in _started.items()
        if name not in there and started.process.poll() is not None
    ]  # fmt: skip


@router.get("/runs/{name}/{when}")
def curves(name: str, when: str, desk: DeskOf) -> Curves:
    """A run's curves so far."""
    folder = _folder(desk.runs, name, when)
    log = folder / "train.log"
    lines = log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:] if log.is_file() else []
    return Curves(
        curves=_scalars(folder / "tensorboard"), log=lines, is_running=_facts(folder).is_running
    )


@router.post("/runs")
def start(said: RunRequest, desk: DeskOf) -> RunFacts:
    """Start a run; it goes on when the page is closed, and stops when it is told to."""
    nearest(said.experiment, experiments(), setting="experiment")
    if _is_running(said.name):
        raise SettingError(f"{said.name} is running", where="name", mend="take another name")
    desk.runs.mkdir(parents=True, exist_ok=True)
    talk = desk.out / "runs" / f"{said.name}.log"
    talk.parent.mkdir(parents=True, exist_ok=True)
    talk.unlink(missing_ok=True)  # of an earlier run, or somebody's link
    with talk.open("xb") as log:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, checked words
            command(said, desk.pin_file()), cwd=desk.runs.parent,  # where it makes `outputs`
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    _started[said.name] = _Started(process, talk)
    return RunFacts(name=said.name, when="", is_running=True, checkpoints=[], last_step=0)


def command(said: RunRequest, pin: str) -> list[str]:
    """The command that starts a run: `scripts/train.py`, or `gen-train` where it was installed."""
    script = places.HOME / "scripts" / "train.py"
    beside = str(Path(sys.executable).with_name("gen-train"))
    program = [sys.executable, str(script)] if script.is_file() else [beside]
    steps = [] if said.max_steps is None else [f"trainer.max_steps={said.max_steps}"]
    words = [f"experiment={said.experiment}", f"seed={said.seed}", f"name={said.name}", *steps]
    return [*program, f"pin='{pin}'", *words]


@router.post("/runs/{name}/stop")
def stop(name: str) -> Stopped:
    """Stop a run as Ctrl-C does: it keeps where it stood, and can be resumed."""
    if not _is_running(name):
        raise HouseError(f"{name[:60]} was not started here, or has ended")
    _started[name].process.send_signal(signal.SIGINT)
    return Stopped(name=name)


def _is_running(name: str) -> bool:
    return name in _started and _started[name].process.poll() is None


def _is_run(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name) and _NAME.fullmatch(path.parent.name))


def _folder(runs_folder: Path, name: str, when: str) -> Path:
    folder = runs_folder / name / when
    if not _is_run(folder) or not folder.is_dir():
        raise HouseError(f"no run is called {name[:60]!r}", mend="GET /runs lists them")
    return folder


def _facts(folder: Path) -> RunFacts:
    checkpoints = sorted(path.name for path in folder.rglob("*.safetensors"))
    steps = [int(found[1]) for name in checkpoints if (found := re.search(r"step=?(\d+)", name))]
    name = folder.parent.name
    newest = max((path.name for path in folder.parent.glob("*")), default="")
    return RunFacts(
        name=name, when=folder.name, is_running=_is_running(name) and folder.name == newest,
        checkpoints=checkpoints, last_step=max(steps, default=0),
    )  # fmt: skip


def _scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard's files say."""
    if not folder.is_dir():
        return {}
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    events = EventAccumulator(str(folder), size_guidance={"scalars": 2_000})
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
