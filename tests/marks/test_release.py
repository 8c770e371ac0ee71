"""What leaves the house is marked in every form, and marks of what it was made from are kept."""

from __future__ import annotations

import json

import pytest

from gen.marks.claims import COMPOSITE, TRAINED
from gen.marks.containers import container_of
from gen.marks.manifest import binds, read_store
from gen.marks.release import Outlet, like
from gen.provenance.admission.mark import is_generated
from gen.smf.stems import stems
from houses import key_of, make_midi
from validators import by_c2pa, png_file, roots, wav_file

RECORD = {
    "house": "lantern", "checkpoint_sha256": "cd" * 32, "manifest_sha256": "ef" * 32,
    "music_sha256": "12" * 32, "entered": True, "source": None,
}  # fmt: skip
SOURCE = {"file": "song.mid", "file_sha256": "34" * 32, "mode": "continue"}


@pytest.fixture
def outlet():
    return Outlet.of("lantern", key_of("machine"))


def manifest_in(data):
    held = container_of(data).find(data)
    manifest = read_store(held.store).active
    assert binds(manifest, data, held)
    assert not manifest.problems
    return manifest


def test_a_piece_names_house_checkpoint_and_receipt(outlet):
    midi = outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz").midi
    found = manifest_in(midi)
    assert is_generated(midi)
    assert found.assertions["music-house.piece"]["receipt_sha256"] == "ab" * 32
    told = {a["dc:title"]: a["instanceID"] for name, a in found.assertions.items()
            if "ingredient" in name}  # fmt: skip
    assert told == {"checkpoint": "urn:sha256:" + "cd" * 32, "receipt": "urn:sha256:" + "ab" * 32}


@pytest.mark.parametrize("data", [wav_file(), png_file()], ids=["sound", "picture"])
def test_what_is_made_from_a_piece_is_signed_as_it_is(outlet, data):
    midi = outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz").midi
    made = like(midi, data, "waltz")
    found = manifest_in(made)
    assert found.source_types == (TRAINED,)
    assert found.signature.certificate == outlet.signer.chain[0]
    assert found.assertions["music-house.piece"]["receipt_sha256"] == "ab" * 32
    kind = "audio/wav" if data[:4] == b"RIFF" else "image/png"
    assert by_c2pa(made, kind, roots(outlet.signer)).is_trusted


def test_stems_of_a_piece_have_credentials_of_their_own(outlet):
    midi = outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz").midi
    for stem in stems(midi):
        assert manifest_in(like(midi, stem.data, "waltz")).source_types == (TRAINED,)


def test_what_is_made_from_a_file_without_marks_is_left_alone():
    assert like(make_midi(1), wav_file(), "song") == wav_file()


def test_a_piece_that_goes_on_from_a_marked_one_keeps_its_credentials(outlet):
    given = outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz").midi
    record = {**RECORD, "source": SOURCE}
    piece = outlet.piece(given, record, "56" * 32, "waltz continue").midi
    held = container_of(piece).find(piece)
    store = read_store(held.store)
    assert [m.assertions["music-house.piece"]["receipt_sha256"] for m in store.manifests] == [
        "ab" * 32, "56" * 32,
    ]  # fmt: skip
    assert store.active.source_types == (COMPOSITE,)
    assert store.active.assertions["c2pa.ingredient.v3"]["relationship"] == "parentOf"


def test_without_a_house_key_marks_are_signed_for_this_computer_alone():
    outlet = Outlet.of("lantern", None)
    assert outlet.signer.house == ""
    assert manifest_in(outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz").midi)


def test_receipts_may_have_fields_that_credentials_do_not_know(outlet):
    record = json.loads(json.dumps({**RECORD, "more": {"a": [1]}}))
    assert manifest_in(outlet.piece(make_midi(1), record, "ab" * 32, "waltz").midi)
