"""Attacks on the records: rollback, truncation, reordering, edits, withdrawn works, consent."""

import json
import shutil
from datetime import date, timedelta

import pytest
from test_key_attacks import change
from test_tag_attacks import forged, plant

from gen.errors import HouseError, SettingError
from gen.provenance.admission.gate import admit
from gen.provenance.desk import people
from gen.provenance.desk.works import set_consent, withdraw
from gen.provenance.houses.founding import create_house
from gen.provenance.houses.house import House
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from gen.smf import write
from houses import key_of, make_piece, start_house, tagged


def refused_with(house, rule):
    """The house as a whole is refused, by this rule; what is said of it."""
    code, told = house.audit()
    assert (code, told["error"]["rule"] or "log") == (2, rule), told
    said = house.refuse_training()
    assert told["error"]["what"] in said
    return said


def test_roster_rollback(house):
    old = (house.folder / "roster.json").read_bytes()
    change(house, lambda r: people.departed(r, "ana"))
    (house.folder / "roster.json").write_bytes(old)
    error = refused_with(house, "roster-rollback")
    assert "version 2, which the register ends with" in str(error)
    house.house.repair_roster_file()
    assert house.rules() == {}


def test_register_rollback(house):
    house.enter(1)
    kept = [house.folder / name for name in ("register.jsonl", "register.head.json")]
    old = [path.read_bytes() for path in kept]
    house.enter(2)
    for path, data in zip(kept, old, strict=True):
        path.write_bytes(data)
    error = refused_with(house, "register-rollback")
    assert "holds 2 acts, the pin has seen 3" in str(error)


def test_register_truncated(house):
    house.enter(1, 2)
    path = house.folder / "register.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert "its head counts 3 lines, 2 are here" in str(refused_with(house, "log"))


def test_register_reordered(house):
    house.enter(1)
    house.enter(2)
    path = house.folder / "register.jsonl"
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + third + second)
    refused_with(house, "bad-register")


def test_register_edited_line(house):
    house.enter(1)
    path = house.folder / "register.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Small Rain", b"Great Rain"))
    refused_with(house, "register-rollback")


def test_register_line_edited_where_no_signature_looks(house):
    """A line whose act still verifies: only the tree notices."""
    house.enter(1)
    path = house.folder / "register.jsonl"
    first, rest = path.read_bytes().split(b"\n", 1)
    act = json.loads(first)
    act["time"] = "2001-01-01T00:00:00Z"  # a roster change is signed within, not around
    path.write_bytes(json.dumps(act, sort_keys=True, separators=(",", ":")).encode() + b"\n" + rest)
    refused_with(house, "register-rollback")


def test_register_line_added_past_the_head_counts_for_nothing(house):
    house.enter(1)
    path = house.folder / "register.jsonl"
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines(keepends=True)[-1])
    assert len(house.admit().admitted) == 1


def test_head_forged(house):
    house.enter(1)
    path = house.folder / "register.head.json"
    head = json.loads(path.read_bytes())
    head["head"]["time"] = "2001-01-01T00:00:00Z"
    path.write_bytes(json.dumps(head, sort_keys=True, separators=(",", ":")).encode())
    refused_with(house, "bad-register")


def test_head_gone(house):
    house.enter(1)
    (house.folder / "register.head.json").unlink()
    assert "its head register.head.json is gone" in str(refused_with(house, "log"))


def test_whole_house_replaced_by_the_attackers(house, tmp_path):
    other = _attackers_house(tmp_path)
    shutil.rmtree(house.folder)
    shutil.copytree(other.folder, house.folder)
    refused_with(house, "register-rollback")


def _attackers_house(tmp_path):
    folder = tmp_path / "attacker"
    return create_house(folder, "lantern", [key_of("mallory")], pin_path=None)


def test_history_rewritten_by_the_root_itself(house):
    """Even the root's holder cannot tell another past than the pinned one."""
    house.enter(1)
    pin = house.pin.path.read_bytes()
    shutil.rmtree(house.folder)
    again = start_house(house.folder)
    again.enter(2)
    again.enter(3)
    house.pin.path.write_bytes(pin)
    refused_with(house, "register-rollback")


def test_another_root_than_the_pinned(house, tmp_path):
    text = house.pin.path.read_text()
    for keyid in house.pin.root_keys:
        text = text.replace(keyid, key_of("mallory").keyid)
    house.pin.path.write_text(text)
    house.house = House(load_pin(house.pin.path))
    refused_with(house, "wrong-root")


def test_withdrawn_work_replayed(house):
    (entry,) = house.enter(1)
    data = house.path(entry).read_bytes()
    house.house = withdraw(house.house, [entry.work], key_of("ana"), "my wish")
    assert len(house.admit()) == 0
    plant(house, data, entry.path)
    plant(house, data, "ben/other-name.mid")
    assert house.rules() == {entry.path: "withdrawn", "ben/other-name.mid": "withdrawn"}


def test_withdrawn_work_resaved_and_retagged(house):
    """Other bytes, another id, the same sound."""
    (entry,) = house.enter(1)
    house.house = withdraw(house.house, [entry.work], key_of("cleo"), "")
    piece = make_piece(1)
    for track in piece.tracks:
        track.name = "renamed"
    midi = write(piece)
    assert house.contribute(midi) == "withdrawn"
    (result,) = house.submit(tagged(midi, title="Another Name"))
    assert result.rule == "withdrawn"
    plant(house, forged(midi, "ana", "cleo"))
    assert house.rules() == {"ana/planted.mid": "withdrawn"}
    inbox = house.folder / "inbox"
    inbox.mkdir(exist_ok=True)
    retagged = tagged(midi, work="fresh-id")
    (inbox / "fresh-id.mid").write_bytes(retagged)
    (waiting,) = house.accept().refused
    assert waiting.rule == "withdrawn"


def test_withdrawing_somebody_elses_work(house):
    (entry,) = house.enter(1)
    with pytest.raises(HouseError, match="ben is no curator"):
        withdraw(house.house, [entry.work], key_of("ben"), "")


def test_wrong_purpose(house):
    house.enter(1, consent="evaluation")
    corpus = house.admit("general_model")
    assert [len(corpus.not_consented), len(corpus.admitted)] == [1, 0]
    assert len(house.admit("evaluation").admitted) == 1
    with pytest.raises(SettingError, match="did you mean 'general_model'"):
        house.admit("general_mode")
    with pytest.raises(SettingError, match="nobody here is called 'zoe'"):
        house.admit("artist_model:zoe")


def test_no_purpose_at_all(house):
    with pytest.raises(TypeError, match="purpose"):
        admit(house.folder, pin=house.pin)


def test_artist_model_of_another_artist(house):
    """A composer cannot put their work into somebody else's model."""
    house.enter(1, consent="artist_model:ben")
    house.enter(2, composer="ben", consent="artist_model:ben")
    corpus = house.admit("artist_model:ben")
    assert [work.composers for work in corpus.admitted] == [(("ben", 100),)]
    assert len(corpus.not_consented) == 1


@pytest.mark.parametrize(("days", "admitted"), [(-1, 1), (0, 1), (1, 0)])
def test_expired_consent(house, days, admitted):
    last = date(2030, 6, 30)
    house.enter(1, consent=f"general_model@{last}")
    # The roster of the test house ends before 2030; a later one is not the point here.
    change(house, lambda r: people.renewed(r, days=3000))
    corpus = house.admit(today=last + timedelta(days=days))
    assert len(corpus.admitted) == admitted
    assert len(corpus) == 1


def test_consent_widened_by_somebody_else(house):
    (entry,) = house.enter(1, consent="evaluation")
    with pytest.raises(HouseError, match="ben is no composer of"):
        set_consent(house.house, [entry.work], Consent.parse("general_model"), key_of("ben"))


def test_consent_widened_by_one_of_two_composers(house):
    (entry,) = house.enter(1, composers=(("ana", 60), ("ben", 40)), consent="evaluation")
    wide = Consent.parse("general_model evaluation")
    house.house = set_consent(house.house, [entry.work], wide, key_of("ana"))
    assert len(house.admit().not_consented) == 1
    house.house = set_consent(house.house, [entry.work], wide, key_of("ben"))
    assert len(house.admit().admitted) == 1


def test_consent_widened_with_a_stolen_key(house):
    (entry,) = house.enter(1, consent="evaluation")
    wide = Consent.parse("general_model evaluation")
    house.house = set_consent(house.house, [entry.work], wide, key_of("ana"))
    change(house, lambda r: people.compromised(r, "ana", 2))
    assert len(house.admit().not_consented) == 1
    assert len(house.admit("evaluation").admitted) == 1


def test_expired_roster_hides_no_revocation(house):
    house.enter(1)
    expires = house.load().roster.expires
    assert len(house.admit(today=expires - timedelta(days=1)).admitted) == 1
    with pytest.raises(HouseError, match="may have been held back") as caught:
        house.admit(today=expires)
    assert caught.value.rule == "roster-expired"


def test_act_after_the_seal(house):
    house.enter(1)
    change(house, people.sealed)
    with pytest.raises(HouseError, match="sealed"):
        house.accept([])
    assert len(house.admit(today=date(2999, 1, 1)).admitted) == 1
