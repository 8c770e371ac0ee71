"""The works behind a model, read beside the writing: music need not wait for them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from typing import Final, TypeAlias

from gen import processes
from gen.likeness.originality import LearnedMusic
from gen.sampling.opening.works import Behind

logger = logging.getLogger(__name__)

_Said: TypeAlias = float | LearnedMusic
_LESS_URGENT: Final = 5
"""How nice the reading process is: on a machine with few processors the music comes first."""
_STEP: Final = 0.01
"""Progress is told by so much of the whole."""


class LearnedReader:
    """Reads the works behind a model while pieces are written.

    What the user's cache has is there at once. Else the works are read in a copy of this process
    where one can be made, so that the writing has a processor to itself, or in a thread.

    Args:
        behind: the works.
    """

    def __init__(self, behind: Behind) -> None:
        self._changed = threading.Condition()
        self._share = 0.0
        self._error: BaseException | None = None
        self._found = behind.kept()
        if self._found is not None:
            return
        logger.warning("reading %d works to compare with, this once", len(behind.known))
        told = _copied(behind) if processes.copies() > 1 else None
        run = partial(self._hear, told) if told else partial(self._read, behind)
        threading.Thread(target=run, daemon=True).start()

    @property
    def is_ready(self) -> bool:
        """Whether they are there, and nobody would wait for them."""
        return self._found is not None

    @property
    def has_failed(self) -> bool:
        """Whether they could not be read."""
        return self._error is not None

    def get(self, tick: Callable[[float], None] = lambda share: None) -> LearnedMusic:
        """What pieces are compared with, as soon as it is there.

        Args:
            tick: called while it is waited for, with the share that is read, as it grows; what
                it raises ends the waiting.

        Raises:
            HouseError: none of the works is here.
        """
        told = -1.0
        while self._found is None:
            with self._changed:
                self._changed.wait_for(partial(self._has_changed, told))
                share, error = self._share, self._error
            if error is not None:
                raise error
            if self._found is None:
                tick(share)
            told = share
        return self._found

    def _has_changed(self, share: float) -> bool:
        return self._share > share or self._found is not None or self._error is not None

    def _read(self, behind: Behind) -> None:
        self._settle(lambda: self._take(behind.read(self._take)))

    def _hear(self, told: Generator[_Said]) -> None:
        def hear() -> None:
            with closing(told):
                for said in told:
                    self._take(said)

        self._settle(hear)

    def _settle(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:  # whoever waits has it raised
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _take(self, said: _Said) -> None:
        with self._changed:
            if isinstance(said, LearnedMusic):
                self._found = said
            elif said - self._share < _STEP:
                return
            else:
                self._share = said
            self._changed.notify_all()


def _copied(behind: Behind) -> Generator[_Said]:
    """What a copy of this process tells, which is made at once: before threads come and go."""

    def read(tell: Callable[[_Said], None]) -> None:
        os.nice(_LESS_URGENT)
        tell(0.0)
        tell(behind.read(tell))

    told = processes.results_of_copies([read])
    next(told)
    return told
