"""Disks and folders that fail: one message, exit 2, nothing half done, no key left over."""

import errno
import importlib
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from gen.disk import Folder
from gen.provenance.houses.store import Store
from gen.provenance.signing.key_files import list_keys
from gen.sampling.receipt import signatures_for
from gen.smf import RuleBroken, split_chunks
from gen.smf.chunks import MAX_TRAILING
from houses import keep_machine_key, make_midi, start_house

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def run(tmp_path, monkeypatch, own_keys):
    """Run a script's command in this process: its exit code and all that it says."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.chdir(tmp_path)

    def invoke(script, *words):
        main = importlib.import_module(script).main
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert not isinstance(result.exception, Exception), result.exception
        return result.exit_code, f"{result.stdout}\n{result.stderr}"

    return invoke


@pytest.fixture
def house_of(run, tmp_path):
    code, said = run("house", "init", "--name", "lantern", "--yes", "--kdf-cost", 10,
                     "--one-person", "--house", tmp_path / "house")  # fmt: skip
    assert code == 0, said
    return tmp_path / "house"


@pytest.fixture
def full_disk(monkeypatch):
    """From `full()` on no byte is written any more to files of these names."""
    real, names = os.fsync, []

    def fsync(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if any(name in path for name in names):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return real(descriptor)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no way to tell which file is written")
    monkeypatch.setattr(os, "fsync", fsync)
    return names.append


def test_a_proof_that_does_not_fit_leaves_no_file(run, house_of, tmp_path, full_disk):
    full_disk("proof.json")
    out = tmp_path / "proof.json"
    code, said = run("house", "prove", "--act", 0, "--out", out, "--house", house_of)
    assert (code, out.exists()) == (2, False)
    assert "No space left" in said
    assert not list(tmp_path.glob(".proof*"))


def test_a_sidecar_that_does_not_fit_leaves_no_file(run, house_of, tmp_path, full_disk):
    (tmp_path / "rain.mid").write_bytes(make_midi(1))
    full_disk("works.csv")
    sidecar = tmp_path / "works.csv"
    code, said = run("contribute", tmp_path / "rain.mid", "--sidecar", sidecar, "--house", house_of)
    assert (code, sidecar.exists()) == (2, False)
    assert "No space left" in said


def change(house, person="ana"):
    words = ("--role", "composer", "--yes", "--kdf-cost", 10)
    return "house", "enroll", person, *words, "--house", house


@pytest.mark.parametrize("place", ["register.jsonl", "register.head.json"])
def test_an_enrolment_that_fails_leaves_no_key(run, house_of, full_disk, place):
    before = [file.path for file in list_keys()]
    full_disk(place)
    code, said = run(*change(house_of))
    assert code == 2, said
    assert [file.path for file in list_keys()] == before


@pytest.mark.parametrize(
    "what", [("--log-key",), ("--person", "ana", "--kdf-cost", 10)], ids=["log", "person"]
)
def test_a_rotation_that_fails_leaves_no_key(run, house_of, full_disk, what):
    run(*change(house_of))
    before = [file.path for file in list_keys()]
    full_disk("register.jsonl")
    code, said = run("house", "rotate", *what, "--yes", "--house", house_of)
    assert code == 2, said
    assert [file.path for file in list_keys()] == before


def test_a_house_that_cannot_be_started_leaves_no_key(run, tmp_path, full_disk):
    full_disk("register.jsonl")
    code, said = run("house", "init", "--name", "lantern", "--yes", "--kdf-cost", 10,
                     "--one-person", "--house", tmp_path / "house")  # fmt: skip
    assert code == 2, said
    assert not list(list_keys())


def test_a_key_that_the_register_names_stays_whatever_fails_after(run, house_of, monkeypatch):
    before = {file.path for file in list_keys()}
    real = Folder.remove_folder

    def fail(self, place):
        if self.exists("register.jsonl") and b"ana" in self.read("register.jsonl", 1 << 20):
            raise OSError(errno.EIO, "the disk went away", place)
        return real(self, place)

    monkeypatch.setattr(Store, "remove_folder", fail)
    code, said = run(*change(house_of))
    assert code == 2, said
    assert len({file.path for file in list_keys()} - before) == 1


def test_a_house_that_cannot_be_written_still_has_its_music_signed(tmp_path, own_keys, monkeypatch):
    house = start_house(tmp_path / "house")
    keep_machine_key()
    register = house.load()
    found = signatures_for(house.house, register, None, is_recorded=True)
    assert found.log is not None
    monkeypatch.setattr(Store, "is_writable", lambda self, place="": False)
    found = signatures_for(house.house, register, None, is_recorded=True)
    assert (found.signer, found.log) == ("machine", None)
    assert found.words.startswith("not entered in the log: you may not write")


def test_half_a_million_empty_chunks_are_refused_before_they_are_held():
    music = make_midi(1)
    some = split_chunks(music + b"XFIH\0\0\0\0" * MAX_TRAILING)
    assert len(some.trailing) == MAX_TRAILING
    with pytest.raises(RuleBroken, match=f"more than {MAX_TRAILING} chunks"):
        split_chunks(music + b"XFIH\0\0\0\0" * 500_000)
