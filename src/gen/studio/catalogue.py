"""Works looked up by what they are: words, composer, genre, key, consent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Query

from gen.errors import HouseError
from gen.provenance.desk.works import kept_work
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.studio.requests import MOST_AT_ONCE, Page

_BREATHS = 4
"""So many times as long as a work took to read is waited then: music and pages come first."""


class Wanted(Page):
    """Which works; what is empty asks nothing. `consent` is a word of theirs, or "nothing"."""

    text: Annotated[str, Query(max_length=300)] = ""
    composer: Annotated[str, Query(max_length=100)] = ""
    genre: Annotated[str, Query(max_length=100)] = ""
    key: Annotated[str, Query(max_length=100)] = ""
    consent: Annotated[str, Query(max_length=100)] = ""
    most: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 50


@dataclass(frozen=True, slots=True)
class Described:
    """What a work's tag says that the log does not; empty where the file is gone."""

    genre: str = ""
    mood: str = ""
    key: str = ""


@dataclass(slots=True)
class Catalogue:
    """Remembers what tags say, by digest of their files: a file is read once."""

    _known: dict[str, Described] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def described(self, house: House, record: WorkRecord) -> Described:
        """What the tag of a work says of it."""
        digest = record.entry.file_sha256
        found = self._known.get(digest)
        if found is None:
            found = Described()
            with suppress(HouseError, OSError):
                words = kept_work(house, record).statement.description
                found = Described(words.genre, words.mood, words.key)
            with self._lock:
                self._known[digest] = found
        return found

    def read_ahead(self, house: House, register: Register) -> None:
        """Read what all tags say, before anybody looks for a genre; others come first."""
        for record in list(register.works.values()):
            began = time.monotonic()
            self.described(house, record)
            time.sleep(_BREATHS * (time.monotonic() - began))

    def find(self, house: House, register: Register, wanted: Wanted) -> list[WorkRecord]:
        """All that are wanted, whatever `first` and `most` say; the newest first."""
        found = _by_log(register, wanted)
        if wanted.genre or wanted.key:
            found = [one for one in found if self._fits(house, one, wanted)]
        return sorted(found, key=lambda record: -record.index)

    def _fits(self, house: House, record: WorkRecord, wanted: Wanted) -> bool:
        said = self.described(house, record)
        return wanted.genre in ("", said.genre) and wanted.key in ("", said.key)


def _by_log(register: Register, wanted: Wanted) -> Iterable[WorkRecord]:
    words = wanted.text.lower().split()
    for record in register.works.values():
        entry = record.entry
        if wanted.composer and not record.is_composer(wanted.composer):
            continue
        if wanted.consent and wanted.consent not in str(register.consent_of(record)):
            continue
        state = "" if record.withdrawn_at is None else "withdrawn"
        text = f"{entry.title} {entry.work} {' '.join(dict(entry.composers))} {state}".lower()
        if all(word in text for word in words):
            yield record
