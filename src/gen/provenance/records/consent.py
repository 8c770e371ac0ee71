"""What a work may be used for, and until when.

A composer grants scopes: `general_model`, `evaluation`, `artist_model:<id>`, each for ever or
until a day. Text spells a consent as `general_model artist_model:ana@2030-12-31`.

Whose word a purpose needs, of a work with several composers:

- `general_model`, `evaluation`: that of the composer who signs the work, for those named beside;
  from the moment that another says something, that one's too.
- `artist_model:<id>`: besides, that of the artist, for whom nobody else signs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from gen.errors import SettingError
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.shapes import Shape

GENERAL_MODEL = "general_model"
EVALUATION = "evaluation"
ARTIST_MODEL = "artist_model"
PURPOSES = (GENERAL_MODEL, EVALUATION, ARTIST_MODEL)

PERSON_ID = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
"""How people are named in records and folders: `ana`, `ben-2`."""


def artist_of(scope: str) -> str | None:
    """The artist of `artist_model:<id>`; None for other scopes."""
    kind, _, artist = scope.partition(":")
    return artist if kind == ARTIST_MODEL else None


def check_scope(scope: str) -> str:
    """`scope` itself, when it is one.

    Raises:
        SettingError: it is none; names the nearest.
    """
    artist = artist_of(scope)
    if scope in (GENERAL_MODEL, EVALUATION) or (artist and PERSON_ID.match(artist)):
        return scope
    import difflib

    near = difflib.get_close_matches(scope, (GENERAL_MODEL, EVALUATION, "artist_model:"), 1, 0.4)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    raise SettingError(
        f"{scope!r} is no purpose{guess}",
        mend="use general_model, evaluation or artist_model:<composer id>",
    )


class Grant(Shape, frozen=True):
    """One scope; `until` is its last day (UTC), None for ever."""

    WHAT: ClassVar[str] = "consent"

    scope: str
    until: date | None = None

    def is_live(self, today: date) -> bool:
        return self.until is None or today <= self.until

    def __str__(self) -> str:
        return self.scope if self.until is None else f"{self.scope}@{self.until.isoformat()}"


def _earlier(one: date | None, other: date | None) -> date | None:
    days = [day for day in (one, other) if day is not None]
    return min(days, default=None)


@dataclass(frozen=True, slots=True)
class Consent:
    """All grants of one work, at most one a scope, sorted. Empty means: for nothing."""

    grants: tuple[Grant, ...] = ()

    def allows(self, purpose: str, today: date) -> bool:
        return any(g.scope == purpose and g.is_live(today) for g in self.grants)

    def ended(self, today: date) -> tuple[Grant, ...]:
        """The grants whose day is past: they allow nothing any more."""
        return tuple(grant for grant in self.grants if not grant.is_live(today))

    def signed_by(self, composers: Collection[str]) -> Consent:
        """Without the models of artists who have not signed themselves."""
        kept = (g for g in self.grants if artist_of(g.scope) in (None, *composers))
        return Consent(tuple(kept))

    def narrowed_by(self, other: Consent) -> Consent:
        """What both allow."""
        theirs = {g.scope: g.until for g in other.grants}
        shared = (g for g in self.grants if g.scope in theirs)
        return Consent(tuple(Grant(g.scope, _earlier(g.until, theirs[g.scope])) for g in shared))

    def __str__(self) -> str:
        return " ".join(map(str, self.grants)) or "nothing"

    @staticmethod
    def of(grants: list[Grant]) -> Consent:
        """Check and sort.

        Raises:
            SettingError: an unknown scope, or one scope twice.
        """
        scopes = [check_scope(g.scope) for g in grants]
        twice = sorted({s for s in scopes if scopes.count(s) > 1})
        if twice:
            raise SettingError(f"consent names {twice[0]!r} twice", mend="name each scope once")
        return Consent(tuple(sorted(grants, key=lambda g: g.scope)))

    @staticmethod
    def parse(text: str) -> Consent:
        """Read `general_model evaluation@2030-12-31`; `nothing` or empty grants nothing.

        Commas and capitals do not matter.

        Raises:
            SettingError: an unknown scope or day.
        """
        words = text.casefold().replace(",", " ").split()
        words = [] if words == ["nothing"] else words
        return Consent.of([_parse_grant(word) for word in words])

    @staticmethod
    def recorded(grants: Sequence[Grant]) -> Consent:
        """What a record says, where scopes are known ones and sorted.

        Raises:
            StrictJsonError: they are not.
        """
        try:
            consent = Consent.of(list(grants))
        except SettingError as error:
            raise StrictJsonError(f"consent: {error.what}") from error
        if consent.grants != tuple(grants):
            raise StrictJsonError("consent is not sorted by scope")
        return consent


def _parse_grant(word: str) -> Grant:
    scope, at, day = word.partition("@")
    return Grant(check_scope(scope), parse_day(day) if at else None)


def parse_day(text: str) -> date:
    """Read `2030-12-31`.

    Raises:
        SettingError: something else.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingError(f"{text!r} is no day", mend="write days as 2030-12-31") from error
