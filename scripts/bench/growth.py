"""What each command costs in houses of growing size: processor seconds, one command a process.

A house of small works (8 bars, two tracks) is signed and laid out by code, in this process, with
keys that are thrown away; then every command is run in it as people run it, a first time without
and a second time with what commands keep in the user's cache folder. Key files are sealed at the
lowest cost, so that the figures are without the 0.4 s that opening a key is made to take.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.provenance import study

SIZES = (500, 2_000)
_BATCH = 1_000
_PASSPHRASE = "benchmark of growth"  # noqa: S105 - unlocks nothing outside the folder made here
_SCRIPTS = Path(__file__).parents[1]
_BARS, _QUARTER = 8, 480
_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--works", type=int, nargs="+", default=list(SIZES), help="house sizes")


def run(args: Any) -> dict[str, Any]:
    """Seconds of every command in a house of each size.

    Returns:
        growth: a row a command, a column a size; `first` is without, `again` with what is kept.
    """
    columns = {size: _seconds_in_house_of(size) for size in args.works}
    commands = next(iter(columns.values()))
    rows = [
        {"command": name, **{f"{size}_works": round(columns[size][name], 2) for size in columns}}
        for name in commands
    ]
    return {"growth": rows}


def _seconds_in_house_of(size: int) -> dict[str, float]:
    found = {}
    with tempfile.TemporaryDirectory() as folder, environment(Path(folder)):
        hands = build(Path(folder) / "house", size)
        for name, command in commands(hands, Path(folder)):
            found[name] = cpu_seconds(command)
            print(f"{size} works, {name}: {found[name]:.2f} s", file=sys.stderr, flush=True)
    return found


@contextmanager
def environment(folder: Path) -> Iterator[None]:
    """Keys, caches and the passphrase of this benchmark alone."""
    before = dict(os.environ)
    os.environ |= {
        "HOUSE": str(folder / "house"),
        "HOUSE_KEYS": str(folder / "keys"),
        "HOUSE_PASSPHRASE": _PASSPHRASE,
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def commands(hands: Hands, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Names and command lines, in the order in which they are run."""
    from gen.smf import write

    works, midi = hands.works, folder / "new"
    midi.mkdir()
    for number in range(3):
        (midi / f"new{number}.mid").write_bytes(write(_piece(1_000_000 + number)))
    stated = ("--composer", "ana", "--genre", "waltz", "--mood", "calm", "--yes",
              "--method", "score", "--consent", "general_model", "--contract", "C-1")  # fmt: skip
    yield "show, first", _house("show")
    yield "show", _house("show")
    yield "show WORK", _house("show", works[2])
    yield "log, first", _house("log")
    yield "log", _house("log")
    yield "prove WORK", _house("prove", works[2], "--out", str(folder / "proof.json"))
    yield "verify", _house("verify")
    yield "contribute, first", _script("contribute.py", str(midi / "new0.mid"), *stated)
    yield "contribute", _script("contribute.py", str(midi / "new1.mid"), *stated)
    waits = hands.house.store.waiting()[0]
    yield "accept", _house("accept", waits, "--although-similar")
    yield "consent", _house("consent", works[1], "--allow", "evaluation", "--yes")
    yield "withdraw", _house("withdraw", works[0], "--as", "ana", "--reason", "a test", "--yes")
    yield "audit, first", _house("audit")
    yield "audit", _house("audit")
    yield "start of a run, first", _start()
    yield "start of a run", _start()


def _script(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(_SCRIPTS / name), *arguments]


def _house(*arguments: str) -> list[str]:
    return _script("house.py", *arguments)


def _start() -> list[str]:
    """The works of a run, admitted and ready as events: what comes before its first step."""
    return [sys.executable, "-c", _START]


_START = """
import os
from pathlib import Path
from gen.data.batches import DataConfig
from gen.data.module import HouseData
from gen.provenance.records.pin import find_pin

folder = Path(os.environ["HOUSE"])
data = HouseData(folder, find_pin(folder), "general_model", DataConfig(512, 2))
data.setup()
"""


def cpu_seconds(command: Sequence[str]) -> float:
    """Processor seconds of a command and its children.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
        done.check_returncode()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# A house of small works --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hands:
    """A house that was built, and the works in it, oldest first."""

    house: Any
    works: list[str]


def build(folder: Path, size: int, *, with_files: bool = True) -> Hands:
    """A house of `size` works by ana, accepted by cleo; their keys are in the key folder.

    Args:
        folder: where.
        size: how many works.
        with_files: whether the works' files are laid down, too; the register is the same.
    """
    from gen.provenance.houses.founding import create_house
    from gen.provenance.records.roster import Person, PersonKey
    from gen.provenance.signing.key_files import save_key, save_open_key
    from gen.provenance.signing.keys import PrivateKey

    roles = {"ana": ("composer",), "cleo": ("curator",), "machine": ("producer", "trainer")}
    keys = {who: PrivateKey.generate() for who in roles}
    people = [
        Person(who, who.title(), found, (PersonKey(keys[who].public, 0),))
        for who, found in roles.items()
    ]
    house = create_house(
        folder, "bench", [PrivateKey.generate()], pin_path=folder / "pin.yaml", people=people
    )
    for who in ("ana", "cleo"):
        save_key(keys[who], house="bench", owner=who, passphrase=_PASSPHRASE, kdf_cost=10)
    save_open_key(keys["machine"], house="bench", owner="machine")
    register, works = house.load(), []
    for start in range(0, size, _BATCH):
        numbers = range(start, min(start + _BATCH, size))
        works += _enter(house, register, numbers, keys["ana"], keys["cleo"], with_files=with_files)
    head = house.register_log.head()
    house.pin.advanced(register.roster, head.size, head.root).save()
    return Hands(house, works)


def _enter(
    house: Any, register: Any, numbers: Sequence[int], composer: Any, curator: Any,
    *, with_files: bool,
) -> list[str]:  # fmt: skip
    """Sign and append the `add` acts of these works, and put their files in place.

    As accepting does it, but for reading the register again for every batch.
    """
    from dataclasses import replace

    from gen.provenance.desk.works import entry_of
    from gen.provenance.history.log import HEAD_TYPE
    from gen.provenance.records.acts import ADD
    from gen.provenance.records.tag import read_tag
    from gen.provenance.signing.dsse import sign

    log, identity = house.register_log, register.roster.identity
    lines, works = [], []
    (house.folder / "ana").mkdir(exist_ok=True)
    for index, number in enumerate(numbers, start=log.head().size):
        data = read_tag(study(number, _piece(number), composer, identity))
        data = data.countersigned(curator)
        entry = entry_of(read_tag(data), data, register)
        if with_files:
            (house.folder / entry.path).write_bytes(data)
        act = replace(register.act(ADD, "cleo", entry.to_dict(), curator.now()), index=index)
        act = act.signed_by([curator])
        lines.append(act.encode())
        works.append(entry.work)
    log.append(lines, lambda payload: [sign(HEAD_TYPE, payload, curator)])
    return works


def _piece(number: int) -> Any:
    """8 bars for flute and bass, about 80 notes."""
    from gen.piece import Note, Piece, Tempo, TimeSignature, Track

    chance = random.Random(number)  # noqa: S311 - music, not secrets
    melody, onset, end = [], 0, _BARS * 4 * _QUARTER
    while onset < end:
        length = min(chance.choice((1, 1, 2, 2, 4)) * _QUARTER // 2, end - onset)
        melody.append(Note(onset, length - 10, 67 + chance.choice(_SCALE), 60 + number % 40))
        onset += length
    bass = [Note(beat * _QUARTER, 460, 36 + chance.choice(_SCALE), 70) for beat in range(4 * _BARS)]
    tracks = [Track("flute", 73, False, None, melody), Track("bass", 32, False, None, bass)]
    return Piece(_QUARTER, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])
