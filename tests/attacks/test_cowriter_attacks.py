"""What one composer can say for another, and what everybody is told of it."""

from __future__ import annotations

import csv
import io
import json

from test_key_attacks import change

from gen.provenance.desk import people
from gen.provenance.desk.works import set_consent
from gen.provenance.records.consent import Consent
from houses import key_of

BOTH = (("ana", 60), ("ben", 40))


def say(house, entry, who: str, consent: str) -> None:
    house.house = set_consent(house.house, [entry.work], Consent.parse(consent), key_of(who))


def admitted(house, purpose: str) -> int:
    code, told = house.audit(purpose)
    assert code == 0, told
    return len(told["admitted"])


def test_nobody_consents_to_another_artists_own_model(house):
    """Ana signs the work for both, and allows a model of ben."""
    (entry,) = house.enter(1, composers=BOTH, consent="general_model artist_model:ben")
    assert (admitted(house, "artist_model:ben"), admitted(house, "general_model")) == (0, 1)
    assert "artist_model:ben" not in str(house.load().consent_of(house.load().works[entry.work]))
    say(house, entry, "ana", "general_model artist_model:ben")
    assert admitted(house, "artist_model:ben") == 0
    say(house, entry, "ben", "general_model artist_model:ben")
    assert admitted(house, "artist_model:ben") == 1


def test_artist_says_something_else_and_has_then_signed_only_that(house):
    (entry,) = house.enter(1, composers=BOTH, consent="general_model artist_model:ben")
    say(house, entry, "ben", "general_model")
    assert (admitted(house, "artist_model:ben"), admitted(house, "general_model")) == (0, 1)


def test_the_artists_word_needs_the_others_too(house):
    (entry,) = house.enter(1, composers=BOTH, consent="general_model")
    say(house, entry, "ben", "general_model artist_model:ben")
    assert admitted(house, "artist_model:ben") == 0
    say(house, entry, "ana", "general_model artist_model:ben")
    assert admitted(house, "artist_model:ben") == 1


def test_word_by_a_stolen_key_is_no_signature_of_the_artist(house):
    (entry,) = house.enter(1, composers=BOTH, consent="general_model artist_model:ben")
    say(house, entry, "ben", "general_model artist_model:ben")
    change(house, lambda r: people.compromised(r, "ben", 2))
    assert (admitted(house, "artist_model:ben"), admitted(house, "general_model")) == (0, 1)


def test_composers_who_are_named_and_have_not_signed_are_told(house, tmp_path):
    (entry,) = house.enter(1, composers=BOTH)
    _, told = house._run("house", "show", entry.work)
    assert (told["signed_by"], told["named_only"]) == (["ana"], ["ben"])
    assert exported(house, tmp_path / "before")["signed_by"] == "ana"
    say(house, entry, "ben", "general_model")
    _, told = house._run("house", "show", entry.work)
    assert (told["signed_by"], told["named_only"]) == (["ana", "ben"], [])
    assert exported(house, tmp_path / "after")["signed_by"] == "ana ben"


def exported(house, out) -> dict[str, str]:
    """The one row of the table that an export holds."""
    code, _ = house._run("house", "export", "--out", out)
    assert code == 0
    assert "others are only named" in (out / "README.txt").read_text("utf-8")
    (row,) = csv.DictReader(io.StringIO((out / "works.csv").read_text("utf-8-sig")))
    return row


def prove(house, tmp_path, act: int) -> dict:
    path = tmp_path / "proof.json"
    code, _ = house._run("house", "prove", "--act", str(act), "--out", path)
    assert code == 0
    return json.loads(path.read_bytes())


def check(house, tmp_path, proof: dict) -> tuple[int, str]:
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(proof))
    code, told = house._run("house", "verify", "--proof", path)
    return code, told["proved"] if code == 0 else told["error"]["what"]


def test_proof_of_consent_shows_whose_the_work_is(house, tmp_path):
    (entry,) = house.enter(1, composers=BOTH)
    house.enter(2)
    say(house, entry, "ben", "general_model")
    proof = prove(house, tmp_path, 3)
    code, said = check(house, tmp_path, proof)
    assert (code, "as its composer: act 1 enters it as composed by ana, ben" in said) == (0, True)
    other = prove(house, tmp_path, 2)["act"]
    moved = {**proof, "entry": {"act": other, "rosters": []}}
    code, said = check(house, tmp_path, moved)
    assert (code, "act 2 does not enter the work" in said) == (2, True)
    itself = {**proof, "entry": {"act": proof["act"], "rosters": []}}
    assert check(house, tmp_path, itself) == (2, "act 3 enters no work")
    changed = json.loads(json.dumps(proof))
    changed["entry"]["act"]["line"] = changed["entry"]["act"]["line"].replace("ben", "dan")
    assert check(house, tmp_path, changed)[0] == 2


def test_proof_of_a_curators_withdrawal_says_that_it_was_the_curator(house, tmp_path):
    from gen.provenance.desk.works import withdraw

    (entry,) = house.enter(1)
    house.house = withdraw(house.house, [entry.work], key_of("cleo"), "a doubt")
    code, said = check(house, tmp_path, prove(house, tmp_path, 2))
    assert (code, "as its curator: act 1 enters it as composed by ana" in said) == (0, True)
