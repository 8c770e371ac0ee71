"""What an evaluation is doing and how much is left: a bar on a terminal, else a line a stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Tick = Callable[[float], None]
"""Told the share of a stage that is done, in [0, 1]."""


class Stages:
    """Stages of known weight, one after another; talk goes to stderr.

    Args:
        weights: name of each stage, and how long it takes in any unit.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = dict(weights)
        self.number = 0
        self.done = 0.0
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._lines = not console.is_terminal
        self._task = self._bar.add_task("", total=sum(self.weights.values()))

    def __enter__(self) -> Stages:
        if not self._lines:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    @contextmanager
    def stage(self, name: str) -> Iterator[Tick]:
        """Do one stage: what is yielded is called with its progress."""
        self.number += 1
        started, before = time.monotonic(), self.done
        weight = self.weights.get(name, 0.0)
        self._bar.update(self._task, description=name)
        yield lambda share: self._bar.update(self._task, completed=before + share * weight)
        self.done = before + weight
        self._bar.update(self._task, completed=self.done)
        if self._lines:
            seconds = time.monotonic() - started
            place = f"{self.number}/{len(self.weights)}"
            print(f"{place} {name}: {seconds:.0f} s", file=sys.stderr, flush=True)
