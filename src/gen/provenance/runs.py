"""What models are made and what they write: the acts of trainers and producers, and their sum.

A run enters a `begin` before its first step and an `end` when its checkpoints lie on disk; a piece
enters an `output`. Who signs them may be a machine. A model that was trained before its house's
log held runs is entered by the root with a `model` act: asserted, and nothing that could be
rebuilt. A run is named by the index of its `begin`, such a model by that of its `model` act.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gen.provenance.canonical import (
    StrictJsonError,
    canonical,
    fields,
    is_sha256_hex,
    sha256_hex,
)
from gen.provenance.consent import check_scope

ASSERTED = (
    "asserted by the root of the house: trained before the log held runs, so that nothing here "
    "shows how, and not rebuildable"
)


def _check_digests(what: str, *values: object) -> None:
    if not all(map(is_sha256_hex, values)):
        raise StrictJsonError(f"{what}: a digest is no SHA-256")


def _without(value: object, name: str) -> tuple[object, Any]:
    """An object without a field that need not be there, and that field; None for none."""
    if not isinstance(value, dict) or name not in value:
        return value, None
    plain = dict(value)
    return plain, plain.pop(name)


def _digest_of(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise StrictJsonError("begin: its settings are no text")
    return sha256_hex(text.encode("utf-8"))


def _work_ids(value: Sequence[object]) -> tuple[str, ...]:
    ids = tuple(str(work) for work in value)
    if not ids or list(ids) != sorted(set(ids)):
        raise StrictJsonError("works are not sorted by id, one appears twice, or there is none")
    return ids


@dataclass(frozen=True, slots=True)
class ModelDigest:
    """One checkpoint that a run left.

    Attributes:
        name: of the file, for people.
        steps: after how many steps.
        file_sha256: of the whole file.
        tensors_sha256: of the tensors alone (`gen.provenance.model_file`).
    """

    name: str
    steps: int
    file_sha256: str
    tensors_sha256: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "file_sha256": self.file_sha256,
            "name": self.name,
            "steps": self.steps,
            "tensors_sha256": self.tensors_sha256,
        }

    @staticmethod
    def from_dict(value: object) -> ModelDigest:
        found = fields(value, "model", file_sha256=str, name=str, steps=int, tensors_sha256=str)
        _check_digests("model", found["file_sha256"], found["tensors_sha256"])
        return ModelDigest(**found)


@dataclass(frozen=True, slots=True)
class Begin:
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
            places of files, curves); "" in acts from before they held it.
    """

    name: str
    purpose: str
    manifest: str
    works: tuple[str, ...]
    settings: str
    seed: int
    code: str
    lock: str
    numeric_mode: str
    continues: int | None = None
    recipe: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what it says as canonical JSON, but for `name` and `continues`.

        A run's transcript begins with it: the same run under another name has the same one.
        """
        said = self.to_dict()
        del said["name"], said["continues"]
        return sha256_hex(canonical(said))

    def to_dict(self) -> dict[str, Any]:
        recipe = {"settings": self.recipe} if self.recipe else {}
        return {
            **recipe,
            "code_sha256": self.code,
            "continues": self.continues,
            "lock_sha256": self.lock,
            "manifest_sha256": self.manifest,
            "name": self.name,
            "numeric_mode": self.numeric_mode,
            "purpose": self.purpose,
            "seed": self.seed,
            "settings_sha256": self.settings,
            "works": list(self.works),
        }

    @staticmethod
    def from_dict(value: object) -> Begin:
        plain, recipe = _without(value, "settings")
        found = fields(
            plain,
            "begin",
            code_sha256=str,
            continues=(int, type(None)),
            lock_sha256=str,
            manifest_sha256=str,
            name=str,
            numeric_mode=str,
            purpose=str,
            seed=int,
            settings_sha256=str,
            works=list,
        )
        digests = [found[f"{name}_sha256"] for name in ("code", "lock", "manifest", "settings")]
        _check_digests("begin", *digests)
        check_scope(found["purpose"])
        if recipe is not None and _digest_of(recipe) != found["settings_sha256"]:
            raise StrictJsonError("begin: its settings are not those of their digest")
        return Begin(
            found["name"],
            found["purpose"],
            found["manifest_sha256"],
            _work_ids(found["works"]),
            found["settings_sha256"],
            found["seed"],
            found["code_sha256"],
            found["lock_sha256"],
            found["numeric_mode"],
            found["continues"],
            recipe or "",
        )


@dataclass(frozen=True, slots=True)
class End:
    """What an `end` says.

    Attributes:
        begin: index of the run.
        steps: how many it did.
        models: the checkpoints that it left.
        transcript: root of its transcript (`gen.provenance.transcript`); "" where it kept none.
    """

    begin: int
    steps: int
    models: tuple[ModelDigest, ...]
    transcript: str = ""

    def to_dict(self) -> dict[str, Any]:
        models = [model.to_dict() for model in self.models]
        transcript = {"transcript_sha256": self.transcript} if self.transcript else {}
        return {"begin": self.begin, "models": models, "steps": self.steps, **transcript}

    @staticmethod
    def from_dict(value: object) -> End:
        plain, transcript = _without(value, "transcript_sha256")
        found = fields(plain, "end", begin=int, models=list, steps=int)
        if transcript is not None:
            _check_digests("end", transcript)
        models = tuple(map(ModelDigest.from_dict, found["models"]))
        return End(found["begin"], found["steps"], models, transcript or "")


@dataclass(frozen=True, slots=True)
class AssertedModel:
    """What a `model` act says of a model that was trained before the log held runs."""

    name: str
    purpose: str
    manifest: str
    works: tuple[str, ...]
    model: ModelDigest

    def to_dict(self) -> dict[str, Any]:
        return {
            "manifest_sha256": self.manifest,
            "model": self.model.to_dict(),
            "name": self.name,
            "purpose": self.purpose,
            "statement": ASSERTED,
            "works": list(self.works),
        }

    @staticmethod
    def from_dict(value: object) -> AssertedModel:
        found = fields(
            value,
            "asserted model",
            manifest_sha256=str,
            model=dict,
            name=str,
            purpose=str,
            statement=str,
            works=list,
        )
        _check_digests("asserted model", found["manifest_sha256"])
        check_scope(found["purpose"])
        if found["statement"] != ASSERTED:
            raise StrictJsonError(f"asserted model: the statement is not {ASSERTED!r}")
        return AssertedModel(
            found["name"],
            found["purpose"],
            found["manifest_sha256"],
            _work_ids(found["works"]),
            ModelDigest.from_dict(found["model"]),
        )


@dataclass(frozen=True, slots=True)
class Output:
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

    run: int
    checkpoint: str
    sha256: str
    musical_hash: str
    receipt: str
    fingerprint: Any = None
    path: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "checkpoint_sha256": self.checkpoint,
            "fingerprint": self.fingerprint,
            "musical_hash": self.musical_hash,
            "path": self.path,
            "receipt_sha256": self.receipt,
            "run": self.run,
            "sha256": self.sha256,
        }

    @staticmethod
    def from_dict(value: object) -> Output:
        found = fields(
            value,
            "output",
            checkpoint_sha256=str,
            fingerprint=object,
            musical_hash=str,
            path=str,
            receipt_sha256=str,
            run=int,
            sha256=str,
        )
        digests = ("checkpoint_sha256", "musical_hash", "receipt_sha256", "sha256")
        _check_digests("output", *(found[name] for name in digests))
        return Output(
            found["run"],
            found["checkpoint_sha256"],
            found["sha256"],
            found["musical_hash"],
            found["receipt_sha256"],
            found["fingerprint"],
            found["path"],
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """What the register keeps in memory of an output: all but its fingerprint.

    `keyid` names the key that entered it.
    """

    index: int
    keyid: str
    run: int
    sha256: str
    receipt: str
    path: str


@dataclass(slots=True)
class Run:
    """What the register knows of a run, or of a model that was asserted.

    Attributes:
        index: of its `begin`, or of the `model` act.
        by: who signed that.
        time: of that act, for people.
        name, purpose, manifest, works: as it says.
        begin: None for a model that was asserted.
        ended_at: index of its `end`; None while it runs, and for ever if it was killed.
        models: the checkpoints that it left.
        transcript: root of its transcript; "" for none.
        signed: key id and index of its `begin` and its `end`; nothing for one that was asserted.
    """

    index: int
    by: str
    time: str
    name: str
    purpose: str
    manifest: str
    works: tuple[str, ...]
    begin: Begin | None
    ended_at: int | None = None
    models: tuple[ModelDigest, ...] = ()
    transcript: str = ""
    signed: tuple[tuple[str, int], ...] = ()

    @property
    def is_asserted(self) -> bool:
        return self.begin is None

    def __str__(self) -> str:
        return f"{'asserted model' if self.is_asserted else 'run'} {self.index} ({self.name})"


@dataclass(slots=True)
class Runs:
    """Every run, asserted model and output that the log holds."""

    by_index: dict[int, Run] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    _by_file: dict[str, list[int]] = field(default_factory=dict)
    _by_tensors: dict[str, int] = field(default_factory=dict)
    _by_sound: dict[str, list[int]] = field(default_factory=dict)
    _receipts: dict[str, int] = field(default_factory=dict)

    def of_file(self, file_sha256: str) -> list[Run]:
        """Every run, or asserted model, that left this very file, the first first."""
        return [self.by_index[index] for index in self._by_file.get(file_sha256, ())]

    def of_tensors(self, tensors_sha256: str) -> Run | None:
        """A run that left a checkpoint with these tensors."""
        return self._of(self._by_tensors.get(tensors_sha256))

    def _of(self, index: int | None) -> Run | None:
        return None if index is None else self.by_index[index]

    def of_sound(self, musical_hash: str) -> list[Piece]:
        """Every output that sounds so; `Register.wrote` says which of them count."""
        return [self.pieces[place] for place in self._by_sound.get(musical_hash, ())]

    def entered_at(self, receipt_sha256: str) -> int | None:
        """Index of the output with this receipt."""
        return self._receipts.get(receipt_sha256)

    def that_read(self, works: Iterable[str]) -> list[Run]:
        """Runs whose manifests name any of these works."""
        wanted = set(works)
        return [run for run in self.by_index.values() if wanted.intersection(run.works)]

    # -- taking acts in; who may was checked before ------------------------------------------

    def take_begin(self, index: int, by: str, keyid: str, time: str, begin: Begin) -> None:
        if begin.continues is not None and begin.continues not in self.by_index:
            raise StrictJsonError(f"it goes on from a run {begin.continues}, which never began")
        self.by_index[index] = Run(
            index, by, time, begin.name, begin.purpose, begin.manifest, begin.works, begin,
            signed=((keyid, index),),
        )  # fmt: skip

    def take_end(self, index: int, by: str, keyid: str, end: End) -> None:
        run = self.by_index.get(end.begin)
        if run is None or run.is_asserted or run.ended_at is not None:
            state = "never began" if run is None or run.is_asserted else "ended before"
            raise StrictJsonError(f"the run {end.begin} {state}")
        if run.by != by:
            raise StrictJsonError(f"{run.by} began the run {end.begin}, not {by}")
        run.ended_at, run.signed = index, (*run.signed, (keyid, index))
        run.transcript = end.transcript
        self._keep(run, end.models)

    def take_model(self, index: int, by: str, time: str, said: AssertedModel) -> None:
        run = Run(index, by, time, said.name, said.purpose, said.manifest, said.works, None)
        self.by_index[index] = run
        self._keep(run, (said.model,))

    def _keep(self, run: Run, models: tuple[ModelDigest, ...]) -> None:
        run.models = models
        for model in models:
            self._by_file.setdefault(model.file_sha256, []).append(run.index)
            self._by_tensors.setdefault(model.tensors_sha256, run.index)

    def take_output(self, index: int, keyid: str, output: Output) -> None:
        run = self.by_index.get(output.run)
        if run is None or all(output.checkpoint != model.file_sha256 for model in run.models):
            raise StrictJsonError(f"the run {output.run} left no checkpoint that wrote it")
        piece = Piece(index, keyid, output.run, output.sha256, output.receipt, output.path)
        self._by_sound.setdefault(output.musical_hash, []).append(len(self.pieces))
        self.pieces.append(piece)
        self._receipts.setdefault(output.receipt, index)
