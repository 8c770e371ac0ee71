"""What an interrupted change leaves: readers read around it, the next writer finishes it."""

import os

import pytest

from gen.disk import UnfitFileError
from gen.errors import HouseError
from gen.provenance.admission.inbox import Contribution, submit
from gen.provenance.desk import people, works
from gen.provenance.houses import house as house_module
from gen.provenance.houses.house import House
from gen.provenance.houses.store import JOURNAL
from gen.provenance.records.statement import Statement
from gen.provenance.signing.canonical import sha256_hex
from houses import key_of, make_midi, make_statement, tagged

REPORT = b'{"verdict":"clear"}'


class PowerCut(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def interrupted(house, monkeypatch):
    """Does something to the house, and is cut off between the append and the renames."""

    def run(act):
        def cut(*_):
            raise PowerCut

        with monkeypatch.context() as patch:
            patch.setattr(house_module, "settle", cut)
            with pytest.raises(PowerCut):
                act()
        house.house = House(house.pin)
        return house

    return run


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def withdraw(house, entry):
    works.withdraw(house.house, [entry.work], key_of("ana"), "")


def enroll(house):
    with house.house.writing() as session:
        roster = people.enrolled(session.register, "fay", "Fay", ["composer"], key_of("fay").public)
        people.change_roster(session, roster, [house.root])


def submit_screened(house, seed):
    midi = make_midi(seed)
    data = tagged(midi, screening_sha256=sha256_hex(REPORT))
    (result,) = submit(house.house, [Contribution(data, REPORT)])
    assert not result.rule, result
    return result.work


def test_reader_reads_around_an_unfinished_entry_and_changes_nothing(house, interrupted, caplog):
    submit_screened(house, 1)
    interrupted(house.accept)
    before = contents(house.folder)
    corpus = house.admit().require_clean()
    assert len(corpus.admitted) == 1
    assert "interrupted in the middle of a change" in caplog.text
    assert contents(house.folder) == before


def test_writer_finishes_an_unfinished_entry(house, interrupted):
    work = submit_screened(house, 1)
    interrupted(house.accept)
    with house.house.writing():
        pass
    assert (house.folder / "ana" / f"{work}.mid").is_file()
    assert (house.folder / "screening" / f"{work}.json").read_bytes() == REPORT
    assert os.listdir(house.folder / "inbox") == []
    assert not (house.folder / JOURNAL).exists()


def test_unfinished_withdrawal_is_no_refused_file_and_the_writer_takes_it_out(house, interrupted):
    entry, kept = house.enter(1, 2)
    interrupted(lambda: withdraw(house, entry))
    corpus = house.admit().require_clean()
    assert [work.work_id for work in corpus.admitted] == [kept.work]
    with house.house.writing():
        pass
    assert not house.path(entry).exists()
    assert (house.folder / "withdrawn" / f"{entry.work}.mid").is_file()


def test_withdrawn_work_that_was_changed_in_its_place_is_refused_also_meanwhile(house, interrupted):
    (entry,) = house.enter(1)
    interrupted(lambda: withdraw(house, entry))
    house.path(entry).write_bytes(house.path(entry).read_bytes() + b" ")
    assert house.rules() == {entry.path: "trailing-bytes"}


def test_unfinished_roster_change_is_read_from_the_register_and_then_written(house, interrupted):
    interrupted(lambda: enroll(house))
    assert house.load().roster.person("fay")
    assert b"fay" not in (house.folder / "roster.json").read_bytes()
    with house.house.writing():
        assert b"fay" in (house.folder / "roster.json").read_bytes()


def test_files_of_an_append_that_never_happened_are_forgotten(house):
    house.enter(1)
    (house.folder / JOURNAL).mkdir()
    data = tagged(make_midi(2))
    (house.folder / JOURNAL / sha256_hex(data)).write_bytes(data)
    (house.folder / JOURNAL / "plan.json").write_bytes(b'{"moves":[["roster.json","x"]]}')
    assert len(house.admit().require_clean().admitted) == 1
    with house.house.writing() as session:
        assert session.register.size == 2
    assert not (house.folder / JOURNAL).exists()
    assert len(house.admit().require_clean().admitted) == 1


def test_another_contribution_under_the_name_stays_in_the_inbox(house, interrupted):
    work = submit_screened(house, 1)
    interrupted(house.accept)
    other = Statement(**{**_values(make_statement(make_midi(3))), "work": work})
    from gen.provenance.records.tag import sign_contribution

    data = sign_contribution(make_midi(3), other, key_of("ana"))
    (house.folder / "inbox" / f"{work}.mid").write_bytes(data)
    with house.house.writing():
        pass
    assert (house.folder / "inbox" / f"{work}.mid").read_bytes() == data


def _values(statement):
    return {name: getattr(statement, name) for name in type(statement).__slots__}


def test_accepting_follows_no_link(house, tmp_path):
    house.submit(tagged(make_midi(1)))
    (tmp_path / "elsewhere").mkdir()
    (house.folder / "ana").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(UnfitFileError, match="the folder 'ana' is a symbolic link"):
        house.accept()
    assert not list((tmp_path / "elsewhere").iterdir())
    assert house.load().size == 1
    (house.folder / "ana").unlink()
    house.accept()
    assert len(house.admit().admitted) == 1


def test_unreadable_roster_file_is_named_and_mended(house):
    for text in (b"", b"\xff", b'{"a":1,"a":2}', b"[" * 200_000):
        (house.folder / "roster.json").write_bytes(text)
        with pytest.raises(HouseError, match=r"roster\.json cannot be read"):
            house.load()
    (house.folder / "roster.json").unlink()
    with pytest.raises(HouseError, match=r"roster\.json is gone"):
        house.load()
    house.house.repair_roster_file()
    assert house.load().size == 1


def test_leftovers_of_killed_commands_go_with_the_next_one_that_writes(house):
    house.submit(tagged(make_midi(1)))
    left = [
        house.folder / "inbox" / ".rain-00000000.mid.123.new",
        house.folder / ".roster.json.77.new",
        house.folder / ".register.head.json.5.new",
    ]
    for path in left:
        path.write_bytes(b"half")
    house.load()
    assert all(path.exists() for path in left)
    house.accept()
    assert not [path for path in left if path.exists()]


def test_house_without_its_pin_file_still_opens_and_changes(house):
    import_free = House(type(house.pin)(**{**_values(house.pin), "path": None}))
    house.house = import_free
    house.enter(1)
    assert house.pin.min_size == 2
