"""Attacks that would bring an honest house to a stop: far dates, false outputs, doubled words."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from test_key_attacks import change

from gen.provenance.desk import people
from gen.provenance.desk.recording import outputs_of
from gen.provenance.desk.works import renew
from gen.provenance.history import record, state
from gen.provenance.history.log import HEAD_TYPE, Head
from gen.provenance.records.acts import CONSENT, Act, ConsentChange
from gen.provenance.records.consent import Consent
from gen.provenance.signing.canonical import canonical, today_utc
from gen.provenance.signing.dsse import sign
from gen.smf import musical_hash, parse
from houses import LANTERN, key_of, make_midi


def redate(house, day: date, who: str) -> None:
    """What anybody with one key and the files can do: the newest head under another day."""
    path = house.folder / "register.head.json"
    head = json.loads(path.read_bytes())
    head["head"]["time"] = f"{day}T00:00:00Z"
    payload = Head.from_dict(head).payload()
    head["signatures"] = [sign(HEAD_TYPE, payload, key_of(who)).to_dict()]
    path.write_bytes(canonical(head) + b"\n")


@pytest.mark.parametrize("day", [date(9999, 12, 31), today_utc() + timedelta(days=3)])
def test_head_dated_ahead_ends_no_consent_and_no_roster(house, day):
    """It is refused for what it is, and the head from before it puts things right."""
    house.enter(1, consent=f"general_model@{today_utc() + timedelta(days=1)}")
    path = house.folder / "register.head.json"
    intact = path.read_bytes()
    redate(house, day, "machine")
    code, told = house.audit()
    assert (code, told["error"]["rule"]) == (2, "dated-ahead")
    assert f"is dated {day}" in told["error"]["what"]
    assert f"signed with the key {key_of('machine').keyid[:12]}…" in told["error"]["what"]
    assert "is dated" in house.refuse_training()
    path.write_bytes(intact)
    assert house.rules() == {}


def test_head_of_tomorrow_is_another_time_zone_and_passes(house):
    house.enter(1)
    redate(house, today_utc() + timedelta(days=1), "cleo")
    assert house.rules() == {}


def test_clock_set_back_by_years_brings_no_ended_consent_to_life(house, monkeypatch):
    """The house was used in the meantime; the clock is what is asked to be put right."""
    house.enter(1, consent="general_model@2026-01-01")
    for module in (record, state):
        monkeypatch.setattr(module, "today_utc", lambda: date(2025, 1, 1))
    code, told = house.audit()
    assert (code, told["error"]["rule"]) == (2, "dated-ahead")
    assert "by this computer's clock it is 2025-01-01" in told["error"]["what"]
    assert "set this computer's clock right" in told["error"]["mend"]


def test_clock_set_back_by_hours_brings_no_ended_consent_to_life(house, monkeypatch):
    day = today_utc() - timedelta(days=1)
    house.enter(1, consent=f"general_model@{day}")
    for module in (record, state):
        monkeypatch.setattr(module, "today_utc", lambda: day)
    code, told = house.audit()
    assert (code, told["admitted"], len(told["not_consented"])) == (0, [], 1)


def test_act_dated_ahead_is_refused(house):
    (entry,) = house.enter(1)
    log, ana = house.house.register_log, key_of("ana")
    said = ConsentChange(Consent.parse("evaluation").grants, entry.work).to_dict()
    act = Act(log.head().size, CONSENT, "ana", "9999-01-01T00:00:00Z", said, house=LANTERN)
    act = act.signed_by([ana])
    log.append([act.encode()], lambda p: [sign(HEAD_TYPE, p, ana)])
    code, told = house.audit()
    assert (code, told["error"]["rule"]) == (2, "dated-ahead")
    assert "act 2 is dated 9999-01-01" in told["error"]["what"]


def sound_of(seed: int) -> str:
    return musical_hash(parse(make_midi(seed)))


def test_piece_entered_after_a_work_refuses_no_work(house):
    """A thief of the machine's key enters a piece that sounds as an accepted work does."""
    house.enter(1)
    house.log_output(sound_of(1))
    assert house.rules() == {}
    code, _ = house._run("house", "verify")
    assert code == 0


def test_piece_entered_before_a_work_keeps_it_out_until_the_key_is_declared_stolen(house):
    """… and afterwards its composer contributes it as if nothing had been."""
    at = house.log_output(sound_of(2))
    assert house.contribute(make_midi(2)) == "generated"
    change(house, lambda r: people.compromised(r, "machine", at))
    assert list(outputs_of(house.house, house.load())) == []
    assert house.contribute(make_midi(2)) == ""
    assert not house.accept().refused
    assert house.rules() == {}


def test_piece_whose_key_was_stolen_later_still_counts(house):
    at = house.log_output(sound_of(2))
    change(house, lambda r: people.compromised(r, "machine", at + 1))
    assert house.contribute(make_midi(2)) == "generated"


def test_renewing_a_work_moves_it_behind_no_piece(house):
    """The curator's key was compromised; a false piece was entered before the renewal."""
    (entry,) = house.enter(1)
    house.log_output(sound_of(1))
    change(house, lambda r: people.compromised(r, "cleo", entry_index(house, entry)))
    renew(house.house, [entry.work], key_of("dana"))
    assert not house.accept([entry.work], curator="dana").refused
    assert house.rules() == {}


def entry_index(house, entry) -> int:
    return house.load().works[entry.work].index


def test_pin_that_says_one_thing_twice_is_refused(house):
    """YAML takes the last of two in silence: a person who reads the first is deceived."""
    path = house.pin.path
    path.write_bytes(path.read_bytes() + f"root_hash: {'0' * 64}\n".encode())
    code, told = house.audit()
    assert code == 2
    assert "'root_hash' stands there twice" in told["error"]["what"]
