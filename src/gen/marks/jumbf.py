"""JUMBF, the boxes in which a C2PA manifest store is written.

Sources: ISO/IEC 19566-5:2023; C2PA Technical Specification 2.2, section 11.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_UUID_END: Final = bytes.fromhex("00110010800000AA00389B71")
_LABELLED: Final = 3
"""Toggles of a description: it can be asked for by its label."""
_DEEPEST: Final = 8
_MOST_BOXES: Final = 4096


class BrokenStoreError(Exception):
    """Bytes that are no manifest store."""


@dataclass(frozen=True, slots=True)
class Box:
    """A superbox.

    Attributes:
        kind: the four letters of its type, such as b"c2ma".
        label: what it is called among its siblings.
        inner: the superboxes in it.
        content: of its first plain box; b"" where it has none.
        content_kind: four letters.
        body: all of it but its own header, which is what hashes of it are over.
    """

    kind: bytes
    label: str
    inner: tuple[Box, ...]
    content: bytes
    content_kind: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return box(b"jumb", self.body)

    def find(self, *labels: str) -> Box:
        """The box that these labels lead to.

        Raises:
            BrokenStoreError: there is none.
        """
        found = self
        for label in labels:
            inner = next((each for each in found.inner if each.label == label), None)
            if inner is None:
                raise BrokenStoreError(f"{found.label} holds no {label}")
            found = inner
        return found


def box(kind: bytes, payload: bytes) -> bytes:
    """A plain box."""
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


def superbox(kind: bytes, label: str, *content: bytes) -> bytes:
    """A superbox of a type and a label around boxes."""
    described = kind + _UUID_END + bytes((_LABELLED,)) + label.encode() + b"\0"
    return box(b"jumb", box(b"jumd", described) + b"".join(content))


def read(data: bytes) -> Box:
    """The superbox that these bytes begin with; zeros may follow it.

    Raises:
        BrokenStoreError: they begin with none.
    """
    budget = iter(range(_MOST_BOXES))
    found = list(_boxes(data, budget))
    if not found or found[0][0] != b"jumb":
        raise BrokenStoreError("no JUMBF superbox")
    return _superbox(found[0][1], 0, budget)


def _superbox(body: bytes, depth: int, budget: Iterator[int]) -> Box:
    parts = list(_boxes(body, budget))
    if depth > _DEEPEST or not parts or parts[0][0] != b"jumd" or len(parts[0][1]) < 18:
        raise BrokenStoreError("a JUMBF superbox without a description")
    described = parts[0][1]
    label, end, _ = described[17:].partition(b"\0")
    if not described[16] & 2 or not end:
        raise BrokenStoreError("a JUMBF superbox without a label")
    inner = tuple(_superbox(b, depth + 1, budget) for kind, b in parts[1:] if kind == b"jumb")
    plain = next(((kind, b) for kind, b in parts[1:] if kind != b"jumb"), (b"", b""))
    name = label.decode("utf-8", "replace")
    return Box(described[:4], name, inner, plain[1], plain[0], body)


def _boxes(data: bytes, budget: Iterator[int]) -> Iterator[tuple[bytes, bytes]]:
    """The boxes that stand side by side: kind and payload."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 0 and not any(data[at:]):
            return  # padding
        end = len(data) if size == 0 else at + size
        if end > len(data) or 0 < size < 8 or next(budget, None) is None:
            raise BrokenStoreError("a JUMBF box that is longer than what holds it")
        yield data[at + 4 : at + 8], data[at + 8 : end]
        at = end
