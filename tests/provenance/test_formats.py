"""Version 1 of every format, kept as files that later code must still verify.

`tests/fixtures/make_v1_house.py` says how they were made.
"""

import shutil
from datetime import date
from pathlib import Path

import pytest

from gen.errors import HouseError
from gen.places import HOME
from gen.provenance.admission.gate import admit
from gen.provenance.houses.house import House
from gen.provenance.houses.proofs import check_proof, prove
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.acts import Act
from gen.provenance.records.pin import load_pin
from tiny_runs import call

FIRST = Path(__file__).parents[1] / "fixtures" / "v1_house"
MANIFEST = "a76ca4e6d48810bb0b822e006187e3525f6670fbbc51fd9b1f666e5fcb7bda40"


@pytest.fixture
def house(tmp_path):
    """A copy: even reading may need to finish what a crash left."""
    shutil.copytree(FIRST, tmp_path / "house")
    return House(load_pin(tmp_path / "house" / "pin.yaml"))


def test_version_1_house_verifies_for_ever(house):
    for day in (date(2027, 1, 1), date(2999, 1, 1)):
        corpus = admit(house.folder, "general_model", pin=house.pin, today=day).require_clean()
        assert [work.work_id for work in corpus.admitted] == [
            "for-two-081fa986",
            "small-rain-b42f43a7",
            "small-rain-cfab55f2",
            "screened-f459101d",
        ]
        assert len(corpus.not_consented) == 1


def test_version_1_acts_mean_what_they_meant(house):
    register = house.load()
    lines = list(house.register_log.lines(house.register_log.head()))
    assert {Act.decode(line).kind for line in lines} == {"add", "consent", "key", "withdraw"}
    assert register.works["small-rain-9fecf4ab"].withdrawn_at == 9
    narrowed = register.works["small-rain-d54fe659"]
    assert str(register.consent_of(narrowed)) == "artist_model:ana evaluation@2090-12-31"
    assert (register.roster.sealed, register.roster.threshold) == (True, 2)
    assert register.roster.person("dana").keys[0].compromised_from == 10


def test_version_1_export_says_whose_signatures_are_elsewhere(house, tmp_path):
    done = call(HOME / "scripts" / "house.py", "export", "--pin", str(house.pin.path), "--out",
                str(tmp_path / "copy"))  # fmt: skip
    assert done.code == 0, done.stderr
    said = (tmp_path / "copy" / "README.txt").read_text("utf-8")
    count = len(house.load().works)
    assert f"{count} of the works were entered before the log held what composers sign" in said


def test_version_1_consent_ends_on_its_day(house):
    def count(day):
        return len(admit(house.folder, "evaluation", pin=house.pin, today=day).admitted)

    assert (count(date(2090, 12, 31)), count(date(2091, 1, 1))) == (5, 4)


def test_version_1_acts_are_written_again_byte_for_byte(house):
    for line in house.register_log.lines(house.register_log.head()):
        assert Act.decode(line).encode() == line


def test_version_1_manifest_keeps_its_digest(house):
    day = date(2027, 1, 1)
    corpus = admit(house.folder, "general_model", pin=house.pin, today=day)
    manifest = Manifest.of(corpus, tokenizer_fingerprint="tk", code_version="0.1.0")
    assert manifest.digest == MANIFEST


def test_version_1_proofs_check(house):
    for index in range(house.load().size):
        assert check_proof(prove(house, index, since=5), house.pin)


@pytest.mark.parametrize("name", ["register.jsonl", "register.head.json", "roster.json"])
def test_version_1_records_are_refused_when_changed(house, name):
    path = house.folder / name
    path.write_bytes(path.read_bytes().replace(b"Ana", b"Eva").replace(b'"root"', b'"rook"'))
    with pytest.raises(HouseError):
        house.load()
