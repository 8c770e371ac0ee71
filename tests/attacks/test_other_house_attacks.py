"""What somebody signs for one house, carried into another in which the same key is enrolled."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import pytest
from test_key_attacks import change

from gen.errors import HouseError
from gen.provenance.desk import people
from gen.provenance.desk.works import entry_of, set_consent, withdraw
from gen.provenance.history.log import HEAD_TYPE
from gen.provenance.houses import founding
from gen.provenance.houses.house import House
from gen.provenance.records.acts import ADD, Act
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.dsse import sign
from houses import LANTERN, TestHouse, key_of, make_midi, start_house, tagged

ELSEWHERE = {"another name": ("harbour", "root"), "the same name": ("lantern", "mallory")}
"""Houses of an attacker's in which the same people are enrolled with the same keys: name, root."""


@pytest.fixture(params=ELSEWHERE)
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> TestHouse:
    name, root = ELSEWHERE[request.param]
    return start_house(tmp_path / "elsewhere" / "house", name, root=root)


def line_of(house: TestHouse, index: int) -> bytes:
    return house.house.register_log.path.read_bytes().splitlines()[index]


def carry(line: bytes, house: TestHouse) -> None:
    """Into the log of the house, under a head that ben, one of its composers, signs."""
    house.house.register_log.append([line], lambda p: [sign(HEAD_TYPE, p, key_of("ben"))])


def consent(house: TestHouse, work: str) -> None:
    allowed = Consent.parse("general_model")
    house.house = set_consent(house.house, [work], allowed, key_of("ana"))


def take_out(house: TestHouse, work: str) -> None:
    house.house = withdraw(house.house, [work], key_of("ana"), "a wish")


def by_the_root(house: TestHouse, work: str) -> None:
    house.house = withdraw(house.house, [work], house.root, "a wish")


def run(house: TestHouse, work: str) -> None:
    house.log_run([work], [])


def refusals(house, *commands: str) -> list[str]:
    found = []
    for command in commands:
        code, said = house._run("house", command)
        assert code == 2, command
        found.append(said["error"]["what"])
    return found


@pytest.mark.parametrize("act", [consent, take_out, run])
def test_act_signed_for_another_house_is_refused_by_whoever_reads(house, elsewhere, act):
    (entry,) = house.enter(1, consent="evaluation")
    elsewhere.enter(1)
    act(elsewhere, entry.work)
    pin = house.pin.path.read_bytes()
    carry(line_of(elsewhere, 2), house)
    for said in refusals(house, "show", "verify", "audit", "log"):
        assert "act 2 is refused: it was signed for the house" in said
        assert said.endswith(f"not for {LANTERN}")
    assert "it was signed for the house" in house.refuse_training()
    assert house.pin.path.read_bytes() == pin


def test_withdrawal_by_a_root_that_two_houses_share(house, tmp_path):
    (entry,) = house.enter(1)
    elsewhere = start_house(tmp_path / "elsewhere" / "house", "harbour")
    elsewhere.enter(1)
    by_the_root(elsewhere, entry.work)
    carry(line_of(elsewhere, 2), house)
    (said,) = refusals(house, "show")
    assert "it was signed for the house 'harbour/" in said


def test_work_signed_for_another_house_is_not_accepted(house, elsewhere):
    """A file as ana contributed it elsewhere lies in the inbox of a house she did not give it."""
    (waiting,) = elsewhere.submit(tagged(make_midi(1), house=elsewhere.load().roster.identity))
    (result,) = house.submit(waiting.path.read_bytes())
    assert result.rule == "wrong-house"
    (house.folder / "inbox").mkdir()
    (house.folder / "inbox" / waiting.path.name).write_bytes(waiting.path.read_bytes())
    code, said = house._run("house", "accept", waiting.work, "--curator", "cleo")
    assert (code, said["refused"][0]["rule"]) == (2, "wrong-house")
    assert house.rules() == {}


@pytest.mark.parametrize("named", ["another house", "no house"])
def test_curator_enters_a_work_that_was_not_signed_for_this_house(house, elsewhere, named):
    identity = elsewhere.load().roster.identity if named == "another house" else ""
    tag = read_tag(tagged(make_midi(1), house=identity))
    data, register = tag.countersigned(key_of("cleo")), house.load()
    entry = entry_of(read_tag(data), data, register)
    act = register.act(ADD, "cleo", entry.to_dict(), "2027-01-01T00:00:00Z")
    carry(act.signed_by([key_of("cleo")]).encode(), house)
    (said,) = refusals(house, "show")
    assert f"{entry.work} was signed for {'the house' if identity else 'no house'}" in said


def test_name_of_the_house_put_in_or_taken_out_breaks_the_signature(house, elsewhere):
    (entry,) = house.enter(1, consent="evaluation")
    elsewhere.enter(1)
    consent(elsewhere, entry.work)
    act = Act.decode(line_of(elsewhere, 2))
    for house_named in (LANTERN, ""):
        line = dataclasses.replace(act, house=house_named).encode()
        with pytest.raises(HouseError, match=r"does not verify|without naming its house"):
            house.load().replay(line)


@pytest.mark.parametrize("identity", ["", "harbour/" + "0" * 64])
def test_roster_never_gives_up_its_house(house, identity):
    def changed(register):
        return dataclasses.replace(people.renewed(register), identity=identity)

    with pytest.raises(HouseError, match="another house"):
        change(house, changed)


# -- houses from before -------------------------------------------------------------------------


@pytest.fixture
def from_before(tmp_path, monkeypatch):
    """Starts houses whose rosters have no identity, as all were once."""

    def start(place: str, name: str = "lantern") -> TestHouse:
        with monkeypatch.context() as patched:
            patched.setattr(founding, "identity_of", lambda *_: "")
            return start_house(tmp_path / place / "house", name)

    return start


def renewed(house: TestHouse) -> TestHouse:
    change(house, people.renewed)
    return TestHouse(House(load_pin(house.pin.path)))


def test_house_from_before_names_no_house_and_goes_on(from_before):
    house = from_before("old")
    (entry,) = house.enter(1)
    consent(house, entry.work)
    assert [Act.decode(line_of(house, index)).house for index in range(3)] == ["", "", ""]
    assert len(house.admit().admitted) == 1


def test_renewal_binds_a_house_from_before_from_then_on(from_before):
    house = from_before("old")
    (entry,) = house.enter(1)
    house = renewed(house)
    roster = house.load().roster
    assert roster.identity == LANTERN
    assert roster.change.endswith("acts and works name their house from here on")
    consent(house, entry.work)
    house.enter(2)
    found = [Act.decode(line_of(house, index)).house for index in range(5)]
    assert found == ["", "", "", LANTERN, LANTERN]
    assert len(house.admit().admitted) == 2
    assert not house.rules()
    assert all(is_good for _, is_good, _ in alone_says(house))


def test_after_the_renewal_no_act_is_carried_over(from_before):
    """Before it one was: nothing in its signature was against it."""
    house, elsewhere = from_before("old"), from_before("elsewhere", "harbour")
    (entry,) = house.enter(1, consent="evaluation")
    elsewhere.enter(1, 2)
    consent(elsewhere, entry.work)
    house = renewed(house)
    carry(line_of(elsewhere, 3), house)
    with pytest.raises(HouseError, match=r"act 3 is refused: it was signed without naming its"):
        house.load()
    assert not all(is_good for _, is_good, _ in alone_says(house))


def test_work_that_waited_through_the_renewal_is_signed_again(from_before):
    house = from_before("old")
    house.submit(tagged(make_midi(1), house=""))
    house = renewed(house)
    (refused,) = house.accept().refused
    assert refused.rule == "wrong-house"
    assert "contributes it for this house" in refused.mend
    assert not house.submit(tagged(make_midi(1)))[0].rule
    assert not house.accept().refused


# -- a reader with none of this software -----------------------------------------------------------


def alone_says(house: TestHouse) -> list[tuple[str, bool, str]]:
    script = Path(__file__).parents[2] / "scripts" / "verify_alone.py"
    spec = importlib.util.spec_from_file_location("verify_alone", script)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.verdicts(house.folder, house.pin.path))


@pytest.mark.parametrize("act", [consent, take_out, run])
def test_independent_reader_refuses_what_was_signed_for_another_house(house, elsewhere, act):
    (entry,) = house.enter(1, consent="evaluation")
    assert all(is_good for _, is_good, _ in alone_says(house))
    elsewhere.enter(1)
    act(elsewhere, entry.work)
    carry(line_of(elsewhere, 2), house)
    (said,) = alone_says(house)
    assert said == ("records", False, "act 2: signed for another house, or for none")
