"""The screen over what a house has entered and written, kept between a user's commands.

A command adds only what came since, and reads of the rest what its pieces are held against. Like
all that is kept it is sealed, counts for nothing when other code wrote it, and may be removed at
any time. What was entered is the register's word: what is kept names the acts that it was made of,
and where the register begins with others it is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gen.disk.arrays import SealedArrays
from gen.disk.sealed import user_folder
from gen.likeness.columns import Column
from gen.likeness.screening import Screen
from gen.likeness.thresholds import Thresholds
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.kept import name_of_house
from gen.provenance.signing.code import source_digest

_LEAST_PIECES = 16
_SHARE = 256
"""It is written anew when so many pieces, or such a part of all, were added since."""
_DIGEST_BYTES = 32
_ROOMS = ("contribution", "disk", "likeness")
"""Whose code says what is kept, and how."""


@dataclass(slots=True)
class KeptScreen:
    """A screen and what is in it.

    Attributes:
        screen: knows the pieces that were added here, and perhaps more after them.
        acts: how many of the register's acts it was made of, and the digest of these.
        works: how many of the register's works were looked at, in their order.
        unread: SHA-256 of the music of those among them that could not be read.
        withdrawn: ids of works that it knows as withdrawn.
        outputs: digests of receipts of the outputs in it.
        digests: of each piece by its number the SHA-256 of a work's music, or of an output's
            receipt, end to end.
        changes: how many pieces were added or withdrawn since it was kept.
    """

    screen: Screen
    acts: tuple[int, bytes] = (0, b"")
    works: int = 0
    unread: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    digests: Column = field(default_factory=lambda: Column(np.uint8))
    changes: int = 0
    _numbers: dict[bytes, int] = field(default_factory=dict)  # by digest, once one is asked for
    _counted: int = 0

    def number_of(self, digest: str) -> int | None:
        """The number of the piece with this digest, hex."""
        new = self.digests.span(self._counted * _DIGEST_BYTES, len(self.digests)).tobytes()
        for place in range(0, len(new), _DIGEST_BYTES):
            self._numbers.setdefault(new[place : place + _DIGEST_BYTES], self._counted)
            self._counted += 1
        return self._numbers.get(bytes.fromhex(digest))

    def note(self, digest: str) -> None:
        """The screen was given the piece with this digest."""
        self.digests.extend(_bytes_of(digest))
        self.changes += 1

    def new_works(self, register: Register) -> Iterator[WorkRecord]:
        """Works that it was not given yet; those that could not be read come first."""
        musics = register.musics
        names = [musics[music] for music in sorted(self.unread)]
        names += islice(musics.values(), self.works, None)
        return map(register.works.__getitem__, names)

    def save(self, house: House, register: Register, folder: Path | None = None) -> None:
        """Keep it, when enough has changed to be worth it."""
        if self.changes < max(_LEAST_PIECES, self.works // _SHARE):
            return
        self.screen.keep_up()
        state = {
            "acts": (register.size, register.digest_of(register.size)),
            "works": self.works,
            "unread": sorted(self.unread),
            "withdrawn": sorted(self.withdrawn),
            "outputs": sorted(self.outputs),
            "digests": self.digests.all,
            "screen": self.screen.state(),
        }
        _file(house, folder).write(state)
        self.changes = 0


def read_screen(house: House, thresholds: Thresholds, folder: Path | None = None) -> KeptScreen:
    """The screen that was kept of this house; an empty one where there is none.

    Args:
        house: whose.
        thresholds: for the screen.
        folder: another one than the user's own.
    """
    state = _file(house, folder).read()
    if state is None:
        return KeptScreen(Screen(thresholds))
    size, digest = state["acts"]
    return KeptScreen(
        Screen.of_state(state["screen"], thresholds),
        (size, digest),
        state["works"],
        set(state["unread"]),
        set(state["withdrawn"]),
        set(state["outputs"]),
        Column(np.uint8, state["digests"]),
    )


def _bytes_of(digest: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(digest), np.uint8)


def _file(house: House, folder: Path | None) -> SealedArrays:
    path = (folder or user_folder("screening")) / f"{name_of_house(house.pin)}.screen"
    return SealedArrays(path, f"screen by {' '.join(map(source_digest, _ROOMS))}")
