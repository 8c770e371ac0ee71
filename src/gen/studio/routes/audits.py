"""The interface to auditing the house, and to when that was done last at this studio.

What an audit found is not signed: it is the word of the computer that the studio runs on, and
everything that reads the corpus judges it anew.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel

from gen.disk import write_atomically
from gen.provenance.admission.gate import admit
from gen.provenance.signing.canonical import utc_now
from gen.studio.desk import Desk
from gen.studio.interface import DeskOf

router = APIRouter(tags=["house"])


class Audited(BaseModel):
    """What the training loader would take now."""

    purpose: str
    seen: int
    admitted: int
    not_consented: int
    refused: list[dict[str, str]]


class LatestAudit(BaseModel):
    """When every file was judged last at this studio, and what came of it.

    `by` is who asked, "" at a studio of one computer; `root` and `acts` are of the log as it was
    then, `acts_since` is how many came after. Nobody signed this.
    """

    house: str
    time: str
    by: str
    purpose: str
    seen: int
    admitted: int
    not_consented: int
    refused: int
    acts: int
    root: str
    acts_since: int = 0


@router.post("/audit")
def audit(desk: DeskOf, purpose: str = "general_model") -> Audited:
    """Judge every file in the house, exactly as the training loader does."""
    house = desk.house()
    head = house.register_log.head()
    corpus = admit(house.folder, purpose, pin=house.pin)
    refused = [*corpus.refused, *corpus.missing]
    found = Audited(
        purpose=corpus.purpose, seen=len(corpus), admitted=len(corpus.admitted),
        not_consented=len(corpus.not_consented),
        refused=[
            {"path": one.path, "rule": one.rule, "found": one.found, "mend": one.mend}
            for one in refused
        ],
    )  # fmt: skip
    counts = {**found.model_dump(exclude={"refused"}), "refused": len(refused)}
    kept = LatestAudit(
        house=head.house, time=utc_now(), by=desk.signed_in, acts=head.size, root=head.root,
        **counts,
    )  # fmt: skip
    write_atomically(_place(desk), kept.model_dump_json().encode())
    return found


@router.get("/audit")
def latest_audit(desk: DeskOf) -> LatestAudit | None:
    """When that was done last at this studio; null where it never was, or of another house."""
    head = desk.house().register_log.head()
    with suppress(OSError, ValueError):
        found = LatestAudit.model_validate_json(_place(desk).read_bytes())
        if found.house == head.house and found.acts <= head.size:
            return found.model_copy(update={"acts_since": head.size - found.acts})
    return None


def _place(desk: Desk) -> Path:
    return desk.kept / "latest-audit.json"
