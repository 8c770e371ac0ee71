"""What the gate found of a file's bytes is kept; the bytes and all else are judged anew."""

import dataclasses

import msgspec
import pytest

from gen.provenance.admission import gate, passed
from gen.provenance.desk.people import change_roster, compromised
from gen.provenance.desk.works import set_consent
from gen.provenance.houses.house import House
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from gen.provenance.records.tag import Tagged
from gen.smf import musical_hash, parse
from houses import key_of, make_midi


@pytest.fixture(autouse=True)
def keeping(own_keys, monkeypatch):
    """Keep from the first file on."""
    monkeypatch.setattr(passed, "_LEAST_FILES", 1)


@pytest.fixture
def works(house):
    """Two works, which the gate has passed."""
    entries = house.enter(1, 2)
    house.admit().require_clean()
    return entries


@pytest.fixture
def parsed(monkeypatch):
    """The music that the gate reads."""
    read = []

    def counted(data):
        read.append(data)
        return parse(data)

    monkeypatch.setattr(gate, "parse", counted)
    return read


def kept_file(house):
    return passed.PassedFiles(house.pin)._file


def test_a_second_pass_parses_nothing_and_says_the_same(house, parsed):
    house.enter(1, 2)
    first = house.admit()
    assert len(parsed) == 2
    parsed.clear()
    assert house.admit() == first
    assert not parsed


def test_who_takes_the_music_gets_that_of_the_verified_bytes(house, works):
    pieces = []

    def receive(work, piece):
        house.path(works[0]).write_bytes(b"something else")
        house.path(works[1]).write_bytes(b"something else")
        pieces.append(piece())

    house.admit(receive=receive)
    first = min((1, works[0]), (2, works[1]), key=lambda pair: pair[1].path)
    assert pieces == [parse(make_midi(first[0]))]


@pytest.mark.parametrize("place", range(0, 600, 37))
def test_one_changed_bit_is_refused_after_a_pass(house, works, place):
    path = house.path(works[0])
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)
    corpus = house.admit()
    assert [work.work_id for work in corpus.admitted] == [works[1].work]


def test_one_known_file_in_the_place_of_another_is_refused(house, works):
    house.path(works[0]).write_bytes(house.path(works[1]).read_bytes())
    assert house.rules() == {works[0].path: "wrong-place"}


def test_a_key_that_was_declared_compromised_since_is_refused(house, works):
    with house.house.writing() as session:
        index = session.register.works[works[0].work].index
        change_roster(session, compromised(session.register, "ana", index), [key_of("root")])
    house.house = House(load_pin(house.pin.path))
    assert set(house.rules().values()) == {"revoked-key"}


def test_consent_that_ended_since_counts(house, works):
    house.house = set_consent(house.house, [works[0].work], Consent(), key_of("ana"))
    assert [work.work_id for work in house.admit().not_consented] == [works[0].work]


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_changed_cache_is_not_believed(house, works, parsed, place):
    path = kept_file(house).path
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert len(house.admit().admitted) == len(parsed) == 2


def test_a_tag_that_another_user_sealed_is_not_believed(house, works, tmp_path, monkeypatch):
    path = house.path(works[0])
    data = path.read_bytes()[:-1] + b"\0"
    path.write_bytes(data)
    forged = passed.PassedFiles(house.pin)
    tag = forged.get(works[0].file_sha256)
    assert tag.is_verified
    for digest in (digest_of(data), works[1].file_sha256):
        forged.put(digest, passed.packed(dataclasses.replace(tag, is_verified=False)))
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "theirs")
    forged.save()
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "mine")
    assert set(house.rules()) == {works[0].path}


def digest_of(data):
    from gen.provenance.signing.canonical import sha256_hex

    return sha256_hex(data)


def test_what_other_code_found_is_not_believed(house, works, parsed, monkeypatch):
    monkeypatch.setattr("gen.provenance.admission.passed.source_digest", lambda room: "other")
    house.admit()
    assert len(parsed) == 2


def test_a_file_that_was_refused_is_not_kept(house, works):
    path = house.folder / "ana" / "stranger.mid"
    path.write_bytes(make_midi(3))
    house.path(works[0]).write_bytes(make_midi(4))
    house.admit()
    kept = msgspec.msgpack.decode(kept_file(house).read(), type=dict[str, bytes])
    tags = [msgspec.msgpack.decode(data, type=Tagged) for data in kept.values()]
    assert [tag.statement.work for tag in tags] == [works[1].work]
    assert [tag.music for tag in tags] == [b""]
    assert tags[0].statement.musical_hash == musical_hash(parse(make_midi(2)))
