"""The corpus manifest: what a run was given to learn from, to the byte.

Written by every run, hashed, and carried inside its checkpoint. It names each work by id,
digest and register index; who they belong to; what was left out and why; and the state of
register, roster, tokenizer and code. Whoever has the house can check every line of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from gen.errors import HouseError
from gen.provenance.canonical import (
    StrictJsonError,
    canonical,
    canonical_json,
    fields,
    is_sha256_hex,
    sha256_hex,
)
from gen.provenance.gate import Corpus, Work
from gen.provenance.register import Register


@dataclass(frozen=True, slots=True)
class ManifestWork:
    """One work as the manifest names it.

    Attributes:
        work: id.
        sha256: of the music bytes.
        musical_hash: of what sounds.
        register_index: where it was entered.
        composers: (person id, share in percent).
    """

    work: str
    sha256: str
    musical_hash: str
    register_index: int
    composers: tuple[tuple[str, int], ...]

    @staticmethod
    def of(work: Work) -> ManifestWork:
        return ManifestWork(
            work.work_id, work.sha256, work.musical_hash, work.register_index, work.composers
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "composers": [{"id": person, "share": share} for person, share in self.composers],
            "musical_hash": self.musical_hash,
            "register_index": self.register_index,
            "sha256": self.sha256,
            "work": self.work,
        }

    @staticmethod
    def from_dict(value: object) -> ManifestWork:
        found = fields(
            value,
            "manifest work",
            composers=list,
            musical_hash=str,
            register_index=int,
            sha256=str,
            work=str,
        )
        if not (is_sha256_hex(found["sha256"]) and is_sha256_hex(found["musical_hash"])):
            raise StrictJsonError(f"manifest: digests of {found['work']!r:.90}")
        people = [fields(c, "composer", id=str, share=int) for c in found["composers"]]
        composers = tuple((c["id"], c["share"]) for c in people)
        return ManifestWork(**{**found, "composers": composers})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run was given to learn from; that it used this and nothing else, it cannot show.

    Attributes:
        house: its name.
        purpose: what the works were admitted for.
        judged_on: the day consent was judged by, ISO.
        register_size, register_root: the register's head then.
        roster_version: the roster then.
        works: admitted works, sorted by id.
        not_consented: ids of valid works left out by right, sorted.
        refused: (path, rule) of files that broke a rule, where the run went on without them.
        tokenizer_fingerprint: of the tokenizer that read them.
        code_version: of this software.
        lock_sha256: over the installed distributions; "" in manifests that are not a run's.
    """

    house: str
    purpose: str
    judged_on: str
    register_size: int
    register_root: str
    roster_version: int
    works: tuple[ManifestWork, ...]
    not_consented: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    tokenizer_fingerprint: str = ""
    code_version: str = ""
    lock_sha256: str = ""

    @staticmethod
    def of(
        corpus: Corpus,
        *,
        tokenizer_fingerprint: str = "",
        code_version: str = "",
        lock_sha256: str = "",
    ) -> Manifest:
        """The manifest of what the gate admitted."""
        from gen import __version__

        return Manifest(
            corpus.house_name,
            corpus.purpose,
            corpus.judged_on.isoformat(),
            corpus.register_head.size,
            corpus.register_head.root,
            corpus.roster_version,
            tuple(sorted(map(ManifestWork.of, corpus.admitted), key=lambda w: w.work)),
            tuple(sorted(work.work_id for work in corpus.not_consented)),
            tuple(sorted((r.path, r.rule) for r in (*corpus.refused, *corpus.missing))),
            tokenizer_fingerprint,
            code_version or __version__,
            lock_sha256,
        )

    def to_json(self) -> str:
        """Canonical JSON: the same manifest is always the same text."""
        return canonical(
            {
                "code_version": self.code_version,
                "format": 1,
                "house": self.house,
                "judged_on": self.judged_on,
                "lock_sha256": self.lock_sha256,
                "not_consented": list(self.not_consented),
                "purpose": self.purpose,
                "refused": [{"path": path, "rule": rule} for path, rule in self.refused],
                "register": {"root": self.register_root, "size": self.register_size},
                "roster_version": self.roster_version,
                "tokenizer_fingerprint": self.tokenizer_fingerprint,
                "works": [work.to_dict() for work in self.works],
            }
        ).decode("utf-8")

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
        found = fields(
            canonical_json(text.encode("utf-8")),
            "manifest",
            code_version=str,
            format=int,
            house=str,
            judged_on=str,
            lock_sha256=str,
            not_consented=list,
            purpose=str,
            refused=list,
            register=dict,
            roster_version=int,
            tokenizer_fingerprint=str,
            works=list,
        )
        if found.pop("format") != 1:
            raise StrictJsonError("not a manifest of format 1")
        head = fields(found.pop("register"), "register", root=str, size=int)
        refused = [fields(r, "refusal", path=str, rule=str) for r in found["refused"]]
        manifest = Manifest(
            **{
                **found,
                "register_size": head["size"],
                "register_root": head["root"],
                "works": tuple(map(ManifestWork.from_dict, found["works"])),
                "not_consented": tuple(map(str, found["not_consented"])),
                "refused": tuple((r["path"], r["rule"]) for r in refused),
            }
        )
        _check_order(manifest)
        return manifest

    def check_entered(self, register: Register) -> None:
        """Whether the register entered every work, with this music; withdrawn ones count.

        Raises:
            HouseError: not so: whatever carries this manifest is not of this house.
        """
        strangers = [w.work for w in self.works if _is_stranger(w, register)]
        if strangers:
            raise HouseError(
                f"{len(strangers)} of the {len(self.works)} works it names never entered the house "
                f"{register.roster.house}, the first: {strangers[0]}",
                mend="use what this house's own runs have left, or name the pin of its own house",
            )

    def problems(self, register: Register, today: date) -> list[str]:
        """What no longer holds: works unknown, changed, withdrawn or no longer consented to.

        A run made before a withdrawal keeps its manifest; this says what became of it.
        """
        return [
            f"{work.work}: {problem}"
            for work in self.works
            if (problem := self._problem(work, register, today))
        ]

    def _problem(self, work: ManifestWork, register: Register, today: date) -> str:
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
    ids = [work.work for work in manifest.works]
    if ids != sorted(set(ids)):
        raise StrictJsonError("the manifest's works are not sorted by id, or one appears twice")
