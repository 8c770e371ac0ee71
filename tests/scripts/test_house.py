"""The house's commands, by hand and by program."""

import csv
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gen.cli import preview
from gen.likeness.voices import pack_voices, voices_of
from gen.provenance.admission.inbox import Contribution, submit
from gen.provenance.desk.people import sealed
from gen.provenance.desk.recording import OutputLog, begin_run, end_run
from gen.provenance.houses.access import key_for_role, key_of_person
from gen.provenance.records.run_acts import Begin, End, ModelDigest, Output
from gen.provenance.records.tag import sign_contribution
from gen.provenance.signing.key_files import (
    PASSPHRASE_VARIABLE,
    WrongPassphraseError,
    list_keys,
    open_key,
)
from gen.smf import write
from houses import PASSPHRASE, make_midi, make_piece, make_statement, start_house

SCRIPTS = Path(__file__).parents[2] / "scripts"
QUICK = ["--kdf-cost", "10"]
PEOPLE = (
    "init",
    "key",
    "passphrase",
    "enroll",
    "erase",
    "rotate",
    "revoke",
    "cosign",
    "assert-model",
    "seal",
)
WORKS = ("accept", "reject", "renew", "withdraw", "consent", "terms", "approve", "may")
MODELS = (
    "drift",
    "mine",
    "royalties",
    "complain",
    "impact",
    "retire",
    "sell",
    "rebuild",
    "pack",
    "sign-model",
    "end",
)
OUTSIDE = ("witness", "stamp", "fraud")
COMMANDS = (*PEOPLE, *WORKS, *MODELS, *OUTSIDE, "audit", "verify", "prove", "show", "log", "export")


@pytest.fixture
def run(tmp_path, monkeypatch, own_keys):
    """Run a command in this process; returns its result."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.chdir(tmp_path)
    main = importlib.import_module("house").main
    folder = tmp_path / "house"

    def invoke(*words, code=0, **more):
        arguments = [str(word) for word in words]
        if "--house" not in arguments:
            arguments += ["--house", str(folder)]
        result = CliRunner().invoke(main, arguments, **more)
        told = f"{result.stdout}\n{result.stderr}\n{result.exception!r}"
        assert result.exit_code == code, told
        return result

    invoke.folder = folder
    invoke.json = lambda *words, code=0: json.loads(invoke(*words, "--json", code=code).stdout)
    return invoke


@pytest.fixture
def started(run):
    """A house begun by command, with ana (composer) and cleo (curator)."""
    run("init", "--name", "lantern", "--yes", *QUICK)
    run("enroll", "ana", "--name", "Ana Lima", "--role", "composer", "--yes", *QUICK)
    run("enroll", "cleo", "--role", "curator", "--yes", *QUICK)
    return run


def house_of(run):
    from gen.provenance.houses.access import open_house

    return open_house(run.folder)


def contribute(run, *seeds, person="ana", bars=4):
    house = house_of(run)
    register = house.load()
    key, named = key_of_person(register, person), {"house": register.roster.identity}
    midis = [make_midi(seed, bars) for seed in seeds]
    files = [sign_contribution(midi, make_statement(midi, person, **named), key) for midi in midis]
    return [r.work for r in submit(house, [Contribution(data) for data in files])]


def test_help_answers_at_once_and_lists_every_command():
    before = os.times()
    done = subprocess.run(
        [sys.executable, SCRIPTS / "house.py", "--help"], capture_output=True, text=True, check=True
    )
    after = os.times()  # processor time: a busy machine does not stretch it
    seconds = sum(after[2:4]) - sum(before[2:4])
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout
    assert seconds < 1
    code = "import sys; sys.path.insert(0, sys.argv[1]); import house; "
    code += "print(sorted(set(sys.modules) & set('rich yaml cryptography torch numpy'.split())))"
    loaded = subprocess.run(
        [sys.executable, "-c", code, SCRIPTS], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run, name):
    result = CliRunner().invoke(importlib.import_module("house").main, [name, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert len(result.stdout.splitlines()) > 6


def test_mistyped_command_names_the_near_one(run):
    assert "Did you mean 'accept'?" in run("acept", code=2).stderr


def test_path_from_nothing_to_an_audited_work(started):
    (work,) = contribute(started, 1)
    shown = started("show", "--inbox").stdout
    assert f"\n{work}: Small Rain\n" in shown
    assert "by Ana Lima 100 %; score; waltz, calm" in shown
    assert started("accept", "--all").stdout.endswith("1 accepted, 0 stay in the inbox\n")
    assert "1 files seen: 1 admitted for general_model" in started("audit").stdout
    told = started.json("show", work)
    assert (told["accepted_by"], told["status"], told["acts"]) == ("cleo", "live", [3])
    assert started.json("show")["works"] == 1


def test_audit_names_file_rule_and_mend(started):
    contribute(started, 1)
    started("accept", "--yes")
    (started.folder / "ana" / "stray.mid").write_bytes(make_midi(2))
    result = started("audit", code=2)
    assert "ana/stray.mid: refused (untagged)" in result.stdout
    assert "to mend it: if a house composer wrote it" in result.stdout
    (refused,) = started.json("audit", code=2)["refused"]
    assert (refused["path"], refused["rule"]) == ("ana/stray.mid", "untagged")


def test_work_without_consent_is_no_error(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    assert started.json("consent", work, "--allow", "evaluation", "--yes")["size"] == 5
    assert "0 admitted for general_model, 1 not consented" in started("audit").stdout
    assert started.json("consent")["consent"] == {work: "evaluation"}
    started("consent", "--all", "--allow", "nothing", "--yes")
    assert started("consent").stdout == f"{work}\tnothing\n"


def test_consent_is_logged_in_words_and_a_mistyped_work_is_said(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    started("consent", work, "--allow", "evaluation@2099-12-31", "--yes")
    assert f"{work} allows: evaluation@2099-12-31" in started("log").stdout
    assert f"did you mean {work}?" in started("consent", work[:-2], code=2).stderr


def test_a_composer_withdraws_by_their_key_alone(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    assert f"withdrawn {work}" in started("withdraw", work, "--yes").stdout
    assert started.json("log")["acts"][-1]["by"] == "ana"


def test_consent_is_read_as_people_write_it(started):
    contribute(started, 1)
    started("accept", "--all", "--yes")
    said = started("consent", "--all", "--allow", "Evaluation, general model @ 2090-12-31", "--yes")
    assert "evaluation general_model@2090-12-31" in said.stdout + started("consent").stdout


def test_consent_needs_to_know_which_works(started):
    assert "which works?" in started("consent", "--allow", "nothing", code=2).stderr


def test_accept_asks_about_each_work(started, monkeypatch):
    first, second = sorted(contribute(started, 1, 2))
    works = importlib.import_module("gen.cli.house_commands.works")
    heard = []
    answers = iter(["h", "y", "n"])
    monkeypatch.setattr(works, "_is_interactive", lambda: True)
    monkeypatch.setattr("gen.cli.preview.click.prompt", lambda *a, **k: next(answers))
    monkeypatch.setattr("gen.cli.preview.open_file", heard.append)
    from gen.contribution import Recheck

    common = importlib.import_module("gen.cli.house_commands.common")
    house = house_of(started)
    register = house.load()
    output = common.Console(is_json=False)
    assert works._choose(house, register, Recheck(house, register), output) == [first]
    assert second != first
    assert [path.suffix for path in heard] == [".png", ".wav"]


def test_accept_without_a_person_needs_names(started):
    contribute(started, 1)
    assert "name the works, or give --all" in started("accept", code=2).stderr
    assert "not in the inbox: no-such" in started("accept", "no-such", code=2).stderr


def test_accept_of_an_empty_inbox(started):
    assert started("accept", "--all").stdout == "nothing to accept\n"
    assert "not in the inbox: no-such" in started("accept", "no-such", code=2).stderr


def steal(run, seed, person="ben"):
    """Ana's melody of this seed, moved and signed by somebody, put into the inbox by hand."""
    house = house_of(run)
    piece = make_piece(seed, bars=16)
    melody = piece.tracks[0]
    melody.notes = [replace(note, pitch=note.pitch + 2) for note in melody.notes]
    midi = write(piece)
    register = house.load()
    statement = make_statement(midi, person, title="All Mine", house=register.roster.identity)
    stolen = sign_contribution(midi, statement, key_of_person(register, person))
    (result,) = submit(house, [Contribution(stolen)])
    assert not result.rule, result
    return result.work


def test_accept_all_leaves_what_is_too_similar_whatever_its_composer_reported(started):
    (honest,) = contribute(started, 1, bars=16)
    started("accept", honest)
    started("enroll", "ben", "--role", "composer", "--yes", *QUICK)
    stolen = steal(started, 1)
    contribute(started, 2)
    for words in (["show", "--inbox"], ["show", stolen]):
        told = started(*words).stdout
        assert f"block: 100% like the house's work {honest}" in told
        assert "here   melody, bars 1-" in told
        assert "there  melody, bars 1-" in told
    assert "screening: nothing alike is known" in started("show", "--inbox").stdout
    done = started("accept", "--all", code=2)
    assert f"{stolen}: not accepted (too-similar)" in done.stdout
    assert "1 accepted, 1 stay in the inbox" in done.stdout
    (refused,) = started.json("accept", "--yes", code=2)["refused"]
    assert (refused["work"], refused["rule"]) == (stolen, "too-similar")
    named = started("accept", stolen, code=2).stdout  # by name it is compared as well
    assert f"{stolen}: not accepted (too-similar)" in named
    assert "1 accepted" in started("accept", stolen, "--although-similar").stdout


def test_accept_all_takes_nothing_that_wants_review_and_lists_the_gravest_first(started):
    contribute(started, 1, 2, bars=16)
    started("accept", "--all")
    again = steal(started, 1, person="ana")  # her own theme is no theft, and is looked at
    contribute(started, 3)
    done = started("accept", "--all", code=2).stdout
    assert f"{again}: not accepted (wants-review): review: 100% like" in done
    assert "here   melody, bars 1-" in done
    assert f"accept {again} --although-similar" in done.replace("WORK", again)
    started("enroll", "ben", "--role", "composer", "--yes", *QUICK)
    stolen = steal(started, 2)
    contribute(started, 4)
    told = started("accept", "--all", code=2).stdout
    places = [told.index(words) for words in ("accepted ", f"{stolen}: not", f"{again}: not")]
    assert places == sorted(places)
    assert told.endswith("1 accepted, 2 stay in the inbox\n")
    assert "1 accepted, 0 stay" in started("accept", again, "--although-similar").stdout
    assert started.json("accept", "--yes", code=2)["refused"][0]["work"] == stolen


def test_nobody_takes_a_withdrawn_work_back_in_another_key(started):
    (gone,) = contribute(started, 1, bars=16)
    started("accept", gone)
    started("withdraw", gone, "--as", "ana", "--yes")
    started("enroll", "ben", "--role", "composer", "--yes", *QUICK)
    stolen = steal(started, 1)
    told = started("accept", stolen, "--although-similar", code=2).stdout
    assert f"{stolen}: not accepted (withdrawn)" in told


def test_what_was_read_of_accepted_works_is_kept_for_the_next_time(started, monkeypatch):
    contribute(started, 1, 2)
    started("accept", "--all")
    contribute(started, 3)
    monkeypatch.delattr("gen.contribution.known.kept_work")
    assert "screening: nothing alike is known" in started("show", "--inbox").stdout


def test_a_rights_holders_list_keeps_works_out_of_the_register(started, tmp_path):
    (work, _) = contribute(started, 1, 2, bars=16)
    voices = pack_voices(voices_of(make_piece(1, bars=16)))
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps({"holder": "Ida", "works": [{"name": "Rain", "voices": voices}]}))
    done = started("accept", "--all", "--fingerprints", listed, code=2)
    assert f"{work}: not accepted (too-similar)" in done.stdout
    assert "block: 100% like the listed work Ida: Rain" in done.stdout
    assert "1 accepted, 1 stay in the inbox" in done.stdout


def test_what_waits_is_compared_with_what_waits_too(started):
    started("enroll", "ben", "--role", "composer", "--yes", *QUICK)
    (honest,) = contribute(started, 1, bars=16)
    stolen = steal(started, 1)
    (second,) = (item["work"] for item in started.json("accept", "--all", code=2)["refused"])
    assert second in (honest, stolen)


def test_bad_file_in_the_inbox_never_stops_the_rest(started):
    contribute(started, 1)
    (started.folder / "inbox" / "broken.mid").write_bytes(b"MThd")
    result = started("accept", "--all", code=2)
    assert "broken: not accepted (malformed-midi)" in result.stdout
    assert "1 accepted, 1 stay in the inbox" in result.stdout


def test_reject_keeps_file_and_reason(started):
    (work,) = contribute(started, 1)
    started("reject", work, "--reason", "the bass is missing", "--yes")
    note = json.loads((started.folder / "rejected" / f"{work}.json").read_text())
    assert (note["by"], note["reason"]) == ("cleo", "the bass is missing")
    assert (started.folder / "rejected" / f"{work}.mid").is_file()
    assert started.json("show", "--inbox")["waiting"] == []
    for reason, said in ((" ", "no reason was given"), ("\udcff", r"'\udcff' is no text")):
        assert said in started("reject", work, "--reason", reason, "--yes", code=2).stderr


def test_a_composer_sees_what_became_of_every_work(started):
    waits, rejected, kept, gone = contribute(started, 1, 2, 3, 4)
    started("enroll", "ben", "--role", "composer", "--yes", *QUICK)
    contribute(started, 5, person="ben")
    (started.folder / "inbox" / "broken.mid").write_bytes(b"MThd")
    started("accept", kept, gone)
    started("reject", rejected, "--reason", "the bass is missing", "--yes")
    started("withdraw", gone, "--as", "ana", "--reason", "sold to a film", "--yes")
    told = {work.pop("work"): work for work in started.json("show", "--composer", "ana")["works"]}
    assert {work: said["state"] for work, said in told.items()} == {
        waits: "waiting", rejected: "rejected", kept: "in the house", gone: "withdrawn"
    }  # fmt: skip
    assert {said["title"] for said in told.values()} == {"Small Rain"}
    assert told[waits]["allowed"] == told[kept]["allowed"] == "evaluation general_model"
    assert told[gone]["allowed"] == "nothing"
    assert told[rejected]["note"].startswith("by cleo, ")
    assert told[rejected]["note"].endswith(": the bass is missing")
    assert told[gone]["note"] == "at register index 6: sold to a film"
    assert told[kept]["note"].startswith("accepted by cleo, ")
    shown = started("show", "--composer", "ana").stdout
    assert "4 works of ana: " in shown
    assert "1 rejected" in shown
    assert "enrolled are: ana, ben, cleo" in started("show", "--composer", "bo", code=2).stderr


def test_a_rejected_work_contributed_again_is_told_as_it_is_now(started):
    (work,) = contribute(started, 1)
    started("reject", work, "--reason", "no", "--yes")
    assert contribute(started, 1) == [work]
    (told,) = started.json("show", "--composer", "ana")["works"]
    assert told["state"] == "waiting"
    (started.folder / "inbox" / f"{work}.mid").unlink()
    (started.folder / "rejected" / f"{work}.json").write_text("{}")
    (told,) = started.json("show", "--composer", "ana")["works"]
    assert (told["state"], told["note"]) == ("rejected", "the reason cannot be read")


def test_show_tells_all_that_was_stated_about_a_work(started):
    (work,) = contribute(started, 1)
    waiting = started("show", work).stdout
    assert f"{work}: Small Rain\n" in waiting
    assert "waltz, calm" in waiting
    assert started.json("show", work)["status"] == "waiting"
    started("accept", "--yes")
    told = started.json("show", work)
    assert [told[name] for name in ("method", "genre", "mood", "contract", "sections")] == [
        "score", "waltz", "calm", "C-1", ""
    ]  # fmt: skip
    facts = dict(row.split("\t") for row in started("show", work).stdout.splitlines()[:-1])
    assert facts["genre"] == "waltz"
    assert facts["sections"] == "-"
    assert facts["keyids"] == " ".join(told["keyids"])
    assert facts["acts"] == "3"
    (started.folder / "ana" / f"{work}.mid").unlink()
    assert "is gone" in started.json("show", work)["description"]
    assert "no work 'nothing'" in started("show", "nothing", code=2).stderr


def test_the_house_is_named_once_by_the_environment_or_the_folder(started, monkeypatch, tmp_path):
    main = importlib.import_module("house").main

    def named():
        result = CliRunner().invoke(main, ["show", "--json"])
        return json.loads(result.stdout).get("house")

    assert named() == "starter"  # the project's own, wherever one stands
    monkeypatch.setenv("HOUSE", "house")
    assert named() == "lantern"
    monkeypatch.delenv("HOUSE")
    inside = started.folder / "some" / "folder"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert named() == "lantern"
    monkeypatch.setenv("HOUSE", str(tmp_path / "elsewhere"))
    assert named() is None


def test_withdraw_lists_what_used_the_work(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    house = house_of(started)
    started("enroll", "desk", "--role", "trainer", "--role", "producer", "--machine", "--yes")
    key = key_for_role(house.load(), "trainer")
    zeros = "00" * 32
    begin = Begin("demo", "general_model", zeros, (work,), zeros, 1, zeros, zeros, "a test", None)
    run = begin_run(house, key, begin)
    model = ModelDigest("best.safetensors", 9, "bb" * 32, "cc" * 32)
    end_run(house, key, End(run, 9, (model,)))
    piece = Output(run, model.file_sha256, "dd" * 32, "ee" * 32, zeros, path="out/p.mid")
    OutputLog(house, house.load(), key).enter(piece)
    told = started("withdraw", work, "--as", "ana", "--reason", "my wish", "--yes").stdout
    assert "retrain or retire: demo/best.safetensors" in told
    assert "piece out/p.mid" in told
    assert "0 files seen" in started("audit").stdout
    assert "withdrawn at 8" in started.json("show", work)["status"]
    error = started.json("withdraw", work, "--as", "ana", code=2)["error"]
    assert error["what"] == f"{work} was withdrawn at register index 8"


def test_root_withdraws_for_somebody_who_left(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    started("revoke", "ana", "--departed", "--yes")
    started("withdraw", work, "--as", "root", "--yes")
    assert started.json("show")["withdrawn"] == 1


def test_unknown_work_names_the_near_one(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    error = started("withdraw", work[:-1], "--as", "ana", "--yes", code=2).stderr
    assert f"did you mean {work}?" in error


def test_revoke_names_what_is_refused_until_renewed(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    told = started.json("revoke", "cleo", "--compromised-at", "3")
    assert told["refused_until_renewed"] == [work]
    (refused,) = started.json("audit", code=2)["refused"]
    assert refused["rule"] == "revoked-key"
    started("enroll", "dana", "--role", "curator", "--yes", *QUICK)
    started("renew", work, "--as", "dana", "--yes")
    assert started.json("accept", "--curator", "dana")["entered"][0]["work"] == work
    started("audit")


def test_revoke_asks_which_kind(started):
    assert "was their key stolen?" in started("revoke", "ana", code=2).stderr
    assert "index 99 of a register of 3" in started(
        "revoke", "ana", "--compromised-at", "99", code=2
    ).stderr  # fmt: skip


def test_rotate_gives_a_person_a_new_key(started):
    before = started.json("show", "--people")["people"][0]["keys"]
    started("rotate", "--person", "ana", "--yes", *QUICK)
    ended, fresh = started.json("show", "--people")["people"][0]["keys"]
    assert ended == {**before[0], "valid_to": 3}
    assert (fresh["valid_from"], fresh["valid_to"]) == (3, None)
    contribute(started, 1)
    started("accept", "--yes")
    started("audit")


def test_rotate_needs_one_thing_to_rotate(started):
    assert "what should be rotated?" in started("rotate", code=2).stderr


def test_rotate_renews_the_roster(started):
    assert "valid until" in started("rotate", "--renew", "--days", "500").stdout


def test_new_root_is_signed_by_old_and_new(started):
    publics = [started.json("key", "root", *QUICK)["request"] for _ in range(2)]
    started("rotate", "--root", publics[0], "--root", publics[1], "--threshold", "2", "--yes")
    assert started.json("show")["root_keys"] == "2 of 2"
    started("enroll", "ben", "--role", "composer", "--yes", *QUICK)
    started("verify")
    (work,) = contribute(started, 1, person="ben")
    started("accept", "--yes")
    started("withdraw", work, "--as", "root", "--yes")
    assert started.json("show")["withdrawn"] == 1


def test_threshold_of_two_holders(run, tmp_path, monkeypatch):
    """The second root key is on another machine: a proposal waits for it."""
    monkeypatch.setenv("HOUSE_KEYS", str(tmp_path / "second"))
    public = run.json("key", "root", "--name", "lantern", *QUICK)["request"]
    monkeypatch.setenv("HOUSE_KEYS", str(tmp_path / "keys"))
    error = run.json(
        "init", "--name", "lantern", "--root-keys", "1", "--threshold", "2",
        "--root-public", public, *QUICK, code=2,
    )  # fmt: skip
    assert "threshold 2 with 1 root keys at hand" in error["error"]["what"]
    run("init", "--name", "lantern", "--one-person", "--root-public", public, "--yes", *QUICK)
    roots = [house_of(run).load().roster.root_keys[0].hex(), public]
    run("rotate", "--root", roots[0], "--root", roots[1], "--threshold", "2", "--yes")
    monkeypatch.setenv("HOUSE_KEYS", str(tmp_path / "second"))
    assert "version 2: new root: 2 of" in run("cosign", "--yes").stdout
    proposed = run("enroll", "ana", "--role", "composer", "--yes", *QUICK).stdout
    assert "proposed: enrolled ana (composer); 1 signatures so far, 2 are needed" in proposed
    monkeypatch.setenv("HOUSE_KEYS", str(tmp_path / "keys"))
    cosigned = run("cosign", "--yes").stdout
    assert "it changes person ana: null → " in cosigned
    assert "roster version 3: enrolled ana" in cosigned
    assert "no roster change waits" in run("cosign", "--yes", code=2).stderr


def test_enroll_refuses_a_taken_id_before_it_makes_a_key(started):
    count = len(list(list_keys()))
    error = started("enroll", "ana", "--role", "composer", "--yes", code=2).stderr
    assert "ana is enrolled already" in error
    assert len(list(list_keys())) == count


def test_enroll_takes_a_key_made_elsewhere(started):
    made = started.json("key", "ben", *QUICK)
    bare, public = made["public"], made["request"]
    words = ("--role", "composer", "--yes", "--public")
    unproved = started("enroll", "ben", *words, bare, code=2).stderr
    assert "nothing shows that ben holds the key" in unproved
    stolen = started("enroll", "eve", *words, public, code=2).stderr
    assert "the request was not made for eve of lantern" in stolen
    started("enroll", "ben", "--role", "composer", "--public", public, "--yes")
    contribute(started, 3, person="ben")
    started("accept", "--yes")
    assert "composers: ben 1" in started("audit").stdout
    assert "is no public key" in started(
        "enroll", "zoe", "--role", "composer", "--public", "12", "--yes", code=2
    ).stderr  # fmt: skip


def test_without_the_root_key_nobody_is_enrolled(started, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_KEYS", str(tmp_path / "empty"))
    error = started("enroll", "eve", "--role", "curator", "--yes", *QUICK, code=2).stderr
    assert "needs a root key of the house" in error


def test_proofs_are_checked_with_the_pin_alone(started, tmp_path):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    file = tmp_path / "proof.json"
    started("prove", work, "--out", file)
    assert f"act 3 (add {work} by cleo) is in the log, and was theirs to do" in started(
        "verify", "--proof", file
    ).stdout  # fmt: skip
    file.write_text(started("prove", "--since", "2").stdout)
    assert "extends that of 2 acts" in started.json("verify", "--proof", file)["proved"]
    file.write_text(file.read_text().replace('"size": 2', '"size": 3'))
    assert "does not extend" in started("verify", "--proof", file, code=2).stderr
    assert "what should be proved?" in started("prove", code=2).stderr
    assert "act 9 of 4" in started("prove", "--act", "9", code=2).stderr


def test_verify_says_what_holds_and_what_is_left_over(started):
    assert "3 acts and 3 rosters verify" in started("verify").stdout
    with (started.folder / "register.jsonl").open("ab") as file:
        file.write(b"half a li")
    assert "9 bytes of an interrupted append" in started("verify").stdout
    (started.folder / "roster.json").write_text("{}")
    assert started.json("verify", code=2)["error"]["rule"] == "roster-rollback"
    started("verify", "--repair")


def test_verify_warns_of_a_roster_that_ends_soon(started):
    started("rotate", "--renew", "--days", "20")
    assert "house.py rotate --renew" in started("verify").stdout


def test_log_lists_the_acts(started):
    lines = started("log").stdout.splitlines()
    assert [line.split("\t")[2:] for line in lines] == [
        ["key", "root", "the house lantern begins"],
        ["key", "root", "enrolled ana (composer)"],
        ["key", "root", "enrolled cleo (curator)"],
    ]
    assert [act["index"] for act in started.json("log", "--last", "2")["acts"]] == [1, 2]


def test_show_lists_people_and_works(started):
    (work,) = contribute(started, 1)
    started("accept", "--yes")
    assert started("show", "--people").stdout.startswith("ana\tAna Lima\tcomposer\t")
    (told,) = started.json("show", "--works")["works"]
    assert (told["work"], told["composers"], told["status"]) == (work, "ana:100", "live")


def test_export_holds_records_that_verify_and_no_music(started, tmp_path):
    contribute(started, 1)
    started("accept", "--yes")
    out = tmp_path / "copy"
    started("export", "--out", out)
    assert "4 acts and 3 rosters verify" in started("verify", "--house", out).stdout
    assert not list(out.rglob("*.mid"))
    with (out / "works.csv").open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    assert row["title"] == "Small Rain"
    assert "is not empty" in started("export", "--out", out, code=2).stderr


def test_seal_closes_the_house(started):
    contribute(started, 1)
    started("accept", "--yes")
    started("seal", "--yes")
    assert started.json("show")["expires"] == "never: sealed"
    started("audit")
    error = started("enroll", "ben", "--role", "composer", "--yes", *QUICK, code=2).stderr
    assert "sealed" in error


def test_house_with_the_starter_works(run, tmp_path):
    starter = start_house(
        tmp_path / "starter", name="starter", pin_path=tmp_path / "starter/pin.yaml"
    )
    (entry,) = starter.enter(1)
    starter.enter(2, composer="ben", consent="evaluation")
    from gen.provenance.desk.people import change_roster

    with starter.house.writing() as session:
        change_roster(session, sealed(session.register), [starter.root])
    run("init", "--name", "own", "--starter", starter.folder, "--yes", *QUICK)
    assert "2 files seen: 1 admitted for general_model, 1 not consented" in run("audit").stdout
    run("enroll", "zoe", "--role", "composer", "--yes", *QUICK)
    run("enroll", "carl", "--role", "curator", "--yes", *QUICK)
    contribute(run, 5, person="zoe")
    run("accept", "--yes")
    assert "3 files seen: 2 admitted" in run("audit").stdout
    told = run.json("show", entry.work)
    assert (told["accepted_by"], told["register_index"]) == ("root", 1)
    assert run.json("show", "--people")["people"][0]["note"] == "of the house starter"
    # The starter's own people cannot sign here.
    assert "nobody" not in run("show", "--people").stdout
    error = run("withdraw", entry.work, "--as", "ana", "--yes", code=2).stderr
    assert "every key of ana has ended" in error


def test_people_at_hand_are_enrolled_when_the_house_begins(run):
    people = ["--person", "ana:composer", "--person", "cleo:curator+composer"]
    told = run("init", "--name", "lantern", "--one-person", *people, "--yes", *QUICK)
    assert "enrolled ana (composer), with a key made here" in told.stdout
    assert f"Next: python scripts/house.py show --people --house {run.folder}" in told.stderr
    found = {person["id"]: person["roles"] for person in run.json("show", "--people")["people"]}
    assert found["ana"] == ["composer"]
    assert sorted(found["cleo"]) == ["composer", "curator"]
    assert {file.owner for file in list_keys()} >= {"root", "ana", "cleo"}


@pytest.mark.parametrize(
    "person", ["ana", "ana:singer", "Ana:composer", "root:curator", "machine:"]
)
def test_who_cannot_be_enrolled_is_refused_before_a_key_is_made(run, person):
    words = ["init", "--name", "lantern", "--person", person, "--yes", *QUICK]
    assert "names no person to enroll" in run(*words, code=2).stderr
    assert list(list_keys()) == []


def test_init_needs_a_folder_and_refuses_a_second_house(started, tmp_path, monkeypatch):
    assert "a house is there already" in started(
        "init", "--name", "again", "--yes", *QUICK, code=2
    ).stderr  # fmt: skip
    result = CliRunner().invoke(
        importlib.import_module("house").main, ["init", "--name", "x", "--yes"]
    )
    assert (result.exit_code, "say where: --house DIR" in result.stderr) == (2, True)


def test_questions_need_somebody_to_answer(run):
    assert "run with --yes" in run("init", "--name", "lantern", *QUICK, code=2).stderr


def test_passphrase_is_needed_and_must_be_right(started, monkeypatch):
    contribute(started, 1)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "wrong " + PASSPHRASE)
    assert "the passphrase does not open the key of cleo" in started(
        "accept", "--all", code=2
    ).stderr  # fmt: skip
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    assert f"set {PASSPHRASE_VARIABLE}" in started("accept", "--all", code=2).stderr
    assert f"set {PASSPHRASE_VARIABLE}" in started("key", "zoe", *QUICK, code=2).stderr


def test_who_you_are_must_be_clear(started):
    started("enroll", "dana", "--role", "curator", "--yes", *QUICK)
    contribute(started, 1)
    error = started("accept", "--all", code=2).stderr
    assert "several curators' keys are in your key folder: cleo, dana" in error
    assert "'zoe' is not enrolled in lantern" in started(
        "accept", "--all", "--curator", "zoe", code=2
    ).stderr  # fmt: skip
    started("accept", "--all", "--curator", "dana")


def test_pin_of_another_house_is_refused(started, tmp_path):
    pin = started.folder / "pin.yaml"
    started("audit", "--pin", pin)
    error = started("audit", "--pin", pin, "--house", tmp_path / "elsewhere", code=2).stderr
    assert "leave --house out" in error
    assert "no trust pin names this folder" in started(
        "audit", "--house", tmp_path / "elsewhere", code=2
    ).stderr  # fmt: skip


def test_at_a_terminal_there_are_tables_bars_and_questions(started, monkeypatch, capsys):
    """What a person sees who does not redirect anything."""
    common = importlib.import_module("gen.cli.house_commands.common")
    contribute(started, 1, 2, 3, 4)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)

    def at_terminal(*words):
        main = importlib.import_module("house").main
        with pytest.raises(SystemExit) as ended:
            main([*words, "--house", str(started.folder)])
        return ended.value.code or 0, *capsys.readouterr()

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(common, "FEW", 0)
    code, _, talk = at_terminal("accept", "--all")
    assert (code, "accepting" in talk, "4/4" in talk) == (0, True, True)
    code, table, _ = at_terminal("show", "--people")
    assert (code, "Ana Lima" in table, "\t" in table) == (0, True, False)
    work = next(iter(house_of(started).load().works))
    for answer, status in ((False, "live"), (True, "withdrawn")):
        monkeypatch.setattr(common.click, "confirm", lambda *_, answer=answer, **__: answer)
        code, _, talk = at_terminal("withdraw", work)
        assert (code, "left as it was" in talk) == ((0, False) if answer else (2, True))
        assert started.json("show", work)["status"].startswith(status)


def test_program_that_opens_a_preview_has_the_environment_without_the_passphrase(
    monkeypatch, tmp_path
):
    """And as it was else: a program that is written in Python does not import what is here."""
    found = {}
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(preview.subprocess, "Popen", lambda words, **more: found.update(more))
    monkeypatch.setenv("HOUSE_PASSPHRASE", "correct horse battery")
    preview.open_file(tmp_path / "song.mid")
    assert found["env"] == {n: v for n, v in os.environ.items() if n != "HOUSE_PASSPHRASE"}


# -- passphrases -------------------------------------------------------------------------------


@pytest.fixture
def at_terminal(run, monkeypatch):
    """Commands whose questions somebody at a keyboard answers."""
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    for module in ("start", "common"):
        terminal = importlib.import_module(f"gen.cli.house_commands.{module}")
        monkeypatch.setattr(terminal, "sys", _Terminal())
    access = importlib.import_module("gen.provenance.houses.access")
    monkeypatch.setattr(access, "sys", _Terminal())

    def ask(*words, typed, code=0):
        monkeypatch.setattr("getpass.getpass", lambda _: click.termui.hidden_prompt_func(""))
        return run(*words, *QUICK, code=code, input="".join(f"{answer}\n" for answer in typed))

    return ask


class _Terminal:
    """The module sys of somebody at a keyboard."""

    class stdin:  # noqa: N801 - as in sys
        isatty = staticmethod(lambda: True)

    def __getattr__(self, name):
        return getattr(sys, name)


PEOPLE_HERE = ["--person", "ana:composer", "--person", "cleo:curator"]


def test_one_person_seals_all_keys_of_a_house_by_one_passphrase(run, at_terminal):
    told = at_terminal("init", "--name", "own", *PEOPLE_HERE, typed=["y", "", *[PASSPHRASE] * 2])
    files = [file for file in list_keys() if not file.is_open]
    assert sorted(file.owner for file in files) == ["ana", "cleo", "root", "root", "root"]
    assert {open_key(file, PASSPHRASE).keyid for file in files} == {f.keyid for f in files}
    assert len({json.loads(file.path.read_text())["salt"] for file in files}) == len(files)
    assert "One passphrase opens all 5 keys" in told.stderr
    line = told.stderr.split("a passphrase of its own: ")[1].strip()
    assert shlex.split(line)[:2] == ["python", "scripts/house.py"]
    at_terminal(*shlex.split(line)[2:], typed=[PASSPHRASE, *["four other words, new"] * 2])
    opened = [_opens(file, "four other words, new") for file in files]
    assert opened.count(True) == 1
    # Of three root keys two are opened by what is typed once, and one has its own by now.
    files.sort(key=lambda file: _opens(file, PASSPHRASE))
    files[0].path.unlink()
    at_terminal("enroll", "ben", "--role", "composer", typed=["y", *[PASSPHRASE] * 3])


def _opens(file, passphrase):
    try:
        return bool(open_key(file, passphrase))
    except WrongPassphraseError:
        return False


def test_keys_of_several_people_have_a_passphrase_each(run, at_terminal):
    words = ["four words of root", "four words of ana", "four words of cleo"]
    typed = ["y", "n", *(word for word in words for _ in range(2))]
    told = at_terminal("init", "--name", "own", "--one-person", *PEOPLE_HERE, typed=typed)
    assert "One passphrase opens all" not in told.stderr
    files = {file.owner: file for file in list_keys() if not file.is_open}
    for owner, passphrase in zip(("root", "ana", "cleo"), words, strict=True):
        assert [o for o, file in files.items() if _opens(file, passphrase)] == [owner]


def test_without_a_question_keys_share_a_passphrase_only_where_it_is_said(run, at_terminal):
    each = [word for word in ("four words of root", "four words of ana") for _ in range(2)]
    person = ["--one-person", "--person", "ana:composer", "--yes"]
    at_terminal("init", "--name", "own", *person, typed=each)
    shutil.rmtree(run.folder)
    person += ["--one-passphrase"]
    at_terminal("init", "--name", "other", *person, typed=[PASSPHRASE] * 2)
    files = [file for file in list_keys() if file.house == "other" and not file.is_open]
    assert [_opens(file, PASSPHRASE) for file in files] == [True, True]


def test_passphrase_that_is_too_short_is_asked_for_again(run, at_terminal):
    told = at_terminal("key", "zoe", "--name", "own", typed=["short", *[PASSPHRASE] * 2])
    assert "the passphrase has 5 characters" in told.stderr


def test_passphrase_is_changed_in_its_place_and_the_key_stays(started, monkeypatch):
    before = {file.path: file.keyid for file in list_keys()}
    monkeypatch.setenv("HOUSE_NEW_PASSPHRASE", "four other words, new")
    found = started.json("passphrase", "ana", *QUICK)
    assert {file.path: file.keyid for file in list_keys()} == before
    assert before[Path(found["key_file"])] == found["keyid"]
    assert "the passphrase does not open the key of ana" in started(
        "passphrase", "ana", *QUICK, code=2
    ).stderr  # fmt: skip
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "four other words, new")
    started("passphrase", "ana", *QUICK)


def test_passphrase_says_which_key_is_meant_and_where_there_is_none(started):
    several = started("passphrase", "root", code=2).stderr
    assert "3 keys of root for lantern are here" in several
    assert "say which: --key" in several
    for owner in ("zoe", "machine"):  # a machine's key has none
        assert f"no key of {owner} for lantern" in started("passphrase", owner, code=2).stderr


def test_each_root_key_is_told_with_its_own_file(run):
    told = run("init", "--name", "lantern", "--yes", *QUICK).stdout
    pairs = re.findall(r"root key (\w+)…; key file: (.+)", told)
    assert len(pairs) == 3
    for digits, path in pairs:
        assert f".{digits}.key" in path


def test_cheap_key_derivation_is_warned_of_once(run):
    told = run("init", "--name", "lantern", "--yes", *PEOPLE_HERE, *QUICK).stderr
    assert told.count("--kdf-cost 10") == 1
