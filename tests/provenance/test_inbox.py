import pytest

from gen.errors import HouseError, SettingError
from gen.provenance.admission.inbox import Contribution, look_at_all, submit
from gen.provenance.desk.works import reject, renew
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import sha256_hex
from houses import key_of, make_midi, make_statement, tagged


def test_one_bad_contribution_never_stops_the_rest(house):
    good, bad = tagged(make_midi(1)), tagged(make_midi(2))[:-1]
    results = house.submit(bad, good, make_midi(3), b"", tagged(make_midi(4), "ben"))
    rules = [r.rule for r in results]
    assert rules == ["trailing-bytes", "", "untagged", "malformed-midi", ""]
    assert all(r.found and r.mend for r in results if r.rule)
    assert len(house.accept().entered) == 2


def test_contribution_again_replaces_what_waits(house):
    midi = make_midi(1)
    work = make_statement(midi).work
    house.submit(tagged(midi))
    house.submit(tagged(midi, title="A Better Name", work=work))
    (entry,) = house.accept().entered
    assert entry.title == "A Better Name"


def test_another_work_under_a_waiting_id_is_refused(house):
    house.submit(tagged(make_midi(1), work="rain"))
    (result,) = house.submit(tagged(make_midi(2), work="rain"))
    assert (result.rule, result.mend) == ("id-taken", "give this one another id")


def test_rubbish_in_the_inbox_does_not_hold_an_id(house):
    (house.folder / "inbox").mkdir()
    (house.folder / "inbox" / "rain.mid").write_bytes(b"rubbish")
    (result,) = house.submit(tagged(make_midi(1), work="rain"))
    assert result.rule == ""


def test_work_the_house_has_is_a_duplicate(house):
    house.enter(1)
    (result,) = house.submit(tagged(make_midi(1), title="Another"))
    assert (result.rule, "already in the house as" in result.found) == ("duplicate", True)


def test_same_music_twice_in_the_inbox_enters_once(house):
    house.submit(tagged(make_midi(1), work="one"), tagged(make_midi(1), work="two"))
    result = house.accept()
    assert [entry.work for entry in result.entered] == ["one"]
    assert [(item.work, item.rule) for item in result.refused] == [("two", "duplicate")]


def test_composer_outside_the_house_is_refused(house):
    midi = make_midi(1)
    (result,) = house.submit(tagged(midi, composers=(("ana", 50), ("zoe", 50))))
    assert (result.rule, result.found) == ("wrong-role", "no composer of this house: zoe")
    (result,) = house.submit(tagged(midi, "mallory"))
    assert result.rule == "unknown-key"


def test_screening_report_goes_with_the_work(house):
    report = b'{"nearest":[]}'
    midi = make_midi(1)
    data = tagged(midi, screening_sha256=sha256_hex(report))
    assert submit(house.house, [Contribution(data)])[0].rule == "screening-mismatch"
    assert submit(house.house, [Contribution(data, report)])[0].rule == ""
    (entry,) = house.accept().entered
    assert (house.folder / "screening" / f"{entry.work}.json").read_bytes() == report
    assert not list((house.folder / "inbox").iterdir())


def test_exchanged_screening_report_is_noticed(house):
    report = b'{"nearest":[]}'
    data = tagged(make_midi(1), screening_sha256=sha256_hex(report))
    (result,) = submit(house.house, [Contribution(data, report)])
    result.path.with_suffix(".screening.json").write_bytes(b"{}")
    assert [item.rule for item in house.accept().refused] == ["screening-mismatch"]
    result.path.with_suffix(".screening.json").unlink()
    assert [item.rule for item in house.accept().refused] == ["screening-mismatch"]


def test_every_problem_in_the_inbox_is_shown(house):
    inbox = house.folder / "inbox"
    inbox.mkdir()
    midi = make_midi(1)
    lie = make_statement(midi, musical_hash=make_statement(make_midi(2)).musical_hash, work="lie")
    from gen.provenance.records.tag import sign_contribution

    (inbox / "lie.mid").write_bytes(sign_contribution(midi, lie, key_of("ana")))
    (inbox / "moved.mid").write_bytes(tagged(midi, work="home"))
    (inbox / "Bad Name.mid").write_bytes(tagged(midi))
    (inbox / "folder.mid").mkdir()
    (inbox / "broken.mid").write_bytes(midi[:40])
    found = {item.work: item.rule for item in look_at_all(house.house, house.load())}
    assert found == {
        "Bad Name": "bad-name",
        "broken": "malformed-midi",
        "folder": "not-a-file",
        "lie": "musical-hash-mismatch",
        "moved": "wrong-place",
    }


def test_curator_who_is_a_composer_of_it_cannot_accept(tmp_path):
    from gen.provenance.records.roster import Person, PersonKey
    from houses import start_house

    people = [
        Person("ana", "Ana", ("composer", "curator"), (PersonKey(key_of("ana").public, 0),)),
        Person("ben", "Ben", ("composer", "curator"), (PersonKey(key_of("ben").public, 0),)),
    ]
    house = start_house(tmp_path / "house", people=people)
    house.submit(tagged(make_midi(1), composers=(("ana", 90), ("ben", 10))))
    assert [item.rule for item in house.accept(curator="ben").refused] == ["same-person"]


@pytest.mark.parametrize("who", ["ana", "mallory"])
def test_only_curators_accept(house, who):
    house.submit(tagged(make_midi(1)))
    with pytest.raises(HouseError, match=r"ana is no curator|may not sign here \(unknown-key\)"):
        house.accept(curator=who)


def test_rejected_work_leaves_the_inbox_with_its_report(house):
    report = b"{}"
    data = tagged(make_midi(1), screening_sha256=sha256_hex(report))
    (result,) = submit(house.house, [Contribution(data, report)])
    assert reject(house.house, [result.work], key_of("cleo"), "too short") == [result.work]
    assert not list((house.folder / "inbox").iterdir())
    with pytest.raises(SettingError, match="not in the inbox"):
        reject(house.house, [result.work], key_of("cleo"), "again")


def test_sound_works_need_no_renewal(house):
    (entry,) = house.enter(1)
    with pytest.raises(SettingError, match="needs no renewal"):
        renew(house.house, [entry.work], key_of("ana"))


def test_accepted_file_is_the_contributed_one_with_a_second_signature(house):
    data = tagged(make_midi(1))
    house.submit(data)
    (entry,) = house.accept().entered
    kept = read_tag(house.path(entry).read_bytes())
    assert kept.uncountersigned() == data
