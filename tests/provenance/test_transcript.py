from __future__ import annotations

import json
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from gen.provenance.records.run_acts import Begin, End, ModelDigest
from gen.provenance.records.transcript import Mark, Transcript
from gen.provenance.signing.canonical import StrictJsonError, sha256_hex

DIGESTS = [sha256_hex(bytes([n])) for n in range(9)]
MARKS = tuple(Mark(10 * n, 20 * n, *DIGESTS[3 * n : 3 * n + 3]) for n in range(3))
WHOLE = Transcript("ab" * 32, 10, MARKS)
BEGIN = Begin("demo/1", "general_model", DIGESTS[0], ("a",), sha256_hex(b"{}"), 1, DIGESTS[1],
              DIGESTS[2], "a test", None, recipe="{}")  # fmt: skip


def test_a_transcript_is_read_as_it_was_written():
    assert Transcript.decode(WHOLE.encode()) == WHOLE
    assert (WHOLE.segments, WHOLE.root) == (2, sha256_hex(WHOLE.encode().splitlines()[-1]))


@pytest.mark.parametrize("line", [0, 1, 2, 3])
@pytest.mark.parametrize("harm", ["gone", "twice", "changed", "spaced"])
def test_a_transcript_whose_lines_were_touched_is_refused_or_has_another_root(line, harm):
    lines = WHOLE.encode().splitlines(keepends=True)
    kept = lines[line]
    digit = b"b" if b"a" * 2 not in kept[:40] else b"c"
    changes = {"gone": [], "twice": [kept, kept], "changed": [kept.replace(b"0", digit, 1)],
               "spaced": [kept.replace(b":", b": ", 1)]}  # fmt: skip
    lines[line : line + 1] = changes[harm]
    try:
        assert Transcript.decode(b"".join(lines)).root != WHOLE.root
    except StrictJsonError:
        return


def test_marks_out_of_order_are_refused():
    with pytest.raises(StrictJsonError, match="in order, from step 0 on"):
        Transcript.decode(replace(WHOLE, marks=MARKS[1:]).encode())
    with pytest.raises(StrictJsonError, match="in order, from step 0 on"):
        Transcript.decode(replace(WHOLE, marks=(*MARKS, MARKS[1])).encode())


def test_begin_and_end_acts_from_before_transcripts_read_and_spell_as_they_did():
    old = changed(BEGIN, recipe="")
    assert "settings" not in old.to_dict()
    assert Begin.from_dict(old.to_dict()) == old
    end = End(3, 7, (ModelDigest("best", 7, DIGESTS[0], DIGESTS[1]),))
    assert End.from_dict(end.to_dict()) == end
    assert "transcript_sha256" not in end.to_dict()


def test_a_begin_holds_its_settings_and_they_are_those_of_their_digest():
    said = json.loads(json.dumps(BEGIN.to_dict()))
    assert Begin.from_dict(said) == BEGIN
    with pytest.raises(StrictJsonError, match="not those of their digest"):
        Begin.from_dict({**said, "settings": '{"seed":2}'})


def test_a_runs_name_is_no_part_of_what_its_transcript_begins_with():
    assert changed(BEGIN, name="other", continues=4).digest == BEGIN.digest
    assert changed(BEGIN, seed=2).digest != BEGIN.digest
