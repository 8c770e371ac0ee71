"""What every part of the studio's interface shares."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import Field

from gen.errors import HouseError
from gen.studio.desk import Desk
from gen.studio.requests import Page

PREFIX = "/api/v1"
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
DigestOrNone = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
PageOf = Annotated[Page, Query()]


def _desk(request: Request) -> Desk:
    """That of the person who is signed in, or the one that there is."""
    desk: Desk = getattr(request.state, "desk", None) or request.app.state.desk
    return desk


DeskOf = Annotated[Desk, Depends(_desk)]

_MOST_NAME_BYTES = 200
_PIECE = re.compile(r"[\w' #().,-]{1,120}")


def piece_path(out: Path, name: str) -> Path:
    """A piece's file: names are looked up in the studio's own folder, and never lead out of it."""
    path = out / f"{name}.mid"
    if not _PIECE.fullmatch(name) or not path.is_file():
        raise HouseError(f"no piece is called {name[:120]!r}", mend="GET /pieces lists them")
    return path


def as_file_name(text: str) -> str:
    """As much of a name as a file can be called: systems count bytes, people letters."""
    return text.encode("utf-8", "ignore")[:_MOST_NAME_BYTES].decode("utf-8", "ignore")


def download(data: bytes, kind: str, name: str) -> Response:
    """A file to be kept, under a name of its own."""
    quoted = re.sub(r"[/\\]", "-", name).replace('"', "'").encode("ascii", "replace").decode()
    headers = {"Content-Disposition": f'attachment; filename="{quoted}"'}
    return Response(data, media_type=kind, headers=headers)
