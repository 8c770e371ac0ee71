import os

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
