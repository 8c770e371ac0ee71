"""`python scripts/sample.py`: what is typed, what is refused in one message, how it ends."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import wave
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import unquote

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from gen.cli.sample import texts_quoted
from gen.data.cache import CACHE_VARIABLE
from gen.provenance.admission.mark import is_generated
from gen.provenance.signing.key_files import KEYS_VARIABLE, PASSPHRASE_VARIABLE
from gen.sampling.job import FromNothing
from gen.sampling.receipt import read_receipt
from houses import make_piece
from prepared import prepared
from studios import CHECKPOINT, make_studio
from tiny_runs import Done, call

SAMPLE = Path(__file__).resolve().parents[2] / "scripts" / "sample.py"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    return folder, make_studio(folder)


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(studio, out, tmp_path, monkeypatch, quick_helpers):
    """The command line in this process."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "keys"))
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    folder, house = studio
    usual = f"checkpoint={folder / CHECKPOINT}", f"pin={house.pin.path}", f"out={out}"

    def typed(*words: str) -> Done:
        return call(SAMPLE, *usual, "audio=false", *words)

    return typed


def refused(done: Done, out: Path) -> str:
    """The one message of a command that wrote nothing."""
    assert done.code == 2, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert not out.exists()
    return done.stderr


# What is typed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("chords=Am F | C/E G7sus4", "Am F | C/E G7sus4"),
        ("key=F# minor", "F# minor"),
        ("key=F#m", "F#m"),
        ("sections=intro:1 a:5", "intro:1 a:5"),
        ("time_signature=6/8", "6/8"),
        ("receipt=C:\\new pieces\\it's.json", "C:\\new pieces\\it's.json"),
        ("out=C:\\pieces\\", "C:\\pieces\\"),
        ("out=a, b", "a, b"),
        ("out=2024", "2024"),
        ("receipt=null", None),
        ("continue=my song (2).mid", "my song (2).mid"),
        ("cells=bars 5-8 of bass, bar 3 of all", "bars 5-8 of bass, bar 3 of all"),
        ("cells='bar 3 of all'", "bar 3 of all"),
        ("bars=8", 8),
        ("genre=null", None),
        ("strict=true", True),
        ("tempo=97.5", 97.5),
        ("instruments=[flute, double bass]", ["flute", "double bass"]),
        ("seed=", ""),
    ],
)
def test_what_people_type_reaches_the_settings_as_they_mean_it(typed, value):
    override = OverridesParser.create().parse_override(texts_quoted(typed))
    assert override.value() == value


@pytest.mark.parametrize("flag", ["--help", "--cfg", "-m", "--config-name=x y"])
def test_flags_are_left_as_they_are(flag):
    assert texts_quoted(flag) == flag


# What comes of it -----------------------------------------------------------------------


def test_pieces_are_named_one_by_one_and_the_page_last(run, out):
    done = run("n=2", "bars=2", "chords=C | F", "time_signature=4/4")
    assert done.code == 0, done.stderr
    *pieces, page = done.stdout.split()
    assert sorted(path[-7:] for path in pieces) == ["-01.mid", "-02.mid"]
    assert {Path(path) for path in pieces} == set(out.glob("*.mid"))
    assert page == str(out / "index.html")
    asked = html.unescape((out / "index.html").read_text("utf-8"))
    assert "n=2, bars=2, chords='C | F'" in asked
    assert "chords: asked C | F, got" in done.stderr


def test_a_receipt_gives_the_same_bytes(run, out, tmp_path):
    assert run("n=3", "bars=2").code == 0
    (receipt,) = out.glob("*-02.json")
    first = receipt.with_suffix(".mid").read_bytes()
    again = tmp_path / "again"
    done = run(f"receipt={receipt}", f"out={again}")
    assert done.code == 0, done.stderr
    assert "the same bytes" in done.stderr
    assert (again / receipt.name).with_suffix(".mid").read_bytes() == first
    assert (again / "index.html").is_file()


def test_beside_a_receipt_nothing_else_is_asked(run, out):
    message = refused(run("receipt=x.json", "genre=waltz", "bars=3"), out)
    assert "bars, genre cannot be asked beside a receipt" in message


def test_a_preset_is_where_to_begin(run, out):
    done = run("controls=rock", "bars=12", "instruments=[flute, cello]", "n=1")
    assert done.code == 0, done.stderr
    (receipt,) = out.glob("*.json")
    record = json.loads(receipt.read_bytes())
    assert record["settings"]["sections"] == "intro:1 a:5 ending:9"
    assert record["settings"]["roles"] == []
    more = run(
        f"continue={receipt.with_suffix('.mid')}", "bars=1", "controls=bossa", "n=1", "seed=2"
    )
    assert more.code == 0, more.stderr


def test_pieces_withheld_end_in_exit_code_2_and_the_others_on_the_page(run, out, monkeypatch):
    copies = iter([make_piece(1, 16), make_piece(50, 16), make_piece(1, 16)])
    monkeypatch.setattr("gen.sampling.job.finished", lambda *_: next(copies))
    done = run("n=2", "tries=2", "bars=2")
    assert done.code == 2
    assert "1 of 2 pieces withheld: each of 2 attempts was too close" in done.stderr
    assert "“Small Rain” by Ana" in done.stderr
    assert len([line for line in done.stdout.split() if line.endswith(".mid")]) == 1
    assert "<dt>withheld</dt><dd>1 of 2</dd>" in (out / "index.html").read_text("utf-8")


def test_ctrl_c_ends_with_130_and_no_traceback(run, out, monkeypatch):
    def interrupted(self, draft):
        raise KeyboardInterrupt

    monkeypatch.setattr(FromNothing, "finish", interrupted)
    done = run("n=1", "bars=2")
    assert done.code == 130
    assert "Traceback" not in done.stderr
    assert list(out.iterdir()) == []


def whole(out: Path) -> set[str]:
    """Names of the pieces in a folder, where every one and their page are whole."""
    pieces = {path.stem for path in out.glob("*.mid")}
    for name in pieces:
        read_receipt(out / f"{name}.json")
        assert is_generated((out / f"{name}.mid").read_bytes())
        kinds = {path.suffix for path in out.glob(f"{name}.*")} - {".mid", ".json", ".c2pa"}
        assert kinds in ({".png", ".musicxml", ".wav"}, set())
        if kinds:
            assert (out / f"{name}.png").read_bytes().endswith(b"IEND\xaeB`\x82")
            ElementTree.parse(out / f"{name}.musicxml")  # noqa: S314 - ours
            with wave.open(str(out / f"{name}.wav")) as sound:
                frame = sound.getnchannels() * sound.getsampwidth()
                assert len(sound.readframes(sound.getnframes())) == frame * sound.getnframes() > 0
    page = (out / "index.html").read_text("utf-8") if pieces else ""
    links = {unquote(link) for link in re.findall(r'(?:href|src)="([^"#]+)"', page)}
    names = {path.name for path in out.iterdir() if path.suffix != ".c2pa"}
    assert names == links | ({"index.html"} if pieces else set())
    return pieces


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_between_two_pieces_it_leaves_whole_ones_and_nothing_else(studio, out, number):
    folder, house = studio
    usual = f"checkpoint={folder / CHECKPOINT}", f"pin={house.pin.path}", f"out={out}"
    words = (SAMPLE, *usual, "n=6", "bars=16")
    true = [sys.executable, *map(str, words)]  # a terminal's signal reaches its copies, too
    process = subprocess.Popen(
        true if number == signal.SIGINT else prepared(*words), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
        env={**os.environ, CACHE_VARIABLE: "off", KEYS_VARIABLE: str(folder / "keys")},
    )  # fmt: skip
    first = process.stdout.readline()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    answer, talk = process.communicate()  # … when no process holds the pipes any more
    assert (process.returncode, "Traceback" in talk) == (130, False), talk
    assert talk.endswith("stopped\n")
    *named, page = (first + answer).split()
    assert {Path(name).stem for name in named} == whole(out)
    assert page == str(out / "index.html")
    assert 1 <= len(named) < 6
    assert f"{len(named)} of 6 were finished" in Path(page).read_text("utf-8")


# What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("gnere=waltz", "gnere"),
        ("+gnere=waltz", "did you mean 'genre'"),
        ("controls=jazz_quartett", "jazz_quartett"),
        ("bars=", "bars"),
        ("bars=[1", "no viable alternative at input '[1'"),
        ("genre=walz", "did you mean 'waltz'"),
        ("n=0", "n: 0 is outside 1 to 1024"),
        ("receipt=nowhere.json", "nowhere.json: cannot be read"),
        ("checkpoint=nowhere.safetensors", "nowhere.safetensors: cannot be read"),
        ("pin=nowhere.yaml", "nowhere.yaml"),
        ("soundfont=nowhere.sf2", "nowhere.sf2: cannot be read"),
        ("continue=nowhere.mid", "nowhere.mid"),
        ("sign=zoe", "'zoe' is not enrolled"),
        ("originality=maybe", "originality"),
        ("n=null", "n: null is no whole number"),
        ("bars=3.5", "bars: 3.5 is no whole number\n  to mend it: give one, or leave it out"),
        ("bars=true", "bars: true is no whole number"),
        ("tempo=fast", "tempo: 'fast' is no number"),
        ("temperature=nan", "temperature: nan is outside 0.01 to 5"),
        ("genre=3", "genre: 3 is no text"),
        ("chords=7", "chords: 7 is no text"),
        ("density=0.5", "density: 0.5 is no whole number, no text, no list of whole numbers or n"),
        (
            "instruments=flute",
            "no list of names or whole numbers\n  to mend it: write it in brackets: instruments=[",
        ),
        (
            "instruments=[[flute]]",
            "unknown instruments \"['flute']\"\n  to mend it: did you mean 'flute'?",
        ),
        ("roles=[3]", "roles: [3] is no list of names"),
        ("pitch_range=[low,high]", "['low', 'high'] is no list of whole numbers"),
        ("strict=1", "strict: 1 is neither true nor false"),
        ("audio=maybe", "audio: 'maybe' is neither true nor false"),
        ("out=null", "out: null is no text"),
        ("checkpoint=[a,b]", "checkpoint: ['a', 'b'] is no text"),
        ("cells=3", "cells: 3 is no text"),
        ("add=bass", "add: 'bass' is no list of names or whole numbers"),
        ("amount=lots", "amount: 'lots' is no number"),
        ("sign=true", "sign: true is no text"),
    ],
)
def test_what_cannot_be_is_refused_in_one_message(run, out, typed, said):
    words = ["audio=true"] if "soundfont" in typed else []
    assert said in refused(run(typed, *words), out)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("controls=rock", "bars=6", "sections=a:1 b:7"), "'b:7' is no section of a piece of 6"),
        (("vary=nowhere.mid", "bars=6"), "bars: comes from the file that vary= names"),
        (("n=many",), "n: 'many' is no whole number"),
    ],
)
def test_what_contradicts_itself_is_refused(run, out, typed, said):
    assert said in refused(run(*typed), out)


def test_a_receipt_that_was_touched_is_refused_with_what_differs(run, out, tmp_path):
    assert run("n=1", "bars=2").code == 0
    (receipt,) = out.glob("*.json")
    record = json.loads(receipt.read_bytes())
    record["music_sha256"] = "0" * 64
    receipt.write_text(json.dumps(record), "utf-8")
    done = run(f"receipt={receipt}", f"out={tmp_path / 'again'}")
    assert done.code == 2
    assert "other bytes came out than it describes" in done.stderr
    assert not list((tmp_path / "again").iterdir())
