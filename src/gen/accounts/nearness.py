"""How near generated pieces are to the works behind them, from fingerprints in the log.

The measure is that of originality (`gen.likeness.originality`): the shingles of a piece's leading
lines, eight intervals long, that a leading line of a work holds too. Both are computed anew here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gen.accounts.period import Period, acts_of_kinds
from gen.accounts.royalties import Near
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint
from gen.likeness.voices import Hashes, shingles_of, voices_of_music
from gen.provenance.acts import OUTPUT
from gen.provenance.house import House
from gen.provenance.register import Register
from gen.provenance.runs import Output
from gen.provenance.works import kept_work


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
    known: dict[str, Hashes] = {}
    unread: dict[str, str] = {}
    found = []
    for piece in pieces:
        held = {}
        run = register.runs.by_index[piece.output.run]
        for work in register.runs.works_behind(run):
            if work not in known:
                known[work] = _of_work(house, register, work, unread)
            if count := int(np.isin(piece.shingles, known[work], assume_unique=True).sum()):
                held[work] = count
        found.append(Near(piece.output.receipt, held))
    return found, [f"{work}: {why}" for work, why in sorted(unread.items())]


def _of_work(house: House, register: Register, work: str, unread: dict[str, str]) -> Hashes:
    """Shingles of a work's leading lines, withdrawn or not, as long as its file is kept."""
    try:
        tagged = kept_work(house, register.works[work])
    except (HouseError, OSError) as error:
        unread[work] = getattr(error, "what", str(error))
        return np.zeros(0, dtype=np.uint64)
    voices = voices_of_music(tagged.music, tagged.statement.description.roles)
    return np.unique(shingles_of(tuple(voice for voice in voices if voice.is_leading)))
