r"""A visit: what an engineer from outside runs in the office.

\b
    make visit
    make visit ARGS="--plant my-own.mid --seed 20711"

Each step is a public command in a process of its own, and what it answered is kept. What it does:
judge log, witnesses and works with the stand-alone verifier, which shares no code with the house;
plant two files, yours and a work of the house with one bit changed, in a copy of the house, and see
that neither the audit nor training takes them; train segments of a model again, drawn by your
dice, and compare every bit; ask for a piece and follow it back to the composers behind it. One page
says what was proved and what was not.

All but the dice takes some minutes. A segment is replayed from the last state that was kept before
it: of a run of an hour that kept two, up to half an hour. --segments 0 replays the first and
the last alone, which takes minutes, and the page says that nothing was drawn.

Exit codes: 0 all of it was proved, 2 something was not.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.careful import CarefulCommand, echo
from gen.cli.house_commands.common import REFUSED
from gen.errors import HouseError
from gen.terminal import SAFE_PATH

if TYPE_CHECKING:
    from gen.provenance.history.runs import Run
    from gen.provenance.houses.house import House
    from gen.provenance.signing.keys import PrivateKey

MODEL = "data/house_model/rebuildable/last.safetensors"
PIN = "conf/house/starter.yaml"
NOT_PROVED = (
    "who composed the works: only who signed that they did, and who accepted them",
    "that it is the only history that the house shows, unless witnesses you trust signed its head",
    "that no other model exists, or is used elsewhere",
    "what the segments would give that were not replayed: the transcript's word stands for them",
    "anything about a machine that changes what its programs do while you look: run this on yours",
)
_TIMES = ("seconds", "processor_seconds")
PLANTED, PLANTED_PIN, PIECES = "planted-house", "planted-house.yaml", "pieces"
_REPLACED = (PLANTED, PIECES)
"""Below the visit's folder, from an earlier visit."""
_LINES = 12
"""Of a command's answer, the last of which the page keeps."""


@dataclass
class Step:
    """One thing that was looked at.

    Attributes:
        claim: what it shows when it holds.
        command: what was run, without the interpreter.
        holds: whether it does.
        answer: the last lines of what the command said.
        seconds: that it took, by the clock.
        processor_seconds: likewise, of all processors; 0 where the system does not tell.
    """

    claim: str
    command: list[str]
    holds: bool
    answer: list[str]
    seconds: float
    processor_seconds: float

    @property
    def took(self) -> str:
        """How long it took, in words."""
        return _took(self.seconds, self.processor_seconds)


def _took(seconds: float, processor_seconds: float) -> str:
    return f"{seconds:.0f} s, of processors {processor_seconds:.0f} s"


class _Stopwatch:
    """Seconds since it was made: by the clock, and of processors, those of commands that ended."""

    def __init__(self) -> None:
        self._begin = time.perf_counter(), self._worked()

    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self._begin[0], self._worked() - self._begin[1]

    @staticmethod
    def _worked() -> float:
        return sum(os.times()[:4])


@dataclass(frozen=True)
class PageSigner:
    """Who signs, by a key that is open."""

    person: str
    key: PrivateKey


@dataclass
class Visit:
    """The steps of one visit, and where it leaves things.

    Attributes:
        acts: in the log as the visit begins; None where it cannot be believed.
        stranger: the visitor's own file, to be planted.
        signer: who signs the page.
    """

    house: House
    model: Path
    out: Path
    seed: int
    acts: int | None = None
    stranger: bytes | None = None
    signer: PageSigner | None = None
    steps: list[Step] = field(default_factory=list)

    def run(self, claim: str, *words: str | Path, code: int = 0, says: tuple[str, ...] = ()) -> str:
        """Run a script; it holds where it ends with this code and its answer has these words."""
        command = [str(word) for word in words]
        print(f"… {claim}", file=sys.stderr, flush=True)
        watch = _Stopwatch()
        path = _scripts() / command[0]
        # A script's own folder is looked in first, where the stand-alone verifier has its chapters.
        found = {name: value for name, value in os.environ.items() if name != SAFE_PATH}
        done = subprocess.run(  # noqa: S603 - our own scripts
            [sys.executable, str(path), *command[1:]], capture_output=True, text=True,
            encoding="utf-8", errors="replace", check=False, env=found,
        )  # fmt: skip
        answer = f"{done.stdout}\n{done.stderr}"
        holds = done.returncode == code and all(each in answer for each in says)
        self.add(claim, command, answer, watch, holds=holds)
        return done.stdout

    def add(
        self, claim: str, command: list[str], answer: str, watch: _Stopwatch, *, holds: bool
    ) -> None:
        lines = [line for line in answer.splitlines() if line.strip()][-_LINES:]
        step = Step(claim, command, holds, lines, *watch.seconds())
        self.steps.append(step)
        print(f"  {'holds' if holds else 'DOES NOT HOLD'}, {step.took}", file=sys.stderr)


def _scripts() -> Path:
    from gen.places import HOME

    return HOME / "scripts"


# -- the steps -----------------------------------------------------------------------------------


def verify_alone(visit: Visit) -> None:
    pin, transcript = str(visit.house.pin.path), visit.model.with_name("transcript.jsonl")
    words = ["--pin", pin, "--model", str(visit.model)]
    words += ["--transcript", str(transcript)] if transcript.is_file() else []
    visit.run(
        "log, notes of witnesses, works, model and transcript hold by the stand-alone verifier",
        "verify_alone.py", visit.house.folder, *words,
    )  # fmt: skip
    visit.run(
        "who has seen this log, and since when: by the house's own verifier",
        "house.py", "verify", "--pin", pin,
    )  # fmt: skip


def plant(visit: Visit) -> None:
    """Put a stranger's file and a changed work into a copy of the house: both are refused.

    Raises:
        HouseError: the house cannot be copied, or has no work to be changed.
    """
    from gen.smf.chunks import TAG_CHUNK

    copy, place = visit.out / PLANTED, visit.out / PLANTED_PIN
    replace(visit.house.pin, dir=copy.resolve(), path=place.resolve()).save()
    shutil.rmtree(copy, ignore_errors=True)
    _copy_files(visit.house.folder, copy)
    changed, data = _drawn_work(copy, visit.seed)
    data[data.rfind(TAG_CHUNK) - 5] ^= 1  # in the last track, before its end
    changed.write_bytes(data)
    stranger = changed.with_name("visitor.mid")
    stranger.write_bytes(visit.stranger if visit.stranger is not None else a_file(visit.seed))
    says = tuple(f"{path.parent.name}/{path.name}: refused" for path in (changed, stranger))
    is_own = visit.stranger is not None
    whose = "the visitor's file" if is_own else "a file written for this visit"
    visit.run(
        f"{whose} is refused, and so is a work of the house with one bit changed",
        "house.py", "audit", "--pin", place, code=REFUSED, says=says,
    )  # fmt: skip
    visit.run(
        "training begins with neither: it stops before its first step",
        "train.py", f"pin={place}", "logger=none", "trainer.max_steps=1",
        f"hydra.run.dir={visit.out / 'no-run'}", code=REFUSED, says=says,
    )  # fmt: skip
    shutil.rmtree(copy, ignore_errors=True)


def _copy_files(folder: Path, copy: Path) -> None:
    """Files, folders, and links as links: pipes and devices lie in a house by accident."""

    def others(place: str, names: list[str]) -> list[str]:
        modes = {name: Path(place, name).lstat().st_mode for name in names}
        kinds = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
        return [name for name, mode in modes.items() if not any(is_one(mode) for is_one in kinds)]

    try:
        shutil.copytree(folder, copy, symlinks=True, ignore=others)
    except shutil.Error as error:
        place, _, why = error.args[0][0]
        mend = "ask the house's owner for the right to read it, or name another --out"
        raise HouseError(f"cannot be copied ({why})", where=str(place), mend=mend) from error


def _drawn_work(copy: Path, seed: int) -> tuple[Path, bytearray]:
    from gen.provenance.houses.store import ADMIN_FOLDERS
    from gen.smf.chunks import TAG_CHUNK

    found = sorted(path for path in copy.glob("*/*.mid") if path.parent.name not in ADMIN_FOLDERS)
    first = seed % len(found) if found else 0
    for path in (*found[first:], *found[:first]):
        if path.is_file() and not path.is_symlink() and TAG_CHUNK in (data := path.read_bytes()):
            return path, bytearray(data)
    raise HouseError(
        "has no work that could be changed and planted", where=copy.name,
        mend="visit it once a work is accepted: house.py accept",
    )  # fmt: skip


def a_file(seed: int) -> bytes:
    """A small MIDI file that nobody has signed, another for each seed."""
    import random

    from gen.piece import Note, Piece, Track
    from gen.smf import write

    rng = random.Random(seed)  # noqa: S311 - notes, no secret
    notes = [Note(480 * i, 400, rng.randrange(48, 84), 80) for i in range(64)]
    return write(Piece(480, [Track("visitor", 0, notes=notes)]))


def rebuild(visit: Visit, segments: int) -> None:
    drawn = "segments by the visitor's dice"
    which = drawn if segments else "its first and last segment, none drawn,"
    visit.run(
        f"the model is what these works give: {which} have the same bits",
        "house.py", "rebuild", visit.model, "--segments", f"random:{segments}",
        "--seed", str(visit.seed), "--pin", visit.house.pin.path or "",
    )  # fmt: skip


def follow_a_piece(visit: Visit, asked: list[str]) -> list[str]:
    """Ask for a piece, write it again from its receipt, and name who stands behind it."""
    pieces, pin = visit.out / PIECES, f"pin={visit.house.pin.path}"
    shutil.rmtree(pieces, ignore_errors=True)
    usual = [f"checkpoint={visit.model}", pin, "audio=false"]
    written = visit.run(
        f"a piece is written as asked: {' '.join(asked) or 'nothing in particular'}",
        "sample.py", *usual, f"out={pieces}", "n=1", f"seed={visit.seed}", *asked,
    )  # fmt: skip
    midi = next((Path(line) for line in written.splitlines() if line.endswith(".mid")), None)
    if midi is None:
        return []
    receipt = midi.with_suffix(".json")
    visit.run(
        "its receipt is true: the same bytes come out again",
        "sample.py", *usual, f"receipt={receipt}", f"out={visit.out / 'again'}",
        says=("the same bytes",),
    )  # fmt: skip
    watch = _Stopwatch()
    holds, words = _behind(visit, json.loads(receipt.read_bytes()))
    claim = "the piece leads back, by digests in the log, to the works and their composers"
    visit.add(claim, [], "\n".join(words), watch, holds=holds)
    return words


def _behind(visit: Visit, record: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether the log has the model of a receipt, and who its works are by, in words."""
    register = visit.house.load()
    runs = register.runs.of_file(record["checkpoint_sha256"])
    if not runs:
        return False, [f"no run in the log left the model {record['checkpoint_sha256']}"]
    run: Run = runs[0]
    names = {person.id: person.lasting_name for person in register.roster.people}
    works = register.runs.works_behind(run)
    people = Counter(who for work in works for who, _ in register.works[work].entry.composers)
    same = record["manifest_sha256"] == run.manifest
    return same, [
        f"receipt names model {record['checkpoint_sha256'][:16]}…, which {run} left (act "
        f"{run.ended_at if run.ended_at is not None else run.index})",
        f"its manifest {run.manifest[:16]}… names {len(run.works)} works, "
        f"{len(works)} are behind it; by "
        + ", ".join(f"{names.get(who, who)} {count}" for who, count in people.most_common()),
    ]


# -- the page ------------------------------------------------------------------------------------


def page_of(visit: Visit) -> str:
    """What was proved and what was not, as plain text."""
    proved = [step for step in visit.steps if step.holds]
    failed = [step for step in visit.steps if not step.holds]
    took = _took(*(sum(getattr(s, name) for s in visit.steps) for name in _TIMES))
    lines = [
        f"Visit to the music house {visit.house.pin.name}",
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC; dice: --seed {visit.seed}",
        _log_of(visit),
        f"model: {visit.model}",
        f"took {took}",
        "",
        f"PROVED, as far as the commands below show it ({len(proved)} of {len(visit.steps)})",
        *(f"  + {step.claim} ({step.took})" for step in proved),
        "",
        "NOT PROVED",
        *(f"  ! DOES NOT HOLD: {step.claim}" for step in failed),
        *(f"  - {words}" for words in NOT_PROVED),
        "",
        "WHAT WAS RUN, AND ANSWERED",
    ]
    for step in visit.steps:
        lines += ["", f"$ {' '.join(step.command) or '(read from the log)'}"]
        lines += [f"    {line}" for line in step.answer]
    return "\n".join(lines) + "\n"


def _log_of(visit: Visit) -> str:
    try:
        head = visit.house.load().head
    except HouseError as error:
        return f"log: cannot be believed: {error.what}"
    if head is None:
        return "log: none"
    grew = "" if visit.acts in (None, head.size) else ", its own piece included"
    return f"log as the visit left it{grew}: {head.size} acts, root {head.root}"


def _check_replaceable(out: Path) -> None:
    """Refuse to replace what no visit has left: a folder of that name may hold anything."""
    there = next((name for name in _REPLACED if (out / name).exists()), None)
    if there and not (out / PLANTED_PIN).exists():
        mend = "name a new folder for the visit: --out DIR"
        raise HouseError("is there, and no visit left it", where=str(out / there), mend=mend)


def _acts_of(house: House) -> int | None:
    try:
        head = house.load().head
    except HouseError:
        return None  # which the verifiers say in their words
    return head.size if head else None


def leave(visit: Visit) -> Path:
    """Write the page, with a signature beside it where somebody signs; where it lies."""
    from gen.disclosure.signed import VISIT_TYPE
    from gen.disk import write_atomically
    from gen.provenance.signing.canonical import sha256_hex
    from gen.provenance.signing.dsse import Envelope, sign

    path, data = visit.out / "visit.txt", page_of(visit).encode("utf-8")
    write_atomically(path, data)
    print(f"{path}\nSHA-256 {sha256_hex(data)}")
    if signer := visit.signer:
        signed = Envelope(VISIT_TYPE, data, (sign(VISIT_TYPE, data, signer.key),))
        write_atomically(path.with_suffix(".signature.json"), signed.encode() + b"\n")
        signature = path.with_suffix(".signature.json")
        print(f"signed by {signer.person}: {signature}")
        pin = f" --pin {visit.house.pin.path}" if visit.house.pin.path else ""
        print(f"to check it: python scripts/disclose.py check {signature}{pin}")
    return path


@click.command(cls=CarefulCommand, help=__doc__.replace("\\b\n", "\b\n"))
@click.option("--pin", type=click.Path(path_type=Path), metavar="FILE", help=f"By default {PIN}.")
@click.option("--model", type=click.Path(path_type=Path), metavar="FILE", help=f"{MODEL}.")
@click.option("--plant", "own", type=click.Path(path_type=Path), metavar="FILE",
              help="A MIDI file of your own, to be planted.")  # fmt: skip
@click.option("--segments", type=click.IntRange(0, 999_999), default=1, show_default=True,
              help="How many are drawn; the first and the last are replayed besides.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1),
              help="Your dice: throw them, do not let the house choose.")  # fmt: skip
@click.option("--ask", "asked", multiple=True, metavar="KEY=VALUE",
              help="About the piece: genre=waltz, bars=16; repeat it.")  # fmt: skip
@click.option("--sign", "signer", metavar="ID", help="Who of the house signs the page.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/visit"),
              show_default=True, help="Where the page and the piece go.")  # fmt: skip
def main(
    *, pin: Path | None, model: Path | None, own: Path | None, segments: int, seed: int | None,
    asked: tuple[str, ...], signer: str | None, out: Path,
) -> None:  # fmt: skip
    try:
        visit = begun(pin, model, out, seed, own, signer)
        verify_alone(visit)
        plant(visit)
        follow_a_piece(visit, list(asked))
        rebuild(visit, segments)
        leave(visit)
    except HouseError as error:
        echo(str(error), err=True)
        raise SystemExit(REFUSED) from None
    if not all(step.holds for step in visit.steps):
        raise SystemExit(REFUSED)


def begun(
    pin: Path | None, model: Path | None, out: Path, seed: int | None, own: Path | None = None,
    signer: str | None = None,
) -> Visit:  # fmt: skip
    """A visit to a house under its pin.

    Raises:
        HouseError: there is no such house or model, the programs are not here, the visitor's file
            cannot be read, or the signer's key is not at hand.
    """
    from gen.disk.reading import MIDI, read
    from gen.places import PROJECT, of_project
    from gen.provenance.houses.access import key_of_person
    from gen.provenance.houses.house import House
    from gen.provenance.records.pin import load_pin

    found = model or of_project(MODEL)
    if PROJECT is None or not found.is_file():
        raise HouseError("no such model", where=str(found), mend="name one: --model FILE")
    house = House(load_pin(pin or of_project(PIN)))
    stranger = None if own is None else read(own, MIDI)
    key = None if signer is None else PageSigner(signer, key_of_person(house.load(), signer))
    _check_replaceable(out)
    out.mkdir(parents=True, exist_ok=True)
    dice = secrets.randbelow(2**32) if seed is None else seed
    return Visit(house, found, out, dice, _acts_of(house), stranger, key)
