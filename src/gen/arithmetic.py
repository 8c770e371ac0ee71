"""Which variables make arithmetic portable, and how a program begins anew with them.

numpy and torch read them once, while they are loaded: nothing here imports either.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FAST, PORTABLE = "fast", "portable"
ARITHMETICS = (FAST, PORTABLE)
ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own kernels
    "OPENBLAS_CORETYPE": "Haswell",  # numpy's matrix products
    "DNNL_MAX_CPU_ISA": "AVX2",  # oneDNN, where torch asks it
}
"""What fixes the instructions of every library that would else choose them by the processor."""


def missing_variables() -> dict[str, str]:
    """The variables of `ENVIRONMENT` that this process was not begun with."""
    return {name: value for name, value in ENVIRONMENT.items() if os.environ.get(name) != value}


def begin_portably(*names: str) -> None:
    """Begin this program anew with the variables that portable arithmetic wants, unless it has.

    Args:
        names: what the program may be called. Another one, which only uses this package, goes on
            as it is, and `gen.training.evidence.portable` says what it lacks.
    """
    missing = missing_variables()
    program = getattr(sys.modules["__main__"], "__file__", None)
    if not missing or program is None or Path(program).stem not in names:
        return
    command = [sys.executable, *sys.orig_argv[1:]]
    environment = os.environ | missing
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # where exec returns to the shell before the program has ended
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603
    os.execve(sys.executable, command, environment)  # noqa: S606 - this very program
