"""The stand-alone witness keeps to C2SP tlog-witness and never signs two histories."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.provenance.signing.merkle import consistency_proof, leaf_hash, root_of
from gen.provenance.signing.notes import (
    LOG_KEY,
    WITNESS_KEY,
    NoteError,
    NoteKey,
    NoteSignature,
    SignedNote,
)
from houses import key_of
from witnesses import SCRIPT, WitnessProgram, answering, load_script, post

LOG = NoteKey("lantern/0123456789abcdef", key_of("log").public, LOG_KEY)
LEAVES = [leaf_hash(b"act %d" % i) for i in range(20)]
NOTES = load_script().Note
FORKED = [*LEAVES[:5], leaf_hash(b"another act"), *LEAVES[6:]]


def note_of(leaves, owner="log", origin=LOG.name) -> SignedNote:
    return SignedNote(origin, len(leaves), root_of(leaves)).signed_by(key_of(owner))


def request(old, leaves, proof=None, note=None) -> bytes:
    hashes = consistency_proof(leaves, old) if proof is None and 0 < old <= len(leaves) else proof
    lines = [f"old {old}", *(base64.b64encode(node).decode() for node in hashes or ())]
    return "\n".join(lines).encode() + b"\n\n" + (note or note_of(leaves)).encode()


@pytest.fixture
def witness(tmp_path) -> WitnessProgram:
    made = WitnessProgram(tmp_path / "witness", "society.example/w1")
    made.add_log(LOG)
    return made


@pytest.fixture
def url(witness):
    with answering(witness) as address:
        yield address


def signed(witness, text, note) -> bool:
    key = NoteKey.parse(witness.key, WITNESS_KEY)
    lines = tuple(NoteSignature.parse(line) for line in text.splitlines())
    return bool(SignedNote(note.origin, note.size, note.root, lines).cosignatures(key))


def test_witness_is_one_file_that_needs_nothing_of_the_house():
    code = f"import sys, runpy; runpy.run_path({str(SCRIPT)!r}); print('gen' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_growing_log_is_signed_at_each_size(url, witness):
    for old, size in ((0, 3), (3, 3), (3, 8), (8, 20)):
        status, _, text = post(url, request(old, LEAVES[:size]))
        assert (status, signed(witness, text, note_of(LEAVES[:size]))) == (200, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (request(0, LEAVES, note=note_of(LEAVES, origin="other/log")), 404),
        (request(0, LEAVES, note=note_of(LEAVES, owner="thief")), 403),
        (request(21, LEAVES), 400),
        (request(0, LEAVES).replace(b"old 0", b"old 00"), 400),
        (request(0, LEAVES).replace(b"old 0", b"new 0"), 400),
        (request(0, LEAVES)[:-1], 400),
        (request(8, LEAVES, proof=[bytes(32)] * 64), 400),
        (request(8, LEAVES, proof=[bytes(31)]), 400),
        (b"", 400),
        (b"\xff" * 100, 400),
        (b"old 0\n\n" + b"x" * 200_000, 400),
        (request(8, LEAVES, proof=[bytes(32)]), 422),
        (request(8, FORKED), 422),
        (request(8, LEAVES, proof=[]), 422),
        (request(8, FORKED[:8]), 409),
        (request(8, LEAVES[:8], proof=[bytes(32)]), 422),
        (request(3, LEAVES[:5]), 409),
        (request(0, LEAVES), 409),
    ],
)
def test_request_that_is_not_signed_gets_its_status(url, witness, body, status):
    post(url, request(0, LEAVES[:8]))
    found, kind, text = post(url, body)
    assert found == status, text
    if status == 409:
        assert (kind, text) == ("text/x.tlog.size", "8\n")
    assert post(url, request(8, LEAVES))[0] == 200  # its memory is as it was


def test_another_path_or_method_is_not_found(url):
    assert post(url, request(0, LEAVES), path="/add-tree-head")[0] == 404


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 99999999999999999999",
        "Content-Length: -1",
        "Content-Length: 1e3",
        "Content-Length: 12\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked",
        "X: y",
    ],
)
def test_body_of_unknown_or_other_length_is_not_waited_for(url, head):
    place = url.removeprefix("http://").split(":")
    with socket.create_connection((place[0], int(place[1])), timeout=20) as line:
        line.sendall(f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n{head}\r\n\r\n".encode())
        line.sendall(b"0\r\n\r\nPOST /")
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1  # what follows is no request of its own


@pytest.mark.parametrize(("lines", "status"), [(63, 200), (64, 400)])
def test_note_with_many_lines_and_extensions_is_signed_as_it_stands(url, witness, lines, status):
    note = replace(note_of(LEAVES), extension="of\nno concern here\n").signed_by(key_of("log"))
    strangers = [NoteSignature(f"s{i}.example", b"abcd", b"x" * 72) for i in range(lines)]
    note = replace(note, signatures=(*strangers, note.signatures[0]))
    found, _, text = post(url, request(0, LEAVES, note=note))
    assert found == status
    if status == 200:
        answer = tuple(map(NoteSignature.parse, text.splitlines()))
        seen = replace(note, signatures=answer)
        assert seen.cosignatures(NoteKey.parse(witness.key, WITNESS_KEY))
        assert not signed(witness, text, note)  # without the extension it is another text


def test_log_whose_name_is_not_ascii_is_one_like_others(witness):
    log = NoteKey("häuser.example/λ", key_of("log").public, LOG_KEY)
    witness.add_log(log)
    text = request(0, LEAVES, note=note_of(LEAVES, origin=log.name))
    assert load_script().Witness(witness.state).add_checkpoint(text).startswith("— society")


def test_witness_that_began_anew_remembers(witness):
    for size in (8, 20):
        with witness.serving() as address:
            assert post(address, request(0 if size == 8 else 8, LEAVES[:size]))[0] == 200
    with witness.serving() as address:
        assert post(address, request(8, LEAVES))[0] == 409


def test_clock_that_was_set_back_dates_no_signature_back(witness, monkeypatch):
    script = load_script()
    program = script.Witness(witness.state)
    times = iter([2_000_000_000, 2_000_000_000 - script.DAY])
    monkeypatch.setattr(script.time, "time", lambda: next(times))
    texts = [
        program.add_checkpoint(request(0, LEAVES[:8])),
        program.add_checkpoint(request(8, LEAVES)),
    ]
    assert [NoteSignature.parse(text.strip()).time for text in texts] == [2_000_000_000] * 2


def test_witness_whose_clock_ran_far_ahead_says_so_and_is_mended_by_its_keeper(
    witness, monkeypatch, capsys
):
    script = load_script()
    program = script.Witness(witness.state)
    clock = [2_000_000_000]
    monkeypatch.setattr(script.time, "time", lambda: clock[0])
    state = ["--state", str(witness.state), "clock-ran-ahead"]
    program.add_checkpoint(request(0, LEAVES[:8]))
    assert script.main(state) == 2
    assert "not dated ahead" in capsys.readouterr().err

    clock[0] = 1_800_000_000
    before = witness.state.read_bytes()
    with pytest.raises(script.Refused, match=r"of 2033-05-18; .* `witness.py clock-ran-ahead`"):
        program.add_checkpoint(request(8, LEAVES))
    assert witness.state.read_bytes() == before

    assert script.main(state) == 0
    answer = program.add_checkpoint(request(8, LEAVES))
    assert NoteSignature.parse(answer.strip()).time == 1_800_000_000
    with pytest.raises(script.Refused):  # what was signed meanwhile is not forgotten
        program.add_checkpoint(request(0, FORKED))


def test_nothing_is_signed_when_the_disk_is_full(witness, monkeypatch):
    script = load_script()
    program = script.Witness(witness.state)
    before = witness.state.read_bytes()
    monkeypatch.setattr(script.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        program.add_checkpoint(request(0, LEAVES[:8]))
    assert witness.state.read_bytes() == before


@pytest.mark.parametrize(("moment", "size"), [("os.replace", 0), ("own_key", 8)])
def test_killed_witness_has_the_old_state_or_has_not_answered_yet(witness, tmp_path, moment, size):
    (tmp_path / "request").write_bytes(request(0, LEAVES[:8]))
    code = f"""
        import os, sys
        sys.path.insert(0, {str(SCRIPT.parent)!r})
        import witness
        die = lambda *_: os._exit(9)
        {"os.replace" if moment == "os.replace" else "witness.own_key"} = die
        witness.main(["--state", {str(witness.state)!r}, "check", "request", "--out", "answer"])
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.run(command, cwd=tmp_path).returncode == 9
    assert not (tmp_path / "answer").exists()
    state = json.loads(witness.state.read_bytes())
    noted = state["logs"][LOG.name]["note"]
    assert (SignedNote.parse(noted.encode()).size if noted else 0) == size
    with witness.serving() as address:
        assert post(address, request(size, FORKED[:8]))[0] == (409 if size else 200)


def test_killed_again_and_again_it_never_signs_less_than_it_signed(witness):
    largest = 0
    for size in range(1, 9):
        with witness.serving() as address:  # killed at the end of each turn
            status, _, text = post(address, request(largest, LEAVES[:size]))
            assert status == 200
            assert signed(witness, text, note_of(LEAVES[:size]))
            largest = size
            assert post(address, request(0, FORKED))[2] == f"{largest}\n"


@pytest.mark.skipif(os.name != "posix", reason="permissions of files")
def test_state_that_others_can_read_is_not_used(witness):
    witness.state.chmod(0o644)
    witness.run("show", code=2)


def test_second_witness_is_not_made_over_the_first(witness):
    before = witness.state.read_bytes()
    witness.run("init", "--name", "other.example", code=2)
    assert witness.state.read_bytes() == before


@given(st.integers(0, 400), st.sampled_from(["cut", "double", "drop", "set"]), st.characters())
def test_witness_and_house_read_the_same_notes(place, how, character):
    """What one of them took for a note and the other not could be signed, and then not be seen."""
    whole = note_of(LEAVES).encode().decode()
    whole += whole.splitlines()[-1] + "\n"
    place %= len(whole)
    changed = {
        "cut": whole[:place],
        "double": whole[:place] + whole[place:] * 2,
        "drop": whole[:place] + whole[place + 1 :],
        "set": whole[:place] + character + whole[place + 1 :],
    }[how]
    assert _taken(NOTES.parse, changed) == _taken(
        lambda data: SignedNote.parse(data.encode()), changed
    )


def _taken(parse, text):
    try:
        note = parse(text)
    except (ValueError, NoteError):
        return None
    return note.origin, note.size, note.root, len(note.signatures)


def test_two_heads_of_one_size_are_kept_as_evidence(url, witness):
    post(url, request(0, LEAVES[:8]))
    post(url, request(8, FORKED[:8]))
    (evidence,) = witness.folder.glob("*.fraud.*.json")
    assert f"signed both: {LOG.name}" in witness.run("fraud", evidence)
    witness.run("fraud", evidence, "--key", witness.key, code=2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_plain_file_is_not_waited_for(witness, tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for words in (["check", tmp_path / "pipe", "--out", tmp_path / "o"], ["fraud", "/dev/zero"]):
        assert "no plain file: name the file itself" in witness.run(*words, code=2)
    assert not (tmp_path / "o").exists()
    witness.state = tmp_path / "pipe"
    assert "no plain file" in witness.run("show", code=2)
