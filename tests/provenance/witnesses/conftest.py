"""A house that is asked by command, whose keys are at hand."""

from __future__ import annotations

import pytest

from commanded import CommandedHouse


@pytest.fixture
def house(tmp_path, monkeypatch, own_keys):
    return CommandedHouse(tmp_path, monkeypatch)
