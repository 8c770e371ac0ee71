"""People's words for facts as the house writes them, and small changes to long ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from unicodedata import normalize

from gen.errors import SettingError
from gen.smf import instrument_name, read_instruments

SHOWN_BARS = 8
"""Of a long progression so many bars are shown."""


def tidy(name: str, text: str) -> str:
    """A fact as it was typed, in the form that the house keeps; what cannot be read stays.

    Capitals, commas, spaces within a word and percent signs do not matter: `Programmed` is
    `programmed`, `Pop Ballad` is `pop_ballad`, `general_model, evaluation` names two uses.

    Args:
        name: a field of `Facts`.
        text: what somebody stated.
    """
    text = " ".join(normalize("NFC", text).split())
    change = _TIDY.get(name)
    return change(text) if change and text else text


def _word(text: str) -> str:
    return re.sub(r"[\s-]+", "_", text.casefold())


def _words(text: str) -> str:
    """Words that commas or else spaces divide."""
    parts = re.split(r"\s*[,;]\s*", text.strip(" ,;")) if re.search("[,;]", text) else text.split()
    return " ".join(_word(part) for part in parts)


def _consent(text: str) -> str:
    text = re.sub(r"\b(general|artist)[\s-]+model\b", r"\1_model", text.casefold())
    text = re.sub(r"\s*@\s*", "@", re.sub(r"\s*:\s*", ":", text))
    return " ".join(re.split(r"[\s,;]+", text.strip(" ,;")))


def _composers(text: str) -> str:
    name, share = r"(?<![a-z0-9-])([a-z][a-z0-9-]*)", r"(?:\s*[:=]\s*|\s+)(\d+)(?:\s*%)?"
    shares = re.sub(name + share, r"\1:\2", text.casefold())
    return " ".join(re.split(r"[\s,;]+", shares.strip(" ,;")))


def _sections(text: str) -> str:
    return " ".join(re.split(r"[\s,;]+", re.sub(r"\s*:\s*", ":", text).strip(" ,;")))


def _instruments(text: str) -> str:
    try:
        return ", ".join(map(instrument_name, read_instruments(text)))
    except SettingError:
        return text


_TIDY: dict[str, Callable[[str], str]] = {
    "method": _word,
    "genre": _word,
    "mood": _word,
    "roles": _words,
    "consent": _consent,
    "composers": _composers,
    "sections": _sections,
    "instruments": _instruments,
}


def shortened(name: str, text: str) -> str:
    """A fact as a question shows it: of a long progression the first bars and their number."""
    bars = [bar.strip() for bar in text.split("|")]
    if name != "chords" or len(bars) <= SHOWN_BARS:
        return text
    return f"{' | '.join(bars[:SHOWN_BARS])} | … ({len(bars)} bars)"


_CHANGE = re.compile(r"(?:^|(?<=[\s,;]))(\d+)(?:\s*-\s*(\d+))?\s*=")
_DIVIDERS = {"chords": (" | ", r"\|"), "roles": (" ", r"\s"), "instruments": (", ", ",")}
_PLACES = {"chords": "bar", "roles": "track", "instruments": "track"}


def changed(name: str, before: str, answer: str) -> str:
    """An answer, or the fact before with the places that the answer names changed.

    `5=Dm7 9-12=F C` changes bars of chords, `2=bass` the second track's role or instrument.

    Args:
        name: a field of `Facts`.
        before: what stood there.
        answer: as typed.

    Raises:
        SettingError: a place is not there.
    """
    if name not in _DIVIDERS or not _CHANGE.match(answer.strip()):
        return answer
    joint, divider = _DIVIDERS[name]
    cells = [cell.strip() for cell in re.split(divider, before)]
    for first, last, value in _changes(answer.strip()):
        if not 1 <= first <= last <= len(cells):
            what = f"{_PLACES[name]} {last if first <= last else first} is not there"
            raise SettingError(what, mend=f"there are {len(cells)}, counted from 1")
        cells[first - 1 : last] = [value] * (last - first + 1)
    return joint.join(cells)


def _changes(answer: str) -> Iterator[tuple[int, int, str]]:
    """First and last place of each change, and what goes there."""
    found = list(_CHANGE.finditer(answer))
    ends = [change.start() for change in found[1:]] + [len(answer)]
    for change, end in zip(found, ends, strict=True):
        first = int(change[1])
        value = answer[change.end() : end].strip(" ,;|")
        yield first, int(change[2] or first), value
