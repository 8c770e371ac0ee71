"""The ledger: runs and outputs, written by the machine as they happen.

Same format and append code as the register (`gen.provenance.log`), without signatures: no
person acts here. It answers which works a run used, which pieces a checkpoint wrote, and lets
the house refuse a generated piece that comes back as a contribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from gen.provenance.canonical import StrictJsonError, canonical, canonical_json, fields, utc_now
from gen.provenance.house import House
from gen.provenance.log import Head, LogError
from gen.provenance.store import LEDGER_LOCK

RUN, OUTPUT = "run", "output"
_RUN_LINE, _OUTPUT_LINE = (b'{"act":"%b",' % kind.encode() for kind in (RUN, OUTPUT))
_MUSICAL_HASH = re.compile(rb'"musical_hash":"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class Record:
    """One ledger line: `kind` is "run" or "output"."""

    index: int
    kind: str
    time: str
    data: dict[str, Any]


def append_run(
    house: House,
    *,
    run: str,
    purpose: str,
    manifest_digest: str,
    works: Sequence[str],
    details: Mapping[str, Any] | None = None,
) -> Head:
    """Record that a run has read the works of a manifest.

    Args:
        house: whose works.
        run: the run's name, unique to the house.
        purpose: what the run is for.
        manifest_digest: of its corpus manifest.
        works: ids of the works it used.
        details: anything else, JSON without floats (checkpoint path, device, code version).
    """
    data = {
        "details": dict(details or {}),
        "manifest": manifest_digest,
        "purpose": purpose,
        "run": run,
        "works": sorted(works),
    }
    return _append(house, RUN, [data])


@dataclass(frozen=True, slots=True)
class Output:
    """A generated piece as the ledger keeps it.

    Attributes:
        sha256: of the marked file.
        musical_hash: of its notes.
        receipt_digest: of its receipt.
        manifest_digest: of the corpus manifest behind its checkpoint.
        checkpoint: the checkpoint's name or digest.
        fingerprint: what screening compares melodies by; JSON without floats.
        path: where it was written, for people.
    """

    sha256: str
    musical_hash: str
    receipt_digest: str
    manifest_digest: str
    checkpoint: str = ""
    fingerprint: Any = None
    path: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "checkpoint": self.checkpoint,
            "fingerprint": self.fingerprint,
            "manifest": self.manifest_digest,
            "musical_hash": self.musical_hash,
            "path": self.path,
            "receipt": self.receipt_digest,
            "sha256": self.sha256,
        }


def append_output(house: House, output: Output) -> Head:
    """Record one generated piece."""
    return append_outputs(house, [output])


def append_outputs(house: House, outputs: Sequence[Output]) -> Head:
    """Record generated pieces in one append."""
    return _append(house, OUTPUT, [output.to_dict() for output in outputs])


def _append(house: House, kind: str, items: Sequence[Mapping[str, Any]]) -> Head:
    # A lock of its own: a training run must not wait for a curator at work.
    with house.store.locked(LEDGER_LOCK):
        first = house.ledger_log.head().size
        lines = [
            canonical(
                {"act": kind, "data": item, "format": 1, "index": first + i, "time": utc_now()}
            )
            for i, item in enumerate(items)
        ]
        return house.ledger_log.append(lines)


def records(house: House) -> Iterator[Record]:
    """Every ledger line, verified against the ledger's head at the end of the iteration.

    Raises:
        LogError: lines missing, reordered or changed.
    """
    log = house.ledger_log
    for index, line in enumerate(log.lines(log.head())):
        try:
            found = fields(
                canonical_json(line), "record", act=str, data=dict, format=int, index=int, time=str
            )
            if found["index"] != index:
                raise StrictJsonError(f"it says it is line {found['index']}")
        except StrictJsonError as error:
            raise LogError(f"line {index}: {error.what}", where=str(log.path)) from error
        yield Record(index, found["act"], found["time"], found["data"])


class Generated:
    """Musical hashes of every piece this house's models wrote, as far as logged here.

    Lines are held against the ledger's head, but not decoded: a ledger of many outputs is read
    at each start. `refresh` takes in what was logged meanwhile.

    Raises:
        LogError: as `records`, and for an output without its hash.
    """

    def __init__(self, house: House) -> None:
        self.hashes: set[str] = set()
        self._log = house.ledger_log
        self._head: Head | None = None
        self.refresh()

    def __contains__(self, musical_hash: str) -> bool:
        return musical_hash in self.hashes

    def refresh(self) -> Self:
        """Read what was logged since the last time."""
        head = self._log.head()
        for line in self._log.lines(head, self._head):
            if line.startswith(_RUN_LINE):
                continue
            # Inside a text the quotes would be escaped: nothing else looks like this.
            found = _MUSICAL_HASH.findall(line)
            if not (found and line.startswith(_OUTPUT_LINE)):
                what = f"a line that is neither a run nor an output with its hash: {line[:60]!r}"
                raise LogError(what, where=str(self._log.path))
            self.hashes.update(map(bytes.decode, found))
        self._head = head
        return self
