"""Other processes verify files of a house, a few ahead of the gate that judges them.

They are given bytes that this process has read and say whether all that follows from these alone
is right: no mark of a generated piece, layout and tag, signatures by the keys that they name, music
read strictly that sounds as the tag says. Such files are then among those that passed
(`gen.provenance.admission.passed`), by the digest of those bytes; the gate reads and hashes every
file itself and judges the rest. Of what is wrong they say nothing: the gate finds it and says so in
its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gen.processes import Ahead
from gen.provenance.admission.mark import is_generated
from gen.provenance.admission.passed import PassedFiles, packed
from gen.provenance.history.register import Register
from gen.provenance.houses.store import MAX_FILE_BYTES, Store
from gen.provenance.records.tag import TagError, Tagged, read_tag
from gen.provenance.signing.canonical import sha256_hex
from gen.provenance.signing.dsse import is_signed_by
from gen.smf import RuleBroken, musical_hash, parse


def verifying_ahead(
    store: Store, register: Register, passed: PassedFiles, places: Sequence[str]
) -> Ahead[tuple[str, bytes] | None]:
    """Other processes verify the files that are new; `take` names one by its place.

    Args:
        store: the house's files.
        register: its register; who is no work of it is left to the gate.
        passed: the files that are known to be right.
        places: all files, in the order in which they are judged.
    """
    new = [place for place in places if _is_new(place, register, passed)]
    keys = {keyid: key.public for keyid, (_, key) in register.roster.owners.items()}
    return Ahead(new, lambda place: store.read(place, MAX_FILE_BYTES), verified, _begin, keys)


def _is_new(place: str, register: Register, passed: PassedFiles) -> bool:
    record = register.at(place)
    return (
        record is not None
        and record.withdrawn_at is None
        and not passed.has(record.entry.file_sha256)
    )


_keys: Mapping[str, bytes]  # of a process that helps: public keys by their ids


def _begin(keys: Mapping[str, bytes]) -> None:
    global _keys
    _keys = keys


def verified(data: bytes) -> tuple[str, bytes] | None:
    """Digest and tag of a file that is right as far as its bytes say; None for any other."""
    try:
        tagged = read_tag(data)
        is_right = (
            not is_generated(data)
            and musical_hash(parse(tagged.music)) == tagged.statement.musical_hash
            and _is_signed(tagged)
        )
    except (TagError, RuleBroken):
        return None
    return (sha256_hex(data), packed(tagged)) if is_right else None


def _is_signed(tagged: Tagged) -> bool:
    """Whether each signature is that of the key that it names."""
    envelope = tagged.envelope
    return all(
        (key := _keys.get(signature.keyid)) is not None
        and is_signed_by(signature, key, envelope.payload_type, envelope.payload)
        for signature in envelope.signatures
    )
