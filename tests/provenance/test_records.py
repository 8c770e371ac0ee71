"""Ledger, impact, proofs, marks, access: what is asked of the records, and its refusals."""

import dataclasses
import json

import pytest

from gen.errors import HouseError, SettingError
from gen.provenance import access
from gen.provenance.adopt import create_house_with
from gen.provenance.canonical import StrictJsonError
from gen.provenance.gate import CorpusRefused
from gen.provenance.house import House
from gen.provenance.impact import impact_of
from gen.provenance.keys import save_key
from gen.provenance.ledger import (
    OUTPUT,
    Generated,
    Output,
    append_output,
    append_outputs,
    append_run,
    records,
)
from gen.provenance.log import LogError
from gen.provenance.mark import is_generated, mark_generated
from gen.provenance.people import create_house
from gen.provenance.pin import PinError
from gen.provenance.proofs import ProofError, check_proof, prove_consistency, prove_inclusion
from gen.provenance.tag import TagError
from gen.provenance.works import renew
from houses import PASSPHRASE, key_of, make_midi, start_house

RECEIPT = "ab" * 32


def output(number, manifest="aa" * 32, **more):
    return Output(f"{number:064x}", f"{number + 1000:064x}", RECEIPT, manifest, **more)


def log_run(house, run, works, manifest="aa" * 32):
    append_run(house.house, run=run, purpose="evaluation", manifest_digest=manifest, works=works)


# -- ledger and impact ----------------------------------------------------------------------


def test_ledger_keeps_runs_and_outputs_in_order(house):
    append_run(
        house.house, run="r1", purpose="evaluation", manifest_digest="aa" * 32, works=["b", "a"]
    )
    append_outputs(house.house, [output(1), output(2, fingerprint=[1, [2, 3]])])
    head = append_output(house.house, output(3))
    found = list(records(house.house))
    assert head.size == len(found) == 4
    assert [record.index for record in found] == [0, 1, 2, 3]
    assert found[0].data["works"] == ["a", "b"]
    assert found[2].data["fingerprint"] == [1, [2, 3]]
    assert Generated(house.house).hashes == {f"{n + 1000:064x}" for n in (1, 2, 3)}


def test_edited_ledger_is_noticed(house):
    append_output(house.house, output(1, path="out/piece.mid"))
    path = house.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b"piece", b"peace"))
    with pytest.raises(LogError, match="a line was changed"):
        list(records(house.house))
    with pytest.raises(LogError):
        house.admit()


@pytest.mark.parametrize("line", [b"{}", b'{"act":"run","data":{},"format":1,"index":7,"time":""}'])
def test_ledger_lines_are_strict(house, line):
    house.house.ledger_log.append([line])
    with pytest.raises(LogError, match="line 0"):
        list(records(house.house))


def test_impact_follows_a_work_to_its_pieces(house):
    append_run(
        house.house,
        run="r1",
        purpose="evaluation",
        manifest_digest="aa" * 32,
        works=["rain"],
        details={"checkpoint": "one.ckpt"},
    )
    append_run(
        house.house, run="r2", purpose="evaluation", manifest_digest="bb" * 32, works=["sun"]
    )
    append_outputs(house.house, [output(1), output(2, "bb" * 32), output(3, checkpoint="two.ckpt")])
    impact = impact_of(house.house, ["rain"])
    assert [run.data["run"] for run in impact.runs] == ["r1"]
    assert [piece.data["sha256"][-1] for piece in impact.pieces] == ["1", "3"]
    assert impact.checkpoints == ("one.ckpt", "two.ckpt")
    assert impact_of(house.house, ["moon"]).to_dict() == {
        "checkpoints": [],
        "pieces": [],
        "runs": [],
    }
    assert all(piece.kind == OUTPUT for piece in impact.pieces)


# -- proofs ---------------------------------------------------------------------------------


@pytest.fixture
def proof(house):
    house.enter(1, 2, 3)
    return prove_inclusion(house.house, 2)


def test_proof_holds_under_the_pinned_root_alone(house, proof):
    again = json.loads(json.dumps(proof))
    assert "act 2 (add" in check_proof(again, house.pin.root_keys)
    with pytest.raises(ProofError, match="not signed by the root keys you trust"):
        check_proof(again, [key_of("mallory").keyid])
    with pytest.raises(ProofError, match="not signed by the root keys you trust"):
        check_proof(again, house.pin.root_keys, threshold=2)


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (["index"], 1, ProofError),
        (["index"], 99, ProofError),
        (["path"], [], ProofError),
        (["path", 0], "00" * 32, ProofError),
        (["path", 0], "x", ProofError),
        (["act"], "{}", ProofError),
        (["kind"], "hearsay", ProofError),
        (["head", "head", "time"], "2001-01-01T00:00:00Z", ProofError),
        (["head", "signatures"], [], ProofError),
        (["head", "frontier"], [], StrictJsonError),
        (["roster", "signatures"], [], ProofError),
        (["roster", "roster", "change"], "x", ProofError),
        (["more"], 1, StrictJsonError),
    ],
)
def test_changed_proofs_prove_nothing(house, proof, path, value, error):
    changed = json.loads(json.dumps(proof))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(error):
        check_proof(changed, house.pin.root_keys)


def test_consistency_is_proved_for_every_earlier_size(house):
    house.enter(1, 2, 3)
    for size in range(1, 5):
        proof = prove_consistency(house.house, size)
        assert f"extends that of {size} acts" in check_proof(proof, house.pin.root_keys)
        proof["old_root"] = "00" * 32
        with pytest.raises(ProofError, match="does not extend"):
            check_proof(proof, house.pin.root_keys)
    with pytest.raises(SettingError, match="size 9 of 4"):
        prove_consistency(house.house, 9)
    with pytest.raises(ProofError, match="a proof of kind None"):
        check_proof([], house.pin.root_keys)


# -- marks ----------------------------------------------------------------------------------


def test_mark_names_the_receipt_and_is_put_once():
    marked = mark_generated(make_midi(1), RECEIPT)
    assert is_generated(marked)
    assert not is_generated(make_midi(1))
    assert marked.endswith(f'"receipt_sha256":"{RECEIPT}"}}'.encode())
    with pytest.raises(TagError, match="a chunk already follows"):
        mark_generated(marked, RECEIPT)
    with pytest.raises(TagError, match="'x' is no SHA-256"):
        mark_generated(make_midi(1), "x")


# -- access ---------------------------------------------------------------------------------


def test_person_without_a_key_here_is_told_where_it_must_be(house, own_keys):
    register = house.load()
    with pytest.raises(HouseError, match="the key of ana is not in your key folder"):
        access.key_of_person(register, "ana")
    with pytest.raises(HouseError, match="no curator's key is in your key folder"):
        access.person_at_hand(register, "curator")
    save_key(key_of("cleo"), house="lantern", owner="cleo", passphrase=PASSPHRASE, kdf_cost=10)
    assert access.person_at_hand(register, "curator") == "cleo"
    assert access.key_of_person(register, "cleo").keyid == key_of("cleo").keyid


def test_passphrase_is_asked_for_at_a_terminal(house, own_keys, monkeypatch):
    monkeypatch.delenv(access.PASSPHRASE_VARIABLE)

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(access.sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: prompt)
    path = save_key(key_of("ana"), house="h", owner="ana", passphrase=PASSPHRASE, kdf_cost=10)
    from gen.provenance.keys import read_key_file

    assert access.passphrase_of(read_key_file(path)) == "Passphrase for the key of ana: "


def test_projects_own_house_is_the_default(tmp_path, monkeypatch):
    (tmp_path / "conf" / "house").mkdir(parents=True)
    folder = tmp_path / "data" / "house_midi"
    start_house(folder, pin_path=tmp_path / "conf" / "house" / "lantern.yaml")
    monkeypatch.chdir(tmp_path)
    assert access.open_house().folder == folder.resolve()
    (tmp_path / "conf" / "house" / "lantern.yaml").unlink()
    with pytest.raises(PinError, match="no trust pin names this folder"):
        access.open_house()


# -- adopting -------------------------------------------------------------------------------


def test_house_with_a_refused_file_is_not_adopted(house, tmp_path):
    (entry,) = house.enter(1)
    house.path(entry).unlink()
    with pytest.raises(CorpusRefused):
        create_house_with(house.house, tmp_path / "own", "own", [key_of("own")], pin_path=None)


def test_adopted_signers_sign_nothing_new(house, tmp_path):
    house.enter(1)
    own = create_house_with(
        house.house, tmp_path / "own", "own", [key_of("own")], pin_path=tmp_path / "own.yaml"
    )
    register = own.load()
    assert {p.id for p in register.roster.people} == {"ana", "cleo"}
    assert register.refusal_of_key(key_of("ana").keyid, 1) is None
    assert register.refusal_of_key(key_of("ana").keyid, 2) == "expired-key"
    with pytest.raises(HouseError, match=r"may not sign here \(expired-key\)"):
        renew_nothing(own)


def renew_nothing(own):
    from gen.provenance.works import accept

    accept(own, [], key_of("cleo"))


def test_root_cannot_widen_consent_by_adopting(house, tmp_path, monkeypatch):
    from gen.provenance.consent import Consent
    from gen.provenance.register import Register

    house.enter(1, consent="evaluation")
    wide = Consent.parse("general_model evaluation")
    monkeypatch.setattr(Register, "consent_of", lambda *_: wide)
    own = create_house_with(house.house, tmp_path / "own", "own", [key_of("own")], pin_path=None)
    monkeypatch.undo()
    (record,) = own.load().live_works()
    assert str(record.entry.consent) == "evaluation"


# -- starting and renewing ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Upper", "with space", "ü"])
def test_unfit_house_names_are_refused(tmp_path, name):
    with pytest.raises(SettingError, match="is no house name"):
        create_house(tmp_path / "h", name, [key_of("root")], pin_path=None)


def test_renewal_needs_the_file(house):
    from gen.provenance import people
    from gen.provenance.people import change_roster

    (entry,) = house.enter(1)
    with house.house.writing() as session:
        stolen = people.compromised(session.register, "cleo", 0)
        house.house = change_roster(session, stolen, [house.root]).house
    house.path(entry).unlink()
    with pytest.raises(HouseError, match=f"the file of {entry.work} is gone"):
        renew(house.house, [entry.work], key_of("dana"))


def test_pin_ahead_of_the_register_is_a_rollback(house):
    pin = dataclasses.replace(house.pin, min_size=9)
    with pytest.raises(PinError, match="holds 1 acts, the pin has seen 9"):
        House(pin).load()
