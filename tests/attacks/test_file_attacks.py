"""Attacks through the file system: links, pipes, odd names, twins, swaps."""

import os
import shutil
import threading

import pytest
from test_tag_attacks import plant

from gen.provenance.admission.gate import admit
from gen.smf import parse
from houses import make_midi


@pytest.fixture
def entry(house):
    return house.enter(1)[0]


def test_symlink(house, entry, tmp_path):
    outside = tmp_path / "outside.mid"
    shutil.move(house.path(entry), outside)
    house.path(entry).symlink_to(outside)
    assert house.rules() == {entry.path: "symlink"}


def test_folder_that_is_a_symlink(house, entry, tmp_path):
    shutil.move(house.folder / "ana", tmp_path / "ana")
    (house.folder / "ana").symlink_to(tmp_path / "ana", target_is_directory=True)
    corpus = house.admit()
    assert not corpus.admitted
    assert {r.path: r.rule for r in (*corpus.refused, *corpus.missing)} == {
        "ana": "bad-name",
        entry.path: "symlink",
    }


def test_hard_link(house, entry, tmp_path):
    os.link(house.path(entry), tmp_path / "second-name.mid")
    assert house.rules() == {entry.path: "hard-link"}


def test_dot_dot(house, entry):
    data = house.path(entry).read_bytes()
    plant(house, data, "..mid")
    (house.folder / "ana" / "...mid").write_bytes(data)
    rules = house.rules()
    assert rules == {"..mid": "bad-name", "ana/...mid": "bad-name"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_fifo(house, entry):
    os.mkfifo(house.folder / "ana" / "pipe.mid")
    assert house.rules() == {"ana/pipe.mid": "not-a-file"}


def test_directory_named_mid(house, entry):
    (house.folder / "ana" / "folder.mid").mkdir()
    (house.folder / "top.mid").mkdir()
    assert house.rules() == {"ana/folder.mid": "not-a-file", "top.mid": "bad-name"}


@pytest.mark.parametrize("name", ["sm\u0430ll.mid", "small\u200b.mid", "ﬁne.mid", "e\u0301.mid"])
def test_unicode_look_alike(house, entry, name):
    plant(house, house.path(entry).read_bytes(), f"ana/{name}")
    assert house.rules() == {f"ana/{name}": "bad-name"}


@pytest.mark.parametrize("change", [str.upper, lambda name: name.replace(".mid", ".MID")])
def test_case_twin(house, entry, change):
    twin = f"ana/{change(house.path(entry).name)}"
    plant(house, house.path(entry).read_bytes(), twin)
    assert house.rules() == {twin: "bad-name"}


def test_copy_in_another_place(house, entry):
    plant(house, house.path(entry).read_bytes(), f"ben/{entry.work}.mid")
    assert house.rules() == {f"ben/{entry.work}.mid": "wrong-place"}


def test_nested_folder(house, entry):
    (house.folder / "ana" / "deeper").mkdir()
    plant(house, house.path(entry).read_bytes(), "ana/deeper/copy.mid")
    assert house.rules() == {"ana/deeper": "bad-name"}


def test_other_files_among_the_works(house, entry):
    plant(house, b"RIFF", "ana/loop.wav")
    plant(house, b"", "ana/.DS_Store")
    assert house.rules() == {"ana/loop.wav": "stray-file"}


def test_file_too_large(house, entry):
    plant(house, make_midi(2) + bytes(5 << 20), "ana/large.mid")
    assert house.rules() == {"ana/large.mid": "too-large"}


def test_work_removed(house, entry):
    house.path(entry).unlink()
    corpus = house.admit()
    assert (len(corpus), [r.rule for r in corpus.missing]) == (0, ["missing-file"])
    with pytest.raises(Exception, match="1 of 1 files are refused"):
        corpus.require_clean()


def test_swapped_between_check_and_use(house, entry):
    """What was verified is what is handed on, whatever lies there afterwards."""
    received = []

    def receive(work, music):
        house.path(entry).write_bytes(b"something else")
        received.append(music())

    corpus = house.admit(receive=receive)
    assert received == [parse(make_midi(1))]
    assert corpus.admitted[0].work_id == entry.work


def test_each_file_is_opened_once(house, monkeypatch):
    house.enter(1, 2, 3)
    opened = []
    real = os.open

    def spy(path, *rest, **more):
        opened.append(str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", spy)
    house.admit()
    works = [path for path in opened if path.endswith(".mid")]
    assert len(works) == len(set(works)) == 3


def test_swapped_while_it_is_opened(house, entry, tmp_path, monkeypatch):
    """Between the look and the open, another file takes the name."""
    data, other = house.path(entry).read_bytes(), tmp_path / "other.mid"
    real = os.open

    def swap(path, *rest, **more):
        if str(path).endswith(".mid"):
            other.write_bytes(data)
            os.replace(other, house.path(entry))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", swap)
    assert house.rules() == {entry.path: "swapped"}


def test_works_accepted_while_the_gate_reads(house, entry):
    """A curator at work beside a training run makes nothing look refused or missing."""

    def receive(work, music):
        if work.work_id == entry.work:
            thread = threading.Thread(target=house.enter, args=(2, 3))
            thread.start()
            thread.join()

    corpus = admit(house.folder, "general_model", pin=house.pin, receive=receive)
    assert (len(corpus.admitted), len(corpus.refused), len(corpus.missing)) == (1, 0, 0)
    assert len(house.admit().admitted) == 3


def test_unreadable_file(house, entry, monkeypatch):
    real = os.open

    def deny(path, *rest, **more):
        if str(path).endswith(".mid"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", deny)
    assert house.rules() == {entry.path: "unreadable"}
