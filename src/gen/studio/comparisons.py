"""What waiting works are like: remembered until the house changes, as pages are opened often."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from gen.contribution import Recheck
from gen.likeness.report import WORK, Report
from gen.provenance.admission.inbox import Waiting
from gen.provenance.history.log import Head
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.signing.canonical import sha256_hex


@dataclass(slots=True)
class Comparisons:
    """Reports on waiting works, by digest of their files, as long as the log's head is the same.

    They are what a curator is shown. Whether a work can be taken is found anew when it is.
    """

    _head: Head | None = None
    _recheck: Recheck | None = None
    _reports: dict[str, Report] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def known(
        self, house: House, register: Register, items: Sequence[Waiting]
    ) -> list[Report | None]:
        """What was found of works already, in their order; None where none was compared yet."""
        there = {*house.store.waiting(), *register.works}
        with self._lock:
            known = self._reports if self._head == register.head else {}
            reports = [known.get(_named(item)) for item in items]
        return [report and _of_those(report, there) for report in reports]

    def of(self, house: House, register: Register, items: Sequence[Waiting]) -> list[Report | None]:
        """What each work shares with the house, and with those that were compared before it.

        Args:
            house: where.
            register: as it is now.
            items: waiting works, each of which is compared once.

        Returns:
            As many, in order; None for a work that cannot be read.
        """
        for item in items:
            with self._lock:  # others, who want to see another work, come in between
                self._compare(house, register, item)
        return self.known(house, register, items)

    def _compare(self, house: House, register: Register, item: Waiting) -> None:
        if self._recheck is None or self._head != register.head:
            self._recheck, self._reports = Recheck(house, register), {}
            self._head = register.head
        if _named(item) not in self._reports and (report := self._recheck(item, register)):
            self._reports[_named(item)] = report


def _named(item: Waiting) -> str:
    return sha256_hex(item.tagged.encode()) if item.tagged else ""


def _of_those(report: Report, there: set[str]) -> Report:
    """A report without works that were turned down since."""
    for known in [match.known for match in report.matches]:
        if known.kind == WORK and known.name not in there:
            report = report.without(known.name)
    return report
