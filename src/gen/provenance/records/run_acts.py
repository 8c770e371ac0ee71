"""What the acts of trainers and producers say: runs, the models that they leave, what these write.

A run enters a `begin` before its first step and an `end` when its checkpoints lie on disk; a piece
enters an `output`. Who signs them may be a machine. A model that was trained before its house's
log held runs is entered by the root with a `model` act: asserted, and nothing that could be
rebuilt. A run is named by the index of its `begin`, such a model by that of its `model` act.
`gen.provenance.history.runs` is what they amount to.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

from gen.provenance.records.consent import check_scope
from gen.provenance.signing.canonical import StrictJsonError, canonical, sha256_hex
from gen.provenance.signing.shapes import Digest, Shape, check_sorted

ASSERTED = (
    "asserted by the root of the house: trained before the log held runs, so that nothing here "
    "shows how, and not rebuildable"
)
START: Final = "sha256:"
"""How the setting `init` begins in a recipe: the digest of the tensors that the run began with."""


def start_of(recipe: str) -> str:
    """Digest of the weights that a recipe begins with; "" where they follow from its seed."""
    try:
        found = json.loads(recipe) if '"init"' in recipe else {}
    except ValueError:
        return ""
    start = found.get("init") if isinstance(found, dict) else None
    is_digest = isinstance(start, str) and start.startswith(START)
    return str(start).removeprefix(START) if is_digest else ""


class ModelDigest(Shape, frozen=True):
    """One checkpoint that a run left.

    Attributes:
        name: of the file, for people.
        steps: after how many steps.
        file_sha256: of the whole file.
        tensors_sha256: of the tensors alone (`gen.provenance.manifests.model_file`).
    """

    WHAT: ClassVar[str] = "model"

    name: str
    steps: int
    file_sha256: Digest
    tensors_sha256: Digest


class Begin(
    Shape,
    frozen=True,
    omit_defaults=True,
    rename={
        **{name: f"{name}_sha256" for name in ("code", "lock", "manifest", "settings")},
        "recipe": "settings",
    },
):
    """What a `begin` says of a run, before its first step.

    Attributes:
        name: of the run, for people.
        purpose: what its works were admitted for.
        manifest: SHA-256 of its corpus manifest.
        works: ids of the works in it, sorted.
        settings: SHA-256 of `recipe`.
        seed: of weights, windows, variation and dropout.
        code: SHA-256 over the package's source.
        lock: SHA-256 over the installed distributions and their versions.
        numeric_mode: instruction set, precision and libraries that its last bits depend on.
        continues: index of the run that it goes on from; None for a run of its own.
        recipe: its settings as JSON, keys sorted, no spaces, without what decides no weight (name,
            places of files, curves); "" in older acts, which did not hold it.
    """

    WHAT: ClassVar[str] = "begin"

    name: str
    purpose: str
    manifest: Digest
    works: tuple[str, ...]
    settings: Digest
    seed: int
    code: Digest
    lock: Digest
    numeric_mode: str
    continues: int | None
    recipe: str = ""

    def __post_init__(self) -> None:
        check_scope(self.purpose)
        check_sorted(self.works, "works")
        if self.recipe and sha256_hex(self.recipe.encode("utf-8")) != self.settings:
            raise StrictJsonError("begin: its settings are not those of their digest")

    @property
    def start(self) -> str:
        """Digest of the tensors that it began with; "" where they follow from its seed."""
        return start_of(self.recipe)

    @property
    def digest(self) -> str:
        """SHA-256 of what it says as canonical JSON, but for `name` and `continues`.

        A run's transcript begins with it: the same run under another name has the same one.
        """
        data = self.to_dict()
        del data["name"], data["continues"]
        return sha256_hex(canonical(data))


class End(Shape, frozen=True, omit_defaults=True, rename={"transcript": "transcript_sha256"}):
    """What an `end` says.

    Attributes:
        begin: index of the run.
        steps: how many it did.
        models: the checkpoints that it left.
        transcript: root of its transcript (`gen.provenance.records.transcript`); "" where it kept
        none.
    """

    WHAT: ClassVar[str] = "end"

    begin: int
    steps: int
    models: tuple[ModelDigest, ...]
    transcript: Digest = ""


class AssertedModel(
    Shape, frozen=True, rename={"manifest": "manifest_sha256"}, tag_field="statement", tag=ASSERTED
):
    """What a `model` act says of a model that was trained before the log held runs."""

    WHAT: ClassVar[str] = "asserted model"

    name: str
    purpose: str
    manifest: Digest
    works: tuple[str, ...]
    model: ModelDigest

    def __post_init__(self) -> None:
        check_scope(self.purpose)
        check_sorted(self.works, "works")


class Output(
    Shape, frozen=True, rename={"checkpoint": "checkpoint_sha256", "receipt": "receipt_sha256"}
):
    """A generated piece, as an `output` act enters it.

    Attributes:
        run: index of the run, or asserted model, whose checkpoint wrote it.
        checkpoint: SHA-256 of that checkpoint's file.
        sha256: of the marked file.
        musical_hash: of its notes.
        receipt: SHA-256 of its receipt.
        fingerprint: what screening compares melodies by; JSON without floats.
        path: where it was written, for people.
    """

    WHAT: ClassVar[str] = "output"

    run: int
    checkpoint: Digest
    sha256: Digest
    musical_hash: Digest
    receipt: Digest
    fingerprint: Any = None
    path: str = ""


class Retirement(Shape, frozen=True):
    """What a `retire` says: which models of a run write nothing any more, and why.

    Attributes:
        run: index of the run, or asserted model.
        models: SHA-256 of their files, sorted.
        reason: for people.
    """

    WHAT: ClassVar[str] = "retirement"

    run: int
    models: tuple[Digest, ...]
    reason: str

    def __post_init__(self) -> None:
        check_sorted(self.models, "retirement: models")
