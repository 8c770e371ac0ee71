"""Runs, outputs, impact, proofs, marks, access: what is asked of the records, and its refusals."""

import dataclasses
import json

import pytest

from gen.errors import HouseError, SettingError
from gen.provenance.admission.corpus import CorpusRefused
from gen.provenance.admission.gate import admit
from gen.provenance.admission.mark import is_generated, mark_generated
from gen.provenance.desk.adopt import create_house_with
from gen.provenance.desk.recording import outputs_of
from gen.provenance.desk.works import renew
from gen.provenance.history.impact import impact_of
from gen.provenance.houses import access
from gen.provenance.houses.founding import create_house
from gen.provenance.houses.house import House
from gen.provenance.houses.proofs import ProofError, check_proof, prove
from gen.provenance.records.pin import PinError
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.records.tag import TagError
from gen.provenance.signing.canonical import StrictJsonError
from gen.smf import split_chunks
from houses import keep_key, key_of, make_midi, start_house

RECEIPT = "ab" * 32


# -- runs, outputs, impact ------------------------------------------------------------------


def model(number: int) -> ModelDigest:
    return ModelDigest("best.safetensors", 9, f"{number:064x}", f"{number + 1:064x}")


def test_the_log_keeps_runs_and_outputs_in_order(house):
    one, other = house.enter(1, 2)
    run = house.log_run([other.work, one.work], [model(1)], name="first")
    for number in (1, 2):
        house.log_output(
            f"{number:064x}", run=run, checkpoint=model(1).file_sha256, receipt=f"{number:064x}",
            fingerprint=[1, [number, 3]],
        )  # fmt: skip
    register = house.load()
    (found,) = register.runs.by_index.values()
    assert (found.name, found.works) == ("first", tuple(sorted((one.work, other.work))))
    assert [piece.run for piece in register.runs.pieces] == [run, run]
    assert register.wrote(f"{2:064x}")
    assert not register.wrote(f"{3:064x}")
    told = [output.fingerprint for output in outputs_of(house.house, register)]
    assert told == [[1, [1, 3]], [1, [2, 3]]]


def test_an_edited_output_is_noticed(house):
    house.log_output("cd" * 32, path="out/piece.mid")
    path = house.folder / "register.jsonl"
    path.write_bytes(path.read_bytes().replace(b"piece.mid", b"peace.mid"))
    with pytest.raises(PinError, match="its history was rewritten"):
        house.admit()


def test_impact_follows_a_work_to_its_pieces(house):
    rain, sun = house.enter(1, 2)
    first = house.log_run([rain.work], [model(1)], name="r1")
    second = house.log_run([sun.work], [model(5)], name="r2")
    for number, run in ((1, first), (5, second)):
        house.log_output(
            f"{number:064x}", run=run, checkpoint=model(number).file_sha256,
            receipt=f"{number:064x}", path=f"{number}.mid",
        )  # fmt: skip
    register = house.load()
    impact = impact_of(register, [rain.work])
    assert [run.name for run in impact.runs] == ["r1"]
    assert [piece.path for piece in impact.pieces] == ["1.mid"]
    assert impact.checkpoints == ("r1/best.safetensors",)
    nothing = {"checkpoints": [], "pieces": [], "runs": []}
    assert impact_of(register, ["moon"]).to_dict() == nothing


# -- proofs ---------------------------------------------------------------------------------


@pytest.fixture
def proof(house):
    house.enter(1, 2, 3)
    return prove(house.house, 2)


def test_proof_holds_under_the_pin_alone(house, proof):
    again = json.loads(json.dumps(proof))
    assert "act 2 (add" in check_proof(again, house.pin)
    other = dataclasses.replace(house.pin, root_keys=(key_of("mallory").keyid,))
    with pytest.raises(ProofError, match="not signed by the root keys you trust"):
        check_proof(again, other)
    with pytest.raises(ProofError, match="not signed by the root keys you trust"):
        check_proof(again, dataclasses.replace(house.pin, threshold=2))


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (["act", "index"], 1, ProofError),
        (["act", "index"], 99, ProofError),
        (["act", "path"], [], ProofError),
        (["act", "path", 0], "00" * 32, ProofError),
        (["act", "path", 0], "x", StrictJsonError),
        (["act", "line"], "{}", ProofError),
        (["format"], 1, ProofError),
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
        check_proof(changed, house.pin)


def test_an_older_pin_needs_to_be_shown_that_the_log_only_grew(house):
    pins = [house.pin]
    for seed in (1, 2, 3):
        house.enter(seed)
        pins.append(house.pin)
    for pin in pins[:-1]:
        with pytest.raises(ProofError, match="does not show that its log of 4 acts extends"):
            check_proof(prove(house.house, 3), pin)
        proof = prove(house.house, 3, since=pin.min_size)
        assert f"extends that of {pin.min_size} acts" in check_proof(proof, pin)
        proof["since"]["root"] = "00" * 32
        with pytest.raises(ProofError, match="does not extend"):
            check_proof(proof, pin)
    with pytest.raises(SettingError, match="size 9 of 4"):
        prove(house.house, since=9)
    with pytest.raises(StrictJsonError):
        check_proof([], house.pin)


def test_a_proof_older_than_the_pin_or_with_an_expired_roster_proves_nothing(house, proof):
    house.enter(4)
    with pytest.raises(ProofError, match="holds 4 acts, the pin has seen 5"):
        check_proof(proof, house.pin)
    expires = house.load().roster.expires
    with pytest.raises(ProofError, match="its roster expired"):
        check_proof(prove(house.house, 2), house.pin, today=expires)


def test_an_act_under_an_older_roster_is_judged_by_that_roster(house, proof):
    """Its signers have left since."""
    from gen.provenance.desk import people

    for make in (lambda r: people.departed(r, "cleo"), lambda r: people.departed(r, "ana")):
        with house.house.writing() as session:
            done = people.change_roster(session, make(session.register), [house.root])
        house.house = done.house
    for index in range(house.pin.min_size):
        check_proof(prove(house.house, index), house.pin)
    older = prove(house.house, 2)
    older["rosters"] = []
    with pytest.raises(ProofError, match="does not show the roster that held at act 2"):
        check_proof(older, house.pin)


def test_a_proof_with_an_older_roster_than_the_pin_knows_proves_nothing(house):
    from gen.provenance.desk import people

    house.enter(1)
    old = prove(house.house, 1)["roster"]
    with house.house.writing() as session:
        gone = people.departed(session.register, "ana")
        house.house = people.change_roster(session, gone, [house.root]).house
    proof = {**prove(house.house, 1), "roster": old}
    with pytest.raises(ProofError, match="a revocation may have been left out"):
        check_proof(proof, house.pin)


# -- marks ----------------------------------------------------------------------------------


def test_mark_names_the_receipt_and_an_earlier_one_stays_beside_it():
    marked = mark_generated(make_midi(1), RECEIPT)
    assert is_generated(marked)
    assert not is_generated(make_midi(1))
    assert marked.endswith(f'"receipt_sha256":"{RECEIPT}"}}'.encode())
    again = mark_generated(marked, "cd" * 32)
    assert again.index(b"cd" * 32) < again.index(RECEIPT.encode())
    assert [chunk.kind for chunk in split_chunks(again).trailing] == [b"HGEN", b"HGEN"]
    with pytest.raises(TagError, match="'x' is no SHA-256"):
        mark_generated(make_midi(1), "x")


# -- access ---------------------------------------------------------------------------------


def test_person_without_a_key_here_is_told_where_it_must_be(house, own_keys):
    register = house.load()
    with pytest.raises(HouseError, match="the key of ana is not in your key folder"):
        access.key_of_person(register, "ana")
    with pytest.raises(HouseError, match="no curator's key is in your key folder"):
        access.person_at_hand(register, "curator")
    keep_key("cleo")
    assert access.person_at_hand(register, "curator") == "cleo"
    assert access.key_of_person(register, "cleo").keyid == key_of("cleo").keyid


def test_passphrase_is_asked_for_at_a_terminal(house, own_keys, monkeypatch):
    monkeypatch.delenv(access.PASSPHRASE_VARIABLE)

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(access.sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: prompt)
    path = keep_key("ana", "h")
    from gen.provenance.signing.key_files import read_key_file

    assert access.passphrase_of(read_key_file(path)) == "Passphrase for the key of ana: "


def test_projects_own_house_is_the_default(tmp_path, monkeypatch):
    (tmp_path / "conf" / "house").mkdir(parents=True)
    folder = tmp_path / "data" / "house_midi"
    start_house(folder, pin_path=tmp_path / "conf" / "house" / "lantern.yaml")
    monkeypatch.setattr("gen.places.PROJECT", tmp_path)
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


def test_house_larger_than_one_act_is_adopted_in_several(house, tmp_path, monkeypatch):
    monkeypatch.setattr("gen.provenance.desk.adopt.MAX_ACT_BYTES", 3_800)  # two works each
    entered = house.enter(*range(1, 8))
    own = create_house_with(
        house.house, tmp_path / "own", "own", [key_of("own")], pin_path=tmp_path / "own.yaml"
    )
    register = own.load(full=True)
    places = [record.index for record in register.live_works()]
    assert (len(places), sorted(set(places))) == (len(entered), [1, 2, 3, 4])
    corpus = admit(own.folder, "general_model", pin=own.pin).require_clean()
    assert len(corpus.admitted) == len(entered)
    refusals = [register.refusal_of_key(key_of("ana").keyid, index) for index in (4, 5)]
    assert refusals == [None, "expired-key"]


def renew_nothing(own):
    from gen.provenance.desk.works import accept

    accept(own, [], key_of("cleo"))


def test_root_cannot_widen_consent_by_adopting(house, tmp_path, monkeypatch):
    from gen.provenance.history.register import Register
    from gen.provenance.records.consent import Consent

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
    from gen.provenance.desk import people
    from gen.provenance.desk.people import change_roster

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
