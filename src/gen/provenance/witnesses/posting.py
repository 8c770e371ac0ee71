"""Sending a few bytes to somebody outside the house, and reading a short answer from them."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from concurrent.futures import Future
from threading import Thread
from typing import Any

SECONDS = 20
"""How long one who is asked may take, byte by byte or at once."""
_LOOPBACK = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])[:/]")


class _StayThere(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: who is asked would decide which of the house's neighbours is asked."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, body: bytes, kind: str, most: int) -> tuple[int, bytes]:
    """Status and body of an answer; of a longer one the first `most` + 1 bytes.

    Raises:
        OSError, ValueError: nobody answers there, too slowly, or no HTTP.
    """
    found: Future[tuple[int, bytes]] = Future()
    Thread(target=_ask, args=(found, url, body, kind, most), daemon=True).start()
    try:
        return found.result(SECONDS)  # a socket's own limit begins anew with each byte
    except TimeoutError as error:
        raise OSError(f"no whole answer in {SECONDS} seconds") from error


def _ask(found: Future[tuple[int, bytes]], *asked: Any) -> None:
    try:
        found.set_result(_answer(*asked))
    except Exception as error:
        found.set_exception(error)


def _answer(url: str, body: bytes, kind: str, most: int) -> tuple[int, bytes]:
    request = urllib.request.Request(  # noqa: S310 - callers take http and https alone
        url, body, {"Content-Type": kind}, method="POST"
    )
    direct = [urllib.request.ProxyHandler({})] if _LOOPBACK.match(f"{url}/") else []
    try:
        opener = urllib.request.build_opener(_StayThere, *direct)
        with opener.open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read(most + 1)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(most + 1)
