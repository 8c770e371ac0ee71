"""Entering complaints and answers, and reading what was said."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House, Session
from gen.provenance.houses.new_keys import is_named
from gen.provenance.houses.store import COMPLAINTS, MAX_RECORD_BYTES
from gen.provenance.records.acts import ANSWER, COMPLAIN
from gen.provenance.records.complaints import Answer, Complaint, Entered
from gen.provenance.records.roster import COMPOSER, CURATOR
from gen.provenance.signing.canonical import canonical, canonical_json, sha256_hex
from gen.provenance.signing.keys import SigningKey

_MOST_WORDS = 100_000


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint with its answers; `said` and the second of each answer are their records.

    A record is None where its file is gone: only that it was entered is known then.
    """

    entered: Entered
    said: dict[str, Any] | None
    answers: tuple[tuple[Entered, dict[str, Any] | None], ...]


def complain(
    house: House,
    key: SigningKey,
    who: str,
    text: str,
    about: Sequence[str] = (),
    salt: str | None = None,
) -> int:
    """Enter a complaint; the act's index.

    Args:
        house: where.
        key: of the composer or curator who enters it.
        who: who complains, in words.
        text: what is complained about.
        about: works, pieces or models that are meant, in words.
        salt: 64 hex digits that nobody can guess, of a record that was signed elsewhere; None
            draws them.

    Raises:
        HouseError: no words, or a key that may not sign.
    """
    content = {"about": list(about), "from": who, "text": _words(text)}
    with house.writing() as session:
        person = session.register.signer(key, COMPOSER, CURATOR)
        record = _kept(session, content, key.now(), salt)
        return _enter(session, COMPLAIN, person.id, Complaint(record), key)


def answer(
    house: House, key: SigningKey, complaint: int, text: str, salt: str | None = None
) -> int:
    """Enter what a complaint was answered; the act's index. `salt` as in `complain`.

    Raises:
        HouseError: there is no such complaint, no words, or the key is no curator's.
    """
    content = {"complaint": complaint, "text": _words(text)}
    with house.writing() as session:
        if complaint not in session.register.complaints.entered:
            raise SettingError(
                f"act {complaint} is no complaint", mend="house.py complain --list lists them"
            )
        person = session.register.signer(key, CURATOR)
        record = _kept(session, content, key.now(), salt)
        return _enter(session, ANSWER, person.id, Answer(complaint, record), key)


def _words(text: str) -> str:
    if not text.strip() or len(text) > _MOST_WORDS:
        raise SettingError("nothing is said, or too much", mend="give some words: --text TEXT")
    return text


def _kept(session: Session, content: dict[str, Any], time: str, salt: str | None) -> str:
    """Keep a record in the house's folder; its digest."""
    store = session.house.store
    data = canonical({**content, "salt": salt or secrets.token_hex(32), "time": time})
    store.make_folder(COMPLAINTS)
    store.check_writable(COMPLAINTS)
    store.write({_place(sha256_hex(data)): data})
    return sha256_hex(data)


def _enter(session: Session, kind: str, by: str, data: Complaint | Answer, key: SigningKey) -> int:
    """Enter what names a record; where that fails, the record does not stay."""
    try:
        return session.enter(kind, by, data, key).index
    except BaseException:
        house = session.house
        # It may fail after it was entered.
        if not is_named(house.folder, house.pin.name, data.record):
            house.store.remove(_place(data.record))
        raise


def cases(house: House, register: Register) -> list[Case]:
    """Every complaint with its answers, in order.

    Raises:
        HouseError: a record is not the one that the log names.
    """
    found = register.complaints
    return [
        Case(
            entered,
            _read(house, entered.record),
            tuple((each, _read(house, each.record)) for each in found.answers.get(index, ())),
        )
        for index, entered in sorted(found.entered.items())
    ]


def _read(house: House, record: str) -> dict[str, Any] | None:
    data = house.store.read_if_there(_place(record), MAX_RECORD_BYTES)
    if data is None:
        return None
    if sha256_hex(data) != record:
        raise HouseError(
            "was changed: the log names another record",
            where=_place(record), mend="restore it, or remove it: then only that it was is known",
        )  # fmt: skip
    content: dict[str, Any] = canonical_json(data)
    return content


def _place(record: str) -> str:
    return f"{COMPLAINTS}/{record}.json"
