"""What a command says reaches any terminal, or ends it in one line."""

import errno
import os
import subprocess
import sys

import pytest

from gen.errors import HouseError, in_lines, printable, shortened
from gen.terminal import failures_said, refusal_of

SAY = """
import sys
from gen.terminal import failures_said
with failures_said():
    for _ in range(int(sys.argv[1])):
        print("Größe 🎵 \\udcff")
"""


def run(*words, **more):
    environment = {**os.environ, "PYTHONIOENCODING": more.pop("encoding", "utf-8")}
    return subprocess.run(
        [sys.executable, "-c", SAY, *words], env=environment, stderr=subprocess.PIPE, **more
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_that_the_terminal_has_not_are_spelled_out(encoding):
    done = run("1", encoding=encoding, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\udcff" in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_full_disk_behind_the_output_ends_in_one_line():
    with open("/dev/full", "wb") as full:
        done = run("1", stdout=full)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("No space left on device")
    assert len(done.stderr.splitlines()) == 2


def test_closed_pipe_ends_in_silence():
    reading, writing = os.pipe()
    os.close(reading)
    done = run("100000", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_output_at_all_is_fine():
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "{sys.executable}" -c "$0" 1 >&-', SAY], stderr=subprocess.PIPE
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_current_folder_that_is_gone_ends_in_one_line(tmp_path):
    (tmp_path / "here").mkdir()
    command = (
        f'cd "{tmp_path}/here" && rmdir "{tmp_path}/here" && exec "{sys.executable}" -c "$0" 1'
    )
    done = subprocess.run(["/bin/sh", "-c", command, SAY], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("the current folder is gone")


def test_fault_of_ours_keeps_its_traceback():
    with pytest.raises(FileNotFoundError), failures_said():
        raise FileNotFoundError(errno.ENOENT, "No such file")
    with pytest.raises(ZeroDivisionError), failures_said():
        raise ZeroDivisionError


def test_error_of_the_disk_names_the_place():
    error = OSError(errno.ENOSPC, "No space left on device", "/house/inbox")
    message = str(refusal_of(error))
    assert message.startswith("/house/inbox: No space left on device\n  to mend it: make room")
    assert "\n  to mend it: look" in str(refusal_of(OSError(errno.ENOTCONN, "", "/share")))
    assert refusal_of(OSError(errno.ENOENT, "No such file")) is None


def test_long_names_are_shortened_in_messages():
    message = str(HouseError("is gone", where="x" * 100_000))
    assert len(message) < 450
    assert "letters) …" in message
    assert shortened("short") == "short"
    part = HouseError("x" * 100_000, mend="y" * 100_000)  # which others put into messages of theirs
    assert len(part.what) < 450 > len(part.mend)


def test_what_moves_the_cursor_or_turns_the_writing_is_spelled_out():
    text = "rain\x1b[2K\u202egnp.mid\x9b\u200b"
    assert printable(text) == "rain\\u001b[2K\\u202egnp.mid\\u009b\\u200b"
    assert in_lines(["one\ntwo\t", 3]) == "\n  one\\ntwo\\t\n  3"
    assert "\x1b" not in str(HouseError(text, where="a\nb: admitted"))
    assert str(HouseError("is gone", where="a\nb")) == "a\\nb: is gone"


@pytest.mark.skipif(os.name == "nt", reason="a shell closes them")
def test_closed_streams_are_asked_nothing_and_no_file_takes_their_number(tmp_path):
    ask = f"""
import os, sys
from gen.terminal import failures_said
with failures_said():
    sys.stdout.isatty(), sys.stderr.write("x"), sys.stdin.read()
    numbers = [os.open({str(tmp_path / "file")!r}, os.O_RDWR | os.O_CREAT) for _ in range(3)]
    sys.exit(min(numbers) < 3)
"""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "{sys.executable}" -c "$0" <&- >&- 2>&-', ask], check=False
    )
    assert done.returncode == 0
