"""What a register amounts to: works, people, runs, terms and complaints, and what to ask of them.

`gen.provenance.history.register` builds it, act by act; nothing here changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.history.log import Head
from gen.provenance.history.record import RegisterError, WorkRecord
from gen.provenance.history.runs import LoggedPiece, Retired, Run, Runs
from gen.provenance.records.acts import Act, Entry
from gen.provenance.records.complaints import Complaints
from gen.provenance.records.consent import Consent
from gen.provenance.records.papers import PaperAct
from gen.provenance.records.roster import Person, Roster, SignedRoster
from gen.provenance.records.sales import SaleAct
from gen.provenance.records.terms import Approvals
from gen.provenance.signing.canonical import today_utc
from gen.provenance.signing.keys import SigningKey
from gen.provenance.signing.merkle import root_of


@dataclass(eq=False)
class RegisterState:
    """The state of a house after `size` acts.

    All of it is in these fields, which is what lets `gen.provenance.houses.kept` keep it between
    commands.

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
    approvals: Approvals = field(default_factory=Approvals)
    complaints: Complaints = field(default_factory=Complaints)
    papers: list[PaperAct] = field(default_factory=list)
    sales: list[SaleAct] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    _renewed: dict[str, list[tuple[int, Entry]]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    _by_path: dict[str, str] = field(default_factory=dict)
    _by_music: dict[str, str] = field(default_factory=dict)
    _by_sound: dict[str, str] = field(default_factory=dict)

    @property
    def roster(self) -> Roster:
        return self.rosters[-1].roster

    @property
    def newest_head(self) -> Head:
        """The signed head, which every register that was loaded has."""
        assert self.head is not None  # noqa: S101 - `House.load` sets it
        return self.head

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

    @property
    def musics(self) -> Mapping[str, str]:
        """SHA-256 of the music of every work, withdrawn or not, → its id, as they were entered."""
        return self._by_music

    @property
    def renewed(self) -> Collection[str]:
        """Works that were entered anew."""
        return self._renewed

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

    def digest_of(self, size: int) -> bytes:
        """SHA-256 over the leaf hashes of the first `size` acts: quicker than their root hash."""
        return hashlib.sha256(b"".join(self.leaves[:size])).digest()

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

    def is_revoked(self, act: LoggedPiece | PaperAct | SaleAct) -> bool:
        """Whether it was entered with a key that was compromised by then."""
        return self.refusal_of_key(act.keyid, act.index) == "revoked-key"

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
        of one artist nobody speaks but that artist (`gen.provenance.records.consent`).
        """
        shared = None
        for person, _ in record.entry.composers:
            consent = record.entry.consent
            for act in record.consents.get(person, ()):
                is_compromised = self.refusal_of_key(act.keyid, act.index) is not None
                consent = consent.narrowed_by(act.consent) if is_compromised else act.consent
            shared = consent if shared is None else shared.narrowed_by(consent)
        return (shared or Consent()).signed_by(self.signers_of(record))

    def retired(self, file_sha256: str) -> Retired | None:
        """The act that retired a model, with a key that was not compromised by then."""
        for act in self.runs.retired.get(file_sha256, ()):
            if not any(self.refusal_of_key(k, act.index) == "revoked-key" for k in act.keyids):
                return act
        return None

    def in_use(self, run: Run) -> list[str]:
        """SHA-256 of a run's models that are not retired."""
        digests = [model.file_sha256 for model in run.models]
        return [digest for digest in digests if self.retired(digest) is None]

    def papers_of(self, sha256: str) -> list[PaperAct]:
        """What entered a file with this digest, with keys that were not compromised by then."""
        return [act for act in self.sound_papers() if act.paper.sha256 == sha256]

    def sound_papers(self) -> list[PaperAct]:
        """Papers that were entered with keys which were not compromised by then."""
        return [act for act in self.papers if not self.is_revoked(act)]

    def sound_sales(self) -> list[SaleAct]:
        """Sales that were entered with keys which were not compromised by then."""
        return [act for act in self.sales if not self.is_revoked(act)]

    def act(self, kind: str, by: str, data: dict[str, Any], time: str, *, ahead: int = 0) -> Act:
        """An act for this house and its next place, or `ahead` places later; unsigned."""
        return Act(self.size + ahead, kind, by, time, data, house=self.roster.identity)

    def signer(self, key: SigningKey, *roles: str) -> Person:
        """The person whose key may sign the next act in one of these roles.

        Raises:
            HouseError: unknown, ended or compromised key, other roles, sealed or expired house.
        """
        roster = self.roster
        self.check_fresh(self.today())
        if roster.sealed:
            raise HouseError(
                f"the house {roster.house} is sealed: nothing can be entered any more",
                mend="start a house of your own, with its works: house.py init --with-starter",
            )
        owner = roster.owners.get(key.keyid)
        refusal = owner[1].refusal_at(self.size) if owner else "unknown-key"
        if owner is None or refusal:
            raise HouseError(f"this key may not sign here ({refusal})", where=key.keyid[:12])
        if not {*roles} & {*owner[0].roles}:
            raise HouseError(f"{owner[0].id} is no {' or '.join(roles)} of this house")
        return owner[0]

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
