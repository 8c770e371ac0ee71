"""What the studio's tests ask with: a client of its interface, a server that really listens."""

from __future__ import annotations

import base64
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from gen.studio.app import studio
from gen.studio.desk import Desk
from gen.studio.serving.guard import Guard
from gen.studio.serving.people import People
from gen.studio.serving.served import HouseGuard, Served
from houses import PASSPHRASE, make_midi

if TYPE_CHECKING:
    from playwright.sync_api import Page

TOKEN = "token-of-a-test"  # noqa: S105 - opens nothing outside the tests
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), "")
"""The first needs two thirds of the others' seconds: it draws no windows around the pages."""
PATIENCE = 240
"""Seconds after which a page or a server hangs; a busy machine may take its time."""


def given(seed: int = 7, bars: int = 16, name: str = "small rain.mid") -> dict:
    """A file as the interface takes it."""
    return {"name": name, "midi": base64.b64encode(make_midi(seed, bars)).decode()}


def awaited(run, *given):
    """`asyncio.run` and the like in another thread: an open browser has a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run, *given).result()


STATED = {"method": "score", "consent": "general_model evaluation", "genre": "waltz"}


@dataclass
class Asker:
    """Asks the interface as a page does."""

    client: TestClient

    def get(self, path: str, status: int = 200):
        return self._read(self.client.get(f"/api/v1{path}"), status)

    def post(self, path: str, body: dict, status: int = 200):
        return self._read(self.client.post(f"/api/v1{path}", json=body), status)

    def _read(self, answer, status: int):
        assert answer.status_code == status, answer.text
        is_json = answer.headers["content-type"].startswith("application/json")
        return answer.json() if is_json else answer.content

    def unlock(self, person: str, passphrase: str = PASSPHRASE, status: int = 200):
        body = {"person": person, "passphrase": passphrase}
        return self.post("/keys/unlock", body, status)


COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}


def keeps_nobody_out(page: Page, *, in_the_dark: bool = False) -> None:
    """The rules of axe: names, contrast, roles, order; those of colour in the dark, too."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = [axe.run(page)]
    if in_the_dark:
        page.emulate_media(color_scheme="dark")
        found.append(axe.run(page, options=COLOURS))
        page.emulate_media(color_scheme="light")
    for each in found:
        assert each.violations_count == 0, each.generate_report()


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The address at which a real server answers; ended and waited for afterwards."""
    with _running(lambda address: Guard(studio(desk), frozenset({address[7:]}), TOKEN)) as address:
        yield address


@contextmanager
def served_to_many(desk: Desk) -> Iterator[str]:
    """The address at which a house is served to its people."""

    def guarded(address: str) -> HouseGuard:
        people = People(desk.house().pin.name, frozenset({address}))
        kept = Served(desk, people, desk.out)
        return HouseGuard(studio(desk, kept), kept)

    with _running(guarded) as address:
        yield address


@contextmanager
def _running(app: Callable[[str], Guard]) -> Iterator[str]:
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app(address), log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server ended before it began"
                time.sleep(0.01)
            yield address
        finally:
            server.should_exit = True
            thread.join()
