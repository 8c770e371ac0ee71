import json
from datetime import date

import pytest
from msgspec.structs import replace

from gen.errors import HouseError
from gen.provenance.desk.works import set_consent, withdraw
from gen.provenance.manifests import manifest as provenance
from gen.provenance.manifests.manifest import Manifest, RefusedFile, check_length
from gen.provenance.records.consent import Consent
from gen.provenance.signing.canonical import StrictJsonError, sha256_hex
from houses import key_of

TODAY = date(2027, 1, 1)


@pytest.fixture
def manifest(house):
    house.enter(2, 1)
    house.enter(3, consent="evaluation")
    return Manifest.of(house.admit(), tokenizer_fingerprint="tk", lock_sha256="ab" * 32)


def test_manifest_names_every_work_and_what_was_left_out(house, manifest):
    ids = sorted(e.work for e in house.entries)
    assert sorted([w.work for w in manifest.works] + list(manifest.not_consented)) == ids
    assert (manifest.register.size, manifest.purpose) == (4, "general_model")
    assert manifest.register.root == house.house.register_log.head().root


def test_manifest_is_one_text_with_one_digest(manifest):
    text = manifest.to_json()
    assert Manifest.from_json(text) == manifest
    assert manifest.digest == sha256_hex(text.encode())
    assert replace(manifest, tokenizer_fingerprint="other").digest != manifest.digest


def test_manifest_tells_what_was_refused_where_the_run_went_on(house):
    (entry,) = house.enter(1)
    house.path(entry).unlink()
    (house.folder / "ana" / "x.mid").write_bytes(b"")
    manifest = Manifest.of(house.admit())
    assert manifest.refused == (
        RefusedFile(entry.path, "missing-file"),
        RefusedFile("ana/x.mid", "malformed-midi"),
    )
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_manifest_of_a_large_house_is_read_again_and_one_without_end_is_refused(
    manifest, monkeypatch
):
    (work, *_), size = manifest.works, 30_000
    many = [replace(work, work=f"small-rain-{number:08x}") for number in range(size)]
    large = replace(manifest, works=tuple(many))
    text = large.to_json()
    assert len(text) > 4 << 20  # the most of any other record
    check_length(large)
    assert Manifest.from_json(text) == large
    monkeypatch.setattr(provenance, "MAX_BYTES", len(text) - 1)
    with pytest.raises(HouseError, match=f"would have {len(text)} bytes"):
        check_length(large)
    with pytest.raises(StrictJsonError, match="bytes of JSON, more than"):
        Manifest.from_json(text)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], 2),
        (["works", 0, "sha256"], "x"),
        (["works", 0, "work"], "zzz"),
        (["register"], {"size": 1}),
        (["extra"], 1),
    ],
)
def test_other_manifests_are_refused(manifest, path, value):
    record = json.loads(manifest.to_json())
    inner = record
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(StrictJsonError):
        Manifest.from_json(json.dumps(record, sort_keys=True, separators=(",", ":")))


def test_manifest_says_what_no_longer_holds(house, manifest):
    assert manifest.problems(house.load(), TODAY) == []
    first, second = sorted(house.entries[:2], key=lambda e: e.work)
    house.house = withdraw(house.house, [first.work], key_of("ana"), "")
    consent = Consent.parse("evaluation")
    house.house = set_consent(house.house, [second.work], consent, key_of("ana"))
    assert manifest.problems(house.load(), TODAY) == [
        f"{first.work}: withdrawn at register index 4",
        f"{second.work}: no longer consented to general_model",
    ]


def test_manifest_of_another_house_does_not_hold(tmp_path, manifest, house):
    from houses import start_house

    other = start_house(tmp_path / "other")
    other.enter(7, work=manifest.works[0].work)
    manifest.check_entered(house.load())
    told = "2 of the 2 works it names never entered the house lantern"
    with pytest.raises(HouseError, match=told):
        manifest.check_entered(other.load())
    first, second = manifest.problems(other.load(), TODAY)
    assert first.endswith("the register entered other music under this id")
    assert second.endswith("the register has no such work")
