"""A work's terms, for people: what its composers ask for it beyond what may be trained."""

from __future__ import annotations

from datetime import date

from msgspec import structs
from pydantic import BaseModel

from gen.provenance.history.granted import money_of
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.records.terms import (
    SALE,
    SAMPLING,
    STYLE,
    WHOLE_SHARE,
    Terms,
    Use,
    spelled_cents,
)

_USES = {
    SAMPLING: "write pieces",
    SALE: "write pieces that are sold",
    STYLE: "write in its composer's style",
}


class UseFacts(BaseModel):
    """A use that a composer grants: `until` is its last day (UTC), null for ever.

    `approval` says that they want to be asked first, `is_live` that its last day is not over.
    """

    use: str
    until: date | None
    approval: bool
    is_live: bool


class TermsFacts(BaseModel):
    """What one composer asks for a work; `words` says all of it in a sentence.

    `share` is percent of their part of a pool, `fee` an amount for each run that begins with it.
    """

    composer: str
    consent: str
    uses: list[UseFacts]
    this_version: bool
    share: int
    fee: str
    words: str


def terms_of(register: Register, record: WorkRecord) -> list[TermsFacts]:
    """The terms of each composer who said any, as they count today, with their latest consent.

    What was said with a key that was compromised by then only takes away.
    """
    today = register.today()
    found = []
    for person, acts in record.terms.items():
        sound = money_of(register, record, person)
        terms = sound or acts[-1].terms
        later = [act.terms for act in acts if register.refusal_of_key(act.keyid, act.index)]
        uses = [use for use in terms.uses if sound and all(t.use(use.use, today) for t in later)]
        consent = record.consents[person][-1].consent  # terms are among these, too
        now = structs.replace(terms, uses=tuple(uses), consent=consent.grants)
        found.append(_facts(person, now, today))
    return found


def _facts(person: str, terms: Terms, today: date) -> TermsFacts:
    return TermsFacts(
        composer=person,
        consent=str(terms.scopes),
        uses=[
            UseFacts(use=u.use, until=u.until, approval=u.approval, is_live=u.is_live(today))
            for u in terms.uses
        ],
        this_version=terms.this_version,
        share=terms.share,
        fee=spelled_cents(terms.fee),
        words=in_words(terms),
    )


def in_words(terms: Terms) -> str:
    """Terms in plain words."""
    parts = [f"models may learn from it for: {terms.scopes}", *map(_use_in_words, terms.uses)]
    granted = {use.use for use in terms.uses}
    if denied := [words for use, words in _USES.items() if use not in granted]:
        parts.append(f"they may not {' or '.join(denied)}")
    if terms.this_version:
        parts.append("one version of a model may learn from it, and none after that")
    if terms.share != WHOLE_SHARE:
        parts.append(f"the composer's share is {terms.share} % of their part")
    if terms.fee:
        parts.append(f"each run that begins with it costs {spelled_cents(terms.fee)}")
    return "; ".join(parts)


def _use_in_words(use: Use) -> str:
    until = f" until {use.until}" if use.until else ""
    first = ", once the composer has approved it" if use.approval else ""
    return f"they may {_USES[use.use]}{until}{first}"
