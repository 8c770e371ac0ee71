"""Copies of a work wherever they lie: other houses, backups, other spellings, other caches."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import gen
from gen.cli.disclose import main as disclose
from gen.disclosure.copies import CACHES
from gen.provenance.records.run_acts import ModelDigest
from gen.smf import parse, write
from houses import TestHouse, keep_key, start_house
from mutations import record_run

INNOCENT_CACHES = {"noticed"}
"""Kept for this user, and nothing of a work in it."""


@pytest.fixture
def house(own_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestHouse:
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    keep_key("cleo")
    house = start_house(tmp_path / "house")
    house.enter(1, 2)
    return house


def copies(house: TestHouse, *words: object) -> dict:
    pin = ("--pin", str(house.pin.path), "--json")
    work = house.entries[0].work
    done = CliRunner().invoke(disclose, ["copies", work, *map(str, words), *pin])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def kinds(found: dict) -> dict[str, str]:
    return {copy["place"]: copy["kind"] for copy in found["copies"]}


def test_a_copy_that_was_saved_in_another_spelling_is_found_by_its_notes(house, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    original = house.path(house.entries[0])
    piece = parse(original.read_bytes())
    piece.tracks[0].name = "renamed in a DAW"
    (drive / "again.MID").write_bytes(write(piece))
    assert (drive / "again.MID").read_bytes()[:500] != original.read_bytes()[:500]
    (drive / "other.mid").write_bytes(house.path(house.entries[1]).read_bytes())
    (drive / "broken.mid").write_bytes(b"MThd and no more")
    found = kinds(copies(house, "--look", drive))
    assert found[str(drive / "again.MID")] == "copy"
    assert found[str(original)] == "original"
    assert len([place for place in found if place.startswith(str(drive))]) == 1


def test_a_copy_is_found_whatever_it_is_called(house, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    data = house.path(house.entries[0]).read_bytes()
    for name in ("rain.mid.bak", "no suffix", ".rain.mid.swp"):
        (drive / name).write_bytes(data)
    (drive / "rain.txt").write_bytes(b"a file of words")
    found = kinds(copies(house, "--look", drive))
    assert sorted(place for place in found if place.startswith(str(drive))) == [
        str(drive / name) for name in (".rain.mid.swp", "no suffix", "rain.mid.bak")
    ]
    copies(house, "--look", drive, "--purge", "--record", tmp_path / "record.json")
    assert [path.name for path in drive.iterdir()] == ["rain.txt"]


def test_states_of_a_run_that_was_killed_before_it_left_a_model_are_found(house, tmp_path):
    run = tmp_path / "run"
    (run / "states").mkdir(parents=True)
    (run / "states" / "000006.safetensors").write_bytes(b"weights, and the optimiser's moments")
    (run / "last.ckpt").write_bytes(b"to go on from")
    admitted = {"train": [house.entries[0].work], "validation": [], "test": []}
    (run / "corpus.json").write_text(json.dumps({"admitted": admitted}))
    found = kinds(copies(house, "--look", tmp_path))
    assert found[str(run / "states" / "000006.safetensors")] == "state of a run"
    assert found[str(run / "last.ckpt")] == "state of a run"
    for broken in ("{", "[]", '{"admitted": 3}'):
        (run / "corpus.json").write_text(broken)
        assert str(run / "last.ckpt") not in kinds(copies(house, "--look", tmp_path))


def test_backups_and_other_houses_are_found_and_no_purge_touches_them(house, tmp_path):
    backup = shutil.copytree(house.folder, tmp_path / "backups" / "monday")
    stray = tmp_path / "backups" / "stray.mid"
    shutil.copy(house.path(house.entries[0]), stray)
    kept = backup / house.entries[0].path
    found = kinds(copies(house, "--look", tmp_path / "backups"))
    assert (found[str(kept)], found[str(stray)]) == ("copy in a house's folder", "copy")
    gone = copies(house, "--look", tmp_path / "backups", "--purge", "--record", tmp_path / "r.json")
    assert [copy["place"] for copy in gone["deleted"]] == [str(stray)]
    assert (kept.exists(), stray.exists()) == (True, False)


def test_another_cache_folder_is_found_and_purged_where_it_is_named(house, tmp_path):
    other = tmp_path / "fast disk"
    events = other / "events" / "12"
    events.mkdir(parents=True)
    (events / "entry").write_bytes(b"kept by a run with another HOUSE_CACHE")
    (other / "notes.txt").write_text("somebody's own")
    assert str(other / "events") not in kinds(copies(house))
    found = kinds(copies(house, "--cache", other))
    assert found[str(other / "events")] == "cache"
    copies(house, "--cache", other, "--purge", "--record", tmp_path / "record.json")
    assert not (events / "entry").exists()
    assert (other / "notes.txt").exists()


def test_models_of_the_log_that_were_not_seen_are_named(house, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    model, _, run = record_run(house, runs, "here")
    digest = ModelDigest("gone.safetensors", 1, "b0" * 32, "b1" * 32)
    away = house.log_run([entry.work for entry in house.entries], [digest], name="away")
    (runs / "model.pt2").write_bytes(b"a program that was made of the model beside it")
    found = copies(house)
    assert {each["run"] for each in found["models_not_seen"]} == {run, away}
    found = copies(house, "--look", runs)
    assert [each["run_name"] for each in found["models_not_seen"]] == ["away"]
    models = {place for place, kind in kinds(found).items() if kind == "model"}
    assert models == {str(model), str(runs / "model.pt2")}


def test_no_cache_of_the_program_is_left_out_of_the_inventory():
    """Names that code asks a user's folder by, and kinds of sealed caches."""
    named = set()
    for path in Path(gen.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "user_folder":
                named |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
            if isinstance(node, ast.ClassDef) and any(
                getattr(base, "id", "") == "SealedCache" for base in node.bases
            ):
                named |= {
                    item.value.value.split()[0] for item in node.body
                    if isinstance(item, ast.Assign) and item.targets[0].id == "kind"
                }  # fmt: skip
    assert {"events", "lines", "screening"} <= named
    assert named - INNOCENT_CACHES == set(CACHES)


@pytest.mark.parametrize("what", ["lock", "marker", "inbox", "record"])
def test_nothing_is_purged_where_no_record_of_it_could_be_entered(house, tmp_path, what):
    copy, record = tmp_path / "drive" / "copy.mid", tmp_path / "record.json"
    copy.parent.mkdir()
    shutil.copy(house.path(house.entries[0]), copy)
    if what == "record":
        (tmp_path / "file").write_bytes(b"")
        record = tmp_path / "file" / "record.json"
    elif what == "inbox":
        shutil.rmtree(house.folder / "inbox", ignore_errors=True)
        (house.folder / "inbox").write_bytes(b"")
    else:
        lock = house.folder / f".lock{'.held' if what == 'marker' else ''}"
        lock.unlink(missing_ok=True)
        lock.mkdir()
    words = ["--look", copy.parent, "--purge", "--yes", "--record", record]
    given = [house.entries[0].work, *map(str, words), "--pin", str(house.pin.path)]
    done = CliRunner().invoke(disclose, ["copies", *given])
    assert (done.exit_code, "to mend it: " in done.output) == (2, True), done.output
    assert copy.exists()
    assert not record.exists()
