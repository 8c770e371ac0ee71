"""The whole story through the public commands, from an empty folder to the composers' money.

People are enrolled, contribute, train and sample; a rights-holder writes, is answered, reserves; a
work is withdrawn, its copies go, the model is trained anew, the money is divided. On the way a walk
over every file looks for the work's tune; at the end each record is changed, and refused.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import disguises
from gen.cli.contribute import main as contribute
from gen.cli.disclose import main as disclose
from gen.cli.house import main as house_main
from gen.provenance.signing.canonical import today_utc
from gen.smf import write
from houses import make_midi, make_piece
from recorded_runs import RUN
from tiny_runs import SETTINGS, TRAIN, call
from traces import Tune, files_in

BARS = 14
SEEDS = tuple(range(1, 9))
PLANTED = 3
NAME = "Ana Lima"
TUNE = make_piece(PLANTED, BARS)
SAMPLE = TRAIN.with_name("sample.py")
ALONE = TRAIN.with_name("verify_alone.py")
QUICK = ("--kdf-cost", "10", "--yes")
SAYINGS = """
provider: {name: Lantern, contact: rights@lantern.example}
model: {name: lamp-2}
sources: {public: false, third_party: false, crawled: false, user_data: false, synthetic: false}
reservations: Honoured.
illegal_content: Two people sign each work.
"""


class Story:
    """A folder with everything in it: the house, its people's files, caches, runs, papers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.house, self.music = folder, folder / "house", folder / "daw"
        self.pin = self.house / "pin.yaml"
        self.work = self.complaint = ""

    def ask(self, main, *words: object, code: int = 0) -> str:
        done = CliRunner().invoke(main, [*map(str, words), "--yes", "--pin", str(self.pin)])
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    def found(self, main, *words: object) -> dict:
        return json.loads(self.ask(main, *words, "--json"))

    def run(self, script: Path, *words: str, code: int = 0):
        done = call(script, *words)
        assert done.code == code, done.stderr
        return done

    def train(self, name: str, *words: str) -> Path:
        folder = self.folder / "outputs" / name
        self.run(TRAIN, *words, f"hydra.run.dir={folder}")
        return folder

    def sample(self, run: Path, *words: str, code: int = 0):
        model = f"checkpoint={run / 'last.safetensors'}"
        return self.run(SAMPLE, model, f"pin={self.pin}", "n=1", "bars=4", *words, code=code)

    def with_tune(self) -> set[str]:
        """Every file in the whole folder that holds the work's tune, by content."""
        tune = Tune(TUNE)
        return {str(path) for path in files_in(self.folder) if tune.is_in(path)}


@pytest.fixture
def story(own_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    return Story(tmp_path)


def test_from_enrolment_to_royalties_and_a_change_of_any_record_is_refused(story):
    house_is_begun_and_people_enrolled(story)
    works_are_contributed_and_accepted(story)
    first = model_is_trained_and_writes(story)
    one_planted_excerpt_among_twenty_is_found(story, first)
    reservation_is_honoured_from_then_on(story)
    inventory_has_every_file_that_a_walk_finds(story, first)
    after_withdrawal_and_purge_only_the_kept_original_is_found(story, first)
    second, sold = model_is_trained_anew_without_it(story, first)
    money_adds_up_to_the_cent(story, sold)
    summary_counts_what_is_left(story, second)
    distributor_is_told_what_a_machine_made(story, sold)
    assert story.with_tune() == {kept_original(story)}
    name_is_erased_and_nowhere(story)
    stranger_verifies_it_all(story, second, sold)
    for record in records_of(story, second, sold):
        changed_record_is_refused(story, *record)


def house_is_begun_and_people_enrolled(story: Story) -> None:
    began = ("init", "--house", str(story.house), "--name", "lantern", *QUICK)
    done = CliRunner().invoke(house_main, began)
    assert done.exit_code == 0, done.output
    story.ask(house_main, "enroll", "ana", "--name", NAME, "--role", "composer", *QUICK)
    story.ask(house_main, "enroll", "cleo", "--role", "curator", *QUICK)
    machine = ("--role", "trainer", "--role", "producer", "--machine")
    story.ask(house_main, "enroll", "desk", *machine)


def works_are_contributed_and_accepted(story: Story) -> None:
    story.music.mkdir()
    for seed in SEEDS:
        (story.music / f"rain {seed}.mid").write_bytes(make_midi(seed, BARS))
    stated = ("--method", "score", "--consent", "general_model evaluation", "--genre", "waltz")
    words = (story.music, "--composer", "ana", *stated, "--workers", 1)
    story.ask(contribute, *words)
    assert f"{len(SEEDS)} accepted" in story.ask(house_main, "accept", "--all")
    works = story.found(house_main, "mine", "--composer", "ana")["works"]
    story.work = next(w["work"] for w in works if w["work"].startswith(f"rain-{PLANTED}-"))


def model_is_trained_and_writes(story: Story) -> Path:
    settings = (*SETTINGS.split(), *RUN, "model.context=256", f"pin={story.pin}")
    first = story.train("first", *settings)
    written(story, first, "pieces")
    return first


def written(story: Story, run: Path, name: str) -> Path:
    done = story.sample(run, f"out={story.folder / name}", "audio=false")
    return Path(done.stdout.splitlines()[0])


def one_planted_excerpt_among_twenty_is_found(story: Story, first: Path) -> None:
    theirs = story.folder / "theirs"
    theirs.mkdir()
    for seed in range(900, 920):
        (theirs / f"{seed}.mid").write_bytes(write(make_piece(seed, BARS)))
    stolen = disguises.transposed(disguises.first_bars(TUNE, 9), 4)
    (theirs / "ours.mid").write_bytes(write(stolen))
    asked, out = story.folder / "list.json", story.folder / "answer"
    words = ("fingerprint", theirs, "--holder", "Harbour Songs", "--out", asked)
    story.ask(house_main, *words)
    shutil.rmtree(theirs)  # they lie with the rights-holder
    model = ("--checkpoint", first / "last.safetensors", "--from", "Harbour Songs")
    said = story.found(disclose, "answer", asked, *model, "--out", out, "--look", story.folder)
    answer = story.found(disclose, "check", out / "answer.json")
    assert answer["entered"]["act"] == said["act"]
    found = answer["answer"]
    assert [(m["listed"], m["name"]) for m in found["matches"]] == [("ours.mid", story.work)]
    assert len(found["nothing_found_of"]) == 20
    proof = out / "proofs" / f"{story.work}.json"
    assert "proved" in story.ask(house_main, "verify", "--proof", proof)


def reservation_is_honoured_from_then_on(story: Story) -> None:
    asked = story.folder / "list.json"
    act = story.found(disclose, "reserve", asked, "--from", "Harbour Songs")["act"]
    story.complaint = str(act)
    story.ask(house_main, "complain", "--answer", act, "--text", "Entered; we withdraw one work.")
    theirs = story.folder / "again"
    theirs.mkdir()
    (theirs / "ours again.mid").write_bytes(write(disguises.transposed(make_piece(905, BARS), 2)))
    stated = ("--method", "score", "--consent", "evaluation", "--genre", "waltz")
    told = story.ask(contribute, theirs, "--composer", "ana", *stated, "--workers", 1, code=2)
    assert "reserved" in told
    assert f"which Harbour Songs reserves (act {act})" in " ".join(told.split())
    shutil.rmtree(theirs)


def inventory_has_every_file_that_a_walk_finds(story: Story, first: Path) -> None:
    copies = story.found(disclose, "copies", story.work, "--look", story.folder)["copies"]
    places = {copy["place"] for copy in copies if copy["kind"] != "cache"}
    caches = [copy["place"] for copy in copies if copy["kind"] == "cache"]
    found = story.with_tune()
    in_caches = {path for path in found if any(Path(c) in Path(path).parents for c in caches)}
    assert any("screening" in Path(path).parts for path in in_caches)
    learned = {
        str(path) for path in files_in(first)
        if path.suffix in (".safetensors", ".ckpt") or path.parent.name == "states"
    }  # fmt: skip
    assert len(learned) == 5
    assert found - in_caches | learned == places
    assert {copy["kind"] for copy in copies} == {
        "original", "copy", "cache", "model", "state of a run"
    }  # fmt: skip


def kept_original(story: Story) -> str:
    return str(story.house / "withdrawn" / f"{story.work}.mid")


def after_withdrawal_and_purge_only_the_kept_original_is_found(story: Story, first: Path) -> None:
    words = ("withdraw", story.work, "--as", "ana", "--reason", "letter of Harbour Songs")
    told = story.ask(house_main, *words)
    assert "first" in told
    record = story.folder / "purge.json"
    words = ("copies", story.work, "--purge", "--record", record, "--look", story.folder)
    done = story.found(disclose, *words, "--answers", story.complaint)
    assert {copy["kind"] for copy in done["copies"]} == {"kept original", "model", "state of a run"}
    story.ask(disclose, "check", record)
    assert story.with_tune() == {kept_original(story)}


def model_is_trained_anew_without_it(story: Story, first: Path) -> tuple[Path, Path]:
    (model,) = story.found(house_main, "impact", story.work)["models"]
    story.ask(house_main, *shlex.split(model["retire"])[2:], "--as", "cleo")
    refused = story.sample(first, f"out={story.folder / 'none'}", code=2)
    assert "retired" in refused.stderr
    shutil.rmtree(first)
    words = shlex.split(model["retrain"])[2:]
    second = story.train("second", *words, "logger=none")
    piece = written(story, second, "pieces-again")
    copies = story.found(disclose, "copies", story.work, "--look", story.folder)["copies"]
    assert [copy["place"] for copy in copies if copy["kind"] != "cache"] == [kept_original(story)]
    return second, piece


def money_adds_up_to_the_cent(story: Story, sold: Path) -> None:
    story.ask(house_main, "sell", sold, "--for", "100.01", "--as", "cleo")
    period = f"{today_utc()}..{today_utc()}"
    out = story.folder / "royalties"
    pools = ("--pool", "1000", "--of-sales", "30", "--period", period)
    found = story.found(house_main, "royalties", *pools, "--out", out, "--enter")
    assert (found["pools"]["works"], found["pools"]["sales"]) == (100_000, 3000)
    assert sum(line["cents"] for line in found["lines"]) == 103_000
    sale = [line["work"] for line in found["lines"] if line["basis"] == "sales"]
    assert len(sale) == len(SEEDS) - 1
    assert story.work not in sale
    given = story.found(house_main, "mine", "--royalties", out / "royalties.json")
    assert list(given["royalties"].values()) == [103_000]


def summary_counts_what_is_left(story: Story, second: Path) -> None:
    says, out = story.folder / "says.yaml", story.folder / "summary.md"
    says.write_text(SAYINGS)
    model = second / "last.safetensors"
    words = ("summary", model, "--says", says, "--out", out, "--enter")
    assert story.found(disclose, *words)["figures"]["works"] == len(SEEDS) - 1
    assert "summary of the model" in story.ask(disclose, "check", out)


def distributor_is_told_what_a_machine_made(story: Story, sold: Path) -> None:
    out = story.folder / "ddex.xml"
    story.ask(disclose, "ddex", sold.with_suffix(".json"), "--out", out, "--enter")
    assert "<ContainsAI>All</ContainsAI>" in out.read_text()
    assert "the log of lantern has it: act" in out.read_text()
    assert "ddex of the model" in story.ask(disclose, "check", out)


def name_is_erased_and_nowhere(story: Story) -> None:
    found = [path for path in files_in(story.folder) if NAME.encode() in path.read_bytes()]
    assert [path.parent for path in found] == [story.house / ".names"]
    story.ask(house_main, "erase", "ana")
    assert not found[0].exists()


def stranger_verifies_it_all(story: Story, second: Path, sold: Path) -> None:
    files = ("--model", second / "last.safetensors", "--piece", sold)
    words = (story.house, "--pin", story.pin, *files)
    said = story.run(ALONE, *map(str, words)).stdout
    assert "REFUSED" not in said


# -- tampering: each record, and the refusal that follows ------------------------------------------

Record = tuple[Path, Callable[[bytes], bytes], Callable[[], str], str]


def records_of(story: Story, second: Path, sold: Path) -> list[Record]:
    """Each record: its file, how it is changed, who reads it then, and what is said."""

    def house(*words: object) -> Callable[[], str]:
        return lambda: story.ask(house_main, *words, code=2)

    def check(path: Path) -> Callable[[], str]:
        return lambda: story.ask(disclose, "check", path, code=2)

    def alone() -> str:
        words = (str(story.house), "--pin", str(story.pin))
        return story.run(ALONE, *words, code=2).stdout

    def again() -> str:
        places = (f"out={story.folder / 'x'}", f"pin={story.pin}")
        words = (f"receipt={receipt}", f"checkpoint={second / 'last.safetensors'}", *places)
        return story.run(SAMPLE, *words, code=2).stderr

    def sampled() -> str:
        return story.sample(second, f"out={story.folder / 'x'}", code=2).stderr

    log = story.house / "register.jsonl"
    work = next(story.house.glob("ana/rain-1-*.mid"))
    money, receipt = story.folder / "royalties" / "royalties.json", sold.with_suffix(".json")
    (complaint,) = (p for p in story.house.glob("complaints/*.json") if b'"about":["res' in
                    p.read_bytes())  # fmt: skip
    answer, purge = story.folder / "answer" / "answer.json", story.folder / "purge.json"
    summary, listed = story.folder / "summary.md", next(story.house.glob("complaints/*.list"))
    return [
        (log, replaced(b'"reason":"letter', b'"reason":"lettre'), house("verify"),
         "the signature of ana does not verify"),
        (log, replaced(b'"reason":"letter', b'"reason":"lettre'), alone,
         "no signature of ana over this"),
        (log, replaced(b'"cents":10001', b'"cents":10002'), house("audit"),
         "its history was rewritten"),
        (work, replaced(b'"payload":"ey', b'"payload":"fy'), house("audit"),
         f"ana/{work.name}: refused (bad-envelope)"),
        (answer, replaced(b'"payload":"ey', b'"payload":"fy'), check(answer),
         "the signature of cleo does not hold: the answer was changed"),
        (purge, replaced(b'"payload":"ey', b'"payload":"fy'), check(purge),
         "the signature of cleo does not hold: the record of a purge was changed"),
        (money, replaced(b'"cents": ', b'"cents": 1'), check(money), "changed since"),
        (money, replaced(b'"cents": ', b'"cents": 1'), house("mine", "--royalties", money),
         "do not add up"),
        (summary, replaced(b"Lantern", b"Lampion"), check(summary), "changed since"),
        (complaint, replaced(b"Harbour", b"Harbor"), house("complain", "--list"),
         "the log names another record"),
        (listed, replaced(b"ours.mid", b"your.mid"), sampled,
         "the list of a reservation is gone, or another"),
        (receipt, replaced(b'"seed": ', b'"seed": 1'), again,
         "claims seed 11, it is 1 to mend it: the receipt was changed: do not believe it"),
    ]  # fmt: skip


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def changed_record_is_refused(
    story: Story, path: Path, change: Callable[[bytes], bytes], read: Callable[[], str], words: str
) -> None:
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert words in " ".join(read().split())
    path.write_bytes(before)
