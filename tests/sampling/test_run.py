"""From settings to finished pieces on disk."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from gen.errors import HouseError
from gen.provenance.admission.mark import is_generated
from gen.sampling.finishing.finish import TAKEN, highest_number, reserve
from gen.smf import parse, split_chunks


def test_a_piece_that_another_reader_reads_otherwise_is_not_released(
    ask, studio, monkeypatch, tmp_path
):
    def otherwise(data, piece):
        raise HouseError("pretty_midi reads other notes")

    monkeypatch.setattr("gen.sampling.session.check_read_alike", otherwise)
    before = len(studio[1].load().runs.pieces)
    with pytest.raises(HouseError, match="pretty_midi reads other notes"):
        ask(n=1)
    assert len(studio[1].load().runs.pieces) == before
    assert not list((tmp_path / "out").glob("*"))


def test_what_the_grammar_guarantees_is_exactly_as_asked(ask):
    results = ask(
        bars=5, tempo=93, time_signature="7/8", key="F# minor", chords="F#m D | E",
        instruments=["flute", "acoustic bass", "drums"], pitch_range=[50, 70],
        velocity_range=[40, 90], sections="intro:1 a:3",
    )  # fmt: skip
    for result in results:
        piece = parse(split_chunks(result.midi.read_bytes()).music)
        assert piece.end_ticks <= 5 * 7 * piece.ticks_per_quarter // 2
        assert piece.tempos[0].quarters_per_minute == pytest.approx(93, abs=0.01)
        assert [(s.numerator, s.denominator) for s in piece.time_signatures] == [(7, 8)]
        assert {t.instrument for t in piece.tracks} <= {73, 32, 128}
        pitches = [n.pitch for t in piece.tracks if not t.is_drum for n in t.notes]
        assert all(50 <= pitch <= 70 for pitch in pitches)
        assert all(40 <= n.velocity <= 90 for t in piece.tracks for n in t.notes)
        assert (piece.key_signatures[0].fifths, piece.key_signatures[0].is_minor) == (3, True)
        assert {"Intro", "Section A", "F#m", "D", "E"} <= {m.text for m in piece.markers}
        bars = next(r for r in result.record["asked_and_got"] if r["control"] == "bars")
        assert bars == {"control": "bars", "asked": 5, "got": 5, "met": True}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_music(ask, tmp_path):
    first = [result.midi.read_bytes() for result in ask(out=str(tmp_path / "a"))]
    again = [result.midi.read_bytes() for result in ask(out=str(tmp_path / "b"))]
    other = [result.midi.read_bytes() for result in ask(out=str(tmp_path / "c"), seed=2)]
    assert first == again
    assert first[0] != first[1]
    assert first != other


def test_the_receipt_names_checkpoint_manifest_seed_and_music(ask, studio):
    folder, house = studio
    (result,) = ask(n=1)
    receipt = json.loads(result.receipt.read_bytes())
    checkpoint = (folder / "model.safetensors").read_bytes()
    assert receipt["checkpoint_sha256"] == hashlib.sha256(checkpoint).hexdigest()
    assert receipt["works_learned_from"] == 2
    assert (receipt["seed"], receipt["index"], receipt["attempt"]) == (1, 0, 0)
    assert receipt["machine_generated"] is True
    entered = hashlib.sha256(result.receipt.read_bytes()).hexdigest()
    assert house.load().runs.entered_at(entered) is not None


def test_a_generated_piece_is_marked_and_names_its_receipt(ask):
    (result,) = ask(n=1)
    data = result.midi.read_bytes()
    assert is_generated(data)
    assert hashlib.sha256(result.receipt.read_bytes()).hexdigest().encode() in data


def test_the_gate_refuses_a_generated_piece_with_and_without_its_mark(ask, studio):
    _, house = studio
    (result,) = ask(n=1, seed=77)
    marked = result.midi.read_bytes()
    place = house.folder / "ana" / "not-mine-00000000.mid"
    place.write_bytes(marked)
    assert house.rules()["ana/not-mine-00000000.mid"] == "generated"
    place.unlink()


def test_several_pieces_at_once_each_end_in_their_own_time(ask):
    results = ask(n=5, bars=None)
    assert len({len(r.piece.bar_starts()) for r in results}) > 1
    assert all(result.piece.note_count for result in results)


def test_a_piece_longer_than_the_models_context_is_written_to_its_end(ask):
    (result,) = ask(n=1, bars=24, instruments=["piano", "bass"], time_signature="4/4")
    assert {r["control"]: r["got"] for r in result.record["asked_and_got"]}["bars"] == 24


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "n: 0 is outside"),
        ({"seed": -1}, "seed"),
        ({"bars": 0}, "bars: 0 is outside"),
        ({"bars": "many"}, "'many' is no whole number"),
        ({"tempo": 500}, "outside 30 to 240"),
        ({"genre": "walz"}, "did you mean 'waltz'"),
        ({"instruments": ["fluit"]}, "did you mean 'flute'"),
        ({"instruments": ["flute"], "roles": ["bass", "pad"]}, "2 roles for 1 instruments"),
        ({"time_signature": "13/7"}, "no time signature"),
        ({"chords": "Am | Hm", "time_signature": "4/4"}, "'Hm' is not a chord"),
        ({"chords": "Am", "time_signature": "changing"}, "add time_signature"),
        ({"sections": "intro:9"}, "no section of a piece of 4 bars"),
        ({"key": "H minor"}, "'H minor' is not a key"),
        ({"pitch_range": [80, 40]}, "is no range"),
        ({"velocity_range": [4, 6]}, "holds none"),
        ({"temperature": 0}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"checkpoint": "nowhere.safetensors"}, "cannot be read"),
    ],
)
def test_a_wrong_setting_gives_one_message_that_names_it_and_no_file(ask, tmp_path, wrong, message):
    with pytest.raises(HouseError, match=message):
        ask(**wrong)
    assert not (tmp_path / "out").exists()


def test_pieces_are_written_where_asked(ask, tmp_path):
    results = ask(n=2, out=str(tmp_path / "there"))
    names = sorted(path.name for path in (tmp_path / "there").iterdir())
    ends = (".c2pa", ".json", ".mid", ".signature.json")
    assert names == sorted(f"{one.midi.stem}{end}" for one in results for end in ends)
    assert [one.midi.stem[-3:] for one in results] == ["-01", "-02"]
    assert all(Path(result.midi).parent == tmp_path / "there" for result in results)


def test_nothing_is_overwritten_by_a_second_command(ask, tmp_path):
    """Neither what is there under another title nor what the same request and seed wrote."""
    out = tmp_path / "out"
    first = ask(n=2, genre="waltz", key="Eb minor")
    before = {path: path.read_bytes() for path in out.iterdir()}
    again, other = ask(n=2, genre="waltz", key="Eb minor"), ask(n=1, key="F# major")
    assert {path: path.read_bytes() for path in before} == before
    stems = [result.midi.stem for result in [*first, *again, *other]]
    assert stems[:4] == [f"waltz-e-flat-minor-0{n}" for n in (1, 2, 3, 4)]
    assert stems[4] == "piece-f-sharp-major-05"
    music = [[one.record["music_sha256"] for one in results] for results in (first, again)]
    assert music[0] == music[1]


def test_two_commands_at_once_never_take_the_same_name(tmp_path):
    names = [reserve(tmp_path, "waltz", 1) for _ in range(3)]
    assert names == ["waltz-01", "waltz-02", "waltz-03"]
    assert highest_number(tmp_path) == 0  # no receipt is there yet
    os.utime(tmp_path / f"waltz-02{TAKEN}", (0, 0))  # left by a command that was killed
    assert reserve(tmp_path, "waltz", 1) == "waltz-02"


def test_a_piece_that_cannot_be_entered_leaves_nothing(ask, tmp_path, monkeypatch):
    def fail(*_):
        raise HouseError("the log is full")

    monkeypatch.setattr("gen.sampling.session.SamplingSession._enter", fail)
    with pytest.raises(HouseError, match="the log is full"):
        ask(n=1)
    assert list((tmp_path / "out").iterdir()) == []
