"""Which of the admitted works a run learns from: all, or those of which something is true."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from gen.errors import HouseError, SettingError
from gen.harmony import GENRES, MOODS, nearest, parse_key
from gen.piece import ROLES
from gen.provenance.admission.corpus import Corpus, Work

_WHERE: Final = "corpus.where"
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {"genre": GENRES, "mood": MOODS, "role": ROLES}
_NAMES: Final = ("genre", "mood", "key", "composer", "role", "work")
_MOST_SAID: Final = 30
_MEND: Final = (
    'write it as corpus.where="genre=waltz,march composer=ana": every name has to hold, and of a '
    "name any of its values"
)


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """Which of the works that the gate admits are learned from.

    Args:
        where: `name=value,value` of genre, mood, key, composer, role or work, separated by
            blanks; every name has to hold, and of a name any of its values. None for all works.
        least: how many there have to be; None for any number.
    """

    where: str | None = None
    least: int | None = None

    def __post_init__(self) -> None:
        _asked(self.where or "")
        if self.least is not None and self.least < 1:
            raise SettingError(f"{self.least} is below 1", where="corpus.least")

    def takes(self, work: Work) -> bool:
        """Whether this work is learned from."""
        return all(values & _of(work, name) for name, values in _asked(self.where or "").items())

    def of(self, corpus: Corpus) -> Corpus:
        """What was admitted and is learned from.

        Raises:
            SettingError: no work of the corpus is.
        """
        admitted = tuple(filter(self.takes, corpus.admitted))
        if admitted:
            return replace(corpus, admitted=admitted)
        raise SettingError(
            f"none of the {len(corpus.admitted)} works that {corpus.house_name} has for this run "
            f"is of {self.where}",
            where=_WHERE, mend=self._there_are(corpus),
        )  # fmt: skip

    def check_enough(self, corpus: Corpus) -> None:
        """Whether there are as many works as there have to be.

        Raises:
            HouseError: fewer.
        """
        count = len(corpus.admitted)
        if self.least is not None and count < self.least:
            raise HouseError(
                f"{corpus.house_name} has {count} works for {corpus.purpose} here, {self.least} are"
                " needed: what is learned from fewer is learned by heart, and no figure shows it",
                where="corpus.least", mend="contribute more, or ask for consent to that purpose",
            )  # fmt: skip

    def _there_are(self, corpus: Corpus) -> str:
        """What the works have under the names that were asked for."""
        said = []
        for name in _asked(self.where or ""):
            there = sorted({value for work in corpus.admitted for value in _of(work, name)} - {""})
            said.append(f"{name}: {', '.join(there[:_MOST_SAID]) or 'none'}")
        return f"there are {'; '.join(said)}"


@functools.lru_cache
def _asked(text: str) -> Mapping[str, frozenset[str]]:
    """Names and values in a setting.

    Raises:
        SettingError: it is not written so, or there is no such name, genre, mood, role or key.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SettingError(f"{text!r:.100}: {error}", where=_WHERE, mend=_MEND) from error
    found: dict[str, frozenset[str]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        if not equals or not all(values.split(",")) or name in found:
            raise SettingError(f"{word!r:.100} is no name=value of its own", where=_WHERE,
                mend=_MEND)  # fmt: skip
        nearest(name, _NAMES, setting=_WHERE)
        found[name] = frozenset(_value(name, value) for value in values.split(","))
    return found


def _value(name: str, value: str) -> str:
    if name in _WORDS:
        return nearest(value, _WORDS[name], setting=f"{_WHERE} {name}")
    return _spelled(value) if name == "key" else value


def _spelled(key: str) -> str:
    """One spelling of a key, whichever way it is written."""
    try:
        return str(parse_key(key))
    except HouseError as error:
        raise SettingError(error.what, where=_WHERE, mend=error.mend) from error


def _of(work: Work, name: str) -> frozenset[str]:
    """What a work has under a name."""
    about = work.description
    if name == "composer":
        return frozenset(person for person, _ in work.composers)
    if name == "role":
        return frozenset(about.roles)
    if name == "key":
        return frozenset([_key_of(about.key)])
    return frozenset([work.work_id if name == "work" else str(getattr(about, name))])


def _key_of(text: str) -> str:
    try:
        return str(parse_key(text))
    except HouseError:  # of another version, or none
        return ""
