"""Works on their way in: contributed by a composer, waiting for a curator.

`submit` is what contributing calls; `look` is what a curator is shown and what accepting
checks again, because anybody may drop a file into the inbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gen.disk import UnfitFileError
from gen.errors import HouseError
from gen.provenance.admission.rules import MENDS
from gen.provenance.history.judge import check_signed_for, judge_composer
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import INBOX, MAX_FILE_BYTES, MAX_RECORD_BYTES, Store
from gen.provenance.records.statement import WORK_ID
from gen.provenance.records.tag import TagError, Tagged, read_tag
from gen.provenance.signing.canonical import is_sha256_hex, sha256_hex
from gen.smf import RuleBroken, musical_hash, parse


@dataclass(frozen=True, slots=True)
class Contribution:
    """A tagged file as `sign_contribution` made it, and its screening report (JSON)."""

    tagged: bytes
    screening: bytes | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of one contribution; `rule` is empty when it now waits in the inbox."""

    work: str
    path: Path | None
    rule: str = ""
    found: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A work in the inbox; `rule` and `found` say why it could not be accepted as it is."""

    work: str
    path: Path
    tagged: Tagged | None = None
    rule: str = ""
    found: str = ""

    @property
    def mend(self) -> str:
        return MENDS.get(self.rule, "")

    @property
    def title(self) -> str:
        return self.tagged.statement.description.title if self.tagged else ""


def submit(
    house: House,
    contributions: Sequence[Contribution],
    *,
    since: Register | None = None,
) -> list[Submitted]:
    """Put contributions into the inbox, each judged by itself.

    A work that is already waiting with the same music is replaced (a new description); one
    that the register knows is refused, unless a compromised key makes it due for renewal.

    Args:
        house: where.
        contributions: any number; one bad file never stops the rest.
        since: the house's register as it was loaded before; it is brought up to date.

    Returns:
        One result per contribution, in order.
    """
    with house.writing(since) as session:
        store = session.house.store
        store.check_writable(INBOX)
        files: dict[str, bytes] = {}
        results = [_judge(store, session.register, item, files) for item in contributions]
        store.write(files)
    return results


def _judge(
    store: Store,
    register: Register,
    item: Contribution,
    files: dict[str, bytes],
) -> Submitted:
    """Whether `item` may wait in the inbox; its files join `files`."""
    try:
        tagged = read_tag(item.tagged)
        work = tagged.statement.work
        check_enterable(tagged, register)
        place = f"{INBOX}/{work}.mid"
        _check_inbox_place(store, place, tagged, files)
        _check_screening(tagged, item.screening)
    except (TagError, RuleBroken) as error:
        return _refused(error)
    if item.screening is not None:
        files[_report_place(work)] = item.screening
    files[place] = item.tagged
    return Submitted(work, store.root / place)


def _refused(error: TagError | RuleBroken) -> Submitted:
    rule = error.rule if isinstance(error, TagError) else "malformed-midi"
    return Submitted("", None, rule, error.what, error.mend or MENDS.get(rule, ""))


def _report_place(work: str) -> str:
    return f"{INBOX}/{work}.screening.json"


def _check_inbox_place(
    store: Store, place: str, tagged: Tagged, files: Mapping[str, bytes]
) -> None:
    try:
        data = files.get(place) or store.read_if_there(place, MAX_FILE_BYTES)
        if data is None:
            return
        waiting = read_tag(data)
    except (HouseError, RuleBroken):
        return  # what lies there is no work: it may be replaced
    if waiting.music_sha256 != tagged.music_sha256:
        raise TagError(
            "id-taken",
            f"another work waits under the id {tagged.statement.work}",
            mend="give this one another id",
        )


def _check_screening(tagged: Tagged, report: bytes | None) -> None:
    stated = tagged.statement.screening_sha256
    if (sha256_hex(report) if report is not None else "") != stated:
        raise TagError("screening-mismatch", "the tag names another screening report than this")


def check_enterable(tagged: Tagged, register: Register) -> None:
    """Whether a curator could enter this work now: composer, duplicates, withdrawals.

    Raises:
        TagError: not, with the rule.
    """
    statement = tagged.statement
    judge_composer(tagged, register.roster, register.size)
    check_signed_for(statement, register.roster)
    twin = register.same_music(tagged.music_sha256, statement.musical_hash)
    known = register.works.get(statement.work)
    if register.wrote(statement.musical_hash, before=twin.first_index if twin else None):
        raise TagError("generated", f"{statement.work} sounds exactly like a generated piece")
    for record in (twin, known):
        if record is None:
            continue
        same = (record.entry.work, record.entry.music_sha256) == (
            statement.work,
            tagged.music_sha256,
        )
        if same and register.is_stale(record):
            continue
        if record.withdrawn_at is not None:
            raise TagError(
                "withdrawn",
                f"{statement.work} is {record.entry.work}, withdrawn at {record.withdrawn_at}",
            )
        raise TagError(
            "duplicate",
            f"{statement.work} is already in the house as {record.entry.work}",
            mend="nothing to do: the house has this music",
        )


def look(store: Store, work: str, register: Register) -> Waiting:
    """Read one waiting file as strictly as the gate will.

    Every problem is returned, none raised: a curator sees the whole inbox.
    """
    place = f"{INBOX}/{work}.mid"
    path = store.root / place
    if not WORK_ID.match(work):
        return Waiting(work, path, None, "bad-name", f"{path.name!r} is no work's name")
    try:
        tagged = read_tag(store.read(place, MAX_FILE_BYTES))
        _check_music(tagged, work)
        check_enterable(tagged, register)
        _check_report_beside(store, work, tagged)
    except FileNotFoundError:
        return Waiting(work, path, None, "missing-file", "it was taken away meanwhile")
    except RuleBroken as error:
        return Waiting(work, path, None, "malformed-midi", str(error))
    except HouseError as error:
        return Waiting(work, path, None, getattr(error, "rule", "unreadable"), error.what)
    return Waiting(work, path, tagged)


def _check_music(tagged: Tagged, work: str) -> None:
    if tagged.statement.work != work:
        raise TagError("wrong-place", f"the tag is of {tagged.statement.work}, the file is {work}")
    piece = parse(tagged.music)
    if not piece.note_count:
        raise TagError("no-notes", "it holds no note, so nothing can be learned from it")
    if musical_hash(piece) != tagged.statement.musical_hash:
        raise TagError("musical-hash-mismatch", "the stated musical hash is not this music's")


def _check_report_beside(store: Store, work: str, tagged: Tagged) -> None:
    stated = tagged.statement.screening_sha256
    if not is_sha256_hex(stated):
        return
    try:
        data = store.read_if_there(_report_place(work), MAX_RECORD_BYTES)
    except UnfitFileError as error:
        raise TagError("screening-mismatch", f"its screening report is {error.what}") from error
    _check_screening(tagged, data)


def look_at_all(house: House, register: Register) -> Iterator[Waiting]:
    """Every waiting work, sorted by id, with what stands against it; read as it is asked for."""
    return (look(house.store, work, register) for work in house.store.waiting())
