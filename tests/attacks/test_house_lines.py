"""A house's own lines in a model's folder: taken where its people signed them, else worked out."""

import json
import logging
import os
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from gen.disk.reading import MOST_LEVELS
from gen.errors import HouseError
from gen.likeness.originality import Lines
from gen.provenance.desk import people
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.signing import model_signing
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import pre_authentication
from gen.provenance.signing.model_signing import (
    SIGNATURE,
    models_key,
    pem_beside,
    pem_of,
    public_text,
    sign_folder,
)
from gen.sampling.opening.house_lines import NAME, LinesFile, SignedLines
from gen.sampling.opening.works import Behind, LinesCache, learned_music, write_house_lines
from houses import key_of, start_house
from mutations import change, model_file

PROJECT = Path(__file__).parents[2]
SIGNED = Lines(melody=77, bass=78, accompaniment=79, works=80)
"""None that works would give."""
KEY, MALLORYS = models_key(key_of("models")), models_key(key_of("mallory"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def house(tmp_path, own_keys):
    """A house of two works whose roster names a key for models."""
    found = start_house(tmp_path / "house")
    change(found, lambda register: people.with_models_key(register, public_text(KEY)))
    found.enter(1, 2)
    return found


class Folder:
    """A model's folder with signed lines, and what is made of them."""

    def __init__(self, place, house):
        self.path, self.house = place, house
        self.manifest = Manifest.of(house.admit())
        self.lines, self.signature = place / NAME, place / SIGNATURE
        place.mkdir()
        model_file(place / "best.safetensors", self.manifest)
        self.works = write_and_read(place, self.manifest, house)
        self.put(SIGNED)

    def put(self, lines=SIGNED, works=None, measure=LinesCache.kind, key=KEY):
        LinesFile.write(self.path, measure, {works or self.works: lines})
        self.sign(key)

    def sign(self, key=KEY):
        sign_folder(self.path, key)

    def found(self, model="best.safetensors"):
        """The lines that a piece would be held against."""
        register = self.house.load()
        signed = SignedLines.beside(self.path / model, self.house.house, register)
        behind = Behind.of(self.house.house, self.manifest, register, signed=signed)
        return (behind.kept() or behind.read()).lines

    def bundle(self, change):
        """Change the signature's file."""
        bundle = json.loads(self.signature.read_bytes())
        change(bundle["dsseEnvelope"])
        self.signature.write_bytes(json.dumps(bundle, indent=1).encode() + b"\n")


def write_and_read(place, manifest, house):
    """The digest of the works, as the house writes it."""
    write_house_lines(place, [manifest], house.house, house.load())
    (works,) = json.loads((place / NAME).read_bytes())["corpora"]
    for path in [p for p in LinesCache.of_user().folder.rglob("*") if p.is_file()]:
        path.unlink()
    return works


@pytest.fixture
def folder(tmp_path, house):
    return Folder(tmp_path / "model", house)


def worked_out(folder):
    return learned_music(folder.house.house, folder.manifest).lines


def test_lines_that_the_house_signed_are_taken_and_kept(folder, caplog):
    assert folder.found() == SIGNED
    folder.lines.unlink()
    folder.put(replace(SIGNED, melody=99))
    assert folder.found() == SIGNED, "the cache has them"
    assert caplog.records == []


def test_they_are_those_of_models_one_folder_below_too(folder):
    (folder.path / "rebuildable").mkdir()
    assert folder.found("rebuildable/last.safetensors") == SIGNED
    assert folder.found("a/b/last.safetensors") != SIGNED


def test_once_the_house_has_another_key_what_was_kept_of_them_does_not_count(folder):
    folder.found()
    change(folder.house, lambda r: people.with_models_key(r, public_text(MALLORYS)))
    assert folder.found() == worked_out(folder) != SIGNED


def test_what_measures_works_out_what_it_measures_by(folder):
    """Nor does it take what a sample has kept."""
    folder.found()
    assert worked_out(folder) != SIGNED


def altered(folder):
    folder.lines.write_bytes(folder.lines.read_bytes().replace(b"77", b"97"))


def signed_by_another_key(folder):
    folder.put(key=MALLORYS)


def another_key_that_names_the_right_one(folder):
    hint = json.loads(folder.signature.read_bytes())["verificationMaterial"]
    folder.put(key=MALLORYS)
    bundle = json.loads(folder.signature.read_bytes()) | {"verificationMaterial": hint}
    folder.signature.write_bytes(json.dumps(bundle, indent=1).encode() + b"\n")


def a_bit_of_the_signature(folder):
    def change(envelope):
        data = bytearray(b64decode(envelope["signatures"][0]["sig"]))
        data[-1] ^= 1
        envelope["signatures"][0]["sig"] = b64encode(data).decode()

    folder.bundle(change)


def altered_and_listed_so(folder):
    before = sha256(folder.lines.read_bytes()).hexdigest()
    altered(folder)
    after = sha256(folder.lines.read_bytes()).hexdigest()

    def change(envelope):
        payload = b64decode(envelope["payload"]).replace(before.encode(), after.encode())
        envelope["payload"] = b64encode(payload).decode()

    folder.bundle(change)


def no_signature(folder):
    folder.bundle(lambda envelope: envelope.update(signatures=[]))


def two_signatures(folder):
    folder.bundle(lambda envelope: envelope["signatures"].append(envelope["signatures"][0]))


def no_file_of_a_signature(folder):
    folder.signature.unlink()


def a_signature_of_other_files(folder):
    (folder.path / "README.md").write_text("a model")
    data = folder.lines.read_bytes()
    folder.lines.unlink()
    folder.sign()
    folder.lines.write_bytes(data)


def the_same_file_one_folder_below_is_signed(folder):
    (folder.path / "below").mkdir()
    folder.lines.rename(folder.path / "below" / NAME)
    folder.sign()
    (folder.path / "below" / NAME).rename(folder.lines)


def a_file_named_twice(folder, monkeypatch):
    statement = model_signing._statement

    def doubled(name, digests):
        found = json.loads(statement(name, digests))
        files = found["predicate"]["resources"]
        files += [{**each, "digest": "0" * 64} for each in files]
        return json.dumps(found, indent=1).encode()

    with monkeypatch.context() as patched:
        patched.setattr(model_signing, "_statement", doubled)
        folder.sign()


def signed_to_mean_something_else(folder, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(
            model_signing, "pre_authentication",
            lambda kind, payload: pre_authentication("application/vnd.house.act+json", payload),
        )  # fmt: skip
        folder.sign()


def a_statement_of_another_kind(folder, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(model_signing, "PREDICATE_TYPE", "https://slsa.dev/provenance/v1")
        folder.sign()


def a_signature_beyond_all_measure(folder):
    with folder.signature.open("wb") as file:
        file.truncate(2 << 30)


def a_file_beyond_all_measure(folder):
    with folder.lines.open("wb") as file:
        file.truncate(2 << 30)


def a_signature_nested_deep(folder):
    folder.signature.write_bytes(b"[" * 1_000_000 + b"]" * 1_000_000)


def a_key_twice_in_the_signature(folder):
    data = folder.signature.read_bytes()
    folder.signature.write_bytes(data.replace(b"{", b'{"dsseEnvelope": null,', 1))


def a_pipe_in_place_of(path):
    path.unlink()
    os.mkfifo(path)


def a_device_in_place_of(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def a_pipe_for_the_signature(folder):
    a_pipe_in_place_of(folder.signature)


def a_device_for_the_signature(folder):
    a_device_in_place_of(folder.signature)


def a_link_to_other_lines(folder):
    elsewhere = folder.path.with_name("elsewhere.json")
    folder.lines.rename(elsewhere)
    altered_bytes = elsewhere.read_bytes().replace(b"77", b"97")
    elsewhere.write_bytes(altered_bytes)
    folder.lines.symlink_to(elsewhere)


NOTICED = (
    altered, signed_by_another_key, another_key_that_names_the_right_one, a_bit_of_the_signature,
    altered_and_listed_so, no_signature, two_signatures, no_file_of_a_signature,
    a_signature_of_other_files, the_same_file_one_folder_below_is_signed, a_file_named_twice,
    signed_to_mean_something_else, a_statement_of_another_kind, a_signature_beyond_all_measure,
    a_file_beyond_all_measure, a_signature_nested_deep, a_key_twice_in_the_signature,
    a_pipe_for_the_signature, a_device_for_the_signature, a_link_to_other_lines,
)  # fmt: skip


@pytest.mark.parametrize("forge", NOTICED)
def test_lines_that_the_house_did_not_sign_are_worked_out_and_that_is_said(
    folder, forge, caplog, monkeypatch
):
    caplog.set_level(logging.WARNING)
    forge(folder, monkeypatch) if forge.__code__.co_argcount == 2 else forge(folder)
    assert folder.found() == worked_out(folder) != SIGNED
    (record,) = caplog.records
    assert f"{NAME}: not taken, and worked out from the works instead" in record.getMessage()


def other_works(folder):
    folder.put(works="ab" * 32)


def another_measure(folder):
    folder.put(measure="lines 4")


def a_pipe(folder):
    a_pipe_in_place_of(folder.lines)


def a_device(folder):
    a_device_in_place_of(folder.lines)


def a_link_to_nothing(folder):
    folder.lines.unlink()
    folder.lines.symlink_to("absent")


def a_folder(folder):
    folder.lines.unlink()
    folder.lines.mkdir()


def a_work_that_is_gone(folder):
    folder.house.path(folder.house.entries[0]).unlink()


SILENT = (
    other_works, another_measure, a_pipe, a_device, a_link_to_nothing, a_folder,
    a_work_that_is_gone,
)  # fmt: skip


@pytest.mark.parametrize("change", SILENT)
def test_lines_of_something_else_are_worked_out(folder, change, caplog):
    change(folder)
    assert folder.found() == worked_out(folder) != SIGNED
    assert caplog.records == []


def spelled(folder, text):
    folder.lines.write_bytes(text)
    folder.sign()


@pytest.mark.parametrize(
    "change",
    [
        {"melody": 0}, {"melody": -1}, {"melody": "77"}, {"melody": None}, {"melody": True},
        {"melody": 77.5}, {"more": 1}, {"melody": 10**30},
    ],
)  # fmt: skip
def test_signed_or_not_it_is_read_as_it_is_written(folder, change):
    record = {"melody": 77, "bass": 78, "accompaniment": 79, "works": 80, **change}
    about = {"format": "gen house lines 1", "measure": LinesCache.kind}
    text = json.dumps(
        {**about, "corpora": {folder.works: record}}, sort_keys=True, separators=(",", ":")
    )
    spelled(folder, text.encode())
    assert folder.found() == worked_out(folder)


def test_nor_is_it_spelled_in_two_ways_or_nested_deep(folder):
    data = folder.lines.read_bytes()
    for text in (
        data + b"\n",
        data.replace(b":77", b':97,"melody":77'),
        b"[" * 2 * MOST_LEVELS + b"]" * 2 * MOST_LEVELS,
        b"[" * 500_000 + b"]" * 500_000,
        b"",
        b"\xff",
        canonical([]),
    ):
        spelled(folder, text)
        assert folder.found() == worked_out(folder)


def test_a_house_that_names_no_key_trusts_the_one_beside_its_pin(tmp_path, own_keys):
    house = start_house(tmp_path / "house")
    house.enter(1, 2)
    folder = Folder(tmp_path / "model", house)
    expected = worked_out(folder)
    pem = pem_beside(house.pin.path)
    assert folder.found() == expected, "there is none"
    bad = (b"", b"\xff", pem_of("A" * 124), pem_of(public_text(KEY)) * 2, bytes(1 << 20))
    for text in bad:
        pem.write_bytes(text)
        assert folder.found() == expected
    pem.write_bytes(pem_of(public_text(MALLORYS)))
    assert folder.found() == expected, "another's"
    pem.unlink()
    os.mkfifo(pem)
    assert folder.found() == expected
    pem.unlink()
    LinesCache.of_user().folder.rename(tmp_path / "kept before")
    pem.write_bytes(pem_of(public_text(KEY)))
    assert folder.found() == SIGNED


def test_a_house_that_names_a_key_trusts_no_other_beside_its_pin(folder):
    pem_beside(folder.house.pin.path).write_bytes(pem_of(public_text(MALLORYS)))
    folder.put(key=MALLORYS)
    assert folder.found() == worked_out(folder) != SIGNED


# Signing --------------------------------------------------------------------------------------


def test_what_lay_in_the_folder_is_not_signed_as_the_houses_lines(folder):
    write_house_lines(folder.path, [folder.manifest], folder.house.house, folder.house.load())
    folder.sign()
    assert folder.found() == worked_out(folder) != SIGNED


def test_lines_of_works_that_are_not_here_are_not_signed(folder, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    for entry in folder.house.entries:
        folder.house.path(entry).unlink()
    asked = ([folder.manifest], folder.house.house, folder.house.load())
    with pytest.raises(HouseError, match="works that are not here"):
        write_house_lines(folder.path, *asked)
    folder.lines.unlink()
    assert write_house_lines(folder.path, *asked) is None
    assert not folder.lines.exists()
