import os
import stat
from pathlib import Path

import pytest

from gen.provenance import files
from gen.provenance.files import BusyError, UnfitFileError, locked, read_plain_file


def test_second_command_waits_and_then_gives_up(tmp_path):
    waiting = locked(tmp_path / "lock", seconds=0.05)
    with locked(tmp_path / "lock"), pytest.raises(BusyError, match="held the house for 0 s"):
        waiting.__enter__()
    with locked(tmp_path / "lock", seconds=0.05):
        pass


def test_atomic_write_leaves_the_old_bytes_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_atomically(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_plain_file_is_read_up_to_the_limit(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert read_plain_file(tmp_path / "f", 5) == b"12345"
    with pytest.raises(UnfitFileError, match="more than 4 bytes"):
        read_plain_file(tmp_path / "f", 4)
    with pytest.raises(FileNotFoundError):
        read_plain_file(tmp_path / "none", 5)


def test_rename_waits_for_readers_on_windows(tmp_path, monkeypatch):
    """There, an open file cannot be replaced for a moment."""
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"new")
    attempts = []
    real = type(source).replace

    def busy(self, other):
        attempts.append(1)
        if len(attempts) < 3:
            raise PermissionError(13, "in use")
        return real(self, other)

    monkeypatch.setattr(type(source), "replace", busy)
    monkeypatch.setattr(files.time, "sleep", lambda _: None)
    monkeypatch.setattr(files, "IS_WINDOWS", True)
    files.replace(source, target)
    assert (target.read_bytes(), len(attempts)) == (b"new", 3)
    files.sync_folder(tmp_path / "no such folder, and nobody asks")
    monkeypatch.setattr(files, "IS_WINDOWS", False)
    attempts.clear()
    target.rename(source)
    with pytest.raises(PermissionError):
        files.replace(source, target)


def test_folder_is_removed_with_what_lies_in_it(tmp_path):
    folder = tmp_path / "journal"
    files.remove_folder(folder)
    folder.mkdir()
    (folder / "x").write_bytes(b"")
    files.remove_folder(folder)
    assert not folder.exists()


@pytest.fixture
def steps(monkeypatch):
    """Every sync and rename, in order, by the size or name of its file."""
    found = []
    real = Path.replace

    def fsync(descriptor):
        state = os.fstat(descriptor)
        found.append("folder" if stat.S_ISDIR(state.st_mode) else f"{state.st_size} bytes")

    def rename(source, target):
        found.append(f"rename to {target.name}")
        return real(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    return found


@pytest.mark.skipif(files.IS_WINDOWS, reason="folders are not synced there")
def test_bytes_are_on_the_disk_before_they_take_their_name(tmp_path, steps):
    files.write_atomically(tmp_path / "f", b"12345")
    assert steps == ["5 bytes", "rename to f", "folder"]


@pytest.mark.skipif(files.IS_WINDOWS, reason="folders are not synced there")
def test_lines_are_on_the_disk_before_the_head_that_counts_them(house, steps):
    house.house.ledger_log.append([b"1"])
    assert steps[-4:] == ["2 bytes", steps[-3], "rename to ledger.head.json", "folder"]
    assert steps[-3].endswith("bytes")


@pytest.mark.skipif(files.IS_WINDOWS, reason="folders are not synced there")
def test_many_files_are_all_on_the_disk_before_the_first_takes_its_name(tmp_path, steps):
    many = {tmp_path / f"{n}": b"x" for n in range(files.MANY_FILES * 3)}
    files.write_all_atomically(many)
    assert steps[: len(many)] == ["1 bytes"] * len(many)
    assert steps[-1] == "folder"
    assert len(list(tmp_path.iterdir())) == len(many)
