"""Reading on from where one stood: a register, a log, a long inbox, part by part."""

from __future__ import annotations

import pytest

from gen.provenance.desk import works
from gen.provenance.desk.works import accept_in_turn
from gen.provenance.history.log import LogError
from gen.provenance.history.record import RegisterError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.pin import PinError, load_pin
from houses import key_of, make_midi, tagged


def told(register: Register) -> tuple[object, ...]:
    """Everything a register says."""
    records = {
        work: (record.entry, record.index, record.withdrawn_at, str(register.consent_of(record)))
        for work, record in register.works.items()
    }
    return register.size, register.head, register.roster, records


def test_a_register_that_goes_on_says_what_one_read_anew_says(house) -> None:
    kept = house.house.load()
    for seed in range(5):
        (entry,) = house.enter(seed)
        if seed % 2:
            house.house = works.withdraw(house.house, [entry.work], key_of("ana"), "a wish")
        assert house.house.load(since=kept) is kept
        assert told(kept) == told(house.house.load())


def test_going_on_reads_no_line_twice(house, monkeypatch) -> None:
    house.enter(1, 2)
    kept, taken = house.house.load(), []
    replay = Register.replay
    monkeypatch.setattr(Register, "replay", lambda self, x: taken.append(x) or replay(self, x))
    house.house.load(since=kept)
    assert taken == []
    house.enter(3)
    taken.clear()
    house.house.load(since=kept)
    assert len(taken) == 1


def test_going_on_notices_a_changed_line(house) -> None:
    start = house.house
    house.enter(1)
    kept = start.load()
    house.enter(2)
    path = house.folder / "register.jsonl"
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    with pytest.raises(RegisterError, match="the signature of cleo does not verify"):
        start.load(since=kept)


def test_going_on_notices_that_an_older_register_was_put_back(house) -> None:
    start = house.house
    house.enter(1)
    names = ("register.jsonl", "register.head.json")
    older = {name: (house.folder / name).read_bytes() for name in names}
    house.enter(2)
    kept = start.load()
    for name, data in older.items():
        (house.folder / name).write_bytes(data)
    assert start.load().size == 2  # all that the old pin knows is that one act was there
    with pytest.raises(LogError):
        start.load(since=kept)


def test_a_pin_that_went_another_way_is_not_gone_on_from(house) -> None:
    house.enter(1)
    kept = house.house.load()
    house.enter(2)
    house.house.load(since=kept)
    other = load_pin(house.pin.path).advanced(kept.roster, 2, "ab" * 32)
    with pytest.raises(PinError, match="first 2 acts hash to"):
        House(other).load(since=kept)


def test_outputs_entered_meanwhile_are_known_after_going_on(house) -> None:
    house.log_output(f"{1:064x}", receipt=f"{1:064x}")
    kept = house.house.load()
    assert not kept.wrote(f"{2:064x}")
    house.log_output(f"{2:064x}", receipt=f"{2:064x}")
    house.house.load(since=kept)
    assert kept.wrote(f"{2:064x}")


def test_a_long_inbox_is_accepted_part_by_part_beside_others(house, monkeypatch) -> None:
    monkeypatch.setattr(works, "_BATCH", 2)
    names = [result.work for result in house.submit(*(tagged(make_midi(s)) for s in range(7)))]
    later = sorted(names)[5:]
    parts = []
    for part in accept_in_turn(house.house, None, key_of("cleo")):
        if not parts:  # another curator, between two parts
            works.accept(House(load_pin(house.pin.path)), [later[0]], key_of("dana"))
            works.reject(House(load_pin(house.pin.path)), [later[1]], key_of("dana"), "no")
        parts.append(len(part.entered))
        assert {e.work for e in part.entered} <= house.house.load().works.keys()
        assert not part.refused
    assert parts == [2, 2, 1, 0]
    house.house = part.house
    assert house.pin.min_size == house.load().size == 1 + 6
    assert len(house.admit().admitted) == 6


def test_the_same_music_twice_in_two_parts_is_entered_once(house, monkeypatch) -> None:
    monkeypatch.setattr(works, "_BATCH", 1)
    house.submit(tagged(make_midi(1), work="one"))
    twin = tagged(make_midi(1), work="two")
    (house.folder / "inbox" / "two.mid").write_bytes(twin)
    done = house.accept()
    assert [entry.work for entry in done.entered] == ["one"]
    assert [item.rule for item in done.refused] == ["duplicate"]
