"""The gate: nothing but the house's own works passes, and nothing else opens a corpus file.

For every file in the house, in this order, each with a stable code from
`gen.provenance.admission.rules`:

1. it is a plain file of its own, in the right place, with a sane name, opened once without
   following links, and not too large;
2. its layout is exactly header, declared tracks, one tag, end of file; it is not marked as
   generated;
3. the envelope is strictly decoded and speaks about exactly these music bytes;
4. it was signed by one of its composers and by a curator who is none of them, with keys that
   were valid at the register index at which it was entered;
5. the register entered exactly this file in this place, and nobody withdrew it, its bytes or
   its sound since;
6. no model of this house wrote it before it was entered, as far as the log knows;
7. the strict walker passes, and the music sounds as its tag says;
8. its composers allow this purpose today.

What is verified is what is used: what goes to `receive` reads the piece, with the strict walker,
in the very bytes that passed; no other parser is asked. Of bytes that passed before, rules 2, 3
and 7 and the arithmetic of 4 are kept (`gen.provenance.admission.passed`); where many are new,
other processes look at these ahead (`gen.provenance.admission.verifying_ahead`). Every file is read
here all the same. A work without consent is left out by right (`not_consented`), which is no error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from gen.disk import UnfitFileError, unfinished
from gen.errors import SettingError
from gen.piece import Piece
from gen.provenance.admission.corpus import Corpus, Refusal, Work
from gen.provenance.admission.mark import is_generated
from gen.provenance.admission.passed import PassedFiles, packed
from gen.provenance.admission.rules import MENDS
from gen.provenance.admission.verifying_ahead import verifying_ahead
from gen.provenance.history.judge import judge_composer, judge_curator, says_the_same
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import ADMIN_FILES, ADMIN_FOLDERS, JOURNAL, MAX_FILE_BYTES
from gen.provenance.records.consent import ARTIST_MODEL, artist_of, check_scope
from gen.provenance.records.pin import Pin
from gen.provenance.records.statement import WORK_ID
from gen.provenance.records.tag import TagError, Tagged, read_tag
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.witnesses.standing import check_witnessed
from gen.smf import RuleBroken, musical_hash, parse

IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep"})
"""What operating systems leave behind; never opened."""
Receiver = Callable[[Work, Callable[[], Piece]], None]
"""Takes an admitted work and what gives the piece in its verified bytes."""


def check_purpose(purpose: str, register: Register) -> str:
    """`purpose`, when this house knows it.

    Raises:
        SettingError: no purpose, one the roster's policy leaves out, or an unknown artist.
    """
    check_scope(purpose)
    artist = artist_of(purpose)
    kind = ARTIST_MODEL if artist else purpose
    if kind not in register.roster.purposes:
        known = ", ".join(register.roster.purposes)
        raise SettingError(f"this house does not know the purpose {purpose!r}", mend=f"use {known}")
    if artist and register.roster.person(artist) is None:
        raise SettingError(f"{purpose!r}: nobody here is called {artist!r}")
    return purpose


def admit(
    house: Path,
    purpose: str,
    *,
    pin: Pin,
    receive: Receiver | None = None,
    today: date | None = None,
    for_new_model: bool = False,
) -> Corpus:
    """Judge every file of the house for one purpose.

    Args:
        house: the house's folder, the one its pin names.
        purpose: `general_model`, `evaluation` or `artist_model:<id>`.
        pin: what is known of the house beforehand.
        receive: called with each admitted work and what gives the piece in its verified bytes,
            in path order. The gate keeps neither.
        today: the day consent is judged by; `Register.today` when left out.
        for_new_model: a model is to be trained that is not there yet, so that works whose terms
            are for one version are left out once one learned from them.

    Raises:
        PinError, RegisterError, LogError: the house itself is not to be trusted.
        WitnessError: the pin requires witnesses, and they have not seen this head.
        SettingError: an unknown purpose, or a folder other than the pin's.
    """
    if house.resolve() != pin.dir.resolve():
        raise SettingError(
            f"the pin is that of {pin.dir}", where=str(house), mend="name the pin of this house"
        )
    found = House(pin)
    # Files first, register second: a file that is accepted meanwhile is then always known.
    places = sorted(_places(found.folder))
    register = found.load()
    day = today or register.today()
    register.check_fresh(day)
    check_purpose(purpose, register)
    check_witnessed(found, register)
    gate = Gate(found, register, purpose, day, receive, for_new_model=for_new_model)
    gate.judge_all(places)
    return gate.corpus()


def _places(folder: Path) -> Iterator[str]:
    """Every file, link and stray folder below the house, but for its own records."""
    for item in os.scandir(folder):
        is_folder = item.is_dir(follow_symlinks=False)
        if item.name in (ADMIN_FOLDERS if is_folder else ADMIN_FILES | IGNORED_FILES):
            continue
        if not is_folder and unfinished(item.name) in ADMIN_FILES:
            continue  # a record whose writing was cut short; the record itself is whole
        if is_folder and not item.name.endswith(".mid"):
            yield from (f"{item.name}/{name}" for name in _names(Path(item.path)))
        else:
            yield item.name


def _names(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name not in IGNORED_FILES]


class Gate:
    """One pass over one house: judges files and sorts them into the three lists."""

    def __init__(
        self,
        house: House,
        register: Register,
        purpose: str,
        today: date,
        receive: Receiver | None,
        *,
        for_new_model: bool,
    ) -> None:
        self._store = house.store
        self._receive = receive
        self._register = register
        self._purpose = purpose
        self._learned = register.runs.learned_for(purpose) if for_new_model else {}
        self._today = today
        self._admitted: list[Work] = []
        self._refused: list[Refusal] = []
        self._not_consented: list[Work] = []
        self._used_up: list[str] = []
        self._seen: set[str] = set()
        self._passed = PassedFiles(house.pin)
        self._is_unfinished = house.store.exists(JOURNAL)

    def judge_all(self, places: Sequence[str]) -> None:
        """Judge files one after the other, other processes verifying ahead where many are new."""
        with verifying_ahead(self._store, self._register, self._passed, places) as ahead:
            for place in places:
                if found := ahead.take(place):
                    self._passed.put(*found)
                self.judge(place)

    def judge(self, place: str) -> None:
        """Put the file at `place` into one of the lists."""
        if self._is_unfinished and self._is_leaving(place):
            return
        self._seen.add(place)
        try:
            work, piece = self._verify(place)
        except FileNotFoundError:
            # Taken away since it was listed: not seen, and missing if it is still a live work.
            self._seen.discard(place)
        except (TagError, UnfitFileError) as error:
            self._refuse(place, error.rule, error.what)
        except RuleBroken as error:
            where = f" at {error.where}" if error.where else ""
            self._refuse(place, "malformed-midi", f"{error.what}{where}")
        else:
            self._sort(work, piece)

    def _is_leaving(self, place: str) -> bool:
        """Whether a command was interrupted before it took this withdrawn work's file out."""
        record = self._register.at(place)
        if record is None or record.withdrawn_at is None:
            return False
        try:
            return sha256_hex(self._store.read(place, MAX_FILE_BYTES)) == record.entry.file_sha256
        except (FileNotFoundError, UnfitFileError):
            return False

    def corpus(self) -> Corpus:
        """The result, after a second look at works that arrived during the pass."""
        for record in list(self._register.live_works()):
            place = record.entry.path
            if place not in self._seen and _fault_of_place(place) is None:
                self.judge(place)
        self._passed.save()
        return Corpus(
            tuple(self._admitted),
            tuple(self._refused),
            tuple(self._not_consented),
            tuple(self._missing()),
            self._purpose,
            self._register.newest_head,
            self._register.roster.version,
            self._register.roster.house,
            self._today,
            tuple(sorted(self._used_up)),
        )

    def _missing(self) -> Iterator[Refusal]:
        for record in self._register.live_works():
            if record.entry.path not in self._seen:
                found = f"{record.entry.work} was entered at {record.index}, its file is gone"
                mend = MENDS["missing-file"]
                yield Refusal(record.entry.path, "missing-file", found, mend)

    def _refuse(self, place: str, rule: str, found: str) -> None:
        self._refused.append(Refusal(place, rule, found, MENDS[rule]))

    def _sort(self, work: Work, piece: Callable[[], Piece]) -> None:
        artist = artist_of(self._purpose)
        is_theirs = artist is None or any(artist == person for person, _ in work.composers)
        if not (is_theirs and work.consent.allows(self._purpose, self._today)):
            self._not_consented.append(work)
            return
        if work.work_id in self._learned and self._register.works[work.work_id].is_of_one_version:
            self._not_consented.append(work)
            self._used_up.append(work.work_id)
            return
        self._admitted.append(work)
        if self._receive is not None:
            self._receive(work, piece)

    # -- one file ---------------------------------------------------------------------------

    def _verify(self, place: str) -> tuple[Work, Callable[[], Piece]]:
        if fault := _fault_of_place(place):
            raise fault
        data = self._read(place)
        digest = sha256_hex(data)
        known = self._passed.get(digest)
        if known is None and is_generated(data):
            raise TagError("generated", "the file carries the mark of a generated piece")
        tagged = known or read_tag(data)
        record = self._record(tagged)
        judge_composer(tagged, self._register.roster, record.index)
        curator = judge_curator(tagged, self._register.roster, record.index)
        self._check_entry(place, digest, tagged, record)
        work = self._work(record, tagged, curator.id)
        if known is not None:
            return work, lambda: parse(read_tag(data).music)
        piece = self._read_music(tagged)
        self._passed.put(digest, packed(tagged))
        return work, lambda: piece

    def _read(self, place: str) -> bytes:
        """The file, also where an interrupted command has entered it and not put it there."""
        record = self._register.at(place)
        if record is None or record.withdrawn_at is not None:
            return self._store.read(place, MAX_FILE_BYTES)
        return self._store.read_work(place, record.entry.file_sha256)

    def _record(self, tagged: Tagged) -> WorkRecord:
        """The register's record of this work; signatures are judged at its index."""
        statement, register = tagged.statement, self._register
        known = register.works.get(statement.work)
        twin = register.same_music(tagged.music_sha256, statement.musical_hash)
        for record in (known, twin):
            if record is not None and record.withdrawn_at is not None:
                who = record.entry.work
                raise TagError("withdrawn", f"{who} was withdrawn at index {record.withdrawn_at}")
        if known is None:
            # A forged or foreign tag is named as such; an honest one only waits to be entered.
            judge_composer(tagged, register.roster, register.size)
            judge_curator(tagged, register.roster, register.size)
            raise TagError("unregistered", f"the register has no work {statement.work}")
        return known

    def _check_entry(self, place: str, digest: str, tagged: Tagged, record: WorkRecord) -> None:
        entry = record.entry
        if entry.path != place:
            raise TagError("wrong-place", f"{entry.work} was entered at {entry.path}")
        if entry.file_sha256 != digest:
            raise TagError(
                "register-mismatch",
                f"the register entered {entry.file_sha256[:12]}…, this is {digest[:12]}…",
            )
        if not says_the_same(entry, tagged):
            raise TagError("register-mismatch", f"the register tells {entry.work} otherwise")
        if self._register.wrote(tagged.statement.musical_hash, before=record.first_index):
            raise TagError("generated", "a model of this house wrote exactly this music")

    def _read_music(self, tagged: Tagged) -> Piece:
        piece = parse(tagged.music)
        if musical_hash(piece) != tagged.statement.musical_hash:
            raise TagError("musical-hash-mismatch", "it does not sound as its tag says")
        return piece

    def _work(self, record: WorkRecord, tagged: Tagged, curator: str) -> Work:
        entry = record.entry
        return Work(
            entry.work,
            entry.path,
            tagged.music_sha256,
            entry.musical_hash,
            record.index,
            entry.composers,
            curator,
            tagged.statement.description,
            self._register.consent_of(record),
        )


def _fault_of_place(place: str) -> UnfitFileError | None:
    """What is wrong with where a file lies.

    Names are plain ASCII, so that no two look or count alike on any platform.
    """
    folder, _, name = place.rpartition("/")
    stem, dot, kind = name.rpartition(".")
    if dot and kind != "mid" and kind.lower() not in ("mid", "midi"):
        return UnfitFileError("stray-file", f"{name!r} is no work")
    if kind != "mid" or not WORK_ID.match(stem) or not WORK_ID.match(folder):
        return UnfitFileError("bad-name", f"{place!r}")
    return None
