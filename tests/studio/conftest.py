"""A studio to ask: over a small house whose ana composes and whose cleo curates."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from desks import CHROMIUM, PATIENCE, TOKEN, Asker, served
from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.music import jobs
from gen.studio.routes import runs
from gen.studio.serving.guard import Guard
from gen.studio.serving.people import People
from gen.studio.serving.served import HouseGuard, Served
from houses import TestHouse, keep_key, make_midi, start_house
from prepared import quick_subprocess
from served import ORIGIN, Clock, Hand
from studios import CHECKPOINT, make_studio


@pytest.fixture(autouse=True, scope="session")
def prepared_processes() -> Iterator[None]:
    """What writes music, and a run, begin with torch imported; in `test_load` they do not."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (jobs, runs):
            patch.setattr(module, "subprocess", quick_subprocess)
        yield


@pytest.fixture
def small_house(tmp_path: Path, own_keys: Path) -> TestHouse:
    """A house with one work in it; the keys of ana and cleo are sealed in the key folder."""
    made = start_house(tmp_path / "house")
    made.enter(1)
    for person in ("ana", "cleo"):
        keep_key(person)
    return made


@pytest.fixture
def desk(small_house: TestHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("HOUSE_PASSPHRASE", raising=False)
    made = Desk(
        small_house.folder, small_house.pin.path, "last", tmp_path / "pieces", tmp_path / "outputs"
    )
    made.make_out()
    return made


@pytest.fixture(scope="session")
def writing_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("studio")
    house = make_studio(folder)
    checkpoint = str(folder / CHECKPOINT)
    made = Desk(house.folder, house.pin.path, checkpoint, folder / "pieces", folder / "runs")
    made.make_out()
    return made


@pytest.fixture
def guard(desk: Desk) -> Guard:
    return Guard(studio(desk), frozenset({"testserver"}), TOKEN)


@pytest.fixture
def asker(guard: Guard) -> Asker:
    """Without the process that writes music, which starts with the server."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    return Asker(TestClient(guard, headers=headers, raise_server_exceptions=True))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(name="served")
def served_house(desk: Desk, clock: Clock) -> Served:
    people = People("lantern", frozenset({ORIGIN}), clock)
    return Served(desk, people, desk.out)


@pytest.fixture
def client(served: Served) -> TestClient:
    return TestClient(HouseGuard(studio(served.desk, served), served))


@pytest.fixture
def hand(client: TestClient) -> Callable[[str], Hand]:
    """Somebody who is signed in to the house that is served."""
    return lambda person: Hand(client, person).sign_in()


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium; without one there is nothing to look through."""
    if not CHROMIUM:
        word = "no Chromium is installed (apt-get install chromium-headless-shell, or chromium)"
        assert "BROWSER_NEEDED" not in os.environ, word
        pytest.skip(word)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield found
        found.close()


@pytest.fixture
def page(browser, desk: Desk) -> Iterator:
    """A page of a running studio, entered by its address; no script may fail on it."""
    failures: list[str] = []
    with served(desk) as address:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
        context.set_default_timeout(PATIENCE * 1000)
        found = context.new_page()
        found.on("pageerror", lambda error: failures.append(str(error)))
        found.goto(f"{address}/?token={TOKEN}")
        yield found
        context.close()
    assert not failures


@pytest.fixture
def write_midi(tmp_path: Path) -> Callable[[int, str], Path]:
    """Files to drop."""

    def write(seed: int, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(make_midi(seed, 16))
        return path

    return write
