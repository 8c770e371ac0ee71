"""C2PA manifest stores, read with what of them holds.

A store holds manifests, the last of them about the file itself, those before it about what the
file was made from. A manifest is a claim over assertions, each by its hash, and a COSE signature
over the claim. `gen.marks.claims` writes them.

Source: C2PA Technical Specification 2.2, sections 6, 10, 11, 13 and 15.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gen.marks import jumbf
from gen.marks.containers import Held, Span
from gen.marks.cose import CoseError, CoseSign1
from gen.marks.jumbf import Box, BrokenStoreError

HASH: Final = "c2pa.hash.data"
PIECE: Final = "music-house.piece"
"""The house's own assertion: receipt, checkpoint and house of a piece."""
SIGNATURE, ASSERTIONS = "c2pa.signature", "c2pa.assertions"
"""Labels of the boxes of a manifest."""
MAX_STORE_BYTES: Final = 1 << 24


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
        signature = CoseSign1.read(box.find(SIGNATURE).content)
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
            held = box.find(ASSERTIONS, label)
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
