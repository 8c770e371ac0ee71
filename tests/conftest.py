"""Fixtures that several rooms share; the helpers behind them are in `houses.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.provenance.keys import KEYS_VARIABLE, PASSPHRASE_VARIABLE
from houses import PASSPHRASE, TestHouse, start_house


@pytest.fixture
def house(tmp_path: Path) -> TestHouse:
    return start_house(tmp_path / "house")


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty key folder and a passphrase, as a person's environment has them."""
    folder = tmp_path / "keys"
    monkeypatch.setenv(KEYS_VARIABLE, str(folder))
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    return folder
