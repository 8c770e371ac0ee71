"""Runs of `scripts/train.py` that are killed at random instants and gone on with.

    python killed_runs.py PIN KILLS SEED

Everything is imported once; each run is then a fork that starts as the command line would, so
that a run of some steps takes a second. In the working folder there are, for each chain of
runs that ended, the folders of its runs in order. Prints a JSON object when all is done.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from gen.checkpoint import load_checkpoint
from gen.disk import seals
from gen.provenance.houses.house import House
from gen.provenance.records.pin import load_pin
from gen.training import run  # noqa: F401 - so that no fork has to import it
from gen.training.resume import RESUME_FILE, SealedCheckpoints
from tiny_runs import SECRET, SETTINGS, TRAIN, call

CURVES = ("train/nats_per_event", "validation/bits_per_note")
STEPS = 12
LONGER = (
    f"model.dropout=0.1 trainer.max_steps={STEPS} trainer.val_check_interval=3 "
    "trainer.log_every_n_steps=1"
).split()


def train(folder: Path, *words: str) -> int:
    """A run that leaves its files in `folder`, and its talk beside it. Returns its exit code."""
    os.environ["HOUSE_CACHE"] = str(folder.parent / "cache")
    done = call(TRAIN, *SETTINGS.split(), *LONGER, f"hydra.run.dir={folder}", *words)
    talk_of(folder).write_text(f"{done.stdout}\n{done.stderr}", "utf-8")
    return done.code


def talk_of(folder: Path) -> Path:
    return folder.with_suffix(".talk")


def start(folder: Path, *words: str) -> int:
    """The same in a fork. Returns its process id."""
    folder.mkdir(parents=True)
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        code = train(folder, *words)
    finally:
        os._exit(code)


def wait(pid: int, seconds: float | None = None, after: Path | None = None) -> int:
    """Exit code of a run that is killed so many seconds from now, or after a file has appeared."""
    deadline = math.inf
    while time.monotonic() < deadline:
        if seconds is not None and deadline == math.inf and (after is None or after.exists()):
            deadline = time.monotonic() + seconds
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def check_whole(folder: Path, house: House) -> None:
    """Whatever a killed run has left is whole."""
    for path in folder.glob("*.safetensors"):
        load_checkpoint(path)
    if (folder / RESUME_FILE).exists():
        SealedCheckpoints(seals.user_secret()).load_checkpoint(folder / RESUME_FILE)
        names = [run.name for run in house.load().runs.by_index.values()]
        assert any(name.endswith(f"/{folder.name}") for name in names)
    house.load()


def curve(folder: Path) -> dict[tuple[str, str], str]:
    """(step, name) -> value as written; the last line may have been cut by the kill."""
    path = folder / "csv" / "metrics.csv"
    if not path.exists():
        return {}
    text = path.read_text("utf-8")
    rows = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())
    return {(row["step"], name): row[name] for row in rows for name in CURVES if row.get(name)}


def check_same(reference: Path, chain: list[Path]) -> None:
    """The runs of a chain, put together, are the uninterrupted run to the last bit."""
    joined: dict[tuple[str, str], str] = {}
    for folder in chain:
        for key, value in curve(folder).items():
            assert joined.setdefault(key, value) == value, (folder, key)
    expected = curve(reference)
    assert joined == expected
    assert len(expected) == STEPS + STEPS // 3
    for name in ("best", "last"):
        one, other = (load_checkpoint(f / f"{name}.safetensors") for f in (reference, chain[-1]))
        theirs = other.model.state_dict()
        assert all(torch.equal(t, theirs[key]) for key, t in one.model.state_dict().items()), name
        assert one.run["steps"] == other.run["steps"]
        assert one.run["bits_per_note"] == other.run["bits_per_note"]


def main(pin: str, kills: int, seed: int) -> None:
    seals.secret_path = lambda: Path(SECRET).absolute()
    house, here = House(load_pin(Path(pin))), Path.cwd()
    chance = random.Random(seed)  # noqa: S311 - chooses instants
    reference = here / "whole" / "000"
    assert train(reference, f"pin={pin}") == 0, talk_of(reference).read_text("utf-8")
    begin = time.monotonic()
    again = here / "again" / "000"
    assert wait(start(again, f"pin={pin}")) == 0, talk_of(again).read_text("utf-8")
    seconds = time.monotonic() - begin
    check_same(reference, [again])
    killed = resumed = chains = 0
    while killed < kills:
        chain: list[Path] = []
        code = -1
        while code:
            folder = here / f"chain{chains}" / f"{len(chain):03d}"
            last = any(folder.parent.glob(f"*/{RESUME_FILE}"))
            resumed += last
            chain.append(folder)
            pid = start(folder, f"pin={pin}", *(["ckpt=last"] if last else []))
            if killed == kills:
                code = wait(pid)
            elif killed % 2:  # anywhere in a run; every other time, where there is most to lose
                code = wait(pid, chance.uniform(0, seconds))
            else:
                code = wait(pid, chance.uniform(0, seconds / 4), after=folder / RESUME_FILE)
            assert code in (0, -signal.SIGKILL), talk_of(folder).read_text("utf-8")
            killed += code != 0
            check_whole(folder, house)
        check_same(reference, chain)
        chains += 1
    print(json.dumps({"killed": killed, "resumed": resumed, "chains": chains}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
