"""What the works do without exception, so that sampling need not leave it to chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from gen.harmony import GENRES
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.vocabulary import WORDS, Kind

Form = Sequence[tuple[str, int]]
"""Name and bars of each section of a work."""

ANY = 0
"""In place of a role: in whatever role; in place of an instrument: whichever."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known of the works; where nothing is, nothing is limited.

    Attributes:
        chord_sizes: see `chord_sizes`.
        instruments: see `instruments`.
        forms: see `forms`.
    """

    chord_sizes: Mapping[str, int] = field(default_factory=dict)
    instruments: Mapping[str, Sequence[int]] = field(default_factory=dict)
    forms: Mapping[str, Sequence[Form]] = field(default_factory=dict)

    @classmethod
    def of(cls, works: Iterable[Events]) -> Self:
        """Those of works."""
        events = list(works)
        return cls(chord_sizes(events), instruments(events), forms(events))

    @classmethod
    def from_run(cls, run: Mapping[str, Any]) -> Self:
        """Those that a checkpoint was saved with."""
        known = (run.get(name, {}) for name in ("chord_sizes", "instruments", "forms"))
        return cls(*known)


def names_of(program: int, role: int) -> tuple[str, str, str, str]:
    """Names under which an instrument in its role is looked up: the nearest first."""
    return f"{program}:{role}", f"{program}:{ANY}", f"any:{role}", f"any:{ANY}"


def chord_sizes(works: Iterable[Events]) -> dict[str, int]:
    """The most notes that an instrument strikes at once in any work, by its role.

    Args:
        works: events of each.

    Returns:
        `program:role` → notes, where roles count from 1 and 0 is any of them; drums are
        program 128. `any:role` and `any:0` are the most of any instrument.
    """
    most: dict[str, int] = {}
    for events in works:
        notes = events.rows_of(Kind.NOTE)
        place = np.stack([events.cell[notes], events.step[notes], events.track[notes]])
        (_, _, tracks), counts = np.unique(place, axis=1, return_counts=True)
        for slot, track in enumerate(events.only(Kind.TRACK)):
            size = int(counts[tracks == slot].max(initial=0))
            role = 1 + WORDS.role.number(track.extent) if track.extent else ANY
            for name in names_of(WORDS.program.number(track.value), role):
                most[name] = max(most.get(name, 0), size)
    return {name: size for name, size in sorted(most.items()) if size}


def instruments(works: Iterable[Events]) -> dict[str, list[int]]:
    """The programs that play in works of a genre: genre → programs, ascending; drums are 128.

    Args:
        works: events of each.
    """
    found: dict[str, set[int]] = defaultdict(set)
    for events in works:
        programs = events.only(Kind.TRACK).number.tolist()
        for genre in events.only(Kind.GENRE).number.tolist():
            found[GENRES[genre]].update(programs)
    return {genre: sorted(programs) for genre, programs in sorted(found.items())}


def forms(works: Iterable[Events]) -> dict[str, list[list[tuple[str, int]]]]:
    """The forms of works that tell sections from their first bar on: genre → each form once.

    Args:
        works: events of each.

    Returns:
        Under `""` those of works that tell no genre. A form is in order; the forms are sorted.
    """
    found: dict[str, set[tuple[tuple[str, int], ...]]] = defaultdict(set)
    for events in works:
        sections = events.rows_of(Kind.SECTION)
        begins = events.bar[sections].tolist()
        if len(sections) < 2 or begins[0] > 0:
            continue
        names = [v.SECTIONS[n] for n in events.number[sections].tolist()]
        lengths = np.diff([*begins, len(events.bar_rows)]).tolist()
        genres = [GENRES[n] for n in events.only(Kind.GENRE).number.tolist()]
        for genre in genres or [""]:
            found[genre].add(tuple(zip(names, lengths, strict=True)))
    return {genre: [list(f) for f in sorted(known)] for genre, known in sorted(found.items())}
