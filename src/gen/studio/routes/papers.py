"""The interface to papers: writing one about a model, entering one, taking away what is kept.

A paper is written by the command that writes it (`disclose.py`), in a process of its own: it reads
the works, and loads what the studio does without.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Base64Bytes, BaseModel, Field

from gen import places
from gen.disclosure.entered import enter_paper
from gen.disk import write_atomically
from gen.disk.reading import CHECKPOINT, PAPER, read, sha256_of
from gen.errors import HouseError, SettingError, brief
from gen.provenance.records.papers import PaperAct
from gen.provenance.records.roster import CURATOR
from gen.provenance.signing.canonical import sha256_hex
from gen.safe_parse import child_environment
from gen.studio.desk import Desk
from gen.studio.interface import DeskOf, Digest, DigestOrNone, download
from gen.studio.requests import Page, Signed

router = APIRouter(tags=["papers"])

_SUFFIX = {"summary": ".md", "card": ".md", "bom": ".cdx.json", "dataset": ".json"}
_COMMAND = ("-m", "gen.cli.disclose")
_SECONDS = 600
_SHIPPED = Path("data") / "house_model"


class PaperFacts(BaseModel):
    """A paper that the house gave out: of which kind, SHA-256 of its file, about which model.

    `model` is SHA-256 of the model's file; "" for a paper that is about none. `is_kept` says
    whether the studio has its file.
    """

    act: int
    by: str
    time: str
    kind: str
    sha256: str
    model: str
    is_kept: bool


class Papers(BaseModel):
    """Some papers, the latest first; `in_all` says how many there are."""

    papers: list[PaperFacts]
    in_all: int


class WantedPaper(BaseModel, extra="forbid"):
    """Which paper, about which model (SHA-256 of its file).

    `says` is the file of what the house says where records cannot (docs/letter.md), in base64: a
    summary wants one, the others take none.
    """

    kind: Literal["summary", "card", "bom", "dataset"]
    model: Digest
    says: Base64Bytes = b""


class Entering(BaseModel, extra="forbid"):
    """Who enters a paper, its file in base64, of which kind it is, and about which model."""

    curator: str
    file: Base64Bytes
    kind: Annotated[str, Field(max_length=40)]
    model: DigestOrNone = ""
    signed: Signed | None = None


class LookedUp(Page):
    """Which papers; `sha256` asks for those with this digest alone."""

    sha256: DigestOrNone = ""


@router.get("/papers")
def papers(desk: DeskOf, wanted: Annotated[LookedUp, Query()]) -> Papers:
    """Papers whose digest is in the log, the latest first; none that a stolen key entered."""
    found = desk.register(desk.house()).sound_papers()[::-1]
    if wanted.sha256:
        found = [one for one in found if one.paper.sha256 == wanted.sha256]
    return Papers(papers=[_facts(desk, one) for one in wanted.of(found)], in_all=len(found))


@router.post("/papers")
def enter(said: Entering, desk: DeskOf) -> PaperFacts:
    """Enter a paper's digest in the log, if it is not there, and keep its file to be taken away."""
    house, register = desk.now()
    digest = sha256_hex(said.file)
    if not any(one.paper.sha256 == digest for one in register.sound_papers()):
        key = desk.key(register, said.curator, CURATOR, said.signed)
        enter_paper(house, key, said.file, said.kind, said.model)
        register = desk.register(desk.house())
    place = _place(desk, digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, said.file)
    return _facts(desk, register.papers_of(digest)[0])


@router.get("/papers/{sha256}")
def kept_paper(sha256: Digest, desk: DeskOf) -> Response:
    """The file of a paper that was entered here."""
    found = desk.register(desk.house()).papers_of(sha256)
    if not found or not _place(desk, sha256).is_file():
        raise HouseError("the studio has no file of this paper", mend="ask whoever entered it")
    data = read(_place(desk, sha256), PAPER)
    kind = found[0].paper.kind
    is_text = kind not in _SUFFIX or _SUFFIX[kind].endswith(".md")
    name = f"{kind}-{sha256[:8]}{_SUFFIX.get(kind, '.txt' if is_text else '.json')}"
    return download(data, "application/octet-stream", name)


@router.post("/models/{run}/paper")
def write_paper(run: int, said: WantedPaper, desk: DeskOf) -> Response:
    """Write a paper about one of a run's models, as `disclose.py` does; it is entered nowhere."""
    known = desk.register(desk.house()).runs.at(run).models
    if not any(model.file_sha256 == said.model for model in known):
        raise SettingError(f"run {run} left no model {said.model[:16]}")
    data = _written(desk, said, _model_file(desk, said.model))
    name = f"{said.kind}-{said.model[:8]}{_SUFFIX[said.kind]}"
    return download(data, "application/octet-stream", name)


def _written(desk: Desk, said: WantedPaper, model: Path) -> bytes:
    """What the command writes.

    Raises:
        HouseError: what it refuses, in its words.
    """
    house = desk.house()
    with TemporaryDirectory(prefix="studio-") as folder:
        out, says = Path(folder) / "paper", Path(folder) / "says.yaml"
        words = [said.kind, str(model), "--out", str(out), "--json"]
        words += ["--house", str(house.folder), "--pin", str(house.pin.path)]
        if said.kind == "summary":
            says.write_bytes(said.says)
            words += ["--says", str(says)]
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, checked words
                [sys.executable, *_COMMAND, *words], stdin=subprocess.DEVNULL, check=False,
                capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS,
                env=child_environment(),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            what = f"the paper was not written within {_SECONDS // 60} minutes"
            mend = "write it with python scripts/disclose.py, and enter it here"
            raise HouseError(what, mend=mend) from error
        if done.returncode or not out.is_file():
            raise _refusal(done.stdout, done.stderr, str(says))
        return out.read_bytes()


def _refusal(answer: str, talk: str, says: str) -> HouseError:
    """What the command said, without the name that a file had for it alone."""
    try:
        said = json.loads(answer)["error"]
    except (ValueError, KeyError, TypeError):
        return HouseError("the paper could not be written", where=brief(talk.strip()[-300:]))
    names = ("what", "where", "mend")
    what, where, mend = (str(said.get(name, "")).replace(says, "says") for name in names)
    return SettingError(what, where=where, mend=mend)


def _model_file(desk: Desk, digest: str) -> Path:
    """A model's file on this computer.

    Raises:
        HouseError: none here is it.
    """
    for path in _model_files(desk):
        if sha256_of(path, CHECKPOINT) == digest:
            return path
    raise HouseError(
        "the model's file is not on this computer",
        mend="write the paper where it lies: python scripts/disclose.py, and enter it here",
    )


def _model_files(desk: Desk) -> Iterator[Path]:
    if Path(desk.checkpoint).is_file():
        yield Path(desk.checkpoint)
    yield from sorted(desk.runs.glob("*/*/*.safetensors"))
    yield from sorted((places.HOME / _SHIPPED).glob("*.safetensors"))


def _place(desk: Desk, digest: str) -> Path:
    return desk.kept / "papers" / digest


def _facts(desk: Desk, one: PaperAct) -> PaperFacts:
    return PaperFacts(
        act=one.index, by=one.by, time=one.time, kind=one.paper.kind, sha256=one.paper.sha256,
        model=one.paper.model, is_kept=_place(desk, one.paper.sha256).is_file(),
    )  # fmt: skip
