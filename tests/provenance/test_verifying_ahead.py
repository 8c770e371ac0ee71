"""What other processes verify before the gate judges changes no verdict."""

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from gen import processes
from gen.provenance.admission import gate, verifying_ahead
from gen.provenance.desk.works import withdraw
from houses import key_of, make_midi


@pytest.fixture
def mixed(house, monkeypatch):
    """A house with works that are right, changed, copied, gone and withdrawn; helpers always."""
    monkeypatch.setattr(processes, "MANY", 1)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    works = house.enter(1, 2, 3, 4, 5, 6)
    paths = [house.folder / entry.path for entry in works]
    withdrawn = paths[5].read_bytes()
    house.house = withdraw(house.house, [works[5].work], key_of("ana"), "a test")
    paths[5].write_bytes(withdrawn)
    data = bytearray(paths[1].read_bytes())
    data[60] ^= 1
    paths[1].write_bytes(data)
    (house.folder / "ana" / "copy.mid").write_bytes(paths[0].read_bytes())
    (house.folder / "ana" / "stray.mid").write_bytes(make_midi(9))
    paths[2].unlink()
    return house


def judged(house):
    """What the gate finds, and what it hands on."""
    received = []
    corpus = house.admit(receive=lambda work, piece: received.append((work.path, piece())))
    return corpus, received


def test_other_processes_change_no_verdict_and_no_order(mixed, monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 1)
    corpus, received = alone = judged(mixed)
    monkeypatch.setattr(processes, "cores", lambda: 2)
    assert judged(mixed) == alone
    assert len(received) == 3
    rules = {refusal.rule for refusal in corpus.refused}
    assert rules >= {"untagged", "wrong-place", "withdrawn"}
    assert [refusal.rule for refusal in corpus.missing] == ["missing-file"]


class AtOnce:
    """Does in this process what others would do."""

    def __init__(self, _, begin, keys):
        begin(keys)

    def submit(self, do, data):
        future = Future()
        future.set_result(do(data))
        return future

    def shutdown(self, **_):
        pass


def test_what_was_verified_ahead_is_not_verified_again(mixed, monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 1)
    alone = judged(mixed)
    monkeypatch.setattr(processes, "cores", lambda: 2)
    monkeypatch.setattr(processes, "pool", AtOnce)
    monkeypatch.setattr(gate, "musical_hash", lambda _: pytest.fail("it is verified again"))
    assert judged(mixed) == alone


class Ended:
    """Processes that somebody ends."""

    def submit(self, *_):
        raise BrokenProcessPool

    def shutdown(self, **_):
        pass


def test_the_gate_goes_on_alone_when_its_helpers_are_ended(mixed, monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 1)
    alone = judged(mixed)
    monkeypatch.setattr(processes, "cores", lambda: 2)
    monkeypatch.setattr(processes, "pool", lambda *_: Ended())
    assert judged(mixed) == alone


def test_few_files_start_no_process(house, monkeypatch):
    house.enter(1, 2)
    monkeypatch.setattr(processes, "pool", lambda *_: pytest.fail("a process is started"))
    assert len(house.admit().admitted) == 2


def test_only_what_is_right_to_the_last_bit_is_said_to_be(house, monkeypatch):
    entry = house.enter(1)[0]
    roster = house.load().roster
    keys = {keyid: key.public for keyid, (_, key) in roster.owners.items()}
    data = (house.folder / entry.path).read_bytes()
    verifying_ahead._begin(keys)
    digest, _ = verifying_ahead.verified(data)
    assert digest == entry.file_sha256
    assert verifying_ahead.verified(make_midi(1)) is None
    changed = [*range(20, len(data), 97), len(data) - 40]
    assert not any(
        verifying_ahead.verified(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        for at in changed
    )
    verifying_ahead._begin({})  # keys that nobody here has
    assert verifying_ahead.verified(data) is None
