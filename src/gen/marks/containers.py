"""Where a manifest store lies in a file: MIDI, WAV, PNG and MusicXML.

Everything outside the span that a container names is what the store's hash is over.

Sources: C2PA Technical Specification, appendix A: of 2.5 "Embedding manifests into Standard MIDI
Files" (a sequencer-specific meta event FF 7F of the manufacturer 00 43 32 in the last track, the
only one in the file; its data is hashed, the store in it is not); RIFF (a chunk `C2PA`); PNG (a
chunk `caBX` before the picture); structured text (a data URI between fixed delimiters, here in a
field of the score's own metadata, since `--` may stand in no XML comment).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from gen.smf.original import OriginalFile, RawEvent, read_original
from gen.smf.rules import RuleBroken
from gen.smf.splice import Edits, Insertion, splice
from gen.smf.writer import variable_length

MANUFACTURER: Final = bytes.fromhex("004332")
_SEQUENCER_SPECIFIC: Final = 0x7F
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BEGIN: Final = b"-----BEGIN C2PA MANIFEST-----"
_END: Final = b"-----END C2PA MANIFEST-----"
_URI: Final = b"data:application/c2pa;base64,"
_FIELD: Final = (
    b'<miscellaneous><miscellaneous-field name="c2pa-manifest">',
    b"</miscellaneous-field></miscellaneous>",
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file: its first byte, and how many there are."""

    start: int
    length: int

    def cut_out_of(self, data: bytes) -> bytes:
        return data[: self.start] + data[self.start + self.length :]


@dataclass(frozen=True, slots=True)
class Held:
    """A store in a file, and the span that its hash leaves out."""

    store: bytes
    span: Span


class Container(Protocol):
    """A kind of file that can hold a manifest store."""

    media_type: str

    def holds(self, data: bytes) -> bool:
        """Whether these bytes are of this kind."""

    def find(self, data: bytes) -> Held | None:
        """The store in them; None where there is none, or more than one."""

    def without(self, data: bytes) -> bytes:
        """The file without any store."""

    def put(self, data: bytes, store: bytes) -> tuple[bytes, Span]:
        """A file that holds none with a store in it, and the span that its hash leaves out."""


def container_of(data: bytes) -> Container | None:
    """The container that these bytes are; None for another kind of file."""
    return next((each for each in CONTAINERS.values() if each.holds(data)), None)


class Midi:
    """The data of a meta event before the end of the last track."""

    media_type = "audio/midi"

    def holds(self, data: bytes) -> bool:
        return data[:4] == b"MThd"

    def find(self, data: bytes) -> Held | None:
        try:
            found = [payload for _, _, payload in _events(read_original(data))]
        except (RuleBroken, IndexError):
            return None
        if len(found) != 1:
            return None
        length = len(found[0]) - len(MANUFACTURER)
        start = data.index(found[0]) + len(MANUFACTURER)
        return Held(found[0][len(MANUFACTURER) :], Span(start, length))

    def without(self, data: bytes) -> bytes:
        original = read_original(data)
        edits = [Edits() for _ in original.tracks]
        for track, place, _ in _events(original):
            edits[track].removed.add(place)
        return splice(original, edits) if any(each.removed for each in edits) else data

    def put(self, data: bytes, store: bytes) -> tuple[bytes, Span]:
        original = read_original(data)
        payload = MANUFACTURER + store
        event = bytes((0xFF, _SEQUENCER_SPECIFIC)) + variable_length(len(payload)) + payload
        edits = [Edits() for _ in original.tracks]
        edits[-1].inserted.append(Insertion(original.tracks[-1].end_ticks, event))
        whole = splice(original, edits)
        return whole, Span(whole.rindex(event) + len(event) - len(store), len(store))


def _events(original: OriginalFile) -> Iterator[tuple[int, int, bytes]]:
    """Track, place and data of every event that holds a store."""
    for number, track in enumerate(original.tracks):
        for place, event in enumerate(track.events):
            if _is_of_c2pa(event):
                yield number, place, event.payload()


def _is_of_c2pa(event: RawEvent) -> bool:
    return event.is_meta(_SEQUENCER_SPECIFIC) and event.payload().startswith(MANUFACTURER)


class Wav:
    """A chunk of its own at the end."""

    media_type = "audio/wav"

    def holds(self, data: bytes) -> bool:
        return data[:4] == b"RIFF" and data[8:12] == b"WAVE"

    def find(self, data: bytes) -> Held | None:
        found = list(self._spans(data))
        if len(found) != 1:
            return None
        span = found[0]
        length = int.from_bytes(data[span.start + 4 : span.start + 8], "little")
        return Held(data[span.start + 8 : span.start + 8 + length], span)

    def without(self, data: bytes) -> bytes:
        for span in reversed(list(self._spans(data))):
            padded = Span(span.start, span.length + span.length % 2)
            data = padded.cut_out_of(data)
        return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]

    def put(self, data: bytes, store: bytes) -> tuple[bytes, Span]:
        data += bytes(len(data) % 2)
        chunk = b"C2PA" + len(store).to_bytes(4, "little") + store + bytes(len(store) % 2)
        whole = b"RIFF" + (len(data) + len(chunk) - 8).to_bytes(4, "little") + data[8:] + chunk
        return whole, Span(len(data), 8 + len(store))  # without the padding

    @staticmethod
    def _spans(data: bytes) -> Iterator[Span]:
        at = 12
        while at + 8 <= len(data):
            length = 8 + int.from_bytes(data[at + 4 : at + 8], "little")
            if data[at : at + 4] == b"C2PA":
                yield Span(at, min(length, len(data) - at))
            at += length + length % 2


class Png:
    """A chunk after the header."""

    media_type = "image/png"

    def holds(self, data: bytes) -> bool:
        return data.startswith(_PNG)

    def find(self, data: bytes) -> Held | None:
        found = [span for kind, span in self._chunks(data) if kind == b"caBX"]
        if len(found) != 1:
            return None
        span = found[0]
        return Held(data[span.start + 8 : span.start + span.length - 4], span)

    def without(self, data: bytes) -> bytes:
        gone = [span for kind, span in self._chunks(data) if kind == b"caBX"]
        for span in reversed(gone):
            data = span.cut_out_of(data)
        return data

    def put(self, data: bytes, store: bytes) -> tuple[bytes, Span]:
        _, header = next(self._chunks(data))
        at = header.start + header.length
        chunk = png_chunk(b"caBX", store)
        return data[:at] + chunk + data[at:], Span(at, len(chunk))

    @staticmethod
    def _chunks(data: bytes) -> Iterator[tuple[bytes, Span]]:
        at = len(_PNG)
        while at + 12 <= len(data):
            length = 12 + int.from_bytes(data[at : at + 4], "big")
            yield data[at + 4 : at + 8], Span(at, min(length, len(data) - at))
            at += length


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """A chunk of a PNG file."""
    check = zlib.crc32(kind + payload).to_bytes(4, "big")
    return len(payload).to_bytes(4, "big") + kind + payload + check


class MusicXml:
    """A field of the score's identification."""

    media_type = "application/xml"

    def holds(self, data: bytes) -> bool:
        return b"<score-partwise" in data[:2_000] or b"<score-timewise" in data[:2_000]

    def find(self, data: bytes) -> Held | None:
        found = re.findall(re.escape(_BEGIN) + rb"\s*(\S+)\s*" + re.escape(_END), data)
        if len(found) != 1 or not found[0].startswith(_URI):
            return None
        start, end = data.index(_BEGIN), data.index(_END) + len(_END)
        try:
            store = base64.b64decode(found[0][len(_URI) :], validate=True)
        except binascii.Error:
            return None
        return Held(store, Span(start, end - start))

    def without(self, data: bytes) -> bytes:
        block = re.escape(_BEGIN) + rb"\s*\S*\s*" + re.escape(_END)
        around = re.escape(_FIELD[0]) + block + re.escape(_FIELD[1])
        return re.sub(block, b"", re.sub(around, b"", data))

    def put(self, data: bytes, store: bytes) -> tuple[bytes, Span]:
        block = b" ".join((_BEGIN, _URI + base64.b64encode(store), _END))
        before, end, after = data.partition(b"</identification>")
        if not end:
            before, end, after = data.rstrip() + b"\n<?c2pa ", b"?>", b"\n"
            return before + block + end + after, Span(len(before), len(block))
        head = before + _FIELD[0]
        return head + block + _FIELD[1] + end + after, Span(len(head), len(block))


CONTAINERS: Final[dict[str, Container]] = {
    ".mid": Midi(), ".wav": Wav(), ".png": Png(), ".musicxml": MusicXml(),
}  # fmt: skip
"""By the ending of a file's name."""
