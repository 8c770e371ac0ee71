"""A house that is served to its people: what the server keeps besides the house itself.

It holds no private key and no passphrase. Who is signed in is known by a session; what they may
ask for by the roster, as it stands at each request; what they sign comes signed from their browser.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response

from gen.disk.kinds import kind_of
from gen.errors import HouseError, SettingError, printable, shortened
from gen.provenance.history.register import Register
from gen.provenance.records.roster import CURATOR, Person
from gen.provenance.signing.canonical import utc_now
from gen.provenance.signing.elsewhere import SignedElsewhere, check_clock
from gen.provenance.signing.keys import SigningKey
from gen.studio.desk import Desk
from gen.studio.interface import PREFIX
from gen.studio.requests import Signed
from gen.studio.serving.enrolments import Enrolments
from gen.studio.serving.guard import (
    App,
    Guard,
    Message,
    Receive,
    Scope,
    Send,
    cookie_name,
    refused,
    tokens_in,
)
from gen.studio.serving.limits import RateLimits, TooManyError
from gen.studio.serving.people import People, SignedIn, SignInError, person_of
from gen.studio.serving.rights import HEAVY, check_may
from gen.studio.serving.unsigned import UnsignedWorks

HEAVY_AT_ONCE = 2
_OPEN = frozenset(
    {"/sign-in", f"{PREFIX}/sign-in", f"{PREFIX}/sign-in/challenge", f"{PREFIX}/enrolments"}
)
"""What a stranger may ask for, of these the last only to send something."""


class PersonDesk(Desk):
    """What one person who is signed in has before them: the house, and pieces of their own."""

    __slots__ = ("_shared", "_signed_in", "person")

    def __init__(self, shared: Desk, person: Person, session: SignedIn) -> None:
        out = shared.out / "people" / person.id
        super().__init__(
            shared.folder, shared.pin, shared.checkpoint, out, shared.runs, shared.catalogue,
            shared.stamp, shared.comparisons,
        )  # fmt: skip
        self._shared, self.person, self._signed_in = shared, person, session

    @property
    def kept(self) -> Path:
        return self._shared.kept

    @property
    def signed_in(self) -> str:
        return self.person.id

    @property
    def reads_all(self) -> bool:
        return CURATOR in self.person.roles

    def register(self, house: Any) -> Register:
        return self._shared.register(house)

    def people(self, register: Register) -> list[tuple[Person, bool, bool]]:
        return [
            (person, person.id == self.person.id, person.id == self.person.id)
            for person in register.roster.people
        ]

    def key(
        self, register: Register, person_id: str, role: str, signed: Signed | None = None
    ) -> SigningKey:
        """The public half of their key, and what they signed with it.

        Raises:
            HouseError: they act as somebody else, or not in this role.
        """
        if person_id != self.person.id or role not in self.person.roles:
            raise SettingError(f"{self.person.id} cannot act as {role} {person_id[:40]!r}")
        keys = {key.keyid: key.public for key in self.person.open_keys()}
        public = keys[self._signed_in.keyid]
        if signed is None:
            return SignedElsewhere(public)
        values = tuple(map(bytes.fromhex, signed.signatures))
        return SignedElsewhere(public, values, check_clock(signed.time))


_TAKEN_OUT = ("/midi", "/wav", "/musicxml", "/file", "/receipt", "/stems")
"""Reading a file is written down; looking at a page is not."""
_LETTERS = 200
"""Of each word in the audit log."""
_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
"""Without waiting for whoever might read from a pipe of that name."""


class AuditLog:
    """Who asked for what, when, from where, and the answer, in a file that its own user can read.

    One JSON object a line, appended, never rewritten; nothing that opens anything is in it. What
    people signed stands in the house's own log: this one says what happened around it.

    Raises:
        HouseError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        mend = "name another: --audit FILE"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, _APPENDING, 0o600)
        except OSError as error:
            what = f"the audit log cannot be written ({error.strerror})"
            raise HouseError(what, where=str(path), mend=mend) from error
        if not stat.S_ISREG(mode := os.fstat(self._file).st_mode):
            os.close(self._file)
            what = f"is a {kind_of(mode)}, and should be the audit log"
            raise HouseError(what, where=str(path), mend=mend)

    def add(self, person: str, address: str, asked: str, status: int) -> None:
        """One line. `asked` is a method and a path, without what came with it."""
        words = {"person": person, "from": address, "asked": printable(asked)}
        said = {name: shortened(text, _LETTERS) for name, text in words.items()}
        line = json.dumps({"time": utc_now(), **said, "status": status}, ensure_ascii=False) + "\n"
        with self._lock:
            os.write(self._file, line.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        os.close(self._file)


def is_written_down(method: str, path: str, status: int) -> bool:
    """Whether a request belongs into the log: changes, refusals, files that were taken out."""
    return method not in ("GET", "HEAD") or status in (401, 403, 429) or path.endswith(_TAKEN_OUT)


class Served:
    """What the server of a house keeps.

    Args:
        desk: the house and its model.
        people: who is signed in.
        folder: for enrolment requests, and for the audit log unless that has a place of its own.
        audit: the audit log's place.
    """

    def __init__(self, desk: Desk, people: People, folder: Path, audit: Path | None = None) -> None:
        self.desk, self.people = desk, people
        self.is_secure = all(one.startswith("https://") for one in people.origins)
        name = cookie_name(hosts_of(people.origins))
        self.cookie = f"__Host-{name}" if self.is_secure else name
        self.audit = AuditLog(audit or folder / "audit.jsonl")
        self.enrolments = Enrolments(folder / "enrolments", people.house)
        self.drafts = UnsignedWorks()
        self._light = RateLimits(burst=400, a_second=60, clock=people.clock)
        self._heavy = RateLimits(burst=60, a_second=2, clock=people.clock)
        self.strangers = RateLimits(burst=300, a_second=10, clock=people.clock)
        self._turns = asyncio.Semaphore(HEAVY_AT_ONCE)

    def token_of(self, headers: Headers) -> str:
        """The session's token, as the cookie or the header brings it; "" where there is none."""
        return next(iter(tokens_in(headers, self.cookie)), "")

    async def admit(self, request: Request) -> AsyncIterator[None]:
        """Judge a request to the interface before it is answered, and give it the person's desk.

        Raises:
            HouseError: nobody is signed in any more, or they may not, or not so often.
        """
        session: SignedIn | None = request.state.session
        asked = f"{request.method} {request.scope['route'].path.removeprefix(PREFIX)}"
        if session is None:
            raise SignInError("nobody is signed in", mend="sign in with your key")
        request.state.desk = await run_in_threadpool(self._desk_of, session, asked, request)
        if asked not in HEAVY:
            yield
            return
        async with self._turns:
            yield

    def _desk_of(self, session: SignedIn, asked: str, request: Request) -> Desk:
        self._light.take(session.person)
        if asked in HEAVY:
            self._heavy.take(session.person)
        register = self.desk.register(self.desk.house())
        person = person_of(register, session)
        check_may(person, asked, request.path_params.get("person", ""))
        desk = PersonDesk(self.desk, person, session)
        desk.make_out()
        return desk


class HouseGuard(Guard):
    """The doorkeeper of a house that is served: a session instead of the one token.

    Args:
        app: what is guarded.
        served: sessions, limits and the audit log.
    """

    def __init__(self, app: App, served: Served) -> None:
        super().__init__(app, hosts_of(served.people.origins))
        self._served = served
        self.cookie = served.cookie
        if served.is_secure:
            self.headers = {**self.headers, "Strict-Transport-Security": "max-age=31536000"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge a request, answer it, and write down what belongs into the audit log."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        session = self._served.people.who(self._served.token_of(Headers(scope=scope)))
        scope.setdefault("state", {})["session"] = session
        await super().__call__(scope, receive, self._writing_down(scope, session, send))

    def _writing_down(self, scope: Scope, session: SignedIn | None, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                method, path, status = scope["method"], scope["path"], message["status"]
                if is_written_down(method, path, status):
                    person = scope["state"].get("person") or (session.person if session else "")
                    self._served.audit.add(person, address_of(scope), f"{method} {path}", status)
            await send(message)

        return sent

    def _is_own_page(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        return super()._is_own_page(headers) and (
            origin is None or origin in self._served.people.origins
        )

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        if scope["state"]["session"] is not None:
            return None
        path, is_reading = scope["path"], scope["method"] in ("GET", "HEAD")
        if path.startswith("/static/") and is_reading:
            return None
        if path in _OPEN and (path == "/sign-in") == is_reading:
            return self._too_many(scope)
        if is_reading and not path.startswith(PREFIX):
            return RedirectResponse("/sign-in", 303, self.headers)
        return refused(401, "nobody is signed in")

    def _too_many(self, scope: Scope) -> Response | None:
        """A whole office may share one address, and sign in anew at once after a restart."""
        try:
            self._served.strangers.take(address_of(scope))
        except TooManyError as error:
            return refused(429, error.what, {"Retry-After": str(error.seconds)})
        return None


def hosts_of(origins: frozenset[str]) -> frozenset[str]:
    """What the `Host` header says at these addresses."""
    return frozenset(origin.partition("://")[2] for origin in origins)


def address_of(scope: Scope) -> str:
    """The address that a request comes from."""
    client = scope.get("client")
    return str(client[0]) if client else ""
