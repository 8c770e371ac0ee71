"""What is declared, locked, documented and importable agrees."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from houses import start_house
from tiny_runs import SETTINGS as TINY

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TRAINING_STACK = ("torch", "lightning", "hydra", "omegaconf", "miditok", "safetensors")
HEAVY = (*TRAINING_STACK, "symusic", "matplotlib", "scipy", "pretty_midi", "mido")
LOCKED_BY_GROUP = {
    "base": ("base",),
    "train": ("base", "train", "torch"),
    "dev": ("base", "train", "torch", "dev", "build"),
}


def lock_text(name):
    return (ROOT / f"requirements/{name}.lock").read_text(encoding="utf-8")


def locked(*names):
    """Requirements of the lock files by canonical package name."""
    found = {}
    for name in names:
        for text in re.findall(r"^[a-z0-9][^\\\n]*", lock_text(name), re.MULTILINE):
            requirement = Requirement(text.strip())
            found[canonicalize_name(requirement.name)] = requirement
    return found


def version_of(requirement):
    return Version(next(iter(requirement.specifier)).version)


def declared(group):
    project = SETTINGS["project"]
    texts = project["dependencies"] if group == "base" else project["optional-dependencies"][group]
    return [Requirement(text) for text in texts]


# --- lock files ----------------------------------------------------------------------------

LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.lock"))


def test_the_lock_files_are_those_that_the_set_up_knows():
    import setup_venv

    known = (*setup_venv.BUILD, *setup_venv.EVERYTHING, setup_venv.TORCH, setup_venv.CUDA)
    assert {f"{name}.lock" for name in LOCKS} == {*known, setup_venv.TORCH_CPU}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_exact_version_and_a_hash(name):
    blocks = re.split(r"^(?=[a-z0-9])", lock_text(name), flags=re.MULTILINE)[1:]
    assert blocks
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==[0-9a-z.+]+( ;[^\n]*)? \\\n", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}(?: \\)?$", block, re.MULTILINE), block


def test_no_package_is_locked_twice_except_torch_as_the_same_release():
    counts = [name for lock in LOCKS for name in locked(lock)]
    assert sorted({name for name in counts if counts.count(name) > 1}) == ["torch"]
    release, cpu = (version_of(locked(name)["torch"]) for name in ("torch", "torch-cpu"))
    assert cpu.public == str(release)
    assert cpu.local == "cpu"


@pytest.mark.parametrize("group", LOCKED_BY_GROUP)
def test_locks_satisfy_what_the_project_declares(group):
    there = locked(*LOCKED_BY_GROUP[group])
    for requirement in declared(group):
        locked_version = version_of(there[canonicalize_name(requirement.name)])
        assert requirement.specifier.contains(locked_version), f"{requirement}: {locked_version}"


def test_setuptools_is_locked_as_the_build_system_asks():
    for text in SETTINGS["build-system"]["requires"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(version_of(locked("build")[requirement.name]))


def test_composers_install_no_part_of_the_training_stack():
    composers = set(locked("build", "base"))
    assert not composers & {canonicalize_name(name) for name in TRAINING_STACK}
    assert not composers & {canonicalize_name(r.name) for r in declared("train")}


def test_cuda_packages_are_locked_apart():
    cuda = re.compile(r"nvidia-|cuda-|triton$")
    for lock in set(LOCKS) - {"cuda"}:
        assert not [name for name in locked(lock) if cuda.match(name)]
    assert all(cuda.match(name) for name in locked("cuda"))


PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
MACHINES = {"linux": "x86_64", "macos": "arm64", "windows": "AMD64"}
COMPOSER_LOCKS = ("build", "base")
ALL_LOCKS = ("build", "base", "train", "torch", "dev", "cuda")


def needs(name: str, environment: dict[str, str]) -> Iterator[Requirement]:
    for text in requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("locks", [COMPOSER_LOCKS, ALL_LOCKS], ids=["composer", "everything"])
def test_locks_are_whole_on_every_platform_and_python(locks, platform, python):
    """Nothing is resolved at installation, so a requirement that no lock names would be missing."""
    environment = PLATFORMS[platform] | {
        "platform_machine": MACHINES[platform],
        "python_version": python,
        "python_full_version": f"{python}.9",
        "extra": "",
    }
    there = {
        name: requirement
        for name, requirement in locked(*locks).items()
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    looked_at = 0
    for name in there:
        try:
            needed = list(needs(name, environment))
        except PackageNotFoundError:
            continue  # another platform's, or torch's CUDA packages beside a CPU build
        looked_at += 1
        for requirement in needed:
            assert canonicalize_name(requirement.name) in there, f"{name} needs {requirement}"
            locked_version = version_of(there[canonicalize_name(requirement.name)])
            assert requirement.specifier.contains(locked_version, prereleases=True), requirement
    assert looked_at > (20 if locks is COMPOSER_LOCKS else 80)


# --- what composers import -----------------------------------------------------------------

_IMPORT_ROOMS = """
import importlib, json, pkgutil, sys

rooms, blocked, heavy = json.loads(sys.argv[1])
for name in blocked:
    sys.modules[name] = None
for room in rooms:
    folders = getattr(importlib.import_module(room), "__path__", [])
    for found in pkgutil.walk_packages(folders, room + "."):
        importlib.import_module(found.name)
print(json.dumps([name for name in heavy if sys.modules.get(name)]))
"""

_RUN_SCRIPT = """
import json, runpy, sys

heavy, script = json.loads(sys.argv[1])
sys.argv = [script, "--help"]
sys.path.insert(0, str(__import__("pathlib").Path(script).parent))
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print()
print(json.dumps([len(sys.modules), [name for name in heavy if name in sys.modules]]))
"""


def run_python(code, *arguments):
    command = [sys.executable, "-W", "error", "-c", code, json.dumps(arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def rooms_without_training():
    contracts = SETTINGS["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if "no training stack" in c["name"])
    assert set(TRAINING_STACK) == set(contract["forbidden_modules"])
    return contract["source_modules"]


def test_rooms_of_composers_and_curators_import_without_the_training_stack():
    loaded = run_python(_IMPORT_ROOMS, rooms_without_training(), TRAINING_STACK, HEAVY)
    assert loaded == [], "imports that take long belong inside the functions that need them"


@pytest.mark.parametrize("script", ["contribute.py", "house.py"])
def test_help_of_composers_commands_imports_little(script):
    modules, loaded = run_python(_RUN_SCRIPT, HEAVY, f"scripts/{script}")
    assert loaded == []
    assert modules < 180, "Python and click alone are about 100"


# --- the wheel -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What a built wheel holds, unpacked where nothing of the repository is."""
    source, place = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.egg-info"))
    subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel", "-d", str(place)],
        cwd=source, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = place.glob("*.whl")
    shutil.unpack_archive(wheel, place, "zip")
    return place


def test_the_wheel_carries_all_that_is_not_python(installed):
    for folder, there in ((ROOT / "conf", "conf"), (ROOT / "src" / "gen", "")):
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                name = path.relative_to(folder)
                assert (installed / "gen" / there / name).read_bytes() == path.read_bytes(), name


def command_of(name: str) -> list[str]:
    """What the installed command of that name runs."""
    module, _, function = SETTINGS["project"]["scripts"][name].partition(":")
    return ["-c", f"import sys, {module} as m; sys.argv[0] = {name!r}; m.{function}()"]


def run_installed(installed, folder, name, *words):
    return subprocess.run(
        [sys.executable, *command_of(name), *words], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed), "HOUSE_CACHE": "off"}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS["project"]["scripts"])
def test_every_command_that_is_installed_explains_itself(installed, tmp_path, name):
    done = run_installed(installed, tmp_path, name, "--help")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 400


def test_what_is_installed_trains_on_a_house_elsewhere(installed, tmp_path):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    words = (*TINY.split(), f"pin={house.pin.path}", "experiment=infill")
    done = run_installed(installed, tmp_path, "gen-train", *words)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("outputs/infill/*/best.safetensors"))) == 1


def test_without_a_house_what_is_installed_says_how_to_name_one(installed, tmp_path):
    done = run_installed(installed, tmp_path, "gen-train")
    assert (done.returncode, "pin=FILE" in done.stderr) == (2, True), done.stderr
    assert list(tmp_path.iterdir()) == []


# --- commands ------------------------------------------------------------------------------


def targets():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return phony.group(1).split()


def test_make_has_the_targets_that_the_readme_promises():
    assert {"help", "setup", "demo", "test", "check", "benchmark"} <= set(targets())


def test_make_help_names_every_target_and_what_it_does():
    command = [sys.executable, "scripts/make_help.py", "Makefile"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = dict(re.findall(r"^  make ([a-z-]+)\s+(\S.*)$", shown, re.MULTILINE))
    assert list(lines) == targets()
    assert all(len(sentence) > 15 for sentence in lines.values())


@pytest.mark.skipif(not shutil.which("make"), reason="no make here")
def test_make_alone_shows_the_help():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    command = ["make", f"PYTHON={sys.executable}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert "make demo" in result.stdout


def test_git_never_rewrites_the_bytes_of_a_work():
    command = ["git", "check-attr", "text", "--", "data/house_midi/ana/x.mid"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.strip().endswith("text: unset")


def test_the_licence_is_the_one_declared():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert SETTINGS["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0" in text
