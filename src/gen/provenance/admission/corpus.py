"""What the gate found in a house: works it admits, works left out by right, files it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gen.errors import HouseError, in_line
from gen.provenance.history.log import Head
from gen.provenance.records.consent import Consent
from gen.provenance.records.statement import Description


@dataclass(frozen=True, slots=True)
class Work:
    """An admitted (or not consented) work, as the register and its tag describe it.

    Attributes:
        work_id: its id.
        path: inside the house, with forward slashes.
        sha256: of the music bytes, as signed.
        musical_hash: of what sounds.
        register_index: where it was entered.
        composers: (person id, share in percent).
        curator: who accepted it.
        description: title, genre, roles and so on.
        consent: what its composers allow by now.
    """

    work_id: str
    path: str
    sha256: str
    musical_hash: str
    register_index: int
    composers: tuple[tuple[str, int], ...]
    curator: str
    description: Description
    consent: Consent


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that has no business being there: which rule it breaks, and how to mend it."""

    path: str
    rule: str
    found: str
    mend: str

    def __str__(self) -> str:
        found = f"{self.path}: refused ({self.rule}): {self.found}"
        return f"{in_line(found)}\n  to mend it: {self.mend}"


class CorpusRefused(HouseError):
    """Files in the house that broke a rule; `refusals` lists them all."""

    def __init__(self, refusals: tuple[Refusal, ...], seen: int) -> None:
        self.refusals = refusals
        listing = "\n".join(map(str, refusals))
        super().__init__(f"{len(refusals)} of {seen} files are refused\n{listing}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """What the gate found; `len` counts the files it saw, each in exactly one of three lists.

    Attributes:
        admitted: works whose verified bytes went on, sorted by path.
        refused: files that broke a rule.
        not_consented: valid works whose composers do not allow this purpose today.
        missing: registered works whose file is gone (not seen, so not counted).
        purpose: what they were admitted for.
        register_head: the register at that moment.
        roster_version: the roster at that moment.
        house_name: which house.
        judged_on: the day consent was judged by (UTC).
        used_up: ids among `not_consented` whose terms are for one version, which there is.
    """

    admitted: tuple[Work, ...]
    refused: tuple[Refusal, ...]
    not_consented: tuple[Work, ...]
    missing: tuple[Refusal, ...]
    purpose: str
    register_head: Head
    roster_version: int
    house_name: str
    judged_on: date
    used_up: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.admitted) + len(self.refused) + len(self.not_consented)

    def require_clean(self) -> Corpus:
        """Itself, when every file seen was admitted or left out by right, and none is missing.

        Raises:
            CorpusRefused: lists every refused or missing file with rule and mend.
        """
        problems = (*self.refused, *self.missing)
        if problems:
            raise CorpusRefused(problems, len(self) + len(self.missing))
        return self
