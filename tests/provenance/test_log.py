import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen.disk import Folder
from gen.errors import HouseError
from gen.provenance.history.log import Head, Log, LogError
from gen.provenance.signing.canonical import MAX_JSON_BYTES, StrictJsonError, canonical
from gen.provenance.signing.merkle import EMPTY_ROOT, leaf_hash, root_of


@pytest.fixture
def log(tmp_path):
    return Log(Folder(tmp_path), "lantern", "register")


def lines(log):
    return list(log.lines(log.head()))


def test_log_begins_empty(log):
    assert (log.head().size, log.head().root, lines(log)) == (0, EMPTY_ROOT.hex(), [])


def test_what_is_appended_is_there_under_the_tree(log):
    log.append([b"1", b"2"])
    head = log.append([b"3"])
    assert lines(log) == [b"1", b"2", b"3"]
    assert head.root == root_of([leaf_hash(b) for b in (b"1", b"2", b"3")]).hex()
    assert log.head() == head


def test_an_act_that_could_not_be_read_again_is_not_entered(log):
    longest = b"1" * MAX_JSON_BYTES
    log.append([longest])
    before = log.path.read_bytes()
    with pytest.raises(HouseError, match="cannot be entered"):
        log.append([b"2", longest + b"1"])
    assert log.path.read_bytes() == before
    assert lines(log) == [longest]


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_no_change_of_a_covered_byte_goes_unnoticed(tmp_path_factory, data):
    log = Log(Folder(tmp_path_factory.mktemp("log")), "lantern", "register")
    log.append([b'"one"', b'"two"', b'"three"'])
    whole = bytearray(log.path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    log.path.write_bytes(bytes(whole))
    with pytest.raises(LogError):
        lines(log)


def test_rest_of_an_interrupted_append_is_overwritten(log):
    log.append([b"1"])
    with log.path.open("ab") as file:
        file.write(b"2\n3")
    assert lines(log) == [b"1"]
    log.append([b"4"])
    assert log.path.read_bytes() == b"1\n4\n"


def test_shorter_file_than_its_head_takes_no_append(log):
    log.append([b"1", b"2"])
    log.path.write_bytes(b"1\n")
    with pytest.raises(LogError, match="shorter than the 4 bytes"):
        log.append([b"3"])
    with pytest.raises(LogError, match="counts 2 lines, 1 are here"):
        lines(log)


def test_file_that_is_gone_is_named(log):
    log.append([b"1"])
    log.path.unlink()
    with pytest.raises(LogError, match="the file is gone"):
        lines(log)


def test_lines_without_a_head_are_an_alarm(log):
    log.append([b"1"])
    (log.files.root / log.head_place).unlink()
    with pytest.raises(LogError, match=r"its head register\.head\.json is gone"):
        log.append([b"2"])


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"x"])
def test_damaged_head_is_named(log, text):
    log.append([b"1"])
    (log.files.root / log.head_place).write_bytes(text)
    with pytest.raises(LogError, match="its head cannot be read"):
        log.head()


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("head", "size", 3),
        ("head", "root", "00" * 32),
        ("head", "root", "xx"),
        ("head", "format", 2),
        (None, "frontier", []),
        (None, "frontier", ["00" * 32]),
    ],
)
def test_head_that_does_not_fold_is_refused(log, part, field, value):
    record = log.append([b"1"]).to_dict()
    (record[part] if part else record)[field] = value
    with pytest.raises(StrictJsonError):
        Head.from_dict(json.loads(canonical(record)))


def test_head_of_another_log_is_refused(log):
    log.append([b"1"])
    other = Log(log.files, "other", "register")
    with pytest.raises(LogError, match="that of the register of 'lantern'"):
        other.head()


def test_lines_are_on_the_disk_before_the_head_that_counts_them(log, monkeypatch):
    log.append([b"1"])
    steps = []
    for owner, name in ((Log, "_write_block"), (Folder, "_write_new"), (Folder, "_rename")):

        def step(self, *arguments, name=name, real=owner.__dict__[name]):
            steps.append(name)
            return real(self, *arguments)

        monkeypatch.setattr(owner, name, step)
    monkeypatch.setattr(os, "fsync", lambda _: steps.append("fsync"))
    log.append([b"2"])
    assert steps == ["_write_block", "fsync", "_write_new", "fsync", "_rename", "fsync"]


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_log_that_is_no_plain_file_is_named_and_not_followed(log, tmp_path, kind):
    log.append([b"1"])
    log.path.unlink()
    outside = tmp_path / "outside"
    outside.write_bytes(b"1\n")
    if kind == "link":
        log.path.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(log.path)
    else:
        log.path.mkdir()
    with pytest.raises(LogError, match="cannot be read"):
        list(log.lines(log.head()))
    with pytest.raises(HouseError):
        log.append([b"2"])
    assert outside.read_bytes() == b"1\n"
