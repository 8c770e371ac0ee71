"""A receipt says what it should, is signed, and gives its piece again to the last byte."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from gen.checkpoint import save_checkpoint
from gen.errors import HouseError
from gen.model import ModelConfig, Transformer
from gen.piece import Piece
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.key_files import PASSPHRASE_VARIABLE, list_keys
from gen.sampling import receipt as receipts
from gen.sampling import session, takes
from gen.sampling.receipt import read_receipt
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.smf import split_chunks, write
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import PASSPHRASE, keep_key, key_of, make_piece

CHORDS = {"chords": "C | F", "time_signature": "4/4", "instruments": ["piano", "bass"]}


@pytest.fixture
def again(asked, tmp_path):
    """Write the piece of a receipt once more, elsewhere."""

    def call(done, **settings):
        told = {"receipt": str(done.receipt), "out": str(tmp_path / "again"), **settings}
        (result,) = sample(SampleRequest.of(asked(**told)))
        return result

    return call


@pytest.fixture
def own_key(monkeypatch):
    """ana's key in this user's folder, and its passphrase in the environment."""
    keep_key("ana")
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)


def entered(house) -> int:
    return len(house.load().runs.pieces)


# The same bytes -------------------------------------------------------------------------


def test_any_piece_of_a_batch_comes_again_byte_for_byte(ask, again):
    """Also longer than the context of 256 events, where others decide what they were shown."""
    results = ask(n=3, bars=96, instruments=["piano", "bass"])  # a bar is three events or more
    for result in results:
        same = again(result)
        assert same.midi.read_bytes() == result.midi.read_bytes()
        assert same.receipt.read_bytes() == result.receipt.read_bytes()
        assert same.midi.name == result.midi.name


def test_a_piece_of_a_later_attempt_comes_again(ask, again, monkeypatch):
    monkeypatch.setattr(takes.Take, "rank", lambda self: -self.attempt)  # the last is the best
    results = ask(n=4, strict=True, tries=3, **CHORDS)
    assert any(result.record["attempt"] == 2 for result in results)
    for result in results:
        assert again(result).midi.read_bytes() == result.midi.read_bytes()


def test_a_piece_made_from_a_file_comes_again_if_the_file_is_still_that(ask, again, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(write(make_piece(5)))
    (result,) = ask(n=1, bars=2, **{"continue": str(path)})
    source = result.record["source"]
    assert (source["mode"], source["file"]) == ("continue", "song.mid")
    assert source["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    named = {"continue": str(path)}
    assert again(result, **named).midi.read_bytes() == result.midi.read_bytes()
    moved = path.rename(tmp_path / "moved.mid")
    with pytest.raises(HouseError, match=r"song\.mid: cannot be read"):
        again(result, **named)
    with pytest.raises(HouseError, match="does not decide which is opened"):
        again(result)
    same = again(result, **{"continue": str(moved)})
    assert same.midi.read_bytes() == result.midi.read_bytes()
    moved.write_bytes(write(make_piece(6)))
    with pytest.raises(HouseError, match="is not the file that the piece was made from"):
        again(result, **{"continue": str(moved)})


def test_another_place_for_the_pieces_changes_no_byte(ask, tmp_path):
    first, second = (ask(n=1, out=str(tmp_path / name))[0] for name in "ab")
    assert first.receipt.read_bytes() == second.receipt.read_bytes()
    assert first.midi.read_bytes() == second.midi.read_bytes()


def test_writing_a_piece_again_enters_nothing_in_the_log(ask, again, studio):
    (result,) = ask(n=1, seed=99)
    before = entered(studio[1])
    same = again(result)
    ask(n=1, seed=99)
    assert entered(studio[1]) == before
    known = f"the log of lantern has it: act {studio[1].load().size - 1}"
    assert same.notes[:3] == ("the same bytes", "receipt signed by machine", known)


def test_a_receipt_decides_neither_whom_to_trust_nor_where_anything_goes(
    ask, again, asked, studio, tmp_path
):
    """A stranger's receipt names the stranger's own house, folder, model and file."""
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    elsewhere = tmp_path / "elsewhere"
    record["settings"] |= {
        "pin": str(tmp_path / "forgers.yaml"), "out": str(elsewhere), "sign": "mallory",
        "checkpoint": str(elsewhere / "model.safetensors"), "receipt": str(elsewhere / "x.json"),
        "unrecorded": True, "continue": str(elsewhere / "song.mid"),
    }  # fmt: skip
    result.receipt.write_bytes(receipts.encode(record))
    same = again(result)
    assert same.midi.read_bytes() != result.midi.read_bytes()  # its mark names another receipt
    assert same.midi.parent == tmp_path / "again"
    assert not elsewhere.exists()
    assert "changed since it was signed" in same.notes[1]
    assert "the log of lantern does not know it" in same.notes[2]


# What has changed is said ---------------------------------------------------------------


def test_a_receipt_whose_settings_were_changed_gives_other_bytes_and_says_so(ask, again):
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    record["seed"] = record["settings"]["seed"] = 9
    result.receipt.write_bytes(receipts.encode(record))
    with pytest.raises(HouseError, match="other bytes came out") as caught:
        again(result)
    assert "code and machine are as they were" in str(caught.value)


def test_a_receipt_from_before_there_were_devices_is_of_a_cpu(ask, again):
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    assert record["settings"].pop("device", "cpu") == "cpu"
    result.receipt.write_bytes(receipts.encode(record))
    assert again(result, device="cuda").notes[0] == "the same bytes"


def test_a_piece_of_a_gpu_is_missed_where_there_is_none(ask, again, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    record["settings"]["device"], record["machine"]["device"] = "cuda", "cuda 13.0, an H100"
    result.receipt.write_bytes(receipts.encode(record))
    with pytest.raises(HouseError, match=r"was written on cuda 13\.0, an H100, PyTorch sees no"):
        again(result)


def test_other_code_and_another_torch_are_named_where_the_bytes_differ(ask, again):
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    record["music_sha256"] = "0" * 64
    record["code"]["sha256"] = "ab" * 32
    record["machine"]["torch"] = "1.0"
    result.receipt.write_bytes(receipts.encode(record))
    with pytest.raises(HouseError) as caught:
        again(result)
    assert "code sha256: abababababababab then" in str(caught.value)
    assert "machine torch: 1.0 then" in str(caught.value)
    assert "machine python" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("works_learned_from", 100), ("house", "other"), ("seconds", 1.0), ("run", None)],
)
def test_what_a_receipt_claims_is_compared_not_repeated(ask, again, name, value):
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    record[name] = value
    result.receipt.write_bytes(receipts.encode(record))
    with pytest.raises(HouseError, match=f"claims {name} "):
        again(result)


def test_a_receipt_whose_originality_was_changed_is_not_the_logs(ask, again):
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    record["originality"]["is_above_line"] = not record["originality"]["is_above_line"]
    result.receipt.write_bytes(receipts.encode(record))
    notes = again(result).notes
    assert "changed since it was signed" in notes[1]
    assert "the log of lantern does not know it" in notes[2]
    assert "as the receipt says: it was not compared again" in notes[3]


def test_another_checkpoint_than_the_receipts_is_refused_by_digest(ask, again, studio, tmp_path):
    (result,) = ask(n=1)
    torch.manual_seed(1)
    model = Transformer(ModelConfig(1, 32, 2, 2, 0.0, 64, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(studio[1].admit(), tokenizer_fingerprint=v.fingerprint())
    save_checkpoint(tmp_path / "other.safetensors", model, manifest, {})
    with pytest.raises(HouseError, match="is another checkpoint than the receipt names"):
        again(result, checkpoint=str(tmp_path / "other.safetensors"))


def test_the_receipts_checkpoint_is_found_among_the_runs(ask, again, studio, tmp_path, monkeypatch):
    (result,) = ask(n=1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HouseError, match="no run here has left the one that the receipt names"):
        again(result, checkpoint="last")
    run = tmp_path / "outputs" / "small" / "then"
    run.mkdir(parents=True)
    (run / "best.safetensors").write_bytes(b"something else")
    data = (studio[0] / "model.safetensors").read_bytes()
    (run / "last.safetensors").write_bytes(data)
    assert again(result, checkpoint="last").midi.read_bytes() == result.midi.read_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is damaged: no JSON"),
        (b"[1, 2]", "is no receipt"),
        (b"{" * 100_000, "is damaged: no JSON"),
        (b'{"format": "gen receipt 2"}', "is of the format 'gen receipt 2'"),
        (b'{"format": "gen receipt 3"}', "was changed: Object missing required field"),
        (b"\xff\xfe", "is damaged: no JSON"),
    ],
)
def test_what_is_no_receipt_is_refused_in_one_sentence(tmp_path, data, message):
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(HouseError, match=message):
        read_receipt(path)


def test_a_receipt_that_counted_steps_is_read(ask, tmp_path):
    """Receipts of earlier versions tell the longest run of steps in place of bits."""
    (result,) = ask(n=1, originality="report")
    record = json.loads(result.receipt.read_text())
    told = record["originality"]
    del told["bass"]
    of = {"work": "w", "title": "Rain", "composers": [["ana", "Ana"]]}
    run = {"run": 14, "line": 15, "of": of, "here": "bar 1: A4", "there": "bar 2: A4"}
    lines = {"melody": 15, "accompaniment": 31, "works": 20}
    record["originality"] = {**told, "searched_from": 12, "house_line": lines, "melody": run}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(record))
    assert read_receipt(path).record["originality"]["melody"]["run"] == 14


@pytest.mark.parametrize("name", ["melody", "is_above_line", "missing", "house_line"])
@pytest.mark.parametrize("value", [5, "x", [[]], {"run": 1}])
def test_what_a_receipt_says_of_originality_is_read_only_where_it_can_be_true(
    ask, tmp_path, name, value
):
    (result,) = ask(n=1, originality="report")
    record = json.loads(result.receipt.read_text())
    record["originality"][name] = value
    path = tmp_path / "x.json"
    path.write_text(json.dumps(record))
    with pytest.raises(HouseError, match=r"was changed: .*originality"):
        read_receipt(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": list(range(5000))}, {"batch": [1]}, {"batch": ["0"]}, {"batch": [0, 0]},
        {"index": "0"}, {"attempt": -1}, {"settings": []}, {"music_sha256": 3},
        {"source": {"mode": 1, "file_sha256": ""}},
    ],
)  # fmt: skip
def test_a_receipt_with_nonsense_in_it_is_refused(ask, changes):
    (result,) = ask(n=1)
    result.receipt.write_bytes(receipts.encode({**result.record, **changes}))
    with pytest.raises(HouseError, match="receipt"):
        read_receipt(result.receipt)


def test_a_receipt_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(HouseError, match="cannot be read"):
        read_receipt(tmp_path / "no.json")


# Signatures -----------------------------------------------------------------------------


def test_a_receipt_is_signed_by_the_machine_that_produced_it(ask, again, studio):
    (result,) = ask(n=1, seed=98)
    assert result.notes[0] == "receipt signed by machine"
    assert f"act {studio[1].load().size - 1}" in result.notes[1]
    assert "receipt signed by machine" in again(result).notes


def test_without_a_producer_nothing_is_entered_and_whoever_is_there_signs(own_key, ask, again):
    for key in list_keys():
        if key.owner == "machine":
            key.path.unlink()
    (result,) = ask(n=1)
    signature = result.receipt.with_suffix(".signature.json")
    assert json.loads(signature.read_bytes())["payloadType"] == receipts.RECEIPT_TYPE
    said = "not entered in the log: the house lantern has no producer's key on this computer"
    assert result.notes == ("receipt signed by ana", said)
    assert result.record["entered"] is False
    assert "receipt signed by ana" in again(result).notes


def test_a_receipt_can_be_left_unsigned_and_its_piece_is_entered_all_the_same(ask):
    (result,) = ask(n=1, sign="off")
    assert not result.receipt.with_suffix(".signature.json").exists()
    assert "entered in the log: act" in result.notes[0]


@pytest.mark.parametrize(("sign", "message"), [("zoe", "is not enrolled"), ("ben", "not in your")])
def test_nothing_is_sampled_for_a_signer_who_is_not_there(own_key, ask, tmp_path, sign, message):
    with pytest.raises(HouseError, match=message):
        ask(sign=sign)
    assert not (tmp_path / "out").exists()


def test_a_changed_receipt_no_longer_has_its_signature(own_key, ask, again):
    (result,) = ask(n=1)
    record = json.loads(result.receipt.read_bytes())
    record["originality"] = None
    result.receipt.write_bytes(receipts.encode(record))
    assert "changed since it was signed" in again(result).notes[1]


def test_a_strangers_and_a_forged_signature_are_told_apart(own_key, ask, again):
    (result,) = ask(n=1, sign="ana")
    data = result.receipt.read_bytes()
    path = result.receipt.with_suffix(".signature.json")
    path.write_bytes(receipts.signature_of(data, key_of("zoe")))
    assert "signed by nobody of this house" in again(result).notes[1]
    forged = json.loads(receipts.signature_of(data, key_of("ana")))
    forged["signatures"][0]["sig"] = "A" * 86 + "=="
    path.write_bytes(canonical(forged) + b"\n")
    assert "what claims to be ana's signature is not" in again(result).notes[1]
    path.write_bytes(b"{}")
    assert "its signature cannot be read" in again(result).notes[1]


# What it says ---------------------------------------------------------------------------


def test_a_receipt_says_with_what_and_how_a_piece_was_made(ask):
    (result,) = ask(n=1, genre="waltz", temperature=0.9)
    record = json.loads(result.receipt.read_bytes())
    assert record["settings"]["genre"] == "waltz"
    assert record["settings"]["temperature"] == 0.9
    assert not {"checkpoint", "pin", "out"} & record["settings"].keys()
    assert record["machine"]["torch"] == torch.__version__
    assert record["code"]["sha256"] == receipts.code_digest()
    assert record["originality"]["compared_with"] == record["originality"]["learned_from"] == 2
    assert record["originality"]["is_above_line"] is False
    assert record["rejected"] == []
    music = split_chunks(result.midi.read_bytes()).music
    # The text mark stands in the first track; without it these are the bytes that were hashed.
    assert isinstance(result.piece, Piece)
    plain = write(result.piece, end_ticks=result.piece.bars_end_ticks)
    assert hashlib.sha256(plain).hexdigest() == record["music_sha256"]
    assert len(music) > len(plain)


def test_a_piece_is_in_the_log_before_it_is_on_disk(ask, studio, tmp_path, monkeypatch):
    before = entered(studio[1])

    def full(files):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session, "write_all_atomically", full)
    with pytest.raises(HouseError, match=r"cannot be written \(No space left on device\)"):
        ask(n=1, seed=5)
    assert entered(studio[1]) == before + 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_receipt_names_works_that_could_not_be_compared_with(ask):
    (result,) = ask(n=1, originality="report")
    record = json.loads(result.receipt.read_text())
    record["originality"]["missing"] = [{"work": "w", "reason": "unreadable"}]
    result.receipt.write_text(json.dumps(record))
    assert read_receipt(result.receipt).record["originality"]["missing"][0]["work"] == "w"
