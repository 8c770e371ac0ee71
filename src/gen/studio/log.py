"""The interface to the house's log: a work's acts, their proofs, who outside has seen it."""

from __future__ import annotations

import json
import time
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gen.errors import SettingError
from gen.provenance.acts import Act
from gen.provenance.proofs import acts_of, prove
from gen.provenance.witnesses.standing import read_notes, standing_of
from gen.provenance.works import near_works
from gen.studio.interface import DeskOf

router = APIRouter(tags=["log"])


class ActLine(BaseModel):
    """One act that names a work: what was done, by whom, when by their own word."""

    index: int
    act: str
    by: str
    time: str
    said: str


class Witnessed(BaseModel):
    """Who outside the house has seen its log, in words."""

    size: int
    root: str
    lines: list[str]


@router.get("/works/{work}/acts")
def history(work: str, desk: DeskOf) -> list[ActLine]:
    """Every act of the log that names a work, the first one first."""
    house = desk.house()
    register = desk.register(house)
    if work not in register.works:
        raise SettingError(f"no work {work!r} in the house", mend=near_works(register, work))
    wanted = set(acts_of(house, register, work))
    lines = house.register_log.known_lines(register.leaves, lambda index, _: index in wanted)
    return [_line(Act.decode(line)) for _, line in lines]


@router.get("/proofs/{act}")
def proof(act: int, desk: DeskOf, since: int | None = None) -> Response:
    """A proof that an act is in the log, for `house.py verify --proof` and a pin alone.

    It shows that the log grew from `since` acts on; without it, from those that the pin has seen.
    """
    house = desk.house()
    found = prove(house, act, house.pin.min_size or None if since is None else since)
    text = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True)
    headers = {"Content-Disposition": f'attachment; filename="act-{act}.proof.json"'}
    return Response(text + "\n", media_type="application/json", headers=headers)


@router.get("/witnesses")
def witnesses(desk: DeskOf) -> Witnessed:
    """Which witnesses have seen the log as it is, and since when any act was seen."""
    house = desk.house()
    notes = read_notes(house)  # before the register, so that none is of a later head
    register = desk.register(house)
    lines = ["the log has no key of its own, so that nobody outside can witness it"]
    if register.roster.log is not None:
        lines = standing_of(house, register, notes).lines(int(time.time()))
    return Witnessed(size=register.size, root=house.register_log.head().root, lines=lines)


def _line(act: Act) -> ActLine:
    said = _in_words(act.data)
    return ActLine(index=act.index, act=act.kind, by=act.by, time=act.time, said=said)


def _in_words(data: dict[str, Any]) -> str:
    """What an act says beyond its kind: a reason, a consent, a run's name."""
    consent = data.get("consent")
    allowed = None
    if isinstance(consent, list):
        allowed = "allows " + (" ".join(str(g["scope"]) for g in consent) or "nothing")
    words = [data.get(name) for name in ("reason", "name", "purpose")]
    return "; ".join(str(word) for word in (allowed, *words) if word)
