"""Each rule of the roster, broken by somebody who holds every key."""

import copy
import dataclasses
from datetime import date, timedelta

import pytest

from gen.errors import HouseError, SettingError
from gen.provenance.desk import people
from gen.provenance.desk.people import end_keys
from gen.provenance.history.succession import check_succession
from gen.provenance.records.roster import (
    ROSTER_TYPE,
    Person,
    PersonKey,
    Roster,
    RosterError,
    SignedRoster,
)
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.dsse import sign
from gen.provenance.signing.notes import LOG_KEY, NoteKey
from houses import key_of, start_house


def signed(roster, *names):
    payload = roster.payload()
    keys = [key_of(name) for name in names or ("root",)]
    return SignedRoster(roster, tuple(sign(ROSTER_TYPE, payload, key) for key in keys))


@pytest.fixture
def register(house):
    house.enter(1)
    return house.load()


def refused(register, roster, *names):
    with pytest.raises(RosterError) as caught:
        check_succession(register.rosters[-1], signed(roster, *names), register.size)
    return caught.value.what


def edited(register, person_id, **changes):
    roster = people.renewed(register)
    changed = tuple(
        dataclasses.replace(p, **changes) if p.id == person_id else p for p in roster.people
    )
    return dataclasses.replace(roster, people=changed)


def with_key(register, person_id, **changes):
    (key,) = register.roster.person(person_id).keys
    return edited(register, person_id, keys=(dataclasses.replace(key, **changes),))


def test_honest_successor_is_taken(register):
    check_succession(register.rosters[-1], signed(people.renewed(register)), register.size)


def test_roster_is_written_and_read_back(register):
    text = register.rosters[-1].to_dict()
    assert SignedRoster.from_dict(copy.deepcopy(text)).to_dict() == text


def test_signatures_of_others_do_not_count(register):
    roster = people.renewed(register)
    assert "0 signatures of its own root keys, 1 are needed" in refused(register, roster, "mallory")


def test_one_root_key_signing_twice_counts_once(register):
    roster = people.with_root(register, [key_of("root").public, key_of("root 2").public], 2)
    assert "1 signatures of its own" in refused(register, roster, "root", "root")


def test_new_root_needs_the_old_too(register):
    roster = people.with_root(register, [key_of("new").public], 1)
    assert "0 signatures of the previous root keys" in refused(register, roster, "new")
    assert "0 signatures of its own" in refused(register, roster, "root")
    check_succession(register.rosters[-1], signed(roster, "root", "new"), register.size)


def test_version_skipped_or_repeated(register):
    for version in (1, 3):
        roster = dataclasses.replace(people.renewed(register), version=version)
        assert f"version {version} of 'lantern' cannot follow version 1" in refused(
            register, roster
        )


def test_roster_made_for_another_index(register):
    roster = dataclasses.replace(people.renewed(register), register_index=9)
    assert "made for register index 9, not 2" in refused(register, roster)


def test_first_roster_is_version_one(register):
    roster = dataclasses.replace(register.roster, version=2)
    with pytest.raises(RosterError, match="the first roster is version 2"):
        check_succession(None, signed(roster), 0)


def test_person_removed(register):
    roster = people.renewed(register)
    fewer = dataclasses.replace(roster, people=roster.people[1:])
    assert "ana was removed" in refused(register, fewer)


def test_key_removed_or_given_away(register):
    assert "a key of ana was removed" in refused(register, edited(register, "ana", keys=()))
    (key,) = register.roster.person("ana").keys
    roster = edited(register, "ana", keys=())
    given = tuple(
        dataclasses.replace(p, keys=(*p.keys, key)) if p.id == "ben" else p for p in roster.people
    )
    assert "given to somebody else" in refused(register, dataclasses.replace(roster, people=given))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"valid_from": 1}, "moved its beginning to index 1"),
        ({"valid_to": 1}, "would end at index 1, before 2"),
    ],
)
def test_key_history_is_not_rewritten(register, changes, words):
    assert words in refused(register, with_key(register, "ana", **changes))


def test_end_once_set_only_moves_to_earlier(house, register):
    ended = signed(people.compromised(register, "ana", 1))
    follow = dataclasses.replace(ended.roster, version=3)
    for changes in ({"valid_to": None}, {"valid_to": 5}, {"compromised_from": 2}):
        (key,) = ended.roster.person("ana").keys
        person = Person("ana", "Ana", ("composer",), (dataclasses.replace(key, **changes),))
        changed = dataclasses.replace(follow, people=(person, *follow.people[1:]))
        with pytest.raises(RosterError, match="was ended at index"):
            check_succession(ended, signed(changed), register.size)


def test_same_key_for_two_people(register):
    text = people.enrolled(register, "eve", "Eve", ["curator"], key_of("ana").public).to_dict()
    with pytest.raises(RosterError, match="one public key appears twice"):
        Roster.from_dict(text)


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (["format"], 2, StrictJsonError),
        (["house"], "No Name", RosterError),
        (["expires"], "soon", StrictJsonError),
        (["expires"], None, RosterError),
        (["sealed"], True, RosterError),
        (["root", "threshold"], 0, RosterError),
        (["root", "threshold"], 2, RosterError),
        (["root", "keys"], ["xx"], StrictJsonError),
        (["policy", "signatures_per_work"], 1, StrictJsonError),
        (["people", 0, "id"], "root", StrictJsonError),
        (["people", 0, "id"], "zz", RosterError),
        (["people", 0, "roles"], [], StrictJsonError),
        (["people", 0, "roles"], ["owner"], StrictJsonError),
        (["people", 0, "keys", 0, "public"], "xx", StrictJsonError),
        (["people", 0, "keys", 0, "valid_to"], "7", StrictJsonError),
    ],
)
def test_other_rosters_are_refused(register, path, value, error):
    text = register.roster.to_dict()
    inner = text
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(error):
        Roster.from_dict(text)


def test_key_states_at_each_index():
    key = PersonKey(key_of("ana").public, 2, 5, None)
    states = [key.refusal_at(i) for i in (1, 2, 4, 5)]
    assert states == ["key-not-yet-valid", None, None, "expired-key"]
    stolen = dataclasses.replace(key, compromised_from=3)
    assert [stolen.refusal_at(i) for i in (2, 3, 9)] == [None, "revoked-key", "revoked-key"]


def test_departed_people_have_no_open_key(register):
    ana = register.roster.person("ana")
    assert ana.open_keys() == ana.keys
    gone = end_keys(ana, 2)
    assert gone.open_keys() == ()
    assert end_keys(gone, 9) == gone


def test_expiry_is_a_day(register):
    expires = register.roster.expires
    assert register.roster.has_expired(expires)
    assert not register.roster.has_expired(expires - timedelta(days=1))
    assert people.expires_soon(register.roster, expires - timedelta(days=30))
    assert not people.expires_soon(people.sealed(register), date(2999, 1, 1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r: people.enrolled(r, "Eve", "", ["curator"], b""), "'Eve' is no person's id"),
        (lambda r: people.enrolled(r, "root", "", ["curator"], b""), "'root' is no person's id"),
        (lambda r: people.enrolled(r, "eve", "", ["boss"], b""), r"roles \['boss'\]"),
        (lambda r: people.enrolled(r, "eve", "", [], b""), "roles"),
        (lambda r: people.enrolled(r, "ana", "", ["curator"], b""), "enrolled already"),
        (lambda r: people.departed(r, "zoe"), "'zoe' is not enrolled"),
        (lambda r: people.compromised(r, "ana", 3), "index 3 of a register of 2 acts"),
        (lambda r: people.with_root(r, [key_of("new").public], 2), "threshold 2 of 1"),
    ],
)
def test_impossible_changes_are_refused(register, make, words):
    with pytest.raises(SettingError, match=words):
        make(register)


def test_compromise_moves_only_to_earlier(register):
    first = people.compromised(register, "ana", 1)
    (key,) = first.person("ana").keys
    assert (key.compromised_from, key.valid_to) == (1, 2)
    assert people._compromise(key, 2, 9).compromised_from == 1
    assert people._compromise(key, 0, 9).compromised_from == 0


def test_log_key_stays_while_the_roster_changes(tmp_path):
    house = start_house(tmp_path / "house", log_key=key_of("log")).house
    with house.writing() as session:
        changed = people.renewed(session.register, 30)
        house = people.change_roster(session, changed, [key_of("root")]).house
    assert house.load().roster.log.public == key_of("log").public == house.pin.log.public


def test_log_key_is_replaced_under_the_same_origin(tmp_path):
    house = start_house(tmp_path / "house", log_key=key_of("log")).house
    origin = house.pin.log.name
    with house.writing() as session:
        changed = people.with_log_key(session.register, key_of("log2").public)
        house = people.change_roster(session, changed, [key_of("root")]).house
    assert (house.pin.log.name, house.pin.log.public) == (origin, key_of("log2").public)


@pytest.mark.parametrize("log", [None, NoteKey("lantern/other", key_of("log").public, LOG_KEY)])
def test_log_is_neither_dropped_nor_called_otherwise(tmp_path, log):
    house = start_house(tmp_path / "house", log_key=key_of("log")).house
    with house.writing() as session:
        changed = people._next(session.register, "another log", log=log)
        with pytest.raises(RosterError, match=r"log's key|its log is"):
            people.change_roster(session, changed, [key_of("root")])


def test_log_key_of_a_person_is_refused(tmp_path):
    house = start_house(tmp_path / "house").house
    with house.writing() as session:
        changed = people.with_log_key(session.register, key_of("ana").public)
        with pytest.raises(HouseError, match="one public key appears"):
            people.change_roster(session, changed, [key_of("root")])
