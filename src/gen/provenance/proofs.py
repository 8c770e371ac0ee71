"""Proofs that an outsider can check with the root key's fingerprint and a few hashes.

An inclusion proof shows that an act is in the register under a signed head; a consistency proof
shows that today's register extends the one of an earlier head. Both are JSON and hold what is
needed to check them; `check_proof` does so without the house.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.acts import ADOPT
from gen.provenance.canonical import canonical_json, fields, is_sha256_hex
from gen.provenance.dsse import Signature, is_signed_by
from gen.provenance.house import House
from gen.provenance.keys import key_id
from gen.provenance.log import HEAD_TYPE, Head
from gen.provenance.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from gen.provenance.roster import SignedRoster

INCLUSION, CONSISTENCY = "inclusion", "consistency"


class ProofError(HouseError):
    """A proof that does not prove what it says."""


def _lines(house: House) -> tuple[Head, list[bytes]]:
    head = house.register_log.head()
    return head, list(house.register_log.lines(head))


def prove_inclusion(house: House, index: int) -> dict[str, Any]:
    """That act `index` is in the register under its present head.

    Raises:
        SettingError: no such act.
    """
    head, lines = _lines(house)
    if not 0 <= index < head.size:
        raise SettingError(f"act {index} of {head.size}", mend="house.py log lists the acts")
    path = inclusion_proof([leaf_hash(line) for line in lines], index)
    return {
        "act": lines[index].decode("utf-8"),
        "format": 1,
        "head": head.to_dict(),
        "index": index,
        "kind": INCLUSION,
        "path": [node.hex() for node in path],
        "roster": _last_roster(house),
    }


def prove_consistency(house: House, old_size: int) -> dict[str, Any]:
    """That the present register extends the one of `old_size` acts.

    Raises:
        SettingError: the register never had that size.
    """
    head, lines = _lines(house)
    if not 0 < old_size <= head.size:
        raise SettingError(f"size {old_size} of {head.size}", mend="give an earlier size")
    leaves = [leaf_hash(line) for line in lines]
    return {
        "format": 1,
        "head": head.to_dict(),
        "kind": CONSISTENCY,
        "old_root": root_of(leaves[:old_size]).hex(),
        "old_size": old_size,
        "path": [node.hex() for node in consistency_proof(leaves, old_size)],
        "roster": _last_roster(house),
    }


def _last_roster(house: House) -> dict[str, Any]:
    return house.load().rosters[-1].to_dict()


def check_proof(proof: object, roots: Iterable[str], threshold: int = 1) -> str:
    """Check a proof against the fingerprints of the house's root keys alone.

    Args:
        proof: decoded JSON, as `prove_inclusion` or `prove_consistency` made it.
        roots: fingerprints that are trusted.
        threshold: how many of those keys must have signed the roster inside.

    Returns:
        What it proves, in words.

    Raises:
        ProofError, StrictJsonError: it does not.
    """
    kind = proof.get("kind") if isinstance(proof, dict) else None
    if kind == INCLUSION:
        return _check_inclusion(proof, roots, threshold)
    if kind == CONSISTENCY:
        return _check_consistency(proof, roots, threshold)
    raise ProofError(f"a proof of kind {kind!r}", mend="make one with house.py prove")


def _check_inclusion(proof: object, roots: Iterable[str], threshold: int) -> str:
    found = fields(
        proof,
        "proof",
        act=str,
        format=int,
        head=dict,
        index=int,
        kind=str,
        path=list,
        roster=dict,
    )
    head = _trusted_head(found, roots, threshold)
    line = found["act"].encode("utf-8")
    path, root = _hashes(found["path"]), bytes.fromhex(head.root)
    if not verify_inclusion(leaf_hash(line), found["index"], head.size, path, root):
        raise ProofError(f"act {found['index']} is not under this head")
    act = canonical_json(line)
    what = " ".join(filter(None, (act["act"], act["data"].get("work"), "by", act["by"])))
    return f"act {found['index']} ({what}) is in {_named(head)}"


def _check_consistency(proof: object, roots: Iterable[str], threshold: int) -> str:
    found = fields(
        proof,
        "proof",
        format=int,
        head=dict,
        kind=str,
        old_root=str,
        old_size=int,
        path=list,
        roster=dict,
    )
    head = _trusted_head(found, roots, threshold)
    old, new = _hashes([found["old_root"]])[0], bytes.fromhex(head.root)
    if not verify_consistency(found["old_size"], old, head.size, new, _hashes(found["path"])):
        raise ProofError(f"{_named(head)} does not extend that of {found['old_size']} acts")
    return f"{_named(head)} extends that of {found['old_size']} acts, root {found['old_root']}"


def _named(head: Head) -> str:
    return f"the register of {head.house}, {head.size} acts, root {head.root}"


def _hashes(values: list[Any]) -> list[bytes]:
    if not all(map(is_sha256_hex, values)):
        raise ProofError("the path holds something that is no SHA-256")
    return [bytes.fromhex(value) for value in values]


def _trusted_head(found: dict[str, Any], roots: Iterable[str], threshold: int) -> Head:
    head, signed = Head.from_dict(found["head"]), SignedRoster.from_dict(found["roster"])
    trusted = set(roots)
    publics = [key for key, i in _with_ids(signed) if i in trusted]
    if len(signed.signers_among(publics)) < threshold or signed.roster.house != head.house:
        raise ProofError("the roster inside is not signed by the root keys you trust")
    if len(head.signatures) != 1 or not _signs_head(signed, head.signatures[0], head):
        raise ProofError("the head inside is not signed by a key of the house")
    return head


def _with_ids(signed: SignedRoster) -> list[tuple[bytes, str]]:
    return [(key, key_id(key)) for key in signed.roster.root_keys]


def _signs_head(signed: SignedRoster, signature: Signature, head: Head) -> bool:
    by_id = {i: key for key, i in _with_ids(signed)}
    owner = signed.roster.owners.get(signature.keyid)
    if owner is not None and owner[1].refusal_at(head.size - 1) is None:
        by_id[signature.keyid] = owner[1].public
    public = by_id.get(signature.keyid)
    return public is not None and is_signed_by(signature, public, HEAD_TYPE, head.payload())


def acts_of(house: House, work: str) -> list[int]:
    """Indices of every act that names this work."""
    _, lines = _lines(house)
    found = []
    for index, line in enumerate(lines):
        act = canonical_json(line)
        named = act["data"].get("works", ())
        named = [item["work"] for item in named] if act["act"] == ADOPT else named
        if work == act["data"].get("work") or work in named:
            found.append(index)
    return found
