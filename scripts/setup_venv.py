"""Set up `.venv` from the lock files, or see at once that it is set up already.

    python scripts/setup_venv.py              everything: training, tests, tools
    python scripts/setup_venv.py --composer   what composers and curators need: no torch

Needs Python 3.11, 3.12 or 3.13 and nothing else; runs on Linux, macOS and Windows. Every file
that is installed must have a hash that a lock file in `requirements/` names. `.venv` is left
alone while it holds what the lock files say, brought up to date in place when they change, and
built anew after a set-up that was interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "requirements"
STAMP = "gen-set-up.json"  # what .venv holds; there only once all of it is there
BEGUN = "gen-set-up-begun"  # there from the first step to the last
SUPPORTED = ((3, 11), (3, 12), (3, 13))

BUILD = ("build.lock",)  # first: the rest is installed with its setuptools
COMPOSER = ("base.lock",)
EVERYTHING = ("base.lock", "train.lock", "dev.lock")
TORCH = "torch.lock"
TORCH_CPU = "torch-cpu.lock"
CUDA = "cuda.lock"

# Some builds of torch name CUDA packages among their requirements (the registry's for Linux),
# some name none (for macOS and Windows, and CPU builds wherever they are offered). Only the
# installed build can tell.
_WHAT_TORCH_LACKS = """
from importlib.metadata import PackageNotFoundError, requires, version
from packaging.requirements import Requirement

for text in requires("torch") or []:
    requirement = Requirement(text)
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        try:
            version(requirement.name)
        except PackageNotFoundError:
            print(requirement.name)
"""


class SetupError(Exception):
    """What went wrong and how to mend it."""


def main() -> int:
    options = _options()
    if sys.version_info[:2] not in SUPPORTED:
        return _with_another_python()
    try:
        with _one_at_a_time():
            _set_up(composer=options.composer, this_python=options.this_python)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted; the next run starts anew", file=sys.stderr)
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--composer", action="store_true", help="without torch, tests and tools")
    parser.add_argument(
        "--this-python",
        action="store_true",
        help="build .venv anew if it is of another Python version than the one running this",
    )
    return parser.parse_args()


def _set_up(*, composer: bool, this_python: bool) -> None:
    wanted = _wanted(composer=composer)
    if _holds(wanted) and not (this_python and _venv_version() != _own_version()):
        return
    begin = time.monotonic()
    _make_venv(this_python=this_python)
    _install(composer=composer)
    (VENV / STAMP).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    (VENV / BEGUN).unlink()
    _say(f"ready after {time.monotonic() - begin:.0f} s")


def _wanted(*, composer: bool) -> dict[str, str]:
    """Every input of the set-up by name, with its SHA-256 in hex."""
    locks = BUILD + (COMPOSER if composer else (*EVERYTHING, TORCH, TORCH_CPU, CUDA))
    wanted = {name: _sha256((LOCKS / name).read_bytes()) for name in locks}
    wanted["project"] = _sha256(_project_tables())
    wanted["place"] = str(ROOT)  # a virtual environment cannot be moved
    return wanted


def _project_tables() -> bytes:
    """What of pyproject.toml the installed project depends on: not the tools' settings."""
    import tomllib  # 3.11: not there before the version is checked

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tables = [settings["build-system"], settings["project"], settings["tool"]["setuptools"]]
    return json.dumps(tables, sort_keys=True).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _holds(wanted: dict[str, str]) -> bool:
    """Whether .venv holds at least what is wanted, whole, and its Python still runs."""
    try:
        stamp = json.loads((VENV / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return wanted.items() <= stamp.items() and _venv_version() in SUPPORTED


# --- the virtual environment ---------------------------------------------------------------


def _make_venv(*, this_python: bool) -> None:
    version = _venv_version()
    whole = version in SUPPORTED and not (VENV / BEGUN).exists() and not _moved()
    if VENV.exists() and (not whole or (this_python and version != _own_version())):
        _say("removing .venv: interrupted, moved, or of another Python")
        _remove_venv()
    new = not VENV.exists()
    VENV.mkdir(exist_ok=True)
    (VENV / BEGUN).touch()
    (VENV / STAMP).unlink(missing_ok=True)
    if new:
        _say(f"making .venv with Python {sys.version.split()[0]}")
        _create()


def _create() -> None:
    base = getattr(sys, "_base_executable", None) or sys.executable
    for extra in ([], ["--without-pip"]):  # some systems ship Python without ensurepip
        if (
            subprocess.run([base, "-m", "venv", *extra, str(VENV)], capture_output=True).returncode
            == 0
        ):
            return
    raise SetupError(
        f"{base} cannot make a virtual environment. Install the module venv of this Python"
        " (on Debian and Ubuntu: apt install python3-venv)."
    )


def _remove_venv() -> None:
    if Path(sys.prefix).resolve() == VENV.resolve():
        raise SetupError("run with the Python of .venv itself, which must go: use the system's.")
    try:
        shutil.rmtree(VENV)
    except OSError as error:
        raise SetupError(f"cannot remove {VENV}: {error}. Close what uses it.") from error


def _moved() -> bool:
    try:
        stamp = json.loads((VENV / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return stamp.get("place") != str(ROOT)


def _venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _venv_version() -> tuple[int, int] | None:
    """The version of .venv's Python as (major, minor), None if it does not run."""
    return _version_of(str(_venv_python()))


def _own_version() -> tuple[int, int]:
    return sys.version_info[0], sys.version_info[1]


def _version_of(python: str) -> tuple[int, int] | None:
    command = [python, "-I", "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        major, minor = shown.split()
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    return int(major), int(minor)


# --- packages ------------------------------------------------------------------------------


def _install(*, composer: bool) -> None:
    tool = _installer()
    locked = ["--require-hashes", "--no-deps", "--no-build-isolation"]
    _say("installing what builds packages")
    _run([*tool, *locked, *_files(BUILD)])
    _say(f"installing what {'composers need' if composer else 'training and tests need'}")
    _run([*tool, *locked, *_files(COMPOSER if composer else EVERYTHING)])
    if not composer:
        _install_torch([*tool, *locked])
    _say("installing the project itself, editable")
    _run([*tool, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    _check(tool)


def _install_torch(tool: list[str]) -> None:
    """A CPU build where one is offered and no GPU is seen, else the registry's build."""
    _say("installing torch")
    if not shutil.which("nvidia-smi"):
        # Mostly there is none, which is no error: the release itself is then taken just below.
        subprocess.run([*tool, *_files((TORCH_CPU,))], capture_output=True)
    _run([*tool, *_files((TORCH,))])  # nothing to do if the CPU build of this release is there
    if lacking := _output([str(_venv_python()), "-c", _WHAT_TORCH_LACKS]).split():
        _say(f"installing what this build of torch needs besides: {', '.join(lacking)}")
        _run([*tool, *_files((CUDA,))])


def _files(names: tuple[str, ...]) -> list[str]:
    return [part for name in names for part in ("--requirement", str(LOCKS / name))]


def _installer() -> list[str]:
    """The start of an install command: pip where there is one, since it knows the user's settings.

    In this order: the pip of .venv, the pip of the Python that runs this (22.3 and newer can
    install into another environment), uv.
    """
    python = str(_venv_python())
    options = ["install", "-qq", "--no-input", "--no-warn-script-location"]
    for pip in ([python, "-m", "pip"], [sys.executable, "-m", "pip", "--python", python]):
        if subprocess.run([*pip, "--version"], capture_output=True).returncode == 0:
            return [*pip, "--disable-pip-version-check", *options]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", python, "--compile-bytecode"]
    raise SetupError(
        f"{sys.executable} has no pip and there is no uv. Install one of them (on Debian and"
        " Ubuntu: apt install python3-venv), then run this again."
    )


def _check(tool: list[str]) -> None:
    """See that the requirements of everything installed are met.

    Raises:
        SetupError: naming those that are not; the lock files are then at fault.
    """
    command = [*tool[: tool.index("install")], "check"]
    if tool[1] == "pip":  # uv
        command += ["--python", str(_venv_python())]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise SetupError(
            f"requirements are not met:\n{result.stdout}{result.stderr}Mend: make lock"
        )


def _run(command: list[str]) -> None:
    result = subprocess.run(command, cwd=ROOT)
    if result.returncode != 0:
        raise SetupError(
            f"`{' '.join(command)}` ended with code {result.returncode}; the reason is above."
            " Once it is mended, run this again."
        )


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# --- around --------------------------------------------------------------------------------


def _with_another_python() -> int:
    """Run this file with a supported Python that is on the path."""
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        python = shutil.which(name)
        if python and _version_of(python) in SUPPORTED:
            return subprocess.run([python, *sys.argv]).returncode
    print(
        f"setup: {sys.executable} is Python {sys.version.split()[0]}, and no Python 3.11, 3.12 or"
        " 3.13 is on the path. Install one, or name one: make PYTHON=/path/to/python3.11 setup",
        file=sys.stderr,
    )
    return 2


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait while another set-up of this project runs; a process that dies gives way."""
    with (ROOT / ".venv.lock").open("w") as file:
        if os.name == "nt":
            _lock_on_windows(file.fileno())
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock_on_windows(descriptor: int) -> None:
    import msvcrt

    while True:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return
        except OSError:
            time.sleep(0.2)


def _say(text: str) -> None:
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
