"""From a composer's files to signed contributions: check, normalise, screen, describe, sign.

Many files are read side by side in child processes (`gen.safe_parse`) and judged in order;
signed works go to the inbox in small batches. Whatever happens to one file is its outcome;
none stops the others, and a second run finds what the first one left and goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen import processes
from gen.analysis import analyse
from gen.contribution.facts import Facts, find_problem, find_problems, inferred
from gen.contribution.kept import Kept
from gen.contribution.known import KnownMusic, load_known
from gen.disk.reading import FileKind, NamedFileError, opened
from gen.errors import HouseError, SettingError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.report import BLOCK, REVIEW, Report
from gen.likeness.thresholds import Thresholds
from gen.marks.permissions import training_refused
from gen.provenance.canonical import sha256_hex
from gen.provenance.consent import Consent
from gen.provenance.house import House
from gen.provenance.inbox import Contribution, Submitted, submit
from gen.provenance.keys import SigningKey
from gen.provenance.mark import is_generated
from gen.provenance.register import Register
from gen.provenance.reservations import RULE
from gen.provenance.statement import Statement, make_work_id, parse_composers
from gen.provenance.tag import Unsigned, to_be_signed
from gen.safe_parse import Examined, ParseLimits, SafeReader, UnsafeFileError
from gen.smf import RuleBroken, musical_hash, read_instruments, split_chunks, with_instruments
from gen.smf.rules import EXPORT, MAX_BYTES
from gen.smf.second_reading import check_read_alike

CONTRIBUTED, PRESENT, REFUSED, NEEDS_REVIEW, CHECKED, SKIPPED, TO_SIGN = (
    "contributed", "already there", "refused", "needs review", "checked", "skipped", "to be signed",
)  # fmt: skip
STATUSES = (CONTRIBUTED, NEEDS_REVIEW, PRESENT, CHECKED, TO_SIGN, SKIPPED, REFUSED)

_ANY_SIZE = FileKind("MIDI file", 1 << 62)
"""What is too large is refused as such, by the rule."""
_BATCH = 32
_MAX_WAIT_SECONDS = 2.0
_READ_AHEAD = 4
_ASK = (
    "do not contribute it; if it is the composer's own, the house takes it up with who reserves it"
)
_COMPOSED = "contribute what a person composed"
_CONTRIBUTORS_MENDS = {  # the gate's own advice is for files that lie in a house already
    "generated": _COMPOSED,
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
    "generated": ("it is made of a piece that the house's model wrote", _COMPOSED),
    "withdrawn": (
        "this music was withdrawn; some notes of it were changed",
        _CONTRIBUTORS_MENDS["withdrawn"],
    ),
}
"""Rule of a blocked piece → what it is, and what its composer can do."""


def _check_origin(data: bytes) -> None:
    """Refuse what a file's own marks say must not be learned from."""
    if is_generated(data):
        raise _RefusedError("generated", "it carries the mark of a generated piece", _COMPOSED)
    if uses := training_refused(data):
        raise _RefusedError(
            "not-allowed",
            f"its own content credentials do not allow that models learn from it ({uses[0]})",
            "contribute the composer's own export, if whoever signed that was the composer",
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One file and what is stated about it."""

    path: Path
    facts: Facts = field(default_factory=Facts)


@dataclass(slots=True)
class Outcome:
    """What became of one file. `status` is one of `STATUSES`; "needs review" is contributed
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


class _RefusedError(HouseError):
    """One file is not contributed; caught where its outcome is made."""

    def __init__(self, rule: str, what: str, mend: str = "") -> None:
        self.rule = rule
        super().__init__(what, mend=mend)


def _check_others_read_it(examined: Examined) -> None:
    """Whether mido and pretty_midi read the same music in the file that is to be signed.

    Raises:
        _RefusedError: they do not.
    """
    try:
        check_read_alike(examined.normalised.data, examined.normalised.piece)
    except HouseError as error:
        raise _RefusedError("read-otherwise", error.what, error.mend) from error


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


_Reading = Future[Examined | str]
"""A file examined; or the work that it is."""
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
        for job, future in _read_ahead(jobs, self.settings, self._work_of):
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

    def _judge(self, job: Job, future: _Reading) -> tuple[Outcome, Contribution | None]:
        outcome = Outcome(job.path, REFUSED)
        try:
            found = future.result()
            if isinstance(found, str):
                outcome.status, outcome.work = PRESENT, found
                return outcome, None
            outcome.examined = found
            return outcome, self._prepare(job, outcome, found)
        except (_RefusedError, RuleBroken, UnsafeFileError) as error:
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
            raise _RefusedError(
                "no-notes",
                "the file holds no note",
                "export the tracks that hold the notes: audio and muted tracks are often left out",
            )
        if self._is_present(outcome, musical_hash(piece)):
            return None
        stated = outcome.stated = job.facts.tidied()
        examined = outcome.examined = _played_as_stated(examined, stated)
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
            outcome.status = NEEDS_REVIEW if _needs_review(outcome) else CHECKED
            return None
        return self._sign(outcome, outcome.examined, sound, fingerprint)

    def _is_present(self, outcome: Outcome, sound: str) -> bool:
        """Whether the house has this very music, waiting or accepted.

        Raises:
            _RefusedError: it was withdrawn, or a model wrote it.
        """
        if self.known is None or self.register is None:
            return False
        record = self.register.same_music("", sound)
        if self.register.wrote(sound, before=record.first_index if record else None):
            raise _RefusedError(
                "generated",
                "it sounds exactly like a piece that the house's model wrote",
                _COMPOSED,
            )
        if record is not None and self.register.is_stale(record):
            return False
        if record is not None and record.withdrawn_at is not None:
            work, index = record.entry.work, record.withdrawn_at
            raise _RefusedError(
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
                raise _RefusedError(RULE, words, _ASK)
            report = outcome.screening = self.known.screen.compare(piece, _people(facts))
            if report.verdict == BLOCK:
                what, mend = ALIKE[report.rule]
                raise _RefusedError(report.rule, what, mend)
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
            raise _RefusedError("description", "\n".join(problems), "correct what is stated")
        return True

    def _sign(
        self, outcome: Outcome, examined: Examined, sound: str, fingerprint: Fingerprint
    ) -> Contribution | None:
        facts, report = outcome.facts or Facts(), outcome.screening
        music = split_chunks(examined.normalised.data).music
        composers = parse_composers(facts.composers)
        if self.settings.composer not in dict(composers):
            raise _RefusedError(
                "composers",
                f"{self.settings.composer} signs but is not among the composers {facts.composers}",
                "the person who signs is one of the composers",
            )
        if self.known is None or self.register is None:
            raise HouseError("signing needs a house")
        digest = sha256_hex(music)
        outcome.work = make_work_id(facts.title, digest)
        statement = Statement(
            work=outcome.work,
            composers=composers,
            method=facts.method,
            consent=Consent.parse(facts.consent),
            musical_hash=sound,
            description=facts.description,
            contract=facts.contract,
            screening_sha256=report.digest if report else "",
            house=self.register.roster.identity,
        )
        outcome.unsigned = to_be_signed(music, statement)
        if self.settings.is_signed_elsewhere:
            outcome.status = TO_SIGN
            return None
        if self.key is None:
            raise HouseError("signing needs a key")
        tagged = outcome.unsigned.signed_by(self.key)
        outcome.status = NEEDS_REVIEW if _needs_review(outcome) else CONTRIBUTED
        kept = Kept(outcome.work, tuple(dict(composers)), digest, sound, fingerprint)
        self.known.add_waiting(kept)
        self.known.cache.put(sha256_hex(tagged), kept)
        return Contribution(tagged, report.encode() if report else None)

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


def restate(examined: Examined, instruments: str) -> Examined:
    """The same music played by the instruments that somebody states, and what it says then.

    Args:
        examined: a file.
        instruments: one a track, as in `Facts.instruments`.

    Raises:
        SettingError: an unknown instrument, or not one a track.
    """
    if problem := find_problem("instruments", instruments, examined.analysis):
        raise SettingError(problem)
    normalised = with_instruments(examined.normalised, read_instruments(instruments))
    if normalised.data == examined.normalised.data:
        return Examined(normalised, examined.analysis)
    return Examined(normalised, analyse(normalised.piece, normalised.cues))


def _played_as_stated(examined: Examined, stated: Facts) -> Examined:
    try:
        return restate(examined, stated.instruments) if stated.instruments else examined
    except SettingError:
        return examined  # said with all that is wrong with what is stated


def _note_result(outcome: Outcome, result: Submitted) -> None:
    if result.rule:
        outcome.status = PRESENT if result.rule == "duplicate" else REFUSED
        outcome.rule, outcome.found = result.rule, result.found
        outcome.mend = _CONTRIBUTORS_MENDS.get(result.rule, result.mend)


def _needs_review(outcome: Outcome) -> bool:
    return outcome.screening is not None and outcome.screening.verdict == REVIEW


def _people(facts: Facts) -> tuple[str, ...]:
    return tuple(word.partition(":")[0] for word in facts.composers.replace(",", " ").split())


def _read_ahead(
    jobs: Iterable[Job], settings: Settings, work_of: Callable[[bytes], str]
) -> Iterator[tuple[Job, _Reading]]:
    """Examine files in child processes, a few ahead of who asks; in order.

    Args:
        jobs: the files.
        settings: workers and limits.
        work_of: the work that a file's bytes are already, or "": those need no reading.
    """
    readers: list[SafeReader] = []
    local = threading.local()

    def examine(path: Path) -> Examined | str:
        data = read_file(path)
        _check_origin(data)
        if work := work_of(data):
            return work
        if not hasattr(local, "reader"):
            local.reader = SafeReader(settings.limits)
            readers.append(local.reader)
        found: Examined = local.reader.examine(data)
        return found

    waiting: deque[tuple[Job, _Reading]] = deque()
    pool = ThreadPoolExecutor(settings.workers)
    try:
        for job in jobs:
            waiting.append((job, pool.submit(examine, job.path)))
            if len(waiting) > settings.workers * _READ_AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for reader in readers:
            reader.close()


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        RuleBroken: larger than the limit; read no further.
        OSError: unreadable.
    """
    try:
        with opened(path, _ANY_SIZE) as file:
            data = file.read(MAX_BYTES + 1)
    except NamedFileError as error:
        raise OSError(error.what) from error
    if len(data) > MAX_BYTES:
        raise RuleBroken("too-large", "the file has more than 4 MiB")
    return data
