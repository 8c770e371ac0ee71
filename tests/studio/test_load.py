"""Thirty people at once, and a server that is killed again and again: what was acknowledged stays.

Slow, and bounded. Times are printed, never judged: another computer has others.
"""

from __future__ import annotations

import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from gen.provenance.records.roster import Person, PersonKey
from houses import key_of, make_midi
from served import Hand, RefusedError, as_file
from studios import CHECKPOINT, make_studio

PEOPLE = 30
KILLS = 30
PATIENCE = 120
LONGEST_GAP = 20
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as POSIX does"),
]


@dataclass
class Seen:
    """What people saw: seconds of page answers, statuses, and what was acknowledged."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    works: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    pieces: int = 0
    places: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Server:
    """`studio.py --serve` in a process of its own, which can be killed and begun again."""

    def __init__(self, folder: Path, house: Path, pin: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._command = [
            sys.executable, "-m", "gen.cli.studio", "--serve", "--house", str(house),
            "--pin", str(pin), "--checkpoint", str(folder / CHECKPOINT),
            "--out", str(folder / "out"), "--port", str(self.port),
        ]  # fmt: skip
        self._log = (folder / "server.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)
        while True:
            assert self._process.poll() is None, "the server ended"
            try:
                httpx.get(f"{self.address}/sign-in", timeout=PATIENCE)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()


@pytest.fixture
def many(tmp_path: Path, own_keys: Path):
    """A house with so many composers, and its server."""
    house = make_studio(tmp_path, more=[
        Person(f"p{n}", f"p{n}", ("composer",), (PersonKey(key_of(f"p{n}").public, 0),))
        for n in range(PEOPLE - 1)
    ])  # fmt: skip
    server = Server(tmp_path, house.folder, house.pin.path)
    server.begin()
    yield house, server
    server.end()


@contextmanager
def person(server: Server, name: str) -> Iterator[Hand]:
    with httpx.Client(base_url=server.address, timeout=PATIENCE) as client:
        yield Hand(client, name, origin=server.address)


def patiently(hand: Hand, act, seen: Seen):
    """Do something however often the server goes away; None where it is refused for good."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return act()
        except httpx.HTTPError:
            time.sleep(0.2)
        except RefusedError as error:
            seen.statuses.append(error.status)
            if error.status == 429:
                time.sleep(1)
            elif error.status == 401:
                enter(hand, seen)
            elif error.status != 409:
                return None
    seen.failures.append(f"{hand.person} waited in vain")
    return None


def enter(hand: Hand, seen: Seen) -> None:
    hand.token = ""
    try:
        hand.sign_in()
    except (httpx.HTTPError, RefusedError) as error:
        seen.statuses.append(getattr(error, "status", 0))
        time.sleep(0.5)


def looks(hand: Hand, seen: Seen) -> None:
    """The pages and lists of a visit, each with its time."""
    for path in ("/create", "/house", "/api/v1/house", "/api/v1/works", "/api/v1/jobs"):
        began = time.monotonic()
        headers = {"authorization": f"Bearer {hand.token}"}
        try:
            answer = hand.client.get(path, headers=headers)
        except httpx.HTTPError:
            continue
        seen.seconds.append(time.monotonic() - began)
        seen.statuses.append(answer.status_code)


def composes(server: Server, number: int, files: int, seen: Seen) -> None:
    """Sign in, look around, contribute, ask for music and follow its place in the queue."""
    with person(server, f"p{number}") as hand:
        patiently(hand, hand.sign_in, seen)
        for file in range(files):
            looks(hand, seen)
            data = as_file(make_midi(1_000 + 50 * number + file, 16), f"p{number} {file}.mid")
            done = patiently(hand, lambda data=data: hand.contribute(data), seen)
            if done and done["work"] and not done["rule"]:
                seen.works.add(done["work"])
        job = patiently(hand, lambda: hand.post("/generate", {"bars": 4}), seen)
        while job and job["state"] in ("waiting", "writing"):
            seen.places.append(job["place"])
            time.sleep(0.5)
            job = patiently(hand, lambda job=job: hand.get(f"/jobs/{job['id']}"), seen)
        seen.pieces += bool(job and job["state"] == "done")


def curates(server: Server, seen: Seen, is_over: threading.Event) -> None:
    with person(server, "cleo") as hand:
        patiently(hand, hand.sign_in, seen)
        while True:
            last = is_over.is_set()
            for one in patiently(hand, lambda: hand.get("/inbox"), seen) or []:
                work = one["work"]
                done = patiently(hand, lambda work=work: hand.accept(work), seen)
                if done and done["state"] == "accepted":
                    seen.accepted.add(work)
            if last:
                return
            time.sleep(0.5)


def crowd(server: Server, seen: Seen, files: int, meanwhile=lambda: None) -> None:
    is_over = threading.Event()
    curator = threading.Thread(target=curates, args=(server, seen, is_over))
    everybody = [
        threading.Thread(target=composes, args=(server, n, files, seen)) for n in range(PEOPLE - 1)
    ]
    for thread in (curator, *everybody):
        thread.start()
    meanwhile()
    for thread in everybody:
        thread.join()
    is_over.set()
    curator.join()


def report(seen: Seen) -> str:
    times = sorted(seen.seconds)
    at = statistics.quantiles(times, n=20)
    bad = sum(status >= 500 for status in seen.statuses)
    return (
        f"{len(times)} page answers: median {statistics.median(times):.2f} s, 95 % under "
        f"{at[18]:.2f} s; {bad} answers of 5xx; {len(seen.works)} contributed, "
        f"{len(seen.accepted)} accepted, {seen.pieces} pieces; furthest place in the queue "
        f"{max(seen.places, default=0)}"
    )


def check_kept(house, seen: Seen) -> None:
    """Everything acknowledged is there, in the house or waiting, and verifies anew."""
    register = house.house.load(anew=True)
    waiting = set(house.house.store.waiting())
    assert seen.accepted <= register.works.keys()
    assert seen.works <= register.works.keys() | waiting
    assert house.rules() == {}


def test_thirty_people_at_once_lose_nothing(many, capsys) -> None:
    house, server = many
    seen = Seen()
    crowd(server, seen, files=1)
    with capsys.disabled():
        print(f"\n{report(seen)}")
    assert not seen.failures
    assert not [status for status in seen.statuses if status >= 500]
    assert len(seen.works) == len(seen.accepted) == PEOPLE - 1
    assert seen.pieces == PEOPLE - 1
    assert max(seen.places) > 1
    check_kept(house, seen)


def test_thirty_kills_lose_nothing_that_was_acknowledged(many, capsys) -> None:
    house, server = many
    seen, chance = Seen(), random.Random(7)  # noqa: S311 - when to kill

    def acts() -> int:
        return len(seen.works) + len(seen.accepted)

    between = []

    def kill_again_and_again() -> None:
        """Kill at a random moment after something more was acknowledged, or after a long wait."""
        for _ in range(KILLS):
            before, until = acts(), time.monotonic() + LONGEST_GAP
            while acts() == before and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 1.5))
            between.append(acts() - before)
            server.kill()
            server.begin()

    crowd(server, seen, files=3, meanwhile=kill_again_and_again)
    with capsys.disabled():
        print(f"\n{report(seen)}; acts before each kill: {between}")
    assert not [status for status in seen.statuses if status >= 500]
    assert sum(count > 0 for count in between) > KILLS // 2, "it was killed before anybody acted"
    check_kept(house, seen)
