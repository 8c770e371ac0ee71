"""The register: every act of the house's people, in order, and what it amounts to.

`Register` is the state after replaying the acts. Reading it verifies: the tree against the
signed head, each act's signature and its author's right to it under the roster of that moment,
each roster's succession, the pin. A register that breaks any of this is refused as a whole.

A key that is later declared compromised from index n does not break the register: works it
signed from n on are refused one by one, consent it gave then only counts where it narrows, and
withdrawals it signed stand until the work is entered anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.acts import (
    ADD,
    ADOPT,
    BEGIN,
    CONSENT,
    END,
    KEY,
    MODEL,
    OUTPUT,
    ROOT,
    WITHDRAW,
    Act,
    Entry,
    Withdrawal,
)
from gen.provenance.canonical import StrictJsonError, fields, today_utc
from gen.provenance.consent import Consent
from gen.provenance.dsse import is_signed_by
from gen.provenance.log import HEAD_TYPE, Head
from gen.provenance.merkle import leaf_hash, root_of
from gen.provenance.record import ConsentAct, RegisterError, WorkRecord, check_time
from gen.provenance.rights import (
    check_member,
    check_root,
    check_statements,
    entries_of,
    key_of_head,
)
from gen.provenance.roster import COMPOSER, CURATOR, PRODUCER, TRAINER, Roster, SignedRoster
from gen.provenance.runs import AssertedModel, Begin, End, LoggedPiece, Output, Runs
from gen.provenance.succession import check_succession


@dataclass(eq=False)
class Register:
    """The state of a house after `size` acts. Built by `replay`.

    All of it is in these fields, which is what lets `gen.provenance.kept` keep it between commands.

    Attributes:
        trusted_size: acts below this index had their signatures verified before, and the caller
            makes sure, by a hash over them, that they are the same.
        pinned: size and root of the pin that it was held against.
        withdrawn: ids of works that are.
    """

    trusted_size: int = 0
    size: int = 0
    works: dict[str, WorkRecord] = field(default_factory=dict)
    rosters: list[SignedRoster] = field(default_factory=list)
    head: Head | None = None
    pinned: tuple[int, str] = (0, "")
    runs: Runs = field(default_factory=Runs)
    leaves: list[bytes] = field(default_factory=list)
    _renewed: dict[str, list[tuple[int, Entry]]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    _by_path: dict[str, str] = field(default_factory=dict)
    _by_music: dict[str, str] = field(default_factory=dict)
    _by_sound: dict[str, str] = field(default_factory=dict)

    # -- looking things up ------------------------------------------------------------------

    @property
    def roster(self) -> Roster:
        return self.rosters[-1].roster

    def today(self) -> date:
        """The day (UTC) that consent is judged by: never earlier than the newest head's.

        A computer whose clock was set back by hours would otherwise bring ended consent to life;
        one set back by days is noticed (`check_time`).
        """
        signed = date.fromisoformat(self.head.time[:10]) if self.head else date.min
        return max(today_utc(), signed)

    def same_music(self, music_sha256: str, musical_hash: str) -> WorkRecord | None:
        """A registered work, withdrawn ones included, with these bytes or this sound."""
        work = self._by_music.get(music_sha256) or self._by_sound.get(musical_hash)
        return self.works[work] if work is not None else None

    def at(self, place: str) -> WorkRecord | None:
        """The work, withdrawn or not, that was entered at this place of the house."""
        work = self._by_path.get(place)
        return self.works[work] if work is not None else None

    def entry_at(self, index: int, work: str) -> Entry | None:
        """What act `index` entered under this id; renewals since leave it as it was."""
        record = self.works.get(work)
        if record is not None and record.index == index:
            return record.entry
        return dict(self._renewed.get(work, ())).get(index)

    def entered_before(self, index: int, work: str) -> int:
        """The act that entered this work last before act `index`."""
        entered = [self.works[work].index, *dict(self._renewed.get(work, ()))]
        return max(at for at in entered if at < index)

    def root_at(self, size: int) -> str:
        """Root hash, hex, of the tree over the first `size` acts.

        Raises:
            SettingError: the log never had that size.
        """
        if not 0 < size <= self.size:
            raise SettingError(f"size {size} of {self.size}", mend="give an earlier size")
        return root_of(self.leaves[:size]).hex()

    def roster_at(self, size: int) -> Roster:
        """The roster in force when the log had this size, at least 1."""
        signed = [each for each in self.rosters if each.roster.register_index < size]
        return signed[-1].roster

    def live_works(self) -> Iterable[WorkRecord]:
        return (self.works[work] for work in list(self.works) if work not in self.withdrawn)

    def refusal_of_key(self, keyid: str, index: int) -> str | None:
        """The rule a signature by `keyid` at `index` breaks under the present roster."""
        if keyid in self.roster.root_keyids:
            return None
        owner = self.roster.owners.get(keyid)
        return "unknown-key" if owner is None else owner[1].refusal_at(index)

    def is_stale(self, record: WorkRecord) -> bool:
        """Whether the work may be entered anew: a key under it, or under its withdrawal,
        was compromised when it signed.
        """
        signed = [(keyid, record.index) for keyid in record.entry.keyids]
        if record.withdrawn_at is not None:
            signed = [(record.withdrawn_by_keyid, record.withdrawn_at)]
        return any(self.refusal_of_key(keyid, index) == "revoked-key" for keyid, index in signed)

    def wrote(self, musical_hash: str, before: int | None = None) -> bool:
        """Whether a model of this house wrote exactly this music, as far as the log knows.

        Args:
            musical_hash: of the music.
            before: what was entered from this act on does not count: a work that was in the house
                first is nobody's output.

        What a key entered that was compromised by then never counts.
        """
        return any(
            (before is None or piece.index < before) and not self.is_revoked(piece)
            for piece in self.runs.of_sound(musical_hash)
        )

    def is_revoked(self, piece: LoggedPiece) -> bool:
        """Whether an output was entered with a key that was compromised by then."""
        return self.refusal_of_key(piece.keyid, piece.index) == "revoked-key"

    def signers_of(self, record: WorkRecord) -> frozenset[str]:
        """The composers who signed for the work themselves; the others are only named.

        One signs the statement in its tag; another signs by saying what it may be used for.
        """
        signed = [(record.entry.keyids[0], record.index)]
        signed += [(act.keyid, act.index) for acts in record.consents.values() for act in acts]
        owners = self.roster.owners
        return frozenset(
            owners[keyid][0].id
            for keyid, index in signed
            if keyid in owners and owners[keyid][1].refusal_at(index) is None
        )

    def only_named(self, record: WorkRecord) -> list[str]:
        """Composers of the work who have not signed: somebody else named them and their share."""
        signed = self.signers_of(record)
        return [who for who, _ in record.entry.composers if who not in signed]

    def consent_of(self, record: WorkRecord) -> Consent:
        """What the composers of the work allow by now.

        Whoever contributed it speaks for the others until they speak for themselves; for a model
        of one artist nobody speaks but that artist (`gen.provenance.consent`).
        """
        shared = None
        for person, _ in record.entry.composers:
            consent = record.entry.consent
            for act in record.consents.get(person, ()):
                is_compromised = self.refusal_of_key(act.keyid, act.index) is not None
                consent = consent.narrowed_by(act.consent) if is_compromised else act.consent
            shared = consent if shared is None else shared.narrowed_by(consent)
        return (shared or Consent()).signed_by(self.signers_of(record))

    def act(self, kind: str, by: str, data: dict[str, Any], time: str, *, ahead: int = 0) -> Act:
        """An act for this house and its next place, or `ahead` places later; unsigned."""
        return Act(self.size + ahead, kind, by, time, data, house=self.roster.identity)

    # -- replaying --------------------------------------------------------------------------

    def replay(self, line: bytes) -> Act:
        """Take one more line into account.

        Raises:
            RegisterError: the act is malformed, misplaced, unsigned or not its author's to do.
        """
        try:
            act = Act.decode(line, is_known=self.size < self.trusted_size)
            if act.index != self.size:
                raise StrictJsonError(f"it says it is act {act.index}")
            if self.rosters and self.roster.sealed:
                raise StrictJsonError("the house was sealed before it")
            if not self.rosters and act.kind != KEY:
                raise StrictJsonError("a register begins with a roster")
            self._take(act)
            if act.index >= self.trusted_size:
                check_time(f"act {act.index}", act.time)
        except (HouseError, KeyError, ValueError) as error:
            if isinstance(error, RegisterError):
                raise
            what = error.what if isinstance(error, HouseError) else repr(error)
            raise RegisterError(f"act {self.size} is refused: {what}") from error
        self.size += 1
        self.leaves.append(leaf_hash(line))
        return act

    def _take(self, act: Act) -> None:
        {
            ADD: self._take_add,
            ADOPT: self._take_adopt,
            BEGIN: self._take_begin,
            CONSENT: self._take_consent,
            END: self._take_end,
            KEY: self._take_roster,
            MODEL: self._take_model,
            OUTPUT: self._take_output,
            WITHDRAW: self._take_withdrawal,
        }[act.kind](act)

    def _take_roster(self, act: Act) -> None:
        new = SignedRoster.from_dict(fields(act.data, "key act", signed=dict)["signed"])
        check_succession(self.rosters[-1] if self.rosters else None, new, act.index)
        self.rosters.append(new)

    def _take_add(self, act: Act) -> None:
        self._check_author(act, CURATOR)
        self._enter(act, *self._entries(act))

    def _take_adopt(self, act: Act) -> None:
        check_root(act, self.roster)
        for entry in self._entries(act):
            self._enter(act, entry)

    def _take_begin(self, act: Act) -> None:
        self._check_author(act, TRAINER)
        begin = Begin.from_dict(act.data)
        for work in begin.works:
            self._live(work)
        keyid = act.signatures[0].keyid
        self.runs.take_begin(act.index, act.by, keyid, act.time, begin)

    def _take_end(self, act: Act) -> None:
        self._check_author(act, TRAINER)
        keyid = act.signatures[0].keyid
        self.runs.take_end(act.index, act.by, keyid, End.from_dict(act.data))

    def _take_model(self, act: Act) -> None:
        check_root(act, self.roster)
        said = AssertedModel.from_dict(act.data)
        unknown = [work for work in said.works if work not in self.works]
        if unknown:
            raise StrictJsonError(f"{unknown[0]!r:.90} is unknown")
        self.runs.take_model(act.index, act.by, act.time, said)

    def _take_output(self, act: Act) -> None:
        self._check_author(act, PRODUCER)
        keyid = act.signatures[0].keyid
        self.runs.take_output(act.index, keyid, Output.from_dict(act.data))

    def _take_withdrawal(self, act: Act) -> None:
        withdrawal = Withdrawal.from_dict(act.data)
        record = self._live(withdrawal.work)
        self._check_may_withdraw(act, record)
        withdrawn = (withdrawal.music_sha256, withdrawal.musical_hash)
        if withdrawn != (record.entry.music_sha256, record.entry.musical_hash):
            raise StrictJsonError(f"it withdraws other music than {withdrawal.work}'s")
        record.withdrawal, record.withdrawn_at = withdrawal, act.index
        record.withdrawn_by_keyid = act.signatures[0].keyid
        self.withdrawn.add(withdrawal.work)

    def _take_consent(self, act: Act) -> None:
        found = fields(act.data, "consent act", consent=list, work=str)
        record = self._live(found["work"])
        if not record.is_composer(act.by):
            raise StrictJsonError(f"{act.by} is no composer of {found['work']}")
        self._check_author(act, COMPOSER)
        said = ConsentAct(act.index, act.signatures[0].keyid, Consent.from_list(found["consent"]))
        record.consents.setdefault(act.by, []).append(said)

    def _live(self, work: str) -> WorkRecord:
        record = self.works.get(work)
        if record is None or record.withdrawn_at is not None:
            raise StrictJsonError(f"{work!r:.90} is {'withdrawn' if record else 'unknown'}")
        return record

    def _enter(self, act: Act, entry: Entry) -> None:
        known = self.works.get(entry.work)
        if known is not None:
            self._check_renewal(known, entry)
        else:
            self._check_new(entry)
        carries = entry.envelope is not None
        entry = replace(entry, envelope=None)  # verified, and too large to keep
        record = WorkRecord(
            entry, act.index, act.by, act.time, statement_in_log=carries, first_index=act.index
        )
        if known is not None:
            record.consents, record.first_index = known.consents, known.first_index
            self._renewed.setdefault(entry.work, []).append((known.index, known.entry))
        self.works[entry.work] = record
        self.withdrawn.discard(entry.work)
        self._by_path[entry.path] = entry.work
        self._by_music[entry.music_sha256] = entry.work
        self._by_sound[entry.musical_hash] = entry.work

    def _check_renewal(self, known: WorkRecord, entry: Entry) -> None:
        same = (known.entry.music_sha256, known.entry.path) == (entry.music_sha256, entry.path)
        if not (same and self.is_stale(known)):
            raise StrictJsonError(f"{entry.work} was entered before, at {known.index}")

    def _check_new(self, entry: Entry) -> None:
        twin = self.same_music(entry.music_sha256, entry.musical_hash)
        if twin is not None or entry.path in self._by_path:
            other = twin.entry.work if twin else self._by_path[entry.path]
            raise StrictJsonError(f"{entry.work} has the music or the place of {other}")

    # -- who may ----------------------------------------------------------------------------

    def _check_author(self, act: Act, *roles: str) -> None:
        check_member(act, self.roster, *roles, is_known=act.index < self.trusted_size)

    def _check_may_withdraw(self, act: Act, record: WorkRecord) -> None:
        if act.by == ROOT:
            check_root(act, self.roster)
        elif record.is_composer(act.by):
            self._check_author(act, COMPOSER)
        else:
            self._check_author(act, CURATOR)

    def _entries(self, act: Act) -> list[Entry]:
        """The works that an act enters, as their composers signed them."""
        if act.index >= self.trusted_size:
            check_statements(act, self.roster)
        return entries_of(act)

    def check_head(self, head: Head) -> None:
        """Whether the head was signed by a key of the house that may sign at its last index.

        Raises:
            RegisterError: unsigned, unknown, ended or compromised key, wrong signature, or dated
                ahead of the clock.
        """
        if len(head.signatures) != 1 or not self.rosters:
            raise RegisterError(f"the head carries {len(head.signatures)} signatures, not one")
        signature = head.signatures[0]
        public = key_of_head(self.rosters, self.size, signature.keyid)
        if not is_signed_by(signature, public, HEAD_TYPE, head.payload()):
            raise RegisterError("the head's signature does not verify")
        check_time(f"its head, signed with the key {signature.keyid[:12]}…,", head.time)
        self.head = head

    def check_fresh(self, today: date) -> None:
        """Whether the roster still counts today.

        Raises:
            RegisterError: it has expired.
        """
        if self.roster.has_expired(today):
            raise RegisterError(
                f"the roster expired on {self.roster.expires}; "
                "a revocation may have been held back since",
                rule="roster-expired",
                mend="the root key's holder signs a fresh one: "
                "python scripts/house.py rotate --renew",
            )
