"""Works to compare with are read beside the writing: music does not wait for them."""

from __future__ import annotations

import os
import threading

import pytest

from gen import processes
from gen.errors import HouseError
from gen.provenance.manifests.manifest import Manifest
from gen.sampling.opening.comparing import LearnedReader
from gen.sampling.opening.opened_model import Opened
from gen.sampling.opening.works import Behind
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from houses import TestHouse, make_piece


@pytest.fixture(params=["a copy of the process", "a thread"])
def beside(request, monkeypatch) -> str:
    """Where works are read: systems differ in what they can."""
    copies = 2 if request.param == "a copy of the process" else 1
    monkeypatch.setattr(processes, "copies", lambda: copies)
    return request.param


def behind(house: TestHouse) -> Behind:
    return Behind.of(house.house, Manifest.of(house.admit()), house.load())


@pytest.fixture
def held(monkeypatch):
    """A reading that goes on only when it is let go, and that no later test has in its cache."""
    monkeypatch.setattr(processes, "copies", lambda: 1)
    go, read, threads = threading.Event(), Behind.read, []

    def later(self, tick=lambda share: None):
        threads.append(threading.current_thread())
        assert go.wait(60)
        return read(self, tick)

    monkeypatch.setattr(Behind, "read", later)
    yield go
    go.set()
    for thread in threads:
        thread.join(60)


def test_what_is_read_beside_the_writing_is_what_is_read_at_once(house, beside):
    house.enter(1, 2, 3)
    shares: list[float] = []
    found = LearnedReader(behind(house)).get(shares.append)
    at_once = behind(house).kept()
    assert at_once is not None, "it was kept for the next command"
    assert found.compare(make_piece(2)) == at_once.compare(make_piece(2))
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert LearnedReader(behind(house)).is_ready


def test_what_cannot_be_read_is_said_to_whoever_waits(house, beside, monkeypatch):
    (entry,) = house.enter(1)
    named = behind(house)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.path(entry).unlink()
    reader = LearnedReader(named)
    for _ in range(2):
        with pytest.raises(HouseError, match="none of the 1 works behind it is in"):
            reader.get()
    assert reader.has_failed
    assert not reader.is_ready


def test_a_copy_that_is_ended_from_outside_is_no_endless_wait(house, monkeypatch):
    if processes.copies() == 1 and not hasattr(os, "fork"):
        pytest.skip("no copies of a process here")
    monkeypatch.setattr(processes, "copies", lambda: 2)
    monkeypatch.setattr(Behind, "read", lambda self, tick: os._exit(9))
    house.enter(1)
    with pytest.raises(HouseError, match="ended from outside"):
        LearnedReader(behind(house)).get()


def test_every_bar_is_there_before_the_works_are(asked, held):
    request = SampleRequest.of(asked(n=2))
    whole, kept = [], []

    def watch(progress):
        if progress.so_far:
            whole.append((progress.piece, progress.so_far.bars))
        if progress.works_read is not None:
            assert {piece for piece, _ in whole} == {0, 1}, "one waited while another was written"
            held.set()

    sample(request, watch=watch, report=lambda done: kept.append(done.record["originality"]))
    assert held.is_set()
    assert [found["compared_with"] for found in kept] == [2, 2]


def test_whoever_wants_it_no_more_need_not_wait_for_the_works(asked, held):
    class EnoughError(Exception):
        pass

    def watch(progress):
        if progress.works_read is not None:
            raise EnoughError

    with pytest.raises(EnoughError):
        sample(SampleRequest.of(asked(n=1)), watch=watch)
    held.set()


def test_a_reading_that_failed_is_tried_again_by_the_next_request(asked, monkeypatch):
    request = SampleRequest.of(asked(n=1))
    read = Behind.read
    monkeypatch.setattr(processes, "copies", lambda: 1)
    monkeypatch.setattr(Behind, "read", lambda self, tick: 1 / 0)
    first = Opened.of(request)
    with pytest.raises(ZeroDivisionError):
        first.learned.get()
    monkeypatch.setattr(Behind, "read", read)
    assert Opened.of(request, first).learned.get().works
