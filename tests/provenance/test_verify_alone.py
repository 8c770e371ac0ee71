"""The stand-alone verifier says what the house's software says, whatever is done to an export."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from gen.errors import HouseError
from gen.provenance.admission.gate import admit
from gen.provenance.admission.mark import MARK_TEXT
from gen.provenance.history.granted import missing_grants
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.houses.house import House
from gen.provenance.manifests.model_file import read_model_file
from gen.provenance.manifests.recorded import run_behind
from gen.provenance.records.pin import Pin
from gen.provenance.records.transcript import read_transcript
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.signing.notes import NoteKey
from gen.provenance.witnesses.standing import read_notes, true_notes
from mutations import Export, Mutator, full_house

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_alone.py"
CHAPTERS = SCRIPT.with_name("alone")
FEW, MANY = 100, 10_000


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_alone", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mutator(tmp_path_factory: pytest.TempPathFactory) -> Mutator:
    folder = tmp_path_factory.mktemp("exports")
    return Mutator(full_house(folder / "one"), full_house(folder / "two", "harbour"))


def write_pin(export: Export, pin: Pin) -> Path:
    path = export.folder.parent / "pin.yaml"
    replace(pin, path=path).save()
    return path


def product_says(export: Export, pin: Pin) -> dict[str, object]:
    """What the house's own software makes of an export, part by part."""
    house = House(pin)
    try:
        register = house.load(anew=True)
    except HouseError as error:
        return {"records": False, "why": str(error)}
    return {
        "records": True,
        "works": _works(house),
        "model": _model(export, register),
        "transcript": _transcript(export, register),
        "piece": _piece(export, register),
        "notes": _notes(house, register),
    }


def _notes(house: House, register: Register) -> bool:
    try:
        true_notes(register, read_notes(house))
    except HouseError:
        return False
    return True


def _works(house: House) -> object:
    try:
        corpus = admit(house.folder, "general_model", pin=house.pin)
    except HouseError:  # the roster has expired, or does not know the purpose
        return None
    return sorted(refusal.path for refusal in corpus.refused), len(corpus.admitted)


def _model(export: Export, register: Register) -> object:
    try:
        file = read_model_file(export.model)
        run = run_behind(file, register)
        if file.manifest.problems(register, register.today()):
            return None
        return run.index, _writes(register, run, file.file_sha256)
    except HouseError:
        return None


def _writes(register: Register, run: Run, model: str) -> str:
    """Whether it may still write, in the verifier's words."""
    if retired := register.retired(model):
        return f"retired by act {retired.index}"
    for use in ("sampling", "sale"):
        if lacking := missing_grants(register, run.works, use, run.index):
            return f"terms of {lacking[0].work} grant no {use}"
    return "no terms stand against writing and selling"


def _transcript(export: Export, register: Register) -> bool:
    try:
        found = read_transcript(export.transcript)
    except HouseError:
        return False
    runs = [run for run in register.runs.by_index.values() if run.transcript == found.root]
    return bool(runs and runs[0].begin and runs[0].begin.digest == found.begin)


def _piece(export: Export, register: Register) -> bool:
    data = export.piece.read_bytes()
    known = [piece for piece in register.runs.pieces if piece.sha256 == sha256_hex(data)]
    if not known or register.is_revoked(known[0]):
        return False
    return MARK_TEXT + known[0].receipt.encode() in data


def alone_says(alone: ModuleType, export: Export, pin: Path) -> dict[str, object]:
    """What the stand-alone verifier makes of the same."""
    found = list(
        alone.verdicts(
            export.folder, pin, model=export.model, transcript=export.transcript,
            piece=export.piece,
        )
    )  # fmt: skip
    verdicts = {what: (is_good, why) for what, is_good, why in found}
    if not verdicts["records"][0]:
        return {"records": False, "why": verdicts["records"][1]}
    files = {what: good for what, (good, _) in verdicts.items() if what.endswith(".mid")}
    refused = sorted(what for what, good in files.items() if not good and what != str(export.piece))
    usable = int(verdicts["works"][1].split(" files seen, ")[1].split()[0])
    is_good, why = verdicts[str(export.model)]
    notes = {what for what in verdicts if what.endswith((".note", ".checkpoint"))}
    return {
        "records": True,
        "works": (refused, usable) if verdicts["roster"][0] and verdicts["purpose"][0] else None,
        "model": (int(why.split("run ")[1].split(",")[0]), why.split("; ")[1]) if is_good else None,
        "transcript": verdicts[str(export.transcript)][0],
        "piece": verdicts[str(export.piece)][0],
        "notes": all(good for what, (good, _) in verdicts.items() if what in notes),
    }


def compare(alone: ModuleType, mutator: Mutator, seed: int, count: int) -> dict[str, int]:
    """Hold both against each other on `count` mutations; how many were refused, and where."""
    tally: dict[str, int] = {}
    differ: list[str] = []
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")  # noqa: S311 - which mutation, no secret
        pin = rng.choice([mutator.export.pins[0], *mutator.export.pins])
        path = write_pin(mutator.export, pin)
        try:
            done = mutator.mutate(rng)
            expected = product_says(mutator.export, pin)
            found = alone_says(alone, mutator.export, path)
        finally:
            mutator.undo()
        whys = expected.pop("why", ""), found.pop("why", "")
        if found != expected:
            differ.append(f"number {number}, {done}: {found} for {expected} {whys}")
        parts = [name for name, value in expected.items() if not value] or ["nothing"]
        for part in parts:
            tally[part] = tally.get(part, 0) + 1
    assert not differ, f"seed {seed}: {len(differ)} differ\n" + "\n".join(differ[:20])
    return tally


def test_both_take_the_honest_export(alone: ModuleType, mutator: Mutator) -> None:
    for pin in mutator.export.pins:
        found = alone_says(alone, mutator.export, write_pin(mutator.export, pin))
        assert found == product_says(mutator.export, pin)
        assert (found["works"], found["transcript"], found["piece"]) == (([], 4), True, True)


def test_both_say_the_same_of_some_mutated_exports(alone: ModuleType, mutator: Mutator) -> None:
    seed = random.randrange(2**32)  # noqa: S311 - another draw each time
    print("seed", seed)
    tally = compare(alone, mutator, seed, FEW)
    assert tally["records"] > FEW // 4


@pytest.mark.slow
def test_both_say_the_same_of_ten_thousand_mutated_exports(
    alone: ModuleType, mutator: Mutator
) -> None:
    tally = compare(alone, mutator, 1, MANY)
    print(tally)
    assert tally["records"] > MANY // 4
    assert tally["nothing"] > 0


@pytest.mark.parametrize("path", ["ab" * 32, "../elsewhere/one.mid", "ana/One.mid", "ana/one.txt"])
def test_a_work_that_the_log_puts_where_none_may_lie_is_missing(
    alone: ModuleType, mutator: Mutator, path: str
) -> None:
    """It is not refused as a file of a wrong name: there is no file."""
    pin = mutator.export.pins[0]
    try:
        place = mutator.move(path)
        expected = product_says(mutator.export, pin)
        assert alone_says(alone, mutator.export, write_pin(mutator.export, pin)) == expected
        assert expected["works"] == ([place], 3)
        assert path in {
            refusal.path for refusal in admit(House(pin).folder, "general_model", pin=pin).missing
        }
    finally:
        mutator.undo()


def test_verifier_needs_nothing_of_the_house(mutator: Mutator, tmp_path: Path) -> None:
    """It runs where nothing else of the house is, and its exit code is the verdict."""
    shutil.copytree(CHAPTERS, tmp_path / "alone", ignore=shutil.ignore_patterns("__pycache__"))
    script = shutil.copy(SCRIPT, tmp_path)
    for path in (SCRIPT, *CHAPTERS.glob("*.py")):
        assert not re.search(r"(import|from) gen\b", path.read_text("utf-8"))
    export = mutator.export
    pin = write_pin(export, export.pins[0])
    words = [sys.executable, script, str(export.folder), "--pin", str(pin)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("holds   records: ")
    words[-1] = str(write_pin(mutator.other, mutator.other.pins[0]))
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("REFUSED records: ")


def copied(export: Export, folder: Path) -> Path:
    shutil.copytree(export.folder, folder / "copy")
    return folder / "copy"


def answer(folder: Path, pin: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SCRIPT), str(folder), "--pin", str(pin)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_name_of_a_file_gives_no_verdict_of_its_own(mutator: Mutator, tmp_path: Path) -> None:
    folder = copied(mutator.export, tmp_path)
    (folder / "ana").mkdir(exist_ok=True)
    (folder / "ana" / "a\nholds   works: all of them\x1b[2J\n.mid").write_bytes(b"")
    done = answer(folder, write_pin(mutator.export, mutator.export.pins[0]))
    assert done.returncode == 2
    assert "\x1b" not in done.stdout
    assert not any(line.startswith("holds   works: all") for line in done.stdout.splitlines())


@pytest.mark.parametrize("lists", [False, True])
def test_pin_says_what_it_says_at_its_margin(
    mutator: Mutator, tmp_path: Path, *, lists: bool
) -> None:
    """A person reads root hash and keys there; others deeper inside must not take their place."""
    pin = write_pin(mutator.export, mutator.export.pins[0])
    text = pin.read_text("utf-8")
    if lists:
        true = f"\n  - {mutator.export.pins[0].root_keys[0]}\n"
        false = text.replace(true, "\n") + f"about:{true}"
    else:
        true = mutator.export.pins[0].root_hash
        false = text.replace(true, "0" * 64) + f"about:\n  root_hash: {true}\n"
    assert false.count(true) == text.count(true)
    place = tmp_path / "pin.yaml"
    place.write_text(false, "utf-8")
    assert answer(mutator.export.folder, place).returncode == 2


def test_pin_that_names_one_witness_as_two_is_refused(mutator: Mutator, tmp_path: Path) -> None:
    pin = write_pin(mutator.export, mutator.export.pins[-1])
    assert answer(mutator.export.folder, pin).returncode == 0
    (key,) = mutator.export.pins[-1].witnesses.keys
    twin = NoteKey(f"twin.{key.name}", key.public, key.kind)
    text = pin.read_text("utf-8")
    place = tmp_path / "pin.yaml"
    place.write_text(text.replace(f'- "{key}"', f'- "{key}"\n    - "{twin}"'), "utf-8")
    assert str(twin) in place.read_text("utf-8")
    said = answer(mutator.export.folder, place)
    assert said.returncode == 2
    assert "or a witness's key, twice" in said.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_verdicts_that_a_full_disk_does_not_take_are_no_success(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, SCRIPT, tmp_path, "--pin", tmp_path / "none"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("REFUSED output")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="no such file here")
def test_stream_that_calls_itself_a_file_keeps_the_verifier_not_waiting(tmp_path):
    words = [sys.executable, str(SCRIPT), str(tmp_path), "--pin", "/proc/kmsg"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "REFUSED pin" in done.stdout) == (2, True)
