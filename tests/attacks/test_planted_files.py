"""Files and links that somebody without any key plants inside a house.

Whoever may write in the folder of a house may put anything there. Nothing of it may make a
command write, move, delete or learn from a file outside, and a command that only reads changes
nothing at all.
"""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gen.disk.writing import beside
from gen.provenance.houses.house import House
from gen.provenance.houses.store import JOURNAL
from gen.provenance.records.pin import load_pin
from gen.provenance.signing.canonical import canonical, sha256_hex
from gen.provenance.signing.merkle import leaf_hash
from houses import key_of, make_midi, tagged
from tiny_runs import call, train

HOUSE = Path(__file__).resolve().parents[2] / "scripts" / "house.py"
READING = ("show", "audit", "verify", "log", "prove", "export", "train")
FOLDERS = ("ana", "inbox", "screening", "rejected", "withdrawn", JOURNAL)
RECORDS = ("roster.json", "register.jsonl", "register.head.json", "proposal.json")


@pytest.fixture
def outside(tmp_path):
    """A folder beside the house that no command has any business in."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"the user's own")
    (folder / "tune.mid").write_bytes(make_midi(99))
    return folder


@pytest.fixture
def lived_in(house, monkeypatch, tmp_path):
    """A house with works of every standing, and the keys of its people in memory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(1, 2, 3, 4, 5, 6)
    house.submit(tagged(make_midi(7)))
    return house


def contents(folder):
    """Every file below, links as where they point."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def command(house, name, tmp_path):
    """Run a reading command as its user would; it ends in 0 or 2."""
    if name == "train":
        done = train(f"pin={house.pin.path}", "trainer.max_steps=1")
    else:
        more = {
            "prove": [house.entries[0].work],
            "export": ["--out", str(tmp_path / f"export-{len(os.listdir(tmp_path))}")],
        }
        done = call(HOUSE, name, *more.get(name, []), "--pin", str(house.pin.path))
    assert done.code in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    return done


def old_plan(house, moves=(), removes=()):
    """A plan as older versions believed it: it names the last act, which anybody can read."""
    lines = (house.folder / "register.jsonl").read_bytes().splitlines()
    plan = {
        "leaf": leaf_hash(lines[-1]).hex(),
        "moves": [list(pair) for pair in moves],
        "removes": list(removes),
        "size": len(lines),
    }
    (house.folder / JOURNAL).mkdir(exist_ok=True)
    (house.folder / JOURNAL / "plan.json").write_bytes(canonical(plan))


@pytest.mark.parametrize("name", READING)
def test_planted_plan_moves_nothing_for_who_only_reads(lived_in, outside, tmp_path, name):
    (lived_in.folder / "door").symlink_to(outside, target_is_directory=True)
    (lived_in.folder / "door" / "new").write_bytes(b"a secret of the forger's")
    moves = [["door/new", "door/secret"], ["roster.json", "door/roster"], ["door/tune.mid", "in"]]
    old_plan(lived_in, moves, ["door/secret", "register.jsonl", f"ana/{lived_in.entries[0].work}"])
    before = contents(lived_in.folder), contents(outside)
    command(lived_in, name, tmp_path)
    assert (contents(lived_in.folder), contents(outside)) == before


def test_planted_plan_moves_nothing_for_who_writes(lived_in, outside, tmp_path):
    (lived_in.folder / "door").symlink_to(outside, target_is_directory=True)
    old_plan(lived_in, [["door/tune.mid", "ana/x.mid"]], ["door/secret", "roster.json"])
    before = contents(outside)
    lived_in.accept()
    assert contents(outside) == before
    assert not (lived_in.folder / "ana" / "x.mid").exists()
    (lived_in.folder / "door").unlink()
    assert len(lived_in.admit().require_clean().admitted) == 7


def test_foreign_file_in_the_journal_reaches_no_place(lived_in):
    """Under its own digest no act names it; under a work's digest it is not that work."""
    foreign, entry = make_midi(98), lived_in.entries[0]
    lived_in.path(entry).unlink()
    (lived_in.folder / JOURNAL).mkdir()
    for name in (sha256_hex(foreign), entry.file_sha256):
        (lived_in.folder / JOURNAL / name).write_bytes(foreign)
    received = []
    corpus = lived_in.admit(receive=lambda work, music: received.append(music()))
    assert [r.rule for r in corpus.missing] == ["missing-file"]
    assert len(received) == 5
    assert foreign not in received
    lived_in.accept()
    assert not lived_in.path(entry).exists()
    assert not (lived_in.folder / JOURNAL).exists()


@pytest.mark.parametrize("name", ["show", "audit", "verify", "train"])
@pytest.mark.parametrize("place", [*FOLDERS, *RECORDS])
def test_link_in_the_place_of_a_record_or_folder_is_not_followed_by_readers(
    lived_in, outside, tmp_path, place, name
):
    target = lived_in.folder / place
    if target.exists():
        target.rename(tmp_path / "taken")
    shown = outside if place in FOLDERS else outside / "secret"
    target.symlink_to(shown)
    before = contents(lived_in.folder), contents(outside)
    done = command(lived_in, name, tmp_path)
    assert contents(lived_in.folder) == before[0]
    assert contents(outside) == before[1]
    assert "the user's own" not in done.stdout + done.stderr


def writes(house):
    """Each kind of change in turn, as far as the house lets it."""
    from gen.errors import HouseError
    from gen.provenance.desk import people, works

    def enroll():
        with house.house.writing() as session:
            key = key_of("fay").public
            roster = people.enrolled(session.register, "fay", "Fay", ["composer"], key)
            people.change_roster(session, roster, [house.root])

    def withdraw():
        works.withdraw(house.house, [house.entries[1].work], key_of("ana"), "")

    def reject():
        works.reject(house.house, house.house.store.waiting()[:1], key_of("cleo"), "no")

    acts = (lambda: house.submit(tagged(make_midi(20))), reject, house.accept, withdraw, enroll)
    for act in acts:
        try:
            act()
        except HouseError as error:
            yield error


@pytest.mark.parametrize("place", [*FOLDERS, *RECORDS, ".lock"])
def test_link_in_the_place_of_a_record_or_folder_is_not_followed_by_writers(
    lived_in, outside, tmp_path, place
):
    target = lived_in.folder / place
    if target.exists():
        target.rename(tmp_path / "taken")
    target.symlink_to(outside if place in FOLDERS else outside / "secret")
    before = contents(outside)
    list(writes(lived_in))
    assert contents(outside) == before


@pytest.mark.parametrize("kind", ["link", "hard link"])
def test_link_where_new_bytes_will_wait_is_not_written_through(lived_in, outside, tmp_path, kind):
    """Under what name bytes wait to be whole follows from a file's own and the process's number.

    So it can be taken beforehand, wherever others may write: in a house that has its pin inside,
    in a folder that a command is told to write to.
    """
    inside = lived_in.folder / "pin.yaml"
    dataclasses.replace(lived_in.pin, path=inside).save()
    lived_in.house = House(load_pin(inside))
    shared = tmp_path / "shared"
    shared.mkdir()
    lay = os.symlink if kind == "link" else os.link
    for place in (inside, shared / "proof.json"):
        lay(outside / "secret", place.with_name(beside(place.name)))
    before = contents(outside)
    waiting = lived_in.house.store.waiting()[0]
    words = ("house", "accept", waiting, "--curator", "cleo")
    code, told = lived_in._run(*words)
    assert code == 0, told
    lived_in._follow_pin()
    proof = shared / "proof.json"
    code, told = lived_in._run("house", "prove", lived_in.entries[0].work, "--out", str(proof))
    assert code == 0, told
    assert contents(outside) == before
    assert not inside.is_symlink()
    assert load_pin(inside).min_size == lived_in.load().size
    assert json.loads(proof.read_bytes())["format"] == 2


def test_link_in_a_cache_that_others_may_write_in_is_not_written_through(
    house, outside, tmp_path, monkeypatch
):
    """`HOUSE_CACHE` may name a folder that a whole studio shares."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("HOUSE_CACHE", str(cache))
    monkeypatch.setattr("gen.contribution.kept._PORTION", 1)  # as if many works were new
    house.enter(1, 2, 3)
    assert house.contribute(make_midi(4)) == ""
    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        path.unlink()
        path.symlink_to(outside / "secret")
    before = contents(outside)
    assert house.contribute(make_midi(5)) == ""
    assert contents(outside) == before


@pytest.mark.parametrize("place", ["register.jsonl", "roster.json"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_record_that_is_no_file_ends_in_a_message(lived_in, tmp_path, place, kind):
    path = lived_in.folder / place
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    done = command(lived_in, "verify", tmp_path)
    assert done.code == 2, done.stdout
    assert place in done.stderr


@pytest.mark.parametrize("name", ["show", "audit", "train"])
def test_huge_sparse_screening_report_and_head_cost_nothing(lived_in, tmp_path, name):
    (lived_in.folder / "screening").mkdir(exist_ok=True)
    for place in ("screening/x.json", f"inbox/{lived_in.house.store.waiting()[0]}.screening.json"):
        with (lived_in.folder / place).open("wb") as file:
            file.truncate(200 << 30)
    command(lived_in, name, tmp_path)
    with (lived_in.folder / "register.head.json").open("r+b") as file:
        file.truncate(200 << 30)
    assert "head cannot be read" in command(lived_in, name, tmp_path).stderr


@pytest.mark.parametrize("name", ["show", "audit", "train"])
def test_name_that_breaks_the_line_begins_none_of_its_own(lived_in, tmp_path, name):
    """A file's name, and a note that nobody signed, would else say what the command never did."""
    forged = "7 files seen: 7 admitted"
    (lived_in.folder / "ana" / f"a.mid\n{forged}\n.mid").write_bytes(b"")
    (work,) = lived_in.house.store.waiting()
    lived_in.ask("reject", work, "--reason", "no", "--curator", "cleo")
    note = {"by": "cleo", "reason": f"no\n{forged}", "time": "2030-01-01T00:00:00Z"}
    (lived_in.folder / "rejected" / f"{work}.json").write_text(json.dumps(note))
    if name == "show":
        done = call(HOUSE, name, "--composer", "ana", "--pin", str(lived_in.pin.path))
    else:
        done = command(lived_in, name, tmp_path)
    said = (done.stdout + done.stderr).splitlines()
    assert any(forged in line for line in said)
    assert not [line for line in said if line.startswith(forged)]


@pytest.mark.parametrize("name", READING)
def test_unfinished_change_is_told_to_who_reads(lived_in, tmp_path, name, caplog):
    (lived_in.folder / JOURNAL).mkdir()
    done = command(lived_in, name, tmp_path)
    assert done.code == 0
    assert "interrupted in the middle of a change" in done.stderr + caplog.text
    assert (lived_in.folder / JOURNAL).exists()


def test_json_output_stays_json_while_a_change_is_unfinished(lived_in):
    (lived_in.folder / JOURNAL).mkdir()
    words = [sys.executable, str(HOUSE), "show", "--json", "--pin", str(lived_in.pin.path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert json.loads(done.stdout)["waiting"] == 1
    assert "interrupted in the middle of a change" in done.stderr
