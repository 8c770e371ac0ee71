"""The register: every act of the house's people, in order, and what it amounts to.

`Register` is the state after replaying the acts. Reading it verifies: the tree against the
signed head, each act's signature and its author's right to it under the roster of that moment,
each roster's succession, the pin. A register that breaks any of this is refused as a whole.

A key that is later declared compromised from index n does not break the register: works it
signed from n on are refused one by one, consent it gave then only counts where it narrows, and
withdrawals it signed stand until the work is entered anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gen.errors import HouseError
from gen.provenance.history.log import HEAD_TYPE, Head
from gen.provenance.history.record import ConsentAct, RegisterError, WorkRecord, check_time
from gen.provenance.history.rights import (
    check_member,
    check_root,
    check_signer,
    check_statements,
    entries_of,
    key_of_head,
)
from gen.provenance.history.state import RegisterState
from gen.provenance.history.succession import check_succession
from gen.provenance.records.acts import (
    ADD,
    ADOPT,
    ANSWER,
    APPROVE,
    BEGIN,
    COMPLAIN,
    CONSENT,
    END,
    KEY,
    MODEL,
    OUTPUT,
    PAPER,
    RETIRE,
    ROOT,
    SELL,
    TERMS,
    WITHDRAW,
    Act,
    ConsentChange,
    Entry,
    KeyChange,
    Withdrawal,
)
from gen.provenance.records.complaints import Answer, Complaint
from gen.provenance.records.consent import Consent
from gen.provenance.records.papers import Paper, PaperAct
from gen.provenance.records.roster import COMPOSER, CURATOR, SignedRoster
from gen.provenance.records.run_acts import AssertedModel, Begin, End, Output, Retirement
from gen.provenance.records.sales import Sale, SaleAct
from gen.provenance.records.terms import Approval, ApprovalAct, Terms, TermsAct
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.dsse import is_signed_by
from gen.provenance.signing.merkle import leaf_hash


@dataclass(eq=False)
class Register(RegisterState):
    """The state of a house after `size` acts. Built by `replay`."""

    # -- replaying --------------------------------------------------------------------------

    def replay(self, line: bytes) -> Act:
        """Take one more line into account.

        Raises:
            RegisterError: the act is malformed, misplaced, unsigned or not its author's to do.
        """
        try:
            act = Act.decode(line, is_known=self._is_trusted)
            if act.index != self.size:
                raise StrictJsonError(f"it says it is act {act.index}")
            if self.rosters and self.roster.sealed:
                raise StrictJsonError("the house was sealed before it")
            if not self.rosters and act.kind != KEY:
                raise StrictJsonError("a register begins with a roster")
            self._take(act)
            if not self._is_trusted:
                check_time(f"act {act.index}", act.time)
        except (HouseError, KeyError, ValueError) as error:
            if isinstance(error, RegisterError):
                raise
            what = error.what if isinstance(error, HouseError) else repr(error)
            mend = getattr(error, "mend", "") or "put back the house's last intact copy"
            raise RegisterError(f"act {self.size} is refused: {what}", mend=mend) from error
        self.size += 1
        self.leaves.append(leaf_hash(line))
        return act

    @property
    def _is_trusted(self) -> bool:
        """Whether the next act is one of those whose signatures were verified before."""
        return self.size < self.trusted_size

    def _take(self, act: Act) -> None:
        # A roster has signatures of its own; who may withdraw a work depends on whose it is.
        if act.kind not in (KEY, WITHDRAW):
            check_signer(act, self.roster, is_known=self._is_trusted)
        {
            ADD: self._take_works,
            ADOPT: self._take_works,
            ANSWER: self._take_answer,
            APPROVE: self._take_approval,
            BEGIN: self._take_begin,
            COMPLAIN: self._take_complaint,
            CONSENT: self._take_consent,
            END: self._take_end,
            KEY: self._take_roster,
            MODEL: self._take_model,
            OUTPUT: self._take_output,
            PAPER: self._take_paper,
            RETIRE: self._take_retirement,
            SELL: self._take_sale,
            TERMS: self._take_terms,
            WITHDRAW: self._take_withdrawal,
        }[act.kind](act)

    def _take_roster(self, act: Act) -> None:
        new = SignedRoster.from_dict(KeyChange.from_dict(act.data).signed)
        check_succession(self.rosters[-1] if self.rosters else None, new, act.index)
        self.rosters.append(new)

    def _take_works(self, act: Act) -> None:
        if not self._is_trusted:
            check_statements(act, self.roster)
        for entry in entries_of(act):
            self._enter(act, entry)

    def _take_begin(self, act: Act) -> None:
        begin = Begin.from_dict(act.data)
        learned = self.runs.learned_for(begin.purpose)
        for work in begin.works:
            if self._live(work).is_of_one_version and work in learned:
                raise StrictJsonError(f"{work} is for one version, which run {learned[work]} left")
        self.runs.take_begin(act, begin)

    def _take_end(self, act: Act) -> None:
        self.runs.take_end(act, End.from_dict(act.data))

    def _take_model(self, act: Act) -> None:
        model = AssertedModel.from_dict(act.data)
        unknown = [work for work in model.works if work not in self.works]
        if unknown:
            raise StrictJsonError(f"{unknown[0]!r:.90} is unknown")
        self.runs.take_model(act, model)

    def _take_output(self, act: Act) -> None:
        self.runs.take_output(act, Output.from_dict(act.data))

    def _take_withdrawal(self, act: Act) -> None:
        withdrawal = Withdrawal.from_dict(act.data)
        record = self._live(withdrawal.work)
        self._check_may_withdraw(act, record)
        withdrawn = (withdrawal.music_sha256, withdrawal.musical_hash)
        if withdrawn != (record.entry.music_sha256, record.entry.musical_hash):
            raise StrictJsonError(f"it withdraws other music than {withdrawal.work}'s")
        record.withdrawal, record.withdrawn_at = withdrawal, act.index
        record.withdrawn_by_keyid = act.keyid
        self.withdrawn.add(withdrawal.work)

    def _take_consent(self, act: Act) -> None:
        change = ConsentChange.from_dict(act.data)
        self._allow(act, self._own(act, change.work), change.scopes)

    def _take_terms(self, act: Act) -> None:
        terms = Terms.from_dict(act.data)
        record = self._own(act, terms.work)
        self._allow(act, record, terms.scopes)
        record.terms.setdefault(act.by, []).append(TermsAct(act.index, act.keyid, terms))

    def _allow(self, act: Act, record: WorkRecord, consent: Consent) -> None:
        allowed = ConsentAct(act.index, act.keyid, consent)
        record.consents.setdefault(act.by, []).append(allowed)

    def _take_approval(self, act: Act) -> None:
        approval = Approval.from_dict(act.data)
        for work in approval.works:
            self._own(act, work)
        self.runs.check_approved(approval.run, approval.receipt)
        self.approvals.acts.append(ApprovalAct(act.index, act.by, act.keyid, approval))

    def _take_retirement(self, act: Act) -> None:
        self.runs.take_retirement(act, Retirement.from_dict(act.data))

    def _take_complaint(self, act: Act) -> None:
        self.complaints.take_complaint(act, Complaint.from_dict(act.data))

    def _take_answer(self, act: Act) -> None:
        self.complaints.take_answer(act, Answer.from_dict(act.data))

    def _take_paper(self, act: Act) -> None:
        paper = Paper.from_dict(act.data)
        self.papers.append(PaperAct(act.index, act.by, act.keyid, act.time, paper))

    def _take_sale(self, act: Act) -> None:
        sale = Sale.from_dict(act.data)
        run = self.runs.that_wrote(sale.receipt)
        self.sales.append(SaleAct(act.index, act.by, act.keyid, act.time, run, sale))

    def _own(self, act: Act, work: str) -> WorkRecord:
        """A live work, of which the act's author is a composer."""
        record = self._live(work)
        if not record.is_composer(act.by):
            raise StrictJsonError(f"{act.by} is no composer of {work}")
        return record

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
            record.consents, record.terms = known.consents, known.terms
            record.first_index = known.first_index
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

    def _check_may_withdraw(self, act: Act, record: WorkRecord) -> None:
        """One of the work's composers does it as such; anybody else as a curator, or the root."""
        if act.by == ROOT:
            check_root(act, self.roster)
        else:
            role = COMPOSER if record.is_composer(act.by) else CURATOR
            check_member(act, self.roster, role, is_known=self._is_trusted)

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
