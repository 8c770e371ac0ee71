"""Every command in README.md does what it says there, in a project of its own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from gen.checkpoint import save_checkpoint
from gen.marks.containers import Midi
from gen.model import ModelConfig, Transformer
from gen.provenance.admission.gate import admit
from gen.provenance.houses.access import open_house
from gen.provenance.manifests.manifest import Manifest
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import make_midi
from tiny_runs import call

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = README + (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", DOCUMENTS, re.MULTILINE | re.DOTALL)
STATED = ["--yes", "--method", "played", "--consent", "general_model"]
PROSE = re.sub(r"^```.*?^```", "", DOCUMENTS, flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[str]:
    """Command lines of the README that begin so, without comments and prompts."""
    lines = [line for block in BLOCKS for line in block.splitlines()]
    lines += re.findall(r"`([^`]+)`", PROSE.replace("\n", " "))
    plain = [re.sub(r"\s+#.*|…", "", line.removeprefix("$ ")).strip() for line in lines]
    return list(dict.fromkeys(line for line in plain if line.startswith(program)))


def run(line: str, *more: str, names: Mapping[str, str] = MappingProxyType({})):
    """Run a README line in this process; `names` stand for its words in capitals."""
    _, script, *words = shlex.split(line)
    for name, meant in names.items():
        words = [re.sub(rf"(?<![^=]){re.escape(name)}$", lambda _, m=meant: m, w) for w in words]
    done = call(ROOT / script, *words, *more)
    assert "Traceback" not in done.stderr
    return done


def line_with(program: str, *words: str) -> str:
    """The one README line of a program that has these words and fewest others."""
    found = [x for x in commands(f"python scripts/{program}") if set(words) <= set(x.split())]
    return min(found, key=len)


@pytest.fixture
def project(tmp_path, monkeypatch, own_keys):
    """A project with a house that the README's own lines started."""
    (tmp_path / "conf" / "house").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gen.places.PROJECT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    quick = ("--yes", "--kdf-cost", "10")
    init = line_with("house.py", "init")
    assert run(init, *quick, names={"NAME": "atelier", "DIR": "data/house_midi"}).code == 0
    made = run(line_with("house.py", "key"), "--kdf-cost", "10")
    assert made.code == 0, made.stderr
    house = "python scripts/house.py"
    public = made.stdout.split()[-1]
    for line in (
        f"{house} enroll ana --role composer --public {public}",
        f"{house} enroll cleo --role curator --kdf-cost 10",
    ):
        assert run(line, "--yes").code == 0
    return tmp_path


def test_the_composers_lines_lead_from_a_file_to_a_work_and_out_again(project):
    (project / "song.mid").write_bytes(make_midi(1))
    (project / "FOLDER").mkdir()
    (project / "FOLDER" / "second.mid").write_bytes(make_midi(2))
    (project / "works.csv").write_text(
        "file,title,method,consent\nFOLDER/second.mid,Second Rain,score,general_model\n", "utf-8"
    )
    for line in commands("python scripts/contribute.py"):
        asks = not {"--check", "--yes"} & set(line.split())
        done = run(line, *(STATED if asks else []))
        assert done.code == 0, (line, done)
    assert len(list((project / "data/house_midi/inbox").glob("*.mid"))) == 2
    assert run(line_with("house.py", "accept"), "--yes").code == 0
    house = open_house()
    (first, second) = admit(house.folder, "general_model", pin=house.pin).admitted
    assert run(line_with("house.py", "consent"), names={"WORK": first.work_id}).code == 0
    done = run(line_with("house.py", "withdraw"), "--yes", names={"WORK": second.work_id})
    assert done.code == 0, done.stderr
    house = open_house()
    assert admit(house.folder, "general_model", pin=house.pin).admitted == (first,)


def test_the_refusal_that_is_shown_is_the_one_that_is_given(project):
    (block,) = (block for block in BLOCKS if block.startswith("$ python scripts/house.py audit"))
    command, *told = block.splitlines()
    place = project / "data/house_midi" / told[0].partition(":")[0]
    place.parent.mkdir()
    place.write_bytes(make_midi(3))
    done = run(command.removeprefix("$ "))
    assert done.code == 2
    assert "\n".join(told) in done.stdout


@pytest.mark.parametrize("line", commands("python scripts/house.py"))
def test_every_house_command_that_is_named_exists(line):
    words = [word for word in shlex.split(line)[2:] if word.isascii()]
    assert run(f"python scripts/house.py {words[0]} --help").code == 0


def test_prose_names_no_house_command_that_is_not_there():
    listed = call(ROOT / "scripts/house.py", "--help").stdout
    named = {line.split()[1] for line in commands("house.py")}
    sentence = next(s for s in PROSE.split("\n\n") if "answer from the records" in s)
    named |= {word for word in re.findall(r"`(\w+)`", sentence) if "." not in word}
    assert {"show", "audit", "withdraw"} <= named
    assert {name for name in named if f"\n  {name} " not in listed} == set()


@pytest.mark.parametrize("line", commands("python scripts/train.py"))
def test_the_researchers_lines_compose(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in expanded(line):
        shown = run(words, "--cfg", "job")
        assert shown.code == 0, shown.stderr
        assert "max_steps:" in shown.stdout


def expanded(line: str) -> list[str]:
    """The runs of a sweep."""
    lines = [line.replace(" -m ", " ")]
    for word in line.split() if " -m " in line else []:
        name, _, values = word.partition("=")
        choices = [f"{name}={value}" for value in values.split(",")]
        if len(choices) > 1:
            lines = [x.replace(word, choice) for x in lines for choice in choices]
    return lines


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model that knows nothing, of a house with one work, and the house's pin."""
    from houses import start_house

    folder = tmp_path_factory.mktemp("studio")
    house = start_house(folder / "house")
    house.enter(1)
    torch.manual_seed(0)
    model = Transformer(ModelConfig(1, 32, 2, 2, 0.0, 128, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    place = folder / "outputs" / "a" / "b" / "best.safetensors"
    save_checkpoint(place, model, manifest, {})
    house.record(place)
    (folder / "song.mid").write_bytes(make_midi(5))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = run(
            "python scripts/sample.py", f"pin={house.pin.path}", f"out={folder}", "n=1", "bars=2",
            "audio=false",
        )  # fmt: skip
    assert done.code == 0, done.stderr
    return folder, house.pin.path


@pytest.mark.parametrize("line", commands("python scripts/sample.py"))
def test_the_producers_lines_write_pieces(line, checkpoint, tmp_path, monkeypatch):
    folder, pin = checkpoint
    monkeypatch.chdir(folder)  # where checkpoint=last finds the model
    out = tmp_path / "out"
    more = [f"pin={pin}", f"out={out}", "audio=false"]
    (receipt,) = folder.glob("*-01.json")
    names = {"SONG.mid": str(folder / "song.mid"), "RECEIPT.json": str(receipt)}
    if "receipt=" not in line:
        more.append("n=1")
    if not re.search("(receipt|infill|accompany|harmonise|vary|sections|density)=", line):
        more.append("bars=4")
    done = run(line, *more, names=names)
    assert done.code == 0, done.stderr
    kinds = sorted(path.suffix for path in out.iterdir())
    assert kinds == [".c2pa", ".html", ".json", ".mid", ".musicxml", ".png"]
    if "receipt=" in line:
        (again,) = out.glob("*.mid")
        first = receipt.with_suffix(".mid")
        # Credentials are signed by whoever runs the line; all else is the same.
        assert Midi().without(again.read_bytes()) == Midi().without(first.read_bytes())


def test_what_make_is_asked_for_are_targets():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):(?! export).*##", makefile, re.MULTILINE))
    asked = {line.split()[1] for line in commands("make ")}
    assert {"demo", "test", "setup-composer"} <= asked <= targets


def test_what_the_readme_names_is_there():
    for place in ("conf/house", "src/starter", "data/house_midi"):
        assert place in README
        assert (ROOT / place).exists()


@pytest.mark.parametrize("line", commands("python scripts/evaluate.py"))
def test_the_line_that_evaluates_composes(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = run(line, "--cfg", "job")
    assert shown.code == 0, shown.stderr
    assert ("fast: true" in shown.stdout) == ("fast=true" in line)


@pytest.mark.parametrize("line", [*commands("python scripts/benchmark.py"),
                                  *commands("python scripts/starter_house.py")])  # fmt: skip
def test_what_measures_and_builds_takes_the_named_arguments(line):
    _, script, command, *options = shlex.split(line)
    told = call(ROOT / script, command, "--help")
    assert told.code == 0
    assert all(word in told.stdout for word in options if word.startswith("--"))


def test_the_readmes_measurements_are_among_all_of_them():
    """A figure stands in one place more, never as another one."""
    table = README.partition("## What was measured")[2].partition("## What this proves")[0]
    rows = re.findall(r"^\| .* \| (.*) \| (.*) \|$", table, re.MULTILINE)
    everything = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert len(rows) >= 5
    for figure, command in rows:
        assert f"| {figure} | {command} |" in everything, figure


def test_every_command_of_the_readme_is_covered_here():
    covered = {
        "scripts/train.py", "scripts/sample.py", "scripts/contribute.py", "scripts/house.py",
        "scripts/benchmark.py", "scripts/starter_house.py", "scripts/evaluate.py",
        "scripts/disclose.py",  # tests/disclosure
        "scripts/verify_alone.py",  # tests/provenance/test_verify_alone.py
        "scripts/studio.py",  # tests/studio
        "tests/fuzz/mutants.py",  # run by tests/fuzz
        "tests/likeness/measure.py",  # takes an hour: by hand
    }  # fmt: skip
    assert {line.split()[1] for line in commands("python ")} == covered
