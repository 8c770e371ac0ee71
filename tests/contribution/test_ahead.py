"""A house that is read for the first time: by several processes, and on from where it stopped."""

from __future__ import annotations

import multiprocessing

import pytest

from gen import processes
from gen.contribution import kept, known
from gen.contribution.kept import KeptCache
from gen.likeness.columns import encode
from gen.likeness.thresholds import Thresholds


@pytest.fixture
def works(house):
    return house.enter(*range(1, 9))


def load(house, folder):
    return known.load_known(house.house, house.load(), Thresholds(), cache_folder=folder)


@pytest.fixture
def several(monkeypatch):
    monkeypatch.setattr(processes, "MANY", 3)
    monkeypatch.setattr(processes, "cores", lambda: 2)


def test_several_processes_read_what_one_reads(house, works, tmp_path, several, monkeypatch):
    taken = []
    take = processes.Ahead.take
    monkeypatch.setattr(processes.Ahead, "take", lambda *a: taken.append(take(*a)) or taken[-1])
    together = load(house, tmp_path / "together")
    assert not multiprocessing.active_children()
    assert any(taken)
    monkeypatch.setattr(processes, "MANY", 100)
    alone = load(house, tmp_path / "alone")
    assert encode(together.screen.state()) == encode(alone.screen.state())
    caches = [KeptCache(tmp_path / name, "lantern") for name in ("together", "alone")]
    for work in works:
        assert len({cache.get(work.file_sha256).to_json() for cache in caches}) == 1


def test_file_that_was_changed_is_named_whoever_reads(house, works, tmp_path, several):
    path = house.path(works[4])
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    (said,) = load(house, tmp_path / "cache").unread
    assert works[4].path in said


def test_reading_goes_on_where_it_was_stopped(house, works, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "_PORTION", 2)
    read, kept_work = [], known.kept_work

    def stopped_at_the_sixth(the_house, record):
        read.append(record.entry.work)
        if len(read) == 6:
            raise KeyboardInterrupt
        return kept_work(the_house, record)

    monkeypatch.setattr(known, "kept_work", stopped_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        load(house, tmp_path / "cache")
    load(house, tmp_path / "cache")
    assert len(read) == 6 + 4  # four of eight were kept
    assert not load(house, tmp_path / "cache").unread
