"""C2PA manifest stores, written for a file: what it says of itself, and who signs that.

Written without any chance: the same claims, signer and file give the same bytes, unless an
authority puts a time stamp beside the signature. `gen.marks.manifest` reads them.

Source: as there.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gen.marks import jumbf
from gen.marks.containers import Container, Span
from gen.marks.cose import sign1
from gen.marks.jumbf import Box, BrokenStoreError
from gen.marks.manifest import ASSERTIONS, HASH, PIECE, SIGNATURE, read_store
from gen.marks.signing import Signer

TRAINED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMPOSITE: Final = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
ACTIONS, INGREDIENT = "c2pa.actions.v2", "c2pa.ingredient.v3"
_CLAIM: Final = "c2pa.claim.v2"
_NUMBERS: Final = 20
"""Bytes that the two numbers of a span and their padding take in CBOR, together."""


def digest(data: bytes) -> bytes:
    """SHA-256, as manifests hold it."""
    return hashlib.sha256(data).digest()


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What a file was made from.

    Attributes:
        title, media_type: for people.
        relationship: `parentOf` of what was worked on, `inputTo` of what was put in.
        sha256: of its bytes, hex.
        store: its own manifest store, which is kept; None where it has none.
    """

    title: str
    media_type: str
    relationship: str
    sha256: str
    store: bytes | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a file says of itself.

    Attributes:
        title: of the piece.
        software: name and version of what wrote it.
        facts: of the assertion `PIECE`.
        ingredients: what it was made from.
    """

    title: str
    software: tuple[str, str]
    facts: Mapping[str, Any]
    ingredients: Sequence[Ingredient] = ()


Stamp = Callable[[bytes], bytes]
"""Has an authority stamp bytes; the RFC 3161 time-stamp token."""


def embedded(
    data: bytes, container: Container, claims: Claims, signer: Signer, stamp: Stamp | None = None
) -> bytes:
    """The file with a store about itself; one that is in it already gives way.

    Raises:
        RuleBroken: a MIDI file that cannot be read.
        HouseError: the authority gives no stamp.
    """
    data = container.without(data)
    draft = _store(data, claims, signer, Span(0, 0), bytes(32), stamp and _blank)
    whole, span = container.put(data, bytes(len(draft)))
    bound = digest(span.cut_out_of(whole))
    store = _store(data, claims, signer, span, bound, stamp)
    return container.put(data, store)[0]


def beside(data: bytes, claims: Claims, signer: Signer, stamp: Stamp | None = None) -> bytes:
    """A store about a whole file, to lie beside it (`.c2pa`)."""
    return _store(data, claims, signer, None, digest(data), stamp)


def _blank(_: bytes) -> bytes:
    return b""


def _store(
    data: bytes, claims: Claims, signer: Signer, span: Span | None, bound: bytes,
    stamp: Stamp | None,
) -> bytes:  # fmt: skip
    """A store, as long whatever span, hash and stamp are."""
    seed = digest(data + signer.chain[0])
    urn = f"urn:c2pa:{uuid.UUID(bytes=seed[:16], version=4)}"
    assertions, kept = _assertions(claims, span, bound)
    refs = [_reference(label, content) for label, content in assertions]
    claim = _cbor(
        {
            "instanceID": f"xmp:iid:{uuid.UUID(bytes=seed[16:], version=4)}",
            "claim_generator_info": dict(zip(("name", "version"), claims.software, strict=True)),
            "signature": f"self#jumbf=/c2pa/{urn}/{SIGNATURE}",
            "created_assertions": refs,
            "dc:title": claims.title,
            "alg": "sha256",
        }
    )
    manifest = jumbf.superbox(
        b"c2ma", urn,
        jumbf.superbox(b"c2as", ASSERTIONS, *(content for _, content in assertions)),
        jumbf.superbox(b"c2cl", _CLAIM, jumbf.box(b"cbor", claim)),
        jumbf.superbox(b"c2cs", SIGNATURE, jumbf.box(b"cbor", sign1(claim, signer, stamp))),
    )  # fmt: skip
    return jumbf.superbox(b"c2pa", "c2pa", *kept, manifest)


def _assertions(
    claims: Claims, span: Span | None, bound: bytes
) -> tuple[list[tuple[str, bytes]], list[bytes]]:
    """Labels and boxes of the assertions, and the manifests of ingredients, which are kept."""
    found: list[tuple[str, bytes]] = []
    kept: dict[str, bytes] = {}
    for number, ingredient in enumerate(claims.ingredients):
        label = f"{INGREDIENT}__{number}" if number else INGREDIENT
        inner = _readable(ingredient.store)
        kept |= {box.label: box.whole for box in (inner.inner if inner else ())}
        found.append((label, _assertion(label, _ingredient(ingredient, inner))))
    refs = [_reference(label, content) for label, content in found]
    parents = [
        ref
        for ref, ingredient in zip(refs, claims.ingredients, strict=True)
        if ingredient.relationship == "parentOf"
    ]
    inputs = [ref for ref in refs if ref not in parents]
    actions = {"actions": _actions(claims, parents, inputs)}
    facts = dict(claims.facts)
    found.insert(0, (ACTIONS, _assertion(ACTIONS, actions)))
    found.append((PIECE, _assertion(PIECE, facts)))
    found.append((HASH, _assertion(HASH, _binding(span, bound))))
    return found, list(kept.values())


def _actions(
    claims: Claims, parents: list[dict[str, Any]], inputs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Created by a model; or opened, and gone on with by a model."""
    agent = dict(zip(("name", "version"), claims.software, strict=True))
    more = {"parameters": {"ingredients": inputs}} if inputs else {}
    if not parents:
        created = {"action": "c2pa.created", "digitalSourceType": TRAINED, "softwareAgent": agent}
        return [{**created, **more}]
    edited = {"action": "c2pa.edited", "digitalSourceType": COMPOSITE, "softwareAgent": agent}
    return [
        {"action": "c2pa.opened", "parameters": {"ingredients": parents}},
        {**edited, **more},
    ]


def _ingredient(ingredient: Ingredient, store: Box | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "dc:title": ingredient.title,
        "dc:format": ingredient.media_type,
        "instanceID": f"urn:sha256:{ingredient.sha256}",
        "relationship": ingredient.relationship,
    }
    if store is not None and store.inner:
        active = store.inner[-1]
        signature = active.find(SIGNATURE)
        at = f"self#jumbf=/c2pa/{active.label}"
        record["activeManifest"] = {"url": at, "alg": "sha256", "hash": digest(active.body)}
        at_signature = f"{at}/{SIGNATURE}"
        record["claimSignature"] = {
            "url": at_signature, "alg": "sha256", "hash": digest(signature.body)
        }  # fmt: skip
        status = {"code": "claimSignature.validated", "url": at_signature}
        record["validationResults"] = {
            "activeManifest": {"success": [status], "informational": [], "failure": []}
        }
    return record


def _readable(store: bytes | None) -> Box | None:
    """An ingredient's store whose claim is signed as it stands; another's is not passed on."""
    if store is None:
        return None
    try:
        found = read_store(store)
    except BrokenStoreError:
        return None
    return found.box if not found.active.problems else None


def _binding(span: Span | None, bound: bytes) -> dict[str, Any]:
    """The hash of the file; padded, so that it takes as many bytes whatever the span is."""
    if span is None:
        return {"name": "jumbf manifest", "alg": "sha256", "hash": bound, "pad": b""}
    spare = _NUMBERS - len(_cbor(span.start)) - len(_cbor(span.length))
    return {
        "exclusions": [{"start": span.start, "length": span.length}],
        "name": "jumbf manifest",
        "alg": "sha256",
        "hash": bound,
        "pad": bytes(spare),
    }


def _assertion(label: str, value: Any) -> bytes:
    return jumbf.superbox(b"cbor", label, jumbf.box(b"cbor", _cbor(value)))


def _reference(label: str, superbox: bytes) -> dict[str, Any]:
    return {"url": f"self#jumbf={ASSERTIONS}/{label}", "hash": digest(superbox[8:])}


def _cbor(value: Any) -> bytes:
    import cbor2

    encoded: bytes = cbor2.dumps(value)
    return encoded
