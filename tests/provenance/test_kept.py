"""What is kept between commands saves reading, and never changes what a command says."""

import dataclasses
import os

import pytest

from gen.errors import HouseError
from gen.provenance.desk.people import change_roster, compromised
from gen.provenance.desk.works import renew, set_consent, withdraw
from gen.provenance.history.register import Register
from gen.provenance.houses import kept
from gen.provenance.houses.house import House
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from houses import key_of, start_house


@pytest.fixture(autouse=True)
def keeping(own_keys, monkeypatch):
    """Keep from the first act on."""
    monkeypatch.setattr(kept, "_LEAST_ACTS", 1)
    monkeypatch.setattr(kept, "_SHARE", 10**9)


@pytest.fixture
def replayed(monkeypatch):
    """The lines that loading replays."""
    lines, replay = [], Register.replay

    def counted(self, line):
        lines.append(line)
        return replay(self, line)

    monkeypatch.setattr(Register, "replay", counted)
    return lines


def place_of(house):
    return kept.KeptRegister(house.house.register_log, house.pin)._file.path


def forget(house):
    place_of(house).unlink()


def lived_in(house):
    """A house with an act of every kind that works, runs and pieces have."""
    first, second, third = house.enter(1, 2, 3)
    house.log_output("0d" * 32)
    house.house = set_consent(house.house, [second.work], Consent.parse("nothing"), key_of("ana"))
    house.house = withdraw(house.house, [third.work], key_of("ana"), "a test")
    with house.house.writing() as session:
        roster = compromised(session.register, "cleo", first_index(session.register, first))
        change_roster(session, roster, [key_of("root")])
    house.house = House(load_pin(house.pin.path))
    renew(house.house, [first.work], key_of("dana"))
    house.accept([first.work], curator="dana")
    return house


def first_index(register, entry):
    return register.works[entry.work].index


def state_of(register):
    found = {name: value for name, value in vars(register).items() if name != "pinned"}
    return {**found, "works": list(register.works.items())}


def test_what_is_kept_is_the_whole_register(house, replayed):
    lived_in(house)
    forget(house)
    anew = house.house.load()
    replayed.clear()
    again = house.house.load()
    assert not replayed
    assert state_of(again) == state_of(anew)
    (run,) = again.runs.of_file("c0" * 32)
    assert run is again.runs.by_index[again.runs.pieces[0].run]


def test_only_what_came_since_is_replayed(house, replayed):
    house.enter(1, 2)
    house.load()
    before = house.load().size
    replayed.clear()
    entry = house.enter(3)[0]
    replayed.clear()
    register = house.load()
    assert len(replayed) == register.size - before == 1
    assert entry.work in register.works


def test_a_small_house_keeps_nothing(house, monkeypatch):
    monkeypatch.setattr(kept, "_LEAST_ACTS", 256)
    house.enter(1)
    house.load()
    assert not place_of(house).exists()


def test_who_can_keep_no_secret_reads_the_log(house, monkeypatch, replayed):
    house.enter(1)
    house.load()
    monkeypatch.setattr("gen.disk.sealed.user_secret", lambda: b"")
    replayed.clear()
    assert house.load().size == len(replayed)


@pytest.mark.parametrize("place", [0, 40, -1])
def test_one_changed_bit_is_not_believed(house, place, replayed):
    house.enter(1)
    house.load()
    path = place_of(house)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    replayed.clear()
    assert house.load().size == len(replayed) == 2


def test_what_another_user_sealed_is_not_believed(house, replayed, tmp_path, monkeypatch):
    entry = house.enter(1)[0]
    poisoned = house.load()
    poisoned.works[entry.work] = dataclasses.replace(poisoned.works[entry.work], withdrawn_at=1)
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "theirs")
    kept.KeptRegister(house.house.register_log, house.pin).save(poisoned, poisoned.size)
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "mine")
    assert house.load().works[entry.work].withdrawn_at is None


def test_what_other_code_sealed_is_not_believed(house, replayed, monkeypatch):
    house.enter(1)
    house.load()
    monkeypatch.setattr("gen.provenance.houses.kept.source_digest", lambda room: "other")
    replayed.clear()
    assert house.load().size == len(replayed)


def test_another_houses_is_not_believed(house, tmp_path, replayed):
    other = start_house(tmp_path / "elsewhere" / "house")
    other.enter(1)
    other.load()
    house.enter(2)
    house.load()
    place_of(house).write_bytes(place_of(other).read_bytes())
    replayed.clear()
    assert house.load().size == len(replayed)


def test_an_older_one_takes_in_what_came_since(house):
    entry = house.enter(1)[0]
    house.load()
    older = place_of(house).read_bytes()
    house.house = withdraw(house.house, [entry.work], key_of("ana"), "a test")
    house.load()
    place_of(house).write_bytes(older)
    assert house.load().works[entry.work].withdrawn_at == 2


def test_a_line_changed_under_what_is_kept_is_noticed(house):
    house.enter(1, 2)
    house.load()
    path = house.house.register_log.path
    path.write_bytes(path.read_bytes().replace(b"small-rain", b"small-ruin", 1))
    with pytest.raises(HouseError, match="hash to"):
        house.load()


def test_an_older_log_is_judged_by_the_pin_alone(house, replayed):
    house.enter(1)
    log, pin = house.house.register_log, load_pin(house.pin.path)
    older = log.path.read_bytes(), (log.files.root / log.head_place).read_bytes()
    house.enter(2)
    house.load()
    log.path.write_bytes(older[0])
    (log.files.root / log.head_place).write_bytes(older[1])
    with pytest.raises(HouseError, match="the pin has seen 3"):
        house.load()
    assert House(pin).load().size == 2


def test_acts_taken_on_one_pins_word_are_verified_under_an_older_pin(house, replayed):
    first = load_pin(house.pin.path)
    house.enter(1, 2)
    forget(house)
    assert house.load().trusted_size == 3
    replayed.clear()
    assert House(first).load().trusted_size == first.min_size == 1
    assert len(replayed) == 3


def test_a_full_reading_takes_nothing_on_a_pins_word_and_is_gone_on_from(house, replayed):
    house.enter(1, 2)
    forget(house)
    house.load()
    replayed.clear()
    assert house.house.load(full=True).trusted_size == 0
    assert len(replayed) == 3
    replayed.clear()
    assert house.house.load(full=True).trusted_size == 0
    assert not replayed
    assert house.house.load(anew=True).trusted_size == 0
    assert len(replayed) == 3


@pytest.mark.parametrize("change", [{"root_hash": "0" * 64}, {"root_keys": ("0" * 64,)}])
def test_another_pin_is_held_against_what_is_kept(house, change):
    house.enter(1, 2)
    house.load()
    for size in (2, 3):
        root = house.load().root_at(size)
        pin = dataclasses.replace(house.pin, min_size=size, root_hash=root)
        assert House(pin).load().size == 3
        with pytest.raises(HouseError):
            House(dataclasses.replace(pin, **change)).load()


def test_a_cache_that_cannot_be_written_is_no_loss(house, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path / "file"))
    house.enter(1)
    assert house.load().size == 2
