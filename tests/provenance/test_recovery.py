"""The journal: what an interrupted change leaves, and what a forged one may not do."""

import json

import pytest

from gen.errors import HouseError
from gen.provenance.house import JOURNAL
from gen.provenance.log import LogError
from houses import make_midi, tagged


def write_plan(house, moves=(), removes=(), size=1, leaf="00" * 32):
    folder = house.folder / JOURNAL
    folder.mkdir(exist_ok=True)
    plan = {"leaf": leaf, "moves": list(moves), "removes": list(removes), "size": size}
    (folder / "plan.json").write_text(json.dumps(plan))


@pytest.mark.parametrize("place", ["../outside", "/etc/x", "a\\..\\b", "C:x", "a/../../b"])
def test_plan_never_reaches_outside_the_house(house, place):
    for moves, removes in (([["roster.json", place]], []), ([], [place])):
        write_plan(house, moves, removes)
        with pytest.raises(LogError, match="outside the house"):
            house.load()


def test_plan_of_an_append_that_never_happened_is_forgotten(house):
    house.enter(1)
    for size, leaf in ((9, "00" * 32), (2, "00" * 32)):
        write_plan(house, [["roster.json", "gone.json"]], ["register.jsonl"], size, leaf)
        assert house.load().size == 2
        assert not (house.folder / JOURNAL).exists()


def test_plan_follows_no_link(house, tmp_path):
    house.submit(tagged(make_midi(1)))
    (tmp_path / "elsewhere").mkdir()
    (house.folder / "ana").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(HouseError, match="a folder of the house is a symbolic link"):
        house.accept()
    assert not list((tmp_path / "elsewhere").iterdir())
    (house.folder / "ana").unlink()
    assert len(house.admit().admitted) == 1


def test_unreadable_roster_file_is_named_and_mended(house):
    for text in (b"", b"\xff", b'{"a":1,"a":2}'):
        (house.folder / "roster.json").write_bytes(text)
        with pytest.raises(HouseError, match=r"roster\.json cannot be read"):
            house.load()
    house.house.repair_roster_file()
    assert house.load().size == 1


def test_house_without_its_pin_file_still_opens_and_changes(house):
    from gen.provenance.house import House

    import_free = House(type(house.pin)(**{**_fields(house.pin), "path": None}))
    house.house = import_free
    house.enter(1)
    assert house.pin.min_size == 2


def _fields(pin):
    return {name: getattr(pin, name) for name in type(pin).__slots__}
