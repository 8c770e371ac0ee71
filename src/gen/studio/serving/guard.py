"""The studio's doorkeeper: who may ask at all, and how much at once.

Any page in the user's browser can send requests to the loopback address, and a name that somebody
else owns can be made to point there. So every request carries the session's token (a cookie that
no other site's request brings along, or a header), names this very host, and, where it changes
anything, comes from this page or from no page.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 8 << 20
"""Of one request's body: a MIDI file of 4 MiB in base64 and some words."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class TooLargeError(Exception):
    """A body of more than `MOST_BYTES`."""


class Guard:
    """Middleware around the whole application.

    Args:
        app: what is guarded.
        hosts: what the `Host` header may say, with the port.
        token: of this session; a new one where none is given.
    """

    def __init__(self, app: App, hosts: frozenset[str], token: str = "") -> None:
        self._app = app
        self._hosts = hosts
        self.token = token or secrets.token_urlsafe(32)
        self.cookie = cookie_name(hosts)
        self.headers = HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request, and pass it on with its body bounded."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no websockets here
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, _bounded(receive), _with_headers(send, self.headers))
        except TooLargeError:
            await refused(413, f"more than {MOST_BYTES:,} bytes")(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._hosts:
            return refused(421, "this studio does not answer to that name")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return refused(413, f"more than {MOST_BYTES:,} bytes")
        if scope["method"] not in SAFE and not self._is_own_page(headers):
            return refused(403, "asked from another page")
        return self._stranger(scope, headers)

    def _is_own_page(self, headers: Headers) -> bool:
        """From a page of this studio, or from a program: browsers always say where from."""
        site = headers.get("sec-fetch-site", "none")
        origin = headers.get("origin")
        return site in ("none", "same-origin") and (
            origin is None or origin.partition("://")[2] in self._hosts
        )

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        """What somebody is answered who may not come in, or comes in now."""
        entering = self._entering(scope, headers)
        if entering is not None or any(map(self._is_token, tokens_in(headers, self.cookie))):
            return entering
        return refused(401, "open the address that the studio printed when it was started")

    def _entering(self, scope: Scope, headers: Headers) -> Response | None:
        """The address that was printed: its token becomes a cookie and leaves the address.

        Led here by another page, even one on disk, a browser sends the cookie only with what a page
        of the studio asks for next.
        """
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] != "/" or not given or not self._is_token(given):
            return None
        is_led_here = headers.get("sec-fetch-site", "none") != "none"
        answer = (
            HTMLResponse(leading_to("/create"), 200, HEADERS)
            if is_led_here
            else RedirectResponse("/create", 303, HEADERS)
        )
        answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
        return answer

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "surrogatepass"), self.token.encode())


def leading_to(address: str) -> str:
    """A page that does nothing but open an address."""
    shown = escape(address)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Studio</title>'
        '<meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0; url={shown}"><a href="{shown}">Studio</a></html>'
    )


def cookie_name(hosts: frozenset[str]) -> str:
    """Browsers keep cookies by host, and a studio may be open at another port of it."""
    port = min(hosts, default="").rpartition(":")[2]
    return f"studio-{port}" if port.isdecimal() else "studio"


def tokens_in(headers: Headers, cookie: str) -> list[str]:
    """What a request shows: the header that programs send, and the cookie of this name."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    cookies = [pair.strip().partition("=") for pair in headers.get("cookie", "").split(";")]
    given = [value for name, _, value in cookies if name == cookie]
    return [text for text in (bearer, *given) if text]


def refused(status: int, what: str, more: dict[str, str] | None = None) -> Response:
    """An error as the interface says it, with further headers."""
    said = {"error": {"what": what, "where": "", "mend": ""}}
    return JSONResponse(said, status, {**HEADERS, **(more or {})})


def _bounded(receive: Receive) -> Receive:
    """A body that says less than it sends goes no further than the limit."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise TooLargeError
        return message

    return bounded


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = {name for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(pair for pair in pairs if pair[0] not in said),
            ]
        await send(message)

    return with_headers
