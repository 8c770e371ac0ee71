"""Who signs what a session writes: its receipts, and the acts that enter its pieces in the log."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gen.errors import HouseError
from gen.provenance.access import key_for_role, key_of_person, passphrase_of
from gen.provenance.house import House
from gen.provenance.keys import PASSPHRASE_VARIABLE, PrivateKey, list_keys, unlock
from gen.provenance.recording import OutputLog
from gen.provenance.register import Register
from gen.provenance.roster import PRODUCER, Person

OFF = "off"


@dataclass(frozen=True, slots=True)
class Signatures:
    """What a session signs with.

    Attributes:
        key: signs the receipts; None for nobody.
        signer: whose key it is.
        log: enters the pieces; None where they are not entered.
        words: why they are not entered; "" where they are.
    """

    key: PrivateKey | None = None
    signer: str = ""
    log: OutputLog | None = None
    words: str = ""


def signatures_for(
    house: House, register: Register, sign: str | None, *, is_recorded: bool
) -> Signatures:
    """Who signs receipts, and who enters pieces.

    A piece of a model that the log does not vouch for is neither signed for nor entered.

    Args:
        house: whose model writes.
        register: of it.
        sign: a person of the house, who is asked for the passphrase if need be; `off` for none;
            None for a producer whose key is at hand, else for whoever's key this user has, if the
            environment holds its passphrase.
        is_recorded: whether the log vouches for the model.

    Raises:
        HouseError: the person's key is not here, or the passphrase does not open it.
    """
    if not is_recorded:
        return Signatures(words="neither signed nor entered: the log does not vouch for the model")
    producer = key_for_role(register, PRODUCER)
    key = _signing_key(register, sign, producer)
    if producer is None and key is not None and PRODUCER in _owner(register, key).roles:
        producer = key
    signer = _owner(register, key).id if key else ""
    if producer is None:
        name = register.roster.house
        why = "is sealed" if register.roster.sealed else "has no producer's key on this computer"
        return Signatures(key, signer, None, f"not entered in the log: the house {name} {why}")
    try:
        house.store.check_writable()
    except HouseError as error:
        why = f"not entered in the log: {error.what} ({error.where})"
        return Signatures(key, signer, None, why)
    return Signatures(key, signer, OutputLog(house, register, producer))


def _owner(register: Register, key: PrivateKey) -> Person:
    return register.roster.owners[key.keyid][0]


def _signing_key(
    register: Register, sign: str | None, producer: PrivateKey | None
) -> PrivateKey | None:
    if sign == OFF:
        return None
    if sign is not None:
        return key_of_person(register, sign)
    if producer is not None or PASSPHRASE_VARIABLE not in os.environ:
        return producer
    usable = {key.keyid for person in register.roster.people for key in person.open_keys()}
    file = next((file for file in list_keys() if file.keyid in usable), None)
    return unlock(file, passphrase_of) if file else None
