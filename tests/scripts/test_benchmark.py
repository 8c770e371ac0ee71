"""The comparison is only as good as its arithmetic: the same works, notes and bits for all."""

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from symusic import Score

import benchmark
from bench import ablate, growth, machine, memory, pieces, sample, scale, train
from bench import start as first_steps
from bench.corpus import admitted_works, curve_works, deal, kept, settings_of
from bench.ours import Ours
from bench.peer import (
    Peer,
    PeerConfig,
    PeerTokenizer,
    Variation,
    covering,
    house_on_tokens,
    llama,
    llama_of_size,
    llama_parameters,
    total_bits,
)
from bench.peers import PeerBuilder
from gen.data.augment import AugmentConfig
from gen.errors import HouseError
from gen.piece import Note, Pedal
from gen.provenance.admission.gate import admit
from gen.provenance.records.pin import load_pin
from gen.smf import parse, write
from gen.terminal import SAFE_PATH, failures_said
from gen.tokens.echo import ECHO_COLUMNS
from gen.tokens.encoding import Annotations
from gen.tokens.score import score_of
from gen.tokens.vocabulary import FIELD_SIZES
from houses import make_piece
from prepared import CAN_FORK, SERVERS, helpers

TINY = [
    "model.n_layer=1", "model.width=16", "model.n_head=2", "model.context=128",
    "data.training_window=64", "data.batch_size=2",
]  # fmt: skip


def make_work(seed):
    """Two more notes than the house tokenizer keeps: they differ by less than half a step."""
    piece = make_piece(seed, bars=4)
    bass = piece.tracks[1].notes
    bass += [Note(4 * 1920 + 480 * seed, 10, 40, 70), Note(4 * 1920 + 480 * seed + 12, 10, 40, 70)]
    piece.tracks[0].pedals.append(Pedal(0, 960))
    return f"work-{seed}", parse(write(piece)), Annotations(genre="waltz")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slower on two threads than on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def works():
    return [make_work(seed) for seed in range(6)]


@pytest.fixture(scope="module")
def settings():
    return settings_of(TINY)


@pytest.fixture(scope="module")
def sides(works, settings):
    return deal(works, settings)


@pytest.fixture(scope="module")
def bpe(sides):
    return PeerTokenizer(sides.train, PeerTokenizer().size + 40)


def parsed(module, *given):
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    return parser.parse_args([*(text for s in TINY for text in ("--set", s)), *given])


def uniform_llama(size, context=64):
    model = llama(size, layers=1, heads=2, width=16, inner=8, context=context)
    torch.nn.init.zeros_(model.lm_head.weight)
    return model.eval()


@pytest.mark.parametrize("window", [8, 30, 64])
def test_a_peer_that_knows_nothing_needs_the_logarithm_of_its_vocabulary_for_every_token(window):
    sequences = [np.arange(length) % 50 for length in (2, 9, 31, 64, 65, 201)]
    bits = total_bits(uniform_llama(50), sequences, window)
    assert bits == pytest.approx(sum(len(ids) - 1 for ids in sequences) * math.log2(50), rel=1e-5)


def test_bits_of_a_peer_are_those_of_each_next_token_given_the_ones_before():
    torch.manual_seed(0)
    model = llama(20, layers=1, heads=2, width=16, inner=8, context=64).eval()
    ids = np.random.default_rng(0).integers(0, 20, 40)
    with torch.inference_mode():
        scores = model(torch.from_numpy(ids)[None]).logits[0].double().log_softmax(-1).numpy()
    expected = -sum(scores[i, ids[i + 1]] for i in range(len(ids) - 1)) / math.log(2)
    assert total_bits(model, [ids], 64) == pytest.approx(expected, rel=1e-5)
    together = total_bits(model, [ids, ids[:7], ids[:25]], 64)
    apart = sum(total_bits(model, [part], 64) for part in (ids, ids[:7], ids[:25]))
    assert together == pytest.approx(apart, rel=1e-5)


@pytest.mark.parametrize(("length", "window"), [(1, 8), (8, 8), (9, 8), (100, 8), (101, 64)])
def test_sliding_windows_count_every_token_once_after_half_a_window(length, window):
    counted = []
    for start, done in covering(length, window):
        assert done == 0 or done - start >= window // 2
        counted += range(done, min(start + window, length))
    assert counted == list(range(length))


def test_this_house_s_model_that_knows_nothing_needs_the_logarithm_of_every_field(sides, settings):
    ours = Ours(settings, sides.train, 1)
    works = sides.validation + sides.test
    told = len(["beginning", "genre"])  # the one is given, the other left out
    events = sum(len(work.events) - told for work in works)
    assert ours.bits(works) == pytest.approx(events * sum(map(math.log2, FIELD_SIZES)), rel=1e-5)


def test_notes_are_counted_in_the_file_and_not_by_a_tokenizer(works, sides):
    pieces = {name: piece for name, piece, _ in works}
    for work in [*sides.train, *sides.validation, *sides.test]:
        assert work.notes == pieces[work.work_id].note_count == 38
        assert (work.events[:, 0] == 15).sum() == 37  # one of two too close together is dropped


def test_both_sides_are_measured_on_the_same_works_and_divided_by_the_same_notes(sides):
    class Racer:
        def __init__(self):
            self.asked = []

        def bits(self, works):
            self.asked.append([(work.work_id, work.piece) for work in works])
            return 76.0

        def report(self):
            return {}

    first, second = Racer(), Racer()
    rows = [train.final(racer, sides) for racer in (first, second)]
    assert first.asked == second.asked
    assert rows[0] == rows[1]
    assert rows[0]["test_bits_per_note"] == 76.0 / (38 * len(sides.test))


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_all_are_compared_in_the_precision_that_is_asked_for(sides, precision):
    settings = settings_of([*TINY, f"trainer.precision={precision}"])
    args = parsed(train, "--peers", "remi:usual")
    ours = Ours(settings, sides.train, 1)
    (peer,) = PeerBuilder(args, sides, ours).peers()
    wanted = {"32": "float32", "bf16": "bfloat16"}[precision]
    assert [racer.report()["precision"] for racer in (ours, peer)] == [wanted, wanted]
    assert ours.step_seconds == peer.step_seconds == {}  # nothing was tried


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trainer.precision=64", "64 is not compared here"),
        ("trainer.max_steps=5", "--set trainer.max_steps: decides nothing"),
        ("tokenizer=remi", "--set tokenizer: decides nothing"),
        ("seed=3", "--set seed: decides nothing"),
        ("modle=tiny", "there is no such setting"),
        ("optimizer.lr=-1", "optimizer.lr: -1.0 is below 0"),
    ],
)
def test_a_setting_that_would_do_nothing_in_a_comparison_is_refused(sides, words, message):
    with pytest.raises(HouseError, match=message):
        Ours(settings_of([*TINY, words]), sides.train, 1)


def test_works_come_from_the_gate_and_a_refused_file_ends_the_comparison(house):
    entry, *_ = house.enter(1, 2)
    settings = {"pin": str(house.folder.parent / "lantern.yaml")}
    found = admitted_works({**settings, "purpose": "general_model"})
    assert {name for name, _, _ in found} == {e.work for e in house.entries}
    assert {notes.genre for _, _, notes in found} == {"waltz"}
    house.path(entry).write_bytes(b"MThd")
    with pytest.raises(HouseError, match=entry.path):
        admitted_works({**settings, "purpose": "general_model"})


def test_no_work_is_on_two_sides(sides):
    names = [w.work_id for w in [*sides.train, *sides.validation, *sides.test]]
    assert len(names) == len(set(names)) == 6


def test_works_of_a_curve_are_spread_over_the_list():
    assert curve_works([1, 2, 3, 4, 5], 3) == [1, 3, 5]
    assert curve_works([1, 2], 8) == [1, 2]


def test_remi_writes_down_everything_on_the_grid_and_merging_changes_nothing(sides, bpe):
    plain = PeerTokenizer()
    for work in sides.train:
        before = score_of(work.piece)
        assert len(bpe.ids(work)) < len(plain.ids(work))
        for tokenizer in (plain, bpe):
            ids = tokenizer.ids(work)
            assert (ids[0], ids[-1]) == (tokenizer.bos, tokenizer.eos)
            assert tokenizer.notes_in[ids].sum() == work.notes
            measured = kept([(before, tokenizer.decode(ids))])
            assert measured["notes_kept"] == measured["pedals_kept"] == 1
            assert measured["velocity_error"] < 2


def test_what_a_tokenizer_keeps_is_measured_against_the_file():
    before, after = (Score.from_midi(write(make_piece(seed))) for seed in (0, 0))
    assert kept([(before, after)])["onset_error_quarters"] == 0
    for note in after.tracks[0].notes:
        note.time += 120
    del after.tracks[1]
    measured = kept([(before, after)])
    assert measured["notes_kept"] == pytest.approx(32 / 36)
    assert measured["tracks_kept"] == pytest.approx(2 / 3)
    assert measured["onset_error_quarters"] == pytest.approx(16 * 0.25 / 32)


def test_varied_works_are_transposed_but_for_drums_and_stay_in_range(sides):
    tokenizer = PeerTokenizer()
    names = {id_: token for token, id_ in tokenizer.vocabulary.items()}
    base = tokenizer.base_ids(sides.train[0])
    variation = Variation(tokenizer.vocabulary, AugmentConfig(transpose=2, tempo=0, velocity=0))
    variants = list(variation.variants(base, np.random.default_rng(0)))
    assert len(variants) == 5
    for shift, variant in zip(range(-2, 3), variants, strict=True):
        for old, new in zip(base, variant, strict=True):
            kind, _, value = names[int(old)].partition("_")
            expected = f"Pitch_{int(value) + shift}" if kind == "Pitch" else names[int(old)]
            assert names[int(new)] == expected


@pytest.mark.parametrize(("parameters", "vocabulary"), [(2_500_000, 917), (5_500_000, 2048)])
def test_the_peer_has_as_many_parameters_as_ours_within_a_tenth(parameters, vocabulary):
    model = llama_of_size(parameters, vocabulary, layers=4, heads=4, context=64)
    found = sum(p.numel() for p in model.parameters())
    assert abs(found / parameters - 1) < 0.1
    c = model.config
    assert found == llama_parameters(vocabulary, 4, c.hidden_size, c.intermediate_size)


def test_the_peer_learns(sides):
    torch.manual_seed(0)
    peer = Peer(
        "peer", PeerTokenizer(), PeerConfig(1e-2, 4, warmup=0.0, window=32), sides.train,
        shape=(60_000, 1, 2), budget_seconds=60, augment=AugmentConfig(), seed=1,
    )  # fmt: skip
    before = train.bits_per_note(peer, sides.test)
    while peer.steps < 12:
        peer.advance(peer.clock.seconds + 0.01)
    assert train.bits_per_note(peer, sides.test) < 0.95 * before
    assert peer.notes > 12 * 4 * 4


@pytest.mark.parametrize("parameters", [2_500_000, 6_000_000])
def test_this_house_s_network_on_tokens_has_as_many_parameters_within_a_tenth(parameters):
    model = house_on_tokens(parameters, 1000, layers=4, heads=4, context=64)
    assert abs(sum(p.numel() for p in model.parameters()) / parameters - 1) < 0.1


def test_this_house_s_network_on_tokens_is_counted_as_the_peer_is(sides):
    """Loss of a batch = the bits that measuring gives the same tokens; and it learns."""
    tokenizer = PeerTokenizer()
    peer = Peer(
        "peer", tokenizer, PeerConfig(4e-3, 4, window=32, network="house"), sides.train,
        shape=(60_000, 1, 2), budget_seconds=60, augment=AugmentConfig(), seed=1,
    )  # fmt: skip
    before = train.bits_per_note(peer, sides.test)
    while peer.steps < 80:
        peer.advance(peer.clock.seconds + 0.01)
    assert train.bits_per_note(peer, sides.test) < 0.95 * before
    ids = tokenizer.ids(sides.test[0])[:33]
    loss = peer.model(torch.from_numpy(ids)[None], labels=torch.from_numpy(ids)[None]).loss
    bits = total_bits(peer.model, [ids], 32)
    assert float(loss.detach()) * 32 / math.log(2) == pytest.approx(bits, rel=1e-4)


def test_an_ablation_changes_one_thing_and_says_what_it_costs(works, monkeypatch):
    monkeypatch.setattr(
        ablate, "VARIANTS",
        {"as it is": [], "without echo": [], "AdamW for all": ["optimizer=adamw"]},
    )  # fmt: skip
    monkeypatch.setattr(ablate, "SHAPES", {"deeper and narrower": 2.0})
    options = [word for setting in TINY for word in ("--set", setting)]
    args = parsed(
        ablate, "--minutes", "0.005", "--peer-window", "32", "--bpe-size", "960", *options
    )
    result = ablate.run(args, works)
    names = [row["model"] for row in result["variants"]]
    assert names == [
        "as it is",
        "without echo",
        "AdamW for all",
        "deeper and narrower",
        "Ours, REMI, house",
        "Ours, BPE, house",
    ]
    assert result["variants"][0]["against_first"] == 1
    assert all(row["validation_bits_per_note"] > 0 for row in result["variants"])


@pytest.mark.parametrize(("name", "layers", "width"), [
    ("deeper and narrower", 12, 184), ("shallower and wider", 3, 360),
])  # fmt: skip
def test_another_shape_has_about_as_many_weights(name, layers, width):
    shape = {"n_layer": 6, "width": 256, "n_head": 4}
    found = ablate._reshaped(shape, ablate.SHAPES[name])
    assert found == {"n_layer": layers, "width": width, "n_head": 4}
    assert layers * width**2 == pytest.approx(6 * 256**2, rel=0.05)


def test_larger_models_and_more_steps_are_measured_and_drawn(works, tmp_path, monkeypatch):
    sizes = {"small": ["model.width=16"], "large": ["model.width=32"]}
    monkeypatch.setattr(scale, "SIZES", sizes)
    options = [word for setting in TINY for word in ("--set", setting)]
    args = parsed(scale, "--steps", "6,2", "--out", str(tmp_path), *options)
    result = scale.run(args, works)
    rows = result["models"]
    assert [(row["model"], row["steps"]) for row in rows] == [
        ("small", 2), ("small", 6), ("large", 2), ("large", 6),
    ]  # fmt: skip
    assert rows[1]["parameters"] < rows[2]["parameters"]
    assert rows[0]["notes"] == rows[2]["notes"] < rows[1]["notes"]  # the same music, in order
    assert rows[1]["validation_bits_per_note"] < rows[0]["validation_bits_per_note"]
    assert (tmp_path / "scale.png").stat().st_size > 5000


def test_a_line_that_rises_once_does_not_fall():
    rows = [
        {"steps": steps, "parameters": size, "validation_bits_per_note": bits}
        for steps, size, bits in ((1, 1, 5.0), (2, 1, 4.0), (1, 2, 4.5), (2, 2, 4.1))
    ]
    assert scale._falls(rows, "parameters", "steps")
    assert not scale._falls(rows, "steps", "parameters")


def test_without_echo_a_model_is_told_none(sides, settings):
    windows = [Ours(settings, sides.train, 1, echo=told).batches.batch(0) for told in (True, False)]
    echo = [window["columns"][..., -len(ECHO_COLUMNS) :] for window in windows]
    assert echo[0].any()
    assert not echo[1].any()


def test_a_clock_does_not_count_while_it_stands():
    clock = machine.Clock()
    clock.start()
    with clock.standing():
        time.sleep(0.05)
    clock.stop()
    assert clock.seconds < 0.04


def test_training_alternates_and_reports_both_sides(works, tmp_path):
    args = parsed(
        train, "--minutes", "0.01", "--points", "2", "--peers", "remi:usual",
        "--peer-window", "32", "--out", str(tmp_path),
    )  # fmt: skip
    result = train.run(args, works)
    ours, peer = result["models"]
    assert set(result["curves"]) == {ours["model"], peer["model"]}
    assert {len(points) for points in result["curves"].values()} <= {1, 2}
    assert ours["steps"] > 0 < peer["steps"]
    assert ours["seconds"] >= 0.6 <= peer["seconds"]
    (ratio,) = result["ratios"]
    expected = ours["test_bits_per_note"] / peer["test_bits_per_note"]
    assert ratio["test_bits_per_note"] == pytest.approx(expected)
    assert 0.9 < ratio["parameters"] < 1.1
    assert (tmp_path / "train.png").read_bytes().startswith(b"\x89PNG")
    json.dumps(result)


@pytest.fixture
def quick_children(monkeypatch):
    """Processes of their own, that begin with torch imported."""
    if CAN_FORK:
        quick = SimpleNamespace(get_context=lambda _: helpers(*SERVERS["all"]))
        monkeypatch.setattr(machine, "multiprocessing", quick)


def test_memory_is_that_of_a_process_of_its_own_and_grows_with_the_model(works, quick_children):
    wide = parsed(memory, "--peer-window", "32", "--set", "model.width=512")
    result = memory.run(wide, works)
    large, peer = result["models"]
    assert 0.3 < large["notes_per_step"] / peer["notes_per_step"] < 3
    assert result["ratio"]["megabytes"] == large["megabytes"] / peer["megabytes"]
    for model in (large, peer):
        weights = 4 * model["parameters"] / 1e6  # megabytes; gradients and moments come besides
        assert 3 * weights < model["megabytes"] < 30 * weights


@pytest.mark.parametrize("given", [(), ("--peer-tokens", "8")])
def test_sampling_compares_notes_a_second_of_pieces_as_long_as_each_other(
    works, given, quick_children
):
    args = parsed(
        sample, "--untrained", "--bars", "1", "--batches", "1,2", "--bpe-size", "960", *given
    )
    result = sample.run(args, works)
    assert [(row["model"], row["pieces_at_once"]) for row in result["models"]][:2] == [
        ("this house's", 1), ("Llama, REMI", 1)
    ]  # fmt: skip
    for row in result["models"]:
        pieces = sample.ALONE if row["pieces_at_once"] == 1 else row["pieces_at_once"]
        expected = row["steps_per_piece"] * pieces / row["seconds"] / row["steps_per_note"]
        assert row["notes_per_second"] == pytest.approx(expected)
        ours = next(r for r in result["models"] if r["pieces_at_once"] == row["pieces_at_once"])
        notes, our_notes = (r["steps_per_piece"] / r["steps_per_note"] for r in (row, ours))
        if row is not ours and given:
            assert row["steps_per_piece"] == 8
        else:
            assert notes == pytest.approx(our_notes, abs=0.5)
    assert len(result["ratios"]) == 4
    assert result["floor"]["floor_milliseconds_a_step"] > 0


def test_tuning_keeps_the_rate_and_batch_with_the_fewest_bits(sides, settings, monkeypatch):
    args = parsed(train, "--peers", "", "--peer-window", "32")
    builder = PeerBuilder(args, sides, Ours(settings, sides.train, 1))
    monkeypatch.setattr(
        PeerBuilder, "_trial",
        lambda self, tokenizer, c, trials: abs(c.learning_rate - 2e-3) + c.batch_size,
    )  # fmt: skip
    builder.tune()
    found = [(name, config.learning_rate, config.batch_size) for name, _, config in builder.chosen]
    assert found == [("remi", 2e-3, 4), ("bpe", 2e-3, 4)]


def test_a_merged_vocabulary_that_is_too_small_is_refused():
    with pytest.raises(HouseError, match="900 ids leave nothing to merge"):
        PeerTokenizer(merged=900)


def test_a_peer_may_be_given_by_rate_and_batch(sides, settings):
    args = parsed(train, "--peers", "bpe:0.002x4", "--peer-window", "32")
    (chosen,) = PeerBuilder(args, sides, Ours(settings, sides.train, 1)).chosen
    assert chosen[:2] == ("bpe", "0.002x4")
    assert (chosen[2].learning_rate, chosen[2].batch_size, chosen[2].window) == (0.002, 4, 32)


@pytest.mark.parametrize("nothing", ["0.0x4", "0.002x0", "2x4", "0.002", ""])
def test_a_rate_or_batch_that_is_none_is_no_peer(sides, settings, nothing):
    with pytest.raises(HouseError, match="is no peer"):
        PeerBuilder(
            parsed(train, "--peers", f"remi:{nothing}"), sides, Ours(settings, sides.train, 1)
        )


def test_an_unknown_peer_is_named_with_the_known_ones(sides, settings):
    args = parsed(train, "--peers", "gpt:usual")
    with pytest.raises(HouseError, match="'gpt:usual' is no peer") as error:
        PeerBuilder(args, sides, Ours(settings, sides.train, 1))
    assert "documented, usual" in str(error.value)


def test_the_machine_is_described_without_host_names_or_paths():
    text = json.dumps(machine.describe())
    assert socket.gethostname() not in text
    assert "/" not in text.replace("N/A", "")
    assert torch.__version__.startswith(machine.describe()["torch"])  # … +cu130 on a GPU
    assert machine.command_line(["train", "--out", "/home/ana/x"]).endswith("train --out x")


def test_both_sides_can_be_kept_from_newer_instructions(monkeypatch):
    begun = []
    monkeypatch.setattr(machine.os, "execve", lambda *words: begun.append(words))
    with failures_said():  # under which processes do not import what lies beside a script
        machine.begin_capped()
    ((program, words, variables),) = begun
    assert SAFE_PATH not in variables
    assert (program, words) == (sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    machine.begin_capped()  # which has them now
    assert len(begun) == 1
    scripts = str(Path(benchmark.__file__).parent)
    looked = "from bench import machine; print(machine.describe()['instructions'])"
    found = subprocess.run(
        [sys.executable, "-c", looked], cwd=scripts, capture_output=True, text=True
    )
    assert ", BLAS " in found.stdout, found.stderr
    assert not any(newer in found.stdout for newer in ("AVX512", "SkylakeX", "Cooperlake"))


def test_a_command_prints_tables_or_json_and_leaves_its_figures(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "run", lambda args: {"seed": args.seed, "models": [{"a": 1.5}]})
    assert benchmark.main(["train", "--seed", "7", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["seed"], printed["command"]) == (
        7, "python scripts/benchmark.py train --seed 7 --json"
    )  # fmt: skip
    assert json.loads((tmp_path / "out/benchmark/train.json").read_text()) == printed
    assert benchmark.main(["train"]) == 0
    assert "models\n  a  1.5" in capsys.readouterr().out


def test_a_refused_house_ends_a_command_with_its_message(monkeypatch, capsys):
    def refuse(args):
        raise HouseError("the house is closed", mend="knock")

    monkeypatch.setattr(train, "run", refuse)
    assert benchmark.main(["train"]) == 2
    assert "knock" in capsys.readouterr().err


def test_a_start_is_measured_cold_and_warm(quick_children, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(first_steps, "BATCHES", 20)
    assert benchmark.main(["start", "--works", "4", "--json"]) == 0
    cold, warm = json.loads(capsys.readouterr().out)["starts"]
    assert (cold["cache"], warm["cache"]) == ("cold", "warm")
    assert cold["events"] == warm["events"] > 1000
    assert all(start[kind] > 0 for start in (cold, warm) for kind in ("seconds", "gate_seconds"))
    assert warm["memory_bytes_of_batches"] < 2**24


def test_a_house_built_for_growth_is_one_whose_works_were_accepted(tmp_path):
    with growth.environment(tmp_path):
        hands = growth.build(tmp_path / "house", 3)
        names = [name for name, _ in islice(growth.commands(hands, tmp_path), 3)]
    corpus = admit(hands.house.folder, "general_model", pin=load_pin(hands.house.pin.path))
    assert [work.work_id for work in corpus.admitted] == sorted(hands.works)
    assert not corpus.refused
    assert names == ["show, first", "show", "show WORK"]


def test_a_command_that_fails_has_no_cost():
    with pytest.raises(subprocess.CalledProcessError):
        growth.cpu_seconds(["false"])


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells it")
def test_memory_of_a_process_and_of_those_that_it_started_is_added_up():
    own, block = os.getpid(), "b = bytearray(10**8); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", block], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert {own, child.pid} <= set(pieces.family(own))
        assert pieces.own_bytes(child.pid) > 10**8
        child.stdin.close()
    assert pieces.own_bytes(child.pid) == 0
