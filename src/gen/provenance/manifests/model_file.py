"""A model's file, read without torch and without believing it: digests, settings, manifest.

The file is safetensors: eight bytes with the length of a JSON header, the header, the tensors.
What else there is to say of the model is one JSON text in the header's metadata (`ABOUT`).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.disk.reading import check_levels
from gen.disk.weights import read_weights
from gen.errors import HouseError
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.signing.canonical import StrictJsonError, sha256_hex

ABOUT = "about"
MAX_HEADER_BYTES = 64 * 1024 * 1024
_METADATA = "__metadata__"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a model's file holds besides numbers.

    Attributes:
        file_sha256: of the whole file.
        tensors_sha256: of the tensors alone (`tensors_digest`).
        about: the JSON beside them.
        manifest: of what it learned from, as it says.
        parameters: how many numbers its tensors hold; 0 where the file itself is not at hand.
    """

    file_sha256: str
    tensors_sha256: str
    about: dict[str, Any]
    manifest: Manifest
    parameters: int = 0


def read_model_file(path: Path) -> ModelFile:
    """Read a checkpoint for what it says of itself, and its digests.

    Raises:
        HouseError: it cannot be read, holds no manifest, or is misspelt.
    """
    try:
        return parse_model_file(read_weights(path))
    except HouseError as error:
        raise HouseError(
            f"holds no manifest of a house: {error.what}",
            where=str(path),
            mend="name a checkpoint that scripts/train.py has left (best.safetensors)",
        ) from error


def models_in(folder: Path) -> dict[Path, ModelFile]:
    """Every model below a folder, in order, but for the states that a run has kept.

    Raises:
        HouseError: there is none, or as `read_model_file`.
    """
    states = set(folder.rglob("states/*.safetensors"))
    found = [path for path in sorted(folder.rglob("*.safetensors")) if path not in states]
    if not found:
        raise HouseError(
            "holds no model", where=str(folder), mend="name a folder with a .safetensors in it"
        )
    return {path: read_model_file(path) for path in found}


def parse_model_file(data: bytes) -> ModelFile:
    """As `read_model_file`, of a file's bytes.

    Raises:
        StrictJsonError: not a safetensors file of this house's format, a key twice, or bytes that
            belong to no tensor.
    """
    header, body = _header(data)
    metadata = header.pop(_METADATA, None)
    if not isinstance(metadata, dict) or set(metadata) != {ABOUT}:
        raise StrictJsonError("no words of a house beside its tensors")
    about = _json(str(metadata[ABOUT]).encode("utf-8"))
    if not isinstance(about, dict) or not isinstance(about.get("manifest"), str):
        raise StrictJsonError("no manifest beside its tensors")
    manifest = Manifest.from_json(about["manifest"])
    digest = _tensors_digest(header, body)  # which judges shapes
    parameters = sum(math.prod(tensor["shape"]) for tensor in header.values())
    return ModelFile(sha256_hex(data), digest, about, manifest, parameters)


def tensors_digest(data: bytes) -> str:
    """SHA-256 over the tensors alone of a safetensors file, whatever else its header says.

    Over name, type, shape and bytes of each, in the order of their names. Every byte after the
    header belongs to exactly one of them.

    Raises:
        StrictJsonError: not such a file.
    """
    header, body = _header(data)
    header.pop(_METADATA, None)
    return _tensors_digest(header, body)


def with_manifest(data: bytes, manifest: Manifest) -> bytes:
    """The same model's file with another manifest; its tensors stay as they are.

    Raises:
        StrictJsonError: as `parse_model_file`.
    """
    about = {**parse_model_file(data).about, "manifest": manifest.to_json()}
    header, body = _header(data)
    header[_METADATA] = {ABOUT: json.dumps(about, sort_keys=True)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # as safetensors does, so that the tensors are aligned
    return len(text).to_bytes(8, "little") + text + body


def _header(data: bytes) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 0 < length <= min(MAX_HEADER_BYTES, len(data) - 8):
        raise StrictJsonError("no header of a safetensors file")
    header = _json(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise StrictJsonError("the header is no object")
    return header, memoryview(data)[8 + length :]


def _json(data: bytes) -> Any:
    """JSON with floats, in which no key appears twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise StrictJsonError("a key appears twice in its JSON")
        return found

    try:
        check_levels(data)
        return json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise StrictJsonError(f"not JSON: {error}") from error


def _tensors_digest(header: dict[str, Any], body: memoryview) -> str:
    digest, covered = hashlib.sha256(), 0
    spans = []
    for name in sorted(header):
        kind, shape, begin, end = _tensor(name, header[name], len(body))
        words = json.dumps([name, kind, shape], separators=(",", ":"))
        digest.update(f"{words}\n{end - begin}\n".encode())
        digest.update(body[begin:end])
        spans.append((begin, end))
    for begin, end in sorted(spans):
        if begin != covered:
            raise StrictJsonError("its tensors overlap, or leave a gap")
        covered = end
    if covered != len(body) or not spans:
        raise StrictJsonError("it holds bytes that belong to no tensor, or no tensor at all")
    return digest.hexdigest()


def _tensor(name: str, value: Any, length: int) -> tuple[str, list[int], int, int]:
    try:
        kind, shape, (begin, end) = value["dtype"], value["shape"], value["data_offsets"]
        is_fit = set(value) == {"dtype", "shape", "data_offsets"} and isinstance(kind, str)
        numbers = [*shape, begin, end]
    except (TypeError, KeyError, ValueError) as error:
        raise StrictJsonError(f"the tensor {name!r:.60} is misspelt") from error
    if not is_fit or not all(type(number) is int and number >= 0 for number in numbers):
        raise StrictJsonError(f"the tensor {name!r:.60} is misspelt")
    if not begin <= end <= length:
        raise StrictJsonError(f"the tensor {name!r:.60} lies outside the file")
    return kind, list(shape), begin, end
