"""Reads the texts of old and foreign sequencers, which say no encoding."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from unicodedata import category

_KANA_RUN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]{2}|[\uff66-\uff9f]{3}")
_RARE_KANJI_LEAD = 0xE0
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüßœÀÁÂÄÅÆÇÈÉÊÍÎÑÓÔÖØÚÜŒ")
_CENTRAL = frozenset("ąćęłńóśźżčďěňřšťůžáéíýúőűöüŁŚŻŹĆČŘŠŽ")
_SIGNS = frozenset("’‘“”„–—…°·«»№©®€\xa0ªº")  # noqa: RUF001 - signs of cp1252 as they are
_APOSTROPHE = "\u2019"
_LATIN = {"cp1252": _WESTERN, "mac_roman": _WESTERN, "cp1250": _CENTRAL}


def decode_text(payload: bytes) -> str:
    """The likeliest reading of a text.

    UTF-16 with its mark, or with a zero beside most letters; UTF-8 where it is valid; Shift-JIS
    where it gives Japanese words; else the likeliest of Windows' Western, Central European and
    Cyrillic and the Macintosh's encodings. Never fails. Control characters (line ends,
    terminating zeros) are left out.
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
        return _japanese(payload) or _likeliest(payload.rstrip(b"\0"))


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


def _japanese(payload: bytes) -> str:
    try:
        text = payload.decode("cp932")
    except UnicodeDecodeError:
        return ""
    if not _KANA_RUN.search(text):
        return ""
    has_kana = re.search("[\u3040-\u30ff]", text)
    return text if has_kana or not any(map(_is_rare, text)) else ""


def _is_rare(character: str) -> bool:
    """Whether it is a kanji of the second level: Cyrillic read as Japanese is full of them."""
    return character.encode("cp932")[0] >= _RARE_KANJI_LEAD


def _likeliest(payload: bytes) -> str:
    """Of the one-byte encodings the one that gives the most usual letters."""
    found = []
    for encoding in (*_LATIN, "cp1251"):
        try:
            text = payload.decode(encoding)
        except UnicodeDecodeError:  # not in this one; mac_roman, among them, reads anything
            continue
        found.append((_score(text, encoding), text))
    return max(found, key=lambda scored: scored[0])[1]


def _score(text: str, encoding: str) -> int:
    """How usual the characters beyond ASCII are where they stand; mac_roman reads anything."""
    around = zip(f" {text}", text, f"{text} "[1:], strict=False)
    if encoding == "cp1251":
        return sum(_cyrillic_score(*three) for three in around)
    return sum(_latin_score(*three, _LATIN[encoding]) for three in around)


def _latin_score(before: str, character: str, after: str, usual: frozenset[str]) -> int:
    if character.isascii():
        return 0
    if not character.isalpha() or character in "ªº":
        is_inside = before.isalpha() and after.isalpha() and character != _APOSTROPHE
        return 2 if character in _SIGNS and not is_inside else -2
    score = 2 if character in usual else 0
    score -= 3 * (before.isalpha() and not before.isascii())
    return score - 2 * (before.islower() and character.isupper())


def _cyrillic_score(before: str, character: str, after: str) -> int:
    if character.isascii():
        return 0
    touches_latin = any(one.isascii() and one.isalpha() for one in (before, after))
    return 1 if "\u0400" <= character <= "\u04ff" and not touches_latin else -3
