"""What does not pass is written anew or withheld, and an interruption leaves nothing half done."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from gen.disk import writing
from gen.errors import HouseError, SettingError
from gen.likeness.originality import LearnedMusic, LearnedWork, Lines, Shared
from gen.sampling.request import SampleRequest, SamplingRunConfig
from gen.sampling.run import PiecesWithheld, sample
from gen.smf import parse, split_chunks

NEVER_MET = {"chords": "C | F#", "time_signature": "4/4", "instruments": ["piano", "bass"],
             "rules": 5}  # a whole last chord meets it by chance  # fmt: skip
WORK = LearnedWork("small-rain-1", "Small Rain", (("ana", "Ana"),))

ENDS = (".c2pa", ".json", ".mid", ".signature.json")


@pytest.fixture
def closeness(monkeypatch):
    """Say how many bits each compared take has in common with a work; 0 for an own one."""

    real = LearnedMusic.compare

    def set_to(bits):
        left = iter(bits)

        def compare(self, piece):
            said = next(left)
            passages = {"melody": Shared(said, 12, 9, WORK, "here", "there")} if said else {}
            return replace(real(self, piece), passages=passages, lines=Lines(12, 31, 31, 20))

        monkeypatch.setattr(LearnedMusic, "compare", compare)

    return set_to


# Originality ----------------------------------------------------------------------------


def test_a_piece_too_close_is_written_again_and_its_receipt_tells_of_it(ask, closeness):
    closeness([30, 40, 0])
    (result,) = ask(n=1)
    assert result.record["attempt"] == 2
    assert [told["attempt"] for told in result.record["rejected"]] == [0, 1]
    assert (
        "melody: 9 notes (30 bits) in common with “Small Rain” by Ana"
        in (result.record["rejected"][0]["why"][0])
    )
    assert result.record["originality"]["is_above_line"] is False


def test_only_the_piece_that_is_too_close_is_written_again(ask, closeness):
    closeness([0] * 5)
    usual = {r.record["index"]: r.record["music_sha256"] for r in ask(n=3)}
    closeness([0, 30, 0, 0])
    results = ask(n=3)
    changed = [r for r in results if r.record["music_sha256"] != usual[r.record["index"]]]
    assert [(r.record["attempt"], len(r.record["batch"])) for r in changed] == [(1, 1)]


def test_a_piece_that_stays_too_close_is_withheld_and_the_others_are_kept(ask, closeness, tmp_path):
    closeness([30, 0, 20, 25])
    with pytest.raises(PiecesWithheld) as caught:
        ask(n=2, tries=3)
    kept = caught.value.done
    assert len(kept) == 1
    assert "1 of 2 pieces withheld: each of 3 attempts was too close" in str(caught.value)
    assert "(20 bits) in common with “Small Rain”" in str(caught.value)  # the least close
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == sorted(f"{kept[0].midi.stem}{end}" for end in ENDS)


def test_told_to_report_the_first_attempt_is_delivered_with_the_finding(ask, closeness):
    closeness([30])
    (result,) = ask(n=1, originality="report")
    assert result.record["attempt"] == 0
    assert result.record["originality"]["is_above_line"] is True
    assert result.record["originality"]["melody"]["of"]["title"] == "Small Rain"


@pytest.mark.parametrize("off", ["off", False])
def test_switched_off_nothing_is_compared_and_the_receipt_says_nothing(ask, closeness, off):
    closeness([])
    (result,) = ask(n=1, originality=off)
    assert result.record["originality"] is None


def test_a_real_copy_of_a_work_is_withheld(ask, monkeypatch):
    from houses import make_piece

    monkeypatch.setattr("gen.sampling.job.finished", lambda *_: make_piece(1, 16))
    with pytest.raises(PiecesWithheld, match="“Small Rain” by Ana"):
        ask(n=1, tries=2)


# Strict ---------------------------------------------------------------------------------


def test_strict_tries_again_and_says_if_it_was_in_vain(ask):
    (result,) = ask(n=1, strict=True, tries=3, **NEVER_MET)
    told = result.record
    assert told["scores_met"] is False
    assert len(told["rejected"]) == 2
    assert all("chords: C | F# asked" in entry["why"][0] for entry in told["rejected"])
    assert told["attempt"] not in [entry["attempt"] for entry in told["rejected"]]


def test_strict_keeps_the_first_attempt_that_meets_everything(ask):
    results = ask(n=2, strict=True, bars=3, tempo=100)
    assert [result.record["attempt"] for result in results] == [0, 0]
    assert all(result.record["scores_met"] for result in results)


def test_strict_never_prefers_obedience_to_originality(ask, closeness):
    closeness([0, 30, 30])
    (result,) = ask(n=1, strict=True, tries=3, **NEVER_MET)
    assert result.record["attempt"] == 0


def test_not_strict_the_first_attempt_is_kept_with_its_misses(ask):
    (result,) = ask(n=1, **NEVER_MET)
    assert (result.record["attempt"], result.record["scores_met"]) == (0, False)


# Interruptions --------------------------------------------------------------------------


def whole(folder) -> list[str]:
    """Names of the pieces in a folder; each is complete."""
    names = sorted(path.name for path in folder.iterdir())
    pieces = [name.removesuffix(".mid") for name in names if name.endswith(".mid")]
    assert names == sorted(f"{piece}{end}" for piece in pieces for end in ENDS)
    for piece in pieces:
        parse(split_chunks((folder / f"{piece}.mid").read_bytes()).music)
    return pieces


def test_an_interruption_leaves_the_finished_pieces_whole_and_no_other(asked, tmp_path):
    done = []

    def report(piece):
        done.append(piece.midi.stem)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(SampleRequest.of(asked(n=5)), report=report)
    assert whole(tmp_path / "out") == sorted(done)


@pytest.mark.parametrize("at", [1, 2])
def test_an_interruption_between_two_files_of_a_piece_leaves_neither(
    asked, tmp_path, monkeypatch, at
):
    real, calls = writing.replace, []

    def replace(source, target):
        if target.parent == tmp_path / "out":
            calls.append(target)
            if len(calls) == at:
                raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(writing, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        sample(SampleRequest.of(asked(n=1)))
    assert len(calls) == at
    assert whole(tmp_path / "out") == []


# Settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 2000}, "n: 2000 is outside 1 to 1024"),
        ({"tries": 0}, "tries: 0 is outside 1 to 64"),
        ({"originality": "of"}, "did you mean 'off'"),
        ({"device": "cud"}, "did you mean 'cuda'"),
        ({"strict": "yes"}, "strict: 'yes' is neither true nor false"),
        ({"gnere": "waltz"}, "did you mean 'genre'"),
    ],
)
def test_a_wrong_policy_or_a_setting_nobody_reads_is_refused(ask, tmp_path, wrong, message):
    with pytest.raises(SettingError) as caught:
        ask(**wrong)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_gpu_that_is_not_there_is_missed_before_anything_is_written(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SettingError, match="device: PyTorch sees no CUDA device here"):
        ask(device="cuda")
    assert not (tmp_path / "out").exists()


def test_pieces_for_a_gpu_are_written_by_this_process_alone(ask, monkeypatch):
    """Copies of a process cannot use one that it has begun to use."""
    monkeypatch.setattr(SamplingRunConfig, "on_gpu", True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("gen.sampling.decoding.decode.MOST_AT_ONCE", 8)
    monkeypatch.setattr("gen.sampling.decoding.decode.copies", lambda: 2)
    monkeypatch.delattr("gen.sampling.decoding.decode.results_of_copies")
    results = ask(n=9)
    batches = [result.record["batch"] for result in results]
    assert batches == [[0, 1, 2, 3]] * 4 + [[4, 5, 6, 7, 8]] * 5


def test_a_checkpoint_of_another_house_is_refused(asked, tmp_path):
    from houses import start_house

    other = start_house(tmp_path / "other", "harbour")
    other.enter(3)
    with pytest.raises(HouseError, match="learned from the house 'lantern', the pin is that of"):
        sample(SampleRequest.of(asked(pin=str(other.pin.path))))


@pytest.mark.skipif(os.name == "nt", reason="folders are protected otherwise there")
def test_a_folder_that_cannot_be_written_is_said_before_anything_is_sampled(asked, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HouseError, match="cannot be written"):
        sample(SampleRequest.of(asked(out=str(tmp_path / "file" / "out"))))


def test_the_default_policy_resamples():
    assert SamplingRunConfig(1, 0).originality == "resample"
