"""What a composer states about a work: the predicate inside the tag.

The envelope's payload is an in-toto Statement v1. Its subject is the SHA-256 of the music
bytes; its predicate is a `Statement`, written below field by field.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal
from unicodedata import combining, normalize

from gen.errors import SettingError
from gen.harmony import GENRES, MOODS
from gen.piece import ROLES
from gen.provenance.records.consent import PERSON_ID, Consent, Grant
from gen.provenance.signing.canonical import StrictJsonError, canonical, is_sha256_hex, utc_now
from gen.provenance.signing.shapes import Composers, Digest, Shape, Share, composers_of, shares_of

IN_TOTO_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:music-house:work:v1"
MACHINE = "machine"
METHODS = ("played", "programmed", "score", MACHINE)
"""How a work was made: performed into a recorder, written in a sequencer, typed as a score; or
written by a machine, in whole or in part, which only a house takes whose roster says so."""

WORK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}\Z")
MAX_TEXT_CHARACTERS = 20_000
_PLAIN_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}


class Description(Shape, frozen=True, omit_defaults=True):
    """What the work is, as its composer says; any field may be empty.

    Attributes:
        title: for people.
        genre: one of `gen.harmony.GENRES`.
        mood: one of `gen.harmony.MOODS`.
        key: as in "A minor".
        chords: bars separated by `|`.
        sections: `name:first bar`, 1-based: "intro:1 A:5 B:13".
        roles: one a note-bearing track, in file order; "" where unknown.
    """

    WHAT: ClassVar[str] = "description"

    title: str = ""
    genre: str = ""
    mood: str = ""
    key: str = ""
    chords: str = ""
    sections: str = ""
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("title", "genre", "mood", "key", "chords", "sections"):
            _printable(name, getattr(self, name))

    def checked(self) -> Description:
        """Itself, when its words are known ones.

        Asked when a work is signed, never when one is read: vocabularies grow and shrink, and
        works signed years ago must still verify.

        Raises:
            SettingError: an unknown genre, mood or role; names the nearest.
        """
        _one_of("genre", self.genre, GENRES)
        _one_of("mood", self.mood, MOODS)
        for role in self.roles:
            _one_of("role", role, ROLES)
        return self


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value and value not in known:
        import difflib

        near = difflib.get_close_matches(value, known, 1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(
            f"{name} {value!r} is unknown{guess}", mend=f"use one of: {', '.join(known)}"
        )


def _printable(name: str, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SettingError(f"{name} has {len(text)} characters", mend="say it shorter")
    if not text.isprintable():
        raise SettingError(f"{name} {text[:40]!r} holds control characters", mend="remove them")


def check_composers(composers: Composers) -> None:
    """Shares are whole percents that sum to 100, people appear once.

    Raises:
        SettingError: with the value that is wrong.
    """
    people = [person for person, _ in composers]
    total = sum(share for _, share in composers)
    for person, share in composers:
        if not PERSON_ID.match(person):
            raise SettingError(f"{person!r} is no person's id", mend="write ids like `ana-lima`")
        if not 1 <= share <= 100:
            raise SettingError(f"{person}'s share is {share}", mend="shares are 1 to 100 percent")
    if len(set(people)) != len(people) or total != 100:
        raise SettingError(
            f"the composers' shares sum to {total} over {len(set(people))} people",
            mend="name each composer once, shares summing to 100, as in `ana:60 ben:40`",
        )


def parse_composers(text: str) -> Composers:
    """Read `ana:60 ben:40`; a single name alone holds all.

    Raises:
        SettingError: shares that do not sum to 100, or a malformed entry.
    """
    words = text.replace(",", " ").split()
    if len(words) == 1 and ":" not in words[0]:
        words = [f"{words[0]}:100"]
    pairs = []
    for word in words:
        person, _, share = word.partition(":")
        if not share.isdecimal():
            raise SettingError(f"{word!r} names no share", mend="write `ana:60 ben:40`")
        pairs.append((person, int(share)))
    check_composers(tuple(pairs))
    return tuple(pairs)


def make_work_id(title: str, music_sha256: str) -> str:
    """A readable id that no two different files share: `paper-lanterns-3fa9c2e1`.

    Accents go and letters stay: "Prélude 1" begins with `prelude-1`.
    """
    letters = "".join(_PLAIN_LETTERS.get(letter, letter) for letter in title.casefold())
    plain = "".join(c for c in normalize("NFKD", letters) if not combining(c))
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")
    return f"{words or 'work'}-{music_sha256[:8]}"


@dataclass(frozen=True, slots=True)
class Statement:
    """The predicate: who made the work, how, and what it may be used for.

    Attributes:
        work: the work's id, also its file name.
        composers: (person id, share in percent), summing to 100; one of them signs.
        method: one of `METHODS`.
        consent: what the composers allow at the time of signing.
        musical_hash: `gen.smf.musical_hash` of the music.
        description: title, genre, roles and so on.
        contract: the house's reference, for instance "C-2030-17".
        no_third_party_material: the composer states that nothing in it is another's.
        screening_sha256: digest of the screening report; "" when none was made.
        software: what made the tag.
        time: UTC, for people; nothing is judged by it.
        house: identity of the house that it is signed for; "" for a house without one.
    """

    work: str
    composers: Composers
    method: str
    consent: Consent
    musical_hash: str
    description: Description = field(default_factory=Description)
    contract: str = ""
    no_third_party_material: bool = True
    screening_sha256: str = ""
    software: str = ""
    time: str = ""
    house: str = ""

    def __post_init__(self) -> None:
        if not WORK_ID.match(self.work):
            raise SettingError(
                f"{self.work!r} is no work id",
                mend="use lower-case letters a-z, digits and hyphens, at most 80",
            )
        check_composers(self.composers)
        _printable("method", self.method)
        _printable("contract", self.contract)
        _printable("house", self.house)
        if not is_sha256_hex(self.musical_hash):
            raise SettingError(f"musical_hash {self.musical_hash!r} is no SHA-256")
        if self.screening_sha256 and not is_sha256_hex(self.screening_sha256):
            raise SettingError(f"screening_sha256 {self.screening_sha256!r} is no SHA-256")
        if not self.no_third_party_material:
            raise SettingError(
                f"{self.work}: the house takes works only with the statement of origin",
                mend="if third-party material is in the work, do not contribute it",
            )

    @property
    def no_generative_model(self) -> bool:
        """The composer states that no generative model wrote any of it."""
        return self.method != MACHINE

    def stamped(self) -> Statement:
        """Ready to sign: words checked, software version and time filled in.

        Raises:
            SettingError: an unknown method, genre, mood or role.
        """
        from gen import __version__

        _one_of("method", self.method or "?", METHODS)
        self.description.checked()

        return replace(
            self,
            software=self.software or f"gen {__version__}",
            time=self.time or utc_now(),
        )

    def payload(self, music_sha256: str) -> bytes:
        """The in-toto Statement that is signed, about the music with this digest."""
        subject = _Subject(_Digest(music_sha256), f"{self.work}.mid")
        return canonical(_Payload(_Predicate.of(self), (subject,)).to_dict())

    @staticmethod
    def from_payload(content: object) -> tuple[Statement, str]:
        """Read a decoded payload: the statement, and the SHA-256 it speaks about.

        Raises:
            StrictJsonError: anything but what `payload` writes.
        """
        found = _Payload.from_dict(content)
        if len(found.subject) != 1:
            raise StrictJsonError(f"{len(found.subject)} subjects, not one")
        (subject,), work = found.subject, found.predicate.work
        if subject.name != f"{work}.mid":
            raise StrictJsonError(f"the subject is {subject.name!r:.100}, the work {work!r}")
        try:
            return found.predicate.statement(), subject.digest.sha256
        except SettingError as error:
            raise StrictJsonError(f"predicate: {error.what}") from error


class _Origin(Shape, frozen=True):
    no_generative_model: bool
    no_third_party_material: bool


class _Predicate(Shape, frozen=True, omit_defaults=True):
    """A statement as it is signed."""

    composers: tuple[Share, ...]
    consent: tuple[Grant, ...]
    contract: str
    description: Description
    method: str
    musical_hash: str
    screening_sha256: str
    software: str
    statements: _Origin
    time: str
    work: str
    house: str = ""

    @staticmethod
    def of(statement: Statement) -> _Predicate:
        origin = _Origin(statement.no_generative_model, statement.no_third_party_material)
        return _Predicate(
            shares_of(statement.composers),
            statement.consent.grants,
            statement.contract,
            statement.description,
            statement.method,
            statement.musical_hash,
            statement.screening_sha256,
            statement.software,
            origin,
            statement.time,
            statement.work,
            statement.house,
        )

    def statement(self) -> Statement:
        if self.statements.no_generative_model == (self.method == MACHINE):
            raise StrictJsonError(f"method {self.method!r} contradicts the statement of origin")
        return Statement(
            self.work,
            composers_of(self.composers),
            self.method,
            Consent.recorded(self.consent),
            self.musical_hash,
            self.description,
            self.contract,
            self.statements.no_third_party_material,
            self.screening_sha256,
            self.software,
            self.time,
            self.house,
        )


class _Digest(Shape, frozen=True):
    sha256: Digest


class _Subject(Shape, frozen=True):
    digest: _Digest
    name: str


class _Payload(
    Shape, frozen=True, rename={"kind": "predicateType"}, tag_field="_type", tag=IN_TOTO_TYPE
):
    """An in-toto Statement v1 about one work."""

    WHAT: ClassVar[str] = "payload"

    predicate: _Predicate
    subject: tuple[_Subject, ...]
    kind: Literal["urn:music-house:work:v1"] = PREDICATE_TYPE
