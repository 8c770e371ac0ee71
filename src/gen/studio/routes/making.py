"""The interface for producers: new pieces, and what becomes of a given one.

Each verb answers with a job; the job's events bring the music bar by bar, and in the end the name
of each finished piece, which lies in the studio's folder with its receipt.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Base64Bytes, BaseModel, Field

from gen import harmony
from gen.disk import write_atomically
from gen.disk.reading import CREDENTIALS, MIDI, RECEIPT, read, read_json
from gen.errors import HouseError, SettingError
from gen.likeness.originality import in_words
from gen.marks.release import SIDECAR, like, stamp_by
from gen.provenance.signing.canonical import sha256_hex
from gen.rendering.playing import Playing
from gen.safe_parse import safe_examine
from gen.smf import parse
from gen.studio.interface import DeskOf, PageOf, as_file_name, download, piece_path
from gen.studio.music.jobs import ENDED, JobsOfOne, WritingJob
from gen.studio.music.score import Score
from gen.studio.music.sound import excerpt_wav

router = APIRouter(tags=["music"])

Words = Annotated[str, Field(max_length=2_000)]
Strength = Annotated[float, Field(ge=0, le=1)]
Kept = Literal["rhythm", "contour"]
Verb = Literal["generate", "continue", "infill", "accompany", "harmonise", "vary"]
_TURN_SECONDS = 0.04
MOST_PIECES = 4
"""At once: so many are written side by side by one process, which a copy of it would not be."""


def _jobs(request: Request, desk: DeskOf) -> JobsOfOne:
    return JobsOfOne(request.app.state.jobs, desk.signed_in, desk.out)


JobsOf = Annotated[JobsOfOne, Depends(_jobs)]


class Asked(BaseModel, extra="forbid"):
    """What is asked of the music, as `sample.py --help` explains it; null is up to the model.

    `timing` is for models of played music: as their players play, or straight.
    `swing` (off-beats late, 1 as triplets) and `humanise` (onsets and loudness not quite exact) are
    how a new piece is played: its score stays straight, and a given file's notes stay as they are.
    """

    genre: Words | None = None
    mood: Words | None = None
    style: Words | None = None
    key: Words | None = None
    tempo: float | None = None
    time_signature: Words | None = None
    bars: int | None = None
    instruments: Annotated[list[Words | int], Field(max_length=24)] = []
    roles: Annotated[list[Words], Field(max_length=24)] = []
    chords: Annotated[str, Field(max_length=20_000)] | None = None
    sections: Words | None = None
    density: Words | int | list[Words | int] | None = None
    pitch_range: tuple[int, int] | None = None
    velocity_range: tuple[int, int] | None = None
    returns: float | None = None
    n: Annotated[int, Field(ge=1, le=MOST_PIECES)] = 1
    seed: Annotated[int, Field(ge=0, lt=1 << 53)] | None = None
    temperature: float | None = None
    originality: Literal["resample", "report"] | None = None
    timing: Literal["played", "straight"] | None = None
    swing: Strength | None = None
    humanise: Strength | None = None


class Given(Asked):
    """A file to go on from: a piece of the studio by its name, or MIDI bytes in base64.

    `keep` is of the melodic cells that are rewritten: their rhythm, or their contour besides.
    """

    piece: Words | None = None
    midi: Base64Bytes | None = None
    file_name: Words = "given.mid"
    cells: Words | None = None
    add: Annotated[list[Words | int], Field(max_length=24)] = []
    amount: float | None = None
    keep: Kept | None = None


class Readiness(BaseModel):
    """Whether the model can write: "reading", "ready", or "failed" and why.

    `timings` are those that it can be asked for; none where it knows but one.
    """

    state: str
    error: dict[str, str] | None
    timings: list[str]


class JobFacts(BaseModel):
    """A job: its state, and how many are before it while it waits."""

    id: str
    verb: str
    state: str
    place: int
    events: int


class PieceFacts(BaseModel):
    """A finished piece: its music, what its receipt says, and its nearest work in words.

    `has_credentials` says whether content credentials lie beside its file, too.
    """

    name: str
    score: Score
    receipt: dict[str, Any]
    originality: str
    has_credentials: bool


class PieceLine(BaseModel):
    """A finished piece in one line, and when it was written (seconds since 1970)."""

    name: str
    written: float


class Excerpt(BaseModel, extra="forbid"):
    """Which bars of a score are to sound, counted from 0, and which tracks; null: all."""

    score: Score
    first_bar: Annotated[int, Field(ge=0)]
    bars: Annotated[int, Field(ge=1, le=64)] = 1
    tracks: list[int] | None = None
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0


class ReadChords(BaseModel):
    """What a line of chords was understood as, bar by bar, and the meter where none is asked."""

    bars: list[list[str]]
    meter: str


class GivenScore(BaseModel, extra="forbid"):
    """MIDI bytes in base64."""

    midi: Base64Bytes


@router.post("/generate")
def generate(asked: Asked, desk: DeskOf, jobs: JobsOf) -> JobFacts:
    """Write new pieces from nothing."""
    return _asked(jobs, "generate", _settings(asked))


def _verb(verb: Verb, words: str) -> None:
    """A door for a verb that takes a file."""

    def asked(given: Given, desk: DeskOf, jobs: JobsOf) -> JobFacts:
        return _asked(jobs, verb, {**_settings(given), verb: str(_given_file(given, desk.out))})

    asked.__doc__ = words
    router.add_api_route(f"/{verb}", asked, methods=["POST"], name=verb, operation_id=verb)


_verb("continue", "Go on after a file's last bar, for so many more as `bars` says.")
_verb("infill", "Write the cells anew that `cells` names; everything else stays.")
_verb("accompany", "Add the instruments of `add`, which play along.")
_verb("harmonise", "Add chords to a melody.")
_verb("vary", "Write a share of the cells anew, as large as `amount` says.")


@router.get("/readiness")
def readiness(jobs: JobsOf) -> Readiness:
    """Whether the model is read; what is asked for before waits for it."""
    found = jobs.jobs.model
    return Readiness(state=found.state, error=found.error, timings=list(found.timings))


@router.post("/readiness")
def look_again(jobs: JobsOf) -> Readiness:
    """Have the model read once more, if none could be: a run may have left one."""
    jobs.jobs.look_again()
    return readiness(jobs)


@router.get("/jobs")
def all_jobs(jobs: JobsOf, page: PageOf) -> list[JobFacts]:
    """The session's jobs, the newest first."""
    return [_facts(jobs, job) for job in page.of(jobs.all())]


@router.get("/jobs/{job_id}")
def one_job(job_id: str, jobs: JobsOf) -> JobFacts:
    """Where a job stands."""
    return _facts(jobs, _found(jobs, job_id))


@router.delete("/jobs/{job_id}")
def cancel(job_id: str, jobs: JobsOf) -> JobFacts:
    """Stop a job; pieces of it that are finished stay."""
    job = _found(jobs, job_id)
    jobs.cancel(job)
    return _facts(jobs, job)


@router.get("/jobs/{job_id}/events")
async def follow(
    job_id: str,
    jobs: JobsOf,
    since: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> StreamingResponse:
    """A job's events from the `since`th on, as they come (server-sent events), until it ends.

    A browser whose connection broke says in `Last-Event-ID` which one it had last.
    """
    job = _found(jobs, job_id)
    first = since if last_event_id is None else last_event_id + 1
    return StreamingResponse(_events_of(job, first), media_type="text/event-stream")


async def _events_of(job: WritingJob, number: int) -> AsyncIterator[str]:
    while True:
        has_ended = job.state in ENDED
        for event in job.events[number:]:
            yield f"id: {number}\nevent: {event['kind']}\ndata: {json.dumps(event)}\n\n"
            number += 1
        if has_ended:
            return
        await asyncio.sleep(_TURN_SECONDS)


@router.get("/pieces")
def pieces(desk: DeskOf, page: PageOf) -> list[PieceLine]:
    """The pieces in the studio's folder, the newest first."""
    found = [(path.stat().st_mtime, path.stem) for path in desk.out.glob("*.mid")]
    some = page.of(sorted(found, reverse=True))
    return [PieceLine(name=name, written=when) for when, name in some]


@router.get("/pieces/{name}")
def piece(name: str, desk: DeskOf) -> PieceFacts:
    """A finished piece."""
    path = piece_path(desk.out, name)
    receipt = read_json(path.with_suffix(".json"), RECEIPT)
    music = Score.of(parse(read(path, MIDI)))
    words = in_words(receipt["originality"])
    has_credentials = path.with_suffix(SIDECAR).is_file()
    return PieceFacts(
        name=name, score=music, receipt=receipt, originality=words, has_credentials=has_credentials
    )


@router.get("/pieces/{name}/midi")
def piece_midi(name: str, desk: DeskOf) -> Response:
    """Its file, with the mark of its origin."""
    return download(read(piece_path(desk.out, name), MIDI), "audio/midi", f"{name}.mid")


@router.get("/pieces/{name}/receipt")
def piece_receipt(name: str, desk: DeskOf) -> Response:
    """Its receipt, from which the same bytes can be written again."""
    data = read(piece_path(desk.out, name).with_suffix(".json"), RECEIPT)
    return download(data, "application/json", f"{name}.json")


@router.get("/pieces/{name}/credentials")
def piece_credentials(name: str, desk: DeskOf) -> Response:
    """Its content credentials as a file to lie beside, for validators that do not know MIDI."""
    path = piece_path(desk.out, name).with_suffix(SIDECAR)
    if not path.is_file():
        raise HouseError(
            f"no content credentials lie beside {name!r}",
            mend="pieces of earlier versions have none: write it anew from its receipt",
        )
    return download(read(path, CREDENTIALS), "application/c2pa", path.name)


@router.get("/pieces/{name}/wav")
def piece_audio(name: str, desk: DeskOf) -> Response:
    """Its sound, as `sample.py` writes it."""
    path = piece_path(desk.out, name)
    midi = read(path, MIDI)
    with TemporaryDirectory(prefix="studio-") as folder:
        data = Playing().whole(parse(midi), path, Path(folder) / "piece.wav").read_bytes()
    return download(like(midi, data, name, stamp_by(desk.stamp)), "audio/wav", f"{name}.wav")


@router.post("/audio")
def audio(asked: Excerpt) -> Response:
    """Some bars of a score as WAV: what begins in them, until it has died away.

    Played at the times at which their bars begin, excerpts add up to the whole.
    """
    found = excerpt_wav(asked.score.piece(), asked.first_bar, asked.bars, asked.tracks, asked.speed)
    return Response(found, media_type="audio/wav")


@router.post("/score")
def score(given: GivenScore) -> Score:
    """A MIDI file as a score, read in a process of its own."""
    return Score.of(safe_examine(given.midi).normalised.piece)


@router.get("/chords")
def chords(text: Words, key: Words = "", genre: Words = "") -> ReadChords:
    """What is understood of a line of chords."""
    named = harmony.parse_key(key) if key else None
    bars = harmony.parse_progression(text, named)
    spelt: Sequence[str] = harmony.FLAT_NAMES
    if named:
        spelt = harmony.note_names(named.fifths, is_minor=named.is_minor)
    return ReadChords(
        bars=[[chord.spelt(spelt) if chord else "no chord" for chord in bar] for bar in bars],
        meter=harmony.usual_meter(genre),
    )


def _settings(asked: Asked) -> dict[str, Any]:
    """What `sample.py` would be asked: only what is said."""
    said = asked.model_dump(exclude_none=True, exclude={"piece", "midi", "file_name"})
    said.setdefault("seed", secrets.randbelow(1 << 31))
    return {name: value for name, value in said.items() if value != []}


def _asked(jobs: JobsOfOne, verb: str, settings: dict[str, Any]) -> JobFacts:
    return _facts(jobs, jobs.ask(WritingJob(secrets.token_urlsafe(12), verb, settings)))


def _given_file(given: Given, out: Path) -> Path:
    """The file that is meant; one that was sent is kept by its digest under its own name."""
    if (given.piece is None) == (given.midi is None):
        raise SettingError("which file?", mend="name a piece, or send midi, and not both")
    if given.piece is not None:
        return piece_path(out, given.piece)
    assert given.midi is not None  # noqa: S101 - one of the two is there
    name = re.sub(r"[^\w' #().,-]", "_", Path(given.file_name).stem)[:80].strip(". ") or "given"
    folder = out / "given" / sha256_hex(given.midi)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{as_file_name(name)}.mid"
    write_atomically(path, given.midi)
    return path


def _found(jobs: JobsOfOne, job_id: str) -> WritingJob:
    job = jobs.get(job_id)
    if job is None:
        raise HouseError("there is no such job", mend="jobs are forgotten when the studio ends")
    return job


def _facts(jobs: JobsOfOne, job: WritingJob) -> JobFacts:
    return JobFacts(
        id=job.id, verb=job.verb, state=job.state, place=jobs.place(job), events=len(job.events)
    )
