"""A visit: what holds is shown by public commands, what does not is said, and a page is left."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from gen.cli.visit import Visit, follow_a_piece, page_of, plant, rebuild, verify_alone
from gen.errors import HouseError
from gen.provenance.signing.dsse import Envelope, is_signed_by
from gen.terminal import failures_said
from houses import keep_key, key_of, make_midi
from prepared import prepared
from recorded_runs import Trained, trained


@pytest.fixture
def visited(tmp_path, monkeypatch, own_keys) -> Trained:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return trained(tmp_path)


def visit(run: Trained, *words: object, code: int = 0) -> str:
    """The page of a visit by somebody who throws a seven, and brings a file of their own."""
    own = Path("my-own.mid")
    own.write_bytes(make_midi(77))
    main = importlib.import_module("gen.cli.visit").main
    usual = ["--pin", run.house.pin.path, "--model", run.last, "--plant", own, "--seed", 7]
    given = [*usual, "--ask", "bars=2", "--out", "page", *words]
    done = CliRunner().invoke(main, list(map(str, given)))
    assert done.exit_code == code, (done.output, done.exception)
    page = Path("page/visit.txt")
    assert f"SHA-256 {hashlib.sha256(page.read_bytes()).hexdigest()}" in done.output
    return page.read_text("utf-8")


@pytest.mark.slow
def test_a_visit_shows_what_holds_and_says_what_is_not_proved(visited):
    keep_key("cleo")
    before = sorted(path for path in visited.house.folder.rglob("*.mid"))
    page = visit(visited, "--sign", "cleo")
    proved, _, rest = page.partition("NOT PROVED")
    assert "(8 of 8)" in proved
    assert "the visitor's file is refused" in proved
    assert "DOES NOT HOLD" not in rest
    assert "who composed the works" in rest
    assert "names 6 works, 6 are behind it; by Ana 6" in rest
    assert "the same bytes" in rest
    assert "log as the visit left it" in proved
    assert sorted(path for path in visited.house.folder.rglob("*.mid")) == before
    data = Path("page/visit.signature.json").read_bytes().removesuffix(b"\n")
    envelope = Envelope.decode(data, "application/vnd.music-house.visit+text")
    assert envelope.payload.decode() == page
    (signature,) = envelope.signatures
    public = key_of("cleo").public
    assert is_signed_by(signature, public, envelope.payload_type, envelope.payload)


def begun_quickly(words: list[str], **settings) -> subprocess.CompletedProcess:
    return subprocess.run(prepared(*words[1:]), **settings)


def looked_at(run: Trained, *steps) -> tuple[Visit, list[str]]:
    """A visit of these steps alone; the claims of it that do not hold."""
    visit = Visit(run.house.house, run.last, Path("page"), 7)
    visit.out.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gen.cli.visit.subprocess", SimpleNamespace(run=begun_quickly))
        for step in steps:
            step(visit)
    return visit, [each.claim for each in visit.steps if not each.holds]


def test_planted_files_are_refused_and_a_piece_leads_back_to_its_composers(visited):
    steps = (plant, lambda visit: follow_a_piece(visit, ["bars=2"]))
    visit, failed = looked_at(visited, *steps)
    assert (len(visit.steps), failed) == (5, [])
    page = page_of(visit)
    assert "(5 of 5)" in page
    assert page.count("s, of processors") == 1 + 5
    assert "visitor.mid: refused (untagged)" in page
    assert "names 6 works, 6 are behind it; by Ana 6" in page
    assert not list(Path("page").rglob("visitor.mid"))


def test_the_page_says_of_its_own_piece_only_where_the_log_took_it(visited):
    acts = visited.house.house.load().head.size
    words = {
        known: page_of(Visit(visited.house.house, visited.last, Path("page"), 7, known))
        for known in (acts, acts - 1)
    }
    assert f"log as the visit left it: {acts} acts" in words[acts]
    assert "log as the visit left it, its own piece included" in words[acts - 1]
    assert "took 0 s, of processors 0 s" in words[acts]


def test_the_stand_alone_verifier_holds_where_a_command_starts_it(visited):
    visit = Visit(visited.house.house, visited.last, Path("page"), 7)
    with failures_said():
        verify_alone(visit)
    assert [step.lines for step in visit.steps if not step.holds] == []


def test_a_changed_log_is_not_proved_and_the_page_says_so(visited):
    path = visited.house.folder / "register.jsonl"
    lines = path.read_bytes().splitlines()
    lines[2] = lines[2].replace(b'"index":2', b'"index":3')
    path.write_bytes(b"\n".join(lines) + b"\n")
    visit, failed = looked_at(visited, verify_alone)
    assert len(failed) == 2
    page = page_of(visit)
    assert "log: cannot be believed" in page
    assert page.count("! DOES NOT HOLD") == 2
    assert "act 2" in page


def test_a_model_that_was_touched_up_afterwards_is_not_proved(visited):
    data = bytearray(visited.last.read_bytes())
    data[-3] ^= 1
    visited.last.write_bytes(data)
    _, failed = looked_at(visited, verify_alone, lambda visit: rebuild(visit, 1))
    assert any("stand-alone verifier" in claim for claim in failed)
    assert any("the model is what these works give" in claim for claim in failed)


def test_a_visit_needs_a_model(visited):
    main = importlib.import_module("gen.cli.visit").main
    done = CliRunner().invoke(main, ["--model", "none.safetensors"])
    assert done.exit_code == 2
    assert "no such model" in done.output


def refused_visit(run: Trained, *words: object) -> str:
    """What a visit says that never begins."""
    usual = ["--pin", run.house.pin.path, "--model", run.last, "--segments", 0]
    given = list(map(str, [*usual, "--out", "page", *words]))
    done = CliRunner().invoke(importlib.import_module("gen.cli.visit").main, given)
    assert done.exit_code == 2, (done.output, done.exception)
    assert "to mend it: " in done.output
    return done.output


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_cannot_be_planted_or_signed_is_refused_before_anything_is_looked_at(visited):
    os.mkfifo("pipe")
    os.truncate(os.open("endless", os.O_CREAT | os.O_WRONLY), 2 << 30)
    for own, word in (("pipe", "is a pipe"), ("endless", "too large"), ("/dev/zero", "a device")):
        assert word in refused_visit(visited, "--plant", own)
    assert "nobody" in refused_visit(visited, "--sign", "nobody")
    assert not Path("page").exists()


def test_a_visit_replaces_nothing_that_no_visit_left(visited):
    kept = Path("page/pieces/mine.mid")
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"mine")
    assert "pieces: is there, and no visit left it" in refused_visit(visited)
    assert kept.read_bytes() == b"mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_or_a_link_that_leads_nowhere_in_a_house_is_no_reason_to_stop(visited):
    folder = visited.house.folder / "ana"
    os.mkfifo(folder / "pipe")
    (folder / "link.mid").symlink_to("nowhere")
    visit, failed = looked_at(visited, plant)
    assert (len(visit.steps), failed) == (2, [])


def test_a_house_without_a_work_has_none_to_be_changed(visited):
    for path in visited.house.folder.glob("*/*.mid"):
        path.unlink()
    with pytest.raises(HouseError, match="no work that could be changed and planted") as refused:
        looked_at(visited, plant)
    assert "accept" in refused.value.mend
