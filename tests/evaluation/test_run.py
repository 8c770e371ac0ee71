"""A whole evaluation of a model that has learned nothing, from settings to the page."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from corpora import METRICS, song, work
from evaluations import EVALUATE, SMALL, SPLIT, checkpoint, settings_of
from gen import evaluation
from gen.checkpoint import load_checkpoint, save_checkpoint
from gen.errors import HouseError, SettingError
from gen.evaluation import originality, parts, run
from gen.evaluation.parts import control, frechet, likelihood
from gen.evaluation.settings import OPTIONAL, PARTS, read_settings
from gen.evaluation.subjects import samples
from gen.evaluation.subjects.works import gather, split_of
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.statement import Description
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import start_house
from tiny_runs import call

ASKED = ("control", "infilling", "originality")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    house = start_house(folder / "house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        house.enter(*range(1, 13))
    return folder, house, checkpoint(folder / "a.safetensors", house)


@pytest.fixture
def asked(bench, undrawn, tmp_path, monkeypatch):
    """Settings for the little house, in a folder of this test's own."""
    _, house, path = bench
    monkeypatch.setenv("HOUSE_CACHE", "off")

    def ask(**changes):
        usual = {"checkpoint": str(path), "pin": str(house.pin.path), "out": str(tmp_path / "out")}
        return settings_of(**{**usual, **changes})

    return ask


def report_in(out):
    return json.loads((Path(out) / "report.json").read_bytes())


@pytest.fixture(scope="module")
def whole(bench, tmp_path_factory):
    """One evaluation of everything."""
    _, house, path = bench
    out = tmp_path_factory.mktemp("whole") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOUSE_CACHE", "off")
        found = run.evaluate(
            settings_of(checkpoint=str(path), pin=str(house.pin.path), out=str(out))
        )
    return found, report_in(out)


# --- what comes out ----------------------------------------------------------------------------


def test_every_part_is_there_for_the_models_that_have_it(whole):
    _, report = whole
    names = [model["name"] for model in report["models"]]
    assert names[:3] == ["untrained", "unigram", "bigram"]
    assert set(PARTS) <= set(report)
    assert list(report["likelihood"]["models"]) == names
    for part in METRICS:
        assert list(report[part]) == names
    for part in ASKED:
        assert list(report[part]) == names[3:]


def test_every_field_of_the_report_is_documented(whole):
    _, report = whole
    known = set(re.findall(r"`(\w+)`", evaluation.__doc__))
    assert set(report) <= known
    assert set(report["models"][-1]) <= known
    for part in (*PARTS, "frechet", "headlines"):
        assert part in known
    for part in ASKED:
        (found,) = report[part].values()
        assert set(found) - {"requests", "scores", "holes", "bars", "compared_with"} <= known, part


def test_the_report_says_what_it_was_made_of(whole, bench):
    _, report = whole
    _, house, path = bench
    (model,) = [model for model in report["models"] if not model["baseline"]]
    assert model["sha256"] == load_checkpoint(path).digest
    assert model["steps"] == 3
    assert report["house"] == house.pin.name
    assert report["seed"] == 1
    assert sum(report["works"].values()) == 12
    assert report["sizes"] == SMALL


def figures_in(value):
    if isinstance(value, dict):
        if {"value", "low", "high"} <= set(value):
            yield value
        for inner in value.values():
            yield from figures_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from figures_in(inner)


def test_every_figure_has_its_sample_size_and_lies_in_its_interval(whole):
    _, report = whole
    found = list(figures_in(report))
    assert len(found) > 500
    for figure in found:
        assert figure["n"] >= 0
        if figure["low"] is not None:
            assert figure["n"] >= 2, figure
            assert figure["low"] <= figure["high"]
            assert figure["low"] - 1e-9 <= figure["value"] <= figure["high"] + 1e-9, figure


def test_bits_of_an_untrained_model_are_what_a_vocabulary_costs(whole):
    _, report = whole
    models = report["likelihood"]["models"]
    assert (
        models["untrained"]["bits_per_note"]["value"] > models["unigram"]["bits_per_note"]["value"]
    )


def test_the_page_needs_nothing_but_itself(whole):
    page, report = whole
    text = page.read_text("utf-8")
    assert not re.search(r"(src|href)=\"(?!data:image/png;base64,|#)", text)
    assert "http" not in text.split("</style>")[1].replace("doi:", "").partition("<pre>")[0]
    assert text.count("data:image/png") == len(list((page.parent / "plots").glob("*.png")))
    for model in report["models"]:
        assert model["name"] in text


def test_the_same_seed_gives_the_same_report_and_another_seed_another(asked, tmp_path):
    few = {"parts": ["likelihood", "diversity", "control"], "baselines": False}
    reports = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run.evaluate(asked(out=str(tmp_path / name), seed=seed, **few))
        reports.append((tmp_path / name / "report.json").read_bytes())
    assert reports[0] == reports[1]
    assert reports[0] != reports[2]


# --- what is finished is kept ------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on_where_it_stood(asked, monkeypatch):
    wanted = asked(parts=["likelihood", "control"], baselines=False)
    with monkeypatch.context() as patch:

        def stop(*args, **kwargs):
            raise KeyboardInterrupt

        patch.setattr(control, "draw_requests", stop)
        with pytest.raises(KeyboardInterrupt):
            run.evaluate(wanted)
    assert not (Path(wanted["out"]) / "report.json").exists()
    (kept,) = (Path(wanted["out"]) / "parts").glob("*/*.json")
    assert kept.stem == "likelihood"

    def again(*args, **kwargs):
        raise AssertionError("measured twice")

    monkeypatch.setattr(likelihood, "measure", again)
    run.evaluate(wanted)
    assert set(report_in(wanted["out"])["control"])


def test_other_settings_measure_anew(asked, monkeypatch):
    wanted = asked(parts=["likelihood"], baselines=False)
    run.evaluate(wanted)
    first = report_in(wanted["out"])
    run.evaluate({**wanted, "works": 3})
    assert report_in(wanted["out"])["likelihood"] != first["likelihood"]


def test_an_outside_distance_is_taken_only_where_it_was_installed(asked, monkeypatch):
    wanted = asked(parts=["frechet"], baselines=False)
    monkeypatch.setattr(frechet, "find_spec", lambda name: None)
    with pytest.raises(HouseError, match="not installed"):
        run.evaluate(wanted)
    assert not Path(wanted["out"]).exists()

    def heard(pieces):
        return np.array([[p.note_count, p.end_ticks] for p in pieces], dtype=float)

    def written(model, drafts, *args, **options):
        return [work(song(i)).tokenised.events.tolist() for i, _ in enumerate(drafts)]

    monkeypatch.setattr(frechet, "require", lambda: None)
    monkeypatch.setattr(frechet, "embedded", heard)
    monkeypatch.setattr(samples, "write", written)
    page = run.evaluate(wanted)
    (found,) = report_in(wanted["out"])["frechet"].values()
    assert found["counts"]["generated"] == {"pieces": 3, "empty": 0}
    assert found["real"] is None  # of fewer than four works
    assert "As another model hears it" in page.read_text("utf-8")


# --- several checkpoints -----------------------------------------------------------------------


def test_checkpoints_are_compared_in_order_of_size(bench, asked, tmp_path):
    _, house, path = bench
    larger = checkpoint(tmp_path / "a.safetensors", house, width=32, steps=2)
    later = checkpoint(tmp_path / "b.safetensors", house, steps=9, seed=1)
    wanted = asked(
        checkpoint=[str(larger), str(later), str(path)], parts=["likelihood", "originality"],
        baselines=False,
    )  # fmt: skip
    run.evaluate(wanted)
    report = report_in(wanted["out"])
    models = report["models"]
    assert [model["file"] for model in models] == [p.as_posix() for p in (path, later, larger)]
    names = [model["name"] for model in models]
    assert len(set(names)) == 3
    against = report["likelihood"]["against"]
    assert [(e["from"], e["to"]) for e in against] == list(itertools.pairwise(names))
    steps = report["headlines"]["bits_per_note"]["ladder"]["steps"]
    judged = {"lower": "better", "higher": "worse", "none": "none"}
    assert [s["step"] for s in steps] == [judged[e["verdict"]] for e in against]
    assert (Path(wanted["out"]) / "plots" / "curve.png").is_file()


def test_a_house_is_compared_with_itself_once_for_all_its_models(
    bench, asked, tmp_path, monkeypatch
):
    _, house, path = bench
    later = checkpoint(tmp_path / "later.safetensors", house, steps=9, seed=1)
    wanted = asked(checkpoint=[str(path), str(later)], parts=["originality"], baselines=False)
    calls, once = [], originality.house

    def counted(*args, **options):
        calls.append(args)
        return once(*args, **options)

    monkeypatch.setattr(originality, "house", counted)
    run.evaluate(wanted)
    first, second = report_in(wanted["out"])["originality"].values()
    assert len(calls) == 1
    assert first["house"] == second["house"]


def test_checkpoints_that_cannot_be_compared_are_refused(bench, asked, tmp_path):
    _, house, path = bench
    other = checkpoint(tmp_path / "b.safetensors", house, split={**SPLIT, "seed": 7})
    with pytest.raises(SettingError, match="different splits"):
        run.evaluate(asked(checkpoint=[str(path), str(other)]))
    with pytest.raises(SettingError, match="twice"):
        run.evaluate(asked(checkpoint=[str(path), str(path)]))
    artist = checkpoint(tmp_path / "c.safetensors", house, purpose="evaluation")
    with pytest.raises(SettingError, match="different purposes"):
        run.evaluate(asked(checkpoint=[str(path), str(artist)]))


def test_a_checkpoint_that_does_not_tell_its_split_is_refused(bench, tmp_path):
    _, house, _ = bench
    path = tmp_path / "mute.safetensors"
    model = Transformer(ModelConfig(1, 16, 1, 2, 0.0, 128, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    save_checkpoint(path, model, manifest, {})
    with pytest.raises(SettingError, match="does not tell"):
        split_of([load_checkpoint(path)])


# --- whose works are measured ------------------------------------------------------------------


def test_works_that_may_not_be_measured_are_left_out_and_told(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(*range(1, 7))
    house.enter(7, 8, consent="general_model")
    path = checkpoint(tmp_path / "a.safetensors", house)
    material = gather(house.pin, [load_checkpoint(path)])
    assert len(material.corpus) == 8
    assert sum(map(len, material.sides.values())) == 6
    assert any("2 works" in note for note in material.notes)


def test_a_house_that_changed_since_is_told(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(*range(1, 7))
    path = checkpoint(tmp_path / "a.safetensors", house)
    assert gather(house.pin, [load_checkpoint(path)]).notes == ()
    house.enter(7)
    assert "not the same" in gather(house.pin, [load_checkpoint(path)]).notes[0]


def test_a_checkpoint_of_works_that_never_entered_the_house_is_refused(
    house, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(*range(1, 7))
    stranger = start_house(tmp_path / "elsewhere")
    stranger.enter(*range(11, 17))
    path = checkpoint(tmp_path / "a.safetensors", stranger)
    with pytest.raises(HouseError, match="6 of the 6 works it names never entered"):
        gather(house.pin, [load_checkpoint(path)])


def test_nothing_is_measured_past_the_gate(house, tmp_path, asked):
    entries = house.enter(*range(1, 7))
    path = checkpoint(tmp_path / "a.safetensors", house)
    data = bytearray(house.path(entries[0]).read_bytes())
    data[data.index(b"melody")] ^= 1
    house.path(entries[0]).write_bytes(data)
    with pytest.raises(HouseError, match="digest-mismatch"):
        run.evaluate(asked(checkpoint=str(path), pin=str(house.pin.path)))


def test_no_held_out_work_is_refused(house, tmp_path, asked):
    house.enter(1)
    path = checkpoint(tmp_path / "a.safetensors", house)
    with pytest.raises(HouseError, match="no work on the side"):
        run.evaluate(asked(checkpoint=str(path), pin=str(house.pin.path)))


def test_works_whose_tags_say_nothing_of_the_music_are_measured_too(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(*range(1, 7), description=Description(title="Plain"))
    house.enter(*range(7, 10))
    house.enter(*range(10, 13), description=Description(title="Waltz", genre="waltz"))
    path = checkpoint(tmp_path / "a.safetensors", house)
    out = tmp_path / "out"
    wanted = settings_of(checkpoint=str(path), pin=str(house.pin.path), out=str(out))
    page = run.evaluate({**wanted, "works": 9, "pieces": 6})
    report = report_in(out)
    assert set(PARTS) <= set(report)
    assert "no genre" in page.read_text("utf-8")
    assert "no_genre" in report["likelihood"]["models"]["unigram"]["by_genre"]


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "train"}, "neither"),
        ({"seed": -1}, "below 0"),
        ({"parts": []}, "nothing"),
        ({"parts": ["likelyhood"]}, "likelihood"),
        ({"pieces": 0}, "below 1"),
        ({"piece": 3}, "pieces"),
        ({"checkpoint": []}, "no file"),
        ({"checkpoint": 3}, "no file"),
        ({"top_p": 2.0}, "outside"),
        ({"device": "cudda"}, "cuda"),
        ({"artists": True, "listening": "out/kit"}, "ask for one of"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, said):
    with pytest.raises(SettingError) as refused:
        read_settings(settings_of(**changes))
    assert said in str(refused.value)


def test_a_device_that_is_not_there_is_said_before_anything_is_read(asked, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(run, "load_checkpoint", None)
    with pytest.raises(SettingError, match="no CUDA device"):
        run.evaluate(asked(device="cuda"))


def test_every_part_can_be_asked_for_by_name():
    assert {part.name for part in parts.ALL if part.optional} == set(OPTIONAL)
    assert {part.name for part in parts.ALL if not part.optional} == set(PARTS)


def test_fast_takes_less_of_everything():
    nothing = dict.fromkeys(SMALL)
    _, full, *_ = read_settings(settings_of(**nothing))
    _, fast, *_ = read_settings(settings_of(**nothing, fast=True))
    assert full.requests >= 400
    for name in SMALL:
        assert getattr(fast, name) < getattr(full, name)


# --- the script --------------------------------------------------------------------------------


def words_of(settings):
    def told(value):
        if isinstance(value, list):
            return f"[{','.join(map(str, value))}]"
        return "null" if value is None else str(value)

    return [f"{key}={told(value)}" for key, value in settings.items()]


def test_the_script_prints_where_the_report_is(asked):
    wanted = asked(parts=["likelihood"], baselines=False)
    done = call(EVALUATE, *words_of(wanted))
    assert done.code == 0, done.stderr
    assert Path(done.stdout.strip()) == Path(wanted["out"]) / "report.html"
    assert "likelihood" in done.stderr


def test_the_script_says_what_is_wrong_in_one_message(asked):
    done = call(EVALUATE, *words_of(asked(checkpoint="nowhere.safetensors")))
    assert done.code == 2
    assert "nowhere.safetensors" in done.stderr
    assert "Traceback" not in done.stderr


def rate(folder, listener, *, prefers):
    """A file of ratings beside the key, as the page saves it; `prefers`: generated or work."""
    held = json.loads((folder / "key.json").read_bytes())["pairs"]
    text = (folder / "page" / "index.html").read_text("utf-8")
    answers = []
    for number, pair in enumerate(held, start=1):
        ours = pair["generated"]
        theirs = "ab".replace(ours, "")
        liked = ours if prefers == "generated" else theirs
        answers.append(
            {"pair": number, "preferred": liked, f"rating_{liked}": 4,
             f"rating_{'ab'.replace(liked, '')}": 2, "person": theirs}
        )  # fmt: skip
    sheet = {
        "format": "gen-listening-ratings", "version": 1, "sheet": listener, "listener": listener,
        "test": re.search(r'data-test="(\w+)"', text)[1], "answers": answers,
    }  # fmt: skip
    (folder / f"ratings-{listener}.json").write_text(json.dumps(sheet), "utf-8")


def test_a_listening_test_is_made_handed_out_and_counted(asked, tmp_path, monkeypatch):
    def written(model, drafts, *args, **options):
        return [work(song(i, 4)).tokenised.events.tolist() for i, _ in enumerate(drafts)]

    monkeypatch.setattr(samples, "write", written)
    folder = tmp_path / "kit"
    wanted = asked(listening=str(folder), pieces=2, bars=4)
    page = run.listen(wanted)
    assert page == folder / "page" / "index.html"
    assert len(list((folder / "page" / "sounds").glob("*.wav"))) == 4
    with pytest.raises(HouseError, match="no answer"):
        run.listen(wanted)
    for listener, prefers in (("ana", "generated"), ("ben", "generated"), ("cy", "work")):
        rate(folder, listener, prefers=prefers)
    done = call(EVALUATE, *words_of(wanted))
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads((folder / "results.json").read_bytes())
    share = found["preference"]["share"]
    assert share["value"] == pytest.approx(2 / 3)
    assert share["low"] <= share["value"] <= share["high"]
    assert (share["n"], found["answers"]) == (6, 6)
    assert found["preference"]["verdict"] == "none"
    assert found["rating"]["difference"]["value"] == pytest.approx(2 / 3)
    assert found["recognition"]["share"]["value"] == 1
