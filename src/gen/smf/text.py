"""Reads the texts of old and foreign sequencers, which say no encoding."""

from __future__ import annotations

import re
from unicodedata import category

_JAPANESE_RUN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]{2}")


def decode_text(payload: bytes) -> str:
    """UTF-8 where it is valid; Shift-JIS where it gives Japanese words; else Western European.

    Never fails. Control characters (line ends, terminating zeros) are left out.
    """
    return "".join(c for c in _decode(payload) if category(c) != "Cc")


def _decode(payload: bytes) -> str:
    for encoding in ("utf-8", "cp932", "cp1252"):
        try:
            text = payload.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "cp932" or _JAPANESE_RUN.search(text):
            return text
    return payload.decode("latin-1")
