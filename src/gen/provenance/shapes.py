"""Parts of records as typed structs: written and read by msgspec, strictly.

A subclass of `Shape` lists the fields of one kind of JSON object, under other names where `rename`
says so. Its JSON holds exactly these, each of its type, but for those in `MAY_LACK`, which are
left out where they are empty. Rules that types cannot tell stand in `__post_init__`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar

import msgspec

from gen.provenance.canonical import StrictJsonError

_Kind = TypeVar("_Kind")

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256, or another value of 32 bytes, in lower-case hex."""
_IN_WORDS = {f"`str` matching regex {Digest.__metadata__[0].pattern!r}": "64 hex digits"}  # type: ignore[attr-defined]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of JSON object.

    Attributes:
        WHAT: what messages call it.
        MAY_LACK: names, in JSON, of the fields that are left out where they are empty.
    """

    WHAT: ClassVar[str] = "record"
    MAY_LACK: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """The object, in plain values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        for name in self.MAY_LACK:
            if not found[name]:
                del found[name]
        return found

    @classmethod
    def from_dict(cls, value: object) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            StrictJsonError: anything else, with the place.
        """
        found = read_as(cls, value, cls.WHAT)
        if isinstance(value, dict) and value.keys() != found.to_dict().keys():
            raise StrictJsonError(f"{cls.WHAT}: a field is empty that is left out when empty")
        return found


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
    except msgspec.ValidationError as error:
        words = str(error)
        for text, plain in _IN_WORDS.items():
            words = words.replace(text, plain)
        raise StrictJsonError(f"{what}: {words[:1].lower()}{words[1:]}") from error
