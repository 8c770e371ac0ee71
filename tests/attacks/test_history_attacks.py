"""A house that would show two histories, or date its acts back: what its witnesses say to that.

The house is the attacker here, with all its keys; who is protected is whoever holds its pin.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from commanded import CommandedHouse
from gen.checkpoint import save_checkpoint
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.signing.key_files import save_open_key
from gen.provenance.signing.keys import PrivateKey
from gen.provenance.signing.notes import (
    LOG_KEY,
    WITNESS_KEY,
    NoteKey,
    NoteSignature,
    SignedNote,
)
from gen.provenance.witnesses import standing
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import key_of, start_house
from loopback import answered_by
from tiny_runs import train
from witnesses import WitnessProgram, answering, post


@pytest.fixture
def house(tmp_path, monkeypatch, own_keys):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    return CommandedHouse(tmp_path, monkeypatch)


@pytest.fixture
def witnesses(house, tmp_path):
    """Three witnesses that serve, the last of which signs everything; two have to sign."""
    with ExitStack() as stack:
        made = {}
        for name in ("society", "publisher", "liar"):
            program = WitnessProgram(tmp_path / name, f"{name}.example")
            program.add_log(house.log_key())
            url = stack.enter_context(answering(program, lies=name == "liar"))
            house("witness", "--add", program.key, "--url", url)
            program.url = url
            made[name] = program
        house("witness", "--need", "2")
        yield made


def fork(house, at="fork"):
    """A copy that goes its own way: the same keys, the same size, another act."""
    shutil.copytree("house", at)
    house.enroll("ben")
    house.enroll("bob", folder=at)


def test_honest_house_is_seen_by_all(house, witnesses):
    assert "not witnessed at all" in house("verify")
    house.enroll("ben")
    house("witness")
    said = house("verify")
    assert "this head seen by liar.example, publisher.example and society.example, last" in said
    assert "not witnessed before 20" in said


def test_second_history_is_signed_by_the_liar_alone(house, witnesses):
    house("witness")
    fork(house)
    assert "this head seen by" in house("witness")
    said = house("witness", code=2, folder="fork")
    assert said.count("does not extend that") == 2
    assert "liar.example: signed 2 acts" in said
    assert "signed by 1 witnesses (liar.example), 2 of 3 are needed" in said
    assert "this head" not in house("verify", folder="fork")
    assert "this head seen by" in house("verify")


def test_honest_witnesses_answer_the_second_history_with_409_or_422(house, witnesses):
    house("witness")
    fork(house)
    house("witness")
    note = Path("fork/register.checkpoint").read_bytes()
    for name in ("society", "publisher"):
        url = witnesses[name].url
        assert post(url, b"old 2\n\n" + note)[0] == 409
        house.enroll(f"x-{name}", folder="fork")
        longer = Path("fork/register.checkpoint").read_bytes()
        assert post(url, b"old 2\n" + b"A" * 43 + b"=\n\n" + longer)[0] == 422


def ask_of(house, names, *, folder, witnesses, code):
    """The house asks some of its witnesses alone: the others do not answer."""
    pin = Path(folder, "pin.yaml")
    whole = pin.read_text(encoding="utf-8")
    text = whole
    for name, program in witnesses.items():
        if name not in names:
            text = text.replace(f" {program.url}", "")
    pin.write_text(text, encoding="utf-8")
    said = house("witness", folder=folder, code=code)
    pin.write_text(whole, encoding="utf-8")
    return said


def test_one_liar_among_four_is_too_few_for_two_histories(house, witnesses, tmp_path):
    archive = WitnessProgram(tmp_path / "archive", "archive.example")
    archive.add_log(house.log_key())
    with answering(archive) as archive.url:
        everybody = {**witnesses, "archive": archive}
        house("witness", "--add", archive.key, "--url", archive.url)
        said = house("witness", "--need", "3")
        assert "2 witnesses would have to lie for two histories to be signed" in said
        fork(house)
        halves = {"house": ("society", "archive", "liar"), "fork": ("publisher", "liar")}
        ask_of(house, halves["house"], folder="house", witnesses=everybody, code=0)
        said = ask_of(house, halves["fork"], folder="fork", witnesses=everybody, code=2)
        assert "signed by 2 witnesses (liar.example, publisher.example), 3 of 4" in said


def test_one_liar_among_three_lets_two_histories_stand_until_they_meet(house, witnesses):
    """What the threat model says that two of three do not stand."""
    fork(house)
    ask_of(house, ("society", "liar"), folder="house", witnesses=witnesses, code=0)
    ask_of(house, ("publisher", "liar"), folder="fork", witnesses=witnesses, code=0)
    notes = ("house/witnesses/2.note", "fork/witnesses/2.note")
    said = house("fraud", *notes, "--out", "fraud.json")
    assert "signed both: lantern/" in said
    assert "liar.example" in said
    for name in ("society", "publisher"):
        witnesses[name].run("fraud", "fraud.json")
        assert f"{name}.example" not in said


@pytest.mark.parametrize(("need", "liars"), [(1, 0), (2, 1), (3, 3)])
def test_what_a_pin_stands_is_said(house, witnesses, need, liars):
    told = json.loads(house("witness", "--need", need, "--json"))
    assert told["liars_for_two_histories"] == liars


def test_more_than_half_are_needed_where_nobody_says_otherwise(house, tmp_path):
    for count in (1, 2, 3, 4, 5):
        program = WitnessProgram(tmp_path / f"w{count}", f"w{count}.example")
        told = json.loads(house("witness", "--add", program.key, "--json"))
        assert told["need"] == count // 2 + 1


def test_dropped_act_is_refused(house, witnesses):
    """The house puts back what it had before an act, and goes on from there."""
    shutil.copytree("house", "before")
    house.enroll("ben")
    house("witness")
    house.enroll("bob", folder="before")
    house.enroll("eve", folder="before")
    said = house("witness", code=2, folder="before")
    assert said.count("does not extend that") == 2


def test_older_copy_with_its_older_pin_is_refused_by_the_note_of_the_newer(house, witnesses):
    shutil.copytree("house", "before")
    house.enroll("ben")
    house("witness")
    shutil.copytree("house/witnesses", "before/witnesses", dirs_exist_ok=True)
    said = house("verify", code=2, folder="before")
    assert "the log's key signed 2 acts" in said


def test_two_notes_of_one_size_prove_fraud_to_anybody(house, witnesses):
    fork(house)
    house("witness")
    said = house(
        "fraud", "house/register.checkpoint", "fork/register.checkpoint", "--out", "fraud.json"
    )
    assert f"signed both: {house.log_key().split('+')[0]}" in said
    society = witnesses["society"]
    assert "signed both" in society.run("fraud", "fraud.json")
    assert "signed both" in house("fraud", "fraud.json")


def test_notes_of_two_sizes_prove_fraud_with_the_larger_ones_records(house, witnesses):
    fork(house)
    house.enroll("carl", folder="fork")
    words = ("fraud", "house/register.checkpoint")
    said = house(*words, "fork/register.checkpoint", "--out", "fraud.json", code=2)
    assert "nothing here has the 3 acts of the larger head" in said
    house(*words, "fork", "--out", "fraud.json")
    assert "signed both" in witnesses["society"].run("fraud", "fraud.json")


def test_witness_that_signed_both_histories_is_named(house, witnesses):
    house("witness")
    fork(house)
    house("witness")
    house("witness", code=2, folder="fork")
    notes = ("house/witnesses/2.note", "fork/witnesses/2.note")
    said = house("fraud", *notes, "--out", "fraud.json")
    assert said.rstrip().endswith("liar.example")
    assert "society.example" not in said


def test_one_history_is_no_fraud(house, witnesses):
    shutil.copy("house/register.checkpoint", "first")
    house.enroll("ben")
    said = house("fraud", "first", "house", "--out", "fraud.json", code=2)
    assert "of one history" in said
    assert not Path("fraud.json").exists()


@pytest.mark.parametrize("part", ["notes", "old_root", "path"])
def test_proof_of_fraud_that_was_changed_proves_nothing(house, witnesses, part):
    fork(house)
    house.enroll("carl", folder="fork")
    house("fraud", "house/register.checkpoint", "fork", "--out", "fraud.json")
    proof = json.loads(Path("fraud.json").read_text(encoding="utf-8"))
    proof[part] = {
        "notes": [proof["notes"][0].replace("\n2\n", "\n1\n"), proof["notes"][1]],
        "old_root": "00" * 32,
        "path": ["00" * 32 for _ in proof["path"]],
    }[part]
    Path("fraud.json").write_text(json.dumps(proof), encoding="utf-8")
    witnesses["society"].run("fraud", "fraud.json", code=2)
    house("fraud", "fraud.json", code=2)


def test_act_of_2018_was_not_witnessed_before_today(house, witnesses, monkeypatch):
    with monkeypatch.context() as patch:
        for room in ("houses.founding", "signing.keys"):
            patch.setattr(f"gen.provenance.{room}.utc_now", lambda: "2018-01-01T00:00:00Z")
        house.enroll("ben")
    house("witness")
    act = json.loads(house("log", "--json"))["acts"][1]
    assert act["time"] == "2018-01-01T00:00:00Z"
    assert act["seen"] > "2026"
    said = f"not witnessed before {act['seen']}: if acts 0 to 1 are older, that is the"
    assert said in house("verify")


def test_one_lying_witness_dates_nothing_back(house, witnesses, monkeypatch):
    """It signs that it saw the head in 2018; with two needed, an honest one's time counts."""
    note = SignedNote.parse(Path("house/register.checkpoint").read_bytes())
    state = json.loads(witnesses["liar"].state.read_text(encoding="utf-8"))
    said = b"cosignature/v1\ntime 1514764800\n" + note.text
    Path("answer").write_text(_cosigned(state, said, 1514764800), encoding="utf-8")
    house("witness", "--take", "answer", code=2)
    house("witness")
    shown = json.loads(house("verify", "--json").strip())
    assert shown["first_seen"] > "2026"
    house("witness", "--need", "1")
    assert json.loads(house("verify", "--json").strip())["first_seen"] == "2018-01-01T00:00:00Z"


def _cosigned(state, said, seconds):
    key = PrivateKey.from_seed(bytes.fromhex(state["seed"]))
    mine = NoteKey(state["name"], key.public, WITNESS_KEY)
    return f"{NoteSignature(mine.name, mine.hash, seconds.to_bytes(8, 'big') + key.sign(said))}\n"


def test_model_says_when_what_it_learned_from_was_seen(house, witnesses, tmp_path):
    """A house that asks its witnesses after training alone shows so."""
    save_open_key(key_of("log"), house="lantern", owner="log")
    other = start_house(
        tmp_path / "other", log_key=key_of("log"), pin_path=tmp_path / "other" / "pin.yaml"
    )
    other.enter(1)
    model = Transformer(ModelConfig(1, 16, 2, 2, 0.0, 32, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(other.admit(), tokenizer_fingerprint=v.fingerprint())
    save_checkpoint(tmp_path / "model.safetensors", model, manifest, {})
    other.record(tmp_path / "model.safetensors")
    society = witnesses["society"]
    society.add_log(other.load().roster.log)
    house("witness", "--add", society.key, "--url", society.url, folder="other")
    said = house("verify", "--checkpoint", "model.safetensors", folder="other")
    assert "the 2 acts that it learned from were seen outside the house by: not yet" in said
    house("witness", folder="other")
    said = house("verify", "--checkpoint", "model.safetensors", folder="other")
    assert "were seen outside the house by: 20" in said


def test_unwitnessed_head_is_refused_where_the_pin_says_so(house, witnesses):
    house("witness", "--require")
    assert "2 of 3 are needed" in house("audit", code=2)
    assert "2 of 3 are needed" in train("pin=house/pin.yaml", "purpose=general_model").stderr
    house("witness")
    house("audit")
    house.enroll("ben")
    assert "the head of 2 acts is signed by 0 witnesses" in house("audit", code=2)


def test_run_may_be_made_to_refuse_an_unwitnessed_head(house, witnesses):
    house("audit")
    done = train("pin=house/pin.yaml", "witnessed=true")
    assert done.code == 2
    assert "2 of 3 are needed" in done.stderr
    house("witness")
    assert "are needed" not in train("pin=house/pin.yaml", "witnessed=true").stderr


def test_head_that_was_seen_long_ago_is_refused(house, witnesses, monkeypatch):
    house("witness", "--require", "--max-age", "24")
    house("witness")
    house("audit")
    now = standing.time.time()
    monkeypatch.setattr(standing.time, "time", lambda: now + 25 * 3_600)
    assert "was last seen by 2 witnesses 25 hours ago, at most 24" in house("audit", code=2)


def test_signature_of_a_witness_that_is_not_in_the_pin_counts_for_nothing(house, tmp_path):
    stranger = WitnessProgram(tmp_path / "stranger", "stranger.example")
    stranger.add_log(house.log_key())
    named = WitnessProgram(tmp_path / "named", "named.example")
    house("witness", "--add", named.key)
    house("witness", "--request", "request")
    stranger.run("check", "request", "--out", "answer")
    said = house("witness", "--take", "answer", code=2)
    assert "no witness that the pin names signed" in said


def test_note_that_the_logs_key_did_not_sign_counts_for_nothing(house):
    Path("house/witnesses").mkdir()
    forged = SignedNote(house.log_key().split("+")[0], 1, bytes(32)).signed_by(key_of("thief"))
    Path("house/witnesses/1.note").write_bytes(forged.encode())
    house("verify")


def test_note_of_another_history_that_the_logs_key_signed_is_told(house):
    fork(house)
    Path("house/witnesses").mkdir()
    shutil.copy("fork/register.checkpoint", "house/witnesses/2.note")
    assert "the log's key signed 2 acts" in house("verify", code=2)


def test_log_key_named_by_a_planted_pin_must_be_the_rosters(house):
    pin = Path("house/pin.yaml")
    other = NoteKey(house.log_key().split("+")[0], key_of("thief").public, LOG_KEY)
    pin.write_text(pin.read_text().replace(house.log_key(), str(other)))
    assert "the log's key is" in house("verify", code=2)


# -- a witness that is the attacker, or was attacked ----------------------------------------------


def says(program, note, seconds) -> str:
    """The line that a witness's key makes of a note, at whatever time its holder likes."""
    state = json.loads(program.state.read_text(encoding="utf-8"))
    return _cosigned(state, b"cosignature/v1\ntime %d\n" % seconds + note.text, seconds)


def newest_note() -> SignedNote:
    return SignedNote.parse(Path("house/register.checkpoint").read_bytes())


@pytest.mark.parametrize("years", [1, 10**7])
def test_witness_that_dates_ahead_makes_no_head_look_lately_seen(house, witnesses, years):
    house("witness", "--need", "1", "--require")
    ahead = int(time.time()) + years * 31_536_000
    Path("answer").write_text(says(witnesses["liar"], newest_note(), ahead), encoding="utf-8")
    said = house("witness", "--take", "answer", code=2)
    assert "liar.example signed with a time more than a day ahead of this computer's clock" in said
    assert "is signed by 0 witnesses" in house("audit", code=2)
    house("witness")
    house("audit")


def test_clock_set_back_makes_no_old_signature_new(house, witnesses, monkeypatch):
    """A head that was seen a year ago is not lately seen on a computer that is two years back."""
    house("witness", "--require", "--max-age", "24")
    house("witness")
    now = time.time()
    monkeypatch.setattr(standing.time, "time", lambda: now - 2 * 31_536_000)
    assert "is signed by 0 witnesses" in house("audit", code=2)


def test_witness_whose_memory_was_put_back_is_told_of(house, witnesses):
    """It would sign a second history now, and nobody but the house can know."""
    society = witnesses["society"]
    house("witness")
    before = society.state.read_bytes()
    house.enroll("ben")
    house("witness")
    society.state.write_bytes(before)
    house.enroll("carl")
    said = house("witness", code=2)
    assert "society.example says that it has signed 1 acts, and its signature is under 2" in said
    assert "house.py witness --drop society.example" in said


def test_witness_without_its_state_signs_nothing_and_says_so(house, witnesses):
    society = witnesses["society"]
    for damage in (society.state.unlink, lambda: society.state.touch(0o600)):
        damage()
        said = house("witness")
        assert "society.example answers 500 its state cannot be read or written" in said
        assert "this head seen by liar.example and publisher.example" in said


def test_one_key_under_two_names_counts_once(house, witnesses):
    key = NoteKey.parse(witnesses["liar"].key, WITNESS_KEY)
    twin = NoteKey("twin.example", key.public, WITNESS_KEY)
    assert "is named twice" in house("witness", "--add", twin, code=2)


P = 2**255 - 19


@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1, P + 3, 1 | 1 << 255], ids=hex)
def test_witness_key_that_anybody_can_sign_for_is_not_believed(house, y):
    key = NoteKey("society.example", y.to_bytes(32, "little"), WITNESS_KEY)
    assert "is no witness's key" in house("witness", "--add", key, code=2)


def test_answer_of_an_earlier_head_that_is_sent_again_is_of_that_head_alone(house, witnesses):
    society = witnesses["society"]
    house("witness", "--need", "1", "--require")
    house("witness", "--request", "request", "--of", "society.example")
    society.run("check", "request", "--out", "answer")
    house("witness", "--take", "answer")
    house.enroll("ben")
    assert "signed 1 acts" in house("witness", "--take", "answer", code=2)
    assert "the head of 2 acts is signed by 0 witnesses" in house("audit", code=2)
    society.run("check", "request", "--out", "answer", code=2)  # the request, once more


@pytest.mark.parametrize("length", [68, 12, 4])
def test_cosignature_that_was_cut_is_refused(house, witnesses, length):
    whole = NoteSignature.parse(says(witnesses["society"], newest_note(), 1_800_000_000).strip())
    cut = NoteSignature(whole.name, whole.key_hash, whole.value[: length - 4])
    Path("answer").write_text(f"200 OK\n{cut}\n", encoding="utf-8")
    house("witness", "--take", "answer", code=2)
    assert not Path("house/witnesses").exists()


def test_cosignature_of_another_logs_head_is_refused(house, witnesses):
    """Of the same size and root, and signed by the same witness: its text names the other log."""
    note = newest_note()
    other = SignedNote("harbour/0123456789abcdef", note.size, note.root)
    Path("answer").write_text(says(witnesses["society"], other, int(time.time())), encoding="utf-8")
    assert "signed a note of this log" in house("witness", "--take", "answer", code=2)


def answers(status, body, **headers):
    """Answers whatever is asked with this, and keeps what was asked."""

    class Answers(BaseHTTPRequestHandler):
        asked: list[str] = []  # noqa: RUF012 - one class a test

        def do_POST(self):
            self.asked.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - as the base class calls it

        def log_message(self, *_): ...

    return Answers


@pytest.mark.parametrize("status", [302, 307])
def test_witness_that_sends_the_house_elsewhere_is_not_followed(house, tmp_path, status):
    """Else it would choose which of the computers beside the house's is asked."""
    neighbour, program = answers(200, b""), WitnessProgram(tmp_path / "w", "elsewhere.example")
    with (
        answered_by(neighbour) as inside,
        answered_by(answers(status, b"", Location=inside)) as url,
    ):
        house("witness", "--add", program.key, "--url", url)
        assert f"elsewhere.example answers {status}" in house("witness", code=2)
        said = house("stamp", "--url", url, "--roots", "house/pin.yaml", code=2)
        assert f"it answers {status}" in said
    assert neighbour.asked == []


@pytest.mark.parametrize(
    "body",
    [b"x" * 1_000_000, b"\xff\xfe" * 100, "— liar.example AAAAAAAA\n".encode() * 5_000, b"\n", b""],
    ids=["long", "no text", "many lines", "empty line", "nothing"],
)
def test_answer_that_is_none_is_refused_and_nothing_kept(house, tmp_path, body):
    program = WitnessProgram(tmp_path / "w", "odd.example")
    with answered_by(answers(200, body)) as url:
        house("witness", "--add", program.key, "--url", url)
        house("witness", code=2)
    assert not Path("house/witnesses").exists()


def test_witness_that_answers_byte_by_byte_does_not_hold_the_house(house, tmp_path, monkeypatch):
    """Each byte comes in time; all of them would take days."""
    monkeypatch.setattr("gen.provenance.witnesses.posting.SECONDS", 0.5)
    program, is_over = WitnessProgram(tmp_path / "w", "slow.example"), threading.Event()

    class Drips(answers(200, b"x" * 60_000)):
        def do_POST(self):  # noqa: N802 - as the base class calls it
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
            while not is_over.wait(0.05):
                self.wfile.write(b"x")

    with answered_by(Drips) as url:
        house("witness", "--add", program.key, "--url", url)
        said = house("witness", code=2)
        assert "slow.example cannot be reached (no whole answer in 0.5 seconds)" in said
        is_over.set()


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\u202eb", "a\x9bb"])
def test_key_whose_name_moves_a_cursor_is_not_taken(house, tmp_path, name):
    """A house shows the names of witnesses, a witness those of logs."""
    key = NoteKey(name, key_of("thief").public, WITNESS_KEY)
    assert "is no witness's key" in house("witness", "--add", key, code=2)
    log = NoteKey(name, key_of("thief").public, LOG_KEY)
    said = WitnessProgram(tmp_path / "w", "w.example").run("add-log", log, code=2)
    assert name not in said


def test_what_a_witness_answers_moves_no_cursor(house, tmp_path):
    program = WitnessProgram(tmp_path / "w", "odd.example")
    with answered_by(answers(418, b"\x1b[2J\nholds: everything")) as url:
        house("witness", "--add", program.key, "--url", url)
        said = house("witness", code=2)
    assert "\x1b" not in said
    assert "\nholds: everything" not in said


def test_house_that_replaced_its_logs_key_after_two_histories_stays_accused(house, witnesses):
    fork(house)
    notes = ("register.checkpoint", "other")
    for folder, name in zip(("house", "fork"), notes, strict=True):
        shutil.copy(f"{folder}/register.checkpoint", name)
    before, society = house.log_key(), witnesses["society"]
    house("rotate", "--log-key", "--yes")
    assert house.log_key() != before
    society.add_log(house.log_key())
    assert "signed both: lantern/" in house("fraud", *notes, "--out", "fraud.json")
    assert "signed both: lantern/" in house("fraud", "fraud.json")
    assert "signed both: lantern/" in society.run("fraud", "fraud.json")


# -- proofs of fraud that are none ----------------------------------------------------------------


@pytest.mark.parametrize("how", ["same", "order", "stranger", "another log", "twice", "extra"])
def test_forged_proof_of_fraud_accuses_nobody(house, witnesses, how):
    fork(house)
    house("fraud", "house/register.checkpoint", "fork/register.checkpoint", "--out", "fraud.json")
    proof = json.loads(Path("fraud.json").read_text(encoding="utf-8"))
    first, second = (SignedNote.parse(note.encode()) for note in proof["notes"])
    stranger = SignedNote(first.origin, first.size, bytes(32)).signed_by(key_of("thief"))
    other = SignedNote("harbour/0123456789abcdef", 2, bytes(32)).signed_by(key_of("thief"))
    longer = SignedNote(first.origin, 3, bytes(32)).signed_by(key_of("thief"))
    pairs = {"same": (first, first), "order": (longer, first), "stranger": (first, stranger),
             "another log": (first, other)}  # fmt: skip
    notes = [note.encode().decode() for note in pairs.get(how, (first, second))]
    text = json.dumps({**proof, "notes": notes})
    if how == "twice":
        text = text.replace('"format": 1', '"format": 1, "notes": [], "notes": []')
    if how == "extra":
        text = text.replace('"format": 1', '"format": 1, "guilty": "society.example"')
    Path("fraud.json").write_text(text, encoding="utf-8")
    house("fraud", "fraud.json", code=2)
    witnesses["society"].run("fraud", "fraud.json", code=2)
