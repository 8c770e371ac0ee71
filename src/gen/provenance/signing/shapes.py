"""Parts of records as typed structs: written and read by msgspec, strictly.

A subclass of `Shape` lists the fields of one kind of JSON object, under other names where `rename`
says so. Its JSON holds exactly these, each of its type; with `omit_defaults`, those that have a
default are left out where they have nothing else to say. Bytes are written in base64. Rules that
types cannot tell stand in `__post_init__`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar

import msgspec

from gen.errors import SettingError
from gen.provenance.signing.canonical import StrictJsonError

_Kind = TypeVar("_Kind")

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256, or another value of 32 bytes, in lower-case hex."""
DigestOrNone = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
"""The same, or "" for none."""
P256Key = Annotated[
    str, msgspec.Meta(pattern=r"^MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==\Z")
]
"""A public key of P-256 as SubjectPublicKeyInfo in base64: the middle of its PEM file."""
_IN_WORDS = {
    f"`str` matching regex {kind.__metadata__[0].pattern!r}": words  # type: ignore[attr-defined]
    for kind, words in (
        (Digest, "64 hex digits"),
        (DigestOrNone, "64 hex digits or none"),
        (P256Key, "a public key of P-256 in base64"),
    )
}


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of JSON object; `WHAT` is what messages call it."""

    WHAT: ClassVar[str] = "record"

    def to_dict(self) -> dict[str, Any]:
        """The object, in plain values."""
        found: dict[str, Any] = _plain(msgspec.to_builtins(self))
        return found

    @classmethod
    def from_dict(cls, value: object) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            StrictJsonError: anything else, with the place.
        """
        found = read_as(cls, value, cls.WHAT)
        try:
            written = found.to_dict()
        except RecursionError as error:
            raise StrictJsonError(f"{cls.WHAT}: nested too deep") from error
        if written != value:  # a day, say, or an empty field that is left out when empty
            raise StrictJsonError(
                f"{cls.WHAT}: {_first_other(written, value)} is spelled otherwise"
            )
        return found


class Share(Shape, frozen=True):
    """One composer of a work, and their part of it in percent."""

    WHAT: ClassVar[str] = "composer"

    id: str
    share: int


Composers = tuple[tuple[str, int], ...]
"""Person ids and shares in percent, as everything but the JSON of records has them."""


def shares_of(composers: Composers) -> tuple[Share, ...]:
    """The same as a record has them."""
    return tuple(Share(person, share) for person, share in composers)


def composers_of(shares: Sequence[Share]) -> Composers:
    """The composers that a record names."""
    return tuple((each.id, each.share) for each in shares)


def _first_other(written: dict[str, Any], value: Any) -> str:
    """Name of a field that is not as it would be written."""
    names = sorted(written.keys() | value.keys())
    return next(
        f"`{name}`"
        for name in names
        if (name in written, written.get(name)) != (name in value, value.get(name))
    )


_LEAVES = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> Any:
    """The same with lists for tuples, as JSON is decoded."""
    if isinstance(value, dict):
        return {k: v if type(v) in _LEAVES else _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [each if type(each) in _LEAVES else _plain(each) for each in value]
    return value


def check_sorted(names: Sequence[str], what: str) -> None:
    """Whether a record names at least one, each once and in order, so that it is said in one way.

    Raises:
        StrictJsonError: not so.
    """
    if not names or list(names) != sorted(set(names)):
        raise StrictJsonError(f"{what} are not sorted, one appears twice, or none")


def read_as(kind: type[_Kind], value: object, what: str) -> _Kind:
    """Decoded JSON as a value of this type, nothing in it taken for something else.

    Raises:
        StrictJsonError: a field is missing, unknown or of another type; says which.
    """
    try:
        return msgspec.convert(value, kind)
    except RecursionError as error:
        raise StrictJsonError(f"{what}: nested too deep") from error
    except SettingError as error:
        raise StrictJsonError(f"{what}: {error.what}") from error
    except msgspec.ValidationError as error:
        words = str(error).replace("Invalid enum value", "unknown value")
        for text, plain in _IN_WORDS.items():
            words = words.replace(text, plain)
        raise StrictJsonError(f"{what}: {words[:1].lower()}{words[1:]}") from error
