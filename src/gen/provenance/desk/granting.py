"""What people do about terms: say them, approve a use, sell a piece, retire a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from gen.errors import SettingError
from gen.provenance.desk.works import say_of_works
from gen.provenance.history.granted import check_granted
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.houses.house import House
from gen.provenance.records.acts import APPROVE, RETIRE, ROOT, SELL, TERMS, Act
from gen.provenance.records.consent import Consent
from gen.provenance.records.roster import COMPOSER, CURATOR, PRODUCER
from gen.provenance.records.run_acts import Retirement
from gen.provenance.records.sales import Sale
from gen.provenance.records.terms import SALE, WHOLE_SHARE, Approval, Terms, Use, UseName
from gen.provenance.signing.keys import SigningKey


def set_terms(
    house: House,
    works: Collection[str],
    key: SigningKey,
    consent: Consent,
    uses: Sequence[Use],
    *,
    this_version: bool = False,
    share: int = WHOLE_SHARE,
    fee: int = 0,
    since: Register | None = None,
) -> House:
    """Record a composer's terms for their works; they take the place of earlier ones.

    Args:
        house: where.
        works: ids.
        key: the composer's.
        consent: what may be trained on them.
        uses: what models that learned from them may be used for.
        this_version: one model may learn from them, and none after that.
        share: percent of the composer's part of a pool that is theirs.
        fee: in hundredths, for each run that begins with one of them.
        since: as in `House.load`.

    Raises:
        HouseError: not their work, unknown work, or a key that may not sign.
    """

    def said_of(work: str) -> dict[str, Any]:
        return Terms(work, consent.grants, tuple(uses), this_version, share, fee).to_dict()

    return say_of_works(house, works, key, TERMS, said_of, since)


def approve(
    house: House,
    key: SigningKey,
    use: UseName,
    run: Run,
    works: Collection[str] = (),
    receipt: str = "",
) -> tuple[House, Approval]:
    """Record that a composer approves a use of a run's models, or of one piece.

    Args:
        house: where.
        key: the composer's.
        use: which.
        run: whose models.
        works: of the composer's works behind the run; all of them where none is named.
        receipt: SHA-256 of one piece's receipt; "" for all pieces.

    Raises:
        HouseError: none of their works is behind it, or a key that may not sign.
    """
    with house.writing() as session:
        register = session.register
        person = register.signer(key, COMPOSER)
        behind = register.runs.works_behind(run)
        theirs = [w for w in behind if register.works[w].is_composer(person.id)]
        live = [w for w in theirs if register.works[w].withdrawn_at is None]
        if strange := sorted({*works} - {*live}):
            raise SettingError(f"{strange[0]} is no work of {person.id} behind {run}")
        if not live:
            raise SettingError(f"no work of {person.id} is behind {run}")
        approval = Approval(use, run.index, receipt, tuple(sorted(works or live)))
        session.enter(APPROVE, person.id, approval, key)
        return session.house, approval


def sell(house: House, key: SigningKey, run: Run, receipt: str, cents: int, day: date) -> Act:
    """Record that a piece was sold; the act.

    Args:
        house: where.
        key: a producer's, or a curator's.
        run: whose model wrote it.
        receipt: SHA-256 of the piece's receipt.
        cents: what was paid, in hundredths.
        day: on which it was sold, none to come.

    Raises:
        HouseError: terms of a work behind it do not grant a sale, the day is to come, or a key
            that may not sign.
    """
    with house.writing() as session:
        register = session.register
        person = register.signer(key, PRODUCER, CURATOR)
        if day > register.today():
            raise SettingError(f"{day} is a day to come", mend="enter a sale once it was made")
        works = register.runs.works_behind(run)
        check_granted(register, works, SALE, run.index, receipt)
        return session.enter(SELL, person.id, Sale(receipt, cents, day), key)


def retire(
    house: House, keys: Sequence[SigningKey], run: Run, models: Collection[str], reason: str
) -> Act:
    """Record that models of a run write nothing any more; the act.

    Args:
        house: where.
        keys: a curator's, or as many of the root's as its threshold asks for.
        run: that left them.
        models: SHA-256 of their files.
        reason: for people.

    Raises:
        HouseError: the key may not do this.
    """
    with house.writing() as session:
        register = session.register
        by = ROOT
        if keys[0].keyid not in register.roster.root_keyids:
            by = register.signer(keys[0], CURATOR).id
        retirement = Retirement(run.index, tuple(sorted(models)), reason)
        return session.enter(RETIRE, by, retirement, *keys)
