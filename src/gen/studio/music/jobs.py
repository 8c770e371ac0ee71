"""Pieces being written: a queue before one process that holds the model.

The process (`gen.studio.music.writer`) keeps the model in memory and writes one request at a time;
what it says becomes events of the job, which whoever asks may follow from any of them on. A process
that dies fails its job, with a word, and the next job starts another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen import processes
from gen.errors import HouseError
from gen.safe_parse import child_environment

if TYPE_CHECKING:
    from gen.studio.desk import Desk

MOST_WAITING = 32
MOST_OF_ONE = 8
MOST_IN_ALL = 256
MOST_KEPT = 200
WAITING, WRITING, DONE, FAILED, CANCELLED = "waiting", "writing", "done", "failed", "cancelled"
ENDED = frozenset({DONE, FAILED, CANCELLED})


class QueueFullError(HouseError):
    """So many requests wait already that another would wait in vain."""


READING, READY = "reading", "ready"


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether the model can write: reading, ready or failed, with which error, in which timings."""

    state: str = READING
    error: dict[str, str] | None = None
    timings: tuple[str, ...] = ()


@dataclass(slots=True)
class WritingJob:
    """One request for pieces.

    Attributes:
        id: unguessable, for the address.
        verb: generate, continue, infill, accompany, harmonise or vary.
        settings: as `sample.py` takes them.
        owner: whose it is; "" where one person alone works.
        state: waiting, writing, done, failed or cancelled.
        events: what was said of it, in order; each has a "kind".
    """

    id: str
    verb: str
    settings: dict[str, Any]
    owner: str = ""
    state: str = WAITING
    events: list[dict[str, Any]] = field(default_factory=list)


def begin_writer() -> subprocess.Popen[str]:
    """The process that writes, which loads what it needs and then waits to be told of a model."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gen.studio.music.writer"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env=child_environment(),
        start_new_session=True,  # Ctrl-C is the server's to handle
    )  # fmt: skip


class Jobs:
    """The queue, and the process that writes.

    Args:
        opened: settings of the model and the house, which the process reads once.
        child: the process, where it was begun already.
    """

    def __init__(self, opened: dict[str, Any], child: subprocess.Popen[str] | None = None) -> None:
        self._opened = opened
        self._jobs: OrderedDict[str, WritingJob] = OrderedDict()
        self._queue: list[WritingJob] = []
        self._served: dict[str, int] = {}  # owner → number of the job of theirs that began last
        self._now: WritingJob | None = None
        self._child = child
        self._is_closed = False
        self.model = ModelState()
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._send({"open": self._opened})

    @classmethod
    def of(cls, desk: Desk, child: subprocess.Popen[str] | None = None) -> Jobs:
        """Those of a desk's model and house."""
        places = {"checkpoint": desk.checkpoint, "pin": desk.pin_file(), "out": str(desk.out)}
        return cls({**places, "stamp": desk.stamp}, child)

    def wait_for_model(self) -> bool:
        """Wait until the model was read, or cannot be; False where the studio ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self.model.state != READING)
            return not self._is_closed

    def start(self) -> None:
        """Start the process, if it is not, so that the model is there when it is asked for."""
        if self._thread.ident is None:
            self._thread.start()

    def look_again(self) -> None:
        """Have the model read once more where none could be: a run may have left one since."""
        with self._changed:
            if self.model.state == FAILED and self._now is None:
                self.model = ModelState()
                self._send({"open": self._opened})  # a new process is told as it starts
                self._changed.notify_all()

    def close(self) -> None:
        """End the process; what is being written is lost, what is finished is on disk."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            if self._child is not None:
                self._child.kill()
        if self._thread.is_alive():
            self._thread.join()

    def ask(self, job: WritingJob) -> WritingJob:
        """Put a job into the queue.

        Raises:
            QueueFullError: too many wait.
        """
        with self._changed:
            theirs = sum(one.owner == job.owner for one in self._queue)
            most = MOST_OF_ONE if job.owner else MOST_WAITING
            if theirs >= most or len(self._queue) >= MOST_IN_ALL:
                what = f"{theirs} requests of yours and {len(self._queue) - theirs} of others wait"
                raise QueueFullError(what, mend="ask again in a minute")
            self._jobs[job.id] = job
            self._queue.append(job)
            while len(self._jobs) > MOST_KEPT:
                self._jobs.popitem(last=False)
            self._changed.notify_all()
        return job

    def get(self, job_id: str) -> WritingJob | None:
        return self._jobs.get(job_id)

    def all(self) -> list[WritingJob]:
        """Those that are known, the newest first."""
        return list(reversed(self._jobs.values()))

    def place(self, job: WritingJob) -> int:
        """How many are before it."""
        with self._changed:
            if job not in self._queue:
                return 0
            return self._in_turn().index(job) + (self._now is not None)

    def cancel(self, job: WritingJob) -> None:
        """Take a job out of the queue, or have it stopped after the bar that is being written."""
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                self._end(job, CANCELLED)
            elif job is self._now:
                self._send({"cancel": job.id})

    def _in_turn(self) -> list[WritingJob]:
        """The queue as it will be written: whoever was served longest ago is next, one job each."""
        last = dict(self._served)
        turns = dict.fromkeys(sorted({job.owner for job in self._queue}), 0)
        order = {}
        for job in self._queue:
            turns[job.owner] += 1
            order[job.id] = (turns[job.owner], last.get(job.owner, 0))
        return sorted(self._queue, key=lambda job: order[job.id])

    # -- the thread that feeds the process ---------------------------------------------------

    def _serve(self) -> None:
        while not self._is_closed:
            if self.model.state == READING:
                self._await_model(self._running_child())
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_closed or self._queue or self.model.state == READING
                )
                if self._is_closed or not self._queue:
                    continue
                self._now = job = self._in_turn()[0]
                self._queue.remove(job)
                self._served[job.owner] = max(self._served.values(), default=0) + 1
                job.state = WRITING
            self._write(job)
            with self._changed:
                self._now = None
        self._end_child()

    def _write(self, job: WritingJob) -> None:
        child = self._running_child()
        self._await_model(child)
        self._send({"job": job.id, "settings": job.settings})
        assert child.stdout is not None  # noqa: S101 - a pipe
        for line in child.stdout:
            event = json.loads(line)
            if event["kind"] == READY:  # another model than before
                self._model_is(event["error"], event["timings"])
            if event.pop("job", None) != job.id:
                continue
            if event["kind"] in ENDED:
                self._end(job, event["kind"], event)
                return
            if event["kind"] == "bar":
                _forget_scores(job, event["piece"])
            job.events.append(event)
        self._end_child()
        what = "the process that writes was ended"
        self._end(job, FAILED, {"error": {"what": what, "where": "", "mend": "ask again"}})

    def _await_model(self, child: subprocess.Popen[str]) -> None:
        """Wait until a process has read the model, if it has not yet."""
        if self.model.state != READING:
            return
        assert child.stdout is not None  # noqa: S101 - a pipe
        for line in child.stdout:
            event = json.loads(line)
            if event["kind"] == READY:
                self._model_is(event["error"], event["timings"])
                return
        what = "the process that reads the model was ended"
        self._model_is({"what": what, "where": "", "mend": "ask again"})

    def _model_is(self, error: dict[str, str] | None, timings: Sequence[str] = ()) -> None:
        with self._changed:
            self.model = ModelState(FAILED if error else READY, error, tuple(timings))
            self._changed.notify_all()

    def _end(self, job: WritingJob, state: str, event: dict[str, Any] | None = None) -> None:
        job.events.append({**(event or {}), "kind": state})
        job.state = state

    def _send(self, said: dict[str, Any]) -> None:
        child = self._child
        if child is not None and child.stdin is not None:
            with suppress(OSError, ValueError):
                child.stdin.write(json.dumps(said) + "\n")
                child.stdin.flush()

    def _running_child(self) -> subprocess.Popen[str]:
        with self._changed:
            if self._child is None or self._child.poll() is not None:
                self._end_child()
                self._child = begin_writer()
                self.model = ModelState()
                self._send({"open": self._opened})
            return self._child

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            processes.end_child(child)


def _forget_scores(job: WritingJob, piece: int) -> None:
    """Keep the newest score of a piece alone: whoever follows late needs no earlier one."""
    for event in job.events:
        if event["kind"] == "bar" and event["piece"] == piece:
            event["score"] = None


@dataclass(frozen=True, slots=True)
class JobsOfOne:
    """The jobs of one person: others' are not seen, and new ones write into their own folder."""

    jobs: Jobs
    owner: str
    out: Path

    def ask(self, job: WritingJob) -> WritingJob:
        """See `Jobs.ask`."""
        job.owner, job.settings["out"] = self.owner, str(self.out)
        return self.jobs.ask(job)

    def get(self, job_id: str) -> WritingJob | None:
        job = self.jobs.get(job_id)
        return job if job is not None and job.owner == self.owner else None

    def all(self) -> list[WritingJob]:
        """Theirs, the newest first."""
        return [job for job in self.jobs.all() if job.owner == self.owner]

    def place(self, job: WritingJob) -> int:
        """How many are before it, of whomever."""
        return self.jobs.place(job)

    def cancel(self, job: WritingJob) -> None:
        """See `Jobs.cancel`."""
        self.jobs.cancel(job)
