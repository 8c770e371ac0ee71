"""Attacks with keys: expired, revoked, compromised, back-dated, one index to either side."""

import dataclasses
from dataclasses import replace

import pytest
from test_tag_attacks import forged, plant

from gen.errors import HouseError
from gen.provenance.desk import people
from gen.provenance.desk.people import change_roster
from gen.provenance.desk.works import entry_of, renew
from gen.provenance.history.log import HEAD_TYPE
from gen.provenance.history.record import RegisterError
from gen.provenance.houses.founding import create_house
from gen.provenance.records.acts import ADD, Act
from gen.provenance.records.consent import Consent
from gen.provenance.records.roster import PersonKey, RosterError, SignedRoster
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import Signature, sign
from houses import LANTERN, key_of, make_midi, make_statement, tagged


def change(house, make):
    with house.house.writing() as session:
        result = change_roster(session, make(session.register), [house.root])
    house.house = result.house
    return result


def enter_one_each(house, count=4):
    """Works at register indices 1, 2, 3 …, one act each."""
    return [house.enter(seed)[0] for seed in range(1, count + 1)]


@pytest.mark.parametrize("boundary", [1, 2, 3, 4, 5])
def test_compromised_key_at_the_boundary_index(house, boundary):
    entries = enter_one_each(house)
    change(house, lambda r: people.compromised(r, "ana", boundary))
    refused = {e.path: "revoked-key" for i, e in enumerate(entries, 1) if i >= boundary}
    assert house.rules() == refused


def test_compromised_curators_key_at_the_boundary_index(house):
    entries = enter_one_each(house, 3)
    change(house, lambda r: people.compromised(r, "cleo", 2))
    assert house.rules() == {e.path: "revoked-key" for e in entries[1:]}


def test_departed_peoples_earlier_works_stand(house):
    enter_one_each(house, 2)
    change(house, lambda r: people.departed(r, "ana"))
    change(house, lambda r: people.departed(r, "cleo"))
    assert house.rules() == {}
    result = house.submit(tagged(make_midi(9)))
    assert result[0].rule == "expired-key"


def test_expired_key_at_the_boundary_index(house):
    """A work signed by an ended key is refused at the key's last index, not before it."""
    enter_one_each(house, 1)
    change(house, lambda r: people.departed(r, "cleo"))  # ends at index 2
    register = house.load()
    (key,) = register.roster.person("cleo").keys
    assert [key.refusal_at(i) for i in (1, 2, 3)] == [None, "expired-key", "expired-key"]
    entry = _entry_for(house, 5)
    with pytest.raises(RegisterError, match=r"may not sign here \(expired-key\)") as caught:
        _append_as(house, "cleo", entry, ADD)
    assert caught.value.rule == "bad-register"


def test_key_before_its_first_index(house):
    change(house, lambda r: people.enrolled(r, "eve", "Eve", ["curator"], key_of("eve").public))
    (key,) = house.load().roster.person("eve").keys
    assert [key.refusal_at(i) for i in (0, 1, 2)] == ["key-not-yet-valid", None, None]


def test_backdated_enrolment_even_by_the_root(house):
    enter_one_each(house, 2)
    with pytest.raises(RosterError, match="dated back to index 0"):
        change(house, _enrol_at_zero)


def _enrol_at_zero(register):
    roster = people.enrolled(register, "eve", "Eve", ["curator"], key_of("eve").public)
    eve = dataclasses.replace(roster.person("eve"), keys=(PersonKey(key_of("eve").public, 0),))
    others = tuple(p for p in roster.people if p.id != "eve")
    return dataclasses.replace(roster, people=(*others, eve))


def test_backdated_signing(house):
    """An act signed for an earlier index cannot stand at a later one, nor the other way."""
    enter_one_each(house, 2)
    entry = _entry_for(house, 5)
    for index in (1, 7):
        with pytest.raises(RegisterError, match=f"it says it is act {index}"):
            _append_as(house, "cleo", entry, ADD, index=index)
        house.house.register_log.head()


def _entry_for(house, seed):
    data = forged(make_midi(seed), "ana", "cleo")
    return entry_of(read_tag(data), data, house.load())


def _append_as(house, who, entry, kind, index=None):
    """Append as an attacker who holds `who`'s key and edits the files directly."""
    with house.house.writing() as session:
        at = session.register.size if index is None else index
        act = Act(at, kind, who, "2030-01-01T00:00:00Z", entry.to_dict(), house=LANTERN)
        act = act.signed_by([key_of(who)])
        log = house.house.register_log
        before = (log.path.read_bytes(), (log.files.root / log.head_place).read_bytes())
        log.append([act.encode()], lambda p: [sign(HEAD_TYPE, p, key_of(who))])
    try:
        house.load()
    finally:
        log.path.write_bytes(before[0])
        (log.files.root / log.head_place).write_bytes(before[1])


def test_composer_who_enters_their_own_work(house):
    entry = _entry_for(house, 5)
    with pytest.raises(RegisterError, match="'ana' is no curator"):
        _append_as(house, "ana", entry, ADD)


def test_stranger_who_appends(house):
    with pytest.raises(RegisterError, match="'mallory' is no curator"):
        _append_as(house, "mallory", _entry_for(house, 5), ADD)


def test_act_with_somebody_elses_signature(house):
    entry = _entry_for(house, 5)
    with house.house.writing() as session:
        at = session.register.size
        act = Act(at, ADD, "dana", "2030-01-01T00:00:00Z", entry.to_dict(), house=LANTERN)
        with pytest.raises(RegisterError, match="is not dana's"):
            session.register.replay(act.signed_by([key_of("cleo")]).encode())


def test_curator_who_tells_the_register_a_wider_consent(house):
    """The tag allows evaluation; a curator enters it as allowing everything."""
    data = forged(make_midi(5), "ana", "cleo", statement=_narrow(5))
    with house.house.writing() as session:
        entry = entry_of(read_tag(data), data, session.register)
        lie = dataclasses.replace(entry, consent=Consent.parse("general_model evaluation"))
        act = session.register.act(ADD, "cleo", lie.to_dict(), "2030-01-01T00:00:00Z")
        with pytest.raises(RegisterError, match="entered otherwise than its composer signed it"):
            session.commit([act.signed_by([key_of("cleo")])], key_of("cleo"), [data])


def _narrow(seed):
    return make_statement(make_midi(seed), consent="evaluation")


def test_compromised_works_count_again_when_renewed(house):
    (entry,) = house.enter(1)
    change(house, lambda r: people.compromised(r, "cleo", 0))
    assert house.rules() == {entry.path: "revoked-key"}
    renew(house.house, [entry.work], key_of("dana"))
    house.accept([entry.work], curator="dana")
    (work,) = house.admit().admitted
    assert (work.work_id, work.curator) == (entry.work, "dana")


def test_composers_compromised_key_is_renewed_by_the_composer(house):
    (entry,) = house.enter(1)
    change(house, lambda r: people.compromised(r, "ana", 1))
    with pytest.raises(HouseError, match="was compromised by then"):
        renew(house.house, [entry.work], key_of("cleo"))
    change(house, lambda r: people.with_new_key(r, "ana", key_of("ana 2").public))
    renew(house.house, [entry.work], key_of("ana 2"))
    house.accept([entry.work])
    assert len(house.admit().admitted) == 1


def test_old_copy_of_a_compromised_work_stays_refused(house):
    (entry,) = house.enter(1)
    old = house.path(entry).read_bytes()
    change(house, lambda r: people.compromised(r, "cleo", 0))
    renew(house.house, [entry.work], key_of("dana"))
    house.accept([entry.work], curator="dana")
    house.path(entry).write_bytes(old)
    assert house.rules() == {entry.path: "revoked-key"}


def test_threshold_not_reached(tmp_path):

    folder, roots = tmp_path / "house", [key_of("root"), key_of("root 2")]
    house = create_house(folder, "lantern", roots, pin_path=tmp_path / "p.yaml", threshold=2)
    with house.writing() as session:
        roster = people.enrolled(session.register, "ana", "Ana", ["composer"], key_of("ana").public)
        result = change_roster(session, roster, roots[:1])
        assert not result.is_entered
        assert session.house.load().roster.version == 1
        with pytest.raises(HouseError, match="no further root key"):
            people.cosign(session, roots[:1])
        done = people.cosign(session, roots[1:])
    assert done.is_entered
    assert done.house.load().roster.person("ana").name == "Ana"


@pytest.mark.parametrize("key_id", ["", key_of("root").keyid])
def test_planted_proposal_is_not_cosigned(tmp_path, key_id):
    """It says that it renews the roster, and would enroll a stranger."""
    roots = [key_of("root"), key_of("root 2")]
    house = create_house(
        tmp_path / "house", "lantern", roots, pin_path=tmp_path / "p.yaml", threshold=2
    )
    with house.writing() as session:
        said = people.renewed(session.register).change
        roster = people.enrolled(session.register, "eve", "Eve", ["curator"], key_of("eve").public)
        signatures = (Signature(key_id, bytes(64)),) if key_id else ()
        planted = SignedRoster(replace(roster, change=said), signatures)
        (house.folder / "proposal.json").write_bytes(canonical(planted.to_dict()) + b"\n")
        for holder in roots:
            with pytest.raises(HouseError, match="no root key of this house signed the proposal"):
                people.cosign(session, [holder])
    assert house.load().roster.version == 1


def test_cosigning_shows_what_changes_and_not_what_is_said_of_it(house):
    register = house.load()
    said = people.renewed(register, days=500)
    roster = people.enrolled(register, "eve", "Eve", ["curator"], key_of("eve").public)
    (line,) = people.differences(register.roster, replace(roster, change=said.change))
    assert line.startswith("person eve: null → ")
    assert key_of("eve").public.hex() in line
    (line,) = people.differences(register.roster, said)
    assert line.startswith("expires: ")
    (line,) = people.differences(register.roster, people.departed(register, "ana"))
    assert line.startswith("person ana: keys: ")
    root = people.with_root(register, [key_of("eve").public], 1)
    (line,) = people.differences(register.roster, root)
    assert line.startswith("root: keys: ")


def test_roster_signed_by_somebody_elses_root(house):
    with house.house.writing() as session:
        roster = people.enrolled(session.register, "eve", "Eve", ["curator"], key_of("eve").public)
        result = change_roster(session, roster, [key_of("mallory")])
    assert not result.is_entered
    plant(house, forged(make_midi(1), "ana", "eve"))
    assert house.rules() == {"ana/planted.mid": "unknown-key"}


def test_old_root_alone_after_the_root_was_replaced(house):
    """What the old root signs after its own replacement counts for nothing."""
    new = key_of("new root")
    change_with = [key_of("root"), new]
    with house.house.writing() as session:
        roster = people.with_root(session.register, [new.public], 1)
        result = change_roster(session, roster, change_with)
    assert result.is_entered
    house.house = result.house
    assert house.rules() == {}
    with house.house.writing() as session:
        roster = people.renewed(session.register)
        assert not change_roster(session, roster, [key_of("root")]).is_entered
        assert change_roster(session, roster, [new]).is_entered


def test_new_root_without_the_old(house):
    new = key_of("new root")
    with house.house.writing() as session:
        roster = people.with_root(session.register, [new.public], 1)
        assert not change_roster(session, roster, [new]).is_entered
        with pytest.raises(HouseError, match="no root key of this house signed the proposal"):
            people.cosign(session, [key_of("root")])
        assert not change_roster(session, roster, [key_of("root")]).is_entered
        done = people.cosign(session, [new])
    assert done.is_entered
    assert done.house.load().roster.root_keyids == {new.keyid}
