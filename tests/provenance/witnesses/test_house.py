"""A house and its witnesses: by files, its pin, its proofs, its exports."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gen.errors import HouseError
from gen.provenance.records.pin import PinError, load_pin
from gen.provenance.records.witness_policy import (
    Policy,
    Sighting,
    Witness,
    first_seen,
    last_seen,
    seen_times,
)
from gen.provenance.signing.key_files import list_keys
from houses import start_house
from witnesses import WitnessProgram


@pytest.fixture
def society(house, tmp_path) -> WitnessProgram:
    """A witness that works by files, named by the pin."""
    program = WitnessProgram(tmp_path / "society", "society.example/w1")
    program.add_log(house.log_key())
    house("witness", "--add", program.key)
    return program


def mail(house, society, *more) -> str:
    """One request and its answer by files."""
    house("witness", "--request", "request", *more)
    society.run("check", "request", "--out", "answer")
    return house("witness", "--take", "answer")


def test_head_is_witnessed_by_files(house, society):
    assert "this head seen by society.example/w1" in mail(house, society)
    house.enroll("ben")
    said = house("verify")
    assert "an earlier head, of 1 acts, seen by society.example/w1" in said
    assert "act 1 is not witnessed yet" in said
    assert "this head seen by" in mail(house, society)


def test_answer_that_comes_after_the_log_has_grown_is_taken_in(house, society):
    house("witness", "--request", "request")
    house.enroll("ben")
    society.run("check", "request", "--out", "answer")
    said = house("witness", "--take", "answer", code=2)  # the newest head is not seen yet
    assert "society.example/w1 signed 1 acts" in said


def test_refusal_by_file_says_what_to_ask_anew(house, society):
    mail(house, society)
    shutil.rmtree("house/witnesses")
    house("witness", "--request", "request")
    society.run("check", "request", "--out", "answer", code=2)
    assert "has signed 1 acts" in house("witness", "--take", "answer", code=2)
    mail(house, society, "--old", "1")


NO_ANSWERS = (b"", b"hello", b"\xff\xfe", b"200 OK\n\xe2\x80\x94 a b\n", b"x" * 99_999)


@pytest.mark.parametrize("data", NO_ANSWERS)
def test_file_that_is_no_answer_is_refused(house, society, data):
    Path("answer").write_bytes(data)
    house("witness", "--take", "answer", code=2)


def test_answer_without_its_line_of_status_is_taken_in(house, society):
    house("witness", "--request", "request")
    society.run("check", "request", "--out", "answer")
    lines = Path("answer").read_text(encoding="utf-8").split("\n", 1)
    Path("answer").write_text(lines[1], encoding="utf-8")
    assert "this head seen by" in house("witness", "--take", "answer")


def test_house_without_a_log_key_goes_on_and_is_told(house, tmp_path):
    older = start_house(tmp_path / "older", pin_path=tmp_path / "older" / "pin.yaml")
    assert older.load().roster.log is None
    assert "the log has no key of its own" in house("verify", folder="older")
    assert "rotate --log-key" in house("witness", code=2, folder="older")
    assert not (tmp_path / "older" / "register.checkpoint").exists()


def test_house_gets_a_log_key_later(house, society):
    Path("house/register.checkpoint").unlink()
    before = house.log_key()
    house("rotate", "--log-key", "--yes")
    after = house.log_key()
    assert before != after
    assert before.split("+")[0] == after.split("+")[0]
    house("witness", "--request", "request")
    society.run("check", "request", "--out", "answer", code=2)  # it knows the former key
    society.add_log(after)
    assert "this head seen by" in mail(house, society)


def test_computer_without_the_logs_key_sends_the_newest_note(house, society):
    (file,) = (file for file in list_keys() if file.owner == "log")
    file.path.rename("elsewhere")
    house.enroll("ben")
    said = house("witness", "--request", "request")
    assert "1 acts, of which 0 were signed" in said
    society.run("check", "request", "--out", "answer")
    assert "act 1 is not witnessed yet" in house("witness", "--take", "answer", code=2)


def test_act_is_entered_also_where_its_note_cannot_be_written(house):
    Path("house/register.checkpoint").unlink()
    Path("house/register.checkpoint").mkdir()
    house("enroll", "ben", "--role", "composer", "--kdf-cost", "10", "--yes")
    Path("house/register.checkpoint").rmdir()
    house.enroll("carl")
    assert "lantern: 3 acts" in house("verify")


def test_exported_records_carry_what_witnesses_signed(house, society):
    mail(house, society)
    house("export", "--out", "copy")
    shutil.move("house", "gone")
    assert "this head seen by society.example/w1" in house("verify", folder="copy")


def test_files_of_witnesses_are_no_strangers_to_the_gate(house, society):
    mail(house, society)
    assert "0 refused" in house("audit")


# -- proofs for other tools -------------------------------------------------------------------


def independently_checked(text: str, log: str, witness: str) -> tuple[int, int]:
    """A tlog-proof, checked with hashlib and cryptography alone; its index and its time."""
    head, note = text.split("\n\n", 1)
    first, extra, index, *path = head.split("\n")
    body, _, signatures = note.rpartition("\n\n")
    origin, size, root = body.split("\n")
    position, last = int(index.removeprefix("index ")), int(size) - 1
    assert first == "c2sp.org/tlog-proof@v1"
    assert origin == log.split("+")[0]
    node = hashlib.sha256(b"\0" + base64.b64decode(extra.removeprefix("extra "))).digest()
    found = position
    for sibling in map(base64.b64decode, path):
        left = position % 2 == 1 or position == last
        while left and position % 2 == 0 and position:
            position, last = position // 2, last // 2
        node = hashlib.sha256(b"\1" + (sibling + node if left else node + sibling)).digest()
        position, last = position // 2, last // 2
    assert (last, node) == (0, base64.b64decode(root))
    lines = dict(line[2:].split(" ") for line in signatures.splitlines())
    keys = [base64.b64decode(word.split("+", 2)[2])[1:] for word in (log, witness)]
    raw = [base64.b64decode(lines[word.split("+")[0]])[4:] for word in (log, witness)]
    Ed25519PublicKey.from_public_bytes(keys[0]).verify(raw[0], f"{body}\n".encode())
    seconds = int.from_bytes(raw[1][:8], "big")
    cosigned = f"cosignature/v1\ntime {seconds}\n{body}\n".encode()
    Ed25519PublicKey.from_public_bytes(keys[1]).verify(raw[1][8:], cosigned)
    return found, seconds


def test_proof_for_other_tools_holds_for_every_act(house, society):
    for person in ("ben", "carl", "dora", "eve"):
        house.enroll(person)
    mail(house, society)
    for act in range(5):
        house("prove", "--tlog", "--act", act, "--out", "act.tlog-proof")
        text = Path("act.tlog-proof").read_text(encoding="utf-8")
        assert independently_checked(text, house.log_key(), society.key)[0] == act
        assert f"act {act} is in the log" in house("verify", "--proof", "act.tlog-proof")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("index 1\n", "index 2\n"), "act 2 is not under the note"),
        (lambda text: text.replace("\n\nlantern/", "\n\nother/"), "did not sign the note"),
        (lambda text: "\n".join(text.split("\n")[:-2]) + "\n", "0 of the pin's witnesses"),
        (lambda text: text.replace("index 1\n", "index 01\n"), "no proof of this kind"),
        (lambda text: text.replace("extra ", "extra A"), "no proof of this kind"),
    ],
)
def test_proof_for_other_tools_that_was_changed_is_refused(house, society, change, words):
    house.enroll("ben")
    house.enroll("carl")
    mail(house, society)
    house("prove", "--tlog", "--act", "1", "--out", "act.tlog-proof")
    text = Path("act.tlog-proof").read_text(encoding="utf-8")
    Path("act.tlog-proof").write_text(change(text), encoding="utf-8")
    assert words in house("verify", "--proof", "act.tlog-proof", code=2)


def test_proof_of_what_no_note_has_yet_says_so(house, society):
    (file,) = (file for file in list_keys() if file.owner == "log")
    file.path.rename("elsewhere")
    house.enroll("ben")
    assert "no signed note of the log has act 1" in house("prove", "--tlog", "--act", 1, code=2)


# -- the pin ----------------------------------------------------------------------------------


def test_pin_keeps_its_witnesses_while_the_log_grows(house, society):
    house("witness", "--need", 1, "--max-age", 48)
    house.enroll("ben")
    policy = load_pin(Path("house/pin.yaml")).witnesses
    assert (policy.need, policy.max_age_hours, policy.required) == (1, 48, False)
    assert [str(witness) for witness in policy.witnesses] == [society.key]


def test_witness_is_dropped_and_replaced(house, society):
    house("witness", "--add", society.key, "--url", "http://127.0.0.1:1")
    house("witness", "--drop", "society.example/w1")
    assert load_pin(Path("house/pin.yaml")).witnesses == Policy()
    house("witness", "--drop", "society.example/w1", code=2)


def test_witness_that_cannot_be_reached_is_said_to_be(house, society):
    house("witness", "--add", society.key, "--url", "http://127.0.0.1:1")
    assert "society.example/w1 cannot be reached" in house("witness", code=2)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("need: 1", "need: 2"),
        lambda text: text.replace("need: 1", "need: 0"),
        lambda text: text.replace("need: 1", "need: true"),
        lambda text: text.replace("max_age_hours: 168", "max_age_hours: 0"),
        lambda text: text.replace("  keys:\n", "  keys: []\n  others:\n"),
        lambda text: text.replace("society.example/w1+", "society.example/w2+"),
        lambda text: text + text.splitlines()[-1] + "\n",
        lambda text: text.replace('log: "lantern', 'log: "lanterns'),
        lambda text: text.replace("need: 1", "need: 1\n  required: yesterday"),
        lambda text: text.replace('"\n', ' ftp://127.0.0.1"\n') if "keys" in text else text,
    ],
)  # fmt: skip
def test_pin_with_unfit_witnesses_is_refused(house, society, change):
    pin = Path("house/pin.yaml")
    pin.write_text(change(pin.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(PinError):
        load_pin(pin)


def test_nothing_is_required_of_a_pin_without_witnesses(house):
    house("witness", "--require", code=2)
    with pytest.raises(HouseError, match="none named"):
        Policy(required=True)


def test_address_is_one(society):
    with pytest.raises(HouseError, match="no address"):
        Witness.parse(f"{society.key} file:///etc/passwd")


# -- what cosignatures prove ------------------------------------------------------------------

FOUND = [
    Sighting("a", 10, 100),
    Sighting("b", 10, 300),
    Sighting("c", 10, 200),
    Sighting("a", 20, 400),
    Sighting("b", 20, 500),
    Sighting("a", 20, 900),
]


@pytest.mark.parametrize(
    ("index", "need", "time"),
    [
        (0, 1, 100),
        (9, 2, 200),
        (9, 3, 300),
        (10, 1, 400),
        (19, 2, 500),
        (10, 3, None),
        (20, 1, None),
    ],
)
def test_act_is_first_seen_when_enough_had_signed_a_head_that_has_it(index, need, time):
    assert first_seen(seen_times(FOUND, need), index) == time


def test_head_is_last_seen_when_enough_last_had_signed_it():
    assert last_seen(FOUND, 20, 1) == (900, ["a", "b"])
    assert last_seen(FOUND, 20, 2) == (500, ["a", "b"])
    assert last_seen(FOUND, 20, 3) is None


def test_result_for_programs_names_the_witnesses(house, society):
    mail(house, society)
    told = json.loads(house("verify", "--json"))
    assert told["witnesses"] == ["society.example/w1"]
    assert told["first_seen"].startswith("20")
