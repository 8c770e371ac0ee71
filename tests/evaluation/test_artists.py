"""Artists told apart: works by models, pieces by works."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evaluations import EVALUATE, checkpoint, settings_of
from gen.checkpoint import load_checkpoint
from gen.errors import SettingError
from gen.evaluation import artists, run
from gen.evaluation.artists import BASE, ArtistsMusic
from gen.evaluation.subjects.works import gather
from gen.provenance.desk.works import set_consent
from gen.provenance.records.consent import Consent
from houses import key_of, make_piece, start_house
from tiny_runs import call


def costs(*bits, group="theme"):
    return [
        {"work": str(i), "group": f"{group} {i}", "notes": 10, "fields": [each]}
        for i, each in enumerate(bits)
    ]


# Counting --------------------------------------------------------------------------------


def test_a_work_is_told_where_its_own_model_costs_least_whatever_the_base_costs():
    rows = {
        "ana": {"ana": costs(10, 20, 30), "ben": costs(11, 19, 31), BASE: costs(1, 1, 1)},
        "ben": {"ana": costs(50), "ben": costs(40), BASE: costs(41)},
    }
    assert artists.told(rows["ana"], "ana").tolist() == [True, False, True]
    found, told = artists.by_likelihood(rows)
    assert (told["value"], told["n"], told["groups"]) == (0.75, 4, 4)
    assert found["ben"]["more"]["ana"]["value"] == pytest.approx(1.0)  # ten bits over ten notes
    assert found["ben"]["more"][BASE]["value"] == pytest.approx(0.1)
    assert set(found["ana"]["more"]) == {"ben", BASE}


def test_the_nearest_share_ties_and_pass_over_what_is_related():
    distance = np.array([[0.1, 0.1, 0.5], [np.inf, 0.3, 0.2]])
    found = artists.nearest(distance, ["ana", "ben", "ben"])
    assert found["ana"].tolist() == [0.5, 0.0]
    assert found["ben"].tolist() == [0.5, 1.0]


def test_pieces_go_to_the_artist_whose_works_they_are_like():
    ours, theirs = ([make_piece(s) for s in seeds] for seeds in (range(1, 7), range(11, 17)))
    works = ArtistsMusic([*ours, *theirs], ["ana"] * 6 + ["ben"] * 6, [str(i) for i in range(12)])
    found = artists.by_nearness({"ana": ours, "ben": theirs, BASE: ours}, works)
    assert found["pieces_told"]["value"] == 1.0
    assert found["pieces_told"]["groups"] == 6  # requests that both wrote to
    assert found["by_model"][BASE]["ana"]["value"] == 1.0
    turned = artists.by_nearness({"ana": theirs, "ben": ours}, works)
    assert turned["pieces_told"]["value"] == 0.0


# The command -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A house of two artists with a model each."""
    folder = tmp_path_factory.mktemp("artists")
    house = start_house(folder / "house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOUSE_CACHE", "off")
        for name, seeds in (("ana", range(1, 8)), ("ben", range(11, 18))):
            consent = f"general_model evaluation artist_model:{name}"
            house.enter(*seeds, composer=name, consent=consent)
        models = [
            checkpoint(
                folder / f"{name}.safetensors", house, purpose=f"artist_model:{name}", seed=seed
            )
            for seed, name in enumerate(("ana", "ben"))
        ]
        general = checkpoint(folder / "general.safetensors", house)
    return folder, house, models, general


def ask(studio, models, out, **changes):
    _, house, *_ = studio
    usual = {"pin": str(house.pin.path), "out": str(out), "artists": True}
    return settings_of(checkpoint=[str(m) for m in models], **{**usual, **changes})


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")


def test_the_command_tells_two_artists_apart_and_says_how_well(studio, tmp_path):
    _, house, models, _ = studio
    words = [f"{k}={x}" for k, x in (("works", 4), ("pieces", 3), ("bars", 2))]
    named = ",".join(map(str, models))
    done = call(
        EVALUATE, f"checkpoint=[{named}]", f"pin={house.pin.path}", f"out={tmp_path}",
        "artists=true", *words,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads((tmp_path / "artists.json").read_text())
    assert found["chance"] == 0.5
    assert set(found["artists"]) == {"ana", "ben"}
    for path, name, other in zip(models, ("ana", "ben"), ("ben", "ana"), strict=True):
        own = found["artists"][name]
        gap = own["bits_per_note"][other]["value"] - own["bits_per_note"][name]["value"]
        assert own["more"][other]["value"] == pytest.approx(gap)
        sides = gather(house.pin, [load_checkpoint(path)]).sides
        assert own["works"] == len(sides["test"])
    assert found["pieces_told"]["n"] == 6


def test_works_that_another_of_the_models_learned_from_are_left_out(tmp_path):
    house, found = start_house(tmp_path / "joint"), {}
    both = "general_model evaluation artist_model:ana artist_model:ben"
    for name, seeds in (("ana", range(1, 8)), ("ben", range(11, 18))):
        house.enter(*seeds, composer=name, consent=f"evaluation artist_model:{name}")
    (joint,) = house.enter(21, composers=(("ana", 50), ("ben", 50)), consent=both)
    set_consent(house.house, [joint.work], Consent.parse(both), key_of("ben"))
    for name in ("ana", "ben"):
        path = checkpoint(
            tmp_path / f"{name}.safetensors", house, purpose=f"artist_model:{name}",
            split={"validation": 0.0, "test": 0.5, "seed": 0},
        )  # fmt: skip
        found[name] = load_checkpoint(path)
        assert joint.work in {work.work for work in found[name].manifest.works}
    works = artists.works_of(house.pin, found, "test")
    for name in ("ana", "ben"):
        mine = {work.id for work in works.all[name]}
        assert len(mine) == 7
        assert joint.work not in mine
        assert mine > {work.id for work in works.held[name]}


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (lambda models, general: models[:1], "models of 1 artists"),
        (lambda models, general: [models[0], models[0]], "two models of ana"),
        (lambda models, general: [*models, general], "that not all of the others began with"),
    ],
)  # fmt: skip
def test_what_are_no_models_of_several_artists_is_refused(studio, tmp_path, chosen, said):
    _, _, models, general = studio
    with pytest.raises(SettingError, match=said):
        run.tell_apart(ask(studio, chosen(models, general), tmp_path))


def test_an_artist_of_whom_nothing_was_held_out_is_named(studio, tmp_path):
    _, house, models, _ = studio
    whole = checkpoint(
        tmp_path / "whole.safetensors", house, purpose="artist_model:ben",
        split={"validation": 0.2, "test": 0.0, "seed": 0},
    )  # fmt: skip
    with pytest.raises(SettingError, match="no work of ben on the side 'test'"):
        run.tell_apart(ask(studio, [models[0], whole], tmp_path))
