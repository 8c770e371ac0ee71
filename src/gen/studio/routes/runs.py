"""The interface to training runs: curves, pieces, starting one from an experiment, stopping it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gen import places
from gen.errors import HouseError, SettingError
from gen.harmony import nearest
from gen.studio.desk import Desk
from gen.studio.interface import DeskOf, PageOf

if TYPE_CHECKING:
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

router = APIRouter(tags=["runs"])
_PIECES = "pieces/"
_NAME = re.compile(r"[\w-][\w.-]{0,99}")  # none leads out of the folder of runs
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


class RunPiece(BaseModel):
    """A piece that a run wrote while it learned: its number, and after how many steps."""

    number: int
    step: int


class Curves(BaseModel):
    """Values by step of each thing that was measured, new pieces, and the end of the run's log."""

    curves: dict[str, list[tuple[int, float]]]
    pieces: list[RunPiece]
    log: list[str]
    is_running: bool


class RunRequest(BaseModel, extra="forbid"):
    """A run of one of conf/experiment."""

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
def runs(desk: DeskOf, page: PageOf) -> list[RunFacts]:
    """Runs in the folder of runs, the newest first, after those that never began."""
    found = [path for path in desk.runs.glob("*/*") if path.is_dir() and _is_run(path)]
    there = sorted(found, key=lambda path: path.name, reverse=True)
    refused = _refused(desk, {path.parent.name for path in there})
    return [*(refused if page.first == 0 else []), *map(_facts, page.of(there))]


def _refused(desk: Desk, there: set[str]) -> list[RunFacts]:
    """Runs that were started at this desk and never began."""
    talks = desk.out / "runs"
    return [
        RunFacts(
            name=name, when="", is_running=False, checkpoints=[], last_step=0,
            said=started.talk.read_text("utf-8", "replace")[-2_000:],
        )
        for name, started in _started.items()
        if name not in there and started.process.poll() is not None
        and started.talk.parent == talks and started.talk.is_file()
    ]  # fmt: skip


@router.get("/runs/{name}/{when}")
def curves(name: str, when: str, desk: DeskOf) -> Curves:
    """A run's curves and pieces so far."""
    folder = _folder(desk.runs, name, when)
    log = folder / "train.log"
    lines = log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:] if log.is_file() else []
    board = _board(folder)
    return Curves(
        curves=_scalars(board) if board else {}, pieces=_pieces(board) if board else [],
        log=lines, is_running=_facts(folder).is_running,
    )  # fmt: skip


@router.get("/runs/{name}/{when}/pieces/{number}/{step}/roll")
def run_piece_roll(name: str, when: str, number: int, step: int, desk: DeskOf) -> Response:
    """The piano roll of a piece that a run wrote."""
    found = _event(_folder(desk.runs, name, when), number, step, "Images")
    return Response(found.encoded_image_string, media_type="image/png")


@router.get("/runs/{name}/{when}/pieces/{number}/{step}/sound")
def run_piece_sound(name: str, when: str, number: int, step: int, desk: DeskOf) -> Response:
    """The sound of a piece that a run wrote."""
    found = _event(_folder(desk.runs, name, when), number, step, "Audio")
    return Response(found.encoded_audio_string, media_type="audio/wav")


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
    said_of_it = [f"experiment={said.experiment}", f"seed={said.seed}", f"name={said.name}"]
    words = [*said_of_it, *steps, "logger=tensorboard"]  # whose curves and pieces are shown here
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
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(when)) or not folder.is_dir():
        raise HouseError(f"no run is called {name[:60]!r}", mend="GET /runs lists them")
    return folder


def _facts(folder: Path) -> RunFacts:
    checkpoints = sorted(path.name for path in folder.rglob("*.safetensors"))
    steps = [int(found[1]) for name in checkpoints if (found := re.search(r"step=?(\d+)", name))]
    name = folder.parent.name
    newest = max((path.name for path in folder.parent.glob("*")), default="")  # "": gone meanwhile
    return RunFacts(
        name=name, when=folder.name, is_running=_is_running(name) and folder.name >= newest,
        checkpoints=checkpoints, last_step=max(steps, default=0),
    )  # fmt: skip


_BOARDS = 4
_boards: OrderedDict[Path, EventAccumulator] = OrderedDict()
_reading = threading.Lock()


def _board(folder: Path) -> EventAccumulator | None:
    """What TensorBoard's files of a run say by now; those that were read go on where they were."""
    from tensorboard.backend.event_processing import (  # type: ignore[import-untyped]
        event_accumulator,
    )

    place = folder / "tensorboard"
    if not place.is_dir():
        return None
    with _reading:
        board = _boards.pop(place, None) or event_accumulator.EventAccumulator(
            str(place), size_guidance={"scalars": 2_000, "images": 8, "audio": 8}
        )
        board.Reload()
        _boards[place] = board
        while len(_boards) > _BOARDS:
            _boards.popitem(last=False)
    return board


def _scalars(board: EventAccumulator) -> dict[str, list[tuple[int, float]]]:
    return {
        tag: [(event.step, event.value) for event in board.Scalars(tag)]
        for tag in board.Tags()["scalars"]
    }


def _pieces(board: EventAccumulator) -> list[RunPiece]:
    """Those that are to be seen and heard, the newest first."""
    tags = set(board.Tags()["images"]) & set(board.Tags()["audio"])
    found = [
        RunPiece(number=int(tag.removeprefix(_PIECES)), step=event.step)
        for tag in tags
        if re.fullmatch(rf"{_PIECES}\d+", tag)
        for event in board.Images(tag)
    ]
    return sorted(found, key=lambda one: (-one.step, one.number))


def _event(folder: Path, number: int, step: int, kind: str) -> Any:
    """What was written of a run's piece: its "Images" or its "Audio"."""
    board = _board(folder)
    if board is not None and f"{_PIECES}{number}" in board.Tags()[kind.lower()]:
        for event in getattr(board, kind)(f"{_PIECES}{number}"):
            if event.step == step:
                return event
    raise HouseError(f"the run has no piece {number} of step {step} any more")
