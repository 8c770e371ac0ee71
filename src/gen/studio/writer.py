"""The process that writes the studio's music: it keeps the model, and says each bar as it ends.

It reads requests as JSON lines and answers with JSON lines, all with the job they are of:
`begun`; `bar` with the piece, the attempt, how many of its bars are written, and the score so far
(null in a given file); `piece` with its name on disk; and at last `done`, `cancelled` or `failed`
with an error.
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
from gen.sampling.opened import Opened
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.sampling.takes import Progress, Sampled
from gen.studio.score import Score

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
        """Read model and house before they are asked for; what is wrong is said with a job."""
        try:
            self._open(SampleRequest.of({**self._places, "n": 1, "seed": 0}))
        except HouseError:
            self._opened = None

    def _open(self, request: SampleRequest) -> Opened:
        self._opened = Opened.of(request, self._opened)
        return self._opened

    def _job(self, job: str, settings: JSON) -> None:
        self._say(job, "begun")
        try:
            request = SampleRequest.of({**self._places, **settings})
            sample(
                request,
                report=lambda done: self._tell(job, done),
                watch=lambda progress: self._watch(job, progress),
                opened=self._open(request),
            )
        except CancelledError:
            self._say(job, "cancelled")
        except HouseError as error:
            self._fail(job, error.what, error.where, error.mend)
        except Exception as error:  # a fault of ours ends one job, not the studio
            traceback.print_exc()
            self._fail(job, f"a fault of the studio: {error!r}", "", "its log says more")
        else:
            self._say(job, "done")

    def _watch(self, job: str, progress: Progress) -> None:
        if job in self._cancelled:
            raise CancelledError
        music = progress.music
        score = Score.of(music).model_dump(mode="json") if music and music.note_count else None
        self._say(
            job, "bar", piece=progress.piece, attempt=progress.attempt, bar=progress.bars,
            score=score,
        )  # fmt: skip

    def _tell(self, job: str, done: Sampled) -> None:
        if done.score is not None and done.score.note_count:
            _keep_score(done.score, done.midi)
        self._say(job, "piece", piece=done.record["index"], name=done.midi.stem)

    def _fail(self, job: str, what: str, where: str, mend: str) -> None:
        said = {"what": what, "where": where, "mend": mend}
        self._say(job, "failed", error={k: printable(brief(v)) for k, v in said.items()})

    def _say(self, job: str, kind: str, **more: Any) -> None:
        self._answers.write(json.dumps({"job": job, "kind": kind, **more}) + "\n")
        self._answers.flush()


def _keep_score(written: Piece, midi: Path) -> None:
    """Keep the score of a piece, marked, beside its file, which has it as it is played."""
    mark_beside(midi, musicxml(written, midi.with_suffix(SUFFIX), title=midi.stem))


def main() -> None:
    """Serve on standard input and output; whatever else prints does so to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Writer(sys.stdin, answers).run()


if __name__ == "__main__":
    main()
