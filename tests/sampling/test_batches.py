"""Pieces are dealt into batches, which processes write side by side."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gen import processes
from gen.errors import HouseError
from gen.sampling.decoding import decode as module
from gen.sampling.decoding.decode import FEWEST_AT_ONCE, MOST_AT_ONCE, dealt, write_all


@pytest.mark.parametrize("count", [0, 1, 5, 8, 31, 33, 100, 1024])
@pytest.mark.parametrize("copies", [1, 2, 8])
def test_every_piece_is_in_one_batch_of_a_fair_size(count, copies, monkeypatch):
    monkeypatch.setattr(module, "copies", lambda: copies)
    batches = dealt(range(count))
    assert [index for batch in batches for index in batch] == list(range(count))
    sizes = [len(batch) for batch in batches]
    if not sizes:
        assert count == 0
        return
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= max(MOST_AT_ONCE // copies, 2 * FEWEST_AT_ONCE)
    assert len(sizes) == 1 or len(sizes) % copies == 0 or count < copies * FEWEST_AT_ONCE
    assert len(sizes) == 1 or min(sizes) >= FEWEST_AT_ONCE
    assert len(sizes) >= min(copies, count // FEWEST_AT_ONCE)


def test_one_gpu_writes_as_many_at_once_as_all_processes_would(monkeypatch):
    monkeypatch.setattr(module, "copies", lambda: 8)
    assert [len(batch) for batch in dealt(range(MOST_AT_ONCE), on_gpu=True)] == [MOST_AT_ONCE]
    assert [len(batch) for batch in dealt(range(MOST_AT_ONCE + 2), on_gpu=True)] == [17, 17]


def test_few_pieces_are_written_here(monkeypatch):
    monkeypatch.setattr(module, "copies", lambda: 2)
    told = []
    write_all(
        dealt(range(3)), lambda batch, tell: [tell((os.getpid(), n)) for n in batch], told.append
    )
    assert told == [(os.getpid(), n) for n in range(3)]


@pytest.fixture
def two(monkeypatch):
    if sys.platform != "linux":
        pytest.skip("processes are copied on Linux alone")
    for place in (module, processes):
        monkeypatch.setattr(place, "copies", lambda: 2)


@pytest.mark.usefixtures("two")
def test_many_are_written_by_copies_of_this_process():
    told = []
    write_all(
        dealt(range(80)), lambda batch, tell: [tell((os.getpid(), n)) for n in batch], told.append
    )
    assert sorted(n for _, n in told) == list(range(80))
    assert len({process for process, _ in told}) == 6  # of 14 pieces or fewer, 2 at a time
    assert os.getpid() not in {process for process, _ in told}


@pytest.mark.usefixtures("two")
def test_what_fails_in_a_copy_is_raised_here_after_what_it_had_told():
    def write(batch, tell):
        tell(batch[0])
        raise HouseError("no", where="there", mend="so")

    told = []
    with pytest.raises(HouseError, match="no") as caught:
        write_all(dealt(range(8)), write, told.append)
    assert (caught.value.where, caught.value.mend) == ("there", "so")
    assert 0 < len(told) <= 2


class Odd(Exception):
    def __init__(self, one, other):
        super().__init__(one)


@pytest.mark.usefixtures("two")
def test_an_error_that_cannot_travel_is_told_in_words_and_says_where_it_was():
    def write(batch, tell):
        raise Odd("this", "that")

    with pytest.raises(RuntimeError, match=r"Odd.*this") as caught:
        write_all(dealt(range(8)), write, print)
    assert any("in write" in note for note in caught.value.__notes__)


@pytest.mark.usefixtures("two")
def test_nothing_is_copied_that_uses_a_gpu():
    told = []
    batches = dealt(range(8))
    write_all(batches, lambda batch, tell: tell(os.getpid()), told.append, on_gpu=True)
    assert told == [os.getpid()] * 2


@pytest.mark.usefixtures("two")
def test_copies_end_with_a_leader_that_is_killed(tmp_path):
    script = f"""
import os, pathlib, signal, sys, time
sys.path[:0] = {sys.path!r}
from gen.sampling.decoding import decode
from gen import processes
decode.copies = processes.copies = lambda: 2
def write(batch, tell):
    pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()
    time.sleep(600)
decode.write_all(decode.dealt(range(8)), write, print)
"""
    leader = subprocess.Popen([sys.executable, "-c", script])
    while len(list(tmp_path.iterdir())) < 2:
        assert leader.poll() is None, "the leader ended"
        time.sleep(0.05)
    leader.kill()
    leader.wait()
    for path in tmp_path.iterdir():
        while _runs(int(path.name)):
            time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.usefixtures("two")
def test_a_copy_that_is_ended_in_the_middle_of_a_message_is_reported():
    def write(batch, tell):
        threading.Timer(0.3, os.kill, (os.getpid(), 9)).start()
        while True:
            tell(b"x" * 1_000_000)

    def slow(told):
        time.sleep(0.5)

    with pytest.raises(HouseError, match="ended from outside"):
        write_all(dealt(range(8)), write, slow)


@pytest.mark.usefixtures("two")
def test_a_copy_that_is_ended_is_reported_and_the_other_is_ended_too(tmp_path):
    def write(batch, tell):
        (tmp_path / str(os.getpid())).touch()
        tell(batch[0])
        if batch[0] == 0:
            os.kill(os.getpid(), 9)
        processes.signal.pause()

    told = []
    with pytest.raises(HouseError, match="ended from outside"):
        write_all(dealt(range(8)), write, told.append)
    assert 0 in told
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name), 0)


@pytest.mark.usefixtures("two")
def test_what_ends_the_leader_ends_the_copies(tmp_path):
    def write(batch, tell):
        (tmp_path / str(os.getpid())).touch()
        tell(batch[0])
        processes.signal.pause()

    def stop(told):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_all(dealt(range(8)), write, stop)
    assert list(tmp_path.iterdir())
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name), 0)
