"""The house's works as an evaluation needs them: admitted by the gate, split as in training.

A work is measured where its composers allow both what the model was trained for and
`evaluation`. Its side of the split is the one it had in training: the checkpoint's own split
settings are used, over the works that the gate admits for the checkpoint's purpose.

Works are compared as the tokenizer's grid holds them, so that a generated piece and a work differ
in nothing but their music.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gen.checkpoint import Checkpoint
from gen.data.admission import FindBase, take_in
from gen.data.choosing import CorpusConfig
from gen.data.splits import Split, SplitConfig, shingles
from gen.data.windows import TokenisedWork
from gen.errors import HouseError, SettingError
from gen.likeness.relatives import related_groups
from gen.piece import Piece
from gen.provenance.houses.house import House
from gen.provenance.records.consent import EVALUATION
from gen.provenance.records.pin import Pin
from gen.settings import build
from gen.tokens.choice import GRID, PLAYED
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_STEP
from gen.tokens.reading import decode
from gen.tokens.tokenization import PLAYED_EVENTS
from gen.tokens.tokenizer import HouseTokenizer
from gen.tokens.vocabulary import FIELDS

T = TypeVar("T")
SIDES: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class MeasuredWork:
    """One work, tokenised with all that its tag says.

    Attributes:
        id: its work id.
        title: as its composer calls it.
        genre: one of `harmony.GENRES`; None where its tag tells none.
        tokenised: its events, with what they echo.
        played: the same with what is off the grid, where a model reads it.
        family: id of the earliest work that it is related to (arrangements of one theme); empty
            where it is alone.
    """

    id: str
    title: str
    genre: str | None
    tokenised: TokenisedWork
    family: str = ""
    played: TokenisedWork | None = None

    @property
    def group(self) -> str:
        """What it shares with its relatives, and with no other work."""
        return self.family or self.id

    def read_by(self, fields: int) -> TokenisedWork:
        """Its events as a model of so many fields reads them."""
        return self.played if self.played and fields > len(FIELDS) else self.tokenised

    def piece(self, bars: int | None = None) -> Piece:
        """Its music, or its first `bars` bars."""
        return piece_of(excerpt(self.tokenised.events, bars))


@dataclass(frozen=True, slots=True)
class HouseWorks:
    """What there is to evaluate with.

    Attributes:
        house: its name.
        corpus: every work that the checkpoint's purpose admits: what must not be copied.
        sides: those of them that may be measured, by side of the split.
        digest: SHA-256 over the works and their sides.
        notes: what a reader of the report should know about them.
    """

    house: str
    corpus: tuple[MeasuredWork, ...]
    sides: dict[Split, tuple[MeasuredWork, ...]]
    digest: str
    notes: tuple[str, ...]


def excerpt(events: Events, bars: int | None) -> Events:
    """Header and first `bars` bars; everything for None."""
    rows = events.bar_rows
    return events if bars is None or len(rows) <= bars else events[: rows[bars]]


def piece_of(events: Events) -> Piece:
    """Events as music: tracks that never play are left out, notes end with the last bar."""
    piece = decode(events)
    end = int(events.bar_starts[-1]) * TICKS_PER_STEP
    piece.tracks = [track for track in piece.tracks if track.notes]
    for track in piece.tracks:
        track.notes = [
            replace(n, duration_ticks=end - n.onset_ticks) if n.end_ticks > end else n
            for n in track.notes
        ]
    return piece


def piece_of_rows(rows: Many[Many[int]]) -> Piece:
    """The same of what a model wrote, row by row."""
    return piece_of(Events.of(rows))


def split_of(checkpoints: Many[Checkpoint]) -> SplitConfig:
    """The split that all of them were trained with.

    Raises:
        SettingError: they differ, or a checkpoint does not tell: then nobody could say what was
            held out.
    """
    found = {
        build(SplitConfig, _settings_of(checkpoint)["data"]["split"], where="data.split")
        for checkpoint in checkpoints
    }
    return _the_same(
        found,
        "the checkpoints were trained with different splits: what one was kept from, another has "
        "learned",
        mend="compare checkpoints of one data.split",
    )


def chosen_of(checkpoints: Many[Checkpoint]) -> CorpusConfig:
    """Which of the admitted works all of them learned from.

    Raises:
        SettingError: they differ.
    """
    found = {
        build(CorpusConfig, _settings_of(checkpoint).get("corpus", {}), where="corpus")
        for checkpoint in checkpoints
    }
    learned = " and ".join(sorted(each.where or "all" for each in found))
    return _the_same(
        found,
        f"the checkpoints learned from different works: {learned}",
        mend="compare checkpoints of one corpus.where",
    )


def _the_same(found: set[T], otherwise: str, *, mend: str) -> T:
    """What all checkpoints have in common.

    Raises:
        SettingError: they differ.
    """
    if len(found) != 1:
        raise SettingError(otherwise, where="checkpoint", mend=mend)
    return found.pop()


def _settings_of(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """The settings of its run, with a split among them."""
    settings = checkpoint.run.get("settings")
    if isinstance(settings, dict) and "split" in (settings.get("data") or {}):
        return settings
    raise SettingError(
        "does not tell which works it was trained on", where="checkpoint",
        mend="evaluate one that scripts/train.py wrote",
    )  # fmt: skip


def purpose_of(checkpoints: Many[Checkpoint]) -> str:
    """The purpose that all of them were trained for.

    Raises:
        SettingError: they differ.
    """
    purposes = {checkpoint.manifest.purpose for checkpoint in checkpoints}
    return _the_same(
        purposes,
        f"the checkpoints were trained for different purposes: {', '.join(sorted(purposes))}",
        mend="compare checkpoints of one purpose",
    )


def without_bases(checkpoints: Many[Checkpoint]) -> list[Checkpoint]:
    """Those that no other of them began with.

    A model may be compared with the one that it began with, on what both were kept from: works
    that the latter had learned are on the training side of the former.
    """
    behind = {base.file_sha256 for each in checkpoints for base in each.manifest.bases}
    return [each for each in checkpoints if each.digest not in behind]


def _found_base(checkpoints: Many[Checkpoint]) -> FindBase | None:
    """What the models that these began with had learned of the works.

    Raises:
        SettingError: not the same.
    """
    bases = [checkpoint.manifest.base for checkpoint in checkpoints]
    _the_same(
        {json.dumps(dict(base.sides) if base else {}, sort_keys=True) for base in bases},
        "the checkpoints began with different models: what one was kept from, another had learned",
        mend="compare checkpoints of one init, or one with the model that it began with",
    )
    base = bases[0]
    return (lambda *_: base) if base else None


def gather(pin: Pin, checkpoints: Many[Checkpoint]) -> HouseWorks:
    """Admit and sort the works that these checkpoints can be measured with.

    Raises:
        HouseError: the checkpoints learned from different houses, purposes or splits, or a file
            of the house is refused.
    """
    judged = without_bases(checkpoints)
    admitted = take_in(
        pin.dir, pin, purpose_of(judged), split_of(judged),
        HouseTokenizer(timing=_timing_of(judged)),
        chosen=chosen_of(judged), base=_found_base(judged),
    )  # fmt: skip
    corpus = admitted.corpus
    register = House(pin).load()  # the gate has checked them just now
    for checkpoint in checkpoints:
        if checkpoint.manifest.house == corpus.house_name:
            checkpoint.manifest.check_entered(register)
        elif any(checkpoint is each for each in judged):  # others may have begun elsewhere
            raise HouseError(
                f"learned from the house {checkpoint.manifest.house!r}, the pin is that of "
                f"{corpus.house_name!r}", where="checkpoint", mend="name its own house with pin=…",
            )  # fmt: skip
    allowed = {
        work.work_id
        for work in corpus.admitted
        if work.consent.allows(EVALUATION, corpus.judged_on)
    }
    described = sorted(corpus.admitted, key=lambda work: work.register_index)
    works = _in_families(
        [
            MeasuredWork(
                d.work_id,
                d.description.title,
                d.description.genre or None,
                found.on_grid(),
                played=found if found.events.fields > len(FIELDS) else None,
            )
            for d, found in zip(described, admitted.works, strict=True)
        ]
    )
    sides = {
        side: tuple(works[i] for i in admitted.sides[side] if works[i].id in allowed)
        for side in SIDES
    }
    return HouseWorks(
        corpus.house_name, works, sides, admitted.digest,
        tuple(_notes(works, allowed, judged, {work.id for work in sides["validation"]})),
    )  # fmt: skip


def _timing_of(checkpoints: Many[Checkpoint]) -> str:
    """What the works are read with: what is off the grid, too, where one of the models reads it."""
    return PLAYED if any(c.tokenization is PLAYED_EVENTS for c in checkpoints) else GRID


def _in_families(works: Many[MeasuredWork]) -> tuple[MeasuredWork, ...]:
    """The same works, each with its family, found as when they were split."""
    groups = related_groups([shingles(work.tokenised.events) for work in works])
    first = {member: works[first].id for first, members in groups.items() for member in members}
    return tuple(replace(work, family=first[number]) for number, work in enumerate(works))


def spread_out(works: Many[MeasuredWork]) -> list[MeasuredWork]:
    """One of each family in turn, in the order given, so that a few works are of many families."""
    turns: dict[str, int] = {}
    turn = []
    for work in works:
        turns[work.group] = turns.get(work.group, 0) + 1
        turn.append(turns[work.group])
    return [works[i] for i in sorted(range(len(works)), key=turn.__getitem__)]


def _notes(
    works: Many[MeasuredWork], allowed: set[str], checkpoints: Many[Checkpoint], held: set[str]
) -> list[str]:
    """Where the works at hand are not quite those of training; `held` are of validation."""
    notes = [
        f"Weights that a checkpoint began with come of {len(base.manifest.works)} works of "
        f"{base.manifest.house}; what was learned of them counts as learned here."
        for base in {
            c.manifest.base.file_sha256: c.manifest.base for c in checkpoints if c.manifest.base
        }.values()
    ]
    known = {
        w for c in checkpoints if (b := c.manifest.base) for w in b.sides if b.sides[w] == "train"
    }
    if known and not held.isdisjoint(known):
        notes.append(
            f"{len(held & known)} works of the validation side were learned by the model that a "
            "checkpoint began with, since there were no others: figures of them flatter."
        )
    withheld = sum(work.id not in allowed for work in works)
    if withheld:
        notes.append(f"{withheld} works may be trained on but not measured, and were not.")
    now = {work.id for work in works}
    learned = [{work.work for work in checkpoint.manifest.works} for checkpoint in checkpoints]
    if any(known != now for known in learned):
        notes.append(
            "The house's works are not the same as when a checkpoint was trained: a work may have "
            "changed its side of the split, and a held-out figure may flatter."
        )
    return notes


def matched(works: Many[MeasuredWork], others: Many[MeasuredWork]) -> list[MeasuredWork]:
    """For each of `others` a work of its genre, as long as there is one; then the rest.

    Two sets that are compared are to differ in nothing but what is compared.
    """
    left = list(works)
    found = []
    for other in others:
        place = next((i for i, work in enumerate(left) if work.genre == other.genre), 0)
        if left:
            found.append(left.pop(place))
    return found + left


def genre_rows(work: MeasuredWork) -> list[list[int]]:
    """The GENRE event of a work; none where its tag tells no genre."""
    if work.genre is None:
        return []
    return Events.genre(work.genre).tolist()
