"""The set-up: whole or redone, at once when there, never without the locked hashes.

Most tests set up a small project whose packages are made here; what pip must do is asked of pip.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import packaging
import pytest

import setup_venv

PYTHON = sys.executable
HAS_PIP = importlib.util.find_spec("pip") is not None
PYPROJECT = '[build-system]\nrequires = []\n[project]\nname = "x"\n[tool.setuptools]\n[tool.ruff]\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with lock files that lock nothing, and installations that only leave a trace."""
    root = tmp_path / "project"
    (root / "requirements").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    for name in (
        *setup_venv.BUILD,
        *setup_venv.EVERYTHING,
        "torch.lock",
        "torch-cpu.lock",
        "cuda.lock",
    ):
        (root / "requirements" / name).write_text(f"# {name}\n")
    monkeypatch.setattr(setup_venv, "ROOT", root)
    monkeypatch.setattr(setup_venv, "VENV", root / ".venv")
    monkeypatch.setattr(setup_venv, "LOCKS", root / "requirements")
    monkeypatch.setattr(setup_venv, "_create", lambda: make_venv(root / ".venv"))
    return root


def make_venv(place):
    """Without pip, which takes seconds to put there."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(place)], check=True)


@pytest.fixture
def installs(project, monkeypatch):
    """Which installations ran: for each, whether it was for composers alone."""
    ran = []

    def install(*, composer):
        ran.append("composer" if composer else "everything")
        (project / ".venv" / f"trace-{len(ran)}").touch()

    monkeypatch.setattr(setup_venv, "_install", install)
    return ran


def set_up(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["setup_venv.py", *arguments])
    return setup_venv.main()


def traces(project):
    return sorted(path.name for path in (project / ".venv").glob("trace-*"))


# --- when it installs ----------------------------------------------------------------------


def test_a_second_set_up_finds_everything_there(project, installs, monkeypatch):
    assert set_up(monkeypatch) == 0
    assert set_up(monkeypatch) == 0
    assert installs == ["everything"]
    assert not (project / ".venv" / setup_venv.BEGUN).exists()


def test_what_composers_need_is_there_once_everything_is(project, installs, monkeypatch):
    assert set_up(monkeypatch) == 0
    assert set_up(monkeypatch, "--composer") == 0
    assert installs == ["everything"]


def test_everything_is_added_to_what_composers_need(project, installs, monkeypatch):
    assert set_up(monkeypatch, "--composer") == 0
    assert set_up(monkeypatch) == 0
    assert installs == ["composer", "everything"]
    assert traces(project) == ["trace-1", "trace-2"]


@pytest.mark.parametrize("lock", ["build", "base", "train", "dev", "torch", "torch-cpu", "cuda"])
def test_a_changed_lock_file_is_installed_in_place(project, installs, monkeypatch, lock):
    set_up(monkeypatch)
    (project / f"requirements/{lock}.lock").write_text("# another\n")
    assert set_up(monkeypatch) == 0
    assert traces(project) == ["trace-1", "trace-2"]


def test_a_changed_setting_of_a_tool_installs_nothing(project, installs, monkeypatch):
    set_up(monkeypatch)
    (project / "pyproject.toml").write_text(PYPROJECT + "line-length = 90\n")
    set_up(monkeypatch)
    assert installs == ["everything"]


def test_a_changed_requirement_of_the_project_installs_it_again(project, installs, monkeypatch):
    set_up(monkeypatch)
    (project / "pyproject.toml").write_text(PYPROJECT.replace('"x"', '"x"\ndependencies = ["y"]'))
    set_up(monkeypatch)
    assert installs == ["everything", "everything"]


@pytest.mark.parametrize("how", [KeyboardInterrupt, setup_venv.SetupError("the network is gone")])
def test_an_interrupted_set_up_is_redone_from_nothing(project, installs, monkeypatch, how):
    def half(*, composer):
        (project / ".venv" / "half").touch()
        raise how

    with monkeypatch.context() as patch:
        patch.setattr(setup_venv, "_install", half)
        assert set_up(monkeypatch) != 0
    assert set_up(monkeypatch) == 0
    assert traces(project) == ["trace-1"]
    assert not (project / ".venv" / "half").exists()


def test_an_interrupted_update_does_not_pass_for_whole(project, installs, monkeypatch):
    set_up(monkeypatch)
    lock = project / "requirements/base.lock"
    before = lock.read_text()
    lock.write_text("# another\n")
    with monkeypatch.context() as patch:
        patch.setattr(setup_venv, "_install", lambda *, composer: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError, match=r"^$"):
            set_up(monkeypatch)
    lock.write_text(before)  # back on the old branch: what .venv held is gone all the same
    assert set_up(monkeypatch) == 0
    assert installs == ["everything", "everything"]


def test_a_project_that_was_moved_is_set_up_anew(project, installs, monkeypatch):
    set_up(monkeypatch)
    stamp = project / ".venv" / setup_venv.STAMP
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"place": "/elsewhere"}))
    assert set_up(monkeypatch) == 0
    assert traces(project) == ["trace-2"]


def test_an_environment_whose_python_is_gone_is_made_anew(project, installs, monkeypatch):
    set_up(monkeypatch)
    python = setup_venv._venv_python()
    python.unlink()
    assert set_up(monkeypatch) == 0
    assert traces(project) == ["trace-2"]
    assert python.exists()


def test_another_python_makes_it_anew_only_when_asked_for_by_name(project, installs, monkeypatch):
    set_up(monkeypatch)
    monkeypatch.setattr(setup_venv, "_own_version", lambda: (3, 10))
    assert set_up(monkeypatch) == 0
    assert installs == ["everything"]
    assert set_up(monkeypatch, "--this-python") == 0
    assert traces(project) == ["trace-2"]


def test_an_environment_made_by_hand_is_kept(project, installs, monkeypatch):
    make_venv(project / ".venv")
    (project / ".venv" / "mine").touch()
    assert set_up(monkeypatch) == 0
    assert (project / ".venv" / "mine").exists()


# --- what it says --------------------------------------------------------------------------


def test_without_pip_and_uv_it_says_what_to_install(project, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", str(shutil.which("git")))  # runs, and has no pip
    monkeypatch.setattr(setup_venv.shutil, "which", lambda name: None)
    assert set_up(monkeypatch) == 2
    assert "apt install python3-venv" in capsys.readouterr().err


def test_an_unsupported_python_says_which_are(project, installs, monkeypatch, capsys):
    monkeypatch.setattr(setup_venv, "SUPPORTED", ((2, 7),))
    assert set_up(monkeypatch) == 2
    assert "make PYTHON=" in capsys.readouterr().err
    assert installs == []


def test_unmet_requirements_are_named(project, monkeypatch):
    tool = [sys.executable, "-c", "print('alpha 1 requires beta'); raise SystemExit(1)", "install"]
    with pytest.raises(setup_venv.SetupError, match="alpha 1 requires beta"):
        setup_venv._check(tool)


def test_help_tells_of_both_ways_to_set_up():
    command = [sys.executable, setup_venv.__file__, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--composer" in shown


# --- torch, with real pip and wheels made here ---------------------------------------------


def make_wheel(folder, name, version, needs=()):
    """An empty package; its file and its SHA-256 in hex."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {need}" for need in needs]
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def make_index(folder, *wheels):
    """A package index of pages that tell hashes, as registries are."""
    for path, digest in wheels:
        page = folder / path.name.split("-")[0] / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f'<a href="{path.as_uri()}#sha256={digest}">{path.name}</a>')
    return folder.as_uri()


@pytest.fixture
def offers(project, tmp_path, monkeypatch):
    """An index with a CUDA build of torch, a folder for a CPU build; pip that knows both."""
    if not HAS_PIP:
        pytest.skip("this environment has no pip")
    make_venv(project / ".venv")
    site = next((project / ".venv").glob("[lL]ib*/**/site-packages"))
    shutil.copytree(Path(packaging.__file__).parent, site / "packaging")
    cuda = make_wheel(tmp_path / "files", "nvidia_cublas", "13.1")
    marker = "sys_platform != 'none'"
    needs = [f"nvidia-cublas==13.1; {marker}", "opt-einsum; extra == 'opt-einsum'"]
    torch = make_wheel(tmp_path / "files", "torch", "2.13.0", needs)
    index = make_index(tmp_path / "index", cuda, torch)
    (tmp_path / "index" / "nvidia_cublas").rename(tmp_path / "index" / "nvidia-cublas")
    lock(project, "torch", "torch==2.13.0", torch[1])
    lock(project, "cuda", "nvidia-cublas==13.1", cuda[1])
    lock(project, "torch-cpu", "torch==2.13.0+cpu", "0" * 64)
    monkeypatch.setattr(setup_venv.shutil, "which", lambda name: None)  # no GPU here
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # pip knows this index and folder alone
    folder = tmp_path / "offered"
    folder.mkdir()
    pip = [sys.executable, "-m", "pip", "--python", str(setup_venv._venv_python())]
    options = ["install", "-qq", "--index-url", index, "--find-links", str(folder)]
    return folder, [*pip, *options, "--require-hashes", "--no-deps"]


def lock(project, name, requirement, digest):
    text = f"{requirement} --hash=sha256:{digest}\n"
    (project / f"requirements/{name}.lock").write_text(text)


def installed(project):
    found = (project / ".venv").glob("[lL]ib*/**/site-packages/*.dist-info")
    return sorted({path.name.removesuffix(".dist-info") for path in found})  # lib64 is lib


def test_the_registrys_torch_brings_the_cuda_packages_that_it_requires(project, offers):
    _, tool = offers
    setup_venv._install_torch(tool)
    assert installed(project) == ["nvidia_cublas-13.1", "torch-2.13.0"]


def test_a_cpu_build_that_is_offered_is_taken_and_brings_none(project, offers):
    folder, tool = offers
    _, digest = make_wheel(folder, "torch", "2.13.0+cpu")
    lock(project, "torch-cpu", "torch==2.13.0+cpu", digest)
    setup_venv._install_torch(tool)
    assert installed(project) == ["torch-2.13.0+cpu"]


def test_a_cpu_build_of_another_hash_is_never_installed(project, offers):
    folder, tool = offers
    make_wheel(folder, "torch", "2.13.0+cpu")
    setup_venv._install_torch(tool)
    assert installed(project) == ["nvidia_cublas-13.1", "torch-2.13.0"]


def test_a_gpu_gets_the_registrys_torch_even_where_a_cpu_build_is_offered(
    project, offers, monkeypatch
):
    folder, tool = offers
    _, digest = make_wheel(folder, "torch", "2.13.0+cpu")
    lock(project, "torch-cpu", "torch==2.13.0+cpu", digest)
    monkeypatch.setattr(setup_venv.shutil, "which", lambda name: f"/usr/bin/{name}")
    setup_venv._install_torch(tool)
    assert installed(project) == ["nvidia_cublas-13.1", "torch-2.13.0"]


def test_a_file_of_another_hash_than_the_locked_one_ends_the_set_up(project, offers, capfd):
    _, tool = offers
    lock(project, "torch", "torch==2.13.0", "0" * 64)
    with pytest.raises(setup_venv.SetupError, match="ended with code"):
        setup_venv._install_torch(tool)
    assert "HASH" in capfd.readouterr().err.upper()
    assert installed(project) == []
