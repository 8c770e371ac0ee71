"""The process that writes the studio's music: it keeps the model, and says each bar as it ends.

It reads requests as JSON lines and answers with JSON lines. When the model is read it says
`ready`, with an error where it cannot be, and the timings among which there is a choice. All else
names the job it is of: `begun`; `bar` with the piece, the attempt, how many of its bars are whole,
the first that is new (counted from 0), and the score so far (null while it is silent); `comparing`
with the share of the works that is read, where a piece is whole before they are; `piece` with its
name on disk; and at last `done`, `cancelled` or `failed` with an error.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from gen.errors import HouseError, brief, printable
from gen.marks.release import mark_beside
from gen.piece import Piece
from gen.rendering.score import SUFFIX, musicxml
from gen.sampling.opening.opened_model import Opened
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.sampling.session import open_session, timings_of
from gen.sampling.takes import Progress, Sampled
from gen.studio.music.score import Score

JSON = dict[str, Any]


class CancelledError(Exception):
    """Whoever asked wants it no more."""


class Writer:
    """Requests from one stream, answers to another.

    Args:
        requests: JSON lines.
        answers: JSON lines.
    """

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers
        self._queue: queue.Queue[JSON | None] = queue.Queue()
        self._cancelled: set[str] = set()
        self._places: JSON = {}
        self._opened: Opened | None = None
        self._said: Path | None = None  # the model of which it was said that it is ready
        self._whole: dict[tuple[int, int], int] = {}  # bars of each attempt that were said

    def run(self) -> None:
        """Answer until the requests end."""
        threading.Thread(target=self._listen, daemon=True).start()
        while (request := self._queue.get()) is not None:
            if "open" in request:
                self._places = request["open"]
                self._warm()
            else:
                self._job(request["job"], request["settings"])

    def _listen(self) -> None:
        for line in self._requests:
            request = json.loads(line)
            if "cancel" in request:
                self._cancelled.add(request["cancel"])
            else:
                self._queue.put(request)
        os._exit(0)  # the studio is gone: what is finished is on disk

    def _warm(self) -> None:
        """Read model and house, and write a bar for nobody, before anything is asked for."""
        self._said = None
        request = SampleRequest.of({**self._places, "n": 1, "seed": 0, "bars": 1, "sign": "off"})
        try:
            opened = self._open(request)  # works to compare with are read from now on
            open_session(request, opened=opened).write([0], lambda _: None, 0)
        except Exception as found:  # what is asked for later says it again
            self._opened = None
            self._say("", "ready", error=_why(found), timings=[])
        else:
            self._say_ready(opened)

    def _open(self, request: SampleRequest) -> Opened:
        self._opened = Opened.of(request, self._opened)
        return self._opened

    def _say_ready(self, opened: Opened) -> None:
        """Once of each model: another may have come since, of a run that has ended."""
        if opened.path != self._said:
            self._said = opened.path
            self._say("", "ready", error=None, timings=timings_of(opened.checkpoint))

    def _job(self, job: str, settings: JSON) -> None:
        self._say(job, "begun")
        self._whole.clear()
        try:
            request = SampleRequest.of({**self._places, **settings})
            opened = self._open(request)
            self._say_ready(opened)
            sample(
                request,
                report=lambda done: self._tell(job, done),
                watch=lambda progress: self._watch(job, progress),
                opened=opened,
            )
        except CancelledError:
            self._say(job, "cancelled")
        except Exception as error:  # a fault of ours ends one job, not the studio
            self._say(job, "failed", error=_why(error))
        else:
            self._say(job, "done")

    def _watch(self, job: str, progress: Progress) -> None:
        if job in self._cancelled:
            raise CancelledError
        if progress.works_read is not None:
            self._say(job, "comparing", piece=progress.piece, share=progress.works_read)
        found = progress.so_far
        attempt = progress.piece, progress.attempt
        if found is None or found.bars <= self._whole.get(attempt, 0):
            return
        self._whole[attempt] = found.bars
        score = Score.of(found.music).model_dump(mode="json") if found.music.note_count else None
        self._say(
            job, "bar", piece=progress.piece, attempt=progress.attempt, bar=found.bars,
            first=found.first, score=score,
        )  # fmt: skip

    def _tell(self, job: str, done: Sampled) -> None:
        if done.score is not None and done.score.note_count:
            _keep_score(done.score, done.midi, self._places.get("stamp"))
        self._say(job, "piece", piece=done.record["index"], name=done.midi.stem)

    def _say(self, job: str, kind: str, **more: Any) -> None:
        self._answers.write(json.dumps({"job": job, "kind": kind, **more}) + "\n")
        self._answers.flush()


def _why(error: Exception) -> dict[str, str]:
    """What a refusal says; of a fault of ours what it is, and the log has the rest."""
    if not isinstance(error, HouseError):
        traceback.print_exception(error)
        error = HouseError(f"a fault of the studio: {error!r}", mend="its log says more")
    said = {"what": error.what, "where": error.where, "mend": error.mend}
    return {name: printable(brief(words)) for name, words in said.items()}


def _keep_score(written: Piece, midi: Path, stamp: str | None) -> None:
    """Keep the score of a piece, marked, beside its file, which has it as it is played."""
    score = musicxml(written, midi.with_suffix(SUFFIX), title=midi.stem)
    mark_beside(midi, score, authority=stamp)


def main() -> None:
    """Serve on standard input and output; whatever else prints does so to standard error.

    Both are taken by other names: a copy of this process closes the old ones, and would wait for
    the thread that listens.
    """
    requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Writer(requests, answers).run()


if __name__ == "__main__":
    main()
