"""`house.py detect`: whether a file is the house's, and what each way says."""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from gen.data.cache import CACHE_VARIABLE
from gen.marks.containers import CONTAINERS
from gen.marks.watermark_keys import make_key
from gen.provenance.signing.key_files import KEYS_VARIABLE
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.smf import write
from houses import keep_machine_key, make_midi
from studios import asking, make_studio
from validators import png_file

BUSY = {"bars": 16, "originality": "off", "instruments": ["piano", "drums"], "density": "dense"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A house, and a piece that its model wrote with its watermark key."""
    folder = tmp_path_factory.mktemp("detect")
    patch = pytest.MonkeyPatch()
    patch.setenv(CACHE_VARIABLE, str(folder / "cache"))
    patch.setenv(KEYS_VARIABLE, str(folder / "keys"))
    keep_machine_key()
    house = make_studio(folder)
    make_key(house.house.pin.name)
    (piece,) = sample(SampleRequest.of(asking(folder, house, folder / "out", **{**BUSY, "n": 1})))
    yield house, piece, folder / "keys"
    patch.undo()


@pytest.fixture
def detect(written, tmp_path, monkeypatch):
    house, _, keys = written
    monkeypatch.setenv("HOUSE", str(house.folder))
    monkeypatch.setenv(KEYS_VARIABLE, str(keys))

    def detected(data: bytes, name: str = "file.mid"):
        path = tmp_path / name
        path.write_bytes(data)
        words = ["detect", str(path), "--pin", str(house.pin.path), "--json"]
        done = CliRunner().invoke(importlib.import_module("gen.cli.house").main, words)
        told = json.loads(done.stdout)
        return done.exit_code, {way: said["ours"] for way, said in told["ways"].items()}, told

    return detected


def test_a_piece_as_it_was_written_is_the_house_s_by_every_way(detect, written):
    code, ways, told = detect(written[1].midi.read_bytes())
    assert (code, ways) == (0, {"mark": True, "watermark": True, "log": True})
    says = " ".join(told["ways"]["mark"]["says"])
    assert "signed by machine of lantern" in says
    assert "they hold, and are about these bytes" in says
    assert "they say: trainedAlgorithmicMedia" in says


def test_without_its_marks_and_transposed_it_is_known_by_watermark_and_log(detect, written):
    piece = written[1].piece
    tracks = [
        track
        if track.is_drum
        else replace(track, notes=[replace(n, pitch=n.pitch - 2) for n in track.notes])
        for track in piece.tracks
    ]
    code, ways, _ = detect(write(replace(piece, tracks=tracks)))
    assert (code, ways) == (0, {"mark": False, "watermark": True, "log": True})


def test_what_was_made_from_it_is_known_by_its_mark(detect, written):
    from gen.marks.release import like

    picture = like(written[1].midi.read_bytes(), png_file(), "piece")
    code, ways, _ = detect(picture, "piece.png")
    assert (code, ways) == (0, {"mark": True, "watermark": None, "log": False})


def test_a_changed_picture_is_not_the_house_s_any_more(detect, written):
    from gen.marks.release import like

    picture = bytearray(like(written[1].midi.read_bytes(), png_file(), "piece"))
    picture[-20] ^= 1
    code, ways, told = detect(bytes(picture), "piece.png")
    assert (code, ways["mark"]) == (3, False)
    assert "it was changed" in " ".join(told["ways"]["mark"]["says"])


@pytest.mark.parametrize("seed", [1, 7], ids=["a work", "a stranger's"])
def test_what_people_wrote_is_not_the_house_s_models(detect, seed):
    code, ways, _ = detect(make_midi(seed, 16))
    assert (code, ways) == (3, {"mark": False, "watermark": False, "log": False})


def test_credentials_of_somebody_unknown_are_told_and_count_for_nothing(detect):
    from gen.marks.claims import Claims, embedded
    from gen.marks.signing import signer_for

    claims = Claims("song", ("another", "1"), {"house": "lantern"})
    forged = embedded(make_midi(9, 16), CONTAINERS[".mid"], claims, signer_for("lantern", None))
    code, ways, told = detect(forged)
    assert (code, ways["mark"]) == (3, False)
    assert "whom the house does not know" in " ".join(told["ways"]["mark"]["says"])
    assert "they say: trainedAlgorithmicMedia" in " ".join(told["ways"]["mark"]["says"])


def test_a_receipt_s_name_in_somebody_else_s_file_is_told_and_counts_for_nothing(detect, written):
    from gen.provenance.admission.mark import mark_generated

    receipt = hashlib.sha256(written[1].receipt.read_bytes()).hexdigest()
    code, ways, told = detect(mark_generated(make_midi(9, 16), receipt))
    assert (code, ways["mark"]) == (3, False)
    assert "which the log has" in " ".join(told["ways"]["mark"]["says"])


def test_a_mark_by_a_key_that_was_declared_stolen_is_not_the_house_s(written):
    from gen.marks.detect import by_mark

    house, piece, _ = written
    register = house.load()
    people = tuple(
        replace(person, keys=tuple(replace(key, compromised_from=1) for key in person.keys))
        for person in register.roster.people
    )
    stolen = SimpleNamespace(runs=register.runs, roster=replace(register.roster, people=people))
    assert by_mark(piece.midi.read_bytes(), register).is_ours
    assert not by_mark(piece.midi.read_bytes(), stolen).is_ours


def test_what_cannot_be_read_is_said_with_exit_code_2(written, monkeypatch, tmp_path):
    house, *_ = written
    words = ["detect", str(tmp_path / "nothing.mid"), "--house", str(house.folder),
             "--pin", str(house.pin.path)]  # fmt: skip
    done = CliRunner().invoke(importlib.import_module("gen.cli.house").main, words)
    assert done.exit_code == 2
    assert "nothing.mid" in done.output


def test_watermark_keys_are_made_and_listed(written, monkeypatch, tmp_path):
    house, *_ = written
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "keys"))
    main = importlib.import_module("gen.cli.house").main
    words = ["watermark", "--house", str(house.folder), "--pin", str(house.pin.path), "--json"]
    assert json.loads(CliRunner().invoke(main, words).stdout) == {"keys": []}
    (made,) = json.loads(CliRunner().invoke(main, [*words, "--new"]).stdout)["keys"]
    assert json.loads(CliRunner().invoke(main, words).stdout)["keys"] == [made]


def test_anchors_are_what_a_stock_validator_needs_to_trust_a_piece(written, monkeypatch, tmp_path):
    from gen.marks.release import like
    from validators import by_c2pa

    house, piece, keys = written
    monkeypatch.setenv(KEYS_VARIABLE, str(keys))
    path = tmp_path / "anchors.pem"
    words = ["anchors", str(path), "--house", str(house.folder), "--pin", str(house.pin.path)]
    done = CliRunner().invoke(importlib.import_module("gen.cli.house").main, words)
    assert done.exit_code == 0, done.output
    picture = like(piece.midi.read_bytes(), png_file(), "piece")
    assert by_c2pa(picture, "image/png", path.read_text()).is_trusted
    sidecar = piece.midi.with_suffix(".c2pa").read_bytes()
    midi = piece.midi.read_bytes()
    assert by_c2pa(midi, "audio/midi", path.read_text(), sidecar).is_trusted
