"""Crashes and crowds: what was acknowledged is there, once, and nothing needs repair by hand."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gen.disk import Folder
from gen.provenance.desk import works
from gen.provenance.history import log
from gen.provenance.houses.house import House
from gen.provenance.houses.store import JOURNAL, Store
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from gen.provenance.signing.canonical import sha256_hex
from houses import key_of, make_midi, tagged

CROWD = Path(__file__).with_name("crowd.py")
needs_posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, str(CROWD), *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def reopen(house):
    house.house = House(load_pin(house.pin.path))
    return house


def acknowledged(output):
    """(what, work) for every whole line; a line cut off by the kill was not acknowledged."""
    return [tuple(line.split()) for line in output.splitlines(keepends=True) if line[-1] == "\n"]


def check_kept(house, acks):
    """Everything acknowledged holds, and the next command runs."""
    reopen(house)
    corpus = house.admit("evaluation")
    assert not corpus.refused, corpus.refused
    assert not corpus.missing, corpus.missing
    register = house.load()
    with house.house.writing():
        assert not (house.folder / JOURNAL).exists()
    waiting = {path.stem for path in (house.folder / "inbox").glob("*.mid")}
    for what, *rest in acks:
        if what == "ready":
            continue
        record = register.works.get(rest[0])
        if what == "submitted":
            assert record or rest[0] in waiting
            continue
        assert record, rest
        if what == "accepted":
            is_there = (house.folder / record.entry.path).exists()
            assert is_there == (record.withdrawn_at is None)
        elif what == "withdrawn":
            assert record.withdrawn_at is not None
        elif what == "narrowed":
            assert str(register.consent_of(record)) == "evaluation"
    for path in (house.folder / "ana").glob("*.mid") if (house.folder / "ana").exists() else ():
        assert sha256_hex(path.read_bytes()) == register.works[path.stem].entry.file_sha256


@needs_posix
def test_sixteen_processes_contribute_and_accept_at_once(house):
    child = start("crowd", house.pin.path, 16, 2)
    output, _ = child.communicate()
    assert child.returncode == 0, output
    acks = acknowledged(output)
    reopen(house).accept()
    accepted = Counter(work for what, work in acks if what == "accepted")
    submitted = {work for what, work in acks if what == "submitted"}
    assert set(accepted.values()) == {1}
    assert set(accepted) <= submitted
    assert len(submitted) == 32
    check_kept(house, acks)
    assert len(house.admit().admitted) == 32
    assert house.load().size == 33


def kill_at_random(house, times, generator):
    acks = []
    for number in range(times):
        child = start("work", house.pin.path, number * 1000)
        ready = child.stdout.readline()
        time.sleep(generator.uniform(0, 0.25))
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.stdout.close()
        child.wait()
        assert ready == "ready\n"
        acks += acknowledged(rest)
        check_kept(house, acks[-40:])
    check_kept(house, acks)
    return acks


@needs_posix
def test_killed_at_any_instant_loses_nothing(house):
    kill_at_random(house, 5, random.Random(1))  # noqa: S311 - chooses instants


@needs_posix
@pytest.mark.slow
def test_killed_at_any_instant_two_hundred_times(house):
    acks = kill_at_random(house, 200, random.Random(2))  # noqa: S311 - chooses instants
    assert {what for what, _ in acks} == {"submitted", "accepted", "withdrawn", "narrowed"}


class PowerCut(BaseException):
    """Stands for the end of the process; no handler of ours may swallow it."""


STEPS = [
    (Folder, "_write_new"),
    (Folder, "_rename"),
    (Folder, "_sync"),
    (Folder, "remove"),
    (Store, "end_change"),
    (log.Log, "_write_block"),
]


def cut_at(monkeypatch, number):
    """Let the `number`-th durable step from now be the last thing that happens (or not)."""
    left = [number]

    def wrap(owner, name):
        real = getattr(owner, name)

        def step(*arguments, **more):
            if left[0] == 0:
                raise PowerCut
            left[0] -= 1
            result = real(*arguments, **more)
            if left[0] == 0:
                raise PowerCut
            left[0] -= 1
            return result

        monkeypatch.setattr(owner, name, step)

    for owner, name in STEPS:
        wrap(owner, name)
    return left


def accept_one(house):
    house.accept()


def withdraw_one(house):
    works.withdraw(house.house, [house.entries[0].work], key_of("ana"), "")


def narrow_one(house):
    consent = Consent.parse("evaluation")
    works.set_consent(house.house, [house.entries[0].work], consent, key_of("ana"))


@pytest.mark.parametrize("act", [accept_one, withdraw_one, narrow_one])
def test_power_cut_after_every_single_step(tmp_path, act):
    """Not at random: after each write, rename and sync of an act in turn."""
    from houses import start_house

    number, finished = 0, False
    while not finished:
        house = start_house(tmp_path / f"house-{number}", name=f"h{number}")
        (entry,) = house.enter(1)
        house.submit(tagged(make_midi(2), house=house.load().roster.identity))
        with pytest.MonkeyPatch.context() as patch:
            cut_at(patch, number)
            try:
                act(house)
                finished = True
            except PowerCut:
                pass
        check_kept(house, [])
        record = reopen(house).load().works[entry.work]
        place = house.folder / ("withdrawn" if record.withdrawn_at else "ana")
        assert (place / f"{entry.work}.mid").is_file()
        house.accept()
        assert len(house.admit("evaluation")) == 2 - (record.withdrawn_at is not None)
        number += 1
    assert number > 8


def test_torn_last_line_is_mended_by_the_next_append(house):
    house.enter(1)
    with (house.folder / "register.jsonl").open("ab") as file:
        file.write(b'{"act":"add","by":"cleo","da')
    house.enter(2)
    assert reopen(house).load().size == 3
    assert len(house.admit().admitted) == 2
