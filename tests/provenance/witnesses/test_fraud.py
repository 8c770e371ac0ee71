"""A proof of fraud can be read by a person: its notes stand in it as witnesses print them."""

from __future__ import annotations

import json
from itertools import combinations_with_replacement

import pytest

from gen.provenance.signing.merkle import leaf_hash, root_of
from gen.provenance.signing.notes import LOG_KEY, NoteKey, SignedNote
from gen.provenance.witnesses.fraud import FraudError, prove_fraud, signers_of_both
from houses import key_of

LOG = NoteKey("lantern/0123456789abcdef", key_of("log").public, LOG_KEY)
HONEST, FORGED = ([leaf_hash(f"{name} {n}".encode()) for n in range(4)] for name in "ab")


def head(leaves: list[bytes], size: int) -> SignedNote:
    return SignedNote(LOG.name, size, root_of(leaves[:size])).signed_by(key_of("log"))


@pytest.mark.parametrize(("size", "other"), [(2, 2), (2, 4), (4, 2), (3, 4)])
def test_two_heads_of_two_histories_stand_in_the_proof_as_they_are_the_smaller_first(size, other):
    first, second = head(HONEST, size), head(FORGED, other)
    data = prove_fraud(first, second, [HONEST, FORGED])
    assert signers_of_both(data, [LOG]) == [LOG.name]
    found = json.loads(data)
    notes = [note.encode().decode() for note in sorted((first, second), key=lambda n: n.size)]
    assert found["notes"] == notes
    assert bool(found["old_root"]) == bool(found["path"]) == (size != other)
    lines = data.decode().split("\n")
    assert lines[:2] == ["{", ' "format": 1,']
    assert lines[3] == f"  {json.dumps(notes[0], ensure_ascii=False)},"
    assert "\\u2014" not in data.decode()
    assert lines[-2:] == ["}", ""]


@pytest.mark.parametrize(("size", "other"), [*combinations_with_replacement((1, 2, 4), 2)])
def test_two_heads_of_one_history_prove_nothing(size, other):
    with pytest.raises(FraudError, match="of one history"):
        prove_fraud(head(HONEST, other), head(HONEST, size), [HONEST])
