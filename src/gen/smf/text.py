"""Reads the texts of old and foreign sequencers, which say no encoding."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from unicodedata import category

from gen.smf.encodings import likeliest


def decode_text(payload: bytes) -> str:
    """The likeliest reading of a text.

    UTF-16 with its mark, or with a zero beside most letters; UTF-8 where it is valid; else the
    likeliest of the encodings of Europe and East Asia (`encodings`). Never fails. Control
    characters (line ends, terminating zeros) are left out.
    """
    return "".join(c for c in read_text(payload) if category(c) != "Cc")


def read_text(payload: bytes) -> str:
    """The likeliest reading as in `decode_text`, with its line ends, without a mark before it."""
    return _decode(payload).removeprefix("\ufeff")


def _decode(payload: bytes) -> str:
    if encoding := _marked(payload) or _with_zeros(payload):
        return payload[: len(payload) // 2 * 2].decode(encoding, errors="replace")
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return likeliest(payload.rstrip(b"\0"))


def _marked(payload: bytes) -> str:
    if payload.startswith(BOM_UTF8):
        return ""
    return "utf-16" if payload.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else ""


def _with_zeros(payload: bytes) -> str:
    """UTF-16 without a mark: every other byte of Western text is zero, and no letter is."""
    letters = payload.removesuffix(b"\0\0")
    if len(letters) < 4 or len(letters) % 2:
        return ""
    first, second = letters[::2], letters[1::2]
    for high, low, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if 0 not in low and high.count(0) * 2 > len(high):
            return encoding
    return ""
