"""Pieces in MidiTok's tokens: valid by its own count of errors, what is asked guaranteed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from miditok import TokSequence

from gen.checkpoint import save_checkpoint
from gen.errors import HouseError, SettingError
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.miditok_tokens.job import TokenJob
from gen.sampling.miditok_tokens.loop import write_tokens
from gen.sampling.obedience import asked_and_got
from gen.sampling.planning.controls import Controls
from gen.sampling.request import FileTask, SampleRequest
from gen.sampling.run import sample
from gen.tokens.miditok_tokens import MidiTokTokens
from music import Theme
from studios import CHECKPOINT, asking, make_studio

CONTEXT = 64
PLAIN = {name: MidiTokTokens(name) for name in ("remi", "tsd", "octuple")}
WORKS = [PLAIN["remi"].base_rows(Theme(seed, bars=6).events()) for seed in range(4)]
TOKENS = [*PLAIN.values(), PLAIN["remi"].learned(WORKS, 1100)]
ANYTHING = DrawConfig(top_p=1.0, min_p=0.0)
ASKED = [
    {},
    {"bars": 3, "tempo": 97.0, "time_signature": "6/8", "instruments": ("flute", "drums", "piano")},
    {"bars": 4, "instruments": ("drums",)},
    {"bars": 2, "time_signature": "5/4", "instruments": ("flute",), "pitch_range": (60, 61)},
    {"bars": 2, "time_signature": "3/16", "velocity_range": (60, 70), "pitch_range": (40, 50)},
    {"bars": 1, "tempo": 240.0, "instruments": ("piano", "bass")},
]


def model_of(tokens, seed=0):
    """A model that knows nothing and likes some words better than others."""
    torch.manual_seed(seed)
    shape = ModelConfig(1, 16, 2, 2, 0.0, CONTEXT, tokens.field_sizes, tokens.context_sizes)
    model = Transformer(shape).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def written(tokens, seed, **asked):
    """A draft and its job, for a request."""
    job = TokenJob.of(Controls(**asked), None, tokens)
    draft = job.draft()
    rngs = [np.random.default_rng(seed)]
    assert list(write_tokens(model_of(tokens, seed), [draft], rngs, ANYTHING)) == [0]
    return draft, job


def check_pieces(tokens, asked, seeds):
    """Valid by MidiTok's own count of errors, and what was asked for is there."""
    for seed in seeds:
        draft, job = written(tokens, seed, **asked)
        ids = tokens.base_ids(draft.ids[1:-1])
        assert PLAIN[tokens.name].tokenizer.tokens_errors(TokSequence(ids=ids)) == 0
        done = job.finish(draft)
        assert done.piece.note_count > 0
        table = asked_and_got(draft.rows, done.new, job.controls)
        assert {row["control"] for row in table} == set(asked)
        assert all(row["met"] for row in table), table


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("tokens", TOKENS, ids=lambda t: f"{t.name}{len(t.parts) or ''}")
def test_pieces_are_valid_and_what_is_asked_is_there(tokens, asked):
    check_pieces(tokens, asked, [ASKED.index(asked)])


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("tokens", TOKENS, ids=lambda t: f"{t.name}{len(t.parts) or ''}")
def test_many_pieces_are_valid_and_what_is_asked_is_there(tokens, asked):
    check_pieces(tokens, asked, range(10, 30))


def test_a_meter_may_change_from_bar_to_bar_where_that_is_asked():
    for name in ("remi", "tsd"):
        draft, job = written(PLAIN[name], 1, bars=5, time_signature="changing")
        piece = job.finish(draft).piece
        assert len(piece.bar_starts()) == 5
    assert len(job.finish(written(PLAIN["remi"], 1, bars=5)[0]).piece.time_signatures) == 1


def test_a_piece_longer_than_the_context_goes_on_from_its_last_bars():
    draft, _ = written(PLAIN["remi"], 0, bars=12, instruments=("piano",))
    assert len(draft.ids) > 2 * CONTEXT
    shown = draft.in_context(CONTEXT)
    assert CONTEXT // 2 <= len(shown) < CONTEXT
    assert shown == draft.ids[-len(shown) :]


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"genre": "waltz"}, "genre"),
        ({"mood": "calm"}, "mood"),
        ({"style": "ana"}, "style"),
        ({"key": "A minor"}, "key"),
        ({"roles": ("bass",), "instruments": ("bass",)}, "roles"),
        ({"chords": "C | F"}, "chords"),
        ({"density": "sparse"}, "density"),
        ({"sections": "a:1 b:3"}, "sections"),
        ({"instruments": ("piano", "piano")}, "instruments"),
        ({"velocity_range": (4, 5)}, "velocity_range"),
    ],
)
def test_what_tokens_cannot_say_is_refused_by_the_settings_name(asked, where):
    with pytest.raises(SettingError) as error:
        TokenJob.of(Controls(**asked), None, PLAIN["remi"])
    assert error.value.where == where


def test_files_and_a_changing_meter_are_refused_where_tokens_cannot(tmp_path):
    task = FileTask("continue", tmp_path / "song.mid")
    with pytest.raises(SettingError, match="continue: tsd tokens cannot work on a file"):
        TokenJob.of(Controls(), task, PLAIN["tsd"])
    with pytest.raises(SettingError, match="time_signature: octuple tokens cannot keep count"):
        TokenJob.of(Controls(time_signature="changing"), None, PLAIN["octuple"])


@pytest.fixture(scope="module", params=TOKENS[2:], ids=("octuple", "remi_bpe"))
def of_tokens(request, tmp_path_factory):
    """A house, and a recorded checkpoint of other tokens."""
    folder = tmp_path_factory.mktemp("studio")
    house, tokens = make_studio(folder), request.param
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=tokens.fingerprint)
    save_checkpoint(folder / CHECKPOINT, model_of(tokens), manifest, {}, tokenization=tokens)
    house.record(folder / CHECKPOINT)
    return folder, house, tokens


def test_pieces_are_signed_entered_compared_and_come_again_from_their_receipts(of_tokens, tmp_path):
    folder, house, tokens = of_tokens
    asked = {"bars": 4, "instruments": ["piano", "drums"], "tempo": 120, "n": 3}
    before = len(house.load().runs.pieces)
    done = sample(SampleRequest.of(asking(folder, house, tmp_path / "out", **asked)))
    assert len(house.load().runs.pieces) == before + 3
    for piece in done:
        record = json.loads(piece.receipt.read_bytes())
        assert record["tokenizer"] == tokens.fingerprint
        assert record["scores_met"]
        assert record["originality"] is not None
        again = {"receipt": str(piece.receipt), "out": str(tmp_path / "again")}
        (same,) = sample(SampleRequest.of(asking(folder, house, tmp_path / "again", **again)))
        assert same.midi.read_bytes() == piece.midi.read_bytes()
        assert same.receipt.read_bytes() == piece.receipt.read_bytes()


def test_a_foreign_tokenizer_in_a_checkpoint_is_refused(of_tokens, tmp_path):
    folder, house, _ = of_tokens
    checkpoint = folder / CHECKPOINT
    forged = tmp_path / "forged.safetensors"
    forged.write_bytes(checkpoint.read_bytes().replace(b'0_16\\": 12', b'0_16\\": 11'))
    assert forged.read_bytes() != checkpoint.read_bytes()
    with pytest.raises(HouseError, match="its tokenizer is no tokenizer that this version writes"):
        sample(SampleRequest.of(asking(folder, house, tmp_path / "out", checkpoint=str(forged))))
