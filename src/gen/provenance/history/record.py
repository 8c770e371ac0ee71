"""What the register keeps of one work, and the errors of a register."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from gen.errors import HouseError
from gen.provenance.history.log import REGISTER_FILE
from gen.provenance.records.acts import Entry, Withdrawal
from gen.provenance.records.consent import Consent
from gen.provenance.records.terms import TermsAct
from gen.provenance.signing.canonical import today_utc


class RegisterError(HouseError):
    """A register that is not what the house's people signed; `rule` is a stable code."""

    def __init__(self, what: str, *, rule: str = "bad-register", mend: str = "") -> None:
        self.rule = rule
        super().__init__(what, where=REGISTER_FILE, mend=mend)


def check_time(what: str, time: str) -> None:
    """Whether something signed is dated no more than a day ahead of this computer's clock.

    Consent and roster end by the newest head's day, so that no clock set back revives them; a head
    from the far future would end them all. Either way one of the two clocks is wrong, and nothing
    is judged by the day until somebody has looked.

    Raises:
        RegisterError: `dated-ahead`.
    """
    today = today_utc()
    if time[:10] > (today + timedelta(days=1)).isoformat():
        raise RegisterError(
            f"{what} is dated {time[:10]}, and by this computer's clock it is {today}",
            rule="dated-ahead",
            mend="set this computer's clock right; if it is right, the other one was wrong, or "
            "somebody means to bring the house to a stop: put register.head.json back as it was "
            "before, and ask whose key that is",
        )


@dataclass(frozen=True, slots=True)
class ConsentAct:
    """One composer's later word on a work's consent."""

    index: int
    keyid: str
    consent: Consent


@dataclass(slots=True)
class WorkRecord:
    """What the register knows of one work.

    Attributes:
        entry: the latest `add` or `adopt`.
        index: register index of that act.
        first_index: of the act that entered this music first, before it was renewed.
        accepted_by: who signed that act (a curator; "root" for an adopted work).
        time: of that act.
        consents: later acts, per composer, in order; what `terms` acts say of training, too.
        terms: per composer, in order.
        withdrawal: the act that withdrew it.
        withdrawn_at: its index.
        withdrawn_by_keyid: the key that signed it.
        statement_in_log: whether that act carries what the composer signed.
    """

    entry: Entry
    index: int
    accepted_by: str
    time: str
    consents: dict[str, list[ConsentAct]] = field(default_factory=dict)
    terms: dict[str, list[TermsAct]] = field(default_factory=dict)
    withdrawal: Withdrawal | None = None
    withdrawn_at: int | None = None
    withdrawn_by_keyid: str = ""
    statement_in_log: bool = False
    first_index: int = 0

    @property
    def is_of_one_version(self) -> bool:
        """Whether the last terms of one of its composers are for one version of a model."""
        return any(acts[-1].terms.this_version for acts in self.terms.values())

    def is_composer(self, person: str) -> bool:
        return any(person == composer for composer, _ in self.entry.composers)
