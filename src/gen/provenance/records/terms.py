"""Terms: what a composer asks for a work, beyond what it may be trained on.

A `terms` act says, of one work and for one of its composers: what may be trained on it (as a
`consent` act does), what the models that learned from it may be used for, whether one version of a
model is all that is granted, and what is to be paid. A work of which nobody said terms is used as
its consent allows, and for every use. What one composer says binds for their part: a use needs the
grant of each composer who said terms.

An `approve` act is the word that a composer kept for themselves: this run's models, or this one
piece, may be used so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal

from gen.errors import SettingError
from gen.provenance.records.consent import Consent, Grant, parse_day
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.shapes import DigestOrNone, Shape, check_sorted

SALE, SAMPLING, STYLE = "sale", "sampling", "style"
USES = (SALE, SAMPLING, STYLE)
"""What a model may be used for: selling pieces, writing them, writing in its composer's style."""
WHOLE_SHARE = 100
MOST_FEE = 10**12

UseName = Literal["sale", "sampling", "style"]


class Use(Shape, frozen=True):
    """One use that is granted.

    Attributes:
        use: one of `USES`.
        until: its last day (UTC), None for ever.
        approval: whether it needs an `approve` act besides.
    """

    WHAT: ClassVar[str] = "use"

    use: UseName
    until: date | None = None
    approval: bool = False

    def is_live(self, today: date) -> bool:
        return self.until is None or today <= self.until

    def __str__(self) -> str:
        day = "" if self.until is None else f"@{self.until.isoformat()}"
        return f"{self.use}{day}{' (ask first)' if self.approval else ''}"


class Terms(Shape, frozen=True):
    """What a `terms` act says of a work.

    Attributes:
        work: id.
        consent: what may be trained on it, sorted by scope.
        uses: what models that learned from it may be used for, sorted; no other use.
        this_version: one model for each purpose may learn from it, and none after that.
        share: percent of the composer's part of a pool that is theirs; the rest is the house's.
        fee: in hundredths of the house's currency, for each run that begins with it.
    """

    WHAT: ClassVar[str] = "terms"

    work: str
    consent: tuple[Grant, ...]
    uses: tuple[Use, ...]
    this_version: bool
    share: int
    fee: int

    def __post_init__(self) -> None:
        names = [use.use for use in self.uses]
        if names != sorted(set(names)):
            raise StrictJsonError("terms: uses are not sorted, or one appears twice")
        if not 0 <= self.share <= WHOLE_SHARE or not 0 <= self.fee <= MOST_FEE:
            raise StrictJsonError("terms: a share is 0 to 100 percent, a fee no less than 0")
        Consent.recorded(self.consent)

    @property
    def scopes(self) -> Consent:
        return Consent(self.consent)

    def use(self, name: str, today: date) -> Use | None:
        """The live grant of this use."""
        return next((use for use in self.uses if use.use == name and use.is_live(today)), None)

    def __str__(self) -> str:
        parts = [f"training: {self.scopes}", f"use: {', '.join(map(str, self.uses)) or 'none'}"]
        parts += ["this version only"] if self.this_version else []
        parts += [f"share {self.share} %"] if self.share != WHOLE_SHARE else []
        parts += [f"fee {spelled_cents(self.fee)} a run"] if self.fee else []
        return "; ".join(parts)


class Approval(Shape, frozen=True):
    """What an `approve` act says.

    Attributes:
        use: one of `USES`.
        run: index of the run, or asserted model, whose models may be used so.
        receipt: SHA-256 of one piece's receipt, for that piece alone; "" for all.
        works: of whose composer the word is, sorted.
    """

    WHAT: ClassVar[str] = "approval"

    use: UseName
    run: int
    receipt: DigestOrNone
    works: tuple[str, ...]

    def __post_init__(self) -> None:
        check_sorted(self.works, "approval: works")


@dataclass(frozen=True, slots=True)
class TermsAct:
    """One composer's terms for a work, as the register keeps them."""

    index: int
    keyid: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class ApprovalAct:
    """One composer's approval, as the register keeps it."""

    index: int
    by: str
    keyid: str
    approval: Approval


@dataclass(slots=True)
class Approvals:
    """Every approval in the log."""

    acts: list[ApprovalAct] = field(default_factory=list)

    def of(self, by: str, work: str, use: str, run: int | None, receipt: str) -> list[ApprovalAct]:
        """Those of a composer that speak of this use of this work in this run, or piece."""
        return [
            act
            for act in self.acts
            if (act.by, act.approval.use, act.approval.run) == (by, use, run)
            and work in act.approval.works
            and act.approval.receipt in ("", receipt)
        ]


def parse_allowed(
    text: str, ask_first: Iterable[str] = (), until: date | None = None
) -> tuple[Consent, tuple[Use, ...]]:
    """Read `general_model sampling@2030-12-31 sale`: what may be trained, and what may be used.

    Args:
        text: scopes and uses, each for ever or until a day; `nothing` for none.
        ask_first: uses that need an approval.
        until: last day of those that name none.

    Raises:
        SettingError: a word is neither scope nor use, or one is named twice.
    """
    words = text.casefold().replace(",", " ").split()
    mine = [word for word in words if word.partition("@")[0] in USES]
    consent = Consent.parse(" ".join(word for word in words if word not in mine))
    grants = [Grant(g.scope, g.until or until) for g in consent.grants]
    uses = [_parse_use(word, frozenset(ask_first), until) for word in mine]
    names = [use.use for use in uses]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingError(f"terms name {twice[0]!r} twice", mend="name each use once")
    if unasked := sorted({*ask_first} - {*names}):
        raise SettingError(
            f"{unasked[0]!r} is not allowed, so that nobody can ask for it",
            where="--ask-first", mend=f"name it in --allow, too: --allow '{text} {unasked[0]}'",
        )  # fmt: skip
    return Consent.of(grants), tuple(sorted(uses, key=lambda use: use.use))


def _parse_use(word: str, ask_first: frozenset[str], until: date | None) -> Use:
    name, at, day = word.partition("@")
    return Use(name, parse_day(day) if at else until, name in ask_first)  # type: ignore[arg-type]


def parse_cents(text: str) -> int:
    """Read an amount of money, `25` or `25.50`, in hundredths.

    Raises:
        SettingError: something else, or too much.
    """
    whole, dot, part = text.strip().partition(".")
    is_sound = whole.isdecimal() and whole.isascii() and (not dot or part.isdecimal())
    if not is_sound or len(part) > 2 or len(whole) > 10:
        raise SettingError(f"{text!r:.40} is no amount of money", mend="write it as 25 or 25.50")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def spelled_cents(cents: int) -> str:
    """Hundredths as `25.50`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"
