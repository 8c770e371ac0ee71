"""What lies around a Standard MIDI File, and what a file is that holds none.

Mail programs, old Macs and Windows wrap files; a person also picks the wrong file. Both are
described in a musician's words.
"""

from __future__ import annotations

import zlib

from gen.smf.rules import MAX_BYTES, RuleBroken

_MAC_HEADER_BYTES = 128
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_HEADER = b"MThd\x00\x00\x00\x06"
_SEARCHED_BYTES = 4096

_EXPORT = "export the piece from your sequencer as a Standard MIDI File, type 1"
_PROJECT = f"open it in the program that wrote it and {_EXPORT.replace('from your sequencer ', '')}"
_UNPACK = f"unpack it and give the MIDI files in it; if it is a score, {_PROJECT}"
_AUDIO = f"audio holds no notes: {_EXPORT}"
_CLIP = (
    "the house reads MIDI 1.0 files; in the program that wrote it choose Standard MIDI File "
    "(.mid, type 1) instead of MIDI 2.0 clip"
)
_KINDS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"SMF2CLIP", "a MIDI 2.0 clip", _CLIP),
    (0, b"SMF2CON", "a MIDI 2.0 container", _CLIP),
    (8, b"WAVE", "WAV audio", _AUDIO),
    (8, b"AVI ", "a video", _AUDIO),
    (8, b"AIFF", "AIFF audio", _AUDIO),
    (8, b"AIFC", "AIFF audio", _AUDIO),
    (0, b"ID3", "MP3 audio", _AUDIO),
    (0, b"\xff\xfb", "MP3 audio", _AUDIO),
    (0, b"\xff\xf3", "MP3 audio", _AUDIO),
    (0, b"fLaC", "FLAC audio", _AUDIO),
    (0, b"OggS", "Ogg audio", _AUDIO),
    (0, b"caff", "Core Audio", _AUDIO),
    (4, b"ftyp", "MP4 audio or video", _AUDIO),
    (8, b"sfbk", "a SoundFont, which holds sounds and no notes", _EXPORT),
    (0, b"XFIH", "a Yamaha style or song part without its MIDI data", _EXPORT),
    (0, b"FLhd", "a project of FL Studio", _PROJECT),
    (0, b"<REAPER_PROJECT", "a project of REAPER", _PROJECT),
    (0, _GZIP, "a packed file, as projects of Ableton Live are", _PROJECT),
    (0, _ZIP, "a zip archive, as scores of MuseScore and Dorico are", _UNPACK),
    (8, b"NUND", "a project of Cubase or Nuendo", _PROJECT),
    (0, b"\x03001011110010101", "a session of Pro Tools", _PROJECT),
    (1, b"FICHIER GUITAR PRO", "a tablature of Guitar Pro", _PROJECT),
    (0, b"BCFZ", "a tablature of Guitar Pro", _PROJECT),
    (8, b"XDIR", "music of a game (XMI)", _EXPORT),
    (0, b"MUS\x1a", "music of a game (MUS)", _EXPORT),
    (0, b"SIBELIUS", "a score of Sibelius", _PROJECT),
    (0, b"\x0fSIBELIUS", "a score of Sibelius", _PROJECT),
    (0, b"ENIGMA", "a score of Finale", _PROJECT),
    (0, b"bplist", "a property list of macOS", _PROJECT),
    (0, b"\x23\x47\xc0\xab", "a project of Logic", _PROJECT),
    (0, b"\x00\x05\x16\x07", "what macOS keeps beside a file (its name begins with ._)",
     "give the file itself"),
    (0, b"%PDF", "a PDF, which shows notes and holds none", _EXPORT),
    (0, b"\x89PNG", "a picture", _EXPORT),
    (0, b"\xff\xd8\xff", "a picture", _EXPORT),
    (0, b"{\\rtf", "a text", _EXPORT),
)  # fmt: skip
"""Where, which bytes, what they tell, and what to do."""


def unwrap(data: bytes, wrapping: list[str]) -> bytes:
    """The bytes from a file's MIDI header on.

    Args:
        data: the whole file.
        wrapping: receives what was taken off, one sentence each.

    Raises:
        RuleBroken: there is no MIDI header; says what the file is instead.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        found = _riff_data(data)
        wrapping.append("taken out of its RIFF (.rmi) wrapper")
        if found[:4] != b"MThd":
            raise RuleBroken("not-midi", "a RIFF (.rmi) file without MIDI data in it")
        return found
    if data[:4] == b"MThd":
        return data
    if data.startswith(_ZIP):
        what, mend = describe(data)
        raise RuleBroken("not-midi", what, mend=mend)
    if (unpacked := _unpacked(data))[:4] == b"MThd":
        wrapping.append("taken out of its gzip wrapper")
        return unpacked
    place = data.find(_HEADER, 0, _SEARCHED_BYTES)
    if place < 0:
        what, mend = describe(data)
        raise RuleBroken("not-midi", what, mend=mend)
    if place == _MAC_HEADER_BYTES and _is_mac_binary(data):
        wrapping.append("taken out of its MacBinary wrapper")
        length = int.from_bytes(data[83:87], "big")
        return data[place : place + length]
    wrapping.append(f"{place:,} bytes before the MIDI header left out")
    return data[place:]


def describe(data: bytes) -> tuple[str, str]:
    """What a file without a MIDI header is, in a sentence, and what to do."""
    if not data:
        return "the file is empty (0 bytes)", _EXPORT
    if not data.strip(b"\x00"):
        return "the file holds nothing but zeros, as after a broken copy", "copy it once more"
    for place, mark, name, mend in _KINDS:
        if data[place : place + len(mark)] == mark:
            return f"this is no MIDI file but {name}", mend
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        is_score = b"score-partwise" in data[:2000] or b"score-timewise" in data[:2000]
        what = "a MusicXML score" if is_score else "a web page or an XML text"
        return f"this is no MIDI file but {what}", _PROJECT if is_score else _EXPORT
    if _is_text(data[:512]):
        return "this is no MIDI file but a text", _EXPORT
    return "this is no MIDI file: it does not begin with a MIDI header (MThd)", _EXPORT


def _is_text(data: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\r\n\f" for byte in data)


def _unpacked(data: bytes) -> bytes:
    """What gzip packed; nothing where it did not, or where it is broken."""
    if not data.startswith(_GZIP):
        return b""
    try:
        found = zlib.decompressobj(wbits=31).decompress(data, MAX_BYTES + 1)
    except zlib.error:
        return b""
    if len(found) > MAX_BYTES and found.startswith(b"MThd"):
        raise RuleBroken("too-large", f"it holds more than {MAX_BYTES:,} bytes")
    return found


def _riff_data(data: bytes) -> bytes:
    """The content of the chunk `data`, whatever chunks come before it."""
    position = 12
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        start = position + 8
        length = int.from_bytes(data[position + 4 : start], "little")
        if kind == b"data":
            return data[start : start + length]
        position = start + length + length % 2
    return b""


def _is_mac_binary(data: bytes) -> bool:
    """Whether the first 128 bytes are a MacBinary header: zero, a name, zeros where they belong."""
    return data[0] == 0 and 1 <= data[1] <= 63 and data[74] == 0 and data[82] == 0
