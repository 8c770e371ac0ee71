"""C2PA manifest stores: written for a file, and read with what of them holds.

A store holds manifests, the last of them about the file itself, those before it about what the
file was made from. A manifest is a claim over assertions, each by its hash, and a COSE signature
over the claim. Written here without any chance in it: the same claims, signer and file give the
same bytes, unless an authority puts a time stamp beside the signature.

Source: C2PA Technical Specification 2.2, sections 6, 10, 11, 13 and 15.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gen.marks import jumbf
from gen.marks.containers import Container, Held, Span
from gen.marks.cose import CoseError, CoseSign1, sign1
from gen.marks.jumbf import Box, BrokenStoreError
from gen.marks.signing import Signer

TRAINED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMPOSITE: Final = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
ACTIONS, HASH, INGREDIENT = "c2pa.actions.v2", "c2pa.hash.data", "c2pa.ingredient.v3"
PIECE: Final = "music-house.piece"
"""The house's own assertion: receipt, checkpoint and house of a piece."""
_CLAIM, _SIGNATURE, _ASSERTIONS = "c2pa.claim.v2", "c2pa.signature", "c2pa.assertions"
MAX_STORE_BYTES: Final = 1 << 24
_NUMBERS: Final = 20
"""Bytes that the two numbers of a span and their padding take in CBOR, together."""


def digest(data: bytes) -> bytes:
    """SHA-256, as manifests hold it."""
    return hashlib.sha256(data).digest()


# Written --------------------------------------------------------------------------------


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
            "signature": f"self#jumbf=/c2pa/{urn}/{_SIGNATURE}",
            "created_assertions": refs,
            "dc:title": claims.title,
            "alg": "sha256",
        }
    )
    manifest = jumbf.superbox(
        b"c2ma", urn,
        jumbf.superbox(b"c2as", _ASSERTIONS, *(content for _, content in assertions)),
        jumbf.superbox(b"c2cl", _CLAIM, jumbf.box(b"cbor", claim)),
        jumbf.superbox(b"c2cs", _SIGNATURE, jumbf.box(b"cbor", sign1(claim, signer, stamp))),
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
        signature = active.find(_SIGNATURE)
        at = f"self#jumbf=/c2pa/{active.label}"
        record["activeManifest"] = {"url": at, "alg": "sha256", "hash": digest(active.body)}
        at_signature = f"{at}/{_SIGNATURE}"
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
    return {"url": f"self#jumbf={_ASSERTIONS}/{label}", "hash": digest(superbox[8:])}


def _cbor(value: Any) -> bytes:
    import cbor2

    encoded: bytes = cbor2.dumps(value)
    return encoded


# Read -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContentManifest:
    """One manifest of a store.

    Attributes:
        label: its name in the store.
        claim: as it stands.
        assertions: those that the claim names and whose hashes are as it says, by label.
        signature: over the claim.
        problems: what of it does not hold, in words; nothing of the file itself.
    """

    label: str
    claim: Mapping[str, Any]
    assertions: Mapping[str, Any]
    signature: CoseSign1 | None
    problems: tuple[str, ...]

    @property
    def source_types(self) -> tuple[str, ...]:
        """The digital source types of its actions."""
        found = (a for each in self._of("c2pa.actions") for a in _maps(each.get("actions")))
        return tuple(str(a["digitalSourceType"]) for a in found if "digitalSourceType" in a)

    @property
    def refused_uses(self) -> tuple[str, ...]:
        """Uses that it does not allow: entries such as `cawg.ai_generative_training`."""
        labels = ("c2pa.training-mining", "cawg.training-mining")
        entries = [each.get("entries") for label in labels for each in self._of(label)]
        return tuple(
            str(name)
            for each in entries
            if isinstance(each, Mapping)
            for name, said in each.items()
            if isinstance(said, Mapping) and said.get("use") in ("notAllowed", "constrained")
        )

    def _of(self, label: str) -> list[Mapping[str, Any]]:
        """Assertions of a label, whatever its version and number."""
        return [
            value
            for name, value in self.assertions.items()
            if name.split("__")[0].split(".v")[0] == label and isinstance(value, Mapping)
        ]


@dataclass(frozen=True, slots=True)
class ManifestStore:
    """A manifest store; `manifests` in their order, the last is about the file."""

    box: Box
    manifests: tuple[ContentManifest, ...]

    @property
    def active(self) -> ContentManifest:
        return self.manifests[-1]


def read_store(data: bytes) -> ManifestStore:
    """Read a store, and check signatures and hashes in it.

    Raises:
        BrokenStoreError: no manifest store, or none of a form that is known.
    """
    if len(data) > MAX_STORE_BYTES:
        raise BrokenStoreError(f"a manifest store of {len(data):,} bytes")
    box = jumbf.read(data)
    if box.kind != b"c2pa" or not box.inner:
        raise BrokenStoreError("a JUMBF box that is no manifest store")
    return ManifestStore(box, tuple(_manifest(each) for each in box.inner))


def _manifest(box: Box) -> ContentManifest:
    claims = [each for each in box.inner if each.kind == b"c2cl"]
    if len(claims) != 1:
        raise BrokenStoreError(f"a manifest with {len(claims)} claims")
    claim = _loaded(claims[0].content)
    if not isinstance(claim, Mapping):
        raise BrokenStoreError("a claim that is no map")
    assertions, problems = _checked(box, claim)
    try:
        signature = CoseSign1.read(box.find(_SIGNATURE).content)
        problems += signature.problems(claims[0].content)
    except (BrokenStoreError, CoseError) as error:
        signature, problems = None, [*problems, str(error)]
    return ContentManifest(box.label, claim, assertions, signature, tuple(problems))


def _checked(box: Box, claim: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The assertions whose hashes are as the claim says, and what is wrong with others."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    names = ("created_assertions", "gathered_assertions", "assertions")
    for ref in [each for name in names for each in _list(claim.get(name))]:
        url = str(ref.get("url", "")) if isinstance(ref, Mapping) else ""
        label = url.rpartition("/")[2]
        try:
            held = box.find(_ASSERTIONS, label)
            if _hash(ref.get("alg", claim.get("alg")), held.body) != ref.get("hash"):
                problems.append(f"the assertion {label} is another than the claim says")
                continue
            found[label] = _value(held)
        except BrokenStoreError as error:
            problems.append(str(error))
    return found, problems


def _value(box: Box) -> Any:
    """What an assertion says; None for kinds other than CBOR and JSON."""
    if box.content_kind == b"cbor":
        return _loaded(box.content)
    if box.content_kind == b"json":
        import json

        try:
            return json.loads(box.content)
        except (ValueError, RecursionError) as error:
            raise BrokenStoreError(f"an assertion that is no JSON: {error}") from error
    return None


def binds(manifest: ContentManifest, data: bytes, held: Held | None) -> bool | None:
    """Whether a manifest's hash is of these bytes; None where it is bound in another way.

    Args:
        manifest: the active one.
        data: the file.
        held: where its store lies in it; None for one beside it.
    """
    binding = manifest.assertions.get(HASH)
    if not isinstance(binding, Mapping):
        return None
    spans = _maps(binding.get("exclusions"))
    whole, at = hashlib.new(_algorithm(binding.get("alg", "sha256"))), 0
    for start, length in sorted((_int(e.get("start")), _int(e.get("length"))) for e in spans):
        if start < at or held is None or not _within(start, length, held.span):
            return False  # it leaves out more than the store
        whole.update(data[at:start])
        at = start + length
    whole.update(data[at:])
    return whole.digest() == binding.get("hash")


def _within(start: int, length: int, span: Span) -> bool:
    """Whether a stretch that is left out is the store's, with what frames it."""
    return span.start - 16 <= start and start + length <= span.start + span.length + 16


def _hash(name: object, data: bytes) -> bytes:
    return hashlib.new(_algorithm(name), data).digest()


def _algorithm(name: object) -> str:
    if name not in ("sha256", "sha384", "sha512"):
        raise BrokenStoreError(f"an unknown kind of hash, {name!r:.40}")
    return str(name)


def _loaded(data: bytes) -> Any:
    import cbor2

    try:
        return cbor2.loads(data)
    except (cbor2.CBORError, ValueError, RecursionError, TypeError) as error:
        raise BrokenStoreError(f"not readable as CBOR: {error!r:.80}") from error


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [each for each in _list(value) if isinstance(each, Mapping)]


def _int(value: object) -> int:
    return value if type(value) is int and value >= 0 else -1
