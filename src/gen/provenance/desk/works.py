"""What people do with works: accept, reject, renew, withdraw, change consent."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.admission.inbox import Waiting, look
from gen.provenance.history.judge import check_signed_for, judge_composer
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House, Session
from gen.provenance.houses.settle import work_place
from gen.provenance.houses.store import INBOX, REJECTED, WITHDRAWN, Store
from gen.provenance.records.acts import (
    ADD,
    CONSENT,
    ROOT,
    WITHDRAW,
    Act,
    ConsentChange,
    Entry,
    Withdrawal,
)
from gen.provenance.records.consent import Consent
from gen.provenance.records.roster import COMPOSER, CURATOR, Person
from gen.provenance.records.tag import Tagged, read_tag
from gen.provenance.signing.canonical import sha256_hex, utc_now
from gen.provenance.signing.keys import SigningKey

_BATCH = 256
"""Works that are entered by one append: few enough to hold in memory and not to keep others."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Result of accepting: what was entered, what was refused and why."""

    house: House
    entered: tuple[Entry, ...]
    refused: tuple[Waiting, ...]


# -- accepting ------------------------------------------------------------------------------


def accept(house: House, works: Sequence[str] | None, curator: SigningKey) -> Accepted:
    """Countersign works from the inbox and enter them; see `accept_in_turn`.

    Returns:
        Entered works, and those that stay in the inbox with the rule they break.
    """
    done = list(accept_in_turn(house, works, curator))
    entered = [entry for part in done for entry in part.entered]
    refused = [item for part in done for item in part.refused]
    return Accepted(done[-1].house, tuple(entered), tuple(refused))


def accept_in_turn(
    house: House,
    works: Sequence[str] | None,
    curator: SigningKey,
    check: Callable[[Waiting, Register], Waiting] | None = None,
    since: Register | None = None,
) -> Iterator[Accepted]:
    """Countersign works from the inbox and enter them, some hundred in one append.

    Other commands may act between two appends: what they took from the inbox is passed over.

    Args:
        house: where.
        works: ids; None takes all that wait when it begins.
        curator: the curator's key.
        check: looks at each work that could be entered; what it gives back with a rule stays.
        since: the house's register as it was loaded before; it is brought up to date.

    Yields:
        What became of each part, at least one. By then every entered work of it is durably in
        the register and in its place.
    """
    register, waiting = since, None
    while waiting is None or waiting:
        with house.writing(since=register) as session:
            register = session.register
            person = register.signer(curator, CURATOR)
            store = session.house.store
            there = store.waiting()
            if waiting is None:
                waiting = [work for work in there if works is None or work in works]
                _check_all_there(works, waiting)
            part, waiting = waiting[:_BATCH], waiting[_BATCH:]
            still = set(part) & set(there)
            looked = [look(store, work, register) for work in part if work in still]
            if check:
                looked = [item if item.rule else check(item, register) for item in looked]
            done = _enter(session, looked, person, curator)
        house = done.house
        yield done


def _check_all_there(works: Sequence[str] | None, there: Sequence[str]) -> None:
    absent = sorted(set(works or ()) - set(there))
    if absent:
        raise SettingError(
            f"not in the inbox: {', '.join(absent)}",
            mend="python scripts/house.py show --inbox lists what waits",
        )


def _enter(
    session: Session, looked: Sequence[Waiting], curator: Person, key: SigningKey
) -> Accepted:
    acts: list[Act] = []
    refused: list[Waiting] = []
    entries: list[Entry] = []
    files: list[bytes] = []
    seen = set[str]()
    for item in looked:
        problem = _why_not(item, curator, seen)
        if problem is not None or item.tagged is None:
            refused.append(problem or item)
            continue
        data = item.tagged.countersigned(key)
        entry = entry_of(read_tag(data), data, session.register)
        seen |= {entry.music_sha256, entry.musical_hash}
        act = session.register.act(ADD, curator.id, entry.to_dict(), key.now(), ahead=len(acts))
        acts.append(act.signed_by([key]))
        entries.append(entry)
        files.append(data)
    moved = session.commit(acts, key, files) if acts else session.house
    return Accepted(moved, tuple(entries), tuple(refused))


def _why_not(item: Waiting, curator: Person, seen: set[str]) -> Waiting | None:
    if item.tagged is None or item.rule:
        return item
    statement = item.tagged.statement
    if any(curator.id == composer for composer, _ in statement.composers):
        found = f"{curator.id} is one of its composers"
        return Waiting(item.work, item.path, item.tagged, "same-person", found)
    if {item.tagged.music_sha256, statement.musical_hash} & seen:
        found = "the same music waits twice in the inbox"
        return Waiting(item.work, item.path, item.tagged, "duplicate", found)
    return None


def entry_of(tagged: Tagged, data: bytes, register: Register) -> Entry:
    """What the log says of a countersigned work; one that it knows keeps its place.

    Args:
        tagged: the work, as `data` has it.
        data: its file.
        register: as it is before the work is entered.
    """
    statement = tagged.statement
    first, second = tagged.envelope.signatures
    known = register.works.get(statement.work)
    owner = register.roster.owners[first.keyid][0].id
    path = known.entry.path if known else f"{owner}/{statement.work}.mid"
    return Entry(
        statement.work,
        statement.description.title,
        path,
        tagged.music_sha256,
        sha256_hex(data),
        statement.musical_hash,
        statement.composers,
        (first.keyid, second.keyid),
        statement.consent,
        tagged.envelope,
    )


def reject(house: House, works: Sequence[str], curator: SigningKey, reason: str) -> list[str]:
    """Move works from the inbox to `rejected/`, with the reason beside them.

    Raises:
        SettingError: a work does not wait, or no reason was given that can be written down.
    """
    if not reason.strip():
        raise SettingError("no reason was given", mend="the composer wants to know: --reason TEXT")
    try:
        reason.encode("utf-8")
    except UnicodeEncodeError as error:
        raise SettingError(
            f"{reason[:40]!a} is no text: {error.reason}", where="reason", mend="type it anew"
        ) from error
    with house.writing() as session:
        store = session.house.store
        person = session.register.signer(curator, CURATOR)
        _check_all_there(works, store.waiting())
        store.check_writable(INBOX, REJECTED)
        for work in works:
            _reject_one(store, work, {"by": person.id, "reason": reason, "time": utc_now()})
    return list(works)


def _reject_one(store: Store, work: str, note: dict[str, str]) -> None:
    text = json.dumps(note, ensure_ascii=False, indent=1) + "\n"
    store.write({f"{REJECTED}/{work}.json": text.encode("utf-8")})
    store.move(f"{INBOX}/{work}.mid", f"{REJECTED}/{work}.mid")
    store.remove(f"{INBOX}/{work}.screening.json")


# -- withdrawing and consent ----------------------------------------------------------------


def withdraw(
    house: House,
    works: Sequence[str],
    key: SigningKey,
    reason: str,
    *,
    more_root_keys: Sequence[SigningKey] = (),
    since: Register | None = None,
) -> House:
    """Withdraw works: block their ids, bytes and sound, and take the files out.

    A composer may withdraw their own works, a curator or the root any; the root with as many
    keys as its threshold asks for.

    Raises:
        HouseError: a work is unknown or withdrawn, or the key may not do this.
    """
    with house.writing(since) as session:
        register = session.register
        records = [live_work(register, work) for work in dict.fromkeys(works)]
        acts = []
        for offset, record in enumerate(records):
            by = _withdrawer(register, key, record)
            entry = record.entry
            data = Withdrawal(entry.work, entry.music_sha256, entry.musical_hash, reason).to_dict()
            act = register.act(WITHDRAW, by, data, key.now(), ahead=offset)
            acts.append(act.signed_by([key, *more_root_keys]))
        return session.commit(acts, key, ())


def _withdrawer(register: Register, key: SigningKey, record: WorkRecord) -> str:
    if key.keyid in register.roster.root_keyids:
        register.check_fresh(register.today())
        return ROOT
    owner = register.roster.owners.get(key.keyid)
    is_composer = owner is not None and record.is_composer(owner[0].id)
    return register.signer(key, COMPOSER if is_composer else CURATOR).id


def known_work(register: Register, work: str) -> WorkRecord:
    """The record of a work, withdrawn or not.

    Raises:
        SettingError: there is none; with near names.
    """
    record = register.works.get(work)
    if record is None:
        raise SettingError(f"no work {work!r} in the register", mend=near_works(register, work))
    return record


def live_work(register: Register, work: str) -> WorkRecord:
    """The same, of a work that is not withdrawn.

    Raises:
        SettingError: unknown, or withdrawn.
    """
    record = known_work(register, work)
    if record.withdrawn_at is not None:
        raise SettingError(f"{work} was withdrawn at register index {record.withdrawn_at}")
    return record


def near_works(register: Register, work: str) -> str:
    """A hint for a mistyped work id."""
    import difflib

    near = difflib.get_close_matches(work, register.works, 3)
    listing = "python scripts/house.py show --works lists them"
    return f"did you mean {', '.join(near)}?" if near else listing


def set_consent(
    house: House,
    works: Sequence[str],
    consent: Consent,
    key: SigningKey,
    *,
    since: Register | None = None,
) -> House:
    """Record what the key's owner allows for their works from now on.

    With several composers, a scope is live while all of them allow it.

    Raises:
        HouseError: not their work, unknown work, or a key that may not sign.
    """
    return say_of_works(
        house,
        works,
        key,
        CONSENT,
        lambda work: ConsentChange(consent.grants, work).to_dict(),
        since,
    )


def say_of_works(
    house: House,
    works: Collection[str],
    key: SigningKey,
    kind: str,
    data_of: Callable[[str], dict[str, Any]],
    since: Register | None = None,
) -> House:
    """Enter one act of a kind for each of a composer's works.

    Args:
        house: where.
        works: ids.
        key: the composer's.
        kind: of the acts.
        data_of: what the act says of a work.
        since: as in `House.load`.

    Raises:
        HouseError: not their work, unknown work, or a key that may not sign.
    """
    with house.writing(since) as session:
        register = session.register
        person = register.signer(key, COMPOSER)
        acts = []
        for offset, work in enumerate(dict.fromkeys(works)):
            if not live_work(register, work).is_composer(person.id):
                raise HouseError(f"{person.id} is no composer of {work}")
            act = register.act(kind, person.id, data_of(work), key.now(), ahead=offset)
            acts.append(act.signed_by([key]))
        return session.commit(acts, key, ())


# -- renewing -------------------------------------------------------------------------------


def renew(house: House, works: Sequence[str], key: SigningKey) -> list[str]:
    """Sign works anew whose keys were compromised when they signed.

    A composer's renewal waits in the inbox, as a contribution does; a curator's keeps the
    composer's signature, where that is still good, and waits there to be accepted likewise.

    Returns:
        The ids that now wait in the inbox.

    Raises:
        HouseError: a work needs no renewal, or the key cannot help it.
    """
    with house.writing() as session:
        for work in works:
            _renew_one(session, work, key)
    return list(works)


def _renew_one(session: Session, work: str, key: SigningKey) -> None:
    record = session.register.works.get(work)
    if record is None or not session.register.is_stale(record):
        raise SettingError(f"{work} needs no renewal", mend="house.py audit names those that do")
    tagged = kept_work(session.house, record)
    owner = session.register.roster.owners.get(key.keyid)
    if owner is not None and record.is_composer(owner[0].id):
        session.register.signer(key, COMPOSER)
        data = tagged.signed_anew(key, session.register.roster.identity)
    else:
        session.register.signer(key, CURATOR)
        check_signed_for(tagged.statement, session.register.roster)
        judge_composer(tagged, session.register.roster, session.register.size)
        data = tagged.uncountersigned()
    session.house.store.write({f"{INBOX}/{work}.mid": data})


def kept_work(house: House, record: WorkRecord) -> Tagged:
    """A registered work's file: from its place, or from where withdrawn works are kept.

    For comparing and renewing; what a model learns from comes through the gate alone.

    Raises:
        HouseError: it is gone, unreadable, or not the file that was entered.
    """
    store, digest = house.store, record.entry.file_sha256
    for place in (work_place(record), f"{WITHDRAWN}/{record.entry.work}.mid"):
        try:
            data = store.read_work(place, digest)
        except FileNotFoundError:
            continue
        if sha256_hex(data) != digest:
            raise HouseError("its bytes are not those the register names", where=place)
        return read_tag(data)
    raise HouseError(f"the file of {record.entry.work} is gone", where=record.entry.path)
