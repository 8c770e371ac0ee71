"""How near generated pieces are to the works behind them, from fingerprints in the log.

The measure is that of originality (`gen.likeness.originality`): the shingles of a piece's leading
lines, eight intervals long, that a leading line of a work holds too. Both are computed anew here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gen.accounts.period import Period, acts_of_kinds
from gen.accounts.royalties import Near
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint
from gen.likeness.voices import Hashes, shingles_of, voices_of_music
from gen.provenance.desk.works import kept_work
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.acts import OUTPUT
from gen.provenance.records.run_acts import Output
from gen.provenance.records.tag import Tagged


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of the log: its act, its day, and the shingles of its leading lines, sorted."""

    index: int
    time: str
    output: Output
    shingles: Hashes


def pieces_written(
    house: House, register: Register, period: Period | None = None
) -> Iterator[Written]:
    """The pieces in the log that have a fingerprint, without those that a stolen key entered.

    Args:
        house: whose.
        register: of it.
        period: of days; None for all.
    """
    revoked = {piece.index for piece in register.runs.pieces if register.is_revoked(piece)}
    for act in acts_of_kinds(house, register, (OUTPUT,)):
        if act.index in revoked or not (period is None or period.holds(act.time)):
            continue
        output = Output.from_dict(act.data)
        if output.fingerprint is not None:
            yield Written(act.index, act.time, output, _shingles(output.fingerprint))


def _shingles(packed: object) -> Hashes:
    lines = tuple(v for v in Fingerprint.unpack(packed).tracks if v.is_leading)
    return np.unique(shingles_of(lines))


def nearness(
    house: House, register: Register, pieces: Iterable[Written]
) -> tuple[list[Near], list[str]]:
    """How many shingles of each piece each work behind its model holds.

    Returns:
        For each piece its works; and the works that could not be read, with the reason.
    """
    shelf = _Shelf(house, register)
    found = [Near(piece.output.receipt, shelf.held(piece)) for piece in pieces]
    return found, shelf.problems()


@dataclass(frozen=True, slots=True)
class NearTo:
    """A piece that holds figures of somebody's works: likeness, which is not cause.

    Attributes:
        piece: its act, and what that says.
        work: that of theirs of which it holds most.
        figures: how many, in shingles.
        part: theirs, of all the shingles that works behind its model hold in it.
    """

    piece: Written
    work: str
    figures: int
    part: float


def near_to(
    house: House, register: Register, works: Collection[str], pieces: Iterable[Written], most: int
) -> tuple[list[NearTo], list[str]]:
    """The pieces of which these works hold most figures.

    Other works are read only where they stand behind one of these pieces.

    Args:
        house: whose.
        register: of it.
        works: ids of theirs.
        pieces: among which.
        most: so many pieces at most.

    Returns:
        The pieces, those first of which one work holds most; and the works that could not be
        read, with the reason.
    """
    shelf, close = _Shelf(house, register), []
    for piece in pieces:
        if held := shelf.held(piece, works):
            work = max(held, key=lambda name: (held[name], name))
            close.append((piece, work, held))
    close.sort(key=lambda one: (-one[2][one[1]], one[0].output.receipt))
    found = [
        NearTo(piece, work, held[work], sum(held.values()) / sum(shelf.held(piece).values()))
        for piece, work, held in close[:most]
    ]
    return found, shelf.problems()


class _Shelf:
    """Shingles of works' leading lines: a work is read once, and when it is asked for."""

    def __init__(self, house: House, register: Register) -> None:
        self._house, self._register = house, register
        self._known: dict[str, Hashes] = {}
        self._unread: dict[str, str] = {}

    def problems(self) -> list[str]:
        """The works that could not be read, with the reason."""
        return [f"{work}: {why}" for work, why in sorted(self._unread.items())]

    def held(self, piece: Written, among: Collection[str] | None = None) -> dict[str, int]:
        """Works behind a piece's model that hold shingles of it, all of them or some: how many."""
        behind = self._register.runs.works_behind(self._register.runs.at(piece.output.run))
        counts = {
            work: int(np.isin(piece.shingles, self._of(work), assume_unique=True).sum())
            for work in behind
            if among is None or work in among
        }
        return {work: count for work, count in counts.items() if count}

    def _of(self, work: str) -> Hashes:
        """Of a work, withdrawn or not, as long as its file is kept."""
        if work not in self._known:
            try:
                self._known[work] = _of_tagged(kept_work(self._house, self._register.works[work]))
            except (HouseError, OSError) as error:
                self._unread[work] = getattr(error, "what", str(error))
                self._known[work] = np.zeros(0, dtype=np.uint64)
        return self._known[work]


def _of_tagged(tagged: Tagged) -> Hashes:
    voices = voices_of_music(tagged.music, tagged.statement.description.roles)
    return np.unique(shingles_of(tuple(voice for voice in voices if voice.is_leading)))
