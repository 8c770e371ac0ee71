"""Entering runs, models and outputs in the log, by whoever trains and whoever produces."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence

from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.acts import BEGIN, END, MODEL, OUTPUT, ROOT
from gen.provenance.records.roster import PRODUCER, TRAINER
from gen.provenance.records.run_acts import AssertedModel, Begin, End, ModelDigest, Output
from gen.provenance.signing.keys import PrivateKey


def begin_run(house: House, key: PrivateKey, begin: Begin) -> int:
    """Enter a run before its first step; its index in the log.

    Raises:
        HouseError: the key is no trainer's, or a work was withdrawn since the gate admitted it, or
            may not be trained on for this any more.
    """
    with house.writing() as session:
        check_consent(session.register, begin)
        trainer = session.register.signer(key, TRAINER)
        return session.enter(BEGIN, trainer.id, begin, key).index


def check_consent(register: Register, begin: Begin) -> None:
    """Whether the works of a run may be trained on for its purpose, now.

    Raises:
        HouseError: one may not.
    """
    today, purpose = register.today(), begin.purpose
    for work in begin.works:
        record = register.works.get(work)
        if record and not register.consent_of(record).allows(purpose, today):
            raise HouseError(
                f"{work} may not be trained on for {purpose} by its composers' consent or terms",
                mend="start the run anew: the gate leaves it out",
            )


def end_run(house: House, key: PrivateKey, end: End) -> int:
    """Enter what a run has left; the act's index.

    Raises:
        HouseError: the key is not the one that began it, or it ended before.
    """
    with house.writing() as session:
        trainer = session.register.signer(key, TRAINER)
        return session.enter(END, trainer.id, end, key).index


def assert_model(
    house: House, root_keys: Sequence[PrivateKey], name: str, manifest: Manifest, model: ModelDigest
) -> int:
    """Enter a model that was trained before the log held runs, on the root's word; its index.

    Raises:
        HouseError: too few root keys, or works that this house never entered.
    """
    with house.writing() as session:
        session.register.check_fresh(session.register.today())
        manifest.check_entered(session.register)
        works = tuple(work.work for work in manifest.works)
        asserted = AssertedModel(name, manifest.purpose, manifest.digest, works, model)
        return session.enter(MODEL, ROOT, asserted, *root_keys).index


def outputs_of(
    house: House, register: Register, apart_from: Container[str] = ()
) -> Iterator[Output]:
    """The pieces that the register knows, with their fingerprints, read from the log once more.

    Args:
        house: whose.
        register: of the house.
        apart_from: digests of receipts whose pieces are passed over.

    Without those that were entered with a key which was compromised by then.

    Raises:
        LogError: the log is another by now than the register's.
    """
    pieces = register.runs.pieces
    wanted = {p.index for p in pieces if p.receipt not in apart_from and not register.is_revoked(p)}
    if not wanted:
        return
    for _, line in house.register_log.known_lines(register.leaves, lambda i, _: i in wanted):
        yield Output.from_dict(json.loads(line)["data"])


class OutputLog:
    """Enters the pieces of a session, one after the other.

    Args:
        house: whose models write.
        register: of the house, as it was loaded; it is brought up to date.
        key: a producer's.
    """

    def __init__(self, house: House, register: Register, key: PrivateKey) -> None:
        self._house, self._key = house, key
        self._register: Register | None = register

    def enter(self, output: Output) -> int:
        """Enter a piece, unless the log has its receipt already; the act's index.

        Raises:
            HouseError: the key is no producer's any more, or no such checkpoint was recorded.
        """
        with self._house.writing(since=self._register) as session:
            register, self._register = session.register, None  # until what follows has gone well
            index = register.runs.entered_at(output.receipt)
            if index is None:
                producer = register.signer(self._key, PRODUCER)
                index = session.enter(OUTPUT, producer.id, output, self._key).index
                self._house = session.house
            self._register = register
            return index
