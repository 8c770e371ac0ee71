"""What composers' terms do not grant is refused when it is asked for, by the public commands."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from gen.checkpoint import save_checkpoint
from gen.model import ModelConfig, Transformer
from gen.provenance.desk import people
from gen.provenance.history.granted import NotGranted
from gen.provenance.history.record import RegisterError
from gen.provenance.history.register import Register
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import read_model_file
from gen.provenance.records.acts import RETIRE, TERMS
from gen.provenance.records.consent import Consent, Grant
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.records.terms import Terms, Use
from gen.provenance.signing.canonical import canonical
from gen.sampling.opening.opened_model import check_terms
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import keep_key, keep_machine_key
from mutations import enter
from tiny_runs import TRAIN, call, train

SAMPLE = TRAIN.with_name("sample.py")
ALL = "general_model evaluation sampling sale style"


@pytest.fixture
def keys_of_all(house):
    """Keys of ben and dana, too, in the key folder, and the machine's."""
    for name in ("ben", "dana"):
        keep_key(name)


@pytest.fixture
def model(house, tmp_path):
    """A recorded model of three works of ana's."""
    house.works = [entry.work for entry in house.enter(1, 2, 3)]
    path = tmp_path / "model.safetensors"
    model = Transformer(ModelConfig(1, 16, 2, 2, 0.0, 32, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    save_checkpoint(path, model, manifest, {})
    house.run = house.record(path)
    keep_machine_key()
    return path


def sampled(house, model, *words: str):
    out = Path.cwd() / "pieces"
    usual = f"checkpoint={model}", f"pin={house.pin.path}", f"out={out}", "n=1", "bars=2"
    return call(SAMPLE, *usual, "audio=false", *words)


def test_a_style_that_its_composer_does_not_grant_is_not_written_in(house, model):
    house.ask("terms", house.works[0], "--allow", "general_model evaluation sampling")
    done = sampled(house, model, "style=ana")
    assert done.code == 2
    assert "nothing may be written in a composer's style" in done.stderr
    assert f"{house.works[0]}: ana grants no style" in done.stderr
    assert sampled(house, model).code == 0


def test_a_style_is_refused_by_terms_of_works_behind_the_base_as_well(house):
    """Of a run that began with a model: the work is the base's alone."""
    (entry,) = house.enter(1)
    enter(house, "ana", TERMS, Terms(entry.work, (), (Use("sampling"),), False, 100, 0))
    checkpoint = SimpleNamespace(manifest=SimpleNamespace(works_here=[entry.work], works=()))
    asked = SimpleNamespace(controls=SimpleNamespace(style="ana"))
    with pytest.raises(NotGranted, match="grants no style"):
        check_terms(asked, checkpoint, house.load(), None)


def receipt_of(done) -> dict:
    assert done.code == 0, done.stderr
    return json.loads(Path(done.stdout.splitlines()[0]).with_suffix(".json").read_bytes())


def test_sampling_that_no_composer_grants_is_refused(house, model):
    assert "terms" not in receipt_of(sampled(house, model))
    house.ask("terms", house.works[0], "--allow", "general_model evaluation sale")
    done = sampled(house, model)
    assert done.code == 2
    assert f"{house.works[0]}: ana grants no sampling" in done.stderr
    assert house.works[1] not in done.stderr
    house.ask("terms", house.works[0], "--allow", ALL)
    assert receipt_of(sampled(house, model))["terms"] == {"works": 1, "not_for_sale_by": []}


def test_what_may_not_be_sold_is_in_the_receipt_and_answered_by_may(house, model):
    house.ask(
        "terms", house.works[1], "--allow", "general_model sampling sale", "--ask-first", "sale"
    )
    done = sampled(house, model)
    said = receipt_of(done)["terms"]
    assert said == {"works": 1, "not_for_sale_by": [house.works[1]]}
    assert f"not to be sold by terms of 1 works, the first: {house.works[1]}" in done.stderr
    piece = done.stdout.splitlines()[0]
    words = house.ask("may", piece, "--use", "sale", code=2)
    assert "asks to be asked first for sale, and has not approved this piece" in words
    house.ask("approve", piece, "--use", "sale")
    assert "sale of the piece by" in house.ask("may", piece, "--use", "sale")
    other = sampled(house, model, "seed=8").stdout.splitlines()[0]
    house.ask("may", other, "--use", "sale", code=2)  # for that piece alone
    house.ask("approve", model, "--use", "sale")
    house.ask("may", other, "--use", "sale")
    Path(other).write_bytes(Path(other).read_bytes() + b"\0")
    assert "has no such piece, or it was changed" in house.ask(
        "may", other, "--use", "sale", code=2
    )


def test_the_last_day_of_a_use_ends_it(house, model):
    house.ask("terms", "--all", "--allow", "general_model sampling", "--until", "2001-01-01")
    done = sampled(house, model)
    assert done.code == 2
    assert "ana grants no sampling after 2001-01-01" in done.stderr


def test_each_composer_of_a_work_is_asked(house, model, keys_of_all):
    (both,) = house.enter(5, composers=(("ana", 60), ("ben", 40)))
    digest = ModelDigest("best.safetensors", 1, "d0" * 32, "d1" * 32)
    run = house.log_run([both.work], [digest])
    house.ask("may", "--run", run, "--use", "sampling")
    house.ask("terms", both.work, "--composer", "ben", "--allow", "general_model")
    assert f"{both.work}: ben grants no sampling" in house.ask(
        "may", "--run", run, "--use", "sampling", code=2
    )
    house.ask("terms", both.work, "--composer", "ana", "--allow", ALL)
    house.ask("may", "--run", run, "--use", "sampling", code=2)  # ana speaks for herself alone


def test_a_retraining_beyond_this_version_is_refused(house):
    works = [entry.work for entry in house.enter(1, 2, 3, 4, 5, 6)]
    keep_machine_key()
    house.ask("terms", "--all", "--allow", ALL, "--this-version")
    assert train(f"pin={house.pin.path}", "hydra.run.dir=outputs/first").code == 0
    house._follow_pin()
    done = train(f"pin={house.pin.path}", "hydra.run.dir=outputs/second")
    assert done.code == 2
    assert "by their terms one version may learn from them, and one did" in done.stderr
    assert works[0] in done.stderr
    house.ask("terms", "--all", "--allow", ALL)
    assert train(f"pin={house.pin.path}").code == 0


def test_a_work_for_one_version_is_left_out_of_the_next_and_said(house):
    first = house.enter(1, 2, 3, 4, 5, 6)[0].work
    keep_machine_key()
    house.ask("terms", first, "--allow", ALL, "--this-version")
    assert train(f"pin={house.pin.path}", "hydra.run.dir=outputs/first").code == 0
    house._follow_pin()
    done = train(f"pin={house.pin.path}", "hydra.run.dir=outputs/second")
    assert done.code == 0, done.stderr
    assert "admitted 5 works of lantern" in done.stderr
    assert f"and one did: {first}" in done.stderr
    assert first not in house.load().runs.by_index[max(house.load().runs.by_index)].works


def test_a_trainer_cannot_enter_a_second_version(house):
    (entry,) = house.enter(1)
    scopes = Grant("evaluation"), Grant("general_model")
    said = Terms(entry.work, scopes, (), True, 100, 0)
    enter(house, "ana", TERMS, said)
    digest = ModelDigest("best.safetensors", 1, "d0" * 32, "d1" * 32)
    house.log_run([entry.work], [digest])
    with pytest.raises(RegisterError, match="is for one version, which run"):
        house.log_run([entry.work], [digest])
    house.log_run([entry.work], [digest], purpose="evaluation")


def test_a_run_that_terms_ended_meanwhile_is_refused_as_it_begins(house):
    (entry,) = house.enter(1)
    said = Terms(entry.work, (Grant("evaluation"),), (), False, 100, 0)
    enter(house, "ana", TERMS, said)
    with pytest.raises(Exception, match="may not be trained on for general_model by its composers"):
        house.log_run([entry.work], [])


def test_terms_of_a_stolen_key_only_take_away(house, model):
    house.ask("terms", house.works[0], "--allow", "general_model evaluation")
    at = house.load().size
    house.ask("terms", house.works[0], "--allow", ALL)
    receipt_of(sampled(house, model))
    with house.house.writing() as session:
        changed = people.compromised(session.register, "ana", at)
        house.house = people.change_roster(session, changed, [house.root]).house
    done = sampled(house, model)
    assert done.code == 2
    assert "grants no sampling" in done.stderr


def test_nobody_says_terms_for_anothers_work(house, model, keys_of_all):
    assert "ben is no composer of" in house.ask(
        "terms", house.works[0], "--composer", "ben", "--allow", ALL, code=2
    )
    said = Terms(house.works[0], Consent.parse("general_model").grants, (), False, 100, 0)
    with pytest.raises(RegisterError, match="ben is no composer of"):
        enter(house, "ben", TERMS, said)


@pytest.mark.parametrize(
    ("name", "value"),
    [("share", 101), ("fee", -1), ("this_version", 1), ("work", "other"), ("uses", [{"use": "x"}]),
     ("consent", [{"scope": "general_model", "until": "2030-2-1"}]), ("more", 1)],
)  # fmt: skip
def test_terms_that_were_changed_are_refused(house, model, name, value):
    said = Terms(house.works[0], (), (Use("sale"),), False, 100, 0)
    enter(house, "ana", TERMS, said)
    path = house.folder / "register.jsonl"
    lines = path.read_bytes().splitlines()
    act = json.loads(lines[-1])
    act["data"][name] = value
    path.write_bytes(b"\n".join([*lines[:-1], canonical(act)]) + b"\n")
    code, told = house._run("house", "verify")
    assert code == 2, told
    assert sampled(house, model).code == 2


def test_retired_models_write_nothing_unless_told_and_receipts_say_so(house, model):
    assert "retired" not in receipt_of(sampled(house, model))
    house.ask("retire", model, "--reason", "a wish of ana's", "--as", "cleo")
    done = sampled(house, model)
    assert done.code == 2
    assert "was retired by cleo" in done.stderr
    assert "a wish of ana's" in done.stderr
    done = sampled(house, model, "retired=true")
    assert receipt_of(done)["retired"]["by"] == "cleo"
    assert "of a model that was retired: act" in done.stderr
    assert "retired already" in house.ask("retire", "--run", house.run, "--as", "cleo")


def test_composers_and_machines_retire_nothing(house, model):
    assert "is no curator" in house.ask("retire", model, "--as", "ana", code=2)
    assert "is no curator" in house.ask("retire", model, "--as", "machine", code=2)
    assert receipt_of(sampled(house, model))


def test_a_retirement_that_was_taken_out_of_the_log_is_missed(house, model):
    house.ask("retire", model, "--as", "cleo")
    path = house.folder / "register.jsonl"
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:-1]) + b"\n")
    assert sampled(house, model, "retired=true").code == 2


def test_what_a_stolen_key_retired_writes_again(house, model):
    at = house.load().size
    house.ask("retire", model, "--as", "cleo")
    with house.house.writing() as session:
        changed = people.compromised(session.register, "cleo", at)
        house.house = people.change_roster(session, changed, [house.root]).house
    assert house.load().retired(read_model_file(model).file_sha256) is None


def test_impact_names_pieces_and_a_command_that_trains_the_same_anew(house):
    works = [entry.work for entry in house.enter(1, 2, 3, 4, 5, 6)]
    keep_machine_key()
    assert train(f"pin={house.pin.path}", "optimizer.lr=0.003").code == 0
    house._follow_pin()
    told = house.ask_json("impact", works[0])
    (only,) = told["models"]
    assert only["retire"].endswith(f"retire --run {only['index']}")
    words = shlex.split(only["retrain"])
    assert words[:2] == ["python", "scripts/train.py"]
    assert "optimizer.lr=0.003" in words
    assert not [word for word in words if word.startswith("seed=")]  # as shipped
    house.ask("withdraw", works[0], "--as", "ana")
    done = call(TRAIN, *words[2:], "logger=none")
    assert done.code == 0, done.stderr
    runs = house.load().runs.by_index
    before, after = (runs[index] for index in sorted(runs))
    assert before.begin.settings == after.begin.settings
    assert {*before.works} - {*after.works} == {works[0]}


def test_runs_and_terms_of_before_read_as_they_did(house, model):
    """Works without terms: the acts that there were are what there is, and nothing asks more."""
    register = house.load()
    assert not any(record.terms for record in register.works.values())
    again = Register()
    for line in (house.folder / "register.jsonl").read_bytes().splitlines():
        assert again.replay(line).kind not in (TERMS, RETIRE)
