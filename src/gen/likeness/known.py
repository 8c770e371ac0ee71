"""What is known, piece by piece: of which kind, under which name, by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, overload

import numpy as np

from gen.disk.arrays import State
from gen.likeness.columns import Column
from gen.likeness.report import FINGERPRINT, OUTPUT, WITHDRAWN, WORK, Known
from gen.likeness.voices import Ints

_KINDS: Final = (WORK, WITHDRAWN, OUTPUT, FINGERPRINT)


class KnownPieces(Sequence[Known]):
    """Known pieces by number; a `Known` is made when it is asked for."""

    def __init__(self) -> None:
        self._kinds = Column(np.uint8)
        self._letters, self._ends = Column(np.uint8), Column(np.int64)  # names in UTF-8
        self._people: list[tuple[str, ...]] = []  # each group of composers once
        self._groups: dict[tuple[str, ...], int] = {}
        self._composers = Column(np.int32)

    def append(self, known: Known) -> None:
        """Keep one more."""
        if known.composers not in self._groups:
            self._groups[known.composers] = len(self._people)
            self._people.append(known.composers)
        self._kinds.extend([_KINDS.index(known.kind)])
        self._letters.extend(np.frombuffer(known.name.encode(), np.uint8))
        self._ends.extend([len(self._letters)])
        self._composers.extend([self._groups[known.composers]])

    def withdraw(self, number: int) -> None:
        """This one, a work, was withdrawn."""
        kinds = self._kinds.all.copy()
        kinds[number] = _KINDS.index(WITHDRAWN)
        self._kinds = Column(np.uint8, kinds)

    def of_kind(self, *kinds: str) -> Ints:
        """Numbers of those of some kinds."""
        return np.flatnonzero(np.isin(self._kinds.all, [_KINDS.index(kind) for kind in kinds]))

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, number: int) -> Known: ...
    @overload
    def __getitem__(self, number: slice) -> list[Known]: ...
    def __getitem__(self, number: int | slice) -> Known | list[Known]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        name = self._letters.span(*self._ends.between(number)).tobytes().decode()
        return Known(_KINDS[self._kinds[number]], name, self._people[self._composers[number]])

    def state(self) -> State:
        """All of it, for `of_state`."""
        return {
            "kinds": self._kinds.all,
            "letters": self._letters.all,
            "ends": self._ends.all,
            "people": self._people,
            "composers": self._composers.all,
        }

    @staticmethod
    def of_state(state: State) -> KnownPieces:
        pieces = KnownPieces()
        pieces._kinds = Column(np.uint8, state["kinds"])
        pieces._letters = Column(np.uint8, state["letters"])
        pieces._ends = Column(np.int64, state["ends"])
        pieces._people = [tuple(people) for people in state["people"]]
        pieces._groups = {people: number for number, people in enumerate(pieces._people)}
        pieces._composers = Column(np.int32, state["composers"])
        return pieces
