"""The works that a model learned from, read to compare with.

Their lines are kept in the user's cache, sealed, a work by its digest and a corpus by the digests
of its works: a corpus that grew reads its new works only, and the next command reads one file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gen.data.cache import SealedCache
from gen.errors import HouseError
from gen.likeness.columns import Voices, decode, encode
from gen.likeness.originality import (
    LearnedMusic,
    LearnedWork,
    Lines,
    house_lines,
    known_lines,
)
from gen.likeness.shared import SharedPassages
from gen.likeness.voices import Voice, voices_of_music
from gen.provenance.desk.works import kept_work
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Manifest, ManifestWork
from gen.sampling.opening.house_lines import NAME, LinesFile, SignedLines

_READING: Final = 0.2
"""Share of the time that reading takes; what works borrow from each other takes the rest."""
_ELSEWHERE: Final = "it is of another house, which no pin names here: base_pins=[FILE]"


class LinesCache(SealedCache):
    """Lines of works, and of whole corpora with what they borrow from themselves."""

    kind = "lines 5"
    """Counted on with the format, and with how a house's own lines are measured (`house_lines`):
    what was measured before is then neither kept nor taken from a model's folder."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A work behind a model, of a house that is known here."""

    work: ManifestWork
    house: House
    register: Register


@dataclass(frozen=True, slots=True)
class Behind:
    """The works behind a model, those of models that it began with among them.

    Attributes:
        house: where the works are.
        known: those of houses that are known here.
        count: how many there are in all.
        elsewhere: (work id, reason) of the others.
        signed: where the model's folder brings the house's own lines; None where it does not, or
            they are to be worked out whatever it brings.
    """

    house: House
    known: Sequence[_Known]
    count: int
    elsewhere: tuple[tuple[str, str], ...]
    signed: SignedLines | None = None

    @classmethod
    def of(
        cls,
        house: House,
        manifest: Manifest,
        register: Register,
        others: Sequence[House] = (),
        signed: SignedLines | None = None,
    ) -> Behind:
        """What a manifest names.

        Args:
            house: the works' own.
            manifest: of the checkpoint, which learned from this house.
            register: of the house.
            others: the houses of models that it began with, where these are others.
            signed: where its folder brings the house's own lines.
        """
        houses = {manifest.house: (house, register), **{o.pin.name: (o, o.load()) for o in others}}
        behind = _behind(manifest)
        known = [_Known(work, *houses[name]) for work, name in behind if name in houses]
        elsewhere = ((work.work, _ELSEWHERE) for work, name in behind if name not in houses)
        return cls(house, known, len(behind), tuple(elsewhere), signed)

    def kept(self) -> LearnedMusic | None:
        """Their lines from the user's cache; None where it has not all of them."""
        kept = self._kept(LinesCache.of_user(), self.known)
        return None if kept is None else self._music(self.known, kept, ())

    def signed_lines(self, works: Sequence[_Known]) -> Lines | None:
        """The house's own lines of some of them, as they are signed with the model; None else."""
        return self.signed.of(_name(works), LinesCache.kind) if self.signed else None

    def _kept(self, cache: LinesCache, works: Sequence[_Known]) -> bytes | None:
        """What the cache has of these works together, as worked out here or as it was signed."""
        kept = cache.get(_name(works))
        return cache.get(_name(works, self.signed.key)) if kept is None and self.signed else kept

    def read(self, tick: Callable[[float], None] = lambda share: None) -> LearnedMusic:
        """Their lines from their houses, which the cache then keeps.

        Args:
            tick: called with the share that is done, as it grows to 1.

        Raises:
            HouseError: none of the works is here.
        """
        cache = LinesCache.of_user()
        found, missing = _read_all(self.known, cache, tick)
        here = [each for each in self.known if each.work.sha256 in found]
        if not here:
            raise HouseError(
                f"none of the {self.count} works behind it is in {self.house.folder}",
                where="checkpoint",
                mend="restore the house's works, or sample with originality=off",
            )
        kept = self._kept(cache, here)
        if kept is None:
            lines = self.signed_lines(here)
            kept = _pack([found[one.work.sha256] for one in here], lines, tick)
            cache.put(_name(here, self.signed.key if self.signed and lines else ""), kept)
        tick(1.0)
        return self._music(here, kept, missing)

    def _music(
        self, here: Sequence[_Known], kept: bytes, missing: tuple[tuple[str, str], ...]
    ) -> LearnedMusic:
        lines, house_line = _unpack(kept)
        return LearnedMusic(
            list(map(_learned_work, here)),
            lines,
            house_line,
            self.count,
            (*missing, *self.elsewhere),
            tuple(each.work.work for each in self.known if _is_withdrawn(each)),
        )


def learned_music(house: House, manifest: Manifest) -> LearnedMusic:
    """The works behind a model, from the user's cache, else from their house.

    What is read is compared with, never learned from: works withdrawn since count, as long as
    their files are kept. An entry of the cache is named by the digests that the manifest has.

    Args:
        house: where the works are.
        manifest: of the checkpoint, which learned from this house.

    Raises:
        HouseError: none of its works is here.
    """
    behind = Behind.of(house, manifest, house.load())
    return behind.kept() or behind.read()


def write_house_lines(
    folder: Path, manifests: Iterable[Manifest], house: House, register: Register
) -> Path | None:
    """Work out the house's own lines for models, and write them into their folder to be signed.

    What was signed before is not believed: only works that are here say what a house signs.

    Args:
        folder: of the models, which is to be signed.
        manifests: of the models.
        house: which they learned from; with all works of a model, or its lines are left out.
        register: of the house.

    Returns:
        The file; None where none is written, since no model's works are all here.

    Raises:
        HouseError: none is, and the folder has such a file already, which nobody can then judge.
    """
    corpora = {}
    for manifest in manifests:
        behind = Behind.of(house, manifest, register)
        if (works := _name(behind.known)) in corpora:
            continue
        try:
            music = behind.kept() or behind.read()
        except HouseError:  # none of its works is here
            continue
        if len(music.works) == len(behind.known):
            corpora[works] = music.lines
    if corpora:
        return LinesFile.write(folder, LinesCache.kind, corpora)
    if os.path.lexists(folder / NAME):
        raise HouseError(
            "has lines of works that are not here, so that nobody can judge them",
            where=str(folder / NAME), mend="remove it, or sign where the house's works are",
        )  # fmt: skip
    return None


def _behind(manifest: Manifest) -> list[tuple[ManifestWork, str]]:
    """The works of a manifest and of those behind it, each music once, and whose they are."""
    found = {work.sha256: (work, manifest.house) for work in manifest.works}
    for base in manifest.bases:
        for work in base.manifest.works:
            found.setdefault(work.sha256, (work, base.manifest.house))
    return list(found.values())


def _is_withdrawn(behind: _Known) -> bool:
    record = behind.register.works.get(behind.work.work)
    return record is not None and record.withdrawn_at is not None


def _learned_work(behind: _Known) -> LearnedWork:
    work, register = behind.work, behind.register
    record = register.works.get(work.work)
    people = {person.id: person.lasting_name for person in register.roster.people}
    return LearnedWork(
        work.work,
        record.entry.title if record else work.work,
        tuple((who, people.get(who, who)) for who, _ in work.composers),
    )


def _name(behind: Sequence[_Known], signed_by: str = "") -> str:
    """Names these works together, and what the cache keeps of them.

    With the key that signed their lines, if any: once it is not trusted these are not there.
    """
    text = "\n".join(f"{each.work.work} {each.work.sha256}" for each in behind)
    text += f"\nlines signed by {signed_by}" if signed_by else ""
    return hashlib.sha256(text.encode()).hexdigest()


def _read_all(
    behind: Sequence[_Known], cache: LinesCache, tick: Callable[[float], None]
) -> tuple[dict[str, list[Voice]], tuple[tuple[str, str], ...]]:
    """Lines of each work that can be read, by digest of its music, and why the others cannot."""
    lines: dict[str, list[Voice]] = {}
    missing = []
    for number, each in enumerate(behind):
        tick(_READING * number / len(behind))
        work = each.work
        name = hashlib.sha256(f"work {work.work} {work.sha256}".encode()).hexdigest()
        kept = cache.get(name)
        if kept is not None:
            lines[work.sha256] = list(Voices.of_state(decode(kept)))
            continue
        try:
            lines[work.sha256] = list(_read(each))
        except (HouseError, OSError) as error:
            missing.append((work.work, getattr(error, "what", str(error))))
            continue
        cache.put(name, encode(Voices(lines[work.sha256]).state()))
    return lines, tuple(missing)


def _read(behind: _Known) -> tuple[Voice, ...]:
    work, record = behind.work, behind.register.works.get(behind.work.work)
    if record is None:
        raise HouseError("the register has no such work")
    tagged = kept_work(behind.house, record)
    if tagged.music_sha256 != work.sha256:
        raise HouseError("the house has other music under this id")
    return voices_of_music(tagged.music, tagged.statement.description.roles)


def _pack(
    works: Sequence[Sequence[Voice]], lines: Lines | None, tick: Callable[[float], None]
) -> bytes:
    """The lines of a corpus and what it borrows from itself as bytes, for `_unpack`.

    The latter is worked out where it is not given.
    """
    known = known_lines(works)
    if lines is None:
        lines = house_lines(known, len(works), lambda s: tick(_READING + (1 - _READING) * s))
    return encode({"lines": asdict(lines), "known": known.state()})


def _unpack(data: bytes) -> tuple[SharedPassages, Lines]:
    found = decode(data)
    return SharedPassages.of_state(found["known"]), Lines(**found["lines"])
