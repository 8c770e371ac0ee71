"""Reads the texts of old and foreign sequencers, which say no encoding.

Names of tracks are too short for the detectors that are made for documents (of 110 names in twelve
encodings `charset-normalizer` reads one in five). Each encoding in use is tried; what it reads
costs bits by how rare its letters are in the languages written in it and by what they stand
beside, and the cheapest reading wins.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from functools import cache
from math import inf, log2
from unicodedata import category

from gen.smf.naming import instrument_in

_LETTERS = {  # the commonest first
    "cp1252": "éäöüèáàçãíóñßêúôåâøõîëïæûœòìùÿ",
    "mac_roman": "éäöüèáàçãíóñßêúôåâøõîëïæûœòìùÿ",
    "cp850": "éäöüèáàçãíóñßêúôåâøõîëïæûìòùÿ",
    "cp1250": "íáéłóąęěšůčřžőűúýśżćňźńďťöüăşţîâđ",
    "cp1254": "ışğüöçâî",
    "cp1251": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїє",
    "koi8_r": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "cp1253": "αοιετσνηυρπκμλςωάίόέήύώγδθφχβξζψϊϋΐΰ",
    "iso8859_7": "αοιετσνηυρπκμλςωάίόέήύώγδθφχβξζψϊϋΐΰ",
}
_BLOCKS = frozenset({0x00, 0x03, 0x04})
"""The first bytes of Latin, Greek and Cyrillic letters in UTF-16; no text has them as letters."""
_HALF_WIDTH = "ﾝｰｽﾙﾄﾗｲﾘｱｸﾀﾌﾚｯﾃｵｷﾊｼﾏﾁﾛﾋﾉﾈﾊﾐｺｻｶｴﾒﾅﾑﾕｮｭｬｳﾍｹﾎｾｿﾂﾆﾔﾖﾜｧｨｩｪｫﾇﾓﾖﾚｦ"
_HANGUL = (
    "이다는을의에가하고로지사한기리도아자대인서나어시정일보해수부제스장라유전상주소그원구조여비관마생경"
    "공신국오선무성개명과동차미거만발방산진회치간위들모음계체표파드바히트코크터타노피플루레베술현악첼렉후"
    "렴곡멜디렌올럼린금야일펫롬색컬랩코러싱패드키신스킥심벌북징꽹과리쟁대해아쟁"
)
_HAN = (
    "的一不人中大上小下二三四天心月日風花雪山水春秋夜曲歌音主旋律前奏副間间尾聲声獨独合唱弦絃樂乐"
    "長长笛號号琴提鋼钢電电吉他鼓古箏筝胡琵琶貝贝司手風风典伴管打擊击部伴節节拍新名無无愛爱夢梦"
)
_EAST_ASIAN = ("cp932", "gbk", "big5", "cp949", "euc_jp", "utf-16-le", "utf-16-be")
_UNLIKELIER = {"cp1252": 0.0, "mac_roman": 1.0, "cp1250": 1.0, "cp1251": 1.0, "cp932": 1.0,
                "cp850": 6.0}  # fmt: skip
"""Bits that an encoding costs beforehand; the others `_SELDOM`."""
_SELDOM, _VERY_SELDOM = 2.0, 4.0
_RARE = ("koi8_r", "iso8859_7", "euc_jp", "utf-16-le", "utf-16-be")
_LATIN = ("cp1252", "mac_roman", "cp850", "cp1250", "cp1254")
_SIGNS = frozenset("’‘“”„–—…°·«»№©®€\xa0ªº")  # noqa: RUF001 - signs as they are
_STRANGE, _ODD, _TOGETHER, _SIGN, _NAMED = 14.0, 6.0, 4.0, 6.0, -12.0
"""What nobody writes; letters that do not belong together; two accented ones in a row; a sign; a
known instrument's name."""


def decode_text(payload: bytes) -> str:
    """The likeliest reading of a text.

    UTF-16 with its mark, or with a zero beside most letters; UTF-8 where it is valid; else the
    likeliest of the encodings of Europe and East Asia. Never fails. Control
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
        return _once(payload.decode("utf-8"))
    except UnicodeDecodeError:
        return _likeliest(payload.rstrip(b"\0"))


def _once(text: str) -> str:
    """A text that was written as UTF-8 twice, read twice; any other as it is."""
    try:
        return text if text.isascii() else text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def _marked(payload: bytes) -> str:
    if payload.startswith(BOM_UTF8):
        return ""
    return "utf-16" if payload.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else ""


def _with_zeros(payload: bytes) -> str:
    """UTF-16 without a mark: every other byte is zero, or says Greek or Cyrillic."""
    letters = payload.removesuffix(b"\0\0")
    if len(letters) < 4 or len(letters) % 2:
        return ""
    first, second = letters[::2], letters[1::2]
    for high, low, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        is_western = high.count(0) * 2 > len(high)
        if 0 not in low and (is_western or _BLOCKS.issuperset(high)):
            return encoding
    return ""


def _likeliest(payload: bytes) -> str:
    """The cheapest reading; mac_roman reads anything, so there is one.

    Args:
        payload: no valid UTF-8.
    """
    return min(_readings(payload), key=lambda reading: reading[0])[1]


def _readings(payload: bytes) -> Iterator[tuple[float, str]]:
    """What each encoding costs and reads."""
    for encoding in (*_LETTERS, *_EAST_ASIAN):
        try:
            text = payload.decode(encoding)
        except UnicodeDecodeError:
            continue
        seldom = _VERY_SELDOM if encoding in _RARE else _SELDOM
        cost = _UNLIKELIER.get(encoding, seldom) + sum(_costs(text, encoding))
        if instrument_in(text) is not None:
            cost += _NAMED
        yield cost, text


def _costs(text: str, encoding: str) -> Iterator[float]:
    """Bits of each character beyond ASCII."""
    cost_of = _east_asian_cost(encoding) if encoding in _EAST_ASIAN else _letter_cost(encoding)
    is_latin, vowel = encoding in _LATIN, ""
    for before, one, after in zip(f" {text}", text, f"{text} "[1:], strict=False):
        if one.isascii():
            if not one.isprintable() and one not in "\t\r\n\0":
                yield _STRANGE
            vowel = one if one in "aeiou" else "" if one.isspace() else vowel
            continue
        yield cost_of(one)
        is_inside = before.isalpha() and after.isalpha()
        if one in _SIGNS:
            yield _ODD + _SIGN if is_inside and one != "’" else 0.0  # noqa: RUF001
        elif one.isupper() and (before.islower() or (before.isalpha() and after.islower())):
            yield _ODD
        elif one == "ı" and vowel and vowel != "a":
            yield _ODD  # Turkish vowels of a word go together
        elif is_latin:
            yield _TOGETHER if before.isalpha() and not before.isascii() else 0.0
        elif any(other.isascii() and other.isalpha() for other in (before, after)):
            yield _ODD


@cache
def _letter_cost(encoding: str) -> Callable[[str], float]:
    """Of a language of few letters: the rarer, the more; capitals a little more."""
    ranks = {letter: rank for rank, letter in enumerate(_LETTERS[encoding])}

    def cost(one: str) -> float:
        if one in _SIGNS:
            return _SIGN
        rank = ranks.get("ı" if one == "İ" else one.lower(), inf)
        return _STRANGE if rank == inf else 2 + log2(rank + 2) + one.isupper()

    return cost


def _east_asian_cost(encoding: str) -> Callable[[str], float]:
    """Of Chinese, Japanese and Korean: the usual ones of thousands."""

    def cost(one: str) -> float:
        if "\uff66" <= one <= "\uff9f":
            return 4.0 if one in "ﾞﾟ" else 3 + log2(_HALF_WIDTH.find(one) % 64 + 2)
        if "\u3040" <= one <= "\u30ff":
            return 6.0
        if "\uac00" <= one <= "\ud7a3":
            return 7.0 if one in _HANGUL else 11.5 if _is_standard(one) else 2 * _STRANGE
        if "\u4e00" <= one <= "\u9fff":
            return _han_cost(one, encoding)
        return 2 * _STRANGE

    return cost


def _is_standard(hangul: str) -> bool:
    """Whether it is one of the 2,350 syllables of the standard, not of its extension."""
    lead, trail = hangul.encode("cp949")
    return 0xB0 <= lead <= 0xC8 and trail >= 0xA1


def _han_cost(one: str, encoding: str) -> float:
    """By whether it is among those that every font had from the first standard on."""
    if encoding == "cp949":
        return 2 * _STRANGE
    if one in _HAN:
        return 8.0
    if encoding.startswith("utf"):
        return 11.5
    lead = one.encode(encoding)[0]
    usual = {
        "cp932": (0x88, 0x97), "gbk": (0xB0, 0xD7), "big5": (0xA4, 0xC6),
        "euc_jp": (0xB0, 0xCF),
    }[encoding]  # fmt: skip
    return 11.5 if usual[0] <= lead <= usual[1] else 2 * _STRANGE
