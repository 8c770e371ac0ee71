"""Asking witnesses for their signatures, over HTTP or by files: both carry the same bytes.

```
old 480                 how far the witness has signed before
<base64>                consistency proof from there, a hash a line
                        an empty line
<the note>
```

The answer is lines of signatures (status 200), or the size that the witness has signed (409). As a
file it begins with a line that says the status.

Source: C2SP tlog-witness (https://c2sp.org/tlog-witness).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gen.disk.reading import ANSWER
from gen.errors import SettingError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.note_files import place_of, read_note, sign_head
from gen.provenance.houses.store import CHECKPOINT, Store
from gen.provenance.records.witness_policy import Policy, Sighting, Witness
from gen.provenance.signing.canonical import to_base64
from gen.provenance.signing.merkle import consistency_proof
from gen.provenance.signing.notes import NoteError, NoteSignature, SignedNote
from gen.provenance.witnesses.posting import post
from gen.provenance.witnesses.standing import WitnessError, true_notes

MAX_ANSWER_BYTES = 65_536


def note_to_witness(house: House, register: Register) -> SignedNote:
    """The newest note of the log: of the head, where the log's key is at hand.

    Raises:
        WitnessError: the log has no key, or no note was ever signed.
        RegisterError: as `true_notes`.
    """
    log, head = register.roster.log, register.newest_head
    if log is None:
        raise WitnessError(
            "the log has no key, so that nobody outside can witness it",
            mend="a root key's holder makes one: python scripts/house.py rotate --log-key",
        )
    note = read_note(house.store, CHECKPOINT)
    if note is None or note.size != head.size or not note.is_signed_by(log):
        note = sign_head(house.store, head, log) or note
    if note is None or not note.is_signed_by(log):
        raise WitnessError(
            "no note of the log is signed by its key, which is not in your key folder",
            mend="run this on the computer that has the log's key",
        )
    true_notes(register, [note])
    return note


def request_of(register: Register, note: SignedNote, old: int) -> bytes:
    """What a witness is asked. `old`: the size that it has signed before, 0 for none.

    Raises:
        SettingError: `old` is larger than the note's size.
    """
    if not 0 <= old <= note.size:
        raise SettingError(f"the note is of {note.size} acts, {old} were signed before")
    proof = consistency_proof(register.leaves[: note.size], old) if old else []
    lines = [f"old {old}", *map(to_base64, proof)]
    return "\n".join(lines).encode() + b"\n\n" + note.encode()


def signed_before(found: Iterable[Sighting], witness: Witness) -> int:
    """The largest size that this witness is known to have signed."""
    return max((s.size for s in found if s.witness == witness.name), default=0)


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What a witness answered: a status of HTTP, and its text."""

    status: int
    text: str

    @staticmethod
    def of_file(data: bytes) -> WitnessAnswer:
        """An answer that came as a file; the line with the status may be left out.

        Raises:
            WitnessError: no answer of a witness.
        """
        try:
            first, _, rest = data[: MAX_ANSWER_BYTES + 1].decode().partition("\n")
        except UnicodeDecodeError:
            first, rest = "", ""
        status = re.match(r"([1-5][0-9]{2})( [A-Za-z -]*)?\r?\Z", first)
        if len(data) > MAX_ANSWER_BYTES or not (status or first.startswith("— ")):
            raise WitnessError("no answer of a witness", mend=ANSWER.mend)
        return WitnessAnswer(int(status[1]), rest) if status else WitnessAnswer(200, data.decode())

    @property
    def size(self) -> int | None:
        """The size that the witness has signed, where it says so."""
        found = re.match(r"(0|[1-9][0-9]{0,18})\s*\Z", self.text)
        return int(found[1]) if self.status == 409 and found else None

    def signatures(self) -> list[NoteSignature]:
        """The lines of an answer that is signed.

        Raises:
            NoteError: they are misspelt.
        """
        return [NoteSignature.parse(line) for line in self.text.splitlines() if line]


def ask(witness: Witness, register: Register, note: SignedNote, old: int) -> list[NoteSignature]:
    """Have a witness sign a note over HTTP.

    Args:
        witness: whom; its `url` is known.
        register: that the note is true of.
        note: signed by the log.
        old: the size that it is known to have signed; where that is wrong it is asked once more.

    Returns:
        Its signatures, which verify.

    Raises:
        WitnessError: it cannot be reached, or refuses; a rule `two-histories` says that it signed
            another history under this log's name, or a longer one, `forgetful` that it no longer
            knows what it signed.
    """
    answer = _post(witness, request_of(register, note, old))
    known = answer.size
    if known is not None and known < old:
        raise _forgetful(witness, known, old)
    if known is not None and known != old and known <= note.size:
        answer = _post(witness, request_of(register, note, known))
    return signed_in(answer, witness, note)


def signed_in(answer: WitnessAnswer, witness: Witness, note: SignedNote) -> list[NoteSignature]:
    """The witness's own signatures under this note in its answer.

    Raises:
        WitnessError: it refused, or what it sent does not verify.
    """
    if answer.status != 200:
        raise _refused(answer, witness, note)
    try:
        found = replace(note, signatures=tuple(answer.signatures())).cosignatures(witness.key)
    except NoteError as error:
        raise WitnessError(f"{witness.name} sent {error.what}") from error
    if not found:
        raise WitnessError(
            f"what {witness.name} sent is not signed by the key in the pin",
            mend="ask it for the key that witness.py show prints, and compare",
        )
    return found


def _forgetful(witness: Witness, known: int, old: int) -> WitnessError:
    return WitnessError(
        f"{witness.name} says that it has signed {known} acts, and its signature is under {old}: "
        "an older copy of its memory was put back, with which it may sign two histories",
        rule="forgetful",
        mend="tell its operator, who begins anew under another name; until then: "
        f"house.py witness --drop {witness.name}",
    )


def _refused(answer: WitnessAnswer, witness: Witness, note: SignedNote) -> WitnessError:
    reasons = {
        400: "finds the request malformed",
        403: "does not accept the log's key",
        404: f"does not witness {note.origin}",
    }
    if answer.status in (409, 422):
        signed = "another history" if answer.size is None else f"{answer.size} acts"
        return WitnessError(
            f"{witness.name} has signed {signed} of {note.origin}; this head of {note.size} acts "
            "does not extend that",
            rule="two-histories",
            mend="an older copy of the house was put back, its log's key was stolen, or two "
            "histories exist: compare with what the witness has",
        )
    what = reasons.get(answer.status, f"answers {answer.status} {answer.text.strip()[:80]}")
    return WitnessError(
        f"{witness.name} {what}",
        mend=f"its operator runs: witness.py add-log with {note.origin}'s key",
    )


def _post(witness: Witness, body: bytes) -> WitnessAnswer:
    try:
        url = f"{witness.url}/add-checkpoint"
        status, data = post(url, body, "text/plain", MAX_ANSWER_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise WitnessError(
            f"{witness.name} cannot be reached ({reason})",
            rule="unreachable",
            where=witness.url,
            mend="try again later, or by files: house.py witness --request FILE",
        ) from error
    return WitnessAnswer(status, data[:MAX_ANSWER_BYTES].decode("utf-8", "replace"))


# -- keeping ---------------------------------------------------------------------------------


def keep(
    store: Store, note: SignedNote, new: Iterable[NoteSignature], policy: Policy
) -> SignedNote:
    """Put signatures beside the note of this size, which is made where it is not there yet.

    Raises:
        NoteError: what is kept there is no note.
    """
    place = place_of(note.size)
    with store.locked():
        known = read_note(store, place)
        signed = (*note.signatures, *(known.signatures if known else ()))
        whole = replace(note, signatures=tuple(dict.fromkeys(signed)))
        whole = whole.with_cosignatures(new, policy.keys)
        store.write({place: whole.encode()})
    return whole


def take_in(
    house: House, notes: Iterable[SignedNote], answer: WitnessAnswer
) -> tuple[SignedNote, list[str]]:
    """Keep the signatures of an answer that came as a file, under the note that they are of.

    Args:
        house: whose log it is.
        notes: true ones.
        answer: of a witness that the pin names.

    Returns:
        The note, and who signed it.

    Raises:
        WitnessError: it refused, or none of the notes is what it signed.
    """
    policy = house.pin.witnesses
    if answer.status != 200:
        known = "" if answer.size is None else f"; it has signed {answer.size} acts"
        raise WitnessError(
            f"the witness refused ({answer.status}){known}",
            mend="write the request once more, with --old and that size; if the log never had "
            "it, two histories exist",
        )
    new = answer.signatures()
    for note in sorted(notes, key=lambda note: -note.size):
        sent = replace(note, signatures=tuple(new))
        names = [w.name for w in policy.witnesses if sent.cosignatures(w.key)]
        if names:
            return keep(house.store, note, new, policy), names
    raise WitnessError(
        "no witness that the pin names signed a note of this log there",
        mend="name the witness first: house.py witness --add KEY",
    )
