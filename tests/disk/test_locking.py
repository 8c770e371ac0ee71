"""The lock: waiting, giving up, disks without locks, and what is no lock at all."""

import errno
import os
import subprocess
import sys

import pytest

from gen.disk import BusyError, locked
from gen.disk.locking import MARKER, is_locked
from gen.errors import HouseError

HOLD = """
import sys
from pathlib import Path
from gen.disk import locking
if sys.argv[2] == "without":
    import filelock
    def refuse(self): raise OSError(95, "Operation not supported")
    filelock.FileLock._acquire = refuse
with locking.locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path, how="with"):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "held\n"
    return child


@pytest.fixture
def no_locks_here(monkeypatch):
    """A share that refuses `flock`, as some NFS and SMB mounts do."""
    import filelock

    def give(number):
        def refuse(self):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(filelock.FileLock, "_acquire", refuse)

    return give


def test_second_command_waits_and_then_gives_up(tmp_path):
    waiting = locked(tmp_path / "lock", seconds=0.05)
    with locked(tmp_path / "lock"), pytest.raises(BusyError, match="held the house for 0 s"):
        waiting.__enter__()
    with locked(tmp_path / "lock", seconds=0.05):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_disk_without_locks_gets_a_marker_file_that_goes_again(tmp_path, no_locks_here, number):
    no_locks_here(number)
    with locked(tmp_path / "lock"):
        assert (tmp_path / f"lock{MARKER}").exists()
        with pytest.raises(BusyError, match=r"another command") as caught:
            locked(tmp_path / "lock", seconds=0.05).__enter__()
        assert f"process {os.getpid()}" in caught.value.mend
    assert not (tmp_path / f"lock{MARKER}").exists()


def test_marker_of_a_killed_command_does_not_block(tmp_path, no_locks_here):
    child = holder(tmp_path / "lock", "without")
    child.kill()
    child.communicate()
    assert (tmp_path / f"lock{MARKER}").exists()
    no_locks_here(errno.ENOLCK)
    with locked(tmp_path / "lock", seconds=10):
        pass


def test_marker_left_on_a_disk_that_has_locks_does_not_block_for_ever(tmp_path):
    child = holder(tmp_path / "lock", "without")
    child.kill()
    child.communicate()
    for _ in range(2):
        with locked(tmp_path / "lock", seconds=10):
            pass
    assert not (tmp_path / f"lock{MARKER}").exists()


def test_marker_of_another_machine_is_named_with_what_to_do(tmp_path):
    (tmp_path / f"lock{MARKER}").write_text("123\nsome-other-machine\n")
    with pytest.raises(BusyError, match="another command") as caught:
        locked(tmp_path / "lock", seconds=0.1).__enter__()
    assert str(tmp_path / f"lock{MARKER}") in str(caught.value)
    assert "remove this file" in caught.value.mend


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_something_else_in_the_place_of_the_lock_is_named(tmp_path, kind):
    place = tmp_path / ".lock"
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(place)
    with pytest.raises(HouseError, match=f"is a .*{kind}"):
        locked(place).__enter__()
    assert not (tmp_path / "elsewhere").exists()


def test_lock_file_of_another_user_is_an_error_and_no_traceback(tmp_path, monkeypatch):
    import filelock

    def deny(self):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(filelock.FileLock, "_acquire", deny)
    with pytest.raises(HouseError, match="cannot be locked: Permission denied"):
        locked(tmp_path / "lock").__enter__()


def test_is_locked_tells_without_making_a_file(tmp_path):
    assert not is_locked(tmp_path / "lock")
    assert os.listdir(tmp_path) == []
    child = holder(tmp_path / "lock")
    assert is_locked(tmp_path / "lock")
    child.communicate("")
    assert not is_locked(tmp_path / "lock")


def test_a_marker_that_is_a_folder_is_said(tmp_path):
    (tmp_path / f"lock{MARKER}").mkdir()
    with pytest.raises(HouseError, match="is a folder") as refused:
        locked(tmp_path / "lock").__enter__()
    assert refused.value.mend.startswith("remove it")
