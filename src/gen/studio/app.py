"""The studio as one web application: pages, their files, and the interface that they use."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, select_autoescape

from gen import __version__
from gen.errors import HouseError, brief, printable
from gen.provenance.signing.elsewhere import NotSignedError
from gen.smf import RuleBroken
from gen.studio.desk import Desk
from gen.studio.interface import PREFIX
from gen.studio.music.jobs import Jobs, QueueFullError
from gen.studio.music.sound import prepare
from gen.studio.routes import (
    account,
    audits,
    complaints,
    contributing,
    curating,
    dealings,
    grants,
    houses,
    log,
    making,
    models,
    notation,
    papers,
    runs,
    signing,
)
from gen.studio.serving.limits import TooManyError
from gen.studio.serving.people import NotAllowedError, SignInError
from gen.studio.serving.served import Served

ROOMS = {
    "create": "Create", "contribute": "Contribute", "mine": "My works", "curate": "Curate",
    "house": "House", "runs": "Runs",
}  # fmt: skip
"""Path of each room's page → its name for people."""
_STATUS: dict[type[Exception], int] = {
    QueueFullError: 429, TooManyError: 429, SignInError: 401, NotAllowedError: 403,
    NotSignedError: 409,
}  # fmt: skip
_HERE = Path(__file__).parent


def studio(desk: Desk, served: Served | None = None, jobs: Jobs | None = None) -> FastAPI:
    """The application; without the guard, which stands around it.

    Args:
        desk: the house and its model.
        served: what is kept of a house that is served to its people; None at one computer.
        jobs: its writing, where that was begun already.
    """
    jobs = jobs or Jobs.of(desk)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        jobs.start()
        threading.Thread(target=_read_ahead, args=(desk, jobs), daemon=True).start()
        yield
        jobs.close()
        desk.lock()

    app = FastAPI(
        title="Studio", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )  # fmt: skip
    app.state.desk, app.state.jobs, app.state.served = desk, jobs, served
    # A turn ends with the work: whoever takes the answer slowly keeps nobody waiting.
    judged = [Depends(served.admit, scope="function")] if served else []
    rooms = (
        account, audits, complaints, contributing, curating, dealings, grants, houses, log, making,
        models, notation, papers, runs,
    )  # fmt: skip
    parts = [room.router for room in rooms]
    if served:
        app.include_router(signing.strangers, prefix=PREFIX)
        parts.append(signing.router)
    for router in parts:
        app.include_router(router, prefix=PREFIX, dependencies=judged)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    if served:  # over a network; sound, pictures and events of jobs stay as they are
        app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    _add_pages(app, served)
    app.add_exception_handler(HouseError, _house_error)
    app.add_exception_handler(RuleBroken, _house_error)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    return app


def _read_ahead(desk: Desk, jobs: Jobs) -> None:
    """What somebody would wait for once: the sounds, and after the model what tags say."""
    prepare()
    if not jobs.wait_for_model():
        return
    with suppress(HouseError):  # it is said to whoever asks for the house
        house = desk.house()
        desk.catalogue.read_ahead(house, desk.register(house))


def _add_pages(app: FastAPI, served: Served | None) -> None:
    templates = Environment(
        loader=PackageLoader("gen.studio"), autoescape=select_autoescape(default=True)
    )

    @app.get("/", include_in_schema=False)
    def first() -> RedirectResponse:
        return RedirectResponse(f"/{next(iter(ROOMS))}")

    def page(request: Request) -> HTMLResponse:
        room = request.url.path.strip("/")
        text = templates.get_template(f"{room}.html").render(
            room=room,
            rooms=ROOMS,
            is_served=served is not None,
            house=served.people.house if served else "",
        )
        return HTMLResponse(text)

    for room in (*ROOMS, *(["sign-in"] if served else [])):
        app.add_api_route(f"/{room}", page, include_in_schema=False)


def _house_error(_: Request, error: Exception) -> JSONResponse:
    """What is wrong, where, and how to mend it, as the commands say it."""
    names = ("rule", "what", "found", "where", "mend")
    said = {name: printable(brief(str(getattr(error, name, "") or ""))) for name in names}
    said["what"] = said["what"] or said.pop("found")
    said.pop("found", None)
    wait = {"Retry-After": str(error.seconds)} if isinstance(error, TooManyError) else None
    return JSONResponse({"error": said}, _status(error), wait)


def _status(error: Exception) -> int:
    found = (status for kind, status in _STATUS.items() if isinstance(error, kind))
    return next(found, 422)


def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it was registered
    first: dict[str, Any] = error.errors()[0]
    where = ".".join(map(str, first["loc"][1:]))
    said = {"rule": "request", "what": brief(first["msg"]), "where": where, "mend": ""}
    return JSONResponse({"error": said}, 422)
