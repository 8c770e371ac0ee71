"""Which file `last` means, and which one a receipt names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gen.disk.reading import NamedFileError
from gen.errors import HouseError
from gen.sampling.opening.checkpoints import SHIPPED, checkpoint_of, find_checkpoint


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gen.places.HOME", tmp_path)
    return tmp_path


def put(path: Path | str, text: str, age_seconds: int = 0) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1e9 - age_seconds, 1e9 - age_seconds))
    return path


def test_a_path_is_that_path():
    assert find_checkpoint("any/file.safetensors") == Path("any/file.safetensors")


def test_before_the_first_run_the_last_is_the_shipped_one():
    put(SHIPPED, "shipped")
    put("out/demo/run/best.safetensors", "three minutes")
    assert find_checkpoint("last") == SHIPPED


def test_the_shipped_one_is_found_from_another_folder_too(folder, monkeypatch):
    shipped = put(SHIPPED, "shipped").absolute()
    (folder / "elsewhere" / "data" / "house_model").mkdir(parents=True)
    monkeypatch.chdir(folder / "elsewhere")
    put(SHIPPED, "somebody else's")
    assert find_checkpoint("last") == shipped


def test_after_runs_the_last_is_the_newest_of_them():
    put(SHIPPED, "shipped")
    put("outputs/a/1/best.safetensors", "old", age_seconds=60)
    newest = put("outputs/b/1/best.safetensors", "new")
    assert find_checkpoint("last") == newest


def test_without_any_it_is_said_how_to_get_one():
    with pytest.raises(HouseError, match=r"train one with scripts/train\.py"):
        find_checkpoint("last")


@pytest.mark.parametrize(
    "place", [SHIPPED, "out/demo/run/best.safetensors", "outputs/a/1/last.safetensors"]
)
def test_the_one_a_receipt_names_is_found_wherever_it_is(place):
    put("outputs/b/1/best.safetensors", "another")
    named = put(place, "named")
    assert checkpoint_of("last", hashlib.sha256(b"named").hexdigest()) == Path(named)


def test_a_receipt_whose_checkpoint_is_gone_says_which_it_was():
    digest = hashlib.sha256(b"gone").hexdigest()
    with pytest.raises(HouseError, match=digest):
        checkpoint_of("last", digest)


def test_a_checkpoint_that_cannot_be_read_does_not_end_the_search(monkeypatch):
    put("outputs/a/1/best.safetensors", "unreadable", age_seconds=60)
    wanted = put("outputs/b/1/best.safetensors", "wanted")

    def sha256_of(path, kind):
        data = Path(path).read_bytes()
        if data == b"unreadable":
            raise NamedFileError("cannot be read (Permission denied)", where=str(path))
        return hashlib.sha256(data).hexdigest()

    monkeypatch.setattr("gen.sampling.opening.checkpoints.sha256_of", sha256_of)
    assert checkpoint_of("last", hashlib.sha256(b"wanted").hexdigest()) == wanted
    with pytest.raises(HouseError, match=r"a/1/best\.safetensors could not be read: cannot be"):
        checkpoint_of("last", "0" * 64)
