import os
import stat
from pathlib import Path

import pytest

from gen.disk import Folder, UnfitFileError, writing
from gen.errors import HouseError
from gen.terminal import refusal_of


def test_atomic_write_leaves_the_old_bytes_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "file"
    writing.write_atomically(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        writing.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("kind", ["pipe", "folder", "stream"])
def test_what_is_no_file_stays_where_bytes_should_take_its_place(tmp_path, kind):
    """A device would be gone for everybody."""
    path = tmp_path / "bad"
    if kind == "stream":
        path.symlink_to("/proc/self/fd/1")
    else:
        (os.mkfifo if kind == "pipe" else os.mkdir)(path)
    before = path.lstat().st_mode
    with pytest.raises(OSError, match="should be a file") as refused:
        writing.write_atomically(path, b"new")
    assert refusal_of(refused.value).where == str(path)
    assert path.lstat().st_mode == before
    assert os.listdir(tmp_path) == ["bad"]


def test_plain_file_is_read_up_to_the_limit(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert Folder(tmp_path).read("f", 5) == b"12345"
    with pytest.raises(UnfitFileError, match="more than 4 bytes"):
        Folder(tmp_path).read("f", 4)
    with pytest.raises(FileNotFoundError):
        Folder(tmp_path).read("none", 5)


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
    monkeypatch.setattr(writing.time, "sleep", lambda _: None)
    monkeypatch.setattr(writing, "IS_WINDOWS", True)
    writing.replace(source, target)
    assert (target.read_bytes(), len(attempts)) == (b"new", 3)
    writing.sync_folder(tmp_path / "no such folder, and nobody asks")
    monkeypatch.setattr(writing, "IS_WINDOWS", False)
    attempts.clear()
    target.rename(source)
    with pytest.raises(PermissionError):
        writing.replace(source, target)


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


@pytest.mark.skipif(writing.IS_WINDOWS, reason="folders are not synced there")
def test_bytes_are_on_the_disk_before_they_take_their_name(tmp_path, steps):
    writing.write_atomically(tmp_path / "f", b"12345")
    assert steps == ["5 bytes", "rename to f", "folder"]


@pytest.mark.skipif(writing.IS_WINDOWS, reason="folders are not synced there")
def test_many_files_are_all_on_the_disk_before_the_first_takes_its_name(tmp_path, steps):
    many = {tmp_path / f"{n}": b"x" for n in range(writing.MANY_FILES * 3)}
    writing.write_all_atomically(many)
    assert steps[: len(many)] == ["1 bytes"] * len(many)
    assert steps[-1] == "folder"
    assert len(list(tmp_path.iterdir())) == len(many)


def test_a_place_where_nothing_can_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    writing.check_can_write(tmp_path / "file")
    writing.check_can_write(tmp_path / "a" / "b" / "new")
    writing.check_can_write(tmp_path, is_folder=True)
    writing.check_can_write(tmp_path / "a" / "b", is_folder=True)
    bad = [
        (tmp_path, False, "is a folder, and should be a file"),
        (tmp_path / "file" / "new", False, "file is no folder"),
        (tmp_path / "file", True, "file is no folder"),
        (tmp_path / "loop", True, "cannot be written"),
        (tmp_path / ("x" * 5_000), True, "too long"),
        (tmp_path / "a\0b", False, "cannot be written"),
        (Path(os.devnull), False, "is a device"),
    ]
    for path, is_folder, word in bad:
        with pytest.raises(HouseError, match=word) as refused:
            writing.check_can_write(path, is_folder=is_folder)
        assert refused.value.mend == "name another place, where you may write"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(HouseError, match="Permission denied"):
        writing.check_can_write(tmp_path / "new")
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]
