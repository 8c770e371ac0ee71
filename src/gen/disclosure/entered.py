"""Papers in the log: entering one by its digest, and telling whether a file is one."""

from __future__ import annotations

from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.acts import PAPER
from gen.provenance.records.papers import Paper, PaperAct
from gen.provenance.records.roster import CURATOR
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.signing.keys import SigningKey

_MOST_LETTERS = 40


def enter_paper(house: House, key: SigningKey, data: bytes, kind: str, model: str = "") -> int:
    """Enter a paper by its digest; the act's index.

    Args:
        house: whose log.
        key: a curator's.
        data: the paper's file.
        kind: what it is, for people: `summary`.
        model: SHA-256 of the model's file that it is about; "" for none.

    Raises:
        HouseError: the key may not sign, or the kind is no short name.
    """
    if not kind.strip() or len(kind) > _MOST_LETTERS or not kind.isprintable():
        raise HouseError(f"{kind!r:.60} names no kind of paper", mend="a word or two: summary")
    with house.writing() as session:
        curator = session.register.signer(key, CURATOR)
        return session.enter(PAPER, curator.id, Paper(kind, sha256_hex(data), model), key).index


def entry_of(register: Register, data: bytes) -> PaperAct | None:
    """The act that entered a file with these very bytes first; None where the log has none."""
    return next(iter(register.papers_of(sha256_hex(data))), None)


def found_entry(register: Register, data: bytes) -> PaperAct:
    """The same, where there has to be one.

    Raises:
        HouseError: none: it was never entered, or changed since.
    """
    found = entry_of(register, data)
    if found is None:
        raise HouseError(
            f"is no paper that the log of {register.roster.house} has "
            f"({len(register.papers)} are in it): changed since it was entered, or never",
            mend="name a file that disclose.py or house.py royalties wrote or entered, as it was "
            "then",
        )
    return found
