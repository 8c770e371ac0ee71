"""Fréchet Music Distance on vectors whose answer is known, and a stand-in for its package."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from scipy.linalg import sqrtm

from corpora import shuffled, song
from gen.errors import HouseError
from gen.evaluation.measures.notes import sets_of
from gen.evaluation.parts import frechet
from gen.smf import parse


def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("dimensions", [2, 30])
def test_distance_is_the_formulas_with_a_matrix_root(dimensions):
    """Few and many dimensions; more than pieces, too."""
    a, b = rng().normal(size=(12, dimensions)), rng().normal(1, 2, (20, dimensions))
    mean = a.mean(axis=0) - b.mean(axis=0)
    c, d = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(c @ d)
    wanted = mean @ mean + np.trace(c + d - 2 * np.real(root))
    assert frechet.frechet_distance(a, b) == pytest.approx(wanted, rel=1e-4)


def test_distance_of_two_spreads_on_a_line():
    """Means 0 and 3, standard deviations 1 and 2: 9 + (1 - 2)²."""
    a, b = np.array([[-1.0], [0.0], [1.0]]), np.array([[1.0], [3.0], [5.0]])
    assert frechet.frechet_distance(a, b) == pytest.approx(10)
    assert frechet.frechet_distance(a, a) == pytest.approx(0)


def test_one_population_differs_no_more_than_by_chance():
    a, b, far = (rng().normal(size=(40, 8))[:20] + shift for shift in (0, 0, 3))
    b = np.random.default_rng(6).normal(size=(20, 8))
    assert not frechet.versus(a, b, rng())["differs"]
    found = frechet.versus(far, b, rng())
    assert found["differs"]
    assert found["low"] <= found["value"] <= found["high"]
    assert frechet.versus(a[:3], b, rng()) is None


# --- the package -------------------------------------------------------------------------------


class Ears:
    """What the package's extractor looks like; hears mean pitch, spread and length."""

    def __init__(self, verbose=True):
        self._download_checkpoint()

    def _download_checkpoint(self):
        raise AssertionError("fetched")

    def extract_feature(self, path):
        notes = [n for track in parse(path.read_bytes()).tracks for n in track.notes]
        pitch = [n.pitch for n in notes]
        heard = [np.mean(pitch), np.std(np.diff(pitch)), np.mean([n.duration_ticks for n in notes])]
        return np.array([heard])


class LocalEars(Ears):
    def __init__(self, verbose=True):
        """Weights are read from the disk: nothing is asked for."""


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Install a stand-in, with or without weights."""
    frechet._extractor.cache_clear()
    for variable in frechet._OFFLINE:
        monkeypatch.setenv(variable, "0")

    def install(ears, *, weights):
        path = tmp_path / "weights.pth"
        if weights:
            path.touch()
        config = ModuleType("config")
        config.CLAMP2_WEIGHTS_PATH = path
        models = ModuleType("models")
        models.CLaMP2Extractor = ears
        name = frechet.PACKAGE
        whole = ModuleType(name)
        whole.__spec__ = object()
        for key, module in (
            (name, whole), (f"{name}.models", models),
            (f"{name}.models.clamp2", ModuleType("clamp2")),
            (f"{name}.models.clamp2.config", config),
        ):  # fmt: skip
            monkeypatch.setitem(sys.modules, key, module)

    yield install
    frechet._extractor.cache_clear()


def test_songs_and_shuffled_notes_are_told_apart(package):
    package(LocalEars, weights=True)
    songs = [[song(first + i, 8) for i in range(8)] for first in (0, 50, 100)]
    found = frechet.compare(sets_of(*songs), rng())
    assert not found["apart"]["differs"]
    dealt = [shuffled(piece, i) for i, piece in enumerate(songs[0])]
    assert frechet.compare(sets_of(dealt, *songs[1:]), rng())["apart"]["differs"]


def test_without_the_package_or_its_weights_nothing_begins(package, monkeypatch):
    monkeypatch.setitem(sys.modules, frechet.PACKAGE, None)
    monkeypatch.setattr(frechet, "find_spec", lambda name: None)
    with pytest.raises(HouseError, match="not installed"):
        frechet.require()
    monkeypatch.undo()
    package(LocalEars, weights=False)
    with pytest.raises(HouseError, match="weights"):
        frechet.require()


def test_a_download_is_refused_and_the_network_is_off(package):
    package(Ears, weights=True)
    with pytest.raises(HouseError, match="nothing is fetched"):
        frechet.require()
    import os

    assert [os.environ[variable] for variable in frechet._OFFLINE] == ["1", "1"]
