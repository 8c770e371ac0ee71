"""What a command says reaches any terminal, or ends it in one line."""

import errno
import os
import subprocess
import sys

import click
import pytest

import gen.terminal
from gen.cli.careful import CarefulCommand
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


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_refusal_that_nobody_can_be_told_is_one_by_its_exit_code():
    code = (
        "from gen.terminal import failures_said\nwith failures_said():\n raise OSError(28, 'full')"
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=full, check=False)
    assert done.returncode == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_answer_that_finds_no_room_is_no_word_on_what_was_done():
    with open("/dev/full", "wb") as full:
        said = run("1", stdout=full).stderr.decode()
    assert "look what was done before you run it again" in said


def test_reader_of_a_command_who_goes_away_has_seen_enough():
    @click.command(cls=CarefulCommand)
    def command():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gen.cli.careful.forget_output", lambda: None)
        patch.setattr("gen.terminal.forget_output", lambda: None)
        with pytest.raises(SystemExit) as left:
            command.main([])
    assert left.value.code == 0


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("libtorch.so: failed to map segment from shared object")]
)
def test_want_of_memory_is_said(error, capfd):
    with pytest.raises(SystemExit) as left, failures_said():
        raise error
    assert left.value.code == 2
    assert "not enough memory\n  to mend it: end other programs" in capfd.readouterr().err
    with pytest.raises(ImportError), failures_said():
        raise ImportError("No module named 'torch'")


def test_names_that_are_there_or_are_not_are_somebodys_unless_they_are_ours():
    missing = OSError(errno.ENOENT, "No such file", "/proc/1/.config")
    assert "/proc/1/.config: No such file\n  to mend it: look" in str(refusal_of(missing))
    assert "there" in str(refusal_of(OSError(errno.EEXIST, "is there", "out")))
    ours = os.path.join(os.path.dirname(gen.terminal.__file__), "gone.txt")
    assert refusal_of(OSError(errno.ENOENT, "No such file", ours)) is None
    assert "ulimit -n" in str(refusal_of(OSError(errno.EMFILE, "Too many open files")))
    assert "ulimit -v" in str(refusal_of(OSError(errno.ENOMEM, "Cannot allocate memory")))


@pytest.mark.parametrize("is_command", [True, False])
def test_compiled_file_that_a_full_disk_cut_short_is_said(is_command, capfd):
    def load():
        raise EOFError("marshal data too short")

    run_it = click.command(cls=CarefulCommand)(load).main if is_command else lambda _: load()
    with pytest.raises(SystemExit) as left, failures_said():
        run_it([])
    assert left.value.code == 2
    assert "cut short, as a full disk leaves it\n  to mend it: remove" in capfd.readouterr().err
    with pytest.raises(EOFError), failures_said():
        raise EOFError
