"""A stranger's file is read elsewhere: whatever it does there, the caller only hears of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gen import safe_parse
from gen.analysis import analyse
from gen.errors import HouseError, SettingError
from gen.safe_parse import ParseLimits, SafeReader, UnsafeFileError, safe_examine
from gen.smf import RuleBroken, normalise
from gen.smf.rules import MAX_BYTES
from houses import make_midi, make_piece
from midi_files import event, note, smf

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and rlimits")


def test_what_comes_back_is_what_reading_here_gives() -> None:
    data = make_midi(3)
    found = safe_examine(data)
    assert found.normalised == normalise(data)
    assert found.analysis == analyse(make_piece(3))


def test_one_child_reads_many_files_and_refusals_come_back_whole() -> None:
    with SafeReader() as reader:
        first = reader.examine(make_midi(1))
        child = reader._child
        with pytest.raises(RuleBroken) as refusal:
            reader.examine(smf(b"", event(0, 0x90, 0xBC, 80)))
        again = reader.examine(make_midi(1))
        assert reader._child is child
    assert first == again
    error = refusal.value
    assert (error.rule, error.track, error.tick) == ("data-byte", 1, 0)
    assert error.byte_offset is not None


def test_a_file_too_large_never_reaches_the_child() -> None:
    with SafeReader() as reader:
        with pytest.raises(RuleBroken) as refusal:
            reader.examine(bytes(MAX_BYTES + 1))
        assert reader._child is None
    assert refusal.value.rule == "too-large"


@POSIX
def test_a_child_that_crashes_is_replaced() -> None:
    with SafeReader() as reader:
        reader.examine(make_midi(1))
        assert reader._child is not None
        os.kill(reader._child.pid, signal.SIGSEGV)
        reader._child.wait()
        assert reader.examine(make_midi(2)).analysis.bars == 4


@POSIX
def test_a_child_whose_caller_was_killed_ends_without_a_word() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "gen.safe_parse", "10", "256", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    child.stdout.close()
    data = make_midi(1)
    _, said = child.communicate(safe_parse._LENGTH.pack(len(data)) + data)
    assert (child.returncode, said) == (1, b"")


def _with_child(monkeypatch: pytest.MonkeyPatch, body: str, limits: ParseLimits) -> SafeReader:
    """A reader whose child runs `body` for each file, under the same limits as ever."""
    program = (
        "import sys, gen.safe_parse as s\n"
        f"def examine(data, reads_again):\n    {body}\n"
        "s._examine_here = examine\n"
        "s._serve(*map(int, sys.argv[1:]))\n"
    )
    real = safe_parse.subprocess.Popen

    def start(command: list[str], **settings: object):
        return real([sys.executable, "-c", program, *command[4:]], **settings)

    monkeypatch.setattr(safe_parse.subprocess, "Popen", start)
    return SafeReader(limits)


def _refusal(kind: type[Exception], reader: SafeReader) -> pytest.ExceptionInfo:
    with reader, pytest.raises(kind) as refusal:
        reader.examine(make_midi())
    return refusal


def test_a_child_that_hangs_is_stopped_by_the_wall_clock(monkeypatch) -> None:
    limits = ParseLimits(wall_seconds=0.7)
    with (
        _with_child(monkeypatch, "import time; time.sleep(60)", limits) as reader,
        pytest.raises(UnsafeFileError) as refusal,
    ):
        reader.examine(make_midi())
    assert "more than 0.7 seconds" in str(refusal.value)
    assert refusal.value.rule == "unsafe-file"


@POSIX
def test_a_child_that_computes_for_ever_is_stopped_by_the_processor_limit(monkeypatch) -> None:
    limits = ParseLimits(processor_seconds=1, wall_seconds=60)
    with (
        _with_child(monkeypatch, "while True: pass", limits) as reader,
        pytest.raises(UnsafeFileError) as refusal,
    ):
        reader.examine(make_midi())
    assert "more than 1 seconds of processor time" in str(refusal.value)


@POSIX
def test_a_child_has_its_processor_seconds_for_each_file_anew(monkeypatch) -> None:
    body = "import time; end = time.process_time() + 0.7\n    while time.process_time() < end: pass"
    reply = f"{body}\n    return {{'unsafe': 'done'}}"
    limits = ParseLimits(processor_seconds=1, wall_seconds=60)
    with _with_child(monkeypatch, reply, limits) as reader:
        for _ in range(3):
            with pytest.raises(UnsafeFileError, match="done"):
                reader.examine(make_midi())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_AS that holds")
def test_a_child_that_fills_the_memory_is_stopped(monkeypatch) -> None:
    body = "x = bytearray(400 * 2**20); x[::4096] = b'1' * len(x[::4096]); return {}"
    with (
        _with_child(monkeypatch, body, ParseLimits(memory_mebibytes=200)) as reader,
        pytest.raises(UnsafeFileError) as refusal,
    ):
        reader.examine(make_midi())
    assert "ended with code 1" in str(refusal.value)


def test_a_child_that_answers_without_end_is_not_believed(monkeypatch) -> None:
    body = "import sys; sys.stdout.buffer.write(b'\\xff' * 100); sys.stdout.flush(); return {}"
    with (
        _with_child(monkeypatch, body, ParseLimits()) as reader,
        pytest.raises(UnsafeFileError) as refusal,
    ):
        reader.examine(make_midi())
    assert "no readable answer" in str(refusal.value)


def test_music_that_a_child_returns_is_walked_again(monkeypatch) -> None:
    body = (
        "return {'data': 'eHh4', 'changes': [], 'unheard': [], 'advice': [],"
        " 'analysis': {'meters': [], 'instruments': [], 'roles': []}}"
    )
    refusal = _refusal(RuleBroken, _with_child(monkeypatch, body, ParseLimits()))
    assert refusal.value.rule == "not-midi"


def test_a_long_dense_piece_is_within_the_limits() -> None:
    notes = b"".join(note(30 + i % 80, 60, delta=10, channel=i % 8) for i in range(20_000))
    found = safe_examine(smf(notes, file_format=0))
    assert found.analysis.notes == 20_000


def test_other_libraries_read_the_same_file_where_that_is_asked_and_it_is_not_long(
    monkeypatch,
) -> None:
    with SafeReader(reads_again=True) as reader:
        assert reader.examine(make_midi(1)).is_read_alike
    with SafeReader() as reader:
        assert not reader.examine(make_midi(1)).is_read_alike
    assert safe_parse._examine_here(make_midi(1), reads_again=True)["is_read_alike"]
    monkeypatch.setattr(safe_parse, "_MOST_READ_AGAIN", 1)
    assert not safe_parse._examine_here(make_midi(1), reads_again=True)["is_read_alike"]


def test_what_other_libraries_read_otherwise_is_not_said_to_be_alike(monkeypatch) -> None:
    def otherwise(data: bytes, piece: object) -> None:
        raise HouseError("mido reads other notes")

    monkeypatch.setattr(safe_parse, "check_read_alike", otherwise)
    found = safe_parse._examine_here(make_midi(1), reads_again=True)
    assert (found["is_read_alike"], found["analysis"]["bars"]) == (False, 4)


@pytest.mark.parametrize("name", ["processor_seconds", "wall_seconds", "memory_mebibytes"])
def test_limits_are_above_zero(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        ParseLimits(**{name: 0})


def test_without_rlimits_the_child_still_reads(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows: the import fails
    monkeypatch.delattr(signal, "setitimer", raising=False)
    safe_parse._limit_memory(256)
    safe_parse._limit_processor(10)
    assert safe_parse._examine_here(make_midi(), reads_again=False)["analysis"]["bars"] == 4
