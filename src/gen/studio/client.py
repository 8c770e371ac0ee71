"""A program of the same user that asks an open studio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from gen.errors import HouseError, SettingError
from gen.studio.interface import PREFIX
from gen.studio.session import StudioSession, session_file

_OPENER = build_opener(ProxyHandler({}))  # the studio is on this computer, whatever proxies say
_START_IT = "start it: python scripts/studio.py"


@dataclass(frozen=True, slots=True)
class StudioClient:
    """Asks one studio's interface.

    Args:
        session: where it is, and its token.
        seconds: how long an answer may take.
    """

    session: StudioSession
    seconds: float = 600

    @staticmethod
    def of_open_studio() -> StudioClient:
        """The studio that says that it is open.

        Raises:
            HouseError: none does.
        """
        path = session_file()
        try:
            return StudioClient(StudioSession(**json.loads(path.read_text("utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            raise HouseError("no studio is open", where=str(path), mend=_START_IT) from error

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
        """An answer as plain values.

        Raises:
            HouseError: what the studio refuses, in its words, or no studio answers.
        """
        with self._opened(path, body, method) as answer:
            return json.loads(answer.read())

    def fetch(self, path: str) -> bytes:
        """A file, as it is. Errors as `ask`."""
        with self._opened(path) as answer:
            return answer.read()

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """What is said of a job, as it comes, until it ends."""
        with self._opened(f"/jobs/{job}/events") as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

    def _opened(
        self, path: str, body: dict[str, Any] | None = None, method: str = ""
    ) -> HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.session.token}"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = Request(  # noqa: S310 - the studio's own address
            f"{self.session.address}{PREFIX}{path}", data, headers, method=method or None
        )
        try:
            answer: HTTPResponse = _OPENER.open(request, timeout=self.seconds)
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, OSError) as error:
            what = "the studio does not answer"
            raise HouseError(what, where=self.session.address, mend=_START_IT) from error
        return answer


def _refusal(error: HTTPError) -> HouseError:
    try:
        said = json.loads(error.read())["error"]
        return SettingError(said["what"], where=said.get("where", ""), mend=said.get("mend", ""))
    except (ValueError, KeyError, TypeError):
        return HouseError(f"the studio answered {error.code}")
