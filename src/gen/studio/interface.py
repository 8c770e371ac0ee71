"""What every part of the studio's interface shares."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from gen.studio.desk import Desk

PREFIX = "/api/v1"


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskOf = Annotated[Desk, Depends(_desk)]
