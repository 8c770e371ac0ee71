"""What a file's own content credentials allow others to do with it."""

from __future__ import annotations

from gen.marks.containers import container_of
from gen.marks.jumbf import BrokenStoreError
from gen.marks.manifest import read_store

_LABEL = b"training-mining"


def training_refused(data: bytes) -> tuple[str, ...]:
    """The uses, of a model that learns, which a file's own credentials do not allow.

    Those of files that it was made from count as well. Credentials that cannot be read and say
    so somewhere count as a refusal.

    Args:
        data: any file.

    Source: CAWG Training and Data Mining Assertion 1.1; C2PA Technical Specification 1.4.
    """
    if _LABEL not in data:
        return ()
    container = container_of(data)
    held = container.find(data) if container else None
    try:
        manifests = read_store(held.store if held else b"").manifests
    except BrokenStoreError:
        return ("in credentials that cannot be read",) if b"notAllowed" in data else ()
    found = dict.fromkeys(use for each in manifests for use in each.refused_uses)
    return tuple(use for use in found if "training" in use.rpartition(".")[2])
