"""An append-only log: one canonical JSON object a line, under an RFC 6962 tree head.

Rules
1. The head file is the commit point. Lines past its byte count are the rest of an interrupted
   append: readers ignore them, the next append overwrites them.
2. The head is replaced atomically after the lines are on the disk, so a crash at any instant
   leaves the log with all of an append or none of it.
3. Readers need no lock: they read the head first, then exactly the bytes it covers.
4. Appending needs the lock (the caller's) and the head alone: the head carries the tree's right
   edge, so an append costs the same in a long log as in a short one.
"""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

from gen.disk import Folder, UnfitFileError
from gen.disk.kinds import naming
from gen.errors import HouseError
from gen.provenance.signing.canonical import (
    MAX_JSON_BYTES,
    TIME_FORMAT,
    StrictJsonError,
    canonical,
    canonical_json,
    utc_now,
)
from gen.provenance.signing.dsse import Signature
from gen.provenance.signing.merkle import EMPTY_ROOT, Frontier, leaf_hash
from gen.provenance.signing.shapes import Digest, Shape

REGISTER = "register"
"""The one log that a house has."""
REGISTER_FILE, HEAD_FILE = f"{REGISTER}.jsonl", f"{REGISTER}.head.json"
HEAD_TYPE = "application/vnd.music-house.head+json"
MAX_HEAD_BYTES = 16_384


class LogError(HouseError):
    """A log that is not what its head says."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a log amounts to at one moment.

    Attributes:
        house: the house it belongs to.
        log: "register".
        size: number of lines.
        byte_count: length of those lines with their newlines.
        root: the tree's root hash, hex.
        time: UTC; never earlier than the head before it. Consent is judged no earlier than this.
        frontier: the tree's right edge (redundant: it folds to `root`).
        signatures: by whoever appended last.
    """

    house: str
    log: str
    size: int = 0
    byte_count: int = 0
    root: str = EMPTY_ROOT.hex()
    time: str = ""
    frontier: tuple[bytes, ...] = ()
    signatures: tuple[Signature, ...] = ()

    def payload(self) -> bytes:
        """The bytes that are signed."""
        return canonical(self._signed().to_dict())

    def _signed(self) -> _SignedHead:
        return _SignedHead(
            self.byte_count, 1, self.house, self.log, self.root, self.size, self.time
        )

    def to_dict(self) -> dict[str, Any]:
        edge = tuple(node.hex() for node in self.frontier)
        return _HeadFile(edge, self._signed(), self.signatures).to_dict()

    @staticmethod
    def from_dict(value: object) -> Head:
        """Read what `to_dict` wrote.

        Raises:
            StrictJsonError: anything else, or an edge that does not fold to the root.
        """
        found = _HeadFile.from_dict(value)
        head, edge = found.head, tuple(map(bytes.fromhex, found.frontier))
        if not _is_time(head.time, head.size):
            raise StrictJsonError(f"head: {head.time!r:.40} is no time of a head")
        if len(edge) != head.size.bit_count() or (
            Frontier(head.size, edge).root().hex() != head.root
        ):
            raise StrictJsonError("the head's edge does not fold to its root")
        return Head(
            head.house,
            head.log,
            head.size,
            head.bytes,
            head.root,
            head.time,
            edge,
            found.signatures,
        )


class _SignedHead(Shape, frozen=True):
    """What of a head is signed."""

    bytes: int
    format: Literal[1]
    house: str
    log: str
    root: Digest
    size: int
    time: str


class _HeadFile(Shape, frozen=True):
    """A head as its file has it."""

    WHAT: ClassVar[str] = "head file"

    frontier: tuple[Digest, ...]
    head: _SignedHead
    signatures: tuple[Signature, ...]


def _is_time(text: str, size: int) -> bool:
    """Whether it is spelled as `utc_now` spells it; a log without lines has none."""
    try:
        return (not text and not size) or datetime.strptime(text, TIME_FORMAT).strftime(
            TIME_FORMAT
        ) == text
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Log:
    """The two files of one log: `<name>.jsonl` and `<name>.head.json`."""

    files: Folder
    house: str
    name: str = REGISTER

    @property
    def place(self) -> str:
        return f"{self.name}.jsonl"

    @property
    def head_place(self) -> str:
        return f"{self.name}.head.json"

    @property
    def path(self) -> Path:
        """Where the lines are, for people."""
        return self.files.root / self.place

    def byte_count(self) -> int:
        """Length of the file of lines, with the rest of an interrupted append."""
        found = self.files.look(self.place)
        return found.st_size if found else 0

    def head(self) -> Head:
        """The head as it stands; size 0 before the first append.

        Raises:
            LogError: unreadable, of another log, or gone while lines are there.
        """
        try:
            data = self.files.read_if_there(self.head_place, MAX_HEAD_BYTES)
            if data is None:
                return self._missing_head()
            head = Head.from_dict(canonical_json(data.rstrip(b"\n")))
        except (StrictJsonError, UnfitFileError) as error:
            raise self._error(f"its head cannot be read: {error.what}") from error
        if (head.house, head.log) != (self.house, self.name):
            raise self._error(f"its head is that of the {head.log} of {head.house!r}")
        return head

    def _missing_head(self) -> Head:
        found = self.files.look(self.place)
        if found and (found.st_size or not stat.S_ISREG(found.st_mode)):
            raise self._error(f"its head {self.head_place} is gone")
        return Head(self.house, self.name)

    def lines(self, head: Head, since: Head | None = None) -> Iterator[bytes]:
        """The lines that `head` covers, then the check that they are those.

        Nothing may be done with a line before the iteration has ended without an error.

        Args:
            head: the log's head.
            since: an earlier head, whose lines were read before: only later ones come, and what
                is checked is that `head` extends it.

        Raises:
            LogError: lines missing, added, reordered or changed.
        """
        known = since or Head(self.house, self.name)
        frontier, read = Frontier(known.size, known.frontier), known.byte_count
        if head.size > known.size:
            with self.open() as file:
                file.seek(read)
                for _ in range(head.size - known.size):
                    line = file.readline(MAX_JSON_BYTES + 1)
                    read += len(line)
                    if not line.endswith(b"\n"):
                        raise self._error(
                            f"its head counts {head.size} lines, {frontier.size} are here"
                        )
                    frontier.append(leaf_hash(line[:-1]))
                    yield line[:-1]
        if read != head.byte_count or frontier.root().hex() != head.root:
            raise self._error(
                f"its {head.size} lines hash to {frontier.root().hex()[:16]}…, "
                f"the head says {head.root[:16]}…: a line was changed, moved or cut"
            )

    def known_lines(
        self, leaves: Sequence[bytes], wanted: Callable[[int, bytes], bool]
    ) -> Iterator[tuple[int, bytes]]:
        """Some lines of a log that was verified before, with their indices.

        Args:
            leaves: the leaf hash of every line, as `lines` was held against the head.
            wanted: which lines to give, by index and bytes; these alone are looked at closely.

        Raises:
            LogError: a line wanted is another by now.
        """
        with self.open() as file:
            for index, line in zip(range(len(leaves)), file, strict=False):
                if wanted(index, line):
                    if leaf_hash(line[:-1]) != leaves[index]:
                        raise self._error(f"line {index} is another than a moment ago")
                    yield index, line[:-1]

    def open(self) -> BinaryIO:
        """The file of lines, from its first byte.

        Raises:
            LogError: gone, or no file that may be read.
        """
        try:
            return self.files.open(self.place)
        except FileNotFoundError as error:
            raise self._error("the file is gone") from error
        except UnfitFileError as error:
            raise self._error(f"cannot be read: {error.what}") from error

    def append(
        self,
        entries: Sequence[bytes],
        sign: Callable[[bytes], Sequence[Signature]] | None = None,
        time: str = "",
    ) -> Head:
        """Add lines; they are there for good when this returns. The caller holds the lock.

        Args:
            entries: canonical JSON, one a line.
            sign: makes the signatures over the new head's payload; None leaves it unsigned.
            time: by the clock of who signs; now where none is said.

        Raises:
            LogError: the log is shorter than its head says.
            HouseError: an entry is longer than a line that can be read again.
        """
        if (longest := max(map(len, entries), default=0)) > MAX_JSON_BYTES:
            raise HouseError(
                f"an act of {longest} bytes cannot be entered: {MAX_JSON_BYTES} can be read again",
                where=str(self.path), mend="of a run: learn from fewer works, corpus.where=…",
            )  # fmt: skip
        head = self.head()
        if not self.files.exists(self.head_place):
            # From here on, lines without a head are never an accident.
            self._write_head(head)
        block = b"".join(entry + b"\n" for entry in entries)
        grown = self._grown(head, entries, len(block), time or utc_now())
        signatures = tuple(sign(grown.payload())) if sign else ()
        grown = dataclasses.replace(grown, signatures=signatures)
        self._write_block(head, block)
        self._write_head(grown)
        return grown

    def _write_head(self, head: Head) -> None:
        self.files.write({self.head_place: canonical(head.to_dict()) + b"\n"})

    def _write_block(self, head: Head, block: bytes) -> None:
        with naming(self.path), self.files.open_to_change(self.place) as file:
            if file.seek(0, os.SEEK_END) < head.byte_count:
                raise self._error(f"shorter than the {head.byte_count} bytes its head counts")
            file.seek(head.byte_count)
            file.truncate()
            file.write(block)
            file.flush()
            os.fsync(file.fileno())

    def _grown(self, head: Head, entries: Sequence[bytes], added_bytes: int, time: str) -> Head:
        frontier = Frontier(head.size, head.frontier)
        for entry in entries:
            frontier.append(leaf_hash(entry))
        return Head(
            self.house,
            self.name,
            frontier.size,
            head.byte_count + added_bytes,
            frontier.root().hex(),
            max(time, head.time),
            tuple(frontier.hashes),
        )

    def _error(self, what: str) -> LogError:
        return LogError(
            what,
            where=str(self.path),
            mend="put back the house's last intact copy; if nobody can say why the files differ, "
            "treat the house as tampered with",
        )
