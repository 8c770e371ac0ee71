"""From a composer's files to signed contributions: check, normalise, screen, describe, sign.

Many files are read side by side in child processes (`gen.safe_parse`) and judged in order;
signed works go to the inbox in small batches. Whatever happens to one file is its outcome;
none stops the others, and a second run finds what the first one left and goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gen import processes
from gen.contribution.facts import Facts, find_problems, inferred
from gen.contribution.kept import Kept
from gen.contribution.known import KnownMusic, load_known
from gen.contribution.outcome import (
    CHECKED,
    COMPOSED,
    CONTRIBUTED,
    NEEDS_REVIEW,
    PRESENT,
    REFUSED,
    SKIPPED,
    TO_SIGN,
    FileRefusedError,
    Job,
    Outcome,
)
from gen.contribution.reading import Reading, played_as_stated, read_ahead
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.report import BLOCK
from gen.likeness.thresholds import Thresholds
from gen.provenance.admission.inbox import Contribution, Submitted, submit
from gen.provenance.desk.reservations import RULE
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.consent import Consent
from gen.provenance.records.statement import Statement, make_work_id, parse_composers
from gen.provenance.records.tag import to_be_signed
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.signing.keys import SigningKey
from gen.safe_parse import Examined, ParseLimits, UnsafeFileError
from gen.smf import RuleBroken, musical_hash, split_chunks
from gen.smf.normalise import NO_LENGTH
from gen.smf.rules import EXPORT
from gen.smf.second_reading import check_read_alike

_BATCH = 32
_MAX_WAIT_SECONDS = 2.0
_ASK = (
    "do not contribute it; if it is the composer's own, the house takes it up with who reserves it"
)
_CONTRIBUTORS_MENDS = {  # the gate's own advice is for files that lie in a house already
    "generated": COMPOSED,
    "machine-written": "do not contribute it: this house takes only what people wrote",
    "malformed-midi": EXPORT,
    "wrong-role": "everybody named as a composer has to be enrolled as one",
    "withdrawn": "nothing: a withdrawal is for ever, and holds for the same music in any file",
}


ALIKE = {
    "too-similar": (
        "too close to something the house knows",
        "if the material is the composer's own, the curator can take it up with the house; "
        "otherwise do not contribute it",
    ),
    "generated": ("it is made of a piece that the house's model wrote", COMPOSED),
    "withdrawn": (
        "this music was withdrawn; some notes of it were changed",
        _CONTRIBUTORS_MENDS["withdrawn"],
    ),
}
"""Rule of a blocked piece → what it is, and what its composer can do."""


def _without_notes(changes: Iterable[str]) -> FileRefusedError:
    """What is wrong with a file that holds no note, by what was changed in it."""
    if lost := next((change for change in changes if NO_LENGTH in change), ""):
        mend = "give the notes lengths in your sequencer, and export again"
        return FileRefusedError("no-notes", f"the file holds no note that lasts: {lost}", mend)
    mend = "export the tracks that hold the notes: audio and muted tracks are often left out"
    return FileRefusedError("no-notes", "the file holds no note", mend)


def _check_others_read_it(examined: Examined) -> None:
    """Whether mido and pretty_midi read the same music in the file that is to be signed.

    Where the reading process found that they do, and nothing was changed since, that holds.

    Raises:
        FileRefusedError: they do not.
    """
    if examined.is_read_alike:
        return
    try:
        check_read_alike(examined.normalised.data, examined.normalised.piece)
    except HouseError as error:
        raise FileRefusedError("read-otherwise", error.what, error.mend) from error


@dataclass(frozen=True, slots=True)
class Settings:
    """How to contribute.

    Attributes:
        composer: id of the person who signs; "" only to check.
        is_check: judge, sign nothing.
        is_signed_elsewhere: make ready what the composer has to sign, and submit nothing.
        workers: child processes that read files.
        thresholds: of the screening.
        limits: of reading one file.
        fingerprints: lists of rights-holders.
        cache_folder: where lines of known works are kept; the user's own when None.
    """

    composer: str = ""
    is_check: bool = False
    is_signed_elsewhere: bool = False
    workers: int = 2
    thresholds: Thresholds = field(default_factory=Thresholds)
    limits: ParseLimits = field(default_factory=ParseLimits)
    fingerprints: tuple[Path, ...] = ()
    cache_folder: Path | None = None


Confirm = Callable[[Outcome], Facts | None]
"""Shown a checked file with completed facts; returns the facts to sign, None to skip it."""


def default_workers() -> int:
    """One child process a core, at most so many as help."""
    return min(processes.cores(), processes.MOST)


class Contributor:
    """Contributes files to one house.

    Args:
        house: where; None only to check without comparing.
        settings: how.
        key: the composer's; None only to check, or where it signs elsewhere.
        confirm: asks a person about each file.
        register: the house's, as it was loaded before; it is brought up to date.
    """

    def __init__(
        self,
        house: House | None,
        settings: Settings,
        key: SigningKey | None = None,
        confirm: Confirm | None = None,
        register: Register | None = None,
    ) -> None:
        if key is None and not (settings.is_check or settings.is_signed_elsewhere):
            raise HouseError("contributing needs the composer's key", mend="or only --check")
        self.house = house
        self.settings = settings
        self.key = key
        self.confirm = confirm
        self.register = register
        self.known: KnownMusic | None = None
        self._pending: list[tuple[Outcome, Contribution]] = []
        self._submitted_at = time.monotonic()

    def load(self) -> KnownMusic | None:
        """Read the house: its register, and the music to compare with."""
        if self.house is not None and self.known is None:
            settings = self.settings
            self.register = self.house.load(since=self.register)
            self.known = load_known(
                self.house,
                self.register,
                settings.thresholds,
                settings.fingerprints,
                settings.cache_folder,
            )
        return self.known

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Contribute each file; one outcome a file, not always in the order of `jobs`.

        Closing the iterator early (Ctrl-C) leaves whole contributions only.
        """
        self.load()
        for job, future in read_ahead(
            jobs, self.settings.workers, self.settings.limits, self._work_of
        ):
            outcome, contribution = self._judge(job, future)
            if contribution is None:
                yield outcome
                continue
            self._pending.append((outcome, contribution))
            if self._is_due():
                yield from self._submit()
        yield from self._submit()

    def _work_of(self, data: bytes) -> str:
        """The work that holds just these bytes as its music, where nothing more need be said."""
        if self.known is None or self.register is None or self.settings.is_check or self.confirm:
            return ""
        digest = sha256_hex(data)
        record = self.register.same_music(digest, "")
        if record is None:
            return self.known.waiting.get(digest, "")
        is_settled = record.withdrawn_at is None and not self.register.is_stale(record)
        return record.entry.work if is_settled else ""

    def _judge(self, job: Job, future: Reading) -> tuple[Outcome, Contribution | None]:
        outcome = Outcome(job.path, REFUSED)
        try:
            found = future.result()
            if isinstance(found, str):
                outcome.status, outcome.work = PRESENT, found
                return outcome, None
            outcome.examined = found
            return outcome, self._prepare(job, outcome, found)
        except (FileRefusedError, RuleBroken, UnsafeFileError) as error:
            outcome.status, outcome.rule = REFUSED, error.rule
            what = error.found if isinstance(error, RuleBroken) else error.what
            outcome.found = f"{what} ({error.where})" if error.where else what
            outcome.mend = error.mend
        except OSError as error:
            outcome.rule, outcome.found = "unreadable", f"the file cannot be read: {error}"
        return outcome, None

    def _prepare(self, job: Job, outcome: Outcome, examined: Examined) -> Contribution | None:
        """Everything up to the signature; None where there is nothing to submit."""
        piece = examined.normalised.piece
        if not piece.note_count:
            raise _without_notes(examined.normalised.changes)
        if self._is_present(outcome, musical_hash(piece)):
            return None
        stated = outcome.stated = job.facts.tidied()
        examined = outcome.examined = played_as_stated(examined, stated)
        outcome.facts = stated.over(inferred(job.path, examined.analysis, self.settings.composer))
        fingerprint = self._screen(outcome, examined)
        if not self._confirmed(outcome):
            outcome.status = SKIPPED
            return None
        sound = musical_hash(outcome.examined.normalised.piece)
        if self._is_present(outcome, sound):  # as it is by the instruments that were stated
            return None
        if self.confirm:  # what was answered may be other roles and people
            fingerprint = self._screen(outcome, outcome.examined)
        _check_others_read_it(outcome.examined)
        if self.settings.is_check:
            outcome.status = NEEDS_REVIEW if outcome.needs_review else CHECKED
            return None
        return self._sign(outcome, outcome.examined, sound, fingerprint)

    def _is_present(self, outcome: Outcome, sound: str) -> bool:
        """Whether the house has this very music, waiting or accepted.

        Raises:
            FileRefusedError: it was withdrawn, or a model wrote it.
        """
        if self.known is None or self.register is None:
            return False
        record = self.register.same_music("", sound)
        if self.register.wrote(sound, before=record.first_index if record else None):
            raise FileRefusedError(
                "generated",
                "it sounds exactly like a piece that the house's model wrote",
                COMPOSED,
            )
        if record is not None and self.register.is_stale(record):
            return False
        if record is not None and record.withdrawn_at is not None:
            work, index = record.entry.work, record.withdrawn_at
            raise FileRefusedError(
                "withdrawn",
                f"this music is {work}, withdrawn at register index {index}",
                "nothing: a withdrawal is for ever, and holds for the same music in any file",
            )
        work = record.entry.work if record else self.known.waiting.get(sound, "")
        if work:
            outcome.status, outcome.work = PRESENT, work
        return bool(work)

    def _screen(self, outcome: Outcome, examined: Examined) -> Fingerprint:
        facts = outcome.facts or Facts()
        piece = NewPiece.of(examined.normalised.piece, facts.roles.split())
        if self.known is not None:
            if self.known.reserved and (
                words := self.known.reserved.problem(examined.normalised.piece)
            ):
                raise FileRefusedError(RULE, words, _ASK)
            report = outcome.screening = self.known.screen.compare(piece, _people(facts))
            if report.verdict == BLOCK:
                what, mend = ALIKE[report.rule]
                raise FileRefusedError(report.rule, what, mend)
        return piece.fingerprint

    def _confirmed(self, outcome: Outcome) -> bool:
        """Ask where somebody can answer, then check what is stated."""
        if self.confirm:
            answers = self.confirm(outcome)
            if answers is None:
                return False
            outcome.facts = answers
        if outcome.examined is None:
            return False
        is_signing = not self.settings.is_check
        problems = find_problems(
            outcome.facts or Facts(), outcome.examined.analysis, is_signing=is_signing
        )
        if problems:
            raise FileRefusedError("description", "\n".join(problems), "correct what is stated")
        return True

    def _sign(
        self, outcome: Outcome, examined: Examined, sound: str, fingerprint: Fingerprint
    ) -> Contribution | None:
        report = outcome.screening
        music = split_chunks(examined.normalised.data).music
        digest = sha256_hex(music)
        statement = self._statement(outcome, digest, sound)
        outcome.work, outcome.unsigned = statement.work, to_be_signed(music, statement)
        if self.settings.is_signed_elsewhere:
            outcome.status = TO_SIGN
            return None
        if self.key is None or self.known is None:
            raise HouseError("signing needs a key")
        tagged = outcome.unsigned.signed_by(self.key)
        outcome.status = NEEDS_REVIEW if outcome.needs_review else CONTRIBUTED
        kept = Kept(outcome.work, tuple(dict(statement.composers)), digest, sound, fingerprint)
        self.known.add_waiting(kept)
        self.known.cache.put(sha256_hex(tagged), kept)
        return Contribution(tagged, report.encode() if report else None)

    def _statement(self, outcome: Outcome, music_sha256: str, sound: str) -> Statement:
        """What the composer has to sign."""
        facts, report = outcome.facts or Facts(), outcome.screening
        composers = parse_composers(facts.composers)
        if self.settings.composer not in dict(composers):
            raise FileRefusedError(
                "composers",
                f"{self.settings.composer} signs but is not among the composers {facts.composers}",
                "the person who signs is one of the composers",
            )
        if self.register is None:
            raise HouseError("signing needs a house")
        return Statement(
            work=make_work_id(facts.title, music_sha256),
            composers=composers,
            method=facts.method,
            consent=Consent.parse(facts.consent),
            musical_hash=sound,
            description=facts.description,
            contract=facts.contract,
            screening_sha256=report.digest if report else "",
            house=self.register.roster.identity,
        )

    def _is_due(self) -> bool:
        """Whether to submit: a batch is full, has waited long enough, or somebody watches."""
        has_waited = time.monotonic() - self._submitted_at >= _MAX_WAIT_SECONDS
        return has_waited or len(self._pending) >= _BATCH or self.confirm is not None

    def _submit(self) -> Iterator[Outcome]:
        pending, self._pending = self._pending, []
        self._submitted_at = time.monotonic()
        if not pending or self.house is None or self.known is None:
            return
        contributions = [contribution for _, contribution in pending]
        results = submit(self.house, contributions, since=self.register)
        self.known.cache.save()
        for (outcome, _), result in zip(pending, results, strict=True):
            _note_result(outcome, result)
            yield outcome


def _note_result(outcome: Outcome, result: Submitted) -> None:
    if result.rule:
        outcome.status = PRESENT if result.rule == "duplicate" else REFUSED
        outcome.rule, outcome.found = result.rule, result.found
        outcome.mend = _CONTRIBUTORS_MENDS.get(result.rule, result.mend)


def _people(facts: Facts) -> tuple[str, ...]:
    return tuple(word.partition(":")[0] for word in facts.composers.replace(",", " ").split())
