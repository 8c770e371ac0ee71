"""A table of bad days: bad values, kills, full disks, several at once. Counts tries and violations.

A violation is a traceback, an exit code that the command does not have, a hang, a half-written
file, or an act that was acknowledged and is gone. A short draw is played by default, all of it with
`-m slow`, the bad values in parts: `-k part3`.
"""

import _thread
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from bad_values import lay_down, of_command, of_settings
from gen.cli import contribute, house
from gen.cli.house_commands.marks import NOT_OURS
from gen.places import CONF
from gen.provenance.houses.house import House
from gen.provenance.records.pin import load_pin
from houses import keep_key, keep_machine_key, make_midi, start_house, tagged
from tiny_runs import call, command, environment

SCRIPTS = Path(__file__).parents[2] / "scripts"
HUNG_SECONDS = 60
PARTS = 32
STATED = ["--method", "played", "--consent", "general_model", "--composer", "ana", "--yes"]
needs_posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and SIGKILL")
pytestmark = needs_posix


@pytest.fixture
def lived_in(tmp_path, monkeypatch, own_keys):
    """A house with works and some that wait, and everybody's keys."""
    folder = tmp_path / "one" / "two" / "three"  # above which three times there is nothing else
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    found = start_house(folder / "house", pin_path=folder / "house" / "pin.yaml")
    monkeypatch.setenv("HOUSE", str(found.folder))
    for name in ("ana", "cleo", "root"):
        keep_key(name)
    keep_machine_key()
    found.enter(1, 2, 3)
    found.submit(*(tagged(make_midi(seed)) for seed in range(10, 16)))
    (folder / "new.mid").write_bytes(make_midi(20))
    lay_down(folder)
    return found


class Table:
    """What was tried and what went wrong."""

    def __init__(self, house, folder):
        self.house, self.folder = house, folder
        self.tries, self.violations, self.size = 0, [], house.load().size

    def violation(self, words, what):
        self.violations.append((" ".join(words)[:120], what))

    def check(self, words, code, said):
        """Judge one try by how it ended and what it left."""
        self.tries += 1
        if code not in (0, 2) and (code != NOT_OURS or words[1] != "detect"):
            self.violation(words, f"exit code {code}: {said[-400:]}")
        if "Traceback" in said:
            self.violation(words, f"a traceback: {said[-400:]}")
        if len(said) > 20_000:
            self.violation(words, f"{len(said)} characters are said")
        self.check_house(words)

    def check_house(self, words):
        register = House(load_pin(self.house.folder / "pin.yaml")).load()
        if register.size < self.size:
            self.violation(words, f"{self.size} acts were there, {register.size} are")
        self.size = register.size
        for left in self.folder.rglob("*.new"):
            self.violation(words, f"{left} is left")
            left.unlink()

    def end(self, capsys, what):
        with capsys.disabled():
            print(f"\n{what}: {self.tries} tries, {len(self.violations)} violations")
        assert not self.violations, self.violations


@pytest.fixture
def table(lived_in, tmp_path):
    return Table(lived_in, tmp_path)


@contextmanager
def interrupted_when_it_hangs():
    timer = threading.Timer(HUNG_SECONDS, _thread.interrupt_main)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def tried(table, script, words):
    """One try in this process."""
    try:
        with interrupted_when_it_hangs():
            done = call(SCRIPTS / script, *words)
    except KeyboardInterrupt:
        table.tries += 1
        table.violation([script, *words], "it hangs")
    except Exception as error:
        table.tries += 1
        table.violation([script, *words], f"a traceback: {error!r:.400}")
    else:
        table.check([script, *words], done.code, done.stdout + done.stderr)


def usual_words(lived_in):
    """By command, words with which it would do its work; but `seal`, which would end all, asks."""
    work, other = (entry.work for entry in lived_in.entries[:2])
    waits = lived_in.house.store.waiting()
    quick = ["--yes", "--kdf-cost", "10"]
    return {
        "init": ["--house", "second", "--name", "second", "--one-person", *quick],
        "key": ["zoe", "--kdf-cost", "10"],
        "enroll": ["zoe", "--role", "composer", *quick],
        "rotate": ["--renew", "--yes"],
        "revoke": ["ben", "--departed", "--yes"],
        "cosign": ["--yes"],
        "assert-model": ["text", "--name", "x", "--yes"],
        "seal": [],
        "sign-model": ["folder"],
        "accept": [waits[0]],
        "reject": [waits[1], "--reason", "no", "--yes"],
        "renew": [work, "--as", "ana", "--yes"],
        "withdraw": [work, "--yes"],
        "consent": [other, "--allow", "evaluation", "--yes"],
        "prove": ["--act", "0"],
        "end": ["folder"],
        "export": ["--out", "copy"],
    }


def rows_of_clicks(lived_in):
    usual = usual_words(lived_in)
    for name in house.COMMANDS:
        found = house.main.get_command(None, name)
        for words in of_command(found, usual.get(name, [])):
            yield "house.py", [name, *words]
    for words in of_command(contribute.main, ["new.mid", *STATED]):
        yield "contribute.py", words


def rows_of_settings():
    for name in ("train", "sample", "evaluate"):
        for words in of_settings(CONF, name):
            yield f"{name}.py", words


def shares(few):
    """A draw of so many rows, and of all of them every 32nd, from the first on, the second …"""
    parts = [
        pytest.param(slice(n, None, PARTS), marks=pytest.mark.slow, id=f"part{n}-")
        for n in range(PARTS)
    ]
    return pytest.mark.parametrize("share", [pytest.param(slice(few), id="draw"), *parts])


def drawn(rows, share, seed=20):
    rows = list(rows)
    random.Random(seed).shuffle(rows)  # noqa: S311 - chance, no secret
    return rows[share]


@shares(100)
def test_bad_values_for_composers_and_curators(table, lived_in, capsys, share):
    for script, words in drawn(rows_of_clicks(lived_in), share):
        tried(table, script, words)
    table.end(capsys, "bad values of house.py and contribute.py")


@shares(8)
def test_bad_values_for_researchers_and_producers(table, capsys, share):
    for script, words in drawn(rows_of_settings(), share):
        tried(table, script, words)
    table.end(capsys, "bad values of train.py, sample.py and evaluate.py")


# -- kills --------------------------------------------------------------------------------------


def killed(words, seconds, **more):
    """A command that is killed after so long: what it had said."""
    process = subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **more,
    )  # fmt: skip
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    said, talk = process.communicate()
    return process.returncode, said, talk


def acknowledged(said):
    """Works that a command said were accepted or withdrawn; a cut line says nothing."""
    lines = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    return [words[1] for words in lines if len(words) > 1 and words[0] in ("accepted", "withdrawn")]


def killed_commands(lived_in):
    waiting = iter(lived_in.house.store.waiting())
    works = iter(entry.work for entry in lived_in.entries)
    house_py = SCRIPTS / "house.py"
    return [
        [house_py, "accept", next(waiting)],
        [house_py, "accept", "--all", "--yes"],
        [house_py, "withdraw", next(works), "--yes"],
        [house_py, "consent", next(works), "--allow", "nothing", "--yes"],
        [house_py, "enroll", "fay", "--role", "composer", "--yes", "--kdf-cost", "10"],
        [house_py, "rotate", "--renew", "--yes"],
        [house_py, "prove", "--act", "0", "--out", "proof.json"],
        [house_py, "export", "--out", "copy"],
        [SCRIPTS / "contribute.py", "new.mid", *STATED],
    ]


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_commands_lose_nothing_that_they_said(table, lived_in, capsys, rounds):
    rng = random.Random(rounds)  # noqa: S311
    commands = killed_commands(lived_in)
    for words in commands * rounds if rounds > 1 else commands[1:3]:
        code, said, talk = killed(words, rng.uniform(0.25, 0.9))
        table.tries += 1
        if code not in (0, 2, -signal.SIGKILL) or "Traceback" in talk:
            table.violation(map(str, words), f"exit code {code}: {talk[-400:]}")
        with table.house.house.writing():
            pass  # the next command that writes puts in order what is left
        register = House(load_pin(lived_in.folder / "pin.yaml")).load()
        for work in acknowledged(said):
            if work not in register.works:
                table.violation(map(str, words), f"{work} was acknowledged and is gone")
        if register.size < table.size:
            table.violation(map(str, words), "acts are gone")
        table.size = register.size
        for path in (lived_in.folder.parent / "proof.json",):
            if path.exists() and not path.read_text().endswith("}\n"):
                table.violation(map(str, words), f"{path} is half written")
            path.unlink(missing_ok=True)
        shutil.rmtree(lived_in.folder.parent / "copy", ignore_errors=True)
    corpus = table.house.admit("evaluation")
    assert not corpus.refused
    assert not corpus.missing
    table.end(capsys, "kills of house.py and contribute.py")


@pytest.mark.slow
@pytest.mark.parametrize("script", ["sample.py", "evaluate.py"])
def test_killed_sampling_and_evaluation_leave_whole_files(tmp_path, monkeypatch, capsys, script):
    """The shipped model; every file that is left is whole."""
    import json

    from gen.smf import parse, split_chunks

    monkeypatch.chdir(tmp_path)
    settings = {
        "sample.py": ["out=out", "n=3", "bars=4", "sign=off"],
        "evaluate.py": ["out=out", "fast=true"],
    }[script]
    rng, tries, violations = random.Random(7), 0, []  # noqa: S311
    for _ in range(8):
        code, _, talk = killed([SCRIPTS / script, *settings], rng.uniform(1, 25))
        tries += 1
        if code not in (0, 2, -signal.SIGKILL):
            violations.append((code, talk[-400:]))
        for path in Path("out").rglob("*.mid") if Path("out").exists() else ():
            parse(split_chunks(path.read_bytes()).music)
        for path in Path("out").rglob("*.json") if Path("out").exists() else ():
            json.loads(path.read_text("utf-8"))
    with capsys.disabled():
        print(f"\nkills of {script}: {tries} tries, {len(violations)} violations")
    assert not violations, violations


# -- full disks ---------------------------------------------------------------------------------


@contextmanager
def small_disk(folder, kilobytes):
    """A disk of so many kB; skips where none may be mounted."""
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    disk = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if not (mount and unmount) or subprocess.run([mount, *disk], capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield
    finally:
        subprocess.run([unmount, str(folder)], check=True)


@pytest.mark.slow
def test_full_disks_lose_nothing(table, lived_in, tmp_path, monkeypatch, capsys):
    """Every writing command on a disk with 0, 8, 16 … kB left."""
    with small_disk(tmp_path / "disk", 4096):
        disk = tmp_path / "disk"
        for free in range(0, 120, 8):
            for words in killed_commands(lived_in):
                shutil.rmtree(disk / "house", ignore_errors=True)
                shutil.copytree(lived_in.folder, disk / "house")
                found = load_pin(disk / "house" / "pin.yaml")
                monkeypatch.setenv("HOUSE", str(disk / "house"))
                left = shutil.disk_usage(disk).free - 1024 * free
                (disk / "filling").write_bytes(bytes(max(left, 0)))
                done = subprocess.run(
                    [sys.executable, *map(str, words)], capture_output=True, text=True,
                )  # fmt: skip
                (disk / "filling").unlink()
                table.tries += 1
                if done.returncode not in (0, 2) or "Traceback" in done.stderr:
                    table.violation(map(str, words), f"{free} kB: {done.stderr[-400:]}")
                with House(load_pin(found.path)).writing() as session:
                    for work in acknowledged(done.stdout):
                        if work not in session.register.works:
                            table.violation(map(str, words), f"{free} kB: {work} is gone")
                for left_over in (disk / "house").rglob("*.new"):
                    table.violation(map(str, words), f"{free} kB: {left_over} is left")
    table.end(capsys, "full disks")


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [64, 128, 256, 384])
def test_a_run_on_a_full_disk_says_so(lived_in, tmp_path, kilobytes):
    lived_in.enter(*range(30, 50))
    (tmp_path / "secret-of-the-user").write_bytes(bytes(32))
    with small_disk(tmp_path / "disk", kilobytes):
        words = command(f"pin={lived_in.pin.path}", f"hydra.run.dir={tmp_path / 'disk' / 'run'}")
        done = subprocess.run(
            words, cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 2, done.stderr
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list((tmp_path / "disk").rglob("*.new"))


# -- several at once ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("other", ["a second run", "a withdrawal"])
def test_a_run_beside_another_command(lived_in, tmp_path, capsys, other):
    """Both end; the house is whole; a run that read what was withdrawn says so or began before."""
    lived_in.enter(*range(30, 50))
    pin = f"pin={lived_in.pin.path}"

    def start(name):
        words = command(pin, f"hydra.run.dir={tmp_path / name}")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(words, cwd=tmp_path, env=environment(), **pipes)

    (tmp_path / "secret-of-the-user").write_bytes(bytes(32))
    begun = [start("one")]
    if other == "a second run":
        begun.append(start("two"))
    else:
        time.sleep(2)
        work = lived_in.entries[-1].work
        done = call(SCRIPTS / "house.py", "withdraw", work, "--as", "ana", "--yes")
        assert done.code == 0, done.stderr
    said = [run.communicate() for run in begun]
    violations = [
        (run.returncode, talk[-600:])
        for run, (_, talk) in zip(begun, said, strict=True)
        if run.returncode not in (0, 2) or "Traceback" in talk
    ]
    with capsys.disabled():
        print(f"\na run beside {other}: {len(begun)} runs, {len(violations)} violations")
    assert not violations, violations
    assert House(load_pin(lived_in.pin.path)).load().size > 20
