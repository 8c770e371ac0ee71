"""Papers about a model: card, bill of materials, summary, each figure held against the house."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gen.cli.disclose import main as disclose
from gen.data.admission import take_in
from gen.data.splits import SplitConfig
from gen.evaluation.report.headlines import headlines
from gen.provenance.desk import people
from gen.provenance.desk.works import withdraw
from gen.provenance.houses.house import House
from gen.provenance.manifests.model_file import read_model_file
from gen.provenance.records.pin import load_pin
from gen.provenance.signing.canonical import TIME_FORMAT
from gen.provenance.signing.keys import PrivateKey
from gen.tokens.tokenizer import HouseTokenizer
from houses import TestHouse, keep_key, key_of, make_piece
from mutations import change
from recorded_runs import Trained, trained
from starter.datasheet import write_croissant
from tiny_runs import TRAIN, call

SEEDS = tuple(range(1, 7))
BEGINNING = (
    "trainer.accelerator=cpu", "trainer.max_steps=1", "trainer.val_check_interval=1",
    "trainer.precision=32", "trainer.compile=false", "data.training_window=32",
    "data.batch_size=4", "logger=none",
)  # fmt: skip
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A house and a recorded run, all of it yesterday."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gen.disk.seals.secret_path", lambda: folder / "secret")
        patch.setenv("HOUSE_KEYS", str(folder / "keys"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        time = YESTERDAY.strftime(TIME_FORMAT)
        patch.setattr(PrivateKey, "now", lambda self: time)
        patch.setattr("gen.provenance.houses.founding.utc_now", lambda: time)
        return trained(folder)


@pytest.fixture
def desk(kept: Trained, own_keys: Path) -> Trained:
    shutil.copytree(kept.folder.parent / "keys", own_keys)
    return kept


@pytest.fixture
def copied(desk: Trained, tmp_path: Path) -> Trained:
    """The same in a copy of the house, which a test may change."""
    folder = shutil.copytree(desk.house.folder, tmp_path / "house")
    pin = dataclasses.replace(
        load_pin(desk.house.pin.path), dir=folder, path=tmp_path / "lantern.yaml"
    )
    pin.save()
    return Trained(TestHouse(House(pin), list(desk.house.entries)), desk.folder)


def paper(desk: Trained, *words: object, model: Path | None = None) -> tuple[int, str]:
    name, *more = map(str, words)
    pin = ("--pin", str(desk.house.pin.path))
    done = CliRunner().invoke(disclose, [name, str(model or desk.last), *more, *pin])
    assert done.exit_code in (0, 2), (done.output, done.exception)
    return done.exit_code, done.output


def found(desk: Trained, *words: object, model: Path | None = None) -> dict:
    code, said = paper(desk, *words, "--json", model=model)
    assert code == 0, said
    return json.loads(said)


def report_on(desk: Trained, path: Path, sha256: str = "") -> Path:
    """What an evaluation leaves, as far as papers read it."""
    figure = {"value": 3.25, "low": 3.0, "high": 3.5, "n": 2, "groups": 2}
    likelihood = {"models": {"tiny": {"bits_per_note": figure}}, "against": []}
    digest = sha256 or read_model_file(desk.last).file_sha256
    report = {
        "format": "gen evaluation 2", "split": "test", "fast": False, "notes": ["Few works."],
        "models": [{"name": "tiny", "sha256": digest}],
        "headlines": headlines({"likelihood": likelihood}),
    }  # fmt: skip
    path.write_text(json.dumps(report))
    return path


def test_card_has_the_figures_of_the_works_and_of_the_log(desk):
    card = found(desk, "card")
    notes = sum(make_piece(seed).note_count for seed in SEEDS)
    assert (card["figures"]["works"], card["figures"]["notes"]) == (len(SEEDS), notes)
    text, model = card["card"], read_model_file(desk.last)
    register = desk.house.load()
    assert f"{len(SEEDS)} works of lantern by 1 composers" in text
    assert f"`{model.file_sha256}`" in text
    assert f"root `{register.root_at(register.size)}`" in text
    assert "- steps: 6" in text
    assert "No evaluation was named" in text


def test_sides_on_a_card_are_those_that_the_run_had(desk):
    settings = read_model_file(desk.last).about["run"]["settings"]
    shares = SplitConfig(**settings["data"]["split"])
    pin = load_pin(desk.house.pin.path)
    had = take_in(pin.dir, pin, "general_model", shares, HouseTokenizer())
    sides = {side: [had.ids[i] for i in places] for side, places in had.sides.items()}
    assert all(sides.values())
    assert found(desk, "card")["sides"] == sides


def test_numbers_in_a_model_are_its_parameters(desk):
    from gen.checkpoint import load_checkpoint
    from gen.model import parameter_count

    numbers = read_model_file(desk.last).parameters
    assert numbers == parameter_count(load_checkpoint(desk.last).model)
    assert f"| numbers in it | {numbers:,} |" in found(desk, "card")["card"]


def test_card_takes_figures_of_a_report_on_this_model_and_of_no_other(desk, tmp_path):
    text = found(desk, "card", "--report", report_on(desk, tmp_path / "report.json"))["card"]
    assert "| 3.25 | 3 to 3.5 | 2 |" in text
    assert "- Few works." in text
    other = report_on(desk, tmp_path / "other.json", sha256="ab" * 32)
    code, said = paper(desk, "card", "--report", other)
    assert code == 2
    assert "is a report on other models: tiny" in said
    other.write_text("[]")
    assert "is no report of an evaluation" in paper(desk, "card", "--report", other)[1]
    other.write_text("[" * 100_000)
    code, said = paper(desk, "card", "--report", other)
    assert (code, "nested deeper" in said) == (2, True)


def breach_of_schema(bom: dict) -> object:
    """What the schema of bills of materials forbids in one; it takes seconds to load."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom))


def test_bill_of_materials_is_valid_and_names_every_work_by_digest(desk, tmp_path):
    report = report_on(desk, tmp_path / "report.json")
    bom = found(desk, "bom", "--report", report)["bom"]
    assert not breach_of_schema(bom)
    model = bom["metadata"]["component"]
    assert model["hashes"][0]["content"] == read_model_file(desk.last).file_sha256
    (works,) = bom["components"]
    digests = {each["hashes"][0]["content"] for each in works["components"]}
    assert digests == {entry.file_sha256 for entry in desk.house.entries}
    (metric,) = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metric["confidenceInterval"] == {"lowerBound": "3.0", "upperBound": "3.5"}
    assert bom["compositions"][0]["aggregate"] == "complete"
    bom["components"][0]["colour"] = "red"
    assert breach_of_schema(bom)


def test_papers_name_the_model_that_a_run_began_with(copied, tmp_path):
    out = tmp_path / "next"
    words = (f"pin={copied.house.pin.path}", f"init={copied.last}", f"hydra.run.dir={out}")
    done = call(TRAIN, *BEGINNING, *words)
    assert done.code == 0, done.stderr
    base, model = read_model_file(copied.last), out / "last.safetensors"
    text = found(copied, "card", model=model)["card"]
    assert f"began with the weights of {base.file_sha256} (lantern, {len(SEEDS)} works" in text
    bom = found(copied, "bom", model=model)["bom"]
    assert not breach_of_schema(bom)
    (ancestor,) = bom["metadata"]["component"]["pedigree"]["ancestors"]
    assert ancestor["hashes"][0]["content"] == base.file_sha256


def test_papers_as_of_a_day_know_nothing_of_what_came_later(copied):
    withdraw(copied.house.house, [copied.house.entries[0].work], key_of("ana"), "they asked")
    day = YESTERDAY.date()
    now, then = found(copied, "card"), found(copied, "card", "--as-of", day)
    assert now["figures"]["withdrawn"] == 1
    assert then["figures"]["withdrawn"] == 0
    size = House(load_pin(copied.house.pin.path)).load().size
    assert f"as of {day}: {size - 1} acts" in then["card"]
    code, said = paper(copied, "card", "--as-of", day - timedelta(days=1))
    assert code == 2
    assert "the house has no act of" in said


def said_of(found: dict, path: Path) -> list[str]:
    """What MLCommons' own command says of a data set; nothing where it is content.

    In a process of its own: importing it takes the logging of this one over.
    """
    path.write_text(json.dumps(found))
    words = (sys.executable, "-m", "mlcroissant.scripts.validate", "--jsonld", str(path))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    if done.returncode == 0:
        assert lines[-1].endswith("Done.")
        lines.pop()
    return lines


def test_data_set_behind_a_model_is_valid_croissant_and_has_every_work(desk, tmp_path):
    data = found(desk, "dataset")["dataset"]
    assert said_of(data, tmp_path / "croissant.json") == []
    log, *files = data["distribution"]
    text = (desk.house.folder / "register.jsonl").read_bytes()
    assert log["sha256"] == hashlib.sha256(text).hexdigest()
    there = {(file["contentUrl"], file["sha256"]) for file in files}
    assert there == {(entry.path, entry.file_sha256) for entry in desk.house.entries}
    rows = data["recordSet"][1]["data"]
    assert sum(row["works/notes"] for row in rows) == sum(make_piece(s).note_count for s in SEEDS)
    assert {row["works/composers"] for row in rows} == {"ana:100"}
    assert data["rai:dataCollectionTimeFrame"] == [YESTERDAY.date().isoformat()] * 2


def test_data_set_whose_field_is_of_no_kind_is_found_wanting(desk, tmp_path):
    data = found(desk, "dataset")["dataset"]
    del data["recordSet"][0]["field"][0]["source"]
    data["recordSet"][0]["field"][0].pop("dataType")
    assert said_of(data, tmp_path / "croissant.json")


def test_starter_corpus_is_described_as_croissant_has_it(desk, tmp_path):
    path = tmp_path / "croissant.json"
    write_croissant([], desk.house.folder, path)
    data = json.loads(path.read_text("utf-8"))
    assert said_of(data, path) == []


# -- in the log ----------------------------------------------------------------------------------


def asked(desk: Trained, *words: object, code: int = 0) -> str:
    pin = ("--yes", "--pin", str(desk.house.pin.path))
    done = CliRunner().invoke(disclose, [*map(str, words), *pin])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


@pytest.fixture
def curated(copied: Trained) -> Trained:
    keep_key("cleo")
    return copied


@pytest.mark.parametrize("kind", ["card", "bom", "dataset"])
def test_paper_that_was_entered_is_known_again_and_one_changed_by_a_byte_is_not(
    curated, tmp_path, kind
):
    file = tmp_path / "paper"
    act = found(curated, kind, "--out", file, "--enter")["act"]
    said = asked(curated, "check", file)
    model = read_model_file(curated.last).file_sha256
    assert f"paper: {kind} of the model {model}, entered by cleo, " in said
    assert said.rstrip().endswith(f"act {act}")
    assert curated.house.load().size == act + 1
    file.write_bytes(file.read_bytes().replace(b"lantern", b"Lantern", 1))
    refused = asked(curated, "check", file, code=2)
    assert "is no paper that the log of lantern has (1 are in it): changed since" in refused


def test_any_file_is_entered_by_hand_and_only_by_a_curator(curated, tmp_path):
    file = tmp_path / "page.pdf"
    file.write_bytes(b"a summary as it was laid out")
    assert "is no paper that the log" in asked(curated, "check", file, code=2)
    asked(curated, "enter", file, "--kind", "summary", "--about", curated.last)
    assert "page.pdf: summary of the model" in asked(curated, "check", file)
    assert "is no curator" in asked(
        curated, "enter", file, "--kind", "summary", "--curator", "machine", code=2
    )
    assert "names no kind of paper" in asked(curated, "enter", file, "--kind", "a\nb", code=2)
    code, said = paper(curated, "card", "--enter")
    assert (code, "add --out" in said) == (2, True)


def test_papers_of_a_key_that_was_stolen_by_then_are_no_papers_of_the_house(curated, tmp_path):
    file = tmp_path / "page"
    file.write_bytes(b"forged")
    asked(curated, "enter", file, "--kind", "summary")
    house = curated.house
    house._follow_pin()
    at = house.load().papers[0].index
    change(house, lambda r: people.compromised(r, "cleo", at))
    assert "is no paper that the log" in asked(curated, "check", file, code=2)
