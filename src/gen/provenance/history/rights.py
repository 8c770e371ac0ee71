"""Who may do which act: its signatures, held against the roster in force at its index. No disk.

| act | who |
|---|---|
| add | a curator; with what one of the work's composers signed |
| consent, terms, approve | a composer |
| withdraw | a composer of the work, a curator, or the root |
| adopt, model | the root: as many of its keys as the threshold asks for |
| begin, end | a trainer |
| output | a producer |
| retire | a curator, or the root |
| complain | a composer or a curator |
| answer, paper | a curator |
| sell | a producer or a curator |
| key | the root, inside the roster itself (`gen.provenance.history.succession`) |
"""

from __future__ import annotations

from collections.abc import Sequence

from gen.provenance.history.judge import judge_entry
from gen.provenance.history.record import RegisterError
from gen.provenance.records.acts import (
    ACT_TYPE,
    ADD,
    ADOPT,
    ANSWER,
    APPROVE,
    BEGIN,
    COMPLAIN,
    CONSENT,
    END,
    MODEL,
    OUTPUT,
    PAPER,
    RETIRE,
    ROOT,
    SELL,
    TERMS,
    WITHDRAW,
    Act,
    Adoption,
    Entry,
)
from gen.provenance.records.roster import (
    COMPOSER,
    CURATOR,
    PRODUCER,
    TRAINER,
    Roster,
    SignedRoster,
    root_signers,
)
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.dsse import is_signed_by
from gen.provenance.signing.keys import key_id

ROLES = {
    ADD: (CURATOR,),
    CONSENT: (COMPOSER,),
    WITHDRAW: (COMPOSER, CURATOR),
    BEGIN: (TRAINER,),
    END: (TRAINER,),
    OUTPUT: (PRODUCER,),
    TERMS: (COMPOSER,),
    APPROVE: (COMPOSER,),
    RETIRE: (CURATOR,),
    COMPLAIN: (COMPOSER, CURATOR),
    ANSWER: (CURATOR,),
    PAPER: (CURATOR,),
    SELL: (PRODUCER, CURATOR),
}
OF_THE_ROOT = (ADOPT, MODEL)
ALSO_OF_THE_ROOT = (WITHDRAW, RETIRE)


def check_right(act: Act, roster: Roster) -> None:
    """Whether an act other than a roster was signed by somebody who may do it, and is as signed.

    That a composer is one of the work's own is not to be seen in the act: `Register` knows.

    Raises:
        StrictJsonError, TagError: it was not, and why.
    """
    check_signer(act, roster)
    check_statements(act, roster)


def check_signer(act: Act, roster: Roster, *, is_known: bool = False) -> None:
    """Whether an act was signed by the root, or by somebody whose role may do it.

    Args:
        act: what was done.
        roster: in force at its index.
        is_known: the signature of a member was verified before.

    Raises:
        StrictJsonError: not so.
    """
    if act.kind in OF_THE_ROOT or (act.kind in ALSO_OF_THE_ROOT and act.by == ROOT):
        check_root(act, roster)
    else:
        check_member(act, roster, *ROLES[act.kind], is_known=is_known)


def check_member(act: Act, roster: Roster, *roles: str, is_known: bool) -> None:
    """Whether the person in `by` has one of the roles and signed.

    Args:
        act: what was done.
        roster: in force at its index.
        roles: one of them suffices.
        is_known: the signature was verified before, and need not be once more.

    Raises:
        StrictJsonError: not so.
    """
    person = roster.person(act.by)
    if person is None or not set(roles) & set(person.roles):
        raise StrictJsonError(f"{act.by!r:.60} is no {' or '.join(roles)}")
    _check_house(act, roster)
    if len(act.signatures) != 1:
        raise StrictJsonError(f"it carries {len(act.signatures)} signatures, not one")
    (signature,) = act.signatures
    owner = roster.owners.get(signature.keyid)
    if owner is None or owner[0].id != person.id:
        raise StrictJsonError(f"the key {signature.keyid[:12]}… is not {person.id}'s")
    refusal = owner[1].refusal_at(act.index)
    if refusal:
        raise StrictJsonError(f"{person.id}'s key may not sign here ({refusal})")
    if not is_known and not is_signed_by(signature, owner[1].public, ACT_TYPE, act.payload()):
        raise StrictJsonError(f"the signature of {act.by} does not verify")


def _check_house(act: Act, roster: Roster) -> None:
    """An act counts only where it was signed to count; older houses have no identity."""
    if act.house != roster.identity:
        whose = f"for the house {act.house!r:.120}" if act.house else "without naming its house"
        raise StrictJsonError(f"it was signed {whose}, not for {roster.identity or roster.house}")


def check_root(act: Act, roster: Roster) -> None:
    """Whether enough of the root's keys signed.

    Raises:
        StrictJsonError: too few.
    """
    _check_house(act, roster)
    signers = root_signers(roster.root_keys, act.signatures, ACT_TYPE, act.payload())
    if act.by != ROOT or len(signers) < roster.threshold:
        raise StrictJsonError(f"it carries {len(signers)} root signatures")


def entries_of(act: Act) -> list[Entry]:
    """The works that an act enters."""
    if act.kind == ADD:
        return [Entry.from_dict(act.data)]
    if act.kind == ADOPT:
        return list(map(Entry.from_dict, Adoption.from_dict(act.data).works))
    return []


def check_statements(act: Act, roster: Roster) -> None:
    """Whether every work is entered as its composer signed it, and by whoever accepted it.

    Raises:
        StrictJsonError, TagError: not so.
    """
    for entry in entries_of(act):
        if entry.envelope is None and not roster.statements_in_log:
            continue
        curator = judge_entry(entry, roster, act.index, is_adopted=act.kind == ADOPT)
        if act.kind == ADD and curator.id != act.by:
            raise StrictJsonError(f"{curator.id} accepted it, {act.by} enters it")


def key_of_head(rosters: Sequence[SignedRoster], size: int, keyid: str) -> bytes:
    """The public key called `keyid`, when it may sign the head of a log of this size.

    Anybody of the house may: whoever did the last act signs. When that act replaced the root, an
    old root key may still have been the one at hand.

    Args:
        rosters: of the log, in order.
        size: of the log, in acts.
        keyid: which key signed the head.

    Raises:
        RegisterError: an unknown, ended or compromised key.
    """
    roster, index = rosters[-1].roster, size - 1
    root_keys = roster.root_keys
    if len(rosters) > 1 and roster.register_index == index:
        root_keys += rosters[-2].roster.root_keys
    for public in root_keys:
        if key_id(public) == keyid:
            return public
    owner = roster.owners.get(keyid)
    refusal = owner[1].refusal_at(index) if owner else "unknown-key"
    if owner is None or refusal:
        raise RegisterError(f"the head is signed by the key {keyid[:12]}… ({refusal})")
    return owner[1].public
