"""A letter from beginning to end, through the commands: asked, found, answered, checked, purged."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

import disguises
from gen.cli.disclose import main as disclose
from gen.cli.house import main as house_main
from gen.contribution import Contributor, Job, Outcome, Settings
from gen.contribution.facts import Facts
from gen.errors import HouseError
from gen.provenance.desk.complaints_desk import cases
from gen.provenance.desk.reservations import Reserved
from gen.provenance.desk.works import withdraw
from gen.provenance.houses.house import House
from gen.provenance.manifests.model_file import read_model_file
from gen.provenance.manifests.recorded import run_behind
from gen.provenance.records.pin import load_pin
from gen.smf import write
from houses import (
    keep_key,
    keep_machine_key,
    key_of,
    make_midi,
    make_piece,
    start_house,
    tagged,
)
from recorded_runs import FROM_A_BASE, RUN
from tiny_runs import TRAIN, call, train

BARS = 14
SEEDS = tuple(range(1, 9))
PLANTED = 3
SCRIPTS = Path(__file__).parents[2] / "scripts"
SAMPLE, ALONE = SCRIPTS / "sample.py", SCRIPTS / "fingerprint_alone.py"


class Desk:
    """A house with a model of its eight works and a piece by it; cleo's key is at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = start_house(folder / "house")
        titles = [f"Rain {seed}" for seed in SEEDS]
        works = [
            tagged(make_midi(seed, BARS), title=title, house=found.load().roster.identity)
            for seed, title in zip(SEEDS, titles, strict=True)
        ]
        found.submit(*works)
        assert len(found.accept().entered) == len(SEEDS)
        keep_machine_key()
        keep_key("cleo")
        self.house = found
        run = folder / "outputs" / "run"
        done = train(*RUN, f"pin={found.pin.path}", f"hydra.run.dir={run}", "model.context=256")
        assert done.code == 0, done.stderr
        self.model = run / "last.safetensors"

    @property
    def planted(self) -> str:
        return next(e.work for e in self.house.entries if e.title == f"Rain {PLANTED}")

    def ask(self, *words: object, main=disclose) -> tuple[int, str]:
        pin = ["--pin", str(self.house.pin.path)]
        done = CliRunner().invoke(main, [*map(str, words), *pin])
        assert done.exit_code in (0, 2), (done.output, done.exception)
        return done.exit_code, done.output

    def list_of(self, *, is_planted: bool = True) -> Path:
        """Twenty innocents and, among them, eight bars of one of the house's works in disguise."""
        music = self.folder / "theirs"
        shutil.rmtree(music, ignore_errors=True)
        music.mkdir()
        for seed in range(900, 920):
            (music / f"{seed}.mid").write_bytes(write(make_piece(seed, BARS)))
        if is_planted:
            stolen = disguises.transposed(disguises.first_bars(make_piece(PLANTED, BARS), 9), 4)
            (music / "ours.mid").write_bytes(write(stolen))
        path = self.folder / "list.json"
        code, said = self.ask(
            "fingerprint", music, "--holder", "Harbour Songs", "--out", path, main=house_main
        )
        assert code == 0, said
        return path

    def answer(self, *more: object) -> tuple[int, str, dict]:
        out = self.folder / "answer"
        words = ("--checkpoint", self.model, "--from", "Harbour Songs", "--out", out)
        code, said = self.ask("answer", self.list_of(), *words, *more)
        signed = out / "answer.json"
        if not signed.is_file():
            return code, said, {}
        found = json.loads(self.ask("check", signed, "--json")[1])["answer"]
        return code, said, found


@pytest.fixture
def desk(own_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Desk(tmp_path)


def test_letter_is_answered_with_the_one_planted_piece_and_no_innocent(desk):
    code, said, found = desk.answer("--look", desk.folder / "outputs", "--received", "2026-11-01")
    assert code == 0, said
    assert [(m["listed"], m["name"]) for m in found["matches"]] == [("ours.mid", desk.planted)]
    assert len(found["nothing_found_of"]) == 20
    assert found["compared"]["works"] == len(SEEDS)
    (work,) = found["works"]
    assert work["composers"] == [{"id": "ana", "share": 100}]
    assert [run["index"] for run in work["used_by"]["runs"]] == [found["model"]["run"]]
    assert desk.planted in {*found["memory"]["works"]} | {
        one["work"] for one in found["memory"]["not_tested"]
    }
    page = (desk.folder / "answer" / "answer.md").read_text("utf-8")
    assert "1 of the 21 pieces agrees" in page
    assert "Received 2026-11-01" in page
    proof = desk.folder / "answer" / "proofs" / f"{desk.planted}.json"
    assert "proved" in desk.ask("verify", "--proof", proof, main=house_main)[1]
    _inventory_is_what_find_finds(desk, found["copies"])
    _changed_answer_is_refused(desk)
    _after_a_withdrawal_the_kept_original_is_left(desk)


def test_works_behind_the_model_that_one_began_with_are_looked_through(desk):
    first, innocent = desk.model, [e.work for e in desk.house.entries if e.work != desk.planted]
    desk.model = desk.folder / "outputs" / "second" / "last.safetensors"
    done = call(
        TRAIN,
        *FROM_A_BASE,
        f"pin={desk.house.pin.path}",
        f"hydra.run.dir={desk.model.parent}",
        f"init={first}",
        f"corpus.where='work={','.join(innocent[:6])}'",
    )
    assert done.code == 0, done.stderr
    code, said, found = desk.answer("--look", desk.folder / "outputs")
    assert code == 0, said
    assert [match["name"] for match in found["matches"]] == [desk.planted]
    (base,) = found["model"]["began_with"]
    assert base["checkpoint_sha256"] == read_model_file(first).file_sha256
    assert str(desk.model) in {copy["place"] for copy in found["copies"]}
    assert "it began with the weights" in (desk.folder / "answer" / "answer.md").read_text("utf-8")


def _inventory_is_what_find_finds(desk: Desk, copies: list[dict]) -> None:
    """By hand: every MIDI file with the music, and every model and state of the run."""
    music = make_midi(PLANTED, BARS)
    mids = {str(p) for p in desk.folder.rglob("*.mid") if p.read_bytes().startswith(music)}
    run = desk.model.parent
    models = {str(p) for p in run.glob("*.safetensors")}
    states = {str(p) for p in run.rglob("*") if p.suffix == ".ckpt" or p.parent.name == "states"}
    places = {copy["place"] for copy in copies if copy["kind"] != "cache"}
    assert places == mids | models | states
    assert {copy["kind"] for copy in copies} >= {"original", "model", "state of a run"}


def _changed_answer_is_refused(desk: Desk) -> None:
    signed = desk.folder / "answer" / "answer.json"
    data = json.loads(signed.read_text())
    data["payload"] = "eyJ9" + data["payload"][4:]
    other = desk.folder / "other.json"
    other.write_text(json.dumps(data, separators=(",", ":"), sort_keys=True))
    assert desk.ask("check", other)[0] == 2


def _after_a_withdrawal_the_kept_original_is_left(desk: Desk) -> None:
    house, work = desk.house, desk.planted
    stray = desk.folder / "outputs" / "stray.mid"
    stray.write_bytes(make_midi(PLANTED, BARS))
    code, said = desk.ask("copies", "--purge", "--yes", "--look", desk.folder / "outputs")
    assert (code, stray.exists()) == (2, True)  # of no work by name
    code, said = desk.ask("copies", work, "--purge", "--look", desk.folder / "outputs")
    assert (code, stray.exists()) == (2, True)  # nobody was there to say yes to these
    assert f"would delete copy: {stray}" in said
    named = ("copies", work, "--purge", "--yes", "--look", desk.folder / "outputs")
    code, said = desk.ask(*named, "--curator", "ana")
    assert (code, stray.exists(), "ana is no curator of this house" in said) == (2, True, True)
    house.house = withdraw(House(load_pin(house.pin.path)), [work], key_of("ana"), "a letter came")
    look = ("--look", desk.folder / "outputs")
    text = ("--from", "Harbour Songs", "--text", "Delete our song.", "--yes")
    assert desk.ask("complain", *text, main=house_main)[0] == 0
    complaint = House(load_pin(house.pin.path)).load().size - 1
    purge = ("copies", work, "--purge", "--yes", "--json", *look)
    assert "is no complaint" in desk.ask(*purge, "--answers", 1)[1]
    assert stray.exists()
    found = json.loads(desk.ask(*purge, "--answers", complaint)[1])
    assert str(stray) in {copy["place"] for copy in found["deleted"]}
    assert not stray.exists()
    _purge_is_recorded(desk, found, complaint)
    left = json.loads(desk.ask("copies", work, "--json", *look)[1])["copies"]
    mids = [copy for copy in left if copy["place"].endswith(".mid")]
    assert [copy["kind"] for copy in mids] == ["kept original"]
    assert not [copy for copy in left if copy["kind"] == "cache"]


def _purge_is_recorded(desk: Desk, found: dict, complaint: int) -> None:
    """Signed by a curator, and by its digest in the log as the answer to who asked for it."""
    record = Path(found["record"])
    said = json.loads(desk.ask("check", record, "--json")[1])
    assert (said["kind"], said["signed_by"]) == ("record of a purge", "cleo")
    assert said["answer"]["deleted"] == found["deleted"]
    assert said["answer"]["left"] == found["copies"]
    house = House(load_pin(desk.house.pin.path))
    (case,) = cases(house, house.load())
    assert case.entered.index == complaint
    ((_, answer),) = case.answers
    assert sha256(record.read_bytes()).hexdigest() in answer["text"]
    other = desk.folder / "other-purge.json"
    other.write_bytes(record.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))
    assert desk.ask("check", other)[0] == 2


def test_reserved_music_is_not_contributed_nor_given_out_from_then_on(desk):
    music = desk.folder / "mine"
    music.mkdir()
    asked = make_piece(77, BARS)
    (music / "reserved.mid").write_bytes(write(asked))
    (music / "innocent.mid").write_bytes(write(make_piece(78, BARS)))
    listed = desk.folder / "reserved.json"
    (desk.folder / "only").mkdir()
    shutil.copy(music / "reserved.mid", desk.folder / "only")
    words = ("fingerprint", desk.folder / "only", "--holder", "Harbour", "--out", listed)
    assert desk.ask(*words, main=house_main)[0] == 0
    code, said = desk.ask("reserve", listed, "--from", "Harbour", "--yes")
    assert code == 0, said
    house = House(load_pin(desk.house.pin.path))
    reserved = Reserved.of(house, house.load())
    assert reserved
    assert "which Harbour reserves" in reserved.problem(disguises.transposed(asked))
    assert not reserved.problem(make_piece(78, BARS))
    outcomes = {o.path.name: o for o in contributed(house, music)}
    assert outcomes["reserved.mid"].rule == "reserved"
    assert outcomes["innocent.mid"].status == "contributed"
    _model_gives_no_reserved_piece_out(desk)
    for path in house.folder.glob("complaints/*.list"):
        path.unlink()
    with pytest.raises(HouseError, match="the list of a reservation is gone"):
        Reserved.of(house, house.load())


def contributed(house: House, folder: Path) -> list[Outcome]:
    settings = Settings(composer="ana", workers=1)
    facts = Facts(title="", genre="waltz", mood="calm", method="score", consent="evaluation")
    jobs = [Job(path, facts) for path in sorted(folder.glob("*.mid"))]
    return list(Contributor(house, settings, key_of("ana")).run(jobs))


def _model_gives_no_reserved_piece_out(desk: Desk) -> None:
    """What the model writes is reserved afterwards; the same request is then withheld."""
    out = desk.folder / "pieces"
    request = (
        f"checkpoint={desk.model}", f"pin={desk.house.pin.path}", "bars=32", "seed=3", "n=1",
        "tries=1", "originality=report", "audio=false",
    )  # fmt: skip
    done = call(SAMPLE, *request, f"out={out}")
    assert done.code == 0, done.stderr
    listed = desk.folder / "again.json"
    alone = call(ALONE, str(out), "--holder", "Other", "--out", str(listed))
    assert alone.code == 0, alone.stderr
    assert desk.ask("reserve", listed, "--from", "Other", "--yes")[0] == 0
    done = call(SAMPLE, *request, f"out={desk.folder / 'more'}")
    assert done.code == 2
    assert "which Other reserves" in done.stderr


SAYINGS = """
provider: {name: Lantern, contact: rights@lantern.example}
model: {name: lamp-1}
sources: {public: false, third_party: false, crawled: false, user_data: false, synthetic: false}
reservations: Honoured.
illegal_content: Two people sign each work.
"""


def test_summary_counts_the_works_and_stops_where_records_contradict_it(desk):
    says = desk.folder / "says.yaml"
    says.write_text(SAYINGS)
    code, said = desk.ask("summary", desk.model, "--says", says, "--json")
    assert code == 0, said
    figures = json.loads(said)["figures"]
    notes = sum(make_piece(seed, BARS).note_count for seed in SEEDS)
    assert (figures["works"], figures["notes"], figures["composers"]) == (len(SEEDS), notes, 1)
    assert figures["methods"] == {"score": len(SEEDS)}
    assert "2.5 Synthetic data:** No." in json.loads(said)["summary"]
    sound = desk.house.entries[0].musical_hash
    desk.house.house = House(load_pin(desk.house.pin.path))
    model = read_model_file(desk.model)
    run = run_behind(model, desk.house.load()).index
    desk.house.log_output(sound, run=run, checkpoint=model.file_sha256)
    code, said = desk.ask("summary", desk.model, "--says", says)
    assert code == 2
    assert "synthetic: false, and 0 works are stated to be machine-written, 1 are" in said
    says.write_text(SAYINGS.replace("synthetic: false", "synthetic: one piece came home"))
    code, said = desk.ask("summary", desk.model, "--says", says)
    assert code == 0, said
    assert "Yes: one piece came home" in said
    says.write_text(SAYINGS.replace("crawled: false, ", ""))
    assert "crawled" in desk.ask("summary", desk.model, "--says", says)[1]


def test_model_that_the_log_does_not_name_is_not_answered_for(desk):
    data = bytearray(desk.model.read_bytes())
    data[-1] ^= 1
    desk.model = desk.folder / "stranger.safetensors"
    desk.model.write_bytes(data)
    code, said, found = desk.answer("--no-memory-test")
    assert code == 2
    assert "no run" in said
    assert not found
