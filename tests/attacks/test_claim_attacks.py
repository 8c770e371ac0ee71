"""Attacks on what stands around the gate, each played through the public commands."""

from __future__ import annotations

import csv
import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_tag_attacks import forged

from gen.errors import HouseError
from gen.provenance.desk import people
from gen.provenance.desk.works import entry_of
from gen.provenance.history.log import HEAD_TYPE
from gen.provenance.houses.access import key_for_role
from gen.provenance.houses.proofs import prove
from gen.provenance.records.acts import ADD, CONSENT, Act, ConsentChange, KeyChange, Withdrawal
from gen.provenance.records.consent import Consent
from gen.provenance.records.roster import ROSTER_TYPE, SignedRoster
from gen.provenance.records.run_acts import AssertedModel, ModelDigest
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import Envelope, Signature, sign
from gen.provenance.signing.merkle import consistency_proof, inclusion_proof, leaf_hash
from gen.safe_parse import SafeReader
from gen.smf import musical_hash, parse
from houses import LANTERN, keep_machine_key, key_of, make_midi, start_house, tagged

TIME = "2027-01-01T00:00:00Z"
ANYBODYS_KEYS = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # y not reduced
)


def append_forged(house, by: str, kind: str, data: dict, forger: str) -> None:
    """What a person with one key and the files can do: an act of another, under a real head."""
    log = house.house.register_log
    value = b"\7" * 64
    act = Act(log.head().size, kind, by, TIME, data, (Signature(key_of(by).keyid, value),), LANTERN)
    log.append([act.encode()], lambda p: [sign(HEAD_TYPE, p, key_of(forger))])


def test_one_composer_who_forges_acts_of_others_is_caught_by_the_next_command(house):
    """B7: and accepting does not move the pin onto them."""
    (entry,) = house.enter(1, consent="evaluation")
    (waiting,) = house.submit(tagged(make_midi(2), "ben"))
    pin = house.pin.path.read_bytes()
    wide = ConsentChange(Consent.parse("general_model").grants, entry.work).to_dict()
    append_forged(house, "ana", CONSENT, wide, forger="ben")
    for words in (
        ("house", "show"),
        ("house", "log"),
        ("house", "accept", waiting.work, "--curator", "cleo"),
        ("house", "withdraw", entry.work, "--as", "ana"),
        ("house", "verify"),
    ):
        code, told = house._run(*words)
        assert (code, told["error"]["rule"]) == (2, "bad-register"), words
        assert "the signature of ana does not verify" in told["error"]["what"]
    assert "the signature of ana does not verify" in house.refuse_training()
    assert house.pin.path.read_bytes() == pin


@pytest.mark.parametrize("public", ANYBODYS_KEYS)
def test_keys_that_anybody_can_sign_for_are_not_enrolled(house, public):
    """B8: with these one constant signature verifies for every message."""
    code, told = house._run("house", "enroll", "eve", "--role", "curator", "--public", public)
    assert code == 2
    assert "anybody could sign for it" in told["error"]["what"]
    code, told = house._run("house", "rotate", "--root", public)
    assert code == 2
    assert "anybody could sign for it" in told["error"]["what"]


def test_signature_under_a_key_that_anybody_can_sign_for_verifies_nothing():
    from gen.provenance.signing.keys import verify

    identity = bytes.fromhex(ANYBODYS_KEYS[0])
    constant = identity + bytes(32)  # R is the identity, S is 0
    assert not verify(identity, constant, b"any message")


def test_head_whose_time_is_no_time_is_refused(house):
    house.enter(1)
    path = house.folder / "register.head.json"
    head = json.loads(path.read_bytes())
    head["head"]["time"] = "0001-01-01"
    path.write_bytes(canonical(head))
    code, told = house.audit()
    assert code == 2
    assert "its head cannot be read" in told["error"]["what"]


def enter_by_hand(house, entry, *signers: str):
    """Append an `add` with these keys alone, as whoever holds them could; what `verify` says."""
    log = house.house.register_log
    act = Act(log.head().size, ADD, signers[0], TIME, entry.to_dict(), house=LANTERN)
    act = act.signed_by([key_of(name) for name in signers])
    log.append([act.encode()], lambda p: [sign(HEAD_TYPE, p, key_of(signers[0]))])
    code, told = house._run("house", "verify")
    assert code == 2
    return told["error"]["what"]


def test_curators_key_alone_enters_no_work_for_a_composer(house):
    """B9: the act has to carry what the composer signed."""
    midi = make_midi(5)
    data = forged(midi, "ana", "cleo")
    entry = entry_of(read_tag(data), data, house.load())
    assert "without what its composer signed" in enter_by_hand(
        house, replace(entry, envelope=None), "cleo"
    )


def test_curators_key_with_a_statement_the_composer_never_signed(house):
    """B9: the composer's name and key id under the curator's own signature."""
    data = forged(make_midi(5), "ana", "cleo")
    entry = entry_of(read_tag(data), data, house.load())
    first, second = entry.envelope.signatures
    lie = Envelope(
        entry.envelope.payload_type,
        entry.envelope.payload,
        (Signature(first.keyid, second.value), second),
    )
    assert "what claims to be ana's signature is not" in enter_by_hand(
        house, replace(entry, envelope=lie), "cleo"
    )


def test_composers_statement_about_another_work_enters_nothing_else(house):
    data, other = forged(make_midi(5), "ana", "cleo"), forged(make_midi(6), "ana", "cleo")
    entry = entry_of(read_tag(data), data, house.load())
    borrowed = entry_of(read_tag(other), other, house.load()).envelope
    assert "otherwise than its composer signed it" in enter_by_hand(
        house, replace(entry, envelope=borrowed), "cleo"
    )


def test_exported_records_carry_what_each_composer_signed(house, tmp_path):
    (entry,) = house.enter(1)
    code, _ = house._run("house", "export", "--out", tmp_path / "copy")
    assert code == 0
    line = (tmp_path / "copy" / "register.jsonl").read_bytes().splitlines()[-1]
    signed = json.loads(line)["data"]["signed"]
    assert signed["statement"]["predicate"]["work"] == entry.work
    assert signed["signatures"][0]["keyid"] == key_of("ana").keyid


def test_title_that_a_spreadsheet_would_run_is_text_in_what_an_auditor_opens(house, tmp_path):
    formula = '=HYPERLINK("http://x.example","works")'
    house.submit(tagged(make_midi(1), title=formula))
    house.accept()
    code, _ = house._run("house", "export", "--out", tmp_path / "copy")
    assert code == 0
    table = (tmp_path / "copy" / "works.csv").read_text("utf-8-sig")
    cells = [cell for row in csv.reader(table.splitlines()) for cell in row]
    assert f"'{formula}" in cells
    assert formula not in cells


def proof_of_forged(house, append) -> dict:
    """A proof of the act that `append` puts into the log, which then is put back as it was."""
    log, pin = house.house.register_log, house.pin
    kept = {path: path.read_bytes() for path in (log.path, log.path.with_name(log.head_place))}
    append()
    lines = list(log.lines(log.head()))
    leaves, last = list(map(leaf_hash, lines)), len(lines) - 1
    proof = {
        "act": {
            "index": last,
            "line": lines[last].decode(),
            "path": [node.hex() for node in inclusion_proof(leaves, last)],
        },
        "format": 2,
        "head": log.head().to_dict(),
        "roster": json.loads((house.folder / "roster.json").read_bytes()),
        "rosters": [],
        "since": {
            "path": [node.hex() for node in consistency_proof(leaves, pin.min_size)],
            "root": pin.root_hash,
            "size": pin.min_size,
        },
    }
    for place, data in kept.items():
        place.write_bytes(data)
    return proof


def test_one_enrolled_key_proves_no_invented_act(house, tmp_path):
    """B4: a line that nobody signed, under a head that any member may sign."""
    house.enter(1)
    said = ConsentChange(Consent.parse("general_model").grants, house.entries[0].work).to_dict()
    proof = proof_of_forged(house, lambda: append_forged(house, "ana", CONSENT, said, forger="ben"))
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    code, told = house._run("house", "verify", "--proof", path)
    assert code == 2
    assert "the signature of ana does not verify" in told["error"]["what"]


def test_proof_of_consent_to_anothers_work_claims_no_right_to_it(house, tmp_path):
    """Ben signs act and head himself; whose the work is, is not in them."""
    house.enter(1)
    said = ConsentChange(Consent.parse("general_model").grants, house.entries[0].work).to_dict()
    log, ben = house.house.register_log, key_of("ben")

    def append() -> None:
        act = Act(log.head().size, CONSENT, "ben", TIME, said, house=LANTERN).signed_by([ben])
        log.append([act.encode()], lambda p: [sign(HEAD_TYPE, p, ben)])

    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof_of_forged(house, append)))
    code, told = house._run("house", "verify", "--proof", path)
    assert code == 0
    assert "was theirs to do if the work is ben's, which the whole log shows" in told["proved"]


def test_proof_of_an_older_log_than_the_pinned_one(house, tmp_path):
    """B4: a head from before says nothing about today."""
    house.enter(1)
    code, _ = house._run("house", "prove", house.entries[0].work, "--out", tmp_path / "p.json")
    assert code == 0
    code, _ = house._run("house", "verify", "--proof", tmp_path / "p.json")
    assert code == 0
    house.enter(2)
    code, told = house._run("house", "verify", "--proof", tmp_path / "p.json")
    assert (code, "the pin has seen 3" in told["error"]["what"]) == (2, True)


def test_proof_from_a_second_history_that_says_it_grew_from_the_pinned_one(house, tmp_path):
    """B4: the same people, another log; its proof names the pinned root as its own beginning."""
    second = type(house)(start_house(tmp_path / "second" / "house").house)
    house.enter(1)
    second.enter(2)
    size = second.pin.min_size
    assert size == house.pin.min_size
    second.enter(3)
    proof = prove(second.house, size, since=size)
    proof["since"]["root"] = house.pin.root_hash
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    code, told = house._run("house", "verify", "--proof", path)
    assert code == 2
    assert f"does not extend that of {size} acts" in told["error"]["what"]


def test_root_is_two_of_three_unless_one_person_says_so(house, tmp_path):
    """B10: and what it means is said."""
    words = ("--yes", "--kdf-cost", "10")
    for name, more, expected in (("many", (), "2 of 3"), ("alone", ("--one-person",), "1 of 1")):
        folder = tmp_path / name
        main = importlib.import_module("house").main
        done = CliRunner().invoke(
            main, ["init", "--name", name, "--house", str(folder), *words, *more]
        )
        assert done.exit_code == 0, done.output
        assert ("one person still decides alone" in done.stderr) == (name == "many")
        assert ("decides who belongs here, and nobody else can tell" in done.stderr) == bool(more)
        shown = CliRunner().invoke(main, ["show", "--house", str(folder), "--json"])
        assert json.loads(shown.stdout)["root_keys"] == expected


@pytest.mark.parametrize("passphrase", ["", "short", "aaaaaaaaaaaaaaaa", "abababababababab"])
def test_passphrases_that_are_guessed_at_once_are_refused(house, monkeypatch, passphrase):
    monkeypatch.setenv("HOUSE_PASSPHRASE", passphrase)
    code, told = house._run("house", "key", "eve")
    assert code == 2
    assert "characters" in told["error"]["what"]


def test_key_that_is_cheap_to_guess_is_made_with_a_warning(house):
    main = importlib.import_module("house").main
    for cost, warned in (("10", True), ("17", False)):
        words = ["key", "eve", "--kdf-cost", cost, "--pin", str(house.pin.path)]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        assert ("128 times faster than at the advised 17" in done.stderr) == warned


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="shows no other's variables")
def test_parser_of_strangers_files_does_not_inherit_the_passphrase(monkeypatch):
    monkeypatch.setenv("HOUSE_PASSPHRASE", "correct horse battery")
    with SafeReader() as reader:
        reader.examine(make_midi(1))
        theirs = Path(f"/proc/{reader._child.pid}/environ").read_bytes()
    assert b"PATH=" in theirs
    assert b"correct horse battery" not in theirs


def test_machines_key_that_others_can_read_signs_nothing(house):
    path = keep_machine_key()
    path.chmod(0o644)
    code, told = house._run("house", "enroll", "desk", "--role", "composer", "--machine")
    assert (code, "trainers and producers alone" in told["error"]["what"]) == (2, True)
    with pytest.raises(HouseError, match="other users of this computer can read this key"):
        key_for_role(house.load(), "trainer")


def planted_by_the_machine(house, entry):
    """Acts that are written as they have to be, and signed by the machine alone."""
    withdrawal = Withdrawal(entry.work, entry.music_sha256, entry.musical_hash, "a wish")
    model = ModelDigest("m", 1, "11" * 32, "22" * 32)
    asserted = AssertedModel("m", "general_model", "33" * 32, (entry.work,), model)
    roster = people.enrolled(house.load(), "eve", "Eve", ["curator"], key_of("eve").public)
    enrolled = SignedRoster(roster, (sign(ROSTER_TYPE, roster.payload(), key_of("machine")),))
    consent = ConsentChange(Consent.parse("evaluation").grants, entry.work)
    return {
        "consent": (consent.to_dict(), "'machine' is no composer"),
        "withdraw": (withdrawal.to_dict(), "'machine' is no curator"),
        "add": (entry.to_dict(), "'machine' is no curator"),
        "key": (KeyChange(enrolled.to_dict()).to_dict(), "carries 0 signatures of its own root"),
        "model": (asserted.to_dict(), "it carries 0 root signatures"),
    }


@pytest.mark.parametrize("kind", ["consent", "withdraw", "add", "key", "model"])
def test_thief_of_the_machines_key_enters_no_work_and_no_consent(house, kind):
    """It may begin false runs; an act of a curator, a composer or the root it cannot sign."""
    (entry,) = house.enter(1)
    log = house.house.register_log
    data, words = planted_by_the_machine(house, entry)[kind]
    whose = {"house": LANTERN} if kind != "key" else {}
    by = "root" if kind in ("key", "model") else "machine"
    act = Act(log.head().size, kind, by, TIME, data, **whose).signed_by([key_of("machine")])
    log.append([act.encode()], lambda p: [sign(HEAD_TYPE, p, key_of("machine"))])
    code, told = house._run("house", "verify")
    assert (code, told["error"]["rule"]) == (2, "bad-register")
    assert words in told["error"]["what"]


def test_output_deleted_from_the_log_is_a_rollback(house):
    """B6: the pin has seen the piece entered, so that forgetting it is noticed by everybody."""
    names = ("register.jsonl", "register.head.json")
    house.enter(1)
    older = {name: (house.folder / name).read_bytes() for name in names}
    sound = musical_hash(parse(make_midi(7)))
    house.log_output(sound)
    assert house.contribute(make_midi(7)) == "generated"
    for name, data in older.items():
        (house.folder / name).write_bytes(data)
    code, told = house.audit()
    assert (code, told["error"]["rule"]) == (2, "register-rollback")
    assert "somebody put an older copy back" in house.refuse_training()
