"""What the writing process says of a piece that waits for the works it is compared with."""

from __future__ import annotations

import io
import json

import pytest

from gen import processes
from gen.sampling.takes import Progress
from gen.studio.music.jobs import begin_writer
from gen.studio.music.writer import CancelledError, Writer


def test_a_whole_piece_says_how_far_the_works_are_read_and_can_be_stopped() -> None:
    said = io.StringIO()
    writer = Writer(io.StringIO(), said)
    writer._watch("job", Progress(1, 0, None, 0.4))
    told = {"job": "job", "kind": "comparing", "piece": 1, "share": 0.4}
    assert json.loads(said.getvalue()) == told
    writer._cancelled.add("job")
    with pytest.raises(CancelledError):
        writer._watch("job", Progress(1, 0, None, 0.5))


@pytest.mark.skipif(processes.copies() == 1, reason="works are read in a thread here")
def test_a_copy_of_the_writing_process_waits_for_nobody(writing_desk, monkeypatch, tmp_path):
    """The thread that listens holds the stream that it listens to, in a copy for ever."""
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "nothing is kept here"))
    child = begin_writer()
    try:
        places = {"checkpoint": writing_desk.checkpoint, "pin": writing_desk.pin_file(),
                  "out": str(tmp_path), "unrecorded": True}  # fmt: skip
        asked = {"bars": 1, "n": 1, "seed": 1, "sign": "off"}
        for line in ({"open": places}, {"job": "one", "settings": asked}):
            print(json.dumps(line), file=child.stdin, flush=True)
        kinds = []
        while (found := json.loads(child.stdout.readline()))["kind"] not in ("done", "failed"):
            kinds.append(found["kind"])
        assert found["kind"] == "done", found
        assert kinds[-1] == "piece"
    finally:
        processes.end_child(child)
