"""`studio.py --stamp`: all that leaves the studio says when it was made, by an authority's word."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest

import studio_process
from authorities import OPENSSL, Authority, listening
from desks import PATIENCE
from gen.errors import HouseError
from gen.marks.containers import container_of
from gen.marks.manifest import read_store
from gen.studio.client import StudioClient
from houses import keep_machine_key
from prepared import prepared
from studios import CHECKPOINT, make_studio

pytest.importorskip("rfc3161_client", reason="the extra `stamps` is not installed")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed here")


@contextmanager
def open_studio(folder: Path, stamp: str) -> Iterator[StudioClient]:
    """The command itself, over a house whose machine has its key; ended at the end."""
    words = ["--house", str(folder / "house"), "--pin", str(folder / "pin.yaml"), "--stamp", stamp,
             "--checkpoint", str(folder / CHECKPOINT), "--out", str(folder / "out"),
             "--port", "0", "--no-browser"]  # fmt: skip
    process = subprocess.Popen(
        prepared(studio_process.__file__, *words),
        stdout=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    try:
        for _ in range(2):  # it says its address, and how it is ended; then it listens
            assert process.stdout.readline(), "it ended"
        while not (folder / "studio.json").is_file():
            assert process.poll() is None, "it ended"
        yield StudioClient.of_open_studio()
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.fixture
def folder(tmp_path: Path, own_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOUSE_STUDIO", str(tmp_path / "studio.json"))
    house = make_studio(tmp_path)
    keep_machine_key()
    (tmp_path / "pin.yaml").write_bytes(house.pin.path.read_bytes())
    return tmp_path


def asked(client: StudioClient) -> list[dict]:
    """What is said of a request for two bars."""
    job = client.ask("/generate", {"bars": 2, "seed": 1})["id"]
    return list(client.events(job))


def test_all_that_leaves_a_studio_that_stamps_has_a_stamp(folder: Path) -> None:
    with (
        listening(Authority(folder / "authority")) as url,
        open_studio(folder, url) as client,
    ):
        (name,) = [event["name"] for event in asked(client) if event["kind"] == "piece"]
        taken = {
            kind: client.fetch(f"/pieces/{name}/{kind}") for kind in ("midi", "wav", "musicxml")
        }
        with ZipFile(io.BytesIO(client.fetch(f"/pieces/{name}/stems"))) as stems:
            taken |= {part: stems.read(part) for part in stems.namelist()}
    assert len(taken) > 4
    for kind, data in taken.items():
        active = read_store(container_of(data).find(data).store).active
        assert (active.problems, active.signature.stamp is not None) == ((), True), kind


def test_an_authority_that_does_not_answer_fails_a_piece_in_words(folder: Path) -> None:
    with open_studio(folder, "http://127.0.0.1:1") as client:
        last = asked(client)[-1]
        assert last["kind"] == "failed"
        assert "the authority cannot be reached" in last["error"]["what"]
        assert client.ask("/pieces") == []
        with pytest.raises(HouseError, match="no piece is called"):
            client.fetch("/pieces/piece-01/midi")
