"""What the works do without exception, so that sampling need not leave it to chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gen.harmony import GENRES
from gen.tokens import vocabulary as v
from gen.tokens.columns import latest
from gen.tokens.vocabulary import FIRST, Kind

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
    def of(cls, works: Iterable[NDArray[np.int16]]) -> Self:
        """Those of works, events (T, 5) of each."""
        events = list(works)
        return cls(chord_sizes(events), instruments(events), forms(events))

    @classmethod
    def told(cls, run: Mapping[str, Any]) -> Self:
        """Those that a checkpoint tells of."""
        known = (run.get(name, {}) for name in ("chord_sizes", "instruments", "forms"))
        return cls(*known)


def names_of(program: int, role: int) -> tuple[str, str, str, str]:
    """What is told of an instrument in its role: the nearest first."""
    return f"{program}:{role}", f"{program}:{ANY}", f"any:{role}", f"any:{ANY}"


def chord_sizes(works: Iterable[NDArray[np.int16]]) -> dict[str, int]:
    """The most notes that an instrument strikes at once in any work, by its role.

    Args:
        works: events (T, 5) of each.

    Returns:
        `program:role` → notes, where roles count from 1 and 0 is any of them; drums are
        program 128. `any:role` and `any:0` are the most of any instrument.
    """
    most: dict[str, int] = {}
    for events in works:
        kinds, values = events[:, v.KIND], events[:, v.VALUE].astype(np.int64)
        tracks = events[kinds == Kind.TRACK]
        notes = np.flatnonzero(kinds == Kind.NOTE)
        cell = latest(np.isin(kinds, (Kind.CELL, Kind.FILL)))[notes]
        place = cell * v.FIELD_SIZES[v.POSITION] + events[notes, v.POSITION]
        found, counts = np.unique(place, return_counts=True)
        slots = values[found // v.FIELD_SIZES[v.POSITION]] - FIRST["slot"]
        for slot, track in enumerate(tracks):
            size = int(counts[slots == slot].max(initial=0))
            program = int(track[v.VALUE]) - FIRST["program"]
            role = int(track[v.EXTENT]) - FIRST["role"] + 1 if track[v.EXTENT] else ANY
            for name in names_of(program, role):
                most[name] = max(most.get(name, 0), size)
    return {name: size for name, size in sorted(most.items()) if size}


def instruments(works: Iterable[NDArray[np.int16]]) -> dict[str, list[int]]:
    """The programs that play in works of a genre: genre → programs, ascending; drums are 128.

    Args:
        works: events (T, 5) of each.
    """
    found: dict[str, set[int]] = defaultdict(set)
    for events in works:
        kinds, values = events[:, v.KIND], events[:, v.VALUE]
        programs = (values[kinds == Kind.TRACK] - FIRST["program"]).tolist()
        for genre in (values[kinds == Kind.GENRE] - FIRST["genre"]).tolist():
            found[GENRES[genre]].update(programs)
    return {genre: sorted(programs) for genre, programs in sorted(found.items())}


def forms(works: Iterable[NDArray[np.int16]]) -> dict[str, list[list[tuple[str, int]]]]:
    """The forms of works that tell sections from their first bar on: genre → each form once.

    Args:
        works: events (T, 5) of each.

    Returns:
        Under `""` those of works that tell no genre. A form is in order; the forms are sorted.
    """
    found: dict[str, set[tuple[tuple[str, int], ...]]] = defaultdict(set)
    for events in works:
        kinds, values = events[:, v.KIND], events[:, v.VALUE].astype(np.int64)
        told = np.flatnonzero(kinds == Kind.SECTION)
        bars = np.cumsum(kinds == Kind.BAR)
        begins = (bars[told] - 1).tolist()
        if len(told) < 2 or begins[0] > 0:
            continue
        names = [v.SECTIONS[n] for n in (values[told] - FIRST["section"]).tolist()]
        lengths = np.diff([*begins, int(bars[-1])]).tolist()
        genres = [GENRES[n] for n in (values[kinds == Kind.GENRE] - FIRST["genre"]).tolist()]
        for genre in genres or [""]:
            found[genre].add(tuple(zip(names, lengths, strict=True)))
    return {genre: [list(f) for f in sorted(known)] for genre, known in sorted(found.items())}
