"""Works behind a checkpoint are read once, kept sealed, and missed out loud."""

from __future__ import annotations

import shutil

import pytest

from gen.data.cache import CACHE_VARIABLE
from gen.errors import HouseError
from gen.likeness.voices import voices_of
from gen.provenance.desk.works import withdraw
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.acts import Entry
from gen.sampling.opening import works
from gen.sampling.opening.works import LinesCache, learned_music
from houses import TestHouse, key_of, make_midi, make_piece, tagged


def manifest_of(house: TestHouse) -> Manifest:
    return Manifest.of(house.admit())


def enter(house: TestHouse, seed: int, composer: str = "ana", **changes: object) -> Entry:
    """Contribute and accept a work of twelve bars."""
    (handed_in,) = house.submit(tagged(make_midi(seed, 12), composer, **changes))
    (entry,) = house.accept([handed_in.work]).entered
    return entry


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Ids of the works whose files were opened."""
    opened: list[str] = []
    real = works.kept_work

    def counted(house, record):
        opened.append(record.entry.work)
        return real(house, record)

    monkeypatch.setattr(works, "kept_work", counted)
    return opened


def test_works_are_known_by_title_and_composers_names(house):
    enter(house, 1, "ana", title="Small Rain")
    enter(house, 2, "ben", title="Long Road")
    found = learned_music(house.house, manifest_of(house))
    assert {(w.title, w.composers) for w in found.works} == {
        ("Small Rain", (("ana", "Ana"),)), ("Long Road", (("ben", "Ben"),)),
    }  # fmt: skip
    assert (found.learned_from, found.missing, found.withdrawn) == (2, (), ())
    copied = found.compare(make_piece(2, 12))
    assert (copied.nearest.title, copied.share) == ("Long Road", 1)
    assert not found.compare(make_piece(99, 12)).above


def test_a_second_look_opens_no_file_and_finds_the_same(house, read):
    house.enter(1, 2, 3)
    manifest = manifest_of(house)
    first = learned_music(house.house, manifest)
    assert len(read) == 3
    again = learned_music(house.house, manifest)
    assert len(read) == 3
    assert again.lines == first.lines
    assert again.compare(make_piece(2)) == first.compare(make_piece(2))


def test_a_house_that_grew_has_its_new_works_opened_alone(house, read):
    house.enter(1, 2)
    learned_music(house.house, manifest_of(house))
    read.clear()
    (entry,) = house.enter(3)
    found = learned_music(house.house, manifest_of(house))
    assert read == [entry.work]
    assert len(found.works) == 3


def test_a_cache_that_was_tampered_with_is_built_again(house, read):
    house.enter(1, 2)
    manifest = manifest_of(house)
    first = learned_music(house.house, manifest)
    for path in [p for p in LinesCache.of_user().folder.rglob("*") if p.is_file()]:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    read.clear()
    found = learned_music(house.house, manifest)
    assert len(read) == 2
    assert found.compare(make_piece(2)) == first.compare(make_piece(2))


def test_a_work_withdrawn_since_is_still_compared_with_while_its_file_is_kept(house):
    first, second = enter(house, 1), enter(house, 2)
    manifest = manifest_of(house)
    house.house = withdraw(house.house, [second.work], key_of("ana"), "sold")
    found = learned_music(house.house, manifest)
    assert found.withdrawn == (second.work,)
    assert found.missing == ()
    assert found.compare(make_piece(2, 12)).nearest.work == second.work
    assert {work.work for work in found.works} == {first.work, second.work}


def test_works_that_are_gone_are_named_with_the_reason(house, monkeypatch):
    first, second, third = house.enter(1, 2, 3)
    manifest = manifest_of(house)
    monkeypatch.setenv(CACHE_VARIABLE, "off")
    house.path(second).unlink()
    house.path(third).write_bytes(house.path(first).read_bytes())
    found = learned_music(house.house, manifest)
    reasons = dict(found.missing)
    assert set(reasons) == {second.work, third.work}
    assert "is gone" in reasons[second.work]
    assert "not those the register names" in reasons[third.work]
    assert found.to_dict()["learned_from"] == 3
    assert len(found.works) == 1


def test_without_a_single_work_nothing_is_called_original(house, monkeypatch):
    (entry,) = house.enter(1)
    manifest = manifest_of(house)
    monkeypatch.setenv(CACHE_VARIABLE, "off")
    house.path(entry).unlink()
    with pytest.raises(HouseError, match="none of the 1 works behind it is in"):
        learned_music(house.house, manifest)


def test_works_of_another_register_are_missing_whatever_they_are_called(tmp_path, house):
    house.enter(1, 2)
    manifest = manifest_of(house)
    register = house.load()
    for record in register.works.values():
        shutil.rmtree(house.path(record.entry).parent, ignore_errors=True)
    unknown = Manifest.from_json(manifest.to_json().replace('"work":"', '"work":"x-'))
    with pytest.raises(HouseError, match="none of the 2 works"):
        learned_music(house.house, unknown)


def test_the_lines_that_are_kept_are_those_of_the_works(house):
    (entry,) = house.enter(5)
    learned_music(house.house, manifest_of(house))
    found = learned_music(house.house, manifest_of(house))
    expected = voices_of(make_piece(5), ("", "", ""))
    assert [v.pitches.tolist() for v in found.known.tracks(0)] == [
        v.pitches.tolist() for v in expected
    ]
    assert found.works[0].work == entry.work
