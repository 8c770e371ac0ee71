"""Further processes end with the one that leads; what must be done as a whole is not stopped."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys

import pytest

from gen import processes

LEADER = """
import gc, os, signal
from gen import processes
helper = processes.pool(1, gc.collect)
print(helper.submit(os.getpid).result(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def ctrl_c():
    """Ctrl-C as Python has it, whatever runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_begun_is_done_before_it_is_stopped(ctrl_c, number):
    done = []

    def work() -> None:
        with processes.stoppable(), processes.undisturbed():
            with processes.undisturbed():
                signal.raise_signal(number)
            done.append("whole")
        done.append("more")

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows masks no signals")
def test_a_helping_process_never_hears_ctrl_c(ctrl_c):
    with processes.pool(1, gc.collect) as pool:
        masked = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()
        ignored = pool.submit(signal.getsignal, signal.SIGINT).result()
    assert signal.SIGINT in masked
    assert ignored is signal.SIG_IGN
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_helping_process_does_not_outlive_the_one_that_leads():
    # The pipe is closed, and this returns, when the last process that holds it has ended.
    done = subprocess.run(
        [sys.executable, "-c", LEADER], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert int(done.stdout) != os.getpid()
