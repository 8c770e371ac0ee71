"""A signer of a house, what a piece claims, and a file of every kind."""

from __future__ import annotations

import pytest

from gen.marks.claims import Claims, Ingredient
from gen.marks.signing import signer_for
from gen.provenance.signing.key_files import KEYS_VARIABLE
from gen.rendering import musicxml
from houses import key_of, make_midi, make_piece
from validators import png_file, wav_file


@pytest.fixture(autouse=True)
def own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "keys"))


@pytest.fixture
def signer():
    return signer_for("lantern", key_of("machine"))


@pytest.fixture
def claims():
    made_from = (
        Ingredient("checkpoint", "application/octet-stream", "inputTo", "cd" * 32),
        Ingredient("receipt", "application/json", "inputTo", "ab" * 32),
    )
    facts = {"house": "lantern", "receipt_sha256": "ab" * 32}
    return Claims("waltz-a-minor", ("gen", "1"), facts, made_from)


@pytest.fixture
def files(tmp_path):
    """A file of each kind, by its ending."""
    score = musicxml(make_piece(1), tmp_path / "score.musicxml", title="Waltz").read_bytes()
    return {".mid": make_midi(1), ".wav": wav_file(), ".png": png_file(), ".musicxml": score}
