"""The interface for composers: look at a file as the house reads it, and sign it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Base64Bytes, BaseModel, Field

from gen.contribution import Contributor, Facts, Job, Outcome, Settings
from gen.errors import printable
from gen.provenance.records.roster import COMPOSER
from gen.provenance.signing.keys import SigningKey
from gen.studio.desk import Desk
from gen.studio.interface import DeskOf, as_file_name
from gen.studio.music.score import Score
from gen.studio.music.shared import SharedMusic, likeness_of

router = APIRouter(tags=["contribute"])
MOST_FILES = 20
"""Of one request, as many as a page sends: others wait meanwhile."""


class Stated(BaseModel, extra="forbid"):
    """What is stated about a work, as text, see docs/composers.md; "" where nothing is."""

    title: str = ""
    composers: str = ""
    method: str = ""
    genre: str = ""
    mood: str = ""
    key: str = ""
    chords: Annotated[str, Field(max_length=50_000)] = ""
    sections: str = ""
    instruments: str = ""
    roles: str = ""
    consent: str = ""
    contract: str = ""

    def facts(self) -> Facts:
        return Facts(**self.model_dump())


class GivenFile(BaseModel, extra="forbid"):
    """A MIDI file: what it is called, and its bytes in base64."""

    name: Annotated[str, Field(min_length=1, max_length=300)]
    midi: Base64Bytes
    stated: Stated = Stated()
    composer: str = ""

    def path_in(self, folder: Path) -> Path:
        """The file, written under its own name as far as one can be called so."""
        name = printable(PurePath(self.name.replace("\\", "/")).name).replace("/", "_")[:120]
        path = folder / as_file_name(name if name.strip(". ") else "work.mid")
        folder.mkdir()
        path.write_bytes(self.midi)
        return path


class GivenFiles(BaseModel, extra="forbid"):
    """Files of one composer, read and compared with the house and with each other in one go."""

    files: Annotated[list[GivenFile], Field(min_length=1, max_length=MOST_FILES)]
    composer: str = ""


class Checked(BaseModel):
    """What became of a file; `status` as `contribute.py` says it.

    `changes` were made to the file, `advice` wants a look, `unheard` is not learned from; `unsure`
    are tracks, counted from 0, whose instrument a person should confirm. `stated` is what is stated
    and what was inferred where nothing was.
    """

    file: str
    status: str
    work: str = ""
    rule: str = ""
    found: str = ""
    mend: str = ""
    changes: list[str] = []
    unheard: list[str] = []
    advice: list[str] = []
    unsure: list[int] = []
    analysis: dict[str, Any] | None = None
    stated: Stated | None = None
    verdict: str = ""
    alike: list[str] = []
    shared: list[SharedMusic] = []
    score: Score | None = None


@router.post("/check")
def check(given: GivenFile, desk: DeskOf) -> Checked:
    """Read a file as the house will, compare it with what is known, and sign nothing."""
    (found,) = check_many(GivenFiles(files=[given], composer=given.composer), desk)
    return found


@router.post("/check/many")
def check_many(given: GivenFiles, desk: DeskOf) -> list[Checked]:
    """The same of several files; the house is read once for all of them."""
    found = contributed(given.files, desk, Settings(given.composer, is_check=True, workers=1))
    return [checked(one, file.name) for one, file in zip(found, given.files, strict=True)]


@router.post("/contribute")
def contribute(given: GivenFile, desk: DeskOf) -> Checked:
    """Sign a file with its composer's open key; it then waits for a curator."""
    (found,) = contribute_many(GivenFiles(files=[given], composer=given.composer), desk)
    return found


@router.post("/contribute/many")
def contribute_many(given: GivenFiles, desk: DeskOf) -> list[Checked]:
    """The same of several files; the house is read once for all of them."""
    key = desk.key(desk.register(desk.house()), given.composer, COMPOSER)
    found = contributed(given.files, desk, Settings(given.composer, workers=1), key)
    return [checked(one, file.name) for one, file in zip(found, given.files, strict=True)]


def contributed(
    given: Sequence[GivenFile], desk: Desk, settings: Settings, key: SigningKey | None = None
) -> list[Outcome]:
    """What becomes of files, in their order."""
    contributor = Contributor(desk.house(), settings, key)
    with TemporaryDirectory(prefix="studio-") as folder:
        paths = [file.path_in(Path(folder) / str(at)) for at, file in enumerate(given)]
        jobs = [Job(path, file.stated.facts()) for path, file in zip(paths, given, strict=True)]
        found = {outcome.path: outcome for outcome in contributor.run(jobs)}
    return [found[path] for path in paths]


def checked(outcome: Outcome, name: str) -> Checked:
    """An outcome as the interface says it."""
    said = outcome.to_dict()
    del said["file"]
    facts = said.pop("facts", None)
    said.pop("screening", None)
    return Checked(
        file=name,
        stated=Stated(**facts) if facts else None,
        **likeness_of(outcome.screening),
        score=Score.of(outcome.examined.normalised.piece) if outcome.examined else None,
        **said,
    )
