"""What waiting works are like: remembered until the house changes, as pages are opened often."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from gen.contribution import Recheck
from gen.likeness.report import WORK, Report
from gen.provenance.canonical import sha256_hex
from gen.provenance.house import House
from gen.provenance.inbox import Waiting
from gen.provenance.log import Head
from gen.provenance.register import Register


@dataclass(slots=True)
class Comparisons:
    """Reports on waiting works, by digest of their files, as long as the log's head is the same.

    They are what a curator is shown. Whether a work can be taken is found anew when it is.
    """

    _head: Head | None = None
    _reports: dict[str, Report] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, house: House, register: Register, items: Sequence[Waiting]) -> list[Report | None]:
        """What each work shares with the house, and with those that were looked at before it.

        Args:
            house: where.
            register: as it is now.
            items: waiting works, in the order in which they are looked at for the first time.

        Returns:
            As many, in order; None for a work that cannot be read.
        """
        with self._lock:
            if self._head != register.head:
                self._head, self._reports = register.head, {}
            keys = [sha256_hex(item.tagged.encode()) if item.tagged else "" for item in items]
            self._compare(house, register, dict(zip(keys, items, strict=True)))
            there = {*house.store.waiting(), *register.works}
            reports = (self._reports.get(key) for key in keys)
            return [report and _of_those(report, there) for report in reports]

    def _compare(self, house: House, register: Register, items: dict[str, Waiting]) -> None:
        """Look at those that were not looked at yet, after the others."""
        items.pop("", None)
        new = [key for key in items if key not in self._reports]
        if not new:
            return
        recheck = Recheck(house, register)
        for key, item in items.items():
            if key in self._reports:
                recheck.add(item)
        for key in new:
            if report := recheck(items[key], register):
                self._reports[key] = report


def _of_those(report: Report, there: set[str]) -> Report:
    """A report without works that were turned down since."""
    for known in [match.known for match in report.matches]:
        if known.kind == WORK and known.name not in there:
            report = report.without(known.name)
    return report
