"""Lines that come with the shipped models are what the works of the starter house give today."""

from pathlib import Path

import pytest

from gen.likeness.originality import MOST_MEASURED
from gen.provenance.houses.house import House
from gen.provenance.manifests.model_file import models_in
from gen.provenance.records.pin import load_pin
from gen.sampling.opening.checkpoints import SHIPPED
from gen.sampling.opening.house_lines import SignedLines
from gen.sampling.opening.works import Behind, learned_music

PROJECT = Path(__file__).parents[2]
FOLDER = (PROJECT / SHIPPED).parent
MEND = "count LinesCache.kind on, then: python scripts/starter_house.py sign"


@pytest.fixture(scope="module")
def starter():
    house = House(load_pin(PROJECT / "conf/house/starter.yaml"))
    return house, house.load(), models_in(FOLDER)


def test_shipped_models_bring_lines_for_their_works(starter):
    _, _, models = starter
    assert {path.name for path in models} == {SHIPPED.name, "last.safetensors"}
    for path in models:
        lines = signed_lines(starter, path)
        assert lines, MEND
        assert lines.works == MOST_MEASURED


def test_shipped_lines_are_what_the_works_give(starter, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house, _, models = starter
    path = PROJECT / SHIPPED
    assert signed_lines(starter, path) == learned_music(house, models[path].manifest).lines, MEND


def signed_lines(starter, path):
    house, register, models = starter
    signed = SignedLines.beside(path, house, register)
    behind = Behind.of(house, models[path].manifest, register, signed=signed)
    return behind.signed_lines(behind.known)
