"""The interface to the house's log: a work's acts, their proofs, who outside has seen it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gen.errors import SettingError
from gen.provenance.desk.complaints_desk import cases
from gen.provenance.desk.works import near_works
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.proofs import acts_of, prove
from gen.provenance.records.acts import ANSWER, APPROVE, RETIRE, TERMS, Act
from gen.provenance.records.terms import Terms
from gen.provenance.witnesses.standing import read_notes, standing_of
from gen.studio.desk import Desk
from gen.studio.interface import DeskOf
from gen.studio.routes.complaints import concerns, is_about
from gen.studio.terms import in_words

router = APIRouter(tags=["log"])


class ActLine(BaseModel):
    """One act that concerns a work: what was done, by whom, when by their own word."""

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
    """Every act of the log that names a work, and those about its models, the first one first.

    A complaint is one of them where it names the work or its file, for those whom it concerns,
    and as long as its record is kept: the log itself does not say what it is about.
    """
    house, register = desk.now()
    if work not in register.works:
        raise SettingError(f"no work {work!r} in the house", mend=near_works(register, work))
    wanted = {
        *acts_of(house, register, work), *_retirements(register, work),
        *_complaints(desk, house, register, work),
    }  # fmt: skip
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


def _retirements(register: Register, work: str) -> Iterator[int]:
    """Acts that retired a model which learned from a work."""
    for run in register.runs.that_read([work]):
        for model in run.models:
            yield from (act.index for act in register.runs.retired.get(model.file_sha256, ()))


def _complaints(desk: Desk, house: House, register: Register, work: str) -> Iterator[int]:
    """Complaints that name a work or its file, and what they were answered."""
    for case in cases(house, register):
        if is_about(case, register.works[work]) and concerns(desk, register, case):
            yield case.entered.index
            yield from (answer.index for answer, _ in case.answers)


def _line(act: Act) -> ActLine:
    said = _in_words(act)
    return ActLine(index=act.index, act=act.kind, by=act.by, time=act.time, said=said)


def _in_words(act: Act) -> str:
    """What an act says beyond its kind: terms, a reason, a consent, a run's name.

    Nothing of who complains, or of what: see `gen.studio.routes.complaints`.
    """
    data = act.data
    if act.kind == TERMS:
        return in_words(Terms.from_dict(data))
    if act.kind == APPROVE:
        piece = f"one piece (receipt {data['receipt'][:12]}…)" if data["receipt"] else "every piece"
        return f"{data['use']} of {piece} of run {data['run']}"
    if act.kind == RETIRE:
        count = len(data["models"])
        models = "1 model" if count == 1 else f"{count} models"
        return f"{models} of run {data['run']}{data['reason'] and ': '}{data['reason']}"
    if act.kind == ANSWER:
        return f"answers act {data['complaint']}"
    consent = data.get("consent")
    allowed = None
    if isinstance(consent, list):
        scopes = (str(grant["scope"]).replace("_", " ") for grant in consent)
        allowed = "allows " + (", ".join(scopes) or "nothing")
    words = [data.get(name) for name in ("reason", "name", "purpose")]
    return "; ".join(str(word) for word in (allowed, *words) if word)
