"""Whether the composers of the works behind a model grant a use of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gen.errors import HouseError, in_lines
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.records.terms import SALE, STYLE, Terms

_MOST_SAID = 10
"""Works that one message names."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A grant that is lacking: whose, for which work, why, and whether an approval would do."""

    work: str
    person: str
    why: str
    is_asked: bool = False

    def __str__(self) -> str:
        return f"{self.work}: {self.person} {self.why}"


class NotGranted(HouseError):
    """A use that composers of the works behind a model do not grant; `missing` lists them."""

    def __init__(self, what: str, missing: list[Missing], mend: str) -> None:
        self.missing = missing
        listing = in_lines(missing[:_MOST_SAID])
        more = len(missing) - _MOST_SAID
        rest = f"\n  and {more} more" if more > 0 else ""
        super().__init__(f"{what} by terms of its works:{listing}{rest}", mend=mend)


def missing_grants(
    register: Register, works: Iterable[str], use: str, run: int | None, receipt: str = ""
) -> list[Missing]:
    """What is lacking for a use of the models of a run, or of one piece.

    Args:
        register: of the house.
        works: that the model learned from; those of which nobody said terms grant every use.
        use: one of `gen.provenance.records.terms.USES`.
        run: index of the run that left it; None for a model that the log does not know.
        receipt: SHA-256 of a piece's receipt.
    """
    found = []
    for work in works:
        record = register.works.get(work)
        if record is not None and record.terms:
            people = record.entry.composers
            whys = ((who, _why_not(register, record, who, use, run, receipt)) for who, _ in people)
            found += [Missing(work, who, *why) for who, why in whys if why]
    return found


def _why_not(
    register: Register, record: WorkRecord, person: str, use: str, run: int | None, receipt: str
) -> tuple[str, bool] | None:
    """Why a composer of the work does not grant it, and whether their approval would do.

    None where they grant it. Terms signed with a key that was compromised by then only take away.
    """
    why: tuple[str, bool] | None = None
    today = register.today()
    for act in record.terms.get(person, ()):
        is_sound = register.refusal_of_key(act.keyid, act.index) is None
        grant = act.terms.use(use, today)
        if grant is None:
            why = f"grants no {use}{_past(act.terms, use)} (act {act.index})", False
        elif grant.approval and not _approved(register, record, person, use, run, receipt):
            what = "this piece" if use == SALE and receipt else f"run {run}"
            why = f"asks to be asked first for {use}, and has not approved {what}", True
        elif is_sound:
            why = None
    return why


def _past(terms: Terms, use: str) -> str:
    days = [each.until for each in terms.uses if each.use == use]
    return f" after {days[0]}" if days else ""


def _approved(
    register: Register, record: WorkRecord, person: str, use: str, run: int | None, receipt: str
) -> bool:
    """Whether the composer approved it, with a key that may have signed then."""
    acts = register.approvals.of(person, record.entry.work, use, run, receipt)
    return any(register.refusal_of_key(act.keyid, act.index) is None for act in acts)


def check_granted(
    register: Register, works: Iterable[str], use: str, run: int | None, receipt: str = ""
) -> None:
    """Whether every composer with terms grants it.

    Raises:
        NotGranted: one does not.
    """
    if found := missing_grants(register, works, use, run, receipt):
        what = "nothing may be written in a composer's style" if use == STYLE else (
            f"no piece may be sold: {use} is not granted" if use == SALE else
            f"{use} from it is not granted"
        )  # fmt: skip
        raise NotGranted(
            what, found,
            "ask them (house.py terms WORK --allow …, house.py approve), or use a model that "
            "learned from other works",
        )  # fmt: skip


def money_of(
    register: Register, record: WorkRecord, person: str, before: int | None = None
) -> Terms | None:
    """The composer's last terms for a work that were signed with a key which may have then.

    Args:
        register: of the house.
        record: of the work.
        person: one of its composers.
        before: those said from this act on do not count.
    """
    acts = [a for a in record.terms.get(person, ()) if before is None or a.index < before]
    sound = [a for a in acts if register.refusal_of_key(a.keyid, a.index) is None]
    return sound[-1].terms if sound else None
