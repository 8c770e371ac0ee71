"""One value, one spelling: canonical JSON, digests, times.

Everything that is signed or hashed is canonical JSON: UTF-8, keys sorted, no spaces, no floats.
A reader accepts exactly the bytes the writer would have written, so duplicate keys, stray
spaces and trailing bytes have nowhere to hide.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

from gen.errors import HouseError

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
MAX_JSON_BYTES = 4 << 20
"""Longest JSON text read from a file or a tag."""


class StrictJsonError(HouseError):
    """Text that is not the canonical JSON this house writes."""


def canonical(value: object) -> bytes:
    """The one spelling of `value`.

    Raises:
        StrictJsonError: `value` holds something that JSON or this house has no place for.
    """
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - 20) : error.end + 20]
        what = f"{around!r} cannot be written: it is no text in UTF-8"
        raise StrictJsonError(what, mend="say it in letters that UTF-8 has") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise StrictJsonError(f"cannot be written as JSON: {error}") from error


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise StrictJsonError(f"the key {key!r} appears twice")
        seen[key] = value
    return seen


def _refuse_number(text: str) -> Any:
    raise StrictJsonError(f"{text[:24]} is no whole number")


def strict_json(data: bytes, most: int = MAX_JSON_BYTES) -> Any:
    """Decode JSON that a person may have laid out: spaces pass, ambiguity does not.

    Raises:
        StrictJsonError: too long, not UTF-8, not JSON, a key twice, a float, trailing bytes.
    """
    if len(data) > most:
        raise StrictJsonError(f"{len(data)} bytes of JSON, more than {most}")
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_refuse_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise StrictJsonError(f"not JSON: {error}") from error


def canonical_json(data: bytes, most: int = MAX_JSON_BYTES) -> Any:
    """Decode JSON that must be spelled exactly as `canonical` spells it.

    The fast path is one C decode and one C encode; only a mismatch pays for the explanation.

    Args:
        data: the JSON.
        most: bytes that it may have.

    Raises:
        StrictJsonError: any other spelling, with what is wrong where that can be told.
    """
    if len(data) > most:
        raise StrictJsonError(f"{len(data)} bytes of JSON, more than {most}")
    try:
        value = json.loads(data, parse_float=_refuse_number, parse_constant=_refuse_number)
        same = canonical(value) == data
    except (ValueError, RecursionError) as error:
        raise StrictJsonError(f"not JSON: {error}") from error
    if not same:
        strict_json(data, most)
        raise StrictJsonError("not in canonical form (key order, spaces or escapes differ)")
    return value


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def is_sha256_hex(text: object) -> bool:
    """Whether `text` is 64 lower-case hex digits."""
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")


def to_base64(data: bytes) -> str:
    """Standard base64, padded."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: object) -> bytes:
    """Standard base64 in its one canonical spelling.

    Raises:
        StrictJsonError: not text, not base64, or spare bits that are not zero.
    """
    if not isinstance(text, str):
        raise StrictJsonError(f"base64 expected, found a {type(text).__name__}")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise StrictJsonError(f"not base64: {error}") from error
    if to_base64(data) != text:
        raise StrictJsonError("base64 with spare bits set")
    return data


def today_utc() -> date:
    """The day (UTC) that this computer's clock shows."""
    return datetime.now(UTC).date()


def utc_now() -> str:
    """The time to the second, as records spell it: 2030-01-31T12:00:00Z."""
    return datetime.now(UTC).strftime(TIME_FORMAT)
