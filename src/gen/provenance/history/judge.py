"""Whether a work's two signatures are those of two people who may give them."""

from __future__ import annotations

from gen.provenance.records.acts import Entry
from gen.provenance.records.roster import COMPOSER, CURATOR, Person, Roster
from gen.provenance.records.statement import Statement
from gen.provenance.records.tag import TagError, Tagged
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.dsse import Signature, is_signed_by


def says_the_same(entry: Entry, tagged: Tagged) -> bool:
    """Whether an entry says of the work what its composer signed, and allows no more."""
    statement = tagged.statement
    entered = (
        entry.work, entry.music_sha256, entry.musical_hash, entry.composers, entry.keyids,
    )  # fmt: skip
    signed = (
        statement.work,
        tagged.music_sha256,
        statement.musical_hash,
        statement.composers,
        tuple(signature.keyid for signature in tagged.envelope.signatures),
    )
    return entered == signed and entry.consent == entry.consent.narrowed_by(statement.consent)


def judge_entry(entry: Entry, roster: Roster, index: int, *, is_adopted: bool) -> Person:
    """The curator behind an entry whose statement, as both people signed it, is in the log.

    Args:
        entry: with its envelope.
        roster: who belongs to the house.
        index: of the act.
        is_adopted: it was signed for another house, and the root takes it over.

    Raises:
        StrictJsonError, TagError: it carries none, says something else, or was not signed so.
    """
    if entry.envelope is None:
        raise StrictJsonError(f"{entry.work} is entered without what its composer signed")
    statement, music_sha256 = Statement.from_payload(entry.envelope.content())
    tagged = Tagged(b"", music_sha256, statement, entry.envelope)
    if not is_adopted:
        check_signed_for(statement, roster)
    judge_composer(tagged, roster, index)
    curator = judge_curator(tagged, roster, index)
    if not says_the_same(entry, tagged) or entry.title != statement.description.title:
        raise StrictJsonError(f"{entry.work} is entered otherwise than its composer signed it")
    return curator


def check_signed_for(statement: Statement, roster: Roster) -> None:
    """Whether a work that is to enter was signed for this house.

    Raises:
        TagError: `wrong-house`: for another one, or, where the roster has an identity, for none.
    """
    if statement.house != roster.identity:
        whose = f"for the house {statement.house[:120]}" if statement.house else "for no house"
        raise TagError(
            "wrong-house",
            f"{statement.work} was signed {whose}, this is {roster.identity or roster.house}",
        )


def judge_composer(tagged: Tagged, roster: Roster, index: int) -> Person:
    """The composer behind the first signature.

    Args:
        tagged: the work.
        roster: who belongs to the house.
        index: the register index at which the keys are judged.

    Raises:
        TagError: `unknown-key`, `bad-signature`, `wrong-role`, `machine-written`, or the key's
            state at `index`.
    """
    person = _signer(tagged, tagged.envelope.signatures[0], roster, index)
    if not tagged.statement.no_generative_model and not roster.takes_machine_written:
        raise TagError("machine-written", "its composer says that a machine wrote it")
    composers = [who for who, _ in tagged.statement.composers]
    if person.id not in composers or COMPOSER not in person.roles:
        raise TagError(
            "wrong-role",
            f"the first signature is {person.id}'s, the composers are {', '.join(composers)}",
        )
    strangers = [who for who in composers if _is_no_composer(roster, who)]
    if strangers:
        raise TagError("wrong-role", f"no composer of this house: {', '.join(strangers)}")
    return person


def _is_no_composer(roster: Roster, person_id: str) -> bool:
    person = roster.person(person_id)
    return person is None or COMPOSER not in person.roles


def judge_curator(tagged: Tagged, roster: Roster, index: int) -> Person:
    """The curator behind the second signature: another person than any of the composers.

    Raises:
        TagError: `signature-count`, `same-person`, or as `judge_composer`.
    """
    count = len(tagged.envelope.signatures)
    if count != 2:
        raise TagError("signature-count", f"the tag carries {count} signatures, not two")
    person = _signer(tagged, tagged.envelope.signatures[1], roster, index)
    if any(person.id == composer for composer, _ in tagged.statement.composers):
        raise TagError("same-person", f"{person.id} composed it and accepted it")
    if CURATOR not in person.roles:
        raise TagError("wrong-role", f"the second signature is {person.id}'s, who is no curator")
    return person


def _signer(tagged: Tagged, signature: Signature, roster: Roster, index: int) -> Person:
    owner = roster.owners.get(signature.keyid)
    if owner is None:
        raise TagError("unknown-key", f"signed by the key {signature.keyid[:12]}…")
    person, key = owner
    envelope = tagged.envelope
    if not tagged.is_verified and not is_signed_by(
        signature, key.public, envelope.payload_type, envelope.payload
    ):
        raise TagError("bad-signature", f"what claims to be {person.id}'s signature is not")
    refusal = key.refusal_at(index)
    if refusal:
        raise TagError(refusal, _why(refusal, person, index))
    return person


def _why(refusal: str, person: Person, index: int) -> str:
    words = {
        "revoked-key": "was compromised by then",
        "expired-key": "had ended by then",
        "key-not-yet-valid": "was not valid yet",
    }
    return f"the key of {person.id} {words[refusal]} (register index {index})"
