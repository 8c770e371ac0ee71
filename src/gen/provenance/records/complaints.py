"""Complaints in the log: each entered on the day it came, and so is what was answered.

The log holds the digest of a record alone. The record itself, with who complains and what was
said, lies in the house's folder `complaints` (`gen.provenance.desk.complaints_desk`), with a salt:
once that file is gone, nothing in the log tells what was in it, and every act and proof stays as it
is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from gen.provenance.records.acts import Act
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.shapes import Digest, Shape


class Complaint(Shape, frozen=True, rename={"record": "record_sha256"}):
    """What a `complain` says: SHA-256 of the complaint's record."""

    WHAT: ClassVar[str] = "complaint"

    record: Digest


class Answer(Shape, frozen=True, rename={"record": "record_sha256"}):
    """What an `answer` says: index of the complaint, SHA-256 of the answer's record."""

    WHAT: ClassVar[str] = "answer"

    complaint: int
    record: Digest


@dataclass(frozen=True, slots=True)
class Entered:
    """A complaint or an answer as the register keeps it; `time` is what its act says."""

    index: int
    by: str
    time: str
    record: str


@dataclass(slots=True)
class Complaints:
    """Every complaint in the log, by index, and the answers to each."""

    entered: dict[int, Entered] = field(default_factory=dict)
    answers: dict[int, list[Entered]] = field(default_factory=dict)

    def take_complaint(self, act: Act, complaint: Complaint) -> None:
        self.entered[act.index] = Entered(act.index, act.by, act.time, complaint.record)

    def take_answer(self, act: Act, answer: Answer) -> None:
        if answer.complaint not in self.entered:
            raise StrictJsonError(f"act {answer.complaint} is no complaint")
        found = Entered(act.index, act.by, act.time, answer.record)
        self.answers.setdefault(answer.complaint, []).append(found)
