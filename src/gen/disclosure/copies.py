"""Every copy of a work on this computer: where it is, of which kind, why, and until when.

Looked at are the house, this user's caches, and the folders that somebody names (runs, exports,
drives, other houses, other cache folders). A copy is a file with the work's bytes, music or notes,
a cache that was made of it, or a model or state that learned from it. `not_seen` lists models of
the log that were not among these. What is on other computers the house has to ask there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gen.disclosure.signed import heading
from gen.disk.reading import MIDI, RUN_WORKS, read, read_json
from gen.disk.sealed import user_folder
from gen.errors import HouseError
from gen.provenance.history.log import REGISTER_FILE
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import INBOX, JOURNAL, REJECTED, WITHDRAWN
from gen.provenance.manifests.model_file import ModelFile, read_model_file
from gen.provenance.signing.canonical import utc_now
from gen.smf import RuleBroken, musical_hash, parse, split_chunks

ORIGINAL, KEPT, COPY, OF_A_HOUSE, CACHE, MODEL, STATE = (
    "original", "kept original", "copy", "copy in a house's folder", "cache", "model",
    "state of a run",
)  # fmt: skip
CACHES = ("events", "tokens", "lines", "screening", "passed", "register")
_MIDI_BEGINS = b"MThd"
_CORPUS = "corpus.json"
"""What a run was given, as it leaves it in its folder before its first step."""
_STATES = (".ckpt", ".pt")
_PROGRAM = ".pt2"
_WHY = {
    ORIGINAL: ("the work itself: runs read it here", "it is withdrawn"),
    KEPT: ("withdrawn: nothing learns from it; kept to know it again", "the house deletes it"),
    COPY: ("not made by this software", "copies purge"),
    OF_A_HOUSE: ("in a backup, or another house's own", "whoever keeps that folder deletes it"),
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
    house: House, register: Register, works: Iterable[str], folders: Sequence[Path],
    cache_folders: Sequence[Path] = (),
) -> list[WorkCopy]:  # fmt: skip
    """Every copy of these works, sorted by work and place.

    Args:
        house: whose works.
        register: of the house.
        works: ids.
        folders: looked through besides the house and this user's caches.
        cache_folders: such as `HOUSE_CACHE` named for some command.
    """
    records = {work: register.works[work] for work in works}
    found: list[WorkCopy] = []
    if records:
        found += caches(cache_folders)
    places = {house.folder / record.entry.path for record in register.live_works()}
    seen: set[Path] = set()
    for top in [house.folder, *folders]:
        for path in _files(top):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                found += _of_file(path, house, records, places)
    return sorted(found, key=lambda copy: (copy.work, copy.kind, copy.place))


def caches(more: Sequence[Path] = ()) -> list[WorkCopy]:
    """This user's caches that hold something, and those in other cache folders."""
    places = [user_folder(name) for name in CACHES]
    places += [top / name for top in more for name in CACHES]
    counts = {place.absolute(): sum(1 for _ in _files(place)) for place in places}
    return [WorkCopy.of("", CACHE, place, count) for place, count in counts.items() if count]


def not_seen(
    register: Register, works: Iterable[str], copies: Iterable[WorkCopy]
) -> list[dict[str, Any]]:
    """Models in the log that learned from these works, of which no file was among the copies.

    Each with the run that left it: it is on another computer, in a folder that was not named, or
    deleted.
    """
    places = {copy.place for copy in copies if copy.kind == MODEL}  # one for several works
    seen = set(map(_digest_of, places))
    return [
        {
            "file_sha256": model.file_sha256,
            "name": model.name,
            "run": run.index,
            "run_name": run.name,
        }
        for run in register.runs.that_read(works)
        for model in run.models
        if model.file_sha256 not in seen
    ]


def _digest_of(place: str) -> str:
    model = _model(Path(place))
    return model.file_sha256 if model else ""


def _files(top: Path) -> Iterator[Path]:
    """Plain files in a folder and those in it; links are not followed."""
    if not top.is_dir():
        return
    for path in sorted(top.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _of_file(
    path: Path, house: House, records: dict[str, WorkRecord], places: Set[Path]
) -> Iterator[WorkCopy]:
    suffix = path.suffix.lower()
    if path.parent.name == JOURNAL or _is_midi(path):
        for work in _music_of(path, records, is_a_works=path in places):
            yield WorkCopy.of(work, _kind_in(house, path, records[work]), path)
    elif suffix == ".safetensors" and "states" not in path.parts:
        model = _model(path)
        names = set(model.manifest.works_here) if model else set()
        yield from (WorkCopy.of(work, MODEL, path) for work in records if work in names)
    elif suffix == _PROGRAM:
        learned = _learned(path)
        yield from (WorkCopy.of(work, MODEL, path) for work in records if work in learned)
    elif suffix in _STATES or "states" in path.parts:
        learned = _learned(path)
        yield from (WorkCopy.of(work, STATE, path) for work in records if work in learned)


def _is_midi(path: Path) -> bool:
    """Whatever it is called: editors keep `rain.mid.bak` beside `rain.mid`."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MIDI_BEGINS)) == _MIDI_BEGINS
    except OSError:
        return False


def _music_of(path: Path, records: dict[str, WorkRecord], *, is_a_works: bool) -> list[str]:
    """The works whose bytes, music before the tag, or notes a file has.

    A file in a work's own place is known by its bytes: no two works have the same notes.
    """
    try:
        data = read(path, MIDI)
        music = split_chunks(data).music
    except (HouseError, RuleBroken, OSError):
        return []  # no MIDI file that could be a work's
    digests = {sha256(data).hexdigest(), sha256(music).hexdigest()}
    if not is_a_works:
        digests.add(_sound_of(music))
    return [work for work, record in records.items() if digests & _digests_of(record)]


def _digests_of(record: WorkRecord) -> set[str]:
    entry = record.entry
    return {entry.file_sha256, entry.music_sha256, entry.musical_hash}


def _sound_of(music: bytes) -> str:
    """Digest of its notes, however they are spelled in the file; "" of what is no strict file."""
    try:
        return musical_hash(parse(music))
    except (HouseError, RuleBroken):
        return ""


def _kind_in(house: House, path: Path, record: WorkRecord) -> str:
    if path == house.folder / record.entry.path and record.withdrawn_at is None:
        return ORIGINAL
    kept = house.folder / WITHDRAWN / f"{record.entry.work}.mid"
    if path == kept and record.withdrawn_at is not None:
        return KEPT
    is_elsewhere = house.folder not in path.parents
    return OF_A_HOUSE if is_elsewhere and _is_in_a_house(path) else COPY


def _is_in_a_house(path: Path) -> bool:
    """Whether a folder above, as far as a composer's, is a house's folder, or a backup of one."""
    return any((folder / REGISTER_FILE).is_file() for folder in path.parents[:2])


def _model(path: Path) -> ModelFile | None:
    try:
        return read_model_file(path)
    except HouseError:
        return None  # another program's weights


def _learned(path: Path) -> set[str]:
    """What the models beside a run's state learned from, and what a run without any was given."""
    run = path.parent.parent if path.parent.name == "states" else path.parent
    models = filter(None, map(_model, sorted(run.glob("*.safetensors"))))
    return {work for model in models for work in model.manifest.works_here} | _given(run)


def _given(run: Path) -> set[str]:
    """The works that a run was given: one that was killed left states and no model."""
    try:
        sides = read_json(run / _CORPUS, RUN_WORKS)["admitted"].values()
        return {str(work) for side in sides for work in side}
    except (HouseError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


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
