"""Acts that the register refuses, signed by people who hold real keys."""

import dataclasses

import pytest

from gen.provenance.desk import people
from gen.provenance.desk.people import change_roster
from gen.provenance.desk.works import entry_of, withdraw
from gen.provenance.history.record import RegisterError
from gen.provenance.history.register import Register
from gen.provenance.history.rights import key_of_head
from gen.provenance.records.acts import (
    ADD,
    ADOPT,
    CONSENT,
    KEY,
    ROOT,
    WITHDRAW,
    Act,
    ConsentChange,
    Entry,
    Withdrawal,
)
from gen.provenance.records.consent import Consent
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import StrictJsonError
from houses import LANTERN, key_of, make_midi, tagged

TIME = "2030-01-01T00:00:00Z"


@pytest.fixture
def register(house):
    house.enter(1)
    return house.load()


def refused(register, kind, by, data, *signers, index=None):
    at = register.size if index is None else index
    act = Act(at, kind, by, TIME, data, house="" if kind == KEY else LANTERN)
    act = act.signed_by([key_of(name) for name in signers or (by,)])
    with pytest.raises(RegisterError) as caught:
        register.replay(act.encode())
    return caught.value.what


def new_entry(register, seed=2, work=None, **changes):
    named = {} if work is None else {"work": work}
    tag = read_tag(tagged(make_midi(seed), **named))
    data = tag.countersigned(key_of("cleo"))
    return dataclasses.replace(entry_of(read_tag(data), data, register), **changes)


def known(register):
    (record,) = register.works.values()
    return record.entry


def test_register_begins_with_a_roster(house):
    line = Act(0, ADD, "cleo", TIME, {}).signed_by([key_of("cleo")]).encode()
    with pytest.raises(RegisterError, match="act 0 is refused: a register begins with a roster"):
        Register().replay(line)


def test_lines_that_are_no_acts(register):
    act = Act(register.size, ADD, "cleo", TIME, {}, house=LANTERN)
    for line in (b"{}", b"x", act.encode().replace(b'"format":1', b'"format":2')):
        with pytest.raises(RegisterError):
            register.replay(line)
    assert "an act 'burn'" in refused(register, "burn", "cleo", {})


def test_two_signatures_where_one_is_due(register):
    data = new_entry(register).to_dict()
    assert "2 signatures, not one" in refused(register, ADD, "cleo", data, "cleo", "dana")


def test_signature_over_something_else(register):
    act = Act(register.size, ADD, "cleo", TIME, new_entry(register).to_dict(), house=LANTERN)
    good = act.signed_by([key_of("cleo")])
    moved = dataclasses.replace(good, time="2031-01-01T00:00:00Z")
    with pytest.raises(RegisterError, match="the signature of cleo does not verify"):
        register.replay(moved.encode())


def test_same_work_music_sound_or_place_twice(register):
    old = known(register)
    again = refused(register, ADD, "cleo", new_entry(register, seed=1).to_dict())
    assert f"{old.work} was entered before, at 1" in again
    twin = new_entry(register, seed=1, work="another-id").to_dict()
    entry = new_entry(register, path=old.path)
    assert "has the music or the place of" in refused(register, ADD, "cleo", entry.to_dict())
    assert "has the music or the place of" in refused(register, ADD, "cleo", twin)


@pytest.mark.parametrize("field", ["music_sha256", "file_sha256", "musical_hash", "keyids"])
def test_entry_with_malformed_digests(register, field):
    value = ["x", "y"] if field == "keyids" else "x"
    record = {**new_entry(register).to_dict(), field: value}
    assert "expected 64 hex digits" in refused(register, ADD, "cleo", record)


def test_entry_is_written_and_read_back(register):
    entry = new_entry(register)
    assert Entry.from_dict(entry.to_dict()) == entry


def test_withdrawal_of_other_music_than_the_works(register):
    data = Withdrawal(known(register).work, "00" * 32, "11" * 32, "").to_dict()
    assert "withdraws other music" in refused(register, WITHDRAW, "ana", data)


def test_withdrawal_of_what_is_not_there(house, register):
    data = Withdrawal("none", "00" * 32, "11" * 32, "").to_dict()
    assert "'none' is unknown" in refused(register, WITHDRAW, "ana", data)
    house.house = withdraw(house.house, [known(register).work], key_of("ana"), "")
    later = house.load()
    entry = known(later)
    data = Withdrawal(entry.work, entry.music_sha256, entry.musical_hash, "").to_dict()
    assert "is withdrawn" in refused(later, WITHDRAW, "ana", data)


def test_roots_acts_need_the_root(register):
    entry = known(register)
    data = Withdrawal(entry.work, entry.music_sha256, entry.musical_hash, "").to_dict()
    assert "0 root signatures" in refused(register, WITHDRAW, ROOT, data, "cleo")
    adoption = {"origin": {}, "works": []}
    assert "0 root signatures" in refused(register, ADOPT, ROOT, adoption, "cleo")
    assert "1 root signatures" in refused(register, ADOPT, "cleo", adoption, "root")


def test_consent_is_its_composers_to_give(register):
    data = ConsentChange(Consent.parse("evaluation").grants, known(register).work).to_dict()
    assert "ben is no composer of" in refused(register, CONSENT, "ben", data)
    assert "'cleo' is no composer" in refused(register, CONSENT, "cleo", data)


def test_roster_that_is_no_successor(register):
    again = {"signed": register.rosters[-1].to_dict()}
    assert "made for register index 0, not 2" in refused(register, KEY, ROOT, again)


def test_head_needs_exactly_one_signature(house, register):
    head = house.house.register_log.head()
    with pytest.raises(RegisterError, match="the head carries 0 signatures"):
        register.check_head(dataclasses.replace(head, signatures=()))
    changed = dataclasses.replace(head, time=TIME)
    with pytest.raises(RegisterError, match="the head's signature does not verify"):
        register.check_head(changed)


def test_head_by_an_ended_or_unknown_key(house, register):
    with pytest.raises(RegisterError, match="unknown-key"):
        key_of_head(register.rosters, register.size, key_of("mallory").keyid)
    with house.house.writing() as session:
        gone = people.departed(session.register, "cleo")
        house.house = change_roster(session, gone, [house.root]).house
    now = house.load()
    with pytest.raises(RegisterError, match="expired-key"):
        key_of_head(now.rosters, now.size, key_of("cleo").keyid)


def test_withdrawal_by_a_stolen_key_stands_until_the_work_is_entered_anew(house):
    (entry,) = house.enter(1)
    house.house = withdraw(house.house, [entry.work], key_of("dana"), "stolen")
    with house.house.writing() as session:
        stolen = people.compromised(session.register, "dana", 2)
        house.house = change_roster(session, stolen, [house.root]).house
    assert len(house.admit()) == 0
    (result,) = house.submit(tagged(make_midi(1)))
    assert result.rule == ""
    house.accept()
    (work,) = house.admit().admitted
    assert work.work_id == entry.work
    assert house.path(entry).is_file()


def test_consent_survives_a_renewal(house):
    from gen.provenance.desk.works import renew, set_consent

    (entry,) = house.enter(1)
    narrow = Consent.parse("evaluation")
    house.house = set_consent(house.house, [entry.work], narrow, key_of("ana"))
    with house.house.writing() as session:
        stolen = people.compromised(session.register, "cleo", 1)
        house.house = change_roster(session, stolen, [house.root]).house
    renew(house.house, [entry.work], key_of("dana"))
    house.accept(curator="dana")
    assert len(house.admit("evaluation").admitted) == 1
    assert len(house.admit().not_consented) == 1


def test_entry_record_is_strict(register):
    with pytest.raises(StrictJsonError):
        Entry.from_dict({**new_entry(register).to_dict(), "more": 1})
