"""A house, a checkpoint that knows nothing, and a way to ask it for pieces."""

from __future__ import annotations

import pytest

from gen.data.cache import CACHE_VARIABLE
from gen.provenance.signing.key_files import KEYS_VARIABLE
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from houses import keep_machine_key
from studios import asking, make_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    return folder, make_studio(folder)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, tmp_path_factory, monkeypatch):
    """A cache of the test's own, and the key of a machine that produces."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path_factory.mktemp("keys")))
    keep_machine_key()


@pytest.fixture
def asked(studio, tmp_path):
    """All settings of a run, with these among them."""
    return lambda **some: asking(*studio, tmp_path / "out", **some)


@pytest.fixture
def ask(asked):
    return lambda **settings: sample(SampleRequest.of(asked(**settings)))
