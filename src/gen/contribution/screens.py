"""The screen over what a house has entered and written, kept between a user's commands.

A command adds only what came since. Like all that is kept it is sealed, counts for nothing when
other code wrote it, and may be removed at any time. What was entered is the register's word: where
what is kept holds anything else, it is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gen.disk.sealed import SealedFile, user_folder
from gen.likeness.columns import decode, encode
from gen.likeness.screening import Screen
from gen.likeness.thresholds import Thresholds
from gen.provenance.code import source_digest
from gen.provenance.house import House
from gen.provenance.kept import name_of_house

_LEAST_PIECES = 16
_SHARE = 64
"""It is written anew when so many pieces, or such a part of all, were added since."""


@dataclass(slots=True)
class KeptScreen:
    """A screen and what is in it.

    Attributes:
        screen: knows the pieces in `numbers`, and perhaps more.
        numbers: digest of a work's music, or of an output's receipt, → its number in the screen.
        changes: how many pieces were added or withdrawn since it was kept.
    """

    screen: Screen
    numbers: dict[str, int]
    changes: int = 0

    def save(self, house: House, folder: Path | None = None) -> None:
        """Keep it, when enough has changed to be worth it."""
        if self.changes < max(_LEAST_PIECES, len(self.numbers) // _SHARE):
            return
        self.screen.keep_up()
        state = {"numbers": self.numbers, "screen": self.screen.state()}
        _file(house, folder).write(encode(state))
        self.changes = 0


def read_screen(house: House, thresholds: Thresholds, folder: Path | None = None) -> KeptScreen:
    """The screen that was kept of this house; an empty one where there is none.

    Args:
        house: whose.
        thresholds: for the screen.
        folder: another one than the user's own.
    """
    data = _file(house, folder).read()
    if data is None:
        return KeptScreen(Screen(thresholds), {})
    state = decode(data)
    return KeptScreen(Screen.of_state(state["screen"], thresholds), state["numbers"])


def _file(house: House, folder: Path | None) -> SealedFile:
    path = (folder or user_folder("screening")) / f"{name_of_house(house.pin)}.screen"
    return SealedFile(path, f"screen by music of {source_digest('likeness')}")
