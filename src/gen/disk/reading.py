"""Reading a file that a person names: one careful way for all of them.

A name on a command line, in a setting or in somebody's receipt may be that of a pipe, a device, a
folder or a sparse file of terabytes. So every such file is looked at before it is opened (opening
a pipe would wait for ever), opened without waiting, looked at again, and read up to the limit of
its kind. A link is followed: the person named it. Files inside a house are
`gen.disk.folder`'s, which follows none.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gen.disk.kinds import CAREFULLY, kind_of, read_up_to, reading_from
from gen.errors import HouseError, shortened

MEBIBYTE = 1 << 20
MOST_LEVELS = 64
"""How deep JSON and YAML may be nested; nothing here nests more than ten levels."""
_LOOK = "look whether the name is right, and whether you may read what is there"
_FOLLOWING = CAREFULLY & ~getattr(os, "O_NOFOLLOW", 0)
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


class NamedFileError(HouseError):
    """A named file that is absent, of another kind, too large, or not what it should hold."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is read as.

    Attributes:
        name: for people.
        max_bytes: the most that one may have.
        mend: what to do when it cannot be read.
    """

    name: str
    max_bytes: int
    mend: str = ""


PIN = FileKind("trust pin", MEBIBYTE, "restore it from version control, or name another with --pin")
PROOF = FileKind("proof", 16 * MEBIBYTE, "name a file that house.py prove wrote")
PAPER = FileKind("paper", 64 * MEBIBYTE, "name a file that disclose.py or house.py royalties wrote")
STATEMENT = FileKind(
    "statement of royalties", 64 * MEBIBYTE, "name a file that house.py royalties wrote"
)
ANSWER = FileKind("answer", 65_536, "name the file that the witness or the authority sent")
CERTIFICATES = FileKind("file of certificates", MEBIBYTE, "name a file of certificates in PEM")
KEY_FILE = FileKind("key file", 4_096, "restore it from your own backup")
SECRET = FileKind("secret", 1_024)
MIDI = FileKind("MIDI file", 4 * MEBIBYTE, "name a Standard MIDI File of at most 4 MiB")
SIDECAR = FileKind("table", 64 * MEBIBYTE, "save the sheet as CSV, UTF-8, with commas")
FINGERPRINTS = FileKind(
    "list of fingerprints",
    256 * MEBIBYTE,
    "name a list that house.py fingerprint or scripts/fingerprint_alone.py wrote",
)
CREDENTIALS = FileKind("file of content credentials", 4 * MEBIBYTE)
SCORE = FileKind("score", 64 * MEBIBYTE)
RECEIPT = FileKind("receipt", 4 * MEBIBYTE, "name the .json beside a piece that sample.py wrote")
CHECKPOINT = FileKind(
    "checkpoint", 64 << 30, "train one with scripts/train.py, or name another with checkpoint=FILE"
)
TRANSCRIPT = FileKind("transcript", 64 * MEBIBYTE)
RUN_END = FileKind("end of a run", MEBIBYTE)
RUN_WORKS = FileKind("list of a run's works", 64 * MEBIBYTE)
RUN_SETTINGS = FileKind("list of a run's settings", MEBIBYTE)
RUN_CURVES = FileKind("table of a run's curves", 256 * MEBIBYTE)
SOUNDFONT = FileKind(
    "SoundFont", 1 << 30, "give a SoundFont 2 file (.sf2), or leave it out for the built-in font"
)
LISTENING = FileKind("file of a listening test", 1_000_000)
CACHE = FileKind("kept file", 1 << 30)
KEPT = FileKind("kept file", 8 << 30)


@contextmanager
def opened(path: Path | str, kind: FileKind) -> Iterator[BinaryIO]:
    """A named file, open for reading, no larger than its kind may be when it is opened.

    Raises:
        NamedFileError: absent, unreadable, no regular file, or too large.
    """
    with reading_from(_descriptor(path, kind), str(path)) as file:
        yield file


def read(path: Path | str, kind: FileKind) -> bytes:
    """A named file's bytes. Errors as `opened`."""
    with opened(path, kind) as file:
        try:
            data = read_up_to(file, kind.max_bytes + 1)
        except OSError as error:
            raise _unreadable(path, kind, error) from error
    if len(data) > kind.max_bytes:
        raise _too_large(path, kind, len(data))
    return data


def read_text(path: Path | str, kind: FileKind) -> str:
    """A named file as UTF-8, a byte order mark left out.

    Raises:
        NamedFileError: as `opened`, or not UTF-8.
    """
    try:
        return read(path, kind).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, kind, f"is not UTF-8 (byte {error.start:,})") from error


def read_json(path: Path | str, kind: FileKind) -> Any:
    """A named file as JSON.

    Raises:
        NamedFileError: as `opened`, not JSON, or nested deeper than `MOST_LEVELS`.
    """
    return parse_json(read(path, kind), path, kind)


def parse_json(data: bytes, path: Path | str, kind: FileKind) -> Any:
    """What `read_json` makes of bytes that were read already."""
    try:
        check_levels(data)
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, kind, f"is damaged: no JSON ({shortened(str(error))})") from error


def read_yaml(path: Path | str, kind: FileKind) -> Any:
    """A named file as plain YAML: no anchors, which can say a terabyte in a line, and no tags.

    Raises:
        NamedFileError: as `opened`, not YAML, anchors in it, a key twice, or nested deeper than
            `MOST_LEVELS`.
    """
    import yaml

    data = read(path, kind)
    try:
        loader = _plain_loader()(data)
        node = loader.get_single_node()
        _check_keys_differ(node)
        return None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong(path, kind, f"is no plain YAML ({shortened(str(error))})") from error


@functools.cache
def _plain_loader() -> Any:
    """What reads YAML once, and stops at an alias or `MOST_LEVELS` before either costs anything."""
    import yaml

    class PlainLoader(yaml.SafeLoader):
        levels = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            is_deep = self.levels >= MOST_LEVELS and self.check_event(yaml.CollectionStartEvent)
            if is_deep or self.check_event(yaml.AliasEvent):
                raise ValueError("an alias, or nested too deep")
            self.levels += 1
            node = super().compose_node(parent, index)
            self.levels -= 1
            return node

    return PlainLoader


def _check_keys_differ(node: Any) -> None:
    """Of two values under one key YAML takes the last in silence; another reader, the first."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r:.60} stands there twice")
    for child in getattr(node, "value", ()) if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            _check_keys_differ(part)


def sha256_of(path: Path | str, kind: FileKind) -> str:
    """SHA-256 of a named file, hex, read piece by piece. Errors as `opened`."""
    digest = hashlib.sha256()
    with opened(path, kind) as file:
        while block := file.read(MEBIBYTE):
            digest.update(block)
    return digest.hexdigest()


def check_levels(data: bytes | str) -> None:
    """Whether JSON is nested no deeper than `MOST_LEVELS`; whether it is JSON is not judged.

    Raises:
        ValueError: deeper.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if data.count(b"[") + data.count(b"{") <= MOST_LEVELS:
        return
    levels = 0
    for match in _BRACKETS.finditer(data):
        found = match[0]
        levels += found in (b"[", b"{")
        levels -= found in (b"]", b"}")
        if levels > MOST_LEVELS:
            raise ValueError(f"nested deeper than {MOST_LEVELS} levels")


def _descriptor(path: Path | str, kind: FileKind) -> int:
    try:
        _check(os.stat(path), path, kind)
        descriptor = os.open(path, os.O_RDONLY | _FOLLOWING)
    except (OSError, ValueError) as error:
        raise _unreadable(path, kind, error) from error
    try:
        _check(os.fstat(descriptor), path, kind)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(found: os.stat_result, path: Path | str, kind: FileKind) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _wrong(path, kind, f"is a {kind_of(found.st_mode)}, and should be a {kind.name}")
    if found.st_size > kind.max_bytes:
        raise _too_large(path, kind, found.st_size)


def _unreadable(path: Path | str, kind: FileKind, error: Exception) -> NamedFileError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _wrong(path, kind, f"cannot be read ({why})")


def _too_large(path: Path | str, kind: FileKind, size: int) -> NamedFileError:
    return _wrong(
        path, kind, f"has {size:,} bytes, too large for a {kind.name} (at most {kind.max_bytes:,})"
    )


def _wrong(path: Path | str, kind: FileKind, what: str) -> NamedFileError:
    return NamedFileError(what, where=str(path), mend=kind.mend or _LOOK)
