"""Seals: a poisoned cache is rebuilt, and a file that is no secret is none."""

import os

import pytest

from gen.disk import seals
from gen.disk.sealed import SealedFile, user_folder
from gen.disk.seals import Sealer, user_secret


def test_seal_holds_for_its_kind_and_content_alone():
    sealer = Sealer(b"s" * 32, "events 1")
    seal = sealer.seal(b"name", b"content")
    assert sealer.holds(seal, b"name", b"content")
    assert not sealer.holds(seal, b"name", b"other")
    assert not Sealer(b"s" * 32, "events 2").holds(seal, b"name", b"content")
    assert not Sealer(b"t" * 32, "events 1").holds(seal, b"name", b"content")


@pytest.mark.parametrize("kind", ["pipe", "folder", "sparse"])
def test_something_else_in_the_place_of_the_secret_is_no_secret(tmp_path, monkeypatch, kind):
    path = tmp_path / "secret"
    monkeypatch.setattr(seals, "secret_path", lambda: path)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    assert len(user_secret()) == (0 if kind == "folder" else 32)


@pytest.mark.parametrize("named", ["off", "elsewhere"])
def test_what_is_kept_is_where_the_environment_says_or_nowhere(tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", named)
    file = SealedFile(user_folder("things") / "one", "a thing")
    assert file.read() is None
    file.write(b"content")
    assert file.read() == (None if named == "off" else b"content")
    assert SealedFile(file.path, "another thing").read() is None
