"""Names of people lie beside the log: shown while they are there, and erased without a trace."""

from __future__ import annotations

import errno
import importlib
import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gen.disk import write_atomically
from gen.errors import HouseError
from gen.provenance.houses.export import export_records
from gen.provenance.houses.house import House
from gen.provenance.houses.names import names_of
from gen.provenance.records.pin import load_pin
from houses import start_house
from traces import files_in

ALONE = Path(__file__).parents[2] / "scripts" / "verify_alone.py"
NAME = "Ana Lima-Öz"


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "house"
        self.ask("init", "--name", "lantern", "--one-person", "--kdf-cost", "10")

    def ask(self, *words: str, code: int = 0) -> str:
        main = importlib.import_module("gen.cli.house").main
        usual = ("--house", str(self.folder), "--yes")
        done = CliRunner().invoke(main, [*words, *usual])
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    def enroll(self, *words: str, code: int = 0) -> str:
        return self.ask("enroll", *words, "--kdf-cost", "10", code=code)

    @property
    def house(self) -> House:
        return House(load_pin(self.folder / "pin.yaml"))

    def bytes_with(self, text: str) -> list[str]:
        return [
            path.relative_to(self.folder).as_posix()
            for path in files_in(self.folder)
            if text.encode() in path.read_bytes()
        ]


@pytest.fixture
def desk(own_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path)
    desk.enroll("c7", "--name", NAME, "--role", "composer")
    return desk


def test_a_name_is_shown_and_lies_beside_the_log_alone(desk):
    assert NAME in desk.ask("show", "--people")
    people = json.loads(desk.ask("show", "--people", "--json"))["people"]
    assert {p["id"]: p["name"] for p in people}["c7"] == NAME
    (kept,) = desk.bytes_with(NAME)
    assert kept.startswith(".names/")
    assert ".names/" in (desk.folder / ".gitignore").read_text()
    assert desk.house.load().roster.person("c7").lasting_name == "c7"


def test_an_erased_name_is_nowhere_and_every_proof_holds(desk, tmp_path, monkeypatch):
    desk.enroll("d4", "--role", "curator")  # another version of the roster with the name
    proof = tmp_path / "proof.json"
    desk.ask("prove", "--act", "1", "--out", str(proof))
    before = (desk.folder / "register.jsonl").read_bytes()
    assert "which 2 versions of the roster had" in desk.ask("erase", "c7")
    assert desk.bytes_with(NAME) == []
    assert (desk.folder / "register.jsonl").read_bytes() == before
    desk.ask("verify")
    desk.ask("audit")
    assert "proved" in desk.ask("verify", "--proof", str(proof))
    shown = json.loads(desk.ask("show", "--people", "--json"))["people"]
    assert {p["id"]: p["name"] for p in shown}["c7"] == "c7"
    desk.ask("export", "--out", str(tmp_path / "records"))
    words = [str(ALONE), str(tmp_path / "records"), "--pin", str(tmp_path / "records" / "pin.yaml")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ALONE), run_name="__main__")
    assert ended.value.code == 0
    desk.ask("rotate", "--renew")
    assert desk.bytes_with(NAME) == []


def test_the_same_name_twice_is_two_digests_so_that_nobody_can_tell_by_trying(desk):
    desk.enroll("d4", "--name", NAME, "--role", "composer")
    first, second = (desk.house.load().roster.person(who).name for who in ("c7", "d4"))
    assert first != second
    desk.ask("erase", "c7")
    assert names_of(desk.house, desk.house.load())["d4"] == NAME


def test_a_changed_record_of_a_name_is_refused_and_no_other_name_takes_its_place(desk):
    (kept,) = (desk.folder / ".names").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"Ana", b"Eva"))
    with pytest.raises(HouseError, match="the roster names another record"):
        names_of(desk.house, desk.house.load())
    assert "the roster names another record" in desk.ask("show", "--people", code=2)


def test_names_that_a_log_has_in_plain_words_are_said_to_stay(desk, tmp_path):
    old = start_house(tmp_path / "old")
    main = importlib.import_module("gen.cli.house").main
    words = ["erase", "ana", "--yes", "--pin", str(old.pin.path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "has the name of ana in plain words (roster version 1)" in done.output
    desk.enroll("d4", "--role", "curator")
    assert "no name of d4" in desk.ask("erase", "d4", code=2)
    assert "'e5' is not enrolled" in desk.ask("erase", "e5", code=2)


def test_who_is_not_enrolled_leaves_no_name_behind(desk, monkeypatch):
    shutil.rmtree(Path(desk.folder) / ".names")
    monkeypatch.delenv("HOUSE_PASSPHRASE")
    desk.enroll("d4", "--name", "Dana Day", "--role", "curator", code=2)
    assert desk.bytes_with("Dana Day") == []


@pytest.mark.parametrize("interrupted", [BrokenPipeError, KeyboardInterrupt])
def test_the_name_of_somebody_who_was_enrolled_stays_where_it_cannot_be_said(
    desk, monkeypatch, interrupted
):
    def fail(*_: object) -> None:
        raise interrupted

    monkeypatch.setattr("gen.cli.house_commands.people._show_change", fail)
    main = importlib.import_module("gen.cli.house").main
    words = ["--name", "Dana Day", "--role", "curator", "--kdf-cost", "10", "--yes"]
    CliRunner().invoke(main, ["enroll", "d4", *words, "--house", str(desk.folder)])
    house = desk.house
    assert names_of(house, house.load())["d4"] == "Dana Day"


def test_half_a_copy_of_the_records_does_not_stay(tmp_path, monkeypatch):
    house = start_house(tmp_path / "house").house
    house.load()
    written = []

    def fill(path, data):
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        written.append(path)
        write_atomically(path, data)

    monkeypatch.setattr("gen.provenance.houses.export.write_atomically", fill)
    with pytest.raises(OSError, match="No space"):
        export_records(house, tmp_path / "copy", [["work"]])
    assert len(written) == 2
    assert not (tmp_path / "copy").exists()
