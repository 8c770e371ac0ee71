"""The corpus manifest: what a run was given to learn from, to the byte.

Written by every run, hashed, and carried inside its checkpoint. It names each work by id,
digest and register index; who they belong to; what was left out and why; and the state of
register, roster, tokenizer and code. Whoever has the house can check every line of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Final, Literal

from gen.errors import HouseError
from gen.provenance.admission.corpus import Corpus, Work
from gen.provenance.history.register import Register
from gen.provenance.records.plugin_record import Plugin, order, said_of_foreign_code
from gen.provenance.signing.canonical import (
    StrictJsonError,
    canonical,
    canonical_json,
    sha256_hex,
)
from gen.provenance.signing.shapes import Composers, Digest, Shape, Share, composers_of, shares_of

SIDES: Final = ("test", "train", "validation")
MAX_BYTES: Final = 32 << 20
"""Longest manifest, those of its bases within: some 130,000 works."""
MOST_BASES: Final = 8
"""Models behind one another; more would be nested too deep to be read."""


class ManifestWork(Shape, frozen=True, rename={"shares": "composers"}):
    """One work as the manifest names it.

    Attributes:
        work: id.
        sha256: of the music bytes.
        musical_hash: of what sounds.
        register_index: where it was entered.
        shares: its composers.
    """

    work: str
    sha256: Digest
    musical_hash: Digest
    register_index: int
    shares: tuple[Share, ...]

    @staticmethod
    def of(work: Work) -> ManifestWork:
        shares = shares_of(work.composers)
        return ManifestWork(
            work.work_id, work.sha256, work.musical_hash, work.register_index, shares
        )

    @property
    def composers(self) -> Composers:
        """(person id, share in percent)."""
        return composers_of(self.shares)


class RefusedFile(Shape, frozen=True):
    """A file that broke a rule of the gate, where the run went on without it."""

    path: str
    rule: str


class RegisterHead(Shape, frozen=True):
    """How far the register had come: its root hash and its acts."""

    root: str
    size: int


class Base(Shape, frozen=True):
    """The model whose weights a run began with.

    Attributes:
        file_sha256: of its file.
        tensors_sha256: of its tensors alone (`gen.provenance.manifests.model_file`).
        recorded: whether the log of its own house vouched for it as the run began.
        manifest: of what it learned from.
        sides: works of the run that begins with it, or relatives of which, are among those that
            it was made of: work id, and on which side of its split they stood. What stood on
            `train` it has learned.
    """

    file_sha256: Digest
    tensors_sha256: Digest
    recorded: bool
    manifest: Manifest
    sides: dict[str, str]

    def __post_init__(self) -> None:
        if not all(side in SIDES for side in self.sides.values()):
            raise StrictJsonError("manifest: a side of its base's split")


class Manifest(Shape, frozen=True, omit_defaults=True):
    """What a run was given to learn from; that it used this and nothing else, it cannot show.

    Attributes:
        format: of its JSON.
        house: its name.
        purpose: what the works were admitted for.
        judged_on: the day consent was judged by, ISO.
        register: the register's head then.
        roster_version: the roster then.
        works: admitted works, sorted by id.
        not_consented: ids of valid works left out by right, sorted.
        refused: files that broke a rule, where the run went on without them, sorted.
        tokenizer_fingerprint: of the tokenizer that read them.
        code_version: of this software.
        lock_sha256: over the installed distributions; "" in manifests that are not a run's.
        base: the model whose weights it began with; None for a run that began with its seed's.
        plugins: code of installed packages that it called, sorted by kind and name.
        callbacks_given: kinds of the callbacks that a Python program handed to it.
    """

    WHAT: ClassVar[str] = "manifest"

    format: Literal[1]
    house: str
    purpose: str
    judged_on: str
    register: RegisterHead
    roster_version: int
    works: tuple[ManifestWork, ...]
    not_consented: tuple[str, ...]
    refused: tuple[RefusedFile, ...]
    tokenizer_fingerprint: str
    code_version: str
    lock_sha256: str
    base: Base | None = None
    plugins: tuple[Plugin, ...] = ()
    callbacks_given: tuple[str, ...] = ()

    @staticmethod
    def of(
        corpus: Corpus,
        *,
        tokenizer_fingerprint: str = "",
        code_version: str = "",
        lock_sha256: str = "",
        base: Base | None = None,
    ) -> Manifest:
        """The manifest of what the gate admitted."""
        from gen import __version__

        head, refused = corpus.register_head, (*corpus.refused, *corpus.missing)
        return Manifest(
            1,
            corpus.house_name,
            corpus.purpose,
            corpus.judged_on.isoformat(),
            RegisterHead(head.root, head.size),
            corpus.roster_version,
            tuple(sorted(map(ManifestWork.of, corpus.admitted), key=lambda w: w.work)),
            tuple(sorted(work.work_id for work in corpus.not_consented)),
            tuple(RefusedFile(*pair) for pair in sorted((r.path, r.rule) for r in refused)),
            tokenizer_fingerprint,
            code_version or __version__,
            lock_sha256,
            base,
        )

    def to_json(self) -> str:
        """Canonical JSON: the same manifest is always the same text."""
        return canonical(self.to_dict()).decode("utf-8")

    @property
    def digest(self) -> str:
        """SHA-256 of `to_json`, hex."""
        return sha256_hex(self.to_json().encode("utf-8"))

    @property
    def works_digest(self) -> str:
        """SHA-256 over ids and music of the works alone, hex: what two runs may have in common."""
        text = "\n".join(f"{work.work} {work.sha256}" for work in self.works)
        return sha256_hex(text.encode("utf-8"))

    @staticmethod
    def from_json(text: str) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            StrictJsonError: anything else.
        """
        return Manifest.from_dict(canonical_json(text.encode("utf-8"), MAX_BYTES))

    @classmethod
    def from_dict(cls, value: object) -> Manifest:
        """Read what `to_dict` wrote.

        Raises:
            StrictJsonError: anything else.
        """
        manifest = super().from_dict(value)
        _check_order(manifest)
        return manifest

    @property
    def bases(self) -> Iterator[Base]:
        """The model whose weights it began with, the one that this one began with, and so on."""
        base = self.base
        while base is not None:
            yield base
            base = base.manifest.base

    def bases_named(self) -> list[dict[str, Any]]:
        """What is said of `bases` where a piece or a model is: whose they are, and what they read.

        Of one of another house its own log says more than this house's can.
        """
        return [
            {
                "checkpoint_sha256": base.file_sha256,
                "house": base.manifest.house,
                "manifest_sha256": base.manifest.digest,
                "recorded": base.recorded,
                "works": len(base.manifest.works),
            }
            for base in self.bases
        ]

    @property
    def foreign_code(self) -> list[str]:
        """A phrase for each plug-in and callback that it or a model behind it was trained with."""
        own = said_of_foreign_code(self.plugins, self.callbacks_given)
        behind = [
            f"{words}, behind the model that it began with"
            for base in self.bases
            for words in said_of_foreign_code(base.manifest.plugins, base.manifest.callbacks_given)
        ]
        return [*own, *behind]

    @property
    def is_recorded(self) -> bool:
        """Whether logs vouched for every model behind it, as they were begun from."""
        return all(base.recorded for base in self.bases)

    def of_house(self, house: str) -> Iterator[Manifest]:
        """The manifest and those of its bases, as far as they are of this house."""
        for manifest in (self, *(base.manifest for base in self.bases)):
            if manifest.house == house:
                yield manifest

    @property
    def works_here(self) -> list[str]:
        """Ids of all works of its house that are behind it, those of its bases among them."""
        behind = (work.work for each in self.of_house(self.house) for work in each.works)
        return list(dict.fromkeys(behind))

    def check_entered(self, register: Register) -> None:
        """Whether the register entered every work, with this music; withdrawn ones count.

        Raises:
            HouseError: not so: whatever carries this manifest is not of this house.
        """
        works = [work for manifest in self.of_house(self.house) for work in manifest.works]
        strangers = [work.work for work in works if _is_stranger(work, register)]
        if strangers:
            raise HouseError(
                f"{len(strangers)} of the {len(works)} works it names never entered the house "
                f"{register.roster.house}, the first: {strangers[0]}",
                mend="use what this house's own runs have left, or name the pin of its own house",
            )

    def problems(self, register: Register, today: date) -> list[str]:
        """What no longer holds: works unknown, changed, withdrawn or no longer consented to.

        A run made before a withdrawal keeps its manifest; this says what became of it. Works of
        models of the same house that it began from count; those of other houses are not known here.
        """
        found = (
            f"{work.work}: {problem}"
            for manifest in self.of_house(self.house)
            for work in manifest.works
            if (problem := manifest.problem(work, register, today))
        )
        return list(dict.fromkeys(found))

    def problem(self, work: ManifestWork, register: Register, today: date) -> str:
        record = register.works.get(work.work)
        if record is None:
            return "the register has no such work"
        if record.entry.music_sha256 != work.sha256:
            return "the register entered other music under this id"
        if record.withdrawn_at is not None:
            return f"withdrawn at register index {record.withdrawn_at}"
        if not register.consent_of(record).allows(self.purpose, today):
            return f"no longer consented to {self.purpose}"
        return ""


def _is_stranger(work: ManifestWork, register: Register) -> bool:
    record = register.works.get(work.work)
    return record is None or record.entry.music_sha256 != work.sha256


def _check_order(manifest: Manifest) -> None:
    if list(manifest.plugins) != sorted(set(manifest.plugins), key=order):
        raise StrictJsonError("the manifest's plug-ins are not sorted, or one stands there twice")
    if len(list(manifest.bases)) > MOST_BASES:
        raise StrictJsonError(f"the manifest names more than {MOST_BASES} models behind it")
    ids = [work.work for work in manifest.works]
    if ids != sorted(set(ids)):
        raise StrictJsonError("the manifest's works are not sorted by id, or one appears twice")


def check_length(manifest: Manifest) -> None:
    """Whether it can be read again; one with those of models behind it grows long.

    Raises:
        HouseError: it could not.
    """
    length = len(manifest.to_json().encode("utf-8"))
    if length > MAX_BYTES:
        behind = ", with those of the models behind it," if manifest.base else ""
        raise HouseError(
            f"the run's manifest{behind} would have {length} bytes, and {MAX_BYTES} can be read",
            where="corpus.where", mend="learn from fewer works"
            + (", begin with a model of fewer, or train without init" if behind else ""),
        )  # fmt: skip
