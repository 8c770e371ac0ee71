"""Every copy of a work on this computer: where it is, of which kind, why, and until when.

Looked at are the house, this user's caches, and the folders that somebody names (runs, exports,
drives). A copy is a file with the work's bytes or music, a cache that was made of it, or a model or
state that learned from it. What is on other computers the house has to ask there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gen.disclosure.signed import heading
from gen.disk.reading import MIDI, read
from gen.disk.sealed import user_folder
from gen.errors import HouseError
from gen.provenance.canonical import utc_now
from gen.provenance.house import House
from gen.provenance.model_file import ModelFile, read_model_file
from gen.provenance.record import WorkRecord
from gen.provenance.register import Register
from gen.provenance.store import INBOX, JOURNAL, REJECTED, WITHDRAWN
from gen.smf import RuleBroken, split_chunks

ORIGINAL, KEPT, COPY, CACHE, MODEL, STATE = (
    "original", "kept original", "copy", "cache", "model", "state of a run",
)  # fmt: skip
CACHES = ("events", "tokens", "lines", "screening", "passed", "register")
SUFFIXES = {".mid", ".midi", ".smf"}
_STATES = (".ckpt", ".pt")
_WHY = {
    ORIGINAL: ("the work itself: runs read it here", "it is withdrawn"),
    KEPT: ("withdrawn: nothing learns from it; kept to know it again", "the house deletes it"),
    COPY: ("not made by this software", "copies purge"),
    CACHE: ("saves reading the works again; made of all of them", "copies purge"),
    MODEL: ("learned from it", "the model is retired and deleted"),
    STATE: ("lets a run that learned from it go on, or be rebuilt", "the run's folder is deleted"),
}


@dataclass(frozen=True, slots=True)
class WorkCopy:
    """One copy.

    Attributes:
        work: id; "" for what was made of several works and cannot be told apart.
        kind: one of the kinds above.
        place: path of the file or, of a cache, of its folder.
        why: what it is there for.
        until: what ends it.
        files: how many, in a cache.
    """

    work: str
    kind: str
    place: str
    why: str
    until: str
    files: int = 1

    @staticmethod
    def of(work: str, kind: str, place: Path, files: int = 1) -> WorkCopy:
        why, until = _WHY[kind]
        return WorkCopy(work, kind, str(place), why, until, files)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def inventory(
    house: House, register: Register, works: Iterable[str], folders: Sequence[Path]
) -> list[WorkCopy]:
    """Every copy of these works, sorted by work and place.

    Args:
        house: whose works.
        register: of the house.
        works: ids.
        folders: looked through besides the house and this user's caches.
    """
    records = {work: register.works[work] for work in works}
    found: list[WorkCopy] = []
    if records:
        found += caches()
    seen: set[Path] = set()
    for top in [house.folder, *folders]:
        for path in _files(top):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                found += _of_file(path, house, records)
    return sorted(found, key=lambda copy: (copy.work, copy.kind, copy.place))


def caches() -> list[WorkCopy]:
    """This user's caches that hold something."""
    found = ((name, sum(1 for _ in _files(user_folder(name)))) for name in CACHES)
    return [WorkCopy.of("", CACHE, user_folder(name), count) for name, count in found if count]


def _files(top: Path) -> Iterator[Path]:
    """Plain files in a folder and those in it; links are not followed."""
    if not top.is_dir():
        return
    for path in sorted(top.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _of_file(path: Path, house: House, records: dict[str, WorkRecord]) -> Iterator[WorkCopy]:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or path.parent.name == JOURNAL:
        for work in _music_of(path, records):
            yield WorkCopy.of(work, _kind_in(house, path, records[work]), path)
    elif suffix == ".safetensors" and "states" not in path.parts:
        model = _model(path)
        names = set(model.manifest.works_here) if model else set()
        yield from (WorkCopy.of(work, MODEL, path) for work in records if work in names)
    elif suffix in _STATES or "states" in path.parts:
        learned = _learned(path)
        yield from (WorkCopy.of(work, STATE, path) for work in records if work in learned)


def _music_of(path: Path, records: dict[str, WorkRecord]) -> list[str]:
    """The works whose bytes, or music before the tag, a file has."""
    try:
        data = read(path, MIDI)
        music = split_chunks(data).music
    except (HouseError, RuleBroken, OSError):
        return []  # no MIDI file that could be a work's
    digests = {sha256(data).hexdigest(), sha256(music).hexdigest()}
    return [
        work
        for work, record in records.items()
        if digests & {record.entry.file_sha256, record.entry.music_sha256}
    ]


def _kind_in(house: House, path: Path, record: WorkRecord) -> str:
    if path == house.folder / record.entry.path and record.withdrawn_at is None:
        return ORIGINAL
    kept = house.folder / WITHDRAWN / f"{record.entry.work}.mid"
    return KEPT if path == kept and record.withdrawn_at is not None else COPY


def _model(path: Path) -> ModelFile | None:
    try:
        return read_model_file(path)
    except HouseError:
        return None  # another program's weights


def _learned(path: Path) -> set[str]:
    """What the models beside a run's state learned from."""
    run = path.parent.parent if path.parent.name == "states" else path.parent
    models = filter(None, map(_model, sorted(run.glob("*.safetensors"))))
    return {work for model in models for work in model.manifest.works_here}


def purge(house: House, copies: Sequence[WorkCopy]) -> tuple[list[WorkCopy], list[WorkCopy]]:
    """Delete what may be deleted; what was, and what stays.

    What the system does not let go stays, too, so that the record is true of what was deleted.
    """
    gone: list[WorkCopy] = []
    stay: list[WorkCopy] = []
    for copy in copies:
        is_gone = may_go(house, copy) and _deleted(copy)
        (gone if is_gone else stay).append(copy)
    return gone, stay


def may_go(house: House, copy: WorkCopy) -> bool:
    """Whether a purge deletes it: copies and caches.

    Originals, models and states of runs stay: a work is withdrawn first, a model is retired, and
    what a register or an inbox holds is not touched.
    """
    place = Path(copy.place)
    is_inside = house.folder in place.parents
    waits = is_inside and place.parent.name in (INBOX, REJECTED, JOURNAL)
    return copy.kind == CACHE or (copy.kind == COPY and not waits)


def _deleted(copy: WorkCopy) -> bool:
    place = Path(copy.place)
    try:
        for path in _files(place) if copy.kind == CACHE else [place]:
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def record_of_purge(
    house: House, register: Register, works: Sequence[str],
    gone: Sequence[WorkCopy], stay: Sequence[WorkCopy],
) -> dict[str, Any]:  # fmt: skip
    """What is signed of a purge: which copies were deleted, which stay and until when."""
    return {
        **heading(house, register),
        "deleted": [copy.to_dict() for copy in gone],
        "format": 1,
        "left": [copy.to_dict() for copy in stay],
        "purged": utc_now(),
        "works": list(works),
    }
