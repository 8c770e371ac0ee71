"""A stretch of days, and the acts of the log that say they are of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from gen.errors import SettingError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.acts import Act
from gen.provenance.records.consent import parse_day


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included (UTC)."""

    first: date
    last: date

    def holds(self, time: str) -> bool:
        """Whether an act's time is in it."""
        return self.first.isoformat() <= time[:10] <= self.last.isoformat()

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    @staticmethod
    def parse(text: str) -> Period:
        """Read `2026-01-01..2026-03-31`.

        Raises:
            SettingError: no two days, or in the wrong order.
        """
        first, dots, last = text.partition("..")
        if not dots:
            raise SettingError(f"{text!r:.40} is no period", mend="2026-01-01..2026-03-31")
        found = Period(parse_day(first), parse_day(last))
        if found.first > found.last:
            raise SettingError(f"{found.first} is after {found.last}", mend="the first day first")
        return found


def acts_of_kinds(
    house: House, register: Register, kinds: Collection[str], since: int = 0
) -> Iterator[Act]:
    """Acts of these kinds, in order, from the lines that the register was made of.

    Args:
        house: whose.
        register: of it.
        kinds: of acts.
        since: index of the first that counts.
    """
    names = [f'"act":"{kind}"'.encode() for kind in kinds]
    chosen = house.register_log.known_lines(
        register.leaves, lambda index, line: index >= since and any(n in line[:64] for n in names)
    )
    for _, line in chosen:
        act = Act.decode(line, is_known=True)
        if act.kind in kinds:
            yield act
