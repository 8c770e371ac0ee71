"""Content credentials, read by strangers' validators and by ourselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gen.marks.claims import TRAINED, Ingredient, beside, embedded
from gen.marks.containers import CONTAINERS, container_of
from gen.marks.manifest import binds, read_store
from gen.marks.signing import all_signers, signer_for, signer_with
from gen.smf import parse
from houses import key_of
from validators import by_c2pa, by_encypher, roots, wav_file

KINDS = sorted(CONTAINERS)


def held_in(data):
    found = container_of(data).find(data)
    return read_store(found.store), found


@pytest.mark.parametrize("kind", KINDS)
def test_a_marked_file_holds_what_was_claimed(files, claims, signer, kind):
    marked = embedded(files[kind], CONTAINERS[kind], claims, signer)
    store, held = held_in(marked)
    assert store.active.problems == ()
    assert store.active.source_types == (TRAINED,)
    assert store.active.assertions["music-house.piece"] == claims.facts
    assert binds(store.active, marked, held) is True


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_file_claims_and_signer_give_the_same_bytes(files, claims, signer, kind):
    once = embedded(files[kind], CONTAINERS[kind], claims, signer)
    assert embedded(files[kind], CONTAINERS[kind], claims, signer) == once
    assert embedded(once, CONTAINERS[kind], claims, signer) == once


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_byte_is_noticed(files, claims, signer, kind):
    marked = bytearray(embedded(files[kind], CONTAINERS[kind], claims, signer))
    _, held = held_in(bytes(marked))
    place = held.span.start // 2 if kind != ".png" else len(marked) - 30
    marked[place] ^= 1
    found = CONTAINERS[kind].find(bytes(marked))
    assert found is None or binds(read_store(found.store).active, bytes(marked), found) is False


@pytest.mark.parametrize(("kind", "media_type"), [(".wav", "audio/wav"), (".png", "image/png")])
@pytest.mark.parametrize("spare", [0, 1, 2, 3])
def test_two_stock_validators_accept_sound_and_pictures(
    files, claims, signer, kind, media_type, spare
):
    named = replace(claims, title="w" * (10 + spare))  # stores of odd and even length
    marked = embedded(files[kind], CONTAINERS[kind], named, signer)
    for validate in (by_c2pa, by_encypher):
        verdict = validate(marked, media_type, roots(signer))
        assert (verdict.is_valid, verdict.is_trusted, verdict.failures) == (True, True, ())


def test_a_stock_validator_accepts_a_score(files, claims, signer):
    marked = embedded(files[".musicxml"], CONTAINERS[".musicxml"], claims, signer)
    verdict = by_encypher(marked, "application/xml", roots(signer))
    assert (verdict.is_valid, verdict.is_trusted, verdict.failures) == (True, True, ())


def test_a_stock_validator_accepts_the_store_in_a_midi_file(files, claims, signer):
    """None reads MIDI yet, so that the store is handed to it beside the file's bytes."""
    marked = embedded(files[".mid"], CONTAINERS[".mid"], claims, signer)
    _, held = held_in(marked)
    verdict = by_encypher(marked, "audio/mpeg", roots(signer), held.store)
    assert (verdict.is_valid, verdict.is_trusted, verdict.failures) == (True, True, ())


def test_two_stock_validators_accept_the_store_beside_a_midi_file(files, claims, signer):
    marked = embedded(files[".mid"], CONTAINERS[".mid"], claims, signer)
    store = beside(marked, claims, signer)
    for validate, media_type in ((by_c2pa, "audio/midi"), (by_encypher, "audio/mpeg")):
        verdict = validate(marked, media_type, roots(signer), store)
        assert (verdict.is_valid, verdict.is_trusted, verdict.failures) == (True, True, ())
        assert not validate(marked + b"x", media_type, roots(signer), store).is_valid


def test_a_stock_validator_without_the_house_root_calls_the_signer_untrusted(files, claims, signer):
    marked = embedded(files[".wav"], CONTAINERS[".wav"], claims, signer)
    for validate in (by_c2pa, by_encypher):
        verdict = validate(marked, "audio/wav")
        assert (verdict.is_valid, verdict.is_trusted) == (True, False)


def test_a_stock_validator_notices_a_changed_sample(files, claims, signer):
    marked = bytearray(embedded(files[".wav"], CONTAINERS[".wav"], claims, signer))
    marked[1_000] ^= 1
    for validate in (by_c2pa, by_encypher):
        assert not validate(bytes(marked), "audio/wav", roots(signer)).is_valid


@pytest.mark.parametrize("relationship", ["inputTo", "parentOf"])
def test_credentials_of_what_a_file_was_made_from_are_kept(files, claims, signer, relationship):
    midi = embedded(files[".mid"], CONTAINERS[".mid"], claims, signer)
    inner, held = held_in(midi)
    source = Ingredient("song", "audio/midi", relationship, "ef" * 32, held.store)
    marked = embedded(
        files[".wav"], CONTAINERS[".wav"], replace(claims, ingredients=(source,)), signer
    )
    store, _ = held_in(marked)
    assert store.manifests[0].label == inner.active.label
    assert by_c2pa(marked, "audio/wav", roots(signer)).is_trusted
    assert by_encypher(marked, "audio/wav", roots(signer)).is_valid


def test_the_event_is_the_last_of_the_last_track_and_changes_no_note(files, claims, signer):
    marked = embedded(files[".mid"], CONTAINERS[".mid"], claims, signer)
    _, held = held_in(marked)
    assert marked[held.span.start - 3 : held.span.start] == bytes.fromhex("004332")
    end = held.span.start + held.span.length
    assert marked[end:] == b"\x00\xff\x2f\x00"
    before, after = parse(files[".mid"]), parse(marked)
    assert [track.notes for track in before.tracks] == [track.notes for track in after.tracks]


def test_two_stores_in_a_midi_file_are_none(files, claims, signer):
    midi = CONTAINERS[".mid"]
    once, _ = midi.put(files[".mid"], b"first")
    twice, _ = midi.put(once, b"second")
    assert midi.find(once).store == b"first"
    assert midi.find(twice) is None
    assert midi.without(twice) == files[".mid"]


def test_a_mark_of_another_house_key_is_another(signer):
    other = signer_for("lantern", key_of("ana"))
    assert other.chain != signer.chain
    assert signer_for("lantern", key_of("machine")).chain == signer.chain
    assert {found.chain for found in all_signers()} == {signer.chain, other.chain}
    assert signer_with(other.chain[0]).chain == other.chain


def test_a_key_for_marks_that_others_can_read_is_made_anew(signer, tmp_path):
    (path,) = (tmp_path / "keys").glob("*.marks")
    path.chmod(0o644)
    assert signer_for("lantern", key_of("machine")).chain != signer.chain


def test_sound_of_any_length_keeps_its_samples(claims, signer):
    for frames in (128, 256):
        plain = wav_file(frames) + b"LIST\3\0\0\0abc\0"
        marked = embedded(plain, CONTAINERS[".wav"], claims, signer)
        assert CONTAINERS[".wav"].without(marked)[8:] == plain[8:]
