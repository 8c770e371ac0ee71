"""What was signed on another computer is entered as it was signed, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gen.errors import HouseError, SettingError
from gen.provenance.desk.works import accept, set_consent, withdraw
from gen.provenance.records.consent import Consent
from gen.provenance.signing.canonical import TIME_FORMAT, utc_now
from gen.provenance.signing.elsewhere import (
    CLOCK_SECONDS,
    NotSignedError,
    SignedElsewhere,
    check_clock,
)
from houses import key_of, make_midi, start_house, tagged


class Listening:
    """A key that keeps what it signed, as somebody's browser makes it."""

    def __init__(self, who: str, time: str) -> None:
        self._key, self._time = key_of(who), time
        self.public, self.keyid = self._key.public, self._key.keyid
        self.made: list[bytes] = []

    def now(self) -> str:
        return self._time

    def sign(self, message: bytes) -> bytes:
        self.made.append(self._key.sign(message))
        return self.made[-1]

    def elsewhere(self) -> SignedElsewhere:
        return SignedElsewhere(self.public, tuple(self.made), self._time)


def twin_houses(tmp_path):
    """The same house twice: one where everything is signed at hand, one that gets it sent."""
    houses = [start_house(tmp_path / name / "house") for name in ("one", "two")]
    data = tagged(make_midi(1))
    works = [house.submit(data)[0].work for house in houses]
    return (*houses, works[0])


def same(one, two) -> bool:
    names = ("register.jsonl", "register.head.json")
    return [(one / n).read_bytes() for n in names] == [(two / n).read_bytes() for n in names]


def test_what_was_signed_elsewhere_is_to_the_byte_what_a_key_at_hand_enters(tmp_path):
    at_hand, sent, work = twin_houses(tmp_path)
    # Their first acts are dated by the clock: the second house is a copy of the first one's log.
    for name in ("register.jsonl", "register.head.json", "roster.json"):
        (sent.folder / name).write_bytes((at_hand.folder / name).read_bytes())
    text = at_hand.pin.path.read_text().replace(str(at_hand.folder), str(sent.folder))
    sent.pin.path.write_text(text)
    sent._follow_pin()
    time = utc_now()
    cleo, ana = Listening("cleo", time), Listening("ana", time)
    house = accept(at_hand.house, [work], cleo).house
    assert not accept(sent.house, [work], cleo.elsewhere()).refused
    assert same(at_hand.folder, sent.folder)
    sent._follow_pin()
    house = set_consent(house, [work], Consent.parse("evaluation"), ana)
    set_consent(sent.house, [work], Consent.parse("evaluation"), ana.elsewhere())
    sent._follow_pin()
    ana.made.clear()  # of another change
    withdraw(house, [work], ana, "mine again")
    withdraw(sent.house, [work], ana.elsewhere(), "mine again")
    assert same(at_hand.folder, sent.folder)
    assert sent.house.load().works[work].withdrawn_at == 3


def test_another_word_than_was_signed_enters_nothing(tmp_path):
    house = start_house(tmp_path / "house")
    (entry,) = house.enter(1)
    before = (house.folder / "register.jsonl").read_bytes()
    ana = SignedElsewhere(key_of("ana").public, (b"\0" * 64,), utc_now())
    for act in (
        lambda: set_consent(house.house, [entry.work], Consent.parse("nothing"), ana),
        lambda: withdraw(house.house, [entry.work], ana, "?"),
    ):
        with pytest.raises(NotSignedError, match="not what would be entered"):
            act()
    assert (house.folder / "register.jsonl").read_bytes() == before
    assert not house.house.store.is_unfinished()


def test_an_act_that_was_entered_is_not_entered_again(tmp_path):
    house = start_house(tmp_path / "house")
    (entry,) = house.enter(1)
    ana = Listening("ana", utc_now())
    allowed = Consent.parse("evaluation")
    set_consent(house.house, [entry.work], allowed, ana)
    with pytest.raises(NotSignedError):
        set_consent(house.house, [entry.work], allowed, ana.elsewhere())


def test_a_head_that_was_not_signed_leaves_no_half_of_a_change(tmp_path):
    house = start_house(tmp_path / "house")
    work = house.submit(tagged(make_midi(1)))[0].work
    cleo = Listening("cleo", utc_now())
    twin = start_house(tmp_path / "twin")
    twin.submit(tagged(make_midi(1)))
    before = (house.folder / "register.head.json").read_bytes()
    accept(twin.house, [work], cleo)
    without_head = SignedElsewhere(cleo.public, tuple(cleo.made[:-1]), cleo.now())
    with pytest.raises(HouseError):
        accept(house.house, [work], without_head)
    assert (house.folder / "register.head.json").read_bytes() == before
    assert not house.house.store.is_unfinished()
    assert house.house.store.waiting() == [work]


def test_a_record_is_not_dated_by_a_clock_that_is_far_off():
    now = datetime.now(UTC)
    for off in (-CLOCK_SECONDS - 60, CLOCK_SECONDS + 60):
        with pytest.raises(SettingError, match="minutes off"):
            check_clock((now + timedelta(seconds=off)).strftime(TIME_FORMAT))
    for text in ("9999-12-31", "", "2030-1-1T00:00:00Z"):
        with pytest.raises(SettingError):
            check_clock(text)
    assert check_clock(utc_now())
