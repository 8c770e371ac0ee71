import json
import os
import stat

import pytest

from gen.errors import SettingError
from gen.provenance.signing import key_files
from gen.provenance.signing.key_files import (
    KeyFileError,
    find_key,
    keys_folder,
    list_keys,
    open_key,
    read_key_file,
    save_key,
)
from gen.provenance.signing.keys import PrivateKey, parse_public, verify
from houses import PASSPHRASE, keep_key, key_of


@pytest.fixture
def saved(own_keys):
    return keep_key("ana")


def test_signature_verifies_under_its_key_alone():
    # RFC 8032, section 7.1, test 2
    seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
    key = PrivateKey.from_seed(bytes.fromhex(seed))
    assert key.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = key.sign(b"\x72")
    assert signature.hex().startswith("92a009a9f0d4cab8720e820b5f642540")
    assert verify(key.public, signature, b"\x72")
    assert not verify(key.public, signature, b"\x73")
    assert not verify(key_of("ana").public, signature, b"\x72")
    assert not verify(key.public, b"short", b"\x72")


def test_key_file_gives_the_key_back_to_its_passphrase_only(saved):
    file = read_key_file(saved)
    assert (file.house, file.owner, file.keyid) == ("lantern", "ana", key_of("ana").keyid)
    assert open_key(file, PASSPHRASE).seed() == key_of("ana").seed()
    with pytest.raises(KeyFileError, match="the passphrase does not open the key of ana"):
        open_key(file, "something else")


def test_private_half_is_nowhere_in_the_clear(saved):
    seed = key_of("ana").seed()
    assert seed not in saved.read_bytes()
    assert seed.hex() not in saved.read_text()
    assert seed.hex() not in repr(key_of("ana"))
    assert "PrivateKey" in repr(key_of("ana"))


@pytest.mark.skipif(os.name == "nt", reason="no file modes there")
def test_key_file_is_for_its_owner_alone(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


@pytest.mark.parametrize("field", ["owner", "house", "kdf_cost", "public"])
def test_changed_key_file_does_not_open(saved, field):
    record = json.loads(saved.read_text())
    other = {"kdf_cost": 11, "public": key_of("ben").public.hex()}.get(field, "ben")
    record[field] = other
    saved.write_text(json.dumps(record, sort_keys=True, separators=(",", ":")))
    with pytest.raises(KeyFileError, match=r"does not open|do not belong together"):
        open_key(read_key_file(saved), PASSPHRASE)


@pytest.mark.parametrize("text", ["", "{}", "x" * 5000, '{"a":1,"a":2}'])
def test_damaged_key_file_is_named(saved, text):
    saved.write_text(text)
    with pytest.raises(KeyFileError) as caught:
        list(list_keys())
    assert str(saved) in str(caught.value)


def test_key_file_of_another_format_is_refused(saved):
    record = {**json.loads(saved.read_text()), "format": 3}
    saved.write_text(json.dumps(record, sort_keys=True, separators=(",", ":")))
    with pytest.raises(KeyFileError, match=r"unknown value 3 - at `\$.format`"):
        read_key_file(saved)


def test_cost_that_would_exhaust_memory_is_refused(saved):
    record = {**json.loads(saved.read_text()), "kdf_cost": 40}
    saved.write_text(json.dumps(record, sort_keys=True, separators=(",", ":")))
    with pytest.raises(KeyFileError, match=r"expected `int` <= 20 - at `\$.kdf_cost`"):
        read_key_file(saved)


@pytest.mark.parametrize(("cost", "passphrase"), [(9, PASSPHRASE), (21, PASSPHRASE), (10, "short")])
def test_weak_settings_are_refused(own_keys, cost, passphrase):
    with pytest.raises(SettingError):
        save_key(key_of("ana"), house="h", owner="ana", passphrase=passphrase, kdf_cost=cost)


def test_find_key_opens_the_one_that_is_asked_for(saved):
    assert find_key({key_of("ana").keyid}, lambda _: PASSPHRASE).keyid == key_of("ana").keyid
    assert find_key({key_of("ben").keyid}, lambda _: PASSPHRASE) is None


def test_keys_live_in_the_users_own_folder(monkeypatch):
    monkeypatch.delenv(key_files.KEYS_VARIABLE, raising=False)
    assert keys_folder().parts[-2:] == ("music-house", "keys")


def test_public_keys_are_read_as_people_pass_them_on():
    assert parse_public(f" {key_of('ana').public.hex().upper()}\n") == key_of("ana").public
    with pytest.raises(SettingError, match="'12' is no public key"):
        parse_public("12")


def test_generated_keys_differ():
    assert PrivateKey.generate().keyid != PrivateKey.generate().keyid


def test_half_written_key_of_a_killed_command_goes_with_the_next_key(tmp_path):
    old, fresh = tmp_path / "a.1.new", tmp_path / "b.2.new"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    save_key(PrivateKey.generate(), house="h", owner="a", passphrase=PASSPHRASE, kdf_cost=10,
             folder=tmp_path)  # fmt: skip
    assert not old.exists()
    assert fresh.exists()


def test_passphrase_that_is_no_text_is_refused_in_words(own_keys):
    typed = "long enough \udcff"
    with pytest.raises(KeyFileError, match="no text in UTF-8") as refused:
        save_key(key_of("ana"), house="h", owner="ana", passphrase=typed, kdf_cost=10)
    assert "HOUSE_PASSPHRASE" in refused.value.mend
