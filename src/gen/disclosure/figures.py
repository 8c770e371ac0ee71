"""What a house's papers count: the works behind a model, read one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gen.data.splits import SplitConfig, shingles, split
from gen.likeness.voices import Hashes
from gen.provenance.desk.works import kept_work
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.acts import ROOT
from gen.provenance.records.statement import Statement
from gen.settings import build
from gen.smf import parse
from gen.tokens.encoding import encode
from gen.tokens.grid import to_grid
from gen.tokens.score import score_of


@dataclass(frozen=True, slots=True)
class ReadWork:
    """A work as its file has it.

    Attributes:
        record: as the register knows it.
        statement: that its composer signed.
        notes, seconds, bytes: of its music.
        melody: what relatives are known by, as when works were split (`gen.data.splits`).
    """

    record: WorkRecord
    statement: Statement
    notes: int
    seconds: float
    bytes: int
    melody: Hashes

    @staticmethod
    def of(house: House, record: WorkRecord) -> ReadWork:
        """Read it, withdrawn or not.

        Raises:
            HouseError: it is gone, or not the file that was entered.
        """
        tagged = kept_work(house, record)
        piece = parse(tagged.music)
        seconds = piece.seconds_at(piece.end_ticks)
        melody = shingles(encode(to_grid(score_of(piece))))
        return ReadWork(
            record, tagged.statement, piece.note_count, seconds, len(tagged.music), melody
        )


def read_works(
    house: House,
    register: Register,
    works: Iterable[str],
    advance: Callable[[], None] = lambda: None,
) -> list[ReadWork]:
    """Read works by id; `advance` is called for each.

    Raises:
        HouseError: one is gone: what cannot be counted is not summed up.
    """
    found = []
    for work in works:
        found.append(ReadWork.of(house, register.works[work]))
        advance()
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over works.

    Attributes:
        works, notes, seconds, bytes: how many works, and of how much.
        composers: how many people.
        methods: how many works were made each way, as their composers stated.
        genres: how many works are of each, as their composers say; "" where none is said.
        first, last: days on which the first and the last of them were entered.
        adopted: works taken over from another house.
        written_by_models: works that a model of the house wrote note for note.
        withdrawn: works withdrawn since.
    """

    works: int
    notes: int
    seconds: int
    bytes: int
    composers: int
    methods: dict[str, int]
    genres: dict[str, int]
    first: str
    last: str
    adopted: int
    written_by_models: int
    withdrawn: int

    @staticmethod
    def of(register: Register, works: Sequence[ReadWork]) -> Figures:
        records = [work.record for work in works]
        days = sorted(record.time[:10] for record in records)
        people = {who for record in records for who, _ in record.entry.composers}
        return Figures(
            works=len(works),
            notes=sum(work.notes for work in works),
            seconds=sum(round(work.seconds) for work in works),
            bytes=sum(work.bytes for work in works),
            composers=len(people),
            methods=_counted(work.statement.method for work in works),
            genres=_counted(work.statement.description.genre for work in works),
            first=days[0],
            last=days[-1],
            adopted=sum(record.accepted_by == ROOT for record in records),
            written_by_models=sum(register.wrote(r.entry.musical_hash) for r in records),
            withdrawn=sum(record.withdrawn_at is not None for record in records),
        )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def sides_of(
    manifest: Manifest, settings: Mapping[str, Any], works: Sequence[ReadWork]
) -> dict[str, list[str]]:
    """The works of a run by side of its split, found again as when they were split.

    Args:
        manifest: of the run.
        settings: of the run, as its recipe has them.
        works: at least those of the manifest.

    Returns:
        Ids by side; nothing where the settings do not say how works were split.
    """
    if not isinstance(data := settings.get("data"), dict) or "split" not in data:
        return {}
    shares = build(SplitConfig, data["split"], where="data.split")
    melodies = {work.record.entry.work: work.melody for work in works}
    ordered = [w.work for w in sorted(manifest.works, key=lambda work: work.register_index)]
    base = manifest.base.sides if manifest.base else None
    sides = split(ordered, [melodies[work] for work in ordered], shares, base)
    return {side: [ordered[i] for i in places] for side, places in sides.items()}
