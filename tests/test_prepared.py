"""A process that a fork of the prepared server stands for is like one that Python starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from prepared import CAN_FORK, prepared

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork and process descriptors")
TELL = """
import json, os, sys
print(json.dumps({
    "words": sys.argv, "orig": sys.orig_argv[1:], "folder": os.getcwd(), "path": sys.path[0],
    "mine": os.environ.get("MINE"), "home": os.environ.get("HOME"), "read": sys.stdin.read(),
    "encodings": [getattr(sys, n).encoding for n in ("stdin", "stdout", "stderr")],
    "errors": [getattr(sys, n).errors for n in ("stdin", "stdout", "stderr")],
    "by_line": [sys.stdout.line_buffering, sys.stderr.line_buffering],
    "main": [__name__, sys.modules["__main__"].__file__],
}))
print("beside", file=sys.stderr)
"""
IMPORTED = "import sys; print('torch' in sys.modules)"


@pytest.fixture
def program(tmp_path):
    def written(text: str) -> str:
        path = tmp_path / "program.py"
        path.write_text(text, "utf-8")
        return str(path)

    return written


def done(*words, fast=True, **settings):
    command = prepared(*words) if fast else [sys.executable, *words]
    return subprocess.run(command, text=True, capture_output=True, **settings)


def test_it_has_torch_already_and_another_process_does_not(program):
    path = program(IMPORTED)
    assert done(path).stdout == "True\n"
    assert done("-P", path).stdout == "True\n"
    assert done(path, fast=False).stdout == "False\n"


def test_it_has_words_folder_variables_and_streams_as_any_other(program, tmp_path):
    path = program(TELL)
    here = tmp_path / "here"
    here.mkdir()
    variables = {**os.environ, "MINE": "yes"}
    del variables["HOME"]
    both = [
        done(path, "a b", "ü", fast=fast, cwd=here, env=variables, input="given\n")
        for fast in (True, False)
    ]
    assert json.loads(both[0].stdout) == json.loads(both[1].stdout)
    assert both[0].stderr == both[1].stderr == "beside\n"


def test_it_runs_a_module(tmp_path):
    (tmp_path / "tool.py").write_text(TELL, "utf-8")
    both = [done("-m", "tool", "x", fast=f, cwd=tmp_path, input="") for f in (True, False)]
    assert json.loads(both[0].stdout) == json.loads(both[1].stdout)


def test_it_runs_one_that_it_has_imported_as_if_it_had_not():
    both = [
        done("-P", "-m", "gen.safe_parse", "9", "9", "0", fast=f, input="") for f in (True, False)
    ]
    assert both[0].stderr == both[1].stderr == ""


LATE = "threading.Timer(0.1, print, ['late'])"
ENDS = [
    "sys.exit(3)", "sys.exit(-1)", "sys.exit('no')", "sys.exit(None)", "1 / 0", "os._exit(7)", "",
    "raise KeyboardInterrupt", "sys.stdout.close()", "os.close(1)",
    "import atexit; atexit.register(print, 'late')", f"import threading; {LATE}.start()",
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_as_any_other(program, end):
    path = program(f"import os, sys\nprint('said')\n{end}")
    one, other = (done(path, fast=fast) for fast in (True, False))
    assert one.stdout == other.stdout
    assert (one.returncode, one.stderr[-30:]) == (other.returncode, other.stderr[-30:])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(program, number):
    path = program(
        "import os, sys, time\ntry:\n    print(os.getpid(), flush=True)\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    sys.exit(130)"
    )
    process = subprocess.Popen(prepared(path), text=True, stdout=subprocess.PIPE)
    assert int(process.stdout.readline())  # it runs
    process.send_signal(number)
    assert process.wait() == (130 if number == signal.SIGINT else -number)
    assert process.stdout.read() == ""  # nobody has the pipe any more: the fork has ended, too
    process.stdout.close()


def test_a_variable_that_is_read_at_the_start_makes_it_a_process_of_its_own(program):
    found = done(program(IMPORTED), env={**os.environ, "OMP_NUM_THREADS": "3"})
    assert found.stdout == "False\n"
    assert done("-c", IMPORTED).stdout == "False\n"
