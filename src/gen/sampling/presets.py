"""A preset is where to begin: what of it cannot go with what is asked beside it gives way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import accumulate, cycle, pairwise
from typing import Any, Final

from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM
from gen.sampling.controls import MOST_BARS, instrument_number
from gen.sampling.job import MODES
from gen.tokens.events import section_id

_OF_THE_FILE: Final = frozenset(
    {"instruments", "roles", "tempo", "time_signature", "key", "chords", "sections"}
)
"""What the music of a given file settles, or what would be laid out over it."""


def give_way(settings: Mapping[str, Any], asked: Collection[str]) -> dict[str, Any]:
    """Leave out what a preset says where that contradicts what was asked beside it.

    A given file keeps its own music, so that only genre, mood, density and ranges of a preset
    are left; other instruments keep its roles if they are as many, with drums in the same
    places; another key lets go of its chords.

    Fewer bars keep those of its sections that begin within them. With more bars its form goes
    on: an intro stays at the beginning and an ending at the end, each as long as it was, and
    what is between them comes again in the same order (a b a as a b a b a …). A rest too short
    for the next section lengthens the one before, to twice its length at most; a longer one is
    the next section cut short. A preset does not tell how long its last section is: it counts
    as the shortest of the others.

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
        settings = {**settings, "sections": _laid_out(settings)}
    nothing: dict[str, list[str]] = {"instruments": [], "roles": []}
    return {**settings, **{name: nothing.get(name) for name in gone - set(asked)}}


def _fit(instruments: Any, roles: Any) -> bool:
    """Whether the roles can be those of the instruments; what is no list is refused elsewhere."""
    if not isinstance(instruments, list) or not isinstance(roles, list):
        return True
    drums = [instrument_number(name) == DRUM_PROGRAM for name in instruments]
    return drums == [role == "drums" for role in roles]


def _laid_out(settings: Mapping[str, Any]) -> Any:
    """Sections for so many bars; what cannot be read is refused elsewhere."""
    sections, bars = settings.get("sections"), settings.get("bars")
    if not isinstance(sections, str) or not isinstance(bars, int):
        return sections
    parts = [part.rpartition(":") for part in sections.split()]
    firsts = [int(bar) for _, _, bar in parts if bar.isdecimal()]
    if len(firsts) < len(parts) or firsts != sorted(set(firsts)) or bars > MOST_BARS:
        return sections
    named = [name for name, _, _ in parts]
    lengths = [after - first for first, after in pairwise(firsts)]
    if lengths and bars >= firsts[-1] + min(lengths):
        own = list(zip(named, [*lengths, min(lengths)], strict=True))
        form = _gone_on(own, bars + 1 - firsts[0])
        firsts = list(accumulate((length for _, length in form[:-1]), initial=firsts[0]))
        named = [name for name, _ in form]
    begun = [f"{name}:{bar}" for name, bar in zip(named, firsts, strict=True) if bar <= bars]
    return " ".join(begun) or None


def _gone_on(form: list[tuple[str, int]], bars: int) -> list[tuple[str, int]]:
    """A form that fills so many bars: names and lengths of its sections."""
    body = list(form)
    ids = [section_id(name) for name, _ in form]
    intro = [body.pop(0)] if ids[0] == section_id("intro") else []
    ending = [body.pop()] if body and ids[-1] == section_id("ending") else []
    if not body:
        return form
    closes = len(body) > 1 and section_id(body[0][0]) == section_id(body[-1][0])
    following = cycle(body[1:] if closes else body)
    rest = bars - sum(length for _, length in [*intro, *body, *ending])
    name, length = next(following)
    while rest >= length or rest > body[-1][1]:
        body.append((name, min(length, rest)))
        rest -= body[-1][1]
        name, length = next(following)
    last, before = body.pop()
    return [*intro, *body, (last, before + rest), *ending]
