"""A preset is where to begin: what of it cannot go with what is asked beside it gives way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any, Final

from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM
from gen.sampling.controls import MOST_BARS, instrument_number
from gen.sampling.form import fitted, laid_out
from gen.sampling.job import MODES

_OF_THE_FILE: Final = frozenset(
    {"instruments", "roles", "tempo", "time_signature", "key", "chords", "sections"}
)
"""What the music of a given file settles, or what would be laid out over it."""


def give_way(settings: Mapping[str, Any], asked: Collection[str]) -> dict[str, Any]:
    """Leave out what a preset says where that contradicts what was asked beside it.

    A given file keeps its own music, so that only genre, mood, density and ranges of a preset
    are left; other instruments keep its roles if they are as many, with drums in the same
    places; another key lets go of its chords.

    Its sections are fitted to other bars, see `form.fitted`. A preset does not tell how long
    its last section is: it counts as the shortest of the others.

    Args:
        settings: the composed `conf/sample.yaml`, as plain containers.
        asked: names of those settings that were asked for themselves.

    Raises:
        SettingError: bars were asked for, and the file that is given has its own; an instrument
            is unknown.
    """
    modes = [mode for mode in MODES if settings.get(mode) is not None]
    gone: set[str] = set()
    if modes:
        if "bars" in asked and "continue" not in modes:
            raise SettingError(
                f"comes from the file that {modes[0]}= names", where="bars", mend="leave it out"
            )
        gone |= _OF_THE_FILE
    elif "instruments" in asked and not _fit(settings.get("instruments"), settings.get("roles")):
        gone.add("roles")
    if "key" in asked:
        gone.add("chords")
    if "bars" in asked and "sections" not in asked and not modes:
        settings = {**settings, "sections": _refitted(settings)}
    nothing: dict[str, list[str]] = {"instruments": [], "roles": []}
    return {**settings, **{name: nothing.get(name) for name in gone - set(asked)}}


def _fit(instruments: Any, roles: Any) -> bool:
    """Whether the roles can be those of the instruments; what is no list is refused elsewhere."""
    if not isinstance(instruments, list) or not isinstance(roles, list):
        return True
    drums = [instrument_number(name) == DRUM_PROGRAM for name in instruments]
    return drums == [role == "drums" for role in roles]


def _refitted(settings: Mapping[str, Any]) -> Any:
    """Sections for so many bars; what cannot be read is refused elsewhere."""
    sections, bars = settings.get("sections"), settings.get("bars")
    if not isinstance(sections, str) or not isinstance(bars, int):
        return sections
    parts = [part.rpartition(":") for part in sections.split()]
    firsts = [int(bar) for _, _, bar in parts if bar.isdecimal()]
    if len(firsts) < len(parts) or firsts != sorted(set(firsts)) or bars > MOST_BARS:
        return sections
    lengths = [after - first for first, after in pairwise(firsts)]
    if not lengths:
        return sections
    own = zip((name for name, _, _ in parts), [*lengths, min(lengths)], strict=True)
    return laid_out(fitted(list(own), bars + 1 - firsts[0]), firsts[0])
