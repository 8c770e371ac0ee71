"""One file of a contribution: what is stated about it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen.contribution.facts import Facts
from gen.errors import HouseError
from gen.likeness.report import REVIEW, Report
from gen.provenance.records.tag import Unsigned
from gen.safe_parse import Examined

CONTRIBUTED, PRESENT, REFUSED, NEEDS_REVIEW, CHECKED, SKIPPED, TO_SIGN = (
    "contributed", "already there", "refused", "needs review", "checked", "skipped", "to be signed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One file and what is stated about it."""

    path: Path
    facts: Facts = field(default_factory=Facts)


@dataclass(slots=True)
class Outcome:
    """What became of one file. `status` is one of those above; "needs review" is contributed
    too, marked for the curator. `rule`, `found` and `mend` are empty unless refused; `stated` is
    what somebody said of it, `facts` that and what was inferred; `unsigned` is what its composer
    has to sign, where that happens elsewhere.
    """

    path: Path
    status: str
    work: str = ""
    rule: str = ""
    found: str = ""
    mend: str = ""
    stated: Facts = field(default_factory=Facts)
    facts: Facts | None = None
    examined: Examined | None = None
    screening: Report | None = None
    unsigned: Unsigned | None = None

    @property
    def read(self) -> Examined:
        """What was read of it; only of a file that could be."""
        assert self.examined is not None  # noqa: S101 - the caller looked
        return self.examined

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        found: dict[str, Any] = {
            "file": str(self.path),
            "status": self.status,
            "work": self.work,
            "rule": self.rule,
            "found": self.found,
            "mend": self.mend,
        }
        if self.examined:
            normalised = self.examined.normalised
            for name in ("changes", "unheard", "advice", "unsure"):
                found[name] = list(getattr(normalised, name))
            found["analysis"] = self.examined.analysis.to_dict()
        if self.facts:
            found["facts"] = self.facts.to_dict()
        if self.screening:
            found["screening"] = self.screening.to_dict()
        return found

    @property
    def needs_review(self) -> bool:
        """Whether screening asks the curator to look closely."""
        return self.screening is not None and self.screening.verdict == REVIEW


COMPOSED = "contribute what a person composed"
"""What to do where a machine wrote the music."""


class FileRefusedError(HouseError):
    """One file is not contributed; caught where its outcome is made."""

    def __init__(self, rule: str, what: str, mend: str = "") -> None:
        self.rule = rule
        super().__init__(what, mend=mend)
